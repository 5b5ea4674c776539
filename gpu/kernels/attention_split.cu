// Attention of few queries (flash decoding, Dao et al. 2023): the keys are cut into
// splits, one block each, which leave their sums; a second kernel joins them. The
// memory of keys and values is the limit, so a key is read once for ROWS queries
// that share it. Eight threads hold one key: D / 8 neighbouring elements each.
#include "attention.h"

#define THREADS 128
#define LANES 8
#define KEYS (THREADS / LANES)

// N elements from x on as floats, zero from d on; whole says that all are there and
// 16-byte loads are allowed.
template <int N, class E> DEVICE void load_part(float *to, const E *x, i64 c, i64 d, bool whole)
{
	if (whole) {
		const int P = N & -N, W = 16 / sizeof(E) < P ? 16 / sizeof(E) : P;
		struct alignas(W * sizeof(E)) Vector { E x[W]; };
		UNROLL for (int v = 0; v < N / W; v++) {
			Vector y = ((const Vector *)(x + c))[v];
			UNROLL for (int e = 0; e < W; e++) to[v * W + e] = load(y.x[e]);
		}
		return;
	}
	UNROLL for (int e = 0; e < N; e++) to[e] = c + e < d ? load(x[c + e]) : 0;
}

// The slots' sums (KEYS, D + 2) as one, into to (d + 2).
template <int D> DEVICE void join_slots(const float *sums, float *to, i64 d)
{
	float m = -INF;
	UNROLL_BY(1) for (int s = 0; s < KEYS; s++) m = sums[s * (D + 2) + D] > m ? sums[s * (D + 2) + D] : m;
	float safe = m == -INF ? 0 : m;
	UNROLL_BY(1) for (int c = thread_x(); c <= D; c += THREADS) {
		float x = 0;
		UNROLL_BY(1) for (int s = 0; s < KEYS; s++) x += sums[s * (D + 2) + (c == D ? D + 1 : c)] * exp2_fast(sums[s * (D + 2) + D] - safe);
		if (c < d) to[c] = x;
		if (c == D) to[d] = m, to[d + 1] = x;
	}
}

template <class E, int D, int ROWS> DEVICE void split(const AttentionSplitArgs &p)
{
	const int N = D / LANES;
	const AttentionArgs &a = p.a;
	SHARED float sums[KEYS * (D + 2)];
	int lane = thread_x() % LANES, slot = thread_x() / LANES;
	// Blocks: batch, key head, group of ROWS queries (head by head), split.
	int group = (int)a.group, tq = (int)a.tq, queries = group * tq, groups = (queries + ROWS - 1) / ROWS, kvs = (int)a.heads / group;
	int index = block_x() / (int)p.splits, part = block_x() % (int)p.splits, r0 = index % groups * ROWS;
	int b = index / groups / kvs, kv = index / groups % kvs;
	Place at = place_of(a, b, kv * group);
	int query[ROWS], number[ROWS];
	const float *bias[ROWS];
	float slope[ROWS], q[ROWS][N], acc[ROWS][N], top[ROWS], sum[ROWS];
	bool whole = a.aligned && a.d == D;
	UNROLL for (int r = 0; r < ROWS; r++) {
		int n = lesser(r0 + r, queries - 1);
		Place x = place_of(a, b, kv * group + n / tq);
		query[r] = r0 + r < queries ? n % tq : at.tq;
		number[r] = x.number, bias[r] = x.bias, slope[r] = x.slope;
		top[r] = -INF, sum[r] = 0;
		UNROLL for (int e = 0; e < N; e++) q[r][e] = acc[r][e] = 0;
		if (query[r] < at.tq) load_part<N>(q[r], rows_of<const E>(a.q, b, x.h, at.q0 + query[r]), lane * N, a.d, whole);
		UNROLL for (int e = 0; e < N; e++) q[r][e] *= a.scale * LOG2E;
	}
	int end = lesser(at.tk, (part + 1) * (int)p.keys);
	const E *k = rows_of<const E>(a.k, b, kv, at.k0), *v = rows_of<const E>(a.v, b, kv, at.k0);
	UNROLL_BY(1) for (int j0 = part * (int)p.keys; j0 < end; j0 += KEYS) {
		int j = j0 + slot;
		float kj[N], vj[N];
		UNROLL for (int e = 0; e < N; e++) kj[e] = vj[e] = 0;
		if (j < end) load_part<N>(kj, k + j * a.k.row, lane * N, a.d, whole), load_part<N>(vj, v + j * a.v.row, lane * N, a.d, whole);
		UNROLL for (int r = 0; r < ROWS; r++) {
			float s = 0;
			UNROLL for (int e = 0; e < N; e++) s += q[r][e] * kj[e];
			s = row_sum<LANES>(s);
			at.bias = bias[r], at.slope = slope[r];
			s = j < end ? score(a, at, query[r], j, s) : -INF;
			float m = s > top[r] ? s : top[r], safe = m == -INF ? 0 : m;
			float fix = exp2_fast(top[r] - safe), w = exp2_fast(s - safe);
			top[r] = m;
			sum[r] = sum[r] * fix + w;
			UNROLL for (int e = 0; e < N; e++) acc[r][e] = acc[r][e] * fix + w * vj[e];
		}
	}
	// Each slot has seen every KEYS-th key; the block joins them.
	UNROLL for (int r = 0; r < ROWS; r++) {
		barrier(); // all have done with the row before
		UNROLL for (int e = 0; e < N; e++) sums[slot * (D + 2) + lane * N + e] = acc[r][e];
		if (lane == 0) sums[slot * (D + 2) + D] = top[r], sums[slot * (D + 2) + D + 1] = sum[r];
		barrier(); // the slots' sums are there
				if (query[r] < at.tq) join_slots<D>(sums, p.parts + ((number[r] * a.tq + query[r]) * p.splits + part) * (a.d + 2), a.d);
	}
}

