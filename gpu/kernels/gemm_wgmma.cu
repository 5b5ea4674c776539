// Matrix product on Hopper's tensor cores, float16 and bfloat16 with float32 sums: a
// block computes DOWN by ACROSS elements of C, 64 rows for each of two warpgroups, along
// tiles of DEPTH of the inner axis, which a third one copies, STAGES of them on their
// way. A and B may each lie turned. As many blocks as there are processors go from
// product to product, the next one's tiles copied while the last is written.
#include "gemm.h"
#include "wgmma.h"

#define COMPUTING 2
#define THREADS (128 * (COMPUTING + 1))
#define DOWN (64 * COMPUTING)
#define ACROSS 256
#define DEPTH 64
#define STAGES 4
#define TILE_A (DOWN * DEPTH * 2)
#define TILE_B (ACROSS * DEPTH * 2)
#define STAGE (TILE_A + TILE_B)
#define OWN_ROW 144 // bytes of a row on its way out, 128 of them used: rows begin in other banks
#define BAND 8 // rows of blocks that run one after the other down, so that they share B

struct GemmMapsArgs {
	TensorMap a, b; // along the inner axis, or turned: boxes of DOWN and ACROSS, or of DEPTH rows
	GemmArgs p;
	i64 work; // products of DOWN by ACROSS
};

// What a block shares: stages, and barriers for their being full and empty.
struct GemmStages {
	char *stages;
	DEVICE_LAMBDA u64 *full() const { return (u64 *)(stages + STAGES * STAGE); }
	DEVICE_LAMBDA u64 *empty() const { return full() + STAGES; }
	DEVICE_LAMBDA char *own() const { return (char *)(empty() + STAGES); }
};

// Where the n-th product begins: those that run beside each other share what they read.
DEVICE void place(const GemmArgs &p, int n, int &i0, int &j0)
{
	int across = (int)p.across, down = ((int)p.m + DOWN - 1) / DOWN, band = n / (BAND * across), inside = n % (BAND * across);
	int high = lesser(BAND, down - band * BAND);
	i0 = (band * BAND + inside % high) * DOWN, j0 = inside / high * ACROSS;
}

// A stage's panels: of all rows and DEPTH elements of the inner axis, or, turned, of 64
// rows each.
template <bool TURNED, int N> DEVICE void copy_tile(char *to, const void *map, u64 *b, int first, int k)
{
	if (!TURNED) copy_box(to, map, b, k, first, 0, 0);
	else
		UNROLL for (int n = 0; n < N; n += 64) copy_box(to + n * DEPTH * 2, map, b, first + n, k, 0, 0);
}

template <bool TURNED_A, bool TURNED_B> DEVICE void fetch(const GemmMapsArgs *maps, const GemmArgs &p, int work, const GemmStages &s, int tiles)
{
	bool stuck = false;
	int stage = 0, round = 1, i0, j0;
	UNROLL_BY(1) for (int n = block_x(); n < work; n += blocks_x()) {
		place(p, n, i0, j0);
		UNROLL_BY(1) for (int t = 0; t < tiles; t++) {
			char *a = s.stages + stage * STAGE;
			barrier_wait(s.empty() + stage, round, stuck);
			barrier_expect(s.full() + stage, STAGE);
			copy_tile<TURNED_A, DOWN>(a, &maps->a, s.full() + stage, i0, t * DEPTH);
			copy_tile<!TURNED_B, ACROSS>(a + TILE_A, &maps->b, s.full() + stage, j0, t * DEPTH);
			stage = (stage + 1) % STAGES, round ^= stage == 0;
		}
	}
}

// What C has besides the product, added to a lane's sums: bias, and what was there.
template <class C> DEVICE void add_rest(const GemmArgs &p, float (&c)[ACROSS / 8][4], int i, int j)
{
	int left = (int)p.n - j;
	if (p.bias) {
		const C *from = (const C *)p.bias + j;
		UNROLL for (int n = 0; n < ACROSS / 8; n++)
			UNROLL for (int e = 0; e < 2; e++) {
				float x = n * 8 + e < left ? load(from[n * 8 + e]) : 0;
				c[n][e] += x, c[n][2 + e] += x;
			}
	}
	if (p.add)
		UNROLL for (int half = 0; half < 2; half++) {
			const C *from = (const C *)p.c + (i + half * 8) * p.c_row + j;
			if (i + half * 8 < p.m)
				UNROLL for (int n = 0; n < ACROSS / 8; n++)
					UNROLL for (int e = 0; e < 2; e++)
						if (n * 8 + e < left) c[n][2 * half + e] += load(from[n * 8 + e]);
		}
}

DEVICE void put_pair(F16 *to, float x, float y) { *(u32 *)to = pair(F16(), x, y); }
DEVICE void put_pair(BF16 *to, float x, float y) { *(u32 *)to = pair(BF16(), x, y); }
DEVICE void put_pair(float *to, float x, float y) { to[0] = x, to[1] = y; }

