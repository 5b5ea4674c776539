package display

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/png"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"attune/display/mime"
)

// The size of a plot that names none, and the density of its PNG: two pixels for
// each of the page's, which is what screens of the day have. A vg point is 1/72
// inch and a page's pixel 1/96.
const (
	figureWidth  = 6.5 * vg.Inch
	figureHeight = 4 * vg.Inch
	pageDPI      = 96
	density      = 2
)

// Figure is a plot at a size of its own. A zero size means 6.5 by 4 inches. The
// plot's colours are its own: white ground and black ink unless Theme changed them.
type Figure struct {
	Plot          *plot.Plot
	Width, Height vg.Length
}

// Bundle implements Bundler.
func (f Figure) Bundle() mime.Bundle { return f.saying("") }

// saying is the bundle with more behind its description.
func (f Figure) saying(more string) mime.Bundle {
	if f.Plot == nil {
		return mime.Plain("nil *plot.Plot")
	}
	if f.Width <= 0 {
		f.Width = figureWidth
	}
	if f.Height <= 0 {
		f.Height = figureHeight
	}
	return Draw(f.Width, f.Height, f.alt()+more, f.draw)
}

// alt says what a plot shows to those who cannot see it: its title and its axes.
func (f Figure) alt() string {
	alt := "plot"
	if f.Plot.Title.Text != "" {
		alt += ": " + f.Plot.Title.Text
	}
	sep := "; "
	for _, a := range []plot.Axis{f.Plot.X, f.Plot.Y} {
		if a.Label.Text == "" || !(a.Max >= a.Min) || math.IsInf(a.Max-a.Min, 0) {
			continue
		}
		alt += fmt.Sprintf("%s%s from %.3g to %.3g", sep, a.Label.Text, a.Min, a.Max)
		sep = ", "
	}
	return alt
}

// draw leaves a margin, because a plot's last tick label and its title touch the
// edge otherwise.
func (f Figure) draw(c draw.Canvas) {
	if f.Plot.BackgroundColor != nil {
		c.SetColor(f.Plot.BackgroundColor)
		c.Fill(c.Rectangle.Path())
	}
	const edge = 8
	f.Plot.Draw(draw.Crop(c, vg.Points(edge), -vg.Points(edge), vg.Points(edge), -vg.Points(edge)))
}

// Draw makes one bundle of a drawing: PNG at two pixels for one of the page's, SVG, HTML
// that shows the SVG and says alt to those who cannot see it, and alt as the text. draw is
// called twice, for PNG and for SVG, on an empty and transparent canvas of the given
// size. Where drawing fails the bundle is the error.
func Draw(width, height vg.Length, alt string, draw func(draw.Canvas)) mime.Bundle {
	return drawAt(density, width, height, alt, draw)
}

// Sketch is Draw for a picture that is soon replaced, in a Live: its PNG has one
// pixel for one of the page's, a quarter of the work, and the SVG stands in the HTML
// alone.
func Sketch(width, height vg.Length, alt string, draw func(draw.Canvas)) mime.Bundle {
	b := drawAt(1, width, height, alt, draw)
	delete(b.Data, mime.SVG)
	return b
}

func drawAt(density int, width, height vg.Length, alt string, draw func(draw.Canvas)) mime.Bundle {
	b := mime.Plain(alt)
	size := fmt.Sprintf("%.0f×%.0f", width.Dots(pageDPI), height.Dots(pageDPI))
	if err := drawPNG(&b, density, width, height, quick, draw); err != nil {
		return errorBundle(fmt.Errorf("draw %s as PNG of %s: %w", alt, size, err))
	}
	svg, err := drawSVG(width, height, alt, draw)
	if err != nil {
		return errorBundle(fmt.Errorf("draw %s as SVG of %s: %w", alt, size, err))
	}
	b.Data[mime.SVG] = svg
	b.Data[mime.HTML] = pictureTag(svgURI(svg), alt, int(math.Round(width.Dots(pageDPI))), int(math.Round(height.Dots(pageDPI))), onGround)
	return b
}

// onGround is the style of a drawing without a ground of its own. No ink has 4.5:1 on white
// and on JupyterLab's dark #111111 as well; so what lies behind the drawing is spread until
// it is white or black where it nearly was.
const onGround = ";backdrop-filter:contrast(1.35)"

// pictureTag is the element for a picture of w by h page pixels, or its own size for 0;
// style is added to its own.
// Front ends describe a picture to those who cannot see it only where HTML says how:
// JupyterLab and nbconvert have nowhere to say it for one that comes as PNG or SVG.
func pictureTag(uri, alt string, w, h int, style string) string {
	size := ""
	if w > 0 && h > 0 {
		size = fmt.Sprintf(` width="%d" height="%d"`, w, h)
	}
	return fmt.Sprintf(`<img alt="%s"%s style="max-width:100%%;height:auto%s" src="%s"/>`, html.EscapeString(alt), size, style, uri)
}

// svgURI is a drawing as a data URI, fit for an attribute in double quotes.
func svgURI(svg string) string {
	if !strings.Contains(svg, "'") {
		svg = strings.ReplaceAll(svg, `"`, "'")
	}
	return "data:image/svg+xml," + strings.NewReplacer("%", "%25", "#", "%23", "\n", "%0A", "&", "&amp;", `"`, "%22").Replace(svg)
}

// maxPixels bounds a canvas, so that a wrong unit is an error and not the end of
// the process's memory.
const maxPixels = 1 << 26

