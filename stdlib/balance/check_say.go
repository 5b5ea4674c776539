package balance

import (
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"attune/display"
	"attune/display/mime"
	"attune/display/palette"
)

// Measures of the drawing in points.
const (
	checkWidth = 500.0
	checkName  = 128.0 // for the bounds' names
	checkSays  = 92.0  // for what is left
	checkRow   = 20.0
	checkKeys  = 22.0
)

// Bundle draws a bar for each bound above the table: what is in use here and by others,
// what the step adds, and what stays free or is missing.
func (v *Verdict) Bundle() mime.Bundle {
	said := v.say()
	out := said.Bundle()
	if len(v.Bounds) == 0 {
		return out
	}
	height := checkKeys + checkRow*float64(len(v.Bounds))
	bars := display.Draw(vg.Points(checkWidth), vg.Points(height), v.headline(), func(c draw.Canvas) { v.draw(c, height) })
	drawn := mime.Plain(said.String())
	// The first passage is what the picture's words say, and stands above it.
	drawn.Data[mime.PNG], drawn.Metadata = bars.Data[mime.PNG], bars.Metadata
	drawn.Data[mime.HTML] = said[:1].HTML() + bars.Data[mime.HTML] + said[1:].HTML()
	return drawn
}

// part is a stretch of a bar.
type part struct {
	name  string
	color color.NRGBA
	bytes int64
}

// parts are a bound's, from the left. What the step adds is cut where the bound ends,
// and what is missing goes on beyond it.
func (b Bound) parts() []part {
	kinds := palette.Kinds()
	fits := min(b.Needs, b.Free)
	return []part{
		{"used here", kinds[0], b.Own}, {"by others", color.NRGBA{0x80, 0x80, 0x80, 0xff}, b.Others},
		{"the step adds", kinds[1], fits}, {"missing", kinds[2], b.Needs - fits},
	}
}

func (v *Verdict) draw(canvas draw.Canvas, height float64) {
	at := func(x, y float64) vg.Point { return vg.Point{X: vg.Points(x), Y: vg.Points(y)} }
	box := func(c color.Color, x0, y0, x1, y1 float64) {
		canvas.FillPolygon(c, []vg.Point{at(x0, y0), at(x1, y0), at(x1, y1), at(x0, y1)})
	}
	room := checkWidth - checkName - checkSays
	left := display.TextStyle(8, font.Font{}, text.XRight, text.YCenter)
	right := display.TextStyle(8, font.Font{}, text.XLeft, text.YCenter)
	missing := false
	for i, b := range v.Bounds {
		y := height - checkRow*float64(i) - checkRow/2
		canvas.FillText(left, at(checkName-6, y), b.Name)
		// A bar as long as the bound, and shorter where something does not fit, which
		// goes on beyond its end up to as much again.
		unit := room / float64(b.All)
		if over := -b.Left(); over > 0 {
			missing = true
			unit = room / (float64(b.All) + min(float64(over), float64(b.All)))
		}
		end := checkName + unit*float64(b.All)
		box(palette.Rule(), checkName, y-6, end, y+6)
		x := checkName
		for _, p := range b.parts() {
			to := min(x+unit*float64(p.bytes), checkName+room)
			box(p.color, x, y-6, to, y+6)
			x = to
		}
		canvas.StrokeLine2(draw.LineStyle{Color: palette.Ink(), Width: vg.Points(1)}, vg.Points(end), vg.Points(y-8), vg.Points(end), vg.Points(y+8))
		says := bytesText(b.Left()) + " left"
		if b.Left() < 0 {
			says = bytesText(-b.Left()) + " missing"
		}
		canvas.FillText(right, at(checkName+room+6, y), says)
	}
	x := checkName
	keys := Bound{}.parts()
	if !missing {
		keys = keys[:len(keys)-1]
	}
	for _, p := range append(keys, part{name: "free", color: palette.Rule()}) {
		box(p.color, x, checkKeys/2-5, x+8, checkKeys/2+3)
		canvas.FillText(right, at(x+11, checkKeys/2-1), p.name)
		x += 22 + right.Width(p.name).Points()
	}
}
