package gpu

import (
	"fmt"
	"math"
)

// Schedule says what the learning rate is multiplied with at each step:
//
//	adam.Schedule = gpu.Warmup{Steps: 100, Then: gpu.Cosine{Steps: 900}}
type Schedule interface {
	// At is the factor of the step after step others.
	At(step int) float64
}

// Constant keeps the learning rate, as a Schedule that is nil does.
type Constant struct{}

// At is 1.
func (Constant) At(int) float64 { return 1 }

// Cosine falls from 1 to Floor over Steps along half a cosine (Loshchilov and
// Hutter 2017, eq. 5, without restarts), and stays there.
type Cosine struct {
	Steps int
	Floor float64
}

// At is the factor after step steps.
func (c Cosine) At(step int) float64 {
	if step >= c.Steps {
		return c.Floor
	}
	return c.Floor + (1-c.Floor)*(1+math.Cos(math.Pi*float64(step)/float64(c.Steps)))/2
}

// Warmup rises from Start to 1 over Steps in a straight line (Goyal et al. 2017,
// section 2.2), and goes on with Then, whose steps begin there; nil keeps the rate. With a
// Start of 0 the very first step changes nothing.
type Warmup struct {
	Steps int
	Start float64
	Then  Schedule
}

// At is the factor after step steps.
func (w Warmup) At(step int) float64 {
	if step < w.Steps {
		return w.Start + (1-w.Start)*float64(step)/float64(w.Steps)
	}
	if w.Then == nil {
		return 1
	}
	return w.Then.At(step - w.Steps)
}

// Plateau multiplies the factor with Factor when the loss has not become better by
// the share Threshold for more than Patience observations; then Cooldown
// observations are left out. The factor does not fall below Floor. It works as
// PyTorch's ReduceLROnPlateau; tell it of each epoch's loss.
type Plateau struct {
	Factor, Threshold, Floor float64
	Patience, Cooldown       int

	started   bool
	now, best float64
	bad, rest int
}

// NewPlateau returns a Plateau with PyTorch's constants: a tenth after ten
// observations that are not better by 1e-4.
func NewPlateau() *Plateau { return &Plateau{Factor: 0.1, Threshold: 1e-4, Patience: 10} }

func (p *Plateau) start() {
	if !p.started {
		p.started, p.now, p.best = true, 1, math.Inf(1)
	}
}

// Observe takes the loss into account.
func (p *Plateau) Observe(loss float64) {
	p.start()
	if loss < p.best*(1-p.Threshold) {
		p.best, p.bad = loss, 0
	} else {
		p.bad++
	}
	if p.rest > 0 {
		p.rest--
		p.bad = 0
	}
	if p.bad > p.Patience {
		p.now = max(p.Floor, p.now*p.Factor)
		p.bad, p.rest = 0, p.Cooldown
	}
}

// At is the factor now; the step does not matter.
func (p *Plateau) At(int) float64 {
	p.start()
	return p.now
}

// LossScale is what the loss, and with it each gradient, is multiplied with, so
// that small gradients do not vanish in half precision (Micikevicius et al. 2018,
// section 3.2). The optimizer divides by it again, skips steps whose gradients hold
// Inf or NaN, and then lowers it, to 2^-126 at least; after Interval good steps it raises
// it. One that is not above 0 is an error of Step.
type LossScale struct {
	// Initial is what the scale begins with; Value says what it is now.
	Initial float64
	// Growth and Backoff multiply the scale, once every Interval good steps and after
	// each bad one; 0 leaves it.
	Growth, Backoff float64
	Interval        int

	changed bool // now says what it is, no more Initial
	now     float64
	good    int
	held    *Training // whose device has it, see flight
}

// NewLossScale returns a scale with the constants of PyTorch's GradScaler: 65536,
// doubled after 2000 good steps, halved after a bad one.
func NewLossScale() *LossScale {
	return &LossScale{Initial: 65536, Growth: 2, Backoff: 0.5, Interval: 2000}
}

// SkipBad returns a scale that stays 1: steps with Inf or NaN are skipped and that
// is all.
func SkipBad() *LossScale { return &LossScale{Initial: 1} }

// Value is the scale now: multiply the loss with it before the gradients are computed.
// Where a CUDA device has it, Value waits for the steps that it was asked to do;
// Training.LossGradient does not.
func (s *LossScale) Value() float64 {
	if s.held != nil {
		_ = s.held.look()
	}
	if !s.changed {
		return s.Initial
	}
	return s.now
}

func (s *LossScale) set(value float64, good int) { s.changed, s.now, s.good = true, value, good }

// leastScale is float32's least value of full precision: below it a loss, times the scale,
// would lose what it says.
const leastScale = 0x1p-126

// observe does as step_decide of optim.cu.
func (s *LossScale) observe(finite bool) {
	value, good := s.Value(), s.good+1
	if !finite {
		good = 0
		if next := value * s.Backoff; s.Backoff > 0 && next >= leastScale {
			value = next
		}
	} else if s.Growth > 0 && good >= s.Interval {
		good = 0
		if next := value * s.Growth; !math.IsInf(next, 0) {
			value = next
		}
	}
	s.set(value, good)
}

// sound is an error where gradients cannot be divided by the scale.
func (s *LossScale) sound() error {
	if v := s.Value(); !(v > 0) || math.IsInf(v, 0) {
		return fmt.Errorf("the loss scale is %g: want a number above 0, as NewLossScale and SkipBad have it", v)
	}
	return nil
}
