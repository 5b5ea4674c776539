package monitor

import (
	"fmt"
	"strings"
	"time"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"attune/display"
	"attune/display/mime"
	"attune/display/palette"
)

// Measures of the chart in points.
const (
	chartWidth  = 560.0
	leftRoom    = 46.0 // for the values' labels
	rightRoom   = 158.0
	topRoom     = 16.0
	laneHeight  = 10.0 // of a kind of marks, above the panels
	bottomRoom  = 34.0
	panelGap    = 26.0
	tallPanel   = 104.0
	smallPanel  = 62.0
	legendStep  = 12.0
	noteStep    = 11.0
	chartPoints = 360 // as many as the panel has points of width
)

// chart is a picture of the history on its way to a canvas.
type chart struct {
	panels []panel
	times  []float64 // seconds after the start
	span   float64
	// last is the newest sample's time and ahead how far the axis goes beyond it, for a
	// forecast.
	last, ahead float64
	marks       []Moment
	lanes       []Kind // those that have marks
	start       time.Time
	notes       []string
	height      float64
}

// Bundle implements display.Bundler: the chart of what was sampled so far, as PNG
// and SVG, with the numbers as text.
func (m *Monitor) Bundle() mime.Bundle { return m.picture(display.Draw) }

// picture draws the chart with display.Draw or display.Sketch.
func (m *Monitor) picture(with func(w, h vg.Length, alt string, draw func(draw.Canvas)) mime.Bundle) mime.Bundle {
	c, alt := m.chart()
	if c == nil {
		return mime.Plain(alt)
	}
	return with(vg.Points(chartWidth), vg.Points(c.height), alt, c.draw)
}

// chart takes what a picture needs out of the monitor, so that drawing holds no lock.
func (m *Monitor) chart() (*chart, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.history.samples) == 0 {
		return nil, "monitor: nothing was sampled; call Start"
	}
	samples := thinned(m.history.samples)
	note := m.note()
	c := &chart{start: m.started, notes: wrapped(note...), marks: append([]Moment(nil), m.marks...)}
	c.lanes = lanesOf(c.marks)
	for _, s := range samples {
		c.times = append(c.times, max(0, s.At.Sub(m.started).Seconds()))
	}
	c.last = c.times[len(c.times)-1]
	c.span, c.ahead = m.spanOf(c.last)
	c.panels = m.panels(samples)
	c.height = c.head() + bottomRoom + panelGap*float64(len(c.panels)-1)
	var alt []string
	for _, p := range c.panels {
		c.height += p.height
		for _, b := range p.bands {
			alt = append(alt, fmt.Sprintf("%s %s (peak %s)", b.name, p.value(b.now), p.value(b.peak)))
		}
	}
	if s := c.sayMarks(); s != "" {
		alt = append(alt, s)
	}
	c.height += noteStep * float64(len(c.notes))
	alt = append(alt, note...)
	return c, fmt.Sprintf("monitor, %s: %s", duration(time.Duration(c.last*float64(time.Second))), strings.Join(alt, ", "))
}

// thinned is a copy of the history with at most chartPoints samples, each the most of
// its stretch.
func thinned(samples []Sample) []Sample {
	each := (len(samples) + chartPoints - 1) / chartPoints
	out := make([]Sample, 0, chartPoints)
	for i, s := range samples {
		if i%each == 0 {
			out = append(out, s)
		} else {
			out[len(out)-1] = most(out[len(out)-1], s)
		}
	}
	return out
}

func at(x, y float64) vg.Point { return vg.Point{X: vg.Points(x), Y: vg.Points(y)} }

// x is a time's place.
func (c *chart) x(seconds float64) float64 {
	return leftRoom + (chartWidth-leftRoom-rightRoom)*min(seconds/c.span, 1)
}

func (c *chart) draw(canvas draw.Canvas) {
	y := c.height - c.head()
	for i := range c.panels {
		p := &c.panels[i]
		y -= p.height
		c.drawGrid(canvas, p, y)
		if p.stacked {
			c.drawStack(canvas, p, y)
		} else {
			c.drawLines(canvas, p, y)
		}
		for j := range p.budgets {
			c.drawBudget(canvas, p, &p.budgets[j], y)
		}
		c.drawLegend(canvas, p, y)
		y -= panelGap
	}
	bottom := y + panelGap
	c.drawMarks(canvas)
	c.drawTime(canvas, bottom)
	small := display.TextStyle(7.5, font.Font{}, text.XLeft, text.YBottom)
	for i, s := range c.notes {
		canvas.FillText(small, at(leftRoom, 3+noteStep*float64(len(c.notes)-1-i)), s)
	}
}

func rule(width float64) draw.LineStyle {
	return draw.LineStyle{Color: palette.Rule(), Width: vg.Points(width)}
}

