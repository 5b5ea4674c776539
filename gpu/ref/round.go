package ref

import "math"

// RoundF16 rounds x to the nearest IEEE 754 binary16 value, ties to even
// (IEEE 754-2019, 4.3.1): 11 bits, the smallest step is 2^-24, infinite beyond
// 65504.
func RoundF16(x float64) float64 { return round(x, 11, -24, 65504) }

// RoundBF16 rounds x to the nearest bfloat16 value, ties to even: 8 bits, the
// smallest step is 2^-133.
func RoundBF16(x float64) float64 { return round(x, 8, -133, 0x1.fep127) }

// RoundF32 rounds x to the nearest binary32 value, ties to even.
func RoundF32(x float64) float64 { return float64(float32(x)) }

// RoundI32 rounds x towards zero; beyond the range of int32 it is the nearest
// end, NaN is 0.
func RoundI32(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return float64(int32(math.Min(math.Max(x, math.MinInt32), math.MaxInt32)))
}

// round keeps bits binary digits of x, the last of which is worth 2^least or more.
func round(x float64, bits, least int, largest float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	_, e := math.Frexp(x) // |x| lies in [2^(e-1), 2^e)
	last := max(e-bits, least)
	y := math.Ldexp(math.RoundToEven(math.Ldexp(x, -last)), last)
	if math.Abs(y) > largest {
		return math.Copysign(math.Inf(1), x)
	}
	return y
}
