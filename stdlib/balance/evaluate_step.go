package balance

import (
	"errors"
	"fmt"
	"time"

	"attune/gpu"
	"attune/gpu/mem"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// rehearsal is a task on another device: a shadow of its net and an optimizer with its
// settings, so that steps change nothing of the task's.
type rehearsal struct {
	net  *nn.Net
	loss func(t *nn.Tape, b *data.Batch) *nn.Value
	opt  gpu.Optimizer // nil: no gradients
	tape *nn.Tape      // of the pass that is running, nil between
	ops  []nn.Op       // of the first pass since it was set to nil
}

func newRehearsal(task Task, dev *gpu.Device, freeze []string, training bool) (*rehearsal, error) {
	net, err := task.Net.Shadow(dev)
	if err != nil {
		return nil, err
	}
	r := &rehearsal{net: net, loss: task.Loss}
	if len(freeze) > 0 {
		_, err = net.Freeze(freeze...)
	}
	if err == nil && training {
		if task.Optimizer == nil {
			err = fmt.Errorf("the task has no optimizer")
		} else {
			r.opt, err = gpu.Fresh(task.Optimizer)
		}
	}
	if err != nil {
		return nil, errors.Join(err, net.Free())
	}
	return r, nil
}

// step is what Trainer does with a batch in so many parts.
func (r *rehearsal) step(b *data.Batch, parts int) error {
	if r.opt == nil {
		return r.pass(r.net.EvalTape(), b, 0)
	}
	if err := r.net.ZeroGrad(); err != nil {
		return err
	}
	n := b.Len()
	micro := (n + parts - 1) / parts
	for lo := 0; lo < n; lo += micro {
		part := b
		if parts > 1 {
			part = b.Slice(lo, min(n, lo+micro))
		}
		if err := r.pass(r.net.Tape(), part, float64(part.Len())/float64(n)); err != nil {
			return err
		}
	}
	return r.net.Update(r.opt)
}

// pass goes forward, and backward where there is an optimizer.
func (r *rehearsal) pass(t *nn.Tape, b *data.Batch, weight float64) (err error) {
	r.tape, t.First = t, b.First
	defer func() {
		err = errors.Join(err, t.Free())
		r.tape = nil
	}()
	loss := r.loss(t, b)
	if r.ops == nil {
		r.ops = t.Ops()
	}
	if r.opt == nil {
		return t.Err()
	}
	return t.BackwardScaled(loss, weight)
}

// doing is what runs now, and in which layer.
func (r *rehearsal) doing() (what, layer string) {
	if r.tape == nil {
		return "update", ""
	}
	return r.tape.Now()
}

// live is the bytes in use by category.
func (r *rehearsal) live() (out [mem.NumCategories]int64) {
	for c, n := range r.net.Device().Memory().ByCategory {
		out[c] = n.Live
	}
	return out
}

func (r *rehearsal) free() error {
	err := r.net.Free()
	if r.opt != nil {
		err = errors.Join(err, r.opt.Free())
	}
	return err
}

// stepTime measures steps of a few small batches on a device of the same kind beside
// the task's and goes on along a straight line: a pass costs something of its own and
// something for each example.
func stepTime(task Task, b *data.Batch, plan Plan, e *Estimate) (took time.Duration, err error) {
	micro := (e.Batch + e.Passes - 1) / e.Passes
	low, high := max(1, micro/8), max(2, micro/3)
	if high > micro {
		low, high = micro, micro
	}
	dev, err := task.Net.Device().Aside()
	if err != nil {
		return 0, err
	}
	r, err := newRehearsal(task, dev, plan.Freeze, e.Training)
	if err != nil {
		return 0, errors.Join(err, dev.Close())
	}
	defer func() { err = errors.Join(err, r.free(), dev.Close()) }()
	a, err := r.time(b.Slice(0, low))
	if err != nil || low == high {
		return a * time.Duration(e.Passes), err
	}
	z, err := r.time(b.Slice(0, high))
	if err != nil {
		return 0, err
	}
	update, err := r.timeUpdate()
	slope := max(0, (z-a).Seconds()/float64(high-low))
	fixed := max(0, (a-update).Seconds()-slope*float64(low))
	seconds := fixed*float64(e.Passes) + slope*float64(e.Batch) + update.Seconds()
	return time.Duration(seconds * 1e9), err
}

// time is the least of a few steps' times, after one for what the first use costs.
func (r *rehearsal) time(b *data.Batch) (time.Duration, error) {
	return least(func() error { return r.step(b, 1) })
}

func (r *rehearsal) timeUpdate() (time.Duration, error) {
	if r.opt == nil {
		return 0, nil
	}
	return least(func() error { return errors.Join(r.net.ZeroGrad(), r.net.Update(r.opt)) })
}

// least repeats f for about calibration.
func least(f func() error) (time.Duration, error) {
	const calibration = 30 * time.Millisecond
	best := time.Duration(0)
	begin := time.Now()
	for i := 0; i < 3 || time.Since(begin) < calibration; i++ {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		if took := time.Since(start); i > 0 && (best == 0 || took < best) {
			best = took
		}
	}
	return best, nil
}
