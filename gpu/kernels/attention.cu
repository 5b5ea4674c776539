// Attention forward, f32: one block computes 32 queries of one head against all
// keys, tile by tile, with an online softmax (FlashAttention, Dao et al. 2022).
// Four neighbouring threads share a query: each scores every fourth key and holds
// every fourth element of the output.
#include "attention.h"

#define ROWS 32
#define LANES 4
#define THREADS (ROWS * LANES)

// The scores of this thread's keys, in base 2; -Inf for keys the query does not see.
template <int D, int COLS>
DEVICE void scores(float *s, const AttentionArgs &p, const float *qs, const float *ks, i64 i, i64 k0, int row, int lane)
{
	UNROLL for (int x = 0; x < COLS / LANES; x++) {
		int c = lane + LANES * x;
		i64 j = k0 + c;
		float dot = inner<D>(qs + row * (D + 1), ks + c * (D + 1));
		s[x] = j < p.tk && (!p.causal || j <= i + p.tk - p.tq) ? dot : -INF;
	}
}

template <int D, int COLS> DEVICE void attention(const AttentionArgs &p)
{
	SHARED float qs[ROWS * (D + 1)], ks[COLS * (D + 1)], vs[COLS * D], ps[ROWS * (COLS + 1)];
	int row = thread_x() / LANES, lane = thread_x() % LANES;
	i64 index = block_x() / p.tiles, q0 = block_x() % p.tiles * ROWS, i = q0 + row;
	const float *k = head_of(p.k, p.heads, index), *v = head_of(p.v, p.heads, index);
	load_rows<ROWS, D, D + 1, THREADS>(qs, head_of(p.q, p.heads, index), p.q.row, q0, p.tq, p.d, p.scale * LOG2E);

	float top = -INF, sum = 0, acc[D / LANES], s[COLS / LANES];
	UNROLL for (int x = 0; x < D / LANES; x++) acc[x] = 0;
	i64 end = p.causal && q0 + ROWS + p.tk - p.tq < p.tk ? q0 + ROWS + p.tk - p.tq : p.tk;
	for (i64 k0 = 0; k0 < end; k0 += COLS) {
		barrier(); // all have done with the tile before
		load_rows<COLS, D, D + 1, THREADS>(ks, k, p.k.row, k0, p.tk, p.d, 1);
		load_rows<COLS, D, D, THREADS>(vs, v, p.v.row, k0, p.tk, p.d, 1);
		barrier(); // the tile is there
		scores<D, COLS>(s, p, qs, ks, i, k0, row, lane);
		float m = top;
		UNROLL for (int x = 0; x < COLS / LANES; x++) m = s[x] > m ? s[x] : m;
		m = row_max<LANES>(m);
		// With no key in sight yet the top is -Inf; 0 keeps Inf - Inf out.
		float safe = m == -INF ? 0 : m, fix = exp2_fast(top - safe), part = 0;
		UNROLL for (int x = 0; x < COLS / LANES; x++) {
			float w = exp2_fast(s[x] - safe);
			ps[row * (COLS + 1) + lane + LANES * x] = w;
			part += w;
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

	float log = sum > 0 ? top + log2_fast(sum) : (sum == 0 ? -INF : sum);
	if (i < p.tq) {
		float *o = head_of(p.o, p.heads, index) + i * p.o.row;
		UNROLL for (int x = 0; x < D / LANES; x++)
			if (lane + LANES * x < p.d) o[lane + LANES * x] = sum == 0 ? 0 : acc[x] / sum;
		if (lane == 0) p.lse[index * p.tq + i] = log * LN2;
	}
	if (!p.weights) return;
	for (i64 k0 = 0; k0 < p.tk; k0 += COLS) {
		barrier();
		load_rows<COLS, D, D + 1, THREADS>(ks, k, p.k.row, k0, p.tk, p.d, 1);
		barrier();
		scores<D, COLS>(s, p, qs, ks, i, k0, row, lane);
		UNROLL for (int x = 0; x < COLS / LANES; x++) {
			i64 j = k0 + lane + LANES * x;
			if (i < p.tq && j < p.tk) p.weights[(index * p.tq + i) * p.tk + j] = sum == 0 ? 0 : exp2_fast(s[x] - log);
		}
	}
}

// The number is the largest head size; keys a tile are chosen for 48 KiB.
KERNEL attention_f32_32(AttentionArgs p) { attention<32, 32>(p); }
KERNEL attention_f32_64(AttentionArgs p) { attention<64, 32>(p); }
KERNEL attention_f32_96(AttentionArgs p) { attention<96, 16>(p); }
KERNEL attention_f32_128(AttentionArgs p) { attention<128, 16>(p); }
