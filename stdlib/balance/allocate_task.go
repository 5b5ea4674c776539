package balance

import (
	"errors"
	"fmt"
	"math"

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
// Layers are computed twice only where Task.Model says what they are. With a budget of
// time, or a Task.Calibration, plans have a time; what is not measured yet is measured
// beside the task (see Calibrate).
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
	}
	for _, dtype := range allowed.Precision {
		if _, err := (&Plan{Precision: dtype}).precision(task); err != nil {
			return nil, err
		}
	}
	bytes, err := budget.bytes(task.Net.Device())
	if err != nil {
		return nil, err
	}
	w := &taskWorld{task: task, batch: batch, clock: task.Calibration, chains: map[string]*search.Chain{}}
	if w.clock == nil && budget.Time > 0 {
		if w.clock, err = newCalibration(task, bytes); err != nil {
			return nil, fmt.Errorf("keep to a time: %w", err)
		}
	}
	if err := w.look(); err != nil {
		return nil, err
	}
	return allocate(w, batch.Len(), bytes, budget, allowed)
}

// bytes is what the budget leaves on a device; with a time alone, all that it has.
func (b Budget) bytes(dev *gpu.Device) (int64, error) {
	_, total := roomOf(dev)
	switch {
	case b.Bytes > 0:
		return b.Bytes, nil
	case b.Share > 0 && total > 0:
		return int64(b.Share * float64(total)), nil
	case b.Share > 0:
		return 0, fmt.Errorf("a share of the memory of %s, which nobody tells: set Budget.Bytes", dev)
	case b.Time > 0 && total > 0:
		return total, nil
	case b.Time > 0:
		return math.MaxInt64 / 4, nil
	}
	return 0, fmt.Errorf("no budget: set Budget.Bytes, Share or Time")
}

// taskWorld is a world whose prices come from a device of shapes.
type taskWorld struct {
	task   Task
	batch  *data.Batch
	norm   bool
	beside int64        // bytes on the device that are not the task's
	clock  *Calibration // nil: times are operations
	chains map[string]*search.Chain
}

// look finds out what does not depend on the plan.
func (w *taskWorld) look() error {
	r, err := onShapes(w.task, &Plan{}, true)
	if err != nil {
		return err
	}
	if err = errors.Join(r.pass(w.batch.Slice(0, 1), 1), r.close()); err != nil {
		return err
	}
	for _, op := range r.ops {
		w.norm = w.norm || op.Kind == "batch norm"
	}
	w.beside = w.task.others()
	return nil
}

// price is a step's peak and time. The clock may measure, so no rehearsal is open then.
func (w *taskWorld) price(p *Plan) (search.Price, error) {
	price, err := w.run(p)
	if err == nil && w.clock != nil {
		price.Time, err = w.clock.seconds(w.batch, p, true)
	}
	return price, err
}

// run rehearses a step of the plan: each size of part once. Its time is in operations,
// with more for each one's overhead.
func (w *taskWorld) run(p *Plan) (price search.Price, err error) {
	r, err := onShapes(w.task, p, true)
	if err != nil {
		return price, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	err = r.update() // makes the optimizer's state
	r.dev.ResetPeak()
	n := min(p.Batch, w.batch.Len())
	pass := func(size, times int) {
		r.ops = nil
		err = errors.Join(err, r.pass(w.batch.Slice(0, size), 1))
		price.Time += float64(times) * w.work(r.ops, p.Cuts)
	}
	pass(p.Micro, n/p.Micro)
	if r.net.Precision != gpu.Float32 && n/p.Micro > 1 {
		pass(p.Micro, 0) // one that finds the parameters' copies made
	}
	if rest := n % p.Micro; rest > 0 {
		pass(rest, 1)
	}
	err = errors.Join(err, r.update())
	price.Peak = r.dev.Memory().Total.Peak + w.beside
	return price, err
}

func (w *taskWorld) timed() bool { return w.clock != nil }

// overhead is what an operation costs however small it is, in floating-point
// operations: a few microseconds. It only orders plans.
const overhead = 1e5

// work is the operations of a pass: three times those of the forward pass, and once
// more those of layers before the last cut.
func (w *taskWorld) work(ops []nn.Op, cuts []int) float64 {
	sum, layers := 0.0, twice(w.task.Model, cuts)
	for _, op := range ops {
		f := 3.0
		if within(op, layers) {
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

// chain is what the model's layers take at a micro-batch, found once.
func (w *taskWorld) chain(p *Plan, micro int) (*search.Chain, error) {
	if m := w.task.Model; m == nil || len(m.Layers) < 2 {
		return nil, nil
	}
	key := fmt.Sprint(micro, p.Precision, p.Freeze, p.Prune)
	if c := w.chains[key]; c != nil {
		return c, nil
	}
	c, err := w.trace(p, micro)
	if err == nil && w.clock != nil {
		err = w.timeLayers(c, p, micro)
	}
	if err != nil {
		return nil, err
	}
	w.chains[key] = c
	return c, nil
}

// trace runs Task.Model once with a probe on each layer.
func (w *taskWorld) trace(p *Plan, micro int) (c *search.Chain, err error) {
	m := w.task.Model
	whole := *p
	whole.Cuts = []int{}
	r, err := onShapes(w.task, &whole, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	err = r.update()
	c = &search.Chain{}
	layers := m.Layers
	defer func() { m.Layers = layers }()
	m.Layers = nil
	in := int64(0)
	for _, l := range layers {
		m.Layers = append(m.Layers, probe{l, r.dev, func(before, after int64, y *nn.Value, flops float64) {
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
	if err = errors.Join(err, r.pass(w.batch.Slice(0, micro), 1)); err != nil {
		return nil, err
	}
	if len(c.Layers) != len(layers) {
		return nil, fmt.Errorf("Task.Model ran %d layers of %d: Loss must apply it once", len(c.Layers), len(layers))
	}
	return c, nil
}

// timeLayers gives a chain's layers the times of their forward passes.
func (w *taskWorld) timeLayers(c *search.Chain, p *Plan, micro int) error {
	pace, err := w.clock.pace(w.batch, p, true)
	for i := range c.Layers {
		if err == nil && i < pace.layers() {
			c.Layers[i].Time = pace.of(micro, i+1) - pace.of(micro, i)
		}
	}
	return err
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

func (w *taskWorld) halves() bool { return w.task.Net.Precision == gpu.Float32 }

// scale is linear for the rules whose step grows with the gradient, and the square
// root for those that divide by its size.
func (w *taskWorld) scale(now, was int) float64 {
	if !divides(w.task.Optimizer) {
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
