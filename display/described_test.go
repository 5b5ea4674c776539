package display

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strconv"
	"strings"
	"testing"

	"attune/display/displaytest"
	"attune/display/mime"
	"attune/display/palette"
)

// drawings are one of everything that is drawn or played.
func drawings(t *testing.T) map[string]mime.Bundle {
	a := attention(t, 2, 2, 6).WithRandom(1).Beside(ablated(6))
	grey := image.NewPaletted(image.Rect(0, 0, 9, 7), color.Palette{color.Black, color.White})
	var asPNG, asJPEG, asGIF bytes.Buffer
	for _, err := range []error{png.Encode(&asPNG, grey), jpeg.Encode(&asJPEG, grey, nil), gif.Encode(&asGIF, grey, nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	curves := NewCurves("Loss", "step", "nats")
	curves.Add("training", 2)
	all := map[string]mime.Bundle{
		"image": Render(grey), "PNG": Render(PNG(asPNG.Bytes())), "JPEG": Render(JPEG(asJPEG.Bytes())),
		"bytes of PNG": Render(asPNG.Bytes()), "bytes of GIF": Render(asGIF.Bytes()),
		"bytes of WebP": Render([]byte("RIFF....WEBPVP8 ")), "WAV": Audio(8000, []float64{0, 1}), "WebM": Render([]byte("\x1a\x45\xdf\xa3....")),
		"SVG": Render(SVG("<svg><title>A ring &amp; a dot</title></svg>")), "graph": Render(classifier()),
		"map": AttentionMap(falling(2, 4), names(4), names(4)), "head": a.HeadView(0), "model": a.ModelView(), "tokens": a.TokenView(-1),
		"measures": a.Measures().Bundle(), "matrix": a.MatrixView(0, 1), "patches": attention(t, 1, 1, 4).PatchView(face(), 2, 2, 0, -1, 0),
		"bar": NewBar("", 10).Bundle(), "curves": curves.Bundle(),
	}
	for name, p := range charts(t) {
		all["plot of "+name] = Render(p)
	}
	var pair []any
	for _, b := range all {
		pair = append(pair, b)
	}
	all["beside"] = Beside(pair...)
	return all
}

func TestEveryPictureIsDescribed(t *testing.T) {
	for name, b := range drawings(t) {
		if err := displaytest.Described(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string]mime.Bundle{
		"empty alt": {Data: map[string]string{mime.Text: "x", mime.HTML: `<p><img alt="" src="data:,"/>`}},
		"no alt":    {Data: map[string]string{mime.Text: "x", mime.HTML: `<img src="data:,">`}},
		"no HTML":   {Data: map[string]string{mime.Text: "x", mime.PNG: "AAAA"}},
		"mute SVG":  {Data: map[string]string{mime.Text: "x", mime.HTML: `<svg viewBox='0 0 1 1'></svg>`}},
		"no text":   {Data: map[string]string{mime.HTML: "<b>x</b>"}},
	} {
		if displaytest.Described(b) == nil {
			t.Errorf("%s passes as described", name)
		}
	}
}

// WCAG 2.2, 1.4.3: text has 4.5:1 on what is behind it.
func TestTextStandsOutOnEveryShade(t *testing.T) {
	hold := func(what string, ink, ground color.NRGBA) {
		if c := palette.Contrast(ink, ground); c < 4.5 {
			t.Errorf("%s: %v on %v has %.2f:1", what, ink, ground, c)
		}
	}
	var s shading
	s.over(0, 1)
	if err := s.settle(); err != nil {
		t.Fatal(err)
	}
	for x := 0.0; x <= 1; x += 0.01 {
		hold("a cell's number", s.on(x), s.colors[s.shade(x)])
	}
	pages := map[string][2]color.NRGBA{ // JupyterLab's text and ground
		"light": {{0x21, 0x21, 0x21, 0xff}, {0xff, 0xff, 0xff, 0xff}},
		"dark":  {{0xff, 0xff, 0xff, 0xff}, {0x11, 0x11, 0x11, 0xff}},
	}
	for i, c := range palette.Kinds() {
		hold("a node's label", inkOn(c), c)
		for share := 0.0; share <= 1; share += 0.05 {
			score := scoreColor(i)
			hold("a token in the picture", inkOn(chip(score, shadeOf(share))), chip(score, shadeOf(share)))
			score.A = uint8(255 * shadeOf(share))
			for page, p := range pages {
				hold("a token on the "+page+" page", p[0], palette.Over(score, p[1]))
			}
		}
	}
}

// Text of drawings without a ground of their own has 4.5:1 on the grounds of light and dark
// pages, once a browser has spread these as the drawing asks (Filter Effects 1, contrast).
func TestInkStandsOutOnEveryPage(t *testing.T) {
	for name, b := range map[string]mime.Bundle{"plot": Render(charts(t)["bars"]), "view": attention(t, 2, 2, 6).HeadView(0)} {
		_, after, ok := strings.Cut(b.Data[mime.HTML], "backdrop-filter:contrast(")
		by, err := strconv.ParseFloat(after[:max(0, strings.Index(after, ")"))], 64)
		if !ok || err != nil {
			t.Fatalf("the %s asks for no contrast: %v", name, err)
		}
		for _, grey := range []uint8{0xff, 0xf5, 0, 0x11, 0x1e} { // of JupyterLab, and of VS Code
			x := min(255, max(0, (float64(grey)-127.5)*by+127.5))
			ground := color.NRGBA{uint8(x), uint8(x), uint8(x), 0xff}
			if c := palette.Contrast(palette.Ink(), ground); c < 4.5 {
				t.Errorf("%s: ink on a page of grey %d has %.2f:1", name, grey, c)
			}
		}
	}
	if photo := Render(image.NewGray(image.Rect(0, 0, 2, 2))).Data[mime.HTML]; strings.Contains(photo, "backdrop") {
		t.Errorf("a photo changes its page: %s", photo)
	}
}
