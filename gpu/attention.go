package gpu

import (
	"fmt"
	"math"
	"runtime"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// AttentionResult is what Attention computed, and what its gradient and its views
// of the weights need.
type AttentionResult struct {
	// Output is (B, H, Tq, D) of the query's type, laid out in memory in the query's
	// order of axes.
	Output *Tensor
	// LSE is (B, H, Tq) float32: the logsumexp of each query's scores, -Inf for one
	// that sees no key.
	LSE *Tensor

	call attention
}

// String tells what a notebook shows of a result: its tensors, not how it came to be.
func (r *AttentionResult) String() string {
	return fmt.Sprintf("attention: output %s; log-sum-exp %s", r.Output, r.LSE)
}

// attention is one checked call as a backend sees it.
type attention struct {
	b, h, kv, tq, tk, d int // b sequences, of at most tq queries and tk keys
	scale               float32
	left, right         int // host.Unlimited for none
	// seqs is nil where all b elements have tq queries and tk keys and the last query
	// stands at the last key.
	seqs     []host.Seq
	packed   bool    // the sequences lie in one batch element
	bias     *Tensor // (1 or B, 1 or H, 1 or Tq, Tk) float32 or nil
	slopes   []float32
	drop     int // of 65536
	seed     uint64
	first    int     // what dropout calls batch element 0
	q, k, v  *Tensor // (B, H, Tq, D), (B, Kv, Tk, D) twice; last stride 1
	out, lse *Tensor // (B, H, Tq, D), (B, H, Tq)
}

// attentionGrad is one checked call of the gradient.
type attentionGrad struct {
	attention
	dOut       *Tensor // (B, H, Tq, D)
	dq, dk, dv *Tensor // as q, k, v
}

// Attention computes softmax(scale Q K^T + bias) V (Vaswani et al. 2017, eq. 1),
// tiled, with an online softmax (FlashAttention, Dao et al. 2022). q is (B, H, Tq,
// D), k and v are (B, Kv, Tk, D) where Kv divides H: each of their heads serves
// H/Kv query heads (Ainslie et al. 2023). All are of one type, float32, float16 or
// bfloat16, on one device, with any strides whose last is 1; sums are float32.
// Head sizes go up to 256 on CUDA devices. Few queries against many keys, as in
// decoding, are cut along the keys. Results are counted as activations.
func Attention(q, k, v *Tensor, o AttentionOptions) (*AttentionResult, error) {
	r := new(AttentionResult)
	if err := r.call.set(q, k, v, o); err != nil {
		return nil, fmt.Errorf("compute attention: %w", err)
	}
	err := r.allocate()
	if err == nil {
		err = r.compute()
	}
	if err != nil {
		_ = r.Free()
		return nil, fmt.Errorf("compute attention of %s: %w", q, err)
	}
	return r, nil
}

// AttentionInto is Attention into the tensors of r, which an earlier call made for a
// query of this shape and type: Output's last stride is 1, LSE is dense. They overlap none of q, k, v and o.Bias. What r was the
// result of before, it cannot give gradients and weights of any more.
func AttentionInto(r *AttentionResult, q, k, v *Tensor, o AttentionOptions) error {
	if r == nil || r.Output == nil {
		return fmt.Errorf("compute attention of %s: no result to compute into, which Attention makes", q)
	}
	var a attention
	if err := a.set(q, k, v, o); err != nil {
		return fmt.Errorf("compute attention: %w", err)
	}
	if err := live(q, r.Output, r.LSE); err != nil {
		return fmt.Errorf("compute attention of %s into %s: %w", q, r.Output, err)
	}
	if err := r.fits(&a); err != nil {
		return fmt.Errorf("compute attention of %s into %s and %s: %w", q, r.Output, r.LSE, err)
	}
	a.out, a.lse = r.Output, r.LSE
	r.call = a
	if err := r.compute(); err != nil {
		return fmt.Errorf("compute attention of %s: %w", q, err)
	}
	return nil
}

func (r *AttentionResult) compute() error {
	a := &r.call
	if a.gaps() { // rows outside of every sequence are zero
		if err := a.out.Clear(); err != nil {
			return err
		}
	}
	err := a.q.store.dev.back.attention(a)
	keep(a.q, a.k, a.v, a.out, a.lse)
	if a.bias != nil {
		keep(a.bias)
	}
	return err
}

// set checks a call, and fills in all but the results.
func (a *attention) set(q, k, v *Tensor, o AttentionOptions) error {
	if err := checkInputs(q, k, v); err != nil {
		return err
	}
	a.b, a.h, a.kv, a.tq, a.tk, a.d = q.shape[0], q.shape[1], k.shape[1], q.shape[2], k.shape[2], q.shape[3]
	a.q, a.k, a.v = q, k, v
	if err := o.apply(a); err != nil {
		return fmt.Errorf("query %s, key %s: %w", q, k, err)
	}
	return nil
}

// allocate makes the results' tensors. The output's axes lie as the query's do,
// so that (B, T, H, D) from a projection comes out as one.
func (r *AttentionResult) allocate() error {
	a, dev := &r.call, r.call.q.store.dev
	var err error
	if r.Output, err = likeHeads(dev, mem.Activations, a.q); err != nil {
		return err
	}
	if r.LSE, err = dev.Empty(Float32, mem.Activations, a.q.shape[0], a.h, a.q.shape[2]); err != nil {
		return err
	}
	a.out, a.lse = r.Output, r.LSE
	return nil
}

// gaps says whether the sequences leave rows of the query out.
func (a *attention) gaps() bool {
	n := 0
	for _, s := range a.seqs {
		n += s.Tq
	}
	return a.seqs != nil && n < a.q.shape[0]*a.q.shape[2]
}

// likeHeads makes a tensor of t's shape (B, H, T, D) and type, dense in t's order
// of axes.
func likeHeads(dev *Device, cat mem.Category, t *Tensor) (*Tensor, error) {
	s := t.shape
	if t.strides[1] >= t.strides[2] || s[1] == 1 {
		return dev.Empty(t.dtype, cat, s...)
	}
	x, err := dev.Empty(t.dtype, cat, s[0], s[2], s[1], s[3])
	if err != nil {
		return nil, err
	}
	return x.Permute(0, 2, 1, 3)
}

// Free gives Output and LSE back. It may be called on a nil result.
func (r *AttentionResult) Free() error {
	if r == nil {
		return nil
	}
	err := r.Output.Free()
	if err2 := r.LSE.Free(); err == nil {
		err = err2
	}
	return err
}

// Backward computes the gradients by query, key and value of a loss whose
// gradient by Output is dOut (B, H, Tq, D). They are counted as gradients. For those by
// Bias and ALiBi there are BackwardBias and BackwardALiBi.
func (r *AttentionResult) Backward(dOut *Tensor) (dq, dk, dv *Tensor, err error) {
	if err := r.done(); err != nil {
		return nil, nil, nil, fmt.Errorf("compute attention gradients: %w", err)
	}
	made := make([]*Tensor, 0, 3)
	free := func() {
		for _, m := range made {
			_ = m.Free()
		}
	}
	for _, t := range []*Tensor{r.call.q, r.call.k, r.call.v} {
		g, err := likeHeads(t.store.dev, mem.Gradients, t)
		if err == nil {
			made = append(made, g)
			if r.call.seqs != nil { // rows outside of every sequence are zero
				err = g.Clear()
			}
		}
		if err != nil {
			free()
			return nil, nil, nil, fmt.Errorf("compute attention gradients of %s: %w", r.call.q, err)
		}
	}
	if err := r.BackwardInto(dOut, made[0], made[1], made[2]); err != nil {
		free()
		return nil, nil, nil, err
	}
	return made[0], made[1], made[2], nil
}

// BackwardInto is Backward into given tensors. It overwrites the rows that some query
// or key has a part in: what no sequence of CuSeqlens or length of KeyLengths reaches
// may stay as it was. Their last stride is 1.
func (r *AttentionResult) BackwardInto(dOut, dq, dk, dv *Tensor) error {
	if err := r.done(); err != nil {
		return fmt.Errorf("compute attention gradients: %w", err)
	}
	g := &attentionGrad{attention: r.call, dOut: dOut, dq: dq, dk: dk, dv: dv}
	if err := g.check(); err != nil {
		return fmt.Errorf("compute attention gradients: %w", err)
	}
	defer keep(r.call.q, r.call.k, r.call.v, r.Output, r.LSE, dOut, dq, dk, dv)
	defer keepAll([]*Tensor{r.call.bias})
	if err := r.call.q.store.dev.back.attentionGrad(g); err != nil {
		return fmt.Errorf("compute attention gradients of %s: %w", r.call.q, err)
	}
	return nil
}

// sequences are the batch's elements, made where the call left them out.
func (a *attention) sequences() []host.Seq {
	if a.seqs == nil {
		return host.Whole(a.b, a.tq, a.tk)
	}
	return a.seqs
}

// lseStrides are the steps of LSE by sequence and by head.
func (a *attention) lseStrides() (batch, head int) {
	if a.packed {
		return 0, a.lse.strides[1]
	}
	return a.lse.strides[0], a.lse.strides[1]
}

// batchStride is the step of a (B, H, T, D) tensor by sequence.
func (a *attention) batchStride(t *Tensor) int {
	if a.packed {
		return 0
	}
	return t.strides[0]
}

// biasStrides are the bias's steps by sequence, head and query, 0 where it repeats.
func (a *attention) biasStrides() (batch, head, row int) {
	s := [3]int{}
	for i := range s {
		if a.bias.shape[i] > 1 {
			s[i] = a.bias.strides[i]
		}
	}
	return s[0], s[1], s[2]
}

// defaultScale is 1/sqrt(D), Vaswani et al. 2017, 3.2.1.
func defaultScale(d int) float32 { return float32(1 / math.Sqrt(float64(d))) }

// keep holds tensors back from the collector until a call that uses their memory
// has ended.
func keep(all ...*Tensor) {
	for _, t := range all {
		runtime.KeepAlive(t.store)
	}
}
