package monitor

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"attune/display"
	"attune/display/mime"
)

// Measure is one thing that is watched, to set conditions and budgets on.
type Measure int

// The measures. A share lies in [0, 1]; memory in bytes has its share of what there is.
const (
	// VRAM is the fullest GPU's memory as a share.
	VRAM Measure = iota
	// OwnMemory is attune's own bytes, exact between samples too.
	OwnMemory
	// RSS is the process's resident memory in bytes.
	RSS
	// GoHeap is the memory of Go objects in bytes.
	GoHeap
	// Memory is the machine's memory in use as a share, or that of the control group
	// that limits it, whichever is fuller.
	Memory
	// CPU is how many cores the process keeps busy; HostCPU the share of all.
	CPU
	HostCPU
	// GPUBusy is the greatest share of time in which a kernel was on a GPU.
	GPUBusy
	// Power in watts and Temperature in degrees Celsius are the greatest of all GPUs.
	Power
	Temperature
	numMeasures
)

// String implements fmt.Stringer.
func (m Measure) String() string {
	if m < 0 || m >= numMeasures {
		return "measure " + strconv.Itoa(int(m))
	}
	return [...]string{"GPU memory", "attune's own memory", "RSS", "Go heap", "memory", "CPU", "host CPU", "GPU busy", "power", "temperature"}[m]
}

// say writes a value of the measure with its unit.
func (m Measure) say(x float64) string {
	switch m {
	case VRAM, Memory, HostCPU, GPUBusy:
		return strconv.FormatFloat(100*x, 'f', 0, 64) + " %"
	case OwnMemory, RSS, GoHeap:
		return Bytes(x)
	case CPU:
		return strconv.FormatFloat(x, 'f', 1, 64) + " cores"
	case Power:
		return strconv.FormatFloat(x, 'f', 0, 64) + " W"
	case Temperature:
		return strconv.FormatFloat(x, 'f', 0, 64) + " °C"
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// of is the measure's value in a sample.
func (m Measure) of(s Sample) float64 {
	most := 0.0
	for _, g := range s.GPUs {
		switch m {
		case VRAM:
			most = max(most, float64(g.Used)/float64(max(g.Total, 1)))
		case GPUBusy:
			most = max(most, g.KernelResident)
		case Power:
			most = max(most, g.Watts)
		case Temperature:
			most = max(most, g.Celsius)
		}
	}
	switch m {
	case OwnMemory:
		return float64(s.Total)
	case RSS:
		return float64(s.RSS)
	case GoHeap:
		return float64(s.GoHeap)
	case Memory:
		return s.memoryShare()
	case CPU:
		return s.CPU
	case HostCPU:
		return s.HostCPU
	}
	return most
}

// Above is the condition that the measure is over x.
func (m Measure) Above(x float64) Condition { return Condition{m, x, false} }

// Below is the condition that the measure is under x.
func (m Measure) Below(x float64) Condition { return Condition{m, x, true} }

// Condition is a measure's limit.
type Condition struct {
	Measure Measure
	Limit   float64
	Under   bool
}

// String implements fmt.Stringer: "GPU memory above 90 %".
func (c Condition) String() string {
	word := "above"
	if c.Under {
		word = "below"
	}
	return fmt.Sprintf("%s %s %s", c.Measure, word, c.Measure.say(c.Limit))
}

// holds says whether x fulfils the condition, clear whether it is so far from it that
// the next time counts anew. Between the two lies a twentieth of the limit, or else a
// value that hovers there would raise an alert with every sample.
func (c Condition) holds(x float64) (holds, clear bool) {
	if c.Under {
		return x < c.Limit, x > c.Limit*1.05
	}
	return x > c.Limit, x < c.Limit*0.95
}

// Alert is what a condition's function is told.
type Alert struct {
	Condition Condition
	Value     float64
	At        time.Time
}

// String implements fmt.Stringer.
func (a Alert) String() string {
	return fmt.Sprintf("%s: %s", a.Condition, a.Condition.Measure.say(a.Value))
}

// watch is a condition and what to call.
type watch struct {
	Condition
	call func(Alert)
	on   bool
	busy sync.Mutex // held while call runs, so that calls do not overlap
}

// When calls f each time that the condition begins to hold, from a goroutine of its
// own; after that the value must go back by a twentieth before it counts again. The
// moment is marked on the charts. cancel takes it back. A monitor that never ran is
// started.
//
//	monitor.When(monitor.VRAM.Above(0.9), func(a monitor.Alert) { fmt.Println(a) })
func (m *Monitor) When(c Condition, f func(Alert)) (cancel func()) {
	m.ensure()
	w := &watch{Condition: c, call: f}
	m.mu.Lock()
	m.watches = append(m.watches, w)
	m.mu.Unlock()
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		for i, x := range m.watches {
			if x == w {
				m.watches = append(m.watches[:i:i], m.watches[i+1:]...)
				return
			}
		}
	}
}

// alert looks at all conditions; the caller holds mu. top has the exact peak since the
// last sample in place of the sample's own bytes.
func (m *Monitor) alert(s Sample, exact int64) {
	top := s
	top.Total = max(s.Total, exact)
	for _, w := range m.watches {
		x := w.Measure.of(top)
		switch holds, clear := w.holds(x); {
		case holds && !w.on:
			w.on = true
			a := Alert{w.Condition, x, s.At}
			m.mark(Moment{s.At, a.Condition.String(), Alerts})
			go w.run(a)
		case clear:
			w.on = false
		}
	}
}

// run calls the user's function and shows its panic instead of ending the process.
func (w *watch) run(a Alert) {
	w.busy.Lock()
	defer w.busy.Unlock()
	defer func() {
		if r := recover(); r != nil {
			display.Show(mime.Plain(fmt.Sprintf("monitor: the function for %q panicked: %v", a.Condition, r)))
		}
	}()
	w.call(a)
}
