// Copies between tensors of any strides in the target's order, by four values at once
// where the launcher says that all lie so.
#include "copy.h"

#define PIECES 4 // of one value or four, that a thread takes

// All loads are under way before the first is waited for: none stands behind a branch.
template <class AS, class PIECE> DEVICE void pieces(const CopyArgs &p)
{
	i64 first = (i64)block_x() * (PIECES * THREADS) + thread_x(), to[PIECES], from[PIECES];
	u32 at[PIECES];
	PIECE x[PIECES];
	UNROLL for (int e = 0; e < PIECES; e++) at[e] = within(first + e * THREADS, p.n);
	place<PIECES>(p, at, to, from);
	UNROLL for (int e = 0; e < PIECES; e++) load(x[e], (const typename AS::FROM *)p.src + from[e]);
	UNROLL for (int e = 0; e < PIECES; e++)
		if (first + e * THREADS < p.n) store<AS>((typename AS::TO *)p.dst + to[e], x[e]);
}

template <class AS> DEVICE void copy(const CopyArgs &p)
{
	typedef typename AS::FROM FROM;
	i64 i = 4 * p.n + thread_x();
	if (block_x() == 0 && thread_x() < p.tail) store<AS>((typename AS::TO *)p.dst + i, ((const FROM *)p.src)[i]);
	if (p.n == 0) return;
	if (p.four) pieces<AS, Four<FROM>>(p);
	else pieces<AS, FROM>(p);
}

KERNEL copy_b16(CopyArgs p) { copy<As_b16>(p); }
KERNEL copy_b32(CopyArgs p) { copy<As_b32>(p); }
KERNEL copy_f32_f16(CopyArgs p) { copy<As_f32_f16>(p); }
KERNEL copy_f32_bf16(CopyArgs p) { copy<As_f32_bf16>(p); }
KERNEL copy_f32_i32(CopyArgs p) { copy<As_f32_i32>(p); }
KERNEL copy_f16_f32(CopyArgs p) { copy<As_f16_f32>(p); }
KERNEL copy_f16_bf16(CopyArgs p) { copy<As_f16_bf16>(p); }
KERNEL copy_f16_i32(CopyArgs p) { copy<As_f16_i32>(p); }
KERNEL copy_bf16_f32(CopyArgs p) { copy<As_bf16_f32>(p); }
KERNEL copy_bf16_f16(CopyArgs p) { copy<As_bf16_f16>(p); }
KERNEL copy_bf16_i32(CopyArgs p) { copy<As_bf16_i32>(p); }
KERNEL copy_i32_f32(CopyArgs p) { copy<As_i32_f32>(p); }
KERNEL copy_i32_f16(CopyArgs p) { copy<As_i32_f16>(p); }
KERNEL copy_i32_bf16(CopyArgs p) { copy<As_i32_bf16>(p); }
