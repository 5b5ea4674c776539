// Pooling and batch normalisation of images.

// The window of place (i, j): rows h0 … h1-1, columns w0 … w1-1.
#define WINDOW(p, i, j) \
	int64_t h0 = (i) * (p)->stride - (p)->pad, w0 = (j) * (p)->stride - (p)->pad, \
		h1 = lesser((p)->h, h0 + (p)->kernel), w1 = lesser((p)->w, w0 + (p)->kernel); \
	if (h0 < 0) h0 = 0; \
	if (w0 < 0) w0 = 0

// Whether windows are 2 by 2 side by side: the case that has loops of its own, which
// compilers make vectors of.
static inline int ISA(paired)(const attune_pool *p) { return p->kernel == 2 && p->stride == 2 && p->pad == 0; }

// The larger, NaN taken for the largest, a where they are equal.
INLINE float ISA(above)(float a, float b) { return b > a || b != b ? b : a; }

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

void ISA(max_pool)(const attune_pool *p, float *y, const float *x)
{
	for (int64_t i = 0; i < p->oh; i++, y += p->ow) {
		if (!ISA(paired)(p)) {
			for (int64_t j = 0; j < p->ow; j++) y[j] = x[ISA(largest)(p, i, j, x)];
			continue;
		}
		const float *a = x + 2 * i * p->w, *b = a + p->w;
		for (int64_t j = 0; j < p->ow; j++)
			y[j] = ISA(above)(ISA(above)(a[2 * j], a[2 * j + 1]), ISA(above)(b[2 * j], b[2 * j + 1]));
	}
}

void ISA(max_pool_grad)(const attune_pool *p, float *restrict dx, const float *restrict x, const float *restrict dy)
{
	for (int64_t i = 0; i < p->oh; i++, dy += p->ow) {
		if (!ISA(paired)(p)) {
			for (int64_t j = 0; j < p->ow; j++) dx[ISA(largest)(p, i, j, x)] += dy[j];
			continue;
		}
		const float *a = x + 2 * i * p->w, *b = a + p->w;
		float *da = dx + 2 * i * p->w, *db = da + p->w;
		for (int64_t j = 0; j < p->ow; j++) {
			float a0 = a[2 * j], a1 = a[2 * j + 1], b0 = b[2 * j], b1 = b[2 * j + 1], g = dy[j];
			// In the order of the places: each beats those before only if larger, or NaN
			// where they are none.
			int second = a1 > a0 || (a1 != a1 && a0 == a0);
			float top = second ? a1 : a0;
			int third = b0 > top || (b0 != b0 && top == top);
			top = third ? b0 : top;
			int fourth = b1 > top || (b1 != b1 && top == top);
			da[2 * j] += second | third | fourth ? 0 : g;
			da[2 * j + 1] += second & !third & !fourth ? g : 0;
			db[2 * j] += third & !fourth ? g : 0;
			db[2 * j + 1] += fourth ? g : 0;
		}
	}
}

void ISA(average_pool)(const attune_pool *p, float *restrict y, const float *restrict x)
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

void ISA(average_pool_grad)(const attune_pool *p, float *restrict dx, const float *restrict dy)
{
	float share = 1 / (float)(p->kernel * p->kernel);
	for (int64_t i = 0; i < p->oh; i++, dy += p->ow)
		for (int64_t j = 0; j < p->ow; j++) {
			WINDOW(p, i, j);
			for (int64_t h = h0; h < h1; h++)
				for (int64_t w = w0; w < w1; w++) dx[h * p->w + w] += share * dy[j];
		}
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
