package balance

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"attune/gpu"
	"attune/gpu/mem"
	"attune/stdlib/balance/control"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// points is a made-up data set of two spirals' classes; example i has its own number
// as a target, so that a test can tell which examples were applied.
type points struct{ n, width int }

// turned are points whose classes are called otherwise: what a model learns of points
// makes it worse on them.
type turned struct{ points }

func (p turned) Batch(index []int) (*data.Batch, error) {
	b, err := p.points.Batch(index)
	for i, c := range b.Labels {
		b.Labels[i] = (c + 1) % 3
	}
	return b, err
}

func (p points) Len() int { return p.n }

func (p points) Batch(index []int) (*data.Batch, error) {
	b := &data.Batch{Shape: []int{len(index), p.width}}
	for _, i := range index {
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		class := i % 3
		for k := range p.width {
			b.X = append(b.X, float32(rng.NormFloat64()*0.6)+float32((class+k)%3))
		}
		b.Labels = append(b.Labels, class)
		b.Targets = append(b.Targets, float32(i))
	}
	return b, nil
}

// plain is a Trainer of a small network on a device of its own.
func plain(t testing.TB, width, hidden int) (*Trainer, *gpu.Device) {
	t.Helper()
	dev, err := gpu.OpenCPU(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	return trainerOn(dev, width, hidden), dev
}

func trainerOn(dev *gpu.Device, width, hidden int) *Trainer {
	net := nn.NewNet(dev, 1)
	up, down := net.Linear("up", width, hidden), net.Linear("down", hidden, 3)
	return &Trainer{Quiet: true, Room: func() (int64, int64) { return 0, 0 }, Task: Task{
		Net: net, Optimizer: gpu.NewAdam(1e-2),
		Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
			return t.CrossEntropy(down.Apply(t, t.ReLU(up.Apply(t, t.Input(b.X, b.Shape...)))), b.Labels)
		},
	}}
}

func loader(n, width, size int) *data.Loader {
	return &data.Loader{Data: points{n, width}, Size: size, Shuffle: true, Seed: 3}
}

func fit(t testing.TB, r *Trainer, train, valid *data.Loader, epochs int, callbacks ...Callback) {
	t.Helper()
	if err := r.Fit(train, valid, epochs, callbacks...); err != nil {
		t.Fatal(err)
	}
}

func bits(t testing.TB, r *Trainer) []uint32 {
	t.Helper()
	all, err := r.weights()
	if err != nil {
		t.Fatal(err)
	}
	var out []uint32
	for _, x := range all {
		for _, v := range x {
			out = append(out, math.Float32bits(v))
		}
	}
	return out
}

func TestFitLearns(t *testing.T) {
	r, dev := plain(t, 6, 16)
	train, valid := loader(300, 6, 32), &data.Loader{Data: points{60, 6}, Size: 25}
	var events, ends int
	fit(t, r, train, valid, 6, func(e Event) error {
		events++
		if e.Done != nil {
			ends++
		}
		return nil
	})
	if len(r.History) != 6 || r.Steps() != 60 || ends != 6 || events != 66 {
		t.Fatalf("%d epochs, %d steps, %d events, %d ends", len(r.History), r.Steps(), events, ends)
	}
	first, last := r.History[0], r.History[5]
	if last.Valid > first.Valid/2 || last.Loss > first.Loss/2 || last.Peak <= 0 || last.Micro != 32 {
		t.Errorf("first %+v, last %+v", first, last)
	}
	if len(r.Log.Actions) != 0 || r.Log.String() != "nothing had to be adapted" {
		t.Errorf("log of a run with room: %s", r.Log)
	}
	if live := dev.Memory().Total.Live; live != stays(r) {
		t.Errorf("%d bytes live, parameters, gradients and state are %d", live, stays(r))
	}
}

// peakAt is the peak of a training whose batches go through the model so many examples
// at a time.
func peakAt(t testing.TB, width, hidden, size, micro int) int64 {
	t.Helper()
	r, _ := plain(t, width, hidden)
	r.Plan = &Plan{Micro: micro}
	fit(t, r, loader(2*size, width, size), nil, 1)
	return r.History[0].Peak
}

// between is a budget in which a third of the batch fits.
func between(t testing.TB, width, hidden, size int) int64 {
	least, most := peakAt(t, width, hidden, size, 1), peakAt(t, width, hidden, size, size)
	if most < least+1000 {
		t.Fatalf("peaks of %d and %d bytes are too near", least, most)
	}
	return least + (most-least)/3
}

// stays is the bytes that remain between steps.
func stays(r *Trainer) (n int64) {
	for _, p := range r.Net.Params() {
		n += p.Value.Bytes()
		if p.Grad != nil {
			n += p.Grad.Bytes()
		}
	}
	for _, s := range r.Optimizer.Tensors() {
		n += s.Bytes()
	}
	return n
}

