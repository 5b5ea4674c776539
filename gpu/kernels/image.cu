// Layers of images: convolution and its gradients as matrix products with what is
// gathered of the image, pooling, batch normalisation. The shapes stand at Conv, Pool and
// BatchNorm in gpu/host.
#include "layers.h"

#define SIDE 64
#define DEPTH 16
#define EACH (SIDE * DEPTH / THREADS)
#define LD (SIDE + 2) // two columns of DEPTH beside each other lie in all banks

// As the launcher packs them. A convolution in either direction: y (images, groups, m,
// th tw) = or += weights (m, k) times the columns (k, th tw) that are gathered from x
// (images, groups, k/(kh kw), sh, sw). Row (c, kh, kw), column (h, w) is channel c at
// ((h mul + off + kh step) / div, …), 0 where that is no place. Weight (r, k) lies at
// k / inner * outer + r * row + k % inner of a group's.
struct ConvArgs {
	Operand y, x, w, bias;
	float *part; // of conv_weights: (chunks, groups, m, k)
	i64 images, groups, m, k;
	i64 sh, sw, kh, kw, th, tw;
	i64 mul, div, off, step;
	i64 inner, outer, row, weights; // weights of a group
	i64 fill, chunks;
};

// A number in three digits, the lower two of which have bases: a place of the target is an
// image, a row and a column; a row k of the columns a channel and a place of the kernel.
struct Digits { int high, mid, low; };

DEVICE Digits digits(i64 x, i64 mid, i64 low)
{
	i64 rest = x / low;
	return {(int)(rest / mid), (int)(rest % mid), (int)(x % low)};
}

// x += y, without a division.
DEVICE void add(Digits &x, const Digits &y, int mid, int low)
{
	x.low += y.low;
	int carry = x.low >= low;
	x.low -= carry ? low : 0;
	x.mid += y.mid + carry;
	carry = x.mid >= mid;
	x.mid -= carry ? mid : 0;
	x.high += y.high + carry;
}

// plane is the first of the place's image and group.
DEVICE float gather(const ConvArgs &p, i64 plane, const Digits &at, const Digits &k)
{
	int h = at.mid * (int)p.mul + (int)p.off + k.mid * (int)p.step, w = at.low * (int)p.mul + (int)p.off + k.low * (int)p.step;
	if (h < 0 || w < 0) return 0;
	if (p.div != 1) {
		if (h % (int)p.div || w % (int)p.div) return 0;
		h /= (int)p.div, w /= (int)p.div;
	}
	if (h >= p.sh || w >= p.sw) return 0;
	return load(p.x, ((plane + k.high) * p.sh + h) * p.sw + w);
}

// sum[i][j] += the products of a block's tiles, a thread's 4 by 4 of them.
DEVICE void multiply(float (&sum)[4][4], const float *as, const float *bs)
{
	int row = thread_x() / 16 * 4, col = thread_x() % 16;
	UNROLL_BY(4) for (int k = 0; k < DEPTH; k++) {
		float x[4], y[4];
		UNROLL for (int e = 0; e < 4; e++) x[e] = as[k * LD + row + e], y[e] = bs[k * LD + col + 16 * e];
		UNROLL for (int i = 0; i < 4; i++)
			UNROLL for (int j = 0; j < 4; j++) sum[i][j] += x[i] * y[j];
	}
}

// A block does 64 channels at 64 places of all images.
KERNEL conv(ConvArgs p)
{
	SHARED float as[DEPTH * LD], bs[DEPTH * LD];
	i64 columns = p.th * p.tw, places = p.images * columns, across = (places + SIDE - 1) / SIDE, down = (p.m + SIDE - 1) / SIDE;
	i64 q0 = block_x() % across * SIDE, r0 = block_x() / across % down * SIDE, group = block_x() / across / down;
	i64 weights = group * p.weights, channels = p.k / (p.kh * p.kw);
	Digits at = digits(q0 + thread_x() % SIDE, p.th, p.tw), step = digits(DEPTH, p.kh, p.kw), tap[EACH];
	UNROLL for (int n = 0; n < EACH; n++) tap[n] = digits(thread_x() / SIDE + n * (THREADS / SIDE), p.kh, p.kw);
	i64 plane = (at.high * p.groups + group) * channels;
	float sum[4][4] = {};
	UNROLL_BY(1) for (int k0 = 0; k0 < p.k; k0 += DEPTH) {
		barrier(); // all have done with the tile before
		int k = k0 + thread_x() % DEPTH, r = (int)r0 + thread_x() / DEPTH;
		i64 from = weights + k / (int)p.inner * p.outer + k % (int)p.inner;
		UNROLL for (int n = 0; n < EACH; n++) {
			int row = r + n * (THREADS / DEPTH), deep = thread_x() / SIDE + n * (THREADS / SIDE);
			as[thread_x() % DEPTH * LD + row - (int)r0] = row < p.m && k < p.k ? load(p.w, from + row * p.row) : 0;
			bs[deep * LD + thread_x() % SIDE] = at.high < p.images && k0 + deep < p.k ? gather(p, plane, at, tap[n]) : 0;
			add(tap[n], step, (int)p.kh, (int)p.kw);
		}
		barrier(); // the tile is there
		multiply(sum, as, bs);
	}
	UNROLL for (int j = 0; j < 4; j++) {
		i64 q = q0 + thread_x() % 16 + 16 * j;
		UNROLL for (int i = 0; i < 4; i++) {
			i64 r = r0 + thread_x() / 16 * 4 + i;
			if (q >= places || r >= p.m) continue;
			i64 to = ((q / columns * p.groups + group) * p.m + r) * columns + q % columns;
			float before = !p.fill ? load(p.y, to) : p.bias.at ? load(p.bias, group * p.m + r) : 0;
			store(p.y, to, before + sum[i][j]);
		}
	}
}

