// Attention backward on Hopper's tensor cores, float16 and bfloat16, in two kernels as in
// attention_grad_mma.cu: the first holds ROWS queries and walks over the keys for dQ, the
// second holds ROWS keys and walks over the queries for dK and dV. 64 rows for each of
// two warpgroups that compute; a third one copies the tiles to walk over, STAGES pairs of
// them on their way.
//
// One kernel for all three, as FlashAttention-3 has it (Shah et al. 2024), does five
// products where these do seven, but all its blocks add to dQ. In the order in which they
// come the sums differ from run to run; one after the other a block waits for those
// before it, which costs more than a third where the tiles to add to are not dealt out
// well, and hangs where blocks that wait for each other do not run together. Two kernels
// give the same bits always, and no weight or gradient of a score leaves its registers:
// no warpgroup waits for another, none writes to shared memory what products read.
#include "softmax.h"
#include "wgmma.h"

#define COMPUTING 2
#define THREADS (128 * (COMPUTING + 1))
#define ROWS (64 * COMPUTING)
#define STAGES 3

struct AttentionGradMapsArgs {
	TensorMap q, go, k, v; // boxes of ROWS rows of what is held, COLS of the others
	AttentionGradArgs p;
};

// What a block shares: the pair of tiles that it holds, the pairs that it walks over,
// and of queries to walk over the lse and delta; barriers for their being full and empty.
template <int D> struct GradStages {
	static const int COLS = 64, HELD = ROWS * D * 2, TILE = COLS * D * 2, STATS = 2 * COLS + 2;
	char *held, *tiles;
	float *stats; // a stage's lse, delta, and the first query's number
	u64 *held_full, *landed, *full, *empty;
	DEVICE_LAMBDA GradStages(char *shared)
	{
		held = shared + (-(int)shared_address(shared) & 1023), tiles = held + 2 * HELD;
		stats = (float *)(tiles + 2 * STAGES * TILE);
		held_full = (u64 *)(stats + STAGES * STATS), landed = held_full + 1, full = landed + 1, empty = full + STAGES;
	}
	DEVICE_LAMBDA char *pair(int stage) const { return tiles + 2 * stage * TILE; }
	DEVICE_LAMBDA float *lse(int stage) const { return stats + stage * STATS; }
	DEVICE_LAMBDA float *delta(int stage) const { return lse(stage) + COLS; }
	DEVICE_LAMBDA int *first(int stage) const { return (int *)(lse(stage) + 2 * COLS); }
};

template <int D> DEVICE void init(const GradStages<D> &s, int arrivals)
{
	if (thread_x() == 0) {
		barrier_init(s.held_full, 1), barrier_init(s.landed, 1);
		for (int n = 0; n < STAGES; n++) barrier_init(s.full + n, arrivals), barrier_init(s.empty + n, 4 * COMPUTING);
		async_fence(); // the barriers are there for copies
	}
	barrier(); // the barriers are there
}

// Which stage is next: of pair number n.
struct Step {
	int n, stage, round, landed;
	bool stuck;
	DEVICE_LAMBDA void wait(u64 *barriers) { barrier_wait(barriers + stage, round, stuck); }
	// Gives back the pair before.
	DEVICE_LAMBDA void release(u64 *empty) const
	{
		if (n && thread_x() % 32 == 0) barrier_arrive(empty + (stage ? stage : STAGES) - 1);
	}
	DEVICE_LAMBDA void next()
	{
		n++;
		if (++stage == STAGES) stage = 0, round ^= 1;
	}
};

// Two tensors that are copied together: query and gradient, or key and value.
struct Pair {
	const void *map[2];
	const Heads *x[2];
};

// N rows from r on of both, in panels, to tiles behind each other.
template <int D, int N> DEVICE void copy_pair(char *to, const Pair &pair, u64 *b, int r, int head, int batch)
{
	barrier_expect(b, 2 * N * D * 2);
	UNROLL for (int e = 0; e < 2; e++)
		UNROLL for (int c = 0; c < D; c += 64) copy_box(to + (e * D + c) * N * 2, pair.map[e], b, c, r, head, pair.x[e]->batch ? batch : 0);
}

