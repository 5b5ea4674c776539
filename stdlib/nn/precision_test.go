package nn

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"attune/gpu"
	"attune/gpu/mem"
)

// halfDistance is how far all gradients of a small model may lie from float32's, which
// are checked against differences: the norm of what they differ by over their norm. A
// rounding is 2^-12 of f16 and 2^-9 of bf16 on average at most, and values pass through
// tens of them.
var halfDistance = map[gpu.DType]float64{gpu.Float16: 0.004, gpu.BFloat16: 0.03}

// halfModels are models whose parts have all forms of an operation, for x (4, 6, 8) or
// images (4, 2, 6, 4).
func halfModels() map[string]func(net *Net) func(t *Tape, x *Value) *Value {
	images := func(t *Tape, x *Value) *Value { return t.Reshape(x, 4, 2, 6, 4) }
	chain := func(layers func(net *Net) []Layer) func(net *Net) func(t *Tape, x *Value) *Value {
		return func(net *Net) func(t *Tape, x *Value) *Value { return net.Sequential("m", layers(net)...).Apply }
	}
	return map[string]func(net *Net) func(t *Tape, x *Value) *Value{
		"linear": chain(func(net *Net) []Layer { return []Layer{net.Linear("a", 8, 5), net.Linear("b", 5, 3)} }),
		"activations": chain(func(net *Net) []Layer {
			return []Layer{net.Linear("a", 8, 8), GELU(), net.Linear("b", 8, 8), SiLU(), Tanh(), net.Linear("c", 8, 8), Sigmoid()}
		}),
		"norms": chain(func(net *Net) []Layer {
			return []Layer{net.LayerNorm("a", 8), net.Linear("l", 8, 8), net.RMSNorm("b", 8), net.Position("p", 6, 8)}
		}),
		"block": chain(func(net *Net) []Layer {
			return []Layer{net.Position("p", 6, 8), net.Block("b", 8, 2, 16), net.Dropout("d", 0.3), MeanTokens()}
		}),
		"groups": chain(func(net *Net) []Layer {
			return []Layer{net.Linear("in", 8, 8), Residual(net.MultiHead("m", 8, 4, 2)), net.LayerNorm("n", 8)}
		}),
		"images": func(net *Net) func(t *Tape, x *Value) *Value {
			s := net.Sequential("m", Func("images", images), net.Conv2D("c", 2, 4, 3, gpu.ConvOptions{Padding: 1}), net.BatchNorm("n", 4), SiLU(),
				AvgPool2D(2), net.Conv2D("d", 4, 4, 1, gpu.ConvOptions{Groups: 2}), Flatten(), net.Linear("l", 24, 5))
			return s.Apply
		},
		"max pool": func(net *Net) func(t *Tape, x *Value) *Value {
			return net.Sequential("m", Func("images", images), MaxPool2D(2), net.Conv2D("c", 2, 3, 2)).Apply
		},
		"fewer tokens": func(net *Net) func(t *Tape, x *Value) *Value {
			in := net.Linear("in", 8, 8)
			return func(t *Tape, x *Value) *Value {
				y := t.Take(in.Apply(t, x), [][]int{{1, 4, 5}, {0, 1, 2}, {3, 2, 1}, {5, 0, 0}})
				w := []float32{.5, .5, 1}
				return t.Mul(t.Merge(y, [][]int{{0, 0, 1}, {0, 0, 1}, {0, 0, 1}, {0, 0, 1}}, [][]float32{w, w, w, w}, 2), t.Scale(t.Take(y, [][]int{{0, 1}, {0, 1}, {0, 1}, {0, 1}}), 2))
			}
		},
		"embedding": func(net *Net) func(t *Tape, x *Value) *Value {
			e, head := net.Embedding("e", 7, 8), net.Linear("h", 8, 3)
			ids := []int32{1, 2, 3, 6, 6, 0, 1, 5}
			return func(t *Tape, _ *Value) *Value { return head.Apply(t, e.Apply(t, t.Tokens(ids, 2, 4))) }
		},
		"computed twice": func(net *Net) func(t *Tape, x *Value) *Value {
			s := net.Sequential("m", net.Linear("in", 8, 8), net.Block("b", 8, 2, 12), net.Dropout("drop", 0.4), net.LayerNorm("n", 8))
			s.Cuts = []int{2, 3}
			return s.Apply
		},
	}
}

