package nn

import (
	"fmt"

	"attune/gpu"
)

// rows is the tensor as a matrix with the last axis as columns.
func rows(x *gpu.Tensor) (*gpu.Tensor, error) {
	n := x.Dim(len(x.Shape()) - 1)
	if n == 0 {
		return nil, fmt.Errorf("%s: empty rows", x)
	}
	return x.Reshape(x.Len()/n, n)
}

// matrices is rows of several.
func matrices(all ...*gpu.Tensor) ([]*gpu.Tensor, error) {
	out := make([]*gpu.Tensor, len(all))
	for i, x := range all {
		m, err := rows(x)
		if err != nil {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}

// Linear is x W + b: x (…, in), w (in, out), b (out), result (…, out).
func (t *Tape) Linear(x, w, b *Value) *Value {
	const act = "linear"
	if !t.usable(act, x, w, b) {
		return nil
	}
	shape := x.tensor.Shape()
	if ws := w.tensor.Shape(); len(ws) != 2 || len(shape) == 0 || shape[len(shape)-1] != ws[0] {
		return t.fail(act, fmt.Errorf("input %s for weights %s", x.tensor, w.tensor))
	}
	shape[len(shape)-1] = w.tensor.Dim(1)
	y, err := t.make(shape, x, w, b)
	if err == nil {
		err = linear(y.tensor, x.tensor, w.tensor, b.tensor)
	}
	if err != nil {
		return t.fail(act, err)
	}
	t.costs(2 * int64(x.tensor.Len()) * int64(w.tensor.Dim(1)))
	return t.record(y, func() error { return linearGrad(y, x, w, b) })
}

func linear(y, x, w, b *gpu.Tensor) error {
	m, err := matrices(x, y)
	if err != nil {
		return err
	}
	return gpu.MatMulBias(m[1], m[0], w, b)
}

// linearGrad does dW += x^T dy, db += column sums of dy, dx += dy W^T, each where it
// is needed.
func linearGrad(y, x, w, b *Value) error {
	dy, err := y.gradient()
	if err != nil {
		return err
	}
	m, err := matrices(x.tensor, dy)
	if err != nil {
		return err
	}
	if w.needs {
		if err := product(w, m[0], m[1], true, false); err != nil {
			return err
		}
	}
	if b.needs {
		db, err := b.gradient()
		if err == nil {
			err = gpu.SumRows(db, dy, 1)
		}
		if err != nil {
			return err
		}
	}
	if !x.needs {
		return nil
	}
	return product(x, m[1], w.tensor, false, true)
}

// product adds a b to the gradient of v, a or b transposed.
func product(v *Value, a, b *gpu.Tensor, turnA, turnB bool) error {
	d, err := v.gradient()
	if err == nil {
		d, err = rows(d)
	}
	if err == nil && turnA {
		a, err = a.Permute(1, 0)
	}
	if err == nil && turnB {
		b, err = b.Permute(1, 0)
	}
	if err != nil {
		return err
	}
	return gpu.MatMul(d, a, b, true)
}

// Add is x + y, of one shape.
func (t *Tape) Add(x, y *Value) *Value { return t.addRows("add", x, y) }

// AddPosition is x (B, T, D) + p (T, D): a learned vector for each position.
func (t *Tape) AddPosition(x, p *Value) *Value { return t.addRows("add position", x, p) }

// addRows adds y to each of x's trailing parts of y's size.
func (t *Tape) addRows(act string, x, y *Value) *Value {
	if !t.usable(act, x, y) {
		return nil
	}
	xs, ys := x.tensor.Shape(), y.tensor.Shape()
	if len(ys) > len(xs) || fmt.Sprint(xs[len(xs)-len(ys):]) != fmt.Sprint(ys) {
		return t.fail(act, fmt.Errorf("%s and %s", x.tensor, y.tensor))
	}
	z, err := t.make(xs, x, y)
	if err == nil {
		err = gpu.AddBias(z.tensor, x.tensor, y.tensor)
	}
	if err != nil {
		return t.fail(act, err)
	}
	return t.record(z, func() error { return addGrad(z, x, y) })
}

// addGrad passes dz on: to y summed over what it was added to.
func addGrad(z, x, y *Value) error {
	if y.needs {
		g, err := gradients(z, y)
		if err == nil {
			err = gpu.SumRows(g[1], g[0], 1)
		}
		if err != nil {
			return err
		}
	}
	return pass(z, x)
}

// ReLU is max(x, 0).
func (t *Tape) ReLU(x *Value) *Value { return t.pointwise("relu", x, gpu.ReLU, gpu.ReLUGrad) }

// GELU is x Phi(x) in the tanh form (Hendrycks and Gimpel 2016).
func (t *Tape) GELU(x *Value) *Value { return t.pointwise("gelu", x, gpu.GELU, gpu.GELUGrad) }

func (t *Tape) pointwise(act string, x *Value, f func(y, x *gpu.Tensor) error, grad func(dx, x, dy *gpu.Tensor) error) *Value {
	if !t.usable(act, x) {
		return nil
	}
	y, err := t.make(x.tensor.Shape(), x)
	if err == nil {
		err = f(y.tensor, x.tensor)
	}
	if err != nil {
		return t.fail(act, err)
	}
	return t.record(y, func() error {
		g, err := gradients(x, y)
		if err != nil {
			return err
		}
		return grad(g[0], x.tensor, g[1])
	})
}

// normEpsilon keeps the deviation of a constant row from being zero.
const normEpsilon = 1e-5

// LayerNorm normalises x (…, n) along its last axis (Ba et al. 2016), then
// multiplies with gain (n) and adds bias (n).
func (t *Tape) LayerNorm(x, gain, bias *Value) *Value {
	const act = "layer norm"
	if !t.usable(act, x, gain, bias) {
		return nil
	}
	y, err := t.make(x.tensor.Shape(), x, gain, bias)
	if err != nil {
		return t.fail(act, err)
	}
	count := x.tensor.Len() / max(1, gain.tensor.Len())
	mean, err := t.make([]int{count})
	if err != nil {
		return t.fail(act, err)
	}
	rstd, err := t.make([]int{count})
	if err == nil {
		err = gpu.LayerNorm(y.tensor, mean.tensor, rstd.tensor, x.tensor, gain.tensor, bias.tensor, normEpsilon)
	}
	if err != nil {
		return t.fail(act, err)
	}
	return t.record(y, func() error {
		return t.sinks([]*Value{x, gain, bias}, func(d []*gpu.Tensor) error {
			dy, err := y.gradient()
			if err != nil {
				return err
			}
			return gpu.LayerNormGrad(d[0], d[1], d[2], x.tensor, dy, gain.tensor, mean.tensor, rstd.tensor)
		})
	})
}

// Reshape is x with another shape of as many elements; nothing is copied.
func (t *Tape) Reshape(x *Value, shape ...int) *Value {
	if !t.usable("reshape", x) {
		return nil
	}
	view, err := x.tensor.Reshape(shape...)
	if err != nil {
		return t.fail("reshape", err)
	}
	v := t.result(view, x)
	v.parent = x
	return t.record(v, nil)
}

// MeanTokens is the mean of x (B, T, D) over the tokens: (B, D).
func (t *Tape) MeanTokens(x *Value) *Value {
	const act = "mean over tokens"
	if !t.usable(act, x) {
		return nil
	}
	s := x.tensor.Shape()
	if len(s) != 3 || s[1] == 0 {
		return t.fail(act, fmt.Errorf("%s: want (B, T, D)", x.tensor))
	}
	y, err := t.make([]int{s[0], s[2]}, x)
	if err == nil {
		err = y.tensor.Clear()
	}
	share := 1 / float32(s[1])
	if err == nil {
		err = gpu.SumAxis(y.tensor, x.tensor, 1, share)
	}
	if err != nil {
		return t.fail(act, err)
	}
	return t.record(y, func() error {
		g, err := gradients(x, y)
		if err != nil {
			return err
		}
		return gpu.Spread(g[0], g[1], 1, share)
	})
}
