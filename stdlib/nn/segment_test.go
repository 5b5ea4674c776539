package nn

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"attune/gpu"
	"attune/gpu/mem"
)

// chain is a model of six layers with dropout, its input and labels.
func chain(net *Net, batch int) (*Sequential, func(t *Tape, from, to int) *Value) {
	const tokens, d, classes = 6, 8, 5
	s := net.Sequential("chain", net.Linear("in", 4, d), GELU(), net.Block("block", d, 2, 16), net.Dropout("drop", 0.3),
		Residual(net.Linear("mid", d, d)), MeanTokens(), net.Linear("head", d, classes))
	s.Layers[2].(*Block).Dropout = 0.2
	s.Layers[2].(*Block).Attention.Dropout = 0.2
	rng := rand.New(rand.NewPCG(5, 5))
	x, labels := make([]float32, batch*tokens*4), make([]int, batch)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = rng.IntN(classes)
	}
	return s, func(t *Tape, from, to int) *Value {
		t.First = from
		in := t.Input(x[from*tokens*4:to*tokens*4], to-from, tokens, 4)
		return t.CrossEntropy(s.Apply(t, in), labels[from:to])
	}
}

// gradientsOf are all gradients of one backward pass after the other, and the peak of
// activations.
func gradientsOf(t *testing.T, net *Net, passes ...func(t *Tape) (loss *Value, scale float64)) (all []float32, peak int64) {
	t.Helper()
	if err := net.ZeroGrad(); err != nil {
		t.Fatal(err)
	}
	net.Device().ResetPeak()
	for _, f := range passes {
		tape := net.Tape()
		tape.Seed = 9
		loss, scale := f(tape)
		if err := errors.Join(tape.BackwardScaled(loss, scale), tape.Free()); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range net.Params() {
		g, err := p.Grad.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, g...)
	}
	m := net.Device().Memory()
	if m.ByCategory[mem.Activations].Live != 0 || m.ByCategory[mem.Data].Live != 0 || m.ByCategory[mem.Workspace].Live != 0 {
		t.Fatalf("passes left memory behind: %+v", m)
	}
	return all, m.ByCategory[mem.Activations].Peak
}

// Computed twice or once, in one stretch or several, the gradients are the same to the
// bit, dropout included.
func TestCutsChangeNothingButMemory(t *testing.T) {
	const batch = 7
	net := NewNet(open(t), 3)
	s, loss := chain(net, batch)
	whole := func(t *Tape) (*Value, float64) { return loss(t, 0, batch), 1 }
	want, peak := gradientsOf(t, net, whole)
	for _, cuts := range [][]int{{}, {3}, {7}, {1, 2, 3, 4, 5, 6, 7}, {0, 4}, {2, 5}} {
		s.Cuts = cuts
		got, less := gradientsOf(t, net, whole)
		if !slices.Equal(got, want) {
			t.Errorf("cuts %v: other gradients", cuts)
		}
		if len(cuts) == 0 && less != peak || less > peak || len(cuts) > 1 && less == peak {
			t.Errorf("cuts %v: activations peak at %d bytes, without at %d", cuts, less, peak)
		}
	}
	s.Cuts = nil
	got, less := gradientsOf(t, net, func(t *Tape) (*Value, float64) {
		t.Checkpoint = func(segment string) bool { return segment == "block" }
		return loss(t, 0, batch), 1
	})
	if !slices.Equal(got, want) || less >= peak {
		t.Errorf("a block computed twice: peak %d of %d, same gradients: %v", less, peak, slices.Equal(got, want))
	}
	s.Cuts = []int{4, 2}
	tape := net.Tape()
	if loss(tape, 0, batch); tape.Err() == nil || !strings.Contains(tape.Err().Error(), "want rising places") {
		t.Error("falling cuts:", tape.Err())
	}
	if err := tape.Free(); err != nil {
		t.Fatal(err)
	}
}

func TestPartsOfABatchSumToTheWhole(t *testing.T) {
	const batch = 7
	net := NewNet(open(t), 3)
	_, loss := chain(net, batch)
	want, _ := gradientsOf(t, net, func(t *Tape) (*Value, float64) { return loss(t, 0, batch), 1 })
	top := 0.0
	for _, x := range want {
		top = math.Max(top, math.Abs(float64(x)))
	}
	for _, size := range []int{1, 2, 3, 6} {
		var parts []func(t *Tape) (*Value, float64)
		for from := 0; from < batch; from += size {
			to := min(batch, from+size)
			parts = append(parts, func(t *Tape) (*Value, float64) { return loss(t, from, to), float64(to-from) / batch })
		}
		got, _ := gradientsOf(t, net, parts...)
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1e-6*top {
				t.Fatalf("in parts of %d: gradient %d is %g, want %g", size, i, got[i], want[i])
			}
		}
	}
}

func TestFrozenParametersTakeNothing(t *testing.T) {
	dev := open(t)
	net := NewNet(dev, 3)
	_, loss := chain(net, 4)
	size := func() int64 { return dev.Memory().ByCategory[mem.Gradients].Live }
	all := size()
	n, err := net.Freeze("in", "block.*")
	if err != nil || n != 14 {
		t.Fatalf("froze %d tensors, want 14: %v", n, err)
	}
	frozen := int64(0)
	for _, p := range append(net.Group("in"), net.Group("block*")...) {
		frozen += p.Value.Bytes()
	}
	if got := all - size(); got != frozen {
		t.Errorf("freezing gave %d bytes back, want %d", got, frozen)
	}
	before, _ := net.Group("in")[0].Value.Float32s()
	adam := gpu.NewAdam(0.1)
	for range 3 {
		if _, err := net.Step(adam, func(t *Tape) *Value { return loss(t, 0, 4) }); err != nil {
			t.Fatal(err)
		}
	}
	after, _ := net.Group("in")[0].Value.Float32s()
	if !slices.Equal(before, after) {
		t.Error("a frozen parameter moved")
	}
	if state := dev.Memory().ByCategory[mem.OptimizerState].Live; state != 2*size() {
		t.Errorf("%d bytes of state for %d bytes that learn", state, size())
	}
	if _, err := net.Unfreeze("*"); err != nil || size() != all {
		t.Errorf("after Unfreeze %d bytes of gradients, want %d: %v", size(), all, err)
	}
	if _, err := net.Freeze("nonsense"); err == nil || !strings.Contains(err.Error(), `"nonsense": no parameter`) {
		t.Error("a pattern that fits none:", err)
	}
}

