package balance

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"attune/display"
	"attune/gpu"
	"attune/stdlib/balance/control"
	"attune/stdlib/data"
	"attune/stdlib/monitor"
	"attune/stdlib/nn"
)

// Trainer trains a Task and keeps to a budget while it does: each batch is cut into
// as many parts as the memory of that moment asks for, their gradients are added up,
// and every change is logged with its cause and effect. The fields are set before
// Fit; SetBudget may be called while it runs.
//
//	trainer := &balance.Trainer{Task: task, Budget: balance.Budget{Bytes: 64 << 20}}
//	err := trainer.Fit(train, valid, 5)
//
// A Fit that ends early, by an interrupt or an error, has lost nothing: the next one
// goes on with the very step that was not done.
type Trainer struct {
	Task
	// Budget is what training may take; the zero value is what the device has. It is
	// the device's cap while Fit runs.
	Budget Budget
	// Plan is what Allocate found; nil trains the model as it is. Fit follows all of it:
	// it freezes and prunes once, which stays, and is what a checkpoint holds; cuts and
	// precision hold while it runs; Batch is the examples of an update, whatever the loader deals, with
	// the rate times LRScale, unless RateBatch is set; Micro is the most that go through
	// the model at a time. What is changed is logged.
	Plan *Plan
	// Policy decides before each step; nil is control.Predictive.
	Policy control.Policy
	// Seed chooses the dropout masks, with the step's number.
	Seed uint64
	// RateBatch is the batch that the learning rate was chosen for, and Rule says what
	// becomes of the rate with a batch of another size. 0 leaves the rate alone.
	RateBatch int
	Rule      Rule
	// MaxBatch, above 0, lets the examples of an update follow the gradient noise scale
	// and what a step takes, between MinBatch and it, beginning with RateBatch, or the
	// loader's batch where that is 0. A loader of large batches serves best: updates are
	// parts of them. Times differ from run to run, and so do then the weights.
	MinBatch, MaxBatch int
	// Patience is how many epochs the loss on validation data may fail to get better
	// before training ends; 0 is no early stopping. Fit then ends with the weights of
	// the best epoch.
	Patience int
	// Checkpoint is a file that holds the training's whole state, written at the end
	// of an epoch and, where Every is set, after so many steps.
	Checkpoint string
	Every      int
	// NoiseEvery cuts a quarter off a batch that fits whole at every so many steps, to
	// measure the gradient noise scale; 0 measures it only where a batch is cut anyway, or
	// as often as it is needed where MaxBatch is set.
	NoiseEvery int
	// Room tells the free and all memory in bytes beyond what the allocator holds; nil
	// asks the device's driver, or the system for the host's.
	Room func() (free, total int64)
	// Quiet shows nothing.
	Quiet bool

	// Log is what was done about memory, History what came of each epoch.
	Log     Log
	History Epochs

	mu     sync.Mutex // guards Budget while Fit runs
	state  progress
	noise  noise
	watch  *watch
	shown  panel
	caught error // what made the last attempt of a step fail
	// followed is the plan whose changes were logged, dealt the loader's batch.
	followed *Plan
	dealt    int
	// resumed says that the next Fit goes on with the checkpoint's, were it at its end.
	resumed bool
}

// progress is where a training stands.
type progress struct {
	Epoch, Step, Until int
	// Parts is into how many parts the batch of the last step was cut.
	Parts int
	// At is where the training data stand, once a step was done, and Skip how many of
	// the examples from there on were learned already.
	At    *data.State
	Skip  int
	Sum   float64 // loss of this epoch so far, over examples
	Count int
	// Best is the least validation loss, Bad for how many epochs there was none less.
	Best float64
	Bad  int
	best [][]float32
	// Following is how large updates are where they follow the noise.
	Following following
	// Planned are the actions of a plan whose effect is to come.
	Planned awaited
}

