package display

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"image"
	"image/color"
	"io"
	"math"
	"net/url"
	"strings"
	"testing"

	"attune/display/mime"
)

// layered is L layers of H heads over n tokens: causal, some heads look one back,
// some at the first token, some at like tokens.
func layered(layers, heads, n int) [][]float32 {
	var all [][]float32
	for l := range layers {
		var w []float32
		for h := range heads {
			for i := range n {
				sum := 0.0
				row := make([]float64, n)
				for j := range i + 1 {
					var x float64
					switch (l + h) % 4 {
					case 0:
						x = -2 * math.Abs(float64(i-1-j))
					case 1:
						x = -float64(j) * 0.7
					case 2:
						x = 3*math.Cos(float64(i-j)*0.7) - 0.05*float64(i-j)
					default:
						x = math.Sin(float64(i*31+j*17+l*7+h*3)) * 2
					}
					row[j] = math.Exp(x)
					sum += row[j]
				}
				for _, x := range row {
					w = append(w, float32(x/sum))
				}
			}
		}
		all = append(all, w)
	}
	return all
}

func attention(t testing.TB, layers, heads, n int) *Attention {
	t.Helper()
	a, err := ReadAttention(layered(layers, heads, n), names(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// large is 12 layers of 12 heads over 512 tokens, of four heads' weights.
func large(t testing.TB) *Attention {
	a := attention(t, 1, 4, 512)
	for i := 4; i < 144; i++ {
		a.w = append(a.w, a.w[(i+i/12)%4])
	}
	a.layers, a.heads = 12, 12
	return a
}

func ablated(n int) Score {
	s := Score{Name: "ablation", Values: make([]float64, n)}
	for i := range s.Values {
		s.Values[i] = math.Abs(math.Sin(float64(i) * 1.3))
	}
	return s
}

// face is an image with something in one corner.
func face() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		img.Set(i%8, i/8, color.RGBA{uint8(30 * (i % 8)), uint8(30 * (i / 8)), 90, 255})
	}
	return img
}

func TestGoldenAttentionViews(t *testing.T) {
	a := attention(t, 3, 4, 20).WithRandom(1).Beside(ablated(20))
	golden(t, "view-head", a.HeadView(1))
	golden(t, "view-model", a.ModelView())
	golden(t, "view-tokens", a.TokenView(-1))
	golden(t, "view-measures", attention(t, 3, 4, 20).Measures().Bundle())
	golden(t, "view-measures-beside", a.Measures().Beside(ablated(12)).Bundle())
	golden(t, "view-matrix", a.MatrixView(2, 1))
	golden(t, "view-matrix-layer", a.MatrixView(2, -1))
	roll, err := a.Rollout()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "view-rollout", roll.MatrixView(0, 0))
	p := attention(t, 1, 2, 17).WithRandom(2)
	golden(t, "view-patches", p.PatchView(face(), 4, 4, 1, -1, 0))
}

