package host

import (
	"fmt"
	"math"
)

// ScoreGrad asks for the gradients of attention by what is added to its scores:
// Attention with Out and LSE as forward left them, and the gradient by the output.
type ScoreGrad struct {
	Attention
	DOut Heads // (B, H, Tq, D)
	// DBias is overwritten, dense (Axes[0], Axes[1], Axes[2], Tk), where each axis is
	// that of the bias, (B, H, Tq), or 1 for the sum along it; nil for none.
	DBias []float32
	Axes  [3]int
	// DSlopes (H) is overwritten; nil for none.
	DSlopes []float32
}

// scoreRows is how many queries of a head are worked on at once.
const scoreRows = 64

// AttentionScoreBackward fills DBias and DSlopes. The gradient by a score, before the
// scale, is dS = P (M (dO V^T) - rowsum(dO O)), P the weights and M dropout's factors.
func (e *Engine) AttentionScoreBackward(a *ScoreGrad) error {
	err := a.check()
	if err == nil {
		err = a.checkView("output gradient", a.DOut, a.H, false)
	}
	full := [3]int{a.B, a.H, a.Tq}
	for i, n := range a.Axes {
		if err == nil && a.DBias != nil && n != 1 && n != full[i] {
			err = fmt.Errorf("bias gradient of axes %v for %v", a.Axes, full)
		}
	}
	if err == nil && a.DBias != nil && len(a.DBias) != a.Axes[0]*a.Axes[1]*a.Axes[2]*a.Tk {
		err = fmt.Errorf("bias gradient has %d elements, not (%d, %d, %d, %d)", len(a.DBias), a.Axes[0], a.Axes[1], a.Axes[2], a.Tk)
	}
	if err == nil && a.DSlopes != nil && len(a.DSlopes) != a.H {
		err = fmt.Errorf("gradient of %d slopes for %d heads", len(a.DSlopes), a.H)
	}
	if err == nil && a.DBias != nil {
		err = e.biasGrad(a)
	}
	if err == nil && a.DSlopes != nil {
		err = e.tasks(a.H, a.work(6), a.scoreSpace(e), func(h int, ws []float32) { a.DSlopes[h] = e.slopeGrad(a, h, ws) })
	}
	if err != nil {
		return fmt.Errorf("compute attention score gradients: %w", err)
	}
	return nil
}

// biasGrad gives each task rows of the bias of its own, so that every sum has one
// order whatever the threads.
func (e *Engine) biasGrad(a *ScoreGrad) error {
	blocks, rows := 1, a.Axes[2]
	if rows > 1 {
		blocks = (a.Tq + scoreRows - 1) / scoreRows
	}
	return e.tasks(a.Axes[0]*a.Axes[1]*blocks, a.work(6), a.scoreSpace(e), func(n int, ws []float32) {
		bb, hh, block := n/blocks/a.Axes[1], n/blocks%a.Axes[1], n%blocks
		to := a.DBias[(bb*a.Axes[1]+hh)*rows*a.Tk:][:rows*a.Tk]
		lo, hi := block*scoreRows, min((block+1)*scoreRows, a.Tq)
		if rows == 1 {
			lo, hi = 0, a.Tq
		} else {
			to = to[lo*a.Tk : hi*a.Tk]
		}
		clear(to)
		for _, b := range axis(bb, a.Axes[0], a.B) {
			for _, h := range axis(hh, a.Axes[1], a.H) {
				e.eachScoreRow(a, b, h, lo, hi, ws, func(i int, ds []float32) {
					if rows == 1 {
						i = lo
					}
					axpy(to[(i-lo)*a.Tk:][:len(ds)], 1, ds)
				})
			}
		}
	})
}

// axis is the one index i, or all n where the bias repeats along them.
func axis(i, of, n int) []int {
	if of == n {
		return []int{i}
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// slopeGrad sums over all batch elements.
func (e *Engine) slopeGrad(a *ScoreGrad, h int, ws []float32) float32 {
	sum := 0.0
	for b, s := range a.Seqs {
		e.eachScoreRow(a, b, h, 0, a.Tq, ws, func(i int, ds []float32) {
			for j, x := range ds {
				sum -= float64(x) * math.Abs(float64(j-i-s.Shift))
			}
		})
	}
	return float32(sum)
}

// scoreSpace is the workspace of eachScoreRow.
func (a *ScoreGrad) scoreSpace(e *Engine) int {
	return max(e.run.attentionSpace(a.Tk, a.D), e.run.gemmSpace(Matrix{}, Matrix{})) + (2*scoreRows+2)*a.Tk + (2*a.Tk+3*scoreRows)*a.D
}

// eachScoreRow calls f with dS (Tk of the sequence) of the queries lo <= i < hi of one
// head that the sequence has.
func (e *Engine) eachScoreRow(a *ScoreGrad, b, h, lo, hi int, ws []float32, f func(i int, ds []float32)) {
	s, x := a.Seqs[b], a.head(b, h)
	if s.Tk == 0 {
		return
	}
	dOut, lddo := a.DOut.at(b, h, s.Q0), a.DOut.Row
	if a.Q.DType != F32 {
		ws = e.widenKeys(&a.Attention, b, h, &x, ws)
	}
	weights, ws := ws[:scoreRows*a.Tk], ws[scoreRows*a.Tk:]
	dP, ws := ws[:scoreRows*a.Tk], ws[scoreRows*a.Tk:]
	ones, ws := ws[:a.Tk], ws[a.Tk:]
	factors, ws := ws[:a.Tk], ws[a.Tk:]
	for lo, hi = min(lo, s.Tq), min(hi, s.Tq); lo < hi; lo += scoreRows {
		n := min(scoreRows, hi-lo)
		y, out, do, ld, rest := x, []float32(nil), dOut, lddo, ws
		if a.Q.DType != F32 {
			y.q, rest = e.widenRows(a.Q, b, h, s.Q0+lo, n, a.D, rest)
			out, rest = e.widenRows(a.Out, b, h, s.Q0+lo, n, a.D, rest)
			do, rest = e.widenRows(a.DOut, b, h, s.Q0+lo, n, a.D, rest)
			y.ldq, y.ldo, ld = a.D, a.D, a.D
		} else {
			y.q, out, do = x.q[lo*x.ldq:], x.out[lo*x.ldo:], dOut[lo*lddo:]
		}
		y.q1 = lo + n
		y.later(lo)
		e.run.attentionWeights(&y, weights[:n*s.Tk], rest)
		e.run.gemm(Dense(dP, n, s.Tk), Matrix{Data: do, Rows: n, Cols: a.D, RowStride: ld, ColStride: 1},
			Matrix{Data: x.v, Rows: s.Tk, Cols: a.D, RowStride: x.ldv, ColStride: 1}.T(), false, nil, rest)
		for i := range n {
			p, ds := weights[i*s.Tk:][:s.Tk], dP[i*s.Tk:][:s.Tk]
			if y.drop > 0 {
				for j := range ds {
					ones[j] = 1
				}
				y.dropout(i, 0, ones[:s.Tk], factors)
				for j, m := range ones[:s.Tk] {
					ds[j] *= m
				}
			}
			delta := dot(out[i*y.ldo:], do[i*ld:][:a.D])
			for j := range ds {
				ds[j] = p[j] * (ds[j] - delta)
			}
			f(lo+i, ds)
		}
	}
}
