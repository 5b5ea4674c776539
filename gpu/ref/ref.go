// Package ref owns the scalar float64 reference of attune's primitives: plain
// loops that follow the papers' formulas line by line. Every fast form is tested
// against it. It imports the standard library only.
package ref

import "math"

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
