package balance

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"attune/display/mime"
	"attune/gpu"
	"attune/gpu/mem"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

var (
	evaluations = flag.Int("evaluations", 40, "fuzzed configurations whose peak is predicted and then measured")
	drawTo      = flag.String("draw", "", "folder to write the drawing of an estimate to")
)

// randomTask is a net of random layers with a random optimizer, and a batch for it.
func randomTask(dev *gpu.Device, rng *rand.Rand) (Task, *data.Batch, string) {
	net := nn.NewNet(dev, 1)
	batch, classes := 1+rng.IntN(24), 2+rng.IntN(6)
	b := &data.Batch{}
	for range batch {
		b.Labels = append(b.Labels, rng.IntN(classes))
	}
	var layers []nn.Layer
	name := "mlp"
	width := 4 + rng.IntN(60)
	switch rng.IntN(3) {
	case 0:
		b.Shape = []int{batch, width}
		for i := range 1 + rng.IntN(5) {
			next := 4 + rng.IntN(90)
			layers = append(layers, net.Linear(fmt.Sprint("fc", i), width, next), []nn.Layer{nn.ReLU(), nn.GELU(), nn.Tanh(), nn.SiLU(), nn.Sigmoid()}[rng.IntN(5)])
			if width = next; rng.IntN(3) == 0 {
				layers = append(layers, net.LayerNorm(fmt.Sprint("norm", i), width))
			}
		}
	case 2:
		name = "cnn"
		in, side := 1+rng.IntN(3), 8+rng.IntN(12)
		b.Shape = []int{batch, in, side, side}
		for i := range 1 + rng.IntN(2) {
			out := 2 + rng.IntN(8)
			layers = append(layers, convolution(net, fmt.Sprint("conv", i), in, out, rng.IntN(2) == 0), nn.ReLU(),
				nn.Func("pool", func(t *nn.Tape, x *nn.Value) *nn.Value { return t.MaxPool2D(x, gpu.PoolOptions{Kernel: 2}) }))
			in, side = out, side/2
		}
		layers = append(layers, nn.Flatten(), net.Dropout("drop", 0.3))
		width = in * side * side
	case 1:
		name = "transformer"
		heads := 1 + rng.IntN(3)
		width = heads * 8 * (1 + rng.IntN(3))
		tokens := 1 + rng.IntN(40)
		b.Shape = []int{batch, tokens, width}
		layers = append(layers, net.Position("position", tokens, width))
		for i := range 1 + rng.IntN(3) {
			layers = append(layers, net.Block(fmt.Sprint("block", i), width, heads, width*(1+rng.IntN(3))))
		}
		layers = append(layers, nn.MeanTokens())
	}
	layers = append(layers, net.Linear("head", width, classes))
	n := 1
	for _, s := range b.Shape {
		n *= s
	}
	b.X = make([]float32, n)
	for i := range b.X {
		b.X[i] = float32(rng.NormFloat64())
	}
	model := net.Sequential("model", layers...)
	var opt gpu.Optimizer
	kinds := []func() gpu.Optimizer{
		func() gpu.Optimizer { return gpu.NewSGD(1e-3) }, func() gpu.Optimizer { return gpu.NewAdam(1e-3) },
		func() gpu.Optimizer { return gpu.NewAdagrad(1e-3) }, func() gpu.Optimizer { return gpu.NewRMSprop(1e-3) },
		func() gpu.Optimizer { return gpu.NewLARS(1e-3) }, func() gpu.Optimizer { return gpu.NewLAMB(1e-3) },
	}
	opt = kinds[rng.IntN(len(kinds))]()
	loss := func(t *nn.Tape, b *data.Batch) *nn.Value {
		return t.CrossEntropy(model.Apply(t, t.Input(b.X, b.Shape...)), b.Labels)
	}
	return Task{Net: net, Loss: loss, Optimizer: opt, Model: model}, b, fmt.Sprintf("%s %v %T", name, b.Shape, opt)
}

