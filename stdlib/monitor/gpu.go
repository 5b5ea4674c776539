package monitor

import (
	"errors"
	"sync"
	"time"

	"attune/gpu/nvml"
)

// gpuReading is what NVML said last, summed over the devices, and why it says nothing.
type gpuReading struct {
	used, total int64
	// resident is the greatest share of time, over the devices, in which some kernel
	// was on one; see nvml.Utilization for what that does not say.
	resident float64
	why      string
}

// gpuLink is the way to NVML, opened once for the monitor's life.
type gpuLink struct {
	mu sync.Mutex
	// library is another library's path than the driver's; tests set it.
	library string
	opened  bool
	devices []nvml.Device
	why     string
}

// watchGPU reads NVML every GPUPeriod until stop. It has a goroutine of its own and
// holds none of the monitor's locks while it reads: a driver may take its time.
func (m *Monitor) watchGPU(stop chan struct{}) {
	t := time.NewTicker(GPUPeriod)
	defer t.Stop()
	for {
		r, more := m.link.read()
		m.mu.Lock()
		m.gpu = r
		m.mu.Unlock()
		if !more {
			return
		}
		select {
		case <-stop:
			return
		case <-t.C:
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
	for _, d := range g.devices {
		memory, err := d.Memory()
		if err != nil {
			r.why = err.Error()
			continue
		}
		r.used, r.total = r.used+int64(memory.Used), r.total+int64(memory.Total)
		if u, err := d.Utilization(); err == nil {
			r.resident = max(r.resident, float64(u.KernelResident)/100)
		}
	}
	return r, len(g.devices) > 0
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
