package nn

import (
	"math"
	"testing"

	"attune/gpu"
	"attune/gpu/mem"
)

// What only training does has the gradient of what it did: what dropout takes away is
// the same each time.
func TestTrainingGradients(t *testing.T) {
	const b, n, d = 2, 3, 4
	for name, build := range map[string]func(net *Net) func(t *Tape, x *Value) *Value{
		"dropout":  func(net *Net) func(t *Tape, x *Value) *Value { return net.Dropout("drop", 0.4).Apply },
		"residual": func(net *Net) func(t *Tape, x *Value) *Value { return Residual(net.Linear("l", d, d)).Apply },
		"attention with dropout": func(net *Net) func(t *Tape, x *Value) *Value {
			a := net.SelfAttention("a", d, 2)
			a.Dropout = 0.3
			return a.Apply
		},
		"computed twice": func(net *Net) func(t *Tape, x *Value) *Value {
			s := net.Sequential("s", net.Block("b", d, 2, 6), net.Dropout("drop", 0.4), net.LayerNorm("n", d))
			s.Cuts = []int{2}
			return s.Apply
		},
	} {
		t.Run(name, func(t *testing.T) {
			net := NewNet(open(t), 7)
			x := net.Param("x", net.Normal(1), b, n, d)
			f, sum := build(net), total(net)
			forward := func(t *Tape) *Value { t.Seed = 3; return sum(t, f(t, t.Param(x))) }
			if _, err := net.Eval(forward); err != nil {
				t.Fatal(err)
			}
			checkTrainingGradients(t, net, forward)
		})
	}
}

// A cell that builds, trains and frees a model takes the same memory each time.
func TestManyRunsStayFlat(t *testing.T) {
	dev := open(t)
	var first mem.Snapshot
	for i := range 100 {
		net, adam := NewNet(dev, 1), gpu.NewAdam(1e-2)
		model := net.Sequential("m", net.Conv2D("conv", 1, 2, 3), net.BatchNorm("norm", 2), ReLU(), MaxPool2D(2), Flatten(), net.Dropout("drop", .2), net.Linear("head", 8, 2))
		dev.ResetPeak()
		for range 3 {
			if _, err := net.Step(adam, func(t *Tape) *Value {
				return t.CrossEntropy(model.Apply(t, t.Input(make([]float32, 72), 2, 1, 6, 6)), []int{0, 1})
			}); err != nil {
				t.Fatal(err)
			}
		}
		s := dev.Memory()
		if i == 0 {
			first = s
		}
		if s.Total.Peak != first.Total.Peak || s.Total.Live != first.Total.Live {
			t.Fatalf("run %d: %+v, the first %+v", i, s.Total, first.Total)
		}
		if err := net.Free(); err != nil {
			t.Fatal(err)
		}
		if err := adam.Free(); err != nil {
			t.Fatal(err)
		}
		if live := dev.Memory().Total.Live; live != 0 {
			t.Fatalf("run %d: %d bytes left", i, live)
		}
	}
}

func TestInitialisersSpread(t *testing.T) {
	net := NewNet(open(t), 1)
	for name, c := range map[string]struct {
		f               func() float32
		deviation, most float64
	}{
		"He": {net.He(8), 0.5, 3}, "truncated": {net.Truncated(0.1), 0.088, 0.2},
		"Xavier": {net.Xavier(4, 8), math.Sqrt(1. / 6), math.Sqrt(.5)},
	} {
		sum, top := 0.0, 0.0
		for range 20000 {
			x := float64(c.f())
			sum, top = sum+x*x, math.Max(top, math.Abs(x))
		}
		if d := math.Sqrt(sum / 20000); math.Abs(d/c.deviation-1) > 0.03 || top > c.most*1.0001 {
			t.Errorf("%s: deviation %g, want %g; largest %g of %g", name, d, c.deviation, top, c.most)
		}
	}
}