// gradientsIn are the gradients of a model's mean square, and the loss, in a precision.
func gradientsIn(t *testing.T, net *Net, precision gpu.DType, x []float32, f func(t *Tape, x *Value) *Value) (grads []float32, loss float64) {
	t.Helper()
	net.Precision = precision
	scale := 1.0
	if precision == gpu.Float16 {
		scale = 1024
	}
	tape := net.Tape()
	tape.Seed = 3
	y := f(tape, tape.Input(x, 4, 6, 8))
	if y == nil {
		t.Fatal(tape.Err())
	}
	if got := y.Tensor().DType(); got != precision {
		t.Errorf("in %s the model gives %s", precision, got)
	}
	v := tape.MSE(y, make([]float32, y.Tensor().Len()))
	// A loop may clear gradients here, and look at its model.
	err := errors.Join(net.ZeroGrad(), net.Release())
	if err = errors.Join(err, tape.BackwardScaled(v, scale)); err != nil {
		t.Fatal(err)
	}
	out, err := v.Float32s()
	if err = errors.Join(err, tape.Free(), net.Release()); err != nil {
		t.Fatal(err)
	}
	for _, p := range net.Params() {
		g, err := p.Grad.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range g {
			grads = append(grads, v/float32(scale))
		}
	}
	return grads, float64(out[0])
}

func distance(a, b []float32) float64 {
	var far, size float64
	for i := range a {
		far += math.Pow(float64(a[i]-b[i]), 2)
		size += math.Pow(float64(a[i]), 2)
	}
	return math.Sqrt(far / size)
}

func TestHalfGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 4*6*8)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for name, build := range halfModels() {
		t.Run(name, func(t *testing.T) {
			net := NewNet(open(t), 7)
			f := build(net)
			want, loss := gradientsIn(t, net, gpu.Float32, x, f)
			before := net.Device().Memory().Total.Live
			for precision, limit := range halfDistance {
				got, l := gradientsIn(t, net, precision, x, f)
				if d := distance(want, got); !(d <= limit) || math.Abs(l-loss) > limit*loss {
					t.Errorf("%s: gradients lie %.4f from float32's, the loss is %g and not %g", precision, d, l, loss)
				} else {
					t.Logf("%s: %.5f", precision, d)
				}
				if again, _ := gradientsIn(t, net, precision, x, f); !slices.Equal(again, got) {
					t.Errorf("%s: other bits the second time", precision)
				}
				if live := net.Device().Memory().Total.Live; live != before {
					t.Errorf("%s: %d bytes live afterwards, %d before", precision, live, before)
				}
			}
		})
	}
}

// The losses take logits in half and give float32 within a rounding of the logits.
func TestHalfLosses(t *testing.T) {
	targets := []float32{.2, .8, 0, 1, .5, .5}
	for name, f := range map[string]func(t *Tape, x *Value) *Value{
		"cross-entropy": func(t *Tape, x *Value) *Value { return t.CrossEntropy(x, []int{0, 1, 1}) },
		"shares":        func(t *Tape, x *Value) *Value { return t.CrossEntropyDense(x, targets) },
		"squares":       func(t *Tape, x *Value) *Value { return t.MSE(x, targets) },
		"binary":        func(t *Tape, x *Value) *Value { return t.BCE(x, targets) },
		"huber":         func(t *Tape, x *Value) *Value { return t.Huber(x, targets, .3) },
	} {
		net := NewNet(open(t), 3)
		l := net.Linear("l", 4, 2)
		var losses [3]float64
		var grads [3][]float32
		for i, precision := range []gpu.DType{gpu.Float32, gpu.Float16, gpu.BFloat16} {
			net.Precision = precision
			tape := net.Tape()
			v := tape.Scale(f(tape, l.Apply(tape, tape.Input([]float32{1, -2, .5, .25, 2, 1, 0, -1, .3, .1, -.7, 1}, 3, 4))), 3)
			if v == nil || v.Tensor().DType() != gpu.Float32 {
				t.Fatalf("%s in %s: %v, %v", name, precision, v, tape.Err())
			}
			out, err := v.Float32s()
			if err = errors.Join(err, net.ZeroGrad(), tape.Backward(v), tape.Free()); err != nil {
				t.Fatal(err)
			}
			losses[i] = float64(out[0])
			grads[i], _ = l.W.Grad.Float32s()
		}
		for i, limit := range []float64{0, halfDistance[gpu.Float16], halfDistance[gpu.BFloat16]} {
			if d := distance(grads[0], grads[i]); d > limit || math.Abs(losses[i]-losses[0]) > limit*losses[0] {
				t.Errorf("%s: loss %g and %g, gradients %.4f apart", name, losses[0], losses[i], d)
			}
		}
	}
}

