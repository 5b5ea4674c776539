// The matrix product of bfloat16 by VDPBF16PS, which multiplies pairs of values and adds
// them to float32 sums at twice the rate of single ones. Subnormal values count as 0.
// Panels hold pairs of neighbours along the inner axis, 32 bits each.

// dst[c*ldd + r] = the 32 bits at src + r*lds bytes + 4c, for r < rows, c < cols.
static void ISA(turn)(const char *src, int64_t lds, int64_t rows, int64_t cols, float *dst, int64_t ldd)
{
	int64_t r = 0;
	for (; r + 4 <= rows; r += 4) {
		const char *s = src + r * lds;
		int64_t c = 0;
		for (; c + 4 <= cols; c += 4) {
			__m128 x0 = _mm_loadu_ps((const float *)(s + 4 * c)), x1 = _mm_loadu_ps((const float *)(s + lds + 4 * c));
			__m128 x2 = _mm_loadu_ps((const float *)(s + 2 * lds + 4 * c)), x3 = _mm_loadu_ps((const float *)(s + 3 * lds + 4 * c));
			_MM_TRANSPOSE4_PS(x0, x1, x2, x3);
			float *d = dst + c * ldd + r;
			_mm_storeu_ps(d, x0);
			_mm_storeu_ps(d + ldd, x1);
			_mm_storeu_ps(d + 2 * ldd, x2);
			_mm_storeu_ps(d + 3 * ldd, x3);
		}
		for (; c < cols; c++)
			for (int64_t i = 0; i < 4; i++) memcpy(dst + c * ldd + r + i, s + i * lds + 4 * c, 4);
	}
	for (; r < rows; r++)
		for (int64_t c = 0; c < cols; c++) memcpy(dst + c * ldd + r, src + r * lds + 4 * c, 4);
}

// w pairs of the values of two rows; up is null past the last.
INLINE void ISA(zip)(uint32_t *dst, const uint16_t *low, const uint16_t *up, int64_t w)
{
	int64_t j = 0;
	for (; up && j + 8 <= w; j += 8) {
		__m256i l = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(low + j)));
		__m256i u = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(up + j)));
		_mm256_storeu_si256((__m256i *)(dst + j), _mm256_or_si256(l, _mm256_slli_epi32(u, 16)));
	}
	for (; j < w; j++) dst[j] = low[j] | (up ? (uint32_t)up[j] << 16 : 0);
}

// A matrix (n, k) of which element (i, p) is number i*outer + p*inner, one of these 1, as
// panels of w rows, each (k/2 rounded up, w) pairs, zero past n and k.
static void ISA(pack_pairs)(const uint16_t *x, int64_t outer, int64_t inner, int64_t n, int64_t k, float *dst, int64_t w)
{
	int64_t pairs = (k + 1) / 2;
	for (int64_t i = 0; i < n; i += w, dst += w * pairs) {
		int64_t h = lesser(w, n - i);
		if (h < w) memset(dst, 0, sizeof(float) * w * pairs);
		if (inner == 1) {
			ISA(turn)((const char *)(x + i * outer), 2 * outer, h, k / 2, dst, w);
			for (int64_t r = 0; k % 2 && r < h; r++) {
				uint32_t last = x[(i + r) * outer + k - 1];
				memcpy(dst + (pairs - 1) * w + r, &last, 4);
			}
			continue;
		}
		for (int64_t p = 0; p < pairs; p++) {
			const uint16_t *low = x + 2 * p * inner + i;
			ISA(zip)((uint32_t *)(dst + p * w), low, 2 * p + 1 < k ? low + inner : 0, h);
		}
	}
}

// One tile, as tile of kernels.h with pairs.
INLINE void ISA(tile_pairs)(const int nv, const int add, int64_t k, const float *a, const float *b, float *c, int64_t ldc)
{
	V s[MR][NRV];
	UNROLL for (int i = 0; i < MR; i++)
		UNROLL for (int j = 0; j < nv; j++) s[i][j] = add ? VLOAD(c + i * ldc + j * VL) : VZERO();
	for (int64_t p = 0; p < k; p++, a += MR, b += NR) {
		V row[NRV];
		UNROLL for (int j = 0; j < nv; j++) row[j] = VLOAD(b + j * VL);
		UNROLL for (int i = 0; i < MR; i++) {
			V x = VSET(a[i]);
			UNROLL for (int j = 0; j < nv; j++) s[i][j] = _mm512_dpbf16_ps(s[i][j], (__m512bh)x, (__m512bh)row[j]);
		}
	}
	UNROLL for (int i = 0; i < MR; i++)
		UNROLL for (int j = 0; j < nv; j++) VSTORE(c + i * ldc + j * VL, s[i][j]);
}

static void ISA(tile_of)(int nv, int64_t k, const float *a, const float *b, float *c, int64_t ldc, int add)
{
	switch (nv * 2 + !!add) {
	case 2: ISA(tile_pairs)(1, 0, k, a, b, c, ldc); break;
	case 3: ISA(tile_pairs)(1, 1, k, a, b, c, ldc); break;
	case 4: ISA(tile_pairs)(2, 0, k, a, b, c, ldc); break;
	case 5: ISA(tile_pairs)(2, 1, k, a, b, c, ldc); break;
	case 6: ISA(tile_pairs)(3, 0, k, a, b, c, ldc); break;
	default: ISA(tile_pairs)(3, 1, k, a, b, c, ldc);
	}
}

#define DEPTH(k) (((k) + 1) / 2)

static void ISA(pack_left)(int t, const char *a, int64_t rs, int64_t cs, int64_t m, int64_t k, float *dst)
{
	ISA(pack_pairs)((const uint16_t *)a, rs, cs, m, k, dst, MR);
}

static void ISA(pack_right)(int t, const char *b, int64_t rs, int64_t cs, int64_t k, int64_t n, float *dst)
{
	ISA(pack_pairs)((const uint16_t *)b, cs, rs, n, k, dst, NR);
}

#include "gemm_blocks.h"
