package nn

import (
	"errors"
	"math"
	"slices"
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

// TestReducedBlockGradients checks a whole block that loses tokens either way, with merged
// tokens passed on to a second one and to the mean, in a chain that is computed twice.
func TestReducedBlockGradients(t *testing.T) {
	const b, n, d = 2, 6, 4
	for _, how := range []Reduction{PruneTokens, MergeTokens} {
		for _, cuts := range [][]int{nil, {1, 2}} {
			net := NewNet(open(t), 11)
			x := net.Param("x", net.Normal(2), b, n, d)
			block := func(name string) Layer { return &ReducedBlock{Block: net.Block(name, d, 2, 6), How: how, Drop: 2} }
			s := net.Sequential("s", block("one"), block("two"), Func("mean", (*Tape).MeanMerged))
			s.Cuts = cuts
			sum := total(net)
			forward := func(t *Tape) *Value { return sum(t, s.Apply(t, t.Param(x))) }
			if _, err := net.Eval(forward); err != nil {
				t.Fatal(err)
			}
			checkTrainingGradients(t, net, forward)
		}
	}
}

// TestMergedTokensKeepTheirSizes: how many tokens each stands for passes from segment to
// segment, in evaluation and where they are computed twice too.
func TestMergedTokensKeepTheirSizes(t *testing.T) {
	net := NewNet(open(t), 11)
	x := net.Param("x", net.Normal(2), 2, 6, 4)
	one := &ReducedBlock{Block: net.Block("one", 4, 2, 6), How: MergeTokens, Drop: 2}
	s := net.Sequential("s", one, Func("mean", (*Tape).MeanMerged))
	plain := func(t *Tape) *Value { return t.MeanMerged(one.Apply(t, t.Param(x))) }
	chained := func(t *Tape) *Value { return s.Apply(t, t.Param(x)) }
	want, err := net.Eval(plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, cuts := range [][]int{nil, {1}, {1, 2}} {
		s.Cuts = cuts
		got, err := net.Eval(chained)
		tape := net.Tape()
		trained, terr := chained(tape).Float32s()
		if err := errors.Join(err, terr, tape.Free()); err != nil || !slices.Equal(got, want) || !slices.Equal(trained, want) {
			t.Errorf("cuts %v: %v in evaluation, %v in training, want %v: %v", cuts, got, trained, want, err)
		}
	}
}

func TestOrthogonal(t *testing.T) {
	net := NewNet(open(t), 1)
	for _, c := range [][2]int{{5, 5}, {3, 8}, {8, 3}, {1, 1}, {40, 33}} {
		in, out := c[0], c[1]
		w, err := net.Param("w", net.Orthogonal(in, out, 1.5), in, out).Value.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		at := func(i, k int) float64 { // element k of the i-th shorter side
			if in < out {
				return float64(w[i*out+k])
			}
			return float64(w[k*out+i])
		}
		for i := range min(in, out) {
			for j := range min(in, out) {
				dot, want := 0.0, 0.0
				for k := range max(in, out) {
					dot += at(i, k) * at(j, k)
				}
				if i == j {
					want = 1.5 * 1.5
				}
				if math.Abs(dot-want) > 1e-5 {
					t.Errorf("%v: sides %d and %d have the product %g, want %g", c, i, j, dot, want)
				}
			}
		}
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
