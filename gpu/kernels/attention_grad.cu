// Attention backward with float32 arithmetic, in two kernels without atomics, so
// that the sums have one order (FlashAttention-2, Dao 2023, algorithm 2, with the
// loops turned): the first holds ROWS queries and walks over the keys for dQ, the
// second holds ROWS keys and walks over the queries of all heads that share them
// for dK and dV. LANES neighbouring threads share a row.
#include "attention.h"

#define THREADS 128

template <class E, int D, int ROWS> DEVICE void grad_query(const AttentionGradArgs &p)
{
	const int LANES = THREADS / ROWS, COLS = ROWS;
	const AttentionArgs &a = p.a;
	SHARED float qs[ROWS * (D + 1)], gs[ROWS * (D + 1)], ks[COLS * (D + 1)], vs[COLS * (D + 1)], ds[ROWS * (COLS + 1)];
	int row = thread_x() / LANES, lane = thread_x() % LANES;
	int index = block_x() / (int)a.tiles, q0 = block_x() % (int)a.tiles * ROWS, i = q0 + row;
	Place at = place_of(a, index / (int)a.heads, index % (int)a.heads);
	if (q0 >= at.tq) return;
	load_rows<ROWS, D, D + 1, THREADS>(qs, rows_of<const E>(a.q, at.b, at.h, at.q0), a.q.row, q0, at.tq, a.d, 1);
	load_rows<ROWS, D, D + 1, THREADS>(gs, rows_of<const E>(p.go, at.b, at.h, at.q0), p.go.row, q0, at.tq, a.d, 1);
	barrier();
	float lse = INF, delta = 0, acc[D / LANES];
	if (i < at.tq) {
		const E *o = rows_of<const E>(a.o, at.b, at.h, at.q0) + i * a.o.row;
		for (int c = lane; c < a.d; c += LANES) delta += load(o[c]) * gs[row * (D + 1) + c];
		lse = base2(lse_of(a, at)[i]);
	}
	delta = row_sum<LANES>(delta);
	if (i < at.tq && lane == 0) p.delta[index * a.tq + i] = delta;
	UNROLL for (int x = 0; x < D / LANES; x++) acc[x] = 0;
	int end = end_key(at, q0, ROWS);
	for (int k0 = first_key(at, q0, COLS); k0 < end; k0 += COLS) {
		barrier(); // all have done with the tile before
		load_rows<COLS, D, D + 1, THREADS>(ks, rows_of<const E>(a.k, at.b, at.kv, at.k0), a.k.row, k0, at.tk, a.d, 1);
		load_rows<COLS, D, D + 1, THREADS>(vs, rows_of<const E>(a.v, at.b, at.kv, at.k0), a.v.row, k0, at.tk, a.d, 1);
		barrier(); // the tile is there
		for (int c = lane; c < COLS; c += LANES) {
			float s = inner<D>(qs + row * (D + 1), ks + c * (D + 1)) * (a.scale * LOG2E);
			float w = exp2_fast(score(a, at, i, k0 + c, s) - lse);
			float g = inner<D>(gs + row * (D + 1), vs + c * (D + 1)) * keep(a, at, i, k0 + c);
			ds[row * (COLS + 1) + c] = w * (g - delta) * a.scale;
		}
		barrier(); // the rows of dS are there
		UNROLL_BY(2) for (int c = 0; c < COLS; c++) {
			float w = ds[row * (COLS + 1) + c];
			UNROLL for (int x = 0; x < D / LANES; x++) acc[x] += w * ks[c * (D + 1) + lane + LANES * x];
		}
	}
	if (i >= at.tq) return;
	E *out = rows_of<E>(p.gq, at.b, at.h, at.q0) + i * p.gq.row;
	UNROLL for (int x = 0; x < D / LANES; x++)
		if (lane + LANES * x < a.d) store(out + lane + LANES * x, acc[x]);
}

