// Attention backward (FlashAttention-2, Dao 2023, algorithm 2), one head's piece of
// keys at a time, so that every sum has one order whatever the threads.

// floats of workspace that attention_grad needs for so many keys of size d
int64_t ISA(attention_grad_space)(int64_t keys, int64_t d)
{
	int64_t dp = up(d, MR), w = up(d, VL), rows = up(keys, MR);
	return 2 * rows * d + (d % MR ? keys * dp : 0) + 2 * d * NR + 2 * NR * w + 3 * BK * NR + dp * NR + 2 * NR;
}

// the row length of gk and gv
int64_t ISA(attention_grad_width)(int64_t d) { return up(d, VL); }

// st (S^T) becomes (M P)^T and dpt (dP^T) becomes dS^T, both (keys, NR); m holds
// dropout's factors or is null.
static void ISA(grad_scores)(int nv, int64_t keys, float *st, float *dpt, const float *m, const float *lse2, const float *delta, float scale)
{
	for (int j = 0; j < nv; j++) {
		V l = VLOAD(lse2 + j * VL), e = VLOAD(delta + j * VL), f = VSET(scale);
		for (int64_t i = 0; i < keys; i++) {
			float *s = st + i * NR + j * VL, *g = dpt + i * NR + j * VL;
			V p = ISA(exp2_low)(VSUB(VLOAD(s), l)), gi = VLOAD(g), x = p;
			if (m) {
				V mi = VLOAD(m + i * NR + j * VL);
				gi = VMUL(gi, mi), x = VMUL(x, mi);
			}
			VSTORE(s, x);
			VSTORE(g, VMUL(VMUL(p, f), VSUB(gi, e)));
		}
	}
}

// out (keys, w) += a (keys, NR) times b (n, w): MR rows of out at once.
static void ISA(add_rows)(int64_t keys, int64_t n, int64_t w, const float *a, const float *b, float *out)
{
	for (int64_t i = 0; i < keys; i += MR)
		for (int64_t c = 0, nv; c < w; c += nv * VL) {
			int64_t left = (w - c) / VL;
			nv = left == 4 ? 2 : lesser(left, NRV);
			ISA(tile_rows)((int)nv, n, a + i * NR, b + c, w, out + i * w + c, w);
		}
}

// What a block of queries needs beside its scores: rows of q and go padded to w,
// go transposed, logsumexp in base 2, and delta = rowsum(go * o).
static void ISA(take_gradients)(const attune_head *h, const float *q, const float *o, const float *go, const float *lse,
	int64_t b, int64_t n, int64_t w, float *got, float *qr, float *gor, float *lse2, float *delta)
{
	if (n < NR) memset(got, 0, sizeof(float) * h->d * NR);
	ISA(transpose)(go + b * h->ldgo, h->ldgo, n, h->d, got, NR, 1);
	ISA(pad)(q + b * h->ldq, h->ldq, n, h->d, qr, w, 1);
	ISA(pad)(go + b * h->ldgo, h->ldgo, n, h->d, gor, w, 1);
	for (int64_t j = 0; j < NR; j++) {
		// Lanes without a query, and queries without a key, get weights 0.
		lse2[j] = j < n && lse[b + j] != -INFINITY ? lse[b + j] * LOG2E : INFINITY;
		delta[j] = 0;
		for (int64_t c = 0; j < n && c < h->d; c++) delta[j] += o[(b + j) * h->ldo + c] * gor[j * w + c];
	}
}

// Gradients of one query head by the keys k0 <= j < k1 (k0 a multiple of 8). gq
// (tq, d) is overwritten with these keys' share; gk and gv (k1 - k0 rounded up to
// MR, width) are added to. go is the gradient by o.
void ISA(attention_grad)(const attune_head *h, const float *q, const float *k, const float *v, const float *bias,
	const float *o, const float *go, const float *lse, float *gq, float *gk, float *gv, float *ws)
{
	int64_t d = h->d, dp = up(d, MR), w = up(d, VL), keys = h->k1 - h->k0, rows = up(keys, MR), ldkr = h->ldk;
	float *kt = ws, *vt = kt + rows * d, *qt = vt + rows * d, *got = qt + d * NR, *qr = got + d * NR, *gor = qr + NR * w;
	float *st = gor + NR * w, *dpt = st + BK * NR, *tmp = dpt + BK * NR, *dqt = tmp + BK * NR, *lse2 = dqt + dp * NR, *delta = lse2 + NR;
	const float *kr = k + h->k0 * h->ldk;
	ISA(pack)(kr, h->ldk, keys, d, kt, MR);
	ISA(pack)(v + h->k0 * h->ldv, h->ldv, keys, d, vt, MR);
	if (d % MR) {
		ISA(pad)(kr, ldkr, keys, d, delta + NR, dp, 1);
		kr = delta + NR, ldkr = dp;
	}
	for (int64_t b = 0; b < h->tq; b += NR) {
		int64_t n = lesser(NR, h->tq - b), first, last;
		int nv = (int)((n + VL - 1) / VL);
		ISA(seen)(h, b, n, &first, &last);
		first = first < h->k0 ? h->k0 : first;
		last = lesser(last, h->k1);
		memset(dqt, 0, sizeof(float) * dp * NR);
		if (first < last) {
			ISA(take_queries)(h, q, b, n, qt);
			ISA(take_gradients)(h, q, o, go, lse, b, n, w, got, qr, gor, lse2, delta);
		}
		for (int64_t i = first; i < last; i += BK) {
			int64_t count = lesser(BK, last - i), at = i - h->k0;
			ISA(scores)(h, b, n, i, count, kt + at * d, qt, bias, st, tmp);
			ISA(products)(nv, count, d, vt + at * d, got, dpt);
			if (h->drop) ISA(dropout)(h, b, i, count, tmp);
			// Rows past the last key take part in tiles of MR, and add nothing.
			for (int64_t r = count; r < up(count, MR); r++)
				for (int64_t j = 0; j < NR; j++) st[r * NR + j] = -INFINITY;
			ISA(grad_scores)(nv, up(count, MR), st, dpt, h->drop ? tmp : 0, lse2, delta, h->scale);
			ISA(add_rows)(count, n, w, st, gor, gv + at * w);
			ISA(add_rows)(count, n, w, dpt, qr, gk + at * w);
			for (int64_t c = 0; c < dp; c += MR)
				ISA(tile_packed)(nv, ldkr, count, kr + at * ldkr + c, dpt, NR, dqt + c * NR, NR, 1);
		}
		ISA(transpose)(dqt, NR, d, n, gq + b * h->ldgq, h->ldgq, 1);
	}
}
