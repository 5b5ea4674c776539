package data

import (
	"fmt"
	"image"
	"image/color"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
)

// Images is N grey pictures of one size, each with a label.
type Images struct {
	// Pixels is (N, Height, Width), row-major, each 0 (paper) to 1 (ink). Read as
	// (N, Height, Width) tokens, a picture's rows are a sequence of Height vectors.
	Pixels []float32
	// Labels is (N): what each picture shows, from 0.
	Labels        []int
	Height, Width int
}

// Len is N, the number of pictures.
func (s *Images) Len() int { return len(s.Labels) }

// Shape is (N, Height, Width).
func (s *Images) Shape() []int { return []int{s.Len(), s.Height, s.Width} }

// String says what the pictures are, not what they show: "1797 images of 8×8".
func (s *Images) String() string {
	return fmt.Sprintf("%d images of %d×%d", s.Len(), s.Height, s.Width)
}

// One is the pixels of picture i, (Height, Width). It shares memory with s. An i
// out of range panics, as indexing a slice does.
func (s *Images) One(i int) []float32 {
	size := s.Height * s.Width
	// Slicing may reach past the length, up to the capacity.
	return slices.Clip(s.Pixels)[i*size : (i+1)*size : (i+1)*size]
}

// Rows is picture i as Height tokens of Width numbers each. They share memory with
// s.
func (s *Images) Rows(i int) [][]float32 {
	one, rows := s.One(i), make([][]float32, s.Height)
	for y := range rows {
		rows[y] = one[y*s.Width : (y+1)*s.Width]
	}
	return rows
}

// Pick is a copy of the pictures named by index, in that order; one may come twice.
func (s *Images) Pick(index ...int) *Images {
	out := &Images{
		Pixels: make([]float32, 0, len(index)*s.Height*s.Width), Labels: make([]int, 0, len(index)),
		Height: s.Height, Width: s.Width,
	}
	for _, i := range index {
		out.Pixels, out.Labels = append(out.Pixels, s.One(i)...), append(out.Labels, s.Labels[i])
	}
	return out
}

// Shuffle is a copy in an order that depends on seed and N alone.
func (s *Images) Shuffle(seed uint64) *Images {
	return s.Pick(rand.New(rand.NewPCG(seed, 0)).Perm(s.Len())...)
}

// Split shuffles by seed and deals the pictures into two: the given share (0 to 1)
// of them, rounded, to train with, and the others, held out, to test with. The same
// pictures, share and seed give the same split on every machine.
func (s *Images) Split(share float64, seed uint64) (train, test *Images) {
	cut := min(s.Len(), max(0, int(math.Round(share*float64(s.Len())))))
	order := rand.New(rand.NewPCG(seed, 0)).Perm(s.Len())
	return s.Pick(order[:cut]...), s.Pick(order[cut:]...)
}

// Batches deals all pictures, in an order that rng chooses, into batches of size
// (at least 1); the last may be smaller.
func (s *Images) Batches(rng *rand.Rand, size int) iter.Seq[*Images] {
	size = max(size, 1)
	return func(yield func(*Images) bool) {
		order := rng.Perm(s.Len())
		for len(order) > 0 {
			k := min(size, len(order))
			if !yield(s.Pick(order[:k]...)) {
				return
			}
			order = order[k:]
		}
	}
}

// Image is picture i, dark ink on white paper.
func (s *Images) Image(i int) image.Image {
	img := image.NewGray(image.Rect(0, 0, s.Width, s.Height))
	s.draw(img, i, 0, 0, 1)
	return img
}

// draw puts picture i at (left, top), each pixel as a square of zoom by zoom.
func (s *Images) draw(img *image.Gray, i, left, top, zoom int) {
	for y, row := range s.Rows(i) {
		for x, ink := range row {
			c := color.Gray{Y: uint8(math.Round(255 * (1 - min(1, max(0, float64(ink))))))}
			for dy := range zoom {
				for dx := range zoom {
					img.SetGray(left+x*zoom+dx, top+y*zoom+dy, c)
				}
			}
		}
	}
}

// A contact sheet draws a picture's pixel as so many of the screen's, and leaves a
// grey gap between pictures.
const (
	sheetZoom = 6
	sheetGap  = 4
)

// Sheet is all pictures side by side, in rows of columns (at least 1), enlarged.
func (s *Images) Sheet(columns int) image.Image {
	columns = max(1, min(columns, s.Len()))
	lines := (s.Len() + columns - 1) / columns
	w, h := s.Width*sheetZoom+sheetGap, s.Height*sheetZoom+sheetGap
	img := image.NewGray(image.Rect(0, 0, columns*w+sheetGap, lines*h+sheetGap))
	for i := range img.Pix {
		img.Pix[i] = 160
	}
	for i := range s.Len() {
		s.draw(img, i, sheetGap+i%columns*w, sheetGap+i/columns*h, sheetZoom)
	}
	return img
}
