// Convolution of images: the matrix product of the weights and what conv_columns
// gathers, one panel of NR columns at a time, so that no matrix of columns is stored.

// floats of workspace that conv needs
int64_t ISA(conv_space)(void) { return (int64_t)KC * NR + MR * NR; }

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

INLINE void ISA(move)(float *to, const float *from, int64_t n)
{
	EACH(n, i) {
		if (i + VL <= n) VSTORE(to + i, VLOAD(from + i));
		else VSTOREN(to + i, n - i, VLOADN(from + i, n - i));
	}
}

INLINE void ISA(wipe)(float *to, int64_t n)
{
	EACH(n, i) {
		if (i + VL <= n) VSTORE(to + i, VZERO());
		else VSTOREN(to + i, n - i, VZERO());
	}
}

// n places of one row of the image from column w on, seen by tap u columns further;
// row is null where it lies outside.
INLINE void ISA(gather_run)(const attune_gather *g, const float *row, int64_t w, int64_t u, int64_t n, float *to)
{
	if (!row) {
		ISA(wipe)(to, n);
		return;
	}
	if (g->mul == 1 && g->div == 1) {
		int64_t at = w + u, lo = at < 0 ? lesser(n, -at) : 0, hi = lesser(n, g->sw - at);
		if (hi < lo) hi = lo;
		if (lo) ISA(wipe)(to, lo);
		ISA(move)(to + lo, row + at + lo, hi - lo);
		if (hi < n) ISA(wipe)(to + hi, n - hi);
		return;
	}
	for (int64_t i = 0; i < n; i++) {
		int64_t v = (w + i) * g->mul + u;
		to[i] = v >= 0 && v % g->div == 0 && v / g->div < g->sw ? row[v / g->div] : 0;
	}
}

// Rows k0 … k1-1 and columns j0 … j0+n-1 of what g gathers of x, rows ld apart.
static void ISA(gather)(const attune_gather *g, const float *x, int64_t k0, int64_t k1, int64_t j0, int64_t n, float *to, int64_t ld)
{
	int64_t c = k0 / (g->kh * g->kw), kh = k0 / g->kw % g->kh, kw = k0 % g->kw, h0 = j0 / g->tw, w0 = j0 % g->tw;
	for (int64_t k = k0; k < k1; k++, to += ld) {
		const float *plane = x + c * g->sh * g->sw;
		int64_t u = g->off + kw * g->step;
		for (int64_t j = 0, h = h0, w = w0; j < n; h++, w = 0) {
			int64_t run = lesser(n - j, g->tw - w), v = h * g->mul + g->off + kh * g->step;
			int in = v >= 0 && v % g->div == 0 && v / g->div < g->sh;
			ISA(gather_run)(g, in ? plane + v / g->div * g->sw : 0, w, u, run, to + j);
			j += run;
		}
		if (++kw < g->kw) continue;
		kw = 0;
		if (++kh < g->kh) continue;
		kh = 0, c++;
	}
}

void ISA(conv_columns)(const attune_gather *g, int64_t k0, int64_t k1, const float *x, float *to, int64_t ld)
{
	ISA(gather)(g, x, k0, k1, 0, g->th * g->tw, to, ld);
}

