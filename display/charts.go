package display

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bars is a plot of values by name, in attune's theme: for each name one bar of each
// series, side by side. A series' Y has a value for each name, its X is not used; a
// value that is not finite leaves its bar out.
func Bars(title, xlabel, ylabel string, names []string, series ...Series) (*plot.Plot, error) {
	if len(names) == 0 || len(series) == 0 {
		return nil, fmt.Errorf("plot bars: %d names and %d series", len(names), len(series))
	}
	p := titled(title, xlabel, ylabel)
	width := 0.76 / float64(len(series))
	for i, s := range series {
		if len(s.Y) != len(names) {
			return nil, fmt.Errorf("plot bars: series %q has %d values for %d names", s.Name, len(s.Y), len(names))
		}
		b := boxes{fill: kind(i).Color}
		for j, y := range s.Y {
			if !math.IsNaN(y) && !math.IsInf(y, 0) {
				x := float64(j) - 0.38 + width*float64(i)
				b.add(x+0.02*width, x+0.98*width, y)
			}
		}
		p.Add(b)
		if s.Name != "" {
			p.Legend.Add(s.Name, b)
		}
	}
	p.Add(span{-0.5, float64(len(names)) - 0.5})
	if series[0].Name != "" {
		// Room for the legend above the highest bar.
		p.Y.Max += (p.Y.Max - p.Y.Min) * 0.055 * float64(len(series)+1)
	}
	nominal(&p.X, names)
	return p, nil
}

// nominal puts names at 0, 1, 2, … of an axis; of very many only some stand.
func nominal(a *plot.Axis, names []string) {
	step := (len(names) + 39) / 40
	var ticks []plot.Tick
	for i := 0; i < len(names); i += max(step, 1) {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: names[i]})
	}
	a.Tick.Marker, a.Tick.Length = plot.ConstantTicks(ticks), 0
}

// span makes an axis of X reach from one value to the other.
type span struct{ lo, hi float64 }

// Plot implements plot.Plotter.
func (span) Plot(draw.Canvas, *plot.Plot) {}

// DataRange implements plot.DataRanger.
func (s span) DataRange() (xmin, xmax, ymin, ymax float64) {
	return s.lo, s.hi, math.Inf(1), math.Inf(-1)
}

// boxes draws upright rectangles that stand on zero.
type boxes struct {
	fill color.Color
	// outline, where set, is the line over the rectangles' tops.
	outline *draw.LineStyle
	x       [][2]float64
	y       []float64
}

func (b *boxes) add(x0, x1, y float64) { b.x, b.y = append(b.x, [2]float64{x0, x1}), append(b.y, y) }

// Plot implements plot.Plotter.
func (b boxes) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	var top []vg.Point
	for i, x := range b.x {
		x0, x1, y := tx(x[0]), tx(x[1]), ty(b.y[i])
		c.FillPolygon(b.fill, []vg.Point{{X: x0, Y: ty(0)}, {X: x1, Y: ty(0)}, {X: x1, Y: y}, {X: x0, Y: y}})
		top = append(top, vg.Point{X: x0, Y: y}, vg.Point{X: x1, Y: y})
	}
	if b.outline != nil && len(top) > 0 {
		top = append(append([]vg.Point{{X: top[0].X, Y: ty(0)}}, top...), vg.Point{X: top[len(top)-1].X, Y: ty(0)})
		c.StrokeLines(*b.outline, top)
	}
}

// DataRange implements plot.DataRanger.
func (b boxes) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = math.Inf(1), math.Inf(-1)
	for i, x := range b.x {
		xmin, xmax = min(xmin, x[0]), max(xmax, x[1])
		ymin, ymax = min(ymin, b.y[i]), max(ymax, b.y[i])
	}
	return xmin, xmax, ymin, ymax
}

// Thumbnail implements plot.Thumbnailer.
func (b boxes) Thumbnail(c *draw.Canvas) {
	c.FillPolygon(b.fill, []vg.Point{{X: c.Min.X, Y: c.Min.Y}, {X: c.Min.X, Y: c.Max.Y}, {X: c.Max.X, Y: c.Max.Y}, {X: c.Max.X, Y: c.Min.Y}})
	if b.outline != nil {
		c.StrokeLine2(*b.outline, c.Min.X, c.Max.Y, c.Max.X, c.Max.Y)
	}
}

