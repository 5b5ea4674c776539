package main

import (
	"fmt"

	g "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// peer is the same model in gorgonia.
type peer struct {
	vm     g.VM
	solver g.Solver
	params []g.ValueGrad
	loss   g.Value
}

func newPeer() (*peer, error) {
	values, labels := images()
	graph := g.NewGraph()
	x := g.NewTensor(graph, tensor.Float32, 4, g.WithName("x"), g.WithShape(batch, 3, side, side),
		g.WithValue(tensor.New(tensor.WithShape(batch, 3, side, side), tensor.WithBacking(values))))
	onehot := make([]float32, batch*classes)
	for i, l := range labels {
		onehot[i*classes+int(l)] = 1
	}
	t := g.NewMatrix(graph, tensor.Float32, g.WithName("t"), g.WithShape(batch, classes),
		g.WithValue(tensor.New(tensor.WithShape(batch, classes), tensor.WithBacking(onehot))))
	var params g.Nodes
	param := func(shape ...int) *g.Node {
		n := g.NewTensor(graph, tensor.Float32, len(shape), g.WithName(fmt.Sprint("p", len(params))), g.WithShape(shape...), g.WithInit(g.Gaussian(0, 0.05)))
		params = append(params, n)
		return n
	}
	kernel, one, two := tensor.Shape{3, 3}, []int{1, 1}, []int{2, 2}
	layer := func(x *g.Node, in, out, side int) (*g.Node, error) {
		y, err := g.Conv2d(x, param(out, in, 3, 3), kernel, one, one, one)
		if err != nil {
			return nil, err
		}
		if y, err = g.BroadcastAdd(y, param(1, out, 1, 1), nil, []byte{0, 2, 3}); err != nil {
			return nil, err
		}
		if y, err = g.Rectify(y); err != nil {
			return nil, err
		}
		return g.MaxPool2D(y, tensor.Shape{2, 2}, []int{0, 0}, two)
	}
	y, err := layer(x, 3, narrow, side)
	if err != nil {
		return nil, fmt.Errorf("build gorgonia's first layer: %w", err)
	}
	if y, err = layer(y, narrow, broad, side/2); err != nil {
		return nil, fmt.Errorf("build gorgonia's second layer: %w", err)
	}
	if y, err = g.Reshape(y, tensor.Shape{batch, flat}); err == nil {
		y, err = g.Mul(y, param(flat, classes))
	}
	if err == nil {
		y, err = g.BroadcastAdd(y, param(1, classes), nil, []byte{0})
	}
	if err == nil {
		y, err = g.SoftMax(y)
	}
	if err != nil {
		return nil, fmt.Errorf("build gorgonia's last layer: %w", err)
	}
	return compiled(graph, y, t, params)
}

// compiled adds the loss and its gradients and makes the machine.
func compiled(graph *g.ExprGraph, y, t *g.Node, params g.Nodes) (*peer, error) {
	p := &peer{}
	logs, err := g.Log(y)
	if err == nil {
		logs, err = g.HadamardProd(logs, t)
	}
	if err == nil {
		logs, err = g.Sum(logs)
	}
	var loss *g.Node
	if err == nil {
		loss, err = g.Mul(logs, g.NewConstant(float32(-1.0/batch)))
	}
	if err == nil {
		g.Read(loss, &p.loss)
		_, err = g.Grad(loss, params...)
	}
	if err != nil {
		return nil, fmt.Errorf("build gorgonia's loss: %w", err)
	}
	p.vm, p.solver, p.params = g.NewTapeMachine(graph, g.BindDualValues(params...)), g.NewAdamSolver(g.WithLearnRate(0.001)), g.NodesToValueGrads(params)
	return p, nil
}

func (p *peer) step() (float32, error) {
	if err := p.vm.RunAll(); err != nil {
		return 0, fmt.Errorf("run gorgonia's step: %w", err)
	}
	loss, ok := p.loss.Data().(float32)
	if !ok {
		return 0, fmt.Errorf("gorgonia's loss is %T", p.loss.Data())
	}
	if err := p.solver.Step(p.params); err != nil {
		return 0, fmt.Errorf("step gorgonia's solver: %w", err)
	}
	p.vm.Reset()
	return loss, nil
}
