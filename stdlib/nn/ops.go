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
		return t.fail(act, fmt.Errorf("input %s for weights %s%s", x.tensor, w.tensor, adviceFor(shape, ws)))
	}
	shape[len(shape)-1] = w.tensor.Dim(1)
	in, err := t.operands(x, w, b)
	if err != nil {
		return t.fail(act, err)
	}
	y, err := t.makeIn(t.precision, shape, x, w, b)
	if err == nil {
		err = linear(y.tensor, in[0], in[1], in[2])
	}
	if err != nil {
		return t.fail(act, err)
	}
	t.costs(2 * int64(x.tensor.Len()) * int64(w.tensor.Dim(1)))
	return t.record(y, func() error { return linearGrad(y, x, w, b, in[0], in[1]) })
}

// adviceFor says how an input of that shape may come to fit weights (in, out).
func adviceFor(x, w []int) string {
	if len(w) != 2 || len(x) == 0 {
		return ": want (…, in) and (in, out)"
	}
	rest := 1
	for _, n := range x[1:] {
		rest *= n
	}
	switch {
	case len(x) > 2 && rest == w[0]:
		return fmt.Sprintf(": put nn.Flatten() before this layer, it makes the input (%d, %d)", x[0], rest)
	case len(x) > 3:
		return fmt.Sprintf(": after nn.Flatten() the input is (%d, %d), so put that before this layer and make it with %d inputs", x[0], rest, rest)
	}
	return fmt.Sprintf(": the layer takes %d numbers and is given %d, make it with %d inputs", w[0], x[len(x)-1], x[len(x)-1])
}

func linear(y, x, w, b *gpu.Tensor) error {
	m, err := matrices(x, y)
	if err != nil {
		return err
	}
	return gpu.MatMulBias(m[1], m[0], w, b)
}