// A warp's 16 rows of C from i on, by way of memory of its own, 128 bytes of each row at a
// time, so that its lanes write pieces of 16 bytes beside each other.
template <class C> DEVICE void put_rows(const GemmArgs &p, float (&c)[ACROSS / 8][4], char *own, int i, int j0)
{
	const int WIDE = 128 / sizeof(C), PIECE = 16 / sizeof(C);
	int lane = thread_x() % 32, g = lane / 4, t2 = lane % 4 * 2;
	if (p.bias || p.add) add_rest<C>(p, c, i + g, j0 + t2);
	bool pieces = ((u64)p.c | p.c_row * sizeof(C)) % 16 == 0;
	UNROLL for (int n = 0; n < ACROSS; n += WIDE) {
		UNROLL for (int m = 0; m < WIDE / 8; m++)
			UNROLL for (int e = 0; e < 2; e++)
				put_pair((C *)(own + (g + e * 8) * OWN_ROW) + m * 8 + t2, c[n / 8 + m][2 * e], c[n / 8 + m][2 * e + 1]);
		warp_barrier(); // the sums are there
		int j = j0 + n + lane % 8 * PIECE;
		UNROLL for (int r = lane / 8; r < 16; r += 4) {
			const C *from = (const C *)(own + r * OWN_ROW) + lane % 8 * PIECE;
			C *to = (C *)p.c + (i + r) * p.c_row + j;
			if (i + r < p.m && pieces && j + PIECE <= p.n) *(Piece *)to = *(const Piece *)from;
			else if (i + r < p.m)
				UNROLL for (int x = 0; x < PIECE; x++)
					if (j + x < p.n) to[x] = from[x];
		}
		warp_barrier(); // all have done with them
	}
}

// What a computing warpgroup does.
template <class E, bool TURNED_A, bool TURNED_B> DEVICE void compute(const GemmArgs &p, int work, const GemmStages &s, int group, int tiles)
{
	bool stuck = false, first = thread_x() % 32 == 0;
	int stage = 0, round = 0, warp = thread_x() % 128 / 32, i0, j0;
	char *own = s.own() + (group * 4 + warp) * 16 * OWN_ROW;
	u64 a = operand(s.stages + group * 64 * DEPTH * 2, 16), b = operand(s.stages + TILE_A, TURNED_B ? 16 : DEPTH * 128);
	UNROLL_BY(1) for (int n = block_x(); n < work; n += blocks_x()) {
		float c[ACROSS / 8][4];
		UNROLL for (int m = 0; m < ACROSS / 8; m++)
			UNROLL for (int e = 0; e < 4; e++) c[m][e] = 0;
		settle(c);
		UNROLL_BY(1) for (int t = 0; t < tiles; t++) {
			barrier_wait(s.full() + stage, round, stuck);
			products_begin();
			UNROLL for (int k = 0; k < DEPTH; k += 16)
				product<TURNED_A, !TURNED_B>(E(), c, moved(a, stage * STAGE + k * (TURNED_A ? 128 : 2)), moved(b, stage * STAGE + k * (TURNED_B ? 2 : 128)), true);
			products_end();
			products_wait<1>(); // the tile before is done with
			if (first && t > 0) barrier_arrive(s.empty() + (stage + STAGES - 1) % STAGES);
			stage = (stage + 1) % STAGES, round ^= stage == 0;
		}
		products_wait<0>();
		settle(c);
		if (first) barrier_arrive(s.empty() + (stage + STAGES - 1) % STAGES); // the last one's
		place(p, n, i0, j0);
		if (stuck) c[0][0] = c[0][1] = c[0][2] = c[0][3] = __builtin_nanf("");
		if (p.wide) put_rows<float>(p, c, own, i0 + group * 64 + warp * 16, j0);
		else put_rows<E>(p, c, own, i0 + group * 64 + warp * 16, j0);
	}
}

template <class E, bool TURNED_A, bool TURNED_B> DEVICE void gemm(const void *argument, const GemmMapsArgs &p)
{
	GemmStages s = {DYNAMIC_SHARED + (-(int)shared_address(DYNAMIC_SHARED) & 1023)};
	if (thread_x() == 0) {
		for (int n = 0; n < STAGES; n++) barrier_init(s.full() + n, 1), barrier_init(s.empty() + n, 4 * COMPUTING);
		async_fence();
	}
	barrier(); // the barriers are there
	int tiles = (int)(p.p.k + DEPTH - 1) / DEPTH, group = from_first(thread_x() / 128) - 1;
	if (group < 0) {
		REGISTERS_FEWER(40);
		if (thread_x() == 0) fetch<TURNED_A, TURNED_B>((const GemmMapsArgs *)argument, p.p, (int)p.work, s, tiles);
	} else {
		REGISTERS_MORE(232);
		compute<E, TURNED_A, TURNED_B>(p.p, (int)p.work, s, group, tiles);
	}
}

// n and t: whether A and B lie as they are, or turned.
KERNEL BOUNDED gemm_wgmma_nn_f16(GemmMapsArgs p) { gemm<F16, false, false>(ARGUMENT(gemm_wgmma_nn_f16, p), p); }
KERNEL BOUNDED gemm_wgmma_nt_f16(GemmMapsArgs p) { gemm<F16, false, true>(ARGUMENT(gemm_wgmma_nt_f16, p), p); }
KERNEL BOUNDED gemm_wgmma_tn_f16(GemmMapsArgs p) { gemm<F16, true, false>(ARGUMENT(gemm_wgmma_tn_f16, p), p); }
KERNEL BOUNDED gemm_wgmma_tt_f16(GemmMapsArgs p) { gemm<F16, true, true>(ARGUMENT(gemm_wgmma_tt_f16, p), p); }
KERNEL BOUNDED gemm_wgmma_nn_bf16(GemmMapsArgs p) { gemm<BF16, false, false>(ARGUMENT(gemm_wgmma_nn_bf16, p), p); }
KERNEL BOUNDED gemm_wgmma_nt_bf16(GemmMapsArgs p) { gemm<BF16, false, true>(ARGUMENT(gemm_wgmma_nt_bf16, p), p); }
KERNEL BOUNDED gemm_wgmma_tn_bf16(GemmMapsArgs p) { gemm<BF16, true, false>(ARGUMENT(gemm_wgmma_tn_bf16, p), p); }
KERNEL BOUNDED gemm_wgmma_tt_bf16(GemmMapsArgs p) { gemm<BF16, true, true>(ARGUMENT(gemm_wgmma_tt_bf16, p), p); }
