package balance

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"attune/gpu"
	"attune/gpu/mem"
	"attune/stdlib/data"
	"attune/stdlib/monitor"
	"attune/stdlib/nn"
)

// measuring is about how long one way to compute is measured, rounds how often each
// size is at most.
const (
	measuring = 500 * time.Millisecond
	rounds    = 40
)

// meter measures passes on a device beside the task's.
type meter struct {
	*rehearsal
	batch *data.Batch
	begin time.Time
	pace  *pace
}

// measure times steps of a plan on a device of the same kind beside the task's, from
// one example up to all of the batch, as far as time and memory allow.
func (c *Calibration) measure(batch *data.Batch, plan *Plan, learns bool, exact []int) (p *pace, err error) {
	dev, err := c.task.Net.Device().Aside()
	if err != nil {
		return nil, err
	}
	dev.SetCap(c.room())
	whole := *plan
	whole.Cuts = nil
	if c.task.Model != nil {
		whole.Cuts = []int{}
	}
	r, err := rehearse(c.task, dev, &whole, learns)
	if err != nil {
		return nil, noRoom(err)
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if o := common(r.opt); o != nil {
		o.LR = 0 // the numbers stay those of the task however often it steps
	}
	what := shapeOf(batch)
	if !learns {
		what += ", loss alone"
	}
	if s := plan.differs(); s != "" {
		what += ", " + s
	}
	m := &meter{rehearsal: r, batch: batch, begin: time.Now(), pace: &pace{what: what}}
	if err := m.climb(append(ladder(batch.Len()), exact...)); err != nil {
		return nil, noRoom(err)
	}
	if err := m.repeat(); err != nil {
		return nil, err
	}
	m.pace.settle()
	return m.pace, nil
}

// noRoom says of an out of memory what it means here.
func noRoom(err error) error {
	var full *mem.OutOfMemoryError
	if errors.As(err, &full) {
		return fmt.Errorf("there is no room beside the task to measure a step in: %w", err)
	}
	return err
}

// room is the bytes that measuring may take.
func (c *Calibration) room() int64 {
	dev := c.task.Net.Device()
	free, _ := roomOf(dev)
	most := free / 2
	for _, limit := range []int64{c.most, dev.Memory().Cap} {
		if limit > 0 && (most == 0 || limit < most) {
			most = limit
		}
	}
	return most
}

// roomOf is the free and all memory in bytes beyond what the device's allocator holds,
// as its driver or, for the host, the system says; 0 where nobody does.
func roomOf(dev *gpu.Device) (free, total int64) {
	if free, total, known := dev.Room(); known {
		return free, total
	}
	if dev.Name() == "cpu" {
		return monitor.HostRoom()
	}
	return 0, 0
}

// differs says how a plan's passes differ from the model's own, "" where not.
func (p *Plan) differs() string {
	var s string
	if p.Precision != gpu.Float32 {
		s = "in " + p.Precision.String()
	}
	for _, f := range p.Freeze {
		s += " without " + f
	}
	if p.Prune != nil {
		s += " " + pruneText(p.Prune)
	}
	return s
}

// ladder is sizes from 1 to n, two for each doubling: products work on a few rows at a
// time, so their speed goes up and down on the way.
func ladder(n int) (sizes []int) {
	for ; n > 1; n = (n + 1) / 2 {
		sizes = append(sizes, n, (3*n+3)/4)
	}
	return append(sizes, 1)
}

// climb measures each size twice, the smallest first, since the first time touches
// memory that nobody had. It stops below sizes that would take too long or too much.
func (m *meter) climb(sizes []int) error {
	slices.Sort(sizes)
	for _, size := range slices.Compact(sizes) {
		if size < 1 {
			continue
		}
		n := len(m.pace.at)
		if n >= 2 {
			last := m.pace.at[n-1]
			coming := 2 * duration(last.pass*float64(size)/float64(last.size))
			if time.Since(m.begin)+coming > measuring*3/2 {
				break
			}
		}
		r := reading{size: size}
		for range 2 {
			r.pass, r.layers = 0, nil
			if err := m.take(&r, true); err != nil {
				var full *mem.OutOfMemoryError
				if n > 0 && errors.As(err, &full) {
					return nil
				}
				return err
			}
		}
		m.pace.at = append(m.pace.at, r)
	}
	return nil
}

// repeat goes through the sizes again and again and keeps the least times.
func (m *meter) repeat() error {
	for round := 0; round < rounds; round++ {
		took := false
		for i := range m.pace.at {
			r := &m.pace.at[i]
			if time.Since(m.begin)+duration(r.pass) > measuring {
				continue
			}
			took = true
			if err := m.take(r, round%2 == 1); err != nil {
				return err
			}
		}
		if !took {
			break
		}
	}
	return nil
}

// take times a step of one pass, part by part, and layered a forward pass layer by layer:
// what passes and updates take one after the other is not what each takes alone, when
// its memory is still in the caches.
func (m *meter) take(r *reading, layered bool) error {
	part := m.batch.Slice(0, min(r.size, m.batch.Len()))
	clear, pass, update := 0.0, 0.0, 0.0
	err := m.dev.Synchronize()
	if err == nil && m.learns {
		err = m.time(&clear, m.net.ZeroGrad)
	}
	if err == nil {
		err = m.time(&pass, func() error { return m.pass(part, 1) })
	}
	if err == nil {
		err = m.time(&update, m.update)
	}
	if err != nil {
		return err
	}
	r.pass = least(r.pass, pass)
	m.pace.update = least(m.pace.update, clear+update)
	if !layered || !m.learns || m.task.Model == nil {
		return nil
	}
	layers := make([]float64, len(m.task.Model.Layers))
	if err := m.forward(part, layers); err != nil {
		return err
	}
	if r.layers == nil {
		r.layers = layers
	}
	for i, l := range layers {
		r.layers[i] = least(r.layers[i], l)
	}
	return nil
}

// least is the smaller of two times, of which the first may not be known.
func least(a, b float64) float64 {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// time sets seconds to what f takes until the device has done it.
func (m *meter) time(seconds *float64, f func() error) error {
	begin := time.Now()
	err := f()
	if err == nil {
		err = m.dev.Synchronize()
	}
	*seconds = time.Since(begin).Seconds()
	return err
}

// forward goes forward with a clock at each layer of the model.
func (m *meter) forward(part *data.Batch, layers []float64) error {
	model := m.task.Model
	had := model.Layers
	defer func() { model.Layers = had }()
	model.Layers = nil
	for i, l := range had {
		model.Layers = append(model.Layers, nn.Func(fmt.Sprint("layer ", i), func(t *nn.Tape, x *nn.Value) (y *nn.Value) {
			took := 0.0
			if err := m.time(&took, func() error { y = l.Apply(t, x); return nil }); err != nil {
				return nil
			}
			layers[i] += took
			return y
		}))
	}
	t := m.net.Tape()
	t.First = part.First
	m.task.Loss(t, part)
	return errors.Join(t.Err(), t.Free())
}

// measureCopy finds how fast the device copies what no cache holds.
func (c *Calibration) measureCopy() (err error) {
	const most = 16 << 20 // numbers
	n := most
	if room := c.room(); room > 0 {
		n = int(min(most, room/16))
	}
	dev, err := c.task.Net.Device().Aside()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dev.Close()) }()
	from, err := dev.Zeros(mem.Data, n)
	if err != nil {
		return fmt.Errorf("measure a copy: %w", err)
	}
	to, err := dev.Zeros(mem.Data, n)
	if err != nil {
		return fmt.Errorf("measure a copy: %w", errors.Join(err, from.Free()))
	}
	m := &meter{rehearsal: &rehearsal{dev: dev}}
	best := 0.0
	for range 5 {
		took := 0.0
		if err = m.time(&took, func() error { return gpu.Copy(to, from) }); err != nil {
			break
		}
		best = least(best, took)
	}
	if best > 0 {
		c.copy = float64(from.Bytes()+to.Bytes()) / best
	}
	return errors.Join(err, from.Free(), to.Free())
}
