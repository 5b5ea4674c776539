// Attention forward with an online softmax (Milakov and Gimelshein 2018; tiled as
// in FlashAttention, Dao et al. 2022). The score tiles are held transposed, keys
// by queries: the softmax then runs down the vectors' lanes and never across.

// Keys in one tile; a multiple of every MR.
#define BK 64
#define LOG2E 1.44269504088896f
#define LN2 0.693147180559945f

// floats of workspace that attention needs for tk keys of size d
int64_t ISA(attention_space)(int64_t tk, int64_t d)
{
	int64_t dp = up(d, MR);
	return up(tk, MR) * d + (d % MR ? tk * dp : 0) + d * NR + BK * NR + dp * NR + 3 * NR;
}

// st[key][query] = -Inf where the key lies after the query: query lane j of the
// tile sees the keys up to first + j, counted from the tile's first key.
INLINE void ISA(mask)(int nv, int64_t keys, int64_t first, float *st)
{
	V none = VSET(-INFINITY);
	for (int64_t i = first + 1 > 0 ? first + 1 : 0; i < keys; i++)
		for (int j = 0; j < nv; j++) {
			float *s = st + i * NR + j * VL;
			V sees = VADD(VIOTA(), VSET((float)(first + j * VL)));
			VSTORE(s, VLESS(sees, VSET((float)i), none, VLOAD(s)));
		}
}

// Scores of one tile: st (keys, NR) = K Q^T, masked. Keys are rounded up to MR.
static void ISA(scores)(int nv, int64_t keys, int64_t d, const float *kt, const float *qt, float *st, int causal, int64_t first)
{
	for (int64_t i = 0; i < keys; i += MR)
		ISA(tile_packed)(nv, MR, d, kt + i * d, qt, NR, st + i * NR, NR, 0);
	if (causal && first < up(keys, MR) - 1) ISA(mask)(nv, up(keys, MR), first, st);
}

// One step of the online softmax over st (keys, NR): st becomes exp2(st - top),
// top and sum advance, fix is what earlier sums and outputs are multiplied with.
static void ISA(online)(int nv, int64_t keys, float *st, float *top, float *sum, float *fix)
{
	for (int j = 0; j < nv; j++) {
		float *s = st + j * VL;
		V old = VLOAD(top + j * VL), m = old;
		for (int64_t i = 0; i < keys; i++) m = VMAX(m, VLOAD(s + i * NR));
		// With no key in sight yet the top is -Inf; 0 keeps Inf - Inf out.
		V safe = VLESS(m, VSET(-3e38f), VZERO(), m);
		V f = ISA(exp2)(VSUB(old, safe)), l = VMUL(VLOAD(sum + j * VL), f);
		for (int64_t i = 0; i < keys; i++) {
			V p = ISA(exp2)(VSUB(VLOAD(s + i * NR), safe));
			VSTORE(s + i * NR, p);
			l = VADD(l, p);
		}
		VSTORE(top + j * VL, m);
		VSTORE(sum + j * VL, l);
		VSTORE(fix + j * VL, f);
	}
}

static void ISA(scale_columns)(int nv, int64_t rows, float *x, const float *by)
{
	for (int j = 0; j < nv; j++) {
		V f = VLOAD(by + j * VL);
		for (int64_t i = 0; i < rows; i++) VSTORE(x + i * NR + j * VL, VMUL(f, VLOAD(x + i * NR + j * VL)));
	}
}

// Weights (n, tk) of one query block, from its logsumexp in base 2.
static void ISA(weights)(int nv, int64_t n, int64_t tk, int64_t d, const float *kt, const float *qt, float *st,
	const float *lse2, int causal, int64_t first, float *w)
{
	for (int64_t k = 0; k < tk; k += BK) {
		int64_t keys = lesser(BK, tk - k);
		ISA(scores)(nv, keys, d, kt + k * d, qt, st, causal, first - k);
		for (int64_t i = 0; i < keys; i++)
			for (int j = 0; j < nv; j++) {
				float *s = st + i * NR + j * VL;
				VSTORE(s, ISA(exp2)(VSUB(VLOAD(s), VLOAD(lse2 + j * VL))));
			}
		ISA(transpose)(st, NR, keys, n, w + k, tk, 1);
	}
}

// Queries q0 <= i < q1 of one head. q (tq, d), k and v (tk, d), o (tq, d) have
// rows ldq, ldk, ldv, ldo apart; lse (tq) is dense; w (tq, tk) may be null.
// Pointers are to the head's first row.
void ISA(attention)(const float *q, int64_t ldq, const float *k, int64_t ldk, const float *v, int64_t ldv,
	float *o, int64_t ldo, float *lse, float *w, int64_t q0, int64_t q1, int64_t tq, int64_t tk, int64_t d,
	float scale, int causal, float *ws)
{
	int64_t dp = up(d, MR), shift = tk - tq;
	float *kt = ws, *qt = kt + up(tk, MR) * d, *st = qt + d * NR, *ot = st + BK * NR;
	float *top = ot + dp * NR, *sum = top + NR, *fix = sum + NR;
	int64_t seen = causal ? lesser(tk, q1 + shift) : tk;
	if (seen > 0) ISA(pack)(k, ldk, w ? tk : seen, d, kt, MR);
	else if (w) ISA(pack)(k, ldk, tk, d, kt, MR);
	if (d % MR) {
		float *vp = fix + NR;
		ISA(pad)(v, ldv, tk, d, vp, dp, 1);
		v = vp, ldv = dp;
	}
	for (int64_t b = q0; b < q1; b += NR) {
		int64_t n = lesser(NR, q1 - b), end = causal ? lesser(tk, b + n + shift) : tk;
		int nv = (int)((n + VL - 1) / VL);
		if (n < NR) memset(qt, 0, sizeof(float) * d * NR);
		ISA(transpose)(q + b * ldq, ldq, n, d, qt, NR, scale * LOG2E);
		for (int64_t j = 0; j < NR; j++) top[j] = -INFINITY, sum[j] = 0;
		memset(ot, 0, sizeof(float) * dp * NR);
		for (int64_t i = 0; i < end; i += BK) {
			int64_t keys = lesser(BK, end - i);
			ISA(scores)(nv, keys, d, kt + i * d, qt, st, causal, b + shift - i);
			ISA(online)(nv, keys, st, top, sum, fix);
			if (i > 0) ISA(scale_columns)(nv, dp, ot, fix);
			for (int64_t c = 0; c < dp; c += MR)
				ISA(tile_packed)(nv, ldv, keys, v + i * ldv + c, st, NR, ot + c * NR, NR, i > 0);
		}
		for (int64_t j = 0; j < n; j++) {
			lse[b + j] = sum[j] > 0 ? LN2 * top[j] + logf(sum[j]) : (sum[j] == 0 ? -INFINITY : NAN);
			fix[j] = sum[j] == 0 ? 0 : 1 / sum[j];
			// A row that sees nothing has weights 0: exp2(s - Inf).
			top[j] = sum[j] == 0 ? INFINITY : top[j] + log2f(sum[j]);
		}
		ISA(scale_columns)(nv, dp, ot, fix);
		ISA(transpose)(ot, NR, d, n, o + b * ldo, ldo, 1);
		if (w) ISA(weights)(nv, n, tk, d, kt, qt, st, top, causal, b + shift, w + b * tk);
	}
}
