// The vector vocabulary of the kernels, in AVX-512. See kernels.h.
#define ISA(name) attune_##name##_avx512
typedef __m512 V;
#define VL 16
// 24 accumulators, 3 loads and a broadcast fill 28 of 32 registers.
#define MR 8
#define NRV 3
#define VZERO() _mm512_setzero_ps()
#define VSET(x) _mm512_set1_ps(x)
#define VLOAD(p) _mm512_loadu_ps(p)
#define VSTORE(p, x) _mm512_storeu_ps(p, x)
#define VLOADN(p, n) _mm512_maskz_loadu_ps((__mmask16)((1u << (n)) - 1), p)
#define VSTOREN(p, n, x) _mm512_mask_storeu_ps(p, (__mmask16)((1u << (n)) - 1), x)
// lanes lo … hi-1 of what lies at p, 0 in the others, whose memory is not touched
#define VLOADR(p, lo, hi) _mm512_maskz_loadu_ps((__mmask16)((hi) > (lo) ? (1u << (hi)) - (1u << (lo)) : 0), p)
#define VFMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define VADD(a, b) _mm512_add_ps(a, b)
#define VSUB(a, b) _mm512_sub_ps(a, b)
#define VMUL(a, b) _mm512_mul_ps(a, b)
#define VDIV(a, b) _mm512_div_ps(a, b)
#define VMAX(a, b) _mm512_max_ps(a, b)
#define VMIN(a, b) _mm512_min_ps(a, b)
#define VSQRT(a) _mm512_sqrt_ps(a)
#define VROUND(a) _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define VSUM(a) _mm512_reduce_add_ps(a)
#define VIOTA() _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
// a < b ? x : y, lane by lane
#define VLESS(a, b, x, y) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x)
// x times two to the power n, n a whole number in -126..127
#define VPOW2(x, n) _mm512_scalef_ps(x, n)
// x - floor(x), and p times two to the power floor(x)
#define VFRACTION(x) _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)
#define VSCALE(p, x) _mm512_scalef_ps(p, x)
// whether any lanes differ
#define VDIFFER(a, b) (_mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ) != 0)
// Masks of lanes: where a > b, a NaN being above all others; and x there, else y.
typedef __mmask16 M;
#define VABOVE(a, b) _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(b, b, _CMP_ORD_Q), a, b, _CMP_NLE_UQ)
#define VPICK(m, x, y) _mm512_mask_blend_ps(m, y, x)
// The first and the second of all pairs side by side, and such pairs again.
#define VEVEN(a, b) _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), b)
#define VODD(a, b) _mm512_permutex2var_ps(a, _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31), b)
#define VLOW_PAIRS(a, b) _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b)
#define VHIGH_PAIRS(a, b) _mm512_permutex2var_ps(a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b)
