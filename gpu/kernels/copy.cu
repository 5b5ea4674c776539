// Copies between tensors of any strides, with conversion of the element type:
// floating point to nearest, ties to even; to integers towards zero, saturated, 0
// for NaN. One block writes 1024 elements.
#include "device.h"

#define AXES 6
#define THREADS 256
#define ELEMENTS 1024

typedef unsigned short u16;
typedef unsigned u32;

// As the launcher packs them; strides are in elements. The first rank axes count.
struct CopyArgs {
	void *dst;
	const void *src;
	i64 n, rank;
	i64 shape[AXES], to[AXES], from[AXES];
};

// From 2^24 on an integer does not fit a float. What lies between two multiples of
// 4096 is moved to their middle; where bfloat16 rounds up are multiples of 65536.
DEVICE int sticky(int x) { return (x ^ x >> 31) >> 24 && x & 0xfff ? (x & ~0xfff) | 0x800 : x; }

template <class TO, class FROM, class CONVERT> DEVICE void copy(const CopyArgs &p, CONVERT convert)
{
	UNROLL_BY(1) for (int e = 0; e < ELEMENTS; e += THREADS) {
		i64 i = (i64)block_x() * ELEMENTS + e + thread_x();
		if (i >= p.n) return;
		i64 to = 0, from = 0, rest = i;
		UNROLL for (int axis = AXES - 1; axis >= 0; axis--)
			if (axis < p.rank) {
				i64 at = axis ? rest % p.shape[axis] : rest;
				rest /= p.shape[axis];
				to += at * p.to[axis];
				from += at * p.from[axis];
			}
		((TO *)p.dst)[to] = convert(((const FROM *)p.src)[from]);
	}
}

#define COPY(to, from, value) copy<to, from>(p, [](from x) DEVICE_LAMBDA -> to { return value; })

KERNEL copy_b16(CopyArgs p) { COPY(u16, u16, x); }
KERNEL copy_b32(CopyArgs p) { COPY(u32, u32, x); }
KERNEL copy_f32_f16(CopyArgs p) { COPY(u16, float, f16_of(x)); }
KERNEL copy_f32_bf16(CopyArgs p) { COPY(u16, float, bf16_of(x)); }
KERNEL copy_f32_i32(CopyArgs p) { COPY(int, float, i32_of(x)); }
KERNEL copy_f16_f32(CopyArgs p) { COPY(float, u16, of_f16(x)); }
KERNEL copy_f16_bf16(CopyArgs p) { COPY(u16, u16, bf16_of(of_f16(x))); }
KERNEL copy_f16_i32(CopyArgs p) { COPY(int, u16, i32_of(of_f16(x))); }
KERNEL copy_bf16_f32(CopyArgs p) { COPY(float, u16, of_bf16(x)); }
KERNEL copy_bf16_f16(CopyArgs p) { COPY(u16, u16, f16_of(of_bf16(x))); }
KERNEL copy_bf16_i32(CopyArgs p) { COPY(int, u16, i32_of(of_bf16(x))); }
KERNEL copy_i32_f32(CopyArgs p) { COPY(float, int, (float)x); }
KERNEL copy_i32_f16(CopyArgs p) { COPY(u16, int, f16_of((float)x)); }
KERNEL copy_i32_bf16(CopyArgs p) { COPY(u16, int, bf16_of((float)sticky(x))); }
