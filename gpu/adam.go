package gpu

import (
	"fmt"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// Adam is the optimizer of Kingma and Ba (2015), with decoupled weight decay
// where Decay is not 0 (AdamW, Loshchilov and Hutter 2019). The constants may be
// changed between steps.
type Adam struct {
	LR, Beta1, Beta2, Eps, Decay float64

	steps int
	state map[*Tensor]moments
}

// moments are the running means of a parameter's gradient and of its square.
type moments struct{ m, v *Tensor }

// NewAdam returns an optimizer with the paper's constants: 0.9, 0.999, 1e-8.
func NewAdam(lr float64) *Adam {
	return &Adam{LR: lr, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, state: map[*Tensor]moments{}}
}

// Steps is the number of steps done.
func (o *Adam) Steps() int { return o.steps }

// Step changes each of params by its gradient in grads, in one fused pass each.
// All are dense float32; the moments (two floats a parameter, counted as
// optimizer state) are made at a parameter's first step.
func (o *Adam) Step(params, grads []*Tensor) error {
	if len(params) != len(grads) {
		return fmt.Errorf("adam step: %d parameters, %d gradients", len(params), len(grads))
	}
	for i, p := range params {
		if err := o.prepare(p, grads[i]); err != nil {
			return fmt.Errorf("adam step: parameter %d: %w", i, err)
		}
	}
	o.steps++
	c := host.Adam{LR: o.LR, Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, Decay: o.Decay}
	for i, p := range params {
		s := o.state[p]
		if err := p.store.dev.back.adam(c, o.steps, p, grads[i], s.m, s.v); err != nil {
			return fmt.Errorf("adam step of %s: %w", p, err)
		}
	}
	keep(params...)
	keep(grads...)
	return nil
}

// prepare checks a pair and makes its moments.
func (o *Adam) prepare(p, g *Tensor) error {
	if err := sameDevice(p, g); err != nil {
		return err
	}
	if dims(p.shape) != dims(g.shape) || !p.Dense() || !g.Dense() {
		return fmt.Errorf("%s with gradient %s: want two dense tensors of one shape", p, g)
	}
	if _, ok := o.state[p]; ok {
		return nil
	}
	m, err := p.store.dev.Zeros(mem.OptimizerState, p.shape...)
	if err != nil {
		return err
	}
	v, err := p.store.dev.Zeros(mem.OptimizerState, p.shape...)
	if err != nil {
		_ = m.Free()
		return err
	}
	if o.state == nil {
		o.state = map[*Tensor]moments{}
	}
	o.state[p] = moments{m, v}
	return nil
}

// Free gives the optimizer's state back and starts it anew.
func (o *Adam) Free() error {
	var first error
	for p, s := range o.state {
		for _, t := range []*Tensor{s.m, s.v} {
			if err := t.Free(); err != nil && first == nil {
				first = err
			}
		}
		delete(o.state, p)
	}
	o.steps = 0
	return first
}
