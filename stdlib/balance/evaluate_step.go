package balance

import (
	"errors"
	"time"

	"attune/stdlib/data"
)

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
	r, err := rehearse(task, dev, &plan, e.Training)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
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