template <class E, int D, int ROWS> DEVICE void grad_key_value(const AttentionGradArgs &p)
{
	const int LANES = THREADS / ROWS, COLS = ROWS;
	const AttentionArgs &a = p.a;
	SHARED float ks[ROWS * (D + 1)], vs[ROWS * (D + 1)], qs[COLS * (D + 1)], gs[COLS * (D + 1)];
	SHARED float ps[ROWS * (COLS + 1)], ds[ROWS * (COLS + 1)], lse[COLS], delta[COLS];
	int row = thread_x() / LANES, lane = thread_x() % LANES;
	int kvs = (int)(a.heads / a.group), index = block_x() / (int)a.tiles, k0 = block_x() % (int)a.tiles * ROWS, j = k0 + row;
	Place at = place_of(a, index / kvs, index % kvs * a.group);
	if (k0 >= at.tk) return;
	load_rows<ROWS, D, D + 1, THREADS>(ks, rows_of<const E>(a.k, at.b, at.kv, at.k0), a.k.row, k0, at.tk, a.d, 1);
	load_rows<ROWS, D, D + 1, THREADS>(vs, rows_of<const E>(a.v, at.b, at.kv, at.k0), a.v.row, k0, at.tk, a.d, 1);
	float gk[D / LANES], gv[D / LANES];
	UNROLL for (int x = 0; x < D / LANES; x++) gk[x] = gv[x] = 0;
	int first = first_query(at, k0, COLS), end = end_query(at, k0, ROWS);
	UNROLL_BY(1) for (int g = 0; g < (int)a.group; g++) {
		at = place_of(a, at.b, at.kv * (int)a.group + g);
		for (int q0 = first; q0 < end; q0 += COLS) {
			barrier(); // all have done with the tile before
			load_rows<COLS, D, D + 1, THREADS>(qs, rows_of<const E>(a.q, at.b, at.h, at.q0), a.q.row, q0, at.tq, a.d, 1);
			load_rows<COLS, D, D + 1, THREADS>(gs, rows_of<const E>(p.go, at.b, at.h, at.q0), p.go.row, q0, at.tq, a.d, 1);
			if (thread_x() < COLS) {
				int i = q0 + thread_x();
				lse[thread_x()] = i < at.tq ? base2(lse_of(a, at)[i]) : INF;
				delta[thread_x()] = i < at.tq ? p.delta[at.number * a.tq + i] : 0;
			}
			barrier(); // the tile is there
			for (int c = lane; c < COLS; c += LANES) {
				float s = inner<D>(ks + row * (D + 1), qs + c * (D + 1)) * (a.scale * LOG2E), m = keep(a, at, q0 + c, j);
				float w = exp2_fast(score(a, at, q0 + c, j, s) - lse[c]);
				float d = inner<D>(vs + row * (D + 1), gs + c * (D + 1)) * m;
				ps[row * (COLS + 1) + c] = w * m;
				ds[row * (COLS + 1) + c] = w * (d - delta[c]) * a.scale;
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
	}
	if (j >= at.tk) return;
	E *outk = rows_of<E>(p.gk, at.b, at.kv, at.k0) + j * p.gk.row, *outv = rows_of<E>(p.gv, at.b, at.kv, at.k0) + j * p.gv.row;
	UNROLL for (int x = 0; x < D / LANES; x++)
		if (lane + LANES * x < a.d) store(outk + lane + LANES * x, gk[x]), store(outv + lane + LANES * x, gv[x]);
}

// The number is the largest head size.
#if SIZE(32)
KERNEL attention_grad_query_f32_32(AttentionGradArgs p) { grad_query<float, 32, 16>(p); }
KERNEL attention_grad_key_value_f32_32(AttentionGradArgs p) { grad_key_value<float, 32, 16>(p); }
KERNEL attention_grad_query_f16_32(AttentionGradArgs p) { grad_query<F16, 32, 16>(p); }
KERNEL attention_grad_key_value_f16_32(AttentionGradArgs p) { grad_key_value<F16, 32, 16>(p); }
KERNEL attention_grad_query_bf16_32(AttentionGradArgs p) { grad_query<BF16, 32, 16>(p); }
KERNEL attention_grad_key_value_bf16_32(AttentionGradArgs p) { grad_key_value<BF16, 32, 16>(p); }
#endif
#if SIZE(64)
KERNEL attention_grad_query_f32_64(AttentionGradArgs p) { grad_query<float, 64, 16>(p); }
KERNEL attention_grad_key_value_f32_64(AttentionGradArgs p) { grad_key_value<float, 64, 16>(p); }
KERNEL attention_grad_query_f16_64(AttentionGradArgs p) { grad_query<F16, 64, 16>(p); }
KERNEL attention_grad_key_value_f16_64(AttentionGradArgs p) { grad_key_value<F16, 64, 16>(p); }
KERNEL attention_grad_query_bf16_64(AttentionGradArgs p) { grad_query<BF16, 64, 16>(p); }
KERNEL attention_grad_key_value_bf16_64(AttentionGradArgs p) { grad_key_value<BF16, 64, 16>(p); }
#endif
#if SIZE(96)
KERNEL attention_grad_query_f32_96(AttentionGradArgs p) { grad_query<float, 96, 16>(p); }
KERNEL attention_grad_key_value_f32_96(AttentionGradArgs p) { grad_key_value<float, 96, 16>(p); }
KERNEL attention_grad_query_f16_96(AttentionGradArgs p) { grad_query<F16, 96, 16>(p); }
KERNEL attention_grad_key_value_f16_96(AttentionGradArgs p) { grad_key_value<F16, 96, 16>(p); }
KERNEL attention_grad_query_bf16_96(AttentionGradArgs p) { grad_query<BF16, 96, 16>(p); }
KERNEL attention_grad_key_value_bf16_96(AttentionGradArgs p) { grad_key_value<BF16, 96, 16>(p); }
#endif
#if SIZE(128)
KERNEL attention_grad_query_f32_128(AttentionGradArgs p) { grad_query<float, 128, 16>(p); }
KERNEL attention_grad_key_value_f32_128(AttentionGradArgs p) { grad_key_value<float, 128, 16>(p); }
KERNEL attention_grad_query_f16_128(AttentionGradArgs p) { grad_query<F16, 128, 16>(p); }
KERNEL attention_grad_key_value_f16_128(AttentionGradArgs p) { grad_key_value<F16, 128, 16>(p); }
KERNEL attention_grad_query_bf16_128(AttentionGradArgs p) { grad_query<BF16, 128, 16>(p); }
KERNEL attention_grad_key_value_bf16_128(AttentionGradArgs p) { grad_key_value<BF16, 128, 16>(p); }
#endif
#if SIZE(256)
KERNEL attention_grad_query_f32_256(AttentionGradArgs p) { grad_query<float, 256, 8>(p); }
KERNEL attention_grad_key_value_f32_256(AttentionGradArgs p) { grad_key_value<float, 256, 8>(p); }
KERNEL attention_grad_query_f16_256(AttentionGradArgs p) { grad_query<F16, 256, 8>(p); }
KERNEL attention_grad_key_value_f16_256(AttentionGradArgs p) { grad_key_value<F16, 256, 8>(p); }
KERNEL attention_grad_query_bf16_256(AttentionGradArgs p) { grad_query<BF16, 256, 8>(p); }
KERNEL attention_grad_key_value_bf16_256(AttentionGradArgs p) { grad_key_value<BF16, 256, 8>(p); }
#endif
