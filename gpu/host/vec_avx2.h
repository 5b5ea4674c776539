// The vector vocabulary of the kernels, in AVX2 with FMA. See kernels.h.
#define ISA(name) attune_##name##_avx2
typedef __m256 V;
#define VL 8
// 12 accumulators, 3 loads and a broadcast fill all 16 registers.
#define MR 4
#define NRV 3
#define VZERO() _mm256_setzero_ps()
#define VSET(x) _mm256_set1_ps(x)
#define VLOAD(p) _mm256_loadu_ps(p)
#define VSTORE(p, x) _mm256_storeu_ps(p, x)
#define VFIRST(n) _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define VLOADN(p, n) _mm256_maskload_ps(p, VFIRST(n))
#define VSTOREN(p, n, x) _mm256_maskstore_ps(p, VFIRST(n), x)
#define VLOADR(p, lo, hi) _mm256_maskload_ps(p, _mm256_andnot_si256(VFIRST(lo), VFIRST(hi)))
#define VFMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define VADD(a, b) _mm256_add_ps(a, b)
#define VSUB(a, b) _mm256_sub_ps(a, b)
#define VMUL(a, b) _mm256_mul_ps(a, b)
#define VDIV(a, b) _mm256_div_ps(a, b)
#define VMAX(a, b) _mm256_max_ps(a, b)
#define VMIN(a, b) _mm256_min_ps(a, b)
#define VSQRT(a) _mm256_sqrt_ps(a)
#define VROUND(a) _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define VIOTA() _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7)
#define VLESS(a, b, x, y) _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ))
#define VPOW2(x, n) \
	_mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23)))
// Below -127 the exponent's bits are zero, and so is the product.
#define VLOW(x) _mm256_max_ps(_mm256_set1_ps(-127), x)
#define VFRACTION(x) _mm256_sub_ps(VLOW(x), _mm256_floor_ps(VLOW(x)))
#define VSCALE(p, x) VPOW2(p, _mm256_floor_ps(VLOW(x)))
#define VDIFFER(a, b) _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NEQ_UQ))
typedef __m256 M;
#define VABOVE(a, b) _mm256_and_ps(_mm256_cmp_ps(b, b, _CMP_ORD_Q), _mm256_cmp_ps(a, b, _CMP_NLE_UQ))
#define VPICK(m, x, y) _mm256_blendv_ps(y, x, m)
#define VQUARTERS(x) _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0xD8))
#define VEVEN(a, b) VQUARTERS(_mm256_shuffle_ps(a, b, 0x88))
#define VODD(a, b) VQUARTERS(_mm256_shuffle_ps(a, b, 0xDD))
#define VLOW_PAIRS(a, b) _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20)
#define VHIGH_PAIRS(a, b) _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31)

static inline float attune_lanes_avx2(__m256 a)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
#define VSUM(a) attune_lanes_avx2(a)
