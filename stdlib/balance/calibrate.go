package balance

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"attune/gpu"
	"attune/stdlib/data"
)

// Calibration tells how long steps of a task take on its device, at any batch, in any
// number of passes and with layers computed twice. It measures a few passes of the
// task's own code beside it, with the task's own parameters, and remembers them: keep
// it in Task.Calibration. What freezes, prunes or has examples of another shape takes
// other times and is measured when it is first asked for, in less than a second each.
//
// On a CUDA device times are the clock's, between waits for the device.
type Calibration struct {
	task Task
	// most is the bytes that measuring may take, 0 for half of what is free.
	most  int64
	known map[string]*pace
	copy  float64
}

// Calibrate measures steps of a task at sizes up to the batch's, in less than a second,
// and as far as the memory beside the task allows.
func Calibrate(task Task, batch *data.Batch) (*Calibration, error) {
	c, err := newCalibration(task, 0)
	if err == nil && (batch == nil || batch.Len() == 0) {
		err = fmt.Errorf("want a batch that is not empty")
	}
	if err == nil {
		_, err = c.pace(batch, &Plan{}, true)
	}
	if err != nil {
		return nil, fmt.Errorf("calibrate: %w", err)
	}
	return c, nil
}

func newCalibration(task Task, most int64) (*Calibration, error) {
	switch {
	case task.Net == nil || task.Loss == nil:
		return nil, fmt.Errorf("want a task of a net and a loss")
	case task.Net.Err() != nil:
		return nil, task.Net.Err()
	case task.Net.Device().Meta():
		return nil, fmt.Errorf("%s computes nothing, so it takes no time", task.Net.Device())
	}
	return &Calibration{task: task, most: most, known: map[string]*pace{}}, nil
}

// Step is how long a step takes that learns from a batch of that size and shape as the
// plan says; the numbers in the batch do not matter.
func (c *Calibration) Step(batch *data.Batch, plan Plan) (time.Duration, error) {
	s, err := c.seconds(batch, &plan, true)
	if err != nil {
		return 0, fmt.Errorf("tell a step's time: %w", err)
	}
	return duration(s), nil
}

// seconds is Step's time, or that of the loss alone.
func (c *Calibration) seconds(batch *data.Batch, plan *Plan, learns bool) (float64, error) {
	n := batch.Len()
	if plan.Batch > 0 {
		n = min(n, plan.Batch)
	}
	if n == 0 {
		return 0, fmt.Errorf("want a batch that is not empty")
	}
	p, err := c.pace(batch, plan, learns)
	if err != nil {
		return 0, err
	}
	return p.step(n, plan.Accumulation(n), c.again(plan.Cuts))
}

// again is how many of the model's layers are computed twice with those cuts; nil are
// the model's own.
func (c *Calibration) again(cuts []int) int {
	if cuts == nil && c.task.Model != nil {
		cuts = c.task.Model.Cuts
	}
	if len(cuts) == 0 {
		return 0
	}
	return cuts[len(cuts)-1]
}

// key names what is measured apart.
func (c *Calibration) key(batch *data.Batch, plan *Plan, learns bool) string {
	return fmt.Sprint(shapeOf(batch), c.task.Net.Precision, plan.Precision, plan.Freeze, plan.Prune, learns)
}

// pace is what is known of a plan's passes over batches of that shape, measured now
// where it was not yet. Exact are sizes to measure apart from the usual ones.
func (c *Calibration) pace(batch *data.Batch, plan *Plan, learns bool, exact ...int) (*pace, error) {
	key := c.key(batch, plan, learns)
	if p := c.known[key]; p != nil {
		return p, nil
	}
	p, err := c.measure(batch, plan, learns, exact)
	if err == nil {
		c.known[key] = p
	}
	return p, err
}

// Copy is how many bytes a second the device reads and writes when it copies from its
// memory to its memory, 0 until it was measured.
func (c *Calibration) Copy() float64 { return c.copy }

