// Package balance measures what stdlib/balance says of itself: how long Evaluate takes
// beside its limit, and how well it tells a step's time. It may import everything.
package balance

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"attune/gpu"
	"attune/stdlib/balance"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// limit is what Evaluate may take for a hundred layers.
const limit = 50 * time.Millisecond

func task(b *testing.B, build func(net *nn.Net) []nn.Layer) balance.Task {
	b.Helper()
	dev, err := gpu.OpenCPU(1)
	if err != nil {
		b.Fatal(err)
	}
	net := nn.NewNet(dev, 1)
	model := net.Sequential("model", build(net)...)
	if net.Err() != nil {
		b.Fatal(net.Err())
	}
	return balance.Task{Net: net, Model: model, Optimizer: gpu.NewAdam(1e-3), Loss: func(t *nn.Tape, x *data.Batch) *nn.Value {
		return t.CrossEntropy(model.Apply(t, t.Input(x.X, x.Shape...)), x.Labels)
	}}
}

func batch(n int, shape ...int) *data.Batch {
	rng := rand.New(rand.NewPCG(1, 2))
	out := &data.Batch{Shape: append([]int{n}, shape...), Labels: make([]int, n)}
	size := n
	for _, s := range shape {
		size *= s
	}
	out.X = make([]float32, size)
	for i := range out.X {
		out.X[i] = rng.Float32()
	}
	return out
}

// BenchmarkEvaluate is Evaluate of a hundred layers, as a share of its limit.
func BenchmarkEvaluate(b *testing.B) {
	t := task(b, func(net *nn.Net) []nn.Layer {
		var layers []nn.Layer
		for range 50 {
			layers = append(layers, net.Linear("l", 32, 32), nn.ReLU())
		}
		return layers
	})
	x, best := batch(16, 32), time.Duration(math.MaxInt64)
	for b.Loop() {
		from := time.Now()
		if _, err := balance.Evaluate(t, x); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(from))
	}
	b.ReportMetric(float64(best)/float64(time.Millisecond), "ms")
	b.ReportMetric(float64(best)/float64(limit), "of-limit")
}

// BenchmarkStepTime is the time that Evaluate predicts for a step over the time that
// it takes, the least of several each, at batches that it does not measure at.
func BenchmarkStepTime(b *testing.B) {
	models := []struct {
		name  string
		shape []int
		build func(net *nn.Net) []nn.Layer
	}{
		{"mlp", []int{256}, func(net *nn.Net) []nn.Layer {
			return []nn.Layer{net.Linear("a", 256, 512), nn.ReLU(), net.Linear("b", 512, 256), nn.ReLU(), net.Linear("c", 256, 10)}
		}},
		{"cnn", []int{3, 32, 32}, func(net *nn.Net) []nn.Layer {
			return []nn.Layer{net.Conv2D("a", 3, 16, 3), nn.ReLU(), nn.MaxPool2D(2), net.Conv2D("b", 16, 32, 3), nn.ReLU(), nn.MaxPool2D(2), nn.Flatten(), net.Linear("c", 32*36, 10)}
		}},
		{"transformer", []int{32, 64}, func(net *nn.Net) []nn.Layer {
			return []nn.Layer{net.Block("a", 64, 4, 256), net.Block("b", 64, 4, 256), nn.MeanTokens(), net.Linear("c", 64, 10)}
		}},
	}
	for _, m := range models {
		for _, n := range []int{24, 100} {
			b.Run(m.name, func(b *testing.B) {
				t := task(b, m.build)
				x, ratio := batch(n, m.shape...), 0.0
				for b.Loop() {
					e, err := balance.Evaluate(t, x, balance.Timed)
					if err != nil {
						b.Fatal(err)
					}
					ratio = float64(e.StepTime) / float64(step(b, t, x))
				}
				b.ReportMetric(float64(n), "examples")
				b.ReportMetric(ratio, "predicted/real")
			})
		}
	}
}

// step is the least time of ten steps.
func step(b *testing.B, t balance.Task, x *data.Batch) time.Duration {
	best := time.Duration(math.MaxInt64)
	for range 10 {
		from := time.Now()
		if _, err := t.Net.Step(t.Optimizer, func(tape *nn.Tape) *nn.Value { return t.Loss(tape, x) }); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(from))
	}
	return best
}