// Epoch is what came of a pass over the training data.
type Epoch struct {
	Epoch, Steps int
	// Loss is the mean over the epoch's examples, each at the step that used it; Valid
	// the mean over the validation data at the epoch's end, NaN without any.
	Loss, Valid float64
	// Micro is the number of examples that went through the model at a time, Peak the
	// most bytes in use, Noise the gradient noise scale in examples, 0 where unknown.
	Micro int
	Peak  int64
	Noise float64
	Time  time.Duration
}

// Event is what a callback hears of: a step, or the end of an epoch.
type Event struct {
	Epoch, Step int
	// Loss is the step's. Done is the epoch that just ended, nil after a step.
	Loss float64
	Done *Epoch
	// Batch is what the step learned from.
	Batch *data.Batch
}

// Callback is called after each step and each epoch. An error ends Fit, which returns
// it, except ErrStop, which ends Fit as if the last epoch was over.
type Callback func(Event) error

// ErrStop ends Fit without an error.
var ErrStop = errors.New("stop training")

// ErrInterrupted is what Fit returns when the cell that runs it was interrupted; the
// next Fit goes on.
var ErrInterrupted = errors.New("training was interrupted: Fit goes on where it stopped")

// SetBudget changes the budget, from any goroutine; the next step keeps to it.
func (r *Trainer) SetBudget(b Budget) {
	r.mu.Lock()
	r.Budget = b
	r.mu.Unlock()
}

func (r *Trainer) budget() Budget {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Budget
}

// Steps is the number of updates done.
func (r *Trainer) Steps() int { return r.state.Step }

// Micro is the number of examples of a batch that go through the model at a time now.
func (r *Trainer) Micro(batch int) int {
	return control.Signal{Batch: batch}.Micro(max(r.state.Parts, 1))
}

// Fit trains for so many epochs over train. With valid, which may be nil, each epoch
// ends with the loss on it. After a Fit that was cut short, and after Resume, it goes
// on until that one's last epoch, which may be reached already; its error says why it
// ended, with the state kept.
func (r *Trainer) Fit(train, valid *data.Loader, epochs int, callbacks ...Callback) (err error) {
	if r.Net == nil || r.Loss == nil || r.Optimizer == nil || train == nil {
		return fmt.Errorf("train: a Trainer needs a Net, a Loss and an Optimizer, and Fit needs data")
	}
	if r.Patience > 0 && valid == nil {
		return fmt.Errorf("train: Patience ends a training by the loss on validation data, and Fit was given none: give it some, or set Patience to 0")
	}
	if err := r.Net.Err(); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if r.state.Epoch >= r.state.Until && !r.resumed {
		r.state.Until = r.state.Epoch + epochs
		if r.state.best == nil {
			r.state.Best = math.Inf(1)
		}
	}
	r.resumed = false
	if r.state.At != nil {
		if err := train.Restore(*r.state.At); err != nil {
			return fmt.Errorf("train: %w", err)
		}
	}
	end, err := r.begin(train)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	defer func() { end(err) }()
	for r.state.Epoch < r.state.Until {
		if err = r.epoch(train, valid, callbacks); err != nil {
			break
		}
	}
	if errors.Is(err, ErrStop) {
		r.state.Until, err = r.state.Epoch, nil
	}
	if err != nil {
		return err
	}
	return r.restoreBest()
}

