package palette

import "image/color"

// Contrast is the ratio of two colours' luminances, 1 to 21 (WCAG 2.2, "contrast
// ratio"): 4.5 is asked of text, 3 of large text and of lines and areas.
func Contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is WCAG's relative luminance.
func luminance(c color.NRGBA) float64 {
	return 0.2126*decode(c.R) + 0.7152*decode(c.G) + 0.0722*decode(c.B)
}

// Over is what a translucent colour looks like on an opaque ground.
func Over(top, ground color.NRGBA) color.NRGBA {
	mix := func(t, g uint8) uint8 {
		return uint8((int(t)*int(top.A) + int(g)*(255-int(top.A)) + 127) / 255)
	}
	return color.NRGBA{mix(top.R, ground.R), mix(top.G, ground.G), mix(top.B, ground.B), 0xff}
}

// Eye is a way to see colours.
type Eye struct {
	Name string
	// sees is what the eye makes of linear red, green and blue, row by row.
	sees [9]float64
}

// Eyes are those of most people, and those without cones for red (protanopia), green
// (deuteranopia) and blue (tritanopia), after Machado, Oliveira and Fernandes, "A
// physiologically-based model for simulation of color vision deficiency" (2009),
// severity 1.
func Eyes() []Eye {
	return []Eye{
		{"all cones", [9]float64{1, 0, 0, 0, 1, 0, 0, 0, 1}},
		{"no red", [9]float64{0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998}},
		{"no green", [9]float64{0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881}},
		{"no blue", [9]float64{1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900}},
	}
}

// Distance is how far two colours lie apart for the eye, in OKLab: from 0 to 1, which
// is from black to white; 0.02 is just seen side by side.
func (e Eye) Distance(a, b color.NRGBA) float64 { return e.lab(a).distance(e.lab(b)) }

// Lightness is how light a colour is for the eye, from 0 to 1.
func (e Eye) Lightness(c color.NRGBA) float64 { return e.lab(c).l }

func (e Eye) lab(c color.NRGBA) lab {
	r, g, b := decode(c.R), decode(c.G), decode(c.B)
	var out [3]uint8
	for i := range out {
		out[i], _ = encode(e.sees[3*i]*r + e.sees[3*i+1]*g + e.sees[3*i+2]*b)
	}
	return fromSRGB(color.NRGBA{out[0], out[1], out[2], 0xff})
}
