package display

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"io/fs"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"attune/display/mime"
)

type row struct {
	Name  string
	Score float64
	err   error
}

type shy struct{ data map[string]string }

func (s shy) Bundle() mime.Bundle { return mime.Bundle{Data: s.data} }

type rude struct{}

func (rude) Bundle() mime.Bundle { panic("no picture today") }

type lying struct{ mat.Matrix }

func (lying) Dims() (int, int) { return 2, 2 }

type noisy struct{}

func (noisy) String() string { panic("loud") }

func TestRenderKinds(t *testing.T) {
	small := image.NewGray(image.Rect(0, 0, 8, 8))
	for _, c := range []struct {
		name  string
		v     any
		types string
		text  string
	}{
		{"nil", nil, "text/plain", "nil"},
		{"string", "a<b", "text/plain", `"a<b"`},
		{"structs", []row{{"a", 1, nil}}, "text/html text/plain", `[]display.row{{Name: "a", Score: 1, err: nil}}`},
		{"pointers", []*row{nil}, "text/html text/plain", "[]*display.row{nil *display.row}"},
		{"numbers", []float64{1}, "text/plain", "[]float64{1}"},
		{"rows", [][]float64{{1}, {2, 3}}, "text/html text/plain", "[][]float64{{1}, {2, 3}}"},
		{"array", [2][2]int{}, "text/html text/plain", "[2][2]int{{0, 0}, {0, 0}}"},
		{"map", map[string]int{"a": 1}, "text/html text/plain", `map[string]int{"a": 1}`},
		{"error", fmt.Errorf("read: %w", io.EOF), "text/html text/plain", "read: EOF"},
		{"HTML", HTML("<b>x</b>"), "text/html text/plain", "<b>x</b>"},
		{"Markdown", Markdown("*x*"), "text/markdown text/plain", "*x*"},
		{"LaTeX", LaTeX("x^2"), "text/latex text/plain", "x^2"},
		{"SVG", SVG("<svg/>"), "image/svg+xml text/html text/plain", "SVG (6 bytes)"},
		{"JSON", JSON(map[string]int{"a": 1}), "application/json text/plain", "{\n  \"a\": 1\n}"},
		{"JSON of a channel", JSON(make(chan int)), "text/html text/plain", "encode JSON: json: unsupported type: chan int"},
		{"no PNG", PNG("GIF89a"), "text/html text/plain", "show PNG of 6 bytes: not a PNG file"},
		{"image", small, "image/png text/html text/plain", "image, 8×8 pixels, shown 20 times as large"},
		{"empty image", image.NewGray(image.Rectangle{}), "text/plain", "*image.Gray, empty"},
		{"matrix", mat.NewDense(1, 2, []float64{1, 2.5}), "text/html text/plain", "   0    1\n0  1  2.5\nmat.Dense, 1 × 2"},
		{"own bundle", shy{map[string]string{mime.HTML: "h"}}, "text/html text/plain", `display.shy{data: map[string]string{"text/html": "h"}}`},
		{"rude", rude{}, "text/plain", "<showing display.rude panicked: no picture today>"},
		{"lying matrix", lying{}, "text/plain", "<showing display.lying panicked: runtime error: invalid memory address or nil pointer dereference>"},
		{"noisy", noisy{}, "text/plain", "<display.noisy.String panicked: loud>"},
		{"nil plot", (*plot.Plot)(nil), "text/plain", "nil *plot.Plot"},
		{"plot", plot.New(), "image/png image/svg+xml text/html text/plain", "plot"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := Render(c.v)
			if got := types(b); got != c.types {
				t.Errorf("types %s, want %s", got, c.types)
			}
			if b.Data[mime.Text] != c.text {
				t.Errorf("text %q, want %q", b.Data[mime.Text], c.text)
			}
			for typ, m := range b.Metadata {
				if !json.Valid(m) {
					t.Errorf("metadata of %s: %s", typ, m)
				}
			}
		})
	}
}

func types(b mime.Bundle) string {
	var out []string
	for _, t := range []string{mime.JSON, mime.PNG, mime.SVG, mime.HTML, mime.LaTeX, mime.Markdown, mime.Text} {
		if _, ok := b.Data[t]; ok {
			out = append(out, t)
		}
	}
	return strings.Join(out, " ")
}

const hostile = `<img src=x onerror=alert(1)>"'&`

type evil struct {
	Field string
}

func (evil) Error() string { return hostile }

func TestUserTextNeverBecomesMarkup(t *testing.T) {
	tag := reflect.StructOf([]reflect.StructField{{Name: "X", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(hostile)}})
	titled := plot.New()
	titled.Title.Text, titled.X.Label.Text = hostile, hostile
	for _, v := range []any{
		[]row{{Name: hostile}}, map[string]string{hostile: hostile}, [][]string{{hostile}},
		errors.New(hostile), evil{hostile}, []struct{ E any }{{evil{}}}, titled,
		reflect.MakeSlice(reflect.SliceOf(tag), 1, 1).Interface(),
		AttentionMap([][]float64{{1}}, []string{hostile}, []string{hostile}, AttentionTitle(hostile)),
	} {
		b := Render(v)
		for _, typ := range []string{mime.HTML, mime.SVG} {
			if s := b.Data[typ]; strings.Contains(s, "<img src=x") || strings.Contains(s, `>"'&`) {
				t.Errorf("%T: %s holds markup: %s", v, typ, s)
			}
		}
	}
}

