// Layers of whole rows: norms, softmax, losses. A warp does a row, reading it as often as
// it needs, 128 values at a time; what a row's sums are made of does not depend on the
// launch.
#include "layers.h"

// As the launcher packs them; rows have n values.
struct RowNormArgs {
	Operand y, x, gain, bias; // of the gradient: dx, x, gain, dy
	float *mean, *rstd;       // mean is null for RMSNorm
	float *part;              // of norm_params: (2, chunks, n)
	i64 rows, n, chunks;
	float eps, unused;
};

struct LossArgs {
	Operand y, x, t; // t: targets, or dy, or null
	const int *labels;
	float *loss, *lse;
	const float *by; // the gradient by the losses, of so many values
	i64 count, rows, n;
	float scale, delta;
	i64 kind;
};

enum { SQUARED, BINARY, HUBER };

DEVICE bool even(i64 n, const Operand &a, const Operand &b, const Operand &c) { return n % 4 == 0 && even(a) && even(b) && even(c); }

// y = (x - mean) rstd gain + bias
KERNEL norm(RowNormArgs p)
{
	i64 row = warp_row();
	if (row >= p.rows) return;
	Walk w = {row * p.n, p.n, even(p.n, p.x, p.y, p.gain) && even(p.bias)};
	float mean = 0, square = 0;
	if (p.mean) {
		UNROLL_BY(2) for (i64 j = 0; j < p.n; j += 128) {
			float x[4];
			w.load_row(p.x, j, x);
			mean += (x[0] + x[1]) + (x[2] + x[3]);
		}
		mean = warp_sum(mean) / (float)p.n;
	}
	UNROLL_BY(2) for (i64 j = 0; j < p.n; j += 128) {
		float x[4];
		w.load_row(p.x, j, x);
		UNROLL for (int e = 0; e < 4; e++) square += w.has(j, e) ? (x[e] - mean) * (x[e] - mean) : 0;
	}
	float k = 1 / root(warp_sum(square) / (float)p.n + p.eps);
	UNROLL_BY(1) for (i64 j = 0; j < p.n; j += 128) {
		float x[4], gain[4], bias[4] = {};
		w.load_row(p.x, j, x);
		w.load_shared(p.gain, j, gain);
		if (p.bias.at) w.load_shared(p.bias, j, bias);
		UNROLL for (int e = 0; e < 4; e++) x[e] = (x[e] - mean) * k * gain[e] + bias[e];
		w.store_row(p.y, j, x);
	}
	if (lane()) return;
	if (p.mean) p.mean[row] = mean;
	p.rstd[row] = k;
}

// y += the gradient by x; bias is dy
KERNEL norm_grad(RowNormArgs p)
{
	i64 row = warp_row();
	if (row >= p.rows) return;
	Walk w = {row * p.n, p.n, even(p.n, p.x, p.y, p.gain) && even(p.bias)};
	float mean = p.mean ? p.mean[row] : 0, k = p.rstd[row], s = 0, t = 0, d[4], gain[4], x[4], y[4];
	UNROLL_BY(1) for (i64 j = 0; j < p.n; j += 128) {
		w.load_row(p.bias, j, d);
		w.load_shared(p.gain, j, gain);
		w.load_row(p.x, j, x);
		UNROLL for (int e = 0; e < 4; e++) {
			float g = d[e] * gain[e];
			s += g;
			t += g * (x[e] - mean) * k;
		}
	}
	s = p.mean ? warp_sum(s) / (float)p.n : 0;
	t = warp_sum(t) / (float)p.n;
	UNROLL_BY(1) for (i64 j = 0; j < p.n; j += 128) {
		w.load_row(p.bias, j, d);
		w.load_shared(p.gain, j, gain);
		w.load_row(p.x, j, x);
		w.load_row(p.y, j, y);
		UNROLL for (int e = 0; e < 4; e++) y[e] += k * (d[e] * gain[e] - s - (x[e] - mean) * k * t);
		w.store_row(p.y, j, y);
	}
}