// Values and their gradients take half the bytes, a parameter's copy is made once an
// update, and between two steps nothing of it is left.
func TestHalfMemory(t *testing.T) {
	dev := open(t)
	net, adam := NewNet(dev, 1), gpu.NewAdam(1e-3)
	s := net.Sequential("m", net.Linear("a", 64, 64), GELU(), net.Linear("b", 64, 64), GELU(), net.Linear("c", 64, 8))
	x, labels := make([]float32, 512*64), make([]int, 512)
	forward := func(t *Tape) *Value { return t.CrossEntropy(s.Apply(t, t.Input(x, 512, 64)), labels) }
	var peaks [2]int64
	for i, precision := range []gpu.DType{gpu.Float32, gpu.BFloat16} {
		net.Precision = precision
		for range 2 {
			dev.ResetPeak()
			if _, err := net.Step(adam, forward); err != nil {
				t.Fatal(err)
			}
		}
		peaks[i] = dev.Memory().ByCategory[mem.Activations].Peak
	}
	// In bf16 the input's own copy comes to the halved activations.
	if share := float64(peaks[1]) / float64(peaks[0]); share > 0.67 {
		t.Errorf("activations peak at %d bytes in bf16, %d in f32", peaks[1], peaks[0])
	}
	base := dev.Memory().Total.Live
	made := 0
	cancel := dev.Subscribe(func(e mem.Event) {
		if e.Kind == mem.Alloc && e.Category == mem.Parameters {
			made++
		}
	})
	defer cancel()
	if err := net.ZeroGrad(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		tape := net.Tape()
		if err := errors.Join(tape.BackwardScaled(forward(tape), 1./3), tape.Free()); err != nil {
			t.Fatal(err)
		}
	}
	if made != 6 {
		t.Errorf("three passes made %d copies of 6 parameters", made)
	}
	if now := dev.Memory().Total.Live - base; now < int64(net.Size())*2 || len(net.Tensors()) != 18 {
		t.Errorf("the copies take %d bytes of %d parameters; the net has %d tensors", now, net.Size(), len(net.Tensors()))
	}
	if err := net.Update(adam); err != nil {
		t.Fatal(err)
	}
	if live := dev.Memory().Total.Live; live != base {
		t.Errorf("%d bytes live after the update, %d before", live, base)
	}
}

