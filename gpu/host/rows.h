// Kernels of whole rows: embeddings, softmax, losses; and dropout.

// Values past the end of a row, whose last vector has left of them, become other.
INLINE V ISA(rest)(V x, int64_t left, float other)
{
	return left >= VL ? x : VLESS(VIOTA(), VSET((float)left), x, VSET(other));
}

static float ISA(top)(int64_t n, const float *x)
{
	V m = VSET(-INFINITY);
	EACH(n, i) m = VMAX(ISA(rest)(LOADP(x, i, n), n - i, -INFINITY), m);
	float lanes[VL], top = -INFINITY;
	VSTORE(lanes, m);
	for (int l = 0; l < VL; l++) top = lanes[l] > top ? lanes[l] : top;
	return top;
}

// log(sum exp(x)). Where all is -Inf, or any +Inf, the top itself; NaN where any is.
static float ISA(log_sum_exp)(int64_t n, const float *x)
{
	float top = ISA(top)(n, x);
	V s = VZERO(), shift = VSET(isinf(top) ? 0 : top);
	EACH(n, i) {
		V e = ISA(exp2)(VMUL(VSUB(LOADP(x, i, n), shift), VSET(LOG2E)));
		s = VADD(s, ISA(rest)(e, n - i, 0));
	}
	float sum = VSUM(s);
	if (sum != sum) return sum;
	return isinf(top) ? top : top + logf(sum);
}

INLINE V ISA(exp)(V x) { return ISA(exp2)(VMUL(x, VSET(LOG2E))); }

// y (rows, n) = x - lse, or its exponential
void ISA(softmax)(int64_t rows, int64_t n, float *y, const float *x, int log)
{
	for (int64_t r = 0; r < rows; r++, x += n, y += n) {
		V lse = VSET(ISA(log_sum_exp)(n, x));
		EACH(n, i) {
			V l = VSUB(LOADP(x, i, n), lse);
			if (!log) l = ISA(exp)(l);
			STOREP(y, i, n, l);
		}
	}
}

// dx (rows, n) += y (dy - sum(y dy)), or with log dy - exp(y) sum(dy)
void ISA(softmax_grad)(int64_t rows, int64_t n, float *dx, const float *y, const float *dy, int log)
{
	for (int64_t r = 0; r < rows; r++, dx += n, y += n, dy += n) {
		V a = VZERO();
		EACH(n, i) a = log ? VADD(a, LOADP(dy, i, n)) : VFMA(LOADP(y, i, n), LOADP(dy, i, n), a);
		V s = VSET(VSUM(a));
		EACH(n, i) {
			V p = LOADP(y, i, n), g = LOADP(dy, i, n);
			V d = log ? VSUB(g, VMUL(ISA(exp)(p), s)) : VMUL(p, VSUB(g, s));
			STOREP(dx, i, n, VADD(LOADP(dx, i, n), d));
		}
	}
}

void ISA(cross_entropy)(int64_t rows, int64_t n, float *loss, float *lse, const float *x, const int32_t *labels,
	const float *targets)
{
	for (int64_t r = 0; r < rows; r++, x += n) {
		float l = lse[r] = ISA(log_sum_exp)(n, x);
		if (labels) {
			loss[r] = labels[r] < 0 ? 0 : labels[r] >= n ? NAN : l - x[labels[r]];
			continue;
		}
		V s = VZERO(); // a target of 0 takes no part, even where x is -Inf
		EACH(n, i) {
			V t = LOADP(targets + r * n, i, n), part = VMUL(t, VSUB(VSET(l), LOADP(x, i, n)));
			V some = VLESS(VZERO(), VMUL(t, t), part, VZERO());
			s = VADD(s, ISA(rest)(some, n - i, 0));
		}
		loss[r] = VSUM(s);
	}
}

// dx += scale * dl * (exp(x - lse) * sum(target) - target); dl has count values: one for
// each row, one for all, or none.
void ISA(cross_entropy_grad)(int64_t rows, int64_t n, float *dx, const float *x, const int32_t *labels,
	const float *targets, const float *lse, const float *dl, int64_t count, float scale)
{
	for (int64_t r = 0; r < rows; r++, x += n, dx += n) {
		float g = scale * (count == 0 ? 1 : dl[count == 1 ? 0 : r]), total = 1;
		if (!labels) total = ISA(sum)(n, targets + r * n);
		else if (labels[r] < 0) continue;
		else if (labels[r] >= n) total = NAN;
		V f = VSET(g * total), l = VSET(lse[r]);
		EACH(n, i) {
			V d = VFMA(f, ISA(exp)(VSUB(LOADP(x, i, n), l)), LOADP(dx, i, n));
			if (!labels) d = VSUB(d, VMUL(VSET(g), LOADP(targets + r * n, i, n)));
			STOREP(dx, i, n, d);
		}
		if (labels && labels[r] < n) dx[labels[r]] -= g;
	}
}

