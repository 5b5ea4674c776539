package nn

import (
	"errors"
	"fmt"

	"attune/gpu"
	"attune/gpu/mem"
)

// Take is, of each example of x (B, T, D), the tokens that index lists, in that
// order: (B, k, D). Each list has k.
func (t *Tape) Take(x *Value, index [][]int) *Value {
	const act = "take tokens"
	if !t.usable(act, x) {
		return nil
	}
	ids, err := tokenIDs(x.tensor, index, -1)
	if err != nil {
		return t.fail(act, err)
	}
	s := x.tensor.Shape()
	y, err := t.make([]int{s[0], len(index[0]), s[2]}, x)
	if err != nil {
		return t.fail(act, err)
	}
	rows := func(f func(ids *gpu.Tensor) error) error { return t.withIDs(ids, f) }
	err = rows(func(ids *gpu.Tensor) error {
		table, err := flat(x.tensor)
		if err != nil {
			return err
		}
		return gpu.Embedding(y.tensor, table, ids)
	})
	if err != nil {
		return t.fail(act, err)
	}
	return t.record(y, func() error {
		g, err := gradients(x, y)
		if err != nil {
			return err
		}
		return rows(func(ids *gpu.Tensor) error {
			dx, err := flat(g[0])
			if err != nil {
				return err
			}
			return gpu.EmbeddingGrad(dx, g[1], ids)
		})
	})
}

// Merge adds up tokens: of each example of x (B, T, D), token i goes times weight[i]
// to token into[i] of the result (B, k, D).
func (t *Tape) Merge(x *Value, into [][]int, weight [][]float32, k int) *Value {
	const act = "merge tokens"
	if !t.usable(act, x) {
		return nil
	}
	ids, err := tokenIDs(x.tensor, into, k)
	if err == nil && len(ids) != x.tensor.Dim(0)*x.tensor.Dim(1) {
		err = fmt.Errorf("%s with places for %d tokens in all", x.tensor, len(ids))
	}
	var scale []float32
	for _, w := range weight {
		scale = append(scale, w...)
	}
	if err == nil && len(scale) != len(ids) {
		err = fmt.Errorf("%d weights for %d tokens", len(scale), len(ids))
	}
	if err != nil {
		return t.fail(act, err)
	}
	s := x.tensor.Shape()
	y, err := t.make([]int{s[0], k, s[2]}, x)
	if err == nil {
		err = y.tensor.Clear()
	}
	if err == nil {
		err = t.withScale(scale, s, func(w *gpu.Tensor) error {
			if err := gpu.Mul(w, w, x.tensor); err != nil {
				return err
			}
			return t.withIDs(ids, func(ids *gpu.Tensor) error {
				table, err := flat(y.tensor)
				if err != nil {
					return err
				}
				return gpu.EmbeddingGrad(table, w, ids)
			})
		})
	}
	if err != nil {
		return t.fail(act, err)
	}
	return t.record(y, func() error { return t.mergeGrad(x, y, ids, scale) })
}

// mergeGrad adds to each token's gradient its weight times that of the token it
// went to.
func (t *Tape) mergeGrad(x, y *Value, ids []int32, scale []float32) error {
	g, err := gradients(x, y)
	if err != nil {
		return err
	}
	s := x.tensor.Shape()
	return t.withScale(scale, s, func(w *gpu.Tensor) error {
		return t.withIDs(ids, func(ids *gpu.Tensor) (err error) {
			back, err := t.dev.Empty(gpu.Float32, mem.Workspace, s...)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, back.Free()) }()
			table, err := flat(g[1])
			if err == nil {
				err = gpu.Embedding(back, table, ids)
			}
			if err != nil {
				return err
			}
			return gpu.AddMul(g[0], back, w)
		})
	})
}

// flat views (B, T, D) as (B T, D).
func flat(x *gpu.Tensor) (*gpu.Tensor, error) {
	return x.Reshape(x.Dim(0)*x.Dim(1), x.Dim(2))
}

// tokenIDs turns token numbers of each example into rows of all examples. Each
// example has k tokens to point at; k of -1 stands for those of x.
func tokenIDs(x *gpu.Tensor, index [][]int, k int) ([]int32, error) {
	s := x.Shape()
	if len(s) != 3 || len(index) != s[0] || s[0] == 0 || len(index[0]) == 0 {
		return nil, fmt.Errorf("%s by lists for %d examples: want (B, T, D) and a list for each", x, len(index))
	}
	if k < 0 {
		k = s[1]
	}
	var ids []int32
	for b, list := range index {
		if len(list) != len(index[0]) {
			return nil, fmt.Errorf("%d tokens of example %d, %d of example 0: want as many", len(list), b, len(index[0]))
		}
		for _, i := range list {
			if i < 0 || i >= k {
				return nil, fmt.Errorf("token %d of example %d is not in 0..%d", i, b, k-1)
			}
			ids = append(ids, int32(b*k+i))
		}
	}
	return ids, nil
}

// withIDs lends ids to f as a tensor.
func (t *Tape) withIDs(ids []int32, f func(ids *gpu.Tensor) error) error {
	x, err := t.dev.FromInt32s(ids, mem.Workspace, len(ids))
	if err != nil {
		return err
	}
	return errors.Join(f(x), x.Free())
}

// withScale lends f a tensor (B, T, D) in which all of a token is its scale.
func (t *Tape) withScale(scale []float32, shape []int, f func(w *gpu.Tensor) error) error {
	row, err := t.dev.FromFloat32s(scale, mem.Workspace, len(scale))
	if err != nil {
		return err
	}
	w, err := t.dev.Zeros(mem.Workspace, shape...)
	if err == nil {
		if err = gpu.Spread(w, row, 2, 1); err == nil {
			err = f(w)
		}
	}
	return errors.Join(err, w.Free(), row.Free())
}
