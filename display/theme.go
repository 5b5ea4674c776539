package display

import (
	"image/color"
	"math"
	"strconv"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"attune/display/palette"
)

// Theme gives p the look of attune's own plots, which suits a light and a dark page:
// no ground, middle-grey text in a plain face, no axis line across the data, and
// ticks at round numbers. It changes p and returns it.
func Theme(p *plot.Plot) *plot.Plot {
	p.BackgroundColor = color.Transparent
	p.Title.TextStyle = TextStyle(11, font.Font{Weight: xfont.WeightBold}, text.XCenter, text.YTop)
	p.Title.Padding = vg.Points(6)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle = TextStyle(9.5, font.Font{}, text.XCenter, text.YBottom)
		a.Label.Padding = vg.Points(3)
		a.LineStyle = draw.LineStyle{Color: palette.Rule(), Width: vg.Points(0.75)}
		a.Tick.LineStyle = a.LineStyle
		a.Tick.Length = vg.Points(4)
		a.Tick.Marker = RoundTicks{}
		a.Padding = vg.Points(3)
	}
	p.X.Tick.Label = TextStyle(8.5, font.Font{}, text.XCenter, text.YTop)
	p.Y.Tick.Label = TextStyle(8.5, font.Font{}, text.XRight, text.YCenter)
	p.Legend.TextStyle = TextStyle(9, font.Font{}, text.XLeft, text.YBottom)
	p.Legend.Padding = vg.Points(3)
	p.Legend.YPosition = draw.PosCenter
	p.Legend.Top = true
	p.Legend.ThumbnailWidth = vg.Points(18)
	p.Legend.XOffs, p.Legend.YOffs = -vg.Points(4), -vg.Points(4)
	return p
}

// TextStyle is text of the theme: size in points, and of face its weight and slant.
func TextStyle(size float64, face font.Font, x text.XAlignment, y text.YAlignment) text.Style {
	face.Typeface, face.Variant = "Liberation", "Sans"
	return text.Style{
		Color: palette.Ink(), Font: font.From(face, vg.Points(size)), XAlign: x, YAlign: y,
		Handler: plot.DefaultTextHandler,
	}
}

// RoundTicks marks values of an axis at steps of 1, 2 or 5 times a power of ten.
type RoundTicks struct {
	// Unit, where given, stands behind each number.
	Unit string
	// Parts is the most steps to make; 0 means 6.
	Parts int
}

// Ticks implements plot.Ticker.
func (r RoundTicks) Ticks(lo, hi float64) []plot.Tick {
	parts := r.Parts
	if parts <= 0 {
		parts = 6
	}
	step := roundStep(hi-lo, parts)
	if step == 0 {
		return []plot.Tick{{Value: lo, Label: strconv.FormatFloat(lo, 'g', 4, 64) + r.Unit}}
	}
	digits := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var ticks []plot.Tick
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+step*1e-9; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: tickLabel(i*step, digits) + r.Unit})
	}
	return ticks
}

func tickLabel(v float64, digits int) string {
	if a := math.Abs(v); a >= 1e6 || digits > 5 && a > 0 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// roundStep is the smallest 1, 2 or 5 times a power of ten that divides span into
// at most n parts; 0 for a span that has none.
func roundStep(span float64, n int) float64 {
	if !(span > 0) || math.IsInf(span, 0) {
		return 0
	}
	raw := span / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}
