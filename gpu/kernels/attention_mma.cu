// Attention forward on tensor cores, float16 and bfloat16, from sm_80 on
// (FlashAttention-2, Dao 2023): a block of four warps holds ROWS queries, each warp
// MF times 16 of them, and walks over the keys in tiles of COLS. Scores, weights and
// outputs stay in registers. The values of a tile come while its scores are
// computed, the next keys while its values are added up.
#include "softmax.h"

#define THREADS 128
#define WARPS (THREADS / 32)

// FULL allows bias, slopes, dropout, and a scale that is not positive.
template <class E, int D, int COLS, int MF, bool FULL> DEVICE void attention(const AttentionArgs &p)
{
	const int ROWS = WARPS * MF * 16;
	Shared qs = shared_begin(), ks = qs + ROWS * D * 2, vs = ks + COLS * D * 2;
	int warp = thread_x() / 32, g = thread_x() % 32 / 4;
	int index = block_x() / (int)p.tiles, q0 = ((int)p.tiles - 1 - block_x() % (int)p.tiles) * ROWS; // causal queries: those that see most first
	Place at = place_of(p, index / (int)p.heads, index % (int)p.heads);
	if (q0 >= at.tq) return;
	const E *k = rows_of<const E>(p.k, at.b, at.kv, at.k0), *v = rows_of<const E>(p.v, at.b, at.kv, at.k0);
	float out[MF][D / 8][4], s[MF][COLS / 8][4], top[MF][2], sum[MF][2];
	UNROLL for (int m = 0; m < MF; m++) {
		top[m][0] = top[m][1] = -INF, sum[m][0] = sum[m][1] = 0;
		UNROLL for (int n = 0; n < D / 8; n++)
			UNROLL for (int e = 0; e < 4; e++) out[m][n][e] = 0;
	}
	int end = end_key(at, q0, ROWS), j = first_key(at, q0, COLS);
	copy_rows<ROWS, D, THREADS>(qs, rows_of<const E>(p.q, at.b, at.h, at.q0), p.q.row, q0, at.tq, p.d);
	copy_rows<COLS, D, THREADS>(ks, k, p.k.row, j, at.tk, p.d);
	copies_end();
	UNROLL_BY(1) for (; j < end; j += COLS) {
		copies_wait<0>();
		barrier(); // the keys are there, and all have done with the values before
		copy_rows<COLS, D, THREADS>(vs, v, p.v.row, j, at.tk, p.d);
		copies_end();
		products<E, D, COLS, MF>(s, qs, ks, warp);
		copies_wait<0>();
		barrier(); // the values are there, and all have done with the keys
		if (j + COLS < end) copy_rows<COLS, D, THREADS>(ks, k, p.k.row, j + COLS, at.tk, p.d);
		copies_end();
		UNROLL for (int m = 0; m < MF; m++) {
			int i = q0 + (warp * MF + m) * 16;
			bool all = whole(p, at, i, 16, j, COLS);
			online_rows<FULL, COLS, D>(p, at, s[m], out[m], top[m], sum[m], i + g, j, all);
		}
		add_products<E, D, COLS, MF>(out, s, vs);
	}
	UNROLL for (int m = 0; m < MF; m++) {
		int i = q0 + (thread_again() / 32 * MF + m) * 16 + thread_again() % 32 / 4;
		finish<0, E, D>(p, at, out[m], top[m][0], sum[m][0], i);
		finish<1, E, D>(p, at, out[m], top[m][1], sum[m][1], i + 8);
	}
}

// The number is the largest head size.
#if SIZE(32)
KERNEL attention_mma_f16_32(AttentionArgs p) { attention<F16, 32, 64, 2, false>(p); }
KERNEL attention_mma_full_f16_32(AttentionArgs p) { attention<F16, 32, 64, 1, true>(p); }
KERNEL attention_mma_bf16_32(AttentionArgs p) { attention<BF16, 32, 64, 2, false>(p); }
KERNEL attention_mma_full_bf16_32(AttentionArgs p) { attention<BF16, 32, 64, 1, true>(p); }
#endif
#if SIZE(64)
KERNEL attention_mma_f16_64(AttentionArgs p) { attention<F16, 64, 64, 2, false>(p); }
KERNEL attention_mma_full_f16_64(AttentionArgs p) { attention<F16, 64, 64, 1, true>(p); }
KERNEL attention_mma_bf16_64(AttentionArgs p) { attention<BF16, 64, 64, 2, false>(p); }
KERNEL attention_mma_full_bf16_64(AttentionArgs p) { attention<BF16, 64, 64, 1, true>(p); }
#endif
#if SIZE(96)
KERNEL attention_mma_f16_96(AttentionArgs p) { attention<F16, 96, 32, 2, false>(p); }
KERNEL attention_mma_full_f16_96(AttentionArgs p) { attention<F16, 96, 64, 1, true>(p); }
KERNEL attention_mma_bf16_96(AttentionArgs p) { attention<BF16, 96, 32, 2, false>(p); }
KERNEL attention_mma_full_bf16_96(AttentionArgs p) { attention<BF16, 96, 64, 1, true>(p); }
#endif
#if SIZE(128)
KERNEL attention_mma_f16_128(AttentionArgs p) { attention<F16, 128, 64, 2, false>(p); }
KERNEL attention_mma_full_f16_128(AttentionArgs p) { attention<F16, 128, 64, 1, true>(p); }
KERNEL attention_mma_bf16_128(AttentionArgs p) { attention<BF16, 128, 64, 2, false>(p); }
KERNEL attention_mma_full_bf16_128(AttentionArgs p) { attention<BF16, 128, 64, 1, true>(p); }
#endif
#if SIZE(256)
KERNEL attention_mma_f16_256(AttentionArgs p) { attention<F16, 256, 32, 1, false>(p); }
KERNEL attention_mma_full_f16_256(AttentionArgs p) { attention<F16, 256, 32, 1, true>(p); }
KERNEL attention_mma_bf16_256(AttentionArgs p) { attention<BF16, 256, 32, 1, false>(p); }
KERNEL attention_mma_full_bf16_256(AttentionArgs p) { attention<BF16, 256, 32, 1, true>(p); }
#endif
