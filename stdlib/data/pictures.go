package data

import (
	"fmt"
	"image"
	"image/color"
	"slices"
)

// Pictures is N pictures of one size, each with a label, a byte a number: a quarter
// of what float32 takes, and an eighth of float64. A batch of them is float32.
type Pictures struct {
	// Bytes is (N, Channels, Height, Width), row-major, 0 (dark) to 255.
	Bytes []uint8
	// Labels is (N), each from 0; Names, where there are any, says what they mean.
	Labels []int
	Names  []string
	// Channels is 1 (grey) or 3 (red, green, blue).
	Channels, Height, Width int
}

// Len is N, the number of pictures.
func (p *Pictures) Len() int { return len(p.Labels) }

// Shape is (N, Channels, Height, Width).
func (p *Pictures) Shape() []int { return []int{p.Len(), p.Channels, p.Height, p.Width} }

// String says what the pictures are: "60000 pictures of 1×28×28, 10 classes".
func (p *Pictures) String() string {
	s := fmt.Sprintf("%d pictures of %d×%d×%d", p.Len(), p.Channels, p.Height, p.Width)
	if len(p.Names) > 0 {
		s += fmt.Sprintf(", %d classes", len(p.Names))
	}
	return s
}

func (p *Pictures) size() int { return p.Channels * p.Height * p.Width }

// One is the bytes of picture i, (Channels, Height, Width). It shares memory with p.
// An i out of range panics, as indexing a slice does.
func (p *Pictures) One(i int) []uint8 {
	return slices.Clip(p.Bytes)[i*p.size() : (i+1)*p.size() : (i+1)*p.size()]
}

// Name is what label i means: its name, or the number.
func (p *Pictures) Name(label int) string {
	if label >= 0 && label < len(p.Names) {
		return p.Names[label]
	}
	return fmt.Sprint(label)
}

// Pick is a copy of the pictures named by index, in that order; one may come twice.
func (p *Pictures) Pick(index ...int) *Pictures {
	out := *p
	out.Bytes, out.Labels = make([]uint8, 0, len(index)*p.size()), make([]int, 0, len(index))
	for _, i := range index {
		out.Bytes, out.Labels = append(out.Bytes, p.One(i)...), append(out.Labels, p.Labels[i])
	}
	return &out
}

// First is the first n pictures, or all where there are fewer. It shares memory with
// p.
func (p *Pictures) First(n int) *Pictures {
	n = max(0, min(n, p.Len()))
	out := *p
	out.Bytes, out.Labels = p.Bytes[:n*p.size():n*p.size()], p.Labels[:n:n]
	return &out
}

// Batch is the pictures of those indices as (N, Channels, Height, Width) numbers from
// 0 to 1.
func (p *Pictures) Batch(index []int) (*Batch, error) {
	size := p.size()
	b := &Batch{
		X: make([]float32, len(index)*size), Labels: make([]int, len(index)),
		Shape: []int{len(index), p.Channels, p.Height, p.Width},
	}
	for k, i := range index {
		if i < 0 || i >= p.Len() {
			return nil, outOfRange(i, p.Len())
		}
		to := b.X[k*size : (k+1)*size]
		for j, v := range p.One(i) {
			to[j] = float32(v) / 255
		}
		b.Labels[k] = p.Labels[i]
	}
	return b, nil
}

// Image is picture i, as bright as its bytes.
func (p *Pictures) Image(i int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	p.draw(img, i, 0, 0, 1)
	return img
}

func (p *Pictures) draw(img *image.RGBA, i, left, top, zoom int) {
	one, plane := p.One(i), p.Height*p.Width
	for at := range plane {
		c := color.RGBA{one[at], one[at], one[at], 255}
		if p.Channels == 3 {
			c.G, c.B = one[plane+at], one[2*plane+at]
		}
		for k := range zoom * zoom {
			img.SetRGBA(left+at%p.Width*zoom+k%zoom, top+at/p.Width*zoom+k/zoom, c)
		}
	}
}

// Sheet is all pictures side by side, in rows of columns (at least 1), each pixel
// twice as wide and high.
func (p *Pictures) Sheet(columns int) image.Image {
	const zoom = 2
	columns = max(1, min(columns, p.Len()))
	lines := (p.Len() + columns - 1) / columns
	w, h := p.Width*zoom+sheetGap, p.Height*zoom+sheetGap
	img := image.NewRGBA(image.Rect(0, 0, columns*w+sheetGap, lines*h+sheetGap))
	for i := range img.Pix {
		img.Pix[i] = 160
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	for i := range p.Len() {
		p.draw(img, i, sheetGap+i%columns*w, sheetGap+i/columns*h, zoom)
	}
	return img
}

// Batch is the pictures of those indices as (N, 1, Height, Width) numbers.
func (s *Images) Batch(index []int) (*Batch, error) {
	for _, i := range index {
		if i < 0 || i >= s.Len() {
			return nil, outOfRange(i, s.Len())
		}
	}
	some := s.Pick(index...)
	return &Batch{X: some.Pixels, Labels: some.Labels, Shape: []int{len(index), 1, s.Height, s.Width}}, nil
}