// convolution is one of 3 by 3 with or without a batch normalisation behind it.
func convolution(net *nn.Net, name string, in, out int, norm bool) nn.Layer {
	w, bias := net.Param(name+".w", net.He(9*in), out, in, 3, 3), net.Param(name+".b", nn.Constant(0), out)
	gain, shift := net.Param(name+".gain", nn.Constant(1), out), net.Param(name+".shift", nn.Constant(0), out)
	mean, variance := net.Buffer(name+".mean", nn.Constant(0), out), net.Buffer(name+".variance", nn.Constant(1), out)
	return nn.Func(name, func(t *nn.Tape, x *nn.Value) *nn.Value {
		y := t.Conv2D(x, t.Param(w), t.Param(bias), gpu.ConvOptions{Padding: 1})
		if norm {
			y = t.BatchNorm(y, t.Param(gain), t.Param(shift), mean, variance, 0.1)
		}
		return y
	})
}

// randomPlan has a micro-batch, cuts, frozen parameters and pruned blocks, or some of
// these.
func randomPlan(task Task, b *data.Batch, rng *rand.Rand) Plan {
	var p Plan
	if rng.IntN(2) == 0 {
		p.Micro = 1 + rng.IntN(b.Len())
	}
	if rng.IntN(2) == 0 {
		p.Cuts = []int{}
		for i := 1; i <= len(task.Model.Layers); i++ {
			if rng.IntN(3) == 0 {
				p.Cuts = append(p.Cuts, i)
			}
		}
	}
	if rng.IntN(4) == 0 {
		p.Freeze = []string{"*0*"}
	}
	p.Precision = []gpu.DType{gpu.Float32, gpu.Float16, gpu.BFloat16}[rng.IntN(3)]
	for i, l := range task.Model.Layers {
		block, ok := l.(*nn.Block)
		if !ok || rng.IntN(2) == 0 {
			continue
		}
		name := task.Model.LayerName(i)
		if rng.IntN(2) == 0 {
			p.Prune = append(p.Prune, Prune{Layer: name, Part: Heads, Keep: someOf(rng, block.Attention.Heads)})
		}
		if rng.IntN(2) == 0 {
			p.Prune = append(p.Prune, Prune{Layer: name, Part: Neurons, Keep: someOf(rng, block.Up.W.Value.Dim(1))})
		}
	}
	return p
}

// TestEvaluateIsRightToTheByte runs fuzzed configurations for real after predicting
// them. -evaluations 500 runs as many as bench/RESULTS.md speak of.
func TestEvaluateIsRightToTheByte(t *testing.T) {
	for seed := range uint64(*evaluations) {
		rng := rand.New(rand.NewPCG(seed, 9))
		dev, err := gpu.OpenCPU(1 + int(seed%4))
		if err != nil {
			t.Fatal(err)
		}
		task, b, name := randomTask(dev, rng)
		other, err := dev.Zeros(mem.Data, 1+rng.IntN(5000))
		if err != nil {
			t.Fatal(err)
		}
		plan := randomPlan(task, b, rng)
		if len(task.Net.Group("*0*")) == 0 {
			plan.Freeze = nil
		}
		before := dev.Memory()
		e, err := EvaluateAt(task, b, plan)
		if err != nil {
			t.Fatalf("seed %d, %s: %v", seed, name, err)
		}
		if after := dev.Memory(); after.Total != before.Total || len(task.Optimizer.Tensors()) != 0 || task.Model.Cuts != nil {
			t.Fatalf("seed %d, %s: evaluating changed the task or its device: %+v, then %+v", seed, name, before.Total, after.Total)
		}
		if err := plan.Apply(task); err != nil {
			t.Fatal(err)
		}
		r := &Trainer{Task: task, Quiet: true, watch: new(watch)}
		for step := range 3 {
			if _, err := r.attempt(b, plan.Accumulation(b.Len())); err != nil {
				t.Fatalf("seed %d, %s: %v", seed, name, err)
			}
			want := e.Peak
			if step == 0 {
				want = e.FirstPeak
			}
			if got := dev.Memory().Total.Peak; got != want {
				t.Fatalf("seed %d, %s, plan %+v: step %d peaks at %d bytes, predicted %d", seed, name, plan, step, got, want)
			}
			if got := dev.Memory().Total.Live; got != e.Baseline {
				t.Fatalf("seed %d, %s: after step %d %d bytes are live, predicted %d", seed, name, step, got, e.Baseline)
			}
		}
		if sum := (Moment{Live: e.ByCategory}).Total() + e.Others; sum != e.Peak {
			t.Fatalf("seed %d, %s: categories sum to %d of %d", seed, name, sum, e.Peak)
		}
		if err := other.Free(); err != nil {
			t.Fatal(err)
		}
		_ = dev.Close()
	}
}