// The sums over chunks of the rows that the gradients by gain and bias are made of: part
// (2, chunks, n). A block does 32 columns of one chunk; bias is dy.
KERNEL norm_params(RowNormArgs p)
{
	SHARED float gains[THREADS], biases[THREADS];
	i64 tiles = (p.n + 31) / 32, column = block_x() % tiles * 32 + lane(), chunk = block_x() / tiles;
	i64 length = (p.rows + p.chunks - 1) / p.chunks, end = (chunk + 1) * length < p.rows ? (chunk + 1) * length : p.rows;
	float g = 0, b = 0;
	if (column < p.n)
		for (i64 row = chunk * length + thread_x() / 32; row < end; row += WARPS) {
			float d = load(p.bias, row * p.n + column), mean = p.mean ? p.mean[row] : 0;
			g += d * (load(p.x, row * p.n + column) - mean) * p.rstd[row];
			b += d;
		}
	gains[thread_x()] = g;
	biases[thread_x()] = b;
	for (int half = THREADS / 2; half >= 32; half /= 2) {
		barrier(); // both halves are there
		if (thread_x() < half) gains[thread_x()] += gains[thread_x() + half], biases[thread_x()] += biases[thread_x() + half];
	}
	if (thread_x() >= 32 || column >= p.n) return;
	p.part[chunk * p.n + column] = gains[thread_x()];
	p.part[(p.chunks + chunk) * p.n + column] = biases[thread_x()];
}

// exp(from - to) for tops of sums of exponentials; what is under no top is nothing.
DEVICE float fall(float from, float to) { return from == -INF || to == INF ? (from == INF ? 1 : 0) : exp_fast(from - to); }

// The logarithm of a row's sum of exponentials, in every lane. A lane keeps the largest
// value so far and the sum beside it.
DEVICE float log_sum_exp(const Operand &o, const Walk &w)
{
	float top = -INF, sum = 0;
	UNROLL_BY(2) for (i64 j = 0; j < w.n; j += 128) {
		float x[4], now = top;
		w.load_row(o, j, x);
		UNROLL for (int e = 0; e < 4; e++) {
			if (!w.has(j, e)) x[e] = -INF;
			now = x[e] > now ? x[e] : now;
		}
		sum *= fall(top, now);
		top = now;
		float shift = top == -INF || top == INF ? 0 : top;
		UNROLL for (int e = 0; e < 4; e++) sum += exp_fast(x[e] - shift);
	}
	float all = warp_max(top);
	sum = warp_sum(sum * fall(top, all));
	if (sum != sum) return sum;
	return all == -INF || all == INF ? all : all + log_fast(sum);
}

template <bool LOG> DEVICE void softmax(const LossArgs &p)
{
	i64 row = warp_row();
	if (row >= p.rows) return;
	Walk w = {row * p.n, p.n, even(p.n, p.x, p.y, p.y)};
	float lse = log_sum_exp(p.x, w), x[4];
	UNROLL_BY(1) for (i64 j = 0; j < p.n; j += 128) {
		w.load_row(p.x, j, x);
		UNROLL for (int e = 0; e < 4; e++) x[e] = LOG ? x[e] - lse : exp_fast(x[e] - lse);
		w.store_row(p.y, j, x);
	}
}

KERNEL softmax_rows(LossArgs p) { softmax<false>(p); }
KERNEL log_softmax_rows(LossArgs p) { softmax<true>(p); }

// y += the gradient; x is what the softmax gave, t is dy
template <bool LOG> DEVICE void softmax_grad(const LossArgs &p)
{
	i64 row = warp_row();
	if (row >= p.rows) return;
	Walk w = {row * p.n, p.n, even(p.n, p.x, p.y, p.t)};
	float s = 0, v[4], g[4], y[4];
	UNROLL_BY(1) for (i64 j = 0; j < p.n; j += 128) {
		if (!LOG) w.load_row(p.x, j, v);
		w.load_row(p.t, j, g);
		UNROLL for (int e = 0; e < 4; e++) s += (LOG ? 1 : v[e]) * g[e];
	}
	s = warp_sum(s);
	UNROLL_BY(1) for (i64 j = 0; j < p.n; j += 128) {
		w.load_row(p.x, j, v);
		w.load_row(p.t, j, g);
		w.load_row(p.y, j, y);
		UNROLL for (int e = 0; e < 4; e++) y[e] += LOG ? g[e] - exp_fast(v[e]) * s : v[e] * (g[e] - s);
		w.store_row(p.y, j, y);
	}
}

KERNEL softmax_rows_grad(LossArgs p) { softmax_grad<false>(p); }
KERNEL log_softmax_rows_grad(LossArgs p) { softmax_grad<true>(p); }

KERNEL cross_entropy(LossArgs p)
{
	i64 row = warp_row(), at = row * p.n;
	if (row >= p.rows) return;
	Walk w = {at, p.n, even(p.n, p.x, p.t, p.t)};
	float lse = log_sum_exp(p.x, w), loss = 0;
	if (!p.labels) {
		UNROLL_BY(1) for (i64 j = 0; j < p.n; j += 128) {
			float x[4], t[4];
			w.load_row(p.x, j, x);
			w.load_row(p.t, j, t);
			UNROLL for (int e = 0; e < 4; e++) loss += t[e] != 0 ? t[e] * (lse - x[e]) : 0;
		}
		loss = warp_sum(loss);
	}
	if (lane()) return;
	p.lse[row] = lse;
	if (p.labels) {
		int label = p.labels[row];
		loss = label < 0 ? 0 : label >= p.n ? INF - INF : lse - load(p.x, at + label);
	}
	p.loss[row] = loss;
}