// Columns j0 … j1-1 of y (m, columns): with fill the bias, or 0; then += the packed
// weights (m, k) times what g gathers of x.
void ISA(conv)(const attune_gather *g, int64_t m, int64_t k, int64_t j0, int64_t j1, const float *a, const float *x, float *y,
	const float *bias, int fill, float *ws)
{
	float *bp = ws, *tmp = bp + (int64_t)KC * NR;
	int64_t columns = g->th * g->tw;
	for (int64_t j = j0; j < j1; j += NR) {
		int64_t w = lesser(NR, j1 - j);
		int nv = (int)((w + VL - 1) / VL);
		for (int64_t r = 0; fill && r < m; r++)
			EACH(w, i) {
				V b = VSET(bias ? bias[r] : 0);
				STOREP(y + r * columns + j, i, w, b);
			}
		for (int64_t p = 0; p < k; p += KC) {
			int64_t kc = lesser(KC, k - p);
			if (w < (int64_t)nv * VL) // the last vector is read whole
				for (int64_t r = 0; r < kc; r++) VSTORE(bp + r * NR + (nv - 1) * VL, VZERO());
			ISA(gather)(g, x, p, p + kc, j, w, bp, NR);
			for (int64_t i = 0; i < m; i += MR) {
				const float *ap = a + i * k + p * MR;
				float *out = y + i * columns + j;
				int64_t h = lesser(MR, m - i);
				if (h == MR && w == (int64_t)nv * VL) ISA(tile_packed)(nv, MR, kc, ap, bp, NR, out, columns, 1);
				else ISA(edge)(nv, kc, h, w, ap, bp, out, columns, 1, tmp);
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

// c (na, nb) += sums over images of a (na, p) b (nb, p)^T; na and nb constant after
// inlining.
INLINE void ISA(dot_tile)(const int na, const int nb, int64_t images, int64_t p, const float *a, int64_t apart, const float *b, int64_t ldb,
	float *c, int64_t ldc)
{
	V s[DA][DB];
	UNROLL for (int i = 0; i < na; i++)
		UNROLL for (int j = 0; j < nb; j++) s[i][j] = VZERO();
	for (int64_t image = 0; image < images; image++, a += apart, b += p) {
		int64_t q = 0;
		for (; q + VL <= p; q += VL) {
			V x[DA];
			UNROLL for (int i = 0; i < na; i++) x[i] = VLOAD(a + i * p + q);
			UNROLL for (int j = 0; j < nb; j++) {
				V y = VLOAD(b + j * ldb + q);
				UNROLL for (int i = 0; i < na; i++) s[i][j] = VFMA(x[i], y, s[i][j]);
			}
		}
		if (q == p) continue;
		V x[DA];
		UNROLL for (int i = 0; i < na; i++) x[i] = VLOADN(a + i * p + q, p - q);
		UNROLL for (int j = 0; j < nb; j++) {
			V y = VLOADN(b + j * ldb + q, p - q);
			UNROLL for (int i = 0; i < na; i++) s[i][j] = VFMA(x[i], y, s[i][j]);
		}
	}
	UNROLL for (int i = 0; i < na; i++)
		UNROLL for (int j = 0; j < nb; j++) c[i * ldc + j] += VSUM(s[i][j]);
}

void ISA(conv_dots)(int64_t m, int64_t n, int64_t images, int64_t p, const float *a, int64_t apart, const float *b, int64_t ldb, float *c, int64_t ldc)
{
	for (int64_t j = 0; j < n; j += DB)
		for (int64_t i = 0; i < m; i += DA) {
			const float *ai = a + i * p, *bj = b + j * ldb;
			float *to = c + i * ldc + j;
			int64_t h = lesser(DA, m - i), w = lesser(DB, n - j);
			if (h == DA && w == DB) ISA(dot_tile)(DA, DB, images, p, ai, apart, bj, ldb, to, ldc);
			else if (h == DA) for (int64_t e = 0; e < w; e++) ISA(dot_tile)(DA, 1, images, p, ai, apart, bj + e * ldb, ldb, to + e, ldc);
			else for (int64_t r = 0; r < h; r++)
				for (int64_t e = 0; e < w; e++) ISA(dot_tile)(1, 1, images, p, ai + r * p, apart, bj + e * ldb, ldb, to + r * ldc + e, ldc);
		}
}

void ISA(conv_bias)(int64_t n, int64_t channels, int64_t columns, int64_t lo, int64_t hi, float *db, const float *dy)
{
	for (int64_t c = lo; c < hi; c++)
		for (int64_t i = 0; i < n; i++) db[c] += ISA(sum)(columns, dy + (i * channels + c) * columns);
}
