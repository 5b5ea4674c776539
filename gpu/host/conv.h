// Convolution of images: the matrix product of the weights and the columns that the taps
// of the kernel see. No matrix of columns is stored: it lies in strips (see conv.go), of
// which each tap reads its own part.

// The weights of m channels as panels of MR rows, each (count * inner, MR), zero past m.
void ISA(conv_pack)(float *to, const float *w, int64_t m, int64_t count, int64_t inner, int64_t outer, int64_t row)
{
	for (int64_t r = 0; r < m; r += MR)
		for (int64_t o = 0; o < count; o++, to += inner * MR) {
			int64_t n = lesser(MR, m - r);
			if (n < MR) memset(to, 0, sizeof(float) * inner * MR);
			ISA(transpose)(w + o * outer + r * row, row, n, inner, to, MR, 1);
		}
}

INLINE void ISA(wipe)(float *to, int64_t n) { EACH(n, i) STOREP(to, i, n, VZERO()); }

// A row of the target seen by a tap u columns further in the source: for strides in
// either; row is null where it lies outside.
static void ISA(strided_row)(const attune_strips *g, const float *row, int64_t u, float *to)
{
	if (row && g->div == 1) {
		for (int64_t i = 0, v = u; i < g->tw; i++, v += g->mul) to[i] = v >= 0 && v < g->sw ? row[v] : 0;
		return;
	}
	ISA(wipe)(to, g->tw);
	int64_t v = u > 0 ? (u + g->div - 1) / g->div : 0;
	for (int64_t i = v * g->div - u; row && i < g->tw && v < g->sw; i += g->div, v++) to[i] = row[v];
}

// One strip without strides: rows of x from the first on, which may lie outside.
static void ISA(plain_strip)(const attune_strips *g, int64_t rows, const float *x, int64_t first, int64_t u, float *to)
{
	int64_t above = first < 0 ? lesser(rows, -first) : 0, below = lesser(rows, g->sh - first);
	if (below < above) below = above;
	ISA(wipe)(to, above * g->tw);
	for (int64_t j = 0; j < g->tw; j += VL) {
		int64_t n = lesser(VL, g->tw - j), lo = lesser(n, u + j < 0 ? -u - j : 0), hi = lesser(n, g->sw - u - j);
		for (int64_t r = above; r < below; r++) {
			V v = VLOADR(x + (first + r) * g->sw + u + j, lo, hi);
			STOREP(to + r * g->tw + j, 0, n, v);
		}
	}
	ISA(wipe)(to + below * g->tw, (rows - below) * g->tw);
}

// The strips of some channels of x for rows h0 … h0+rows-1 of the target.
void ISA(conv_strips)(const attune_strips *g, int64_t channels, int64_t h0, int64_t rows, const float *x, float *to)
{
	int64_t used = rows + g->high - g->rows, first = g->first + h0 * g->mul;
	for (int64_t c = 0; c < channels; c++, x += g->sh * g->sw)
		for (int64_t kw = 0; kw < g->kw; kw++)
			for (int64_t f = 0; f < g->phases; f++, to += g->high * g->tw) {
				int64_t u = g->off + kw * g->step;
				if (g->mul == 1 && g->div == 1) {
					ISA(plain_strip)(g, used, x, first, u, to);
					continue;
				}
				for (int64_t r = 0; r < used; r++) {
					int64_t v = first + f + r * g->mul;
					int in = v >= 0 && v % g->div == 0 && v / g->div < g->sh;
					ISA(strided_row)(g, in ? x + v / g->div * g->sw : 0, u, to + r * g->tw);
				}
			}
}

// c (h, (nv-1) VL + last) = bias, or with add +=, the packed weights times the strips
// from s on; nv is constant after inlining.
INLINE void ISA(strip_tile)(const int nv, const attune_strips *g, const int32_t *offsets, int64_t channels, const float *a, const float *s,
	float *c, int64_t ldc, int64_t h, int64_t last, int add, const float *bias)
{
	V sum[MR][NRV];
	int64_t taps = g->kh * g->kw;
	UNROLL for (int i = 0; i < MR; i++)
		UNROLL for (int j = 0; j < nv; j++) sum[i][j] = VZERO();
	for (int64_t n = 0; n < channels; n++, s += g->plane)
		for (int64_t t = 0; t < taps; t++, a += MR) {
			const float *b = s + offsets[t];
			V row[NRV];
			UNROLL for (int j = 0; j < nv; j++) row[j] = VLOAD(b + j * VL);
			UNROLL for (int i = 0; i < MR; i++) {
				V x = VSET(a[i]);
				UNROLL for (int j = 0; j < nv; j++) sum[i][j] = VFMA(x, row[j], sum[i][j]);
			}
		}
	UNROLL for (int i = 0; i < MR; i++) {
		if (i >= h) break;
		V b = VSET(bias ? bias[i] : 0);
		UNROLL for (int j = 0; j < nv; j++) {
			float *to = c + i * ldc + j * VL;
			int64_t n = j < nv - 1 ? VL : last;
			V r = VADD(sum[i][j], add ? LOADP(to, 0, n) : b);
			STOREP(to, 0, n, r);
		}
	}
}