// A chunk's part of the gradient by the weights: y's gradient (m, places), here p.y, times
// the columns turned. A block does 64 by 64 weights of a chunk of the places.
KERNEL conv_weights(ConvArgs p)
{
	SHARED float as[DEPTH * LD], bs[DEPTH * LD];
	i64 columns = p.th * p.tw, places = p.images * columns, across = (p.k + SIDE - 1) / SIDE, down = (p.m + SIDE - 1) / SIDE;
	i64 k0 = block_x() % across * SIDE, r0 = block_x() / across % down * SIDE, group = block_x() / across / down % p.groups;
	i64 chunk = block_x() / across / down / p.groups, length = (places + p.chunks - 1) / p.chunks;
	i64 end = (chunk + 1) * length < places ? (chunk + 1) * length : places;
	i64 channels = p.k / (p.kh * p.kw);
	float sum[4][4] = {};
	Digits at = digits(chunk * length + thread_x() % DEPTH, p.th, p.tw), step = digits(DEPTH, p.th, p.tw), tap[EACH];
	UNROLL for (int n = 0; n < EACH; n++) tap[n] = digits(k0 + thread_x() / DEPTH + n * (THREADS / DEPTH), p.kh, p.kw);
	UNROLL_BY(1) for (i64 q0 = chunk * length; q0 < end; q0 += DEPTH) {
		barrier(); // all have done with the tile before
		i64 plane = at.high * p.groups + group, from = (plane * p.m + r0) * columns + at.mid * p.tw + at.low;
		bool there = q0 + thread_x() % DEPTH < end;
		UNROLL for (int n = 0; n < EACH; n++) {
			int wide = thread_x() / DEPTH + n * (THREADS / DEPTH), to = thread_x() % DEPTH * LD + wide;
			as[to] = there && r0 + wide < p.m ? load(p.y, from + wide * columns) : 0;
			bs[to] = there && k0 + wide < p.k ? gather(p, plane * channels, at, tap[n]) : 0;
		}
		add(at, step, (int)p.th, (int)p.tw);
		barrier(); // the tile is there
		multiply(sum, as, bs);
	}
	UNROLL for (int i = 0; i < 4; i++)
		UNROLL for (int j = 0; j < 4; j++) {
			i64 r = r0 + thread_x() / 16 * 4 + i, k = k0 + thread_x() % 16 + 16 * j;
			if (r < p.m && k < p.k) p.part[((chunk * p.groups + group) * p.m + r) * p.k + k] = sum[i][j];
		}
}

struct PoolArgs {
	Operand y, x, dy; // y is what is written
	i64 planes, h, w, oh, ow;
	i64 kernel, stride, pad;
};

// The window of place (i, j).
struct Window { i64 h0, h1, w0, w1; };

DEVICE Window window(const PoolArgs &p, i64 i, i64 j)
{
	i64 h = i * p.stride - p.pad, w = j * p.stride - p.pad;
	return {h < 0 ? 0 : h, h + p.kernel < p.h ? h + p.kernel : p.h, w < 0 ? 0 : w, w + p.kernel < p.w ? w + p.kernel : p.w};
}

// The first place of the largest of a window, NaN taken for the largest.
DEVICE i64 largest(const PoolArgs &p, i64 plane, const Window &a)
{
	i64 best = (plane * p.h + a.h0) * p.w + a.w0;
	float top = load(p.x, best);
	for (i64 h = a.h0; h < a.h1; h++)
		for (i64 w = a.w0; w < a.w1; w++) {
			i64 i = (plane * p.h + h) * p.w + w;
			float v = load(p.x, i);
			if (v > top || (v != v && top == top)) top = v, best = i;
		}
	return best;
}

template <bool MAX> DEVICE void pool(const PoolArgs &p)
{
	UNROLL_BY(1) for (int e = 0; e < ELEMENTS; e += THREADS) {
		i64 i = (i64)block_x() * ELEMENTS + e + thread_x();
		if (i >= p.planes * p.oh * p.ow) return;
		i64 plane = i / (p.oh * p.ow);
		Window a = window(p, i / p.ow % p.oh, i % p.ow);
		if (MAX) {
			store(p.y, i, load(p.x, largest(p, plane, a)));
			continue;
		}
		float s = 0;
		for (i64 h = a.h0; h < a.h1; h++)
			for (i64 w = a.w0; w < a.w1; w++) s += load(p.x, (plane * p.h + h) * p.w + w);
		store(p.y, i, s / (float)(p.kernel * p.kernel));
	}
}

