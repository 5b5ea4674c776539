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
	// VRAM is the memory in use on all GPUs, by all processes.
	VRAM int64
	// KernelResident is the share of the last NVML period, in [0, 1], in which some
	// kernel was on the busiest GPU. It says that one was not idle, not how full it was.
	KernelResident float64
	// CPU is how many cores the process kept busy; HostCPU the share of all cores
	// that all processes did, in [0, 1].
	CPU, HostCPU float64
	// HostUsed is the memory in use on the machine.
	HostUsed int64
}

// most is the greater of a and b in everything, at b's time: what a chart must not
// miss when it has fewer points than there were samples.
func most(a, b Sample) Sample {
	b.RSS, b.PSS, b.GoHeap = max(a.RSS, b.RSS), max(a.PSS, b.PSS), max(a.GoHeap, b.GoHeap)
	for c := range b.Host {
		b.Host[c], b.Device[c] = max(a.Host[c], b.Host[c]), max(a.Device[c], b.Device[c])
	}
	b.Total, b.VRAM = max(a.Total, b.Total), max(a.VRAM, b.VRAM)
	b.KernelResident = max(a.KernelResident, b.KernelResident)
	b.CPU, b.HostCPU = max(a.CPU, b.CPU), max(a.HostCPU, b.HostCPU)
	b.HostUsed = max(a.HostUsed, b.HostUsed)
	return b
}

// points is how many samples a history holds before it halves its resolution: three
// minutes at the full one, a day at one point in three minutes, 240 KB always.
const points = 960

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
	raise(&p.most.VRAM, s.VRAM, &p.gpu, s.At)
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
