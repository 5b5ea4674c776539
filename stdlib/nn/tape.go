package nn

import (
	"fmt"

	"attune/gpu"
	"attune/gpu/mem"
)

// Tape records what was computed so that Backward can go through it in reverse
// (reverse-mode automatic differentiation). It owns all tensors in between; Free
// gives them back. A tape serves one forward and one backward pass.
type Tape struct {
	// KeepWeights asks every attention for its weights, see Weights.
	KeepWeights bool
	// Weights holds the (B, H, T, T) weights of each attention so far, in order.
	// They live until Free.
	Weights []*gpu.Tensor

	dev   *gpu.Device
	grads bool
	owned []*gpu.Tensor
	back  []func() error
	err   error
}

// Value is a tensor on a tape. After an error on the tape it may be nil.
type Value struct {
	tape   *Tape
	tensor *gpu.Tensor
	grad   *gpu.Tensor
	// parent is set in a view: its gradient is the parent's.
	parent *Value
	needs  bool
	// sizes says of (B, T, D) how many tokens each was merged from; nil: one each.
	sizes []float32
}

// NewTape returns a tape that records gradients.
func NewTape(dev *gpu.Device) *Tape { return &Tape{dev: dev, grads: true} }

// NewEvalTape returns a tape that computes values only.
func NewEvalTape(dev *gpu.Device) *Tape { return &Tape{dev: dev} }

// Err is the first error of any operation on the tape.
func (t *Tape) Err() error { return t.err }

// Tensor is the value itself. It lives until the tape is freed.
func (v *Value) Tensor() *gpu.Tensor { return v.tensor }

// Float32s copies the value out, row-major. It returns the tape's error if v is
// what an operation after that error gave.
func (v *Value) Float32s() ([]float32, error) {
	if v == nil {
		return nil, fmt.Errorf("read a value that was not computed: see Tape.Err")
	}
	if v.tape.err != nil {
		return nil, v.tape.err
	}
	return v.tensor.Float32s()
}

// Input puts data (row-major, copied) on the tape; it gets no gradient.
func (t *Tape) Input(data []float32, shape ...int) *Value {
	if t.err != nil {
		return nil
	}
	x, err := t.dev.FromFloat32s(data, mem.Data, shape...)
	if x != nil {
		t.owned = append(t.owned, x)
	}
	if err != nil {
		return t.fail("put input on the tape", err)
	}
	return &Value{tape: t, tensor: x}
}

// Param puts a parameter on the tape: its gradient is added to p.Grad.
func (t *Tape) Param(p *Param) *Value {
	if t.err != nil {
		return nil
	}
	if p == nil {
		return t.fail("use a parameter", fmt.Errorf("nil parameter: see Net.Err"))
	}
	return &Value{tape: t, tensor: p.Value, grad: p.Grad, needs: t.grads}
}

func (t *Tape) fail(act string, err error) *Value {
	if t.err == nil {
		t.err = fmt.Errorf("%s: %w", act, err)
	}
	return nil
}

// make returns a new activation that needs a gradient if one of its inputs does.
func (t *Tape) make(shape []int, inputs ...*Value) (*Value, error) {
	x, err := t.dev.Empty(gpu.Float32, mem.Activations, shape...)
	if err != nil {
		return nil, err
	}
	t.owned = append(t.owned, x)
	return t.result(x, inputs...), nil
}

func (t *Tape) result(x *gpu.Tensor, inputs ...*Value) *Value {
	v := &Value{tape: t, tensor: x}
	for _, in := range inputs {
		v.needs = v.needs || in.needs
	}
	return v
}

// record adds a step of the backward pass for a value that needs one.
func (t *Tape) record(v *Value, f func() error) *Value {
	if v.needs {
		t.back = append(t.back, f)
	}
	return v
}

// usable says whether an operation on values may run: no error so far, and the
// values are of this tape.
func (t *Tape) usable(act string, values ...*Value) bool {
	if t.err != nil {
		return false
	}
	for _, v := range values {
		if v == nil || v.tape != t {
			t.fail(act, fmt.Errorf("a value of another tape, or none"))
			return false
		}
	}
	return true
}

// gradient returns the value's gradient, zeros at first, for adding to.
func (v *Value) gradient() (*gpu.Tensor, error) {
	if v.parent != nil {
		g, err := v.parent.gradient()
		if err != nil {
			return nil, err
		}
		return g.Reshape(v.tensor.Shape()...)
	}
	if v.grad == nil {
		g, err := v.tape.dev.Zeros(mem.Gradients, v.tensor.Shape()...)
		if err != nil {
			return nil, err
		}
		v.tape.owned = append(v.tape.owned, g)
		v.grad = g
	}
	return v.grad, nil
}

// gradients is gradient of several values at once.
func gradients(values ...*Value) ([]*gpu.Tensor, error) {
	out := make([]*gpu.Tensor, len(values))
	for i, v := range values {
		g, err := v.gradient()
		if err != nil {
			return nil, err
		}
		out[i] = g
	}
	return out, nil
}

// Backward adds the gradients of loss, a single number, to all parameters that it
// was computed from.
func (t *Tape) Backward(loss *Value) error {
	if t.err != nil {
		return t.err
	}
	if loss == nil || loss.tensor.Len() != 1 {
		return fmt.Errorf("go backward: want one number to start from")
	}
	g, err := loss.gradient()
	if err == nil {
		err = g.CopyFrom([]float32{1})
	}
	for i := len(t.back) - 1; i >= 0 && err == nil; i-- {
		err = t.back[i]()
	}
	t.back = nil
	if err != nil {
		t.err = fmt.Errorf("go backward: %w", err)
	}
	return t.err
}

// Free gives back all tensors that the tape made. Its values must not be used
// afterwards.
func (t *Tape) Free() error {
	var first error
	for _, x := range t.owned {
		if err := x.Free(); err != nil && first == nil {
			first = err
		}
	}
	t.owned, t.back, t.Weights = nil, nil, nil
	return first
}
