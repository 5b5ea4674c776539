package gpu

import (
	"fmt"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// cpu is the backend over gpu/host.
type cpu struct{ engine *host.Engine }

func openCPU(why string, threads int) (*Device, error) {
	return newCPU(host.Best(), why, threads)
}

func newCPU(isa host.ISA, why string, threads int) (*Device, error) {
	memory := mem.New("cpu", mem.Heap{}, reclaim)
	engine, err := host.New(isa, threads, func(n int) ([]float32, func(), error) {
		b, err := memory.Alloc(4*int64(n), mem.Workspace)
		if err != nil {
			return nil, nil, err
		}
		return host.As[float32](b.Bytes()), func() { _ = b.Free() }, nil
	})
	if err != nil {
		return nil, err
	}
	detail := fmt.Sprintf("%s, %d threads", engine.ISA(), engine.Threads())
	if why != "" {
		detail += "; " + why
	}
	return register(&Device{name: "cpu", detail: detail, why: why, memory: memory, back: cpu{engine}}), nil
}

func (c cpu) upload(dst *Tensor, src []byte) error {
	copy(dst.raw(), src)
	return nil
}

func (c cpu) download(dst []byte, src *Tensor) error {
	copy(dst, src.raw())
	return nil
}

func (c cpu) clear(t *Tensor) error {
	clear(t.raw()[:t.Len()*t.dtype.Size()])
	return nil
}

func (c cpu) copy(dst, src *Tensor) error { return c.engine.Copy(view(dst), view(src)) }

// view is a tensor as the engine takes it.
func view(t *Tensor) host.View {
	return host.View{Data: t.raw(), DType: host.DType(t.dtype), Shape: t.shape, Strides: t.strides}
}

func (c cpu) close() error { return nil }

// heads is a (B, H, T, D) tensor as the engine takes it.
func heads(t *Tensor) host.Heads {
	return host.Heads{Data: t.values(), Batch: t.strides[0], Head: t.strides[1], Row: t.strides[2]}
}

// dense is a dense tensor's values.
func dense(t *Tensor) []float32 {
	if t == nil {
		return nil
	}
	return t.values()[:t.Len()]
}

func (a *attention) onHost() host.Attention {
	return host.Attention{
		B: a.b, H: a.h, Tq: a.tq, Tk: a.tk, D: a.d, Scale: a.scale, Causal: a.causal,
		Q: heads(a.q), K: heads(a.k), V: heads(a.v), Out: heads(a.out), LSE: dense(a.lse), Weights: dense(a.weights),
	}
}

func (c cpu) attention(a *attention) error {
	h := a.onHost()
	return c.engine.AttentionForward(&h)
}

func (c cpu) attentionGrad(a *attentionGrad) error {
	h := host.AttentionGrad{Attention: a.onHost(), DOut: heads(a.dOut), DQ: heads(a.dq), DK: heads(a.dk), DV: heads(a.dv)}
	h.Weights = nil
	return c.engine.AttentionBackward(&h)
}

func (c cpu) adam(o host.Adam, step int, p, g, m, v *Tensor) error {
	return c.engine.Step(o, step, dense(p), dense(g), dense(m), dense(v))
}
