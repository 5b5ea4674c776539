package display

import (
	"encoding/binary"
	"image"
	"image/color"
)

// indexed is img with a palette of at most 256 colours, or nil where it has more. A
// drawing of lines and text mostly fits, and is then a quarter of the bytes and of
// the time to encode. Opaque pixels keep their colour to the bit; half transparent
// ones, the smoothed edges of letters, keep it to five bits of alpha when that is
// what makes the colours fit.
func indexed(img *image.RGBA) *image.Paletted {
	if p := tryIndexed(img, false); p != nil {
		return p
	}
	return tryIndexed(img, true)
}

func tryIndexed(img *image.RGBA, coarse bool) *image.Paletted {
	r := img.Bounds()
	out := image.NewPaletted(image.Rect(0, 0, r.Dx(), r.Dy()), make(color.Palette, 0, 256))
	index := make(map[uint32]uint8, 256)
	last, lastIndex, any := uint32(0), uint8(0), false
	for y := range r.Dy() {
		row := img.Pix[y*img.Stride : y*img.Stride+4*r.Dx()]
		for x := range r.Dx() {
			px := binary.LittleEndian.Uint32(row[4*x:])
			if !any || px != last {
				last, any = px, true
				key := px
				if coarse {
					key = coarser(px)
				}
				i, ok := index[key]
				if !ok {
					if len(out.Palette) == 256 {
						return nil
					}
					i = uint8(len(out.Palette))
					index[key] = i
					c := color.RGBA{uint8(key), uint8(key >> 8), uint8(key >> 16), uint8(key >> 24)}
					out.Palette = append(out.Palette, color.NRGBAModel.Convert(c))
				}
				lastIndex = i
			}
			out.Pix[y*out.Stride+x] = lastIndex
		}
	}
	return out
}

// coarser rounds a premultiplied pixel's alpha to a 31st and its colour to match.
func coarser(px uint32) uint32 {
	a := px >> 24
	if a == 0 || a == 0xff {
		return px
	}
	level := (a*31 + 127) / 255
	to := (level*255 + 15) / 31
	var out uint32
	for shift := 0; shift < 24; shift += 8 {
		straight := min(((px>>shift&0xff)*255+a/2)/a, 255)
		// Straight colours of faint pixels are noisy from rounding; a step of 16 hides it.
		straight = min((straight+8)/16*16, 255)
		out |= (straight*to + 127) / 255 << shift
	}
	return out | to<<24
}
