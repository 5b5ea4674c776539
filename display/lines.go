package display

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"attune/display/palette"
)

// Series is one named line or cloud of points.
type Series struct {
	Name string
	// X and Y are as long as each other; a nil X counts 0, 1, 2, …
	X, Y []float64
}

// maxPoints is how many points of a line are drawn: more than three to a pixel of
// the default size show nothing. Longer lines keep each stretch's least and greatest.
const maxPoints = 4000

// Lines is a plot of lines over common axes, a loss curve for instance, in attune's
// theme. Values that are not finite leave a gap. It is an error to give X and Y of
// different lengths, or nothing finite at all.
func Lines(title, xlabel, ylabel string, series ...Series) (*plot.Plot, error) {
	p := titled(title, xlabel, ylabel)
	any := false
	var names []string
	var drawn []plotter.XYs
	for i, s := range series {
		runs, err := finite(s)
		if err != nil {
			return nil, fmt.Errorf("plot lines: %w", err)
		}
		var first *plotter.Line
		for _, r := range runs {
			l, err := plotter.NewLine(thin(r, maxPoints))
			if err != nil {
				return nil, fmt.Errorf("plot lines: series %q: %w", s.Name, err)
			}
			l.LineStyle = lineStyle(i)
			p.Add(l)
			drawn = append(drawn, l.XYs)
			if first == nil {
				first = l
			}
		}
		any = any || first != nil
		if first != nil && s.Name != "" {
			p.Legend.Add(s.Name, first)
			names = append(names, s.Name)
		}
	}
	if !any {
		return nil, fmt.Errorf("plot lines: no finite values in %d series", len(series))
	}
	placeLegend(p, names, drawn)
	return p, nil
}

// Scatter is a plot of points over common axes, in attune's theme. Points that are
// not finite are left out. Errors are those of Lines.
func Scatter(title, xlabel, ylabel string, series ...Series) (*plot.Plot, error) {
	p := titled(title, xlabel, ylabel)
	any := false
	var names []string
	var drawn []plotter.XYs
	for i, s := range series {
		runs, err := finite(s)
		if err != nil {
			return nil, fmt.Errorf("plot points: %w", err)
		}
		var all plotter.XYs
		for _, r := range runs {
			all = append(all, r...)
		}
		if len(all) == 0 {
			continue
		}
		any = true
		c, err := plotter.NewScatter(all)
		if err != nil {
			return nil, fmt.Errorf("plot points: series %q: %w", s.Name, err)
		}
		glyphs := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}, draw.CrossGlyph{}}
		c.GlyphStyle = draw.GlyphStyle{Color: kind(i).Color, Radius: vg.Points(2), Shape: glyphs[i%len(glyphs)]}
		p.Add(c)
		for _, point := range all {
			drawn = append(drawn, plotter.XYs{point})
		}
		if s.Name != "" {
			p.Legend.Add(s.Name, c)
			names = append(names, s.Name)
		}
	}
	if !any {
		return nil, fmt.Errorf("plot points: no finite values in %d series", len(series))
	}
	placeLegend(p, names, drawn)
	return p, nil
}

func titled(title, xlabel, ylabel string) *plot.Plot {
	p := Theme(plot.New())
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, xlabel, ylabel
	g := plotter.NewGrid()
	g.Vertical.Width = 0
	g.Horizontal = draw.LineStyle{Color: palette.Rule(), Width: vg.Points(0.5)}
	p.Add(g)
	return p
}

func kind(i int) draw.LineStyle {
	kinds := palette.Kinds()
	return draw.LineStyle{Color: kinds[i%len(kinds)], Width: vg.Points(1.6)}
}

// lineStyle tells line i from the others by colour, and past the colours by dashes.
func lineStyle(i int) draw.LineStyle {
	s := kind(i)
	switch i / len(palette.Kinds()) % 3 {
	case 1:
		s.Dashes = []vg.Length{vg.Points(5), vg.Points(2.5)}
	case 2:
		s.Dashes = []vg.Length{vg.Points(1.5), vg.Points(2)}
	}
	return s
}

// finite cuts a series into its runs of finite points.
func finite(s Series) ([]plotter.XYs, error) {
	if s.X != nil && len(s.X) != len(s.Y) {
		return nil, fmt.Errorf("series %q: %d values of X and %d of Y", s.Name, len(s.X), len(s.Y))
	}
	var runs []plotter.XYs
	open := false
	for i, y := range s.Y {
		x := float64(i)
		if s.X != nil {
			x = s.X[i]
		}
		if math.IsNaN(x+y) || math.IsInf(x, 0) || math.IsInf(y, 0) {
			open = false
			continue
		}
		if !open {
			runs, open = append(runs, nil), true
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], plotter.XY{X: x, Y: y})
	}
	return runs, nil
}

// thin keeps of each stretch of points its lowest and its highest, in their order,
// so that spikes stay to be seen. Points past the limit only are thinned.
func thin(xys plotter.XYs, limit int) plotter.XYs {
	if len(xys) <= limit {
		return xys
	}
	stretches := limit / 2
	out := make(plotter.XYs, 0, limit+2)
	out = append(out, xys[0])
	for i := range stretches {
		part := xys[i*len(xys)/stretches : (i+1)*len(xys)/stretches]
		lo, hi := 0, 0
		for j := range part {
			if part[j].Y < part[lo].Y {
				lo = j
			}
			if part[j].Y > part[hi].Y {
				hi = j
			}
		}
		out = append(out, part[min(lo, hi)])
		if lo != hi {
			out = append(out, part[max(lo, hi)])
		}
	}
	return append(out, xys[len(xys)-1])
}
