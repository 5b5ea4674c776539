package gorgoniax

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"attune/gpu"
	"attune/gpu/driver/fakecuda"
	"attune/gpu/mem"
)

// device is the CPU, or what ATTUNE_DEVICE names: see TestBehindTheFakeDriver. It
// is the test's own.
func device(t *testing.T) *gpu.Device {
	t.Helper()
	dev, err := gpu.Open(cmp.Or(os.Getenv("ATTUNE_DEVICE"), "cpu"))
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

// TestBehindTheFakeDriver runs this package's tests again in a process whose
// libcuda is the fake one.
func TestBehindTheFakeDriver(t *testing.T) {
	if os.Getenv("ATTUNE_DEVICE") != "" || testing.Short() {
		t.Skip("this is that process, or the tests are to be short")
	}
	dir := t.TempDir()
	if _, err := fakecuda.Build(dir, nil); errors.Is(err, fakecuda.ErrNoCompiler) {
		t.Skip("cannot build the fake driver:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	out, err := fakecuda.Again(dir, t.TempDir(), "Dense|Solver|Attention")
	if err != nil || !strings.Contains(out, "--- PASS: TestAttentionGradients") {
		t.Fatalf("%v\n%s", err, out)
	}
}

func random(rng *rand.Rand, shape ...int) *tensor.Dense {
	x := make([]float32, tensor.Shape(shape).TotalSize())
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
}

func TestDenseInAndOut(t *testing.T) {
	dev := device(t)
	d := random(rand.New(rand.NewPCG(1, 2)), 2, 3, 4)
	x, err := FromDense(dev, d, mem.Data)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ToDense(x)
	if err != nil || !back.Shape().Eq(d.Shape()) || !back.Eq(d) {
		t.Fatalf("came back as %v: %v", back, err)
	}
	if dev.Name() == "cpu" {
		d.Float32s()[7] = 42
		if back.Float32s()[7] != 42 {
			t.Error("the way in and out copies")
		}
		if s := dev.Memory().ByCategory[mem.Data].Live; s != 4*24 {
			t.Errorf("%d bytes are counted, want 96", s)
		}
	}
	// Views and transposed values are copied, element by element in their own order.
	turned := d.Clone().(*tensor.Dense)
	if err := turned.T(2, 0, 1); err != nil {
		t.Fatal(err)
	}
	slice, err := d.Slice(nil, gorgonia.S(1, 3), gorgonia.S(2))
	if err != nil {
		t.Fatal(err)
	}
	column := func(t *tensor.Dense) tensor.Tensor { return t.Materialize() }
	for _, v := range []*tensor.Dense{turned, slice.(*tensor.Dense)} {
		y, err := FromDense(dev, v, mem.Data)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := y.Float32s()
		want := column(v).(*tensor.Dense).Float32s()
		for i, w := range want {
			if got[i] != w {
				t.Fatalf("%v with strides %v came as %v, want %v", v.Shape(), v.Strides(), got, want)
			}
		}
	}
	if _, err := FromDense(dev, tensor.New(tensor.WithShape(2), tensor.Of(tensor.Float64)), mem.Data); err == nil || !strings.Contains(err.Error(), "float64: want float32") {
		t.Error(err)
	}
	if err := x.Free(); err != nil {
		t.Fatal(err)
	}
	if back.Float32s()[0] != d.Float32s()[0] {
		t.Error("the Dense did not outlive the tensor")
	}
}

// regression is a two-layer net on fixed data, with a scalar among its parameters.
type regression struct {
	graph  *gorgonia.ExprGraph
	params gorgonia.Nodes
	loss   gorgonia.Value
}

func newRegression(t *testing.T) *regression {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	r := &regression{graph: gorgonia.NewGraph()}
	matrix := func(name string, d *tensor.Dense) *gorgonia.Node {
		return gorgonia.NewTensor(r.graph, tensor.Float32, d.Dims(), gorgonia.WithShape(d.Shape()...), gorgonia.WithName(name), gorgonia.WithValue(d))
	}
	x, y := matrix("x", random(rng, 16, 5)), matrix("y", random(rng, 16, 2))
	w1, w2 := matrix("w1", random(rng, 5, 7)), matrix("w2", random(rng, 7, 2))
	shift := gorgonia.NewScalar(r.graph, tensor.Float32, gorgonia.WithName("shift"), gorgonia.WithValue(float32(0.5)))
	r.params = gorgonia.Nodes{w1, w2, shift}
	hidden := gorgonia.Must(gorgonia.Tanh(gorgonia.Must(gorgonia.Mul(x, w1))))
	out := gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.Mul(hidden, w2)), shift))
	cost := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(out, y))))))
	if _, err := gorgonia.Grad(cost, r.params...); err != nil {
		t.Fatal(err)
	}
	gorgonia.Read(cost, &r.loss)
	return r
}

