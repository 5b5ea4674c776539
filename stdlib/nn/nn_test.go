package nn

import (
	"bytes"
	"cmp"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"attune/gpu"
	"attune/gpu/mem"
)

func open(t *testing.T) *gpu.Device {
	t.Helper()
	dev, err := gpu.OpenCPU(2)
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

// total reduces any value to one number by fixed random weights.
func total(n *Net) func(t *Tape, y *Value) *Value {
	var r, zero *Param
	return func(t *Tape, y *Value) *Value {
		if y == nil {
			return nil
		}
		if r == nil {
			r = n.Param("mix", n.Normal(1), y.Tensor().Len(), 1)
			zero = n.Param("zero", Constant(0), 1)
		}
		return t.Linear(t.Reshape(y, 1, y.Tensor().Len()), t.Param(r), t.Param(zero))
	}
}

// checkGradients compares every parameter's gradient with central differences.
// With steps of 1e-2 in float32 both the rounding and the cut-off stay below
// 3e-3 of 1 + |gradient|.
func checkGradients(t *testing.T, net *Net, forward func(t *Tape) *Value) {
	t.Helper()
	loss := func() float64 {
		y, err := net.Eval(forward)
		if err != nil {
			t.Fatal(err)
		}
		return float64(y[0])
	}
	loss() // makes the parameters that forward makes at its first call
	tape := NewTape(net.Device())
	if err := errors.Join(net.ZeroGrad(), tape.Backward(forward(tape)), tape.Free()); err != nil {
		t.Fatal(err)
	}
	for _, p := range net.Params() {
		grad, _ := p.Grad.Float32s()
		values, _ := p.Value.Float32s()
		for i, old := range values {
			const h = 1e-2
			var side [2]float64
			for s, x := range []float32{old + h, old - h} {
				values[i] = x
				if err := p.Value.CopyFrom(values); err != nil {
					t.Fatal(err)
				}
				side[s] = loss()
			}
			values[i] = old
			if err := p.Value.CopyFrom(values); err != nil {
				t.Fatal(err)
			}
			want := (side[0] - side[1]) / (2 * h)
			if math.Abs(want-float64(grad[i])) > 3e-3*(1+math.Abs(want)) {
				t.Fatalf("gradient of %s[%d] = %g, numeric %g", p.Name, i, grad[i], want)
			}
		}
	}
}

func TestGradients(t *testing.T) {
	const b, n, d = 2, 3, 4
	for name, build := range map[string]func(net *Net) func(t *Tape, x *Value) *Value{
		"linear":         func(net *Net) func(t *Tape, x *Value) *Value { return net.Linear("l", d, 5).Apply },
		"position":       func(net *Net) func(t *Tape, x *Value) *Value { return net.Position("p", n, d).Apply },
		"some positions": func(net *Net) func(t *Tape, x *Value) *Value { return net.Position("p", n+2, d).Apply },
		"norm":           func(net *Net) func(t *Tape, x *Value) *Value { return net.LayerNorm("n", d).Apply },
		"relu":           func(*Net) func(t *Tape, x *Value) *Value { return (*Tape).ReLU },
		"gelu":           func(*Net) func(t *Tape, x *Value) *Value { return (*Tape).GELU },
		"rms":            func(net *Net) func(t *Tape, x *Value) *Value { return net.RMSNorm("n", d).Apply },
		"silu":           func(*Net) func(t *Tape, x *Value) *Value { return (*Tape).SiLU },
		"tanh":           func(*Net) func(t *Tape, x *Value) *Value { return (*Tape).Tanh },
		"sigmoid":        func(*Net) func(t *Tape, x *Value) *Value { return (*Tape).Sigmoid },
		"flatten":        func(*Net) func(t *Tape, x *Value) *Value { return (*Tape).Flatten },
		"scale": func(*Net) func(t *Tape, x *Value) *Value {
			return func(t *Tape, x *Value) *Value { return t.Scale(x, -1.5) }
		},
		"square": func(*Net) func(t *Tape, x *Value) *Value {
			return func(t *Tape, x *Value) *Value { return t.Mul(x, x) }
		},
		"product": func(*Net) func(t *Tape, x *Value) *Value {
			return func(t *Tape, x *Value) *Value { return t.Mul(t.GELU(x), t.Tanh(x)) }
		},
		"mean": func(*Net) func(t *Tape, x *Value) *Value { return (*Tape).MeanTokens },
		"residual": func(*Net) func(t *Tape, x *Value) *Value {
			return func(t *Tape, x *Value) *Value { return t.Add(t.Add(x, t.GELU(x)), x) }
		},
		"attention": func(net *Net) func(t *Tape, x *Value) *Value { return net.SelfAttention("a", d, 2).Apply },
		"causal": func(net *Net) func(t *Tape, x *Value) *Value {
			a := net.SelfAttention("a", d, 1)
			a.Causal = true
			return a.Apply
		},
		"uniform": func(net *Net) func(t *Tape, x *Value) *Value {
			a := net.SelfAttention("a", d, 2)
			a.Uniform = true
			return a.Apply
		},
		"attention used twice": func(net *Net) func(t *Tape, x *Value) *Value {
			qkv := net.Linear("qkv", d, 3*d)
			return func(t *Tape, x *Value) *Value {
				y := qkv.Apply(t, x)
				return t.Add(t.Attention(y, 2, gpu.AttentionOptions{}), t.Attention(y, 1, gpu.AttentionOptions{}))
			}
		},
		"block": func(net *Net) func(t *Tape, x *Value) *Value { return net.Block("b", d, 2, 6).Apply },
	} {
		t.Run(name, func(t *testing.T) {
			net := NewNet(open(t), 7)
			x := net.Param("x", net.Normal(1), b, n, d)
			f, sum := build(net), total(net)
			checkGradients(t, net, func(t *Tape) *Value { return sum(t, f(t, t.Param(x))) })
		})
	}
}

func TestCrossEntropyGradient(t *testing.T) {
	net := NewNet(open(t), 7)
	x := net.Param("logits", net.Normal(2), 5, 4)
	labels := []int{0, 3, 1, 1, 2}
	checkGradients(t, net, func(t *Tape) *Value { return t.CrossEntropy(t.Param(x), labels) })
	y, err := net.Eval(func(t *Tape) *Value {
		return t.CrossEntropy(t.Input(make([]float32, 6), 2, 3), []int{0, 2})
	})
	if err != nil || math.Abs(float64(y[0])-math.Log(3)) > 1e-6 {
		t.Fatalf("loss of equal scores is %v, want ln 3: %v", y, err)
	}
}

func TestLossGradients(t *testing.T) {
	targets := []float32{0.1, 0.2, 0.7, 0, 1, 0, 0.5, 0.25, 0.25, 1, 0, 0}
	for name, loss := range map[string]func(t *Tape, x *Value) *Value{
		"dense cross-entropy": func(t *Tape, x *Value) *Value { return t.CrossEntropyDense(x, targets) },
		"mse":                 func(t *Tape, x *Value) *Value { return t.MSE(x, targets) },
		"bce":                 func(t *Tape, x *Value) *Value { return t.BCE(x, targets) },
		"huber":               func(t *Tape, x *Value) *Value { return t.Huber(x, targets, 0.5) },
		"ignored labels":      func(t *Tape, x *Value) *Value { return t.CrossEntropy(x, []int{2, -1, 0, 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			net := NewNet(open(t), 7)
			x := net.Param("x", net.Normal(2), 4, 3)
			checkGradients(t, net, func(t *Tape) *Value { return loss(t, t.Param(x)) })
		})
	}
}

func TestEmbeddingGradient(t *testing.T) {
	net := NewNet(open(t), 7)
	e, sum := net.Embedding("words", 5, 3), total(net)
	checkGradients(t, net, func(t *Tape) *Value { return sum(t, e.Apply(t, t.Tokens([]int32{4, 0, 4, 2}, 2, 2))) })
	if _, err := net.Eval(func(t *Tape) *Value { return e.Apply(t, t.Input(make([]float32, 2), 2)) }); err == nil || !strings.Contains(err.Error(), "words: embedding: f32 (2)") {
		t.Error("floats for tokens:", err)
	}
}

func TestErrorsStickAndName(t *testing.T) {
	dev := open(t)
	net := NewNet(dev, 1)
	l := net.Linear("l", 3, 2)
	_, err := net.Step(gpu.NewAdam(1), func(t *Tape) *Value {
		y := l.Apply(t, t.Input(make([]float32, 8), 2, 4))
		return t.CrossEntropy(t.ReLU(y), []int{0, 1})
	})
	if err == nil || !strings.Contains(err.Error(), "linear: input f32 (2, 4)") {
		t.Fatalf("wrong input: %v", err)
	}
	_, err = net.Eval(func(t *Tape) *Value { return t.CrossEntropy(l.Apply(t, t.Input(make([]float32, 3), 1, 3)), []int{2}) })
	if err == nil || !strings.Contains(err.Error(), "label 2") {
		t.Fatalf("wrong label: %v", err)
	}
	dev.SetCap(dev.Memory().Total.Live + 10)
	if net.Linear("big", 100, 100); net.Err() == nil {
		t.Fatal("a parameter above the cap was made")
	}
	if s := dev.Memory(); s.ByCategory[mem.Activations].Live != 0 || s.ByCategory[mem.Data].Live != 0 {
		t.Fatalf("failed passes left memory behind: %+v", s)
	}
}

// A step leaves exactly the parameters, their gradients and twice as much Adam
// state behind.
func TestMemoryOfAStep(t *testing.T) {
	dev := open(t)
	net := NewNet(dev, 1)
	block, head := net.Block("b", 8, 2, 16), net.Linear("head", 8, 3)
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 4*5*8)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	adam := gpu.NewAdam(1e-2)
	var weights float64
	var first, last float64
	for i := range 60 {
		loss, err := net.Step(adam, func(t *Tape) *Value {
			t.KeepWeights = true
			y := head.Apply(t, t.MeanTokens(block.Apply(t, t.Input(x, 4, 5, 8))))
			if t.Err() == nil {
				w, _ := t.Weights[0].Float32s()
				weights = 0
				for _, p := range w {
					weights += float64(p)
				}
			}
			return t.CrossEntropy(y, []int{0, 1, 2, 0})
		})
		if err != nil {
			t.Fatal(err)
		}
		if last = loss; i == 0 {
			first = loss
		}
	}
	if last > first/10 {
		t.Fatalf("loss went from %g to %g", first, last)
	}
	if math.Abs(weights-4*2*5) > 1e-4 {
		t.Fatalf("the rows of weights sum to %g, want %d", weights, 4*2*5)
	}
	s := dev.Memory()
	size := int64(4 * net.Size())
	for cat, want := range map[mem.Category]int64{
		mem.Parameters: size, mem.Gradients: size, mem.OptimizerState: 2 * size, mem.Activations: 0, mem.Workspace: 0, mem.Data: 0,
	} {
		if got := s.ByCategory[cat].Live; got != want {
			t.Errorf("%s: %d bytes live, want %d", cat, got, want)
		}
	}
	if err := errors.Join(net.Free(), adam.Free()); err != nil || dev.Memory().Total.Live != 0 {
		t.Fatalf("after Free: %+v, %v", dev.Memory().Total, err)
	}
}

func TestBatchesAndGather(t *testing.T) {
	seen := map[int]int{}
	for _, b := range Batches(rand.New(rand.NewPCG(1, 1)), 10, 4) {
		for _, i := range b {
			seen[i]++
		}
		if got := Gather([]int{0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 61, 70, 71, 80, 81, 90, 91}, 2, b); got[0] != 10*b[0] || got[1] != 10*b[0]+1 {
			t.Fatal("gathered", got, "for", b)
		}
	}
	if len(seen) != 10 {
		t.Fatal("dealt", seen)
	}
	if a := Argmax([]float32{1, 3, 2, 9, 0, 4}, 3); a[0] != 1 || a[1] != 0 {
		t.Fatal("argmax", a)
	}
}

// TestRatesOfGroups: what has a tenth of the rate moves a tenth as far, of an optimizer
// whose step is linear in the rate, before and after the state was saved and loaded.
func TestRatesOfGroups(t *testing.T) {
	train := func(rate float64, save bool) (far map[string]float64) {
		net := NewNet(open(t), 3)
		_, loss := chain(net, 4)
		if n, err := net.SetRate(rate, "in", "block"); err != nil || n != 14 {
			t.Fatal(n, err)
		}
		before := map[string][]float32{}
		for _, p := range net.Params() {
			before[p.Name], _ = p.Value.Float32s()
		}
		opt := gpu.NewSGD(1e-3)
		if save { // a net that knows no rates, and an optimizer that has them
			var values []*gpu.Tensor
			for _, p := range net.Params() {
				values = append(values, p.Value)
				opt.SetFactor(p.Value, cmp.Or(p.Rate, 1))
				p.Rate = 0
			}
			var file bytes.Buffer
			again := gpu.NewSGD(1e-3)
			if err := errors.Join(opt.Save(&file, values), again.Load(&file, values)); err != nil {
				t.Fatal(err)
			}
			opt = again
		}
		if _, err := net.Step(opt, func(t *Tape) *Value { return loss(t, 0, 4) }); err != nil {
			t.Fatal(err)
		}
		far = map[string]float64{}
		for _, p := range net.Params() {
			after, _ := p.Value.Float32s()
			for i := range after {
				far[p.Name] += math.Abs(float64(after[i] - before[p.Name][i]))
			}
		}
		return far
	}
	want, got := train(1, false), train(0.1, false)
	if saved := train(0.1, true); !maps.Equal(saved, got) {
		t.Errorf("loaded factors move %v, want %v", saved, got)
	}
	for name, far := range want {
		if strings.HasPrefix(name, "in") || strings.HasPrefix(name, "block") {
			far /= 10
		}
		if math.Abs(got[name]-far) > 0.02*far+1e-6 {
			t.Errorf("%s moves %g, want %g", name, got[name], far)
		}
	}
	net := NewNet(open(t), 3)
	net.Linear("a", 2, 2)
	if _, err := net.SetRate(0, "a"); err == nil {
		t.Error("a rate of nothing")
	}
}

// TestTokensThatATableLacksAreNamed: text of another vocabulary than the model's.
func TestTokensThatATableLacksAreNamed(t *testing.T) {
	net := NewNet(open(t), 1)
	e := net.Embedding("embed", 7, 4)
	_, err := net.Eval(func(t *Tape) *Value { return e.Apply(t, t.Tokens([]int32{1, 6, 7, 2}, 1, 4)) })
	if err == nil || !strings.Contains(err.Error(), "token 7 at place 2: the table has 7 rows") {
		t.Error(err)
	}
}
