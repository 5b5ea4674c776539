// Matrix product, blocked and packed after Goto and van de Geijn (2008). The includer
// says how: pack_left and pack_right make panels of A and B, DEPTH is how deep a panel of
// k elements is, and tile_of multiplies two.

// A B panel (KC, NR) and an A panel (KC, MR) share the first-level cache, the
// packed blocks the second.
#define KC 384
#define MC 96
#define NC (10 * NR)

// A result in half precision is summed in float32 in a block of at most MB rows.
#define MB (4 * MC)

// floats of workspace that gemm needs for C (m, n), in half precision or not
int64_t ISA(gemm_space)(int64_t m, int64_t n, int half)
{
	return (int64_t)KC * NC + MC * KC + MR * NR + (half ? lesser(m, MB) * lesser(n, NC) : 0);
}

// n elements from float32, or to it.
static void ISA(shrink)(int t, char *to, const float *from, int64_t n)
{
	if (t == F16) ISA(cast_as)(F16, F32, to, (const char *)from, n);
	else ISA(cast_as)(BF16, F32, to, (const char *)from, n);
}

static void ISA(expand)(int t, float *to, const char *from, int64_t n)
{
	if (t == F16) ISA(cast_as)(F32, F16, (char *)to, from, n);
	else ISA(cast_as)(F32, BF16, (char *)to, from, n);
}

// One tile that reaches over the edge of C: by way of a whole tile at tmp.
static void ISA(edge)(int nv, int64_t k, int64_t m, int64_t n, const float *a, const float *b,
	float *c, int64_t ldc, int add, float *tmp)
{
	ISA(tile_of)(nv, k, a, b, tmp, NR, 0);
	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < n; j++)
			c[i * ldc + j] = (add ? c[i * ldc + j] : 0) + tmp[i * NR + j];
}

// Rows of C become the bias (n): the block is still in cache when the tiles add to it.
static void ISA(fill)(int64_t m, int64_t n, float *c, int64_t ldc, const float *bias)
{
	for (int64_t i = 0; i < m; i++, c += ldc) memcpy(c, bias, sizeof(float) * n);
}

// The tiles of one packed block: C (m, n) = or += A (m, k) B (k, n).
static void ISA(block)(int64_t m, int64_t n, int64_t k, const float *ap, const float *bp, float *c, int64_t ldc, int add, float *tmp)
{
	for (int64_t j = 0; j < n; j += NR) {
		int64_t w = lesser(NR, n - j);
		int nv = (int)((w + VL - 1) / VL);
		for (int64_t i = 0; i < m; i += MR) {
			int64_t h = lesser(MR, m - i);
			float *out = c + i * ldc + j;
			if (h == MR && w == (int64_t)nv * VL)
				ISA(tile_of)(nv, k, ap + i * k, bp + j * k, out, ldc, add);
			else
				ISA(edge)(nv, k, h, w, ap + i * k, bp + j * k, out, ldc, add, tmp);
		}
	}
}

// C (m, n) = A (m, k) B (k, n), with add C + A B, with a bias (n), f32, that in every
// row. A and B are of type t, C of type ct; sums are f32. Element (i, p) of A is number
// i*ars + p*acs, (p, j) of B number p*brs + j*bcs; one stride of each is 1. C's rows are
// ldc apart.
void ISA(gemm)(int64_t m, int64_t n, int64_t k, int t, const void *a, int64_t ars, int64_t acs,
	const void *b, int64_t brs, int64_t bcs, int ct, void *c, int64_t ldc, int add, const float *bias, float *ws)
{
	float *bp = ws, *ap = bp + (int64_t)KC * NC, *tmp = ap + MC * KC, *sums = tmp + MR * NR;
	int64_t size = size_of(t), rows = ct == F32 ? m : k > KC ? MB : MC;
	for (int64_t j0 = 0; j0 < n; j0 += NC) {
		int64_t nc = lesser(NC, n - j0);
		for (int64_t i1 = 0; i1 < m; i1 += rows) {
			int64_t end = lesser(m, i1 + rows), ld = ct == F32 ? ldc : nc;
			char *to = (char *)c + size_of(ct) * (i1 * ldc + j0);
			float *out = ct == F32 ? (float *)to : sums;
			for (int64_t i = 0; ct != F32 && add && i < end - i1; i++) ISA(expand)(ct, sums + i * nc, to + 2 * i * ldc, nc);
			for (int64_t p = 0; p < k; p += KC) {
				int64_t kc = lesser(KC, k - p);
				if (i1 == 0 || k > KC) ISA(pack_right)(t, (const char *)b + size * (p * brs + j0 * bcs), brs, bcs, kc, nc, bp);
				for (int64_t i0 = i1; i0 < end; i0 += MC) {
					int64_t mc = lesser(MC, end - i0);
					float *part = out + (i0 - i1) * ld;
					if (bias && p == 0) ISA(fill)(mc, nc, part, ld, bias + j0);
					ISA(pack_left)(t, (const char *)a + size * (i0 * ars + p * acs), ars, acs, mc, kc, ap);
					ISA(block)(mc, nc, DEPTH(kc), ap, bp, part, ld, add || bias || p > 0, tmp);
				}
			}
			for (int64_t i = 0; ct != F32 && i < end - i1; i++) ISA(shrink)(ct, to + 2 * i * ldc, sums + i * nc, nc);
		}
	}
}
