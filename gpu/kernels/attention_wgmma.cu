// Attention forward on Hopper's tensor cores, float16 and bfloat16 (FlashAttention-3,
// Shah et al. 2024): a block holds ROWS queries, 64 for each of two warpgroups that
// compute; a third one copies tiles of COLS keys and of values, two of each on their
// way. The scores of a tile are computed while the weights of the one before are
// multiplied with its values, and its weights while the other warpgroup multiplies: they
// take turns. As many blocks as there are processors go from queries to queries, the
// next copied while the last are written.
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
	i64 work; // blocks of queries in all
};

// How many blocks of queries were taken beyond each block's first; 0 between launches,
// which come one after the other.
TAKEN(taken);

// One block of queries: the first, and the keys that any of them sees.
struct Work {
	Place at;
	int q0, j, end;
};

// False where there are no queries. Those with the most keys come first, where later
// queries see more.
DEVICE bool work_of(Work &w, const AttentionArgs &p, int n)
{
	int index = n / (int)p.tiles;
	w.q0 = ((int)p.tiles - 1 - n % (int)p.tiles) * ROWS;
	w.at = place_of(p, index / (int)p.heads, index % (int)p.heads);
	w.j = first_key(w.at, w.q0, COLS), w.end = end_key(w.at, w.q0, ROWS);
	return w.q0 < w.at.tq;
}

// What a block shares: tiles, barriers for their being full and empty, for the
// warpgroups' turns and for a last tile, and which queries it has, or -1. All of it is
// reckoned from where it begins, which takes one register.
template <int D> struct Stages {
	static const int QUERY = ROWS * D * 2, TILE = COLS * D * 2;
	char *q;
	DEVICE_LAMBDA char *k() const { return q + QUERY; }
	DEVICE_LAMBDA char *v() const { return k() + STAGES * TILE; }
	DEVICE_LAMBDA u64 *q_full() const { return (u64 *)(v() + STAGES * TILE); }
	DEVICE_LAMBDA u64 *q_empty() const { return q_full() + 1; }
	DEVICE_LAMBDA u64 *k_full() const { return q_empty() + 1; }
	DEVICE_LAMBDA u64 *k_empty() const { return k_full() + STAGES; }
	DEVICE_LAMBDA u64 *v_full() const { return k_empty() + STAGES; }
	DEVICE_LAMBDA u64 *v_empty() const { return v_full() + STAGES; }
	DEVICE_LAMBDA u64 *turn() const { return v_empty() + STAGES; }
	DEVICE_LAMBDA u64 *v_raw() const { return turn() + COMPUTING; }
	DEVICE_LAMBDA int *number() const { return (int *)(v_raw() + 1); }
};

// The panels of rows r … of a tile of n rows.
template <int D> DEVICE void copy_tile(char *to, const void *map, u64 *b, int n, int r, int head, int batch)
{
	UNROLL for (int c = 0; c < D; c += 64) copy_box(to + n * c * 2, map, b, c, r, head, batch);
}

// The values past a sequence's end are the next one's, or nobody's: a warp copies the
// last tile for itself first and puts zeros there, lest an Inf of theirs times a weight of
// 0 is NaN. Rows are whole, so that how their pieces lie does not matter.
template <int D> DEVICE void copy_last(char *to, const void *map, const Stages<D> &s, const Work &w, int j, int batch, int &round, bool &stuck)
{
	if (thread_x() == 0) {
		barrier_expect(s.v_raw(), s.TILE);
		copy_tile<D>(to, map, s.v_raw(), COLS, w.at.k0 + j, w.at.kv, batch);
	}
	barrier_wait(s.v_raw(), round, stuck);
	round ^= 1;
	UNROLL for (int c = 0; c < D; c += 64)
		UNROLL_BY(1) for (int at = (w.at.tk - j) * 128 + thread_x() * 16; at < COLS * 128; at += 32 * 16) put_piece(to + COLS * c * 2 + at, nullptr, false);
	async_fence(); // the zeros are there for products
	warp_barrier();
}

