// Attention forward on Hopper's tensor cores, float16 and bfloat16 (FlashAttention-3,
// Shah et al. 2024): a block holds ROWS queries, 64 for each of two warpgroups that
// compute; a third one copies tiles of COLS keys and of values, two of each on their
// way. The scores of a tile are computed while the weights of the one before are
// multiplied with its values.
#include "softmax.h"
#include "wgmma.h"

#define COMPUTING 2
#define THREADS (128 * (COMPUTING + 1))
#define ROWS (64 * COMPUTING)
#define COLS 128
#define STAGES 2

struct AttentionMapsArgs {
	TensorMap q, k, v; // boxes of ROWS, COLS and COLS rows
	AttentionArgs a;
};

// What a block shares: tiles, and barriers for their being full and empty.
template <int D> struct Stages {
	static const int QUERY = ROWS * D * 2, TILE = COLS * D * 2;
	char *q, *k, *v;
	u64 *q_full, *k_full, *k_empty, *v_full, *v_empty;
	DEVICE_LAMBDA Stages(char *shared)
	{
		q = shared + (-(int)shared_address(shared) & 1023), k = q + QUERY, v = k + STAGES * TILE;
		q_full = (u64 *)(v + STAGES * TILE), k_full = q_full + 1, k_empty = k_full + STAGES, v_full = k_empty + STAGES, v_empty = v_full + STAGES;
	}
};

// The panels of rows r … of a tile of n rows.
template <int D> DEVICE void copy_tile(char *to, const void *map, u64 *b, int n, int r, int head, int batch)
{
	UNROLL for (int c = 0; c < D; c += 64) copy_box(to + n * c * 2, map, b, c, r, head, batch);
}

// The values past a sequence's end are the next one's, or nobody's: a warp copies the
// last tile itself, with zeros there, lest an Inf of theirs times a weight of 0 is NaN.
template <class E, int D> DEVICE void copy_last(char *to, const AttentionArgs &p, const Place &at, int j)
{
	const E *v = rows_of<const E>(p.v, at.b, at.kv, at.k0);
	UNROLL_BY(4) for (int e = thread_x(); e < COLS * D / 8; e += 32) {
		int r = e / (D / 8), c = e % (D / 8);
		bool there = j + r < at.tk && c * 8 < p.d;
		put_piece(to + c / 8 * COLS * 128 + piece_at<64>(r, c % 8), there ? v + (j + r) * p.v.row + c * 8 : v, there);
	}
	async_fence(); // the pieces are there for products
	warp_barrier();
}

// What the first warp does: lane 0 asks for tiles as room comes free.
template <class E, int D> DEVICE void fetch(const AttentionMapsArgs *maps, const AttentionArgs &p, const Place &at, const Stages<D> &s, int q0, int j, int end)
{
	bool stuck = false, first = thread_x() == 0;
	int qb = p.q.batch ? at.b : 0, kb = p.k.batch ? at.b : 0, vb = p.v.batch ? at.b : 0;
	if (first && j < end) { // else nobody waits for them
		barrier_expect(s.q_full, s.QUERY);
		copy_tile<D>(s.q, &maps->q, s.q_full, ROWS, at.q0 + q0, at.h, qb);
	}
	UNROLL_BY(1) for (int n = 0; j < end; j += COLS, n++) {
		int stage = n % STAGES, round = n / STAGES & 1;
		barrier_wait(s.k_empty + stage, round ^ 1, stuck);
		if (first) {
			barrier_expect(s.k_full + stage, s.TILE);
			copy_tile<D>(s.k + stage * s.TILE, &maps->k, s.k_full + stage, COLS, at.k0 + j, at.kv, kb);
		}
		barrier_wait(s.v_empty + stage, round ^ 1, stuck);
		bool last = p.seqs && j + COLS > at.tk;
		if (last) copy_last<E, D>(s.v + stage * s.TILE, p, at, j);
		if (first && last) barrier_arrive(s.v_full + stage);
		if (first && !last) {
			barrier_expect(s.v_full + stage, s.TILE);
			copy_tile<D>(s.v + stage * s.TILE, &maps->v, s.v_full + stage, COLS, at.k0 + j, at.kv, vb);
		}
	}
}

// s = the products of the warpgroup's 64 queries with a tile of keys, under way.
template <class E, int D> DEVICE void score_tile(float (&s)[COLS / 8][4], const char *q, const char *k)
{
	products_begin();
	UNROLL for (int c = 0; c < D; c += 16) {
		int inside = c % 64 * 2;
		product<false, false>(E(), s, operand(q + c / 64 * ROWS * 128 + inside, 16), operand(k + c / 64 * COLS * 128 + inside, 16), c > 0);
	}
	products_end();
}

// out += weights times values, under way.
template <class E, int D> DEVICE void value_tile(float (&out)[D / 8][4], const u32 (&w)[COLS / 16][4], const char *v)
{
	products_begin(); // the weights are rounded, the sums rescaled
	UNROLL for (int j = 0; j < COLS; j += 16) product<true>(E(), out, w[j / 16], operand(v + j * 128, COLS * 128), true);
	products_end(); // of the values
}

// The weights of both rows that a lane has, and what is to be multiplied by what came
// before.
DEVICE void weigh(const AttentionArgs &p, const Place &at, float (&s)[COLS / 8][4], float (&top)[2], float (&sum)[2], float (&fix)[2], int i, int j)
{
	int g = thread_x() % 32 / 4;
	bool all = whole(p, at, i, 16, j, COLS);
	fix[0] = online<0, false, COLS>(p, at, s, top[0], sum[0], i + g, j, all);
	fix[1] = online<1, false, COLS>(p, at, s, top[1], sum[1], i + g + 8, j, all);
}

