// Kernels that touch each value once: bound by memory, not arithmetic.

#define EACH(n, p) for (int64_t p = 0; p < (n); p += VL)
#define LOADP(x, p, n) ((p) + VL <= (n) ? VLOAD((x) + (p)) : VLOADN((x) + (p), (n) - (p)))
#define STOREP(x, p, n, y) \
	do { \
		if ((p) + VL <= (n)) VSTORE((x) + (p), y); \
		else VSTOREN((x) + (p), (n) - (p), y); \
	} while (0)

// y += x, n values
void ISA(add)(int64_t n, float *y, const float *x)
{
	EACH(n, i) STOREP(y, i, n, VADD(LOADP(y, i, n), LOADP(x, i, n)));
}

// y (rows, n) = x (rows, n) + b (n)
void ISA(add_bias)(int64_t rows, int64_t n, float *y, const float *x, const float *b)
{
	for (int64_t r = 0; r < rows; r++, y += n, x += n)
		EACH(n, i) STOREP(y, i, n, VADD(LOADP(x, i, n), LOADP(b, i, n)));
}

// s[j] += scale * sum over rows of x (rows, n), for j0 <= j < j1
void ISA(sum_rows)(int64_t rows, int64_t n, int64_t j0, int64_t j1, float *s, const float *x, float scale)
{
	for (int64_t j = j0; j < j1; j += VL) {
		V a = VZERO();
		for (int64_t r = 0; r < rows; r++) a = VADD(a, LOADP(x + r * n, j, j1));
		STOREP(s, j, j1, VFMA(a, VSET(scale), LOADP(s, j, j1)));
	}
}

// y = max(x, 0); NaN stays NaN
void ISA(relu)(int64_t n, float *y, const float *x)
{
	EACH(n, i) {
		V a = LOADP(x, i, n);
		STOREP(y, i, n, VLESS(a, VZERO(), VZERO(), a));
	}
}

// dx += dy where x > 0
void ISA(relu_grad)(int64_t n, float *dx, const float *x, const float *dy)
{
	EACH(n, i) {
		V g = VLESS(VZERO(), LOADP(x, i, n), LOADP(dy, i, n), VZERO());
		STOREP(dx, i, n, VADD(LOADP(dx, i, n), g));
	}
}

// The share that gelu lets through: sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3),
// which is (1 + tanh u) / 2.
INLINE V ISA(gate)(V x)
{
	V x2 = VMUL(x, x);
	V u = VMUL(x, VFMA(x2, VSET(0.044715f * 0.797884561f), VSET(0.797884561f)));
	V e = ISA(exp2)(VMUL(u, VSET(-2 * LOG2E)));
	return VDIV(VSET(1), VADD(VSET(1), e));
}

// y = gelu(x), the tanh form (Hendrycks and Gimpel 2016)
void ISA(gelu)(int64_t n, float *y, const float *x)
{
	EACH(n, i) {
		V a = LOADP(x, i, n);
		STOREP(y, i, n, VMUL(a, ISA(gate)(a)));
	}
}

// dx += dy * gelu'(x)
void ISA(gelu_grad)(int64_t n, float *dx, const float *x, const float *dy)
{
	EACH(n, i) {
		V a = LOADP(x, i, n), s = ISA(gate)(a);
		V du = VFMA(VMUL(a, a), VSET(3 * 0.044715f * 2 * 0.797884561f), VSET(2 * 0.797884561f));
		V slope = VFMA(VMUL(VMUL(a, s), VSUB(VSET(1), s)), du, s);
		STOREP(dx, i, n, VFMA(slope, LOADP(dy, i, n), LOADP(dx, i, n)));
	}
}

// Layer normalisation (Ba et al. 2016): y (rows, n) = (x - mean) * rstd * g + b;
// mean and rstd (rows) are kept for backward.
void ISA(layernorm)(int64_t rows, int64_t n, float *y, float *mean, float *rstd, const float *x,
	const float *g, const float *b, float eps)
{
	for (int64_t r = 0; r < rows; r++, x += n, y += n) {
		V s = VZERO(), q = VZERO();
		EACH(n, i) s = VADD(s, LOADP(x, i, n));
		float mu = VSUM(s) / n;
		EACH(n, i) {
			V c = VSUB(LOADP(x, i, n), VSET(mu));
			if (i + VL > n) c = VLESS(VIOTA(), VSET((float)(n - i)), c, VZERO());
			q = VFMA(c, c, q);
		}
		float k = 1 / sqrtf(VSUM(q) / n + eps);
		mean[r] = mu;
		rstd[r] = k;
		EACH(n, i) {
			V h = VMUL(VSUB(LOADP(x, i, n), VSET(mu)), VSET(k));
			STOREP(y, i, n, VFMA(h, LOADP(g, i, n), LOADP(b, i, n)));
		}
	}
}

// dx (rows, n) += the gradient by x
void ISA(layernorm_grad)(int64_t rows, int64_t n, float *dx, const float *x, const float *dy,
	const float *g, const float *mean, const float *rstd)
{
	for (int64_t r = 0; r < rows; r++, x += n, dx += n, dy += n) {
		V mu = VSET(mean[r]), k = VSET(rstd[r]), s = VZERO(), t = VZERO();
		EACH(n, i) {
			V d = VMUL(LOADP(dy, i, n), LOADP(g, i, n));
			s = VADD(s, d);
			t = VFMA(d, VMUL(VSUB(LOADP(x, i, n), mu), k), t);
		}
		V ms = VSET(VSUM(s) / n), mt = VSET(VSUM(t) / n);
		EACH(n, i) {
			V d = VMUL(LOADP(dy, i, n), LOADP(g, i, n));
			V h = VMUL(VSUB(LOADP(x, i, n), mu), k);
			V e = VMUL(k, VSUB(VSUB(d, ms), VMUL(h, mt)));
			STOREP(dx, i, n, VADD(LOADP(dx, i, n), e));
		}
	}
}

// dg, db (n) += the gradients by gain and bias, for j0 <= j < j1
void ISA(layernorm_params)(int64_t rows, int64_t n, int64_t j0, int64_t j1, float *dg, float *db, const float *x,
	const float *dy, const float *mean, const float *rstd)
{
	for (int64_t j = j0; j < j1; j += VL) {
		V a = LOADP(dg, j, j1), b = LOADP(db, j, j1);
		for (int64_t r = 0; r < rows; r++) {
			V d = LOADP(dy + r * n, j, j1);
			a = VFMA(d, VMUL(VSUB(LOADP(x + r * n, j, j1), VSET(mean[r])), VSET(rstd[r])), a);
			b = VADD(b, d);
		}
		STOREP(dg, j, j1, a);
		STOREP(db, j, j1, b);
	}
}
