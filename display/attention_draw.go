package display

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"attune/display/palette"
)

// Measures of the map in points. Cells stay within the bounds; below legible, token
// labels would overlap and only every n-th stands.
const (
	cellLeast, cellMost = 8.5, 30.0
	panelSpan           = 330.0 // what the cells of one head fill, of several manySpan
	manySpan            = 150.0
	legible             = 8.0
	margin              = 8.0
	barWidth            = 10.0
	tokenRunes          = 16
	noteHeight          = 14.0
	valuesFrom          = 24.0 // cells this large also show their value as a number
)

// attentionView is an attention map on its way to a canvas. All lengths in points.
type attentionView struct {
	title      string
	names      []string
	fixed      bool
	most       int
	heads      []grid
	queries    []string
	keys       []string
	notes      []string
	strips     []Score // bars under the keys of the first column
	perKey     int     // keys in a cell
	across     int     // panels in a row
	cell       float64 // side of a cell
	labelSize  float64
	left, foot float64 // room for the tokens beside and below a panel
	head       float64 // room for a panel's name
	turned     bool    // keys' tokens stand upright
	width      vg.Length
	height     vg.Length
	shading
}

// prepare pools long inputs and settles the scale.
func (v *attentionView) prepare(queries, keys []string) error {
	if v.most <= 0 {
		v.most = 64
		if len(v.heads) > 1 {
			v.most = 32
		}
	}
	rq := (len(queries) + v.most - 1) / v.most
	rk := (len(keys) + v.most - 1) / v.most
	if rq > 1 || rk > 1 {
		v.notes = append([]string{fmt.Sprintf("%d × %d tokens pooled: a cell is the mean over %s of the sum over %s",
			len(queries), len(keys), plural(rq, "query"), plural(rk, "key"))}, v.notes...)
	}
	v.perKey = rk
	v.heads = slices.Clone(v.heads)
	greatest, least := 0.0, 0.0
	for i, g := range v.heads {
		v.heads[i] = g.pool(rq, rk)
		greatest = max(greatest, slices.Max(v.heads[i].data))
		least = min(least, slices.Min(v.heads[i].data))
	}
	if !v.fixed {
		v.over(least, greatest)
	}
	if err := v.settle(); err != nil {
		return err
	}
	v.queries, v.keys = pooledTokens(queries, rq), pooledTokens(keys, rk)
	return nil
}

// pooledTokens labels each block of n tokens by its first, shortened and with white
// space made visible.
func pooledTokens(t []string, n int) []string {
	var out []string
	for i := 0; i < len(t); i += n {
		s := strings.NewReplacer("\n", "\\n", "\t", "\\t", "\r", "\\r").Replace(t[i])
		if strings.TrimSpace(s) == "" {
			s = strings.Repeat("·", max(1, len(s)))
		}
		if r := []rune(s); len(r) > tokenRunes {
			s = string(r[:tokenRunes-1]) + "…"
		}
		if n > 1 {
			s += " …"
		}
		out = append(out, s)
	}
	return out
}

// measure settles the layout before anything is drawn, because the canvas's size
// follows from it.
func (v *attentionView) measure() {
	n := len(v.heads)
	v.across = min(4, int(math.Ceil(math.Sqrt(float64(n)))))
	span, least := panelSpan, cellLeast
	if n > 1 {
		span, least = manySpan, 3.5
		v.head = 16
	}
	most := float64(max(len(v.queries), len(v.keys)))
	v.cell = min(max(span/most, least), cellMost)
	v.labelSize = min(max(v.cell*0.82, 6), 9)
	label := TextStyle(v.labelSize, font.Font{}, text.XLeft, text.YCenter)
	v.left = widest(label, v.queries) + 6
	keyWidth := widest(label, v.keys)
	v.turned = keyWidth > v.cell-3
	v.foot = v.labelSize + 6
	if v.turned {
		v.foot = keyWidth + 8
	}
	v.foot += v.stripsHeight()
	for _, s := range v.strips {
		v.left = max(v.left, widest(TextStyle(8, font.Font{}, text.XLeft, text.YCenter), []string{s.Name})+6)
	}
	rows := (n + v.across - 1) / v.across
	panelW, panelH := v.panel()
	w := margin + 16 + v.left + float64(v.across)*panelW + float64(v.across-1)*12 + 24 + barWidth + 34 + 12
	h := margin + 16 + v.foot + float64(rows)*(panelH+v.head) + float64(rows-1)*12 + v.top()
	h += noteHeight * float64(len(v.notes))
	w = max(w, widest(TextStyle(8, font.Font{}, text.XLeft, text.YBottom), v.notes)+2*margin)
	w = max(w, widest(v.titleStyle(), []string{v.title})+2*margin)
	v.width, v.height = vg.Points(w), vg.Points(max(h, 140))
}

