package monitor

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"attune/gpu/nvml"
)

// GPU is what was read of one GPU. What its driver does not tell is 0.
type GPU struct {
	Name string
	// Used and Total are its memory in bytes, Own what this process has of it.
	Used, Total, Own int64
	// KernelResident is the share of the last NVML period, in [0, 1], in which some
	// kernel was on it: it says that it was not idle, not how full it was. MemoryBusy is
	// the share in which its memory was read or written.
	KernelResident, MemoryBusy float64
	Watts, WattsLimit, Celsius float64
	// ClockMHz is the multiprocessors' clock; Throttled is why it is below what it
	// could be.
	ClockMHz  float64
	Throttled nvml.Throttle
	// PCIeOut and PCIeIn are the bytes a second that it sends to and receives from the
	// host, NVLinkOut and NVLinkIn what crosses all its NVLinks.
	PCIeOut, PCIeIn, NVLinkOut, NVLinkIn float64
	// PCIe is the generation of its link, and Lanes that one's width, as they are now.
	PCIe, Lanes int
	// Split says that the device is in MIG mode; it tells no utilisation then.
	Split bool
	// Lost says that it fell off the bus.
	Lost bool
}

// Process is a process that has memory on a GPU.
type Process struct {
	GPU  int
	PID  int
	Name string
	Used int64
	Own  bool
}

// Instance is a part of a GPU in MIG mode: its memory in bytes.
type Instance struct {
	GPU         int
	Name        string
	Used, Total int64
}

// gpuReading is what NVML said last, and why it says nothing.
type gpuReading struct {
	gpus      []GPU
	processes []Process
	instances []Instance
	why       string
}

// used and total are sums over the devices.
func (r gpuReading) used() (n int64) {
	for _, g := range r.gpus {
		n += g.Used
	}
	return n
}

func (r gpuReading) total() (n int64) {
	for _, g := range r.gpus {
		n += g.Total
	}
	return n
}

// gpuLink is the way to NVML, opened once for the monitor's life.
type gpuLink struct {
	mu sync.Mutex
	// library is another library's path than the driver's; tests set it.
	library string
	opened  bool
	devices []nvml.Device
	links   []traffics
	turn    int // of the devices that must be waited for, see links.go
	why     string
}

// watchGPU reads NVML every GPU period until stop. It has a goroutine of its own and
// holds none of the monitor's locks while it reads: a driver may take its time.
func (m *Monitor) watchGPU(stop chan struct{}) {
	for {
		r, more := m.link.read()
		m.mu.Lock()
		m.gpu = r
		wait := m.gpuPeriod
		m.mu.Unlock()
		if !more {
			return
		}
		select {
		case <-stop:
			return
		case <-time.After(wait):
		}
	}
}

// read asks every device, and says whether there is one to ask again.
func (g *gpuLink) read() (r gpuReading, more bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.opened {
		g.open()
	}
	r.why = g.why
	for i, d := range g.devices {
		one, processes, err := readGPU(i, d)
		if err != nil {
			r.why = err.Error()
		} else {
			g.readLinks(i, &one)
		}
		if one.Split {
			r.instances = append(r.instances, readInstances(i, d)...)
		}
		r.gpus = append(r.gpus, one)
		r.processes = append(r.processes, processes...)
	}
	g.turn++
	return r, len(g.devices) > 0
}

// readGPU asks one device for all that it tells. Only without its memory is there an
// error: the rest differs from board to board.
func readGPU(i int, d nvml.Device) (GPU, []Process, error) {
	g := GPU{Name: d.Name}
	memory, err := d.Memory()
	if err != nil {
		g.Lost = errors.Is(err, nvml.ErrLost)
		return g, nil, err
	}
	g.Used, g.Total = int64(memory.Used), int64(memory.Total)
	if u, err := d.Utilization(); err == nil {
		g.KernelResident, g.MemoryBusy = float64(u.KernelResident)/100, float64(u.MemoryBusy)/100
	}
	if w, err := d.Power(); err == nil {
		g.Watts = w
	}
	if w, err := d.PowerLimit(); err == nil {
		g.WattsLimit = w
	}
	if t, err := d.Temperature(); err == nil {
		g.Celsius = float64(t)
	}
	if sm, _, err := d.Clocks(); err == nil {
		g.ClockMHz = float64(sm)
	}
	if t, err := d.Throttled(); err == nil {
		g.Throttled = t
	}
	if on, err := d.MIG(); err == nil {
		g.Split = on
	}
	processes := readProcesses(i, d)
	for _, p := range processes {
		if p.Own {
			g.Own += p.Used
		}
	}
	return g, processes, nil
}

// readProcesses is who has memory on the device. A process of another container has no
// name here.
func readProcesses(i int, d nvml.Device) (processes []Process) {
	list, err := d.Processes()
	if err != nil {
		return nil
	}
	for _, p := range list {
		q := Process{GPU: i, PID: int(p.PID), Used: int64(p.Used), Own: int(p.PID) == os.Getpid()}
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.PID))
		q.Name = strings.TrimSpace(string(name))
		processes = append(processes, q)
	}
	return processes
}

// readInstances is the parts of a device that is split.
func readInstances(i int, d nvml.Device) (out []Instance) {
	parts, err := d.Instances()
	if err != nil {
		return nil
	}
	for _, p := range parts {
		if m, err := p.Memory(); err == nil {
			out = append(out, Instance{i, p.Name, int64(m.Used), int64(m.Total)})
		}
	}
	return out
}

// open asks for the driver. Its lack is no failure but a thing to say.
func (g *gpuLink) open() {
	g.opened = true
	connect := nvml.Open
	if g.library != "" {
		connect = func() (*nvml.Library, error) { return nvml.OpenPath(g.library) }
	}
	lib, err := connect()
	if errors.Is(err, nvml.ErrNoDriver) {
		g.why = "no NVIDIA driver"
		return
	}
	if err != nil {
		g.why = err.Error()
		return
	}
	g.devices, err = lib.Devices()
	switch {
	case err != nil:
		g.why = err.Error()
	case len(g.devices) == 0:
		g.why = "the NVIDIA driver sees no GPU"
	}
}
