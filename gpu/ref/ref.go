// Package ref owns the scalar float64 reference of attune's primitives: plain
// loops that follow the papers' formulas line by line. Every fast form is tested
// against it. It imports the standard library only.
package ref

// MatMul returns a (m, k) times b (k, n). It stays out of its callers, which may be
// compiled for the race detector where this package is not.
//
//go:noinline
func MatMul(m, n, k int, a, b []float64) []float64 {
	c := make([]float64, m*n)
	for i := range m {
		for l := range k {
			for j := range n {
				c[i*n+j] += a[i*k+l] * b[l*n+j]
			}
		}
	}
	return c
}
