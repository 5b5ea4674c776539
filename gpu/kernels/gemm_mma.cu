// Matrix product on tensor cores, float16 and bfloat16 with float32 sums, from sm_80
// on: a block of eight warps computes 128 by 128 elements of C, a warp 64 by 32 of
// them, along tiles of 32 of the inner axis. Two tiles are on their way while a third
// is computed with. A and B may each lie turned.
#include "gemm.h"
#include "mma.h"

#define SIDE 128
#define DEPTH 32
#define THREADS 256
#define STAGES 3
#define TILE (SIDE * DEPTH * 2)

// Tile t of A and of B into a stage.
template <class E, bool TURNED_A, bool TURNED_B>
DEVICE void take(const GemmArgs &p, Shared stage, int i0, int j0, int t)
{
	int k0 = t * DEPTH, m = (int)p.m, n = (int)p.n, k = (int)p.k;
	if (k0 < k) {
		const E *a = (const E *)p.a, *b = (const E *)p.b;
		if (TURNED_A) copy_rows<DEPTH, SIDE, THREADS>(stage, a + i0, p.a_col, k0, k, m - i0);
		else copy_rows<SIDE, DEPTH, THREADS>(stage, a + k0, p.a_row, i0, m, k - k0);
		if (TURNED_B) copy_rows<SIDE, DEPTH, THREADS>(stage + TILE, b + k0, p.b_col, j0, n, k - k0);
		else copy_rows<DEPTH, SIDE, THREADS>(stage + TILE, b + j0, p.b_row, k0, k, n - j0);
	}
	copies_end();
}

template <class E, bool TURNED_A, bool TURNED_B> DEVICE void gemm(const GemmArgs &p)
{
	int warp = thread_x() / 32, row = warp / 4 * 64, col = warp % 4 * 32, g = thread_x() % 32 / 4, t2 = thread_x() % 4 * 2;
	int i0 = block_x() / (int)p.across * SIDE, j0 = block_x() % (int)p.across * SIDE, tiles = (int)(p.k + DEPTH - 1) / DEPTH;
	float c[4][4][4];
	UNROLL for (int m = 0; m < 4; m++)
		UNROLL for (int n = 0; n < 4; n++)
			UNROLL for (int e = 0; e < 4; e++) c[m][n][e] = 0;
	UNROLL for (int t = 0; t < STAGES - 1; t++) take<E, TURNED_A, TURNED_B>(p, shared_begin() + t * 2 * TILE, i0, j0, t);
	UNROLL_BY(1) for (int t = 0; t < tiles; t++) {
		copies_wait<STAGES - 2>();
		barrier(); // the tile is there, and all have done with the one before
		take<E, TURNED_A, TURNED_B>(p, shared_begin() + (t + STAGES - 1) % STAGES * 2 * TILE, i0, j0, t + STAGES - 1);
		Shared as = shared_begin() + t % STAGES * 2 * TILE, bs = as + TILE;
		UNROLL for (int k = 0; k < DEPTH; k += 16) {
			u32 a[4][4], b[2][4];
			UNROLL for (int m = 0; m < 4; m++) {
				if (TURNED_A) load_a_turned<SIDE>(a[m], as, k, row + m * 16);
				else load_a<DEPTH>(a[m], as, row + m * 16, k);
			}
			UNROLL for (int n = 0; n < 2; n++) {
				if (TURNED_B) load_b<DEPTH>(b[n], bs, col + n * 16, k);
				else load_b_turned<SIDE>(b[n], bs, k, col + n * 16);
			}
			UNROLL for (int m = 0; m < 4; m++)
				UNROLL for (int n = 0; n < 4; n++) mma(E(), c[m][n], a[m], b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]);
		}
	}
	UNROLL for (int m = 0; m < 4; m++)
		UNROLL for (int n = 0; n < 4; n++)
			UNROLL for (int e = 0; e < 4; e++) {
				int i = i0 + row + m * 16 + g + e / 2 * 8, j = j0 + col + n * 8 + t2 + e % 2;
				if (p.wide) put<float>(p, i, j, c[m][n][e]);
				else put<E>(p, i, j, c[m][n][e]);
			}
}

// n and t: whether A and B lie as they are, or turned.
KERNEL gemm_mma_nn_f16(GemmArgs p) { gemm<F16, false, false>(p); }
KERNEL gemm_mma_nt_f16(GemmArgs p) { gemm<F16, false, true>(p); }
KERNEL gemm_mma_tn_f16(GemmArgs p) { gemm<F16, true, false>(p); }
KERNEL gemm_mma_tt_f16(GemmArgs p) { gemm<F16, true, true>(p); }
KERNEL gemm_mma_nn_bf16(GemmArgs p) { gemm<BF16, false, false>(p); }
KERNEL gemm_mma_nt_bf16(GemmArgs p) { gemm<BF16, false, true>(p); }
KERNEL gemm_mma_tn_bf16(GemmArgs p) { gemm<BF16, true, false>(p); }
KERNEL gemm_mma_tt_bf16(GemmArgs p) { gemm<BF16, true, true>(p); }
