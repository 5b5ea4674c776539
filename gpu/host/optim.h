// Optimizer steps: what each kind does stands at Kind in optim.go.

#define LOADP(x, p, n) ((p) + VL <= (n) ? VLOAD((x) + (p)) : VLOADN((x) + (p), (n) - (p)))
#define STOREP(x, p, n, y) \
	do { \
		if ((p) + VL <= (n)) VSTORE((x) + (p), y); \
		else VSTOREN((x) + (p), (n) - (p), y); \
	} while (0)

// The sum of the squares of all lanes, in double.
#if VL == 16
typedef __m512d VD;
#define DZERO() _mm512_setzero_pd()
#define DLOW(v) _mm512_cvtps_pd(_mm512_castps512_ps256(v))
#define DHIGH(v) _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1))
#define DFMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define DSUM(a) _mm512_reduce_add_pd(a)
#else
typedef __m256d VD;
#define DZERO() _mm256_setzero_pd()
#define DLOW(v) _mm256_cvtps_pd(_mm256_castps256_ps128(v))
#define DHIGH(v) _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1))
#define DFMA(a, b, c) _mm256_fmadd_pd(a, b, c)
static inline double attune_dsum_avx2(__m256d a)
{
	__m128d s = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
	return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}
#define DSUM(a) attune_dsum_avx2(a)
#endif

INLINE VD ISA(squares)(VD sum, V v)
{
	VD lo = DLOW(v), hi = DHIGH(v);
	return DFMA(hi, hi, DFMA(lo, lo, sum));
}

// Zero in the lanes that lie past n.
INLINE V ISA(only)(V v, int64_t i, int64_t n)
{
	return i + VL <= n ? v : VLESS(VIOTA(), VSET((float)(n - i)), v, VZERO());
}

// n float32 elements; kind is a constant after inlining.
INLINE void ISA(steps)(const int kind, const attune_factors *c, int64_t n, float *x, const float *g,
	float *s0, float *s1, float *s2, double *sums)
{
	const V scale = VSET(c->scale), decay = VSET(c->decay), shrink = VSET(c->shrink), rate = VSET(c->rate);
	const V momentum = VSET(c->momentum), mean = VSET(c->mean), square = VSET(c->square), eps = VSET(c->eps);
	const V correct1 = VSET(c->correct1), correct2 = VSET(c->correct2);
	VD xx = DZERO(), uu = DZERO();
	for (int64_t i = 0; i < n; i += VL) {
		V xi = LOADP(x, i, n), a, b, d, step = VZERO();
		if (kind != LAMB_APPLY) d = VFMA(decay, xi, VMUL(scale, LOADP(g, i, n)));
		if (kind == SGD_PLAIN) step = VMUL(rate, d);
		if (kind == SGD_MOMENTUM || kind == SGD_NESTEROV) {
			a = VFMA(momentum, LOADP(s0, i, n), d);
			STOREP(s0, i, n, a);
			step = VMUL(rate, kind == SGD_NESTEROV ? VFMA(momentum, a, d) : a);
		}
		if (kind == ADAGRAD) {
			a = VFMA(d, d, LOADP(s0, i, n));
			STOREP(s0, i, n, a);
			step = VDIV(VMUL(rate, d), VADD(VSQRT(a), eps));
		}
		if (kind == LARS) {
			a = VFMA(rate, d, VMUL(momentum, LOADP(s0, i, n)));
			STOREP(s0, i, n, a);
			step = a;
		}
		if (kind >= RMSPROP && kind <= RMSPROP_CENTERED_MOMENTUM) {
			a = LOADP(s0, i, n);
			a = VFMA(square, VFMA(d, d, VSUB(VZERO(), a)), a);
			STOREP(s0, i, n, a);
			if (kind >= RMSPROP_CENTERED) {
				b = LOADP(s2, i, n);
				b = VFMA(square, VSUB(d, b), b);
				STOREP(s2, i, n, b);
				a = VMAX(VZERO(), VSUB(a, VMUL(b, b)));
			}
			step = VDIV(d, VADD(VSQRT(a), eps));
			if (kind == RMSPROP_MOMENTUM || kind == RMSPROP_CENTERED_MOMENTUM) {
				step = VFMA(momentum, LOADP(s1, i, n), step);
				STOREP(s1, i, n, step);
			}
			step = VMUL(rate, step);
		}
		if (kind == ADAM || kind == LAMB_MOMENTS || kind == LAMB_APPLY) {
			a = LOADP(s0, i, n), b = LOADP(s1, i, n);
			if (kind != LAMB_APPLY) {
				a = VFMA(mean, VSUB(d, a), a);
				b = VFMA(square, VFMA(d, d, VSUB(VZERO(), b)), b);
				STOREP(s0, i, n, a);
				STOREP(s1, i, n, b);
			}
			V root = VADD(VSQRT(VMUL(b, correct2)), eps);
			step = VFMA(shrink, xi, VDIV(VMUL(kind == ADAM ? rate : correct1, a), root));
			if (kind == LAMB_MOMENTS) {
				xx = ISA(squares)(xx, xi);
				uu = ISA(squares)(uu, ISA(only)(step, i, n));
			}
			if (kind == LAMB_APPLY) step = VMUL(rate, step);
		}
		if (kind != LAMB_MOMENTS) STOREP(x, i, n, VSUB(xi, step));
	}
	if (kind == LAMB_MOMENTS) sums[0] += DSUM(xx), sums[1] += DSUM(uu);
}

