// Package balance measures what stdlib/balance says of itself: how long Evaluate takes
// beside its limit, and how well it tells a step's time. It may import everything.
package balance

import (
	"errors"
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

// models are what step times are told of.
func models() []model {
	return []model{
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
}

type model struct {
	name  string
	shape []int
	build func(net *nn.Net) []nn.Layer
}

// BenchmarkStepTime is the time that is told of a step over the time that it takes, the
// least of ten taken in turn with a new measuring each: by Evaluate at the step's own
// size, and by one Calibration up to 128 examples at sizes that it did not measure, also
// with layers computed twice, in passes, and above 128.
func BenchmarkStepTime(b *testing.B) {
	for _, m := range models() {
		b.Run(m.name, func(b *testing.B) {
			t := task(b, m.build)
			cases := []struct {
				name    string
				n       int
				plan    balance.Plan
				measure bool
			}{
				{name: "timed-24", n: 24, measure: true}, {name: "timed-100", n: 100, measure: true},
				{name: "5", n: 5}, {name: "20", n: 20}, {name: "56", n: 56}, {name: "100", n: 100}, {name: "200", n: 200},
				{name: "100-cut", n: 100, plan: balance.Plan{Cuts: []int{1, len(t.Model.Layers)}}},
				{name: "20-cut", n: 20, plan: balance.Plan{Cuts: []int{2}}},
				{name: "100-by-14", n: 100, plan: balance.Plan{Micro: 14}},
			}
			told, real := make([]time.Duration, len(cases)), make([]time.Duration, len(cases))
			for i := range told {
				told[i], real[i] = math.MaxInt64, math.MaxInt64
			}
			for b.Loop() {
				for range 10 {
					c, err := balance.Calibrate(t, batch(128, m.shape...))
					if err != nil {
						b.Fatal(err)
					}
					for i, k := range cases {
						x := batch(k.n, m.shape...)
						timed := t
						if timed.Calibration = c; k.measure {
							timed.Calibration = nil
						}
						e, err := balance.EvaluateAt(timed, x, k.plan, balance.Timed)
						if err != nil {
							b.Fatal(err)
						}
						told[i], real[i] = min(told[i], e.StepTime), min(real[i], step(b, t, x, k.plan))
					}
				}
			}
			for i, k := range cases {
				b.ReportMetric(float64(told[i])/float64(real[i]), k.name)
			}
		})
	}
}

// step is the least time of three steps of a plan.
func step(b *testing.B, t balance.Task, x *data.Batch, p balance.Plan) time.Duration {
	best, n := time.Duration(math.MaxInt64), x.Len()
	t.Model.Cuts = p.Cuts
	defer func() { t.Model.Cuts = nil }()
	passes := p.Accumulation(n)
	micro := (n + passes - 1) / passes
	for range 3 {
		from := time.Now()
		err := t.Net.ZeroGrad()
		for lo := 0; lo < n && err == nil; lo += micro {
			tape, part := t.Net.Tape(), x.Slice(lo, min(n, lo+micro))
			err = errors.Join(tape.BackwardScaled(t.Loss(tape, part), float64(part.Len())/float64(n)), tape.Free())
		}
		if err = errors.Join(err, t.Net.Update(t.Optimizer)); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(from))
	}
	return best
}