// loss (rows) = the mean of a row's losses; see LossKind in rows.go.
void ISA(loss)(int kind, int64_t rows, int64_t n, float *loss, const float *x, const float *t, float delta)
{
	for (int64_t r = 0; r < rows; r++, x += n, t += n) {
		double sum = 0;
		for (int64_t i = 0; i < n; i++) {
			float d = x[i] - t[i], far = fabsf(d);
			if (kind == LOSS_BINARY) sum += (x[i] < 0 ? 0 : x[i]) - x[i] * t[i] + log1pf(expf(-fabsf(x[i])));
			else if (kind == LOSS_SQUARED) sum += d * d;
			else sum += far > delta ? delta * (far - delta / 2) : d * d / 2;
		}
		loss[r] = (float)(sum / n);
	}
}

// dx += scale * dl * the slope by x; dl as for cross_entropy_grad
void ISA(loss_grad)(int kind, int64_t rows, int64_t n, float *dx, const float *x, const float *t,
	const float *dl, int64_t count, float scale, float delta)
{
	for (int64_t r = 0; r < rows; r++, x += n, t += n, dx += n) {
		float g = scale * (count == 0 ? 1 : dl[count == 1 ? 0 : r]);
		EACH(n, i) {
			V v = LOADP(x, i, n), u = LOADP(t, i, n), d = VSUB(v, u);
			if (kind == LOSS_BINARY) d = VSUB(ISA(sigmoid)(v), u);
			else if (kind == LOSS_SQUARED) d = VADD(d, d);
			else d = VLESS(d, VSET(-delta), VSET(-delta), VLESS(VSET(delta), d, VSET(delta), d));
			STOREP(dx, i, n, VFMA(VSET(g), d, LOADP(dx, i, n)));
		}
	}
}

// table (vocabulary, n) += y (count, n) at ids, for columns j0 … j1-1
void ISA(scatter)(int64_t count, int64_t vocabulary, int64_t n, int64_t j0, int64_t j1, float *table, const float *y,
	const int32_t *ids)
{
	for (int64_t r = 0; r < count; r++) {
		if (ids[r] < 0 || ids[r] >= vocabulary) continue;
		float *to = table + ids[r] * n;
		for (int64_t j = j0; j < j1; j += VL) STOREP(to, j, j1, VADD(LOADP(to, j, j1), LOADP(y + r * n, j, j1)));
	}
}

// Values of one example from element at on, a multiple of 8: y = or += x where Philox
// leaves it. Each of the lanes makes the words of eight elements.
void ISA(drop_values)(int64_t n, float *y, const float *x, int add, uint32_t drop, float rest, uint32_t seed0, uint32_t seed1,
	uint32_t op, uint32_t example, uint32_t high, uint64_t at)
{
	for (int64_t i = 0; i < n; i += 8 * VL) {
		uint32_t c0[VL], c1[VL], c2[VL], c3[VL], k0 = seed0, k1 = seed1;
		float f[8 * VL];
		for (int l = 0; l < VL; l++) c0[l] = (uint32_t)((at + i) / 8 + l), c1[l] = example, c2[l] = op, c3[l] = high;
		for (int r = 0; r < 10; r++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
			for (int l = 0; l < VL; l++) {
				uint64_t p0 = (uint64_t)c0[l] * 0xD2511F53u, p1 = (uint64_t)c2[l] * 0xCD9E8D57u;
				c0[l] = (uint32_t)(p1 >> 32) ^ c1[l] ^ k0, c1[l] = (uint32_t)p1;
				c2[l] = (uint32_t)(p0 >> 32) ^ c3[l] ^ k1, c3[l] = (uint32_t)p0;
			}
		const uint32_t *word[4] = {c0, c1, c2, c3};
		for (int l = 0; l < VL; l++)
			for (int w = 0; w < 4; w++) {
				f[8 * l + 2 * w] = (word[w][l] & 0xffff) < drop ? 0 : rest;
				f[8 * l + 2 * w + 1] = word[w][l] >> 16 < drop ? 0 : rest;
			}
		int64_t end = lesser(n, i + 8 * VL);
		for (int64_t j = i; j < end; j += VL) {
			V k = VLOAD(f + j - i), v = LOADP(x, j, end);
			v = VLESS(VZERO(), k, VMUL(k, v), VZERO()); // Inf and NaN vanish where they are dropped
			if (add) v = VADD(v, LOADP(y, j, end));
			STOREP(y, j, end, v);
		}
	}
}
