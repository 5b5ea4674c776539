package display

import (
	"fmt"
	"image/color"
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
}

// Measures measures every head.
func (a *Attention) Measures() Measures {
	q, k := len(a.queries), len(a.keys)
	m := Measures{Even: [2]float64{math.Log2(float64(k)), float64(k*k-1) / float64(3*k)}}
	for l := range a.layers {
		entropy, distance := make([]float64, a.heads), make([]float64, a.heads)
		for h := range a.heads {
			entropy[h], distance[h] = spread(a.head(l, h), q, k)
		}
		m.Entropy = append(m.Entropy, entropy)
		if q == k {
			m.Distance = append(m.Distance, distance)
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

// Bundle implements Bundler: the measures as grids of numbers, layers down.
func (m Measures) Bundle() mime.Bundle {
	grids := []measured{{name: "entropy, bits", rows: m.Entropy, even: m.Even[0]}}
	if m.Distance != nil {
		grids = append(grids, measured{name: "distance, tokens", rows: m.Distance, even: m.Even[1]})
	}
	layers, heads := len(m.Entropy), len(m.Entropy[0])
	const cell = 26.0
	one := 40 + cell*float64(heads)
	width := max(margin*2+(one+22)*float64(len(grids)), 300)
	height := margin*2 + 36 + cell*0.72*float64(layers) + 18
	alt := fmt.Sprintf("measures of %s of %s", plural(layers, "layer"), plural(heads, "head"))
	for i := range grids {
		g := &grids[i]
		if err := g.prepare(); err != nil {
			return errorBundle(fmt.Errorf("draw measures: %w", err))
		}
		alt += fmt.Sprintf("; %s from %.2f to %.2f, even attention %.2f", g.name, g.lo, g.hi, g.even)
	}
	return answering(width, height, alt, "", func(p pen) {
		for i := range grids {
			grids[i].draw(p, margin+(one+22)*float64(i), margin, cell)
		}
	})
}

// measured is one grid of a Measures.
type measured struct {
	name string
	rows [][]float64
	even float64
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
			class := "bright"
			if g.on(v) != color.White {
				class = "dark"
			}
			p.text(left+cell/2, top+high/2, strconv.FormatFloat(v, 'f', 1, 64), penText{size: 7.5, class: class})
		}
	}
	p.text(x+34, y+30+high*float64(len(g.rows))+10, fmt.Sprintf("even attention: %.1f", g.even), penText{size: 8, anchor: -1})
}
