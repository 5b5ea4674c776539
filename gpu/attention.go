package gpu

import (
	"fmt"
	"math"
	"runtime"

	"attune/gpu/mem"
)

// AttentionOption changes how Attention works.
type AttentionOption func(*attentionConfig)

type attentionConfig struct {
	causal, weights bool
	scale           *float64
}

// Causal lets query i see the keys j <= i + Tk - Tq only: the last query sees
// all keys.
func Causal() AttentionOption { return func(c *attentionConfig) { c.causal = true } }

// Scale sets what the scores are multiplied with, 1/sqrt(D) if not given. With 0
// all weights of a row are equal.
func Scale(s float64) AttentionOption { return func(c *attentionConfig) { c.scale = &s } }

// WithWeights asks for the (B, H, Tq, Tk) map of weights too.
func WithWeights() AttentionOption { return func(c *attentionConfig) { c.weights = true } }

// AttentionResult is what Attention computed, and what its gradient needs.
type AttentionResult struct {
	// Output is (B, H, Tq, D), laid out in memory in the query's order of axes.
	Output *Tensor
	// LSE is (B, H, Tq): the logsumexp of each query's scores, -Inf for one that
	// sees no key.
	LSE *Tensor
	// Weights is (B, H, Tq, Tk), each row sums to 1 (to 0 where no key is seen); nil
	// unless WithWeights was given.
	Weights *Tensor

	call attention
}

// attention is one checked call as a backend sees it.
type attention struct {
	b, h, tq, tk, d   int
	scale             float32
	causal            bool
	q, k, v           *Tensor // (B, H, Tq, D), (B, H, Tk, D) twice; last stride 1
	out, lse, weights *Tensor // (B, H, Tq, D), (B, H, Tq), (B, H, Tq, Tk) or nil
}

// attentionGrad is one checked call of the gradient.
type attentionGrad struct {
	attention
	dOut       *Tensor // (B, H, Tq, D)
	dq, dk, dv *Tensor // as q, k, v
}

// Attention computes softmax(scale Q K^T) V (Vaswani et al. 2017, eq. 1), tiled,
// with an online softmax (FlashAttention, Dao et al. 2022). q is (B, H, Tq, D), k
// and v are (B, H, Tk, D), float32, on one device; any strides with the last 1.
// Results are counted as activations.
func Attention(q, k, v *Tensor, options ...AttentionOption) (*AttentionResult, error) {
	var c attentionConfig
	for _, o := range options {
		o(&c)
	}
	a, err := newAttention(q, k, v, c)
	if err != nil {
		return nil, fmt.Errorf("compute attention: %w", err)
	}
	r := &AttentionResult{call: a}
	if err := r.allocate(c.weights); err != nil {
		_ = r.Free()
		return nil, fmt.Errorf("compute attention of %s: %w", q, err)
	}
	defer keep(q, k, v)
	if err := q.store.dev.back.attention(&r.call); err != nil {
		_ = r.Free()
		return nil, fmt.Errorf("compute attention of %s: %w", q, err)
	}
	return r, nil
}

func newAttention(q, k, v *Tensor, c attentionConfig) (attention, error) {
	if err := sameDevice(q, k, v); err != nil {
		return attention{}, err
	}
	for _, t := range []*Tensor{q, k, v} {
		if len(t.shape) != 4 || t.shape[3] > 1 && t.strides[3] != 1 {
			return attention{}, fmt.Errorf("%s: want (B, H, T, D) with last stride 1, have strides %s", t, dims(t.strides))
		}
	}
	a := attention{b: q.shape[0], h: q.shape[1], tq: q.shape[2], tk: k.shape[2], d: q.shape[3], causal: c.causal, q: q, k: k, v: v}
	want := dims([]int{a.b, a.h, a.tk, a.d})
	if dims(k.shape) != want || dims(v.shape) != want {
		return attention{}, fmt.Errorf("query %s, key %s, value %s do not fit", q, k, v)
	}
	if a.b*a.h*a.tq*a.tk*a.d == 0 {
		return attention{}, fmt.Errorf("query %s, key %s: empty", q, k)
	}
	a.scale = float32(1 / math.Sqrt(float64(a.d)))
	if c.scale != nil {
		a.scale = float32(*c.scale)
	}
	return a, nil
}

