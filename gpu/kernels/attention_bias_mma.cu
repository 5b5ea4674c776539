// The gradients of attention by its additive bias and by the slopes of ALiBi on tensor
// cores, float16 and bfloat16, from sm_80 on: as attention_bias.cu, without atomics, a block
// for each tile of the bias, or for each tile of queries where the slopes are asked for. A
// block of four warps holds ROWS queries, each warp 16 of them, and COLS keys; dS is summed
// in float32 and never rounded.
#include "grad_mma.h"

#define THREADS 128
#define ROWS 64
#define COLS 32

// A tile of queries, with the gradients by their outputs, and of keys, with their values.
template <int D> struct Tiles {
	static const int Q = ROWS * D * 2, K = COLS * D * 2;
	Shared q, g, k, v;
	DEVICE_LAMBDA Tiles(Shared all) : q(all), g(all + Q), k(all + 2 * Q), v(all + 2 * Q + K) {}
};

template <class E, int D> DEVICE void take_keys(const Tiles<D> &t, const AttentionArgs &a, const Place &at, int k0)
{
	copy_rows<COLS, D, THREADS>(t.k, rows_of<const E>(a.k, at.b, at.kv, at.k0), a.k.row, k0, at.tk, a.d);
	copy_rows<COLS, D, THREADS>(t.v, rows_of<const E>(a.v, at.b, at.kv, at.k0), a.v.row, k0, at.tk, a.d);
}

template <class E, int D> DEVICE void take_queries(const Tiles<D> &t, const AttentionBiasArgs &p, const Place &at, int q0)
{
	copy_rows<ROWS, D, THREADS>(t.q, rows_of<const E>(p.a.q, at.b, at.h, at.q0), p.a.q.row, q0, at.tq, p.a.d);
	copy_rows<ROWS, D, THREADS>(t.g, rows_of<const E>(p.go, at.b, at.h, at.q0), p.go.row, q0, at.tq, p.a.d);
}

// rowsum(go * o) and the logsumexp of query i, by the four lanes of its row.
template <class E> DEVICE float delta_of(const AttentionBiasArgs &p, const Place &at, int i, float &lse)
{
	float x = 0;
	lse = INF;
	if (i < at.tq) {
		const E *o = rows_of<const E>(p.a.o, at.b, at.h, at.q0) + i * p.a.o.row, *g = rows_of<const E>(p.go, at.b, at.h, at.q0) + i * p.go.row;
		for (int c = thread_x() % 4; c < p.a.d; c += 4) x += load(o[c]) * load(g[c]);
		lse = base2(lse_of(p.a, at)[i]);
	}
	return row_sum<4>(x);
}

// ds = dS of the queries i and i + 8, where the lane's rows are, and the keys from k0 on.
template <class E, int D>
DEVICE void score_grads(const AttentionArgs &a, const Place &at, const Tiles<D> &t, float ds[1][COLS / 8][4], const float lse[2], const float delta[2], int i, int k0)
{
	float s[1][COLS / 8][4];
	products<E, D, COLS, 1>(s, t.q, t.k, thread_x() / 32);
	products<E, D, COLS, 1>(ds, t.g, t.v, thread_x() / 32);
	grad_row<0, true, COLS>(a, at, s[0], ds[0], lse[0], delta[0], i, k0, false);
	grad_row<1, true, COLS>(a, at, s[0], ds[0], lse[1], delta[1], i + 8, k0, false);
}

