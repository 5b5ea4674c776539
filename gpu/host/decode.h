// Attention of few queries: the memory of the keys is the limit, so that each key
// is read once for all queries that share it, and no tile of queries is filled.

// Keys in one block, which stays in the first-level cache while the queries pass.
#define DECODE 64

INLINE V ISA(load_part)(const float *x, int64_t left) { return left >= VL ? VLOAD(x) : VLOADN(x, left); }

// s[j] = q (d) times row j of k, for j < keys.
static void ISA(dots)(int64_t d, int64_t keys, const float *q, const float *k, int64_t ldk, float *s)
{
	int64_t j = 0;
	for (; j + 4 <= keys; j += 4) {
		V a = VZERO(), b = a, c = a, e = a;
		for (int64_t i = 0; i < d; i += VL) {
			V x = ISA(load_part)(q + i, d - i);
			const float *r = k + j * ldk + i;
			a = VFMA(x, ISA(load_part)(r, d - i), a);
			b = VFMA(x, ISA(load_part)(r + ldk, d - i), b);
			c = VFMA(x, ISA(load_part)(r + 2 * ldk, d - i), c);
			e = VFMA(x, ISA(load_part)(r + 3 * ldk, d - i), e);
		}
		s[j] = VSUM(a), s[j + 1] = VSUM(b), s[j + 2] = VSUM(c), s[j + 3] = VSUM(e);
	}
	for (; j < keys; j++) {
		V a = VZERO();
		for (int64_t i = 0; i < d; i += VL) a = VFMA(ISA(load_part)(q + i, d - i), ISA(load_part)(k + j * ldk + i, d - i), a);
		s[j] = VSUM(a);
	}
}

// o (d) = fix o + p (keys) times v (keys, d)
static void ISA(weigh)(int64_t d, int64_t keys, const float *p, float fix, const float *v, int64_t ldv, float *o)
{
	for (int64_t i = 0; i < d; i += VL) {
		V a = VMUL(VSET(fix), ISA(load_part)(o + i, d - i)), b = VZERO();
		int64_t j = 0;
		for (; j + 2 <= keys; j += 2) {
			a = VFMA(VSET(p[j]), ISA(load_part)(v + j * ldv + i, d - i), a);
			b = VFMA(VSET(p[j + 1]), ISA(load_part)(v + (j + 1) * ldv + i, d - i), b);
		}
		if (j < keys) a = VFMA(VSET(p[j]), ISA(load_part)(v + j * ldv + i, d - i), a);
		a = VADD(a, b);
		if (d - i >= VL) VSTORE(o + i, a);
		else VSTOREN(o + i, d - i, a);
	}
}

// Keys k0 <= j < k1, at most DECODE, for query q0 alone: o (d) is the sum of values
// so far, not yet divided, state its top score in base 2 and its sum. k and v point
// to key k0, q to the query, bias to its row; ws holds DECODE floats.
void ISA(decode)(const attune_head *h, const float *q, const float *k, const float *v, const float *bias,
	float *o, float *state, float *ws)
{
	int64_t at = h->q0 + h->shift, lo = at - h->left, hi = at + h->right + 1;
	lo = lo > h->k0 ? lo : h->k0;
	hi = lesser(hi, h->k1);
	if (lo >= hi) return;
	int64_t keys = hi - lo, full = up(keys, VL);
	ISA(dots)(h->d, keys, q, k + (lo - h->k0) * h->ldk, h->ldk, ws);
	float top = state[0];
	for (int64_t j = 0; j < keys; j++) {
		float far = (float)(lo + j - at);
		ws[j] = (ws[j] * h->scale + (bias ? bias[lo + j] : 0) - h->slope * (far < 0 ? -far : far)) * LOG2E;
		// Written so that NaN comes through.
		top = top >= ws[j] ? top : ws[j];
	}
	for (int64_t j = keys; j < full; j++) ws[j] = -INFINITY;
	if (top == -INFINITY) return;
	V sum = VZERO(), m = VSET(top);
	for (int64_t j = 0; j < full; j += VL) {
		V p = ISA(exp2_low)(VSUB(VLOAD(ws + j), m));
		VSTORE(ws + j, p);
		sum = VADD(sum, p);
	}
	float fix = exp2f(state[0] - top);
	state[0] = top;
	state[1] = state[1] * fix + VSUM(sum);
	ISA(weigh)(h->d, keys, ws, fix, v + (lo - h->k0) * h->ldv, h->ldv, o);
}