// begin sets up what a Fit needs, and returns how to take it down.
func (r *Trainer) begin(train *data.Loader) (end func(error), err error) {
	dev := r.Net.Device()
	had := dev.Memory().Cap
	r.policy()
	if r.watch == nil {
		r.watch = newWatch(dev, r.Room)
	}
	r.watch.had = had
	r.dealt = train.State().Size
	undo, err := r.follow()
	if err != nil {
		undo()
		return nil, err
	}
	r.start(train)
	r.watch.peaks.known, r.watch.peaks.rehearsal = map[string]int64{}, nil
	free := func() error { return nil }
	if f, err := r.foresee(); err == nil { // without one, what is measured has to do
		r.watch.peaks.rehearsal, free = f, f.close
	}
	left := (r.state.Until-r.state.Epoch)*train.Batches() - train.State().Batch
	r.shown.open(r.Quiet, dev, left)
	return func(err error) {
		dev.SetCap(had)
		undo()
		r.watch.peaks.rehearsal = nil
		_ = free() // it holds no memory
		r.shown.close(&r.Log, err)
		if !r.Quiet && err != nil {
			monitor.MarkAs(monitor.Actions, "training ended early")
		}
	}, nil
}

// policy makes sure that there is one.
func (r *Trainer) policy() {
	if r.Policy == nil {
		r.Policy = &control.Predictive{}
	}
}

// epoch does what is left of one, and what comes at its end.
func (r *Trainer) epoch(train, valid *data.Loader, callbacks []Callback) error {
	start, first := time.Now(), r.state.Step
	r.watch.peak = 0
	err := r.pass(train, callbacks)
	if err != nil {
		// What was dealt and not learned is dealt again.
		if r.state.At != nil {
			err = errors.Join(err, train.Restore(*r.state.At))
		}
		return err
	}
	at := train.State()
	done := Epoch{
		Epoch: r.state.Epoch + 1, Steps: r.state.Step - first, Loss: r.state.Sum / float64(max(r.state.Count, 1)), Valid: math.NaN(),
		Micro: r.Micro(r.watch.batch), Peak: r.watch.peak, Noise: r.noise.scale(), Time: time.Since(start),
	}
	if valid != nil {
		if done.Valid, err = r.Validate(valid); err != nil {
			return err
		}
	}
	r.state.At, r.state.Skip, r.state.Epoch, r.state.Sum, r.state.Count = &at, 0, r.state.Epoch+1, 0, 0
	r.History = append(r.History, done)
	r.shown.epoch(done, r.state.Step)
	stop, err := r.judge(done.Valid)
	if stop {
		r.state.Until = r.state.Epoch
	}
	if err == nil && r.Checkpoint != "" {
		err = r.Save(r.Checkpoint)
	}
	if err != nil {
		return err
	}
	if err := call(callbacks, Event{Epoch: done.Epoch, Step: r.state.Step, Loss: done.Loss, Done: &done}); err != nil {
		return err
	}
	if stop {
		return ErrStop
	}
	return nil
}

// pass is the steps of an epoch.
func (r *Trainer) pass(train *data.Loader, callbacks []Callback) error {
	for u, err := range r.updates(train, func() int { return r.size(train) }) {
		if err != nil {
			return fmt.Errorf("train: %w", err)
		}
		b := u.batch
		if r.state.At == nil { // an error in the very first step deals it again
			r.state.At, r.state.Skip = &u.before, u.was
		}
		loss, err := r.step(b)
		if err != nil {
			return err
		}
		r.state.At, r.state.Skip = &u.after, u.skip
		if !math.IsNaN(loss) && !math.IsInf(loss, 0) { // a step that the loss scale skipped
			r.state.Sum += loss * float64(b.Len())
			r.state.Count += b.Len()
		}
		r.follows(b, train)
		r.shown.step(r, loss, u.batches)
		if r.Checkpoint != "" && r.Every > 0 && r.state.Step%r.Every == 0 {
			if err := r.Save(r.Checkpoint); err != nil {
				return err
			}
		}
		if err := call(callbacks, Event{Epoch: r.state.Epoch + 1, Step: r.state.Step, Loss: loss, Batch: b}); err != nil {
			return err
		}
	}
	return nil
}

