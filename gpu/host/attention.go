package host

import "fmt"

// Heads is a strided view of (B, H, T, D) float32: element (b, h, t, d) is
// Data[b*Batch + h*Head + t*Row + d].
type Heads struct {
	Data             []float32
	Batch, Head, Row int
}

// DenseHeads is the row-major view of data as (B, H, t, d) with h heads.
func DenseHeads(data []float32, h, t, d int) Heads {
	return Heads{Data: data, Batch: h * t * d, Head: t * d, Row: d}
}

func (x Heads) check(name string, b, h, t, d int) error {
	if b*h*t*d == 0 {
		return nil
	}
	last := (b-1)*x.Batch + (h-1)*x.Head + (t-1)*x.Row + d - 1
	if x.Batch < 0 || x.Head < 0 || x.Row < 0 || last >= len(x.Data) {
		return fmt.Errorf("%s (%d, %d, %d, %d) with strides (%d, %d, %d, 1) reaches past its %d elements",
			name, b, h, t, d, x.Batch, x.Head, x.Row, len(x.Data))
	}
	return nil
}

// at is the data from a head's first row on.
func (x Heads) at(b, h int) []float32 { return x.Data[min(len(x.Data), b*x.Batch+h*x.Head):] }

// Attention is one scaled dot-product attention (Vaswani et al. 2017, eq. 1).
type Attention struct {
	B, H, Tq, Tk, D int
	// Scale multiplies the scores, 1/sqrt(D) in the paper.
	Scale float32
	// Causal lets query i see the keys j <= i + Tk - Tq.
	Causal bool

	Q, K, V Heads     // (B, H, Tq, D), (B, H, Tk, D), (B, H, Tk, D)
	Out     Heads     // (B, H, Tq, D)
	LSE     []float32 // (B, H, Tq), dense: logsumexp of each query's scores
	Weights []float32 // (B, H, Tq, Tk), dense; nil where they are not wanted
}

// headForward is one head's queries q0 <= i < q1.
type headForward struct {
	q, k, v, out, lse, weights []float32
	ldq, ldk, ldv, ldo         int
	q0, q1, tq, tk, d          int
	scale                      float32
	causal                     bool
}

// headBackward is one head's gradients.
type headBackward struct {
	headForward
	dOut, dQ, dK, dV       []float32
	lddo, lddq, lddk, lddv int
}

func (a *Attention) check() error {
	if a.B < 0 || a.H < 0 || a.Tq < 0 || a.Tk < 0 || a.D < 1 {
		return fmt.Errorf("shape (%d, %d, %d/%d, %d)", a.B, a.H, a.Tq, a.Tk, a.D)
	}
	for _, x := range []struct {
		name string
		view Heads
		t    int
	}{{"query", a.Q, a.Tq}, {"key", a.K, a.Tk}, {"value", a.V, a.Tk}, {"output", a.Out, a.Tq}} {
		if err := x.view.check(x.name, a.B, a.H, x.t, a.D); err != nil {
			return err
		}
	}
	if len(a.LSE) != a.B*a.H*a.Tq {
		return fmt.Errorf("logsumexp has %d elements, not (%d, %d, %d)", len(a.LSE), a.B, a.H, a.Tq)
	}
	if a.Weights != nil && len(a.Weights) != a.B*a.H*a.Tq*a.Tk {
		return fmt.Errorf("weights have %d elements, not (%d, %d, %d, %d)", len(a.Weights), a.B, a.H, a.Tq, a.Tk)
	}
	return nil
}

// work estimates the nanoseconds of all heads on one core.
func (a *Attention) work(flops int) int {
	return int(float64(a.B*a.H) * float64(a.Tq) * float64(a.Tk+8) * float64(a.D) * float64(flops) / 60)
}

