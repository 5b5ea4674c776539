package gpu

import (
	"fmt"
	"slices"

	"attune/gpu/mem"
)

// weightsChunk bounds the values of the map that a view holds at once.
const weightsChunk = 1 << 20

// Weights computes the (B, H, Tq, Tk) float32 map of weights, before dropout: each
// row sums to 1, or to 0 where the query sees no key. It is computed anew from
// query, key and LSE and counted as activations. Of packed sequences, B is their
// number and Tq and Tk are those of the longest.
func (r *AttentionResult) Weights() (*Tensor, error) {
	if err := r.done(); err != nil {
		return nil, fmt.Errorf("compute attention weights: %w", err)
	}
	all := make([]int, r.call.tq)
	for i := range all {
		all[i] = i
	}
	return r.WeightsAt(all...)
}

// WeightsAt is Weights for these queries only: (B, H, len(queries), Tk).
func (r *AttentionResult) WeightsAt(queries ...int) (*Tensor, error) {
	if err := r.done(); err != nil {
		return nil, fmt.Errorf("compute attention weights: %w", err)
	}
	a := &r.call
	w, err := a.q.store.dev.Empty(Float32, mem.Activations, a.b, a.h, len(queries), a.tk)
	if err == nil {
		if err = r.weightsInto(w, queries); err != nil {
			_ = w.Free()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("compute attention weights of %s: %w", a.q, err)
	}
	return w, nil
}

func (r *AttentionResult) weightsInto(w *Tensor, queries []int) error {
	a := &r.call
	if err := a.alive(); err != nil {
		return err
	}
	for _, i := range queries {
		if i < 0 || i >= a.tq {
			return fmt.Errorf("query %d of %d: want 0 to %d", i, a.tq, a.tq-1)
		}
	}
	defer keep(a.q, a.k, a.lse, w)
	defer keepAll([]*Tensor{a.bias})
	if w.Len() == 0 {
		return nil
	}
	return a.q.store.dev.back.attentionWeights(a, queries, w)
}

// WeightsPooled is the map at a coarser grain, (B, H, rows, cols): the queries are
// cut into that many runs and the keys likewise, and each value is the weight that
// a run of queries gives to a run of keys, averaged over the queries. Rows still sum
// to 1. The whole map is never held.
func (r *AttentionResult) WeightsPooled(rows, cols int) (*Tensor, error) {
	if err := r.done(); err != nil {
		return nil, fmt.Errorf("pool attention weights: %w", err)
	}
	a := &r.call
	if rows < 1 || cols < 1 || rows > a.tq || cols > a.tk {
		return nil, fmt.Errorf("pool attention weights of %s, key %s, to (%d, %d): want 1 to %d rows, as there are queries, and 1 to %d columns, as there are keys", a.q, a.k, rows, cols, a.tq, a.tk)
	}
	sums, counts := make([]float64, a.b*a.h*rows*cols), make([]float64, a.b*rows)
	seqs := a.sequences()
	err := r.eachRow(func(b, h, i int, w []float32) {
		row := i * rows / a.tq
		if h == 0 && i < seqs[b].Tq {
			counts[b*rows+row]++
		}
		to := sums[((b*a.h+h)*rows+row)*cols:][:cols]
		for j, x := range w {
			to[j*cols/a.tk] += float64(x)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("pool attention weights of %s: %w", a.q, err)
	}
	out := make([]float32, len(sums))
	for i, s := range sums {
		row := i / cols
		if n := counts[row/rows/a.h*rows+row%rows]; n > 0 {
			out[i] = float32(s / n)
		}
	}
	return a.q.store.dev.FromFloat32s(out, mem.Activations, a.b, a.h, rows, cols)
}

// WeightsTop gives for each query its k largest weights, largest first, and the
// keys that they belong to: (B, H, Tq, k) float32 and int32. Of equal weights the
// earlier key comes first. The whole map is never held.
func (r *AttentionResult) WeightsTop(k int) (weights, keys *Tensor, err error) {
	if err := r.done(); err != nil {
		return nil, nil, fmt.Errorf("find the top attention weights: %w", err)
	}
	a := &r.call
	if k < 1 || k > a.tk {
		return nil, nil, fmt.Errorf("find the top %d attention weights of %s, key %s: want 1 to %d", k, a.q, a.k, a.tk)
	}
	n := a.b * a.h * a.tq * k
	values, places := make([]float32, n), make([]int32, n)
	order := make([]int32, a.tk)
	err = r.eachRow(func(b, h, i int, w []float32) {
		for j := range order {
			order[j] = int32(j)
		}
		slices.SortStableFunc(order, func(x, y int32) int {
			switch {
			case w[x] > w[y]:
				return -1
			case w[x] < w[y]:
				return 1
			}
			return 0
		})
		at := ((b*a.h+h)*a.tq + i) * k
		for j, key := range order[:k] {
			values[at+j], places[at+j] = w[key], key
		}
	})
	if err == nil {
		weights, err = a.q.store.dev.FromFloat32s(values, mem.Activations, a.b, a.h, a.tq, k)
	}
	if err == nil {
		if keys, err = a.q.store.dev.FromInt32s(places, mem.Activations, a.b, a.h, a.tq, k); err != nil {
			_ = weights.Free()
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find the top %d attention weights of %s: %w", k, a.q, err)
	}
	return weights, keys, nil
}

// eachRow calls f with the weights (Tk) of every query, a chunk of queries at a
// time.
func (r *AttentionResult) eachRow(f func(b, h, i int, w []float32)) error {
	a := &r.call
	step := min(a.tq, max(1, weightsChunk/(a.b*a.h*a.tk)))
	chunk, err := a.q.store.dev.Empty(Float32, mem.Workspace, a.b, a.h, step, a.tk)
	if err != nil {
		return err
	}
	values := make([]float32, chunk.Len())
	for first := 0; first < a.tq && err == nil; first += step {
		queries := make([]int, step)
		for i := range queries {
			queries[i] = min(first+i, a.tq-1)
		}
		if err = r.weightsInto(chunk, queries); err == nil {
			err = chunk.CopyTo(values)
		}
		for row := 0; row < a.b*a.h*step && err == nil; row++ {
			if i := first + row%step; i < a.tq {
				f(row/step/a.h, row/step%a.h, i, values[row*a.tk:][:a.tk])
			}
		}
	}
	if ferr := chunk.Free(); err == nil {
		err = ferr
	}
	return err
}
