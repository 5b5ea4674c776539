// Layers that touch each value once: elementwise functions, sums and spreads along an
// axis, the gather and scatter of embeddings, dropout. What each kind does stands at Op
// in gpu/host/each.go.
#include "layers.h"
#include "philox.h"

enum {
	FILL, SCALE, ADD_SCALED, MUL, ADD_MUL, RELU, RELU_GRAD, GELU, GELU_GRAD,
	SILU, SILU_GRAD, TANH, TANH_GRAD, SIGMOID, SIGMOID_GRAD
};

// As the launcher packs them.
struct EachArgs {
	Operand y, a, b;
	i64 n;
	float s, unused;
};

// y (outer, middle, inner), x and s of fewer axes; see each kernel.
struct AxisArgs {
	Operand y, x, b;
	i64 outer, middle, inner;
	i64 chunks, width; // of the middle axis; columns of a block
	float scale;
	int add;
};

struct RowArgs {
	Operand y, x;
	const int *ids;
	i64 count, vocabulary, n;
};

struct DropArgs {
	Operand y, x;
	i64 examples, n; // values of an example
	unsigned long long first;
	unsigned drop, seed0, seed1, op;
	float rest;
	int add;
};

// sqrt(2/pi) and the cube's share of gelu's tanh form.
#define GELU_ROOT 0.797884561f
#define GELU_CUBE 0.044715f

DEVICE float gate(float x) { return sigmoid(2 * GELU_ROOT * x * (1 + GELU_CUBE * x * x)); }

DEVICE float gelu_slope(float x)
{
	float s = gate(x);
	return s + x * s * (1 - s) * 2 * GELU_ROOT * (1 + 3 * GELU_CUBE * x * x);
}

DEVICE float silu_slope(float x)
{
	float s = sigmoid(x);
	return s + x * s * (1 - s);
}

// Near 0, where 2 sigmoid(2x) - 1 cancels, Taylor's series to the seventh power.
DEVICE float tanh_of(float x)
{
	float x2 = x * x;
	if (x2 < 0.04f) return x + x * x2 * (-1.0f / 3 + x2 * (2.0f / 15 - x2 * (17.0f / 315)));
	return 2 * sigmoid(2 * x) - 1;
}

template <int OP> DEVICE float value(float y, float a, float b, float s)
{
	switch (OP) {
	case FILL: return s;
	case SCALE: return s * a;
	case ADD_SCALED: return y + s * a;
	case MUL: return a * b;
	case ADD_MUL: return y + a * b;
	case RELU: return a < 0 ? 0 : a; // NaN stays NaN
	case RELU_GRAD: return y + (a > 0 ? b : 0);
	case GELU: return a * gate(a);
	case GELU_GRAD: return y + b * gelu_slope(a);
	case SILU: return a * sigmoid(a);
	case SILU_GRAD: return y + b * silu_slope(a);
	case TANH: return tanh_of(a);
	case TANH_GRAD: return y + b * (1 - a * a);
	case SIGMOID: return sigmoid(a);
	default: return y + b * a * (1 - a);
	}
}

template <bool HALVES> DEVICE float get(const Operand &o, i64 i) { return HALVES ? load(o, i) : ((const float *)o.at)[i]; }

template <int OP, bool HALVES> DEVICE void each(const EachArgs &p)
{
	const bool one = OP != FILL, two = OP == MUL || OP == ADD_MUL || OP == RELU_GRAD || OP == GELU_GRAD || OP == SILU_GRAD || OP == TANH_GRAD || OP == SIGMOID_GRAD;
	const bool adds = OP == ADD_SCALED || two && OP != MUL;
	i64 i = (i64)block_x() * ELEMENTS + 4 * thread_x();
	float a[4] = {}, b[4] = {}, y[4] = {};
	if (i + 4 <= p.n && even(p.y) && even(p.a) && even(p.b)) {
		if (one) load4<HALVES>(p.a, i, a);
		if (two) load4<HALVES>(p.b, i, b);
		if (adds) load4<HALVES>(p.y, i, y);
		UNROLL for (int e = 0; e < 4; e++) y[e] = value<OP>(y[e], a[e], b[e], p.s);
		store4<HALVES>(p.y, i, y);
		return;
	}
	UNROLL_BY(1) for (i64 last = i + 4 < p.n ? i + 4 : p.n; i < last; i++) {
		float v = value<OP>(adds ? get<HALVES>(p.y, i) : 0, one ? get<HALVES>(p.a, i) : 0, two ? get<HALVES>(p.b, i) : 0, p.s);
		if (HALVES) store(p.y, i, v);
		else ((float *)p.y.at)[i] = v;
	}
}

