// Conversions that Go calls; see half.h.
#include "half.h"

#define CAST_FROM(dt) \
	switch (st) { \
	case F32: ISA(cast_as)(dt, F32, dst, src, n); break; \
	case F16: ISA(cast_as)(dt, F16, dst, src, n); break; \
	case BF16: ISA(cast_as)(dt, BF16, dst, src, n); break; \
	case I32: ISA(cast_as)(dt, I32, dst, src, n); break; \
	}

// n elements that lie side by side.
void ISA(cast)(void *dst, int dt, const void *src, int st, int64_t n)
{
	if (dt == st) {
		memcpy(dst, src, n * size_of(dt));
		return;
	}
	switch (dt) {
	case F32: CAST_FROM(F32); break;
	case F16: CAST_FROM(F16); break;
	case BF16: CAST_FROM(BF16); break;
	case I32: CAST_FROM(I32); break;
	}
}

// Rows of n elements that lie side by side, the rows dl and sl bytes apart.
void ISA(cast_rows)(char *dst, int dt, int64_t dl, const char *src, int st, int64_t sl, int64_t rows, int64_t n)
{
	for (int64_t r = 0; r < rows; r++) ISA(cast)(dst + r * dl, dt, src + r * sl, st, n);
}
