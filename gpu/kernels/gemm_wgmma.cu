// Matrix product on Hopper's tensor cores, float16 and bfloat16 with float32 sums: a
// block computes DOWN by ACROSS elements of C, 64 rows for each of two warpgroups, along
// tiles of DEPTH of the inner axis, which a third one copies, STAGES of them on their
// way. A and B may each lie turned.
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
#define OWN_ROW 40 // pairs of a half warp lie in all banks
#define BAND 8 // rows of blocks that run one after the other down, so that they share B

struct GemmMapsArgs {
	TensorMap a, b; // along the inner axis, or turned: boxes of DOWN and ACROSS, or of DEPTH rows
	GemmArgs p;
};

// A stage's panels: of all rows and DEPTH elements of the inner axis, or, turned, of 64
// rows each.
template <bool TURNED, int N> DEVICE void copy_tile(char *to, const void *map, u64 *b, int first, int k)
{
	if (!TURNED) copy_box(to, map, b, k, first, 0, 0);
	else
		UNROLL for (int n = 0; n < N; n += 64) copy_box(to + n * DEPTH * 2, map, b, first + n, k, 0, 0);
}

template <bool TURNED_A, bool TURNED_B> DEVICE void fetch(const GemmMapsArgs *maps, char *stages, u64 *full, u64 *empty, int i0, int j0, int tiles)
{
	bool stuck = false;
	UNROLL_BY(1) for (int t = 0; t < tiles; t++) {
		int stage = t % STAGES;
		char *a = stages + stage * STAGE;
		barrier_wait(empty + stage, (t / STAGES & 1) ^ 1, stuck);
		barrier_expect(full + stage, STAGE);
		copy_tile<TURNED_A, DOWN>(a, &maps->a, full + stage, i0, t * DEPTH);
		copy_tile<!TURNED_B, ACROSS>(a + TILE_A, &maps->b, full + stage, j0, t * DEPTH);
	}
}

// A warp's 16 rows of C from i on, by way of memory of its own, so that its lanes write
// columns beside each other.
template <class E> DEVICE void put_rows(const GemmArgs &p, const float (&c)[ACROSS / 8][4], float *own, int i, int j0, float bad)
{
	int lane = thread_x() % 32, g = lane / 4, t2 = lane % 4 * 2;
	UNROLL for (int n = 0; n < ACROSS / 8; n += 4) {
		UNROLL for (int m = 0; m < 4; m++)
			UNROLL for (int e = 0; e < 4; e += 2) *(Words2 *)(own + (g + e / 2 * 8) * OWN_ROW + m * 8 + t2) = Words2{bits_of(c[n + m][e] + bad), bits_of(c[n + m][e + 1] + bad)};
		warp_barrier(); // the sums are there
		UNROLL_BY(1) for (int r = 0; r < 16; r++) {
			float x = own[r * OWN_ROW + lane];
			if (p.wide) put<float>(p, i + r, j0 + n * 8 + lane, x);
			else put<E>(p, i + r, j0 + n * 8 + lane, x);
		}
		warp_barrier(); // all have done with them
	}
}

// What a computing warpgroup does: 64 rows of C from i on.
template <class E, bool TURNED_A, bool TURNED_B>
DEVICE void compute(const GemmArgs &p, const char *stages, u64 *full, u64 *empty, float *own, int group, int i, int j0, int tiles)
{
	bool stuck = false, first = thread_x() % 32 == 0;
	float c[ACROSS / 8][4];
	UNROLL for (int n = 0; n < ACROSS / 8; n++)
		UNROLL for (int e = 0; e < 4; e++) c[n][e] = 0;
	settle(c);
	UNROLL_BY(1) for (int t = 0; t < tiles; t++) {
		int stage = t % STAGES;
		const char *a = stages + stage * STAGE + group * 64 * DEPTH * 2, *b = stages + stage * STAGE + TILE_A;
		barrier_wait(full + stage, t / STAGES & 1, stuck);
		products_begin();
		UNROLL for (int k = 0; k < DEPTH; k += 16)
			product<TURNED_A, !TURNED_B>(E(), c, operand(a + k * (TURNED_A ? 128 : 2), 16), operand(b + k * (TURNED_B ? 2 : 128), TURNED_B ? 16 : DEPTH * 128), true);
		products_end();
		products_wait<1>(); // the tile before is done with
		if (first && t > 0) barrier_arrive(empty + (t - 1) % STAGES);
	}
	products_wait<0>();
	settle(c);
	int warp = thread_x() % 128 / 32;
	put_rows<E>(p, c, own + (group * 4 + warp) * 16 * OWN_ROW, i + warp * 16, j0, stuck ? __builtin_nanf("") : 0);
}

