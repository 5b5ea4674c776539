// The online softmax on the fragments of tensor cores (mma.h; wgmma.h has the same
// ones, four warps beside each other): a lane holds pairs of columns of rows g and
// g + 8.
#pragma once
#include "mma.h"

// Whether every one of the queries i … i+rows-1 sees every key of a tile.
DEVICE bool whole(const AttentionArgs &p, const Place &at, int i, int rows, int j, int cols)
{
	int first = i + at.shift;
	return j + cols <= at.tk && j + cols - 1 <= first + at.right && j >= first + rows - 1 - at.left;
}

// The scores of one row of a fragment (HALF 0: row g, 1: row g + 8), query i, of the keys
// j … j+COLS-1: -Inf for those that it does not see, unless all are seen. The largest
// comes back, in base 2.
template <int HALF, bool FULL, int COLS>
DEVICE float largest_score(const AttentionArgs &p, const Place &at, float s[COLS / 8][4], int i, int j, bool all)
{
	int t = thread_x() % 4;
	if (FULL) {
		UNROLL for (int n = 0; n < COLS / 8; n++)
			UNROLL for (int e = 0; e < 2; e++) {
				float &x = s[n][2 * HALF + e];
				x = score(p, at, i, j + n * 8 + 2 * t + e, x * (p.scale * LOG2E));
			}
	} else if (!all) {
		// The columns lo … hi of the tile are seen, in a wide one reckoned from this lane's
		// first on: a comparison with constants takes no registers for columns.
		int own = 2 * t, from = COLS > 64 ? own : 0;
		int lo = i + at.shift - at.left - j - from, hi = lesser(at.tk - 1, i + at.shift + at.right) - j - from;
		UNROLL for (int n = 0; n < COLS / 8; n++)
			UNROLL for (int e = 0; e < 2; e++) {
				int c = n * 8 + e + own - from;
				if (c < lo || c > hi) s[n][2 * HALF + e] = -INF;
			}
	}
	float m = -INF;
	UNROLL for (int n = 0; n < COLS / 8; n++)
		UNROLL for (int e = 0; e < 2; e++) m = greater(m, s[n][2 * HALF + e]);
	return row_max<4>(m) * (FULL ? 1 : p.scale * LOG2E);
}

// The row's weights by a top, in place of its scores; this lane's share of their sum
// comes back.
template <int HALF, bool FULL, int COLS>
DEVICE float weigh(const AttentionArgs &p, const Place &at, float s[COLS / 8][4], float top, int i, int j)
{
	// With no key in sight yet the top is -Inf; 0 keeps Inf - Inf out.
	float part = 0, scale = FULL ? 1 : p.scale * LOG2E, safe = top == -INF ? 0 : top;
	UNROLL for (int n = 0; n < COLS / 8; n++) {
		float &x = s[n][2 * HALF], &y = s[n][2 * HALF + 1];
		x = exp2_fast(x * scale - safe), y = exp2_fast(y * scale - safe);
		part += x + y;
	}
	if (FULL && p.drop) {
		UNROLL for (int n = 0; n < COLS / 8; n++) drop_pair(p, at, i, j + n * 8, thread_x() % 4, s[n][2 * HALF], s[n][2 * HALF + 1]);
	}
	return part;
}

// One step of the online softmax for one row: s becomes the weights; what earlier ones,
// and what they were multiplied with, are to be multiplied by comes back.
template <int HALF, bool FULL, int COLS>
DEVICE float online(const AttentionArgs &p, const Place &at, float s[COLS / 8][4], float &top, float &sum, int i, int j, bool all)
{
	float m = greater(largest_score<HALF, FULL, COLS>(p, at, s, i, j, all), top), fix = exp2_fast(top - (m == -INF ? 0 : m));
	top = m;
	sum = sum * fix + weigh<HALF, FULL, COLS>(p, at, s, m, i, j);
	return fix;
}

template <int HALF, int D> DEVICE void rescale(float out[D / 8][4], float fix)
{
	UNROLL for (int n = 0; n < D / 8; n++) out[n][2 * HALF] *= fix, out[n][2 * HALF + 1] *= fix;
}

// One step for both rows of a fragment, with the sums of values in out. The tops are
// raised where a score of the warp's lies more than RAISE above its own, and nothing is
// rescaled while none does: weights are then up to 2^RAISE, which costs no precision.
#define RAISE 8
template <bool FULL, int COLS, int D>
DEVICE void online_rows(const AttentionArgs &p, const Place &at, float s[COLS / 8][4], float out[D / 8][4], float top[2], float sum[2], int i, int j, bool all)
{
	float m0 = largest_score<0, FULL, COLS>(p, at, s, i, j, all), m1 = largest_score<1, FULL, COLS>(p, at, s, i + 8, j, all);
	if (any_lane(m0 > top[0] + RAISE || m1 > top[1] + RAISE)) {
		m0 = greater(m0, top[0]), m1 = greater(m1, top[1]);
		float fix0 = exp2_fast(top[0] - (m0 == -INF ? 0 : m0)), fix1 = exp2_fast(top[1] - (m1 == -INF ? 0 : m1));
		top[0] = m0, top[1] = m1;
		sum[0] *= fix0, sum[1] *= fix1;
		rescale<0, D>(out, fix0), rescale<1, D>(out, fix1);
	}
	sum[0] += weigh<0, FULL, COLS>(p, at, s, top[0], i, j);
	sum[1] += weigh<1, FULL, COLS>(p, at, s, top[1], i + 8, j);
}

// One row of a fragment's results, divided by the row's sum.
template <int HALF, class E, int D>
DEVICE void finish(const AttentionArgs &p, const Place &at, const float out[D / 8][4], float top, float sum, int i)
{
	int t = thread_x() % 4;
	float l = row_sum<4>(sum), x = l == 0 ? 0 : 1 / l;
	if (i >= at.tq) return;
	E *o = rows_of<E>(p.o, at.b, at.h, at.q0) + i * p.o.row;
	UNROLL for (int n = 0; n < D / 8; n++)
		if (n * 8 < p.d) *(u32 *)(o + n * 8 + 2 * t) = pair(E(), out[n][2 * HALF] * x, out[n][2 * HALF + 1] * x);
	if (t == 0) lse_of(p, at)[i] = l > 0 ? (top + log2_fast(l)) * LN2 : (l == 0 ? -INF : l);
}
