// Attention of few queries (flash decoding, Dao et al. 2023): the keys are cut into
// splits, one block each, which leave their sums; a second kernel joins them. The
// memory of keys and values is the limit, so a key is read once for ROWS queries
// that share it. Eight threads hold one key: D / 8 neighbouring elements each.
#include "attention.h"

#define THREADS 128
#define LANES 8
#define KEYS (THREADS / LANES)

// A lane holds D / LANES elements in pieces of at most 16 bytes, which lie LANES pieces
// apart, so that a key's lanes read bytes beside each other.
template <class E, int D> struct Part {
	static const int N = D / LANES, W = (N & -N) < 16 / (int)sizeof(E) ? (N & -N) : 16 / (int)sizeof(E);
	// Which element of the row is number e of a lane.
	DEVICE_LAMBDA static int at(int lane, int e) { return (e / W * LANES + lane) * W + e % W; }
};

// A lane's elements of the row x as they lie in memory, zero from d on; whole says that
// all are there and pieces may be loaded at once.
template <class E, int D> struct Raw {
	static const int EACH = 4 / sizeof(E), WORDS = D / LANES / EACH;
	unsigned words[WORDS];

	DEVICE_LAMBDA void load_from(const E *x, int lane, i64 d, bool whole)
	{
		typedef Part<E, D> P;
		if (!whole) {
			UNROLL for (int w = 0; w < WORDS; w++) {
				words[w] = 0;
				UNROLL for (int e = 0; e < EACH; e++) {
					int c = P::at(lane, w * EACH + e);
					if (c < d) words[w] |= bits(x[c]) << 16 * e;
				}
			}
			return;
		}
		const int LONG = P::W / EACH; // words of a piece
		UNROLL for (int w = 0; w < WORDS; w += LONG) {
			const E *from = x + P::at(lane, w * EACH);
			if (LONG == 4) {
				Words4 y;
				load_words(y, from);
				UNROLL for (int n = 0; n < LONG; n++) words[w + n] = y[n];
			} else {
				Words2 y;
				load_words(y, from);
				UNROLL for (int n = 0; n < LONG; n++) words[w + n] = y[n];
			}
		}
	}
	DEVICE_LAMBDA static unsigned bits(float x) { return bits_of(x); }
	template <class H> DEVICE_LAMBDA static unsigned bits(H x) { return x.bits; }
	DEVICE_LAMBDA float get(int e) const { return get(words[e / EACH], e, E()); }
	DEVICE_LAMBDA static float get(unsigned word, int, float) { return of_bits(word); }
	template <class H> DEVICE_LAMBDA static float get(unsigned word, int e, H) { return load(H{(unsigned short)(word >> 16 * (e % 2))}); }
};

// The place of element c in a slot's row. Lanes four apart would meet in a bank where
// they have pieces of eight elements: half of them have the halves of theirs exchanged.
DEVICE int slot_at(int c) { return c ^ (c >> 3 & 4); }

// What the slots of a block leave to each other of one query: a row of elements each, the
// top score and the sum of weights.
template <int D> struct Slots {
	float x[KEYS * (D + 1)], top[KEYS], sum[KEYS];
};

// The slots as one, into to (d + 2).
template <int D> DEVICE void join_slots(const Slots<D> &slots, float *to, i64 d)
{
	float m = -INF;
	UNROLL_BY(1) for (int s = 0; s < KEYS; s++) m = slots.top[s] > m ? slots.top[s] : m;
	float safe = m == -INF ? 0 : m;
	UNROLL_BY(1) for (int c = thread_x(); c <= D; c += THREADS) {
		const float *x = c == D ? slots.sum : slots.x + slot_at(c);
		const int step = c == D ? 1 : D + 1;
		float all = 0;
		UNROLL_BY(1) for (int s = 0; s < KEYS; s++) all += x[s * step] * exp2_fast(slots.top[s] - safe);
		if (c < d) to[c] = all;
		if (c == D) to[d] = m, to[d + 1] = all;
	}
}

template <class E, int D, int ROWS> DEVICE void split(const AttentionSplitArgs &p)
{
	typedef Part<E, D> P;
	const int N = P::N;
	const AttentionArgs &a = p.a;
	SHARED Slots<D> slots;
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
		Raw<E, D> raw = {};
		if (query[r] < at.tq) raw.load_from(rows_of<const E>(a.q, b, x.h, at.q0 + query[r]), lane, a.d, whole);
		UNROLL for (int e = 0; e < N; e++) q[r][e] = raw.get(e) * (a.scale * LOG2E), acc[r][e] = 0;
	}
	int end = lesser(at.tk, (part + 1) * (int)p.keys);
	const E *k = rows_of<const E>(a.k, b, kv, at.k0), *v = rows_of<const E>(a.v, b, kv, at.k0);
	UNROLL_BY(1) for (int j0 = part * (int)p.keys; j0 < end; j0 += KEYS) {
		int j = j0 + slot;
		Raw<E, D> kj = {}, vj = {};
		if (j < end) kj.load_from(k + j * a.k.row, lane, a.d, whole), vj.load_from(v + j * a.v.row, lane, a.d, whole);
		UNROLL for (int r = 0; r < ROWS; r++) {
			float s = 0;
			UNROLL for (int e = 0; e < N; e++) s += q[r][e] * kj.get(e);
			s = row_sum<LANES>(s);
			at.bias = bias[r], at.slope = slope[r];
			s = j < end ? score(a, at, query[r], j, s) : -INF;
			float m = s > top[r] ? s : top[r], safe = m == -INF ? 0 : m;
			float fix = exp2_fast(top[r] - safe), w = exp2_fast(s - safe);
			top[r] = m;
			sum[r] = sum[r] * fix + w;
			UNROLL for (int e = 0; e < N; e++) acc[r][e] = acc[r][e] * fix + w * vj.get(e);
		}
	}
	// Each slot has seen every KEYS-th key; the block joins them.
	UNROLL for (int r = 0; r < ROWS; r++) {
		barrier(); // all have done with the row before
		UNROLL for (int e = 0; e < N; e++) slots.x[slot * (D + 1) + slot_at(P::at(lane, e))] = acc[r][e];
		if (lane == 0) slots.top[slot] = top[r], slots.sum[slot] = sum[r];
		barrier(); // the slots' sums are there
		if (query[r] < at.tq) join_slots<D>(slots, p.parts + ((number[r] * a.tq + query[r]) * p.splits + part) * (a.d + 2), a.d);
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
