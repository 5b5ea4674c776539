// Attention backward on tensor cores, float16 and bfloat16, from sm_80 on, in two
// kernels without atomics as in attention_grad.cu: the first holds queries and walks
// over the keys for dQ, the second holds keys and walks over the queries for dK and
// dV (with head size 256 one for each of them). A block of four warps holds ROWS rows, each warp 16 of them. The next tile
// comes while one is computed with.
#include "grad_mma.h"

#define THREADS 128
#define ROWS 64

// grad_row turned: the row is key j and the columns are queries from i on, whose lse
// and delta stand in shared memory. s becomes P after dropout.
template <int HALF, bool FULL, int COLS>
DEVICE void grad_column(const AttentionArgs &p, const Place &at, float s[COLS / 8][4], float g[COLS / 8][4], const float *lse, const float *delta, int i, int j, bool all)
{
	int t = thread_x() % 4;
	if (!FULL && !all) mask<HALF, COLS>(s, j - at.shift - at.right - i, j < at.tk ? lesser(at.tq - 1, j - at.shift + at.left) - i : -1);
	UNROLL for (int n = 0; n < COLS / 8; n++)
		UNROLL for (int e = 0; e < 2; e++) {
			int c = n * 8 + 2 * t + e;
			float &x = s[n][2 * HALF + e], &y = g[n][2 * HALF + e], m = 1;
			x *= p.scale * LOG2E;
			if (FULL) x = score(p, at, i + c, j, x), m = keep(p, at, i + c, j);
			float w = exp2_fast(x - lse[c]);
			x = w * m;
			y = w * (y * m - delta[c]);
		}
}

// One row of a fragment, times scale, into memory.
template <int HALF, class E, int D> DEVICE void put_row(E *to, const float x[D / 8][4], i64 d, float scale)
{
	UNROLL for (int n = 0; n < D / 8; n++)
		if (n * 8 < d) *(u32 *)(to + n * 8 + thread_x() % 4 * 2) = pair(E(), x[n][2 * HALF] * scale, x[n][2 * HALF + 1] * scale);
}

// rowsum(go * o) of one query, by the four lanes of its row.
template <class E> DEVICE float delta_of(const AttentionGradArgs &p, const Place &at, int i)
{
	float x = 0;
	if (i < at.tq) {
		const E *o = rows_of<const E>(p.a.o, at.b, at.h, at.q0) + i * p.a.o.row, *g = rows_of<const E>(p.go, at.b, at.h, at.q0) + i * p.go.row;
		for (int c = thread_x() % 4; c < p.a.d; c += 4) x += load(o[c]) * load(g[c]);
	}
	x = row_sum<4>(x);
	if (i < at.tq && thread_x() % 4 == 0) p.delta[at.number * p.a.tq + i] = x;
	return x;
}

template <class E, int D, int COLS, bool FULL> DEVICE void grad_query(const AttentionGradArgs &p)
{
	const AttentionArgs &a = p.a;
	const int TILE = COLS * D * 2;
	Shared qs = shared_begin(), gs = qs + ROWS * D * 2, ks = gs + ROWS * D * 2, vs = ks + 2 * TILE;
	int warp = thread_x() / 32, g = thread_x() % 32 / 4;
	int index = block_x() / (int)a.tiles, q0 = ((int)a.tiles - 1 - block_x() % (int)a.tiles) * ROWS, i = q0 + warp * 16 + g;
	Place at = place_of(a, index / (int)a.heads, index % (int)a.heads);
	if (q0 >= at.tq) return;
	const E *k = rows_of<const E>(a.k, at.b, at.kv, at.k0), *v = rows_of<const E>(a.v, at.b, at.kv, at.k0);
	int end = end_key(at, q0, ROWS), j = first_key(at, q0, COLS);
	copy_rows<ROWS, D, THREADS>(qs, rows_of<const E>(a.q, at.b, at.h, at.q0), a.q.row, q0, at.tq, a.d);
	copy_rows<ROWS, D, THREADS>(gs, rows_of<const E>(p.go, at.b, at.h, at.q0), p.go.row, q0, at.tq, a.d);
	copy_rows<COLS, D, THREADS>(ks, k, a.k.row, j, at.tk, a.d);
	copy_rows<COLS, D, THREADS>(vs, v, a.v.row, j, at.tk, a.d);
	copies_end();
	float lse[2], delta[2], out[1][D / 8][4], s[1][COLS / 8][4], dp[1][COLS / 8][4];
	UNROLL for (int e = 0; e < 2; e++) {
		lse[e] = i + 8 * e < at.tq ? base2(lse_of(a, at)[i + 8 * e]) : INF;
		delta[e] = delta_of<E>(p, at, i + 8 * e);
	}
	UNROLL for (int n = 0; n < D / 8; n++)
		UNROLL for (int e = 0; e < 4; e++) out[0][n][e] = 0;
	UNROLL_BY(1) for (int stage = 0; j < end; j += COLS, stage ^= 1) {
		copies_wait<0>();
		barrier(); // the tile is there, and all have done with the one before
		if (j + COLS < end) {
			copy_rows<COLS, D, THREADS>(ks + (stage ^ 1) * TILE, k, a.k.row, j + COLS, at.tk, a.d);
			copy_rows<COLS, D, THREADS>(vs + (stage ^ 1) * TILE, v, a.v.row, j + COLS, at.tk, a.d);
		}
		copies_end();
		products<E, D, COLS, 1>(s, qs, ks + stage * TILE, warp);
		products<E, D, COLS, 1>(dp, gs, vs + stage * TILE, warp);
		bool all = whole(a, at, q0 + warp * 16, 16, j, COLS);
		grad_row<0, FULL, COLS>(a, at, s[0], dp[0], lse[0], delta[0], i, j, all);
		grad_row<1, FULL, COLS>(a, at, s[0], dp[0], lse[1], delta[1], i + 8, j, all);
		add_products<E, D, COLS, 1>(out, dp, ks + stage * TILE);
	}
	E *to = rows_of<E>(p.gq, at.b, at.h, at.q0) + i * p.gq.row;
	if (i < at.tq) put_row<0, E, D>(to, out[0], a.d, a.scale);
	if (i + 8 < at.tq) put_row<1, E, D>(to + 8 * p.gq.row, out[0], a.d, a.scale);
}