// panel is the size of one head's cells.
func (v *attentionView) panel() (w, h float64) {
	return v.cell * float64(len(v.keys)), v.cell * float64(len(v.queries))
}

func (v *attentionView) top() float64 {
	if v.title == "" {
		return margin
	}
	return margin + 22
}

func (v *attentionView) titleStyle() text.Style {
	return TextStyle(11, font.Font{Weight: xfont.WeightBold}, text.XCenter, text.YTop)
}

func widest(sty text.Style, texts []string) float64 {
	w := 0.0
	for _, s := range texts {
		w = max(w, sty.Width(s).Points())
	}
	return w
}

func (v *attentionView) alt() string {
	s := fmt.Sprintf("attention map, %s × %s", plural(len(v.queries), "query"), plural(len(v.keys), "key"))
	heads := len(v.heads)
	if i := slices.Index(v.names, atRandom); i == heads-1 {
		s += ", beside it dealt at random"
		heads = max(1, heads-2)
	}
	if heads > 1 {
		s += fmt.Sprintf(", %d heads", heads)
	}
	if v.title != "" {
		s += ": " + v.title
	}
	for _, n := range v.notes {
		s += "; " + n
	}
	return s
}

func at(x, y float64) vg.Point { return vg.Point{X: vg.Points(x), Y: vg.Points(y)} }

// draw paints the whole; y grows upwards from the lower edge.
func (v *attentionView) draw(c draw.Canvas) {
	w, h := v.width.Points(), v.height.Points()
	panelW, panelH := v.panel()
	x0 := margin + 16 + v.left
	top := h - v.top()
	if v.title != "" {
		c.FillText(v.titleStyle(), at(w/2, h-margin), v.title)
	}
	rows := (len(v.heads) + v.across - 1) / v.across
	for i, g := range v.heads {
		column, row := i%v.across, i/v.across
		x := x0 + float64(column)*(panelW+12)
		y := top - float64(row)*(panelH+v.head+12) - v.head - panelH
		v.drawHead(c, i, g, x, y)
		if column == 0 {
			v.drawQueries(c, x, y)
		}
		// The lowest panel of each column carries the keys.
		if i+v.across >= len(v.heads) {
			if column == 0 {
				v.drawStrips(c, x, y)
				y -= v.stripsHeight()
			}
			v.drawKeys(c, x, y)
		}
	}
	all := float64(rows)*(panelH+v.head) + float64(rows-1)*12
	span := float64(v.across)*panelW + float64(v.across-1)*12
	axis := TextStyle(9.5, font.Font{}, text.XCenter, text.YCenter)
	c.FillText(axis, at(x0+span/2, top-all-v.foot-8), "key")
	axis.Rotation = math.Pi / 2
	c.FillText(axis, at(margin+4, top-all/2), "query")
	barHeight := min(max(all-v.head, 80), 260)
	v.bar(c, x0+span+24, top-v.head-barHeight, barHeight, "attention weight")
	for i, n := range v.notes {
		c.FillText(TextStyle(8, font.Font{}, text.XLeft, text.YBottom), at(margin, margin-4+noteHeight*float64(len(v.notes)-1-i)), n)
	}
}

