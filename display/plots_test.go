package display

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"

	"attune/display/mime"
)

// bell is n values around a centre, the quantiles of a logistic distribution: the
// same in every run.
func bell(n int, centre, width float64) []float64 {
	var y []float64
	for i := range n {
		q := (float64(i) + 0.5) / float64(n)
		y = append(y, centre+width*math.Log(q/(1-q)))
	}
	return y
}

func hills(x, y float64) float64 {
	return math.Exp(-(x*x+y*y)/2) - 0.7*math.Exp(-((x-1.5)*(x-1.5)+(y-1)*(y-1))/0.8)
}

func must(t testing.TB) func(*plot.Plot, error) *plot.Plot {
	return func(p *plot.Plot, err error) *plot.Plot {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

func confusions() ([]string, [][]int) {
	var names []string
	counts := make([][]int, 10)
	for i := range counts {
		names = append(names, fmt.Sprint(i))
		counts[i] = make([]int, 10)
		for j := range counts[i] {
			counts[i][j] = (i*7 + j*3) % 4 % 3
		}
		counts[i][i] = 90 + i
	}
	return names, counts
}

// charts are one of each kind of plot.
func charts(t testing.TB) map[string]*plot.Plot {
	grid := make([][]float64, 12)
	for i := range grid {
		for j := range 20 {
			grid[i] = append(grid[i], math.Sin(float64(i)/3)*math.Cos(float64(j)/4))
		}
	}
	grid[3][4] = math.NaN()
	names, counts := confusions()
	return map[string]*plot.Plot{
		"bars": must(t)(Bars("Moons", "planet", "known moons", []string{"Earth", "Mars", "Jupiter", "Saturn"},
			Series{Name: "1980", Y: []float64{1, 2, 15, 17}}, Series{Name: "2024", Y: []float64{1, 2, 95, 146}})),
		"histogram": must(t)(Histogram("Two samples", "value", 0, Series{Name: "a", Y: bell(4000, 0, 1)}, Series{Name: "b", Y: bell(2000, 3, 0.5)})),
		"boxes":     must(t)(Boxplots("Spread", "seconds", Series{Name: "one", Y: bell(200, 5, 1)}, Series{Name: "two", Y: bell(50, 6, 0.4)})),
		"heat":      must(t)(HeatMap("Waves", "column", "row", grid)),
		"contour":   must(t)(Contour("Hills", "x", "y", hills, [2]float64{-3, 3}, [2]float64{-2, 2}, 0)),
		"confusion": must(t)(Confusion("", names, counts)),
	}
}

func TestGoldenCharts(t *testing.T) {
	for name, p := range charts(t) {
		golden(t, name, Render(p))
	}
}

func TestChartsRefuseWhatTheyCannotDraw(t *testing.T) {
	nan := []float64{math.NaN()}
	for name, f := range map[string]func() (*plot.Plot, error){
		"names":     func() (*plot.Plot, error) { return Bars("", "", "", []string{"a"}, Series{Y: []float64{1, 2}}) },
		"no bars":   func() (*plot.Plot, error) { return Bars("", "", "", nil) },
		"no values": func() (*plot.Plot, error) { return Histogram("", "", 0, Series{Y: nan}) },
		"no sample": func() (*plot.Plot, error) { return Boxplots("", "") },
		"nan box":   func() (*plot.Plot, error) { return Boxplots("", "", Series{Y: nan}) },
		"ragged":    func() (*plot.Plot, error) { return HeatMap("", "", "", [][]float64{{1}, {1, 2}}) },
		"empty":     func() (*plot.Plot, error) { return HeatMap("", "", "", [][]float32{}) },
		"nan heat":  func() (*plot.Plot, error) { return HeatMap("", "", "", [][]float64{nan}) },
		"type":      func() (*plot.Plot, error) { return HeatMap("", "", "", 7) },
		"classes":   func() (*plot.Plot, error) { return Confusion("", []string{"a", "b"}, [][]int{{1, 2}}) },
		"flat":      func() (*plot.Plot, error) { return Contour("", "", "", hills, [2]float64{1, 1}, [2]float64{0, 1}, 3) },
	} {
		if p, err := f(); err == nil || p != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHistogramCountsEveryValueOnce(t *testing.T) {
	y := []float64{0, 0, 0.5, 1, 1, 1, math.Inf(1), math.NaN()}
	p := must(t)(Histogram("", "", 4, Series{Y: y}))
	if p.Y.Max != 3 || p.X.Min != 0 || p.X.Max != 1 {
		t.Errorf("axes %v to %v, %v", p.X.Min, p.X.Max, p.Y.Max)
	}
	if one := must(t)(Histogram("", "", 0, Series{Y: []float64{7, 7}})); !(one.X.Max > one.X.Min) {
		t.Error("values that are all one have no bin")
	}
}

func TestLargeHeatMapsArePooledAndSaySo(t *testing.T) {
	p := must(t)(HeatMap("", "column", "", mat.NewDense(900, 1, nil)))
	if p.X.Label.Text != "column (a cell is the mean of 3 × 1)" {
		t.Errorf("label %q", p.X.Label.Text)
	}
	g, note := grid{3, 2, []float64{1, 3, math.NaN(), 4, 5, 6}}.shrink(2)
	if fmt.Sprint(g.data) != "[1 3.5 5 6]" || note == "" {
		t.Errorf("pooled %v, %q", g.data, note)
	}
}

func TestConfusionSaysTheShareThatIsRight(t *testing.T) {
	p := must(t)(Confusion("", []string{"a", "b"}, [][]int{{3, 1}, {0, 4}}))
	if b := Render(p); !strings.HasPrefix(b.Data[mime.Text], "plot: 87.5 % of 8 right; read as from") {
		t.Errorf("text %q", b.Data[mime.Text])
	}
}

func TestCurvesGrowInOneOutput(t *testing.T) {
	r := record(t)
	c := NewCurves("Loss", "step", "nats")
	const n = 50_000
	for i := range n {
		y := 1.0
		if i == 31_234 {
			y = 9
		}
		c.Add("training", y)
		if i%1000 == 0 {
			c.AddAt("held out", float64(i), 2)
		}
	}
	Flush()
	if got := r.last(t); !got.update || !strings.HasSuffix(got.text, "; training 1 after 50,000 points; held out 2 after 50 points") {
		t.Errorf("last %+v", got)
	}
	p := must(t)(c.Plot())
	if p.X.Max != n-1 || p.Y.Max != 9 {
		t.Errorf("axes to %v and %v", p.X.Max, p.Y.Max)
	}
	if got := len(c.all[0].xys); got > 4*maxPoints {
		t.Errorf("%d points are kept", got)
	}
}

// Whatever the data, no line goes through the legend.
func TestLegendsStandClear(t *testing.T) {
	for name, c := range map[string]struct {
		a, b      []float64
		left, top bool
	}{
		"fall": {[]float64{3, 2, 1, 0}, []float64{3, 1, 0, 0}, false, true}, "rise": {[]float64{0, 1, 2, 3}, []float64{0, 0, 1, 3}, true, true},
		"high": {[]float64{3, 3, 3}, []float64{0, 3, 3}, false, false}, "all over": {[]float64{3, 3, 3}, []float64{0, 0, 0}, false, true},
	} {
		p := must(t)(Lines("", "", "", Series{Name: "one", Y: c.a}, Series{Name: "two", Y: c.b}))
		if p.Legend.Left != c.left || p.Legend.Top != c.top {
			t.Errorf("%s: left %v, top %v", name, p.Legend.Left, p.Legend.Top)
		}
		if (p.Y.Max > 3.01) != (name == "all over") {
			t.Errorf("%s: up to %v", name, p.Y.Max)
		}
	}
}
