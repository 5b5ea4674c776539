package host

import "math"

// DType is the element type of a View, numbered as in package gpu.
type DType uint8

// The element types: IEEE 754 binary32 and binary16, bfloat16 (the upper half of
// a binary32), and 32-bit two's complement.
const (
	F32 DType = iota
	F16
	BF16
	I32
)

// Size is the bytes of one element.
func (t DType) Size() int {
	if t == F16 || t == BF16 {
		return 2
	}
	return 4
}

func (t DType) String() string {
	if int(t) < 4 {
		return [...]string{"f32", "f16", "bf16", "i32"}[t]
	}
	return "no dtype"
}

// ToF16 rounds x to binary16, to nearest, ties to even; above 65504 it becomes
// infinite, NaN stays NaN.
func ToF16(x float32) uint16 {
	b := math.Float32bits(x)
	sign, m := uint16(b>>16)&0x8000, b&0x7fffffff
	switch {
	case m > 0x7f800000:
		return sign | 0x7e00
	case m >= 0x47800000: // 65536 and more
		return sign | 0x7c00
	case m < 0x38800000: // below 2^-14: a multiple of 2^-24, which this sum rounds to
		const half = 0.5 // the last bit of 0.5 is worth 2^-24
		return sign | uint16(math.Float32bits(math.Float32frombits(m)+half)-math.Float32bits(half))
	}
	m += 0xfff + m>>13&1 // half of the last bit that stays, less where it is even
	return sign | uint16(m>>13-(127-15)<<10)
}

// FromF16 widens a binary16 value; this is exact.
func FromF16(h uint16) float32 {
	sign, e, m := uint32(h&0x8000)<<16, uint32(h>>10)&31, uint32(h)&0x3ff
	switch e {
	case 0:
		return math.Float32frombits(sign | math.Float32bits(float32(m)*0x1p-24))
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | m<<13)
	}
	return math.Float32frombits(sign | (e+127-15)<<23 | m<<13)
}

// ToBF16 rounds x to bfloat16, to nearest, ties to even; NaN stays NaN.
func ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// FromBF16 widens a bfloat16 value; this is exact.
func FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// ToI32 rounds x towards zero; beyond the range it is the nearest end, NaN is 0.
func ToI32(x float32) int32 {
	switch {
	case x != x:
		return 0
	case x >= 1<<31:
		return math.MaxInt32
	case x < -1<<31:
		return math.MinInt32
	}
	return int32(x)
}

// sticky makes x fit a float32 without changing how it rounds to bfloat16: from
// 2^24 on, what lies between two multiples of 4096 is moved to their middle, and
// the points at which the rounding changes are multiples of 65536.
func sticky(x int32) int32 {
	if (x^x>>31)>>24 != 0 && x&0xfff != 0 {
		return x&^0xfff | 0x800
	}
	return x
}
