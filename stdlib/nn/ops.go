package nn

import (
	"fmt"

	"attune/gpu"
	"attune/gpu/mem"
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
	return t.record(y, func() error { return linearGrad(y, x, w, b) })
}

func linear(y, x, w, b *gpu.Tensor) error {
	m, err := matrices(x, y)
	if err != nil {
		return err
	}
	if err := gpu.MatMul(m[1], m[0], w, false); err != nil {
		return err
	}
	return gpu.AddBias(y, y, b)
}

// linearGrad does dW += x^T dy, db += column sums of dy, dx += dy W^T.
func linearGrad(y, x, w, b *Value) error {
	g, err := gradients(y, w, b)
	if err != nil {
		return err
	}
	m, err := matrices(x.tensor, g[0])
	if err != nil {
		return err
	}
	xt, err := m[0].Permute(1, 0)
	if err != nil {
		return err
	}
	if err := gpu.MatMul(g[1], xt, m[1], true); err != nil {
		return err
	}
	if err := gpu.SumRows(g[2], g[0], 1); err != nil || !x.needs {
		return err
	}
	dx, err := x.gradient()
	if err != nil {
		return err
	}
	if dx, err = rows(dx); err != nil {
		return err
	}
	wt, err := w.tensor.Permute(1, 0)
	if err != nil {
		return err
	}
	return gpu.MatMul(dx, m[1], wt, true)
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
	return t.record(z, func() error {
		g, err := z.gradient()
		if err != nil {
			return err
		}
		for _, in := range []*Value{x, y} {
			if !in.needs {
				continue
			}
			d, err := in.gradient()
			if err != nil {
				return err
			}
			if err := gpu.SumRows(d, g, 1); err != nil {
				return err
			}
		}
		return nil
	})
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
		g, err := gradients(x, gain, bias, y)
		if err != nil {
			return err
		}
		return gpu.LayerNormGrad(g[0], g[1], g[2], x.tensor, g[3], gain.tensor, mean.tensor, rstd.tensor)
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
	return &Value{tape: t, tensor: view, parent: x, needs: x.needs}
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
	for b := 0; b < s[0] && err == nil; b++ {
		err = pair(y.tensor, x.tensor, b, func(yb, xb *gpu.Tensor) error { return gpu.SumRows(yb, xb, 1/float32(s[1])) })
	}
	if err != nil {
		return t.fail(act, err)
	}
	return t.record(y, func() error { return meanGrad(x, y, s) })
}

// pair runs f on element b of two batches.
func pair(y, x *gpu.Tensor, b int, f func(yb, xb *gpu.Tensor) error) error {
	yb, err := y.Index(0, b)
	if err != nil {
		return err
	}
	xb, err := x.Index(0, b)
	if err != nil {
		return err
	}
	return f(yb, xb)
}

// meanGrad adds dy/T to each token's gradient.
func meanGrad(x, y *Value, s []int) error {
	g, err := gradients(x, y)
	if err != nil {
		return err
	}
	share, err := x.tape.dev.Zeros(mem.Workspace, s[0], s[2])
	if err != nil {
		return err
	}
	if err = gpu.SumRows(share, g[1], 1/float32(s[1])); err == nil {
		for b := 0; b < s[0] && err == nil; b++ {
			err = pair(g[0], share, b, func(dx, dy *gpu.Tensor) error { return gpu.AddBias(dx, dx, dy) })
		}
	}
	if ferr := share.Free(); err == nil {
		err = ferr
	}
	return err
}
