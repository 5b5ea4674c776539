// Matrix product with float32 arithmetic: a block computes 64 by 64 elements of C, a
// thread 4 by 4 of them, along tiles of 16 of the inner axis. Any strides.
#include "gemm.h"

#define SIDE 64
#define DEPTH 16
#define THREADS 256
#define LD (SIDE + 2) // two columns of DEPTH beside each other lie in all banks

template <class E, class C> DEVICE void gemm(const GemmArgs &p)
{
	SHARED float as[DEPTH * LD], bs[DEPTH * LD];
	int i0 = block_x() / (int)p.across * SIDE, j0 = block_x() % (int)p.across * SIDE, row = thread_x() / 16 * 4, col = thread_x() % 16;
	const E *a = (const E *)p.a, *b = (const E *)p.b;
	float sum[4][4];
	UNROLL for (int x = 0; x < 4; x++)
		UNROLL for (int y = 0; y < 4; y++) sum[x][y] = 0;
	for (int k0 = 0; k0 < p.k; k0 += DEPTH) {
		barrier(); // all have done with the tile before
		UNROLL for (int e = thread_x(); e < SIDE * DEPTH; e += THREADS) {
			// Neighbouring threads read along the axis that lies side by side.
			int ai = p.a_col == 1 ? e / DEPTH : e % SIDE, ak = p.a_col == 1 ? e % DEPTH : e / SIDE;
			int bj = p.b_col == 1 ? e % SIDE : e / DEPTH, bk = p.b_col == 1 ? e / SIDE : e % DEPTH;
			as[ak * LD + ai] = i0 + ai < p.m && k0 + ak < p.k ? load(a[(i0 + ai) * p.a_row + (k0 + ak) * p.a_col]) : 0;
			bs[bk * LD + bj] = j0 + bj < p.n && k0 + bk < p.k ? load(b[(k0 + bk) * p.b_row + (j0 + bj) * p.b_col]) : 0;
		}
		barrier(); // the tile is there
		UNROLL_BY(4) for (int k = 0; k < DEPTH; k++) {
			float x[4], y[4];
			UNROLL for (int e = 0; e < 4; e++) x[e] = as[k * LD + row + e], y[e] = bs[k * LD + col + 16 * e];
			UNROLL for (int i = 0; i < 4; i++)
				UNROLL for (int j = 0; j < 4; j++) sum[i][j] += x[i] * y[j];
		}
	}
	UNROLL for (int i = 0; i < 4; i++)
		UNROLL for (int j = 0; j < 4; j++) put<C>(p, i0 + row + i, j0 + col + 16 * j, sum[i][j]);
}

KERNEL gemm_f32(GemmArgs p) { gemm<float, float>(p); }
KERNEL gemm_f16(GemmArgs p) { gemm<F16, F16>(p); }
KERNEL gemm_bf16(GemmArgs p) { gemm<BF16, BF16>(p); }
KERNEL gemm_f16_f32(GemmArgs p) { gemm<F16, float>(p); }
KERNEL gemm_bf16_f32(GemmArgs p) { gemm<BF16, float>(p); }
