package display

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mostCells is how many cells of a heat map are drawn along an axis: about one to
// each of the page's pixels. Larger grids are pooled.
const mostCells = 400

// HeatMap is a plot of a grid of values as colours, with a colour bar and the first
// row on top, as a matrix is printed. values is [][]float64, [][]float32 or a gonum
// matrix. Cells that are not numbers stay empty. Of a grid with more than 400 rows
// or columns neighbours are pooled to their mean, which the label of X then says.
func HeatMap(title, xlabel, ylabel string, values any) (*plot.Plot, error) {
	g, err := readGrid(values)
	if err != nil {
		return nil, fmt.Errorf("plot heat map: %w", err)
	}
	rows, columns := g.rows, g.columns
	small, note := g.shrink(mostCells)
	h := &heat{grid: small, x: [2]float64{-0.5, float64(columns) - 0.5}, y: [2]float64{-0.5, float64(rows) - 0.5}}
	lo, hi := small.bounds()
	if h.over(lo, hi); math.IsInf(lo, 0) {
		return nil, fmt.Errorf("plot heat map: no finite values")
	}
	if err := h.settle(); err != nil {
		return nil, fmt.Errorf("plot heat map: %w", err)
	}
	p := Theme(plot.New())
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, joined(xlabel, note), ylabel
	p.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	p.Add(h, barPlotter{&h.shading, ""})
	return p, nil
}

func joined(label, note string) string {
	switch {
	case note == "":
		return label
	case label == "":
		return note
	}
	return label + " (" + note + ")"
}

// readGrid brings the accepted forms of a matrix to a grid.
func readGrid(values any) (grid, error) {
	switch w := values.(type) {
	case [][]float32:
		return gridOf(rows64(w))
	case [][]float64:
		return gridOf(w)
	case mat.Matrix:
		r, c := w.Dims()
		g := grid{r, c, make([]float64, 0, r*c)}
		for i := range r {
			for j := range c {
				g.data = append(g.data, w.At(i, j))
			}
		}
		return g, nil
	case interface {
		Shape() []int
		Float32s() ([]float32, error)
	}:
		return gridOfTensor(w.Shape(), w.Float32s)
	}
	return grid{}, fmt.Errorf("values of type %T; want [][]float64, [][]float32, a matrix or a tensor", values)
}

// gridOfTensor takes the last two axes of a tensor that has no more than one of the others.
func gridOfTensor(shape []int, read func() ([]float32, error)) (grid, error) {
	axes := shape
	for len(axes) > 2 && axes[0] == 1 {
		axes = axes[1:]
	}
	if len(axes) != 2 || axes[0]*axes[1] == 0 {
		return grid{}, fmt.Errorf("a tensor %s: want (rows, columns), and axes of 1 before; Index takes one of an axis", shapeText(shape))
	}
	values, err := read()
	if err != nil {
		return grid{}, err
	}
	g := grid{axes[0], axes[1], make([]float64, len(values))}
	for i, x := range values {
		g.data[i] = float64(x)
	}
	return g, nil
}

func gridOf(rows [][]float64) (grid, error) {
	if len(rows) == 0 || len(rows[0]) == 0 {
		return grid{}, fmt.Errorf("no values")
	}
	g := grid{rows: len(rows), columns: len(rows[0])}
	for i, r := range rows {
		if len(r) != g.columns {
			return grid{}, fmt.Errorf("row %d has %d values, others %d", i, len(r), g.columns)
		}
		g.data = append(g.data, r...)
	}
	return g, nil
}

// bounds are the least and greatest finite values; infinite where there are none.
func (g grid) bounds() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, x := range g.data {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	return lo, hi
}

// shrink pools a grid to at most n cells an axis, each the mean of its own, and says so.
func (g grid) shrink(n int) (grid, string) {
	rq, rk := (g.rows+n-1)/n, (g.columns+n-1)/n
	if rq <= 1 && rk <= 1 {
		return g, ""
	}
	out := grid{rows: (g.rows + rq - 1) / rq, columns: (g.columns + rk - 1) / rk}
	out.data = make([]float64, out.rows*out.columns)
	count := make([]float64, len(out.data))
	for i := range g.rows {
		for j := range g.columns {
			if x := g.data[i*g.columns+j]; x == x {
				out.data[i/rq*out.columns+j/rk] += x
				count[i/rq*out.columns+j/rk]++
			}
		}
	}
	for i := range out.data {
		out.data[i] /= count[i] // a block without numbers is none: 0/0
	}
	return out, fmt.Sprintf("a cell is the mean of %d × %d", rq, rk)
}

// heat draws a grid over a range of X and Y, the first row at y[0].
type heat struct {
	shading
	grid grid
	x, y [2]float64
	// texts, where set, stand in the cells.
	texts []string
	// upward has the first row at the lower edge, as a plane has.
	upward bool
}

// Plot implements plot.Plotter.
func (h *heat) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	g := h.grid
	if h.upward {
		g = g.flipped()
	}
	x0, x1 := tx(h.x[0]), tx(h.x[1])
	y0, y1 := min(ty(h.y[0]), ty(h.y[1])), max(ty(h.y[0]), ty(h.y[1]))
	h.paint(c, g, vg.Rectangle{Min: vg.Point{X: x0, Y: y0}, Max: vg.Point{X: x1, Y: y1}})
	if h.texts == nil {
		return
	}
	w, t := (x1-x0)/vg.Length(g.columns), (y1-y0)/vg.Length(g.rows)
	sty := TextStyle(min(9, max(5, t.Points()*0.45)), font.Font{}, text.XCenter, text.YCenter)
	for i := range g.rows {
		for j := range g.columns {
			s := h.texts[i*g.columns+j]
			if sty.Color = h.on(g.data[i*g.columns+j]); sty.Width(s) < w {
				c.FillText(sty, vg.Point{X: x0 + w*(vg.Length(j)+0.5), Y: y1 - t*(vg.Length(i)+0.5)}, s)
			}
		}
	}
}

