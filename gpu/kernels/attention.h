// What the attention kernels share: their arguments as the launcher packs them, 8
// bytes a field in this order, and what a score is.
#pragma once
#include "device.h"
#include "philox.h"

// A (B, H, T, D) tensor: strides in elements, the last is 1.
struct Heads {
	void *data;
	i64 batch, head, row;
};

struct AttentionArgs {
	Heads q, k, v, o;                        // (B, H, Tq, D), (B, Kv, Tk, D) twice, (B, H, Tq, D)
	float *lse;                              // (B, H, Tq)
	i64 lse_batch, lse_head;
	const int *seqs;                         // (B, 5): Q0, Tq, K0, Tk, Shift; or null
	const float *bias;                       // (B, H, Tq, Tk) or null; a stride of 0 repeats
	i64 bias_batch, bias_head, bias_row;
	const float *slopes;                     // (H) or null
	i64 heads, group, tq, tk, d;             // group: query heads a key head
	i64 left, right;                         // query i sees keys i + shift - left … i + shift + right
	i64 tiles;                               // blocks a head
	float scale, rest;                       // of the scores; of what dropout leaves
	unsigned drop, seed0, seed1, aligned;    // of 65536; Philox key; rows allow 16-byte loads
	i64 first;                               // what dropout calls head 0 of batch 0
};

struct AttentionGradArgs {
	AttentionArgs a;
	Heads go;         // gradient by o
	Heads gq, gk, gv; // gradients by q, k, v
	float *delta;     // (B, H, Tq): rowsum(go * o), written by the first kernel
};

struct AttentionWeightsArgs {
	AttentionArgs a;
	float *w;           // (B, H, n, Tk)
	const int *queries; // (n)
	i64 n;
};

struct AttentionSplitArgs {
	AttentionArgs a;
	float *parts; // (B, H, Tq, splits, D + 2): sums of values, top score, sum
	i64 splits, keys; // keys a split
};

struct AttentionBiasArgs {
	AttentionArgs a;
	Heads go;                // gradient by o
	float *out;              // (nb, nh, nq, Tk), or a share a block of the slopes' kernel
	i64 nb, nh, nq, batches; // the bias's axes, 1 where it repeats; B
};

struct AttentionJoinArgs {
	float *out;         // (H)
	const float *parts; // (H, n)
	i64 n;
};

// Which head sizes an image holds: all on the host, one each on the device.
#ifdef HEAD
#define SIZE(n) (HEAD == n)
#else
#define SIZE(n) 1
#endif

// The element types: how a value becomes a float, and back.
struct F16 { unsigned short bits; };
struct BF16 { unsigned short bits; };
DEVICE float load(float x) { return x; }
DEVICE float load(F16 x) { return of_f16(x.bits); }
DEVICE float load(BF16 x) { return of_bf16(x.bits); }
DEVICE void store(float *to, float x) { *to = x; }
DEVICE void store(F16 *to, float x) { to->bits = f16_of(x); }
DEVICE void store(BF16 *to, float x) { to->bits = bf16_of(x); }

// One query head of one sequence. Places along a sequence are 32 bits wide: the
// launcher allows no more than 2^28 rows, and 2^29 stands for an unlimited window.
struct Place {
	int b, h, kv, number; // number = b * heads + h
	int q0, tq, k0, tk, shift, left, right;
	float slope; // in base 2
	const float *bias;
};

DEVICE Place place_of(const AttentionArgs &p, int b, int h)
{
	int tq = (int)p.tq, tk = (int)p.tk;
	Place s = {b, h, h / (int)p.group, b * (int)p.heads + h, 0, tq, 0, tk, tk - tq, (int)p.left, (int)p.right, 0, 0};
	if (p.seqs) {
		const int *x = p.seqs + 5 * b;
		s.q0 = x[0], s.tq = x[1], s.k0 = x[2], s.tk = x[3], s.shift = x[4];
	}
	if (p.slopes) s.slope = p.slopes[h] * LOG2E;
	if (p.bias) s.bias = p.bias + b * p.bias_batch + h * p.bias_head;
	return s;
}

