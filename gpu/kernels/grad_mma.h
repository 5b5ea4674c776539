// One row of a fragment of score gradients on tensor cores, for the kernels that need them.
#pragma once
#include "softmax.h"

// The columns lo … hi of a fragment's row keep their scores, the others get -Inf.
template <int HALF, int COLS> DEVICE void mask(float s[COLS / 8][4], int lo, int hi)
{
	UNROLL for (int n = 0; n < COLS / 8; n++)
		UNROLL for (int e = 0; e < 2; e++) {
			int c = n * 8 + 2 * (thread_x() % 4) + e;
			if (c < lo || c > hi) s[n][2 * HALF + e] = -INF;
		}
}

// One row of a fragment's weights and score gradients (HALF 0: row g, 1: row g + 8):
// s becomes P, g, which holds dP before dropout, becomes dS, before the scale. The row is
// query i and the columns are keys from j on, all of them seen where all is true. lse is
// in base 2.
template <int HALF, bool FULL, int COLS>
DEVICE void grad_row(const AttentionArgs &p, const Place &at, float s[COLS / 8][4], float g[COLS / 8][4], float lse, float delta, int i, int j, bool all)
{
	int t = thread_x() % 4;
	if (!FULL && !all) mask<HALF, COLS>(s, i + at.shift - at.left - j, lesser(at.tk - 1, i + at.shift + at.right) - j);
	UNROLL for (int n = 0; n < COLS / 8; n++) {
		if (FULL && p.drop) drop_pair(p, at, i, j + n * 8, t, g[n][2 * HALF], g[n][2 * HALF + 1]);
		UNROLL for (int e = 0; e < 2; e++) {
			float x = s[n][2 * HALF + e] * (p.scale * LOG2E), &y = g[n][2 * HALF + e];
			if (FULL) x = score(p, at, i, j + n * 8 + 2 * t + e, x);
			y = exp2_fast(x - lse) * (y - delta);
		}
	}
}