// Tile n of the queries that a block of keys meets, head by head, into one of two
// stages.
struct Turn {
	int first, count; // of the queries, of the tiles a head
};

template <class E, int D, int COLS>
DEVICE void take_queries(const AttentionGradArgs &p, const Turn &turn, int b, int kv, int n, Shared qs, Shared gs, float *lse, float *delta)
{
	const AttentionArgs &a = p.a;
	Place at = place_of(a, b, kv * (int)a.group + n / turn.count);
	int q0 = turn.first + n % turn.count * COLS;
	copy_rows<COLS, D, THREADS>(qs, rows_of<const E>(a.q, at.b, at.h, at.q0), a.q.row, q0, at.tq, a.d);
	copy_rows<COLS, D, THREADS>(gs, rows_of<const E>(p.go, at.b, at.h, at.q0), p.go.row, q0, at.tq, a.d);
	if (thread_x() < COLS) {
		int i = q0 + thread_x();
		lse[thread_x()] = i < at.tq ? base2(lse_of(a, at)[i]) : INF;
		delta[thread_x()] = i < at.tq ? p.delta[at.number * a.tq + i] : 0;
	}
}

// KEY and VALUE say which of the two gradients are computed.
template <class E, int D, int COLS, bool FULL, bool KEY, bool VALUE> DEVICE void grad_key_value(const AttentionGradArgs &p)
{
	const AttentionArgs &a = p.a;
	const int TILE = COLS * D * 2;
	Shared ks = shared_begin(), vs = ks + ROWS * D * 2, qs = vs + ROWS * D * 2, gs = qs + 2 * TILE;
	float *lse = (float *)(DYNAMIC_SHARED + 2 * ROWS * D * 2 + 4 * TILE), *delta = lse + 2 * COLS;
	int warp = thread_x() / 32, g = thread_x() % 32 / 4, kvs = (int)(a.heads / a.group);
	int index = block_x() / (int)a.tiles, k0 = block_x() % (int)a.tiles * ROWS, j = k0 + warp * 16 + g;
	Place at = place_of(a, index / kvs, index % kvs * (int)a.group);
	if (k0 >= at.tk) return;
	Turn turn = {first_query(at, k0, COLS), 0};
	turn.count = larger(0, end_query(at, k0, ROWS) - turn.first + COLS - 1) / COLS;
	copy_rows<ROWS, D, THREADS>(ks, rows_of<const E>(a.k, at.b, at.kv, at.k0), a.k.row, k0, at.tk, a.d);
	if (KEY) copy_rows<ROWS, D, THREADS>(vs, rows_of<const E>(a.v, at.b, at.kv, at.k0), a.v.row, k0, at.tk, a.d);
	if (turn.count > 0) take_queries<E, D, COLS>(p, turn, at.b, at.kv, 0, qs, gs, lse, delta);
	copies_end();
	float gk[1][D / 8][4], gv[1][D / 8][4], s[1][COLS / 8][4], dp[1][COLS / 8][4] = {};
	UNROLL for (int n = 0; n < D / 8; n++)
		UNROLL for (int e = 0; e < 4; e++) gk[0][n][e] = gv[0][n][e] = 0;
	int last = turn.count * (int)a.group;
	UNROLL_BY(1) for (int n = 0; n < last; n++) {
		int stage = n & 1, next = stage ^ 1;
		copies_wait<0>();
		barrier(); // the tile is there, and all have done with the one before
		if (n + 1 < last) take_queries<E, D, COLS>(p, turn, at.b, at.kv, n + 1, qs + next * TILE, gs + next * TILE, lse + next * COLS, delta + next * COLS);
		copies_end();
		if (FULL) at = place_of(a, at.b, at.kv * (int)a.group + n / turn.count);
		int q0 = turn.first + n % turn.count * COLS;
		products<E, D, COLS, 1>(s, ks, qs + stage * TILE, warp);
		if (KEY) products<E, D, COLS, 1>(dp, vs, gs + stage * TILE, warp);
		bool all = whole(a, at, q0, COLS, k0 + warp * 16, 16);
		grad_column<0, FULL, COLS>(a, at, s[0], dp[0], lse + stage * COLS, delta + stage * COLS, q0, j, all);
		grad_column<1, FULL, COLS>(a, at, s[0], dp[0], lse + stage * COLS, delta + stage * COLS, q0, j + 8, all);
		if (VALUE) add_products<E, D, COLS, 1>(gv, s, gs + stage * TILE);
		if (KEY) add_products<E, D, COLS, 1>(gk, dp, qs + stage * TILE);
	}
	j = k0 + thread_again() / 32 * 16 + thread_again() % 32 / 4;
	E *outk = rows_of<E>(p.gk, at.b, at.kv, at.k0) + j * p.gk.row, *outv = rows_of<E>(p.gv, at.b, at.kv, at.k0) + j * p.gv.row;
	if (KEY && j < at.tk) put_row<0, E, D>(outk, gk[0], a.d, a.scale);
	if (KEY && j + 8 < at.tk) put_row<1, E, D>(outk + 8 * p.gk.row, gk[0], a.d, a.scale);
	if (VALUE && j < at.tk) put_row<0, E, D>(outv, gv[0], a.d, 1);
	if (VALUE && j + 8 < at.tk) put_row<1, E, D>(outv + 8 * p.gv.row, gv[0], a.d, 1);
}