// train does steps with a solver and returns the losses and the parameters.
func (r *regression) train(t *testing.T, solver gorgonia.Solver, steps int) (losses []float32, params []float32) {
	t.Helper()
	vm := gorgonia.NewTapeMachine(r.graph, gorgonia.BindDualValues(r.params...))
	defer vm.Close()
	for range steps {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, r.loss.Data().(float32))
		if err := solver.Step(gorgonia.NodesToValueGrads(r.params)); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
	}
	for _, p := range r.params {
		d, err := dense(p.Value())
		if err != nil {
			t.Fatal(err)
		}
		params = append(params, d.Float32s()...)
	}
	return losses, params
}

// TestSolverAgreesWithGorgonia trains with gorgonia's Adam and attune's from one
// start: the losses and parameters stay together to 2e-5, the rounding of both.
func TestSolverAgreesWithGorgonia(t *testing.T) {
	dev := device(t)
	adam := gpu.NewAdam(0.01)
	solver := NewSolver(dev, adam)
	losses, params := newRegression(t).train(t, solver, 60)
	theirs, want := newRegression(t).train(t, gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.01)), 60)
	for i, w := range theirs {
		if math.Abs(float64(losses[i]-w)) > 2e-5 {
			t.Fatalf("the loss of step %d is %g, gorgonia's %g", i, losses[i], w)
		}
	}
	for i, w := range want {
		if math.Abs(float64(params[i]-w)) > 2e-5*(1+math.Abs(float64(w))) {
			t.Fatalf("parameter %d is %g, gorgonia's %g", i, params[i], w)
		}
	}
	if last := losses[len(losses)-1]; last > losses[0]/2 || adam.Steps() != 60 {
		t.Fatalf("the loss went from %g to %g in %d steps", losses[0], last, adam.Steps())
	}
	s := dev.Memory()
	if n := int64(4 * len(params)); s.ByCategory[mem.OptimizerState].Live != 2*n || s.ByCategory[mem.Parameters].Live != n || s.ByCategory[mem.Gradients].Live != 0 {
		t.Errorf("memory %+v", s.ByCategory)
	}
	if err := solver.Free(); err != nil || dev.Memory().ByCategory[mem.OptimizerState].Live != 0 || dev.Memory().ByCategory[mem.Parameters].Live != 0 {
		t.Error("after Free", dev.Memory().ByCategory, err)
	}
}

// TestSolverFollowsMovedValues: a value that lies elsewhere keeps its state.
func TestSolverFollowsMovedValues(t *testing.T) {
	dev := device(t)
	g := gorgonia.NewGraph()
	w := gorgonia.NewVector(g, tensor.Float32, gorgonia.WithShape(2), gorgonia.WithName("w"), gorgonia.WithValue(tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{1, 2}))))
	cost := gorgonia.Must(gorgonia.Sum(w))
	if _, err := gorgonia.Grad(cost, w); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(w))
	defer vm.Close()
	sgd := gpu.NewSGD(1)
	sgd.Momentum = 0.5
	solver := NewSolver(dev, sgd)
	for range 2 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(gorgonia.Nodes{w})); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
		if err := gorgonia.Let(w, w.Value().(*tensor.Dense).Clone().(*tensor.Dense)); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.Value().(*tensor.Dense).Float32s(); got[0] != -1.5 || got[1] != -0.5 {
		t.Fatalf("two steps of 1 and 1.5 went to %v", got)
	}
}

func TestSolverRefuses(t *testing.T) {
	dev := device(t)
	r := newRegression(t)
	solver := NewSolver(dev, gpu.NewSGD(1))
	for want, err := range map[string]error{
		"value 0 (w1): its gradient": solver.Step(gorgonia.NodesToValueGrads(r.params)),
		"3 before":                   solver.Step(nil),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	wide := gorgonia.NewVector(gorgonia.NewGraph(), tensor.Float64, gorgonia.WithShape(2), gorgonia.WithName("w"), gorgonia.WithInit(gorgonia.Zeroes()))
	if err := NewSolver(dev, gpu.NewSGD(1)).Step([]gorgonia.ValueGrad{wide}); err == nil || !strings.Contains(err.Error(), "float64: want float32") {
		t.Error(err)
	}
}