// Rows r … of a head's two tensors to a stage, by a warp. A tile copied whole brings what
// lies behind a sequence: the next one's rows, or nobody's. It makes zeros of them, lest
// an Inf of theirs times a weight of 0 is NaN.
template <int D> DEVICE void fetch(const AttentionArgs &p, const GradStages<D> &s, const Pair &pair, Step &step, int first, int r, int rows, int head, int batch)
{
	const int PANEL = GradStages<D>::COLS * 128;
	bool last = p.seqs && r + s.COLS > rows, one = thread_x() == 0;
	char *to = s.pair(step.stage);
	step.wait(s.empty); // for the tiles
	if (one) copy_pair<D, GradStages<D>::COLS>(to, pair, last ? s.landed : s.full + step.stage, first + r, head, batch);
	if (!last) return;
	barrier_wait(s.landed, step.landed, step.stuck);
	step.landed ^= 1;
	UNROLL_BY(1) for (int at = (rows - r) * 128 + thread_x() * 16; at < PANEL; at += 512)
		UNROLL for (int n = 0; n < 2 * D / 64; n++) put_piece(to + n * PANEL + at, to, false);
	async_fence(); // the zeros are there for products
	warp_barrier();
	if (one) barrier_arrive(s.full + step.stage); // for the tiles
}

// The operands in a tile, whose panels are leading bytes from each other: what lies offset
// bytes behind its first element. They are made where they are used: descriptors that
// stay the same from tile to tile would fill the registers that sums need.
struct Operands {
	u32 low, high;
	DEVICE_LAMBDA Operands(const char *at, int leading) : low(fresh((u32)operand(at, leading))), high((u32)(operand(at, leading) >> 32)) {}
	DEVICE_LAMBDA u64 operator+(int offset) const { return (u64)high << 32 | (low + (offset >> 4)); }
};

template <int D> DEVICE void clear(float (&x)[D / 8][4])
{
	UNROLL for (int n = 0; n < D / 8; n++)
		UNROLL for (int e = 0; e < 4; e++) x[n][e] = 0;
}

// Values as an operand from registers: the fragments fit (ISA, wgmma m64nNk16).
template <class E, int COLS> DEVICE void pack(u32 (&w)[COLS / 16][4], const float (&s)[COLS / 8][4])
{
	UNROLL for (int k = 0; k < COLS / 16; k++)
		UNROLL for (int e = 0; e < 4; e++) {
			const float *x = s[2 * k + e / 2] + 2 * (e % 2);
			w[k][e] = pair(E(), x[0], x[1]);
		}
}

// out += w times a tile's rows, under way.
template <class E, int D> DEVICE void add_tile(float (&out)[D / 8][4], const u32 (&w)[GradStages<D>::COLS / 16][4], const char *tile)
{
	const int COLS = GradStages<D>::COLS;
	Operands b(tile, COLS * 128);
	products_begin(); // the values are rounded
	UNROLL for (int k = 0; k < COLS; k += 16) product<true>(E(), out, w[k / 16], b + k * 128, true);
	products_end(); // of the sums
}

// One row of a fragment into memory.
template <int HALF, class E, int D> DEVICE void put_row(E *to, const float (&x)[D / 8][4], i64 d, float bad)
{
	UNROLL for (int n = 0; n < D / 8; n++)
		if (n * 8 < d) *(u32 *)(to + n * 8 + thread_x() % 4 * 2) = pair(E(), x[n][2 * HALF] + bad, x[n][2 * HALF + 1] + bad);
}

// The rows i and i + 8 of a head's gradient, as far as there are so many.
template <class E, int D> DEVICE void put_rows(const Heads &x, int batch, int head, int first, const float (&out)[D / 8][4], i64 d, int i, int rows, bool stuck)
{
	E *to = rows_of<E>(x, batch, head, first) + i * x.row;
	float bad = stuck ? __builtin_nanf("") : 0;
	if (i < rows) put_row<0, E, D>(to, out, d, bad);
	if (i + 8 < rows) put_row<1, E, D>(to + 8 * x.row, out, d, bad);
}

typedef u32 Eight __attribute__((vector_size(16)));
template <class E> DEVICE float inner8(Eight x, Eight y)
{
	float sum = 0;
	UNROLL for (int n = 0; n < 8; n++) {
		E a, b;
		a.bits = (unsigned short)(x[n / 2] >> n % 2 * 16), b.bits = (unsigned short)(y[n / 2] >> n % 2 * 16);
		sum += load(a) * load(b);
	}
	return sum;
}

