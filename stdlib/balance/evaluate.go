package balance

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"attune/gpu/mem"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// Estimate is what a step will take, to the byte: the task's own code was run on a
// device of shapes (gpu.OpenMeta), which counts as the real one and computes nothing.
type Estimate struct {
	// Training says that the step learns; otherwise it only computes the loss. Batch
	// examples go through the model in that many Passes.
	Training      bool
	Batch, Passes int
	// Peak is the most bytes in use on the device at any moment of a step, what was
	// there before and has nothing to do with the task (Others) included: what
	// Device.Memory().Total.Peak will be. FirstPeak is that of the first step, which
	// makes the optimizer's state at its end. Baseline is in use between two steps.
	Peak, FirstPeak, Baseline, Others int64
	// ByCategory is what is in use at the peak, without Others, and AtPeak the
	// operation that reaches it.
	ByCategory [mem.NumCategories]int64
	AtPeak     string
	// Timeline is each change of a step, in order.
	Timeline []Moment
	// Layers are the parts of the model in the order of their first operation.
	Layers []LayerCost
	// Parameters is how many numbers the net has, FLOPs the floating-point operations
	// of the forward passes; the gradient takes about twice as many more.
	Parameters int
	FLOPs      int64
	// StepTime is 0 where it was not measured; see Timed.
	StepTime time.Duration
	// Moved is the bytes that a step must at least read and write in the device's memory
	// if no cache keeps any from one operation to the next.
	Moved int64
	// Copy is how many bytes a second the device reads and writes when it copies, 0
	// where it was not measured.
	Copy float64
	// Driver is the memory of the device that is in use outside the allocator: the
	// context, the kernels' code, other programs; the most that was seen whenever attune
	// took more from the device (see gpu.Outside). 0 of the CPU.
	Driver int64
	// Loading is what the batches take that the step learns from, nil where it was not
	// measured; see Feed.
	Loading *Loading

	peak    int // the index of the peak's point
	threads int // that the device keeps busy
}

// Moment is the memory after one change: bytes by category, without Others.
type Moment struct {
	Live [mem.NumCategories]int64
	// What is being done, and by which layer.
	What, Layer string
}

// Total is the sum over the categories.
func (p Moment) Total() int64 {
	total := int64(0)
	for _, n := range p.Live {
		total += n
	}
	return total
}

// LayerCost is what a part of the model takes in one pass.
type LayerCost struct {
	Name, Kind string
	Shape      []int // of its result
	// Parameters are counted in numbers, Bytes is what it makes in the forward pass:
	// its results, and what its gradient will need.
	Parameters int
	Bytes      int64
	FLOPs      int64
}

// Option changes what Evaluate does.
type Option int

// Inference evaluates the loss without gradients and without an update. Timed measures
// a few small batches on the device, to say how long a step takes.
const (
	Inference Option = iota + 1
	Timed
)

// Evaluate says what a step of the task on a batch takes, before it is run: nothing is
// allocated on the net's device and nothing changes. The batch's values do not matter,
// its shape and labels do.
func Evaluate(task Task, batch *data.Batch, options ...Option) (*Estimate, error) {
	return EvaluateAt(task, batch, Plan{}, options...)
}

// EvaluateAt is Evaluate for a plan: its Batch, Micro, Cuts, Freeze and Prune.
func EvaluateAt(task Task, batch *data.Batch, plan Plan, options ...Option) (*Estimate, error) {
	e, err := evaluate(task, batch, plan, options)
	if err != nil {
		return nil, fmt.Errorf("evaluate a step: %w", err)
	}
	return e, nil
}

func evaluate(task Task, batch *data.Batch, plan Plan, options []Option) (e *Estimate, err error) {
	if task.Net == nil || task.Loss == nil || batch == nil || batch.Len() == 0 {
		return nil, fmt.Errorf("want a net, a loss and a batch that is not empty")
	}
	if plan.Batch > 0 && plan.Batch < batch.Len() {
		batch = batch.Slice(0, plan.Batch)
	}
	e = &Estimate{Training: true, Batch: batch.Len(), Passes: plan.Accumulation(batch.Len())}
	timed := false
	for _, o := range options {
		e.Training = e.Training && o != Inference
		timed = timed || o == Timed
	}
	if e.Training && task.Optimizer == nil {
		return nil, fmt.Errorf("the task has no optimizer")
	}
	if err := e.rehearse(task, batch, &plan); err != nil {
		return nil, err
	}
	e.surroundings(task)
	if timed {
		err = e.stepTime(task, batch, &plan)
	}
	return e, err
}

