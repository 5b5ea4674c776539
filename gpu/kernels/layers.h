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

// Whether four values that begin at a multiple of four may be loaded and stored at once.
DEVICE bool even(const Operand &o) { return ((unsigned long long)o.at & (o.type == F32 ? 15 : 7)) == 0; }

template <bool HALVES> DEVICE void load4(const Operand &o, i64 i, float x[4])
{
	if (!HALVES || o.type == F32) {
		Words4 w;
		load_words(w, (const float *)o.at + i);
		UNROLL for (int e = 0; e < 4; e++) x[e] = of_bits(w[e]);
		return;
	}
	Words2 w;
	load_words(w, (const u16 *)o.at + i);
	UNROLL for (int e = 0; e < 4; e++) {
		u16 h = (u16)(w[e / 2] >> 16 * (e % 2));
		x[e] = o.type == F16 ? of_f16(h) : of_bf16(h);
	}
}

template <bool HALVES> DEVICE void store4(const Operand &o, i64 i, const float x[4])
{
	if (!HALVES || o.type == F32) {
		*(Words4 *)((float *)o.at + i) = Words4{bits_of(x[0]), bits_of(x[1]), bits_of(x[2]), bits_of(x[3])};
		return;
	}
	u16 h[4];
	UNROLL for (int e = 0; e < 4; e++) h[e] = o.type == F16 ? f16_of(x[e]) : bf16_of(x[e]);
	*(Words2 *)((u16 *)o.at + i) = Words2{h[0] | (unsigned)h[1] << 16, h[2] | (unsigned)h[3] << 16};
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

// A row that a warp walks along by 128 values, four a lane: beside each other where all
// operands allow that, else 32 apart, so that the lanes' lie beside each other.
struct Walk {
	i64 at, n; // of the row's first value; how many
	bool whole;
	DEVICE_LAMBDA i64 place(i64 j, int e) const { return whole ? j + 4 * lane() + e : j + lane() + 32 * e; }
	DEVICE_LAMBDA bool has(i64 j, int e) const { return place(j, e) < n; }
	// Those of an operand of rows; zeros past the row's end.
	DEVICE_LAMBDA void load_row(const Operand &o, i64 j, float x[4]) const { get(o, at, j, x); }
	// Those of an operand that every row shares.
	DEVICE_LAMBDA void load_shared(const Operand &o, i64 j, float x[4]) const { get(o, 0, j, x); }
	DEVICE_LAMBDA void get(const Operand &o, i64 from, i64 j, float x[4]) const
	{
		UNROLL for (int e = 0; e < 4; e++) x[e] = 0;
		if (whole) {
			if (has(j, 0)) load4<true>(o, from + place(j, 0), x);
			return;
		}
		UNROLL for (int e = 0; e < 4; e++)
			if (has(j, e)) x[e] = load(o, from + place(j, e));
	}
	DEVICE_LAMBDA void store_row(const Operand &o, i64 j, const float x[4]) const
	{
		if (whole) {
			if (has(j, 0)) store4<true>(o, at + place(j, 0), x);
			return;
		}
		UNROLL for (int e = 0; e < 4; e++)
			if (has(j, e)) store(o, at + place(j, e), x[e]);
	}
};
