package gpu

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// Optimizer changes parameters by their gradients, step by step: SGD, Adam,
// Adagrad, RMSprop, LARS and LAMB. It keeps state for each parameter. Its methods
// must not be called from two goroutines at once.
type Optimizer interface {
	// Step changes each of params by its gradient in grads; a nil gradient leaves its
	// parameter alone.
	Step(params, grads []*Tensor) error
	// Steps is the number of steps done, skipped ones not counted.
	Steps() int
	// Save writes the state of params, Load reads it back into params of the same
	// shapes, in the same order.
	Save(w io.Writer, params []*Tensor) error
	Load(r io.Reader, params []*Tensor) error
	// Move gives the state of a parameter to another one, see Training.Move.
	Move(from, to *Tensor, keep ...[]int) error
	// Tensors lists the tensors of the state.
	Tensors() []*Tensor
	// Free gives the state back and starts anew.
	Free() error
}

// rule is what differs between optimizers.
type rule interface {
	// name names it in errors and files.
	name() string
	// kind is the form of the step now, stateNames what its states are called.
	kind() host.Kind
	stateNames() []string
	// factors are the constants of step t, from 1, at that learning rate, without
	// Scale.
	factors(t int, lr float64) host.Factors
	// settings are the rule's own constants.
	settings() settings
}

// layerwise rules give each tensor its own rate, by its norm and that of its
// gradient or of its update.
type layerwise interface {
	trust() host.Trust
}

// Training is what all optimizers share. The fields may be changed between steps.
type Training struct {
	// LR is the learning rate, which Schedule, if not nil, multiplies.
	LR       float64
	Schedule Schedule
	// Clip, if above 0, bounds the norm of all gradients together (Pascanu et al.
	// 2013): where it is larger, all are scaled down alike.
	Clip float64
	// Scale, if not nil, says what the gradients are multiplied with, and skips steps
	// whose gradients hold Inf or NaN. Without it such gradients reach the parameters,
	// unless Clip is set: then the step is an error.
	Scale *LossScale

	rule    rule
	steps   int
	skipped int
	norm    float64
	state   map[*Tensor]*slot
	factors map[*Tensor]float64
	flight  flight
	late    error   // the norm of an earlier step, for the next one to tell
	line    *lineup // of the last step
}

// slot is the state of one parameter.
type slot struct {
	steps  int
	master *Tensor // float32, of a parameter in half precision
	s      [3]*Tensor
}

func (s *slot) tensors() []*Tensor {
	return slices.DeleteFunc([]*Tensor{s.master, s.s[0], s.s[1], s.s[2]}, func(t *Tensor) bool { return t == nil })
}

// update is one tensor's part of a step as a backend sees it; all are dense.
type update struct {
	x, half, g *Tensor // float32; nil or half precision; any floating point
	s          [3]*Tensor
	rate       float32
}

// Steps is the number of steps done, skipped ones not counted. Where Clip or Scale is
// set, a CUDA device alone knows what came of its last steps, and Steps, Skipped, Norm
// and Rate wait for it. Where it does not answer they leave those steps out, and Step,
// Save and Move are errors.
func (o *Training) Steps() int {
	_ = o.look()
	return o.steps
}

// Skipped is the number of steps that were skipped for Inf or NaN.
func (o *Training) Skipped() int {
	_ = o.look()
	return o.skipped
}

// Norm is the global norm of the last step's gradients, before clipping; it is
// known where Clip or Scale is set.
func (o *Training) Norm() float64 {
	_ = o.look()
	return o.norm
}

// Rate is the learning rate of the next step.
func (o *Training) Rate() float64 {
	if o.Schedule != nil {
		_ = o.look()
	}
	return o.rateAfter(o.steps)
}

// rateAfter is the learning rate after so many steps.
func (o *Training) rateAfter(steps int) float64 {
	if o.Schedule == nil {
		return o.LR
	}
	return o.LR * o.Schedule.At(steps)
}

// Step changes each of params by its gradient in grads, all in one fused pass. A
// parameter is f32, f16 or bf16, and so is its gradient, of the same shape; both
// are dense. Parameters in half precision are rounded from a float32 master, which
// is part of the state. State is made at a parameter's first step and counted as
// optimizer state. A nil gradient leaves its parameter alone. Nothing is changed
// where the error is about the arguments or memory.
//
// With Clip or Scale the gradients' norm decides about the step. A CUDA device decides
// by itself and nobody waits for it: that a norm was not finite, which without Scale is
// an error, is told by a later Step, 32 steps later at most, and until then steps change
// nothing.
func (o *Training) Step(params, grads []*Tensor) error {
	if o.rule == nil {
		return fmt.Errorf("optimizer step: make the optimizer with its New function, as NewAdam(1e-3)")
	}
	if err := o.step(params, grads); err != nil {
		return fmt.Errorf("%s step: %w", o.rule.name(), err)
	}
	return nil
}

