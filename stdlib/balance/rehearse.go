package balance

import (
	"errors"
	"fmt"

	"attune/display"
	"attune/gpu"
	"attune/gpu/mem"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// rehearsal is a task on another device, as a plan changes it: a shadow of its net and
// an optimizer with its settings. Passes and updates there change nothing of the
// task's, and on a device of shapes they count what the task's own will, to the byte.
// Until close the task's model is cut, and its pruned layers are sized, as the plan says.
type rehearsal struct {
	task   Task
	dev    *gpu.Device
	net    *nn.Net
	opt    gpu.Optimizer // nil: nothing is updated
	learns bool          // with gradients
	tape   *nn.Tape      // of the pass that is running, nil between
	ops    []nn.Op       // of the first pass since it was set to nil
	cold   bool          // the last extra made state of the optimizer
	undo   []func()
}

// onShapes rehearses a task on a device of shapes.
func onShapes(task Task, plan *Plan, learns bool) (*rehearsal, error) {
	dev, err := gpu.OpenMeta(task.Net.Device())
	if err != nil {
		return nil, err
	}
	return rehearse(task, dev, plan, learns)
}

// rehearse is a rehearsal on dev, which is closed with it. The optimizer has no state yet.
func rehearse(task Task, dev *gpu.Device, plan *Plan, learns bool) (*rehearsal, error) {
	net, err := task.Net.Shadow(dev)
	if err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	r := &rehearsal{task: task, dev: dev, net: net, learns: learns}
	if !dev.Meta() {
		err = r.fill()
	}
	if err == nil {
		err = r.prepare(plan)
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// prepare changes the shadow as the plan wants.
func (r *rehearsal) prepare(p *Plan) (err error) {
	if r.net.Precision, err = p.precision(r.task); err != nil {
		return err
	}
	if p.Cuts != nil {
		m := r.task.Model
		if m == nil {
			return fmt.Errorf("the plan cuts the model, and Task.Model is not set")
		}
		had := m.Cuts
		r.undo = append(r.undo, func() { m.Cuts = had })
		m.Cuts = p.Cuts
	}
	if len(p.Freeze) > 0 {
		if _, err := r.net.Freeze(p.Freeze...); err != nil {
			return err
		}
	}
	for _, cut := range p.Prune {
		site, err := siteOf(r.task.Model, cut)
		if err != nil {
			return err
		}
		if site.Of == len(cut.Keep) { // done before
			continue
		}
		if err := r.prune(site, cut.Keep); err != nil {
			return err
		}
	}
	if r.learns && r.task.Optimizer != nil {
		if r.opt, err = gpu.Fresh(r.task.Optimizer); err == nil {
			r.net.LossScale(r.opt) // a scale looks at the gradients
		}
	}
	return err
}

// fill gives the shadow the net's numbers: a pooling or a ReLU over zeros is faster than
// over real ones.
func (r *rehearsal) fill() error {
	for p, q := range r.shadows() {
		x, err := p.Value.Float32s()
		if err == nil {
			err = q.Value.CopyFrom(x)
		}
		if err != nil {
			return fmt.Errorf("copy %s beside: %w", p.Name, err)
		}
	}
	return nil
}

// prune shortens the shadow's parameters. The layer itself is the task's.
func (r *rehearsal) prune(site Site, keep []int) error {
	of := r.shadows()
	cuts := site.cuts
	site.cuts = nil
	for _, c := range cuts {
		c.param = of[c.param]
		site.cuts = append(site.cuts, c)
	}
	if had, resize := site.Of, site.resize; resize != nil {
		r.undo = append(r.undo, func() { resize(had) })
	}
	return site.Prune(nil, keep)
}

// shadows says what stands for which parameter of the task's net.
func (r *rehearsal) shadows() map[*nn.Param]*nn.Param {
	of := map[*nn.Param]*nn.Param{}
	for i, p := range r.task.Net.Params() {
		of[p] = r.net.Params()[i]
	}
	for i, p := range r.task.Net.Buffers() {
		of[p] = r.net.Buffers()[i]
	}
	return of
}

// warm makes the optimizer's state of those parameters that have it in the task's.
func (r *rehearsal) warm() error {
	o, ok := r.task.Optimizer.(stater)
	if r.opt == nil || !ok {
		return nil
	}
	var params, grads []*gpu.Tensor
	for i, p := range r.task.Net.Params() {
		if q := r.net.Params()[i]; q.Grad != nil && len(o.State(p.Value)) > 0 {
			params, grads = append(params, q.Value), append(grads, q.Grad)
		}
	}
	return r.opt.Step(params, grads)
}

// pass goes forward over a part of a batch, and backward where it learns. A loss that
// cannot do without its numbers is an error.
func (r *rehearsal) pass(part *data.Batch, weight float64) (err error) {
	t := r.net.EvalTape()
	if r.learns {
		t = r.net.Tape()
	}
	r.tape, t.First = t, part.First
	defer func() {
		r.tape = nil
		err = errors.Join(err, t.Free())
		if v := recover(); v != nil {
			if display.Stopping() {
				panic(v)
			}
			err = errors.Join(fmt.Errorf("the loss panics without its numbers: %v", v), err)
		}
	}()
	loss := r.task.Loss(t, part)
	if r.ops == nil {
		r.ops = t.Ops()
	}
	if !r.learns {
		return t.Err()
	}
	return t.BackwardScaled(loss, weight)
}

// update is the end of a step.
func (r *rehearsal) update() error {
	if r.opt == nil {
		return r.net.Release()
	}
	return r.net.Update(r.opt)
}

// step is what Trainer does with a batch in so many parts.
func (r *rehearsal) step(b *data.Batch, parts int) error {
	if !r.learns {
		return r.pass(b, 1)
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
		if err := r.pass(part, float64(part.Len())/float64(n)); err != nil {
			return err
		}
	}
	return r.update()
}

// extra is the bytes that a step of micro examples of b at a time takes at its peak, on
// top of what is live before it. State that the task's optimizer lacks yet is part of it.
func (r *rehearsal) extra(b *data.Batch, micro int) (int64, error) {
	r.dev.ResetPeak()
	live := r.dev.Memory().Total.Live
	err := r.pass(b.Slice(0, min(micro, b.Len())), 1)
	if err == nil {
		err = r.update()
	}
	end := r.dev.Memory().Total
	if r.cold = end.Live != live; r.cold {
		err = errors.Join(err, r.opt.Free(), r.warm())
	}
	return end.Peak - live, err
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
	for c, n := range r.dev.Memory().ByCategory {
		out[c] = n.Live
	}
	return out
}

// close gives all back, and leaves the task as it was.
func (r *rehearsal) close() error {
	for i := len(r.undo) - 1; i >= 0; i-- {
		r.undo[i]()
	}
	var err error
	if r.opt != nil {
		err = r.opt.Free()
	}
	return errors.Join(err, r.net.Free(), r.dev.Close())
}

// others is the bytes on the task's device that are not the task's: in use beside its
// parameters, gradients, buffers and optimizer state.
func (task Task) others() int64 {
	dev := task.Net.Device()
	own := task.Net.Tensors()
	if task.Optimizer != nil {
		own = append(own, task.Optimizer.Tensors()...)
	}
	n := dev.Memory().Total.Live
	for _, t := range own {
		if t != nil && t.Device() == dev {
			n -= t.Bytes()
		}
	}
	return n
}