func (a *Attention) head(i int) headForward {
	b, h := i/a.H, i%a.H
	f := headForward{
		q: a.Q.at(b, h), k: a.K.at(b, h), v: a.V.at(b, h), out: a.Out.at(b, h), lse: a.LSE[i*a.Tq : (i+1)*a.Tq],
		ldq: a.Q.Row, ldk: a.K.Row, ldv: a.V.Row, ldo: a.Out.Row,
		q1: a.Tq, tq: a.Tq, tk: a.Tk, d: a.D, scale: a.Scale, causal: a.Causal,
	}
	if a.Weights != nil {
		f.weights = a.Weights[i*a.Tq*a.Tk : (i+1)*a.Tq*a.Tk]
	}
	return f
}

// queryChunk is the least number of queries worth packing a head's keys again
// for; a multiple of every tile's width.
const queryChunk = 192

// AttentionForward fills Out, LSE and, where not nil, Weights. A query that sees
// no key gets output 0, weights 0 and logsumexp -Inf.
func (e *Engine) AttentionForward(a *Attention) error {
	if err := a.check(); err != nil {
		return fmt.Errorf("compute attention: %w", err)
	}
	if a.B*a.H*a.Tq == 0 {
		return nil
	}
	if a.Tk == 0 {
		return fmt.Errorf("compute attention: no keys for %d queries", a.Tq)
	}
	heads, chunk := a.B*a.H, a.Tq
	if e.threads > 1 && heads < 4*e.threads {
		// About four pieces a thread, so that none waits long for another.
		chunk = (heads*a.Tq/(4*e.threads) + queryChunk - 1) / queryChunk * queryChunk
		chunk = max(queryChunk, min(chunk, a.Tq))
	}
	per := (a.Tq + chunk - 1) / chunk
	space := e.run.attentionSpace(a.Tk, a.D)
	err := e.tasks(heads*per, a.work(4), space, func(i int, ws []float32) {
		h := a.head(i / per)
		// The longest pieces of a causal head come first, so that no thread ends late.
		c := per - 1 - i%per
		h.q0, h.q1 = c*chunk, min(a.Tq, (c+1)*chunk)
		e.run.attention(h, ws)
	})
	if err != nil {
		return fmt.Errorf("compute attention: %w", err)
	}
	return nil
}

// AttentionGrad asks for gradients: Attention with Out and LSE as forward left
// them, and the gradient by the output.
type AttentionGrad struct {
	Attention
	DOut       Heads // (B, H, Tq, D)
	DQ, DK, DV Heads // as Q, K, V; overwritten
}

// AttentionBackward fills DQ, DK and DV (FlashAttention-2, Dao 2023, alg. 2).
func (e *Engine) AttentionBackward(a *AttentionGrad) error {
	err := a.check()
	for _, x := range []struct {
		name string
		view Heads
		t    int
	}{{"output gradient", a.DOut, a.Tq}, {"query gradient", a.DQ, a.Tq}, {"key gradient", a.DK, a.Tk}, {"value gradient", a.DV, a.Tk}} {
		if err == nil {
			err = x.view.check(x.name, a.B, a.H, x.t, a.D)
		}
	}
	if err == nil && a.Tk == 0 && a.B*a.H*a.Tq > 0 {
		err = fmt.Errorf("no keys for %d queries", a.Tq)
	}
	if err == nil && a.B*a.H*a.Tk > 0 {
		space := e.run.attentionGradSpace(a.Tk, a.D)
		err = e.tasks(a.B*a.H, a.work(10), space, func(i int, ws []float32) {
			b, h := i/a.H, i%a.H
			e.run.attentionGrad(headBackward{
				headForward: a.head(i),
				dOut:        a.DOut.at(b, h), dQ: a.DQ.at(b, h), dK: a.DK.at(b, h), dV: a.DV.at(b, h),
				lddo: a.DOut.Row, lddq: a.DQ.Row, lddk: a.DK.Row, lddv: a.DV.Row,
			}, ws)
		})
	}
	if err != nil {
		return fmt.Errorf("compute attention gradients: %w", err)
	}
	return nil
}
