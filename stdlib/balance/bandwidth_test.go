package balance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attune/gpu"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// TestMovedByHand counts the bytes of a net that is small enough to count by hand.
func TestMovedByHand(t *testing.T) {
	const n, in, out = 8, 6, 4
	net := nn.NewNet(openCPU(t), 1)
	model := net.Sequential("model", net.Linear("a", in, out), nn.ReLU())
	b := &data.Batch{X: make([]float32, n*in), Shape: []int{n, in}, Targets: make([]float32, n*out)}
	task := Task{Net: net, Model: model, Optimizer: gpu.NewAdam(1e-3), Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
		return t.MSE(model.Apply(t, t.Input(b.X, b.Shape...)), b.Targets)
	}}
	moved := func(plan Plan, o ...Option) int64 {
		e, err := EvaluateAt(task, b, plan, o...)
		if err != nil {
			t.Fatal(err)
		}
		return e.Moved
	}
	const x, w, y = 4 * n * in, 4 * (in*out + out), 4 * n * out
	// The loss alone: an input is put there, the layer, the ReLU, the squares.
	loss := moved(Plan{}, Inference)
	forward := int64(x + (x + w + y) + (y + y))
	if over := loss - forward; over < 2*y || over > 4*y {
		t.Errorf("the loss moves %d bytes, without its last operation %d", loss, forward)
	}
	// Backward: the layer reads x, w and dy and adds to dw; the ReLU reads its input and
	// dy and makes dx. Then the update of weights and two moments.
	all := moved(Plan{})
	least := loss + (x + w + y + 2*w) + 3*y + (2*w + 2*w + 2*2*w)
	if over := all - least; over < 2*y || over > 5*y {
		t.Errorf("a step moves %d bytes, without the loss's gradient %d", all, least)
	}
	// Computed twice means the layers' forward pass once more.
	if got := moved(Plan{Cuts: []int{2}}) - all; got != (x+w+y)+(y+y) {
		t.Errorf("computing twice moves %d bytes more", got)
	}
	frozen := moved(Plan{Freeze: []string{"a.*"}})
	if frozen != loss {
		t.Errorf("with all frozen a step moves %d bytes, the loss %d", frozen, loss)
	}
}

// slow is a data set whose batches take at least a while, and are read from a file.
type slow struct {
	n    int
	wait time.Duration
	file string
}

func (s slow) Len() int { return s.n }
func (s slow) Batch(index []int) (*data.Batch, error) {
	time.Sleep(s.wait)
	if s.file != "" {
		if _, err := os.ReadFile(s.file); err != nil {
			return nil, err
		}
	}
	return &data.Batch{X: make([]float32, len(index)*10), Shape: []int{len(index), 10}, Labels: make([]int, len(index))}, nil
}

func TestFeedSaysWhoWaits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "examples")
	if err := os.WriteFile(file, make([]byte, 300_000), 0o644); err != nil {
		t.Fatal(err)
	}
	l := &data.Loader{Data: slow{40, 2 * time.Millisecond, file}, Size: 8, Shuffle: true}
	for range l.Epoch() {
		break
	}
	at := l.State()
	e := &Estimate{StepTime: time.Microsecond, Moved: 1000, Copy: 1e9, threads: 1}
	if err := e.Feed(l); err != nil {
		t.Fatal(err)
	}
	got := *e.Loading
	if l.State() != at {
		t.Errorf("the loader stood at %+v and is at %+v", at, l.State())
	}
	if got.Bytes != 8*11*4 || got.Time < 2*time.Millisecond || got.Files < 300_000 || !got.Ahead || got.Step < got.Time {
		t.Errorf("%+v", got)
	}
	for _, want := range []string{"read from files", "by the loader", "loading is the bottleneck: a step takes "} {
		if !strings.Contains(e.pace().String(), want) {
			t.Errorf("no %q in\n%s", want, e.pace())
		}
	}
	e.StepTime = time.Hour
	if err := e.Feed(l); err != nil || e.Loading.Step < time.Hour || !strings.Contains(e.pace().String(), "loading keeps up") && !strings.Contains(e.pace().String(), "shares the processors") {
		t.Errorf("%v\n%s", err, e.pace())
	}
	l.Ahead = -1
	if err := e.Feed(l); err != nil || e.Loading.Step != e.StepTime+e.Loading.Time || !strings.Contains(e.pace().String(), "is not done ahead") {
		t.Errorf("%v\n%s", err, e.pace())
	}
	if err := e.Feed(&data.Loader{Data: slow{}}); err == nil {
		t.Error("a loader without batches has a rate")
	}
}

// TestLoadingBesideAStep holds what a step takes with its loading to its bounds.
func TestLoadingBesideAStep(t *testing.T) {
	for _, threads := range []int{1, 2, 64} {
		for _, load := range []time.Duration{0, 1, 5, 80} {
			for _, processor := range []time.Duration{0, load / 2, load, 2 * load} {
				const step = 20
				l := Loading{Time: load * time.Millisecond, Processor: processor * time.Millisecond, Ahead: true}
				l.join(step*time.Millisecond, threads)
				if l.Step < max(step*time.Millisecond, l.Time) || l.Step > step*time.Millisecond+max(l.Time, l.Processor) {
					t.Errorf("%d threads: %+v", threads, l)
				}
			}
		}
	}
	l := Loading{Time: time.Millisecond, Processor: time.Millisecond, Ahead: true}
	if l.join(20*time.Millisecond, 64); l.Step <= 20*time.Millisecond {
		t.Errorf("loading costs nothing where the step has all processors: %+v", l)
	}
}