// A step whose gradients overflow changes nothing but the scale, which falls until they
// do not. A parameter that is set by hand counts in the next step.
func TestHalfOverflowIsSkipped(t *testing.T) {
	net, sgd := NewNet(open(t), 1), gpu.NewSGD(1e-3)
	net.Precision = gpu.Float16
	l := net.Linear("l", 4, 4)
	step := func(by float64) {
		t.Helper()
		_, err := net.Step(sgd, func(t *Tape) *Value {
			return t.Scale(t.MSE(l.Apply(t, t.Input([]float32{1, 2, 3, 4}, 1, 4)), []float32{9, 9, 9, 9}), by)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	before, _ := l.W.Value.Float32s()
	step(1e4)
	after, _ := l.W.Value.Float32s()
	if !slices.Equal(before, after) || sgd.Skipped() != 1 || sgd.Steps() != 0 || sgd.Scale.Value() != 32768 {
		t.Fatalf("skipped %d, steps %d, scale %g", sgd.Skipped(), sgd.Steps(), sgd.Scale.Value())
	}
	for range 20 {
		step(1)
	}
	after, _ = l.W.Value.Float32s()
	if sgd.Steps() == 0 || slices.Equal(before, after) {
		t.Error("nothing was learned afterwards")
	}
	if err := l.W.Value.CopyFrom(make([]float32, 16)); err != nil {
		t.Fatal(err)
	}
	if err := l.B.Value.CopyFrom([]float32{1, 1, 1, 1}); err != nil {
		t.Fatal(err)
	}
	got, err := net.Eval(func(t *Tape) *Value { return l.Apply(t, t.Input([]float32{1, 2, 3, 4}, 1, 4)) })
	if err != nil || !slices.Equal(got, []float32{1, 1, 1, 1}) {
		t.Errorf("after the parameters were set: %v, %v", got, err)
	}
}

// A training in half goes on to the same bits from what was saved: weights, optimizer and
// scale.
func TestHalfResumes(t *testing.T) {
	for _, precision := range []gpu.DType{gpu.Float16, gpu.BFloat16} {
		start := func() (*Net, *gpu.Adam, func(t *Tape, from, to int) *Value) {
			net := NewNet(open(t), 4)
			net.Precision = precision
			_, f := chain(net, 8)
			return net, gpu.NewAdam(1e-2), f
		}
		train := func(net *Net, adam *gpu.Adam, f func(t *Tape, from, to int) *Value, steps int) {
			t.Helper()
			for range steps {
				if _, err := net.Step(adam, func(t *Tape) *Value { t.Seed = 6; return f(t, 0, 8) }); err != nil {
					t.Fatal(err)
				}
			}
		}
		values := func(net *Net) (all []float32, list []*gpu.Tensor) {
			for _, p := range net.Params() {
				v, _ := p.Value.Float32s()
				all, list = append(all, v...), append(list, p.Value)
			}
			return all, list
		}
		net, adam, f := start()
		train(net, adam, f, 7)
		var weights, state bytes.Buffer
		_, list := values(net)
		if err := errors.Join(net.Save(&weights), adam.Save(&state, list)); err != nil {
			t.Fatal(err)
		}
		train(net, adam, f, 5)
		want, _ := values(net)

		again, other, g := start()
		if precision == gpu.Float16 {
			again.LossScale(other)
		}
		_, list = values(again)
		if err := errors.Join(again.Load(&weights), other.Load(&state, list)); err != nil {
			t.Fatal(err)
		}
		train(again, other, g, 5)
		if got, _ := values(again); !slices.Equal(got, want) {
			t.Errorf("%s: resumed, the training ends elsewhere", precision)
		}
	}
}

// A hundred steps that run out of memory at a hundred places leave nothing behind.
func TestHalfFailuresLeaveNothing(t *testing.T) {
	dev := open(t)
	net, adam := NewNet(dev, 4), gpu.NewAdam(1e-2)
	net.Precision = gpu.Float16
	s, f := chain(net, 8)
	s.Cuts = []int{2, 4}
	step := func() error {
		_, err := net.Step(adam, func(t *Tape) *Value { return f(t, 0, 8) })
		return err
	}
	if err := step(); err != nil {
		t.Fatal(err)
	}
	dev.ResetPeak()
	if err := step(); err != nil {
		t.Fatal(err)
	}
	m := dev.Memory().Total
	for i := range int64(100) {
		dev.SetCap(m.Live + (m.Peak-m.Live)*i/100)
		if err := step(); err == nil {
			t.Fatalf("step %d fitted %d bytes, its peak is %d", i, m.Live+(m.Peak-m.Live)*i/100, m.Peak)
		}
		if live := dev.Memory().Total.Live; live != m.Live {
			t.Fatalf("failure %d left %d bytes", i, live-m.Live)
		}
	}
	dev.SetCap(m.Peak)
	if err := step(); err != nil {
		t.Fatal(err)
	}
}

// A net that is to compute in what is no floating-point type says so at once, by name.
func TestPrecisionIsRefusedByName(t *testing.T) {
	for _, bad := range []gpu.DType{gpu.Int32, 77} {
		net := NewNet(open(t), 1)
		l := net.Linear("l", 4, 4)
		net.Precision = bad
		ran := false
		forward := func(t *Tape) *Value {
			ran = true
			return t.MSE(l.Apply(t, t.Input(make([]float32, 4), 1, 4)), make([]float32, 4))
		}
		_, step := net.Step(gpu.NewSGD(1), forward)
		_, eval := net.Eval(forward)
		tape := net.Tape()
		for _, err := range []error{step, eval, tape.Err()} {
			if err == nil || !strings.Contains(err.Error(), "compute in "+bad.String()+": want gpu.Float32, gpu.Float16 or gpu.BFloat16 as the net's Precision") {
				t.Errorf("%s: %v", bad, err)
			}
		}
		if ran {
			t.Errorf("%s: the loss was computed all the same", bad)
		}
	}
}
