//go:build cgo

package host

/*
#include "stream.h"

static void cast(int wide, void *dst, int dt, const void *src, int st, int64_t n)
{ wide ? attune_cast_avx512(dst, dt, src, st, n) : attune_cast_avx2(dst, dt, src, st, n); }
static void cast_rows(int wide, void *dst, int dt, int64_t dl, const void *src, int st, int64_t sl, int64_t rows, int64_t n)
{ wide ? attune_cast_rows_avx512(dst, dt, dl, src, st, sl, rows, n) : attune_cast_rows_avx2(dst, dt, dl, src, st, sl, rows, n); }
static double sum_squares(int wide, const void *x, int t, int64_t n)
{ return wide ? attune_sum_squares_avx512(x, t, n) : attune_sum_squares_avx2(x, t, n); }
static void update(int wide, int kind, const attune_factors *c, int64_t n, float *x, void *half, int ht,
	const void *g, int gt, float *s0, float *s1, float *s2, double *sums)
{
	wide ? attune_update_avx512(kind, c, n, x, half, ht, g, gt, s0, s1, s2, sums)
		: attune_update_avx2(kind, c, n, x, half, ht, g, gt, s0, s1, s2, sums);
}

#cgo noescape cast
#cgo nocallback cast
#cgo noescape cast_rows
#cgo nocallback cast_rows
#cgo noescape sum_squares
#cgo nocallback sum_squares
#cgo noescape update
#cgo nocallback update
*/
import "C"

import "unsafe"

func p(x []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }

func (k vector) cast(dst []byte, dt DType, src []byte, st DType, n int) {
	if n > 0 {
		_, _ = dst[n*dt.Size()-1], src[n*st.Size()-1]
	}
	C.cast(C.int(k.wide), p(dst), C.int(dt), p(src), C.int(st), C.int64_t(n))
}

func (k vector) castRows(dst []byte, dt DType, dl int, src []byte, st DType, sl, rows, n int) {
	if n > 0 && rows > 0 {
		_, _ = dst[((rows-1)*dl+n)*dt.Size()-1], src[((rows-1)*sl+n)*st.Size()-1]
	}
	C.cast_rows(C.int(k.wide), p(dst), C.int(dt), C.int64_t(dl*dt.Size()), p(src), C.int(st), C.int64_t(sl*st.Size()), C.int64_t(rows), C.int64_t(n))
}

func (k vector) sumSquares(x []byte, t DType) float64 {
	return float64(C.sum_squares(C.int(k.wide), p(x), C.int(t), C.int64_t(len(x)/t.Size())))
}

func (k vector) update(kind Kind, c *Factors, u *Update) (sums [2]float64) {
	C.update(C.int(k.wide), C.int(kind), (*C.attune_factors)(unsafe.Pointer(c)), C.int64_t(len(u.X)), (*C.float)(f(u.X)),
		p(u.Half), C.int(u.HalfType), p(u.G), C.int(u.GType), (*C.float)(f(u.S[0])), (*C.float)(f(u.S[1])), (*C.float)(f(u.S[2])),
		(*C.double)(unsafe.Pointer(&sums[0])))
	return sums
}
