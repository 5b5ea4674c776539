// The gradients of attention by its additive bias and by the slopes of ALiBi, with
// float32 arithmetic and without atomics: each block has elements of the bias, or a
// head's share of its slope, for itself, and walks over all that they are added to.
// LANES neighbouring threads share a query. The gradient of a score, before the scale,
// is dS = P (dP - delta), as in attention_grad.cu.
#include "attention.h"

#define THREADS 128

// A tile of queries and of keys in shared memory.
template <int ROWS, int D> struct Tiles {
	float *q, *g, *k, *v;
	DEVICE_LAMBDA Tiles(float *all) : q(all), g(all + ROWS * (D + 1)), k(all + 2 * ROWS * (D + 1)), v(all + 3 * ROWS * (D + 1)) {}
};

template <class E, int D, int ROWS> DEVICE void take_keys(const Tiles<ROWS, D> &t, const AttentionArgs &a, const Place &at, int k0)
{
	load_rows<ROWS, D, D + 1, THREADS>(t.k, rows_of<const E>(a.k, at.b, at.kv, at.k0), a.k.row, k0, at.tk, a.d, 1);
	load_rows<ROWS, D, D + 1, THREADS>(t.v, rows_of<const E>(a.v, at.b, at.kv, at.k0), a.v.row, k0, at.tk, a.d, 1);
}

template <class E, int D, int ROWS> DEVICE void take_queries(const Tiles<ROWS, D> &t, const AttentionBiasArgs &p, const Place &at, int q0)
{
	load_rows<ROWS, D, D + 1, THREADS>(t.q, rows_of<const E>(p.a.q, at.b, at.h, at.q0), p.a.q.row, q0, at.tq, p.a.d, 1);
	load_rows<ROWS, D, D + 1, THREADS>(t.g, rows_of<const E>(p.go, at.b, at.h, at.q0), p.go.row, q0, at.tq, p.a.d, 1);
}

// rowsum(go * o) and the logsumexp of this thread's query.
template <class E, int D, int LANES> DEVICE float delta_of(const AttentionBiasArgs &p, const Place &at, const float *g, int i, int lane, float &lse)
{
	float delta = 0;
	lse = INF;
	if (i < at.tq) {
		const E *o = rows_of<const E>(p.a.o, at.b, at.h, at.q0) + i * p.a.o.row;
		for (int c = lane; c < p.a.d; c += LANES) delta += load(o[c]) * g[c];
		lse = base2(lse_of(p.a, at)[i]);
	}
	return row_sum<LANES>(delta);
}

// dS of query i and key j, which are rows of the tiles.
template <int D> DEVICE float score_grad(const AttentionArgs &a, const Place &at, const float *q, const float *g, const float *k, const float *v,
	int i, int j, float lse, float delta)
{
	float w = exp2_fast(score(a, at, i, j, inner<D>(q, k) * (a.scale * LOG2E)) - lse);
	return w * (inner<D>(g, v) * keep(a, at, i, j) - delta);
}

// Whether any of the queries q0 … sees any of the keys k0 …, ROWS of each.
template <int ROWS> DEVICE bool meet(const Place &at, int q0, int k0)
{
	return k0 < end_key(at, q0, ROWS) && k0 + ROWS > q0 + at.shift - at.left;
}

