package balance

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"attune/gpu"
	"attune/stdlib/data"
	"attune/stdlib/monitor"
)

// Verdict is what a step will take beside what is free, before it runs.
type Verdict struct {
	Estimate *Estimate
	// Bounds are what the step must fit in, the tightest first, and Fits says that it
	// does.
	Bounds []Bound
	Fits   bool
	// Plan is what Allocate would do in what is free, where the step as it stands does not
	// fit; Refusal is why there is none.
	Plan    *Plan
	Refusal error
	// Steps is how many steps a Fit would do, 0 where one step was checked.
	Steps int
	// Processes are those with memory on a GPU, for a task that is on one.
	Processes []monitor.Process
}

// Bound is one limit on memory, in bytes: how much there is in all, what this process
// has of it, what others have, and what is free. Needs is what the step takes on top of
// what is in use now.
type Bound struct {
	Name                          string
	All, Own, Others, Free, Needs int64
}

// Left is what is free while the step runs; below 0 is what is missing.
func (b Bound) Left() int64 { return b.Free - b.Needs }

// Check says what a step of the task on a batch takes beside what is free now, and what
// Allocate would do where it does not fit. Nothing is run and nothing changes. In a
// cell, "%check task, batch" is the same.
func Check(task Task, batch *data.Batch, options ...Option) (*Verdict, error) {
	v, err := check(task, batch, Plan{}, 0, nil, options)
	if err != nil {
		return nil, fmt.Errorf("check a step: %w", err)
	}
	return v, nil
}

// Check is what Fit with the same arguments would take beside what is free now: under
// the trainer's Budget and Plan, over so many epochs. A few small steps are run aside to
// tell the time; nothing changes. In a cell, "%check" before a line that calls Fit is
// the same.
func (r *Trainer) Check(train, _ *data.Loader, epochs int, _ ...Callback) (*Verdict, error) {
	v, err := r.check(train, epochs)
	if err != nil {
		return nil, fmt.Errorf("check a training: %w", err)
	}
	return v, nil
}

func (r *Trainer) check(train *data.Loader, epochs int) (*Verdict, error) {
	if train == nil || train.Data == nil || train.Data.Len() == 0 {
		return nil, errors.New("want data to learn from")
	}
	index := make([]int, min(train.State().Size, train.Data.Len()))
	for i := range index {
		index[i] = i
	}
	batch, err := train.Data.Batch(index)
	if err != nil {
		return nil, err
	}
	plan := Plan{}
	if r.Plan != nil {
		plan = *r.Plan
	}
	if r.Net == nil {
		return nil, errors.New("want a net")
	}
	budget := int64(0)
	if b := r.budget(); b.Bytes > 0 || b.Share > 0 {
		if budget, err = b.bytes(r.Net.Device()); err != nil {
			return nil, err
		}
	}
	v, err := check(r.Task, batch, plan, budget, r.Room, []Option{Timed})
	if err != nil {
		return nil, err
	}
	v.Steps = epochs * train.Batches()
	return v, nil
}

