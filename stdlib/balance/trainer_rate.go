package balance

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"attune/display"
	"attune/stdlib/data"
)

// Rule is what becomes of the learning rate when the batch changes its size.
type Rule uint8

// The rules. Linear suits SGD (Goyal et al. 2017, "Accurate, Large Minibatch SGD"),
// SquareRoot the optimizers that divide by the gradient's size, as Adam does
// (Krizhevsky 2014; Malladi et al. 2022).
const (
	KeepRate Rule = iota
	Linear
	SquareRoot
)

// String is the rule's name.
func (r Rule) String() string {
	if int(r) < 3 {
		return [...]string{"keep the rate", "linear", "square root"}[r]
	}
	return fmt.Sprintf("rule %d", r)
}

// Factor is what to multiply the rate with for batches of now examples where it was
// chosen for was.
func (r Rule) Factor(was, now int) float64 {
	if was < 1 || now < 1 {
		return 1
	}
	switch x := float64(now) / float64(was); r {
	case Linear:
		return x
	case SquareRoot:
		return math.Sqrt(x)
	}
	return 1
}

// Rates is what FindRate measured: the loss at each step, whose rate was that much
// larger than the last. Suggested is the rate to begin with.
type Rates struct {
	Rates, Losses []float64
	Suggested     float64
}

// The finder's constants: smoothing of the losses, and how far above the least the
// loss may rise before it ends (Smith 2017, as fastai does it).
const (
	findKeep = 0.9
	findEnd  = 4
)

// FindRate tries learning rates from least to most over so many steps, each a fixed
// factor above the one before, and suggests a tenth of the one with the lowest
// smoothed loss (Smith 2017, "Cyclical Learning Rates", section 3.3). It ends early
// once the loss has risen fourfold. Afterwards weights, optimizer and data are as
// they were.
func (r *Trainer) FindRate(train *data.Loader, least, most float64, steps int) (found *Rates, err error) {
	c := r.common()
	if c == nil || r.Net == nil || r.Loss == nil || train == nil || least <= 0 || most <= least || steps < 2 {
		return nil, fmt.Errorf("find a learning rate from %g to %g in %d steps: want an optimizer of package gpu, a rising range and two steps at least", least, most, steps)
	}
	end, err := r.begin(train)
	if err != nil {
		return nil, fmt.Errorf("find a learning rate: %w", err)
	}
	back, err := r.remember(train)
	if err != nil {
		end(nil)
		return nil, fmt.Errorf("find a learning rate: %w", err)
	}
	rate, schedule := c.LR, c.Schedule
	c.Schedule = nil
	quiet := r.shown.quiet
	r.shown.quiet = true
	defer func() {
		c.LR, c.Schedule = rate, schedule
		r.shown.quiet = quiet
		end(nil)
		err = errors.Join(err, back())
	}()
	found = &Rates{}
	mean, low := 0.0, math.Inf(1)
	for done := false; !done; {
		before := len(found.Rates)
		for u, err := range r.updates(train, func() int { return r.size(train) }) {
			if err != nil {
				return nil, fmt.Errorf("find a learning rate: %w", err)
			}
			i := len(found.Rates)
			c.LR = least * math.Pow(most/least, float64(i)/float64(steps-1))
			loss, err := r.step(u.batch)
			if err != nil && !math.IsInf(low, 1) && !outOfMemory(err) && !errors.Is(err, ErrInterrupted) {
				done = true // the loss is not a number any more
				break
			}
			if err != nil {
				return nil, fmt.Errorf("find a learning rate: %w", err)
			}
			mean = findKeep*mean + (1-findKeep)*loss
			smooth := mean / (1 - math.Pow(findKeep, float64(i+1)))
			found.Rates, found.Losses = append(found.Rates, c.LR), append(found.Losses, smooth)
			if smooth < low {
				low, found.Suggested = smooth, c.LR/10
			}
			if done = i+1 >= steps || smooth > findEnd*low; done {
				break
			}
		}
		r.state.Skip = 0
		if len(found.Rates) == before {
			done = true
		}
	}
	return found, nil
}

// remember keeps weights, optimizer, data and counters, and returns how to put them
// back.
func (r *Trainer) remember(train *data.Loader) (back func() error, err error) {
	weights, err := r.weights()
	if err != nil {
		return nil, err
	}
	var opt strings.Builder
	params, _ := r.trained()
	if err := r.Optimizer.Save(&opt, params); err != nil {
		return nil, err
	}
	state, noise, log, at := r.state, r.noise, len(r.Log.Actions), data.State{}
	if train != nil {
		at = train.State()
	}
	return func() error {
		r.state, r.noise, r.Log.Actions = state, noise, r.Log.Actions[:log]
		errs := []error{r.setWeights(weights), r.Optimizer.Load(strings.NewReader(opt.String()), params)}
		if train != nil {
			errs = append(errs, train.Restore(at))
		}
		return errors.Join(errs...)
	}, nil
}

// String says what to begin with.
func (f *Rates) String() string {
	return fmt.Sprintf("learning rate %.2g: a tenth of the rate with the lowest smoothed loss, of %d tried", f.Suggested, len(f.Rates))
}

// Show draws the losses over the rates' logarithm.
func (f *Rates) Show() error {
	x := make([]float64, len(f.Rates))
	for i, r := range f.Rates {
		x[i] = math.Log10(r)
	}
	p, err := display.Lines("Learning rate", "log10 of the rate", "smoothed loss", display.Series{Name: "loss", X: x, Y: f.Losses})
	if err != nil {
		return fmt.Errorf("show the rates: %w", err)
	}
	display.Show(p)
	return nil
}
