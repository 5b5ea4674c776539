package balance

import (
	"errors"
	"fmt"
	"math"
	"time"

	"attune/gpu"
	"attune/gpu/driver"
	"attune/gpu/mem"
	"attune/stdlib/balance/control"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// NoRoomError says that a step ran out of memory in single examples too.
type NoRoomError struct {
	// Step is the number of the step, from 1, Budget the bytes that it could have.
	Step   int
	Budget int64
	Err    error
}

func (e *NoRoomError) Error() string {
	return fmt.Sprintf("step %d does not fit %s even one example at a time; nothing is lost, give a larger budget or a plan that computes layers twice, and call Fit again: %v", e.Step, bytesText(e.Budget), e.Err)
}

func (e *NoRoomError) Unwrap() error { return e.Err }

// outOfMemory tells an allocator's or a driver's refusal from other errors.
func outOfMemory(err error) bool {
	var own *mem.OutOfMemoryError
	var theirs *driver.Error
	return errors.As(err, &own) || errors.As(err, &theirs) && theirs.OutOfMemory()
}

// step is one update from a batch. Out of memory, it gives back what it had, is cut
// finer and done again from its beginning: the same examples, the same dropout
// masks. Parameters change at its very end, all or none.
func (r *Trainer) step(b *data.Batch) (float64, error) {
	failed := false
	statistics, err := copies(r.Net.Buffers())
	if err != nil {
		return 0, err
	}
	for {
		c := r.decide(b, failed)
		start := time.Now()
		loss, err := r.attempt(b, c.Parts)
		if err == nil {
			r.watch.done(r, b, time.Since(start))
			r.settled(b)
			r.state.Step++
			return loss, nil
		}
		// The running statistics of the parts that passed are those of examples that
		// will pass again.
		if back := putBack(r.Net.Buffers(), statistics); back != nil {
			return 0, errors.Join(err, back)
		}
		if !outOfMemory(err) {
			return 0, fmt.Errorf("train: step %d: %w", r.state.Step+1, err)
		}
		failed = true
		r.watch.failed(b, c.Parts)
		if trim := r.Net.Device().Trim(); trim != nil {
			return 0, errors.Join(err, trim)
		}
		r.caught = err
		if c.Parts >= b.Len() {
			return 0, &NoRoomError{r.state.Step + 1, r.watch.budget, err}
		}
	}
}

// copies are the values of parameters, or of buffers.
func copies(of []*nn.Param) (out [][]float32, err error) {
	for _, p := range of {
		x, err := p.Value.Float32s()
		if err != nil {
			return nil, fmt.Errorf("copy %s: %w", p.Name, err)
		}
		out = append(out, x)
	}
	return out, nil
}

func putBack(to []*nn.Param, from [][]float32) error {
	for i, p := range to {
		if err := p.Value.CopyFrom(from[i]); err != nil {
			return fmt.Errorf("put %s back: %w", p.Name, err)
		}
	}
	return nil
}

// decide asks the policy, and logs what it changes.
func (r *Trainer) decide(b *data.Batch, failed bool) control.Choice {
	s := r.watch.look(r.budget(), b)
	r.shown.budget(r.watch.limit)
	s.Parts, s.Failed = min(r.state.Parts, b.Len()), failed
	c := r.Policy.Decide(s)
	if r.Plan != nil && r.Plan.Micro > 0 && s.Micro(c.Parts) > r.Plan.Micro {
		c.Parts = r.Plan.Accumulation(b.Len())
		c.Predicted, c.Cause = s.Peak(s.Micro(c.Parts)), fmt.Sprintf("the plan: up to %d examples at a time", r.Plan.Micro)
	}
	if failed && c.Parts <= s.Parts { // whatever the policy thinks, what failed is not tried again
		c.Parts = min(2*s.Parts, b.Len())
		c.Predicted = s.Peak(s.Micro(c.Parts))
	}
	r.watch.predicted = c.Predicted
	was := r.state.Parts
	// A shorter last batch says nothing about the others.
	if b.Len() >= r.watch.batch {
		r.watch.batch, r.state.Parts = b.Len(), c.Parts
	} else if failed {
		r.state.Parts = max(c.Parts, r.state.Parts)
	}
	if c.Parts != s.Parts && (was > 0 || c.Parts > 1) {
		r.adapt(s, c, failed)
	}
	return c
}

// adapt logs a change of the parts.
func (r *Trainer) adapt(s control.Signal, c control.Choice, failed bool) {
	a := Action{
		Step: r.state.Step + 1, What: "cut the batch finer", Cause: c.Cause, Budget: s.Budget,
		From: max(s.Parts, 1), To: c.Parts, Micro: s.Micro(c.Parts), Predicted: c.Predicted, PeakBefore: r.watch.last, TimeBefore: r.watch.time,
	}
	switch {
	case s.Parts == 0:
		a.What, a.TimeBefore = "cut the batch", 0
	case failed:
		a.What = "replay the step, cut finer"
		a.Cause = "out of memory"
		var e *mem.OutOfMemoryError
		if errors.As(r.caught, &e) {
			a.Cause = fmt.Sprintf("out of memory: %s for %s on top of %s", bytesText(e.Want), e.Category, bytesText(e.Live))
		}
	case c.Parts < s.Parts:
		a.What = "cut the batch less"
	}
	r.took(a)
	r.watch.pending = true
}

// attempt computes the gradients of a batch in so many parts and changes the
// parameters by them.
func (r *Trainer) attempt(b *data.Batch, parts int) (loss float64, err error) {
	defer func() { err = errors.Join(err, r.Net.Release()) }()
	r.Net.Device().ResetPeak()
	r.watch.split = false
	if err := r.Net.ZeroGrad(); err != nil {
		return 0, err
	}
	size := control.Signal{Batch: b.Len()}.Micro(parts)
	lead := size // the examples of the first part
	if every := r.noiseEvery(); every > 0 && parts == 1 && b.Len() > 1 && r.state.Step%every == 0 {
		lead, r.watch.split = (b.Len()+3)/4, true
	}
	first := math.NaN()
	loss, err = inParts(b, lead, size, func(part *data.Batch) (float64, error) {
		weight := float64(part.Len()) / float64(b.Len())
		loss, err := r.backward(part, weight)
		if err == nil && part.First == b.First && part.Len() < b.Len() {
			first, err = r.squares(weight)
		}
		return loss, err
	})
	if err != nil {
		return 0, err
	}
	scaled := r.common() != nil && r.common().Scale != nil
	if !scaled && (math.IsNaN(loss) || math.IsInf(loss, 0)) {
		return 0, fmt.Errorf("the loss is %g; the weights are as they were before it, try a lower learning rate", loss)
	}
	if !math.IsNaN(first) {
		whole, err := r.squares(1)
		if err != nil {
			return 0, err
		}
		r.noise.add(lead, b.Len(), first, whole)
	}
	return loss, r.update(b)
}

// backward adds a part's gradients, times weight, and returns its loss.
func (r *Trainer) backward(part *data.Batch, weight float64) (float64, error) {
	t := r.Net.Tape()
	t.Seed, t.First = mixed(r.Seed, uint64(r.state.Step)), part.First
	return r.lossOf(t, func() (*nn.Value, error) {
		v := r.Loss(t, part)
		return v, r.Net.Backward(t, v, weight, r.Optimizer)
	})
}

// lossOf reads the loss that f computes on t. The tape is freed however f ends, by the
// panic of an interrupted cell too.
func (r *Trainer) lossOf(t *nn.Tape, f func() (*nn.Value, error)) (loss float64, err error) {
	defer func() { err = errors.Join(err, t.Free()) }()
	v, err := f()
	if err != nil {
		return 0, err
	}
	out, err := v.Float32s()
	if err != nil {
		return 0, err
	}
	if len(out) != 1 {
		return 0, fmt.Errorf("the loss is %d numbers, want one", len(out))
	}
	return float64(out[0]), nil
}

// update changes the parameters, at the rate that the batch's size asks for.
func (r *Trainer) update(b *data.Batch) error {
	c := r.common()
	if c != nil {
		was := c.LR
		defer func() { c.LR = was }()
		if size := max(b.Len(), r.watch.batch); r.rateBatch() > 0 {
			c.LR *= r.Rule.Factor(r.rateBatch(), size)
		} else if r.Plan != nil && r.Plan.LRScale > 0 {
			c.LR *= r.Plan.LRScale
		}
	}
	return r.Net.Update(r.Optimizer)
}

// trained is the parameters that are trained and their gradients.
func (r *Trainer) trained() (params, grads []*gpu.Tensor) {
	for _, p := range r.Net.Params() {
		if p.Grad != nil {
			params, grads = append(params, p.Value), append(grads, p.Grad)
		}
	}
	return params, grads
}

// common is the optimizer's own settings, nil for an optimizer from elsewhere.
func (r *Trainer) common() *gpu.Training { return common(r.Optimizer) }

// mixed makes a seed of two numbers that no other two share in practice (the
// finaliser of SplitMix64, Steele, Lea and Flood 2014).
func mixed(a, b uint64) uint64 {
	z := a + (b+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