func TestFormsOfWeights(t *testing.T) {
	flat := []float32{1, 0, 0.5, 0.5, 0.3, 0.7, 1, 0}
	h0, h1 := [][]float64{{1, 0}, {0.5, 0.5}}, [][]float64{{0.3, 0.7}, {1, 0}}
	for name, c := range map[string]struct {
		weights       any
		layers, heads int
	}{
		"flat":           {flat, 1, 2},
		"flat layers":    {[][]float32{flat, flat}, 2, 2},
		"heads":          {[][][]float64{h0, h1}, 1, 2},
		"layers":         {[][][][]float64{{h0, h1}, {h1, h0}, {h0, h0}}, 3, 2},
		"one":            {h0, 1, 1},
		"tensor":         {&cube{[]int{3, 2, 2, 2}, append(append(append([]float32{}, flat...), flat...), flat...), false}, 1, 2},
		"tensors":        {[]*cube{{[]int{2, 2, 2}, flat, false}, {[]int{2, 2, 2}, flat, false}}, 2, 2},
		"float32 matrix": {[][]float32{{1, 0}, {0.5, 0.5}}, 1, 1},
	} {
		a, err := ReadAttention(c.weights, []string{"a", "b"}, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.Layers() != c.layers || a.Heads() != c.heads || fmt.Sprint(a.head(0, 0)) != "[1 0 0.5 0.5]" {
			t.Errorf("%s: %d layers of %d heads, %v", name, a.Layers(), a.Heads(), a.head(0, 0))
		}
	}
	for name, bad := range map[string]any{
		"length": []float32{1, 2, 3}, "negative": []float32{1, 0, -1, 2}, "nan": []float32{1, 0, float32(math.NaN()), 2},
		"type": 7, "shape": &cube{[]int{3, 3}, make([]float32, 9), false}, "heads": [][]float32{flat, flat[:4]}, "nothing": []float32{},
	} {
		if a, err := ReadAttention(bad, []string{"a", "b"}, nil); err == nil {
			t.Errorf("%s: read as %d × %d", name, a.Layers(), a.Heads())
		}
	}
}

func TestHeatMapsOfTensors(t *testing.T) {
	g, err := readGrid(&cube{[]int{1, 2, 2}, []float32{1, 2, 3, 4}, false})
	if err != nil || g.rows != 2 || g.columns != 2 || fmt.Sprint(g.data) != "[1 2 3 4]" {
		t.Errorf("%+v, %v", g, err)
	}
	if _, err := HeatMap("w", "key", "query", &cube{[]int{2, 1, 2}, make([]float32, 4), false}); err == nil || !strings.Contains(err.Error(), "a tensor (2, 1, 2): want (rows, columns)") {
		t.Error(err)
	}
}

func TestTensorsOfWeightsNeedNoNames(t *testing.T) {
	pooled := &cube{[]int{1, 2, 2, 3}, []float32{1, 0, 0, 0.5, 0.25, 0.25, 0, 1, 0, 0, 0, 1}, false}
	for _, weights := range []any{pooled, []*cube{pooled, pooled}} {
		a, err := ReadAttention(weights, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(a.queries, a.keys) != "[0 1] [0 1 2]" {
			t.Errorf("the names are %v and %v", a.queries, a.keys)
		}
		if s := Render(a).Data[mime.Text]; !strings.Contains(s, ", 2 heads each, from 2 queries to 3 keys; HeadView(0), ") {
			t.Error(s)
		}
	}
}

func TestRandomKeepsRowsAndMask(t *testing.T) {
	a := attention(t, 1, 3, 12)
	r := a.Random(5)
	moved := 0
	for h := range a.w {
		for i := range 12 {
			sum, was := 0.0, 0.0
			for j := range 12 {
				sum, was = sum+float64(r.w[h][i*12+j]), was+float64(a.w[h][i*12+j])
				if j > i && r.w[h][i*12+j] != 0 {
					t.Fatalf("head %d, query %d sees key %d", h, i, j)
				}
				if r.w[h][i*12+j] != a.w[h][i*12+j] {
					moved++
				}
			}
			if math.Abs(sum-was) > 1e-6 {
				t.Errorf("row sums to %v, was %v", sum, was)
			}
		}
	}
	if moved < 50 || fmt.Sprint(a.Random(5).w) != fmt.Sprint(r.w) || fmt.Sprint(a.Random(6).w) == fmt.Sprint(r.w) {
		t.Errorf("%d weights moved", moved)
	}
}

// Attention alone explains little, so each view takes a baseline and other scores.
func TestEveryViewShowsWhatStandsBesideIt(t *testing.T) {
	a := attention(t, 2, 2, 16)
	b := a.WithRandom(1).Beside(ablated(16))
	views := map[string]func(*Attention) mime.Bundle{
		"head": func(a *Attention) mime.Bundle { return a.HeadView(1) }, "model": (*Attention).ModelView,
		"tokens": func(a *Attention) mime.Bundle { return a.TokenView(0) }, "matrix": func(a *Attention) mime.Bundle { return a.MatrixView(1, 0) },
		"layer": func(a *Attention) mime.Bundle { return a.MatrixView(0, -1) }, "patches": func(a *Attention) mime.Bundle { return a.PatchView(face(), 4, 4, 0, 3, 1) },
		"rollout": func(a *Attention) mime.Bundle {
			r, err := a.Rollout()
			if err != nil {
				t.Fatal(err)
			}
			return r.MatrixView(0, 0)
		},
		"measures": func(a *Attention) mime.Bundle {
			m := a.Measures()
			if len(a.scores) > 0 {
				m = m.Beside(Score{"ablation", []float64{1, 2, 3, 4}})
			}
			return m.Bundle()
		},
	}
	for name, view := range views {
		alone, beside := view(a), view(b)
		for _, want := range []string{"dealt at random", "ablation"} {
			if strings.Contains(alone.Data[mime.Text], want) || !strings.Contains(beside.Data[mime.Text], want) {
				t.Errorf("%s: %q and with others %q", name, alone.Data[mime.Text], beside.Data[mime.Text])
			}
		}
		_, x := picture(t, alone)
		if _, y := picture(t, beside); x.Bounds() == y.Bounds() {
			t.Errorf("%s: nothing is drawn beside it", name)
		}
	}
	if s := a.Measures().Beside(ablated(3)).Bundle().Data[mime.Text]; !strings.Contains(s, "ablation: 3 values for 4 heads") {
		t.Error(s)
	}
	// What a view says of chance is what dealing that layer, or that head, gives.
	if got, want := b.others(1)[0].Values, b.Random(1).Received(1); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	for j, x := range b.others(-1)[0].Values {
		if want := b.Random(1).Received(-1)[j]; math.Abs(x-want) > 1e-9 {
			t.Errorf("key %d receives %v, want %v", j, x, want)
		}
	}
}

func TestRolloutOfNothingIsNothing(t *testing.T) {
	eye := []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}
	even := []float32{1. / 3, 1. / 3, 1. / 3, 1. / 3, 1. / 3, 1. / 3, 1. / 3, 1. / 3, 1. / 3}
	a, err := ReadAttention([][]float32{eye, even, eye}, names(3), nil)
	if err != nil {
		t.Fatal(err)
	}
	roll, err := a.Rollout()
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range roll.w[0] {
		want := 1. / 6
		if i%4 == 0 {
			want = 2. / 3
		}
		if math.Abs(float64(x)-want) > 1e-6 {
			t.Errorf("weight %d is %v, want %v", i, x, want)
		}
	}
	b, err := ReadAttention([][]float64{{0.4, 0.6}}, names(1), names(2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Rollout(); err == nil {
		t.Error("queries that are not the keys were rolled out")
	}
}

func TestMeasuresOfKnownHeads(t *testing.T) {
	n := 8
	back, even, twice := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	for i := range n {
		back[i*n+max(i-1, 0)] = 1
		for j := range n {
			even[i*n+j] = 1. / float32(n)
			twice[i*n+j] = 2. / float32(n) // rows need not sum to 1
		}
	}
	a, err := ReadAttention(append(append(back, even...), twice...), names(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	m := a.Measures()
	if e := m.Entropy[0]; e[0] != 0 || math.Abs(e[1]-3) > 1e-6 || math.Abs(e[2]-3) > 1e-6 {
		t.Errorf("entropy %v", e)
	}
	if d := m.Distance[0]; math.Abs(d[0]-7./8) > 1e-6 || math.Abs(d[1]-m.Even[1]) > 1e-6 || math.Abs(d[2]-m.Even[1]) > 1e-6 {
		t.Errorf("distance %v, even %v", d, m.Even)
	}
}

func TestAgreementAndAblation(t *testing.T) {
	if a, b := Agreement([]float64{1, 2, 3}, []float64{10, 20, 21}), Agreement([]float64{1, 2, 3}, []float64{3, 2, 1}); a != 1 || b != -1 {
		t.Error(a, b)
	}
	s, err := Ablation(3, func(i int) (float64, error) { return []float64{5, 4, 8, 5}[i+1], nil })
	if err != nil || fmt.Sprint(s.Values) != "[1 3 0]" {
		t.Error(s, err)
	}
	if _, err := Ablation(3, func(i int) (float64, error) { return 0, errors.New("no model") }); err == nil {
		t.Error("an error was lost")
	}
}

// document is the SVG that a view's HTML carries.
func document(t *testing.T, b mime.Bundle) string {
	t.Helper()
	_, after, _ := strings.Cut(b.Data[mime.HTML], `data="data:image/svg+xml,`)
	coded, inside, ok := strings.Cut(after, `">`)
	if !ok || !strings.HasPrefix(inside, `<img alt="`) || !strings.Contains(inside, `src="data:image/png;base64,`) {
		t.Fatalf("no document, or no picture in it: %.300s", b.Data[mime.HTML])
	}
	s, err := url.PathUnescape(html.UnescapeString(coded))
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		if _, err := d.Token(); err == io.EOF {
			return s
		} else if err != nil {
			t.Fatalf("%v in %.2000s", err, s)
		}
	}
}

func TestViewsAnswerByStyleSheetAloneAndDegrade(t *testing.T) {
	tokens := []string{hostile, "&lt;", "\x00\xff", "%23#", "-->"}
	a, err := ReadAttention(layered(2, 2, 5), tokens, nil)
	if err != nil {
		t.Fatal(err)
	}
	a = a.WithRandom(1)
	for name, b := range map[string]mime.Bundle{"head": a.HeadView(0), "model": a.ModelView(), "measures": a.Measures().Bundle()} {
		s := document(t, b)
		for _, bad := range []string{"<script", "http://", "https://", "onload", "@import", "<img"} {
			if strings.Contains(strings.Replace(s, `xmlns='http://www.w3.org/2000/svg'`, "", 1), bad) {
				t.Errorf("%s holds %q", name, bad)
			}
		}
		if name == "head" && (!strings.Contains(s, ":hover") || strings.Count(s, `class='q hot'`) != 5) {
			t.Errorf("%s does not answer", name)
		}
	}
	if h := a.TokenView(0).Data[mime.HTML]; strings.Contains(h, "<img") || strings.Count(h, "<span title=") != 10 {
		t.Errorf("tokens: %s", h)
	}
}

func TestViewsRefuseWhatThereIsNot(t *testing.T) {
	a := attention(t, 1, 2, 4)
	for _, b := range []mime.Bundle{a.HeadView(1), a.MatrixView(0, 2), a.MatrixView(3, 0), a.PatchView(face(), 3, 3, 0, -1, 0),
		a.PatchView(face(), 2, 2, 0, 4, 0), a.Beside(Score{"short", []float64{1}}).TokenView(0)} {
		if b.Data[mime.PNG] != "" || b.Data[mime.Text] == "" {
			t.Errorf("shown: %s", b.Data[mime.Text])
		}
	}
	if s := a.Beside(Score{"short", []float64{1}}).HeadView(0).Data[mime.Text]; !strings.Contains(s, "short: 1 values for 4 keys") {
		t.Error(s)
	}
}

// bytesOf is what a bundle adds to a notebook.
func bytesOf(b mime.Bundle) (n int) {
	for _, s := range b.Data {
		n += len(s)
	}
	return n
}

func TestAModelsViewFitsInAMegabyte(t *testing.T) {
	a := large(t).WithRandom(1)
	for name, b := range map[string]mime.Bundle{"model": a.ModelView(), "head": a.HeadView(5), "tokens": a.TokenView(-1), "matrix": a.MatrixView(3, -1)} {
		if n := bytesOf(b); n > 1<<20 || b.Data[mime.PNG] == "" {
			t.Errorf("%s: %d bytes", name, n)
		}
		if s := b.Data[mime.Text]; name != "tokens" && !strings.Contains(s, "512 × 512 tokens pooled") && !strings.Contains(s, "tokens pooled: the mean over") {
			t.Errorf("%s does not state its loss: %s", name, s)
		}
	}
}

// measureBundle reports the time that a bundle takes and the bytes that it adds.
func measureBundle(b *testing.B, name string, view func() mime.Bundle) {
	b.Run(name, func(b *testing.B) {
		n := 0
		for b.Loop() {
			n = bytesOf(view())
		}
		b.ReportMetric(float64(n), "bytes")
	})
}

func BenchmarkViews(b *testing.B) {
	a := large(b)
	rollout := func(a *Attention) mime.Bundle {
		r, err := a.Rollout()
		if err != nil {
			b.Fatal(err)
		}
		return r.MatrixView(0, 0)
	}
	measureBundle(b, "model 12x12x512", a.ModelView)
	measureBundle(b, "head 12x512", func() mime.Bundle { return a.HeadView(5) })
	measureBundle(b, "tokens 512", func() mime.Bundle { return a.TokenView(-1) })
	measureBundle(b, "matrix 12x512", func() mime.Bundle { return a.MatrixView(3, -1) })
	measureBundle(b, "rollout 12x12x512", func() mime.Bundle { return rollout(a) })
	measureBundle(b, "measures 12x12x512", func() mime.Bundle { return a.Measures().Bundle() })
	patches := attention(b, 1, 4, 197).WithRandom(1)
	measureBundle(b, "patches 14x14", func() mime.Bundle { return patches.PatchView(face(), 14, 14, 1, 0, 0) })
	chance := a.WithRandom(1)
	measureBundle(b, "chance 12x12x512", func() mime.Bundle { return mime.Plain(fmt.Sprint(len(a.WithRandom(1).w))) })
	measureBundle(b, "model beside chance", chance.ModelView)
	measureBundle(b, "matrix beside chance", func() mime.Bundle { return chance.MatrixView(3, -1) })
	measureBundle(b, "rollout beside chance", func() mime.Bundle { return rollout(chance) })
}

func BenchmarkRenderCharts(b *testing.B) {
	for name, p := range charts(b) {
		measureBundle(b, name, func() mime.Bundle { return Render(p) })
	}
	g := classifier()
	measureBundle(b, "graph", func() mime.Bundle { return Render(g) })
	long := Graph{Nodes: make([]Node, 300)}
	for i := range long.Nodes {
		long.Nodes[i].Label = fmt.Sprint("node ", i)
		if i > 0 {
			long.Edges = append(long.Edges, Edge{i - 1, i}, Edge{max(i-7, 0), i})
		}
	}
	measureBundle(b, "graph of 300", func() mime.Bundle { return Render(long) })
}