// Histogram is a plot of how often values fall into bins of one width, which all
// samples share. bins 0 chooses their number by the spread (Freedman and Diaconis
// 1981). Values that are not finite are left out; it is an error if none are left.
func Histogram(title, xlabel string, bins int, samples ...Series) (*plot.Plot, error) {
	lo, hi, n := math.Inf(1), math.Inf(-1), 0
	for _, s := range samples {
		for _, v := range s.Y {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				lo, hi, n = min(lo, v), max(hi, v), n+1
			}
		}
	}
	if n == 0 {
		return nil, fmt.Errorf("plot histogram: no finite values in %d samples", len(samples))
	}
	if lo == hi {
		lo, hi = lo-0.5, hi+0.5
	}
	if bins <= 0 {
		bins = binsFor(samples[0].Y, lo, hi)
	}
	bins = min(bins, 1000)
	p := titled(title, xlabel, "count")
	var names []string
	var tops []plotter.XYs
	for i, s := range samples {
		line := kind(i)
		fill := line.Color.(color.NRGBA)
		fill.A = 0x70
		b := boxes{fill: fill, outline: &line}
		counts := make([]float64, bins)
		for _, v := range s.Y {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				counts[min(int((v-lo)/(hi-lo)*float64(bins)), bins-1)]++
			}
		}
		var top plotter.XYs
		for j, y := range counts {
			b.add(lo+(hi-lo)*float64(j)/float64(bins), lo+(hi-lo)*float64(j+1)/float64(bins), y)
			top = append(top, plotter.XY{X: b.x[j][0], Y: y}, plotter.XY{X: b.x[j][1], Y: y}, plotter.XY{X: b.x[j][1]})
		}
		p.Add(b)
		if tops = append(tops, top); s.Name != "" {
			p.Legend.Add(s.Name, b)
			names = append(names, s.Name)
		}
	}
	placeLegend(p, names, tops)
	return p, nil
}

// binsFor is twice the distance of the quartiles over the cube root of the number,
// as a width; of many values the quartiles are those of some.
func binsFor(y []float64, lo, hi float64) int {
	step := max(1, len(y)/10_000)
	var some []float64
	for i := 0; i < len(y); i += step {
		if !math.IsNaN(y[i]) && !math.IsInf(y[i], 0) {
			some = append(some, y[i])
		}
	}
	slices.Sort(some)
	if len(some) < 4 {
		return 10
	}
	spread := some[len(some)*3/4] - some[len(some)/4]
	width := 2 * spread / math.Cbrt(float64(len(y)))
	if !(width > 0) {
		return 20
	}
	return int(min(max((hi-lo)/width, 5), 120))
}

// Boxplots is a plot of the spread of samples side by side: the box holds the middle
// half and the median, whiskers reach to the last value within one and a half times
// the box's height, points are what lies beyond (Tukey 1977).
func Boxplots(title, ylabel string, samples ...Series) (*plot.Plot, error) {
	p := titled(title, "", ylabel)
	var names []string
	for i, s := range samples {
		var values plotter.Values
		for _, v := range s.Y {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				values = append(values, v)
			}
		}
		if len(values) == 0 {
			return nil, fmt.Errorf("plot boxes: no finite values in sample %q", s.Name)
		}
		b, err := plotter.NewBoxPlot(vg.Points(min(60, 260/float64(len(samples)))), float64(i), values)
		if err != nil {
			return nil, fmt.Errorf("plot boxes: sample %q: %w", s.Name, err)
		}
		line := kind(i)
		fill := line.Color.(color.NRGBA)
		fill.A = 0x58
		b.FillColor, b.BoxStyle, b.MedianStyle = fill, line, line
		b.MedianStyle.Width = vg.Points(2.4)
		b.WhiskerStyle = draw.LineStyle{Color: line.Color, Width: vg.Points(1)}
		b.GlyphStyle = draw.GlyphStyle{Color: line.Color, Radius: vg.Points(1.8), Shape: draw.RingGlyph{}}
		b.CapWidth /= 2
		p.Add(b)
		names = append(names, s.Name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("plot boxes: no samples")
	}
	p.Add(span{-0.6, float64(len(names)) - 0.4})
	nominal(&p.X, names)
	return p, nil
}
