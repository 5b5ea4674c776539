// Attention forward with an online softmax (Milakov and Gimelshein 2018; tiled as
// in FlashAttention, Dao et al. 2022). The score tiles are held transposed, keys
// by queries: the softmax then runs down the vectors' lanes and never across.

// Keys in one tile; a multiple of every MR, and of dropout's groups of 8.
#define BK 64
#define LOG2E 1.44269504088896f
#define LN2 0.693147180559945f

// floats of workspace that attention needs for tk keys of size d
int64_t ISA(attention_space)(int64_t tk, int64_t d)
{
	int64_t dp = up(d, MR);
	return up(tk, MR) * d + (d % MR ? tk * dp : 0) + d * NR + 2 * BK * NR + dp * NR + 3 * NR;
}

// The keys first … last-1 that queries b … b+n-1 see any of, first a multiple of 8.
static void ISA(seen)(const attune_head *h, int64_t b, int64_t n, int64_t *first, int64_t *last)
{
	int64_t lo = b + h->shift - h->left, hi = b + n + h->shift + h->right;
	*first = lo > 0 ? lo / 8 * 8 : 0;
	*last = hi < h->tk ? hi : h->tk;
}

// st[key][query] = -Inf where the query does not see the key. at is the place of
// the tile's first query, counted from the tile's first key.
static void ISA(mask)(const attune_head *h, int nv, int64_t keys, int64_t at, float *st)
{
	V none = VSET(-INFINITY);
	for (int64_t i = 0; i < keys; i++) {
		int64_t lo = i - at - h->right, hi = i - at + h->left; // lanes that see key i
		if (lo <= 0 && hi >= NR - 1) continue;
		V from = VSET(lo < 0 ? 0 : lo > NR ? NR : lo), to = VSET(hi < 0 ? -1 : hi > NR ? NR : hi);
		for (int j = 0; j < nv; j++) {
			V lane = VADD(VIOTA(), VSET(j * VL)), s = VLOAD(st + i * NR + j * VL);
			s = VLESS(lane, from, none, VLESS(to, lane, none, s));
			VSTORE(st + i * NR + j * VL, s);
		}
	}
}

// st -= slope |place of the query - key|, slope in base 2
static void ISA(alibi)(int nv, int64_t keys, int64_t at, float slope, float *st)
{
	for (int64_t i = 0; i < keys; i++)
		for (int j = 0; j < nv; j++) {
			V far = VADD(VIOTA(), VSET((float)(at - i + j * VL)));
			far = VMAX(far, VSUB(VZERO(), far));
			VSTORE(st + i * NR + j * VL, VFMA(VSET(-slope), far, VLOAD(st + i * NR + j * VL)));
		}
}

static void ISA(add_tile)(int nv, int64_t keys, const float *x, float *st)
{
	for (int64_t i = 0; i < keys; i++)
		for (int j = 0; j < nv; j++)
			VSTORE(st + i * NR + j * VL, VADD(VLOAD(x + i * NR + j * VL), VLOAD(st + i * NR + j * VL)));
}

// Products of one tile: st (keys, NR) = K Q^T. Keys are rounded up to MR.
static void ISA(products)(int nv, int64_t keys, int64_t d, const float *kt, const float *qt, float *st)
{
	for (int64_t i = 0; i < keys; i += MR)
		ISA(tile_packed)(nv, MR, d, kt + i * d, qt, NR, st + i * NR, NR, 0);
}

// Scores of queries b … b+n-1 against keys i … i+keys-1 in base 2, with bias and
// mask. kt is the keys' first panel, tmp holds (BK, NR).
static void ISA(scores)(const attune_head *h, int64_t b, int64_t n, int64_t i, int64_t keys,
	const float *kt, const float *qt, const float *bias, float *st, float *tmp)
{
	int nv = (int)((n + VL - 1) / VL);
	int64_t at = b + h->shift - i;
	ISA(products)(nv, keys, h->d, kt, qt, st);
	if (bias) {
		ISA(transpose)(bias + b * h->ldb + i, h->ldb, n, keys, tmp, NR, LOG2E);
		for (int64_t r = 0; n < NR && r < keys; r++) memset(tmp + r * NR + n, 0, sizeof(float) * (NR - n));
		ISA(add_tile)(nv, keys, tmp, st);
	}
	if (h->slope != 0) ISA(alibi)(nv, keys, at, h->slope * LOG2E, st);
	if (keys - 1 > at + h->right || at + n - 1 > h->left) ISA(mask)(h, nv, keys, at, st);
}