template <class E, int D, int ROWS> DEVICE void bias_grad(const AttentionBiasArgs &p)
{
	const int LANES = THREADS / ROWS, EACH = ROWS > LANES ? ROWS / LANES : 1;
	const AttentionArgs &a = p.a;
	SHARED float all[4 * ROWS * (D + 1)], sums[ROWS * (ROWS + 1)];
	Tiles<ROWS, D> t(all);
	int row = thread_x() / LANES, lane = thread_x() % LANES;
	int ktiles = ((int)a.tk + ROWS - 1) / ROWS, k0 = block_x() % ktiles * ROWS, rest = block_x() / ktiles;
	int first = rest % (int)a.tiles * ROWS, hh = rest / (int)a.tiles % (int)p.nh, bb = rest / (int)a.tiles / (int)p.nh;
	int last = p.nq == 1 ? (int)a.tq : lesser((int)a.tq, first + ROWS);
	float acc[EACH];
	UNROLL for (int x = 0; x < EACH; x++) acc[x] = 0;
	UNROLL_BY(1) for (int b = p.nb == 1 ? 0 : bb; b < (p.nb == 1 ? (int)p.batches : bb + 1); b++) {
		UNROLL_BY(1) for (int h = p.nh == 1 ? 0 : hh; h < (p.nh == 1 ? (int)a.heads : hh + 1); h++) {
			Place at = place_of(a, b, h);
			if (k0 >= at.tk) continue;
			barrier(); // all have done with the keys before
			take_keys<E>(t, a, at, k0);
			UNROLL_BY(1) for (int q0 = first; q0 < lesser(last, at.tq); q0 += ROWS) {
				if (!meet<ROWS>(at, q0, k0)) continue;
				barrier(); // all have done with the queries before
				take_queries<E>(t, p, at, q0);
				barrier(); // the tiles are there
				float lse, delta = delta_of<E, D, LANES>(p, at, t.g + row * (D + 1), q0 + row, lane, lse);
				UNROLL for (int x = 0; x < EACH; x++) {
					int c = lane + LANES * x;
					if (c < ROWS) acc[x] += score_grad<D>(a, at, t.q + row * (D + 1), t.g + row * (D + 1), t.k + c * (D + 1), t.v + c * (D + 1), q0 + row, k0 + c, lse, delta);
				}
			}
		}
	}
	UNROLL for (int x = 0; x < EACH; x++)
		if (lane + LANES * x < ROWS) sums[row * (ROWS + 1) + lane + LANES * x] = acc[x];
	barrier(); // the sums are there
	float *out = p.out + ((i64)bb * p.nh + hh) * p.nq * a.tk;
	for (int e = thread_x(); e < ROWS * ROWS; e += THREADS) {
		int r = e / ROWS, c = e % ROWS;
		if (k0 + c >= a.tk || first + r >= p.nq) continue;
		float x = sums[r * (ROWS + 1) + c];
		for (int y = 1; p.nq == 1 && y < ROWS; y++) x += sums[y * (ROWS + 1) + c];
		out[(first + r) * a.tk + k0 + c] = x;
	}
}

// One tile of queries' share of its head's slope, by which a score falls with the
// distance.
template <class E, int D, int ROWS> DEVICE void slopes_grad(const AttentionBiasArgs &p)
{
	const int LANES = THREADS / ROWS;
	const AttentionArgs &a = p.a;
	SHARED float all[4 * ROWS * (D + 1)], sums[THREADS];
	Tiles<ROWS, D> t(all);
	int row = thread_x() / LANES, lane = thread_x() % LANES, q0 = block_x() % (int)a.tiles * ROWS, i = q0 + row;
	Place at = place_of(a, block_x() / (int)a.tiles % (int)p.batches, block_x() / (int)a.tiles / (int)p.batches);
	float sum = 0;
	if (q0 < at.tq) {
		take_queries<E>(t, p, at, q0);
		barrier(); // the queries are there
		float lse, delta = delta_of<E, D, LANES>(p, at, t.g + row * (D + 1), i, lane, lse);
		int end = end_key(at, q0, ROWS);
		UNROLL_BY(1) for (int k0 = first_key(at, q0, ROWS); k0 < end; k0 += ROWS) {
			barrier(); // all have done with the keys before
			take_keys<E>(t, a, at, k0);
			barrier(); // the keys are there
			for (int c = lane; c < ROWS; c += LANES) {
				float far = (float)(k0 + c - i - at.shift);
				sum -= (far < 0 ? -far : far) *
					score_grad<D>(a, at, t.q + row * (D + 1), t.g + row * (D + 1), t.k + c * (D + 1), t.v + c * (D + 1), i, k0 + c, lse, delta);
			}
		}
	}
	sums[thread_x()] = sum;
	barrier(); // the sums are there
	if (thread_x()) return;
	for (int n = 1; n < THREADS; n++) sum += sums[n];
	p.out[block_x()] = sum;
}

// The sum of each head's shares.
KERNEL attention_slopes_join(AttentionJoinArgs p)
{
	SHARED double sums[THREADS];
	double sum = 0;
	for (i64 n = thread_x(); n < p.n; n += THREADS) sum += p.parts[block_x() * p.n + n];
	sums[thread_x()] = sum;
	barrier(); // the sums are there
	if (thread_x()) return;
	for (int n = 1; n < THREADS; n++) sum += sums[n];
	p.out[block_x()] = (float)sum;
}

