package monitor

import (
	"time"

	"attune/gpu/mem"
)

// Sample is what was taken at one moment, or the most of it over a stretch of time.
// Memory is in bytes.
type Sample struct {
	At time.Time
	// RSS is the process's resident set; PSS the same with shared pages divided among
	// those who share them, 0 where the system does not tell.
	RSS, PSS int64
	// GoHeap is the memory that live and not yet swept Go objects take.
	GoHeap int64
	// Host and Device are attune's own live bytes by mem.Category, Total their sum.
	Host, Device [mem.NumCategories]int64
	Total        int64
	// GPUs is what NVML said last of each GPU.
	GPUs []GPU
	// CPU is how many cores the process kept busy; HostCPU the share of all cores
	// that all processes did, in [0, 1].
	CPU, HostCPU float64
	// HostUsed is the memory in use on the machine, of HostTotal. GroupUsed is what the
	// control group with the least limit has in use, of GroupLimit; both 0 without one.
	HostUsed, HostTotal, GroupUsed, GroupLimit int64
	// Bytes a second of all disks, and of all networks but the loopback.
	DiskRead, DiskWrite, NetIn, NetOut float64
}

// VRAM is the memory in use on all GPUs, by all processes.
func (s Sample) VRAM() int64 { return gpuReading{gpus: s.GPUs}.used() }

// memoryShare is how full the machine or the limiting control group is.
func (s Sample) memoryShare() float64 {
	share := float64(s.HostUsed) / float64(max(s.HostTotal, 1))
	if s.GroupLimit > 0 {
		share = max(share, float64(s.GroupUsed)/float64(s.GroupLimit))
	}
	return share
}

// most is the greater of a and b in everything, at b's time: what a chart must not
// miss when it has fewer points than there were samples.
func most(a, b Sample) Sample {
	b.RSS, b.PSS, b.GoHeap = max(a.RSS, b.RSS), max(a.PSS, b.PSS), max(a.GoHeap, b.GoHeap)
	for c := range b.Host {
		b.Host[c], b.Device[c] = max(a.Host[c], b.Host[c]), max(a.Device[c], b.Device[c])
	}
	b.Total, b.GPUs = max(a.Total, b.Total), mostGPUs(a.GPUs, b.GPUs)
	b.CPU, b.HostCPU = max(a.CPU, b.CPU), max(a.HostCPU, b.HostCPU)
	b.HostUsed, b.GroupUsed = max(a.HostUsed, b.HostUsed), max(a.GroupUsed, b.GroupUsed)
	b.DiskRead, b.DiskWrite = max(a.DiskRead, b.DiskRead), max(a.DiskWrite, b.DiskWrite)
	b.NetIn, b.NetOut = max(a.NetIn, b.NetIn), max(a.NetOut, b.NetOut)
	return b
}

// mostGPUs is most for the GPUs. Readings are shared between samples until NVML is
// asked again, so it changes neither.
func mostGPUs(a, b []GPU) []GPU {
	if len(a) == 0 || len(a) != len(b) || &a[0] == &b[0] {
		return b
	}
	out := append([]GPU(nil), b...)
	for i := range out {
		g, h := &out[i], a[i]
		g.Used, g.Own = max(g.Used, h.Used), max(g.Own, h.Own)
		g.KernelResident, g.MemoryBusy = max(g.KernelResident, h.KernelResident), max(g.MemoryBusy, h.MemoryBusy)
		g.Watts, g.Celsius, g.ClockMHz = max(g.Watts, h.Watts), max(g.Celsius, h.Celsius), max(g.ClockMHz, h.ClockMHz)
		g.PCIeOut, g.PCIeIn = max(g.PCIeOut, h.PCIeOut), max(g.PCIeIn, h.PCIeIn)
		g.NVLinkOut, g.NVLinkIn = max(g.NVLinkOut, h.NVLinkOut), max(g.NVLinkIn, h.NVLinkIn)
		g.Throttled |= h.Throttled
	}
	return out
}

// points is how many samples a history holds before it halves its resolution: six
// minutes at the full one, a day at one point in 50 seconds, a megabyte and a half
// always, and as much again for eight GPUs.
const points = 3600

// history is the samples since the start, evenly spaced. When full, each two
// neighbours become one that holds the most of both.
type history struct {
	samples []Sample
	// each is how many samples of the sampler make one here (0 counts as 1), and open
	// how many of them the last one holds so far.
	each, open int
}

func (h *history) add(s Sample) {
	if h.each == 0 {
		h.each, h.open = 1, 1
	}
	if h.open < h.each && len(h.samples) > 0 {
		last := &h.samples[len(h.samples)-1]
		*last = most(*last, s)
		h.open++
		return
	}
	if len(h.samples) == points {
		for i := range points / 2 {
			h.samples[i] = most(h.samples[2*i], h.samples[2*i+1])
		}
		h.samples = h.samples[:points/2]
		h.each *= 2
	}
	h.samples = append(h.samples, s)
	h.open = 1
}

// peaks is the most of each thing, and when.
type peaks struct {
	seen bool
	most Sample
	// exact is the most that the sources' own counters said, between samples too.
	exact                 Sample
	host, device          [mem.NumCategories]time.Time
	total, rss, heap, gpu time.Time
	cpu                   time.Time
}

func (p *peaks) see(s, exact Sample) {
	for c := range s.Host {
		raise(&p.exact.Host[c], exact.Host[c], &p.host[c], s.At)
		raise(&p.exact.Device[c], exact.Device[c], &p.device[c], s.At)
	}
	raise(&p.exact.Total, exact.Total, &p.total, s.At)
	raise(&p.most.RSS, s.RSS, &p.rss, s.At)
	raise(&p.most.GoHeap, s.GoHeap, &p.heap, s.At)
	if s.VRAM() > p.most.VRAM() {
		p.gpu = s.At
	}
	if s.CPU > p.most.CPU {
		p.most.CPU, p.cpu = s.CPU, s.At
	}
	p.most = most(p.most, s)
	p.seen = true
}

func raise(top *int64, now int64, when *time.Time, at time.Time) {
	if now > *top || when.IsZero() {
		*top, *when = now, at
	}
}

// Peak is the most that was seen of each thing since Start, each at a time of its
// own; Summary says when. attune's own bytes are exact: the allocator's own peak
// counts where it rose between two samples.
func (m *Monitor) Peak() Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.peaks.most
	s.Host, s.Device, s.Total = m.peaks.exact.Host, m.peaks.exact.Device, m.peaks.exact.Total
	return s
}

// History is the samples since Start, oldest first; of a long run each is the most
// over a stretch of time.
func (m *Monitor) History() []Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Sample(nil), m.history.samples...)
}
