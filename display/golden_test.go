package display

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"attune/display/mime"
)

var update = flag.Bool("update", false, "write the golden files anew")

// picture decodes a bundle's PNG.
func picture(t *testing.T, b mime.Bundle) ([]byte, image.Image) {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(b.Data[mime.PNG])
	if err != nil || len(data) == 0 {
		t.Fatalf("no PNG in %q: %v", b.Data[mime.Text], err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return data, img
}

// golden compares a bundle's PNG with the stored one: the mean difference of a
// channel may be half a step and no more than one pixel in 500 may differ visibly,
// which lets rasterisers round differently and nothing move.
func golden(t *testing.T, name string, b mime.Bundle) {
	t.Helper()
	data, got := picture(t, b)
	path := filepath.Join("testdata", name+".png")
	if *update {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(stored))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != want.Bounds() {
		t.Fatalf("size %v, want %v", got.Bounds(), want.Bounds())
	}
	if mean, bad := difference(got, want); mean > 0.5 || bad > 0.002 {
		t.Errorf("%s differs: mean %.3f of 255, %.2f %% of pixels visibly", name, mean, 100*bad)
	}
}

// difference is the mean difference of two images' channels, of 255, and the share
// of pixels where one differs by more than 24.
func difference(a, b image.Image) (mean, visible float64) {
	p, q := straight(a), straight(b)
	total, bad := 0, 0
	for i := 0; i < len(p); i += 4 {
		worst := 0
		for c := range 4 {
			d := int(p[i+c]) - int(q[i+c])
			d = max(d, -d)
			total += d
			worst = max(worst, d)
		}
		if worst > 24 {
			bad++
		}
	}
	return float64(total) / float64(len(p)), float64(bad) / float64(len(p)/4)
}

// straight is an image's pixels as four bytes each, colours not multiplied by alpha.
func straight(img image.Image) []uint8 {
	out := image.NewNRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	return out.Pix
}

func TestDifferenceSeesAMovedLabel(t *testing.T) {
	one := AttentionMap([][]float64{{1, 0}, {0.5, 0.5}}, []string{"a", "b"}, []string{"a", "b"})
	two := AttentionMap([][]float64{{1, 0}, {0.4, 0.6}}, []string{"a", "b"}, []string{"a", "b"})
	_, a := picture(t, one)
	_, b := picture(t, two)
	if mean, bad := difference(a, b); mean <= 0.5 && bad <= 0.002 {
		t.Errorf("two maps look the same: mean %.3f, visible %.4f", mean, bad)
	}
}

var sentence = []string{"the", "cat", "sat", "on", "the", "mat", "because", "it", "was", "tired"}

// falling is a map (heads, n, n) whose rows sum to 1 and fall off with the distance,
// at another rate in each head; every third token also draws attention.
func falling(heads, n int) []float32 {
	var w []float32
	for h := range heads {
		for i := range n {
			row, sum := make([]float64, n), 0.0
			for j := range row {
				row[j] = math.Exp(-math.Abs(float64(i-j))/(0.7+2*float64(h))) + 0.3*float64((j+h)%3/2)
				sum += row[j]
			}
			for _, x := range row {
				w = append(w, float32(x/sum))
			}
		}
	}
	return w
}

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(sentence[i%len(sentence)], i/len(sentence))
	}
	return out
}

// A browser is stricter with SVG than with HTML: one bad byte and nothing shows.
func TestSVGIsWellFormed(t *testing.T) {
	p, err := Lines(hostile, "]]>", "\u0001 \xff", Series{hostile, nil, []float64{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []mime.Bundle{
		Render(p), AttentionMap(falling(2, 3), names(3), []string{hostile, "&lt;", "-->"}),
		AttentionMap(falling(1, 3), []string{"\x00", "\x1b[31m", "\xc3"}, names(3)),
	} {
		d := xml.NewDecoder(strings.NewReader(b.Data[mime.SVG]))
		elements := 0
		for {
			tok, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Errorf("%v in an SVG of %q", err, b.Data[mime.Text])
				break
			}
			if _, ok := tok.(xml.StartElement); ok {
				elements++
			}
		}
		if elements < 10 {
			t.Errorf("%d elements", elements)
		}
	}
}

func TestGoldenAttention(t *testing.T) {
	n := len(sentence)
	golden(t, "attention-one", AttentionMap(falling(1, n), sentence, sentence, AttentionTitle("layer 0")))
	golden(t, "attention-64", AttentionMap(falling(1, 64), names(64), names(64)))
	golden(t, "attention-heads", AttentionMap(falling(4, n), sentence, sentence, AttentionTitle("four heads")))
	golden(t, "attention-pooled", AttentionMap(falling(1, 200), names(200), names(200)))
	golden(t, "attention-pixels", AttentionMap(falling(6, 8), names(8)[:8], names(8)))
	golden(t, "attention-cross", AttentionMap(falling(1, n)[:3*n], []string{"le", "chat", "dort"}, sentence))
}

func TestGoldenPlots(t *testing.T) {
	var train, test []float64
	for i := range 60 {
		train = append(train, 2.3*math.Exp(-float64(i)/12)+0.05*math.Sin(float64(i)))
		test = append(test, 2.3*math.Exp(-float64(i)/14)+0.12)
	}
	test[30] = math.NaN()
	p, err := Lines("Loss", "epoch", "cross-entropy, nats", Series{"train", nil, train}, Series{"test", nil, test})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "lines", Render(p))
	s, err := Scatter("Points", "x", "y", Series{"a", []float64{1, 2, 3}, []float64{3, 1, 2}}, Series{"b", nil, []float64{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "scatter", Render(s))
	own := plot.New()
	own.Title.Text = "A plot as gonum draws it"
	own.X.Min, own.X.Max, own.Y.Min, own.Y.Max = 0, 1, 0, 1
	golden(t, "own", Render(own))
}