// Scores as an operand from registers: the fragments fit (ISA, wgmma m64nNk16).
template <class E> DEVICE void pack(u32 (&w)[COLS / 16][4], const float (&s)[COLS / 8][4])
{
	UNROLL for (int k = 0; k < COLS / 16; k++)
		UNROLL for (int e = 0; e < 4; e++) {
			const float *x = s[2 * k + e / 2] + 2 * (e % 2);
			w[k][e] = pair(E(), x[0], x[1]);
		}
}

// What a computing warpgroup does, whose first query is q0.
template <class E, int D> DEVICE void compute(const AttentionArgs &p, const Place &at, const Stages<D> &s, const char *q, int q0, int j, int end)
{
	bool stuck = false, first = thread_x() % 32 == 0;
	int i = q0 + thread_x() % 128 / 32 * 16, stage = 0, round = 0;
	float out[D / 8][4], sc[COLS / 8][4], top[2] = {-INF, -INF}, sum[2] = {0, 0}, fix[2];
	u32 w[COLS / 16][4];
	UNROLL for (int n = 0; n < D / 8; n++)
		UNROLL for (int e = 0; e < 4; e++) out[n][e] = 0;
	if (j < end) {
		barrier_wait(s.q_full, 0, stuck);
		barrier_wait(s.k_full, 0, stuck);
		score_tile<E, D>(sc, q, s.k);
		products_wait<0>();
		settle(sc);
		if (first) barrier_arrive(s.k_empty);
		weigh(p, at, sc, top, sum, fix, i, j);
		pack<E>(w, sc);
		UNROLL_BY(1) for (j += COLS; j < end; j += COLS) {
			int next = stage + 1 == STAGES ? 0 : stage + 1, next_round = next ? round : round ^ 1;
			barrier_wait(s.k_full + next, next_round, stuck);
			settle(w), settle(out);
			score_tile<E, D>(sc, q, s.k + next * s.TILE);
			barrier_wait(s.v_full + stage, round, stuck);
			value_tile<E, D>(out, w, s.v + stage * s.TILE);
			products_wait<1>(); // the scores are there
			settle(sc);
			if (first) barrier_arrive(s.k_empty + next);
			weigh(p, at, sc, top, sum, fix, i, j);
			products_wait<0>(); // the values are added
			settle(out), settle(w);
			if (first) barrier_arrive(s.v_empty + stage);
			rescale<0, D>(out, fix[0]), rescale<1, D>(out, fix[1]);
			pack<E>(w, sc);
			stage = next, round = next_round;
		}
		barrier_wait(s.v_full + stage, round, stuck);
		settle(w), settle(out);
		value_tile<E, D>(out, w, s.v + stage * s.TILE);
		products_wait<0>();
		settle(out);
	}
	if (stuck) sum[0] = sum[1] = -__builtin_nanf("");
	int g = thread_x() % 32 / 4;
	finish<0, E, D>(p, at, out, top[0], sum[0], i + g);
	finish<1, E, D>(p, at, out, top[1], sum[1], i + g + 8);
}

template <class E, int D> DEVICE void attention(const void *argument, const AttentionArgs &p)
{
	// The blocks with the most keys begin first, where later queries see more.
	int index = block_x() / (int)p.tiles, q0 = ((int)p.tiles - 1 - block_x() % (int)p.tiles) * ROWS;
	Place at = place_of(p, index / (int)p.heads, index % (int)p.heads);
	if (q0 >= at.tq) return;
	Stages<D> s(DYNAMIC_SHARED);
	if (thread_x() == 0) {
		barrier_init(s.q_full, 1);
		for (int n = 0; n < STAGES; n++) {
			barrier_init(s.k_full + n, 1), barrier_init(s.v_full + n, 1);
			barrier_init(s.k_empty + n, 4 * COMPUTING), barrier_init(s.v_empty + n, 4 * COMPUTING);
		}
		async_fence(); // the barriers are there for copies
	}
	barrier(); // the barriers are there
	int j = first_key(at, q0, COLS), end = end_key(at, q0, ROWS), group = thread_x() / 128;
	if (group == 0) {
		REGISTERS_FEWER(40);
		if (thread_x() < 32) fetch<E, D>((const AttentionMapsArgs *)argument, p, at, s, q0, j, end);
	} else {
		REGISTERS_MORE(232);
		compute<E, D>(p, at, s, s.q + (group - 1) * 64 * 128, q0 + (group - 1) * 64, j, end);
	}
}

// The number is the largest head size.
#if SIZE(64)
KERNEL BOUNDED attention_wgmma_f16_64(AttentionMapsArgs p) { attention<F16, 64>(ARGUMENT(attention_wgmma_f16_64, p), p.a); }
KERNEL BOUNDED attention_wgmma_bf16_64(AttentionMapsArgs p) { attention<BF16, 64>(ARGUMENT(attention_wgmma_bf16_64, p), p.a); }
#endif
#if SIZE(128)
KERNEL BOUNDED attention_wgmma_f16_128(AttentionMapsArgs p) { attention<F16, 128>(ARGUMENT(attention_wgmma_f16_128, p), p.a); }
KERNEL BOUNDED attention_wgmma_bf16_128(AttentionMapsArgs p) { attention<BF16, 128>(ARGUMENT(attention_wgmma_bf16_128, p), p.a); }
#endif