// rowsum(go * o) of one query, by the four lanes of its row.
template <class E, int D> DEVICE float delta_of(const AttentionGradArgs &p, const Place &at, int i)
{
	float x = 0;
	if (i < at.tq) {
		const E *o = rows_of<const E>(p.a.o, at.b, at.h, at.q0) + i * p.a.o.row, *g = rows_of<const E>(p.go, at.b, at.h, at.q0) + i * p.go.row;
		UNROLL for (int c = 0; c < D; c += 32) {
			int at8 = c + thread_x() % 4 * 8;
			if (at8 < p.a.d) x += inner8<E>(*(const Eight *)(o + at8), *(const Eight *)(g + at8));
		}
	}
	x = row_sum<4>(x);
	if (i < at.tq && thread_x() % 4 == 0) p.delta[at.number * p.a.tq + i] = x;
	return x;
}

// s = the products of the 64 rows in fragments with a tile of keys or values, under way.
template <class E, int D> DEVICE void score_keys(float (&s)[GradStages<D>::COLS / 8][4], const u32 (&a)[D / 16][4], const char *tile)
{
	Operands b(tile, 16);
	products_begin();
	UNROLL for (int c = 0; c < D; c += 16) product<false>(E(), s, a[c / 16], b + (c / 64 * GradStages<D>::COLS * 128 + c % 64 * 2), c > 0);
	products_end(); // of scores
}

// The fragments of a warp's 16 rows of a held tile.
template <int D> DEVICE void load_held(u32 (&a)[D / 16][4], const char *tile, int row)
{
	UNROLL for (int c = 0; c < D; c += 16) load_a<64>(a[c / 16], shared_at(tile) + c / 64 * ROWS * 128, row, c % 64);
}

// The weights of one row of a fragment (HALF 0: row g, 1: row g + 8), query i, and the
// keys from j on, all of which it sees where all is true. lse is in base 2.
template <int HALF, int COLS> DEVICE void weigh_row(const AttentionArgs &p, const Place &at, float (&s)[COLS / 8][4], float lse, int i, int j, bool all)
{
	int t2 = thread_x() % 4 * 2;
	if (!all) {
		int lo = i + at.shift - at.left - j, hi = lesser(at.tk - 1, i + at.shift + at.right) - j;
		UNROLL for (int n = 0; n < COLS / 8; n++)
			UNROLL for (int e = 0; e < 2; e++) {
				int c = n * 8 + t2 + e;
				if (c < lo || c > hi) s[n][2 * HALF + e] = -INF;
			}
	}
	float scale = p.scale * LOG2E;
	UNROLL for (int n = 0; n < COLS / 8; n++)
		UNROLL for (int e = 0; e < 2; e++) s[n][2 * HALF + e] = exp2_fast(s[n][2 * HALF + e] * scale - lse);
}

// g, which holds dP, becomes dS; delta is times the scale.
template <int HALF, int COLS> DEVICE void grade_row(float scale, const float (&w)[COLS / 8][4], float (&g)[COLS / 8][4], float delta)
{
	UNROLL for (int n = 0; n < COLS / 8; n++)
		UNROLL for (int e = 0; e < 2; e++) g[n][2 * HALF + e] = w[n][2 * HALF + e] * (g[n][2 * HALF + e] * scale - delta);
}

// What a computing warpgroup does for dQ, whose first query is q0, row row of the block.
template <class E, int D> DEVICE void compute_query(const AttentionGradArgs &p, const Place &at, const GradStages<D> &s, int row, int q0, int j, int end)
{
	const int COLS = GradStages<D>::COLS;
	const AttentionArgs &a = p.a;
	int warp = thread_x() % 128 / 32, i = q0 + warp * 16, g = thread_x() % 32 / 4;
	float lse[2], delta[2], out[D / 8][4], w[COLS / 8][4], dp[COLS / 8][4];
	u32 q[D / 16][4], go[D / 16][4], ds[COLS / 16][4];
	Step step = {0, 0, 0, 0, false};
	UNROLL for (int e = 0; e < 2; e++) {
		lse[e] = i + g + 8 * e < at.tq ? base2(lse_of(a, at)[i + g + 8 * e]) : INF;
		delta[e] = delta_of<E, D>(p, at, i + g + 8 * e) * a.scale;
	}
	clear<D>(out);
	if (j < end) {
		barrier_wait(s.held_full, 0, step.stuck);
		load_held<D>(q, s.held, row + warp * 16), load_held<D>(go, s.held + s.HELD, row + warp * 16);
		settle(q), settle(go), settle(out);
		UNROLL_BY(1) for (; j < end; j += COLS, step.next()) {
			const char *k = s.pair(step.stage), *v = k + s.TILE;
			step.wait(s.full);
			score_keys<E, D>(w, q, k);
			products_wait<1>(); // the tiles before are done with
			step.release(s.empty);
			score_keys<E, D>(dp, go, v);
			products_wait<1>(); // the scores are there
			settle(w);
			bool all = whole(a, at, i, 16, j, COLS);
			weigh_row<0, COLS>(a, at, w, lse[0], i + g, j, all), weigh_row<1, COLS>(a, at, w, lse[1], i + g + 8, j, all);
			products_wait<0>(); // dP is there
			settle(dp);
			grade_row<0, COLS>(a.scale, w, dp, delta[0]), grade_row<1, COLS>(a.scale, w, dp, delta[1]);
			pack<E, COLS>(ds, dp);
			settle(ds);
			add_tile<E, D>(out, ds, k);
		}
		products_wait<0>();
		settle(out);
	}
	Place to = place_of(a, at.b, at.h); // read anew, not kept in registers
	put_rows<E, D>(p.gq, to.b, to.h, to.q0, out, a.d, i + g, to.tq, step.stuck);
}