// Asks for the keys and values of one block of queries; n counts tiles, raw those that
// end a sequence.
template <int D> DEVICE void fetch_tiles(const AttentionMapsArgs *maps, const AttentionArgs &p, const Work &w, const Stages<D> &s, int &n, int &raw, bool &stuck)
{
	bool first = thread_x() == 0;
	int kb = p.k.batch ? w.at.b : 0, vb = p.v.batch ? w.at.b : 0;
	UNROLL_BY(1) for (int j = w.j; j < w.end; j += COLS, n++) {
		int stage = n % STAGES, round = n / STAGES & 1;
		barrier_wait(s.k_empty() + stage, round ^ 1, stuck);
		if (from_first(stuck)) return;
		if (first) {
			barrier_expect(s.k_full() + stage, s.TILE);
			copy_tile<D>(s.k() + stage * s.TILE, &maps->k, s.k_full() + stage, COLS, w.at.k0 + j, w.at.kv, kb);
		}
		barrier_wait(s.v_empty() + stage, round ^ 1, stuck);
		if (from_first(stuck)) return;
		bool last = p.seqs && j + COLS > w.at.tk;
		if (last) copy_last<D>(s.v() + stage * s.TILE, &maps->v, s, w, j, vb, raw, stuck);
		if (first && last) barrier_arrive(s.v_full() + stage);
		if (first && !last) {
			barrier_expect(s.v_full() + stage, s.TILE);
			copy_tile<D>(s.v() + stage * s.TILE, &maps->v, s.v_full() + stage, COLS, w.at.k0 + j, w.at.kv, vb);
		}
	}
}

// What the first warp does: lane 0 takes work and asks for its tiles as room comes free.
// Where it is stuck it takes the work that is left, so that the next launch finds 0 taken,
// and hands over none: who waits for it will give up.
template <int D> DEVICE void fetch(const AttentionMapsArgs *maps, const AttentionArgs &p, int work, const Stages<D> &s)
{
	bool stuck = false, first = thread_x() == 0;
	int n = 0, round = 1, raw = 0;
	UNROLL_BY(1) for (int next = block_x();; next = from_first(first ? blocks_x() + take(&taken, work) : 0)) {
		Work w;
		bool none = next >= work;
		if (!none && (from_first(stuck) || !work_of(w, p, next))) continue;
		barrier_wait(s.q_empty(), round, stuck);
		round ^= 1;
		if (from_first(stuck)) {
			if (none) return;
			continue;
		}
		if (first) {
			*s.number() = none ? -1 : next;
			if (none || w.j >= w.end) barrier_arrive(s.q_full()); // no query is looked at
			else {
				barrier_expect(s.q_full(), s.QUERY);
				copy_tile<D>(s.q, &maps->q, s.q_full(), ROWS, w.at.q0 + w.q0, w.at.h, p.q.batch ? w.at.b : 0);
			}
		}
		if (none) return;
		fetch_tiles<D>(maps, p, w, s, n, raw, stuck);
	}
}

// s = the products of the warpgroup's 64 queries with a tile of keys, under way.
template <class E, int D> DEVICE void score_tile(float (&s)[COLS / 8][4], u64 q, u64 k)
{
	products_begin();
	UNROLL for (int c = 0; c < D; c += 16) {
		int inside = c % 64 * 2;
		product<false, false>(E(), s, moved(q, c / 64 * ROWS * 128 + inside), moved(k, c / 64 * COLS * 128 + inside), c > 0);
	}
	products_end();
}

// out += weights times values, under way.
template <class E, int D> DEVICE void value_tile(float (&out)[D / 8][4], const u32 (&w)[COLS / 16][4], u64 v)
{
	products_begin(); // the weights are rounded, the sums rescaled
	UNROLL for (int j = 0; j < COLS; j += 16) product<true>(E(), out, w[j / 16], moved(v, j * 128), true);
	products_end(); // of the values
}

