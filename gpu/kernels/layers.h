// What the layers' kernels share: operands of any floating-point type, and sums over a
// warp. Blocks have 256 threads.
#pragma once
#include "device.h"

#define THREADS 256
#define ELEMENTS 1024 // of a block of an elementwise kernel
#define WARPS (THREADS / 32)

typedef unsigned short u16;

// Element types, as gpu numbers them.
enum { F32, F16, BF16, I32 };

// A dense tensor; at is null where there is none.
struct Operand {
	void *at;
	i64 type;
};

DEVICE float load(const Operand &o, i64 i)
{
	if (o.type == F32) return ((const float *)o.at)[i];
	u16 h = ((const u16 *)o.at)[i];
	return o.type == F16 ? of_f16(h) : of_bf16(h);
}

DEVICE void store(const Operand &o, i64 i, float x)
{
	if (o.type == F32) ((float *)o.at)[i] = x;
	else ((u16 *)o.at)[i] = o.type == F16 ? f16_of(x) : bf16_of(x);
}

DEVICE float exp_fast(float x) { return exp2_fast(x * LOG2E); }
DEVICE float log_fast(float x) { return log2_fast(x) * LN2; }
DEVICE float sigmoid(float x) { return 1 / (1 + exp_fast(-x)); }

// The sum and the largest of a warp's values, in every lane. All lanes call.
DEVICE float warp_sum(float x)
{
	UNROLL for (int mask = 16; mask; mask /= 2) x += shuffle_xor(x, mask);
	return x;
}

DEVICE float warp_max(float x)
{
	UNROLL for (int mask = 16; mask; mask /= 2) {
		float other = shuffle_xor(x, mask);
		x = other > x ? other : x;
	}
	return x;
}

DEVICE int lane() { return thread_x() % 32; }

// The row that a warp does where each does one.
DEVICE i64 warp_row() { return (i64)block_x() * WARPS + thread_x() / 32; }
