package main

import (
	"fmt"
	"math"
	"time"

	"attune/gpu"
	"attune/stdlib/balance"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// stepModel is the transformer of a training step: GPT-2's smallest in width and depth.
type stepModel struct{ blocks, width, heads, length, batch, classes int }

func model(tiny bool) stepModel {
	if tiny {
		return stepModel{1, 32, 2, 16, 2, 50}
	}
	return stepModel{12, 768, 12, 1024, 8, 50304}
}

func (m stepModel) rival(dtype gpu.DType) *rivalCase {
	return &rivalCase{What: "step", B: m.batch, H: m.heads, T: m.length, D: m.width, M: m.blocks, N: m.classes, DType: dtype.String(), Goals: map[string]float64{"best": 1}}
}

// stepItems measure it as a notebook would write it.
func stepItems(b *bench) ([]item, error) {
	m := model(b.o.tiny)
	var out []item
	for _, dtype := range []gpu.DType{gpu.BFloat16, gpu.Float32} {
		name := fmt.Sprintf("training step %s, %d blocks of width %d, %d heads, (%d, %d) tokens", dtype, m.blocks, m.width, m.heads, m.batch, m.length)
		out = append(out, item{name, "", func() row { return b.step(m, dtype) }})
		if b.o.tiny {
			break
		}
	}
	return out, nil
}

// task is the model and what it learns.
func (m stepModel) task(dev *gpu.Device, dtype gpu.DType) (balance.Task, *data.Batch) {
	net := nn.NewNet(dev, 1)
	net.Precision = dtype
	table, place := net.Embedding("table", m.classes, m.width), net.Position("place", m.length, m.width)
	var blocks []*nn.Block
	for i := range m.blocks {
		x := net.Block(fmt.Sprintf("block %d", i), m.width, m.heads, 4*m.width)
		x.Attention.Causal = true
		blocks = append(blocks, x)
	}
	norm, head := net.LayerNorm("norm", m.width), net.Linear("head", m.width, m.classes)
	batch := &data.Batch{Shape: []int{m.batch, m.length}}
	for i := range m.batch * m.length {
		batch.Tokens = append(batch.Tokens, int32(i*i%m.classes))
		batch.Labels = append(batch.Labels, (i*i+1)%m.classes)
	}
	return balance.Task{Net: net, Optimizer: gpu.NewAdamW(1e-4, 0.1), Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
		x := place.Apply(t, table.Apply(t, t.Tokens(b.Tokens, b.Shape...)))
		for _, block := range blocks {
			x = block.Apply(t, x)
		}
		return t.CrossEntropy(t.Reshape(head.Apply(t, norm.Apply(t, x)), b.Shape[0]*b.Shape[1], m.classes), b.Labels)
	}}, batch
}

// step times steps by the wall, as users see them, and holds the peak that is told
// before to the one that comes.
func (b *bench) step(m stepModel, dtype gpu.DType) row {
	task, batch := m.task(b.dev, dtype)
	told, err := balance.Evaluate(task, batch)
	if err != nil {
		return row{Fail: "tell the peak: " + err.Error()}
	}
	steps := 10
	if b.o.tiny {
		steps = 1
	}
	least, all := time.Duration(math.MaxInt64), time.Duration(0)
	loss := 0.0
	for i := range steps + 3 { // three to compile and to fill the allocator
		begin := time.Now()
		loss, err = task.Net.Step(task.Optimizer, func(t *nn.Tape) *nn.Value { return task.Loss(t, batch) })
		if err = firstOf(err, b.dev.Synchronize()); err != nil {
			return row{Fail: fmt.Sprintf("step %d: %v", i, err)}
		}
		if i < 2 {
			b.dev.ResetPeak()
		}
		if i >= 3 {
			took := time.Since(begin)
			least, all = min(least, took), all+took
		}
	}
	peak := b.dev.Memory().Total.Peak
	tokens := float64(m.batch * m.length)
	mean := all / time.Duration(steps)
	return row{
		Median: mean, Least: least, Form: newest(b.forms, b.probe.Launched()), Kernels: []string{"attune/stdlib/nn"},
		// Six operations for each parameter and token, and attention's (Kaplan et al. 2020).
		FLOP:   tokens * (6*float64(told.Parameters-m.classes*m.width) + 6*float64(m.blocks*m.length*m.width)),
		Figure: fmt.Sprintf("%.0f tokens/s; loss %.2f; peak told %.1f MiB, real %.1f MiB", tokens/mean.Seconds(), loss, mib(told.Peak), mib(peak)),
		Rival:  m.rival(dtype),
		Met:    met(peak == told.Peak),
	}
}