// TestCutsNeverCostMore: whatever is computed twice, no step takes more than without.
func TestCutsNeverCostMore(t *testing.T) {
	dev := openCPU(t)
	less := 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 10))
		task, b, name := randomTask(dev, rng)
		plan := randomPlan(task, b, rng)
		plan.Freeze, plan.Prune, plan.Cuts = nil, nil, nil
		whole := must(EvaluateAt(task, b, plan))(t)
		for len(plan.Cuts) == 0 {
			plan.Cuts = randomPlan(task, b, rng).Cuts
		}
		cut := must(EvaluateAt(task, b, plan))(t)
		if cut.Peak > whole.Peak {
			t.Errorf("seed %d, %s: cuts %v of %d layers, %d examples at a time: peak %d by %s, without %d by %s", seed, name, plan.Cuts, len(task.Model.Layers), plan.Micro, cut.Peak, cut.AtPeak, whole.Peak, whole.AtPeak)
		}
		if cut.Peak < whole.Peak {
			less++
		}
		if err := task.Net.Free(); err != nil {
			t.Fatal(err)
		}
	}
	if less < 100 {
		t.Errorf("cuts saved something in %d of 300", less)
	}
}

func TestEvaluateSaysAndDraws(t *testing.T) {
	dev, err := gpu.OpenCPU(2)
	if err != nil {
		t.Fatal(err)
	}
	net := nn.NewNet(dev, 1)
	model := net.Sequential("model", net.Position("position", 32, 64), net.Block("block1", 64, 4, 256), net.Block("block2", 64, 4, 256),
		nn.MeanTokens(), net.Linear("head", 64, 10))
	b := &data.Batch{X: make([]float32, 16*32*64), Shape: []int{16, 32, 64}, Labels: make([]int, 16)}
	task := Task{Net: net, Optimizer: gpu.NewAdam(1e-3), Model: model, Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
		return t.CrossEntropy(model.Apply(t, t.Input(b.X, b.Shape...)), b.Labels)
	}}
	e, err := Evaluate(task, b, Timed)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"16 examples", "optimizer state", "model/block1", "at its peak", "a step takes about"} {
		if !strings.Contains(e.String(), want) {
			t.Errorf("no %q in\n%s", want, e)
		}
	}
	use, err := Evaluate(task, b, Inference)
	if err != nil || use.Peak >= e.Peak || use.ByCategory[mem.OptimizerState] != 0 {
		t.Errorf("inference: %v, %v", use, err)
	}
	bundle := e.Bundle()
	if !strings.Contains(bundle.Data[mime.HTML], "data:image/svg+xml,") || bundle.Data[mime.Text] != e.String() {
		t.Error("no drawing beside the text")
	}
	if *drawTo != "" {
		if err := os.WriteFile(*drawTo+"/estimate.html", []byte(bundle.Data[mime.HTML]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := EvaluateAt(Task{Net: net, Loss: task.Loss, Optimizer: task.Optimizer}, b, Plan{Cuts: []int{1}}); err == nil {
		t.Error("cuts without a model")
	}
}
