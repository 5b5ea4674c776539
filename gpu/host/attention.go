package host

import "fmt"

// Attention is one scaled dot-product attention (Vaswani et al. 2017, eq. 1) over
// B batch elements or, where they are packed, B sequences.
type Attention struct {
	B, H, Kv int // batch, query heads, key and value heads (a divisor of H)
	Tq, Tk   int // the longest element's queries and keys
	D        int // head size
	// Scale multiplies the scores, 1/sqrt(D) in the paper.
	Scale float32
	// Left and Right bound the keys that a query sees around its own place;
	// Unlimited for none.
	Left, Right int
	// Seqs says where each of the B elements lies.
	Seqs []Seq
	// Bias (B, H, Tq, Tk) is added to the scaled scores; no Data for none.
	Bias Bias
	// Slopes (H) subtract Slopes[h] times the distance (ALiBi); nil for none.
	Slopes []float32
	// Drop / 65536 is the share of weights that dropout takes; Seed chooses which.
	Drop int
	Seed uint64
	// First is what dropout's counter calls batch element 0.
	First int

	Q, K, V Heads // (B, H, Tq, D), (B, Kv, Tk, D) twice
	Out     Heads // (B, H, Tq, D)
	LSE     []float32
	// Element (b, h, i) of the logsumexp is LSE[b*LSEBatch + h*LSEHead + Q0 + i].
	LSEBatch, LSEHead int
}

// Unlimited is a Left or Right that bounds nothing.
const Unlimited = 1 << 40

// Seq is one batch element: queries Q0 … Q0+Tq-1 and keys K0 … K0+Tk-1 of its
// batch index. Query i stands at key i + Shift.
type Seq struct{ Q0, Tq, K0, Tk, Shift int }

// Bias is a view of (B, H, Tq, Tk) float32, the last stride 1; a stride of 0
// repeats.
type Bias struct {
	Data             []float32
	Batch, Head, Row int
}

// Whole gives each of b elements all tq queries and tk keys; the last query stands
// at the last key.
func Whole(b, tq, tk int) []Seq {
	all := make([]Seq, b)
	for i := range all {
		all[i] = Seq{Tq: tq, Tk: tk, Shift: tk - tq}
	}
	return all
}

// head is one query head of one batch element as the kernels take it: pointers to
// its first rows.
type head struct {
	q, k, v, out, lse, bias []float32
	dOut, dQ, gk, gv        []float32
	ldq, ldk, ldv, ldo      int
	lddo, lddq, ldb         int
	q0, q1, k0, k1          int
	tq, tk, d               int
	shift, left, right      int
	scale, slope            float32
	drop                    int
	seed                    uint64
	number, first           int // the generator's counter: batch * heads + head; of query 0
}

func (a *Attention) check() error {
	if a.B < 0 || a.H < 0 || a.Tq < 0 || a.Tk < 0 || a.D < 1 || a.Kv < 1 || a.H%a.Kv != 0 || len(a.Seqs) != a.B {
		return fmt.Errorf("shape (%d, %d/%d, %d/%d, %d) of %d sequences", a.B, a.H, a.Kv, a.Tq, a.Tk, a.D, len(a.Seqs))
	}
	for b, s := range a.Seqs {
		if s.Tq < 0 || s.Tq > a.Tq || s.Tk < 0 || s.Tk > a.Tk || s.Q0 < 0 || s.K0 < 0 {
			return fmt.Errorf("sequence %d is %+v, of (%d, %d)", b, s, a.Tq, a.Tk)
		}
		if s.Tq > 0 && a.H > 0 && b*a.LSEBatch+(a.H-1)*a.LSEHead+s.Q0+s.Tq > len(a.LSE) {
			return fmt.Errorf("logsumexp has %d elements, too few for sequence %d of %+v", len(a.LSE), b, s)
		}
		if s.Tq*s.Tk*a.H > 0 && a.Bias.Data != nil && b*a.Bias.Batch+(a.H-1)*a.Bias.Head+(s.Tq-1)*a.Bias.Row+s.Tk > len(a.Bias.Data) {
			return fmt.Errorf("bias has %d elements, too few for sequence %d of %+v", len(a.Bias.Data), b, s)
		}
	}
	if a.Left < 0 || a.Right < 0 || a.Drop < 0 || a.Drop > 65535 || a.Slopes != nil && len(a.Slopes) != a.H {
		return fmt.Errorf("window %d, %d, dropout %d, %d slopes for %d heads", a.Left, a.Right, a.Drop, len(a.Slopes), a.H)
	}
	for _, x := range []struct {
		name string
		view Heads
		h    int
		keys bool
	}{{"query", a.Q, a.H, false}, {"key", a.K, a.Kv, true}, {"value", a.V, a.Kv, true}, {"output", a.Out, a.H, false}} {
		if err := a.checkView(x.name, x.view, x.h, x.keys); err != nil {
			return err
		}
	}
	return nil
}

