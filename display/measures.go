package display

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"attune/display/mime"
)

// Measures are numbers of each head, by layer and head: how spread its attention is,
// and how far it looks (Vig and Belinkov 2019).
type Measures struct {
	// Entropy is the mean over the queries, in bits: 0 for one key alone, the binary
	// logarithm of the number of keys for all alike.
	Entropy [][]float64
	// Distance is the mean distance to the keys in tokens, weighted; nil where queries
	// are not the keys.
	Distance [][]float64
	// Even is what the two are for attention that is spread evenly over all keys.
	Even [2]float64
	// Dealt is Distance of the same weights dealt out at random, where that baseline was
	// asked for (WithRandom). Dealing leaves the entropy as it is.
	Dealt [][]float64

	others []Score
}

// Beside is m with other numbers of each head next to it: what is lost without the head,
// for instance. A score has a value for each head, layer by layer.
func (m Measures) Beside(scores ...Score) Measures {
	m.others = append(slices.Clone(m.others), scores...)
	return m
}

// Measures measures every head. Scores of tokens that stand beside a are none of heads;
// those that are, Measures.Beside takes.
func (a *Attention) Measures() Measures {
	q, k := len(a.queries), len(a.keys)
	m := Measures{Even: [2]float64{math.Log2(float64(k)), float64(k*k-1) / float64(3*k)}}
	for l := range a.layers {
		entropy, distance := make([]float64, a.heads), make([]float64, a.heads)
		for h := range a.heads {
			entropy[h], distance[h] = spread(a.head(l, h), q, k)
		}
		m.Entropy = append(m.Entropy, entropy)
		if q != k {
			continue
		}
		m.Distance = append(m.Distance, distance)
		if a.dealt != nil {
			chance := make([]float64, a.heads)
			for h := range a.heads {
				_, chance[h] = spread(a.dealt.head(l*a.heads+h), q, k)
			}
			m.Dealt = append(m.Dealt, chance)
		}
	}
	return m
}

// spread is a head's mean entropy in bits and mean distance.
func spread(w []float32, q, k int) (entropy, distance float64) {
	for i := range q {
		sum, bits, far := 0.0, 0.0, 0.0
		for j, x := range w[i*k : (i+1)*k] {
			if x > 0 {
				f := float64(x)
				sum += f
				bits -= f * math.Log2(f)
				far += f * math.Abs(float64(i-j))
			}
		}
		if sum > 0 {
			// Of weights that sum to s: H(w/s) = (bits + s log2 s)/s.
			entropy += bits/sum + math.Log2(sum)
			distance += far / sum
		}
	}
	return entropy / float64(q), distance / float64(q)
}

// grids are what is drawn: one for each measure and each score beside them.
func (m Measures) grids() ([]measured, error) {
	layers, heads := len(m.Entropy), len(m.Entropy[0])
	even := func(x float64) string { return fmt.Sprintf("even attention: %.1f", x) }
	grids := []measured{{name: "entropy, bits", rows: m.Entropy, note: even(m.Even[0])}}
	if m.Distance != nil {
		grids = append(grids, measured{name: "distance, tokens", rows: m.Distance, note: even(m.Even[1])})
	}
	if m.Dealt != nil {
		grids = append(grids, measured{name: "distance, " + atRandom, rows: m.Dealt, note: "entropy: as it is"})
	}
	for _, s := range m.others {
		if len(s.Values) != layers*heads {
			return nil, fmt.Errorf("%s: %s for %s", s.Name, plural(len(s.Values), "value"), plural(layers*heads, "head"))
		}
		g := measured{name: s.Name, note: fmt.Sprintf("τ with entropy %.2f", Agreement(slices.Concat(m.Entropy...), s.Values))}
		if m.Distance != nil {
			g.note += fmt.Sprintf(", distance %.2f", Agreement(slices.Concat(m.Distance...), s.Values))
		}
		for l := range layers {
			g.rows = append(g.rows, s.Values[l*heads:(l+1)*heads])
		}
		grids = append(grids, g)
	}
	for i := range grids {
		if err := grids[i].prepare(); err != nil {
			return nil, err
		}
	}
	return grids, nil
}

// Bundle implements Bundler: the measures as grids of numbers, layers down.
func (m Measures) Bundle() mime.Bundle {
	layers := len(m.Entropy)
	if layers == 0 || len(m.Entropy[0]) == 0 {
		return mime.Plain("measures of no heads")
	}
	heads := len(m.Entropy[0])
	grids, err := m.grids()
	if err != nil {
		return errorBundle(fmt.Errorf("draw measures: %w", err))
	}
	const cell, page = 26.0, 760.0
	alt := fmt.Sprintf("measures of %s of %s", plural(layers, "layer"), plural(heads, "head"))
	one := 40 + cell*float64(heads)
	for _, g := range grids {
		one = max(one, 40+widest(penText{size: 9, bold: true}.style(), []string{g.name}), 40+widest(penText{size: 8}.style(), []string{g.note}))
		alt += fmt.Sprintf("; %s from %.2f to %.2f, %s", g.name, g.lo, g.hi, g.note)
	}
	across := min(len(grids), max(1, int(page/(one+22))))
	down := (len(grids) + across - 1) / across
	high := 36 + cell*0.72*float64(layers) + 26
	width := max(margin*2+(one+22)*float64(across), 300)
	return answering(width, margin*2+high*float64(down), alt, "", func(p pen) {
		for i := range grids {
			grids[i].draw(p, margin+(one+22)*float64(i%across), margin+high*float64(i/across), cell)
		}
	})
}

// measured is one grid of a Measures.
type measured struct {
	name string
	rows [][]float64
	note string
	shading
}

func (g *measured) prepare() error {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, r := range g.rows {
		lo, hi = min(lo, slices.Min(r)), max(hi, slices.Max(r))
	}
	g.over(lo, hi)
	return g.settle()
}

// number is a value as it stands in a cell: with as many digits as tell values apart.
func (g *measured) number(v float64) string {
	digits := 1
	if most := max(math.Abs(g.lo), math.Abs(g.hi)); most < 1 {
		digits = 2
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// draw draws the grid with its numbers; cell is a cell's width in points.
func (g *measured) draw(p pen, x, y, cell float64) {
	high := cell * 0.72
	p.text(x+34, y+6, g.name, penText{size: 9, anchor: -1, bold: true})
	for l, row := range g.rows {
		top := y + 30 + high*float64(l)
		p.text(x+29, top+high/2, fmt.Sprint(l), penText{size: 8, anchor: 1})
		for h, v := range row {
			left := x + 34 + cell*float64(h)
			if l == 0 {
				p.text(left+cell/2, y+22, fmt.Sprint(h), penText{size: 8})
			}
			p.rect(left, top, cell, high, g.colors[g.shade(v)], "")
			p.text(left+cell/2, top+high/2, g.number(v), penText{size: 7.5, class: classOn(g.on(v))})
		}
	}
	p.text(x+34, y+30+high*float64(len(g.rows))+10, g.note, penText{size: 8, anchor: -1})
}