// What a lane has of its two rows.
template <int D> struct Rows {
	float out[D / 8][4], top[2], sum[2];
	DEVICE_LAMBDA Rows()
	{
		top[0] = top[1] = -INF, sum[0] = sum[1] = 0;
		UNROLL for (int n = 0; n < D / 8; n++)
			UNROLL for (int e = 0; e < 4; e++) out[n][e] = 0;
	}
};

// The weights of both rows that a lane has, and what is to be multiplied by what came
// before.
template <int D> DEVICE void weigh(const AttentionArgs &p, const Place &at, float (&s)[COLS / 8][4], Rows<D> &r, float (&fix)[2], int i, int j)
{
	int g = thread_x() % 32 / 4;
	bool all = whole(p, at, i, 16, j, COLS);
	fix[0] = online<0, false, COLS>(p, at, s, r.top[0], r.sum[0], i + g, j, all);
	fix[1] = online<1, false, COLS>(p, at, s, r.top[1], r.sum[1], i + g + 8, j, all);
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

// Where a computing warpgroup is among the stages and the turns.
struct Spot {
	int stage, round, turn;
	bool stuck;
};

DEVICE void advance(int &stage, int &round)
{
	stage = stage + 1 == STAGES ? 0 : stage + 1;
	round ^= stage == 0;
}

// What a computing warpgroup does of one block of queries, its own from i on.
template <class E, int D> DEVICE void compute(const AttentionArgs &p, const Work &w, const Stages<D> &s, u64 q, int group, int i, Rows<D> &r, Spot &x)
{
	bool first = thread_x() % 32 == 0;
	int j = w.j;
	float sc[COLS / 8][4], fix[2];
	u32 weights[COLS / 16][4];
	u64 k = operand(s.k(), 16), v = operand(s.v(), COLS * 128);
	barrier_wait(s.k_full() + x.stage, x.round, x.stuck);
	score_tile<E, D>(sc, q, moved(k, x.stage * s.TILE));
	products_wait<0>();
	settle(sc);
	if (first) barrier_arrive(s.k_empty() + x.stage);
	weigh(p, w.at, sc, r, fix, i, j);
	pack<E>(weights, sc);
	int next = x.stage, next_round = x.round;
	advance(next, next_round);
	if (j + COLS < w.end) barrier_wait(s.k_full() + next, next_round, x.stuck);
	UNROLL_BY(1) for (j += COLS; j < w.end; j += COLS) {
		barrier_wait(s.turn() + group, x.turn ^ group ^ 1, x.stuck);
		settle(weights), settle(r.out);
		score_tile<E, D>(sc, q, moved(k, next * s.TILE));
		barrier_wait(s.v_full() + x.stage, x.round, x.stuck);
		value_tile<E, D>(r.out, weights, moved(v, x.stage * s.TILE));
		if (first) barrier_arrive(s.turn() + (group ^ 1)); // the other one's
		products_wait<1>(); // the scores are there
		settle(sc);
		if (first) barrier_arrive(s.k_empty() + next);
		weigh(p, w.at, sc, r, fix, i, j);
		settle(sc);
		// The wait for the keys behind the next also keeps the compiler from having the
		// next one, which stops all, before what was just computed.
		int done = x.stage;
		x.stage = next, x.round = next_round, x.turn ^= 1;
		advance(next, next_round);
		if (j + COLS < w.end) barrier_wait(s.k_full() + next, next_round, x.stuck);
		products_wait<0>(); // the values are added
		settle(r.out), settle(weights);
		if (first) barrier_arrive(s.v_empty() + done);
		rescale<0, D>(r.out, fix[0]), rescale<1, D>(r.out, fix[1]);
		pack<E>(weights, sc);
	}
	if (first) barrier_arrive(s.q_empty()); // the last scores are there
	barrier_wait(s.v_full() + x.stage, x.round, x.stuck);
	settle(weights), settle(r.out);
	value_tile<E, D>(r.out, weights, moved(v, x.stage * s.TILE));
	products_wait<0>();
	settle(r.out);
	if (first) barrier_arrive(s.v_empty() + x.stage);
	advance(x.stage, x.round); // for what follows
}

// What a computing warpgroup does where a barrier was stuck: it cannot know which queries
// were its own, so NaN goes to its part of all.
template <class E, int D> DEVICE void give_up(const AttentionArgs &p, int work, int i)
{
	UNROLL_BY(1) for (int n = 0; n < work; n++) {
		Work w;
		if (!work_of(w, p, n)) continue;
		Rows<D> r;
		finish<0, E, D>(p, w.at, r.out, 0, -__builtin_nanf(""), w.q0 + i);
		finish<1, E, D>(p, w.at, r.out, 0, -__builtin_nanf(""), w.q0 + i + 8);
	}
}

// What a computing warpgroup does.
template <class E, int D> DEVICE void compute_all(const AttentionArgs &p, int work, const Stages<D> &s, int group)
{
	int warp = thread_x() % 128 / 32, g = thread_x() % 32 / 4;
	u64 q = operand(s.q + group * 64 * 128, 16);
	Spot x = {0, 0, 0, false};
	UNROLL_BY(1) for (int round = 0;; round ^= 1) {
		barrier_wait(s.q_full(), round, x.stuck);
		if (from_first(x.stuck)) return give_up<E, D>(p, work, group * 64 + warp * 16 + g);
		int n = from_first(*s.number());
		if (n < 0) return;
		Work w;
		work_of(w, p, n);
		int i = w.q0 + group * 64 + warp * 16;
		Rows<D> r;
		if (w.j < w.end) compute<E, D>(p, w, s, q, group, i, r, x);
		else if (thread_x() % 32 == 0) barrier_arrive(s.q_empty());
		if (x.stuck) r.sum[0] = r.sum[1] = -__builtin_nanf("");
		finish<0, E, D>(p, w.at, r.out, r.top[0], r.sum[0], i + g);
		finish<1, E, D>(p, w.at, r.out, r.top[1], r.sum[1], i + g + 8);
	}
}

template <class E, int D> DEVICE void attention(const void *argument, const AttentionMapsArgs &p)
{
	Stages<D> s = {DYNAMIC_SHARED + (-(int)shared_address(DYNAMIC_SHARED) & 1023)};
	if (thread_x() == 0) {
		barrier_init(s.q_full(), 1), barrier_init(s.q_empty(), 4 * COMPUTING);
		for (int n = 0; n < STAGES; n++) {
			barrier_init(s.k_full() + n, 1), barrier_init(s.v_full() + n, 1);
			barrier_init(s.k_empty() + n, 4 * COMPUTING), barrier_init(s.v_empty() + n, 4 * COMPUTING);
		}
		barrier_init(s.v_raw(), 1);
		for (int n = 0; n < COMPUTING; n++) barrier_init(s.turn() + n, 4);
		async_fence(); // the barriers are there for copies
	}
	barrier(); // the barriers are there
	int group = from_first(thread_x() / 128);
	if (group == 0) {
		REGISTERS_FEWER(56);
		if (thread_x() < 32) fetch<D>((const AttentionMapsArgs *)argument, p.a, (int)p.work, s);
	} else {
		REGISTERS_MORE(224);
		compute_all<E, D>(p.a, (int)p.work, s, group - 1);
	}
}

// The number is the largest head size.
#if SIZE(64)
KERNEL BOUNDED attention_wgmma_f16_64(AttentionMapsArgs p) { attention<F16, 64>(ARGUMENT(attention_wgmma_f16_64, p), p); }
KERNEL BOUNDED attention_wgmma_bf16_64(AttentionMapsArgs p) { attention<BF16, 64>(ARGUMENT(attention_wgmma_bf16_64, p), p); }
#endif
#if SIZE(128)
KERNEL BOUNDED attention_wgmma_f16_128(AttentionMapsArgs p) { attention<F16, 128>(ARGUMENT(attention_wgmma_f16_128, p), p); }
KERNEL BOUNDED attention_wgmma_bf16_128(AttentionMapsArgs p) { attention<BF16, 128>(ARGUMENT(attention_wgmma_bf16_128, p), p); }
#endif