template <class E, int D> DEVICE void bias_grad(const AttentionBiasArgs &p)
{
	const AttentionArgs &a = p.a;
	SHARED float sums[THREADS / 32][COLS];
	Tiles<D> t(shared_begin());
	int warp = thread_x() / 32, g = thread_x() % 32 / 4, t2 = thread_x() % 4 * 2;
	int ktiles = ((int)a.tk + COLS - 1) / COLS, k0 = block_x() % ktiles * COLS, rest = block_x() / ktiles;
	int first = rest % (int)a.tiles * ROWS, hh = rest / (int)a.tiles % (int)p.nh, bb = rest / (int)a.tiles / (int)p.nh;
	int last = p.nq == 1 ? (int)a.tq : lesser((int)a.tq, first + ROWS);
	float acc[COLS / 8][4];
	UNROLL for (int n = 0; n < COLS / 8; n++)
		UNROLL for (int e = 0; e < 4; e++) acc[n][e] = 0;
	UNROLL_BY(1) for (int b = p.nb == 1 ? 0 : bb; b < (p.nb == 1 ? (int)p.batches : bb + 1); b++) {
		UNROLL_BY(1) for (int h = p.nh == 1 ? 0 : hh; h < (p.nh == 1 ? (int)a.heads : hh + 1); h++) {
			Place at = place_of(a, b, h);
			bool fresh = true; // the keys are to be taken yet
			UNROLL_BY(1) for (int q0 = first; q0 < lesser(last, at.tq); q0 += ROWS) {
				if (k0 >= end_key(at, q0, ROWS) || k0 + COLS <= q0 + at.shift - at.left) continue;
				barrier(); // all have done with the tiles before
				if (fresh) take_keys<E>(t, a, at, k0);
				fresh = false;
				take_queries<E>(t, p, at, q0);
				copies_end();
				int i = q0 + warp * 16 + g;
				float lse[2], delta[2], ds[1][COLS / 8][4];
				delta[0] = delta_of<E>(p, at, i, lse[0]), delta[1] = delta_of<E>(p, at, i + 8, lse[1]);
				copies_wait<0>();
				barrier(); // the tiles are there
				score_grads<E, D>(a, at, t, ds, lse, delta, i, k0);
				UNROLL for (int n = 0; n < COLS / 8; n++)
					UNROLL for (int e = 0; e < 4; e++) acc[n][e] += ds[0][n][e];
			}
		}
	}
	float *out = p.out + ((i64)bb * p.nh + hh) * p.nq * a.tk + k0;
	UNROLL for (int n = 0; n < COLS / 8; n++)
		UNROLL for (int e = 0; e < 4; e++) {
			int c = n * 8 + t2 + e % 2, r = first + warp * 16 + g + e / 2 * 8;
			if (p.nq != 1 && k0 + c < a.tk && r < p.nq) out[r * a.tk + c] = acc[n][e];
		}
	if (p.nq != 1) return;
	// The rows' sum: of the lane's two, the warp's eight lanes, the four warps.
	UNROLL for (int n = 0; n < COLS / 8; n++)
		UNROLL for (int e = 0; e < 2; e++) {
			float x = acc[n][e] + acc[n][e + 2];
			UNROLL for (int mask = 4; mask < 32; mask *= 2) x += shuffle_xor(x, mask);
			if (g == 0) sums[warp][n * 8 + t2 + e] = x;
		}
	barrier(); // the sums are there
	int c = thread_x();
	if (c < COLS && k0 + c < a.tk) out[c] = sums[0][c] + sums[1][c] + sums[2][c] + sums[3][c];
}

