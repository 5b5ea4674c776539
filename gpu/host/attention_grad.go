package host

import "fmt"

// AttentionGrad asks for gradients: Attention with Out and LSE as forward left
// them, and the gradient by the output.
type AttentionGrad struct {
	Attention
	DOut       Heads // (B, H, Tq, D)
	DQ, DK, DV Heads // as Q, K, V; the sequences' rows are overwritten
}

// A head is cut into pieces of keys where there are fewer than gradTasks heads, a
// piece of no fewer than gradKeys. The numbers do not depend on the threads, so
// nor do the sums.
const (
	gradTasks = 16
	gradKeys  = 512
)

// AttentionBackward fills DQ, DK and DV (FlashAttention-2, Dao 2023, alg. 2).
func (e *Engine) AttentionBackward(a *AttentionGrad) error {
	err := a.check()
	for _, x := range []struct {
		name string
		view Heads
		h    int
		keys bool
	}{{"output gradient", a.DOut, a.H, false}, {"query gradient", a.DQ, a.H, false},
		{"key gradient", a.DK, a.Kv, true}, {"value gradient", a.DV, a.Kv, true}} {
		if err == nil {
			err = a.checkView(x.name, x.view, x.h, x.keys)
		}
	}
	if err == nil {
		err = e.backward(a)
	}
	if err != nil {
		return fmt.Errorf("compute attention gradients: %w", err)
	}
	return nil
}

func (e *Engine) backward(a *AttentionGrad) error {
	heads := a.B * a.Kv
	if heads == 0 {
		return nil
	}
	pieces := max(1, min((gradTasks+heads-1)/heads, a.Tk/gradKeys))
	keys := (max(a.Tk, 1) + 64*pieces - 1) / (64 * pieces) * 64
	// Each piece of a head has its share of dQ; they are added in order.
	var shares []float32
	if pieces > 1 {
		ws, release, err := e.workspace(pieces * a.B * a.H * a.Tq * a.D)
		if err != nil {
			return err
		}
		defer release()
		shares = ws
	}
	space := e.run.attentionGradSpace(min(keys, a.Tk), a.D) + 2*(min(keys, a.Tk)+16)*e.run.attentionGradWidth(a.D)
	if a.Q.DType != F32 {
		space += (2*a.Tk + 4*a.Tq) * a.D
	}
	err := e.tasks(heads*pieces, a.work(10), space, func(i int, ws []float32) {
		p := pieces - 1 - i%pieces
		e.gradPiece(a, i/pieces/a.Kv, i/pieces%a.Kv, p*keys, keys, p, shares, ws)
	})
	if err != nil || shares == nil {
		return err
	}
	return e.tasks(a.B*a.H, a.B*a.H*a.Tq*a.D*pieces/4, a.Tq*a.D, func(i int, ws []float32) { e.addShares(a, i, pieces, shares, ws) })
}

// gradPiece does the keys k0 … k0+keys-1 of one key head for all its query heads.
func (e *Engine) gradPiece(a *AttentionGrad, b, kv, k0, keys, piece int, shares, ws []float32) {
	s, group := a.Seqs[b], a.H/a.Kv
	k0 = min(k0, s.Tk)
	k1 := min(k0+keys, s.Tk)
	width := e.run.attentionGradWidth(a.D)
	rows := (k1 - k0 + 15) / 16 * 16
	gk, gv := ws[:rows*width], ws[rows*width:2*rows*width]
	ws = ws[2*rows*width:]
	clear(gk)
	clear(gv)
	var k, v []float32
	for g := range group {
		h := kv*group + g
		x := a.head(b, h)
		x.k0, x.k1, x.gk, x.gv = k0, k1, gk, gv
		x.dOut, x.lddo, x.dQ, x.lddq = a.DOut.at(b, h, s.Q0), a.DOut.Row, a.DQ.at(b, h, s.Q0), a.DQ.Row
		rest := ws
		if a.Q.DType != F32 {
			if g == 0 {
				ws = e.widenKeys(&a.Attention, b, h, &x, ws)
				k, v, rest = x.k, x.v, ws
			}
			x.k, x.v, x.ldk, x.ldv = k, v, a.D, a.D
			x.q, rest = e.widenRows(a.Q, b, h, s.Q0, s.Tq, a.D, rest)
			x.out, rest = e.widenRows(a.Out, b, h, s.Q0, s.Tq, a.D, rest)
			x.dOut, rest = e.widenRows(a.DOut, b, h, s.Q0, s.Tq, a.D, rest)
			x.ldq, x.ldo, x.lddo, x.lddq = a.D, a.D, a.D, a.D
			x.dQ, rest = rest[:s.Tq*a.D], rest[s.Tq*a.D:]
		}
		if shares != nil {
			x.dQ, x.lddq = shares[(piece*a.B*a.H+b*a.H+h)*a.Tq*a.D:][:a.Tq*a.D], a.D
		}
		e.run.attentionGrad(&x, rest)
		if shares == nil && a.Q.DType != F32 {
			e.narrowRows(a.DQ, b, h, s.Q0, s.Tq, a.D, x.dQ)
		}
	}
	for j := range k1 - k0 {
		e.store(a.DK, b, kv, s.K0+k0+j, a.D, gk[j*width:])
		e.store(a.DV, b, kv, s.K0+k0+j, a.D, gv[j*width:])
	}
}

// store writes one row of d values.
func (e *Engine) store(x Heads, b, h, row, d int, from []float32) {
	if x.DType == F32 {
		copy(x.at(b, h, row)[:d], from)
		return
	}
	e.narrowRows(x, b, h, row, 1, d, from)
}

// addShares sums the pieces' dQ of one query head.
func (e *Engine) addShares(a *AttentionGrad, i, pieces int, shares, ws []float32) {
	b, h, n := i/a.H, i%a.H, a.Tq*a.D
	copy(ws, shares[i*n:(i+1)*n])
	for p := 1; p < pieces; p++ {
		e.run.each(OpAddScaled, ws[:n], shares[(p*a.B*a.H+i)*n:][:n], nil, 1)
	}
	for r := range a.Seqs[b].Tq {
		e.store(a.DQ, b, h, a.Seqs[b].Q0+r, a.D, ws[r*a.D:])
	}
}
