// Kernels that touch each value once.

#define EACH(n, p) for (int64_t p = 0; p < (n); p += VL)
#define LOADP(x, p, n) ((p) + VL <= (n) ? VLOAD((x) + (p)) : VLOADN((x) + (p), (n) - (p)))
#define STOREP(x, p, n, y) \
	do { \
		if ((p) + VL <= (n)) VSTORE((x) + (p), y); \
		else VSTOREN((x) + (p), (n) - (p), y); \
	} while (0)

INLINE V ISA(sigmoid)(V x) { return VDIV(VSET(1), VADD(VSET(1), ISA(exp2)(VMUL(x, VSET(-LOG2E))))); }

// The share that gelu lets through: sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3),
// which is (1 + tanh u) / 2.
INLINE V ISA(gate)(V x)
{
	V u = VMUL(x, VFMA(VMUL(x, x), VSET(0.044715f * 0.797884561f), VSET(0.797884561f)));
	V e = ISA(exp2)(VMUL(u, VSET(-2 * LOG2E)));
	return VDIV(VSET(1), VADD(VSET(1), e));
}

INLINE V ISA(gelu_slope)(V a)
{
	V s = ISA(gate)(a);
	V du = VFMA(VMUL(a, a), VSET(3 * 0.044715f * 2 * 0.797884561f), VSET(2 * 0.797884561f));
	return VFMA(VMUL(VMUL(a, s), VSUB(VSET(1), s)), du, s);
}

INLINE V ISA(silu_slope)(V a)
{
	V s = ISA(sigmoid)(a);
	return VFMA(VMUL(a, s), VSUB(VSET(1), s), s);
}

// Near 0, where 2 sigmoid(2x) - 1 cancels, Taylor's series to the seventh power.
INLINE V ISA(tanh)(V x)
{
	V x2 = VMUL(x, x);
	V p = VFMA(x2, VSET(-17.0f / 315), VSET(2.0f / 15));
	p = VFMA(x2, p, VSET(-1.0f / 3));
	V near = VFMA(VMUL(x, x2), p, x);
	V far = VFMA(VSET(2), ISA(sigmoid)(VADD(x, x)), VSET(-1));
	return VLESS(x2, VSET(0.04f), near, far);
}

// A loop for one kernel: set writes y, sum adds b times the slope to it.
#define LOOP(op, value) case op: EACH(n, i) { V r = value; STOREP(y, i, n, r); } break
#define A LOADP(a, i, n)
#define B LOADP(b, i, n)
#define Y LOADP(y, i, n)

// One elementwise kernel over n values; see Op in each.go.
void ISA(each)(int op, int64_t n, float *y, const float *a, const float *b, float scale)
{
	V s = VSET(scale), one = VSET(1);
	switch (op) {
	LOOP(OP_FILL, s);
	LOOP(OP_SCALE, VMUL(s, A));
	LOOP(OP_ADD_SCALED, VFMA(s, A, Y));
	LOOP(OP_MUL, VMUL(A, B));
	LOOP(OP_ADD_MUL, VFMA(A, B, Y));
	case OP_RELU:
		EACH(n, i) { V x = A, r = VLESS(x, VZERO(), VZERO(), x); STOREP(y, i, n, r); } // NaN stays NaN
		break;
	LOOP(OP_RELU_GRAD, VADD(Y, VLESS(VZERO(), A, B, VZERO())));
	case OP_GELU:
		EACH(n, i) { V x = A; STOREP(y, i, n, VMUL(x, ISA(gate)(x))); }
		break;
	LOOP(OP_GELU_GRAD, VFMA(ISA(gelu_slope)(A), B, Y));
	case OP_SILU:
		EACH(n, i) { V x = A; STOREP(y, i, n, VMUL(x, ISA(sigmoid)(x))); }
		break;
	LOOP(OP_SILU_GRAD, VFMA(ISA(silu_slope)(A), B, Y));
	LOOP(OP_TANH, ISA(tanh)(A));
	case OP_TANH_GRAD:
		EACH(n, i) { V x = A; STOREP(y, i, n, VFMA(VSUB(one, VMUL(x, x)), B, Y)); }
		break;
	LOOP(OP_SIGMOID, ISA(sigmoid)(A));
	case OP_SIGMOID_GRAD:
		EACH(n, i) { V x = A; STOREP(y, i, n, VFMA(VMUL(x, VSUB(one, x)), B, Y)); }
		break;
	}
}

#undef LOOP
#undef A
#undef B
#undef Y

// y (rows, n) = x (rows, n) + b (n)
void ISA(add_bias)(int64_t rows, int64_t n, float *y, const float *x, const float *b)
{
	for (int64_t r = 0; r < rows; r++, y += n, x += n)
		EACH(n, i) STOREP(y, i, n, VADD(LOADP(x, i, n), LOADP(b, i, n)));
}

