package balance

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"attune/display"
)

// Param is one thing that a Sweep tries values of: made by Choice, Uniform, LogUniform
// or Whole.
type Param struct {
	Name string
	// Values are what to choose from; without them, numbers from Low to High.
	Values    []any
	Low, High float64
	// Log spreads the numbers evenly over magnitudes; Whole rounds them.
	Log, Whole bool
}

// Choice is one of several numbers or texts.
func Choice[T int | float64 | string | bool](name string, values ...T) Param {
	p := Param{Name: name}
	for _, v := range values {
		p.Values = append(p.Values, v)
	}
	return p
}

// Uniform is a number from low to high.
func Uniform(name string, low, high float64) Param { return Param{Name: name, Low: low, High: high} }

// LogUniform is a number from low to high, both above 0, as often from 0.001 to 0.01 as
// from 0.01 to 0.1: right for learning rates.
func LogUniform(name string, low, high float64) Param {
	return Param{Name: name, Low: low, High: high, Log: true}
}

// Whole is a whole number from low to high, both included.
func Whole(name string, low, high int) Param {
	return Param{Name: name, Low: float64(low), High: float64(high), Whole: true}
}

// Method is how a Sweep chooses what to try.
type Method string

const (
	// Random draws each trial's values (Bergstra and Bengio 2012).
	Random Method = "random"
	// Grid tries each combination of the parameters' Values.
	Grid Method = "grid"
	// Halving draws like Random, gives all a few steps, and goes on with the best
	// third, and so on (Jamieson and Talwalkar 2016).
	Halving Method = "halving"
)

// SweepOptions are how a Sweep goes about it. The zero value tries 20 at random.
type SweepOptions struct {
	Method Method
	// Trials is how many to draw (20 where it is 0); a grid has all of its own.
	Trials int
	Seed   uint64
	// Steps is what Trial.Steps says to a trial that goes all the way; 0 means 1.
	Steps int
	// Keep is one part in how many goes on from rung to rung of Halving; 0 means 3.
	Keep int
	// Parallel trials run at a time; 0 means 1, for one training keeps all cores busy.
	Parallel int
	// Memory is what all processes may hold together, in bytes: each gets its share,
	// and ends when it takes more. 0 means the session's own limit for each.
	Memory int64
	// Timeout ends a trial that takes longer; 0 means none.
	Timeout time.Duration
	// Maximise looks for the highest score; else the lowest is best.
	Maximise bool
	// Quiet shows nothing while it runs.
	Quiet bool
}

// Sweep calls train with values that it chooses from space, each time in a process of
// its own, and keeps the score that it returns. A trial that fails, panics, is killed
// or takes too much memory is a row of the result and ends nothing else. The same
// seed gives the same trials in any order of finishing. The table and the plot of the
// trials are shown while it runs. An interrupted Sweep returns what it has, and an
// error.
//
// train must be a function that a cell declares by name. Another process has the
// session's functions, types, numbers, texts and short lists, but not its other
// variables: data are loaded and models made in train. A use of another variable is
// the trial's error, which names it. What train changes stays in its process.
func Sweep(train func(*Trial) (float64, error), space []Param, o SweepOptions) (*SweepResult, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	configs, err := o.draw(space)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	s := &sweep{train: train, o: o, result: &SweepResult{Params: space, Maximise: o.Maximise}}
	if !o.Quiet {
		s.live = display.NewLive()
	}
	for rung, steps := range o.rungs(len(configs)) {
		if rung > 0 {
			configs = s.best(configs, rung-1)
		}
		if err := s.rung(configs, rung, steps); err != nil {
			return s.result, fmt.Errorf("sweep: %w", err)
		}
	}
	s.show(true)
	if s.result.Best() == nil {
		return s.result, errors.New("sweep: no trial came to a score; the table says why")
	}
	return s.result, nil
}

func (o *SweepOptions) complete() error {
	if o.Method == "" {
		o.Method = Random
	}
	if !slices.Contains([]Method{Random, Grid, Halving}, o.Method) {
		return fmt.Errorf("sweep: there is no method %q; there are random, grid and halving", o.Method)
	}
	set := func(p *int, usual int) {
		if *p < 1 {
			*p = usual
		}
	}
	set(&o.Trials, 20)
	set(&o.Steps, 1)
	set(&o.Parallel, 1)
	if o.Keep < 2 {
		o.Keep = 3
	}
	return nil
}

// draw is the values of each trial, in the order of space.
func (o *SweepOptions) draw(space []Param) ([][]any, error) {
	for _, p := range space {
		if err := p.check(); err != nil {
			return nil, err
		}
		if o.Method == Grid && len(p.Values) == 0 {
			return nil, fmt.Errorf("a grid needs a Choice of values for %s", p.Name)
		}
	}
	if o.Method == Grid {
		return grid(space)
	}
	out := make([][]any, o.Trials)
	for i := range out {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(i)))
		out[i] = []any{}
		for _, p := range space {
			out[i] = append(out[i], p.draw(rng))
		}
	}
	return out, nil
}