// TestRunsUnderACapAndLearnsTheSame: with a cap that holds a few examples, the first
// steps fail and are replayed, none is lost, and the weights end as those of a run
// with room, up to rounding.
func TestRunsUnderACapAndLearnsTheSame(t *testing.T) {
	free, _ := plain(t, 24, 200)
	var want, got []float32
	seen := func(to *[]float32) Callback {
		return func(e Event) error {
			if e.Done == nil {
				*to = append(*to, e.Batch.Targets...)
			}
			return nil
		}
	}
	fit(t, free, loader(100, 24, 48), nil, 2, seen(&want))

	r, dev := plain(t, 24, 200)
	r.Budget.Bytes = between(t, 24, 200, 48)
	most := int64(0)
	fit(t, r, loader(100, 24, 48), nil, 2, seen(&got), func(Event) error {
		most = max(most, dev.Memory().Total.Peak)
		return nil
	})
	if !slices.Equal(got, want) {
		t.Errorf("applied %v, want %v", got, want)
	}
	if most > r.Budget.Bytes {
		t.Errorf("peak %d, budget %d", most, r.Budget.Bytes)
	}
	if n := len(r.Log.Actions); n == 0 || r.Log.Actions[n-1].Peak == 0 || strings.Contains(r.Log.String(), "out of memory") {
		t.Errorf("log:\n%s", r.Log)
	}
	for _, a := range r.Log.Actions {
		if a.Peak != a.Predicted {
			t.Errorf("predicted %d, was %d", a.Predicted, a.Peak)
		}
	}
	a, _ := free.weights()
	b, _ := r.weights()
	for i := range a {
		for k := range a[i] {
			if d := math.Abs(float64(a[i][k] - b[i][k])); d > 2e-4 {
				t.Fatalf("weight %d of %d differs by %g", k, i, d)
			}
		}
	}
	if c := dev.Memory().Cap; c != 0 {
		t.Errorf("the cap stayed at %d", c)
	}
}

func TestNoRoomLosesNothing(t *testing.T) {
	r, dev := plain(t, 24, 64)
	r.Budget.Bytes = dev.Memory().Total.Live + 100
	train := loader(100, 24, 48)
	before := bits(t, r)
	var no *NoRoomError
	if err := r.Fit(train, nil, 1); !errors.As(err, &no) || no.Step != 1 || !strings.Contains(err.Error(), "one example at a time") {
		t.Fatal(err)
	}
	if !slices.Equal(before, bits(t, r)) || r.Steps() != 0 {
		t.Error("the failed step changed the model")
	}
	if live := dev.Memory().Total.Live; live != stays(r) {
		t.Errorf("%d bytes live, want %d", live, stays(r))
	}
	r.SetBudget(Budget{})
	n := 0
	fit(t, r, train, nil, 1, func(e Event) error {
		if e.Done == nil {
			n += e.Batch.Len()
		}
		return nil
	})
	if n != 100 {
		t.Errorf("%d examples after the failure, want all 100", n)
	}
}

// TestFitGoesOn: a Fit that a callback or a panic ended goes on where it stopped and
// ends with the very weights of one that ran through.
func TestFitGoesOn(t *testing.T) {
	whole, _ := plain(t, 6, 16)
	fit(t, whole, loader(100, 6, 16), loader(30, 6, 16), 3)
	for stop := 1; stop < 21; stop += 3 {
		r, dev := plain(t, 6, 16)
		train, valid := loader(100, 6, 16), loader(30, 6, 16)
		broken := errors.New("broken")
		if err := r.Fit(train, valid, 3, func(e Event) error {
			if e.Step == stop && e.Done == nil {
				return broken
			}
			return nil
		}); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		loss, calls := r.Loss, 0
		r.Loss = func(t *nn.Tape, b *data.Batch) *nn.Value {
			if t.Device().Meta() {
				return loss(t, b)
			}
			if calls++; calls == 2 {
				loss(t, b)
				panic("as an interrupted cell does")
			}
			return loss(t, b)
		}
		func() {
			defer func() { recover() }()
			_ = r.Fit(train, valid, 3)
		}()
		if live := dev.Memory().Total.Live; live != stays(r) {
			t.Errorf("%d bytes live after a panic, want %d", live, stays(r))
		}
		fit(t, r, train, valid, 3)
		if !slices.Equal(bits(t, whole), bits(t, r)) || len(r.History) != 3 || r.History[2].Valid != whole.History[2].Valid {
			t.Errorf("stopped at step %d: other weights after %d epochs", stop, len(r.History))
		}
	}
}