// The number is the largest head size.
#if SIZE(32)
KERNEL attention_bias_grad_f32_32(AttentionBiasArgs p) { bias_grad<float, 32, 16>(p); }
KERNEL attention_slopes_grad_f32_32(AttentionBiasArgs p) { slopes_grad<float, 32, 16>(p); }
KERNEL attention_bias_grad_f16_32(AttentionBiasArgs p) { bias_grad<F16, 32, 16>(p); }
KERNEL attention_slopes_grad_f16_32(AttentionBiasArgs p) { slopes_grad<F16, 32, 16>(p); }
KERNEL attention_bias_grad_bf16_32(AttentionBiasArgs p) { bias_grad<BF16, 32, 16>(p); }
KERNEL attention_slopes_grad_bf16_32(AttentionBiasArgs p) { slopes_grad<BF16, 32, 16>(p); }
#endif
#if SIZE(64)
KERNEL attention_bias_grad_f32_64(AttentionBiasArgs p) { bias_grad<float, 64, 16>(p); }
KERNEL attention_slopes_grad_f32_64(AttentionBiasArgs p) { slopes_grad<float, 64, 16>(p); }
KERNEL attention_bias_grad_f16_64(AttentionBiasArgs p) { bias_grad<F16, 64, 16>(p); }
KERNEL attention_slopes_grad_f16_64(AttentionBiasArgs p) { slopes_grad<F16, 64, 16>(p); }
KERNEL attention_bias_grad_bf16_64(AttentionBiasArgs p) { bias_grad<BF16, 64, 16>(p); }
KERNEL attention_slopes_grad_bf16_64(AttentionBiasArgs p) { slopes_grad<BF16, 64, 16>(p); }
#endif
#if SIZE(96)
KERNEL attention_bias_grad_f32_96(AttentionBiasArgs p) { bias_grad<float, 96, 16>(p); }
KERNEL attention_slopes_grad_f32_96(AttentionBiasArgs p) { slopes_grad<float, 96, 16>(p); }
KERNEL attention_bias_grad_f16_96(AttentionBiasArgs p) { bias_grad<F16, 96, 16>(p); }
KERNEL attention_slopes_grad_f16_96(AttentionBiasArgs p) { slopes_grad<F16, 96, 16>(p); }
KERNEL attention_bias_grad_bf16_96(AttentionBiasArgs p) { bias_grad<BF16, 96, 16>(p); }
KERNEL attention_slopes_grad_bf16_96(AttentionBiasArgs p) { slopes_grad<BF16, 96, 16>(p); }
#endif
#if SIZE(128)
KERNEL attention_bias_grad_f32_128(AttentionBiasArgs p) { bias_grad<float, 128, 16>(p); }
KERNEL attention_slopes_grad_f32_128(AttentionBiasArgs p) { slopes_grad<float, 128, 16>(p); }
KERNEL attention_bias_grad_f16_128(AttentionBiasArgs p) { bias_grad<F16, 128, 16>(p); }
KERNEL attention_slopes_grad_f16_128(AttentionBiasArgs p) { slopes_grad<F16, 128, 16>(p); }
KERNEL attention_bias_grad_bf16_128(AttentionBiasArgs p) { bias_grad<BF16, 128, 16>(p); }
KERNEL attention_slopes_grad_bf16_128(AttentionBiasArgs p) { slopes_grad<BF16, 128, 16>(p); }
#endif
#if SIZE(256)
KERNEL attention_bias_grad_f32_256(AttentionBiasArgs p) { bias_grad<float, 256, 8>(p); }
KERNEL attention_slopes_grad_f32_256(AttentionBiasArgs p) { slopes_grad<float, 256, 8>(p); }
KERNEL attention_bias_grad_f16_256(AttentionBiasArgs p) { bias_grad<F16, 256, 8>(p); }
KERNEL attention_slopes_grad_f16_256(AttentionBiasArgs p) { slopes_grad<F16, 256, 8>(p); }
KERNEL attention_bias_grad_bf16_256(AttentionBiasArgs p) { bias_grad<BF16, 256, 8>(p); }
KERNEL attention_slopes_grad_bf16_256(AttentionBiasArgs p) { slopes_grad<BF16, 256, 8>(p); }
#endif
