// What Go calls of the streaming kernels: each once per instruction set. Element
// types are numbered as in convert.go.
#include <stdint.h>

enum { F32, F16, BF16, I32 };

#define DECLARE_STREAMS(isa) \
	void attune_cast_##isa(void *dst, int dt, const void *src, int st, int64_t n);

DECLARE_STREAMS(avx2)
DECLARE_STREAMS(avx512)
