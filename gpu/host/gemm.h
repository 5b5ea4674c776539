// The matrix product in float32, of operands of any type.

// Rows r < rows of src (length cols), in half precision, as panels; see pack.
INLINE void ISA(pack_half)(const int t, const char *src, int64_t lds, int64_t rows, int64_t cols, float *dst, int64_t w)
{
	enum { CHUNK = 64 };
	float tmp[NR * CHUNK];
	for (int64_t r = 0; r < rows; r += w, dst += w * cols) {
		int64_t n = lesser(w, rows - r);
		if (n < w) memset(dst, 0, sizeof(float) * w * cols);
		for (int64_t c = 0; c < cols; c += CHUNK) {
			int64_t k = lesser(CHUNK, cols - c);
			for (int64_t i = 0; i < n; i++) ISA(cast_as)(F32, t, (char *)(tmp + i * CHUNK), src + 2 * ((r + i) * lds + c), k);
			ISA(transpose)(tmp, CHUNK, n, k, dst + c * w, w, 1);
		}
	}
}

// B (k, n) as panels of NR columns, each (k, NR), zero past n.
INLINE void ISA(pack_b)(const int t, const char *b, int64_t rs, int64_t cs, int64_t k, int64_t n, float *dst)
{
	if (cs != 1) {
		if (t == F32) ISA(pack)((const float *)b, cs, n, k, dst, NR);
		else ISA(pack_half)(t, b, cs, n, k, dst, NR);
		return;
	}
	for (int64_t j = 0; j < n; j += NR) {
		int64_t w = lesser(NR, n - j);
		for (int64_t p = 0; p < k; p++, dst += NR) {
			const char *s = b + size_of(t) * (p * rs + j);
			if (w == NR) {
				UNROLL for (int v = 0; v < NRV; v++) VSTORE(dst + v * VL, ISA(widen)(t, F32, s + size_of(t) * v * VL));
				continue;
			}
			ISA(cast_as)(F32, t, (char *)dst, s, w);
			memset(dst + w, 0, sizeof(float) * (NR - w));
		}
	}
}

// MR elements in half precision as float32.
INLINE void ISA(widen_few)(const int t, float *to, const void *from)
{
#if MR == 8
	__m128i h = _mm_loadu_si128((const __m128i *)from);
	_mm256_storeu_ps(to, t == F16 ? _mm256_cvtph_ps(h) : _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16)));
#else
	__m128i h = _mm_loadl_epi64((const __m128i *)from);
	_mm_storeu_ps(to, t == F16 ? _mm_cvtph_ps(h) : _mm_castsi128_ps(_mm_slli_epi32(_mm_cvtepu16_epi32(h), 16)));
#endif
}

// A (m, k) as panels of MR rows, each (k, MR), zero past m.
INLINE void ISA(pack_a)(const int t, const char *a, int64_t rs, int64_t cs, int64_t m, int64_t k, float *dst)
{
	if (rs != 1) {
		if (t == F32) ISA(pack)((const float *)a, rs, m, k, dst, MR);
		else ISA(pack_half)(t, a, rs, m, k, dst, MR);
		return;
	}
	for (int64_t i = 0; i < m; i += MR) {
		int64_t w = lesser(MR, m - i);
		for (int64_t p = 0; p < k; p++, dst += MR) {
			const char *s = a + size_of(t) * (p * cs + i);
			char some[4 * MR] = {0};
			if (w < MR) s = memcpy(some, s, size_of(t) * w);
			if (t == F32) memcpy(dst, s, sizeof(float) * MR);
			else ISA(widen_few)(t, dst, s);
		}
	}
}

#define PACK(name, ...) \
	switch (t) { \
	case F16: ISA(name)(F16, __VA_ARGS__); break; \
	case BF16: ISA(name)(BF16, __VA_ARGS__); break; \
	default: ISA(name)(F32, __VA_ARGS__); \
	}

static void ISA(pack_left)(int t, const char *a, int64_t rs, int64_t cs, int64_t m, int64_t k, float *dst) { PACK(pack_a, a, rs, cs, m, k, dst) }
static void ISA(pack_right)(int t, const char *b, int64_t rs, int64_t cs, int64_t k, int64_t n, float *dst) { PACK(pack_b, b, rs, cs, k, n, dst) }

#define DEPTH(k) (k)

static void ISA(tile_of)(int nv, int64_t k, const float *a, const float *b, float *c, int64_t ldc, int add)
{
	ISA(tile_packed)(nv, MR, k, a, b, NR, c, ldc, add);
}

#include "gemm_blocks.h"
