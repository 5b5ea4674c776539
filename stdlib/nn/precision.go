package nn

import (
	"errors"
	"fmt"
	"slices"

	"attune/gpu"
	"attune/gpu/mem"
)

// In mixed precision (Micikevicius et al. 2018) what costs memory and time is in half
// precision and what adds up is in float32:
//
//   - parameters stay float32, and so do their gradients: a pass of a micro-batch adds to
//     them without rounding anew. For matrix products and convolutions a parameter has a
//     copy in half, made at its first use after an update. Norms, biases of positions and
//     tables of embeddings are read as they are.
//   - Linear, Conv2D, attention, norms, Embedding and AddPosition give halves; all other
//     operations give what they are given, and float32 where one operand is that, as data
//     from Tape.Input are. A value's gradient has the value's type.
//   - sums run in float32, in kernels, statistics and losses. A loss is float32.
//   - gradients of float16 are of a loss that was multiplied with a scale, so that small
//     ones do not vanish; see Net.LossScale. bfloat16 has float32's range and needs none.

// LossScale is what a loss of this net is to be multiplied with before Backward, where
// opt divides the gradients by it again: opt's Scale, 1 without one. For a net in
// Float16 it gives opt a scale that adapts, if opt has none. Step does all that, and
// Net.Backward, which does not wait for a GPU to tell the scale.
func (n *Net) LossScale(opt gpu.Optimizer) float64 {
	if c := n.scaled(opt); c != nil {
		return c.Scale.Value()
	}
	return 1
}

// scaled is what opt has a loss scale in, nil where there is none.
func (n *Net) scaled(opt gpu.Optimizer) *gpu.Training {
	o, ok := opt.(interface{ Common() *gpu.Training })
	if !ok {
		return nil
	}
	c := o.Common()
	if c.Scale == nil && n.Precision == gpu.Float16 {
		c.Scale = gpu.NewLossScale()
	}
	if c.Scale == nil {
		return nil
	}
	return c
}

// Backward is t.BackwardScaled by weight times what LossScale says, for gradients that
// Update is to give to opt.
func (n *Net) Backward(t *Tape, loss *Value, weight float64, opt gpu.Optimizer) error {
	c := n.scaled(opt)
	if c == nil {
		return t.BackwardScaled(loss, weight)
	}
	return t.backward(loss, func(g *gpu.Tensor) error { return c.LossGradient(g, weight) })
}

// Release gives the parameters' copies in half precision back. Update does it, and an
// evaluation's tape when it is freed; it is for training loops of one's own that end
// before Update.
func (n *Net) Release() error {
	var all []error
	for _, p := range n.params {
		all = append(all, p.half.Free())
		p.half = nil
	}
	return errors.Join(all...)
}

// Tensors lists what the net holds on its device: parameters, gradients, buffers, and
// copies in half precision.
func (n *Net) Tensors() []*gpu.Tensor {
	var out []*gpu.Tensor
	for _, p := range slices.Concat(n.params, n.buffers) {
		for _, t := range []*gpu.Tensor{p.Value, p.Grad, p.half} {
			if t != nil {
				out = append(out, t)
			}
		}
	}
	return out
}

// in is the parameter's value in half precision.
func (p *Param) in(dtype gpu.DType) (*gpu.Tensor, error) {
	if p.half != nil && (p.half.DType() != dtype || dims(p.half) != dims(p.Value)) {
		if err := p.half.Free(); err != nil {
			return nil, err
		}
		p.half = nil
	}
	if p.half != nil && !p.stale {
		return p.half, nil
	}
	var err error
	if p.half == nil {
		if p.half, err = p.Value.Device().Empty(dtype, mem.Parameters, p.Value.Shape()...); err != nil {
			return nil, fmt.Errorf("make a %s copy of %s: %w", dtype, p.Name, err)
		}
	}
	p.stale = false
	return p.half, gpu.Copy(p.half, p.Value)
}

// Precision is the type that the tape computes in.
func (t *Tape) Precision() gpu.DType { return t.precision }

// operand is a value in the tape's precision, as products take it.
func (t *Tape) operand(v *Value) (*gpu.Tensor, error) {
	x := v.tensor
	if x.DType() == t.precision {
		return x, nil
	}
	if v.param != nil && v.param.Value == x {
		return v.param.in(t.precision)
	}
	c, err := t.dev.Empty(t.precision, mem.Activations, x.Shape()...)
	if err != nil {
		return nil, err
	}
	return t.hold(c), gpu.Copy(c, x)
}

// operands is operand of several values; of nil it is nil.
func (t *Tape) operands(values ...*Value) ([]*gpu.Tensor, error) {
	out := make([]*gpu.Tensor, len(values))
	for i, v := range values {
		if v == nil {
			continue
		}
		x, err := t.operand(v)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

// later is what operand gave, x, for the gradient: the copy of a parameter may have been
// given back since, and made anew.
func (t *Tape) later(v *Value, x *gpu.Tensor) (*gpu.Tensor, error) {
	if v.param == nil || v.tensor == x {
		return x, nil
	}
	return t.operand(v)
}

// widest is the type of what is made of values where no more is known: that of all of
// them, float32 where they differ. Parameters do not count.
func widest(values []*Value) gpu.DType {
	out, known := gpu.Float32, false
	for _, v := range values {
		switch d := v.tensor.DType(); {
		case v.param != nil || !d.Float():
		case known && d != out:
			return gpu.Float32
		default:
			out, known = d, true
		}
	}
	return out
}
