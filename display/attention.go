package display

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"attune/display/mime"
)

// AttentionOption changes how AttentionMap draws.
type AttentionOption func(*attentionView)

// AttentionTitle stands above the map.
func AttentionTitle(title string) AttentionOption {
	return func(v *attentionView) { v.title = title }
}

// HeadNames names the heads, "head 0" and so on otherwise.
func HeadNames(names ...string) AttentionOption {
	return func(v *attentionView) { v.names = names }
}

// AttentionScale fixes the values at the two ends of the colour bar, which makes
// several maps comparable. The scale runs from 0 to the greatest weight otherwise.
func AttentionScale(lo, hi float64) AttentionOption {
	return func(v *attentionView) { v.lo, v.hi, v.fixed = lo, hi, true }
}

// MaxTokens is the number of cells along an axis beyond which neighbouring tokens
// are pooled: 64, for several heads 32, unless given.
func MaxTokens(n int) AttentionOption {
	return func(v *attentionView) { v.most = n }
}

// AttentionMap draws attention weights as PNG and SVG: queries down, keys across,
// several heads as small multiples under one scale.
//
// weights has shape (H, Q, K), or (Q, K) for one head: a flat []float32 or
// []float64 in row-major order, [][]float32, [][]float64, [][][]float32,
// [][][]float64 or a gonum matrix. Q is len(queries) and K is len(keys); tokens may
// be nil where the weights have rows of their own, and are then numbered.
//
// Longer inputs are pooled, and the picture says so: a cell is then the mean over
// its queries of the sum over its keys, so that a row of weights that sums to 1
// still does. Weights that do not fit the tokens show as an error.
func AttentionMap(weights any, queries, keys []string, options ...AttentionOption) mime.Bundle {
	v := attentionView{}
	for _, o := range options {
		o(&v)
	}
	var err error
	if v.heads, err = readWeights(weights, len(queries), len(keys)); err != nil {
		return errorBundle(fmt.Errorf("draw attention map: %w", err))
	}
	if queries, err = tokens(queries, v.heads[0].rows); err != nil {
		return errorBundle(fmt.Errorf("draw attention map: queries: %w", err))
	}
	if keys, err = tokens(keys, v.heads[0].columns); err != nil {
		return errorBundle(fmt.Errorf("draw attention map: keys: %w", err))
	}
	if err := v.prepare(queries, keys); err != nil {
		return errorBundle(fmt.Errorf("draw attention map: %w", err))
	}
	v.measure()
	return Draw(v.width, v.height, v.alt(), v.draw)
}

// grid is one head's weights, (rows, columns) in row-major order.
type grid struct {
	rows, columns int
	data          []float64
}

// readWeights brings the accepted forms to one grid a head. q and k are the numbers
// of tokens, which a flat slice needs to have a shape.
func readWeights(weights any, q, k int) ([]grid, error) {
	switch w := weights.(type) {
	case []float32:
		return flatWeights(widen(w), q, k)
	case []float64:
		return flatWeights(w, q, k)
	case [][]float32:
		return heads([][][]float64{rows64(w)})
	case [][]float64:
		return heads([][][]float64{w})
	case [][][]float32:
		all := make([][][]float64, len(w))
		for i, h := range w {
			all[i] = rows64(h)
		}
		return heads(all)
	case [][][]float64:
		return heads(w)
	case mat.Matrix:
		r, c := w.Dims()
		g := grid{r, c, make([]float64, 0, r*c)}
		for i := range r {
			for j := range c {
				g.data = append(g.data, w.At(i, j))
			}
		}
		return checked([]grid{g})
	}
	return nil, fmt.Errorf("weights of type %T; see AttentionMap for those it takes", weights)
}

func flatWeights(w []float64, q, k int) ([]grid, error) {
	if q == 0 || k == 0 || len(w) == 0 || len(w)%(q*k) != 0 {
		return nil, fmt.Errorf("%d weights are no whole number of heads of %d queries × %d keys", len(w), q, k)
	}
	var all []grid
	for i := 0; i < len(w); i += q * k {
		all = append(all, grid{q, k, w[i : i+q*k]})
	}
	return checked(all)
}

func heads(all [][][]float64) ([]grid, error) {
	var out []grid
	for h, rows := range all {
		if len(rows) == 0 || len(rows) != len(all[0]) {
			return nil, fmt.Errorf("head %d has %d rows", h, len(rows))
		}
		g := grid{rows: len(rows), columns: len(all[0][0])}
		for i, r := range rows {
			if len(r) != g.columns {
				return nil, fmt.Errorf("head %d, row %d has %d weights, others %d", h, i, len(r), g.columns)
			}
			g.data = append(g.data, r...)
		}
		out = append(out, g)
	}
	return checked(out)
}

// checked refuses what no picture can show.
func checked(all []grid) ([]grid, error) {
	if len(all) == 0 || all[0].rows == 0 || all[0].columns == 0 {
		return nil, fmt.Errorf("no weights")
	}
	for h, g := range all {
		for i, x := range g.data {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("head %d, query %d, key %d: weight is %v", h, i/g.columns, i%g.columns, x)
			}
		}
	}
	return all, nil
}

func widen(w []float32) []float64 {
	out := make([]float64, len(w))
	for i, x := range w {
		out[i] = float64(x)
	}
	return out
}

func rows64(w [][]float32) [][]float64 {
	out := make([][]float64, len(w))
	for i, r := range w {
		out[i] = widen(r)
	}
	return out
}

// tokens is t, or numbers in its place.
func tokens(t []string, n int) ([]string, error) {
	if t != nil {
		if len(t) != n {
			return nil, fmt.Errorf("%d tokens for %d rows or columns", len(t), n)
		}
		return t, nil
	}
	t = make([]string, n)
	for i := range t {
		t[i] = strconv.Itoa(i)
	}
	return t, nil
}

// pool makes blocks of rq queries and rk keys into one cell each: the mean over the
// queries of the sum over the keys.
func (g grid) pool(rq, rk int) grid {
	if rq == 1 && rk == 1 {
		return g
	}
	out := grid{rows: (g.rows + rq - 1) / rq, columns: (g.columns + rk - 1) / rk}
	out.data = make([]float64, out.rows*out.columns)
	for i := range g.rows {
		inBlock := float64(min(rq, g.rows-i/rq*rq))
		for j := range g.columns {
			out.data[i/rq*out.columns+j/rk] += g.data[i*g.columns+j] / inBlock
		}
	}
	return out
}