func (o *Training) step(params, grads []*Tensor) error {
	if err := o.sound(); err != nil {
		return err
	}
	l, err := o.lineUp(params, grads)
	if err != nil || len(l.slots) == 0 {
		return err
	}
	defer runtime.KeepAlive(grads)
	defer runtime.KeepAlive(o) // it holds all others
	c, ok := l.dev.back.(*cuda)
	guarded := ok && (o.Clip > 0 || o.Scale != nil)
	if !guarded || !o.goesOn(l) {
		if err := o.look(); err != nil {
			return err
		}
	}
	if err := o.late; err != nil {
		o.late = nil
		return err
	}
	if s := o.Scale; s != nil && o.flight.tried == 0 {
		if err := s.sound(); err != nil {
			return err
		}
	}
	o.group(l, params, grads)
	if guarded {
		return o.stepBehind(c, l, grads)
	}
	scale, skip, err := o.scale(grads)
	if err != nil {
		return err
	}
	if skip {
		o.skipped++
		return nil
	}
	if !ok {
		l.fill(grads)
		defer l.fill(nil)
	}
	if err := o.stepNow(l, float32(scale)); err != nil {
		return err
	}
	o.steps++
	for _, s := range l.slots {
		s.steps++
	}
	return nil
}

// SetFactor multiplies the learning rate of a parameter, 1 unless set: groups of
// parameters may so learn at rates of their own. It is saved with the state.
func (o *Training) SetFactor(p *Tensor, factor float64) {
	if o.Factor(p) == factor {
		return
	}
	if o.factors == nil {
		o.factors = map[*Tensor]float64{}
	}
	if o.factors[p] = factor; factor == 1 {
		delete(o.factors, p)
	}
	o.line = nil
}

// Factor is what the learning rate of a parameter is multiplied with.
func (o *Training) Factor(p *Tensor) float64 {
	if f, ok := o.factors[p]; ok {
		return f
	}
	return 1
}

// scale is what the gradients are multiplied with, and whether to skip the step.
func (o *Training) scale(grads []*Tensor) (scale float64, skip bool, err error) {
	scale = 1
	if o.Scale != nil {
		scale = 1 / o.Scale.Value()
	}
	if o.Clip <= 0 && o.Scale == nil {
		return scale, false, nil
	}
	grads = slices.DeleteFunc(slices.Clone(grads), func(g *Tensor) bool { return g == nil })
	sums, err := grads[0].store.dev.back.sumSquares(grads)
	if err != nil {
		return 0, false, err
	}
	total := 0.0
	for _, s := range sums {
		total += s
	}
	o.norm = math.Sqrt(total) * scale
	finite := !math.IsInf(total, 0) && !math.IsNaN(total)
	if o.Scale != nil {
		o.Scale.observe(finite)
		if !finite {
			return 0, true, nil
		}
	}
	if !finite {
		return 0, false, notFinite(o.norm)
	}
	if o.Clip > 0 {
		scale *= min(1, o.Clip/(o.norm+1e-6))
	}
	return scale, false, nil
}

func notFinite(norm float64) error {
	return fmt.Errorf("the gradients' norm is %g; set Scale, to SkipBad() for one, to skip such steps", norm)
}

// stepNow does a step that the host has decided about.
func (o *Training) stepNow(l *lineup, scale float32) (err error) {
	rate, back := o.rateAfter(o.steps), l.dev.back
	rule, layered := o.rule.(layerwise)
	c, ok := back.(*cuda)
	var work *mem.Block
	if ok {
		if work, err = c.reserve(l, false); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, work.Return()) }()
	}
	for _, g := range l.groups {
		f := o.rule.factors(g.first.steps+1, rate*g.factor)
		f.Scale = scale
		switch {
		case layered && ok:
			err = c.layersBehind(work, 0, l.kind, f, rule.trust(), g.lists)
		case ok:
			_, err = c.updateBehind(0, l.kind, f, g.lists)
		case layered:
			err = back.updateLayers(l.kind, f, rule.trust(), g.us)
		default:
			_, err = back.update(l.kind, f, g.us)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Tensors lists the tensors of the state in the order they were made.
func (o *Training) Tensors() []*Tensor {
	var out []*Tensor
	for _, s := range o.state {
		out = append(out, s.tensors()...)
	}
	slices.SortFunc(out, func(a, b *Tensor) int { return cmp.Compare(a.Storage(), b.Storage()) })
	return out
}

// Free gives the optimizer's state back and starts it anew.
func (o *Training) Free() error {
	_ = o.look() // nobody asks any more
	o.settle()
	errs := []error{o.flight.record.Free()}
	for _, t := range o.Tensors() {
		errs = append(errs, t.Free())
	}
	o.state, o.steps, o.skipped, o.norm, o.flight, o.late, o.line = nil, 0, 0, 0, flight{}, nil, nil
	return errors.Join(errs...)
}
