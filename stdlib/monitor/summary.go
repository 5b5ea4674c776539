package monitor

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"attune/display"
	"attune/display/mime"
	"attune/display/table"
	"attune/gpu/mem"
)

// Row is a line of a Report. Now and Peak are bytes, or cores where Cores says so.
type Row struct {
	Name      string
	Now, Peak float64
	Cores     bool
	// When is the peak's time after the start, and After the last mark before it.
	When  time.Duration
	After string
}

// Report is what a run took, as a table.
type Report struct {
	Rows []Row
	// Ran is the time from Start to the last sample.
	Ran time.Duration
	// Note says what is not known and why.
	Note string
}

// Summary is what was taken since Start: each thing now, its peak and when that was.
// Things that never were are left out.
func (m *Monitor) Summary() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	var r Report
	if len(m.history.samples) == 0 {
		return Report{Note: "nothing was sampled; call Start"}
	}
	now := m.history.samples[len(m.history.samples)-1]
	r.Ran = now.At.Sub(m.started)
	p := m.peaks
	add := func(name string, now, peak int64, at time.Time) {
		if peak > 0 {
			r.Rows = append(r.Rows, Row{Name: name, Now: float64(now), Peak: float64(peak), When: at.Sub(m.started), After: m.markBefore(at)})
		}
	}
	for _, c := range mem.Categories() {
		add(c.String(), now.Host[c], p.exact.Host[c], p.host[c])
		add(c.String()+" (GPU)", now.Device[c], p.exact.Device[c], p.device[c])
	}
	add("attune's own, all", now.Total, p.exact.Total, p.total)
	add("Go heap", now.GoHeap, p.most.GoHeap, p.heap)
	add("process (RSS)", now.RSS, p.most.RSS, p.rss)
	add("GPU memory, all processes", now.VRAM(), p.most.VRAM(), p.gpu)
	for _, q := range m.gpu.processes {
		if q.Own && q.Used > 0 && q.GPU < len(p.most.GPUs) {
			r.Rows = append(r.Rows, Row{Name: fmt.Sprintf("GPU %d memory, this process", q.GPU), Now: float64(q.Used), Peak: float64(p.most.GPUs[q.GPU].Own)})
		}
	}
	if p.most.CPU > 0 {
		r.Rows = append(r.Rows, Row{Name: "CPU", Cores: true, Now: now.CPU, Peak: p.most.CPU, When: p.cpu.Sub(m.started), After: m.markBefore(p.cpu)})
	}
	r.Note = m.note()
	return r
}

// note says why there is nothing of the GPU, or what there is beside its memory, what
// bounds the process, and how the budget stands. The caller holds mu.
func (m *Monitor) note() string {
	var parts []string
	if m.gpu.why != "" {
		parts = append(parts, "GPU: "+m.gpu.why)
	}
	for i, g := range m.gpu.gpus {
		parts = append(parts, g.say(i))
	}
	if m.reader.limit > 0 {
		parts = append(parts, "memory limit "+Bytes(float64(m.reader.limit)))
	}
	if s := m.outlook(); s != "" {
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

// say is a GPU's state in words.
func (g GPU) say(i int) string {
	s := fmt.Sprintf("GPU %d %s", i, g.Name)
	if g.Lost {
		return s + ": lost"
	}
	if g.Watts > 0 {
		s += fmt.Sprintf(", %.0f W", g.Watts)
		if g.WattsLimit > 0 {
			s += fmt.Sprintf(" of %.0f", g.WattsLimit)
		}
	}
	if g.Celsius > 0 {
		s += fmt.Sprintf(", %.0f °C", g.Celsius)
	}
	if g.ClockMHz > 0 {
		s += fmt.Sprintf(", %.0f MHz", g.ClockMHz)
	}
	if g.Throttled != 0 {
		s += ", slowed down: " + g.Throttled.String()
	}
	if g.Split {
		s += ", split (MIG: no utilisation)"
	}
	return s
}

func (m *Monitor) markBefore(at time.Time) string {
	for i := len(m.marks) - 1; i >= 0; i-- {
		if !m.marks[i].At.After(at) {
			return m.marks[i].Name
		}
	}
	return ""
}

// Bundle implements display.Bundler.
func (r Report) Bundle() mime.Bundle {
	t := table.Table{Caption: r.Note, Columns: []table.Column{
		{Name: "", Note: ""}, {Name: "now", Right: true}, {Name: "peak", Right: true},
		{Name: "when", Right: true}, {Name: "after mark"},
	}}
	if r.Ran > 0 {
		t.Caption = fmt.Sprintf("over %s", duration(r.Ran))
		if r.Note != "" {
			t.Caption += "; " + r.Note
		}
	}
	for _, row := range r.Rows {
		unit := Bytes
		if row.Cores {
			unit = func(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + " cores" }
		}
		t.Rows = append(t.Rows, []string{row.Name, unit(row.Now), unit(row.Peak), duration(row.When), row.After})
	}
	return mime.Bundle{Data: map[string]string{mime.Text: t.Text(), mime.HTML: t.HTML()}}
}

// Bytes writes a number of bytes with three digits and a binary unit: "12.3 MiB".
func Bytes(n float64) string {
	d, unit := unitOf(n)
	x := n / d
	digits := 0
	if d > 1 {
		digits = max(0, 2-int(math.Floor(math.Log10(max(math.Abs(x), 1)))))
	}
	return strconv.FormatFloat(x, 'f', digits, 64) + " " + unit
}

// unitOf is the largest binary unit that is not above n, and its size.
func unitOf(n float64) (size float64, name string) {
	size, name = 1, "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if math.Abs(n) < size*1024 {
			break
		}
		size, name = size*1024, u
	}
	return size, name
}

// duration is short for people: "850 ms", "12.3 s", "4m10s".
func duration(d time.Duration) string { return display.Duration(d) }
