package display

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"attune/display/mime"
	"attune/display/palette"
)

// pen draws a view twice: as a picture, and as an SVG whose parts answer to the
// pointer by style sheet alone. Lengths are points, y grows downwards.
type pen interface {
	text(x, y float64, s string, style penText)
	// curve leads from one point to the other, level at both ends; in an SVG its class
	// has the colour.
	curve(x0, y0, x1, y1 float64, c color.NRGBA, width float64, class string)
	rect(x, y, w, h float64, fill color.NRGBA, class string)
	// tile draws one of an atlas' squares.
	tile(x, y, w, h float64, a *atlas, column, row int)
	// group makes what f draws one part of that class.
	group(class string, f func())
	// pops draws what shows only while the pointer is on its group.
	pops(f func())
}

// penText is how a text stands: anchor -1 begins at x, 0 has its middle there, 1 ends
// there. y is the middle of its height.
type penText struct {
	size    float64
	anchor  int
	bold    bool
	upright bool // turned by a quarter, to be read from below
	class   string
}

func (t penText) style() text.Style {
	face := font.Font{}
	if t.bold {
		face.Weight = xfont.WeightBold
	}
	s := TextStyle(t.size, face, text.XAlignment(-0.5*float64(t.anchor+1)), text.YCenter)
	if t.upright {
		s.Rotation = math.Pi / 2
	}
	switch t.class {
	case "bright":
		s.Color = color.White
	case "dark":
		s.Color = color.Black
	}
	return s
}

// classOn is a text's class for the ink that inkOn gives.
func classOn(ink color.NRGBA) string {
	if ink.R == 0 {
		return "dark"
	}
	return "bright"
}

// atlas is many grids of one size in one image of 16 colours, so that hundreds of
// small pictures are one file.
type atlas struct {
	img             *image.Paletted
	columns, rows   int // of squares
	across, upright int // pixels of one
	encoded         string
}

func newAtlas(columns, rows, across, upright int, colors []color.NRGBA) *atlas {
	a := &atlas{columns: columns, rows: rows, across: across, upright: upright}
	pal := make(color.Palette, len(colors))
	for i, c := range colors {
		pal[i] = c
	}
	a.img = image.NewPaletted(image.Rect(0, 0, columns*across, rows*upright), pal)
	return a
}

// uri is the image as a data URI.
func (a *atlas) uri() string {
	if a.encoded == "" {
		var buf bytes.Buffer
		// A Buffer takes everything, and the image's size is in range.
		_ = (&png.Encoder{CompressionLevel: png.DefaultCompression}).Encode(&buf, a.img)
		a.encoded = "data:image/png;base64," + base64.StdEncoding.EncodeToString(buf.Bytes())
	}
	return a.encoded
}

// canvasPen draws on a canvas of gonum's.
type canvasPen struct {
	c      draw.Canvas
	height float64
}

func (p canvasPen) at(x, y float64) vg.Point { return at(x, p.height-y) }

func (p canvasPen) text(x, y float64, s string, t penText) { p.c.FillText(t.style(), p.at(x, y), s) }

func (p canvasPen) curve(x0, y0, x1, y1 float64, c color.NRGBA, width float64, _ string) {
	var path vg.Path
	path.Move(p.at(x0, y0))
	mid := (x0 + x1) / 2
	path.CubeTo(p.at(mid, y0), p.at(mid, y1), p.at(x1, y1))
	p.c.SetLineStyle(draw.LineStyle{Color: c, Width: vg.Points(width)})
	p.c.Stroke(path)
}

func (p canvasPen) rect(x, y, w, h float64, fill color.NRGBA, _ string) {
	p.c.FillPolygon(fill, []vg.Point{p.at(x, y), p.at(x+w, y), p.at(x+w, y+h), p.at(x, y+h)})
}

func (p canvasPen) tile(x, y, w, h float64, a *atlas, column, row int) {
	g := grid{rows: a.upright, columns: a.across}
	s := shading{lo: 0, hi: float64(len(a.img.Palette) - 1)}
	for _, c := range a.img.Palette {
		s.colors = append(s.colors, color.NRGBAModel.Convert(c).(color.NRGBA))
	}
	for i := range g.rows {
		for j := range g.columns {
			g.data = append(g.data, float64(a.img.ColorIndexAt(column*a.across+j, row*a.upright+i)))
		}
	}
	s.paint(p.c, g, vg.Rectangle{Min: p.at(x, y+h), Max: p.at(x+w, y)})
}

func (p canvasPen) group(_ string, f func()) { f() }

func (p canvasPen) pops(func()) {}

// svgPen writes SVG.
type svgPen struct {
	b     strings.Builder
	atlas *atlas
}

func (p *svgPen) class(name string) {
	if name != "" {
		fmt.Fprintf(&p.b, ` class='%s'`, name)
	}
}

