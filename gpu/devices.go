package gpu

import (
	"cmp"
	"errors"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"attune/gpu/mem"
)

// open lists the devices that are in use, so that somebody who holds none of them
// can ask who holds what. It keeps none alive.
var open struct {
	sync.Mutex
	devices []weak.Pointer[Device]
}

// Devices lists the open devices by name.
func Devices() []*Device {
	open.Lock()
	defer open.Unlock()
	var out []*Device
	open.devices = slices.DeleteFunc(open.devices, func(p weak.Pointer[Device]) bool {
		d := p.Value()
		if d == nil || d.shut.closed() {
			return true
		}
		out = append(out, d)
		return false
	})
	slices.SortStableFunc(out, func(a, b *Device) int { return cmp.Compare(a.name, b.name) })
	return out
}

// closing ends a device, once. It does not refer to the device itself: the
// collector runs it for one that nobody reaches.
type closing struct {
	done   atomic.Bool
	memory *mem.Allocator
	back   backend
}

// closed says whether the device ended; one that is not registered never does.
func (c *closing) closed() bool { return c != nil && c.done.Load() }

// run gives the memory back before the backend ends: the collector may find a device
// and its tensors unreached together, and runs what it does for them in any order.
func (c *closing) run() error {
	if !c.done.CompareAndSwap(false, true) {
		return nil
	}
	return errors.Join(c.memory.Close(), c.back.close())
}

// register makes a device one of Devices and sees to its end.
func register(d *Device) *Device {
	d.closes()
	open.Lock()
	defer open.Unlock()
	open.devices = append(open.devices, weak.Make(d))
	return d
}

// closes sees to the end of a device that nobody reaches.
func (d *Device) closes() {
	d.shut = &closing{memory: d.memory, back: d.back}
	runtime.AddCleanup(d, func(c *closing) { _ = c.run() }, d.shut)
}

// reclaimWait bounds how long an allocation waits for the collector's cleanups.
const reclaimWait = time.Second

// reclaim lets the garbage collector free the tensors that nobody reaches, and
// waits until the cleanups that it found have run.
func reclaim() {
	runtime.GC()
	queued, done := cleanups()
	for end := time.Now().Add(reclaimWait); done < queued && time.Now().Before(end); _, done = cleanups() {
		time.Sleep(50 * time.Microsecond)
	}
}

// cleanups is how many the runtime has queued and executed so far.
func cleanups() (queued, executed uint64) {
	s := []metrics.Sample{{Name: "/gc/cleanups/queued:cleanups"}, {Name: "/gc/cleanups/executed:cleanups"}}
	metrics.Read(s)
	return s[0].Value.Uint64(), s[1].Value.Uint64()
}
