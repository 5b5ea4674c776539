package display

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"attune/display/mime"
)

// A browser without Liberation draws with another font; the text must take the room
// that was measured, or it runs into what stands beside it.
func TestTextsKeepTheirWidth(t *testing.T) {
	p, err := Lines("a <text title", "x", "y", Series{Name: "iiii", Y: []float64{1, 2}}, Series{Name: "MMMM", Y: []float64{2, 1}})
	if err != nil {
		t.Fatal(err)
	}
	svg := Render(p).Data[mime.SVG]
	texts, fixed := strings.Count(svg, "<text "), strings.Count(svg, "<text textLength=")
	if texts < 6 || texts != fixed {
		t.Fatalf("%d texts, %d of them of fixed width", texts, fixed)
	}
	width := map[string]float64{}
	for _, m := range regexp.MustCompile(`(?s)<text textLength="([0-9.]+)"[^>]*>([^<]*)</text>`).FindAllStringSubmatch(svg, -1) {
		w, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		width[m[2]] = w
	}
	// At 9 points: an i of Liberation Sans is 0.222 em wide, an M 0.833 em.
	if i, m := width["iiii"], width["MMMM"]; i < 7.5 || i > 8.5 || m < 29.5 || m > 30.5 {
		t.Errorf("iiii is %g wide and MMMM %g: %v", i, m, width)
	}
}

// A grid's cells are seldom as wide as they are high; its image must fill its place.
func TestImagesInSVGFillTheirPlace(t *testing.T) {
	p, err := HeatMap("t", "x", "y", [][]float64{{1, 2, 3, 4}})
	if err != nil {
		t.Fatal(err)
	}
	svg := Render(p).Data[mime.SVG]
	if n := strings.Count(svg, "<image "); n != 2 || strings.Count(svg, `<image preserveAspectRatio="none" `) != n {
		t.Errorf("%d images in %s", n, svg)
	}
}
