package display

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"math"
	"strings"
	"testing"

	gorgonia "gorgonia.org/tensor"

	"attune/display/mime"
	"attune/display/table"
)

func TestBytesOfKnownFormatsAreShown(t *testing.T) {
	var p, g bytes.Buffer
	img := image.NewPaletted(image.Rect(0, 0, 3, 2), nil)
	gray := image.NewGray(image.Rect(0, 0, 3, 2))
	if err := png.Encode(&p, gray); err != nil {
		t.Fatal(err)
	}
	img.Palette = append(img.Palette, gray.At(0, 0))
	if err := gif.Encode(&g, img, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		data      []byte
		typ, text string
	}{
		{p.Bytes(), mime.PNG, "PNG image, 3×2 pixels"},
		{g.Bytes(), mime.GIF, "GIF image, 3×2 pixels"},
		{wav(8000, 1, []byte{1, 2}), mime.HTML, "WAV, 46 B"},
		{[]byte("\x00\x00\x00\x20ftypisom...."), mime.HTML, "MP4, 16 B"},
		{[]byte("\x00\x00\x00\x20ftypM4A ...."), mime.HTML, "M4A, 16 B"},
		{[]byte("RIFF....WEBPVP8 "), mime.WebP, "WebP, 16 B"},
		{[]byte("\x1a\x45\xdf\xa3"), mime.HTML, "WebM, 4 B"},
		{[]byte("GIF8 is no picture"), "", `[]byte("GIF8 is no picture")`},
		{[]byte{1, 2}, "", "[]byte{1, 2}"},
		{nil, "", "nil []byte"},
	} {
		b := Render(c.data)
		if (c.typ != "") != (b.Data[c.typ] != "") || b.Data[mime.Text] != c.text {
			t.Errorf("%.12q: %q, types %v", c.data, b.Data[mime.Text], types(b))
		}
	}
	if b := Media([]byte("hello")); !strings.Contains(b.Data[mime.Text], "no format that is known") {
		t.Errorf("unknown: %s", b.Data[mime.Text])
	}
}

func TestAudioIsAWAVFile(t *testing.T) {
	b := Audio(8000, []float64{0, 1, -1, 2}, []float64{0.5, 0, math.NaN(), 0})
	if got := b.Data[mime.Text]; got != "audio, 0.00 s at 8000 Hz; 2 samples beyond ±1 cut off" {
		t.Errorf("text %q", got)
	}
	_, after, _ := strings.Cut(b.Data[mime.HTML], "base64,")
	coded, _, _ := strings.Cut(after, `"`)
	data, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		t.Fatal(err)
	}
	var samples [8]int16
	if err := binary.Read(bytes.NewReader(data[44:]), binary.LittleEndian, &samples); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(samples) != "[0 16384 32767 0 -32767 0 32767 0]" || string(data[:4]) != "RIFF" || int(binary.LittleEndian.Uint32(data[4:])) != len(data)-8 {
		t.Errorf("samples %v of %d bytes", samples, len(data))
	}
	for _, bad := range []mime.Bundle{Audio(8000), Audio(0, []float64{1}), Audio(1, []float64{1}, []float64{1, 2})} {
		if !strings.Contains(bad.Data[mime.Text], "play audio") {
			t.Errorf("text %q", bad.Data[mime.Text])
		}
	}
}

// cube is a tensor as package gpu's are: one whose values can be shared, or not.
type cube struct {
	shape  []int
	values []float32
	apart  bool
}

func (c *cube) Shape() []int { return c.shape }
func (c *cube) Data() ([]float32, error) {
	if c.apart {
		return nil, fmt.Errorf("elsewhere")
	}
	return c.values, nil
}
func (c *cube) Float32s() ([]float32, error) { return append([]float32(nil), c.values...), nil }

// labels are a tensor of integers, which names itself.
type labels struct{ *cube }

func (l *labels) Float32s() ([]float32, error) { return nil, fmt.Errorf("integers") }
func (l *labels) Int32s() ([]int32, error)     { return []int32{7, 1234567, -1 << 31}, nil }
func (l *labels) String() string               { return "i32 " + shapeText(l.shape) + " on cpu" }

func TestTensorsAreTables(t *testing.T) {
	values := make([]float32, 24)
	for i := range values {
		values[i] = float32(i) / 4
	}
	for _, apart := range []bool{false, true} {
		got := Render(&cube{[]int{2, 3, 4}, values, apart}).Data[mime.Text]
		if want := "   0     1    2     3\n0  0     0.25  0.5   0.75\n"; !strings.HasPrefix(strings.ReplaceAll(got, " ", ""), strings.ReplaceAll(want, " ", "")) ||
			!strings.HasSuffix(got, "*display.cube, shape (2, 3, 4); the first of 2 matrices") {
			t.Errorf("got\n%s", got)
		}
	}
	ids := labels{&cube{[]int{1, 3}, nil, true}}
	if got := Render(&ids).Data[mime.Text]; !strings.Contains(got, "7  1234567  -2147483648") || !strings.HasSuffix(got, "i32 (1, 3) on cpu") {
		t.Errorf("integers: %s", got)
	}
	if got := Render(&labels{&cube{nil, nil, true}}).Data[mime.Text]; got != "i32 () on cpu: 7" {
		t.Errorf("a single integer: %s", got)
	}
	d := gorgonia.New(gorgonia.WithShape(2, 2), gorgonia.WithBacking([]float64{1, 2, 3, 4.5}))
	if got := Render(d).Data[mime.Text]; !strings.HasSuffix(got, "*tensor.Dense, shape (2, 2)") || !strings.Contains(got, "4.5") {
		t.Errorf("gorgonia's: %s", got)
	}
	if err := d.T(); err != nil {
		t.Fatal(err)
	}
	if b := Render(d); b.Data[mime.HTML] != "" {
		t.Errorf("a transposed view was shown in its memory's order: %s", b.Data[mime.Text])
	}
	big := Render(&cube{[]int{10_000_000}, make([]float32, 10_000_000), false})
	if len(big.Data[mime.HTML]) > 20_000 {
		t.Errorf("%d bytes", len(big.Data[mime.HTML]))
	}
}

func TestDecimalPointsStandBelowEachOther(t *testing.T) {
	b := Render([][]float64{{1, 10.25}, {2.5, 3}, {math.NaN(), 100}})
	got := b.Data[mime.HTML]
	for _, want := range []string{">1\u2008\u2007<", ">2.5<", ">NaN<", ">10.25<", ">3\u2008\u2007\u2007<"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	units := table.Table{Columns: []table.Column{{Right: true}}, Rows: [][]string{{"6.2 s"}, {"0 ms"}}}
	if got := units.HTML(); strings.Contains(got, "\u2007") {
		t.Errorf("texts with units were aligned: %s", got)
	}
	if got := Render([][]float64{{1e-9}, {2.5}}).Data[mime.HTML]; strings.Contains(got, "\u2007") {
		t.Errorf("exponents were aligned: %s", got)
	}
}
