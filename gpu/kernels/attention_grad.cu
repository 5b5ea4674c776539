// Attention backward, f32, in two kernels without atomics, so that the sums have
// one order (FlashAttention-2, Dao 2023, algorithm 2, with the loops turned): the
// first holds 16 queries and walks over the keys for dQ, the second holds 16 keys
// and walks over the queries for dK and dV. Eight neighbouring threads share a row.
#include "attention.h"

#define ROWS 16
#define COLS 16
#define LANES 8
#define THREADS (ROWS * LANES)

DEVICE bool sees(const AttentionArgs &a, i64 i, i64 j)
{
	return i < a.tq && j < a.tk && (!a.causal || j <= i + a.tk - a.tq);
}

// The logsumexp of a query in base 2; +Inf, for weights of 0, where it sees no key.
DEVICE float base2(float lse) { return lse == -INF ? INF : lse * LOG2E; }

template <int D> DEVICE void grad_query(const AttentionGradArgs &p)
{
	const AttentionArgs &a = p.a;
	SHARED float qs[ROWS * (D + 1)], gs[ROWS * (D + 1)], ks[COLS * (D + 1)], vs[COLS * (D + 1)], ds[ROWS * (COLS + 1)];
	int row = thread_x() / LANES, lane = thread_x() % LANES;
	i64 index = block_x() / a.tiles, q0 = block_x() % a.tiles * ROWS, i = q0 + row;
	load_rows<ROWS, D, D + 1, THREADS>(qs, head_of(a.q, a.heads, index), a.q.row, q0, a.tq, a.d, 1);
	load_rows<ROWS, D, D + 1, THREADS>(gs, head_of(p.go, a.heads, index), p.go.row, q0, a.tq, a.d, 1);
	barrier();
	float lse = INF, delta = 0, acc[D / LANES];
	if (i < a.tq) {
		const float *o = head_of(a.o, a.heads, index) + i * a.o.row;
		for (int c = lane; c < a.d; c += LANES) delta += o[c] * gs[row * (D + 1) + c];
		lse = base2(a.lse[index * a.tq + i]);
	}
	delta = row_sum<LANES>(delta);
	if (i < a.tq && lane == 0) p.delta[index * a.tq + i] = delta;
	UNROLL for (int x = 0; x < D / LANES; x++) acc[x] = 0;
	i64 end = a.causal && q0 + ROWS + a.tk - a.tq < a.tk ? q0 + ROWS + a.tk - a.tq : a.tk;
	for (i64 k0 = 0; k0 < end; k0 += COLS) {
		barrier(); // all have done with the tile before
		load_rows<COLS, D, D + 1, THREADS>(ks, head_of(a.k, a.heads, index), a.k.row, k0, a.tk, a.d, 1);
		load_rows<COLS, D, D + 1, THREADS>(vs, head_of(a.v, a.heads, index), a.v.row, k0, a.tk, a.d, 1);
		barrier(); // the tile is there
		for (int c = lane; c < COLS; c += LANES) {
			float s = inner<D>(qs + row * (D + 1), ks + c * (D + 1)) * (a.scale * LOG2E);
			float w = sees(a, i, k0 + c) ? exp2_fast(s - lse) : 0;
			float g = inner<D>(gs + row * (D + 1), vs + c * (D + 1));
			ds[row * (COLS + 1) + c] = w * (g - delta) * a.scale;
		}
		barrier(); // the rows of dS are there
		UNROLL_BY(2) for (int c = 0; c < COLS; c++) {
			float w = ds[row * (COLS + 1) + c];
			UNROLL for (int x = 0; x < D / LANES; x++) acc[x] += w * ks[c * (D + 1) + lane + LANES * x];
		}
	}
	if (i >= a.tq) return;
	float *out = head_of(p.gq, a.heads, index) + i * p.gq.row;
	UNROLL for (int x = 0; x < D / LANES; x++)
		if (lane + LANES * x < a.d) out[lane + LANES * x] = acc[x];
}