// y (outer, inner) = x (outer, inner) + b (inner)
KERNEL add_bias(AxisArgs p)
{
	UNROLL_BY(1) for (int e = 0; e < ELEMENTS; e += THREADS) {
		i64 i = (i64)block_x() * ELEMENTS + e + thread_x();
		if (i >= p.outer * p.inner) return;
		store(p.y, i, load(p.x, i) + load(p.b, i % p.inner));
	}
}

// y (outer, middle, inner) += scale * x (outer, inner)
KERNEL spread(AxisArgs p)
{
	UNROLL_BY(1) for (int e = 0; e < ELEMENTS; e += THREADS) {
		i64 i = (i64)block_x() * ELEMENTS + e + thread_x();
		if (i >= p.outer * p.middle * p.inner) return;
		i64 from = i / (p.middle * p.inner) * p.inner + i % p.inner;
		store(p.y, i, load(p.y, i) + p.scale * load(p.x, from));
	}
}

// y (outer, chunks, inner) = or += scale * the sums over chunks of the middle axis of x
// (outer, middle, inner). A block does one chunk of width columns, a power of two up to
// 32; its threads walk THREADS / width elements of the middle axis at once.
KERNEL sum_axis(AxisArgs p)
{
	SHARED float part[THREADS];
	i64 tiles = (p.inner + p.width - 1) / p.width, tile = block_x() % tiles, chunk = block_x() / tiles % p.chunks, o = block_x() / tiles / p.chunks;
	int width = (int)p.width, lanes = THREADS / width;
	i64 column = tile * width + thread_x() % width, length = (p.middle + p.chunks - 1) / p.chunks;
	i64 end = (chunk + 1) * length < p.middle ? (chunk + 1) * length : p.middle;
	float sum = 0;
	if (column < p.inner)
		UNROLL_BY(4) for (i64 m = chunk * length + thread_x() / width; m < end; m += lanes)
			sum += load(p.x, (o * p.middle + m) * p.inner + column);
	part[thread_x()] = sum;
	for (int half = lanes / 2; half > 0; half /= 2) {
		barrier(); // both halves are there
		if (thread_x() < half * width) part[thread_x()] += part[thread_x() + half * width];
	}
	if (thread_x() >= width || column >= p.inner) return;
	i64 to = (o * p.chunks + chunk) * p.inner + column;
	float v = p.scale * part[thread_x()];
	store(p.y, to, p.add ? load(p.y, to) + v : v);
}

// y (count, n) = the rows of x (vocabulary, n) at ids, NaN for others; both of one type.
template <class T> DEVICE void gather(const RowArgs &p)
{
	UNROLL_BY(1) for (int e = 0; e < ELEMENTS; e += THREADS) {
		i64 i = (i64)block_x() * ELEMENTS + e + thread_x();
		if (i >= p.count * p.n) return;
		int id = p.ids[i / p.n];
		((T *)p.y.at)[i] = id >= 0 && id < p.vocabulary ? ((const T *)p.x.at)[id * p.n + i % p.n] : (T)~(T)0;
	}
}

KERNEL gather_b16(RowArgs p) { gather<u16>(p); }
KERNEL gather_b32(RowArgs p) { gather<unsigned>(p); }

// gather from one floating-point type to another
KERNEL gather_as(RowArgs p)
{
	UNROLL_BY(1) for (int e = 0; e < ELEMENTS; e += THREADS) {
		i64 i = (i64)block_x() * ELEMENTS + e + thread_x();
		if (i >= p.count * p.n) return;
		int id = p.ids[i / p.n];
		store(p.y, i, id >= 0 && id < p.vocabulary ? load(p.x, id * p.n + i % p.n) : INF - INF);
	}
}

// y (vocabulary, n) += the rows of x (count, n) at ids, in the order of ids. A block does
// one row of y: it looks through all ids, SEEN at a time, so that no two blocks write one
// place.
#define SEEN (4 * THREADS)

KERNEL scatter(RowArgs p)
{
	SHARED int ids[SEEN];
	SHARED int any[4];
	i64 row = block_x();
	for (i64 at = 0; at < p.count; at += SEEN) {
		if (thread_x() < 4) any[thread_x()] = 0;
		barrier(); // nothing is marked, and all have done with the ids before
		UNROLL for (int k = 0; k < 4; k++) {
			i64 i = at + k * THREADS + thread_x();
			int id = ids[k * THREADS + thread_x()] = i < p.count ? p.ids[i] : -1;
			if (id == row) any[k] = 1;
		}
		barrier(); // the ids and the marks are there
		for (int k = 0; k < 4; k++) {
			if (!any[k]) continue;
			for (int j = k * THREADS; j < (k + 1) * THREADS; j++)
				if (ids[j] == row)
					for (i64 c = thread_x(); c < p.n; c += THREADS)
						store(p.y, row * p.n + c, load(p.y, row * p.n + c) + load(p.x, (at + j) * p.n + c));
		}
		barrier(); // all have read the marks
	}
}

