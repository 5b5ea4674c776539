// Package monitor owns what a session's run takes, over time: the process's memory,
// attune's own bytes by category, GPU memory, CPU. One sampler watches from a
// goroutine of its own; Show draws what it saw into the running cell's output while
// the cell runs, Summary and Peak say it in numbers.
//
// Conditions call a function when a measure passes a limit; a budget is a line on the
// chart with a forecast; what was seen can leave as CSV, as event files of TensorBoard
// and to Prometheus.
//
// It imports display, gpu/mem and gpu/nvml of this module and the standard library;
// it never imports gpu, whose devices are Sources.
//
// The session handle that Use sets is the package's only mutable state.
package monitor

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"attune/gpu/mem"
)

// Source is what holds bytes of attune's own. A gpu.Device is one. Memory is called
// from the sampler's goroutine and must be quick and safe beside the device's use.
type Source interface {
	Memory() mem.Snapshot
}

// Period is the time between two samples of the process's own counters; the machine's
// are read at every tenth. GPUPeriod is that between two questions to NVML, whose own
// counters move once in 1/6 to 1 second: below LeastGPUPeriod it would only be asked
// the same again.
const (
	Period         = 100 * time.Millisecond
	GPUPeriod      = time.Second
	LeastGPUPeriod = 200 * time.Millisecond
)

// Monitor samples what one process and its devices take. Its methods are safe from
// any goroutine.
type Monitor struct {
	period time.Duration

	mu        sync.Mutex
	gpuPeriod time.Duration
	watches   []*watch
	limits    limits
	sources   []*watched
	started   time.Time
	history   history
	marks     []Moment
	peaks     peaks
	running   bool
	stop      chan struct{}
	done      chan struct{}
	gpu       gpuReading
	reader    reader

	link gpuLink
	// memoryLimit is what the process may hold, see SetLimit.
	memoryLimit atomic.Int64
}

// watched is a Source with the greatest peaks that it had reported by the last
// sample, which tell a peak that came and went between two samples.
type watched struct {
	source Source
	primed bool
	total  int64
	by     [mem.NumCategories]int64
}

// Moment is a point in time with a name.
type Moment struct {
	At   time.Time
	Name string
	Kind Kind
}

// Kind is what a Moment is of. Charts give each kind that occurs a line of its own
// above the panels.
type Kind uint8

// The kinds: a cell that began, an epoch that ended, whatever the user's code names, what
// the balancer did, and a condition that began to hold.
const (
	Cells Kind = iota
	Epochs
	Marks
	Actions
	Alerts
	numKinds
)

// String implements fmt.Stringer.
func (k Kind) String() string {
	if k >= numKinds {
		return "marks"
	}
	return [numKinds]string{"cells", "epochs", "marks", "actions", "alerts"}[k]
}

// New is a monitor of this process that watches the sources. It does not sample
// before Start.
func New(sources ...Source) *Monitor {
	m := &Monitor{period: Period, gpuPeriod: GPUPeriod}
	for _, s := range sources {
		m.Watch(s)
	}
	return m
}

// SetGPUPeriod sets the time between two questions to NVML, LeastGPUPeriod at the least.
func (m *Monitor) SetGPUPeriod(d time.Duration) {
	m.mu.Lock()
	m.gpuPeriod = max(d, LeastGPUPeriod)
	m.mu.Unlock()
}

// Watch adds a source; one that is watched already is not added again.
func (m *Monitor) Watch(s Source) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.sources {
		if w.source == s {
			return
		}
	}
	m.sources = append(m.sources, &watched{source: s})
}

// Start begins to sample with an empty history; a monitor that runs begins anew.
func (m *Monitor) Start() {
	m.Stop()
	m.mu.Lock()
	m.started = time.Now()
	m.history, m.marks, m.peaks = history{}, nil, peaks{}
	m.limits.renew(m.started)
	for _, w := range m.sources {
		w.primed = false
	}
	m.running = true
	m.stop, m.done = make(chan struct{}), make(chan struct{})
	stop, done := m.stop, m.done
	m.mu.Unlock()
	m.sample()
	go m.run(stop, done)
	go m.watchGPU(stop)
}

// Stop ends the sampling; the history stays to be shown.
func (m *Monitor) Stop() {
	m.mu.Lock()
	if !m.running {
		m.mu.Unlock()
		return
	}
	m.running = false
	close(m.stop)
	done := m.done
	m.mu.Unlock()
	<-done
	m.sample()
}

// ensure starts a monitor that never ran.
func (m *Monitor) ensure() {
	m.mu.Lock()
	fresh := m.started.IsZero()
	m.mu.Unlock()
	if fresh {
		m.Start()
	}
}

// Mark names this moment; charts draw it on the time axis.
func (m *Monitor) Mark(name string) { m.MarkAs(Marks, name) }

// MarkAs is Mark for a moment of that kind.
func (m *Monitor) MarkAs(kind Kind, name string) {
	m.ensure()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mark(Moment{time.Now(), name, min(kind, numKinds-1)})
}

// mark adds a moment; the caller holds mu.
func (m *Monitor) mark(at Moment) {
	// Thousands of marks would be a grey wall; the newest count.
	if len(m.marks) == maxMarks {
		m.marks = slices.Delete(m.marks, 0, 1)
	}
	m.marks = append(m.marks, at)
}

const maxMarks = 1000

// Moments are the marks since Start, oldest first; of very many the newest.
func (m *Monitor) Moments() []Moment {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.marks)
}

func (m *Monitor) run(stop, done chan struct{}) {
	defer close(done)
	t := time.NewTicker(m.period)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			m.sample()
		}
	}
}

// sample reads everything once and adds it to the history.
func (m *Monitor) sample() {
	m.mu.Lock()
	sources := slices.Clone(m.sources)
	m.mu.Unlock()
	// Sources may take locks of their own; none is called under ours.
	shots := make([]mem.Snapshot, len(sources))
	for i, w := range sources {
		shots[i] = w.source.Memory()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.reader.read()
	s.At = time.Now()
	var exact Sample
	for i, w := range sources {
		w.add(shots[i], &s, &exact)
	}
	s.GPUs = m.gpu.gpus
	m.peaks.see(s, exact)
	m.history.add(s)
	m.alert(s, exact.Total)
}

// add counts a source's live bytes into s, and into exact the peaks that it had
// since the last sample.
func (w *watched) add(shot mem.Snapshot, s, exact *Sample) {
	live, peak := &s.Host, &exact.Host
	if onDevice(shot.Name) {
		live, peak = &s.Device, &exact.Device
	}
	for c := range shot.ByCategory {
		counters := shot.ByCategory[c]
		live[c] += counters.Live
		if w.primed && counters.Peak > w.by[c] {
			peak[c] += counters.Peak
		} else {
			peak[c] += counters.Live
		}
		w.by[c] = counters.Peak
	}
	if w.primed && shot.Total.Peak > w.total {
		exact.Total += shot.Total.Peak
	} else {
		exact.Total += shot.Total.Live
	}
	s.Total += shot.Total.Live
	w.total, w.primed = shot.Total.Peak, true
}

// onDevice tells a GPU's allocator from the host's by its name ("cuda:0", "cpu").
func onDevice(name string) bool { return len(name) >= 4 && name[:4] == "cuda" }

// cores is how many cores the process may use at once.
func cores() int { return runtime.GOMAXPROCS(0) }