// Rows h0 … h0+rows-1 of y (m, th, tw): with fill the bias, or 0; then += the packed
// weights times what g gathers of so many channels of x, block of them at a time.
void ISA(conv)(const attune_strips *g, const int32_t *offsets, int64_t m, int64_t channels, int64_t block, int64_t h0, int64_t rows,
	const float *a, const float *x, float *y, const float *bias, int fill, float *ws)
{
	int64_t columns = g->th * g->tw, n = rows * g->tw, taps = g->kh * g->kw;
	y += h0 * g->tw;
	for (int64_t c = 0; c < channels; c += block) {
		int64_t some = lesser(block, channels - c);
		int add = !fill || c > 0;
		ISA(conv_strips)(g, some, h0, rows, x + c * g->sh * g->sw, ws);
		for (int64_t j = 0; j < n; j += NR) {
			int64_t w = lesser(NR, n - j), nv = (w + VL - 1) / VL, last = w - (nv - 1) * VL;
			for (int64_t i = 0; i < m; i += MR) {
				const float *ap = a + (i * channels + c * MR) * taps, *b = bias ? bias + i : 0;
				float *to = y + i * columns + j;
				int64_t h = lesser(MR, m - i);
				switch (nv) {
				case 1: ISA(strip_tile)(1, g, offsets, some, ap, ws + j, to, columns, h, last, add, b); break;
				case 2: ISA(strip_tile)(2, g, offsets, some, ap, ws + j, to, columns, h, last, add, b); break;
				default: ISA(strip_tile)(3, g, offsets, some, ap, ws + j, to, columns, h, last, add, b);
				}
			}
		}
	}
}

// The products of rows along their length are summed in DA by DB vectors.
#if VL == 16
#define DA 4
#define DB 6
#else
#define DA 3
#define DB 4
#endif

// c (h, nb) += sums over images of a (h, p) times the strips that b begin; h is at most
// DA, nb constant after inlining.
INLINE void ISA(dot_tile)(const int nb, int64_t images, int64_t p, const float *a, int64_t lda, int64_t apart, const float *const *b, int64_t further,
	float *c, int64_t ldc, int64_t h)
{
	V s[DA][DB];
	const float *row[DA], *strip[DB];
	UNROLL for (int i = 0; i < DA; i++) row[i] = a + lesser(i, h - 1) * lda;
	UNROLL for (int j = 0; j < nb; j++) strip[j] = b[j];
	UNROLL for (int i = 0; i < DA; i++)
		UNROLL for (int j = 0; j < nb; j++) s[i][j] = VZERO();
	for (int64_t image = 0; image < images; image++) {
		EACH(p, q) {
			V x[DA];
			UNROLL for (int i = 0; i < DA; i++) x[i] = LOADP(row[i] + q, 0, p - q);
			UNROLL for (int j = 0; j < nb; j++) {
				V y = LOADP(strip[j] + q, 0, p - q);
				UNROLL for (int i = 0; i < DA; i++) s[i][j] = VFMA(x[i], y, s[i][j]);
			}
		}
		UNROLL for (int i = 0; i < DA; i++) row[i] += apart;
		UNROLL for (int j = 0; j < nb; j++) strip[j] += further;
	}
	UNROLL for (int i = 0; i < DA; i++) {
		if (i >= h) break;
		UNROLL for (int j = 0; j < nb; j++) c[i * ldc + j] += VSUM(s[i][j]);
	}
}

// c (m, n) += the sums over images and p places of a (m, places) times the strips of tap
// n: a's images are apart, strips further from each other.
void ISA(conv_dots)(const attune_strips *g, const int32_t *offsets, int64_t m, int64_t n, int64_t images, int64_t p, const float *a, int64_t apart,
	const float *strips, int64_t further, float *c, int64_t ldc)
{
	int64_t lda = g->th * g->tw, taps = g->kh * g->kw;
	for (int64_t j = 0; j < n; j += DB) {
		const float *b[DB];
		int64_t w = lesser(DB, n - j);
		for (int64_t k = 0; k < w; k++) b[k] = strips + (j + k) / taps * g->plane + offsets[(j + k) % taps];
		for (int64_t i = 0; i < m; i += DA) {
			const float *ai = a + i * lda;
			float *to = c + i * ldc + j;
			int64_t h = lesser(DA, m - i);
			switch (w) {
			case 1: ISA(dot_tile)(1, images, p, ai, lda, apart, b, further, to, ldc, h); break;
			case 2: ISA(dot_tile)(2, images, p, ai, lda, apart, b, further, to, ldc, h); break;
			case 3: ISA(dot_tile)(3, images, p, ai, lda, apart, b, further, to, ldc, h); break;
#if DB > 4
			case 4: ISA(dot_tile)(4, images, p, ai, lda, apart, b, further, to, ldc, h); break;
			case 5: ISA(dot_tile)(5, images, p, ai, lda, apart, b, further, to, ldc, h); break;
#endif
			default: ISA(dot_tile)(DB, images, p, ai, lda, apart, b, further, to, ldc, h);
			}
		}
	}
}

void ISA(conv_bias)(int64_t n, int64_t channels, int64_t columns, int64_t lo, int64_t hi, float *db, const float *dy)
{
	for (int64_t c = lo; c < hi; c++)
		for (int64_t i = 0; i < n; i++) db[c] += ISA(sum)(columns, dy + (i * channels + c) * columns);
}