// One block joins the splits of one query.
template <class E> DEVICE void join(const AttentionSplitArgs &p)
{
	const AttentionArgs &a = p.a;
	int row = block_x(), tq = (int)a.tq, heads = (int)a.heads, i = row % tq;
	Place at = place_of(a, row / tq / heads, row / tq % heads);
	if (i >= at.tq) return;
	const float *parts = p.parts + row * p.splits * (a.d + 2);
	float top = -INF, sum = 0;
	for (i64 s = 0; s < p.splits; s++) top = parts[s * (a.d + 2) + a.d] > top ? parts[s * (a.d + 2) + a.d] : top;
	float safe = top == -INF ? 0 : top;
	for (i64 s = 0; s < p.splits; s++) sum += parts[s * (a.d + 2) + a.d + 1] * exp2_fast(parts[s * (a.d + 2) + a.d] - safe);
	for (int c = thread_x(); c < a.d; c += THREADS) {
		float x = 0;
		for (i64 s = 0; s < p.splits; s++) x += parts[s * (a.d + 2) + c] * exp2_fast(parts[s * (a.d + 2) + a.d] - safe);
		store(rows_of<E>(a.o, at.b, at.h, at.q0) + i * a.o.row + c, sum == 0 ? 0 : x / sum);
	}
	if (thread_x() == 0) lse_of(a, at)[i] = sum > 0 ? (top + log2_fast(sum)) * LN2 : (sum == 0 ? -INF : sum);
}

// The number is the largest head size. The group kernels take several queries a block.
#if SIZE(32)
KERNEL attention_split_f32_32(AttentionSplitArgs p) { split<float, 32, 1>(p); }
KERNEL attention_split_group_f32_32(AttentionSplitArgs p) { split<float, 32, 4>(p); }
KERNEL attention_split_f16_32(AttentionSplitArgs p) { split<F16, 32, 1>(p); }
KERNEL attention_split_group_f16_32(AttentionSplitArgs p) { split<F16, 32, 4>(p); }
KERNEL attention_split_bf16_32(AttentionSplitArgs p) { split<BF16, 32, 1>(p); }
KERNEL attention_split_group_bf16_32(AttentionSplitArgs p) { split<BF16, 32, 4>(p); }
#endif
#if SIZE(64)
KERNEL attention_split_f32_64(AttentionSplitArgs p) { split<float, 64, 1>(p); }
KERNEL attention_split_group_f32_64(AttentionSplitArgs p) { split<float, 64, 4>(p); }
KERNEL attention_split_f16_64(AttentionSplitArgs p) { split<F16, 64, 1>(p); }
KERNEL attention_split_group_f16_64(AttentionSplitArgs p) { split<F16, 64, 4>(p); }
KERNEL attention_split_bf16_64(AttentionSplitArgs p) { split<BF16, 64, 1>(p); }
KERNEL attention_split_group_bf16_64(AttentionSplitArgs p) { split<BF16, 64, 4>(p); }
#endif
#if SIZE(96)
KERNEL attention_split_f32_96(AttentionSplitArgs p) { split<float, 96, 1>(p); }
KERNEL attention_split_group_f32_96(AttentionSplitArgs p) { split<float, 96, 4>(p); }
KERNEL attention_split_f16_96(AttentionSplitArgs p) { split<F16, 96, 1>(p); }
KERNEL attention_split_group_f16_96(AttentionSplitArgs p) { split<F16, 96, 4>(p); }
KERNEL attention_split_bf16_96(AttentionSplitArgs p) { split<BF16, 96, 1>(p); }
KERNEL attention_split_group_bf16_96(AttentionSplitArgs p) { split<BF16, 96, 4>(p); }
#endif
#if SIZE(128)
KERNEL attention_split_f32_128(AttentionSplitArgs p) { split<float, 128, 1>(p); }
KERNEL attention_split_group_f32_128(AttentionSplitArgs p) { split<float, 128, 4>(p); }
KERNEL attention_split_f16_128(AttentionSplitArgs p) { split<F16, 128, 1>(p); }
KERNEL attention_split_group_f16_128(AttentionSplitArgs p) { split<F16, 128, 4>(p); }
KERNEL attention_split_bf16_128(AttentionSplitArgs p) { split<BF16, 128, 1>(p); }
KERNEL attention_split_group_bf16_128(AttentionSplitArgs p) { split<BF16, 128, 4>(p); }
#endif
#if SIZE(256)
KERNEL attention_split_f32_256(AttentionSplitArgs p) { split<float, 256, 1>(p); }
KERNEL attention_split_group_f32_256(AttentionSplitArgs p) { split<float, 256, 2>(p); }
KERNEL attention_split_f16_256(AttentionSplitArgs p) { split<F16, 256, 1>(p); }
KERNEL attention_split_group_f16_256(AttentionSplitArgs p) { split<F16, 256, 2>(p); }
KERNEL attention_split_bf16_256(AttentionSplitArgs p) { split<BF16, 256, 1>(p); }
KERNEL attention_split_group_bf16_256(AttentionSplitArgs p) { split<BF16, 256, 2>(p); }
#endif
KERNEL attention_join_f32(AttentionSplitArgs p) { join<float>(p); }
KERNEL attention_join_f16(AttentionSplitArgs p) { join<F16>(p); }
KERNEL attention_join_bf16(AttentionSplitArgs p) { join<BF16>(p); }
