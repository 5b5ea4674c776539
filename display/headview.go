package display

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"attune/display/mime"
	"attune/display/palette"
)

// Measures of the views in points.
const (
	rowHeight  = 13.0
	lineRoom   = 190.0 // between the tokens of the head view
	scoreRoom  = 76.0  // of a score's bars beside it
	mostRows   = 48    // tokens a side; more are pooled
	mostLines  = 1200
	faintest   = 0.02 // weights below are not drawn as lines
	stripRoom  = 20.0 // of a score's strip below a view
	stripLabel = 118.0
)

// line is one line of the head view.
type line struct {
	head, query, key int
	weight           float64
}

// HeadView draws the attention of one layer as lines from each query at the left to
// the keys at the right, a colour for each head, the stronger the heavier. With the
// pointer on a token only its lines stay, and numbers say their weights; on a head's
// name only that head's. More than 48 tokens are pooled, faint lines left out, and the
// picture says how much of the attention is drawn.
func (a *Attention) HeadView(layer int) mime.Bundle {
	if layer < 0 || layer >= a.layers {
		return errorBundle(fmt.Errorf("draw attention of layer %d: there are %s", layer, plural(a.layers, "layer")))
	}
	v := headView{Attention: a, layer: layer}
	v.collect()
	v.measure()
	return answering(v.width, v.height, v.alt(), v.css(), v.draw)
}

// headView is the head view on its way to a pen.
type headView struct {
	*Attention
	layer           int
	left, right     []string // pooled tokens
	lines           []line
	mean            [][]float64 // of the heads, pooled (queries, keys)
	note            string
	leftW, rightW   float64
	top             float64
	chips           int // heads in a row of names
	width, height   float64
	received        []Score
	perLeft, perKey int
}

// collect pools the layer and chooses the lines.
func (v *headView) collect() {
	q, k := len(v.queries), len(v.keys)
	v.perLeft, v.perKey = (q+mostRows-1)/mostRows, (k+mostRows-1)/mostRows
	v.left, v.right = pooledTokens(v.queries, v.perLeft), pooledTokens(v.keys, v.perKey)
	v.mean = make([][]float64, len(v.left))
	for i := range v.mean {
		v.mean[i] = make([]float64, len(v.right))
	}
	all := 0.0
	for h := range v.heads {
		p := poolWeights(v.head(v.layer, h), q, k, v.perLeft, v.perKey)
		for i, x := range p.data {
			all += x
			v.mean[i/p.columns][i%p.columns] += x / float64(v.heads)
			if x >= faintest {
				v.lines = append(v.lines, line{h, i / p.columns, i % p.columns, x})
			}
		}
	}
	slices.SortFunc(v.lines, func(a, b line) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return (a.head-b.head)*1e6 + (a.query-b.query)*1e3 + a.key - b.key
	})
	v.lines = v.lines[:min(len(v.lines), mostLines)]
	drawn := 0.0
	for _, l := range v.lines {
		drawn += l.weight
	}
	v.note = fmt.Sprintf("%s carry %.0f %% of the attention", plural(len(v.lines), "line"), 100*drawn/max(all, 1e-30))
	if v.perLeft > 1 || v.perKey > 1 {
		v.note += fmt.Sprintf("; tokens pooled: the mean over %s of the sum over %s", plural(v.perLeft, "query"), plural(v.perKey, "key"))
	}
	if others := v.others(v.layer); len(others) > 0 {
		v.received = append([]Score{{"received", v.Received(v.layer)}}, others...)
	}
}

// poolWeights is grid.pool for float32: blocks of rq queries and rk keys, the mean over
// the queries of the sum over the keys. One pass over the weights.
func poolWeights(w []float32, q, k, rq, rk int) grid {
	out := grid{rows: (q + rq - 1) / rq, columns: (k + rk - 1) / rk}
	out.data = make([]float64, out.rows*out.columns)
	for i := range q {
		row := w[i*k : (i+1)*k]
		to := out.data[i/rq*out.columns:][:out.columns]
		share := 1 / float64(min(rq, q-i/rq*rq))
		for j := range to {
			sum := float32(0)
			for _, x := range row[j*rk : min((j+1)*rk, k)] {
				sum += x
			}
			to[j] += float64(sum) * share
		}
	}
	return out
}

// pooledScore is a score for each block of n keys: the sum.
func pooledScore(s []float64, n int) []float64 {
	out := make([]float64, (len(s)+n-1)/n)
	for i, x := range s {
		out[i/n] += x
	}
	return out
}

func (v *headView) measure() {
	style := penText{size: 9}.style()
	v.leftW, v.rightW = widest(style, v.left), widest(style, v.right)
	v.width = margin + v.leftW + 10 + lineRoom + 10 + v.rightW + 34 + float64(len(v.received))*scoreRoom + margin
	v.width = max(v.width, widest(penText{size: 8}.style(), []string{v.note})+2*margin, 300)
	v.chips = max(1, int((v.width-2*margin)/54))
	v.top = margin + 18 + float64((v.heads+v.chips-1)/v.chips)*14 + 18
	v.height = v.top + rowHeight*float64(max(len(v.left), len(v.right))) + 8 + 14*float64(1+len(v.agreements(v.layer))) + margin
}

func (v *headView) title() string { return fmt.Sprintf("attention of layer %d", v.layer) }

func (v *headView) alt() string {
	s := fmt.Sprintf("%s, %s: lines between %s and %s; %s", v.title(), plural(v.heads, "head"), plural(len(v.left), "query"), plural(len(v.right), "key"), v.note)
	for _, l := range v.agreements(v.layer) {
		s += "; " + l
	}
	return s
}