// What a row's gradient is multiplied with.
DEVICE float row_scale(const LossArgs &p, i64 row) { return p.count == 0 ? p.scale : p.scale * p.by[p.count == 1 ? 0 : row]; }

KERNEL cross_entropy_grad(LossArgs p)
{
	i64 row = warp_row();
	if (row >= p.rows) return;
	Walk w = {row * p.n, p.n, even(p.n, p.x, p.y, p.t)};
	float g = row_scale(p, row), total = 1, lse = p.lse[row], x[4], y[4], t[4];
	int label = p.labels ? p.labels[row] : -1;
	if (p.labels) {
		if (label < 0) return;
		if (label >= p.n) total = INF - INF;
	} else {
		total = 0;
		UNROLL_BY(2) for (i64 j = 0; j < p.n; j += 128) {
			w.load_row(p.t, j, t);
			total += (t[0] + t[1]) + (t[2] + t[3]);
		}
		total = warp_sum(total);
	}
	UNROLL_BY(1) for (i64 j = 0; j < p.n; j += 128) {
		w.load_row(p.x, j, x);
		w.load_row(p.y, j, y);
		UNROLL for (int e = 0; e < 4; e++) t[e] = w.place(j, e) == label ? 1 : 0;
		if (!p.labels) w.load_row(p.t, j, t);
		UNROLL for (int e = 0; e < 4; e++) y[e] += g * (total * exp_fast(x[e] - lse) - t[e]);
		w.store_row(p.y, j, y);
	}
}

KERNEL pair_loss(LossArgs p)
{
	i64 row = warp_row();
	if (row >= p.rows) return;
	Walk w = {row * p.n, p.n, even(p.n, p.x, p.t, p.t)};
	float sum = 0;
	UNROLL_BY(1) for (i64 j = 0; j < p.n; j += 128) {
		float xs[4], ts[4];
		w.load_row(p.x, j, xs);
		w.load_row(p.t, j, ts);
		UNROLL for (int n = 0; n < 4; n++) {
			if (!w.has(j, n)) continue;
			float x = xs[n], t = ts[n], d = x - t, far = d < 0 ? -d : d, e = x < 0 ? x : -x;
			if (p.kind == SQUARED) sum += d * d;
			else if (p.kind == BINARY) sum += (x < 0 ? 0 : x) - x * t + log_fast(1 + exp_fast(e));
			else sum += far > p.delta ? p.delta * (far - p.delta / 2) : d * d / 2;
		}
	}
	sum = warp_sum(sum) / (float)p.n;
	if (lane() == 0) p.loss[row] = sum;
}

KERNEL pair_loss_grad(LossArgs p)
{
	UNROLL_BY(1) for (int e = 0; e < ELEMENTS; e += THREADS) {
		i64 i = (i64)block_x() * ELEMENTS + e + thread_x();
		if (i >= p.rows * p.n) return;
		float x = load(p.x, i), t = load(p.t, i), d = x - t;
		if (p.kind == SQUARED) d *= 2;
		else if (p.kind == BINARY) d = sigmoid(x) - t;
		else d = d < -p.delta ? -p.delta : d > p.delta ? p.delta : d;
		store(p.y, i, load(p.y, i) + row_scale(p, i / p.n) * d);
	}
}

// Whether value v at i goes before w at j: larger, or NaN, or the first of equals.
DEVICE bool before(float v, int i, float w, int j)
{
	bool nv = v != v, nw = w != w;
	if (nv || nw) return nv && (!nw || i < j);
	return v > w || (v == w && i < j);
}

// y (rows), of integers
KERNEL argmax(LossArgs p)
{
	i64 row = warp_row(), at = row * p.n;
	if (row >= p.rows) return;
	float best = -INF;
	int place = 0x7fffffff; // after all others
	for (i64 j = lane(); j < p.n; j += 32) {
		float v = load(p.x, at + j);
		if (before(v, (int)j, best, place)) best = v, place = (int)j;
	}
	UNROLL for (int mask = 16; mask; mask /= 2) {
		float v = shuffle_xor(best, mask);
		int i = (int)bits_of(shuffle_xor(of_bits((unsigned)place), mask));
		if (before(v, i, best, place)) best = v, place = i;
	}
	if (lane() == 0) ((int *)p.y.at)[row] = place;
}