// Half precision goes through a block that stays in the first cache.
#define BLOCK 1024

INLINE void ISA(update_as)(const int kind, const attune_factors *c, int64_t n, float *x, char *half, int ht,
	const char *g, int gt, float *s0, float *s1, float *s2, double *sums)
{
	if (gt == F32 && !half) {
		ISA(steps)(kind, c, n, x, (const float *)g, s0, s1, s2, sums);
		return;
	}
	float wide[BLOCK];
	for (int64_t i = 0; i < n; i += BLOCK) {
		int64_t k = n - i < BLOCK ? n - i : BLOCK;
		const float *gi = (const float *)g + i;
		if (gt != F32) {
			ISA(cast)(wide, F32, g + i * size_of(gt), gt, k);
			gi = wide;
		}
		ISA(steps)(kind, c, k, x + i, gi, s0 ? s0 + i : s0, s1 ? s1 + i : s1, s2 ? s2 + i : s2, sums);
		if (half) ISA(cast)(half + i * size_of(ht), ht, x + i, F32, k);
	}
}

void ISA(update)(int kind, const attune_factors *c, int64_t n, float *x, void *half, int ht,
	const void *g, int gt, float *s0, float *s1, float *s2, double *sums)
{
#define CASE(k) \
	case k: ISA(update_as)(k, c, n, x, half, ht, g, gt, s0, s1, s2, sums); break;
	switch (kind) {
		CASE(SGD_PLAIN)
		CASE(SGD_MOMENTUM)
		CASE(SGD_NESTEROV)
		CASE(ADAM)
		CASE(ADAGRAD)
		CASE(RMSPROP)
		CASE(RMSPROP_MOMENTUM)
		CASE(RMSPROP_CENTERED)
		CASE(RMSPROP_CENTERED_MOMENTUM)
		CASE(LARS)
		CASE(LAMB_MOMENTS)
		CASE(LAMB_APPLY)
	}
#undef CASE
}

double ISA(sum_squares)(const void *data, int t, int64_t n)
{
	const char *p = data;
	float wide[BLOCK];
	VD a = DZERO(), b = DZERO();
	for (int64_t i = 0; i < n; i += BLOCK) {
		int64_t k = n - i < BLOCK ? n - i : BLOCK, j = 0;
		const float *x = (const float *)p + i;
		if (t != F32) {
			ISA(cast)(wide, F32, p + i * size_of(t), t, k);
			x = wide;
		}
		for (; j + 2 * VL <= k; j += 2 * VL) a = ISA(squares)(a, VLOAD(x + j)), b = ISA(squares)(b, VLOAD(x + j + VL));
		for (; j < k; j += VL) a = ISA(squares)(a, LOADP(x, j, k));
	}
	return DSUM(a) + DSUM(b);
}
