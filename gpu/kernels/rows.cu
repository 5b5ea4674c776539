// Layers of whole rows: norms, softmax, losses. A warp does a row, reading it as often as
// it needs; what a row's sums are made of does not depend on the launch.
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

// y = (x - mean) rstd gain + bias
KERNEL norm(RowNormArgs p)
{
	i64 row = warp_row(), at = row * p.n;
	if (row >= p.rows) return;
	float mean = 0, square = 0;
	if (p.mean) {
		for (i64 j = lane(); j < p.n; j += 32) mean += load(p.x, at + j);
		mean = warp_sum(mean) / (float)p.n;
	}
	for (i64 j = lane(); j < p.n; j += 32) {
		float d = load(p.x, at + j) - mean;
		square += d * d;
	}
	float k = 1 / root(warp_sum(square) / (float)p.n + p.eps);
	for (i64 j = lane(); j < p.n; j += 32) {
		float v = (load(p.x, at + j) - mean) * k * load(p.gain, j);
		store(p.y, at + j, p.bias.at ? v + load(p.bias, j) : v);
	}
	if (lane()) return;
	if (p.mean) p.mean[row] = mean;
	p.rstd[row] = k;
}

// y += the gradient by x; bias is dy
KERNEL norm_grad(RowNormArgs p)
{
	i64 row = warp_row(), at = row * p.n;
	if (row >= p.rows) return;
	float mean = p.mean ? p.mean[row] : 0, k = p.rstd[row], s = 0, t = 0;
	for (i64 j = lane(); j < p.n; j += 32) {
		float d = load(p.bias, at + j) * load(p.gain, j);
		s += d;
		t += d * (load(p.x, at + j) - mean) * k;
	}
	s = p.mean ? warp_sum(s) / (float)p.n : 0;
	t = warp_sum(t) / (float)p.n;
	for (i64 j = lane(); j < p.n; j += 32) {
		float d = load(p.bias, at + j) * load(p.gain, j), hat = (load(p.x, at + j) - mean) * k;
		store(p.y, at + j, load(p.y, at + j) + k * (d - s - hat * t));
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

// The logarithm of a row's sum of exponentials, in every lane.
DEVICE float log_sum_exp(const Operand &x, i64 at, i64 n)
{
	float top = -INF, sum = 0;
	for (i64 j = lane(); j < n; j += 32) {
		float v = load(x, at + j);
		top = v > top ? v : top;
	}
	top = warp_max(top);
	float shift = top == -INF || top == INF ? 0 : top;
	for (i64 j = lane(); j < n; j += 32) sum += exp_fast(load(x, at + j) - shift);
	sum = warp_sum(sum);
	if (sum != sum) return sum;
	return top == -INF || top == INF ? top : top + log_fast(sum);
}

template <bool LOG> DEVICE void softmax(const LossArgs &p)
{
	i64 row = warp_row(), at = row * p.n;
	if (row >= p.rows) return;
	float lse = log_sum_exp(p.x, at, p.n);
	for (i64 j = lane(); j < p.n; j += 32) {
		float l = load(p.x, at + j) - lse;
		store(p.y, at + j, LOG ? l : exp_fast(l));
	}
}

KERNEL softmax_rows(LossArgs p) { softmax<false>(p); }
KERNEL log_softmax_rows(LossArgs p) { softmax<true>(p); }

// y += the gradient; x is what the softmax gave, t is dy
template <bool LOG> DEVICE void softmax_grad(const LossArgs &p)
{
	i64 row = warp_row(), at = row * p.n;
	if (row >= p.rows) return;
	float s = 0;
	for (i64 j = lane(); j < p.n; j += 32) s += (LOG ? 1 : load(p.x, at + j)) * load(p.t, at + j);
	s = warp_sum(s);
	for (i64 j = lane(); j < p.n; j += 32) {
		float v = load(p.x, at + j), g = load(p.t, at + j);
		store(p.y, at + j, load(p.y, at + j) + (LOG ? g - exp_fast(v) * s : v * (g - s)));
	}
}

KERNEL softmax_rows_grad(LossArgs p) { softmax_grad<false>(p); }
KERNEL log_softmax_rows_grad(LossArgs p) { softmax_grad<true>(p); }

KERNEL cross_entropy(LossArgs p)
{
	i64 row = warp_row(), at = row * p.n;
	if (row >= p.rows) return;
	float lse = log_sum_exp(p.x, at, p.n), loss = 0;
	if (!p.labels) {
		for (i64 j = lane(); j < p.n; j += 32) {
			float t = load(p.t, at + j);
			if (t != 0) loss += t * (lse - load(p.x, at + j));
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
	i64 row = warp_row(), at = row * p.n;
	if (row >= p.rows) return;
	float g = row_scale(p, row), total = 1, lse = p.lse[row];
	int label = p.labels ? p.labels[row] : -1;
	if (p.labels) {
		if (label < 0) return;
		if (label >= p.n) total = INF - INF;
	} else {
		total = 0;
		for (i64 j = lane(); j < p.n; j += 32) total += load(p.t, at + j);
		total = warp_sum(total);
	}
	for (i64 j = lane(); j < p.n; j += 32) {
		float t = p.labels ? (j == label ? 1 : 0) : load(p.t, at + j);
		store(p.y, at + j, load(p.y, at + j) + g * (total * exp_fast(load(p.x, at + j) - lse) - t));
	}
}

KERNEL pair_loss(LossArgs p)
{
	i64 row = warp_row(), at = row * p.n;
	if (row >= p.rows) return;
	float sum = 0;
	for (i64 j = lane(); j < p.n; j += 32) {
		float x = load(p.x, at + j), t = load(p.t, at + j), d = x - t, far = d < 0 ? -d : d, e = x < 0 ? x : -x;
		if (p.kind == SQUARED) sum += d * d;
		else if (p.kind == BINARY) sum += (x < 0 ? 0 : x) - x * t + log_fast(1 + exp_fast(e));
		else sum += far > p.delta ? p.delta * (far - p.delta / 2) : d * d / 2;
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
