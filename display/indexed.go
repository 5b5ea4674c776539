package display

import (
	"cmp"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
)

// A drawing whose 256 most frequent colours cover all but one pixel in loose is
// stored with a palette of these.
const loose = 25

// indexed is a drawing with a palette of at most 256 colours, or nil where that
// would change it visibly, as it would a photograph in a plot. Drawings are flat
// areas, letters and smoothed edges: the areas' colours are frequent and stay what
// they are to the bit, and the rare mixed colours along edges become the nearest of
// the frequent ones. The file is a quarter of the bytes and of the time to encode.
func indexed(img *image.RGBA) *image.Paletted { return paletted(img, false) }

// paletted is indexed, which with always is never nil.
func paletted(img *image.RGBA, always bool) *image.Paletted {
	counts := count(img)
	colors := make([]uint32, 0, len(counts))
	for px := range counts {
		colors = append(colors, px)
	}
	// Ties break by value, so that the same drawing makes the same file.
	slices.SortFunc(colors, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	rest := 0
	for _, px := range colors[min(256, len(colors)):] {
		rest += counts[px]
	}
	r := img.Bounds()
	if !always && (rest*loose > r.Dx()*r.Dy() || len(colors) > 1<<14) {
		return nil
	}
	out := image.NewPaletted(image.Rect(0, 0, r.Dx(), r.Dy()), nil)
	index := make(map[uint32]uint8, len(colors))
	// Mixed colours that share the upper half of every byte share their nearest: a
	// search for each of thousands would take as long as all the rest.
	mixed := make(map[uint32]uint8)
	for i, px := range colors {
		if i < 256 {
			index[px] = uint8(i)
			out.Palette = append(out.Palette, color.NRGBAModel.Convert(color.RGBA{uint8(px), uint8(px >> 8), uint8(px >> 16), uint8(px >> 24)}))
			continue
		}
		u, ok := mixed[px&0xf0f0f0f0]
		if !ok {
			u = nearest(px, colors[:256])
			mixed[px&0xf0f0f0f0] = u
		}
		index[px] = u
	}
	eachRun(img, func(px uint32, y, x0, x1 int) {
		u := index[px]
		row := out.Pix[y*out.Stride+x0 : y*out.Stride+x1]
		for i := range row {
			row[i] = u
		}
	})
	return out
}

// posterised is indexed for drawings that mix so many colours that these have no
// palette, as translucent lines over each other do: four bits a channel first, with
// which eyes see the same lines.
func posterised(img *image.RGBA) *image.Paletted {
	for i, u := range img.Pix {
		u &= 0xf0
		img.Pix[i] = u | u>>4
	}
	return paletted(img, true)
}

func count(img *image.RGBA) map[uint32]int {
	counts := map[uint32]int{}
	eachRun(img, func(px uint32, _, x0, x1 int) { counts[px] += x1 - x0 })
	return counts
}

// eachRun visits the runs of equal pixels, x0 to x1 in line y. A pixel is its four
// premultiplied bytes, red lowest.
func eachRun(img *image.RGBA, visit func(px uint32, y, x0, x1 int)) {
	r := img.Bounds()
	for y := range r.Dy() {
		row := img.Pix[y*img.Stride : y*img.Stride+4*r.Dx()]
		start, last := 0, binary.LittleEndian.Uint32(row)
		for x := 1; x < r.Dx(); x++ {
			if px := binary.LittleEndian.Uint32(row[4*x:]); px != last {
				visit(last, y, start, x)
				start, last = x, px
			}
		}
		visit(last, y, start, r.Dx())
	}
}

// nearest is the index of the colour closest to px, by premultiplied bytes: for
// smoothed edges that is how close they look on any ground.
func nearest(px uint32, colors []uint32) uint8 {
	best, at := 1<<30, 0
	for i, c := range colors {
		d := 0
		for shift := 0; shift < 32; shift += 8 {
			e := int(px>>shift&0xff) - int(c>>shift&0xff)
			d += e * e
		}
		if d < best {
			best, at = d, i
		}
	}
	return uint8(at)
}