// checkView says whether every row of every sequence lies in the view's data.
func (a *Attention) checkView(name string, x Heads, h int, keys bool) error {
	if x.Batch < 0 || x.Head < 0 || x.Row < 0 || x.DType != a.Q.DType {
		return fmt.Errorf("%s is %s with strides (%d, %d, %d, 1)", name, x.DType, x.Batch, x.Head, x.Row)
	}
	for b, s := range a.Seqs {
		first, rows := s.Q0, s.Tq
		if keys {
			first, rows = s.K0, s.Tk
		}
		if h*rows > 0 && b*x.Batch+(h-1)*x.Head+(first+rows-1)*x.Row+a.D > x.len() {
			return fmt.Errorf("%s (%d, %d, %d, %d) with strides (%d, %d, %d, 1) reaches past its %d elements",
				name, a.B, h, first+rows, a.D, x.Batch, x.Head, x.Row, x.len())
		}
	}
	return nil
}

// work estimates the nanoseconds of all heads on one core.
func (a *Attention) work(flops int) int {
	n := 0.0
	for _, s := range a.Seqs {
		n += float64(s.Tq) * float64(s.Tk+8)
	}
	return int(n * float64(a.H) * float64(a.D) * float64(flops) / 60)
}

// head is query head h of element b, with all its queries and keys, and float32
// arrays only where they are float32.
func (a *Attention) head(b, h int) head {
	s := a.Seqs[b]
	x := head{
		ldq: a.Q.Row, ldk: a.K.Row, ldv: a.V.Row, ldo: a.Out.Row, ldb: a.Bias.Row,
		q1: s.Tq, k1: s.Tk, tq: s.Tq, tk: s.Tk, d: a.D, shift: s.Shift, left: a.Left, right: a.Right,
		scale: a.Scale, drop: a.Drop, seed: a.Seed, number: (a.First+b)*a.H + h,
	}
	kv := h / (a.H / a.Kv)
	x.q, x.out = a.Q.at(b, h, s.Q0), a.Out.at(b, h, s.Q0)
	x.k, x.v = a.K.at(b, kv, s.K0), a.V.at(b, kv, s.K0)
	x.lse = a.LSE[min(len(a.LSE), b*a.LSEBatch+h*a.LSEHead+s.Q0):]
	if a.Bias.Data != nil && s.Tk > 0 {
		x.bias = a.Bias.Data[min(len(a.Bias.Data), b*a.Bias.Batch+h*a.Bias.Head):]
	}
	if a.Slopes != nil {
		x.slope = a.Slopes[h]
	}
	return x
}

// seen is the keys lo <= j < hi that query i sees.
func (h *head) seen(i int) (lo, hi int) {
	at := i + h.shift
	lo, hi = max(0, at-h.left), min(h.tk, at+h.right+1)
	return lo, max(lo, hi)
}

// queryChunk is the least number of queries worth packing a head's keys again
// for; a multiple of every tile's width.
const queryChunk = 192

// AttentionForward fills Out and LSE. A query that sees no key gets output 0 and
// logsumexp -Inf.
func (e *Engine) AttentionForward(a *Attention) error {
	if err := a.check(); err != nil {
		return fmt.Errorf("compute attention: %w", err)
	}
	if a.B*a.H*a.Tq == 0 {
		return nil
	}
	if a.few() {
		return e.decode(a)
	}
	heads, chunk := a.B*a.H, a.Tq
	if e.threads > 1 && heads < 4*e.threads {
		// About four pieces a thread, so that none waits long for another.
		chunk = (heads*a.Tq/(4*e.threads) + queryChunk - 1) / queryChunk * queryChunk
		chunk = max(queryChunk, min(chunk, a.Tq))
	}
	per := (a.Tq + chunk - 1) / chunk
	space := e.run.attentionSpace(a.Tk, a.D)
	extra := 0
	if a.Q.DType != F32 {
		extra = 2 * (a.Tk + min(chunk, a.Tq)) * a.D
	}
	err := e.tasks(heads*per, a.work(4), space+extra, func(i int, ws []float32) {
		// The longest pieces of a causal head come first, so that no thread ends late.
		c := per - 1 - i%per
		e.forward(a, i/per/a.H, i/per%a.H, c*chunk, (c+1)*chunk, ws)
	})
	if err != nil {
		return fmt.Errorf("compute attention: %w", err)
	}
	return nil
}

