// The arguments of the matrix products, as the launcher packs them: 8 bytes a field,
// in this order.
#pragma once
#include "attention.h"

// C (m, n) = or += A (m, k) B (k, n), then + bias (n). Strides are in elements; C's
// columns lie side by side.
struct GemmArgs {
	void *c;
	const void *a, *b, *bias; // bias of C's type, or null
	i64 m, n, k;
	i64 c_row, a_row, a_col, b_row, b_col;
	i64 add, across; // blocks along n
	i64 wide;        // C and bias are float32, whatever A and B are
};

// Element (i, j) of C gets x.
template <class C> DEVICE void put(const GemmArgs &p, int i, int j, float x)
{
	if (i >= p.m || j >= p.n) return;
	C *c = (C *)p.c + i * p.c_row + j;
	if (p.bias) x += load(((const C *)p.bias)[j]);
	if (p.add) x += load(*c);
	store(c, x);
}