template <class E, bool TURNED_A, bool TURNED_B> DEVICE void gemm(const void *argument, const GemmArgs &p)
{
	char *stages = DYNAMIC_SHARED + (-(int)shared_address(DYNAMIC_SHARED) & 1023);
	u64 *full = (u64 *)(stages + STAGES * STAGE), *empty = full + STAGES;
	float *own = (float *)(empty + STAGES);
	if (thread_x() == 0) {
		for (int n = 0; n < STAGES; n++) barrier_init(full + n, 1), barrier_init(empty + n, 4 * COMPUTING);
		async_fence();
	}
	barrier(); // the barriers are there
	int across = (int)p.across, down = ((int)p.m + DOWN - 1) / DOWN, band = block_x() / (BAND * across), inside = block_x() % (BAND * across);
	int high = lesser(BAND, down - band * BAND), i0 = (band * BAND + inside % high) * DOWN, j0 = inside / high * ACROSS;
	int tiles = (int)(p.k + DEPTH - 1) / DEPTH, group = thread_x() / 128 - 1;
	if (group < 0) {
		REGISTERS_FEWER(40);
		if (thread_x() == 0) fetch<TURNED_A, TURNED_B>((const GemmMapsArgs *)argument, stages, full, empty, i0, j0, tiles);
	} else {
		REGISTERS_MORE(232);
		compute<E, TURNED_A, TURNED_B>(p, stages, full, empty, own, group, i0 + group * 64, j0, tiles);
	}
}

// n and t: whether A and B lie as they are, or turned.
KERNEL BOUNDED gemm_wgmma_nn_f16(GemmMapsArgs p) { gemm<F16, false, false>(ARGUMENT(gemm_wgmma_nn_f16, p), p.p); }
KERNEL BOUNDED gemm_wgmma_nt_f16(GemmMapsArgs p) { gemm<F16, false, true>(ARGUMENT(gemm_wgmma_nt_f16, p), p.p); }
KERNEL BOUNDED gemm_wgmma_tn_f16(GemmMapsArgs p) { gemm<F16, true, false>(ARGUMENT(gemm_wgmma_tn_f16, p), p.p); }
KERNEL BOUNDED gemm_wgmma_tt_f16(GemmMapsArgs p) { gemm<F16, true, true>(ARGUMENT(gemm_wgmma_tt_f16, p), p.p); }
KERNEL BOUNDED gemm_wgmma_nn_bf16(GemmMapsArgs p) { gemm<BF16, false, false>(ARGUMENT(gemm_wgmma_nn_bf16, p), p.p); }
KERNEL BOUNDED gemm_wgmma_nt_bf16(GemmMapsArgs p) { gemm<BF16, false, true>(ARGUMENT(gemm_wgmma_nt_bf16, p), p.p); }
KERNEL BOUNDED gemm_wgmma_tn_bf16(GemmMapsArgs p) { gemm<BF16, true, false>(ARGUMENT(gemm_wgmma_tn_bf16, p), p.p); }
KERNEL BOUNDED gemm_wgmma_tt_bf16(GemmMapsArgs p) { gemm<BF16, true, true>(ARGUMENT(gemm_wgmma_tt_bf16, p), p.p); }
