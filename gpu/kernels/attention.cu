// Attention forward with float32 arithmetic: one block computes ROWS queries of one
// head against all keys, tile by tile, with an online softmax (FlashAttention, Dao
// et al. 2022). LANES neighbouring threads share a query: each scores every
// LANES-th key and holds every LANES-th element of the output.
#include "attention.h"

#define THREADS 128

// The scores of this thread's keys, in base 2; -Inf for keys the query does not see.
template <int D, int COLS, int LANES>
DEVICE void scores(float *s, const AttentionArgs &p, const Place &at, const float *qs, const float *ks, int i, int k0, int row, int lane)
{
	UNROLL for (int x = 0; x < COLS / LANES; x++) {
		int c = lane + LANES * x;
		s[x] = score(p, at, i, k0 + c, inner<D>(qs + row * (D + 1), ks + c * (D + 1)));
	}
}

template <class E, int D, int COLS, int LANES> DEVICE void attention(const AttentionArgs &p)
{
	const int ROWS = THREADS / LANES;
	SHARED float qs[ROWS * (D + 1)], ks[COLS * (D + 1)], vs[COLS * D], ps[ROWS * (COLS + 1)];
	int row = thread_x() / LANES, lane = thread_x() % LANES;
	int index = block_x() / (int)p.tiles, q0 = block_x() % (int)p.tiles * ROWS, i = q0 + row;
	Place at = place_of(p, index / (int)p.heads, index % (int)p.heads);
	if (q0 >= at.tq) return;
	const E *k = rows_of<const E>(p.k, at.b, at.kv, at.k0), *v = rows_of<const E>(p.v, at.b, at.kv, at.k0);
	load_rows<ROWS, D, D + 1, THREADS>(qs, rows_of<const E>(p.q, at.b, at.h, at.q0), p.q.row, q0, at.tq, p.d, p.scale * LOG2E);

	float top = -INF, sum = 0, acc[D / LANES], s[COLS / LANES];
	UNROLL for (int x = 0; x < D / LANES; x++) acc[x] = 0;
	int end = end_key(at, q0, ROWS);
	for (int k0 = first_key(at, q0, COLS); k0 < end; k0 += COLS) {
		barrier(); // all have done with the tile before
		load_rows<COLS, D, D + 1, THREADS>(ks, k, p.k.row, k0, at.tk, p.d, 1);
		load_rows<COLS, D, D, THREADS>(vs, v, p.v.row, k0, at.tk, p.d, 1);
		barrier(); // the tile is there
		scores<D, COLS, LANES>(s, p, at, qs, ks, i, k0, row, lane);
		float m = top;
		UNROLL for (int x = 0; x < COLS / LANES; x++) m = s[x] > m ? s[x] : m;
		m = row_max<LANES>(m);
		// With no key in sight yet the top is -Inf; 0 keeps Inf - Inf out.
		float safe = m == -INF ? 0 : m, fix = exp2_fast(top - safe), part = 0;
		UNROLL for (int x = 0; x < COLS / LANES; x++) {
			float w = exp2_fast(s[x] - safe);
			part += w;
			ps[row * (COLS + 1) + lane + LANES * x] = w * keep(p, at, i, k0 + lane + LANES * x);
		}
		sum = sum * fix + row_sum<LANES>(part);
		top = m;
		barrier(); // the weights are there
		UNROLL for (int x = 0; x < D / LANES; x++) acc[x] *= fix;
		UNROLL_BY(2) for (int c = 0; c < COLS; c++) {
			float w = ps[row * (COLS + 1) + c];
			UNROLL for (int x = 0; x < D / LANES; x++) acc[x] += w * vs[c * D + lane + LANES * x];
		}
	}
	if (i >= at.tq) return;
	E *o = rows_of<E>(p.o, at.b, at.h, at.q0) + i * p.o.row;
	UNROLL for (int x = 0; x < D / LANES; x++)
		if (lane + LANES * x < p.d) store(o + lane + LANES * x, sum == 0 ? 0 : acc[x] / sum);
	if (lane == 0) lse_of(p, at)[i] = sum > 0 ? (top + log2_fast(sum)) * LN2 : (sum == 0 ? -INF : sum);
}