// What the warp does that copies tiles.
template <int D> DEVICE void supply_keys(const AttentionGradMapsArgs *maps, const AttentionGradArgs &p, const Place &at, const GradStages<D> &s, int q0, int j, int end)
{
	const AttentionArgs &a = p.a;
	Pair held = {{&maps->q, &maps->go}, {&a.q, &p.go}}, walked = {{&maps->k, &maps->v}, {&a.k, &a.v}};
	Step step = {0, 0, 1, 0, false};
	if (thread_x() == 0 && j < end) copy_pair<D, ROWS>(s.held, held, s.held_full, at.q0 + q0, at.h, at.b); // else nobody waits for them
	UNROLL_BY(1) for (; j < end; j += s.COLS, step.next()) fetch<D>(a, s, walked, step, at.k0, j, at.tk, at.kv, at.b);
}

template <class E, int D> DEVICE void grad_query(const void *argument, const AttentionGradArgs &p)
{
	const AttentionGradMapsArgs *maps = (const AttentionGradMapsArgs *)argument;
	const AttentionArgs &a = p.a;
	// The blocks with the most keys begin first, where later queries see more.
	int index = block_x() / (int)a.tiles, q0 = ((int)a.tiles - 1 - block_x() % (int)a.tiles) * ROWS;
	Place at = place_of(a, index / (int)a.heads, index % (int)a.heads);
	if (q0 >= at.tq) return;
	GradStages<D> s(DYNAMIC_SHARED);
	init<D>(s, 1);
	int j = first_key(at, q0, s.COLS), end = end_key(at, q0, ROWS), group = thread_x() / 128 - 1;
	if (group < 0) {
		REGISTERS_FEWER(40);
		if (thread_x() < 32) supply_keys<D>((const AttentionGradMapsArgs *)argument, p, at, s, q0, j, end);
	} else {
		REGISTERS_MORE(232);
		compute_query<E, D>(p, at, s, group * 64, q0 + group * 64, j, end);
	}
}

// The queries that a block of keys meets, head by head: from first on, count tiles a head.
struct Walk {
	int first, count;
};

// lse in base 2 and delta times the scale of a tile's queries, from i on, by a warp.
template <int D> DEVICE void fetch_stats(const AttentionGradArgs &p, const Place &at, const GradStages<D> &s, Step &step, int h, int i)
{
	const AttentionArgs &a = p.a;
	int lane = thread_x() % 32, stage = step.stage;
	const float *lse = a.lse + at.b * a.lse_batch + h * a.lse_head + at.q0 + i, *delta = p.delta + (at.b * a.heads + h) * a.tq + i;
	step.wait(s.empty); // for lse and delta
	UNROLL for (int c = lane; c < s.COLS; c += 32) {
		bool there = i + c < at.tq;
		s.lse(stage)[c] = there ? base2(lse[c]) : INF;
		s.delta(stage)[c] = there ? delta[c] * a.scale : 0;
	}
	if (lane == 0) *s.first(stage) = i;
	warp_barrier(); // all have written
	if (lane == 0) barrier_arrive(s.full + stage); // for lse and delta
}

