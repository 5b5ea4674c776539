package gorgoniax_test

import (
	"fmt"
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"attune/gpu"
	"attune/stdlib/gorgoniax"
)

// A gorgonia graph learns to find the largest of six numbers: attune's attention
// looks at them, attune's AdamW steps.
func Example() {
	dev, err := gpu.Open("cpu")
	if err != nil {
		fmt.Println(err)
		return
	}
	const batch, tokens, d = 32, 6, 8
	rng := rand.New(rand.NewPCG(1, 1))
	normal := func(scale float64, shape ...int) *tensor.Dense {
		x := make([]float32, tensor.Shape(shape).TotalSize())
		for i := range x {
			x[i] = float32(rng.NormFloat64() * scale)
		}
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
	}
	// Numbers x, and y which is 1 at the largest of each row.
	x, y := normal(1, batch*tokens, 1), tensor.New(tensor.WithShape(batch, tokens), tensor.Of(tensor.Float32))
	for b := range batch {
		row := x.Float32s()[b*tokens : (b+1)*tokens]
		best := 0
		for i, v := range row {
			if v > row[best] {
				best = i
			}
		}
		y.Float32s()[b*tokens+best] = 1
	}

	g := gorgonia.NewGraph()
	leaf := func(name string, v *tensor.Dense) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float32, v.Dims(), gorgonia.WithShape(v.Shape()...), gorgonia.WithName(name), gorgonia.WithValue(v))
	}
	numbers, wanted := leaf("x", x), leaf("y", y)
	params := gorgonia.Nodes{}
	project := func(name string) *gorgonia.Node { // (B, 1, T, D)
		w := leaf(name, normal(1, 1, d))
		params = append(params, w)
		return gorgonia.Must(gorgonia.Reshape(gorgonia.Must(gorgonia.Mul(numbers, w)), tensor.Shape{batch, 1, tokens, d}))
	}
	seen, err := gorgoniax.Attention(dev, project("q"), project("k"), project("v"), gpu.AttentionOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	// What attention found, beside the number itself, gives each number its score.
	out := leaf("out", normal(0.3, d, 1))
	own := leaf("own", normal(1, 1, 1))
	params = append(params, out, own)
	flat := gorgonia.Must(gorgonia.Reshape(seen, tensor.Shape{batch * tokens, d}))
	score := gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.Mul(flat, out)), gorgonia.Must(gorgonia.Mul(numbers, own))))
	p := gorgonia.Must(gorgonia.SoftMax(gorgonia.Must(gorgonia.Reshape(score, tensor.Shape{batch, tokens})), 1))
	right := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(gorgonia.Must(gorgonia.Log(p)), wanted))))
	loss := gorgonia.Must(gorgonia.Neg(right))
	var value gorgonia.Value
	gorgonia.Read(loss, &value)
	if _, err := gorgonia.Grad(loss, params...); err != nil {
		fmt.Println(err)
		return
	}

	solver := gorgoniax.NewSolver(dev, gpu.NewAdamW(0.03, 0.001))
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer vm.Close()
	first := float32(0)
	for step := range 200 {
		if err := vm.RunAll(); err != nil {
			fmt.Println(err)
			return
		}
		if step == 0 {
			first = value.Data().(float32)
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(params)); err != nil {
			fmt.Println(err)
			return
		}
		vm.Reset()
	}
	fmt.Println("the loss is a fifth of what it was:", value.Data().(float32) < first/5)
	// Output: the loss is a fifth of what it was: true
}