KERNEL max_pool(PoolArgs p) { pool<true>(p); }
KERNEL average_pool(PoolArgs p) { pool<false>(p); }

// The first window that has place h; it is i's for which i stride - pad + kernel > h.
DEVICE i64 first_window(const PoolArgs &p, i64 h)
{
	i64 past = h + p.pad - p.kernel + 1;
	return past <= 0 ? 0 : (past + p.stride - 1) / p.stride;
}

// Each place sums over the windows that have it: no two threads write one.
template <bool MAX> DEVICE void pool_grad(const PoolArgs &p)
{
	UNROLL_BY(1) for (int e = 0; e < ELEMENTS; e += THREADS) {
		i64 at = (i64)block_x() * ELEMENTS + e + thread_x();
		if (at >= p.planes * p.h * p.w) return;
		i64 plane = at / (p.h * p.w), h = at / p.w % p.h, w = at % p.w;
		float s = 0;
		for (i64 i = first_window(p, h); i < p.oh && i * p.stride - p.pad <= h; i++)
			for (i64 j = first_window(p, w); j < p.ow && j * p.stride - p.pad <= w; j++)
				if (!MAX || largest(p, plane, window(p, i, j)) == at) s += load(p.dy, (plane * p.oh + i) * p.ow + j);
		store(p.y, at, load(p.y, at) + (MAX ? s : s / (float)(p.kernel * p.kernel)));
	}
}

KERNEL max_pool_grad(PoolArgs p) { pool_grad<true>(p); }
KERNEL average_pool_grad(PoolArgs p) { pool_grad<false>(p); }

struct BatchArgs {
	Operand y, x, gain, bias; // of the gradient: dx, x, gain, dy
	Operand by_gain, by_bias;
	float *mean, *rstd, *run_mean, *run_var;
	i64 n, c, inner, train;
	float eps, momentum;
};

// The sum of a block's values, in every thread. All threads call.
DEVICE float block_sum(float x, float *shared)
{
	barrier(); // all have read the sum before
	shared[thread_x()] = x;
	for (int half = THREADS / 2; half; half /= 2) {
		barrier(); // both halves are there
		if (thread_x() < half) shared[thread_x()] += shared[thread_x() + half];
	}
	barrier(); // the sum is there
	return shared[0];
}

// Where value i of a channel lies.
DEVICE i64 spot(const BatchArgs &p, i64 i) { return (i / p.inner * p.c + block_x()) * p.inner + i % p.inner; }

// A block does a channel.
KERNEL batch_norm(BatchArgs p)
{
	SHARED float shared[THREADS];
	i64 count = p.n * p.inner, c = block_x();
	float mean = 0, variance = 0;
	if (p.train) {
		for (i64 i = thread_x(); i < count; i += THREADS) mean += load(p.x, spot(p, i));
		mean = block_sum(mean, shared) / (float)count;
		for (i64 i = thread_x(); i < count; i += THREADS) {
			float d = load(p.x, spot(p, i)) - mean;
			variance += d * d;
		}
		variance = block_sum(variance, shared) / (float)count;
	} else {
		mean = p.run_mean[c];
		variance = p.run_var[c];
	}
	float rstd = 1 / root(variance + p.eps), k = rstd * load(p.gain, c), add = p.bias.at ? load(p.bias, c) : 0;
	for (i64 i = thread_x(); i < count; i += THREADS) {
		i64 at = spot(p, i);
		store(p.y, at, (load(p.x, at) - mean) * k + add);
	}
	if (thread_x()) return;
	p.mean[c] = mean;
	p.rstd[c] = rstd;
	if (!p.train || !p.run_mean) return;
	if (count > 1) variance *= (float)count / (float)(count - 1);
	p.run_mean[c] += p.momentum * (mean - p.run_mean[c]);
	p.run_var[c] += p.momentum * (variance - p.run_var[c]);
}

KERNEL batch_norm_grad(BatchArgs p)
{
	SHARED float shared[THREADS];
	i64 count = p.n * p.inner, c = block_x();
	float mean = p.mean[c], rstd = p.rstd[c], s = 0, t = 0;
	for (i64 i = thread_x(); i < count; i += THREADS) {
		i64 at = spot(p, i);
		float d = load(p.bias, at);
		s += d;
		t += d * (load(p.x, at) - mean) * rstd;
	}
	s = block_sum(s, shared);
	t = block_sum(t, shared);
	if (thread_x() == 0) {
		if (p.by_gain.at) store(p.by_gain, c, load(p.by_gain, c) + t);
		if (p.by_bias.at) store(p.by_bias, c, load(p.by_bias, c) + s);
	}
	if (!p.y.at) return;
	s = p.train ? s / (float)count : 0;
	t = p.train ? t / (float)count : 0;
	float k = rstd * load(p.gain, c);
	for (i64 i = thread_x(); i < count; i += THREADS) {
		i64 at = spot(p, i);
		float hat = (load(p.x, at) - mean) * rstd;
		store(p.y, at, load(p.y, at) + k * (load(p.bias, at) - s - hat * t));
	}
}