// linearGrad does dW += x^T dy, db += column sums of dy, dx += dy W^T, each where it
// is needed; xt and wt are x and w as they were multiplied.
func linearGrad(y, x, w, b *Value, xt, wt *gpu.Tensor) error {
	dy, err := y.gradient()
	if err != nil {
		return err
	}
	m, err := matrices(xt, dy)
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
	if wt, err = y.tape.later(w, wt); err != nil {
		return err
	}
	return product(x, m[1], wt, false, true)
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
	dtype := widest([]*Value{x, y})
	if y.param != nil {
		dtype = t.precision
	}
	z, err := t.makeIn(dtype, xs, x, y)
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

// SiLU is x sigmoid(x) (Elfwing et al. 2018).
func (t *Tape) SiLU(x *Value) *Value { return t.pointwise("silu", x, gpu.SiLU, gpu.SiLUGrad) }

// Tanh is the hyperbolic tangent.
func (t *Tape) Tanh(x *Value) *Value { return t.squash("tanh", x, gpu.Tanh, gpu.TanhGrad) }

// Sigmoid is 1/(1+exp(-x)).
func (t *Tape) Sigmoid(x *Value) *Value { return t.squash("sigmoid", x, gpu.Sigmoid, gpu.SigmoidGrad) }

// squash is pointwise for functions whose gradient is told by their result.
func (t *Tape) squash(act string, x *Value, f func(y, x *gpu.Tensor) error, grad func(dx, y, dy *gpu.Tensor) error) *Value {
	var y *Value
	y = t.pointwise(act, x, f, func(dx, _, dy *gpu.Tensor) error { return grad(dx, y.tensor, dy) })
	return y
}

// Mul is x y, element by element, of one shape.
func (t *Tape) Mul(x, y *Value) *Value {
	const act = "multiply"
	if !t.usable(act, x, y) {
		return nil
	}
	if dims(x.tensor) != dims(y.tensor) {
		return t.fail(act, fmt.Errorf("%s and %s: want one shape", x.tensor, y.tensor))
	}
	z, err := t.make(x.tensor.Shape(), x, y)
	if err == nil {
		err = gpu.Mul(z.tensor, x.tensor, y.tensor)
	}
	if err != nil {
		return t.fail(act, err)
	}
	return t.record(z, func() error {
		for _, p := range [][2]*Value{{x, y}, {y, x}} {
			if !p[0].needs {
				continue
			}
			g, err := gradients(p[0], z)
			if err == nil {
				err = gpu.AddMul(g[0], g[1], p[1].tensor)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Scale is x times a number.
func (t *Tape) Scale(x *Value, by float64) *Value {
	f := float32(by)
	return t.pointwise("scale", x,
		func(y, x *gpu.Tensor) error { return gpu.Scale(y, x, f) },
		func(dx, _, dy *gpu.Tensor) error { return gpu.AddScaled(dx, dy, f) })
}

// Dropout takes away the share p of x (N, …) while training and scales up the rest
// (Srivastava et al. 2014). What goes is told by Tape.Seed, the number of the dropout
// in the pass and the example's number in the whole batch.
func (t *Tape) Dropout(x *Value, p float64) *Value {
	const act = "dropout"
	if !t.training || p == 0 || t.err != nil {
		return x
	}
	mask := gpu.DropMask{P: p, Seed: t.Seed, Op: t.nextDrop(), First: t.First}
	return t.pointwise(act, x,
		func(y, x *gpu.Tensor) error { return gpu.Dropout(y, x, mask) },
		func(dx, _, dy *gpu.Tensor) error { return gpu.DropoutGrad(dx, dy, mask) })
}

// Embedding is the rows of table (vocabulary, D) that ids (…) name: (…, D).
func (t *Tape) Embedding(ids, table *Value) *Value {
	const act = "embedding"
	if !t.usable(act, ids, table) {
		return nil
	}
	if ids.tensor.DType() != gpu.Int32 || len(table.tensor.Shape()) != 2 {
		return t.fail(act, fmt.Errorf("%s from table %s: want i32 tokens, see Tape.Tokens, and (vocabulary, D)", ids.tensor, table.tensor))
	}
	y, err := t.makeIn(t.precision, append(ids.tensor.Shape(), table.tensor.Dim(1)), table)
	if err == nil {
		err = gpu.Embedding(y.tensor, table.tensor, ids.tensor)
	}
	if err != nil {
		return t.fail(act, err)
	}
	return t.record(y, func() error {
		g, err := gradients(y, table)
		if err != nil {
			return err
		}
		return gpu.EmbeddingGrad(g[1], g[0], ids.tensor)
	})
}

// RMSNorm scales x (…, n) to unit root mean square along its last axis (Zhang and
// Sennrich 2019), then multiplies with gain (n).
func (t *Tape) RMSNorm(x, gain *Value) *Value {
	const act = "rms norm"
	if !t.usable(act, x, gain) {
		return nil
	}
	y, err := t.makeIn(t.precision, x.tensor.Shape(), x, gain)
	if err != nil {
		return t.fail(act, err)
	}
	rstd, err := t.make([]int{x.tensor.Len() / max(1, gain.tensor.Len())})
	if err == nil {
		err = gpu.RMSNorm(y.tensor, rstd.tensor, x.tensor, gain.tensor, normEpsilon)
	}
	if err != nil {
		return t.fail(act, err)
	}
	t.costs(4 * int64(x.tensor.Len()))
	return t.record(y, func() error {
		return t.sinks([]*Value{x, gain}, func(d []*gpu.Tensor) error {
			dy, err := y.gradient()
			if err != nil {
				return err
			}
			return gpu.RMSNormGrad(d[0], d[1], x.tensor, dy, gain.tensor, rstd.tensor)
		})
	})
}

// Flatten is x (N, …) as (N, all the rest).
func (t *Tape) Flatten(x *Value) *Value {
	if !t.usable("flatten", x) {
		return nil
	}
	s := x.tensor.Shape()
	if len(s) == 0 || s[0] == 0 {
		return t.fail("flatten", fmt.Errorf("%s: want (N, …)", x.tensor))
	}
	return t.Reshape(x, s[0], x.tensor.Len()/s[0])
}

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
	y, err := t.makeIn(t.precision, x.tensor.Shape(), x, gain, bias)
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