func TestStopsEarlyWithTheBestWeights(t *testing.T) {
	r, _ := plain(t, 6, 16)
	r.Patience = 2
	best := map[float64][]uint32{}
	train, valid := loader(60, 6, 8), &data.Loader{Data: turned{points{30, 6}}, Size: 30}
	if err := r.Fit(train, nil, 50); err == nil || !strings.Contains(err.Error(), "validation data") || r.Steps() != 0 {
		t.Errorf("early stopping without validation data: %v, %d steps", err, r.Steps())
	}
	err := r.Fit(train, valid, 50, func(e Event) error {
		if e.Done != nil {
			best[e.Done.Valid] = bits(t, r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	low := math.Inf(1)
	for _, e := range r.History {
		low = min(low, e.Valid)
	}
	if len(r.History) == 50 || !slices.Equal(bits(t, r), best[low]) {
		t.Errorf("%d epochs; the weights are not those of the least loss %g", len(r.History), low)
	}
	if got, err := r.Validate(valid); err != nil || got != low {
		t.Errorf("validates to %g, %v; best was %g", got, err, low)
	}
	if s := r.Log.String(); !strings.Contains(s, "stop early") || !strings.Contains(s, "restore the best weights") {
		t.Errorf("log:\n%s", s)
	}
}

func TestResumesToTheBit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "training.safetensors")
	whole, _ := plain(t, 6, 400)
	whole.Patience, whole.Seed = 50, 9
	budget := between(t, 6, 400, 40)
	whole.Budget.Bytes = budget
	fit(t, whole, loader(100, 6, 40), loader(30, 6, 16), 4)
	if len(whole.Log.Actions) == 0 {
		t.Fatal("the budget is too wide for the test")
	}
	for stop := 1; stop <= 12; stop++ {
		r, _ := plain(t, 6, 400)
		r.Patience, r.Seed, r.Checkpoint, r.Every = 50, 9, path, 1
		r.Budget.Bytes = budget
		end := fmt.Errorf("end")
		if err := r.Fit(loader(100, 6, 40), loader(30, 6, 16), 4, func(e Event) error {
			if e.Step == stop {
				return end
			}
			return nil
		}); !errors.Is(err, end) {
			t.Fatal(err)
		}
		again, _ := plain(t, 6, 400)
		again.Patience, again.Checkpoint, again.Every = 50, path, 1
		again.Budget.Bytes = budget
		if ok, err := again.Resume(); err != nil || !ok || again.Steps() != stop {
			t.Fatal(ok, err, again.Steps())
		}
		fit(t, again, loader(100, 6, 40), loader(30, 6, 16), 4)
		if !slices.Equal(bits(t, whole), bits(t, again)) {
			t.Fatalf("stopped at step %d: other weights", stop)
		}
		if len(again.Log.Actions) != len(whole.Log.Actions) || again.History[3].Loss != whole.History[3].Loss || again.History[3].Valid != whole.History[3].Valid {
			t.Errorf("stopped at step %d: %+v, want %+v", stop, again.History[3], whole.History[3])
		}
	}
	other, _ := plain(t, 6, 401)
	other.Checkpoint = path
	if _, err := other.Resume(); err == nil || !strings.Contains(err.Error(), "same model") {
		t.Errorf("another model's checkpoint: %v", err)
	}
	other.Checkpoint = path + ".missing"
	if ok, err := other.Resume(); ok || err != nil {
		t.Errorf("no checkpoint: %v, %v", ok, err)
	}
}

func TestBudgetIsCutWhileItRuns(t *testing.T) {
	r, dev := plain(t, 24, 200)
	budget := between(t, 24, 200, 48)
	var micro []int
	fit(t, r, loader(480, 24, 48), nil, 12, func(e Event) error {
		if e.Done != nil {
			return nil
		}
		micro = append(micro, r.Micro(48))
		switch e.Step {
		case 20:
			r.SetBudget(Budget{Bytes: budget})
		case 60:
			r.SetBudget(Budget{})
		}
		if p, c := dev.Memory().Total.Peak, dev.Memory().Cap; c > 0 && p > c {
			t.Errorf("step %d: peak %d above the cap %d", e.Step, p, c)
		}
		return nil
	})
	if micro[19] != 48 || micro[20] > 16 || micro[59] > 16 || micro[100] != 48 {
		t.Errorf("micro-batches: %v", micro)
	}
	turns := 0
	for i := 1; i < len(micro); i++ {
		if micro[i] > micro[i-1] {
			turns++
		}
	}
	if turns != 1 {
		t.Errorf("%d ways back up, want 1: %v", turns, micro)
	}
}

func TestEachPolicyTrains(t *testing.T) {
	budget := between(t, 24, 200, 48)
	for _, p := range []control.Policy{&control.Threshold{}, &control.AIMD{}, &control.Predictive{}} {
		r, _ := plain(t, 24, 200)
		r.Policy, r.Budget.Bytes = p, budget
		n := 0
		fit(t, r, loader(480, 24, 48), nil, 4, func(e Event) error {
			if e.Done == nil {
				n += e.Batch.Len()
			}
			return nil
		})
		if n != 4*480 {
			t.Errorf("%s: %d examples applied", p.Name(), n)
		}
	}
}

func TestDriverOutOfMemoryIsOne(t *testing.T) {
	if !outOfMemory(fmt.Errorf("x: %w", &mem.OutOfMemoryError{})) || outOfMemory(errors.New("out of memory")) {
		t.Error("the wrong errors are taken for out of memory")
	}
}

func TestLossThatIsNoNumber(t *testing.T) {
	r, _ := plain(t, 6, 16)
	r.Optimizer = gpu.NewSGD(1e30)
	if err := r.Fit(loader(100, 6, 16), nil, 3); err == nil || !strings.Contains(err.Error(), "lower learning rate") {
		t.Error(err)
	}
}
