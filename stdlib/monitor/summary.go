package monitor

import (
	"cmp"
	"fmt"
	"math"
	"slices"
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
	// Processes are those that have memory on a GPU now, this one among them.
	Processes []Process
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
	r.Processes = slices.Clone(m.gpu.processes)
	if p.most.CPU > 0 {
		r.Rows = append(r.Rows, Row{Name: "CPU", Cores: true, Now: now.CPU, Peak: p.most.CPU, When: p.cpu.Sub(m.started), After: m.markBefore(p.cpu)})
	}
	r.Note = strings.Join(m.note(), "; ")
	return r
}

// note says why there is nothing of the GPU, or what there is beside its memory, what
// bounds the process, and how the budgets stand. The caller holds mu.
func (m *Monitor) note() (parts []string) {
	if m.gpu.why != "" {
		parts = append(parts, "GPU: "+m.gpu.why)
	}
	for i, g := range m.gpu.gpus {
		parts = append(parts, g.say(i)+m.gpu.sayInstances(i))
		if s := m.gpu.sayProcesses(i); s != "" {
			parts = append(parts, s)
		}
	}
	if m.reader.limit > 0 {
		parts = append(parts, "memory limit "+Bytes(float64(m.reader.limit)))
	}
	if n := m.Limit(); n > 0 {
		parts = append(parts, "the session may hold "+Bytes(float64(n)))
	}
	for of := range numMeasures {
		if s := m.outlook(of); s != "" {
			parts = append(parts, s)
		}
	}
	return parts
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
	if g.Lanes > 0 {
		s += fmt.Sprintf(", PCIe %d x%d", g.PCIe, g.Lanes)
	}
	if g.Split {
		s += ", split (MIG: no utilisation)"
	}
	return s
}

// sayInstances is the parts of a GPU that is split, each with its memory.
func (r gpuReading) sayInstances(gpu int) (said string) {
	for _, x := range r.instances {
		if x.GPU == gpu {
			said += fmt.Sprintf(", %s: %s of %s", x.Name, Bytes(float64(x.Used)), Bytes(float64(x.Total)))
		}
	}
	return said
}

// sayProcesses is who has memory on a GPU, the greatest first.
func (r gpuReading) sayProcesses(gpu int) string {
	const most = 4
	var said []string
	left := 0
	for _, p := range r.byUse() {
		switch {
		case p.GPU != gpu:
		case len(said) == most:
			left++
		default:
			said = append(said, p.String())
		}
	}
	if len(said) == 0 {
		return ""
	}
	if left > 0 {
		said = append(said, fmt.Sprintf("%d more", left))
	}
	return fmt.Sprintf("on GPU %d: %s", gpu, strings.Join(said, ", "))
}

// byUse is the processes with the most memory first.
func (r gpuReading) byUse() []Process {
	out := slices.Clone(r.processes)
	slices.SortStableFunc(out, func(a, b Process) int { return cmp.Compare(b.Used, a.Used) })
	return out
}

// who names a process: by its number alone where it is of another container.
func (p Process) who() string {
	switch {
	case p.Own:
		return "this process"
	case p.Name == "":
		return fmt.Sprintf("process %d", p.PID)
	}
	return fmt.Sprintf("%s (process %d)", p.Name, p.PID)
}

// String implements fmt.Stringer: "python3 (process 4711) 12.3 GiB".
func (p Process) String() string {
	if p.Used == 0 {
		return p.who()
	}
	return p.who() + " " + Bytes(float64(p.Used))
}

// lastOf is the newest mark's name of a kind. The caller holds mu.
func (m *Monitor) lastOf(kind Kind) string {
	for i := len(m.marks) - 1; i >= 0; i-- {
		if m.marks[i].Kind == kind {
			return m.marks[i].Name
		}
	}
	return ""
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
	for _, p := range (gpuReading{processes: r.Processes}).byUse() {
		used := "not told"
		if p.Used > 0 {
			used = Bytes(float64(p.Used))
		}
		t.Rows = append(t.Rows, []string{fmt.Sprintf("GPU %d: %s", p.GPU, p.who()), used, "", "", ""})
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
