// Attention backward (FlashAttention-2, Dao 2023, algorithm 2), one head at a
// time, so that the sums over queries have one order whatever the threads.

// floats of workspace that attention_grad needs for tk keys of size d
int64_t ISA(attention_grad_space)(int64_t tk, int64_t d)
{
	int64_t dp = up(d, MR), dv = up(d, VL), rows = up(tk, MR);
	return 2 * rows * d + (d % MR ? tk * dp : 0) + 2 * rows * dv + 2 * d * NR + 2 * NR * dv + 2 * BK * NR + dp * NR + 2 * NR;
}

// st (S^T) becomes P^T and dpt (dP^T) becomes dS^T, both (keys, NR).
static void ISA(grad_scores)(int nv, int64_t keys, float *st, float *dpt, const float *lse2, const float *delta, float scale)
{
	for (int j = 0; j < nv; j++) {
		V l = VLOAD(lse2 + j * VL), e = VLOAD(delta + j * VL), f = VSET(scale);
		for (int64_t i = 0; i < keys; i++) {
			float *s = st + i * NR + j * VL, *g = dpt + i * NR + j * VL;
			V p = ISA(exp2)(VSUB(VLOAD(s), l));
			VSTORE(s, p);
			VSTORE(g, VMUL(VMUL(p, f), VSUB(VLOAD(g), e)));
		}
	}
}

// out (keys, dv) += a (keys, NR) times b (n, dv): MR rows of out at once.
static void ISA(add_rows)(int64_t keys, int64_t n, int64_t dv, const float *a, const float *b, float *out)
{
	for (int64_t i = 0; i < keys; i += MR)
		for (int64_t c = 0, nv; c < dv; c += nv * VL) {
			int64_t left = (dv - c) / VL;
			nv = left == 4 ? 2 : lesser(left, NRV);
			ISA(tile_rows)((int)nv, n, a + i * NR, b + c, dv, out + i * dv + c, dv);
		}
}

// Gradients of one head. Shapes and strides are as in attention; go is the
// gradient by o (same rows as o), lse what forward gave; dq (tq, d), dk and dv
// (tk, d) are overwritten.
void ISA(attention_grad)(const float *q, int64_t ldq, const float *k, int64_t ldk, const float *v, int64_t ldv,
	const float *o, int64_t ldo, const float *go, int64_t ldgo, const float *lse,
	float *dq, int64_t lddq, float *dk, int64_t lddk, float *dv, int64_t lddv,
	int64_t tq, int64_t tk, int64_t d, float scale, int causal, float *ws)
{
	int64_t dp = up(d, MR), w = up(d, VL), rows = up(tk, MR), shift = tk - tq;
	float *kt = ws, *vt = kt + rows * d, *gk = vt + rows * d, *gv = gk + rows * w;
	float *qt = gv + rows * w, *got = qt + d * NR, *qr = got + d * NR, *gor = qr + NR * w;
	float *st = gor + NR * w, *dpt = st + BK * NR, *dqt = dpt + BK * NR, *lse2 = dqt + dp * NR, *delta = lse2 + NR;
	ISA(pack)(k, ldk, tk, d, kt, MR);
	ISA(pack)(v, ldv, tk, d, vt, MR);
	memset(gk, 0, sizeof(float) * 2 * rows * w);
	const float *kr = k;
	int64_t ldkr = ldk;
	if (d % MR) {
		ISA(pad)(k, ldk, tk, d, delta + NR, dp, 1);
		kr = delta + NR, ldkr = dp;
	}
	for (int64_t b = 0; b < tq; b += NR) {
		int64_t n = lesser(NR, tq - b), end = causal ? lesser(tk, b + n + shift) : tk;
		int nv = (int)((n + VL - 1) / VL);
		if (n < NR) memset(qt, 0, sizeof(float) * 2 * d * NR);
		ISA(transpose)(q + b * ldq, ldq, n, d, qt, NR, scale * LOG2E);
		ISA(transpose)(go + b * ldgo, ldgo, n, d, got, NR, 1);
		ISA(pad)(q + b * ldq, ldq, n, d, qr, w, 1);
		ISA(pad)(go + b * ldgo, ldgo, n, d, gor, w, 1);
		for (int64_t j = 0; j < NR; j++) {
			// Lanes without a query, and queries without a key, get weights 0.
			lse2[j] = j < n && lse[b + j] != -INFINITY ? lse[b + j] * LOG2E : INFINITY;
			delta[j] = 0;
			for (int64_t c = 0; j < n && c < d; c++) delta[j] += o[(b + j) * ldo + c] * gor[j * w + c];
		}
		memset(dqt, 0, sizeof(float) * dp * NR);
		for (int64_t i = 0; i < end; i += BK) {
			int64_t keys = lesser(BK, end - i);
			ISA(scores)(nv, keys, d, kt + i * d, qt, st, causal, b + shift - i);
			ISA(scores)(nv, keys, d, vt + i * d, got, dpt, 0, 0);
			ISA(grad_scores)(nv, up(keys, MR), st, dpt, lse2, delta, scale);
			ISA(add_rows)(keys, n, w, st, gor, gv + i * w);
			ISA(add_rows)(keys, n, w, dpt, qr, gk + i * w);
			for (int64_t c = 0; c < dp; c += MR)
				ISA(tile_packed)(nv, ldkr, keys, kr + i * ldkr + c, dpt, NR, dqt + c * NR, NR, 1);
		}
		ISA(transpose)(dqt, NR, d, n, dq + b * lddq, lddq, 1);
	}
	for (int64_t i = 0; i < tk; i++) {
		memcpy(dk + i * lddk, gk + i * w, sizeof(float) * d);
		memcpy(dv + i * lddv, gv + i * w, sizeof(float) * d);
	}
}