// s[j] += scale * sum over rows of x (rows, n), for j0 <= j < j1
void ISA(sum_rows)(int64_t rows, int64_t n, int64_t j0, int64_t j1, float *s, const float *x, float scale)
{
	int64_t j = j0;
	for (; j + 4 * VL <= j1; j += 4 * VL) {
		V a[4] = {VZERO(), VZERO(), VZERO(), VZERO()};
		for (int64_t r = 0; r < rows; r++)
			UNROLL for (int k = 0; k < 4; k++) a[k] = VADD(a[k], VLOAD(x + r * n + j + k * VL));
		UNROLL for (int k = 0; k < 4; k++) VSTORE(s + j + k * VL, VFMA(a[k], VSET(scale), VLOAD(s + j + k * VL)));
	}
	for (; j < j1; j += VL) {
		V a = VZERO();
		for (int64_t r = 0; r < rows; r++) a = VADD(a, LOADP(x + r * n, j, j1));
		STOREP(s, j, j1, VFMA(a, VSET(scale), LOADP(s, j, j1)));
	}
}

// One row of n times scale: the middle axis of sum_rows where it is the last.
float ISA(sum)(int64_t n, const float *x)
{
	V a = VZERO(), b = VZERO();
	int64_t i = 0;
	for (; i + 2 * VL <= n; i += 2 * VL) a = VADD(a, VLOAD(x + i)), b = VADD(b, VLOAD(x + i + VL));
	for (; i < n; i += VL) a = VADD(a, LOADP(x, i, n));
	return VSUM(VADD(a, b));
}

// Layer normalisation (Ba et al. 2016): y (rows, n) = (x - mean) * rstd * g + b;
// mean and rstd (rows) are kept for backward. Without mean it is RMSNorm; b may be
// null.
void ISA(norm)(int64_t rows, int64_t n, float *y, float *mean, float *rstd, const float *x,
	const float *g, const float *b, float eps)
{
	for (int64_t r = 0; r < rows; r++, x += n, y += n) {
		V q = VZERO();
		float mu = 0;
		if (mean) mean[r] = mu = ISA(sum)(n, x) / n;
		EACH(n, i) {
			V c = VSUB(LOADP(x, i, n), VSET(mu));
			if (i + VL > n) c = VLESS(VIOTA(), VSET((float)(n - i)), c, VZERO());
			q = VFMA(c, c, q);
		}
		float k = 1 / sqrtf(VSUM(q) / n + eps);
		rstd[r] = k;
		EACH(n, i) {
			V h = VMUL(VSUB(LOADP(x, i, n), VSET(mu)), VSET(k));
			STOREP(y, i, n, VFMA(h, LOADP(g, i, n), b ? LOADP(b, i, n) : VZERO()));
		}
	}
}

// dx (rows, n) += the gradient by x
void ISA(norm_grad)(int64_t rows, int64_t n, float *dx, const float *x, const float *dy,
	const float *g, const float *mean, const float *rstd)
{
	for (int64_t r = 0; r < rows; r++, x += n, dx += n, dy += n) {
		V mu = VSET(mean ? mean[r] : 0), k = VSET(rstd[r]), s = VZERO(), t = VZERO();
		EACH(n, i) {
			V d = VMUL(LOADP(dy, i, n), LOADP(g, i, n));
			s = VADD(s, d);
			t = VFMA(d, VMUL(VSUB(LOADP(x, i, n), mu), k), t);
		}
		V ms = VSET(mean ? VSUM(s) / n : 0), mt = VSET(VSUM(t) / n);
		EACH(n, i) {
			V d = VMUL(LOADP(dy, i, n), LOADP(g, i, n));
			V h = VMUL(VSUB(LOADP(x, i, n), mu), k);
			V e = VMUL(k, VSUB(VSUB(d, ms), VMUL(h, mt)));
			STOREP(dx, i, n, VADD(LOADP(dx, i, n), e));
		}
	}
}

// dg, db (n) += the gradients by gain and bias, for j0 <= j < j1; one may be null.
void ISA(norm_params)(int64_t rows, int64_t n, int64_t j0, int64_t j1, float *dg, float *db, const float *x,
	const float *dy, const float *mean, const float *rstd)
{
	for (int64_t j = j0; j < j1; j += VL) {
		V a = VZERO(), b = VZERO();
		for (int64_t r = 0; r < rows; r++) {
			V d = LOADP(dy + r * n, j, j1);
			a = VFMA(d, VMUL(VSUB(LOADP(x + r * n, j, j1), VSET(mean ? mean[r] : 0)), VSET(rstd[r])), a);
			b = VADD(b, d);
		}
		if (dg) STOREP(dg, j, j1, VADD(LOADP(dg, j, j1), a));
		if (db) STOREP(db, j, j1, VADD(LOADP(db, j, j1), b));
	}
}