func (p Param) check() error {
	switch {
	case p.Name == "":
		return errors.New("a parameter has no name")
	case len(p.Values) == 0 && !(p.Low <= p.High && p.High-p.Low <= math.MaxFloat64):
		return fmt.Errorf("parameter %s goes from %g to %g", p.Name, p.Low, p.High)
	case p.Log && len(p.Values) == 0 && p.Low <= 0:
		return fmt.Errorf("parameter %s goes from %g, and magnitudes begin above 0", p.Name, p.Low)
	}
	return nil
}

func (p Param) draw(rng *rand.Rand) any {
	u := rng.Float64()
	switch {
	case len(p.Values) > 0:
		return p.Values[int(u*float64(len(p.Values)))]
	case p.Whole:
		return int(math.Floor(p.Low + u*(p.High-p.Low+1)))
	case p.Log:
		return math.Exp(math.Log(p.Low) + u*(math.Log(p.High)-math.Log(p.Low)))
	}
	return p.Low + u*(p.High-p.Low)
}

// mostCombinations bounds a grid, which grows by multiplication.
const mostCombinations = 10_000

func grid(space []Param) ([][]any, error) {
	out := [][]any{{}}
	for _, p := range space {
		if len(out)*len(p.Values) > mostCombinations {
			return nil, fmt.Errorf("the grid has more than %d combinations; draw them at random", mostCombinations)
		}
		var next [][]any
		for _, head := range out {
			for _, v := range p.Values {
				next = append(next, append(slices.Clone(head), v))
			}
		}
		out = next
	}
	return out, nil
}

// rungs is the steps of each round over the trials.
func (o *SweepOptions) rungs(trials int) []int {
	if o.Method != Halving {
		return []int{o.Steps}
	}
	out := []int{o.Steps}
	for n, steps := trials, o.Steps; n >= o.Keep && steps >= o.Keep; {
		n, steps = n/o.Keep, steps/o.Keep
		out = append(out, steps)
	}
	slices.Reverse(out)
	return out
}

// sweep is one Sweep under way.
type sweep struct {
	train  func(*Trial) (float64, error)
	o      SweepOptions
	live   *display.Live
	mu     sync.Mutex // guards result
	result *SweepResult
}

// best is the values of the best trials of a rung, one in Keep of all, and nil in the
// place of the others.
func (s *sweep) best(configs [][]any, rung int) [][]any {
	var done []TrialResult
	n := 0
	for _, t := range s.result.Trials {
		if t.Rung == rung {
			n++
			if t.scored() {
				done = append(done, t)
			}
		}
	}
	s.result.sort(done)
	out := make([][]any, len(configs))
	for _, t := range done[:min(len(done), max(1, n/s.o.Keep))] {
		out[t.Number] = configs[t.Number]
	}
	return out
}

var errInterrupted = errors.New("interrupted; the trials so far are in the result")

// rung runs the trials that are not nil.
func (s *sweep) rung(configs [][]any, rung, steps int) error {
	var mine []int // places in the result
	for number, values := range configs {
		if values != nil {
			mine = append(mine, len(s.result.Trials))
			s.result.Trials = append(s.result.Trials, TrialResult{Number: number, Rung: rung, Steps: steps, Values: values, State: Waiting})
		}
	}
	stop := make(chan struct{})
	halt := sync.OnceFunc(func() { close(stop) })
	work, ended := make(chan int), make(chan error, s.o.Parallel)
	for range s.o.Parallel {
		go func() {
			// A child is told to end with the thread that started it.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var err error
			for at := range work {
				if err == nil {
					err = s.run(at, stop)
				}
			}
			ended <- err
		}()
	}
	return s.feed(mine, work, ended, halt)
}

// sweepTick is how often an interrupt is looked for, and the table drawn.
const sweepTick = 200 * time.Millisecond

// feed hands the trials out until all have ended, or the cell is interrupted.
func (s *sweep) feed(mine []int, work chan<- int, ended <-chan error, halt func()) (err error) {
	tick := time.NewTicker(sweepTick)
	defer tick.Stop()
	interrupted := false
	for left := s.o.Parallel; left > 0; {
		out, next := work, 0
		if len(mine) > 0 && !interrupted {
			next = mine[0]
		} else {
			if work != nil {
				close(work)
			}
			work, out = nil, nil
		}
		select {
		case out <- next:
			mine = mine[1:]
		case e := <-ended:
			err = errors.Join(err, e)
			left--
		case <-tick.C:
			s.show(false)
			if display.Stopping() && !interrupted {
				halt()
				interrupted = true
				err = errors.Join(err, errInterrupted)
			}
		}
	}
	return err
}
