package gpu

import "attune/gpu/host"

// heads is a (B, H, T, D) tensor as the engine takes it.
func (a *attention) heads(t *Tensor) host.Heads {
	h := host.Heads{DType: host.DType(t.dtype), Batch: a.batchStride(t), Head: t.strides[1], Row: t.strides[2]}
	if t.dtype == Float32 {
		h.Data = t.values()
	} else {
		h.Half = host.As[uint16](t.raw())
	}
	return h
}

func (a *attention) onHost() host.Attention {
	h := host.Attention{
		B: a.b, H: a.h, Kv: a.kv, Tq: a.tq, Tk: a.tk, D: a.d, Scale: a.scale, Left: a.left, Right: a.right,
		Seqs: a.sequences(), Slopes: a.slopes, Drop: a.drop, Seed: a.seed, First: a.first,
		Q: a.heads(a.q), K: a.heads(a.k), V: a.heads(a.v), Out: a.heads(a.out), LSE: dense(a.lse),
	}
	h.LSEBatch, h.LSEHead = a.lseStrides()
	if a.bias != nil {
		h.Bias.Data = a.bias.values()
		h.Bias.Batch, h.Bias.Head, h.Bias.Row = a.biasStrides()
	}
	return h
}

func (c cpu) attention(a *attention) error {
	h := a.onHost()
	return c.engine.AttentionForward(&h)
}

func (c cpu) attentionWeights(a *attention, queries []int, w *Tensor) error {
	h := a.onHost()
	return c.engine.AttentionWeights(&h, queries, dense(w))
}

func (c cpu) attentionGrad(a *attentionGrad) error {
	return c.engine.AttentionBackward(&host.AttentionGrad{
		Attention: a.onHost(), DOut: a.heads(a.dOut), DQ: a.heads(a.dq), DK: a.heads(a.dk), DV: a.heads(a.dv),
	})
}
