package monitor

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"attune/display"
	"attune/display/palette"
	"attune/gpu/mem"
)

// band is one series of a panel: its value for each sample, its newest and greatest.
type band struct {
	name      string
	color     color.NRGBA
	dash      dash
	values    []float64
	now, peak float64
}

// dash is how a line is broken, where lines of one colour must be told apart.
type dash int

const (
	solid dash = iota
	dashed
	dotted
	mixed
	numDashes
)

// lengths are of strokes and gaps in points.
func (d dash) lengths() []vg.Length {
	switch d {
	case dashed:
		return []vg.Length{vg.Points(4), vg.Points(2)}
	case dotted:
		return []vg.Length{vg.Points(1.2), vg.Points(1.4)}
	case mixed:
		return []vg.Length{vg.Points(5), vg.Points(1.5), vg.Points(1.2), vg.Points(1.5)}
	}
	return nil
}

// panel is a part of the chart with a scale of its own.
type panel struct {
	title, of string
	// stacked bands are areas on top of each other, others lines.
	stacked bool
	height  float64
	bands   []band
	top     float64 // of the scale
	bytes   bool
	// measures are those whose budget belongs here, each with what one of it is here.
	measures map[Measure]float64
	budgets  []drawnBudget
	reach    float64 // of the greatest budget
}

// drawnBudget is a measure's budget on a panel.
type drawnBudget struct {
	steps []limit
	// ahead is where the measure will be, nil if that cannot be told or the budget has
	// ended; unit is what one of the measure is on the panel.
	ahead *Forecast
	unit  float64
}

// panels chooses what to draw: what never was has no place.
func (m *Monitor) panels(samples []Sample) []panel {
	kinds := palette.Kinds()
	var all []panel
	own := panel{title: "attune's own bytes", stacked: true, height: tallPanel, bytes: true, measures: map[Measure]float64{OwnMemory: 1}}
	for _, c := range mem.Categories() {
		b := series(samples, c.String(), kinds[int(c)%len(kinds)], func(s Sample) float64 { return float64(s.Host[c] + s.Device[c]) })
		// The panel shows samples; its peak is the allocators' own where they differ.
		b.peak = max(b.peak, float64(max(m.peaks.exact.Host[c], m.peaks.exact.Device[c])))
		if b.peak > 0 {
			own.bands = append(own.bands, b)
		}
	}
	if len(own.bands) > 0 {
		all = append(all, own)
	}
	process := panel{title: "process memory", height: smallPanel, bytes: true, measures: map[Measure]float64{RSS: 1, GoHeap: 1}, bands: []band{
		series(samples, "resident (RSS)", kinds[0], func(s Sample) float64 { return float64(s.RSS) }),
		series(samples, "Go heap", kinds[1], func(s Sample) float64 { return float64(s.GoHeap) }),
	}}
	process.bands[1].dash = dashed
	all = append(all, process)
	all = append(all, gpuPanels(m.gpu.gpus, samples, len(m.limits[Temperature]) > 0)...)
	all = append(all, panel{title: fmt.Sprintf("CPU, cores busy of %d", cores()), height: smallPanel, measures: map[Measure]float64{CPU: 1, HostCPU: float64(cores())}, bands: []band{
		series(samples, "this process", kinds[3], func(s Sample) float64 { return s.CPU }),
	}})
	if len(m.limits[Memory]) > 0 {
		all = append(all, panel{title: "memory of the machine or its control group, share", height: smallPanel, measures: map[Measure]float64{Memory: 1}, bands: []band{
			series(samples, "all processes", kinds[0], Sample.memoryShare)}})
	}
	all = append(all, trafficPanel(samples)...)
	for i := range all {
		m.budgetOn(&all[i])
		all[i].scale()
	}
	return all
}

// trafficPanel is disks and networks, if they moved what is worth a line: a megabyte in
// a second.
func trafficPanel(samples []Sample) []panel {
	kinds := palette.Kinds()
	p := panel{title: "disks and networks, a second", height: smallPanel, bytes: true}
	for i, b := range []struct {
		name  string
		value func(Sample) float64
	}{
		{"disk read", func(s Sample) float64 { return s.DiskRead }}, {"disk written", func(s Sample) float64 { return s.DiskWrite }},
		{"net received", func(s Sample) float64 { return s.NetIn }}, {"net sent", func(s Sample) float64 { return s.NetOut }},
	} {
		if s := series(samples, b.name, kinds[i/2], b.value); s.peak >= 1<<20 {
			s.dash = dash(i % 2)
			p.bands = append(p.bands, s)
		}
	}
	if len(p.bands) == 0 {
		return nil
	}
	return []panel{p}
}

func series(samples []Sample, name string, c color.NRGBA, value func(Sample) float64) band {
	b := band{name: name, color: c}
	for _, s := range samples {
		v := value(s)
		b.values = append(b.values, v)
		b.peak = max(b.peak, v)
		b.now = v
	}
	return b
}

// budgetOn gives the budgets' lines and forecasts to the panel that shows their measures.
func (m *Monitor) budgetOn(p *panel) {
	for of := range numMeasures {
		unit, ok := p.measures[of]
		if !ok || len(m.limits[of]) == 0 {
			continue
		}
		b := drawnBudget{steps: slices.Clone(m.limits[of]), unit: unit}
		for i := range b.steps {
			b.steps[i].value *= unit
			p.reach = max(p.reach, b.steps[i].value)
		}
		if f, ok := forecast(m.history.samples, of); ok && m.limits.now(of) > 0 {
			b.ahead = &f
		}
		p.budgets = append(p.budgets, b)
	}
}

// scale sets the panel's top a little above all that it shows. Scales start at 0.
func (p *panel) scale() {
	for i := range p.bands[0].values {
		sum := 0.0
		for _, b := range p.bands {
			if p.stacked {
				sum += b.values[i]
			} else {
				sum = max(sum, b.values[i])
			}
		}
		p.top = max(p.top, sum)
	}
	// A budget far above would press all else flat; then the note alone tells of it. Its
	// line has its name above it.
	if p.reach < 5*p.top {
		p.top = max(p.top, p.reach*(1+9/p.height))
	}
	p.top *= 1.08
	if p.top == 0 {
		p.top = 1
	}
}

func (p *panel) value(x float64) string {
	if p.bytes {
		return Bytes(x)
	}
	if x >= 100 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// wrapped cuts notes into lines that fit the chart; each begins a new one.
func wrapped(notes ...string) (lines []string) {
	sty := display.TextStyle(7.5, font.Font{}, text.XLeft, text.YBottom)
	for _, s := range notes {
		for s != "" {
			n := len(s)
			for sty.Width(s[:n]).Points() > chartWidth-leftRoom-8 {
				cut := lastSpace(s[:n])
				if cut <= 0 {
					break
				}
				n = cut
			}
			lines = append(lines, s[:n])
			s = s[min(n+1, len(s)):]
		}
	}
	return lines
}

func lastSpace(s string) int {
	for i := len(s) - 1; i > 0; i-- {
		if s[i] == ' ' {
			return i
		}
	}
	return -1
}

// spanOf is how long a time axis is and where its values end, in seconds.
func (m *Monitor) spanOf(last float64) (span, ahead float64) {
	span = math.Max(last, 1)
	if m.limits.any() && len(m.history.samples) >= leastSeen {
		ahead = span * lookAhead
	}
	return span + ahead, ahead
}