// allocate makes the results' tensors. The output's axes lie as the query's do,
// so that (B, T, H, D) from a projection comes out as one.
func (r *AttentionResult) allocate(weights bool) error {
	a, dev := &r.call, r.call.q.store.dev
	var err error
	if r.Output, err = likeHeads(dev, mem.Activations, a.q); err != nil {
		return err
	}
	if r.LSE, err = dev.Empty(Float32, mem.Activations, a.b, a.h, a.tq); err != nil {
		return err
	}
	if weights {
		if r.Weights, err = dev.Empty(Float32, mem.Activations, a.b, a.h, a.tq, a.tk); err != nil {
			return err
		}
	}
	a.out, a.lse, a.weights = r.Output, r.LSE, r.Weights
	return nil
}

// likeHeads makes a tensor of t's shape (B, H, T, D), dense in t's order of axes.
func likeHeads(dev *Device, cat mem.Category, t *Tensor) (*Tensor, error) {
	s := t.shape
	if t.strides[1] >= t.strides[2] || s[1] == 1 {
		return dev.Empty(Float32, cat, s...)
	}
	x, err := dev.Empty(Float32, cat, s[0], s[2], s[1], s[3])
	if err != nil {
		return nil, err
	}
	return x.Permute(0, 2, 1, 3)
}

// Free gives Output, LSE and Weights back.
func (r *AttentionResult) Free() error {
	var first error
	for _, t := range []*Tensor{r.Output, r.LSE, r.Weights} {
		if err := t.Free(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Backward computes the gradients by query, key and value of a loss whose
// gradient by Output is dOut (B, H, Tq, D). They are counted as gradients.
func (r *AttentionResult) Backward(dOut *Tensor) (dq, dk, dv *Tensor, err error) {
	made := make([]*Tensor, 0, 3)
	for _, t := range []*Tensor{r.call.q, r.call.k, r.call.v} {
		g, err := likeHeads(t.store.dev, mem.Gradients, t)
		if err == nil {
			made = append(made, g)
			continue
		}
		for _, m := range made {
			_ = m.Free()
		}
		return nil, nil, nil, fmt.Errorf("compute attention gradients of %s: %w", r.call.q, err)
	}
	if err := r.BackwardInto(dOut, made[0], made[1], made[2]); err != nil {
		for _, m := range made {
			_ = m.Free()
		}
		return nil, nil, nil, err
	}
	return made[0], made[1], made[2], nil
}

// BackwardInto is Backward into given tensors, which it overwrites. Their last
// stride is 1.
func (r *AttentionResult) BackwardInto(dOut, dq, dk, dv *Tensor) error {
	g := &attentionGrad{attention: r.call, dOut: dOut, dq: dq, dk: dk, dv: dv}
	if err := g.check(); err != nil {
		return fmt.Errorf("compute attention gradients: %w", err)
	}
	defer keep(r.call.q, r.call.k, r.call.v, r.Output, r.LSE, dOut, dq, dk, dv)
	if err := r.call.q.store.dev.back.attentionGrad(g); err != nil {
		return fmt.Errorf("compute attention gradients of %s: %w", r.call.q, err)
	}
	return nil
}

func (g *attentionGrad) check() error {
	if err := sameDevice(g.q, g.k, g.v, g.out, g.lse, g.dOut, g.dq, g.dk, g.dv); err != nil {
		return err
	}
	for _, p := range [][2]*Tensor{{g.dOut, g.out}, {g.dq, g.q}, {g.dk, g.k}, {g.dv, g.v}} {
		if dims(p[0].shape) != dims(p[1].shape) || p[0].shape[3] > 1 && p[0].strides[3] != 1 {
			return fmt.Errorf("gradient %s with strides %s for %s", p[0], dims(p[0].strides), p[1])
		}
	}
	return nil
}

// sameDevice is an error unless all are live float32 tensors of one device.
func sameDevice(all ...*Tensor) error {
	for _, t := range all {
		switch {
		case t == nil:
			return fmt.Errorf("nil tensor")
		case t.store.freed.Load():
			return fmt.Errorf("%s: used after Free", t)
		case t.dtype != Float32:
			return fmt.Errorf("%s: only f32 is supported", t)
		case t.store.dev != all[0].store.dev:
			return fmt.Errorf("%s and %s: on two devices", all[0], t)
		}
	}
	return nil
}

// keep holds tensors back from the collector until a call that uses their memory
// has ended.
func keep(all ...*Tensor) {
	for _, t := range all {
		runtime.KeepAlive(t.store)
	}
}
