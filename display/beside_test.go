package display

import (
	"errors"
	"image"
	"strings"
	"testing"

	"attune/display/mime"
)

func TestBeside(t *testing.T) {
	b := Beside(image.NewGray(image.Rect(0, 0, 8, 8)), []struct{ A int }{{7}}, "<u>", errors.New("broken"), HTML("<i>mine</i>"))
	got := b.Data[mime.HTML]
	for _, want := range []string{
		`src="data:image/png;base64,`, `alt="image, 8×8 pixels`, `width="160" height="160"`, "flex:1 1 160px;max-width:160px", "<table", "&lt;u&gt;", "broken", "<i>mine</i>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the markup lacks %q", want)
		}
	}
	if strings.Contains(got, "<u>") {
		t.Error("text became markup")
	}
	if n := strings.Count(got, `<div style="flex:1 1 160px`) + strings.Count(got, `<div style="min-width:0">`); n != 5 {
		t.Errorf("%d parts of 5", n)
	}
	for _, want := range []string{"image, 8×8 pixels", "<u>", "broken"} {
		if !strings.Contains(b.Data[mime.Text], want) {
			t.Errorf("the text lacks %q: %s", want, b.Data[mime.Text])
		}
	}
}

func TestPicturesBesideEachOtherStayAlike(t *testing.T) {
	plots := charts(t)
	b := Beside(plots["bars"], plots["heat"], plots["boxes"])
	if h := b.Data[mime.HTML]; !strings.Contains(h, "grid-template-columns") || strings.Count(h, `width="624"`) != 3 || strings.Contains(h, "flex:1") {
		t.Errorf("%.400s", h)
	}
	if h := Beside(plots["bars"], 1).Data[mime.HTML]; !strings.Contains(h, "flex:1 1 380px;max-width:624px") {
		t.Errorf("%.400s", h)
	}
}
