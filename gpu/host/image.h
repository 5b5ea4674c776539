// Pooling and batch normalisation of images.

// The window of place (i, j): rows h0 … h1-1, columns w0 … w1-1.
#define WINDOW(p, i, j) \
	int64_t h0 = (i) * (p)->stride - (p)->pad, w0 = (j) * (p)->stride - (p)->pad, \
		h1 = lesser((p)->h, h0 + (p)->kernel), w1 = lesser((p)->w, w0 + (p)->kernel); \
	if (h0 < 0) h0 = 0; \
	if (w0 < 0) w0 = 0

// Whether windows are 2 by 2 side by side: the case that has loops of its own.
static inline int ISA(paired)(const attune_pool *p) { return p->kernel == 2 && p->stride == 2 && p->pad == 0; }

static int64_t ISA(largest)(const attune_pool *p, int64_t i, int64_t j, const float *x)
{
	WINDOW(p, i, j);
	int64_t best = h0 * p->w + w0;
	for (int64_t h = h0; h < h1; h++)
		for (int64_t w = w0; w < w1; w++) {
			float v = x[h * p->w + w], top = x[best];
			if (v > top || (v != v && top == top)) best = h * p->w + w;
		}
	return best;
}

// The first and the second of n pairs of values side by side, n at most VL.
INLINE void ISA(split_pairs)(const float *x, int64_t n, V *first, V *second)
{
	V a = LOADP(x, 0, 2 * n), b = n > VL / 2 ? LOADP(x, VL, 2 * n) : VZERO();
	*first = VEVEN(a, b);
	*second = VODD(a, b);
}

INLINE void ISA(add_pairs)(float *x, int64_t n, V first, V second)
{
	V a = VADD(LOADP(x, 0, 2 * n), VLOW_PAIRS(first, second));
	STOREP(x, 0, 2 * n, a);
	if (n <= VL / 2) return;
	V b = VADD(LOADP(x, VL, 2 * n), VHIGH_PAIRS(first, second));
	STOREP(x, VL, 2 * n, b);
}

static void ISA(max_pairs)(int64_t n, float *y, const float *x, const float *below)
{
	EACH(n, j) {
		V a, b, c, d;
		ISA(split_pairs)(x + 2 * j, lesser(VL, n - j), &a, &b);
		ISA(split_pairs)(below + 2 * j, lesser(VL, n - j), &c, &d);
		V top = VPICK(VABOVE(b, a), b, a);
		top = VPICK(VABOVE(c, top), c, top);
		top = VPICK(VABOVE(d, top), d, top);
		STOREP(y, j, n, top);
	}
}

// The gradient goes to the first of the window's places that none of the others beats.
static void ISA(max_pairs_grad)(int64_t n, float *dx, float *dbelow, const float *x, const float *below, const float *dy)
{
	V zero = VZERO();
	EACH(n, j) {
		int64_t left = lesser(VL, n - j);
		V a, b, c, d, g = LOADP(dy, j, n);
		ISA(split_pairs)(x + 2 * j, left, &a, &b);
		ISA(split_pairs)(below + 2 * j, left, &c, &d);
		M second = VABOVE(b, a);
		V top = VPICK(second, b, a), da = VPICK(second, zero, g), db = VPICK(second, g, zero);
		M third = VABOVE(c, top);
		top = VPICK(third, c, top), da = VPICK(third, zero, da), db = VPICK(third, zero, db);
		V dc = VPICK(third, g, zero);
		M fourth = VABOVE(d, top);
		da = VPICK(fourth, zero, da), db = VPICK(fourth, zero, db), dc = VPICK(fourth, zero, dc);
		V dd = VPICK(fourth, g, zero);
		ISA(add_pairs)(dx + 2 * j, left, da, db);
		ISA(add_pairs)(dbelow + 2 * j, left, dc, dd);
	}
}

void ISA(max_pool)(const attune_pool *p, int64_t planes, float *y, const float *x)
{
	for (; planes--; x += p->h * p->w)
		for (int64_t i = 0; i < p->oh; i++, y += p->ow) {
			const float *row = x + 2 * i * p->w;
			if (ISA(paired)(p)) ISA(max_pairs)(p->ow, y, row, row + p->w);
			else for (int64_t j = 0; j < p->ow; j++) y[j] = x[ISA(largest)(p, i, j, x)];
		}
}

void ISA(max_pool_grad)(const attune_pool *p, int64_t planes, float *dx, const float *x, const float *dy)
{
	for (; planes--; x += p->h * p->w, dx += p->h * p->w)
		for (int64_t i = 0; i < p->oh; i++, dy += p->ow) {
			int64_t at = 2 * i * p->w;
			if (ISA(paired)(p)) ISA(max_pairs_grad)(p->ow, dx + at, dx + at + p->w, x + at, x + at + p->w, dy);
			else for (int64_t j = 0; j < p->ow; j++) dx[ISA(largest)(p, i, j, x)] += dy[j];
		}
}

static void ISA(average_plane)(const attune_pool *p, float *restrict y, const float *restrict x)
{
	float share = 1 / (float)(p->kernel * p->kernel);
	for (int64_t i = 0; i < p->oh; i++, y += p->ow) {
		if (ISA(paired)(p)) {
			const float *a = x + 2 * i * p->w, *b = a + p->w;
			for (int64_t j = 0; j < p->ow; j++) y[j] = share * (a[2 * j] + a[2 * j + 1] + b[2 * j] + b[2 * j + 1]);
			continue;
		}
		for (int64_t j = 0; j < p->ow; j++) {
			WINDOW(p, i, j);
			float s = 0;
			for (int64_t h = h0; h < h1; h++)
				for (int64_t w = w0; w < w1; w++) s += x[h * p->w + w];
			y[j] = share * s;
		}
	}
}

