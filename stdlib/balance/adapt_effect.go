package balance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"attune/stdlib/data"
)

// Interval is a mean and its 95 % interval.
type Interval struct{ Mean, Low, High float64 }

// String is "mean (low to high)".
func (i Interval) String() string { return fmt.Sprintf("%.3g (%.3g to %.3g)", i.Mean, i.Low, i.High) }

// Sure says whether the interval holds one sign only.
func (i Interval) Sure() bool { return i.Low > 0 || i.High < 0 }

// Effect is what cutting a batch into To parts changes against From parts, each pair
// of steps from the same weights, optimizer state, batch and dropout masks.
type Effect struct {
	From, To, Steps int
	// Peak is the difference in bytes, Time in seconds, Loss in the loss that each
	// step began with, Weights the largest difference of a weight after one step.
	Peak, Time, Loss Interval
	Weights          float64
}

// String says it in words.
func (e *Effect) String() string {
	return fmt.Sprintf("%d parts in place of %d, over %d paired steps with 95 %% intervals\npeak   %s bytes\ntime   %s s a step\nloss   %s\nweights differ by %.2g at most after a step",
		e.To, e.From, e.Steps, e.Peak, e.Time, e.Loss, e.Weights)
}

// Replay measures the effect of an action: it does so many steps over the loader's
// next batches twice each, with the parts from before and from after it, in an order
// that changes, and from the same state; bootstrap over the pairs gives the intervals
// (Efron 1979). Afterwards training, data and log are as they were. A way that does
// not fit in memory is the error.
func (r *Trainer) Replay(a Action, train *data.Loader, steps int) (e *Effect, err error) {
	if a.From < 1 || a.To < 1 || steps < 2 || train == nil {
		return nil, fmt.Errorf("replay %q: want an action that changed the parts, data, and two steps at least", a.What)
	}
	end, err := r.begin(train)
	if err != nil {
		return nil, fmt.Errorf("replay %q: %w", a.What, err)
	}
	back, err := r.remember(train)
	if err != nil {
		end(nil)
		return nil, fmt.Errorf("replay %q: %w", a.What, err)
	}
	r.watch.asIs = true
	defer func() {
		r.watch.asIs = false
		err = errors.Join(err, back())
		end(nil)
	}()
	e = &Effect{From: a.From, To: a.To}
	var peak, took, loss []float64
	for e.Steps < steps {
		before := e.Steps
		for u, berr := range r.updates(train, func() int { return r.size(train) }) {
			if berr != nil {
				return nil, fmt.Errorf("replay %q: %w", a.What, berr)
			}
			p, err := r.pair(u.batch, a, e)
			if err != nil {
				return nil, fmt.Errorf("replay %q: %w", a.What, err)
			}
			peak, took, loss = append(peak, p.peak), append(took, p.time), append(loss, p.loss)
			if e.Steps++; e.Steps >= steps {
				break
			}
		}
		r.state.Skip = 0
		if e.Steps == before {
			return nil, fmt.Errorf("replay %q: the loader has no batches", a.What)
		}
	}
	rng := rand.New(rand.NewPCG(r.Seed, 0xab))
	e.Peak, e.Time, e.Loss = bootstrap(rng, peak), bootstrap(rng, took), bootstrap(rng, loss)
	return e, nil
}

// sample is what one step came to, or the difference of two.
type sample struct {
	peak, time, loss float64
	weights          [][]float32
}

// pair does one step both ways and keeps the second's outcome to go on from.
func (r *Trainer) pair(b *data.Batch, a Action, e *Effect) (sample, error) {
	ways := []int{a.From, a.To}
	if e.Steps%2 == 1 {
		slices.Reverse(ways)
	}
	got := map[int]sample{}
	for i, parts := range ways {
		back := func() error { return nil }
		if i == 0 {
			var err error
			if back, err = r.remember(nil); err != nil {
				return sample{}, err
			}
		}
		r.watch.look(r.budget(), b)
		start := time.Now()
		loss, err := r.attempt(b, min(parts, b.Len()))
		if err != nil {
			return sample{}, errors.Join(fmt.Errorf("in %d parts: %w", parts, err), back())
		}
		s := sample{time: time.Since(start).Seconds(), peak: float64(r.Net.Device().Memory().Total.Peak), loss: loss}
		if s.weights, err = r.weights(); err != nil {
			return sample{}, err
		}
		if err := back(); err != nil {
			return sample{}, err
		}
		got[parts] = s
	}
	r.state.Step++
	from, to := got[a.From], got[a.To]
	for i := range to.weights {
		for k := range to.weights[i] {
			d := float64(to.weights[i][k] - from.weights[i][k])
			e.Weights = max(e.Weights, d, -d)
		}
	}
	return sample{peak: to.peak - from.peak, time: to.time - from.time, loss: to.loss - from.loss}, nil
}

// resamples is how many times bootstrap draws.
const resamples = 2000

// bootstrap is the mean and its interval by percentiles of resampled means.
func bootstrap(rng *rand.Rand, x []float64) Interval {
	means := make([]float64, resamples)
	for i := range means {
		for range x {
			means[i] += x[rng.IntN(len(x))] / float64(len(x))
		}
	}
	slices.Sort(means)
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	return Interval{mean, means[resamples/40], means[resamples-1-resamples/40]}
}