func (p *svgPen) text(x, y float64, s string, t penText) {
	w := t.style().Width(s).Points()
	if w <= 0 {
		return
	}
	fmt.Fprintf(&p.b, `<text x='%.4g' y='%.4g' font-size='%.3g'`, x, y, t.size)
	if t.anchor != -1 {
		fmt.Fprintf(&p.b, ` text-anchor='%s'`, [2]string{"middle", "end"}[t.anchor])
	}
	if t.bold {
		p.b.WriteString(` font-weight='bold'`)
	}
	if t.upright {
		fmt.Fprintf(&p.b, ` transform='rotate(-90 %.4g %.4g)'`, x, y)
	}
	p.class(t.class)
	fmt.Fprintf(&p.b, ` textLength='%.4g' lengthAdjust='spacingAndGlyphs' dy='.35em'>%s</text>`, w, html.EscapeString(strings.Map(xmlRune, s)))
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func (p *svgPen) curve(x0, y0, x1, y1 float64, c color.NRGBA, width float64, class string) {
	mid := (x0 + x1) / 2
	fmt.Fprintf(&p.b, `<path d='M%.4g %.4gC%.4g %.4g %.4g %.4g %.4g %.4g' opacity='%.2g' stroke-width='%.2g'`, x0, y0, mid, y0, mid, y1, x1, y1, float64(c.A)/255, width)
	p.class(class)
	p.b.WriteString(`/>`)
}

func (p *svgPen) rect(x, y, w, h float64, fill color.NRGBA, class string) {
	fmt.Fprintf(&p.b, `<rect x='%.4g' y='%.4g' width='%.4g' height='%.4g' fill='%s'`, x, y, w, h, hex(fill))
	if fill.A != 0xff {
		fmt.Fprintf(&p.b, ` fill-opacity='%.2g'`, float64(fill.A)/255)
	}
	p.class(class)
	p.b.WriteString(`/>`)
}

// tile shows its square through a window on the atlas, which stands once in the file.
func (p *svgPen) tile(x, y, w, h float64, a *atlas, column, row int) {
	p.atlas = a
	fmt.Fprintf(&p.b, `<svg x='%.4g' y='%.4g' width='%.4g' height='%.4g' viewBox='%d %d %d %d' preserveAspectRatio='none'><use href='#atlas'/></svg>`,
		x, y, w, h, column*a.across, row*a.upright, a.across, a.upright)
}

func (p *svgPen) group(class string, f func()) {
	p.b.WriteString(`<g`)
	p.class(class)
	p.b.WriteString(`>`)
	f()
	p.b.WriteString(`</g>`)
}

func (p *svgPen) pops(f func()) { p.group("pop", f) }

// document is the whole SVG.
func (p *svgPen) document(width, height float64, alt, css string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='%s' viewBox='0 0 %.5g %.5g' width='%.0f' height='%.0f' font-family='Liberation Sans,Arial,Helvetica,sans-serif' fill='none'>`,
		html.EscapeString(strings.Map(xmlRune, alt)), width, height, width*pageDPI/72, height*pageDPI/72)
	ink := hex(palette.Ink())
	b.WriteString(`<style>text{fill:` + ink + `;cursor:default}.bright{fill:#fff}.dark{fill:#000}.hot{cursor:crosshair}.pop{visibility:hidden}g:hover>.pop{visibility:visible}` + css + `</style>`)
	if p.atlas != nil {
		r := p.atlas.img.Bounds()
		fmt.Fprintf(&b, `<defs><image id='atlas' width='%d' height='%d' style='image-rendering:pixelated' href='%s'/></defs>`, r.Dx(), r.Dy(), p.atlas.uri())
	}
	return b.String() + p.b.String() + `</svg>`
}

// answering is the bundle of a view that answers to the pointer: a PNG, and HTML with
// the SVG as a document of its own. What that holds is the picture, which a browser
// shows where the document may not be: in a notebook that is not trusted, whose HTML
// loses the object and keeps what it holds, or where no object may load.
func answering(width, height float64, alt, css string, paint func(pen)) mime.Bundle {
	b := mime.Plain(alt)
	canvas := func(c draw.Canvas) { paint(canvasPen{c, height}) }
	if err := drawPNG(&b, density, vg.Points(width), vg.Points(height), small, canvas); err != nil {
		return errorBundle(fmt.Errorf("draw %s: %w", alt, err))
	}
	p := &svgPen{}
	paint(p)
	w, h := width*pageDPI/72, height*pageDPI/72
	b.Data[mime.HTML] = fmt.Sprintf(`<object type="image/svg+xml" width="%.0f" height="%.0f" style="max-width:100%%;color-scheme:light%s" aria-label="%s" data="%s">%s</object>`,
		w, h, onGround, html.EscapeString(alt), svgURI(p.document(width, height, alt, css)), b.Data[mime.HTML])
	return b
}