// Philox4x32-10 (Salmon et al. 2011): dropout's factors for queries b … b+NR-1 and
// eight keys from key j on, into f (8, NR). The lanes are queries.
static void ISA(dropout8)(const attune_head *h, int64_t b, int64_t j, float *f)
{
	uint32_t c0[NR], c1[NR], c2[NR], c3[NR], k0 = h->seed0, k1 = h->seed1;
	for (int l = 0; l < NR; l++) c0[l] = (uint32_t)(j / 8), c1[l] = (uint32_t)(h->first + b + l), c2[l] = h->number, c3[l] = 0;
	for (int r = 0; r < 10; r++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
		for (int l = 0; l < NR; l++) {
			uint64_t p0 = (uint64_t)c0[l] * 0xD2511F53u, p1 = (uint64_t)c2[l] * 0xCD9E8D57u;
			c0[l] = (uint32_t)(p1 >> 32) ^ c1[l] ^ k0, c1[l] = (uint32_t)p1;
			c2[l] = (uint32_t)(p0 >> 32) ^ c3[l] ^ k1, c3[l] = (uint32_t)p0;
		}
	const uint32_t *word[4] = {c0, c1, c2, c3};
	for (int w = 0; w < 4; w++)
		for (int l = 0; l < NR; l++) {
			f[2 * w * NR + l] = (word[w][l] & 0xffff) < h->drop ? 0 : h->rest;
			f[(2 * w + 1) * NR + l] = word[w][l] >> 16 < h->drop ? 0 : h->rest;
		}
}

// Dropout's factors of one tile, into f (up(keys, 8), NR); i is a multiple of 8.
static void ISA(dropout)(const attune_head *h, int64_t b, int64_t i, int64_t keys, float *f)
{
	for (int64_t j = 0; j < keys; j += 8) ISA(dropout8)(h, b, i + j, f + j * NR);
}

// One step of the online softmax over st (keys, NR): st becomes exp2(st - top),
// top and sum advance, fix is what earlier sums and outputs are multiplied with.
// False where all of fix is 1.
static int ISA(online)(int nv, int64_t keys, float *st, float *top, float *sum, float *fix)
{
	int moved = 0;
	for (int j = 0; j < nv; j++) {
		float *s = st + j * VL;
		V old = VLOAD(top + j * VL), m = old, m1 = old;
		int64_t i = 0;
		for (; i + 2 <= keys; i += 2) m = VMAX(VLOAD(s + i * NR), m), m1 = VMAX(VLOAD(s + (i + 1) * NR), m1);
		if (i < keys) m = VMAX(VLOAD(s + i * NR), m);
		m = VMAX(m1, m);
		// With no key in sight yet the top is -Inf; 0 keeps Inf - Inf out.
		V safe = VLESS(m, VSET(-3e38f), VZERO(), m);
		V f = ISA(exp2_low)(VSUB(old, safe)), l = VMUL(VLOAD(sum + j * VL), f), l1 = VZERO();
		for (i = 0; i + 2 <= keys; i += 2) {
			V p = ISA(exp2_low)(VSUB(VLOAD(s + i * NR), safe)), p1 = ISA(exp2_low)(VSUB(VLOAD(s + (i + 1) * NR), safe));
			VSTORE(s + i * NR, p);
			VSTORE(s + (i + 1) * NR, p1);
			l = VADD(l, p), l1 = VADD(l1, p1);
		}
		if (i < keys) {
			V p = ISA(exp2_low)(VSUB(VLOAD(s + i * NR), safe));
			VSTORE(s + i * NR, p);
			l = VADD(l, p);
		}
		moved |= VDIFFER(old, m);
		VSTORE(top + j * VL, m);
		VSTORE(sum + j * VL, VADD(l, l1));
		VSTORE(fix + j * VL, f);
	}
	return moved;
}

static void ISA(scale_columns)(int nv, int64_t rows, float *x, const float *by)
{
	for (int j = 0; j < nv; j++) {
		V f = VLOAD(by + j * VL);
		for (int64_t i = 0; i < rows; i++) VSTORE(x + i * NR + j * VL, VMUL(f, VLOAD(x + i * NR + j * VL)));
	}
}

static void ISA(multiply_tile)(int nv, int64_t keys, const float *by, float *x)
{
	for (int64_t i = 0; i < keys; i++)
		for (int j = 0; j < nv; j++) VSTORE(x + i * NR + j * VL, VMUL(VLOAD(by + i * NR + j * VL), VLOAD(x + i * NR + j * VL)));
}

// Queries b … b+n-1 of q (tq, d), scaled to base 2, as qt (d, NR).
static void ISA(take_queries)(const attune_head *h, const float *q, int64_t b, int64_t n, float *qt)
{
	if (n < NR) memset(qt, 0, sizeof(float) * h->d * NR);
	ISA(transpose)(q + b * h->ldq, h->ldq, n, h->d, qt, NR, h->scale * LOG2E);
}

// Queries q0 <= i < q1 of one head. q (tq, d), k and v (tk, d), o (tq, d); lse (tq)
// and, where not null, bias (tq, tk). Pointers are to the head's first row.
void ISA(attention)(const attune_head *h, const float *q, const float *k, const float *v, const float *bias,
	float *o, float *lse, float *ws)
{
	int64_t d = h->d, dp = up(d, MR), base, end, ldv = h->ldv;
	float *kt = ws, *qt = kt + up(h->tk, MR) * d, *st = qt + d * NR, *tmp = st + BK * NR, *ot = tmp + BK * NR;
	float *top = ot + dp * NR, *sum = top + NR, *fix = sum + NR, *vp = fix + NR;
	ISA(seen)(h, h->q0, h->q1 - h->q0, &base, &end);
	if (base < end) {
		ISA(pack)(k + base * h->ldk, h->ldk, end - base, d, kt, MR);
		if (d % MR) {
			ISA(pad)(v + base * ldv, ldv, end - base, d, vp, dp, 1);
			v = vp - base * dp, ldv = dp;
		}
	}
	for (int64_t b = h->q0; b < h->q1; b += NR) {
		int64_t n = lesser(NR, h->q1 - b), first, last;
		int nv = (int)((n + VL - 1) / VL), moved;
		ISA(seen)(h, b, n, &first, &last);
		ISA(take_queries)(h, q, b, n, qt);
		for (int64_t j = 0; j < NR; j++) top[j] = -INFINITY, sum[j] = 0;
		if (first >= last) memset(ot, 0, sizeof(float) * dp * NR);
		for (int64_t i = first; i < last; i += BK) {
			int64_t keys = lesser(BK, last - i);
			ISA(scores)(h, b, n, i, keys, kt + (i - base) * d, qt, bias, st, tmp);
			moved = ISA(online)(nv, keys, st, top, sum, fix);
			if (h->drop) {
				ISA(dropout)(h, b, i, keys, tmp);
				ISA(multiply_tile)(nv, keys, tmp, st);
			}
			if (i > first && moved) ISA(scale_columns)(nv, dp, ot, fix);
			for (int64_t c = 0; c < dp; c += MR)
				ISA(tile_packed)(nv, ldv, keys, v + i * ldv + c, st, NR, ot + c * NR, NR, i > first);
		}
		for (int64_t j = 0; j < n; j++) {
			lse[b + j] = sum[j] > 0 ? LN2 * (top[j] + log2f(sum[j])) : (sum[j] == 0 ? -INFINITY : NAN);
			fix[j] = sum[j] == 0 ? 0 : 1 / sum[j];
		}
		ISA(scale_columns)(nv, dp, ot, fix);
		ISA(transpose)(ot, NR, d, n, o + b * h->ldo, h->ldo, 1);
	}
}

// The weights w (q1 - q0, tk) of queries q0 <= i < q1, before dropout, from what
// attention left in lse.
void ISA(attention_weights)(const attune_head *h, const float *q, const float *k, const float *bias,
	const float *lse, float *w, float *ws)
{
	int64_t d = h->d, base, end;
	float *kt = ws, *qt = kt + up(h->tk, MR) * d, *st = qt + d * NR, *tmp = st + BK * NR, *lse2 = tmp + BK * NR;
	memset(w, 0, sizeof(float) * (h->q1 - h->q0) * h->tk);
	ISA(seen)(h, h->q0, h->q1 - h->q0, &base, &end);
	if (base >= end) return;
	ISA(pack)(k + base * h->ldk, h->ldk, end - base, d, kt, MR);
	for (int64_t b = h->q0; b < h->q1; b += NR) {
		int64_t n = lesser(NR, h->q1 - b), first, last;
		int nv = (int)((n + VL - 1) / VL);
		ISA(seen)(h, b, n, &first, &last);
		ISA(take_queries)(h, q, b, n, qt);
		// A row that sees nothing has weights 0: exp2(s - Inf).
		for (int64_t j = 0; j < NR; j++) lse2[j] = j < n && lse[b + j] != -INFINITY ? lse[b + j] * LOG2E : INFINITY;
		for (int64_t i = first; i < last; i += BK) {
			int64_t keys = lesser(BK, last - i);
			ISA(scores)(h, b, n, i, keys, kt + (i - base) * d, qt, bias, st, tmp);
			for (int64_t r = 0; r < keys; r++)
				for (int j = 0; j < nv; j++) {
					float *s = st + r * NR + j * VL;
					VSTORE(s, ISA(exp2_low)(VSUB(VLOAD(s), VLOAD(lse2 + j * VL))));
				}
			ISA(transpose)(st, NR, keys, n, w + (b - h->q0) * h->tk + i, h->tk, 1);
		}
	}
}
