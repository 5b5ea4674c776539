package display

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"attune/display/mime"
	"attune/display/palette"
)

// Of the model view: cells along an axis of a head's picture, and the side in points
// of the one that the pointer chooses.
const (
	tileCells = 48
	popSide   = 250.0
	shades    = 16
)

// ModelView draws every head of every layer as a small picture, queries down and keys
// across; the one under the pointer is drawn large beside them, with its entropy and
// distance. Colours are the square root of the weight in 16 steps, because attention
// falls off steeply. More than 48 tokens are pooled. What both lose stands below.
func (a *Attention) ModelView() mime.Bundle {
	if len(a.queries) == 0 || len(a.keys) == 0 {
		return errorBundle(fmt.Errorf("draw attention: no tokens"))
	}
	alone := *a
	alone.dealt = nil // whose distances are not shown here
	v := modelView{Attention: a, measures: alone.Measures()}
	v.quantise()
	v.measure()
	return answering(v.width, v.height, v.alt(), modelCSS, v.draw)
}

// modelCSS frames the head under the pointer and makes room for its large picture.
const modelCSS = `.t{pointer-events:all}.hot:hover>.t{stroke:#d9730d;stroke-width:1.5}svg:has(.hot:hover) .first{visibility:hidden}`

// modelView is the model view on its way to a pen.
type modelView struct {
	*Attention
	measures      Measures
	atlas         *atlas
	scale         shading
	notes         []string
	side, gap     float64
	width, height float64
	left          float64
}

// quantise pools each head and makes its cells the atlas' colours.
func (v *modelView) quantise() {
	q, k := len(v.queries), len(v.keys)
	rq, rk := (q+tileCells-1)/tileCells, (k+tileCells-1)/tileCells
	pooled := make([]grid, len(v.w))
	most := 0.0
	for h, w := range v.w {
		pooled[h] = poolWeights(w, q, k, rq, rk)
		most = max(most, slices.Max(pooled[h].data))
	}
	if most == 0 {
		most = 1
	}
	all := palette.Sequential()
	for i := range shades {
		v.scale.colors = append(v.scale.colors, all[i*(len(all)-1)/(shades-1)])
	}
	v.scale.lo, v.scale.hi = 0, most
	v.atlas = newAtlas(v.heads, v.layers, pooled[0].columns, pooled[0].rows, v.scale.colors)
	lost, whole := 0.0, 0.0
	for h, g := range pooled {
		x0, y0 := h%v.heads*g.columns, h/v.heads*g.rows
		for i, x := range g.data {
			u := math.Round(math.Sqrt(x/most) * (shades - 1))
			v.atlas.img.Pix[(y0+i/g.columns)*v.atlas.img.Stride+x0+i%g.columns] = uint8(u)
			back := u / (shades - 1)
			lost, whole = lost+math.Abs(back*back*most-x), whole+x
		}
	}
	if rq > 1 || rk > 1 {
		v.notes = append(v.notes, fmt.Sprintf("%d × %d tokens pooled: a cell is the mean over %s of the sum over %s", q, k, plural(rq, "query"), plural(rk, "key")))
	}
	v.notes = append(v.notes, fmt.Sprintf("%d shades of the square root, the brightest %.2g; rounding to them moves %.1f %% of the attention", shades, most, 100*lost/max(whole, 1e-30)))
	v.notes = append(v.notes, v.agreements(-1)...)
}

func (v *modelView) measure() {
	v.side, v.gap = min(max(430/float64(v.heads), 14), 76), 3
	v.left = margin + 34
	small := (v.side + v.gap) * float64(v.heads)
	v.width = v.left + small + 18 + popSide + margin
	v.width = max(v.width, widest(penText{size: 8}.style(), v.notes)+2*margin)
	body := max((v.side+v.gap)*float64(v.layers), popSide+34)
	v.height = margin + 40 + body + v.stripsHeight() + 14*float64(len(v.notes)) + margin
}

func (v *modelView) alt() string {
	s := fmt.Sprintf("attention, %s of %s, %s × %s", plural(v.layers, "layer"), plural(v.heads, "head"), plural(len(v.queries), "query"), plural(len(v.keys), "key"))
	for _, n := range v.notes {
		s += "; " + n
	}
	return s
}

func (v *modelView) draw(p pen) {
	small := penText{size: 8}
	p.text(v.left+(v.side+v.gap)*float64(v.heads)/2, margin+6, "heads", penText{size: 9.5})
	p.text(margin+4, margin+34+(v.side+v.gap)*float64(v.layers)/2, "layers", penText{size: 9.5, upright: true})
	top := margin + 30
	big := v.left + (v.side+v.gap)*float64(v.heads) + 15
	p.group("first", func() { v.drawLarge(p, 0, 0, big, top) })
	for l := range v.layers {
		y := top + (v.side+v.gap)*float64(l)
		p.text(v.left-5, y+v.side/2, fmt.Sprint(l), penText{size: 8, anchor: 1})
		for h := range v.heads {
			x := v.left + (v.side+v.gap)*float64(h)
			if l == 0 {
				p.text(x+v.side/2, top-7, fmt.Sprint(h), small)
			}
			p.group("hot", func() {
				p.tile(x, y, v.side, v.side, v.atlas, h, l)
				p.rect(x, y, v.side, v.side, color.NRGBA{}, "t")
				p.pops(func() { v.drawLarge(p, l, h, big, top) })
			})
		}
	}
	y := v.height - margin - 14*float64(len(v.notes)) - v.stripsHeight()
	v.drawStrips(p, v.left, y, v.width-v.left-margin)
	for i, n := range v.notes {
		p.text(margin, v.height-margin-14*float64(len(v.notes)-1-i)-6, n, penText{size: 8, anchor: -1})
	}
}

// drawLarge draws one head large, and what is measured of it. In the picture that is
// the first head.
func (v *modelView) drawLarge(p pen, l, h int, x, y float64) {
	p.tile(x, y, popSide, popSide, v.atlas, h, l)
	m := v.measures
	said := fmt.Sprintf("layer %d, head %d: entropy %.2f bits", l, h, m.Entropy[l][h])
	if m.Distance != nil {
		said += fmt.Sprintf(", %.1f tokens away", m.Distance[l][h])
	}
	p.text(x, y+popSide+10, said, penText{size: 8.5, anchor: -1})
}

func (a *Attention) stripsHeight() float64 {
	n := len(a.others(-1))
	if n == 0 {
		return 0
	}
	return stripRoom*float64(1+n) + 8
}

// drawStrips draws received attention and the scores as bars over the keys, each on a
// scale of its own.
func (a *Attention) drawStrips(p pen, x, y, w float64) {
	others := a.others(-1)
	if len(others) == 0 {
		return
	}
	per := (len(a.keys) + 127) / 128
	for i, s := range append([]Score{{"received", a.Received(-1)}}, others...) {
		base := y + stripRoom*float64(i+1) - 3
		p.text(x, base-6, s.Name, penText{size: 8, anchor: -1})
		if len(s.Values) != len(a.keys) {
			continue
		}
		values := pooledScore(s.Values, per)
		most := max(slices.Max(values), 1e-30)
		step := (w - stripLabel) / float64(len(values))
		for j, v := range values {
			h := max(v/most, 0) * (stripRoom - 5)
			p.rect(x+stripLabel+step*float64(j), base-h, step*0.86, h, scoreColor(i), "")
		}
	}
}