// rehearse watches the plan's step on a device of shapes.
func (e *Estimate) rehearse(task Task, batch *data.Batch, plan *Plan) (err error) {
	r, err := onShapes(task, plan, e.Training)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	return e.watch(r, batch)
}

// watch runs two steps: the first makes the optimizer's state, the second is what all
// later ones are.
func (e *Estimate) watch(r *rehearsal, batch *data.Batch) error {
	if err := r.step(batch, e.Passes); err != nil {
		return err
	}
	e.FirstPeak = r.dev.Memory().Total.Peak
	r.dev.ResetPeak()
	e.Baseline = r.dev.Memory().Total.Live
	e.ByCategory = r.live()
	e.AtPeak = "between two steps"
	highest := e.Baseline
	now := Moment{Live: e.ByCategory}
	cancel := r.dev.Subscribe(func(ev mem.Event) {
		if ev.Kind == mem.Free {
			ev.Bytes = -ev.Bytes
		}
		now.Live[ev.Category] += ev.Bytes
		now.What, now.Layer = r.doing()
		if len(e.Timeline) < maxPoints || ev.Live > highest {
			e.Timeline = append(e.Timeline, now)
		}
		if ev.Live > highest {
			highest, e.peak, e.ByCategory = ev.Live, len(e.Timeline)-1, now.Live
			e.AtPeak = strings.TrimSuffix(now.What+" in "+now.Layer, " in ")
		}
	})
	defer cancel()
	r.ops = nil
	err := r.step(batch, e.Passes)
	e.Peak = r.dev.Memory().Total.Peak
	e.Layers = layerCosts(r.ops)
	for _, op := range r.ops {
		e.FLOPs += op.FLOPs
	}
	// The operations are those of one pass.
	e.FLOPs *= int64(e.Passes)
	e.Moved = r.moves()*int64(e.Passes) + r.updates()
	e.Parameters = r.net.Size()
	return err
}

// maxPoints bounds the timeline of a step with very many passes.
const maxPoints = 20000

// surroundings adds what is on the task's device and not of the task.
func (e *Estimate) surroundings(task Task) {
	dev := task.Net.Device()
	e.Others = task.others()
	e.Peak, e.FirstPeak, e.Baseline = e.Peak+e.Others, e.FirstPeak+e.Others, e.Baseline+e.Others
	e.threads = dev.Threads()
	if out, known := dev.Outside(); known {
		e.Driver = out.Most
	}
}

// layerCosts sums operations by layer.
func layerCosts(ops []nn.Op) []LayerCost {
	var out []LayerCost
	at := map[string]int{}
	seen := map[*nn.Param]bool{}
	for _, op := range ops {
		name := layerOf(op)
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name] = i
			out = append(out, LayerCost{Name: name})
		}
		l := &out[i]
		if l.Kind == "" || op.FLOPs > 0 && len(op.Params) > 0 && !strings.Contains(l.Kind, op.Kind) {
			l.Kind = strings.TrimPrefix(l.Kind+", "+op.Kind, ", ")
		}
		l.Shape, l.Bytes, l.FLOPs = op.Shape, l.Bytes+op.Bytes, l.FLOPs+op.FLOPs
		for _, p := range op.Params {
			if !seen[p] {
				seen[p] = true
				l.Parameters += p.Value.Len()
			}
		}
	}
	return out
}

// layerOf is the layer that an operation is of: its scope, else that of its parameters,
// else what it is.
func layerOf(op nn.Op) string {
	if op.Scope != "" {
		return op.Scope
	}
	if len(op.Params) > 0 {
		name := op.Params[0].Name
		return name[:max(0, strings.LastIndexByte(name, '.'))]
	}
	return op.Kind
}