func TestTablesOfManyRowsShowBothEnds(t *testing.T) {
	rows := make([]row, 10_000_000)
	rows[0].Name, rows[len(rows)-1].Name, rows[5_000_000].Name = "first", "last", "middle"
	h := Render(rows).Data[mime.HTML]
	for _, want := range []string{"first", "last", "⋮", "10,000,000 rows × 3 columns", "9,999,999"} {
		if !strings.Contains(h, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(h, "middle") || strings.Count(h, "<tr>") != 1+headRows+1+tailRows {
		t.Errorf("%d table rows", strings.Count(h, "<tr>"))
	}
	m := Render(mat.NewDense(1000, 1000, nil)).Data[mime.HTML]
	if !strings.Contains(m, "⋯") || !strings.Contains(m, "mat.Dense, 1,000 × 1,000") || len(m) > 150_000 {
		t.Errorf("matrix: %d bytes", len(m))
	}
	big := map[int]row{}
	for i := range 50_000 {
		big[i] = row{}
	}
	if h := Render(big).Data[mime.HTML]; !strings.Contains(h, "50,000 entries, 40 shown") {
		t.Errorf("map: %s", h[len(h)-200:])
	}
}

func TestPicturesSayTheirSize(t *testing.T) {
	b := Render(Figure{Plot: plot.New(), Width: 3 * vg.Inch, Height: 2 * vg.Inch})
	if got := string(b.Metadata[mime.PNG]); got != `{"width":288,"height":192,"alt":"plot"}` {
		t.Errorf("metadata %s", got)
	}
	_, img := picture(t, b)
	if img.Bounds() != image.Rect(0, 0, 576, 384) {
		t.Errorf("pixels %v", img.Bounds())
	}
	for _, f := range []Figure{{plot.New(), 1e6, 1e6}, {plot.New(), vg.Length(math.NaN()), 10}} {
		if b := Render(f); b.Data[mime.PNG] != "" || !strings.Contains(b.Data[mime.Text], "size out of range") {
			t.Errorf("size %v: %.80s", f.Width, b.Data[mime.Text])
		}
	}
}

func TestImagesKeepTheirPixels(t *testing.T) {
	img := image.NewRGBA(image.Rect(3, 5, 5, 6))
	img.Set(3, 5, color.RGBA{255, 0, 0, 255})
	img.Set(4, 5, color.RGBA{0, 0, 255, 255})
	_, got := picture(t, Render(img))
	if got.Bounds() != image.Rect(0, 0, 160, 80) {
		t.Fatalf("bounds %v", got.Bounds())
	}
	for _, c := range []struct {
		x    int
		want color.NRGBA
	}{{0, color.NRGBA{255, 0, 0, 255}}, {79, color.NRGBA{255, 0, 0, 255}}, {80, color.NRGBA{0, 0, 255, 255}}} {
		if p := color.NRGBAModel.Convert(got.At(c.x, 79)); p != c.want {
			t.Errorf("pixel %d is %v", c.x, p)
		}
	}
}

func TestImagesStayLossless(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 100, 100))
	for i := range 10_000 {
		img.SetNRGBA(i%100, i/100, color.NRGBA{uint8(i), uint8(i / 100), 77, uint8(i)})
	}
	_, got := picture(t, Render(img))
	if mean, _ := difference(got, img); mean != 0 {
		t.Errorf("mean difference %v", mean)
	}
}

func TestIndexedKeepsAreasAndRefusesPhotographs(t *testing.T) {
	area, photo := image.NewRGBA(image.Rect(0, 0, 200, 200)), image.NewRGBA(image.Rect(0, 0, 200, 200))
	for i := range 40_000 {
		area.SetRGBA(i%200, i/200, color.RGBA{200, 10, 30, 255})
		photo.SetRGBA(i%200, i/200, color.RGBA{uint8(i), uint8(i / 200), uint8(i / 7), 255})
	}
	for i := range 600 { // an edge of many colours
		area.SetRGBA(i%200, 50+i/200, color.RGBA{uint8(i % 200), uint8(i / 3), 0, 255})
	}
	p := indexed(area)
	if p == nil {
		t.Fatal("an area with an edge has no palette")
	}
	mean, visible := difference(p, area)
	if mean > 0.3 || visible > 0.01 || p.At(0, 0) != (color.NRGBA{200, 10, 30, 255}) {
		t.Errorf("mean %v, visible %v", mean, visible)
	}
	if indexed(photo) != nil {
		t.Error("a photograph was squeezed into 256 colours")
	}
}