template <class E> DEVICE E *rows_of(const Heads &x, i64 b, i64 h, i64 first)
{
	return (E *)x.data + b * x.batch + h * x.head + first * x.row;
}
DEVICE float *lse_of(const AttentionArgs &p, const Place &s) { return p.lse + s.b * p.lse_batch + s.h * p.lse_head + s.q0; }

DEVICE int larger(int a, int b) { return a > b ? a : b; }
DEVICE int lesser(int a, int b) { return a < b ? a : b; }

// The keys that any of the queries i … i+n-1 sees: from the first, rounded down to
// a multiple of tile, to before the last.
DEVICE int first_key(const Place &s, int i, int tile) { return larger(0, i + s.shift - s.left) / tile * tile; }
DEVICE int end_key(const Place &s, int i, int n) { return lesser(s.tk, i + n + s.shift + s.right); }
// The queries that see any of the keys j … j+n-1, the other way round.
DEVICE int first_query(const Place &s, int j, int tile) { return larger(0, j - s.shift - s.right) / tile * tile; }
DEVICE int end_query(const Place &s, int j, int n) { return lesser(s.tq, j + n - s.shift + s.left); }

DEVICE bool sees(const Place &s, int i, int j)
{
	int far = j - i - s.shift;
	return i < s.tq && j < s.tk && far <= s.right && far >= -s.left;
}

// Query i's score of key j in base 2, from their product times scale * LOG2E; -Inf
// where i does not see j.
DEVICE float score(const AttentionArgs &p, const Place &s, int i, int j, float x)
{
	if (!sees(s, i, j)) return -INF;
	if (s.bias) x += s.bias[i * p.bias_row + j] * LOG2E;
	if (p.slopes) {
		float far = (float)(j - i - s.shift);
		x -= s.slope * (far < 0 ? -far : far);
	}
	return x;
}

// The logsumexp of a query in base 2; +Inf, for weights of 0, where it sees no key.
DEVICE float base2(float lse) { return lse == -INF ? INF : lse * LOG2E; }

// The words of dropout for query i and the eight keys around j.
DEVICE void dropout8(const AttentionArgs &p, const Place &s, int i, int j, unsigned c[4])
{
	c[0] = (unsigned)(j / 8), c[1] = (unsigned)i, c[2] = (unsigned)(p.first + s.number), c[3] = 0;
	philox(c, p.seed0, p.seed1);
}

// What dropout multiplies one weight with.
DEVICE float keep(const AttentionArgs &p, const Place &s, int i, int j)
{
	if (!p.drop) return 1;
	unsigned c[4];
	dropout8(p, s, i, j, c);
	unsigned lo = j & 2 ? c[1] : c[0], hi = j & 2 ? c[3] : c[2], word = j & 4 ? hi : lo;
	return ((word >> (j & 1) * 16) & 0xffff) < p.drop ? 0 : p.rest;
}

// Rows first … first+ROWS-1 of a head into shared memory (ROWS, LD) as floats,
// times scale; zero past the head's rows and past its head size d.
template <int ROWS, int D, int LD, int THREADS, class E>
DEVICE void load_rows(float *to, const E *from, i64 stride, int first, int rows, int d, float scale)
{
	UNROLL_BY(1) for (int e = thread_x(); e < ROWS * D; e += THREADS) {
		int r = e / D, c = e % D;
		to[r * LD + c] = first + r < rows && c < d ? load(from[(first + r) * stride + c]) * scale : 0;
	}
}

template <int D> DEVICE float inner(const float *x, const float *y)
{
	float s = 0;
	UNROLL_BY(4) for (int c = 0; c < D; c++) s += x[c] * y[c];
	return s;
}

// Over the lanes that share a row: a power of two of neighbours.
template <int LANES> DEVICE float row_sum(float x)
{
	UNROLL for (int m = 1; m < LANES; m *= 2) x += shuffle_xor(x, m);
	return x;
}

template <int LANES> DEVICE float row_max(float x)
{
	UNROLL for (int m = 1; m < LANES; m *= 2) x = greater(x, shuffle_xor(x, m));
	return x;
}
