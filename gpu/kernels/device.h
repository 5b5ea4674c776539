// What the kernels need of the device, in two forms: for clang's CUDA mode with
// no toolkit headers, and for a compiler of the host, where the fake driver
// (gpu/driver/fakecuda) supplies threads and barriers.
#pragma once

#ifdef __CUDA__

#define KERNEL extern "C" __attribute__((global)) void
#define DEVICE static inline __attribute__((device, always_inline))
#define DEVICE_LAMBDA __attribute__((device))
#define SHARED __attribute__((shared))
// Loops over a thread's own array must vanish, or the array lives in memory.
#define UNROLL _Pragma("unroll")
#define UNROLL_BY(n) _Pragma(UNROLL_TEXT(unroll n))
#define UNROLL_TEXT(x) #x
DEVICE int block_x() { return __nvvm_read_ptx_sreg_ctaid_x(); }
DEVICE int thread_x() { return __nvvm_read_ptx_sreg_tid_x(); }
DEVICE void barrier() { __syncthreads(); }
// The value of the lane whose number differs by the bits of mask. All lanes call.
DEVICE float shuffle_xor(float x, int mask) { return __nvvm_shfl_sync_bfly_f32(0xffffffffu, x, mask, 31); }
// Whether x holds in any lane. All lanes call.
DEVICE bool any_lane(bool x) { return __nvvm_vote_any_sync(0xffffffffu, x); }
// thread_x, read again rather than kept in a register since it was last read.
DEVICE int thread_again()
{
	int x;
	asm volatile("mov.u32 %0, %%tid.x;" : "=r"(x));
	return x;
}
// A value that the compiler computes from anew: what follows from it is not kept in
// registers through a loop.
DEVICE void opaque(long long &x) { asm volatile("" : "+l"(x)); }
// Two units in the last place (PTX ISA, ex2 and lg2 .approx). Powers below 2^-126 are 0:
// without that each takes three instructions more.
DEVICE float exp2_fast(float x) { return __nvvm_ex2_approx_ftz_f(x); }
DEVICE float log2_fast(float x) { return __nvvm_lg2_approx_f(x); }
// The greater; a NaN loses.
DEVICE float greater(float x, float y) { return __builtin_fmaxf(x, y); }
DEVICE float root(float x) { return __nvvm_sqrt_rn_f(x); }
DEVICE double root(double x) { return __nvvm_sqrt_rn_d(x); }
// To nearest, ties to even; beyond 65504 infinite. Towards zero, saturated, 0 for
// NaN (PTX ISA, cvt).
DEVICE unsigned short f16_of(float x)
{
	unsigned short h;
	asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(x));
	return h;
}
DEVICE float of_f16(unsigned short h)
{
	float x;
	asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(h));
	return x;
}
DEVICE int i32_of(float x)
{
	int i;
	asm("cvt.rzi.s32.f32 %0, %1;" : "=r"(i) : "f"(x));
	return i;
}
DEVICE unsigned bits_of(float x) { return __builtin_bit_cast(unsigned, x); }
DEVICE float of_bits(unsigned b) { return __builtin_bit_cast(float, b); }

#else

#include "fakecuda.h"
DEVICE bool any_lane(bool x)
{
	float y = x;
	for (int mask = 16; mask; mask /= 2) y += shuffle_xor(y, mask);
	return y > 0;
}
DEVICE int thread_again() { return thread_x(); }
DEVICE void opaque(long long &) {}
#define UNROLL
#define UNROLL_BY(n)

#endif

#define LOG2E 1.44269504088896f
#define LN2 0.693147180559945f
#define INF __builtin_inff()

typedef long long i64;

// 2 to 16 bytes at multiples of their size, by one instruction where it stands: the
// compiler may take a load of a vector apart, and move loads to where they are used.
#ifdef __CUDA__
typedef unsigned Words2 __attribute__((ext_vector_type(2)));
typedef unsigned Words4 __attribute__((ext_vector_type(4)));
DEVICE void load_words(unsigned short &x, const void *from) { asm volatile("ld.global.u16 %0, [%1];" : "=h"(x) : "l"(from)); }
DEVICE void load_words(unsigned &x, const void *from) { asm volatile("ld.global.u32 %0, [%1];" : "=r"(x) : "l"(from)); }
DEVICE void load_words(Words2 &x, const void *from)
{
	unsigned a, b;
	asm volatile("ld.global.v2.u32 {%0, %1}, [%2];" : "=r"(a), "=r"(b) : "l"(from));
	x = Words2{a, b};
}
DEVICE void load_words(Words4 &x, const void *from)
{
	unsigned a, b, c, d;
	asm volatile("ld.global.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(a), "=r"(b), "=r"(c), "=r"(d) : "l"(from));
	x = Words4{a, b, c, d};
}
DEVICE void store_words(void *to, Words4 x) { *(Words4 *)to = x; }
#else
typedef unsigned Words2 __attribute__((vector_size(8)));
typedef unsigned Words4 __attribute__((vector_size(16)));
DEVICE void load_words(unsigned short &x, const void *from) { x = *(const unsigned short *)from; }
DEVICE void load_words(unsigned &x, const void *from) { x = *(const unsigned *)from; }
DEVICE void load_words(Words2 &x, const void *from) { x = *(const Words2 *)from; }
DEVICE void load_words(Words4 &x, const void *from) { x = *(const Words4 *)from; }
DEVICE void store_words(void *to, Words4 x) { *(Words4 *)to = x; }
#endif

// bfloat16 is the upper half of a float: to nearest, ties to even.
DEVICE float of_bf16(unsigned short h) { return of_bits((unsigned)h << 16); }
DEVICE unsigned short bf16_of(float x)
{
	unsigned b = bits_of(x);
	if (x != x) return (unsigned short)(b >> 16 | 0x40);
	return (unsigned short)((b + 0x7fff + (b >> 16 & 1)) >> 16);
}

// Division of a number below 2^31 by one from 1 to 2^31, as the launcher packs it
// (divisor in gpu/cuda_copy.go): a few instructions where the device's own takes twenty,
// and its own of 64 bits a hundred.
struct Divisor {
	unsigned times, shift;
};
DEVICE unsigned quotient(unsigned n, Divisor by) { return ((unsigned)((unsigned long long)n * by.times >> 32) + n) >> by.shift; }