// The number is the largest head size. Two gradients of 256 columns do not fit a warp's
// registers: two kernels, which both compute the scores, do one each.
#if SIZE(32)
KERNEL attention_grad_query_mma_f16_32(AttentionGradArgs p) { grad_query<F16, 32, 32, false>(p); }
KERNEL attention_grad_key_value_mma_f16_32(AttentionGradArgs p) { grad_key_value<F16, 32, 32, false, true, true>(p); }
KERNEL attention_grad_query_mma_full_f16_32(AttentionGradArgs p) { grad_query<F16, 32, 32, true>(p); }
KERNEL attention_grad_key_value_mma_full_f16_32(AttentionGradArgs p) { grad_key_value<F16, 32, 32, true, true, true>(p); }
KERNEL attention_grad_query_mma_bf16_32(AttentionGradArgs p) { grad_query<BF16, 32, 32, false>(p); }
KERNEL attention_grad_key_value_mma_bf16_32(AttentionGradArgs p) { grad_key_value<BF16, 32, 32, false, true, true>(p); }
KERNEL attention_grad_query_mma_full_bf16_32(AttentionGradArgs p) { grad_query<BF16, 32, 32, true>(p); }
KERNEL attention_grad_key_value_mma_full_bf16_32(AttentionGradArgs p) { grad_key_value<BF16, 32, 32, true, true, true>(p); }
#endif
#if SIZE(64)
KERNEL attention_grad_query_mma_f16_64(AttentionGradArgs p) { grad_query<F16, 64, 32, false>(p); }
KERNEL attention_grad_key_value_mma_f16_64(AttentionGradArgs p) { grad_key_value<F16, 64, 32, false, true, true>(p); }
KERNEL attention_grad_query_mma_full_f16_64(AttentionGradArgs p) { grad_query<F16, 64, 32, true>(p); }
KERNEL attention_grad_key_value_mma_full_f16_64(AttentionGradArgs p) { grad_key_value<F16, 64, 32, true, true, true>(p); }
KERNEL attention_grad_query_mma_bf16_64(AttentionGradArgs p) { grad_query<BF16, 64, 32, false>(p); }
KERNEL attention_grad_key_value_mma_bf16_64(AttentionGradArgs p) { grad_key_value<BF16, 64, 32, false, true, true>(p); }
KERNEL attention_grad_query_mma_full_bf16_64(AttentionGradArgs p) { grad_query<BF16, 64, 32, true>(p); }
KERNEL attention_grad_key_value_mma_full_bf16_64(AttentionGradArgs p) { grad_key_value<BF16, 64, 32, true, true, true>(p); }
#endif
#if SIZE(96)
KERNEL attention_grad_query_mma_f16_96(AttentionGradArgs p) { grad_query<F16, 96, 32, false>(p); }
KERNEL attention_grad_key_value_mma_f16_96(AttentionGradArgs p) { grad_key_value<F16, 96, 32, false, true, true>(p); }
KERNEL attention_grad_query_mma_full_f16_96(AttentionGradArgs p) { grad_query<F16, 96, 32, true>(p); }
KERNEL attention_grad_key_value_mma_full_f16_96(AttentionGradArgs p) { grad_key_value<F16, 96, 32, true, true, true>(p); }
KERNEL attention_grad_query_mma_bf16_96(AttentionGradArgs p) { grad_query<BF16, 96, 32, false>(p); }
KERNEL attention_grad_key_value_mma_bf16_96(AttentionGradArgs p) { grad_key_value<BF16, 96, 32, false, true, true>(p); }
KERNEL attention_grad_query_mma_full_bf16_96(AttentionGradArgs p) { grad_query<BF16, 96, 32, true>(p); }
KERNEL attention_grad_key_value_mma_full_bf16_96(AttentionGradArgs p) { grad_key_value<BF16, 96, 32, true, true, true>(p); }
#endif
#if SIZE(128)
KERNEL attention_grad_query_mma_f16_128(AttentionGradArgs p) { grad_query<F16, 128, 32, false>(p); }
KERNEL attention_grad_key_value_mma_f16_128(AttentionGradArgs p) { grad_key_value<F16, 128, 32, false, true, true>(p); }
KERNEL attention_grad_query_mma_full_f16_128(AttentionGradArgs p) { grad_query<F16, 128, 32, true>(p); }
KERNEL attention_grad_key_value_mma_full_f16_128(AttentionGradArgs p) { grad_key_value<F16, 128, 32, true, true, true>(p); }
KERNEL attention_grad_query_mma_bf16_128(AttentionGradArgs p) { grad_query<BF16, 128, 32, false>(p); }
KERNEL attention_grad_key_value_mma_bf16_128(AttentionGradArgs p) { grad_key_value<BF16, 128, 32, false, true, true>(p); }
KERNEL attention_grad_query_mma_full_bf16_128(AttentionGradArgs p) { grad_query<BF16, 128, 32, true>(p); }
KERNEL attention_grad_key_value_mma_full_bf16_128(AttentionGradArgs p) { grad_key_value<BF16, 128, 32, true, true, true>(p); }
#endif
#if SIZE(256)
KERNEL attention_grad_query_mma_f16_256(AttentionGradArgs p) { grad_query<F16, 256, 16, false>(p); }
KERNEL attention_grad_key_mma_f16_256(AttentionGradArgs p) { grad_key_value<F16, 256, 16, false, true, false>(p); }
KERNEL attention_grad_value_mma_f16_256(AttentionGradArgs p) { grad_key_value<F16, 256, 16, false, false, true>(p); }
KERNEL attention_grad_query_mma_full_f16_256(AttentionGradArgs p) { grad_query<F16, 256, 16, true>(p); }
KERNEL attention_grad_key_mma_full_f16_256(AttentionGradArgs p) { grad_key_value<F16, 256, 16, true, true, false>(p); }
KERNEL attention_grad_value_mma_full_f16_256(AttentionGradArgs p) { grad_key_value<F16, 256, 16, true, false, true>(p); }
KERNEL attention_grad_query_mma_bf16_256(AttentionGradArgs p) { grad_query<BF16, 256, 16, false>(p); }
KERNEL attention_grad_key_mma_bf16_256(AttentionGradArgs p) { grad_key_value<BF16, 256, 16, false, true, false>(p); }
KERNEL attention_grad_value_mma_bf16_256(AttentionGradArgs p) { grad_key_value<BF16, 256, 16, false, false, true>(p); }
KERNEL attention_grad_query_mma_full_bf16_256(AttentionGradArgs p) { grad_query<BF16, 256, 16, true>(p); }
KERNEL attention_grad_key_mma_full_bf16_256(AttentionGradArgs p) { grad_key_value<BF16, 256, 16, true, true, false>(p); }
KERNEL attention_grad_value_mma_full_bf16_256(AttentionGradArgs p) { grad_key_value<BF16, 256, 16, true, false, true>(p); }
#endif