// A shadow's step takes the memory that the net's own takes.
func TestShadowStepsInTheNetsPlace(t *testing.T) {
	dev, other := open(t), open(t)
	net := NewNet(dev, 3)
	s, loss := chain(net, 4)
	s.Cuts = []int{3}
	shadow, err := net.Shadow(other)
	if err != nil {
		t.Fatal(err)
	}
	forward := func(t *Tape) *Value { return loss(t, 0, 4) }
	for range 2 {
		a, b := gpu.NewAdamW(0.1, 0.1), gpu.NewAdamW(0.1, 0.1)
		dev.ResetPeak()
		other.ResetPeak()
		_, err1 := net.Step(a, forward)
		_, err2 := shadow.Step(b, forward)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if x, y := dev.Memory(), other.Memory(); x.Total != y.Total || x.ByCategory != y.ByCategory {
			t.Fatalf("the net took %+v, its shadow %+v", x, y)
		}
		if err := errors.Join(a.Free(), b.Free()); err != nil {
			t.Fatal(err)
		}
	}
	tape := NewTape(other)
	if forward(tape); tape.Err() == nil || !strings.Contains(tape.Err().Error(), "use the tape of Net.Shadow") {
		t.Error("a parameter of another device:", tape.Err())
	}
	if err := errors.Join(tape.Free(), shadow.Free()); err != nil || other.Memory().Total.Live != 0 {
		t.Errorf("%d bytes left: %v", other.Memory().Total.Live, err)
	}
}

// Whatever fails, at whatever allocation, nothing stays.
func TestNothingStaysAfterAnError(t *testing.T) {
	dev := open(t)
	net := NewNet(dev, 3)
	s, loss := chain(net, 6)
	forward := func(t *Tape) *Value { return loss(t, 0, 6) }
	base := dev.Memory().Total.Live
	dev.ResetPeak()
	if _, err := net.Step(gpu.NewSGD(0.1), forward); err != nil {
		t.Fatal(err)
	}
	full, failed := dev.Memory().Total.Peak, 0
	for i := range 100 {
		s.Cuts = nil
		if i%2 == 1 {
			s.Cuts = []int{3, 7}
		}
		dev.SetCap(base + (full-base)*int64(i)/100)
		var oom *mem.OutOfMemoryError
		if _, err := net.Step(gpu.NewSGD(0.1), forward); err != nil {
			if failed++; !errors.As(err, &oom) {
				t.Fatal(err)
			}
		}
		if live := dev.Memory().Total.Live; live != base {
			t.Fatalf("run %d: %d bytes live, want %d", i, live, base)
		}
	}
	if failed < 50 {
		t.Errorf("only %d of 100 failed", failed)
	}
}

func TestOpsSayWhatRan(t *testing.T) {
	net := NewNet(open(t), 3)
	s, loss := chain(net, 2)
	list := func() []Op {
		tape := net.Tape()
		err := tape.Backward(loss(tape, 0, 2))
		if err = errors.Join(err, tape.Free()); err != nil {
			t.Fatal(err)
		}
		return tape.Ops()
	}
	once := list()
	s.Cuts = []int{7}
	if twice := list(); len(twice) != len(once) {
		t.Errorf("%d operations, computed twice %d", len(once), len(twice))
	}
	var qkv *Op
	for i := range once {
		for _, in := range once[i].Inputs {
			if in >= i {
				t.Errorf("operation %d takes %d", i, in)
			}
		}
		if once[i].Scope == "chain/block/attention/qkv" {
			qkv = &once[i]
		}
	}
	if qkv == nil || qkv.Kind != "linear" || qkv.FLOPs != 2*2*6*8*24 || len(qkv.Params) != 2 || !slices.Equal(qkv.Shape, []int{2, 6, 24}) || qkv.Bytes != 4*2*6*24 {
		t.Errorf("the projection is %+v among %d", qkv, len(once))
	}
}

// Without gradients no more lives at a time than a layer's input and output.
func TestEvaluationHoldsTwoLayers(t *testing.T) {
	const batch, d, layers = 3, 16, 6
	dev := open(t)
	net := NewNet(dev, 1)
	s := net.Sequential("chain")
	for range layers {
		s.Layers = append(s.Layers, net.Linear("l", d, d))
	}
	dev.ResetPeak()
	if _, err := net.Eval(func(t *Tape) *Value { return s.Apply(t, t.Input(make([]float32, batch*d), batch, d)) }); err != nil {
		t.Fatal(err)
	}
	if got := dev.Memory().ByCategory[mem.Activations]; got.Peak != 2*4*batch*d || got.Live != 0 {
		t.Errorf("activations peak at %d bytes, want %d; %d stay", got.Peak, 2*4*batch*d, got.Live)
	}
	if name := s.LayerName(2); name != "l 2" {
		t.Errorf("one of several layers l is called %q", name)
	}
}
