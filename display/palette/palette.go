// Package palette owns the colours of attune's pictures: a sequential scale for
// values and a set for kinds, both to be told apart by colour-blind readers and on
// light and dark pages. It imports the standard library only.
package palette

import (
	"image/color"
	"math"
)

// Ink is the colour of text and Rule that of lines beside it. Ink is the one grey that has
// 4.5:1 on white and on black (WCAG 2.2, 1.4.3), so that one transparent picture serves
// light and dark pages; package display sees to it that their grounds are no greyer where
// it can. On #111111 itself it has 4.1:1, and none could have more than 4.3.
func Ink() color.NRGBA { return color.NRGBA{0x76, 0x76, 0x76, 0xff} }

// Rule is the colour of grid lines: Ink, mostly transparent.
func Rule() color.NRGBA { return color.NRGBA{0x80, 0x80, 0x80, 0x48} }

// Kinds are colours for lines and areas that differ in kind, in the order in which
// to use them. Each has 3:1 contrast on white and on #111111 (WCAG 2.2, 1.4.11). Any
// two differ by 0.1 and neighbours by 0.14 for each of Eyes; they were found by a search
// for the set that does, near colours whose names everybody knows.
func Kinds() []color.NRGBA {
	return []color.NRGBA{
		{0x3a, 0x58, 0xd2, 0xff}, // blue
		{0xd9, 0x73, 0x0d, 0xff}, // orange
		{0xae, 0x27, 0x98, 0xff}, // magenta
		{0x12, 0xa4, 0x7a, 0xff}, // green
		{0xa2, 0x72, 0xe0, 0xff}, // violet
		{0x85, 0x5f, 0x3c, 0xff}, // brown
	}
}

// Steps is how many colours Sequential has.
const Steps = 256

// Sequential is a scale from dark violet over blue and green to bright yellow whose
// colours lie at equal perceived distances along a path of steadily rising
// lightness. The path is drawn in OKLCH (B. Ottosson, "A perceptual color space for
// image processing", 2020): lightness and hue run evenly, chroma is the most that
// sRGB holds up to a bound; then it is cut into steps of equal length in OKLab.
func Sequential() []color.NRGBA {
	const fine = 4 * Steps
	path := make([]lab, fine)
	length := make([]float64, fine)
	for i := range path {
		path[i] = along(float64(i) / (fine - 1))
		if i > 0 {
			length[i] = length[i-1] + path[i].distance(path[i-1])
		}
	}
	colors := make([]color.NRGBA, Steps)
	j := 0
	for i := range colors {
		for j < fine-1 && length[j] < length[fine-1]*float64(i)/(Steps-1) {
			j++
		}
		colors[i], _ = path[j].srgb()
	}
	return colors
}

// along is the path of Sequential at t in [0, 1].
func along(t float64) lab {
	const (
		dark, bright = 0.26, 0.91
		first, last  = 308.0, 105.0 // degrees: violet, yellow
		most, dip    = 0.125, 0.038
	)
	hue := (first + (last-first)*math.Pow(t, 1.1)) * math.Pi / 180
	l := dark + (bright-dark)*t
	// Blue-greens have the least chroma in sRGB; a bound that dips there keeps the
	// path off the gamut's edge, where a bend would show as a band.
	lo, hi := 0.0, most-dip*math.Exp(-(t-0.45)*(t-0.45)/0.05)
	for range 24 {
		mid := (lo + hi) / 2
		if _, ok := (lab{l, mid * math.Cos(hue), mid * math.Sin(hue)}).srgb(); ok {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lab{l, lo * math.Cos(hue), lo * math.Sin(hue)}
}

// lab is a colour in OKLab: lightness in [0, 1], a from green to red, b from blue to
// yellow.
type lab struct{ l, a, b float64 }

func (c lab) distance(d lab) float64 {
	return math.Sqrt((c.l-d.l)*(c.l-d.l) + (c.a-d.a)*(c.a-d.a) + (c.b-d.b)*(c.b-d.b))
}

// srgb is the nearest sRGB colour, and whether c lies in sRGB at all. The matrices
// are those of Ottosson's paper.
func (c lab) srgb() (color.NRGBA, bool) {
	l := cube(c.l + 0.3963377774*c.a + 0.2158037573*c.b)
	m := cube(c.l - 0.1055613458*c.a - 0.0638541728*c.b)
	s := cube(c.l - 0.0894841775*c.a - 1.2914855480*c.b)
	r, rok := encode(4.0767416621*l - 3.3077115913*m + 0.2309699292*s)
	g, gok := encode(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s)
	b, bok := encode(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s)
	return color.NRGBA{r, g, b, 0xff}, rok && gok && bok
}

// fromSRGB is c in OKLab.
func fromSRGB(c color.NRGBA) lab {
	r, g, b := decode(c.R), decode(c.G), decode(c.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return lab{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

func cube(x float64) float64 { return x * x * x }

// encode and decode are sRGB's transfer function (IEC 61966-2-1) on linear light.
func encode(x float64) (uint8, bool) {
	ok := x >= -1e-4 && x <= 1+1e-4
	x = min(max(x, 0), 1)
	if x <= 0.0031308 {
		x *= 12.92
	} else {
		x = 1.055*math.Pow(x, 1/2.4) - 0.055
	}
	return uint8(math.Round(x * 255)), ok
}

func decode(u uint8) float64 {
	x := float64(u) / 255
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}