// coding is how a drawing becomes a PNG.
type coding int

const (
	// quick is the fastest level: drawings are flat areas, where the better ones gain a
	// tenth of the bytes for three times the time.
	quick coding = iota
	// small is for drawings full of lines and letters, where they gain half.
	small
)

// drawPNG adds the drawing as a PNG.
func drawPNG(b *mime.Bundle, density int, width, height vg.Length, how coding, paint func(draw.Canvas)) error {
	w, h := width.Dots(pageDPI), height.Dots(pageDPI)
	if w*h*float64(density*density) > maxPixels {
		density = 1
	}
	if !(w >= 1 && h >= 1 && w*h*float64(density*density) <= maxPixels) {
		return fmt.Errorf("size out of range")
	}
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(density*pageDPI), vgimg.UseBackgroundColor(image.Transparent.C))
	paint(draw.New(c))
	img := image.Image(c.Image())
	if rgba, ok := img.(*image.RGBA); ok {
		p := indexed(rgba)
		if p == nil && how == small {
			p = posterised(rgba)
		}
		if p != nil {
			img = p
		}
	}
	return putPNG(b, img, how, int(math.Round(w)), int(math.Round(h)))
}

// drawSVG adds to what vgsvg writes: what the picture shows, for those who cannot
// see it, fonts to fall back to where the browser has no Liberation, and how wide each
// text must come out then, since all that stands beside it was placed for Liberation.
func drawSVG(width, height vg.Length, alt string, paint func(draw.Canvas)) (string, error) {
	c := &measuring{Canvas: vgsvg.New(width, height)}
	paint(draw.New(c))
	var buf bytes.Buffer
	if _, err := c.WriteTo(&buf); err != nil {
		return "", err
	}
	s := c.fix(strings.Map(xmlRune, buf.String()))
	if i := strings.Index(s, "<svg "); i >= 0 {
		s = `<svg role="img" aria-label="` + html.EscapeString(strings.Map(xmlRune, alt)) + `" ` + s[i+len("<svg "):]
	}
	return strings.NewReplacer(
		// Without it a browser keeps the shape of an image's pixels and leaves its place
		// half empty (SVG 1.1, section 7.8).
		"<image ", `<image preserveAspectRatio="none" `,
		"font-family:Liberation Sans;", "font-family:Liberation Sans,Arial,Helvetica,sans-serif;",
		"font-family:Liberation Serif;", "font-family:Liberation Serif,Times,serif;",
		"font-family:Liberation Mono;", "font-family:Liberation Mono,monospace;",
	).Replace(s), nil
}

// measuring is an SVG canvas that keeps the width of each text drawn.
type measuring struct {
	*vgsvg.Canvas
	widths []vg.Length
}

// FillString implements vg.Canvas.
func (c *measuring) FillString(face font.Face, at vg.Point, s string) {
	c.widths = append(c.widths, face.Width(s))
	c.Canvas.FillString(face, at, s)
}

// fix writes the widths into the drawing's texts (SVG 1.1, section 10.5). Within a
// text "<" is escaped, so what begins an element is one.
func (c *measuring) fix(svg string) string {
	const begin = "<text "
	parts := strings.Split(svg, begin)
	if len(parts) != len(c.widths)+1 {
		return svg
	}
	var b strings.Builder
	b.WriteString(parts[0])
	for i, w := range c.widths {
		b.WriteString(begin)
		if w > 0 {
			fmt.Fprintf(&b, `textLength="%.2f" lengthAdjust="spacingAndGlyphs" `, w.Points())
		}
		b.WriteString(parts[i+1])
	}
	return b.String()
}

// xmlRune puts U+FFFD in place of what XML 1.0 (section 2.2) forbids, of which one is
// enough for a browser to show nothing. A byte that is no UTF-8 arrives as U+FFFD.
func xmlRune(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xfffe || r == 0xffff {
		return '\ufffd'
	}
	return r
}

// pictureMeta is what front ends are told of a picture.
type pictureMeta struct {
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Alt    string `json:"alt,omitempty"`
}

// putPNG adds img to b, to be shown w by h page pixels large.
func putPNG(b *mime.Bundle, img image.Image, how coding, w, h int) error {
	var buf bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	if how == small {
		e.CompressionLevel = png.DefaultCompression
	}
	if err := e.Encode(&buf, img); err != nil {
		return fmt.Errorf("encode PNG: %w", err)
	}
	return putPicture(b, mime.PNG, buf.Bytes(), w, h)
}

// mostTwice is up to how many bytes a picture stands in a bundle a second time, in HTML
// that describes it.
const mostTwice = 4 << 20

// putPicture adds a picture's file to b, to be shown w by h page pixels large, and b's
// text as its description.
func putPicture(b *mime.Bundle, typ string, data []byte, w, h int) error {
	meta, err := json.Marshal(pictureMeta{Width: w, Height: h, Alt: b.Data[mime.Text]})
	if err != nil {
		return fmt.Errorf("describe %s: %w", typ, err)
	}
	if b.Metadata == nil {
		b.Metadata = map[string]json.RawMessage{}
	}
	b.Metadata[typ] = meta
	b.Data[typ] = base64.StdEncoding.EncodeToString(data)
	if len(data) <= mostTwice {
		b.Data[mime.HTML] = pictureTag("data:"+typ+";base64,"+b.Data[typ], b.Data[mime.Text], w, h, "")
	}
	return nil
}
