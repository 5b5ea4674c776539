//go:build !amd64 || !cgo

package main

import "math"

// multiplyAdds does 1e9 of them on one core.
func multiplyAdds() float32 {
	var a [4]float32
	for range 250_000_000 {
		for i := range a {
			a[i] = a[i]*1.0001 + math.SmallestNonzeroFloat32
		}
	}
	return a[0] + a[1] + a[2] + a[3]
}
