package gorgoniax

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"attune/gpu"
	"attune/gpu/mem"
)

// Attention adds scaled dot-product attention to a graph (see gpu.Attention): q
// (B, H, Tq, D), k and v (B, Kv, Tk, D), all float32; the result is (B, H, Tq, D).
// It is computed on dev, and has gradients by q, k and v.
func Attention(dev *gpu.Device, q, k, v *gorgonia.Node, o gpu.AttentionOptions) (*gorgonia.Node, error) {
	if err := fit(dev, q, k, v, o); err != nil {
		return nil, fmt.Errorf("add attention to the graph: %w", err)
	}
	n, err := gorgonia.ApplyOp(&attend{run{dev: dev, options: o, pass: new(pass)}}, q, k, v)
	if err != nil {
		return nil, fmt.Errorf("add attention to the graph: %w", err)
	}
	return n, nil
}

// fit says what is wrong with what attention is asked for, as far as it shows before the
// graph runs: shapes are tried on a device of shapes.
func fit(dev *gpu.Device, q, k, v *gorgonia.Node, o gpu.AttentionOptions) error {
	if dev == nil {
		return fmt.Errorf("nil device: the call of gpu.Open may have failed")
	}
	shapes, err := gpu.OpenMeta(dev)
	if err != nil {
		return err
	}
	defer func() { _ = shapes.Close() }()
	var ts [3]*gpu.Tensor
	for i, n := range []*gorgonia.Node{q, k, v} {
		name := []string{"query", "key", "value"}[i]
		if n == nil {
			return fmt.Errorf("the %s is a nil node: the call that was to make it may have failed", name)
		}
		if n.Dims() != 4 || n.Dtype() != tensor.Float32 {
			return fmt.Errorf("%s is %v of %v: want (B, H, T, D) of float32", name, n.Shape(), n.Dtype())
		}
		if ts[i], err = shapes.Empty(gpu.Float32, mem.Activations, n.Shape()...); err != nil {
			return err
		}
	}
	o.Bias = nil // is of dev, and looked at when the graph runs
	_, err = gpu.Attention(ts[0], ts[1], ts[2], o)
	return err
}

// pass is what the forward op and its three gradient ops share: the gradients come
// from one call, and an op of gorgonia's has one output.
type pass struct {
	number int // of forward passes so far
	result *gpu.AttentionResult
	inputs []*gpu.Tensor

	graded int // the forward pass that grads are of
	grads  [3]*gpu.Tensor
}

func (p *pass) forget() error {
	errs := []error{p.grads[0].Free(), p.grads[1].Free(), p.grads[2].Free()}
	if p.result != nil {
		errs = append(errs, p.result.Free())
	}
	for _, t := range p.inputs {
		errs = append(errs, t.Free())
	}
	p.result, p.inputs, p.grads = nil, nil, [3]*gpu.Tensor{}
	return errors.Join(errs...)
}

// run is what all four ops are made of.
type run struct {
	dev     *gpu.Device
	options gpu.AttentionOptions
	*pass
}

// ReturnsPtr is true: results are memory of the op's own.
func (*run) ReturnsPtr() bool { return true }

// CallsExtern is false, which means cuBLAS and the like to gorgonia.
func (*run) CallsExtern() bool { return false }

// OverwritesInput is -1: no input is written to.
func (*run) OverwritesInput() int { return -1 }

// attend is the forward op.
type attend struct{ run }

var _ gorgonia.SDOp = (*attend)(nil)

func four() hm.Type { return gorgonia.TensorType{Dims: 4, Of: tensor.Float32} }

// Arity is 3: query, key, value.
func (*attend) Arity() int { return 3 }

// Type is that of a function of three (B, H, T, D) tensors to one.
func (*attend) Type() hm.Type { return hm.NewFnType(four(), four(), four(), four()) }

// InferShape is the query's shape.
func (*attend) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) { return shapeOf(in, 0, 3) }

