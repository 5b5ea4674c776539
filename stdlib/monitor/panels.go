package monitor

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"attune/display"
	"attune/display/palette"
	"attune/gpu/mem"
)

// band is one series of a panel: its value for each sample, its newest and greatest.
type band struct {
	name      string
	color     color.NRGBA
	dashed    bool
	values    []float64
	now, peak float64
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
	limit    float64
	ahead    *Forecast
	unit     float64 // of the forecast's values
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
	process.bands[1].dashed = true
	all = append(all, process)
	all = append(all, m.gpuPanels(samples)...)
	all = append(all, panel{title: fmt.Sprintf("CPU, cores busy of %d", cores()), height: smallPanel, measures: map[Measure]float64{CPU: 1, HostCPU: float64(cores())}, bands: []band{
		series(samples, "this process", kinds[5], func(s Sample) float64 { return s.CPU }),
	}})
	if m.limit.set && m.limit.measure == Memory {
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

// gpuPanels are memory, share of time and power, with a line for each GPU.
func (m *Monitor) gpuPanels(samples []Sample) []panel {
	if m.gpu.total() == 0 {
		return nil
	}
	kinds := palette.Kinds()
	most := int64(0)
	vram := panel{title: "GPU memory", of: " of " + Bytes(float64(m.gpu.total())), height: smallPanel, bytes: true}
	busy := panel{title: "GPU, share of time with a kernel on it", height: smallPanel, measures: map[Measure]float64{GPUBusy: 1}}
	power := panel{title: "GPU power, W", height: smallPanel, measures: map[Measure]float64{Power: 1}}
	for i := range m.gpu.gpus {
		of := func(value func(GPU) float64) func(Sample) float64 {
			return func(s Sample) float64 {
				if i >= len(s.GPUs) {
					return 0
				}
				return value(s.GPUs[i])
			}
		}
		most = max(most, m.gpu.gpus[i].Total)
		c := kinds[(4+i)%len(kinds)]
		name := fmt.Sprintf("GPU %d", i)
		vram.bands = append(vram.bands, series(samples, name+", all", c, of(func(g GPU) float64 { return float64(g.Used) })))
		if own := series(samples, name+", own", c, of(func(g GPU) float64 { return float64(g.Own) })); own.peak > 0 {
			own.dashed = true
			vram.bands = append(vram.bands, own)
		}
		busy.bands = append(busy.bands, series(samples, name, c, of(func(g GPU) float64 { return g.KernelResident })))
		if w := series(samples, name, c, of(func(g GPU) float64 { return g.Watts })); w.peak > 0 {
			power.bands = append(power.bands, w)
		}
	}
	vram.measures = map[Measure]float64{VRAM: float64(most)}
	out := []panel{vram, busy}
	if len(power.bands) > 0 {
		out = append(out, power)
	}
	return out
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
		if s := series(samples, b.name, kinds[i], b.value); s.peak >= 1<<20 {
			s.dashed = i%2 == 1
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

// budgetOn gives the budget's line and forecast to the panel that shows its measure.
func (m *Monitor) budgetOn(p *panel) {
	unit, ok := p.measures[m.limit.measure]
	if !m.limit.set || !ok {
		return
	}
	p.limit, p.unit = m.limit.limit*unit, unit
	if f, ok := forecast(m.history.samples, m.limit.measure); ok {
		p.ahead = &f
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
	// A budget far above would press all else flat; then the note alone tells of it.
	if p.limit < 5*p.top {
		p.top = max(p.top, p.limit)
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

// drawAhead draws the band in which values will be, and the budget's line.
func (c *chart) drawAhead(canvas draw.Canvas, p *panel, y float64) {
	place := func(s, v float64) vg.Point { return at(c.x(s), y+p.height*min(max(v/p.top, 0), 1)) }
	line := draw.LineStyle{Color: palette.Ink(), Width: vg.Points(0.9), Dashes: []vg.Length{vg.Points(3), vg.Points(2)}}
	if f := p.ahead; f != nil && c.ahead > 0 {
		const steps = 12
		var upper, lower, mid []vg.Point
		for i := range steps + 1 {
			s := c.ahead * float64(i) / steps
			lo, hi := f.Within(time.Duration(s * float64(time.Second)))
			upper, lower = append(upper, place(c.last+s, hi*p.unit)), append(lower, place(c.last+s, lo*p.unit))
			mid = append(mid, place(c.last+s, (f.Value+f.Slope*s)*p.unit))
		}
		for i := len(lower) - 1; i >= 0; i-- {
			upper = append(upper, lower[i])
		}
		canvas.FillPolygon(palette.Rule(), upper)
		canvas.StrokeLines(line, mid)
	}
	if p.limit > 0 && p.limit <= p.top {
		red := color.NRGBA{0xd6, 0x45, 0x45, 0xff}
		ly := y + p.height*p.limit/p.top
		canvas.StrokeLine2(draw.LineStyle{Color: red, Width: vg.Points(1.2), Dashes: []vg.Length{vg.Points(5), vg.Points(2)}},
			vg.Points(leftRoom), vg.Points(ly), vg.Points(chartWidth-rightRoom), vg.Points(ly))
		sty := display.TextStyle(7, font.Font{}, text.XLeft, text.YBottom)
		sty.Color = red
		canvas.FillText(sty, at(leftRoom+3, ly+1), "budget "+p.value(p.limit))
	}
}

// wrapped cuts a note into lines that fit the chart.
func wrapped(s string) (lines []string) {
	sty := display.TextStyle(7.5, font.Font{}, text.XLeft, text.YBottom)
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
	if m.limit.set && len(m.history.samples) >= leastSeen {
		ahead = span * lookAhead
	}
	return span + ahead, ahead
}
