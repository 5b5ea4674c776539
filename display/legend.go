package display

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// placeLegend puts a plot's legend into the corner that the fewest of the points lie in,
// at the upper right if that is free, and makes room above the data where none is.
func placeLegend(p *plot.Plot, names []string, lines []plotter.XYs) {
	if len(names) == 0 {
		return
	}
	// Shares of the room for data, which is about so much less than the plot.
	wide := (widest(p.Legend.TextStyle, names) + p.Legend.ThumbnailWidth.Points() + 14) / (figureWidth.Points() - 60)
	high := (13*float64(len(names)) + 8) / (figureHeight.Points() - 75)
	x0, dx, y0, dy := p.X.Min, p.X.Max-p.X.Min, p.Y.Min, p.Y.Max-p.Y.Min
	if !(dx > 0 && dy > 0) {
		return
	}
	var in [2][2]int // left, bottom
	visit := func(x, y float64) {
		x, y = (x-x0)/dx, (y-y0)/dy
		left, right, bottom, top := x <= wide, x >= 1-wide, y <= high, y >= 1-high
		for l, across := range []bool{right, left} {
			for b, along := range []bool{top, bottom} {
				if across && along {
					in[l][b]++
				}
			}
		}
	}
	for _, line := range lines {
		// Between far points a line has others.
		between := max(1, 400/len(line))
		for i, a := range line {
			b := line[max(i-1, 0)]
			for k := range between {
				t := float64(k) / float64(between)
				visit(a.X+(b.X-a.X)*t, a.Y+(b.Y-a.Y)*t)
			}
		}
	}
	left, bottom := 0, 0
	for _, c := range [][2]int{{1, 0}, {0, 1}, {1, 1}} {
		if in[c[0]][c[1]] < in[left][bottom] {
			left, bottom = c[0], c[1]
		}
	}
	if in[left][bottom] > 0 {
		left, bottom = 0, 0
		p.Y.Max += dy * high / (1 - min(high, 0.5))
	}
	p.Legend.Left, p.Legend.Top = left == 1, bottom == 0
	if p.Legend.Left {
		p.Legend.XOffs = -p.Legend.XOffs
	}
	if !p.Legend.Top {
		p.Legend.YOffs = -p.Legend.YOffs
	}
}
