// Package rest gives memory back to the operating system while a process has
// nothing to do. Go keeps what was freed for minutes; after a picture of many
// megabytes that is more than the whole kernel needs otherwise. It imports the
// standard library only.
package rest

import (
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	// worth is how many bytes must be there to give back; less is soon used again.
	worth = 8 << 20
	// after is how long nothing must have happened.
	after = time.Second
)

// Keeper gives memory back when its process rests.
type Keeper struct {
	timer *time.Timer
	work  atomic.Int64
}

// NewKeeper makes a Keeper for a process that begins to rest.
func NewKeeper() *Keeper { return &Keeper{timer: time.AfterFunc(after, giveBack)} }

// Busy says that a piece of work has begun.
func (k *Keeper) Busy() {
	k.work.Add(1)
	k.timer.Stop()
}

// Idle says that a piece of work has ended.
func (k *Keeper) Idle() {
	if k.work.Add(-1) == 0 {
		k.timer.Reset(after)
	}
}

// giveBack collects and returns memory if that is worth the work: what was
// allocated since the last collection counts as garbage.
func giveBack() {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"},
	}
	metrics.Read(samples)
	free, held, live := samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64()
	if free >= worth || held >= live+worth {
		debug.FreeOSMemory()
	}
}