// What two of the warps do that compute nothing: one copies tiles, one lse and delta.
template <int D> DEVICE void supply_queries(const AttentionGradMapsArgs *maps, const AttentionGradArgs &p, const Place &at, const GradStages<D> &s, const Walk &walk, int k0)
{
	const AttentionArgs &a = p.a;
	Pair held = {{&maps->k, &maps->v}, {&a.k, &a.v}}, walked = {{&maps->q, &maps->go}, {&a.q, &p.go}};
	Step step = {0, 0, 1, 0, false};
	bool tiles = thread_x() < 32;
	if (thread_x() == 0 && walk.count) copy_pair<D, ROWS>(s.held, held, s.held_full, at.k0 + k0, at.kv, at.b); // else nobody waits for them
	UNROLL_BY(1) for (int h = at.h; h < at.h + (int)a.group; h++)
		UNROLL_BY(1) for (int n = 0; n < walk.count; n++, step.next()) {
			int i = fresh(walk.first + n * s.COLS);
			if (tiles) fetch<D>(a, s, walked, step, at.q0, i, at.tq, h, at.b);
			else fetch_stats<D>(p, at, s, step, fresh(h), i);
		}
}

// s = the products of a warpgroup's 64 held rows with a tile of queries or gradients,
// under way.
template <class E, int D> DEVICE void score_queries(float (&s)[GradStages<D>::COLS / 8][4], const char *held, const char *tile)
{
	Operands a(held, 16), b(tile, 16);
	products_begin();
	UNROLL for (int c = 0; c < D; c += 16) product<false, false>(E(), s, a + (c / 64 * ROWS * 128 + c % 64 * 2), b + (c / 64 * GradStages<D>::COLS * 128 + c % 64 * 2), c > 0);
	products_end(); // of scores
}

struct alignas(8) Two { float x[2]; };

// Which queries see a lane's keys j and j + 8: from low (low + 8) on, so many; and those
// from whole to last, if a tile begins there, see all keys of the warp.
struct Sight {
	int low, many, whole, last;
};

template <int COLS> DEVICE Sight sight_of(const Place &at, int j)
{
	int g = thread_x() % 32 / 4;
	Sight s = {j + g - at.shift - at.right, at.left + at.right, j + 15 - at.shift - at.right, j - at.shift + at.left - COLS + 1};
	return s;
}

// The weights of a lane's keys and the queries from i on.
template <int COLS> DEVICE void weigh_columns(float scale, const Sight &sight, float (&s)[COLS / 8][4], const float *lse, int i)
{
	int t2 = thread_x() % 4 * 2;
	if (i < sight.whole || i > sight.last) {
		int low = sight.low - i - t2;
		UNROLL for (int n = 0; n < COLS / 8; n++)
			UNROLL for (int e = 0; e < 4; e++)
				if (n * 8 + e % 2 - e / 2 * 8 < low || n * 8 + e % 2 - e / 2 * 8 > low + sight.many) s[n][e] = -INF;
	}
	scale *= LOG2E;
	UNROLL for (int n = 0; n < COLS / 8; n++) {
		Two l = *(const Two *)(lse + n * 8 + t2);
		UNROLL for (int e = 0; e < 4; e++) s[n][e] = exp2_fast(s[n][e] * scale - l.x[e % 2]);
	}
}

template <int COLS> DEVICE void grade_columns(float scale, const float (&w)[COLS / 8][4], float (&g)[COLS / 8][4], const float *delta)
{
	UNROLL for (int n = 0; n < COLS / 8; n++) {
		Two d = *(const Two *)(delta + n * 8 + thread_x() % 4 * 2);
		UNROLL for (int e = 0; e < 4; e++) g[n][e] = w[n][e] * (g[n][e] * scale - d.x[e % 2]);
	}
}

