package balance

import (
	"math"
	"testing"

	"attune/gpu"
	"attune/gpu/mem"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// deep is a Trainer of a chain with dropout, and a buffer that counts its passes. After
// a fault the next pass finds no memory.
func deep(t *testing.T) (r *Trainer, fault func()) {
	t.Helper()
	dev, err := gpu.OpenCPU(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	net := nn.NewNet(dev, 1)
	layers := []nn.Layer{net.Linear("a", 24, 64), nn.ReLU(), net.Dropout("drop", 0.5), net.Linear("b", 64, 64), nn.GELU()}
	passes, one := net.Buffer("passes", nn.Constant(0), 1), must(dev.FromFloat32s([]float32{1}, mem.Data, 1))(t)
	model := net.Sequential("model", append(layers, net.Dropout("late", 0.3), net.Linear("c", 64, 3))...)
	armed := false
	r = &Trainer{Quiet: true, Room: func() (int64, int64) { return 0, 0 }, Seed: 4, Task: Task{
		Net: net, Optimizer: gpu.NewAdam(1e-2), Model: model,
		Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
			if t.Device() == dev && t.Training() {
				_ = gpu.Add(passes.Value, one)
			}
			y := model.Apply(t, t.Input(b.X, b.Shape...))
			if armed && t.Device() == dev {
				armed = false
				dev.SetCap(1)
			}
			return t.CrossEntropy(y, b.Labels)
		},
	}}
	return r, func() { armed = true }
}

func largest(a, b [][]float32) float64 {
	most := 0.0
	for i := range a {
		for k := range a[i] {
			most = max(most, math.Abs(float64(a[i][k]-b[i][k])))
		}
	}
	return most
}

// TestReplayHasTheSameMasks: steps that fail and are done again, in finer parts, learn
// what they would have learned; with other masks they would be far from it.
func TestReplayHasTheSameMasks(t *testing.T) {
	run := func(seed uint64, faults bool) [][]float32 {
		r, fault := deep(t)
		r.Seed, r.Optimizer = seed, gpu.NewSGD(0.1)
		fit(t, r, loader(96, 24, 32), nil, 2, func(e Event) error {
			if faults && e.Done == nil {
				fault()
			}
			return nil
		})
		if faults && len(r.Log.Actions) < 3 {
			t.Errorf("log: %s", r.Log)
		}
		return must(copies(r.Net.Params()))(t)
	}
	plain, replayed, other := run(4, false), run(4, true), run(5, false)
	if same, differs := largest(plain, replayed), largest(plain, other); same > 1e-5 || differs < 1e-3 {
		t.Errorf("after failures the weights differ by %g, with other masks by %g", same, differs)
	}
}

// TestReplayCountsStatisticsOnce: a pass that failed, or that came before one that did,
// has not moved a buffer, as the running statistics of BatchNorm are.
func TestReplayCountsStatisticsOnce(t *testing.T) {
	r, fault := deep(t)
	r.Plan = &Plan{Micro: 4}
	fault()
	fit(t, r, loader(8, 24, 8), nil, 1)
	parts := r.state.Parts
	if got := must(copies(r.Net.Buffers()))(t)[0][0]; parts < 4 || got != float32(parts) {
		t.Errorf("%g passes counted of a step in %d parts", got, parts)
	}
}

// TestPlansCutsAreFollowed: a plan that computes layers twice takes less memory, and
// learns the same bits.
func TestPlansCutsAreFollowed(t *testing.T) {
	run := func(p *Plan) (*Trainer, int64) {
		r, _ := deep(t)
		r.Plan = p
		fit(t, r, loader(1024, 24, 512), nil, 2)
		return r, r.History[1].Peak
	}
	plain, high := run(nil)
	cut, low := run(&Plan{Cuts: []int{3, 7}})
	if low >= high || largest(must(plain.weights())(t), must(cut.weights())(t)) != 0 || cut.Model.Cuts != nil {
		t.Errorf("peak %d with cuts, %d without; cuts afterwards %v", low, high, cut.Model.Cuts)
	}
}

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
