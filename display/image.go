package display

import (
	"fmt"
	"image"
	"image/color"

	"attune/display/mime"
)

// Images smaller than smallImage either way are shown enlarged, each pixel as a
// square, because eight by eight pixels of data are a speck on a screen.
const (
	smallImage = 64
	largeSpeck = 160
)

func imageBundle(img image.Image) mime.Bundle {
	r := img.Bounds()
	if r.Empty() {
		return mime.Plain(fmt.Sprintf("%T, empty", img))
	}
	if r.Dx() > maxPixels/r.Dy() {
		return errorBundle(fmt.Errorf("show image of %d×%d: too large", r.Dx(), r.Dy()))
	}
	b := mime.Plain(fmt.Sprintf("image, %d×%d pixels", r.Dx(), r.Dy()))
	if k := largeSpeck / max(r.Dx(), r.Dy()); max(r.Dx(), r.Dy()) < smallImage && k > 1 {
		img = enlarged{img, k}
		b.Data[mime.Text] += fmt.Sprintf(", shown %d times as large", k)
		r = img.Bounds()
	}
	if err := putPNG(&b, img, quick, r.Dx(), r.Dy()); err != nil {
		return errorBundle(fmt.Errorf("show image: %w", err))
	}
	return b
}

// enlarged shows every pixel of an image as times by times of its own.
type enlarged struct {
	image.Image
	times int
}

func (e enlarged) Bounds() image.Rectangle {
	r := e.Image.Bounds()
	return image.Rect(0, 0, r.Dx()*e.times, r.Dy()*e.times)
}

func (e enlarged) At(x, y int) color.Color {
	r := e.Image.Bounds()
	return e.Image.At(r.Min.X+x/e.times, r.Min.Y+y/e.times)
}
