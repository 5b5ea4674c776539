package balance

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"attune/gpu"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// TestHalfTrainsAsFloat trains a small transformer to read digits in each precision, by
// the plan alone: after three epochs the loss on other digits lies within a twentieth of
// float32's, of what is right within two points of a hundred, and the net computes in
// float32 again.
func TestHalfTrainsAsFloat(t *testing.T) {
	if os.Getenv(data.Env) == "" {
		t.Setenv(data.Env, filepath.Join("..", "..", ".build", "data"))
	}
	digits, err := data.Digits()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	train, test := digits.Split(0.8, 1)
	whole := &data.Loader{Data: test, Size: test.Len()}
	type result struct {
		loss, right float64
		peak        int64
	}
	run := func(precision gpu.DType) (got result) {
		net := nn.NewNet(openCPU(t), 3)
		model := net.Sequential("model", net.Linear("embed", 8, 32), net.Position("position", 8, 32), net.Block("block", 32, 4, 64),
			nn.MeanTokens(), net.Linear("head", 32, 10))
		logits := func(t *nn.Tape, b *data.Batch) *nn.Value {
			return model.Apply(t, t.Input(b.X, b.Len(), 8, 8))
		}
		task := Task{Net: net, Model: model, Optimizer: gpu.NewAdam(3e-3), Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
			return t.CrossEntropy(logits(t, b), b.Labels)
		}}
		r := &Trainer{Task: task, Quiet: true, Plan: &Plan{Precision: precision}, Room: func() (int64, int64) { return 0, 0 }}
		fit(t, r, &data.Loader{Data: train, Size: 64, Shuffle: true}, nil, 3, func(e Event) error {
			if e.Done == nil && e.Step > 2 {
				got.peak = max(got.peak, net.Device().Memory().Total.Peak)
			}
			return nil
		})
		if net.Precision != gpu.Float32 {
			t.Errorf("after training the net computes in %s", net.Precision)
		}
		got.loss = must(r.Validate(whole))(t)
		for b, err := range whole.Epoch() {
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range nn.Argmax(must(net.Eval(func(t *nn.Tape) *nn.Value { return logits(t, b) }))(t), 10) {
				if c == b.Labels[i] {
					got.right += 1 / float64(b.Len())
				}
			}
		}
		return got
	}
	want := run(gpu.Float32)
	t.Logf("f32: loss %.4f, %.1f %% right, peak %d", want.loss, 100*want.right, want.peak)
	for _, precision := range []gpu.DType{gpu.Float16, gpu.BFloat16} {
		got := run(precision)
		t.Logf("%s: loss %.4f, %.1f %% right, peak %d", precision, got.loss, 100*got.right, got.peak)
		if math.Abs(got.loss/want.loss-1) > 0.05 || math.Abs(got.right-want.right) > 0.02 || got.peak >= want.peak {
			t.Errorf("%s: loss %.4f, %.1f %% right, peak %d", precision, got.loss, 100*got.right, got.peak)
		}
	}
}

// TestHalfSkipsAndGoesOn: a batch whose gradients overflow f16 is passed over, the scale
// falls, and the training goes on; its loss scale is the optimizer's afterwards.
func TestHalfSkipsAndGoesOn(t *testing.T) {
	net := nn.NewNet(openCPU(t), 3)
	l := net.Linear("l", 16, 3)
	sgd := gpu.NewSGD(1e-2)
	r := &Trainer{Task: Task{Net: net, Optimizer: sgd, Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
		by := 1.0
		if sgd.Steps() == 3 && sgd.Skipped() < 4 {
			by = 1e6
		}
		return t.Scale(t.CrossEntropy(l.Apply(t, t.Input(b.X, b.Shape...)), b.Labels), by)
	}}, Quiet: true, Plan: &Plan{Precision: gpu.Float16}, Room: func() (int64, int64) { return 0, 0 }}
	fit(t, r, loader(200, 16, 10), nil, 1)
	if sgd.Skipped() != 4 || sgd.Steps() != 16 || sgd.Scale == nil || sgd.Scale.Value() != 65536/16 || r.Steps() != 20 {
		t.Errorf("%d steps, %d of them done and %d skipped, scale %+v", r.Steps(), sgd.Steps(), sgd.Skipped(), sgd.Scale)
	}
}