// forward does queries q0 <= i < q1 of one head.
func (e *Engine) forward(a *Attention, b, h, q0, q1 int, ws []float32) {
	x := a.head(b, h)
	x.q0, x.q1 = min(q0, x.tq), min(q1, x.tq)
	if x.q0 == x.q1 {
		return
	}
	if a.Q.DType == F32 {
		e.run.attention(&x, ws)
		return
	}
	ws = e.widenKeys(a, b, h, &x, ws)
	s := a.Seqs[b]
	x.q, ws = e.widenRows(a.Q, b, h, s.Q0+x.q0, x.q1-x.q0, a.D, ws)
	x.out, ws = ws[:(x.q1-x.q0)*a.D], ws[(x.q1-x.q0)*a.D:]
	x.ldq, x.ldo = a.D, a.D
	// The kernel sees the piece as a head of its own, its queries that much later.
	first := x.q0
	x.later(first)
	e.run.attention(&x, ws)
	e.narrowRows(a.Out, b, h, s.Q0+first, x.q1, a.D, x.out)
}

// later cuts the first n queries off a head whose arrays q and out begin behind
// them already.
func (h *head) later(n int) {
	h.lse, h.q0, h.q1, h.tq, h.shift = h.lse[n:], 0, h.q1-n, h.tq-n, h.shift+n
	if h.bias != nil {
		h.bias = h.bias[n*h.ldb:]
	}
	h.first += n
}

// widenKeys makes float32 copies of a head's keys and values.
func (e *Engine) widenKeys(a *Attention, b, h int, x *head, ws []float32) []float32 {
	kv, s := h/(a.H/a.Kv), a.Seqs[b]
	x.k, ws = e.widenRows(a.K, b, kv, s.K0, s.Tk, a.D, ws)
	x.v, ws = e.widenRows(a.V, b, kv, s.K0, s.Tk, a.D, ws)
	x.ldk, x.ldv = a.D, a.D
	return ws
}

// AttentionWeights fills w (B, H, len(rows), Tk) with the weights of those queries
// before dropout, from what AttentionForward left in LSE. Rows past a sequence's
// queries, and columns past its keys, are 0.
func (e *Engine) AttentionWeights(a *Attention, rows []int, w []float32) error {
	err := a.check()
	if err == nil && len(w) != a.B*a.H*len(rows)*a.Tk {
		err = fmt.Errorf("weights have %d elements, not (%d, %d, %d, %d)", len(w), a.B, a.H, len(rows), a.Tk)
	}
	for _, r := range rows {
		if err == nil && (r < 0 || r >= a.Tq) {
			err = fmt.Errorf("query %d of %d", r, a.Tq)
		}
	}
	if err == nil {
		space := e.run.attentionSpace(a.Tk, a.D)
		if a.Q.DType != F32 {
			space += (2*a.Tk + a.Tq) * a.D
		}
		n := len(rows) * a.Tk
		err = e.tasks(a.B*a.H, a.work(2), space, func(i int, ws []float32) { e.weights(a, i, rows, w[i*n:(i+1)*n], ws) })
	}
	if err != nil {
		return fmt.Errorf("compute attention weights: %w", err)
	}
	return nil
}

// weights does one head, in runs of neighbouring rows.
func (e *Engine) weights(a *Attention, i int, rows []int, w, ws []float32) {
	clear(w)
	b, h := i/a.H, i%a.H
	x := a.head(b, h)
	if a.Q.DType != F32 {
		ws = e.widenKeys(a, b, h, &x, ws)
		x.q, ws = e.widenRows(a.Q, b, h, a.Seqs[b].Q0, x.tq, a.D, ws)
		x.ldq = a.D
	}
	for r := 0; r < len(rows); {
		n := 1
		for r+n < len(rows) && rows[r+n] == rows[r]+n {
			n++
		}
		x.q0, x.q1 = min(rows[r], x.tq), min(rows[r]+n, x.tq)
		if x.tk == a.Tk && x.q1 > x.q0 {
			e.run.attentionWeights(&x, w[r*a.Tk:(r+x.q1-x.q0)*a.Tk], ws)
		}
		for y := x; x.tk < a.Tk && y.q0 < x.q1; y.q0++ { // rows of tk lie Tk apart
			y.q1 = y.q0 + 1
			e.run.attentionWeights(&y, w[(r+y.q0-x.q0)*a.Tk:][:x.tk], ws)
		}
		r += n
	}
}
