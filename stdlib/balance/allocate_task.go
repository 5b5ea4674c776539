package balance

import (
	"errors"
	"fmt"
	"strings"

	"attune/gpu"
	"attune/stdlib/balance/search"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// Allocate finds how to do a training step on a batch of that size so that it keeps
// to the budget, changing as little as it can. Nothing is allocated on the task's
// device: each candidate is the task's own code run on a device of shapes
// (gpu.OpenMeta), so that the peak is right to the byte. Where nothing fits the error
// is an *InfeasibleError with the nearest plan.
//
// Layers are computed twice only where Task.Model says what they are. Budget.Time and
// Allowed.Precision need what is not there yet, and are errors.
func Allocate(task Task, batch *data.Batch, budget Budget, allowed Allowed) (*Plan, error) {
	p, err := allocateTask(task, batch, budget, allowed)
	if err != nil {
		return nil, fmt.Errorf("allocate: %w", err)
	}
	return p, nil
}

func allocateTask(task Task, batch *data.Batch, budget Budget, allowed Allowed) (*Plan, error) {
	switch {
	case task.Net == nil || task.Loss == nil || task.Optimizer == nil || batch == nil || batch.Len() == 0:
		return nil, fmt.Errorf("want a Task of a Net, a Loss and an Optimizer, and a batch")
	case task.Net.Err() != nil:
		return nil, task.Net.Err()
	case budget.Time > 0:
		return nil, fmt.Errorf("a budget of time: how long a step takes is not known before it ran; leave Budget.Time out")
	case len(allowed.Precision) > 0:
		return nil, fmt.Errorf("half precision: layers compute in f32 only; leave Allowed.Precision out")
	}
	bytes := budget.Bytes
	if bytes == 0 {
		_, total, known := task.Net.Device().Room()
		if budget.Share <= 0 || !known {
			return nil, fmt.Errorf("no budget: set Budget.Bytes, or Share where the device's memory is known")
		}
		bytes = int64(budget.Share * float64(total))
	}
	w := &taskWorld{task: task, batch: batch, chains: map[string]*search.Chain{}}
	if err := w.look(); err != nil {
		return nil, err
	}
	return allocate(w, batch.Len(), bytes, budget, allowed)
}

// taskWorld is a world whose prices come from a device of shapes.
type taskWorld struct {
	task   Task
	batch  *data.Batch
	norm   bool
	beside int64 // bytes on the device that are not the task's
	chains map[string]*search.Chain
}

// look finds out what does not depend on the plan.
func (w *taskWorld) look() error {
	s, err := w.shade(&Plan{})
	if err != nil {
		return err
	}
	err = s.pass(w.task, w.batch.Slice(0, 1), func(t *nn.Tape) {
		for _, op := range t.Ops() {
			w.norm = w.norm || op.Kind == "batch norm"
		}
	})
	own := int64(0)
	for _, p := range w.task.Net.Params() {
		own += p.Value.Bytes()
		if p.Grad != nil {
			own += p.Grad.Bytes()
		}
	}
	for _, p := range w.task.Net.Buffers() {
		own += p.Value.Bytes()
	}
	for _, t := range w.task.Optimizer.Tensors() {
		own += t.Bytes()
	}
	w.beside = max(0, w.task.Net.Device().Memory().Total.Live-own)
	return errors.Join(err, s.close())
}

// shade is a task's net on a device of shapes, as a plan changes it, with the
// optimizer's state.
type shade struct {
	dev  *gpu.Device
	net  *nn.Net
	opt  gpu.Optimizer
	undo []func()
}

func (w *taskWorld) shade(p *Plan) (*shade, error) {
	s := &shade{}
	var err error
	if s.dev, err = gpu.OpenMeta(w.task.Net.Device()); err != nil {
		return nil, err
	}
	if s.net, err = w.task.Net.Shadow(s.dev); err != nil {
		return nil, errors.Join(err, s.dev.Close())
	}
	err = s.prepare(w.task, p)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *shade) prepare(task Task, p *Plan) (err error) {
	if len(p.Freeze) > 0 {
		if _, err := s.net.Freeze(p.Freeze...); err != nil {
			return err
		}
	}
	for _, cut := range p.Prune {
		site, err := siteOf(task.Model, cut)
		if err != nil {
			return err
		}
		if err := s.prune(task.Net, site, cut.Keep); err != nil {
			return err
		}
	}
	if s.opt, err = gpu.Fresh(task.Optimizer); err != nil {
		return err
	}
	return s.net.Update(s.opt)
}

// prune shortens the shadow's parameters. The layer itself, which the net shares, is
// as it was again after close.
func (s *shade) prune(net *nn.Net, site Site, keep []int) error {
	of := map[*nn.Param]*nn.Param{}
	for i, p := range net.Params() {
		of[p] = s.net.Params()[i]
	}
	cuts := site.cuts
	site.cuts = nil
	for _, c := range cuts {
		c.param = of[c.param]
		site.cuts = append(site.cuts, c)
	}
	had, resize := site.Of, site.resize
	if resize != nil {
		s.undo = append(s.undo, func() { resize(had) })
	}
	return site.Prune(nil, keep)
}

// close gives all back.
func (s *shade) close() error {
	for _, f := range s.undo {
		f()
	}
	var err error
	if s.opt != nil {
		err = s.opt.Free()
	}
	return errors.Join(err, s.net.Free(), s.dev.Close())
}

// pass goes forward and backward over a part of a batch; see looks at the tape before
// it is freed.
func (s *shade) pass(task Task, part *data.Batch, see func(t *nn.Tape)) error {
	t := s.net.Tape()
	t.First = part.First
	err := t.Backward(task.Loss(t, part))
	if err == nil && see != nil {
		see(t)
	}
	return errors.Join(err, t.Free())
}

// cutting sets the model's cuts and returns how to set them back.
func (w *taskWorld) cutting(cuts []int) (back func()) {
	m := w.task.Model
	if m == nil {
		return func() {}
	}
	had := m.Cuts
	m.Cuts = cuts
	return func() { m.Cuts = had }
}

// price runs a step of the plan: each size of part once. Its time is in operations,
// with a thousand more for each pass's overhead an operation that is listed.
func (w *taskWorld) price(p *Plan) (search.Price, error) {
	s, err := w.shade(p)
	if err != nil {
		return search.Price{}, err
	}
	defer w.cutting(p.Cuts)()
	s.dev.ResetPeak()
	var price search.Price
	n := min(p.Batch, w.batch.Len())
	sizes := map[int]int{p.Micro: n / p.Micro}
	if rest := n % p.Micro; rest > 0 {
		sizes[rest]++
	}
	for size, times := range sizes {
		if err = s.pass(w.task, w.batch.Slice(0, size), func(t *nn.Tape) {
			price.Time += float64(times) * w.work(t.Ops(), p.Cuts)
		}); err != nil {
			break
		}
	}
	if err == nil {
		err = s.net.Update(s.opt)
	}
	price.Peak = s.dev.Memory().Total.Peak + w.beside
	return price, errors.Join(err, s.close())
}

// overhead is what an operation costs however small it is, in floating-point
// operations: a few microseconds. It only orders plans.
const overhead = 1e5

// work is the operations of a pass: three times those of the forward pass, and once
// more those of layers before the last cut.
func (w *taskWorld) work(ops []nn.Op, cuts []int) float64 {
	sum, twice := 0.0, map[string]bool{}
	if len(cuts) > 0 {
		for i := range cuts[len(cuts)-1] {
			twice[w.task.Model.Name+"/"+w.task.Model.LayerName(i)] = true
		}
	}
	for _, op := range ops {
		f := 3.0
		parts := strings.SplitN(op.Scope, "/", 3)
		if len(parts) > 1 && twice[parts[0]+"/"+parts[1]] {
			f = 4
		}
		sum += f * (float64(op.FLOPs) + overhead)
	}
	return sum
}

// probe is a layer that notes what its turn took.
type probe struct {
	nn.Layer
	dev  *gpu.Device
	note func(before, after int64, y *nn.Value, flops float64)
}

// Apply runs the layer.
func (l probe) Apply(t *nn.Tape, x *nn.Value) *nn.Value {
	live, ops := l.dev.Memory().Total.Live, len(t.Ops())
	y := l.Layer.Apply(t, x)
	flops := 0.0
	for _, op := range t.Ops()[min(ops, len(t.Ops())):] {
		flops += float64(op.FLOPs) + overhead
	}
	l.note(live, l.dev.Memory().Total.Live, y, flops)
	return y
}

// chain traces Task.Model once with a probe on each layer.
func (w *taskWorld) chain(p *Plan, micro int) (*search.Chain, error) {
	m := w.task.Model
	if m == nil || len(m.Layers) < 2 {
		return nil, nil
	}
	key := fmt.Sprint(micro, p.Freeze, p.Prune)
	if c := w.chains[key]; c != nil {
		return c, nil
	}
	s, err := w.shade(p)
	if err != nil {
		return nil, err
	}
	defer w.cutting(nil)()
	c := &search.Chain{}
	layers := m.Layers
	m.Layers = nil
	in := int64(0)
	for _, l := range layers {
		m.Layers = append(m.Layers, probe{l, s.dev, func(before, after int64, y *nn.Value, flops float64) {
			if len(c.Layers) == 0 {
				c.Base = before + w.beside
			}
			out := int64(0)
			if y != nil {
				out = int64(y.Tensor().Len() * y.Tensor().DType().Size())
			}
			// The gradients of what goes in and of what comes out live while it runs.
			c.Layers = append(c.Layers, search.Layer{Out: out, Inside: max(0, after-before-out), Work: out + in, Time: flops})
			in = out
		}})
	}
	err = s.pass(w.task, w.batch.Slice(0, micro), nil)
	m.Layers = layers
	if err = errors.Join(err, s.close()); err != nil {
		return nil, err
	}
	if len(c.Layers) != len(layers) {
		return nil, fmt.Errorf("Task.Model ran %d layers of %d: Loss must apply it once", len(c.Layers), len(layers))
	}
	w.chains[key] = c
	return c, nil
}

// cuts are the ends of what is computed twice.
func (w *taskWorld) cuts(segs []search.Segment) (out []int) {
	for _, s := range segs {
		if s.Recompute {
			out = append(out, s.To)
		}
	}
	return out
}

func (w *taskWorld) layer(i int) string {
	if i >= len(w.task.Model.Layers) {
		return "what follows " + w.task.Model.Name
	}
	return w.task.Model.LayerName(i)
}

func (w *taskWorld) normalised() bool { return w.norm }

func (w *taskWorld) halves() bool { return false }

// scale is linear for the rules whose step grows with the gradient, and the square
// root for those that divide by its size.
func (w *taskWorld) scale(now, was int) float64 {
	switch w.task.Optimizer.(type) {
	case *gpu.SGD, *gpu.LARS:
		return Linear.Factor(was, now)
	}
	return SquareRoot.Factor(was, now)
}

// siteOf finds where a plan prunes: a block of the model by its name there.
func siteOf(m *nn.Sequential, p Prune) (Site, error) {
	if m == nil {
		return Site{}, fmt.Errorf("prune %s: Task.Model does not say what layers there are", p.Layer)
	}
	for i, l := range m.Layers {
		b, ok := l.(*nn.Block)
		switch {
		case m.LayerName(i) != p.Layer:
		case ok && p.Part == Heads:
			return HeadsOf(p.Layer, b.Attention), nil
		case ok && p.Part == Neurons:
			return NeuronsOf(p.Layer, b.Up, b.Down), nil
		default:
			return Site{}, fmt.Errorf("prune %s of %s: only heads and neurons of a transformer block can go", p.Part, p.Layer)
		}
	}
	return Site{}, fmt.Errorf("prune %s: %s has no layer of that name", p.Layer, m.Name)
}

// Apply makes the task as the plan wants it: cuts, frozen parameters and pruned
// layers. Batch, Micro and the learning rate are the trainer's to keep to.
func (p *Plan) Apply(task Task) error {
	if task.Model != nil {
		task.Model.Cuts = p.Cuts
	}
	if len(p.Freeze) > 0 {
		if _, err := task.Net.Freeze(p.Freeze...); err != nil {
			return fmt.Errorf("apply the plan: %w", err)
		}
	}
	for _, cut := range p.Prune {
		site, err := siteOf(task.Model, cut)
		if err == nil {
			err = site.Prune(task.Optimizer, cut.Keep)
		}
		if err != nil {
			return fmt.Errorf("apply the plan: %w", err)
		}
	}
	return nil
}
