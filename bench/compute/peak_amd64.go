//go:build cgo

package main

/*
#include <immintrin.h>

#define FMA(op, type) \
	__asm__ volatile( \
		op " %11, %10, %0\n" op " %11, %10, %1\n" op " %11, %10, %2\n" op " %11, %10, %3\n" op " %11, %10, %4\n" \
		op " %11, %10, %5\n" op " %11, %10, %6\n" op " %11, %10, %7\n" op " %11, %10, %8\n" op " %11, %10, %9\n" \
		: "+v"(a0), "+v"(a1), "+v"(a2), "+v"(a3), "+v"(a4), "+v"(a5), "+v"(a6), "+v"(a7), "+v"(a8), "+v"(a9) : "v"(x), "v"(y))

__attribute__((target("avx512f"))) static float wide(long n)
{
	__m512 a0 = _mm512_set1_ps(0.1f), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0;
	__m512 x = _mm512_set1_ps(1.0001f), y = _mm512_set1_ps(1e-9f);
	for (long i = 0; i < n; i++) FMA("vfmadd213ps", __m512);
	return _mm512_cvtss_f32(a0);
}

__attribute__((target("avx2,fma"))) static float narrow(long n)
{
	__m256 a0 = _mm256_set1_ps(0.1f), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0;
	__m256 x = _mm256_set1_ps(1.0001f), y = _mm256_set1_ps(1e-9f);
	for (long i = 0; i < n; i++) FMA("vfmadd213ps", __m256);
	return _mm256_cvtss_f32(a0);
}

// 1e9 multiply-adds on float32, ten sums under way at a time
static float multiply_adds(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") ? wide(1000000000 / 160) : narrow(1000000000 / 80);
}
*/
import "C"

// multiplyAdds does 1e9 of them on one core, in registers.
func multiplyAdds() { C.multiply_adds() }
