// What copies share: arguments, and conversion of the element type, of floating point to
// nearest, ties to even; to integers towards zero, saturated, 0 for NaN.
#pragma once
#include "device.h"

#define AXES 6
#define THREADS 256

typedef unsigned short u16;
typedef unsigned u32;
typedef unsigned long long u64;

// As the launcher packs them; strides are in elements. The first rank axes count.
struct CopyArgs {
	void *dst;
	const void *src;
	i64 n, rank; // pieces of copy, matrices of turn; below 2^31
	i64 shape[AXES], to[AXES], from[AXES];
	Divisor divisors[AXES]; // by shape
	int four, tail;         // copy: whether pieces are of four values; how many single ones follow
	// turn: a matrix of rows by columns, which are the fastest axes of the source and of the
	// target, and their strides in bytes. A tile has 1 << high rows of 1 << wide columns of
	// 1 << deep matrices.
	i64 rows, columns;
	u32 to_row, to_column, from_row, from_column;
	int high, wide, deep, gap;
};

// From 2^24 on an integer does not fit a float. What lies between two multiples of
// 4096 is moved to their middle; where bfloat16 rounds up are multiples of 65536.
DEVICE int sticky(int x) { return (x ^ x >> 31) >> 24 && x & 0xfff ? (x & ~0xfff) | 0x800 : x; }

DEVICE u32 within(i64 i, i64 n) { return (u32)(i < n ? i : n - 1); }

// Where elements of the first axes are on either side; rest, their numbers, is lost.
template <int N> DEVICE void place(const CopyArgs &p, u32 rest[N], i64 to[N], i64 from[N])
{
	UNROLL for (int n = 0; n < N; n++) to[n] = from[n] = 0;
	UNROLL_BY(1) for (int axis = (int)p.rank - 1; axis >= 0; axis--)
		UNROLL for (int n = 0; n < N; n++) {
			u32 over = axis ? quotient(rest[n], p.divisors[axis]) : 0;
			i64 at = rest[n] - over * (u32)p.shape[axis];
			rest[n] = over;
			to[n] += at * p.to[axis];
			from[n] += at * p.from[axis];
		}
}

template <class T> struct Four {
	T x[4];
};

// How each kind converts.
#define RULE(name, to, from, value) \
	struct name { \
		typedef to TO; \
		typedef from FROM; \
		DEVICE_LAMBDA static to of(from x) { return value; } \
	};
RULE(As_b16, u16, u16, x)
RULE(As_b32, u32, u32, x)
RULE(As_f32_f16, u16, float, f16_of(x))
RULE(As_f32_bf16, u16, float, bf16_of(x))
RULE(As_f32_i32, int, float, i32_of(x))
RULE(As_f16_f32, float, u16, of_f16(x))
RULE(As_f16_bf16, u16, u16, bf16_of(of_f16(x)))
RULE(As_f16_i32, int, u16, i32_of(of_f16(x)))
RULE(As_bf16_f32, float, u16, of_bf16(x))
RULE(As_bf16_f16, u16, u16, f16_of(of_bf16(x)))
RULE(As_bf16_i32, int, u16, i32_of(of_bf16(x)))
RULE(As_i32_f32, float, int, (float)x)
RULE(As_i32_f16, u16, int, f16_of((float)x))
RULE(As_i32_bf16, u16, int, bf16_of((float)sticky(x)))

DEVICE u32 word_of(u16 x) { return x; }
DEVICE u32 word_of(u32 x) { return x; }
DEVICE u32 word_of(int x) { return (u32)x; }
DEVICE u32 word_of(float x) { return bits_of(x); }
DEVICE void of_word(u16 &x, u32 w) { x = (u16)w; }
DEVICE void of_word(u32 &x, u32 w) { x = w; }
DEVICE void of_word(int &x, u32 w) { x = (int)w; }
DEVICE void of_word(float &x, u32 w) { x = of_bits(w); }

DEVICE void load(u16 &x, const u16 *at) { load_words(x, at); }
template <class T> DEVICE void load(T &x, const T *at)
{
	u32 w;
	load_words(w, at);
	of_word(x, w);
}
DEVICE void load(Four<u16> &x, const u16 *at)
{
	Words2 w;
	load_words(w, at);
	UNROLL for (int e = 0; e < 4; e++) x.x[e] = (u16)(w[e / 2] >> 16 * (e % 2));
}
template <class T> DEVICE void load(Four<T> &x, const T *at)
{
	Words4 w;
	load_words(w, at);
	UNROLL for (int e = 0; e < 4; e++) of_word(x.x[e], w[e]);
}

template <class AS> DEVICE void store(typename AS::TO *at, typename AS::FROM x) { *at = AS::of(x); }
template <class AS> DEVICE void store(typename AS::TO *at, const Four<typename AS::FROM> &x)
{
	u32 w[4];
	UNROLL for (int e = 0; e < 4; e++) w[e] = word_of(AS::of(x.x[e]));
	if (sizeof *at == 2) *(Words2 *)at = Words2{w[0] | w[1] << 16, w[2] | w[3] << 16};
	else *(Words4 *)at = Words4{w[0], w[1], w[2], w[3]};
}