// What a computing warpgroup does for dK and dV, whose first key is k0, row row of the
// block.
template <class E, int D> DEVICE void compute_key_value(const AttentionGradArgs &p, const Place &at, const GradStages<D> &s, const Walk &walk, int row, int k0)
{
	const int COLS = GradStages<D>::COLS;
	const AttentionArgs &a = p.a;
	const char *k = s.held + row * 128, *v = k + s.HELD;
	int j = k0 + thread_x() % 128 / 32 * 16, all = walk.count * (int)a.group;
	float gk[D / 8][4], gv[D / 8][4], w[COLS / 8][4], dp[COLS / 8][4];
	u32 x[COLS / 16][4], ds[COLS / 16][4];
	Step step = {0, 0, 0, 0, false};
	Sight sight = sight_of<COLS>(at, j);
	clear<D>(gk), clear<D>(gv);
	if (all) {
		barrier_wait(s.held_full, 0, step.stuck);
		settle(gk), settle(gv);
		UNROLL_BY(1) for (; step.n < all; step.next()) {
			const char *q = s.pair(step.stage), *go = q + s.TILE;
			step.wait(s.full);
			score_queries<E, D>(w, k, q);
			products_wait<1>(); // the tiles before are done with
			step.release(s.empty);
			score_queries<E, D>(dp, v, go);
			products_wait<1>(); // the scores are there
			settle(w);
			weigh_columns<COLS>(a.scale, sight, w, s.lse(step.stage), *s.first(step.stage));
			pack<E, COLS>(x, w);
			settle(x);
			add_tile<E, D>(gv, x, go);
			products_wait<1>(); // dP is there
			settle(dp);
			grade_columns<COLS>(a.scale, w, dp, s.delta(step.stage));
			pack<E, COLS>(ds, dp);
			settle(ds);
			add_tile<E, D>(gk, ds, q);
		}
		products_wait<0>();
		settle(gk), settle(gv);
	}
	Place to = place_of(a, at.b, at.h); // read anew, not kept in registers
	j += thread_x() % 32 / 4;
	put_rows<E, D>(p.gk, to.b, to.kv, to.k0, gk, a.d, j, to.tk, step.stuck);
	put_rows<E, D>(p.gv, to.b, to.kv, to.k0, gv, a.d, j, to.tk, step.stuck);
}

template <class E, int D> DEVICE void grad_key_value(const void *argument, const AttentionGradArgs &p)
{
	const AttentionArgs &a = p.a;
	int kvs = (int)(a.heads / a.group), index = block_x() / (int)a.tiles, k0 = block_x() % (int)a.tiles * ROWS;
	Place at = place_of(a, index / kvs, index % kvs * (int)a.group);
	if (k0 >= at.tk) return;
	GradStages<D> s(DYNAMIC_SHARED);
	init<D>(s, 2);
	Walk walk = {first_query(at, k0, s.COLS), 0};
	walk.count = larger(0, end_query(at, k0, ROWS) - walk.first + s.COLS - 1) / s.COLS;
	int group = thread_x() / 128 - 1;
	if (group < 0) {
		REGISTERS_FEWER(24);
		if (thread_x() < 64) supply_queries<D>((const AttentionGradMapsArgs *)argument, p, at, s, walk, k0);
	} else {
		REGISTERS_MORE(240);
		compute_key_value<E, D>(p, at, s, walk, group * 64, k0 + group * 64);
	}
}

// The number is the largest head size.
#if SIZE(64)
KERNEL BOUNDED attention_grad_query_wgmma_f16_64(AttentionGradMapsArgs p) { grad_query<F16, 64>(ARGUMENT(attention_grad_query_wgmma_f16_64, p), p.p); }
KERNEL BOUNDED attention_grad_query_wgmma_bf16_64(AttentionGradMapsArgs p) { grad_query<BF16, 64>(ARGUMENT(attention_grad_query_wgmma_bf16_64, p), p.p); }
KERNEL BOUNDED attention_grad_key_value_wgmma_f16_64(AttentionGradMapsArgs p) { grad_key_value<F16, 64>(ARGUMENT(attention_grad_key_value_wgmma_f16_64, p), p.p); }
KERNEL BOUNDED attention_grad_key_value_wgmma_bf16_64(AttentionGradMapsArgs p) { grad_key_value<BF16, 64>(ARGUMENT(attention_grad_key_value_wgmma_bf16_64, p), p.p); }
#endif
#if SIZE(128)
KERNEL BOUNDED attention_grad_query_wgmma_f16_128(AttentionGradMapsArgs p) { grad_query<F16, 128>(ARGUMENT(attention_grad_query_wgmma_f16_128, p), p.p); }
KERNEL BOUNDED attention_grad_query_wgmma_bf16_128(AttentionGradMapsArgs p) { grad_query<BF16, 128>(ARGUMENT(attention_grad_query_wgmma_bf16_128, p), p.p); }
KERNEL BOUNDED attention_grad_key_value_wgmma_f16_128(AttentionGradMapsArgs p) { grad_key_value<F16, 128>(ARGUMENT(attention_grad_key_value_wgmma_f16_128, p), p.p); }
KERNEL BOUNDED attention_grad_key_value_wgmma_bf16_128(AttentionGradMapsArgs p) { grad_key_value<BF16, 128>(ARGUMENT(attention_grad_key_value_wgmma_bf16_128, p), p.p); }
#endif
