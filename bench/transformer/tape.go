package main

import (
	"attune/gpu"
	"attune/stdlib/nn"
)

// tape is the same model through nn, as a notebook writes it.
type tape struct {
	net    *nn.Net
	adam   gpu.Optimizer
	table  *nn.Embedding
	place  *nn.Position
	blocks []*nn.Block
	norm   *nn.LayerNorm
	head   *nn.Linear
	ids    []int32
	labels []int
}

func newTape(dev *gpu.Device) *tape {
	n := nn.NewNet(dev, 1)
	m := &tape{net: n, adam: gpu.NewAdam(1e-3), table: n.Embedding("table", classes, width), place: n.Position("place", length, width),
		ids: make([]int32, tokens), labels: make([]int, tokens)}
	for range blocks {
		b := n.Block("block", width, heads, 4*width)
		b.Attention.Causal = true
		m.blocks = append(m.blocks, b)
	}
	m.norm, m.head = n.LayerNorm("norm", width), n.Linear("head", width, classes)
	for i := range m.labels {
		m.ids[i] = int32(i * i % classes)
		m.labels[i] = (i*i + 1) % classes
	}
	return m
}

func (m *tape) step() (float32, error) {
	loss, err := m.net.Step(m.adam, func(t *nn.Tape) *nn.Value {
		x := m.place.Apply(t, m.table.Apply(t, t.Tokens(m.ids, batch, length)))
		for _, b := range m.blocks {
			x = b.Apply(t, x)
		}
		return t.CrossEntropy(t.Reshape(m.head.Apply(t, m.norm.Apply(t, x)), tokens, classes), m.labels)
	})
	return float32(loss), err
}
