package data

import (
	"fmt"
	"image"
	_ "image/gif"  // so that Decode knows it
	_ "image/jpeg" // so that Decode knows it
	_ "image/png"  // so that Decode knows it
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Folder reads pictures (PNG, JPEG, GIF) from the folders in dir: each folder's name is
// a class, in the order of the alphabet. All are scaled to height by width, each pixel
// the mean of what it covers, in colour.
func Folder(dir string, height, width int) (*Pictures, error) {
	if height < 1 || width < 1 {
		return nil, fmt.Errorf("read the pictures: want a height and a width, not %d and %d", height, width)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the pictures: %w", err)
	}
	p := &Pictures{Channels: 3, Height: height, Width: width}
	for _, class := range entries {
		if !class.IsDir() || strings.HasPrefix(class.Name(), ".") {
			continue
		}
		files, err := os.ReadDir(filepath.Join(dir, class.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the pictures: %w", err)
		}
		for _, f := range files {
			if !slices.Contains([]string{".png", ".jpg", ".jpeg", ".gif"}, strings.ToLower(filepath.Ext(f.Name()))) {
				continue
			}
			img, err := openPicture(filepath.Join(dir, class.Name(), f.Name()))
			if err != nil {
				return nil, err
			}
			p.Bytes, p.Labels = scaled(p.Bytes, img, height, width), append(p.Labels, len(p.Names))
		}
		p.Names = append(p.Names, class.Name())
	}
	if p.Len() == 0 {
		return nil, fmt.Errorf("read the pictures: no folder in %s has a .png, .jpg or .gif; each class needs a folder of its own", dir)
	}
	return p, nil
}

// mostPixels bounds what a file may say it unpacks to: 100 million, a large camera's.
const mostPixels = 100_000_000

func openPicture(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the pictures: %w", err)
	}
	defer f.Close() // only read
	c, _, err := image.DecodeConfig(f)
	if err == nil && (c.Width < 1 || c.Height < 1 || c.Width > mostPixels/c.Height) {
		err = fmt.Errorf("%d by %d pixels", c.Width, c.Height)
	}
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("read the pictures: %s: %w", path, err)
	}
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("read the pictures: %s: %w", path, err)
	}
	return img, nil
}

// scaled appends the picture as (3, height, width).
func scaled(to []uint8, img image.Image, height, width int) []uint8 {
	b := img.Bounds()
	out := make([]uint8, 3*height*width)
	for y := range height {
		y0, y1 := span(y, height, b.Dy())
		for x := range width {
			x0, x1 := span(x, width, b.Dx())
			var sum [3]uint64
			for v := y0; v < y1; v++ {
				for u := x0; u < x1; u++ {
					r, g, bl, _ := img.At(b.Min.X+u, b.Min.Y+v).RGBA()
					sum[0], sum[1], sum[2] = sum[0]+uint64(r), sum[1]+uint64(g), sum[2]+uint64(bl)
				}
			}
			n := uint64((y1 - y0) * (x1 - x0))
			for c := range sum {
				out[(c*height+y)*width+x] = uint8((sum[c]/n + 128) / 257)
			}
		}
	}
	return append(to, out...)
}

// span is what pixel i of n covers of size pixels: at least one.
func span(i, n, size int) (lo, hi int) {
	lo = min(i*size/n, size-1)
	return lo, max(lo+1, (i+1)*size/n)
}