// check is Check for a plan and a budget. What room tells, where it is set, stands in
// place of what the device and the system tell.
func check(task Task, batch *data.Batch, plan Plan, budget int64, room func() (free, total int64), options []Option) (*Verdict, error) {
	e, err := EvaluateAt(task, batch, plan, options...)
	if err != nil && slices.Contains(options, Timed) {
		// A step that cannot be timed, for want of room perhaps, can still be counted.
		untimed := slices.DeleteFunc(slices.Clone(options), func(o Option) bool { return o == Timed })
		e, err = EvaluateAt(task, batch, plan, untimed...)
	}
	if err != nil {
		return nil, err
	}
	v := &Verdict{Estimate: e, Fits: true}
	dev := task.Net.Device()
	shot := dev.Memory()
	peak := max(e.Peak, e.FirstPeak)
	limit := func(name string, all int64) {
		if all > 0 {
			v.Bounds = append(v.Bounds, Bound{Name: name, All: all, Own: shot.Total.Live, Free: max(0, all-shot.Total.Live), Needs: max(0, peak-shot.Total.Live)})
		}
	}
	limit("the budget", budget)
	limit("the device's cap", shot.Cap)
	around := bounds(dev)
	if room != nil {
		around = nil
		if free, total := room(); total > 0 {
			around = []Bound{{Name: "what the trainer's Room tells", All: total, Own: min(shot.Reserved, total-free), Free: free}}
		}
	}
	for _, b := range around {
		// What the allocator keeps in reserve is taken first.
		b.Needs = max(0, peak-shot.Total.Live-shot.Cached)
		b.Others = max(0, b.All-b.Own-b.Free)
		v.Bounds = append(v.Bounds, b)
	}
	slices.SortStableFunc(v.Bounds, func(a, b Bound) int { return cmp.Compare(a.Left(), b.Left()) })
	may := int64(math.MaxInt64)
	for _, b := range v.Bounds {
		v.Fits = v.Fits && b.Left() >= 0
		may = min(may, peak+b.Left())
	}
	if onGPU(dev) {
		_, v.Processes, _ = monitor.Session().GPUs()
	}
	if !v.Fits && e.Training {
		v.Plan, v.Refusal = Allocate(task, batch, Budget{Bytes: max(1, may)}, Allowed{})
	}
	return v, nil
}

// bounds are the limits around a device: the GPU's own memory, or the host's.
func bounds(dev *gpu.Device) (out []Bound) {
	if free, total, known := dev.Room(); known {
		return []Bound{{Name: "the GPU's memory", All: total, Own: min(dev.Memory().Reserved, total-free), Free: free}}
	}
	if onGPU(dev) || dev.Meta() {
		return nil
	}
	for _, r := range monitor.HostRooms() {
		out = append(out, Bound{Name: r.Name, All: r.All, Own: r.Own, Free: r.Free})
	}
	return out
}

func onGPU(dev *gpu.Device) bool { return !strings.HasPrefix(dev.Name(), "cpu") }

// String says whether it fits, and sets each bound as a row of a table.
func (v *Verdict) String() string { return v.say().String() }

func (v *Verdict) say() say {
	out := say{{text: v.headline()}}
	rows := [][]string{{"bound", "in all", "used here", "by others", "free", "the step adds", "left"}}
	for _, b := range v.Bounds {
		rows = append(rows, []string{b.Name, bytesText(b.All), bytesText(b.Own), bytesText(b.Others), bytesText(b.Free), bytesText(b.Needs), bytesText(b.Left())})
	}
	if len(rows) > 1 {
		out = append(out, passage{rows: rows, left: 1})
	}
	for _, p := range v.Processes {
		if !p.Own {
			out = append(out, passage{text: fmt.Sprintf("on GPU %d: %s", p.GPU, p)})
		}
	}
	if v.Steps > 0 && v.Estimate.StepTime > 0 {
		out = append(out, passage{text: fmt.Sprintf("%d steps of about %s take about %s", v.Steps, timeText(v.Estimate.StepTime), timeText(time.Duration(v.Steps)*v.Estimate.StepTime))})
	}
	switch {
	case v.Plan != nil:
		out = append(out, passage{text: "Allocate would do it in what is free:"})
		out = append(out, v.Plan.say()...)
	case v.Refusal != nil:
		out = append(out, passage{text: v.Refusal.Error()})
	}
	return out
}

func (v *Verdict) headline() string {
	e := v.Estimate
	what := fmt.Sprintf("a training step of %d examples", e.Batch)
	if !e.Training {
		what = fmt.Sprintf("the loss of %d examples", e.Batch)
	}
	if e.Passes > 1 {
		what += fmt.Sprintf(" in %d passes", e.Passes)
	}
	what += fmt.Sprintf(" takes %s at its peak", bytesText(max(e.Peak, e.FirstPeak)))
	if len(v.Bounds) == 0 {
		return what + "; what is free is not known"
	}
	b := v.Bounds[0]
	if v.Fits {
		return fmt.Sprintf("it fits: %s, and %s of %s stay free", what, bytesText(b.Left()), b.Name)
	}
	return fmt.Sprintf("it does not fit: %s, %s more than %s leaves", what, bytesText(-b.Left()), b.Name)
}