func (g grid) flipped() grid {
	out := grid{g.rows, g.columns, nil}
	for i := range g.rows {
		r := g.rows - 1 - i
		out.data = append(out.data, g.data[r*g.columns:(r+1)*g.columns]...)
	}
	return out
}

// DataRange implements plot.DataRanger.
func (h *heat) DataRange() (xmin, xmax, ymin, ymax float64) {
	return h.x[0], h.x[1], h.y[0], h.y[1]
}

// Confusion is a plot of how often a class was taken for another: counts[i][j] is
// how many of class i were read as class j. Colours are shares of the row, numbers
// the counts; the title says the share that is right where it is empty.
func Confusion(title string, classes []string, counts [][]int) (*plot.Plot, error) {
	n := len(classes)
	if n == 0 || len(counts) != n {
		return nil, fmt.Errorf("plot confusion matrix: %d rows for %d classes", len(counts), n)
	}
	h := &heat{grid: grid{rows: n, columns: n}, x: [2]float64{-0.5, float64(n) - 0.5}, y: [2]float64{-0.5, float64(n) - 0.5}}
	all, right := 0, 0
	for i, row := range counts {
		if len(row) != n {
			return nil, fmt.Errorf("plot confusion matrix: row %d has %d counts for %d classes", i, len(row), n)
		}
		sum := 0
		for _, k := range row {
			sum += k
		}
		all, right = all+sum, right+row[i]
		for _, k := range row {
			h.grid.data = append(h.grid.data, float64(k)/float64(max(sum, 1)))
			s := ""
			if k != 0 {
				s = strconv.Itoa(k)
			}
			h.texts = append(h.texts, s)
		}
	}
	if h.lo, h.hi = 0, 1; title == "" && all > 0 {
		title = fmt.Sprintf("%.1f %% of %d right", 100*float64(right)/float64(all), all)
	}
	if err := h.settle(); err != nil {
		return nil, fmt.Errorf("plot confusion matrix: %w", err)
	}
	p := Theme(plot.New())
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, "read as", "is"
	p.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	nominal(&p.X, classes)
	nominal(&p.Y, classes)
	p.Add(h, barPlotter{&h.shading, "share of the row"})
	return p, nil
}

// Contour is a plot of f over the plane from x[0] to x[1] and y[0] to y[1]: bands
// of one colour between levels, and lines along them. levels 0 means about ten.
func Contour(title, xlabel, ylabel string, f func(x, y float64) float64, x, y [2]float64, levels int) (*plot.Plot, error) {
	if !(x[1] > x[0]) || !(y[1] > y[0]) {
		return nil, fmt.Errorf("plot contours: nothing lies from %v to %v", [2]float64{x[0], y[0]}, [2]float64{x[1], y[1]})
	}
	const n = 240
	g := grid{n, n, make([]float64, n*n)}
	for i := range n {
		for j := range n {
			g.data[i*n+j] = f(x[0]+(x[1]-x[0])*(float64(j)+0.5)/n, y[0]+(y[1]-y[0])*(float64(i)+0.5)/n)
		}
	}
	h := &heat{grid: grid{n, n, slices.Clone(g.data)}, x: x, y: y, upward: true}
	lo, hi := g.bounds()
	if h.over(lo, hi); math.IsInf(lo, 0) {
		return nil, fmt.Errorf("plot contours: no finite values")
	}
	if err := h.settle(); err != nil {
		return nil, fmt.Errorf("plot contours: %w", err)
	}
	if levels <= 0 {
		levels = 10
	}
	step := roundStep(h.hi-h.lo, levels)
	var at []float64
	for v := math.Ceil(h.lo/step) * step; v < h.hi; v += step {
		at = append(at, v)
	}
	for i, v := range h.grid.data {
		h.grid.data[i] = (math.Floor(v/step) + 0.5) * step
	}
	p := Theme(plot.New())
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, xlabel, ylabel
	p.Add(h, barPlotter{&h.shading, ""})
	if len(at) > 0 {
		lines := plotter.NewContour(plane{g, x, y}, at, onecolor{})
		lines.LineStyles = []draw.LineStyle{{Color: color.NRGBA{0xff, 0xff, 0xff, 0x90}, Width: vg.Points(0.6)}}
		p.Add(lines)
	}
	return p, nil
}

// plane is a grid as plotter.GridXYZ.
type plane struct {
	grid
	x, y [2]float64
}

func (p plane) Dims() (c, r int)   { return p.columns, p.rows }
func (p plane) Z(c, r int) float64 { return p.data[r*p.columns+c] }
func (p plane) X(c int) float64 {
	return p.x[0] + (p.x[1]-p.x[0])*(float64(c)+0.5)/float64(p.columns)
}
func (p plane) Y(r int) float64 { return p.y[0] + (p.y[1]-p.y[0])*(float64(r)+0.5)/float64(p.rows) }

// onecolor is a palette of the lines' one colour.
type onecolor struct{}

// Colors implements gonum's palette.Palette.
func (onecolor) Colors() []color.Color { return []color.Color{color.NRGBA{0xff, 0xff, 0xff, 0x90}} }

var _ palette.Palette = onecolor{}