// shapeOf is the shape of input i of n.
func shapeOf(in []gorgonia.DimSizer, i, n int) (tensor.Shape, error) {
	if len(in) != n {
		return nil, fmt.Errorf("attention of %d inputs: want %d", len(in), n)
	}
	shapes, err := gorgonia.DimSizersToShapes(in)
	if err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	return shapes[i].Clone(), nil
}

// Do computes the output.
func (a *attend) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	if err := a.forget(); err != nil {
		return nil, err
	}
	if len(in) != 3 {
		return nil, fmt.Errorf("attention of %d inputs: want 3", len(in))
	}
	var err error
	if a.inputs, err = a.tensors(in); err != nil {
		return nil, err
	}
	if a.result, err = gpu.Attention(a.inputs[0], a.inputs[1], a.inputs[2], a.options); err != nil {
		return nil, err
	}
	a.number++
	return ToDense(a.result.Output)
}

// tensors are values as tensors of the op's device.
func (a *run) tensors(in []gorgonia.Value) ([]*gpu.Tensor, error) {
	var out []*gpu.Tensor
	for i, v := range in {
		d, err := dense(v)
		if err == nil {
			var t *gpu.Tensor
			if t, err = FromDense(a.dev, d, mem.Activations); err == nil {
				out = append(out, t)
				continue
			}
		}
		for _, t := range out {
			_ = t.Free()
		}
		return nil, fmt.Errorf("attention: input %d: %w", i, err)
	}
	return out, nil
}

// DiffWRT says that query, key and value all have gradients.
func (*attend) DiffWRT(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}

// SymDiff adds the three gradients to the graph. The inputs and the output are
// inputs of them too, so that no machine gives their memory away before.
func (a *attend) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	var out gorgonia.Nodes
	for i := range inputs {
		n, err := gorgonia.ApplyOp(&attendGrad{a.run, i}, inputs[0], inputs[1], inputs[2], output, grad)
		if err != nil {
			return nil, fmt.Errorf("add the gradient of attention to the graph: %w", err)
		}
		out = append(out, n)
	}
	return out, nil
}

// WriteHash writes the op's identity: two attentions are never one.
func (a *attend) WriteHash(h hash.Hash) { fmt.Fprintf(h, "attention %p", a.pass) }

// Hashcode is the hash of WriteHash.
func (a *attend) Hashcode() uint32 { return hashOf(a) }

func (*attend) String() string { return "Attention" }

// attendGrad is the gradient by one of the inputs.
type attendGrad struct {
	run
	by int
}

var _ gorgonia.Op = (*attendGrad)(nil)

// Arity is 5: query, key, value, the output, and the gradient by it.
func (*attendGrad) Arity() int { return 5 }

// Type is that of a function of five (B, H, T, D) tensors to one.
func (*attendGrad) Type() hm.Type {
	return hm.NewFnType(four(), four(), four(), four(), four(), four())
}

// InferShape is the shape of the input that the gradient is by.
func (a *attendGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return shapeOf(in, a.by, 5)
}

// Do computes all three gradients, or takes them from the op before it.
func (a *attendGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	if len(in) != 5 || a.result == nil {
		return nil, fmt.Errorf("gradient of attention of %d inputs, forward pass done: %v", len(in), a.result != nil)
	}
	if a.graded != a.number {
		g, err := a.tensors(in[4:])
		if err != nil {
			return nil, err
		}
		a.grads[0], a.grads[1], a.grads[2], err = a.result.Backward(g[0])
		if err = errors.Join(err, g[0].Free()); err != nil {
			return nil, err
		}
		a.graded = a.number
	}
	return ToDense(a.grads[a.by])
}

// WriteHash writes the op's identity.
func (a *attendGrad) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "gradient %d of attention %p", a.by, a.pass)
}

// Hashcode is the hash of WriteHash.
func (a *attendGrad) Hashcode() uint32 { return hashOf(a) }

func (a *attendGrad) String() string {
	return "AttentionGrad" + []string{"Query", "Key", "Value"}[a.by]
}

func hashOf(op gorgonia.Op) uint32 {
	h := fnv.New32a()
	op.WriteHash(h)
	return h.Sum32()
}