func TestLinesRefuseWhatTheyCannotDraw(t *testing.T) {
	for name, s := range map[string]Series{
		"lengths": {"a", []float64{1}, []float64{1, 2}},
		"nothing": {"a", nil, []float64{math.NaN()}},
	} {
		if p, err := Lines("", "", "", s); err == nil || p != nil {
			t.Errorf("%s: no error from Lines", name)
		}
		if p, err := Scatter("", "", "", s); err == nil || p != nil {
			t.Errorf("%s: no error from Scatter", name)
		}
	}
}

func TestThinKeepsSpikesAndEnds(t *testing.T) {
	y := make([]float64, 1_000_000)
	y[777_777], y[123_456] = 9, -9
	runs, err := finite(Series{Y: y})
	if err != nil {
		t.Fatal(err)
	}
	out := thin(runs[0], 1000)
	lo, hi := 0.0, 0.0
	for i, p := range out {
		lo, hi = min(lo, p.Y), max(hi, p.Y)
		if i > 0 && p.X < out[i-1].X {
			t.Fatal("out of order")
		}
	}
	if lo != -9 || hi != 9 || len(out) > 1002 || out[len(out)-1].X != 999_999 {
		t.Errorf("%d points from %v to %v", len(out), lo, hi)
	}
}

func TestAttentionMapRefusesWhatDoesNotFit(t *testing.T) {
	two := []string{"a", "b"}
	for want, b := range map[string]mime.Bundle{
		"5 weights are no whole number":         AttentionMap(make([]float32, 5), two, two),
		"queries: 2 tokens for 1":               AttentionMap([][]float64{{1, 2}}, two, two),
		"row 1 has 1 weights":                   AttentionMap([][]float64{{1, 2}, {1}}, two, two),
		"head 0, query 0, key 1: weight is NaN": AttentionMap([]float64{1, math.NaN()}, two[:1], two),
		"weights of type string":                AttentionMap("x", two, two),
		"no weights":                            AttentionMap([][]float64{{}}, nil, nil),
		"head 1 has 0 rows":                     AttentionMap([][][]float64{{{1}}, {}}, nil, nil),
		"scale from 1 to 1":                     AttentionMap([][]float64{{1}}, nil, nil, AttentionScale(1, 1)),
	} {
		if !strings.Contains(b.Data[mime.Text], want) || b.Data[mime.PNG] != "" {
			t.Errorf("want %q, got %q", want, b.Data[mime.Text])
		}
	}
}

func TestPoolingKeepsRowSums(t *testing.T) {
	for _, n := range []int{3, 64, 65, 127, 200} {
		w := falling(1, n)
		g := grid{n, n, widen(w)}.pool(3, 4)
		for i := range g.rows {
			sum := 0.0
			for j := range g.columns {
				sum += g.data[i*g.columns+j]
			}
			if math.Abs(sum-1) > 1e-5 {
				t.Errorf("n %d: pooled row %d sums to %v", n, i, sum)
			}
		}
	}
}

func TestRoundTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{0, 1, "0 0.2 0.4 0.6 0.8 1.0"}, {0, 60, "0 10 20 30 40 50 60"}, {-1, 1, "-1.0 -0.5 0 0.5 1.0"},
		{0, 3e9, "0 5e+08 1e+09 1.5e+09 2e+09 2.5e+09 3e+09"}, {5, 5, "5"},
	} {
		var got []string
		for _, k := range (RoundTicks{}).Ticks(c.lo, c.hi) {
			got = append(got, k.Label)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v to %v: %v", c.lo, c.hi, got)
		}
	}
}

// Fonts and their faces are shared by all drawings; the race detector watches.
func TestDrawingFromManyGoroutines(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			p := plot.New()
			p.Title.Text = "together"
			if b := Render(p); b.Data[mime.PNG] == "" {
				t.Error(b.Data[mime.Text])
			}
		})
	}
	wg.Wait()
}

func BenchmarkRenderTenMillion(b *testing.B) {
	rows := make([]row, 10_000_000)
	for b.Loop() {
		Render(rows)
	}
}

func BenchmarkRenderPlot(b *testing.B) {
	y := make([]float64, 200)
	for i := range y {
		y[i] = math.Sin(float64(i) / 9)
	}
	p, err := Lines("t", "x", "y", Series{"a", nil, y})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n = bytesOf(Render(p))
	}
	b.ReportMetric(float64(n), "bytes")
}

func BenchmarkAttentionMap64(b *testing.B) {
	w, n := falling(1, 64), names(64)
	bytes := 0
	for b.Loop() {
		bytes = bytesOf(AttentionMap(w, n, n))
	}
	b.ReportMetric(float64(bytes), "bytes")
}

func TestErrorsShowTheirTypeWhereItTells(t *testing.T) {
	for err, name := range map[error]string{
		errors.New("x"):             "error",
		fmt.Errorf("x: %w", io.EOF): "error",
		&fs.PathError{Err: io.EOF}:  "*fs.PathError",
		errors.Join(io.EOF, io.EOF): "error",
	} {
		if got := Render(err).Data[mime.HTML]; !strings.Contains(got, "<b>"+name+"</b>") {
			t.Errorf("%T shows as %s, want %s", err, got, name)
		}
	}
}