void ISA(average_pool)(const attune_pool *p, int64_t planes, float *y, const float *x)
{
	for (; planes--; x += p->h * p->w, y += p->oh * p->ow) ISA(average_plane)(p, y, x);
}

static void ISA(average_plane_grad)(const attune_pool *p, float *restrict dx, const float *restrict dy)
{
	float share = 1 / (float)(p->kernel * p->kernel);
	for (int64_t i = 0; i < p->oh; i++, dy += p->ow)
		for (int64_t j = 0; j < p->ow; j++) {
			WINDOW(p, i, j);
			for (int64_t h = h0; h < h1; h++)
				for (int64_t w = w0; w < w1; w++) dx[h * p->w + w] += share * dy[j];
		}
}

void ISA(average_pool_grad)(const attune_pool *p, int64_t planes, float *dx, const float *dy)
{
	for (; planes--; dx += p->h * p->w, dy += p->oh * p->ow) ISA(average_plane_grad)(p, dx, dy);
}

// The running statistics move towards the batch's, the variance without bias.
static void ISA(batch_settle)(const attune_batch *b, int64_t c, float m, float variance, float *mean, float *rstd, float *rm, float *rv)
{
	float n = (float)(b->n * b->inner);
	mean[c] = m;
	rstd[c] = 1 / sqrtf(variance + b->eps);
	if (!rm) return;
	if (n > 1) variance *= n / (n - 1);
	rm[c] += b->momentum * (m - rm[c]);
	rv[c] += b->momentum * (variance - rv[c]);
}

// The sum over a channel of (x - m)^power, power being 1 or 2: in float32 along an image, in float64
// over images.
static double ISA(batch_sum)(const attune_batch *b, const float *x, float m, int power)
{
	double sum = 0;
	V mv = VSET(m);
	for (int64_t i = 0; i < b->n; i++, x += b->c * b->inner) {
		if (b->inner < VL) {
			for (int64_t j = 0; j < b->inner; j++) sum += power == 1 ? x[j] - m : (double)(x[j] - m) * (x[j] - m);
			continue;
		}
		V s = VZERO();
		EACH(b->inner, j) {
			V d = ISA(rest)(VSUB(LOADP(x, j, b->inner), mv), b->inner - j, 0);
			s = power == 1 ? VADD(s, d) : VFMA(d, d, s);
		}
		sum += VSUM(s);
	}
	return sum;
}

void ISA(batch_norm)(const attune_batch *b, int64_t lo, int64_t hi, float *y, float *mean, float *rstd, const float *x, const float *g,
	const float *bias, float *rm, float *rv)
{
	double n = (double)(b->n * b->inner);
	for (int64_t c = lo; c < hi; c++) {
		const float *xc = x + c * b->inner;
		float *yc = y + c * b->inner;
		if (b->train) {
			float m = (float)(ISA(batch_sum)(b, xc, 0, 1) / n);
			ISA(batch_settle)(b, c, m, (float)(ISA(batch_sum)(b, xc, m, 2) / n), mean, rstd, rm, rv);
		} else {
			mean[c] = rm[c];
			rstd[c] = 1 / sqrtf(rv[c] + b->eps);
		}
		V m = VSET(mean[c]), k = VSET(rstd[c] * g[c]), add = VSET(bias ? bias[c] : 0);
		for (int64_t i = 0; i < b->n; i++, xc += b->c * b->inner, yc += b->c * b->inner)
			EACH(b->inner, j) {
				V r = VFMA(VSUB(LOADP(xc, j, b->inner), m), k, add);
				STOREP(yc, j, b->inner, r);
			}
	}
}

// The sums over a channel of dy and of dy times the normalised x.
static void ISA(batch_sums)(const attune_batch *b, const float *x, const float *dy, float m, float k, double *s, double *t)
{
	V mv = VSET(m), kv = VSET(k);
	for (int64_t i = 0; i < b->n; i++, x += b->c * b->inner, dy += b->c * b->inner) {
		V a = VZERO(), d = VZERO();
		EACH(b->inner, j) {
			V g = LOADP(dy, j, b->inner);
			a = VADD(a, g);
			d = VFMA(g, VMUL(VSUB(LOADP(x, j, b->inner), mv), kv), d);
		}
		*s += VSUM(a);
		*t += VSUM(d);
	}
}

void ISA(batch_norm_grad)(const attune_batch *b, int64_t lo, int64_t hi, float *dx, float *dg, float *db, const float *x, const float *dy,
	const float *g, const float *mean, const float *rstd)
{
	double n = (double)(b->n * b->inner);
	for (int64_t c = lo; c < hi; c++) {
		int64_t at = c * b->inner, step = b->c * b->inner;
		double s = 0, t = 0;
		ISA(batch_sums)(b, x + at, dy + at, mean[c], rstd[c], &s, &t);
		if (dg) dg[c] += (float)t;
		if (db) db[c] += (float)s;
		if (!dx) continue;
		V m = VSET(mean[c]), r = VSET(rstd[c]), k = VSET(rstd[c] * g[c]);
		V sv = VSET(b->train ? (float)(s / n) : 0), tv = VSET(b->train ? (float)(t / n) : 0);
		for (int64_t i = 0; i < b->n; i++, at += step)
			EACH(b->inner, j) {
				V hat = VMUL(VSUB(LOADP(x + at, j, b->inner), m), r);
				V d = VSUB(VSUB(LOADP(dy + at, j, b->inner), sv), VMUL(hat, tv));
				STOREP(dx + at, j, b->inner, VFMA(k, d, LOADP(dx + at, j, b->inner)));
			}
	}
}
