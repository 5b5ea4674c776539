package gpu

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"attune/gpu/mem"
)

// flight is what a CUDA device alone knows of an optimizer's last steps: whether their
// gradients were finite, so how many were done, and what became of the loss scale. The
// kernels decide by a record in the device's memory; the host has foreseen the factors
// of each case, and looks when somebody asks, or after so many steps.
type flight struct {
	record *Tensor
	tried  int     // steps since the host last looked
	slots  []*slot // of each of them
	scale  *LossScale
	failed bool // the last of them was decided, and then not done
}

// mostTried bounds the cases that a step's factors are computed for.
const mostTried = ahead - 1

// goesOn says whether a step can follow those in flight: it is of the same
// parameters and loss scale, on the same device.
func (o *Training) goesOn(l *lineup) bool {
	f := &o.flight
	return f.tried == 0 || f.tried < mostTried && !f.failed && f.scale == o.Scale && f.record.store.dev == l.dev && slices.Equal(f.slots, l.slots)
}

// stepBehind is step where Clip or Scale is set and the device decides.
func (o *Training) stepBehind(c *cuda, l *lineup, grads []*Tensor) (err error) {
	f := &o.flight
	if f.record == nil || f.record.store.dev != l.dev {
		record, err := l.dev.Empty(Float32, mem.OptimizerState, 2*recordWords)
		if err != nil {
			return err
		}
		_ = f.record.Free()
		f.record = record
	}
	if l.norms == nil {
		l.norms = packNorms(grads)
	}
	work, err := c.reserve(l, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, work.Return()) }()
	if err := c.decide(work, f.record.address(), l.norms, o.decision()); err != nil {
		return err
	}
	if f.tried++; f.tried == 1 {
		f.slots = l.slots
		if f.scale = o.Scale; f.scale != nil {
			f.scale.held = o
		}
	}
	for _, g := range l.groups {
		if err := o.updateBehind(c, work, g); err != nil {
			f.failed = true
			return errors.Join(err, o.look())
		}
	}
	return nil
}

// decision is what the device is told of Clip and Scale.
func (o *Training) decision() decision {
	d := decision{begin: o.flight.tried == 0, clip: o.Clip}
	if s := o.Scale; s != nil {
		d.scaled, d.growth, d.backoff, d.interval = true, s.Growth, s.Backoff, s.Interval
		if d.begin {
			d.scale, d.good = s.Value(), s.good
		}
	}
	return d
}

// updateBehind does the step of a group with the factors of as many
// steps as will have been done.
func (o *Training) updateBehind(c *cuda, work *mem.Block, g *group) error {
	gate, first, step := o.flight.record.address(), 0, g.first.steps+1
	if o.Scale == nil { // none was skipped, or this one is too
		first = o.flight.tried - 1
	}
	var rows [ahead][4]float32
	for done := first; done < o.flight.tried; done++ {
		f := o.rule.factors(step+done, o.rateAfter(o.steps+done)*g.factor)
		rows[done-first] = [4]float32{f.Shrink, f.Rate, f.Correct1, f.Correct2}
	}
	if err := c.choose(gate, first, rows[:o.flight.tried-first]); err != nil {
		return err
	}
	f, kind := o.rule.factors(step, 0), o.rule.kind() // those that stay
	if rule, ok := o.rule.(layerwise); ok {
		return c.layersBehind(work, gate, kind, f, rule.trust(), g.lists)
	}
	_, err := c.updateBehind(gate, kind, f, g.lists)
	return err
}

// look reads what came of the steps in flight, and waits for them. That a norm was not
// finite is for the next step to tell. Where the device does not answer, its steps stay in
// flight.
func (o *Training) look() error {
	f := &o.flight
	if f.tried == 0 {
		return nil
	}
	r, err := recordOf(f.record)
	if f.record.store.dev.Meta() { // a step of shapes is done
		r, err = record{done: f.tried, scale: 1}, nil
		if s := f.scale; s != nil {
			for s.held = nil; r.good < f.tried; r.good++ {
				s.observe(true)
			}
			r.scale, r.good = s.Value(), s.good
		}
	}
	if err != nil {
		return fmt.Errorf("read what came of the last %d steps: %w", f.tried, err)
	}
	if f.failed && !r.skip {
		r.done--
	}
	o.settle()
	o.steps, o.skipped, o.norm = o.steps+r.done, o.skipped+r.skipped, r.norm
	for _, s := range f.slots {
		s.steps += r.done
	}
	if f.scale != nil {
		f.scale.set(r.scale, r.good)
	}
	if r.stopped {
		o.late = notFinite(r.norm)
	}
	return nil
}

// settle ends what is in flight. Another optimizer may have the loss scale by now.
func (o *Training) settle() {
	f := &o.flight
	f.tried, f.failed = 0, false
	if f.scale != nil && f.scale.held == o {
		f.scale.held = nil
	}
}

// LossGradient fills y, a number of float32, with weight times the loss scale: the
// gradient of a loss by itself in a pass whose gradients Step is to get. Where a CUDA
// device holds the scale nobody waits for it.
func (o *Training) LossGradient(y *Tensor, weight float64) error {
	s := o.Scale
	if s == nil {
		return Fill(y, float32(weight))
	}
	if s.held != nil && y != nil && y.Len() == 1 && y.dtype == Float32 && live(s.held.flight.record, y) == nil {
		return y.store.dev.back.(*cuda).seed(y, s.held.flight.record.address(), weight)
	}
	return Fill(y, float32(weight*s.Value()))
}

// record is the one in the device's memory, as the host reads it.
type record struct {
	norm, scale         float64
	done, skipped, good int
	skip, stopped       bool
}

func recordOf(t *Tensor) (r record, err error) {
	words, err := t.words()
	if err != nil {
		return r, err
	}
	return record{
		norm: math.Float64frombits(words[0]), scale: math.Float64frombits(words[1]), done: int(words[3]), skipped: int(words[4]), good: int(words[5]),
		skip: uint32(words[6]) != 0, stopped: words[6]>>32 != 0,
	}, nil
}
