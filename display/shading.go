package display

import (
	"fmt"
	"image"
	"image/color"
	stddraw "image/draw"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"attune/display/palette"
)

// shading turns values into the colours of a scale from lo to hi.
type shading struct {
	lo, hi float64
	colors []color.NRGBA
}

// over sets the scale's ends to those of the values, which may be all one.
func (s *shading) over(lo, hi float64) {
	if s.lo, s.hi = lo, hi; lo == hi {
		s.hi = lo + 1
	}
}

// settle refuses a scale that no picture can show. It takes every second colour: no
// eye tells them apart, and a file with a palette of 256 has room for the text's shades.
func (s *shading) settle() error {
	if !(s.hi > s.lo) || math.IsInf(s.hi-s.lo, 0) {
		return fmt.Errorf("scale from %v to %v", s.lo, s.hi)
	}
	all := palette.Sequential()
	for i := 1; i < len(all); i += 2 {
		s.colors = append(s.colors, all[i])
	}
	return nil
}

// shade is the index of a value's colour.
func (s *shading) shade(x float64) uint8 {
	t := (x - s.lo) / (s.hi - s.lo)
	return uint8(math.Round(min(max(t, 0), 1) * float64(len(s.colors)-1)))
}

// on is the colour for text on the shade of x: black or white, whichever stands out more,
// which is by 4.5:1 at least on any ground.
func (s *shading) on(x float64) color.NRGBA { return inkOn(s.colors[s.shade(x)]) }

func inkOn(ground color.NRGBA) color.NRGBA {
	white, black := color.NRGBA{0xff, 0xff, 0xff, 0xff}, color.NRGBA{0, 0, 0, 0xff}
	if palette.Contrast(black, ground) >= palette.Contrast(white, ground) {
		return black
	}
	return white
}

// paint fills rect with the cells of g, the first row on top. A PNG gets them right
// into its pixels, each edge on a whole one: sharp, and a hundred times faster than
// to have an image scaled. A cell that is not a number stays empty.
func (s *shading) paint(c draw.Canvas, g grid, rect vg.Rectangle) {
	pixels, ok := c.Canvas.(*vgimg.Canvas)
	if !ok {
		c.DrawImage(rect, s.cells(g, rect.Size()))
		return
	}
	img := pixels.Image()
	dot := func(l vg.Length) int { return int(math.Round(l.Dots(pixels.DPI()))) }
	size := rect.Size()
	for i := range g.rows {
		y0 := img.Bounds().Dy() - dot(rect.Max.Y-size.Y*vg.Length(i)/vg.Length(g.rows))
		y1 := img.Bounds().Dy() - dot(rect.Max.Y-size.Y*vg.Length(i+1)/vg.Length(g.rows))
		for j := range g.columns {
			if x := g.data[i*g.columns+j]; x == x {
				x0 := dot(rect.Min.X + size.X*vg.Length(j)/vg.Length(g.columns))
				x1 := dot(rect.Min.X + size.X*vg.Length(j+1)/vg.Length(g.columns))
				ground := image.NewUniform(s.colors[s.shade(x)])
				stddraw.Draw(img, image.Rect(x0, y0, x1, y1), ground, image.Point{}, stddraw.Src)
			}
		}
	}
}

// cells is a grid as an image for the SVG, in which every cell has the same whole
// number of pixels, so that a browser's scaling does not blur an edge much.
func (s *shading) cells(g grid, size vg.Point) image.Image {
	side := min(size.X/vg.Length(g.columns), size.Y/vg.Length(g.rows))
	k := min(max(1, int(math.Round(side.Dots(pageDPI)))), 64)
	pal := make(color.Palette, len(s.colors), len(s.colors)+1)
	for i, c := range s.colors {
		pal[i] = c
	}
	pal = append(pal, color.Transparent)
	img := image.NewPaletted(image.Rect(0, 0, g.columns*k, g.rows*k), pal)
	for y := range g.rows {
		line := img.Pix[y*k*img.Stride : (y*k+1)*img.Stride]
		for j := range g.columns {
			u := uint8(len(s.colors))
			if x := g.data[y*g.columns+j]; x == x {
				u = s.shade(x)
			}
			for x := range k {
				line[j*k+x] = u
			}
		}
		for i := 1; i < k; i++ {
			copy(img.Pix[(y*k+i)*img.Stride:], line)
		}
	}
	return img
}

// bar draws the scale: its two ends, round values between, and what is measured.
func (s *shading) bar(c draw.Canvas, x, y, h float64, what string) {
	scale := grid{rows: len(s.colors), columns: 1}
	for i := range s.colors {
		scale.data = append(scale.data, s.hi-(s.hi-s.lo)*float64(i)/float64(len(s.colors)-1))
	}
	frame(c, x, y, barWidth, h)
	s.paint(c, scale, vg.Rectangle{Min: at(x, y), Max: at(x+barWidth, y+h)})
	line := draw.LineStyle{Color: palette.Ink(), Width: vg.Points(0.5)}
	sty := TextStyle(8, font.Font{}, text.XLeft, text.YCenter)
	for _, t := range (RoundTicks{}).Ticks(s.lo, s.hi) {
		ty := y + h*(t.Value-s.lo)/(s.hi-s.lo)
		c.StrokeLine2(line, vg.Points(x+barWidth), vg.Points(ty), vg.Points(x+barWidth+3), vg.Points(ty))
		c.FillText(sty, at(x+barWidth+5, ty), t.Label)
	}
	if what != "" {
		sty.Rotation, sty.XAlign = math.Pi/2, text.XCenter
		c.FillText(sty, at(x+barWidth+34, y+h/2), what)
	}
}

// barRoom is the width in points that a plot keeps free at its right for the bar.
const barRoom = 58.0

// barPlotter draws a shading's bar beside a plot.
type barPlotter struct {
	*shading
	what string
}

// Plot implements plot.Plotter.
func (b barPlotter) Plot(c draw.Canvas, _ *plot.Plot) {
	h := min(c.Size().Y.Points(), 260)
	b.bar(c, c.Max.X.Points()+14, c.Max.Y.Points()-h, h, b.what)
}

// GlyphBoxes implements plot.GlyphBoxer: it keeps the bar's room free.
func (b barPlotter) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	return []plot.GlyphBox{{X: 1, Y: 0.5, Rectangle: vg.Rectangle{Max: at(barRoom, 0)}}}
}
