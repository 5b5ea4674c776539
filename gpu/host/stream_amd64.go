//go:build cgo

package host

/*
#include "stream.h"

static void cast(int wide, void *dst, int dt, const void *src, int st, int64_t n)
{ wide ? attune_cast_avx512(dst, dt, src, st, n) : attune_cast_avx2(dst, dt, src, st, n); }

#cgo noescape cast
#cgo nocallback cast
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