// agreements says for each score how far it orders the keys as received attention of a
// layer does, or of all for -1.
func (a *Attention) agreements(layer int) []string { return agree(a.Received(layer), a.others(layer)) }

func agree(received []float64, others []Score) (lines []string) {
	for _, s := range others {
		if len(s.Values) == len(received) {
			lines = append(lines, fmt.Sprintf("%s orders the tokens as received attention does: Kendall's τ %.2f", s.Name, Agreement(received, s.Values)))
		} else {
			lines = append(lines, fmt.Sprintf("%s: %d values for %s", s.Name, len(s.Values), plural(len(received), "key")))
		}
	}
	return lines
}

// css shows the lines of what the pointer is on and fades the others.
func (v *headView) css() string {
	var b strings.Builder
	b.WriteString(`.l{pointer-events:none;transition:opacity .12s}.hit{pointer-events:all}` +
		`.hot:hover>.hit{fill:#3a58d2;fill-opacity:.25}svg:has(.q:hover) .q:not(:hover)>.l{opacity:.03}`)
	for j := range v.right {
		fmt.Fprintf(&b, `svg:has(.k%d:hover) .l:not(.t%d)`, j, j)
		if j < len(v.right)-1 {
			b.WriteString(`,`)
		}
	}
	b.WriteString(`{opacity:.03}`)
	for h := range v.heads {
		fmt.Fprintf(&b, `.h%d{stroke:%s}`, h, hex(headColor(h)))
	}
	for h := range v.heads {
		fmt.Fprintf(&b, `svg:has(.c%d:hover) .l:not(.h%d)`, h, h)
		if h < v.heads-1 {
			b.WriteString(`,`)
		}
	}
	b.WriteString(`{opacity:.03}`)
	return b.String()
}

func headColor(h int) color.NRGBA {
	kinds := palette.Kinds()
	return kinds[h%len(kinds)]
}

func (v *headView) y(i int) float64 { return v.top + rowHeight*(float64(i)+0.5) }

func (v *headView) draw(p pen) {
	p.text(v.width/2, margin+6, v.title(), penText{size: 11, bold: true})
	v.drawHeads(p)
	x0 := margin + v.leftW + 6
	x1 := x0 + lineRoom + 8
	p.text(x0, v.top-8, "query", penText{size: 8, anchor: 1})
	p.text(x1, v.top-8, "key", penText{size: 8, anchor: -1})
	by := make([][]line, len(v.left))
	for _, l := range v.lines {
		by[l.query] = append(by[l.query], l)
	}
	for j, s := range v.right {
		p.group(fmt.Sprintf("hot k%d", j), func() {
			p.rect(x1-2, v.y(j)-rowHeight/2, v.rightW+6, rowHeight, color.NRGBA{}, "hit")
			p.text(x1, v.y(j), s, penText{size: 9, anchor: -1})
		})
	}
	for i, s := range v.left {
		p.group("q hot", func() {
			p.rect(x0-v.leftW-4, v.y(i)-rowHeight/2, v.leftW+8, rowHeight, color.NRGBA{}, "hit")
			p.text(x0, v.y(i), s, penText{size: 9, anchor: 1})
			for _, l := range slices.Backward(by[i]) {
				c := headColor(l.head)
				c.A = uint8(255 * min(0.12+0.88*math.Sqrt(l.weight), 1))
				p.curve(x0+4, v.y(i), x1-4, v.y(l.key), c, 0.4+2.2*l.weight, fmt.Sprintf("l h%d t%d", l.head, l.key))
			}
			p.pops(func() { v.drawNumbers(p, i, x1+v.rightW+30) })
		})
	}
	v.drawScores(p, x1+v.rightW+40)
	y := v.y(max(len(v.left), len(v.right))) + 8
	for _, s := range append([]string{v.note}, v.agreements(v.layer)...) {
		p.text(margin, y, s, penText{size: 8, anchor: -1})
		y += 14
	}
}

func (v *headView) drawHeads(p pen) {
	for h := range v.heads {
		x, y := margin+54*float64(h%v.chips), margin+24+14*float64(h/v.chips)
		p.group(fmt.Sprintf("hot c%d", h), func() {
			p.rect(x-2, y-6, 52, 12, color.NRGBA{}, "hit")
			p.rect(x, y-4, 8, 8, headColor(h), "")
			p.text(x+11, y, fmt.Sprintf("head %d", h), penText{size: 8, anchor: -1})
		})
	}
}

// drawNumbers writes the greatest weights of a query beside its keys.
func (v *headView) drawNumbers(p pen, query int, x float64) {
	for j, w := range v.mean[query] {
		if w >= 0.005 {
			p.text(x, v.y(j), strings.TrimPrefix(fmt.Sprintf("%.2f", w), "0"), penText{size: 8, anchor: 1})
		}
	}
}

// drawScores draws each score as bars beside the keys, each on a scale of its own.
func (v *headView) drawScores(p pen, x float64) {
	for i, s := range v.received {
		p.text(x, v.top-8, s.Name, penText{size: 8, anchor: -1})
		if len(s.Values) == len(v.keys) {
			values := pooledScore(s.Values, v.perKey)
			most := max(slices.Max(values), 1e-30)
			for j, y := range values {
				p.rect(x, v.y(j)-4, max(y/most, 0)*(scoreRoom-14), 8, scoreColor(i), "")
			}
		}
		x += scoreRoom
	}
}

// scoreColor is the colour of score i, received attention first.
func scoreColor(i int) color.NRGBA {
	if i > 0 {
		i++ // not the second colour, so that no bar looks like a head's line
	}
	kinds := palette.Kinds()
	return kinds[i%len(kinds)]
}