func call(callbacks []Callback, e Event) error {
	for _, f := range callbacks {
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

// judge keeps the best weights, and says whether patience is at its end.
func (r *Trainer) judge(valid float64) (stop bool, err error) {
	if r.Patience < 1 || math.IsNaN(valid) {
		return false, nil
	}
	if valid < r.state.Best {
		r.state.Best, r.state.Bad = valid, 0
		r.state.best, err = r.weights()
		return false, err
	}
	if r.state.Bad++; r.state.Bad < r.Patience {
		return false, nil
	}
	r.took(Action{Step: r.state.Step, What: "stop early", Cause: fmt.Sprintf("no better loss on validation data than %.4g for %d epochs", r.state.Best, r.state.Bad)})
	return true, nil
}

// took logs an action and shows it.
func (r *Trainer) took(a Action) {
	r.Log.add(a)
	r.shown.action(a)
}

// values are the parameters and then the buffers, in their order.
func (r *Trainer) values() []*nn.Param { return slices.Concat(r.Net.Params(), r.Net.Buffers()) }

// weights is a copy of all that training changes in the model.
func (r *Trainer) weights() ([][]float32, error) { return copies(r.values()) }

func (r *Trainer) setWeights(from [][]float32) error { return putBack(r.values(), from) }

// restoreBest puts the best epoch's weights back.
func (r *Trainer) restoreBest() error {
	if r.state.best == nil || r.state.Bad == 0 {
		return nil
	}
	r.took(Action{Step: r.state.Step, What: "restore the best weights", Cause: fmt.Sprintf("validation loss %.4g, %d epochs ago", r.state.Best, r.state.Bad)})
	return r.setWeights(r.state.best)
}

// tensors are the model's values: its parameters and then its buffers, in their order.
func (r *Trainer) tensors() []*gpu.Tensor {
	var out []*gpu.Tensor
	for _, p := range r.values() {
		out = append(out, p.Value)
	}
	return out
}

// Validate is the mean loss over a loader's examples, in evaluation mode. The loader
// is at its beginning before and afterwards.
func (r *Trainer) Validate(valid *data.Loader) (float64, error) {
	start := valid.State()
	start.Epoch, start.Batch = 0, 0
	if err := valid.Restore(start); err != nil {
		return 0, fmt.Errorf("validate: %w", err)
	}
	sum, count := 0.0, 0
	for b, err := range valid.Epoch() {
		if err != nil {
			return 0, fmt.Errorf("validate: %w", err)
		}
		loss, err := r.measure(b)
		if err != nil {
			return 0, fmt.Errorf("validate: %w", err)
		}
		sum, count = sum+loss*float64(b.Len()), count+b.Len()
	}
	return sum / float64(max(count, 1)), valid.Restore(start)
}

// measure is the mean loss of a batch without gradients, in as many parts as it takes.
func (r *Trainer) measure(b *data.Batch) (float64, error) {
	for parts := max(r.state.Parts, 1); ; parts = min(2*parts, b.Len()) {
		size := control.Signal{Batch: b.Len()}.Micro(parts)
		loss, err := inParts(b, size, size, func(part *data.Batch) (float64, error) {
			t := r.Net.EvalTape()
			return r.lossOf(t, func() (*nn.Value, error) {
				v := r.Loss(t, part)
				return v, t.Err()
			})
		})
		if err == nil || !outOfMemory(err) || parts >= b.Len() {
			return loss, err
		}
		if err := r.Net.Device().Trim(); err != nil {
			return 0, err
		}
	}
}

// inParts is the mean of f over a batch's parts, each counted by its examples: lead of
// them in the first, and then up to size.
func inParts(b *data.Batch, lead, size int, f func(part *data.Batch) (float64, error)) (float64, error) {
	n, mean := b.Len(), 0.0
	for lo, hi := 0, min(lead, n); lo < n; lo, hi = hi, min(hi+size, n) {
		if display.Stopping() {
			return 0, ErrInterrupted
		}
		part := b.Slice(lo, hi)
		x, err := f(part)
		if err != nil {
			return 0, err
		}
		mean += x * float64(part.Len()) / float64(n)
	}
	return mean, nil
}
