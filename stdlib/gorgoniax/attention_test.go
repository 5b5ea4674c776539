package gorgoniax

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"attune/gpu"
	"attune/gpu/mem"
)

// mixed is a graph whose cost is the sum of attention(2q, k, v) * weight; the
// queries are a product so that a gradient must go through the op to other nodes.
type mixed struct {
	graph  *gorgonia.ExprGraph
	inputs gorgonia.Nodes
	cost   gorgonia.Value
	grads  []gorgonia.Value
}

func newMixed(t *testing.T, dev *gpu.Device, o gpu.AttentionOptions, values [3]*tensor.Dense, weight *tensor.Dense) *mixed {
	t.Helper()
	m := &mixed{graph: gorgonia.NewGraph(), grads: make([]gorgonia.Value, 3)}
	node := func(name string, d *tensor.Dense) *gorgonia.Node {
		return gorgonia.NewTensor(m.graph, tensor.Float32, 4, gorgonia.WithShape(d.Shape()...), gorgonia.WithName(name), gorgonia.WithValue(d))
	}
	for i, name := range []string{"q", "k", "v"} {
		m.inputs = append(m.inputs, node(name, values[i]))
	}
	double := gorgonia.Must(gorgonia.Add(m.inputs[0], m.inputs[0]))
	y, err := Attention(dev, double, m.inputs[1], m.inputs[2], o)
	if err != nil {
		t.Fatal(err)
	}
	cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(y, node("weight", weight)))))
	grads, err := gorgonia.Grad(cost, m.inputs...)
	if err != nil {
		t.Fatal(err)
	}
	gorgonia.Read(cost, &m.cost)
	for i := range m.grads {
		gorgonia.Read(grads[i], &m.grads[i])
	}
	return m
}

// TestAttentionGradients compares the gradients by query, key and value with
// central differences. With steps of 1e-2 in float32 both the rounding and the
// cut-off stay below 5e-3 of 1 + |gradient|. The machine runs twice: the second
// pass must not see the first one's gradients.
func TestAttentionGradients(t *testing.T) {
	dev := device(t)
	rng := rand.New(rand.NewPCG(5, 6))
	for _, o := range []gpu.AttentionOptions{{}, {Causal: true}} {
		values := [3]*tensor.Dense{random(rng, 2, 4, 3, 8), random(rng, 2, 2, 5, 8), random(rng, 2, 2, 5, 8)} // two query heads a key head
		m := newMixed(t, dev, o, values, random(rng, 2, 4, 3, 8))
		vm := gorgonia.NewTapeMachine(m.graph)
		cost := func() float64 {
			t.Helper()
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			defer vm.Reset()
			return float64(m.cost.Data().(float32))
		}
		for pass := range 2 {
			for i := range values {
				x := values[i].Float32s()
				x[0] += float32(pass)
				cost()
				grad := append([]float32(nil), m.grads[i].(*tensor.Dense).Float32s()...)
				for _, j := range []int{0, 1, len(x) / 2, len(x) - 1} {
					const h = 1e-2
					old := x[j]
					x[j] = old + h
					up := cost()
					x[j] = old - h
					down := cost()
					x[j] = old
					if want := (up - down) / (2 * h); math.Abs(want-float64(grad[j])) > 5e-3*(1+math.Abs(want)) {
						t.Fatalf("%+v: gradient by %s[%d] is %g, numeric %g", o, m.inputs[i].Name(), j, grad[j], want)
					}
				}
			}
		}
		if err := vm.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAttentionHoldsOnePass: however often the graph runs, memory is that of one
// pass.
func TestAttentionHoldsOnePass(t *testing.T) {
	dev, err := gpu.OpenCPU(1)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	values := [3]*tensor.Dense{random(rng, 1, 1, 4, 8), random(rng, 1, 1, 4, 8), random(rng, 1, 1, 4, 8)}
	m := newMixed(t, dev, gpu.AttentionOptions{}, values, random(rng, 1, 1, 4, 8))
	vm := gorgonia.NewTapeMachine(m.graph)
	defer vm.Close()
	for range 5 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
	}
	s := dev.Memory()
	// Three inputs and the output of 128 bytes, 4 sums of 4 bytes; three gradients.
	if s.ByCategory[mem.Activations].Live != 4*128+16 || s.ByCategory[mem.Gradients].Live != 3*128 {
		t.Errorf("%+v", s.ByCategory)
	}
}

func TestAttentionRefuses(t *testing.T) {
	dev := device(t)
	g := gorgonia.NewGraph()
	node := func(dt tensor.Dtype, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName("n"), gorgonia.WithInit(gorgonia.Zeroes()))
	}
	q := node(tensor.Float32, 1, 1, 4, 8)
	for want, other := range map[string]*gorgonia.Node{
		"key is (4, 8) of float32":            node(tensor.Float32, 4, 8),
		"the key is a nil node":               nil,
		"key is (1, 1, 4, 8) of float64":      node(tensor.Float64, 1, 1, 4, 8),
		"query f32 (1, 1, 4, 8)":              node(tensor.Float32, 1, 1, 4, 9),
		"add attention to the graph: key is ": node(tensor.Float32, 3),
	} {
		_, err := Attention(dev, q, other, q, gpu.AttentionOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	for want, err := range map[string]error{
		"add attention to the graph: nil device":        second(Attention(nil, q, q, q, gpu.AttentionOptions{})),
		"2 key lengths for a batch of 1":                second(Attention(dev, q, q, q, gpu.AttentionOptions{KeyLengths: []int{1, 2}})),
		"make a gpu tensor of a Dense: nil Dense":       second(FromDense(dev, nil, mem.Data)),
		"make a gpu tensor of a Dense: nil device":      second(FromDense(nil, tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(1)), mem.Data)),
		"NewSolver was given a nil device or optimizer": NewSolver(nil, nil).Step(nil),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if s := NewSolver(dev, gpu.NewSGD(0.1)).String(); !strings.HasPrefix(s, "gorgonia solver on "+dev.Name()) || !strings.HasSuffix(s, ": sgd, rate 0.1, step 0") {
		t.Error(s)
	}
}

func second[T any](_ T, err error) error { return err }
