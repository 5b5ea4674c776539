package palette

import (
	"image/color"
	"math"
	"testing"
)

func TestContrastAndDistanceOfKnownColours(t *testing.T) {
	white, black := color.NRGBA{0xff, 0xff, 0xff, 0xff}, color.NRGBA{0, 0, 0, 0xff}
	if c := Contrast(black, white); math.Abs(c-21) > 1e-9 {
		t.Errorf("black on white: %v", c)
	}
	// The two greys of WCAG's technique G18 on either side of the bound.
	if a, b := Contrast(color.NRGBA{0x76, 0x76, 0x76, 0xff}, white), Contrast(color.NRGBA{0x77, 0x77, 0x77, 0xff}, white); a < 4.5 || b >= 4.5 {
		t.Errorf("#767676 %v, #777777 %v", a, b)
	}
	if c := Over(color.NRGBA{0xff, 0, 0, 0x80}, white); c != (color.NRGBA{0xff, 0x7f, 0x7f, 0xff}) {
		t.Errorf("half red on white is %v", c)
	}
	red, green := color.NRGBA{0xc0, 0x40, 0x40, 0xff}, color.NRGBA{0x56, 0x73, 0x40, 0xff}
	for _, e := range Eyes() {
		if d := e.Distance(white, black); math.Abs(d-1) > 0.01 {
			t.Errorf("%s: black and white %v apart", e.Name, d)
		}
		// What a red and a green cone tell apart, an eye without one does not.
		if d := e.Distance(red, green); (e.Name == "no red" || e.Name == "no green") != (d < 0.1) {
			t.Errorf("%s: red and green %v apart", e.Name, d)
		}
	}
}

func TestOneSetServesLightAndDark(t *testing.T) {
	white, black, dark := color.NRGBA{0xff, 0xff, 0xff, 0xff}, color.NRGBA{0, 0, 0, 0xff}, color.NRGBA{0x11, 0x11, 0x11, 0xff}
	check := func(name string, c color.NRGBA, least float64, grounds ...color.NRGBA) {
		for _, ground := range grounds {
			if got := Contrast(c, ground); got < least {
				t.Errorf("%s %v on %v: contrast %.2f, want %.1f", name, c, ground, got, least)
			}
		}
	}
	check("ink", Ink(), 4.5, white, black)
	check("ink", Ink(), 4.1, dark)
	for _, c := range Kinds() {
		check("kind", c, 3, white, dark)
	}
}

func TestKindsDifferForEveryEye(t *testing.T) {
	kinds := Kinds()
	for i, a := range kinds {
		for j, b := range kinds[:i] {
			least := 0.099
			if i == j+1 {
				least = 0.14
			}
			for _, e := range Eyes() {
				if d := e.Distance(a, b); d < least {
					t.Errorf("%d %v and %d %v, %s: distance %.3f, want %.2f", j, b, i, a, e.Name, d, least)
				}
			}
		}
	}
}

func TestSequentialIsEvenAndRises(t *testing.T) {
	s := Sequential()
	total := 0.0
	for i := 8; i < len(s); i += 8 {
		total += fromSRGB(s[i]).distance(fromSRGB(s[i-8]))
	}
	mean := total / float64((len(s)-1)/8)
	for i := 8; i < len(s); i += 8 {
		a, b := s[i-8], s[i]
		if d := fromSRGB(a).distance(fromSRGB(b)); d < 0.7*mean || d > 1.3*mean {
			t.Errorf("step to %d is %.4f, the mean %.4f", i, d, mean)
		}
		for _, e := range Eyes() {
			if e.Lightness(b) <= e.Lightness(a) {
				t.Errorf("%s: not brighter at %d: %v after %v", e.Name, i, b, a)
			}
		}
	}
	if len(s) != Steps {
		t.Errorf("%d steps", len(s))
	}
}
