package balance

import (
	"path/filepath"
	"testing"
	"time"

	"attune/gpu"
	"attune/stdlib/data"
	"attune/stdlib/monitor"
	"attune/stdlib/nn"
)

// right is the share of a data set's examples that a model of trainerOn's shape gets
// right.
func right(t *testing.T, up, down *nn.Linear, net *nn.Net, set data.Dataset) float64 {
	t.Helper()
	index := make([]int, set.Len())
	for i := range index {
		index[i] = i
	}
	b := must(set.Batch(index))(t)
	scores := must(net.Eval(func(t *nn.Tape) *nn.Value {
		return down.Apply(t, t.ReLU(up.Apply(t, t.Input(b.X, b.Shape...))))
	}))(t)
	hits := 0
	for i, c := range nn.Argmax(scores, 3) {
		if c == b.Labels[i] {
			hits++
		}
	}
	return float64(hits) / float64(set.Len())
}

// TestTransferLearning goes from end to end: pretrain on much data, save, load, freeze
// the lower layer, and fine-tune on a few examples of a task that differs.
func TestTransferLearning(t *testing.T) {
	const width, hidden = 16, 128
	dir := t.TempDir()
	model := func() (*Trainer, *nn.Linear, *nn.Linear) {
		dev := must(gpu.OpenCPU(1))(t)
		t.Cleanup(func() { dev.Close() })
		net := nn.NewNet(dev, 1)
		up, down := net.Linear("up", width, hidden), net.Linear("down", hidden, 3)
		return &Trainer{Quiet: true, Room: func() (int64, int64) { return 0, 0 }, Task: Task{
			Net: net, Optimizer: gpu.NewAdam(3e-3),
			Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
				return t.CrossEntropy(down.Apply(t, t.ReLU(up.Apply(t, t.Input(b.X, b.Shape...)))), b.Labels)
			},
		}}, up, down
	}
	first, _, _ := model()
	fit(t, first, loader(2000, width, 50), nil, 5)
	first.Checkpoint = filepath.Join(dir, "pretrained.safetensors")
	if err := first.Save(first.Checkpoint); err != nil {
		t.Fatal(err)
	}

	few, held := &data.Loader{Data: turned{points{30, width}}, Size: 10, Shuffle: true}, turned{points{600, width}}
	type result struct {
		bytes    int64
		accuracy float64
	}
	run := func(load, freeze bool) result {
		r, up, down := model()
		if load {
			r.Checkpoint = first.Checkpoint
			if ok, err := r.Resume(); !ok || err != nil {
				t.Fatal(ok, err)
			}
			// What was saved is a training; from here on it is another one.
			if err := r.Optimizer.Free(); err != nil {
				t.Fatal(err)
			}
			r = &Trainer{Quiet: true, Room: r.Room, Task: r.Task}
		}
		if freeze {
			if n, err := r.Net.Freeze("up"); n != 2 || err != nil {
				t.Fatal(n, err)
			}
		}
		if err := few.Restore(data.State{Examples: 30, Size: 10}); err != nil {
			t.Fatal(err)
		}
		fit(t, r, few, nil, 80)
		return result{r.Net.Device().Memory().Total.Live, right(t, up, down, r.Net, held)}
	}
	scratch, whole, frozen := run(false, false), run(true, false), run(true, true)
	t.Logf("from scratch %+v, all fine-tuned %+v, lower layer frozen %+v", scratch, whole, frozen)
	// Frozen are the weights and the bias: their gradients and Adam's two moments are
	// not there.
	if saved := whole.bytes - frozen.bytes; saved != 3*4*(width*hidden+hidden) || whole.bytes != scratch.bytes {
		t.Errorf("freezing saves %d bytes", saved)
	}
	if frozen.accuracy < 0.9 || frozen.accuracy < scratch.accuracy-0.02 {
		t.Errorf("accuracy %g frozen, %g from scratch", frozen.accuracy, scratch.accuracy)
	}
}

// BenchmarkControl is the monitor and the policy of one step, host and allocator asked
// anew, as a share of a step of 100 ms.
func BenchmarkControl(b *testing.B) {
	r, _ := plain(b, 6, 16)
	r.Room = monitor.HostRoom
	train := loader(64, 6, 32)
	end := must(r.begin(train))(b)
	defer end(nil)
	batch, err := points{32, 6}.Batch(make([]int, 32))
	if err != nil {
		b.Fatal(err)
	}
	r.watch = newWatch(r.Net.Device(), monitor.HostRoom)
	for b.Loop() {
		r.watch.asked = time.Time{}
		r.decide(batch, false)
	}
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/0.1, "%_of_10Hz_step")
}
