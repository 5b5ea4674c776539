package main

import (
	"errors"

	"attune/gpu"
	"attune/gpu/mem"
)

// step does one training step and returns the mean loss.
func (m *model) step() (float32, error) {
	x := m.fresh(tokens, width)
	m.do("embedding", func() error { return gpu.Embedding(x.x, m.table.x, m.ids) })
	m.back = append(m.back, func() {
		m.do("embedding grad", func() error { return gpu.EmbeddingGrad(m.table.d, x.d, m.ids) })
	})
	h := m.add(x, m.pos)
	for i := range m.layer {
		l := &m.layer[i]
		h = m.add(h, m.linear(m.attend(m.linear(m.layerNorm(h, l.norm1), l.qkv, l.qkvB)), l.out, l.outB))
		h = m.add(h, m.linear(m.gelu(m.linear(m.layerNorm(h, l.norm2), l.up, l.upB)), l.down, l.downB))
	}
	logits := m.linear(m.layerNorm(h, m.norm), m.head, m.headBias)
	loss := m.crossEntropy(logits)
	for i := len(m.back) - 1; i >= 0; i-- {
		m.back[i]()
	}
	m.back = m.back[:0]
	xs, ds := make([]*gpu.Tensor, len(m.params)), make([]*gpu.Tensor, len(m.params))
	for i, p := range m.params {
		xs[i], ds[i] = p.x, p.d
	}
	m.do("adam", func() error { return m.adam.Step(xs, ds) })
	m.do("clear gradients", func() error {
		var errs []error
		for _, d := range ds {
			errs = append(errs, d.Clear())
		}
		return errors.Join(errs...)
	})
	m.do("free", func() error {
		var errs []error
		for _, t := range m.made {
			errs = append(errs, t.Free())
		}
		return errors.Join(errs...)
	})
	m.made = m.made[:0]
	return loss, m.err
}

// add is x + y; y may be a part of x's shape.
func (m *model) add(x, y value) value {
	z := m.fresh(tokens, width)
	m.do("add", func() error { return gpu.AddBias(z.x, x.x, y.x) })
	m.back = append(m.back, func() {
		m.do("add grad", func() error { return errors.Join(gpu.Add(x.d, z.d), gpu.SumRows(y.d, z.d, 1)) })
	})
	return z
}

func (m *model) linear(x, w, b value) value {
	y := m.fresh(tokens, w.x.Dim(1))
	m.do("matmul", func() error { return gpu.MatMulBias(y.x, x.x, w.x, b.x) })
	m.back = append(m.back, func() {
		m.do("matmul grad w", func() error { return gpu.MatMul(w.d, turned(x.x), y.d, true) })
		m.do("bias grad", func() error { return gpu.SumRows(b.d, y.d, 1) })
		m.do("matmul grad x", func() error { return gpu.MatMul(x.d, y.d, turned(w.x), true) })
	})
	return y
}

func (m *model) gelu(x value) value {
	y := m.fresh(tokens, 4*width)
	m.do("gelu", func() error { return gpu.GELU(y.x, x.x) })
	m.back = append(m.back, func() { m.do("gelu grad", func() error { return gpu.GELUGrad(x.d, x.x, y.d) }) })
	return y
}

func (m *model) layerNorm(x value, p [2]value) value {
	y, stats := m.fresh(tokens, width), m.fresh(2, tokens)
	mean, rstd := m.index(stats.x, 0), m.index(stats.x, 1)
	m.do("layer norm", func() error { return gpu.LayerNorm(y.x, mean, rstd, x.x, p[0].x, p[1].x, 1e-5) })
	m.back = append(m.back, func() {
		m.do("layer norm grad", func() error { return gpu.LayerNormGrad(x.d, p[0].d, p[1].d, x.x, y.d, p[0].x, mean, rstd) })
	})
	return y
}

func (m *model) index(t *gpu.Tensor, i int) *gpu.Tensor {
	v, err := t.Index(0, i)
	m.err = errors.Join(m.err, err)
	return v
}

// split views (tokens, 3 width) as query, key and value in heads.
func (m *model) split(x *gpu.Tensor) (out [3]*gpu.Tensor) {
	five := view(x, batch, length, 3, heads, width/heads)
	for i := range out {
		v, err := five.Index(2, i)
		if err == nil {
			v, err = v.Permute(0, 2, 1, 3)
		}
		out[i], m.err = v, errors.Join(m.err, err)
	}
	return out
}

func (m *model) attend(qkv value) value {
	in, y := m.split(qkv.x), value{}
	var r *gpu.AttentionResult
	m.do("attention", func() (err error) {
		r, err = gpu.Attention(in[0], in[1], in[2], gpu.AttentionOptions{Causal: true})
		return err
	})
	if m.err != nil {
		return y
	}
	m.made = append(m.made, r.Output, r.LSE)
	out, err := r.Output.Permute(0, 2, 1, 3)
	m.err = errors.Join(m.err, err)
	y.x = view(out, tokens, width)
	m.do("make zeros", func() (err error) { y.d, err = m.dev.Zeros(mem.Gradients, tokens, width); return err })
	m.made = append(m.made, y.d)
	m.back = append(m.back, func() {
		d := m.split(qkv.d)
		dy, err := view(y.d, batch, length, heads, width/heads).Permute(0, 2, 1, 3)
		m.err = errors.Join(m.err, err)
		m.do("attention grad", func() error { return r.BackwardInto(dy, d[0], d[1], d[2]) })
	})
	return y
}

func (m *model) crossEntropy(x value) float32 {
	loss, lse := m.fresh(tokens), m.fresh(tokens)
	mean := m.fresh(1)
	m.do("cross-entropy", func() error {
		return errors.Join(gpu.CrossEntropy(loss.x, lse.x, x.x, m.labels), gpu.Fill(mean.x, 0), gpu.SumRows(mean.x, loss.x, 1.0/tokens))
	})
	m.back = append(m.back, func() {
		m.do("cross-entropy grad", func() error { return gpu.CrossEntropyGrad(x.d, x.x, m.labels, lse.x, nil, 1.0/tokens) })
	})
	if m.err != nil {
		return 0
	}
	values, err := mean.x.Float32s()
	m.err = errors.Join(m.err, err)
	if m.err != nil {
		return 0
	}
	return values[0]
}
