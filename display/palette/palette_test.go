package palette

import (
	"image/color"
	"testing"
)

// luminance is WCAG's relative luminance.
func luminance(c color.NRGBA) float64 {
	return 0.2126*decode(c.R) + 0.7152*decode(c.G) + 0.0722*decode(c.B)
}

func contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// withoutGreen is c as seen without green cones, withoutRed without red ones
// (Machado, Oliveira, Fernandes 2009, severity 1, on linear light).
func withoutGreen(c color.NRGBA) lab {
	return seen(c, [9]float64{0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881})
}

func withoutRed(c color.NRGBA) lab {
	return seen(c, [9]float64{0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998})
}

func seen(c color.NRGBA, m [9]float64) lab {
	r, g, b := decode(c.R), decode(c.G), decode(c.B)
	var out [3]uint8
	for i := range out {
		out[i], _ = encode(m[3*i]*r + m[3*i+1]*g + m[3*i+2]*b)
	}
	return fromSRGB(color.NRGBA{out[0], out[1], out[2], 0xff})
}

func TestOneSetServesLightAndDark(t *testing.T) {
	white, black := color.NRGBA{0xff, 0xff, 0xff, 0xff}, color.NRGBA{0x11, 0x11, 0x11, 0xff}
	check := func(name string, c color.NRGBA, least float64) {
		for _, ground := range []color.NRGBA{white, black} {
			if got := contrast(c, ground); got < least {
				t.Errorf("%s %v on %v: contrast %.2f, want %.1f", name, c, ground, got, least)
			}
		}
	}
	check("ink", Ink(), 4.2)
	for _, c := range Kinds() {
		check("kind", c, 3)
	}
}

func TestNeighbouringKindsDifferForEveryEye(t *testing.T) {
	kinds := Kinds()
	for i := 1; i < len(kinds); i++ {
		a, b := kinds[i-1], kinds[i]
		for name, d := range map[string]float64{
			"full":          fromSRGB(a).distance(fromSRGB(b)),
			"without green": withoutGreen(a).distance(withoutGreen(b)),
			"without red":   withoutRed(a).distance(withoutRed(b)),
		} {
			if d < 0.12 {
				t.Errorf("%v and %v, %s: distance %.3f", a, b, name, d)
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
		if withoutGreen(b).l <= withoutGreen(a).l || withoutRed(b).l <= withoutRed(a).l || luminance(b) <= luminance(a) {
			t.Errorf("not brighter at %d: %v after %v", i, b, a)
		}
	}
	if len(s) != Steps {
		t.Errorf("%d steps", len(s))
	}
}
