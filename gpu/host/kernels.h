// The kernels' text, compiled once per instruction set: the includer sets the
// compiler's target and includes a vec_*.h with the vector vocabulary first.
// Nothing here keeps state: two copies of this code may live in one process.
#include "base.h"

// 2^x to about one unit in the last place; 0 below -126, NaN for NaN. Taylor's
// series of degree 6 on [-1/2, 1/2], its remainder is 1.2e-7.
INLINE V ISA(exp2)(V x)
{
	V clamped = VMIN(VSET(127), VMAX(VSET(-126), x));
	V n = VROUND(clamped), r = VSUB(clamped, n);
	V p = VSET(1.5403530e-4f);
	p = VFMA(p, r, VSET(1.3333558e-3f));
	p = VFMA(p, r, VSET(9.6181291e-3f));
	p = VFMA(p, r, VSET(5.5504109e-2f));
	p = VFMA(p, r, VSET(2.4022651e-1f));
	p = VFMA(p, r, VSET(6.9314718e-1f));
	p = VFMA(p, r, VSET(1.0f));
	return VLESS(x, VSET(-126), VZERO(), VPOW2(p, n));
}

// 2^x for x up to 126: to two units in the last place, 0 below -127, NaN for NaN.
// A polynomial of degree 5 for 2^r on [0, 1), found by the exchange of Remez for
// the least relative error, 8e-8.
INLINE V ISA(exp2_low)(V x)
{
	V r = VFRACTION(x);
	V p = VSET(1.86713133e-3f);
	p = VFMA(p, r, VSET(9.01702791e-3f));
	p = VFMA(p, r, VSET(5.57999164e-2f));
	p = VFMA(p, r, VSET(0.240164444f));
	p = VFMA(p, r, VSET(0.693151295f));
	p = VFMA(p, r, VSET(1.0f));
	return VSCALE(p, x);
}

// One tile: c (MR, nv*VL) = or += a (MR, k) times b (k, nv*VL). Element (i, p) of
// a is at a[i*ai + p*ak]; nv, add and ai are constants after inlining.
INLINE void ISA(tile)(const int nv, const int add, const int64_t ai, int64_t ak, int64_t k, const float *a,
	const float *b, int64_t ldb, float *c, int64_t ldc)
{
	V s[MR][NRV];
	UNROLL for (int i = 0; i < MR; i++)
		UNROLL for (int j = 0; j < nv; j++)
			s[i][j] = add ? VLOAD(c + i * ldc + j * VL) : VZERO();
	for (int64_t p = 0; p < k; p++, a += ak, b += ldb) {
		V row[NRV];
		UNROLL for (int j = 0; j < nv; j++) row[j] = VLOAD(b + j * VL);
		UNROLL for (int i = 0; i < MR; i++) {
			V x = VSET(a[i * ai]);
			UNROLL for (int j = 0; j < nv; j++) s[i][j] = VFMA(x, row[j], s[i][j]);
		}
	}
	UNROLL for (int i = 0; i < MR; i++)
		UNROLL for (int j = 0; j < nv; j++)
			VSTORE(c + i * ldc + j * VL, s[i][j]);
}

// a is packed: the MR values of one p stand side by side.
static void ISA(tile_packed)(int nv, int64_t ak, int64_t k, const float *a,
	const float *b, int64_t ldb, float *c, int64_t ldc, int add)
{
	switch (nv * 2 + !!add) {
	case 2: ISA(tile)(1, 0, 1, ak, k, a, b, ldb, c, ldc); break;
	case 3: ISA(tile)(1, 1, 1, ak, k, a, b, ldb, c, ldc); break;
	case 4: ISA(tile)(2, 0, 1, ak, k, a, b, ldb, c, ldc); break;
	case 5: ISA(tile)(2, 1, 1, ak, k, a, b, ldb, c, ldc); break;
	case 6: ISA(tile)(3, 0, 1, ak, k, a, b, ldb, c, ldc); break;
	default: ISA(tile)(3, 1, 1, ak, k, a, b, ldb, c, ldc);
	}
}

// a has rows of NR values, as the score tiles of attention do.
static void ISA(tile_rows)(int nv, int64_t k, const float *a,
	const float *b, int64_t ldb, float *c, int64_t ldc)
{
	switch (nv) {
	case 1: ISA(tile)(1, 1, NR, 1, k, a, b, ldb, c, ldc); break;
	case 2: ISA(tile)(2, 1, NR, 1, k, a, b, ldb, c, ldc); break;
	default: ISA(tile)(3, 1, NR, 1, k, a, b, ldb, c, ldc);
	}
}

// dst[c*ldd + r] = scale * src[r*lds + c] for r < rows, c < cols.
static void ISA(transpose)(const float *src, int64_t lds, int64_t rows, int64_t cols, float *dst, int64_t ldd, float scale)
{
	__m128 f = _mm_set1_ps(scale);
	int64_t r = 0;
	for (; r + 4 <= rows; r += 4) {
		int64_t c = 0;
		const float *s = src + r * lds;
		for (; c + 4 <= cols; c += 4) {
			__m128 x0 = _mm_loadu_ps(s + c), x1 = _mm_loadu_ps(s + lds + c);
			__m128 x2 = _mm_loadu_ps(s + 2 * lds + c), x3 = _mm_loadu_ps(s + 3 * lds + c);
			_MM_TRANSPOSE4_PS(x0, x1, x2, x3);
			float *d = dst + c * ldd + r;
			_mm_storeu_ps(d, _mm_mul_ps(x0, f));
			_mm_storeu_ps(d + ldd, _mm_mul_ps(x1, f));
			_mm_storeu_ps(d + 2 * ldd, _mm_mul_ps(x2, f));
			_mm_storeu_ps(d + 3 * ldd, _mm_mul_ps(x3, f));
		}
		for (; c < cols; c++)
			for (int64_t i = 0; i < 4; i++) dst[c * ldd + r + i] = scale * s[i * lds + c];
	}
	for (; r < rows; r++)
		for (int64_t c = 0; c < cols; c++) dst[c * ldd + r] = scale * src[r * lds + c];
}

// Rows r < rows of src (length cols) as panels of w rows, each stored (cols, w);
// rows past the end are zero. dst holds up(rows, w) * cols floats.
static void ISA(pack)(const float *src, int64_t lds, int64_t rows, int64_t cols, float *dst, int64_t w)
{
	for (int64_t r = 0; r < rows; r += w, dst += w * cols) {
		int64_t n = lesser(w, rows - r);
		if (n < w) memset(dst, 0, sizeof(float) * w * cols);
		ISA(transpose)(src + r * lds, lds, n, cols, dst, w, 1);
	}
}

// dst (rows, ldd) = scale * src (rows, cols), columns from cols to ldd zero.
static void ISA(pad)(const float *src, int64_t lds, int64_t rows, int64_t cols, float *dst, int64_t ldd, float scale)
{
	for (int64_t r = 0; r < rows; r++) {
		for (int64_t c = 0; c < cols; c++) dst[r * ldd + c] = scale * src[r * lds + c];
		for (int64_t c = cols; c < ldd; c++) dst[r * ldd + c] = 0;
	}
}

#include "half.h"
#include "gemm.h"
#include "attention.h"
#include "attention_grad.h"
#include "decode.h"
#include "pointwise.h"
#include "rows.h"
#include "conv.h"
#include "image.h"
