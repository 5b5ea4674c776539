package balance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"attune/gpu"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// realTask is a transformer or a chain of Linears of random size on the CPU, with a
// batch.
func realTask(t *testing.T, r *rand.Rand) (Task, *data.Batch) {
	t.Helper()
	net := nn.NewNet(openCPU(t), r.Uint64())
	tokens, heads := 4+r.IntN(8), 1+r.IntN(3)
	d, classes, n := heads*(2+r.IntN(6)), 3, 8+r.IntN(24)
	layers := []nn.Layer{net.Linear("in", 4, d)}
	for i := range 1 + r.IntN(5) {
		name := fmt.Sprint("layer", i)
		switch r.IntN(4) {
		case 0:
			layers = append(layers, net.Block(name, d, heads, 2+r.IntN(3*d)))
		case 1:
			layers = append(layers, net.Dropout(name, 0.2))
		case 2:
			layers = append(layers, nn.Residual(net.Linear(name, d, d)))
		default:
			layers = append(layers, nn.GELU())
		}
	}
	layers = append(layers, nn.MeanTokens(), net.Linear("head", d, classes))
	task := Task{Net: net, Model: net.Sequential("model", layers...), Optimizer: []gpu.Optimizer{gpu.NewAdam(1e-3), gpu.NewSGD(1e-3), gpu.NewLAMB(1e-3)}[r.IntN(3)]}
	task.Loss = func(t *nn.Tape, b *data.Batch) *nn.Value {
		return t.CrossEntropy(task.Model.Apply(t, t.Input(b.X, b.Shape...)), b.Labels)
	}
	b := &data.Batch{Shape: []int{n, tokens, 4}, Labels: make([]int, n)}
	for range n * tokens * 4 {
		b.X = append(b.X, float32(r.NormFloat64()))
	}
	return task, b
}

// train does steps of a plan on the task's real device and returns the peak of the
// last.
func trainFor(t *testing.T, task Task, b *data.Batch, p *Plan, steps int) int64 {
	t.Helper()
	dev := task.Net.Device()
	for range steps {
		dev.ResetPeak()
		err := task.Net.ZeroGrad()
		for lo := 0; lo < p.Batch && err == nil; lo += p.Micro {
			tape := task.Net.Tape()
			tape.First = lo
			part := b.Slice(lo, min(lo+p.Micro, p.Batch))
			err = errors.Join(tape.BackwardScaled(task.Loss(tape, part), float64(part.Len())/float64(p.Batch)), tape.Free())
		}
		if err = errors.Join(err, task.Net.Update(task.Optimizer)); err != nil {
			t.Fatal(err)
		}
	}
	return dev.Memory().Total.Peak
}

// TestAllocateIsTrueOnTheRealDevice: over random models, optimizers and budgets, a
// plan that is applied and trained under a cap of the budget never runs out, and its
// peak is the one planned, to the byte; what is refused asks for nothing before.
func TestAllocateIsTrueOnTheRealDevice(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	plans, refusals, kinds := 0, 0, map[string]int{}
	for round := range 40 {
		task, b := realTask(t, r)
		dev := task.Net.Device()
		free, err := Allocate(task, b, Budget{Bytes: 1 << 40}, Allowed{})
		if err != nil || len(free.Why) != 0 {
			t.Fatal(free, err)
		}
		live := dev.Memory().Total.Live
		budget := live + int64(float64(free.Peak-live)*(0.3+r.Float64()))
		al := Allowed{NoAccumulate: r.IntN(3) == 0, SmallerBatch: r.IntN(4) == 0}
		if r.IntN(3) == 0 {
			al.Freeze = [][]string{{"in"}}
		}
		if r.IntN(2) == 0 {
			al.Precision = []gpu.DType{[]gpu.DType{gpu.BFloat16, gpu.Float16}[r.IntN(2)]}
		}
		if _, ok := task.Model.Layers[1].(*nn.Block); ok {
			al.Prune = [][]Prune{{{Layer: task.Model.LayerName(1), Part: Heads, Keep: []int{0}}}, {{Layer: task.Model.LayerName(1), Part: Neurons, Keep: []int{0, 1}}}}
		}
		dev.ResetPeak()
		p, err := Allocate(task, b, Budget{Bytes: budget}, al)
		if now := dev.Memory().Total; now.Live != live || now.Peak != live {
			t.Fatalf("round %d: allocating took %d bytes and left %d", round, now.Peak-live, now.Live-live)
		}
		var no *InfeasibleError
		if errors.As(err, &no) {
			refusals++
			if no.Nearest.Peak <= budget {
				t.Fatalf("round %d: %v", round, err)
			}
			if p = no.Nearest; no.Otherwise != nil && r.IntN(2) == 0 {
				p = no.Otherwise
			}
		} else if err != nil {
			t.Fatal(err)
		} else {
			plans++
			if p.Peak > budget {
				t.Fatalf("round %d: %d of %d", round, p.Peak, budget)
			}
		}
		for what, is := range map[string]bool{"micro": p.Micro < p.Batch, "cuts": p.Cuts != nil, "precision": p.Precision != gpu.Float32, "freeze": p.Freeze != nil, "prune": p.Prune != nil, "batch": p.Batch < b.Len()} {
			if is {
				kinds[what]++
			}
		}
		if err := p.Apply(task); err != nil {
			t.Fatal(err)
		}
		dev.SetCap(max(p.Peak, dev.Memory().Total.Live))
		if peak := trainFor(t, task, b, p, 3); peak != p.Peak {
			t.Fatalf("round %d: planned %d bytes, took %d:\n%s\n%s", round, p.Peak, peak, p, task.Model)
		}
		dev.SetCap(0)
		if err := errors.Join(task.Net.Free(), task.Optimizer.Free()); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d plans, %d refusals, changed %v", plans, refusals, kinds)
	if plans < 10 || refusals < 5 || len(kinds) < 5 {
		t.Error("too few of a kind")
	}
}

// TestAllocateErrors names what is not there.
func TestAllocateErrors(t *testing.T) {
	task, b := realTask(t, rand.New(rand.NewPCG(1, 1)))
	for _, c := range []struct {
		task   Task
		budget Budget
		al     Allowed
	}{
		{Task{}, Budget{Bytes: 1}, Allowed{}},
		{task, Budget{}, Allowed{}},
		{task, Budget{Bytes: 1, Time: 1}, Allowed{}},
		{task, Budget{Bytes: 1}, Allowed{Precision: []gpu.DType{gpu.Int32}}},
		{task, Budget{Bytes: 1}, Allowed{Prune: [][]Prune{{{Layer: "nothing"}}}}},
		{task, Budget{Bytes: 1}, Allowed{Freeze: [][]string{{"nothing"}}}},
	} {
		var no *InfeasibleError
		if _, err := Allocate(c.task, b, c.budget, c.al); err == nil || errors.As(err, &no) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if slices.Contains(task.Model.Cuts, 1) {
		t.Error("the model was left cut")
	}
}