func (v *attentionView) stripsHeight() float64 {
	if len(v.strips) == 0 {
		return 0
	}
	return stripRoom*float64(len(v.strips)) + 2
}

// drawStrips draws each score as bars under the keys, each on a scale of its own.
func (v *attentionView) drawStrips(c draw.Canvas, x, y float64) {
	sty := TextStyle(8, font.Font{}, text.XRight, text.YCenter)
	for i, s := range v.strips {
		foot := y - stripRoom*float64(i+1)
		c.FillText(sty, at(x-4, foot+(stripRoom-5)/2), s.Name)
		values := pooledScore(s.Values, v.perKey)
		if len(values) != len(v.keys) {
			continue
		}
		most := max(slices.Max(values), 1e-30)
		for j, value := range values {
			x0, x1 := x+v.cell*(float64(j)+0.08), x+v.cell*(float64(j)+0.92)
			top := foot + max(value/most, 0)*(stripRoom-5)
			c.FillPolygon(scoreColor(i), []vg.Point{at(x0, foot), at(x1, foot), at(x1, top), at(x0, top)})
		}
	}
}

// frame is a thin line around a rectangle, to be drawn before its inside so that the
// two do not mix into more colours.
func frame(c draw.Canvas, x, y, w, h float64) {
	c.StrokeLines(draw.LineStyle{Color: palette.Ink(), Width: vg.Points(1)},
		[]vg.Point{at(x, y), at(x+w, y), at(x+w, y+h), at(x, y+h), at(x, y)})
}

func (v *attentionView) drawHead(c draw.Canvas, i int, g grid, x, y float64) {
	w, h := v.panel()
	frame(c, x, y, w, h)
	v.paint(c, g, vg.Rectangle{Min: at(x, y), Max: at(x+w, y+h)})
	if len(v.heads) > 1 {
		name := "head " + strconv.Itoa(i)
		if i < len(v.names) {
			name = v.names[i]
		}
		c.FillText(TextStyle(9, font.Font{Weight: xfont.WeightBold}, text.XLeft, text.YBottom), at(x, y+h+3), name)
	}
	if v.cell >= valuesFrom {
		v.drawValues(c, g, x, y+h)
	}
}

func (v *attentionView) drawValues(c draw.Canvas, g grid, x, top float64) {
	sty := TextStyle(7, font.Font{}, text.XCenter, text.YCenter)
	for i := range g.rows {
		for j := range g.columns {
			sty.Color = v.on(g.data[i*g.columns+j])
			s := strings.TrimPrefix(strconv.FormatFloat(g.data[i*g.columns+j], 'f', 2, 64), "0")
			c.FillText(sty, at(x+(float64(j)+0.5)*v.cell, top-(float64(i)+0.5)*v.cell), s)
		}
	}
}

// stride is 1, or how many cells lie between two labels that do not touch.
func (v *attentionView) stride() int { return max(1, int(math.Ceil(legible/v.cell))) }

func (v *attentionView) drawQueries(c draw.Canvas, x, y float64) {
	sty := TextStyle(v.labelSize, font.Font{}, text.XRight, text.YCenter)
	_, h := v.panel()
	for i := 0; i < len(v.queries); i += v.stride() {
		c.FillText(sty, at(x-4, y+h-(float64(i)+0.5)*v.cell), v.queries[i])
	}
}

func (v *attentionView) drawKeys(c draw.Canvas, x, y float64) {
	sty := TextStyle(v.labelSize, font.Font{}, text.XCenter, text.YTop)
	if v.turned {
		sty.Rotation, sty.XAlign, sty.YAlign = math.Pi/2, text.XRight, text.YCenter
	}
	for j := 0; j < len(v.keys); j += v.stride() {
		c.FillText(sty, at(x+(float64(j)+0.5)*v.cell, y-4), v.keys[j])
	}
}
