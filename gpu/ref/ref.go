// Package ref owns the scalar float64 reference of attune's primitives: plain
// loops that follow the papers' formulas line by line. Every fast form is tested
// against it. It imports the standard library only.
package ref

import "math"

// Attention is one problem. All slices are dense and row-major.
type Attention struct {
	B, H   int // batch, heads
	Tq, Tk int // queries, keys
	D      int // head size
	// Scale multiplies the scores; 1/sqrt(D) in the paper.
	Scale float64
	// Causal lets query i see the keys j <= i + Tk - Tq: the last query sees all.
	Causal bool

	Q []float64 // (B, H, Tq, D)
	K []float64 // (B, H, Tk, D)
	V []float64 // (B, H, Tk, D)
}

// Forward computes scaled dot-product attention (Vaswani et al. 2017, eq. 1).
// It returns
//
//	out     (B, H, Tq, D)   softmax(scale Q K^T) V
//	lse     (B, H, Tq)      log of the softmax's denominator, logsumexp
//	weights (B, H, Tq, Tk)  the softmax itself
//
// A query that sees no key has output 0, weights 0 and logsumexp -Inf.
func (a *Attention) Forward() (out, lse, weights []float64) {
	out = make([]float64, a.B*a.H*a.Tq*a.D)
	lse = make([]float64, a.B*a.H*a.Tq)
	weights = make([]float64, a.B*a.H*a.Tq*a.Tk)
	for row := range lse { // (B, H, Tq)
		head, i := row/a.Tq, row%a.Tq
		w := weights[row*a.Tk : (row+1)*a.Tk]
		lse[row] = a.softmax(head, i, w)
		for j, p := range w {
			for d := range a.D {
				out[row*a.D+d] += p * a.V[(head*a.Tk+j)*a.D+d]
			}
		}
	}
	return out, lse, weights
}

// softmax fills w (Tk) with query i's weights and returns its logsumexp.
func (a *Attention) softmax(head, i int, w []float64) float64 {
	top := math.Inf(-1)
	for j := range w {
		w[j] = math.Inf(-1)
		if a.sees(i, j) {
			w[j] = 0
			for d := range a.D {
				w[j] += a.Scale * a.Q[(head*a.Tq+i)*a.D+d] * a.K[(head*a.Tk+j)*a.D+d]
			}
		}
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

func (a *Attention) sees(i, j int) bool { return !a.Causal || j <= i+a.Tk-a.Tq }

// Backward computes the gradients of a loss whose gradient by the output is dOut
// (B, H, Tq, D), by the chain rule through the softmax:
//
//	dV = P^T dO,  dP = dO V^T,  dS = P * (dP - rowsum(dP * P)),
//	dQ = scale dS K,  dK = scale dS^T Q
func (a *Attention) Backward(dOut []float64) (dQ, dK, dV []float64) {
	dQ = make([]float64, len(a.Q))
	dK = make([]float64, len(a.K))
	dV = make([]float64, len(a.V))
	_, _, weights := a.Forward()
	dP := make([]float64, a.Tk)
	for row := range a.B * a.H * a.Tq {
		head := row / a.Tq
		p := weights[row*a.Tk : (row+1)*a.Tk]
		delta := 0.0
		for j := range p {
			dP[j] = 0
			for d := range a.D {
				at := (head*a.Tk+j)*a.D + d
				dP[j] += dOut[row*a.D+d] * a.V[at]
				dV[at] += p[j] * dOut[row*a.D+d]
			}
			delta += dP[j] * p[j]
		}
		for j := range p {
			dS := a.Scale * p[j] * (dP[j] - delta)
			for d := range a.D {
				at := (head*a.Tk+j)*a.D + d
				dQ[row*a.D+d] += dS * a.K[at]
				dK[at] += dS * a.Q[row*a.D+d]
			}
		}
	}
	return dQ, dK, dV
}

// Adam holds the constants of one optimizer.
type Adam struct {
	LR, Beta1, Beta2, Eps float64
	// Decay is decoupled weight decay (AdamW, Loshchilov and Hutter 2019).
	Decay float64
}

// Step does step number t (from 1) of Adam (Kingma and Ba 2015, algorithm 1) on
// the parameters p with gradients g; m and v are the running moments.
func (o Adam) Step(t int, p, g, m, v []float64) {
	c1 := 1 - math.Pow(o.Beta1, float64(t))
	c2 := 1 - math.Pow(o.Beta2, float64(t))
	for i := range p {
		m[i] = o.Beta1*m[i] + (1-o.Beta1)*g[i]
		v[i] = o.Beta2*v[i] + (1-o.Beta2)*g[i]*g[i]
		p[i] -= o.LR * o.Decay * p[i]
		p[i] -= o.LR * (m[i] / c1) / (math.Sqrt(v[i]/c2) + o.Eps)
	}
}

// MatMul returns a (m, k) times b (k, n).
func MatMul(m, n, k int, a, b []float64) []float64 {
	c := make([]float64, m*n)
	for i := range m {
		for j := range n {
			for l := range k {
				c[i*n+j] += a[i*k+l] * b[l*n+j]
			}
		}
	}
	return c
}
