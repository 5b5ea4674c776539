package gorgoniax

import (
	"fmt"
	"unsafe"

	"gorgonia.org/gorgonia"

	"attune/gpu"
	"attune/gpu/mem"
)

// Solver is a gorgonia.Solver that steps with one of attune's optimizers.
type Solver struct {
	opt    gpu.Optimizer
	dev    *gpu.Device
	params []param
}

// param is what the solver keeps of one of the model's values.
type param struct {
	tensor *gpu.Tensor
	at     *float32 // where the value's memory begins
}

var _ gorgonia.Solver = (*Solver)(nil)

// NewSolver returns a Solver that steps with opt on dev. On the CPU it works on the
// graph's own memory, in one pass over all parameters and with nothing allocated
// but the optimizer's state.
func NewSolver(dev *gpu.Device, opt gpu.Optimizer) *Solver { return &Solver{dev: dev, opt: opt} }

// String says in one line what the solver steps with.
func (s *Solver) String() string {
	return fmt.Sprintf("gorgonia solver on %v: %v", s.dev, s.opt)
}

// Step changes the model's values by their gradients and sets these to zero, as
// gorgonia's own solvers do. The model is the same list at each step; a value that
// has moved to other memory keeps its state.
func (s *Solver) Step(model []gorgonia.ValueGrad) error {
	if s.dev == nil || s.opt == nil {
		return fmt.Errorf("step gorgonia's model: NewSolver was given a nil device or optimizer")
	}
	if s.params == nil {
		s.params = make([]param, len(model))
	}
	if len(s.params) != len(model) {
		return fmt.Errorf("step gorgonia's model: %d values, there were %d before", len(model), len(s.params))
	}
	params, grads := make([]*gpu.Tensor, len(model)), make([]*gpu.Tensor, len(model))
	defer func() {
		for _, g := range grads {
			_ = g.Free()
		}
	}()
	for i, n := range model {
		var err error
		if params[i], err = s.value(i, n.Value()); err == nil {
			grads[i], err = s.gradient(n)
		}
		if err != nil {
			return fmt.Errorf("step gorgonia's model: value %d%s: %w", i, nameOf(n), err)
		}
	}
	if err := s.opt.Step(params, grads); err != nil {
		return fmt.Errorf("step gorgonia's model: %w", err)
	}
	for i, n := range model {
		if err := s.finish(params[i], n); err != nil {
			return fmt.Errorf("step gorgonia's model: value %d%s: %w", i, nameOf(n), err)
		}
	}
	return nil
}

func nameOf(n gorgonia.ValueGrad) string {
	if named, ok := n.(gorgonia.Namer); ok {
		return " (" + named.Name() + ")"
	}
	return ""
}

// value is the tensor of the model's value i, the same one at each step.
func (s *Solver) value(i int, v gorgonia.Value) (*gpu.Tensor, error) {
	d, err := dense(v)
	if err != nil {
		return nil, err
	}
	p := &s.params[i]
	at := unsafe.SliceData(d.Float32s())
	onCPU := s.dev.Name() == "cpu"
	if p.tensor != nil && p.at == at {
		if onCPU {
			return p.tensor, nil
		}
		return p.tensor, p.tensor.CopyFrom(d.Float32s())
	}
	t, shared, err := fromDense(s.dev, d, mem.Parameters)
	if err != nil {
		return nil, err
	}
	if onCPU && !shared {
		_ = t.Free()
		return nil, fmt.Errorf("a Dense %v with strides %v: want it row-major", d.Shape(), d.Strides())
	}
	if p.tensor != nil {
		if err := s.opt.Move(p.tensor, t); err != nil {
			_ = t.Free()
			return nil, err
		}
		if err := p.tensor.Free(); err != nil {
			return nil, err
		}
	}
	*p = param{t, at}
	return t, nil
}

func (s *Solver) gradient(n gorgonia.ValueGrad) (*gpu.Tensor, error) {
	g, err := n.Grad()
	if err != nil {
		return nil, fmt.Errorf("its gradient: %w", err)
	}
	d, err := dense(g)
	if err != nil {
		return nil, fmt.Errorf("its gradient: %w", err)
	}
	return FromDense(s.dev, d, mem.Gradients)
}

// finish brings the value back from the device and clears the gradient.
func (s *Solver) finish(t *gpu.Tensor, n gorgonia.ValueGrad) error {
	if s.dev.Name() != "cpu" {
		d, err := dense(n.Value())
		if err != nil {
			return err
		}
		if err := t.CopyTo(d.Float32s()); err != nil {
			return err
		}
	}
	g, err := n.Grad()
	if err != nil {
		return err
	}
	d, err := dense(g)
	if err != nil {
		return err
	}
	d.Zero()
	return nil
}

// Free gives the optimizer's state back. The model keeps its values.
func (s *Solver) Free() error {
	for _, p := range s.params {
		_ = p.tensor.Free()
	}
	s.params = nil
	return s.opt.Free()
}

// Tensors lists the tensors of the model and of the optimizer's state.
func (s *Solver) Tensors() []*gpu.Tensor {
	out := s.opt.Tensors()
	for _, p := range s.params {
		if p.tensor != nil {
			out = append(out, p.tensor)
		}
	}
	return out
}
