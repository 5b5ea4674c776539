package monitor

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"attune/display"
	"attune/display/palette"
)

// red is the colour of what limits: 3:1 on white and on JupyterLab's dark ground. Its
// lines are dashed or have a name beside them, so that the colour says nothing alone.
func red() color.NRGBA { return color.NRGBA{0xd6, 0x45, 0x45, 0xff} }

// drawBudget draws the band in which values will be, and the budget's line.
func (c *chart) drawBudget(canvas draw.Canvas, p *panel, b *drawnBudget, y float64) {
	place := func(s, v float64) vg.Point { return at(c.x(s), y+p.height*min(max(v/p.top, 0), 1)) }
	if f := b.ahead; f != nil && c.ahead > 0 {
		line := draw.LineStyle{Color: palette.Ink(), Width: vg.Points(0.9), Dashes: []vg.Length{vg.Points(3), vg.Points(2)}}
		const steps = 12
		var upper, lower, mid []vg.Point
		for i := range steps + 1 {
			s := c.ahead * float64(i) / steps
			lo, hi := f.Within(time.Duration(s * float64(time.Second)))
			upper, lower = append(upper, place(c.last+s, hi*b.unit)), append(lower, place(c.last+s, lo*b.unit))
			mid = append(mid, place(c.last+s, (f.Value+f.Slope*s)*b.unit))
		}
		slices.Reverse(lower)
		canvas.FillPolygon(palette.Rule(), append(upper, lower...))
		canvas.StrokeLines(line, mid)
	}
	sty := display.TextStyle(7, font.Font{}, text.XRight, text.YBottom)
	sty.Color = red()
	line := draw.LineStyle{Color: red(), Width: vg.Points(1.2), Dashes: []vg.Length{vg.Points(5), vg.Points(2)}}
	free := chartWidth - rightRoom // the names are set from the right, the newest first
	for i := len(b.steps) - 1; i >= 0; i-- {
		from, to := c.x(b.steps[i].from.Sub(c.start).Seconds()), chartWidth-rightRoom
		if i+1 < len(b.steps) {
			to = c.x(b.steps[i+1].from.Sub(c.start).Seconds())
		}
		v := b.steps[i].value
		if v <= 0 || v > p.top {
			continue
		}
		ly := y + p.height*v/p.top
		canvas.StrokeLine2(line, vg.Points(from), vg.Points(ly), vg.Points(to), vg.Points(ly))
		if i > 0 && b.steps[i-1].value > 0 && b.steps[i-1].value <= p.top {
			canvas.StrokeLine2(line, vg.Points(from), vg.Points(ly), vg.Points(from), vg.Points(y+p.height*b.steps[i-1].value/p.top))
		}
		name := "budget " + p.value(v)
		if end := min(to, free); end-max(from, leftRoom) > sty.Width(name).Points() {
			canvas.FillText(sty, at(end-3, ly+1), name)
			free = end - 3 - sty.Width(name).Points()
		}
	}
}

// lanesOf is the kinds that occur, in their order.
func lanesOf(marks []Moment) (lanes []Kind) {
	for k := range numKinds {
		if slices.ContainsFunc(marks, func(m Moment) bool { return m.Kind == k }) {
			lanes = append(lanes, k)
		}
	}
	return lanes
}

// head is the height of what stands above the first panel.
func (c *chart) head() float64 { return topRoom + laneHeight*float64(len(c.lanes)) }

// lineOf is how a kind's marks go across the panels.
func lineOf(k Kind) draw.LineStyle {
	switch k {
	case Cells:
		return rule(1)
	case Actions:
		return draw.LineStyle{Color: palette.Ink(), Width: vg.Points(1)}
	case Alerts:
		return draw.LineStyle{Color: red(), Width: vg.Points(1)}
	}
	return draw.LineStyle{Color: palette.Ink(), Width: vg.Points(0.6), Dashes: []vg.Length{vg.Points(2), vg.Points(2)}}
}

// drawMarks gives each kind a line of names above the panels, and each mark a line
// across them.
func (c *chart) drawMarks(canvas draw.Canvas) {
	for i, k := range c.lanes {
		y := c.height - laneHeight*float64(i+1)
		sty := display.TextStyle(7, font.Font{}, text.XRight, text.YCenter)
		canvas.FillText(sty, at(leftRoom-4, y+laneHeight/2), k.String())
		c.drawLane(canvas, k, y)
	}
}

func (c *chart) drawLane(canvas draw.Canvas, k Kind, y float64) {
	var names []string
	var xs []float64
	for _, m := range c.marks {
		if s := m.At.Sub(c.start).Seconds(); m.Kind == k && s >= 0 && s <= c.span {
			names, xs = append(names, m.Name), append(xs, c.x(s))
		}
	}
	sty := display.TextStyle(7, font.Font{}, text.XLeft, text.YCenter)
	line, last := lineOf(k), math.Inf(-1)
	tick := line
	tick.Dashes = nil
	for i, x := range xs {
		if x-last < 1.5 { // the same line again
			continue
		}
		last = x
		canvas.StrokeLine2(tick, vg.Points(x), vg.Points(y+1), vg.Points(x), vg.Points(y+laneHeight-1))
		bottom := c.height - c.head()
		for _, p := range c.panels {
			canvas.StrokeLine2(line, vg.Points(x), vg.Points(bottom-p.height), vg.Points(x), vg.Points(bottom))
			bottom -= p.height + panelGap
		}
		room := chartWidth - x - 6
		if i+1 < len(xs) {
			room = xs[i+1] - x - 5
		}
		canvas.FillText(sty, at(x+2.5, y+laneHeight/2), shortened(sty, names[i], room))
	}
}

// shortened is as much of a name as there is room for, or nothing.
func shortened(sty text.Style, name string, room float64) string {
	if sty.Width(name).Points() <= room {
		return name
	}
	r := []rune(name)
	for n := len(r) - 1; n >= 3; n-- {
		if s := strings.TrimRight(string(r[:n]), " :,") + "…"; sty.Width(s).Points() <= room {
			return s
		}
	}
	return ""
}

// sayMarks is the marks in words, for those who cannot see them: the newest of many.
func (c *chart) sayMarks() string {
	const most = 12
	var said []string
	for _, m := range c.marks[max(0, len(c.marks)-most):] {
		if at := m.At.Sub(c.start); at >= 0 {
			said = append(said, fmt.Sprintf("%s at %s", m.Name, duration(at)))
		}
	}
	if len(said) == 0 {
		return ""
	}
	if n := len(c.marks) - most; n > 0 {
		said = append([]string{fmt.Sprintf("%d more before", n)}, said...)
	}
	return "marks: " + strings.Join(said, ", ")
}