// y (examples, n) = or += x where Philox leaves it, times rest. A thread does the eight
// values that one counter is for.
KERNEL dropout(DropArgs p)
{
	i64 groups = (p.n + 7) / 8, g = (i64)block_x() * THREADS + thread_x();
	if (g >= p.examples * groups) return;
	unsigned long long example = p.first + g / groups;
	unsigned c[4] = {(unsigned)(g % groups), (unsigned)example, p.op, (unsigned)(example >> 32) << 1 | 1};
	philox(c, p.seed0, p.seed1);
	i64 from = g / groups * p.n, end = from + p.n, at = from + g % groups * 8;
	bool whole = p.n % 8 == 0 && even(p.x) && even(p.y);
	UNROLL for (int n = 0; n < 8; n += 4) {
		float x[4] = {}, y[4] = {-0.0f, -0.0f, -0.0f, -0.0f}; // a sum with it is the other, -0 too
		if (whole) {
			load4<true>(p.x, at + n, x);
			if (p.add) load4<true>(p.y, at + n, y);
		} else {
			UNROLL for (int e = 0; e < 4; e++)
				if (at + n + e < end) x[e] = load(p.x, at + n + e), y[e] = p.add ? load(p.y, at + n + e) : y[e];
		}
		UNROLL for (int e = 0; e < 4; e++) y[e] += (c[(n + e) / 2] >> e % 2 * 16 & 0xffff) < p.drop ? 0 : p.rest * x[e];
		if (whole) {
			store4<true>(p.y, at + n, y);
			continue;
		}
		UNROLL for (int e = 0; e < 4; e++)
			if (at + n + e < end) store(p.y, at + n + e, y[e]);
	}
}

// The number is the kind, as host.Op; h is for tensors in half precision.
KERNEL each_0(EachArgs p) { each<FILL, false>(p); }
KERNEL each_0h(EachArgs p) { each<FILL, true>(p); }
KERNEL each_1(EachArgs p) { each<SCALE, false>(p); }
KERNEL each_1h(EachArgs p) { each<SCALE, true>(p); }
KERNEL each_2(EachArgs p) { each<ADD_SCALED, false>(p); }
KERNEL each_2h(EachArgs p) { each<ADD_SCALED, true>(p); }
KERNEL each_3(EachArgs p) { each<MUL, false>(p); }
KERNEL each_3h(EachArgs p) { each<MUL, true>(p); }
KERNEL each_4(EachArgs p) { each<ADD_MUL, false>(p); }
KERNEL each_4h(EachArgs p) { each<ADD_MUL, true>(p); }
KERNEL each_5(EachArgs p) { each<RELU, false>(p); }
KERNEL each_5h(EachArgs p) { each<RELU, true>(p); }
KERNEL each_6(EachArgs p) { each<RELU_GRAD, false>(p); }
KERNEL each_6h(EachArgs p) { each<RELU_GRAD, true>(p); }
KERNEL each_7(EachArgs p) { each<GELU, false>(p); }
KERNEL each_7h(EachArgs p) { each<GELU, true>(p); }
KERNEL each_8(EachArgs p) { each<GELU_GRAD, false>(p); }
KERNEL each_8h(EachArgs p) { each<GELU_GRAD, true>(p); }
KERNEL each_9(EachArgs p) { each<SILU, false>(p); }
KERNEL each_9h(EachArgs p) { each<SILU, true>(p); }
KERNEL each_10(EachArgs p) { each<SILU_GRAD, false>(p); }
KERNEL each_10h(EachArgs p) { each<SILU_GRAD, true>(p); }
KERNEL each_11(EachArgs p) { each<TANH, false>(p); }
KERNEL each_11h(EachArgs p) { each<TANH, true>(p); }
KERNEL each_12(EachArgs p) { each<TANH_GRAD, false>(p); }
KERNEL each_12h(EachArgs p) { each<TANH_GRAD, true>(p); }
KERNEL each_13(EachArgs p) { each<SIGMOID, false>(p); }
KERNEL each_13h(EachArgs p) { each<SIGMOID, true>(p); }
KERNEL each_14(EachArgs p) { each<SIGMOID_GRAD, false>(p); }
KERNEL each_14h(EachArgs p) { each<SIGMOID_GRAD, true>(p); }