// String is a table of what was measured.
func (c *Calibration) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "measured on %s", c.task.Net.Device())
	rows := [][]string{{"examples", "of shape", "a pass", "an example", "an update"}}
	var keys []string
	for k := range c.known {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		p := c.known[k]
		for _, r := range p.at {
			rows = append(rows, []string{fmt.Sprint(r.size), p.what, timeText(duration(r.pass)), timeText(duration(r.pass / float64(r.size))), timeText(duration(p.update))})
		}
	}
	b.WriteString("\n" + columns(rows, 2))
	return b.String()
}

// pace is what was measured of passes that differ in size alone. Times are seconds.
type pace struct {
	what string
	// at are the measurements, by size.
	at []reading
	// update is what a step takes on top of its passes: clearing the gradients, and
	// the optimizer.
	update float64
}

// reading is the least time of a pass of that many examples, and the forward passes of
// the model's layers in it.
type reading struct {
	size   int
	pass   float64
	layers []float64
}

// settle makes times grow with the size: what a larger pass did in less time the
// smaller can do too, and was disturbed.
func (p *pace) settle() {
	for i := len(p.at) - 2; i >= 0; i-- {
		a, b := &p.at[i], p.at[i+1]
		a.pass = min(a.pass, b.pass)
		for k := range a.layers {
			a.layers[k] = min(a.layers[k], b.layers[k])
		}
	}
}

// layers is the number of the model's layers that were measured.
func (p *pace) layers() int { return len(p.at[0].layers) }

// of is the time of a pass of that many examples, with the first again layers computed
// twice: on a straight line between the two sizes around it, and beyond the largest
// size on that from one half as large.
func (p *pace) of(size, again int) float64 {
	value := func(r reading) float64 {
		sum := r.pass
		for _, l := range r.layers[:again] {
			sum += l
		}
		return sum
	}
	i, found := slices.BinarySearchFunc(p.at, size, func(r reading, size int) int { return r.size - size })
	last := len(p.at) - 1
	switch {
	case found:
		return value(p.at[i])
	case i == 0: // smaller than all: at most as long
		return value(p.at[0])
	case i <= last:
		return line(p.at[i-1], p.at[i], size, value)
	}
	low := last
	for low > 0 && p.at[low].size > p.at[last].size/2 {
		low--
	}
	if low == last {
		return value(p.at[last]) * float64(size) / float64(p.at[last].size)
	}
	return line(p.at[low], p.at[last], size, value)
}

// line goes through two readings.
func line(a, b reading, size int, value func(reading) float64) float64 {
	slope := (value(b) - value(a)) / float64(b.size-a.size)
	return value(a) + slope*float64(size-a.size)
}

// step is the time of a step over n examples in so many passes.
func (p *pace) step(n, passes, again int) (float64, error) {
	if again > p.layers() {
		return 0, fmt.Errorf("the plan computes %d layers of Task.Model twice, and Loss ran %d", again, p.layers())
	}
	micro := (n + passes - 1) / passes
	sum := float64(n/micro)*p.of(micro, again) + p.update
	if rest := n % micro; rest > 0 {
		sum += p.of(rest, again)
	}
	return sum, nil
}

// duration is seconds as a time.Duration.
func duration(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds * float64(time.Second)))
}

// stepTime measures how long the estimate's step takes, at the very sizes of its passes
// where there is room, or asks the task's Calibration.
func (e *Estimate) stepTime(task Task, b *data.Batch, plan *Plan) error {
	c := task.Calibration
	if c != nil && c.task.Net != task.Net {
		return errors.New("Task.Calibration was measured with another net")
	}
	if c == nil {
		var err error
		if c, err = newCalibration(task, 0); err != nil {
			return err
		}
		micro := (e.Batch + e.Passes - 1) / e.Passes
		if _, err = c.pace(b, plan, e.Training, micro, e.Batch%micro); err != nil {
			return err
		}
	}
	s, err := c.seconds(b, plan, e.Training)
	if err == nil && c.copy == 0 {
		err = c.measureCopy()
	}
	e.StepTime, e.Copy = duration(s), c.copy
	return err
}

// common is what all rules of gpu share, nil of others.
func common(o gpu.Optimizer) *gpu.Training {
	if o, ok := o.(interface{ Common() *gpu.Training }); ok {
		return o.Common()
	}
	return nil
}
