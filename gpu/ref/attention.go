package ref

import "math"

// Attention is one problem. All slices are dense and row-major.
type Attention struct {
	B, H   int // batch, query heads
	Kv     int // key and value heads, a divisor of H; head h reads h / (H/Kv)
	Tq, Tk int // queries, keys
	D      int // head size
	// Scale multiplies the scores; 1/sqrt(D) in the paper.
	Scale float64
	// Seqs has one entry a batch element, or is nil where all are whole and the last
	// query stands at the last key.
	Seqs []Seq
	// Left and Right bound what a query sees around its place; Unlimited for none.
	Left, Right int
	// Bias (B, H, Tq, Tk) is added to the scaled scores; nil for none.
	Bias []float64
	// Slopes (H) subtract Slopes[h] |distance| from the scores (ALiBi, Press et al.
	// 2022); nil for none.
	Slopes []float64
	// Drop / 65536 is the share of weights that dropout takes away (Srivastava et al.
	// 2014); those left are scaled up. Seed chooses which.
	Drop int
	Seed uint64
	// First is what dropout's counter calls batch element 0.
	First int

	Q []float64 // (B, H, Tq, D)
	K []float64 // (B, Kv, Tk, D)
	V []float64 // (B, Kv, Tk, D)
}

// Unlimited is a Left or Right that bounds nothing.
const Unlimited = 1 << 40

// Seq says how much of a batch element there is: its first Queries rows and Keys
// rows. Query i stands at key i + Shift.
type Seq struct{ Queries, Keys, Shift int }

func (a *Attention) seq(b int) Seq {
	if a.Seqs == nil {
		return Seq{a.Tq, a.Tk, a.Tk - a.Tq}
	}
	return a.Seqs[b]
}

// Forward computes scaled dot-product attention (Vaswani et al. 2017, eq. 1).
// It returns
//
//	out     (B, H, Tq, D)   dropout(softmax(scale Q K^T + bias)) V
//	lse     (B, H, Tq)      log of the softmax's denominator, logsumexp
//	weights (B, H, Tq, Tk)  the softmax itself, before dropout
//
// A query that sees no key has output 0, weights 0 and logsumexp -Inf.
func (a *Attention) Forward() (out, lse, weights []float64) {
	out = make([]float64, a.B*a.H*a.Tq*a.D)
	lse = make([]float64, a.B*a.H*a.Tq)
	weights = make([]float64, a.B*a.H*a.Tq*a.Tk)
	for row := range lse { // (B, H, Tq)
		w := weights[row*a.Tk : (row+1)*a.Tk]
		lse[row] = a.softmax(row, w)
		for j, p := range w {
			p *= a.keep(row, j)
			for d := range a.D {
				out[row*a.D+d] += p * a.V[a.key(row, j)+d]
			}
		}
	}
	return out, lse, weights
}

// key is where in K and V the key j of the query in that row (B, H, Tq) begins.
func (a *Attention) key(row, j int) int {
	b, h := row/a.Tq/a.H, row/a.Tq%a.H
	return ((b*a.Kv+h/(a.H/a.Kv))*a.Tk + j) * a.D
}

// softmax fills w (Tk) with a query's weights and returns its logsumexp.
func (a *Attention) softmax(row int, w []float64) float64 {
	top := math.Inf(-1)
	for j := range w {
		w[j] = a.score(row, j)
		top = math.Max(top, w[j])
	}
	if math.IsInf(top, -1) {
		clear(w)
		return top
	}
	sum := 0.0
	for j := range w {
		w[j] = math.Exp(w[j] - top)
		sum += w[j]
	}
	for j := range w {
		w[j] /= sum
	}
	return top + math.Log(sum)
}

// score is a query's score of key j, -Inf where the query does not see it.
func (a *Attention) score(row, j int) float64 {
	b, h, i := row/a.Tq/a.H, row/a.Tq%a.H, row%a.Tq
	s := a.seq(b)
	far := j - (i + s.Shift)
	if i >= s.Queries || j >= s.Keys || far > a.Right || far < -a.Left {
		return math.Inf(-1)
	}
	x := 0.0
	for d := range a.D {
		x += a.Scale * a.Q[row*a.D+d] * a.K[a.key(row, j)+d]
	}
	if a.Bias != nil {
		x += a.Bias[row*a.Tk+j]
	}
	if a.Slopes != nil {
		x -= a.Slopes[h] * math.Abs(float64(far))
	}
	return x
}

// keep is what dropout multiplies a weight with: 0, or the inverse of the share
// that it leaves.
func (a *Attention) keep(row, j int) float64 {
	if a.Drop == 0 {
		return 1
	}
	if Dropped(a.Seed, a.First*a.H+row/a.Tq, row%a.Tq, j, a.Drop) {
		return 0
	}
	return 65536 / float64(65536-a.Drop)
}

// Backward computes the gradients of a loss whose gradient by the output is dOut
// (B, H, Tq, D), by the chain rule through the softmax, M being dropout's factors:
//
//	dV = (M P)^T dO,  dP = M (dO V^T),  dS = P (dP - rowsum(dP P)),
//	dQ = scale dS K,  dK = scale dS^T Q
func (a *Attention) Backward(dOut []float64) (dQ, dK, dV []float64) {
	dQ = make([]float64, len(a.Q))
	dK = make([]float64, len(a.K))
	dV = make([]float64, len(a.V))
	_, _, weights := a.Forward()
	dS := a.scoreGrad(weights, dOut)
	for row := range a.B * a.H * a.Tq {
		for j := range a.Tk {
			p, ds := weights[row*a.Tk+j], a.Scale*dS[row*a.Tk+j]
			for d := range a.D {
				at := a.key(row, j) + d
				dV[at] += a.keep(row, j) * p * dOut[row*a.D+d]
				dQ[row*a.D+d] += ds * a.K[at]
				dK[at] += ds * a.Q[row*a.D+d]
			}
		}
	}
	return dQ, dK, dV
}

// scoreGrad is dS (B, H, Tq, Tk), the gradient by the scores.
func (a *Attention) scoreGrad(weights, dOut []float64) []float64 {
	dS := make([]float64, len(weights))
	for row := range a.B * a.H * a.Tq {
		p, dP := weights[row*a.Tk:(row+1)*a.Tk], dS[row*a.Tk:(row+1)*a.Tk]
		delta := 0.0
		for j := range p {
			for d := range a.D {
				dP[j] += a.keep(row, j) * dOut[row*a.D+d] * a.V[a.key(row, j)+d]
			}
			delta += dP[j] * p[j]
		}
		for j := range p {
			dP[j] = p[j] * (dP[j] - delta)
		}
	}
	return dS
}

// BackwardScores computes the gradients by what is added to the scores: by a bias
// (B, H, Tq, Tk), which is dS itself, and by the slopes (H), whose scores fall by the
// distance.
func (a *Attention) BackwardScores(dOut []float64) (dBias, dSlopes []float64) {
	_, _, weights := a.Forward()
	dBias, dSlopes = a.scoreGrad(weights, dOut), make([]float64, a.H)
	for n, ds := range dBias {
		b, h, i, j := n/a.Tk/a.Tq/a.H, n/a.Tk/a.Tq%a.H, n/a.Tk%a.Tq, n%a.Tk
		dSlopes[h] -= ds * math.Abs(float64(j-i-a.seq(b).Shift))
	}
	return dBias, dSlopes
}