// drawGrid draws a panel's title, its scale in one unit and its lines.
func (c *chart) drawGrid(canvas draw.Canvas, p *panel, y float64) {
	unit, name := 1.0, ""
	if p.bytes {
		unit, name = unitOf(p.top / 1.08)
	}
	title := p.title
	if name != "" {
		title += ", " + name + p.of
	}
	canvas.FillText(display.TextStyle(8.5, font.Font{}, text.XLeft, text.YBottom), at(leftRoom, y+p.height+2), title)
	label := display.TextStyle(7.5, font.Font{}, text.XRight, text.YCenter)
	for _, t := range (display.RoundTicks{Parts: int(p.height / 20)}).Ticks(0, p.top/unit) {
		ty := y + p.height*t.Value*unit/p.top
		canvas.StrokeLine2(rule(0.5), vg.Points(leftRoom), vg.Points(ty), vg.Points(chartWidth-rightRoom), vg.Points(ty))
		canvas.FillText(label, at(leftRoom-4, ty), t.Label)
	}
}

func (c *chart) drawStack(canvas draw.Canvas, p *panel, y float64) {
	below := make([]float64, len(c.times))
	for _, b := range p.bands {
		var pts []vg.Point
		for i, t := range c.times {
			pts = append(pts, at(c.x(t), y+p.height*(below[i]+b.values[i])/p.top))
		}
		for i := len(c.times) - 1; i >= 0; i-- {
			pts = append(pts, at(c.x(c.times[i]), y+p.height*below[i]/p.top))
		}
		canvas.FillPolygon(b.color, pts)
		for i := range below {
			below[i] += b.values[i]
		}
	}
}

func (c *chart) drawLines(canvas draw.Canvas, p *panel, y float64) {
	for _, b := range p.bands {
		pts := make([]vg.Point, len(c.times))
		for i, t := range c.times {
			pts[i] = at(c.x(t), y+p.height*b.values[i]/p.top)
		}
		sty := draw.LineStyle{Color: b.color, Width: vg.Points(1.4), Dashes: b.dash.lengths()}
		canvas.StrokeLines(sty, pts)
	}
}

// drawLegend names the bands beside the panel, in the order in which they lie there,
// with their newest value and their peak.
func (c *chart) drawLegend(canvas draw.Canvas, p *panel, y float64) {
	x := chartWidth - rightRoom + 10
	name := display.TextStyle(8, font.Font{}, text.XLeft, text.YCenter)
	number := display.TextStyle(7.5, font.Font{}, text.XRight, text.YCenter)
	head := y + p.height + 2
	canvas.FillText(display.TextStyle(7, font.Font{}, text.XRight, text.YBottom), at(chartWidth-rightRoom+114, head), "now")
	canvas.FillText(display.TextStyle(7, font.Font{}, text.XRight, text.YBottom), at(chartWidth-4, head), "peak")
	ly := y + p.height - 6
	for i := range p.bands {
		b := p.bands[i]
		if p.stacked {
			b = p.bands[len(p.bands)-1-i]
			canvas.FillPolygon(b.color, []vg.Point{at(x, ly-3), at(x+7, ly-3), at(x+7, ly+3), at(x, ly+3)})
		} else {
			sty := draw.LineStyle{Color: b.color, Width: vg.Points(1.6), Dashes: b.dash.lengths()}
			canvas.StrokeLine2(sty, vg.Points(x-2), vg.Points(ly), vg.Points(x+8), vg.Points(ly))
		}
		canvas.FillText(name, at(x+11, ly), b.name)
		if name.Width(b.name).Points() > 64 {
			// A long name takes the first line and leaves the next to its numbers.
			ly -= legendStep
		}
		canvas.FillText(number, at(chartWidth-rightRoom+114, ly), p.value(b.now))
		canvas.FillText(number, at(chartWidth-4, ly), p.value(b.peak))
		ly -= legendStep
	}
}

func (c *chart) drawTime(canvas draw.Canvas, bottom float64) {
	unit, name := 1.0, "seconds"
	switch {
	case c.span > 3*3600:
		unit, name = 3600, "hours"
	case c.span > 180:
		unit, name = 60, "minutes"
	}
	label := display.TextStyle(7.5, font.Font{}, text.XCenter, text.YTop)
	canvas.StrokeLine2(rule(1), vg.Points(leftRoom), vg.Points(bottom), vg.Points(chartWidth-rightRoom), vg.Points(bottom))
	for _, t := range (display.RoundTicks{}).Ticks(0, c.span/unit) {
		x := c.x(t.Value * unit)
		canvas.StrokeLine2(rule(1), vg.Points(x), vg.Points(bottom), vg.Points(x), vg.Points(bottom-3))
		canvas.FillText(label, at(x, bottom-5), t.Label)
	}
	canvas.FillText(label, at((leftRoom+chartWidth-rightRoom)/2, bottom-16), name+" since start")
}
