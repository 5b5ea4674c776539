// Matrix product, blocked and packed after Goto and van de Geijn (2008).

// A B panel (KC, NR) and an A panel (KC, MR) share the first-level cache, the
// packed blocks the second.
#define KC 384
#define MC 96
#define NC (10 * NR)

// floats of workspace that gemm needs
int64_t ISA(gemm_space)(void) { return (int64_t)KC * NC + MC * KC + MR * NR; }

// B (k, n) as panels of NR columns, each (k, NR), zero past n.
static void ISA(pack_b)(const float *b, int64_t rs, int64_t cs, int64_t k, int64_t n, float *dst)
{
	if (cs != 1) {
		ISA(pack)(b, cs, n, k, dst, NR);
		return;
	}
	for (int64_t j = 0; j < n; j += NR) {
		int64_t w = lesser(NR, n - j);
		for (int64_t p = 0; p < k; p++, dst += NR) {
			const float *s = b + p * rs + j;
			if (w == NR) {
				UNROLL for (int v = 0; v < NRV; v++) VSTORE(dst + v * VL, VLOAD(s + v * VL));
				continue;
			}
			memcpy(dst, s, sizeof(float) * w);
			memset(dst + w, 0, sizeof(float) * (NR - w));
		}
	}
}

// A (m, k) as panels of MR rows, each (k, MR), zero past m.
static void ISA(pack_a)(const float *a, int64_t rs, int64_t cs, int64_t m, int64_t k, float *dst)
{
	if (rs != 1) {
		ISA(pack)(a, rs, m, k, dst, MR);
		return;
	}
	for (int64_t i = 0; i < m; i += MR) {
		int64_t w = lesser(MR, m - i);
		for (int64_t p = 0; p < k; p++, dst += MR) {
			if (w == MR) memcpy(dst, a + p * cs + i, sizeof(float) * MR);
			else for (int64_t r = 0; r < MR; r++) dst[r] = r < w ? a[p * cs + i + r] : 0;
		}
	}
}

// One tile that reaches over the edge of C: by way of a whole tile at tmp.
static void ISA(edge)(int nv, int64_t k, int64_t m, int64_t n, const float *a, const float *b,
	float *c, int64_t ldc, int add, float *tmp)
{
	ISA(tile_packed)(nv, MR, k, a, b, NR, tmp, NR, 0);
	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < n; j++)
			c[i * ldc + j] = (add ? c[i * ldc + j] : 0) + tmp[i * NR + j];
}

// Rows of C become the bias (n): the block is still in cache when the tiles add to it.
static void ISA(fill)(int64_t m, int64_t n, float *c, int64_t ldc, const float *bias)
{
	for (int64_t i = 0; i < m; i++, c += ldc) memcpy(c, bias, sizeof(float) * n);
}

// C (m, n) = A (m, k) B (k, n), with add C + A B, with a bias (n) that in every row; f32. Element (i, p) of A is a[i*ars + p*acs],
// (p, j) of B is b[p*brs + j*bcs]; one stride of each is 1. C's rows are ldc apart.
void ISA(gemm)(int64_t m, int64_t n, int64_t k, const float *a, int64_t ars, int64_t acs,
	const float *b, int64_t brs, int64_t bcs, float *c, int64_t ldc, int add, const float *bias, float *ws)
{
	float *bp = ws, *ap = bp + (int64_t)KC * NC, *tmp = ap + MC * KC;
	for (int64_t p = 0; p < k; p += KC) {
		int64_t kc = lesser(KC, k - p);
		int sum = add || bias || p > 0;
		for (int64_t j0 = 0; j0 < n; j0 += NC) {
			int64_t nc = lesser(NC, n - j0);
			ISA(pack_b)(b + p * brs + j0 * bcs, brs, bcs, kc, nc, bp);
			for (int64_t i0 = 0; i0 < m; i0 += MC) {
				int64_t mc = lesser(MC, m - i0);
				if (bias && p == 0) ISA(fill)(mc, nc, c + i0 * ldc + j0, ldc, bias + j0);
				ISA(pack_a)(a + i0 * ars + p * acs, ars, acs, mc, kc, ap);
				for (int64_t j = 0; j < nc; j += NR) {
					int64_t w = lesser(NR, nc - j);
					int nv = (int)((w + VL - 1) / VL);
					for (int64_t i = 0; i < mc; i += MR) {
						int64_t h = lesser(MR, mc - i);
						float *out = c + (i0 + i) * ldc + j0 + j;
						if (h == MR && w == (int64_t)nv * VL)
							ISA(tile_packed)(nv, MR, kc, ap + i * kc, bp + j * kc, NR, out, ldc, sum);
						else
							ISA(edge)(nv, kc, h, w, ap + i * kc, bp + j * kc, out, ldc, sum, tmp);
					}
				}
			}
		}
	}
}
