//go:build cgo

package host

import (
	"slices"
	"testing"
)

// A machine that multiplies pairs of bfloat16 must be right where it does not, too: other
// machines with AVX-512 do not.
func TestMatMulOfHalvesWithoutPairs(t *testing.T) {
	if !slices.Contains(Supported(), AVX512) {
		t.Skip("no AVX-512")
	}
	e, err := New(AVX512, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	e.run = vector{wide: 1}
	matMulOfHalves(t, e)
}
