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

// price runs a step of the plan: each size of part once. Its time is in operations,
// with a thousand more for each pass's overhead an operation that is listed.
func (w *taskWorld) price(p *Plan) (price search.Price, err error) {
	r, err := onShapes(w.task, p, true)
	if err != nil {
		return price, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	err = r.update() // makes the optimizer's state
	r.dev.ResetPeak()
	n := min(p.Batch, w.batch.Len())
	sizes := map[int]int{p.Micro: n / p.Micro}
	if rest := n % p.Micro; rest > 0 {
		sizes[rest]++
	}
	for size, times := range sizes {
		r.ops = nil
		err = errors.Join(err, r.pass(w.batch.Slice(0, size), 1))
		price.Time += float64(times) * w.work(r.ops, p.Cuts)
	}
	err = errors.Join(err, r.update())
	price.Peak = r.dev.Memory().Total.Peak + w.beside
	return price, err
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
func (w *taskWorld) chain(p *Plan, micro int) (c *search.Chain, err error) {
	m := w.task.Model
	if m == nil || len(m.Layers) < 2 {
		return nil, nil
	}
	key := fmt.Sprint(micro, p.Freeze, p.Prune)
	if c := w.chains[key]; c != nil {
		return c, nil
	}
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