// One tile of queries' share of its head's slope, by which a score falls with the
// distance.
template <class E, int D> DEVICE void slopes_grad(const AttentionBiasArgs &p)
{
	const AttentionArgs &a = p.a;
	SHARED float sums[THREADS];
	Tiles<D> t(shared_begin());
	int q0 = block_x() % (int)a.tiles * ROWS, i = q0 + thread_x() / 32 * 16 + thread_x() % 32 / 4;
	Place at = place_of(a, block_x() / (int)a.tiles % (int)p.batches, block_x() / (int)a.tiles / (int)p.batches);
	float sum = 0;
	if (q0 < at.tq) {
		take_queries<E>(t, p, at, q0);
		float lse[2], delta[2], ds[1][COLS / 8][4];
		delta[0] = delta_of<E>(p, at, i, lse[0]), delta[1] = delta_of<E>(p, at, i + 8, lse[1]);
		int end = end_key(at, q0, ROWS);
		UNROLL_BY(1) for (int k0 = first_key(at, q0, COLS); k0 < end; k0 += COLS) {
			barrier(); // all have done with the keys before
			take_keys<E>(t, a, at, k0);
			copies_end();
			copies_wait<0>();
			barrier(); // the tiles are there
			score_grads<E, D>(a, at, t, ds, lse, delta, i, k0);
			UNROLL for (int n = 0; n < COLS / 8; n++)
				UNROLL for (int e = 0; e < 4; e++) {
					float far = (float)(k0 + n * 8 + thread_x() % 4 * 2 + e % 2 - i - e / 2 * 8 - at.shift);
					sum -= (far < 0 ? -far : far) * ds[0][n][e];
				}
		}
	}
	sums[thread_x()] = sum;
	barrier(); // the sums are there
	if (thread_x()) return;
	for (int n = 1; n < THREADS; n++) sum += sums[n];
	p.out[block_x()] = sum;
}

// The number is the largest head size.
#if SIZE(32)
KERNEL attention_bias_grad_mma_f16_32(AttentionBiasArgs p) { bias_grad<F16, 32>(p); }
KERNEL attention_slopes_grad_mma_f16_32(AttentionBiasArgs p) { slopes_grad<F16, 32>(p); }
KERNEL attention_bias_grad_mma_bf16_32(AttentionBiasArgs p) { bias_grad<BF16, 32>(p); }
KERNEL attention_slopes_grad_mma_bf16_32(AttentionBiasArgs p) { slopes_grad<BF16, 32>(p); }
#endif
#if SIZE(64)
KERNEL attention_bias_grad_mma_f16_64(AttentionBiasArgs p) { bias_grad<F16, 64>(p); }
KERNEL attention_slopes_grad_mma_f16_64(AttentionBiasArgs p) { slopes_grad<F16, 64>(p); }
KERNEL attention_bias_grad_mma_bf16_64(AttentionBiasArgs p) { bias_grad<BF16, 64>(p); }
KERNEL attention_slopes_grad_mma_bf16_64(AttentionBiasArgs p) { slopes_grad<BF16, 64>(p); }
#endif
#if SIZE(96)
KERNEL attention_bias_grad_mma_f16_96(AttentionBiasArgs p) { bias_grad<F16, 96>(p); }
KERNEL attention_slopes_grad_mma_f16_96(AttentionBiasArgs p) { slopes_grad<F16, 96>(p); }
KERNEL attention_bias_grad_mma_bf16_96(AttentionBiasArgs p) { bias_grad<BF16, 96>(p); }
KERNEL attention_slopes_grad_mma_bf16_96(AttentionBiasArgs p) { slopes_grad<BF16, 96>(p); }
#endif
#if SIZE(128)
KERNEL attention_bias_grad_mma_f16_128(AttentionBiasArgs p) { bias_grad<F16, 128>(p); }
KERNEL attention_slopes_grad_mma_f16_128(AttentionBiasArgs p) { slopes_grad<F16, 128>(p); }
KERNEL attention_bias_grad_mma_bf16_128(AttentionBiasArgs p) { bias_grad<BF16, 128>(p); }
KERNEL attention_slopes_grad_mma_bf16_128(AttentionBiasArgs p) { slopes_grad<BF16, 128>(p); }
#endif
#if SIZE(256)
KERNEL attention_bias_grad_mma_f16_256(AttentionBiasArgs p) { bias_grad<F16, 256>(p); }
KERNEL attention_slopes_grad_mma_f16_256(AttentionBiasArgs p) { slopes_grad<F16, 256>(p); }
KERNEL attention_bias_grad_mma_bf16_256(AttentionBiasArgs p) { bias_grad<BF16, 256>(p); }
KERNEL attention_slopes_grad_mma_bf16_256(AttentionBiasArgs p) { slopes_grad<BF16, 256>(p); }
#endif