// The weights of given queries before dropout, from LSE.
template <class E, int D, int COLS, int LANES> DEVICE void weights(const AttentionWeightsArgs &p)
{
	const int ROWS = THREADS / LANES;
	const AttentionArgs &a = p.a;
	SHARED float qs[ROWS * (D + 1)], ks[COLS * (D + 1)];
	int row = thread_x() / LANES, lane = thread_x() % LANES;
	int index = block_x() / (int)a.tiles, r0 = block_x() % (int)a.tiles * ROWS, r = r0 + row;
	Place at = place_of(a, index / (int)a.heads, index % (int)a.heads);
	int i = r < p.n ? p.queries[r] : at.tq;
	UNROLL_BY(1) for (int e = thread_x(); e < ROWS * D; e += THREADS) {
		int query = r0 + e / D < p.n ? p.queries[r0 + e / D] : at.tq;
		bool there = query < at.tq && e % D < a.d;
		qs[e / D * (D + 1) + e % D] = there ? load(rows_of<const E>(a.q, at.b, at.h, at.q0 + query)[e % D]) * (a.scale * LOG2E) : 0;
	}
	float lse = i < at.tq ? base2(lse_of(a, at)[i]) : INF, s[COLS / LANES];
	for (int k0 = 0; k0 < a.tk; k0 += COLS) {
		barrier(); // all have done with the tile before
		load_rows<COLS, D, D + 1, THREADS>(ks, rows_of<const E>(a.k, at.b, at.kv, at.k0), a.k.row, k0, at.tk, a.d, 1);
		barrier(); // the tile is there
		scores<D, COLS, LANES>(s, a, at, qs, ks, i, k0, row, lane);
		UNROLL for (int x = 0; x < COLS / LANES; x++) {
			int j = k0 + lane + LANES * x;
			if (r < p.n && j < a.tk) p.w[(index * p.n + r) * a.tk + j] = exp2_fast(s[x] - lse);
		}
	}
}

// The number is the largest head size; keys a tile are chosen for 48 KiB.
#if SIZE(32)
KERNEL attention_f32_32(AttentionArgs p) { attention<float, 32, 32, 4>(p); }
KERNEL attention_f16_32(AttentionArgs p) { attention<F16, 32, 32, 4>(p); }
KERNEL attention_bf16_32(AttentionArgs p) { attention<BF16, 32, 32, 4>(p); }
KERNEL attention_weights_f32_32(AttentionWeightsArgs p) { weights<float, 32, 32, 4>(p); }
KERNEL attention_weights_f16_32(AttentionWeightsArgs p) { weights<F16, 32, 32, 4>(p); }
KERNEL attention_weights_bf16_32(AttentionWeightsArgs p) { weights<BF16, 32, 32, 4>(p); }
#endif
#if SIZE(64)
KERNEL attention_f32_64(AttentionArgs p) { attention<float, 64, 32, 4>(p); }
KERNEL attention_f16_64(AttentionArgs p) { attention<F16, 64, 32, 4>(p); }
KERNEL attention_bf16_64(AttentionArgs p) { attention<BF16, 64, 32, 4>(p); }
KERNEL attention_weights_f32_64(AttentionWeightsArgs p) { weights<float, 64, 32, 4>(p); }
KERNEL attention_weights_f16_64(AttentionWeightsArgs p) { weights<F16, 64, 32, 4>(p); }
KERNEL attention_weights_bf16_64(AttentionWeightsArgs p) { weights<BF16, 64, 32, 4>(p); }
#endif
#if SIZE(96)
KERNEL attention_f32_96(AttentionArgs p) { attention<float, 96, 16, 4>(p); }
KERNEL attention_f16_96(AttentionArgs p) { attention<F16, 96, 16, 4>(p); }
KERNEL attention_bf16_96(AttentionArgs p) { attention<BF16, 96, 16, 4>(p); }
KERNEL attention_weights_f32_96(AttentionWeightsArgs p) { weights<float, 96, 16, 4>(p); }
KERNEL attention_weights_f16_96(AttentionWeightsArgs p) { weights<F16, 96, 16, 4>(p); }
KERNEL attention_weights_bf16_96(AttentionWeightsArgs p) { weights<BF16, 96, 16, 4>(p); }
#endif
#if SIZE(128)
KERNEL attention_f32_128(AttentionArgs p) { attention<float, 128, 16, 4>(p); }
KERNEL attention_f16_128(AttentionArgs p) { attention<F16, 128, 16, 4>(p); }
KERNEL attention_bf16_128(AttentionArgs p) { attention<BF16, 128, 16, 4>(p); }
KERNEL attention_weights_f32_128(AttentionWeightsArgs p) { weights<float, 128, 16, 4>(p); }
KERNEL attention_weights_f16_128(AttentionWeightsArgs p) { weights<F16, 128, 16, 4>(p); }
KERNEL attention_weights_bf16_128(AttentionWeightsArgs p) { weights<BF16, 128, 16, 4>(p); }
#endif
#if SIZE(256)
KERNEL attention_f32_256(AttentionArgs p) { attention<float, 256, 8, 8>(p); }
KERNEL attention_f16_256(AttentionArgs p) { attention<F16, 256, 8, 8>(p); }
KERNEL attention_bf16_256(AttentionArgs p) { attention<BF16, 256, 8, 8>(p); }
KERNEL attention_weights_f32_256(AttentionWeightsArgs p) { weights<float, 256, 8, 8>(p); }
KERNEL attention_weights_f16_256(AttentionWeightsArgs p) { weights<F16, 256, 8, 8>(p); }
KERNEL attention_weights_bf16_256(AttentionWeightsArgs p) { weights<BF16, 256, 8, 8>(p); }
#endif
