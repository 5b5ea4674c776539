package balance

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"attune/gpu"
	"attune/gpu/mem"
	"attune/stdlib/nn"
)

func openCPU(t *testing.T) *gpu.Device {
	t.Helper()
	dev, err := gpu.OpenCPU(1)
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

// tiny is a transformer of random size with its optimizer, after two steps.
type tiny struct {
	dev   *gpu.Device
	net   *nn.Net
	block *nn.Block
	opt   gpu.Optimizer
	x     []float32
	dims  [3]int
}

func newTiny(t *testing.T, r *rand.Rand, opt gpu.Optimizer) *tiny {
	t.Helper()
	m := &tiny{dev: openCPU(t), opt: opt}
	heads := 2 + r.IntN(4)
	d := heads * (1 + r.IntN(6))
	m.net = nn.NewNet(m.dev, r.Uint64())
	m.block = m.net.Block("block", d, heads, 3+r.IntN(20))
	m.dims = [3]int{1 + r.IntN(3), 2 + r.IntN(5), d}
	for range m.dims[0] * m.dims[1] * d {
		m.x = append(m.x, float32(r.NormFloat64()))
	}
	m.steps(t, 2)
	return m
}

func (m *tiny) forward(t *nn.Tape) *nn.Value {
	return m.block.Apply(t, t.Input(m.x, m.dims[:]...))
}

func (m *tiny) steps(t *testing.T, n int) {
	t.Helper()
	labels := make([]int, m.dims[0])
	for range n {
		if _, err := m.net.Step(m.opt, func(tape *nn.Tape) *nn.Value {
			return tape.CrossEntropy(tape.MeanTokens(m.forward(tape)), labels)
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *tiny) output(t *testing.T) []float32 {
	t.Helper()
	y, err := m.net.Eval(m.forward)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

func someOf(r *rand.Rand, n int) []int {
	keep := r.Perm(n)[:1+r.IntN(n)]
	slices.Sort(keep)
	return keep
}

// others are 0..n-1 without keep.
func others(n int, keep []int) (gone []int) {
	for i := range n {
		if !slices.Contains(keep, i) {
			gone = append(gone, i)
		}
	}
	return gone
}

// TestPruningFreesWhatItSays: over random models, optimizers and choices, heads and
// neurons that are pruned free exactly the bytes predicted, leave the output as
// silencing them did, and training goes on.
func TestPruningFreesWhatItSays(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for round := range 120 {
		opt := []gpu.Optimizer{gpu.NewAdam(1e-3), gpu.NewSGD(1e-3), gpu.NewAdagrad(1e-3), nil}[round%4]
		step := opt
		if step == nil {
			step = gpu.NewSGD(1e-3)
		}
		m := newTiny(t, r, step)
		site := HeadsOf("block.attention", m.block.Attention)
		if round%2 == 0 {
			site = NeuronsOf("block.up", m.block.Up, m.block.Down)
		}
		keep := someOf(r, site.Of)
		back, err := site.silence(others(site.Of, keep))
		if err != nil {
			t.Fatal(err)
		}
		want := m.output(t)
		if err := back(); err != nil {
			t.Fatal(err)
		}
		says, err := site.Frees(opt, keep)
		before := m.dev.Memory().Total.Live
		if err := errors.Join(err, site.Prune(opt, keep)); err != nil {
			t.Fatal(err)
		}
		if freed := before - m.dev.Memory().Total.Live; freed != says || site.Of != len(keep) {
			t.Fatalf("round %d: %s freed %d bytes, said %d", round, site.Layer, freed, says)
		}
		got := m.output(t)
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1e-5*(1+math.Abs(float64(want[i]))) {
				t.Fatalf("round %d: output %d is %v, silenced it was %v", round, i, got[i], want[i])
			}
		}
		if opt != nil {
			m.steps(t, 1)
		}
		if err := errors.Join(m.net.Free(), step.Free()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPruningMovesState: what is left of Adam's state is what it was.
func TestPruningMovesState(t *testing.T) {
	adam := gpu.NewAdam(1e-3)
	m := newTiny(t, rand.New(rand.NewPCG(11, 12)), adam)
	down := m.block.Down.W
	old := adam.State(down.Value)
	if len(old) != 2 {
		t.Fatalf("%d tensors of state", len(old))
	}
	keep := []int{0, 2}
	var want [][]float32
	for _, s := range old {
		kept, err := s.Select(keep)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := kept.Float32s()
		want = append(want, v)
	}
	site := NeuronsOf("block.up", m.block.Up, m.block.Down)
	if err := site.Prune(adam, keep); err != nil {
		t.Fatal(err)
	}
	for i, s := range adam.State(down.Value) {
		if got, _ := s.Float32s(); !slices.Equal(got, want[i]) {
			t.Errorf("state %d: got %v, want %v", i, got, want[i])
		}
	}
}

// TestPruningUnderACap: where there is no room for the shorter values nothing
// changes.
func TestPruningUnderACap(t *testing.T) {
	m := newTiny(t, rand.New(rand.NewPCG(13, 14)), gpu.NewAdam(1e-3))
	want := m.output(t)
	live := m.dev.Memory().Total.Live
	m.dev.SetCap(live + 8)
	site := HeadsOf("block.attention", m.block.Attention)
	err := site.Prune(m.opt, []int{0})
	var full *mem.OutOfMemoryError
	if !errors.As(err, &full) || m.dev.Memory().Total.Live != live {
		t.Fatalf("got %v with %d bytes of %d", err, m.dev.Memory().Total.Live, live)
	}
	m.dev.SetCap(0)
	if !slices.Equal(m.output(t), want) {
		t.Error("the output changed")
	}
	for _, keep := range [][]int{{}, {1, 0}, {0, 0}, {-1}, {99}} {
		if err := site.Prune(m.opt, keep); err == nil {
			t.Errorf("keep %v: no error", keep)
		}
	}
}