template <int D> DEVICE void grad_key_value(const AttentionGradArgs &p)
{
	const AttentionArgs &a = p.a;
	SHARED float ks[ROWS * (D + 1)], vs[ROWS * (D + 1)], qs[COLS * (D + 1)], gs[COLS * (D + 1)];
	SHARED float ps[ROWS * (COLS + 1)], ds[ROWS * (COLS + 1)], lse[COLS], delta[COLS];
	int row = thread_x() / LANES, lane = thread_x() % LANES;
	i64 index = block_x() / a.tiles, k0 = block_x() % a.tiles * ROWS, j = k0 + row;
	load_rows<ROWS, D, D + 1, THREADS>(ks, head_of(a.k, a.heads, index), a.k.row, k0, a.tk, a.d, 1);
	load_rows<ROWS, D, D + 1, THREADS>(vs, head_of(a.v, a.heads, index), a.v.row, k0, a.tk, a.d, 1);
	float gk[D / LANES], gv[D / LANES];
	UNROLL for (int x = 0; x < D / LANES; x++) gk[x] = gv[x] = 0;
	// Causal: the first query that sees any of these keys.
	i64 first = a.causal && k0 > a.tk - a.tq ? (k0 - (a.tk - a.tq)) / COLS * COLS : 0;
	for (i64 q0 = first; q0 < a.tq; q0 += COLS) {
		barrier(); // all have done with the tile before
		load_rows<COLS, D, D + 1, THREADS>(qs, head_of(a.q, a.heads, index), a.q.row, q0, a.tq, a.d, 1);
		load_rows<COLS, D, D + 1, THREADS>(gs, head_of(p.go, a.heads, index), p.go.row, q0, a.tq, a.d, 1);
		if (thread_x() < COLS) {
			i64 i = q0 + thread_x();
			lse[thread_x()] = i < a.tq ? base2(a.lse[index * a.tq + i]) : INF;
			delta[thread_x()] = i < a.tq ? p.delta[index * a.tq + i] : 0;
		}
		barrier(); // the tile is there
		for (int c = lane; c < COLS; c += LANES) {
			float s = inner<D>(ks + row * (D + 1), qs + c * (D + 1)) * (a.scale * LOG2E);
			float w = sees(a, q0 + c, j) ? exp2_fast(s - lse[c]) : 0;
			float g = inner<D>(vs + row * (D + 1), gs + c * (D + 1));
			ps[row * (COLS + 1) + c] = w;
			ds[row * (COLS + 1) + c] = w * (g - delta[c]) * a.scale;
		}
		barrier(); // the columns of P and dS are there
		UNROLL_BY(2) for (int c = 0; c < COLS; c++) {
			float w = ps[row * (COLS + 1) + c], d = ds[row * (COLS + 1) + c];
			UNROLL for (int x = 0; x < D / LANES; x++) {
				gv[x] += w * gs[c * (D + 1) + lane + LANES * x];
				gk[x] += d * qs[c * (D + 1) + lane + LANES * x];
			}
		}
	}
	if (j >= a.tk) return;
	float *outk = head_of(p.gk, a.heads, index) + j * p.gk.row, *outv = head_of(p.gv, a.heads, index) + j * p.gv.row;
	UNROLL for (int x = 0; x < D / LANES; x++)
		if (lane + LANES * x < a.d) outk[lane + LANES * x] = gk[x], outv[lane + LANES * x] = gv[x];
}

KERNEL attention_grad_query_f32_32(AttentionGradArgs p) { grad_query<32>(p); }
KERNEL attention_grad_query_f32_64(AttentionGradArgs p) { grad_query<64>(p); }
KERNEL attention_grad_query_f32_96(AttentionGradArgs p) { grad_query<96>(p); }
KERNEL attention_grad_query_f32_128(AttentionGradArgs p) { grad_query<128>(p); }
KERNEL attention_grad_key_value_f32_32(AttentionGradArgs p) { grad_key_value<32>(p); }
KERNEL attention_grad_key_value_f32_64(AttentionGradArgs p) { grad_key_value<64>(p); }
KERNEL attention_grad_key_value_f32_96(AttentionGradArgs p) { grad_key_value<96>(p); }
KERNEL attention_grad_key_value_f32_128(AttentionGradArgs p) { grad_key_value<128>(p); }
