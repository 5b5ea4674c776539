// Optimizer steps over many tensors in one launch: what each kind does stands at
// Kind in gpu/host/optim.go. Parameters and states are f32, gradients and a second
// copy of the parameters may be in half precision. Blocks take 2048 elements of
// one tensor. The list of tensors travels with the launch, so that nothing has to
// be copied to the device first.
#include "device.h"

#define THREADS 256
#define ELEMENTS 2048
#define NORM_ELEMENTS 16384
#define TENSORS 48

enum { F32, F16, BF16 };

enum {
	SGD_PLAIN, SGD_MOMENTUM, SGD_NESTEROV, ADAM, ADAGRAD, RMSPROP, RMSPROP_MOMENTUM, RMSPROP_CENTERED,
	RMSPROP_CENTERED_MOMENTUM, LARS, LAMB_MOMENTS, LAMB_APPLY
};

typedef unsigned short u16;

// What a step of guarded gradients comes to, in the device's memory: the host looks at it
// when somebody asks. Counts are since it last looked.
struct Record {
	double norm, scale, factor; // of the gradients, unscaled; the loss's; what gradients are multiplied with
	i64 done, skipped, good;    // good: finite steps since the scale changed
	int skip, stopped;          // this step; all steps, after one that is an error
	float shrink, rate, correct1, correct2; // of this step
};

// One tensor; its blocks begin at number first. rate multiplies the factors' own, and
// so does that of UpdateArgs.rates, where there is one.
struct Slot {
	float *x;
	u16 *half; // null where x is the parameter itself
	const void *g;
	float *s0, *s1, *s2;
	i64 n;
	int first, gtype;
	int htype;
	float rate;
};

// As the launcher packs them: below the 4 KiB that a launch may pass.
struct UpdateArgs {
	double *sums;       // two a block, for LAMB_MOMENTS
	const float *rates; // one a tensor, or null
	const Record *gate; // says whether, and has the place of scale, shrink, rate and corrections; or null
	i64 count;
	float scale, decay, shrink, rate, momentum, mean, square, correct1, correct2, eps;
	Slot slots[TENSORS];
};

struct NormSlot {
	const void *x;
	i64 n;
	int first, type;
};

struct NormArgs {
	double *sums; // one a block
	i64 count;
	NormSlot slots[TENSORS];
};

// Where the sums of squares of one tensor stand, n of each, so many apart: of its
// weights, and of what is compared with them.
struct RatioSlot {
	int weights, other, n, step;
};

struct RatioArgs {
	const double *sums;
	float *rates; // one a tensor
	const Record *gate;
	i64 count, gradients;       // whether the others are gradients, which the gate scales
	double trust, decay, scale; // scale: of the others' norm
	RatioSlot slots[TENSORS];
};

enum { BEGIN = 1, SCALED = 2 };

// A loss scale does not fall below the least float of full precision.
#define LEAST_SCALE 1.1754943508222875e-38

struct DecideArgs {
	const double *sums; // of squares of all gradients
	Record *to;
	i64 count;
	double clip, scale, growth, backoff; // as Training.Clip and LossScale
	i64 good, interval;
	i64 flags; // BEGIN: scale and good count; SCALED: there is a loss scale
};

#define AHEAD 33

// What a step's factors are after so many steps done, from first on.
struct ChooseArgs {
	Record *to;
	i64 first, count;
	float rows[AHEAD][4];
};

struct SeedArgs {
	float *y;
	const Record *from;
	double weight;
};

// The last tensor that begins at or before this block.
template <class S> DEVICE int slot_of(const S *slots, i64 count)
{
	int lo = 0, hi = (int)count;
	UNROLL_BY(1) while (hi - lo > 1) {
		int mid = (lo + hi) / 2;
		if (slots[mid].first <= block_x()) lo = mid;
		else hi = mid;
	}
	return lo;
}

DEVICE float load_as(const void *p, int type, i64 i)
{
	if (type == F32) return ((const float *)p)[i];
	u16 h = ((const u16 *)p)[i];
	return type == F16 ? of_f16(h) : of_bf16(h);
}

DEVICE bool aligned(const void *p, int bytes) { return ((unsigned long long)p & (bytes - 1)) == 0; }

DEVICE void floats(float to[4], Words4 w)
{
	UNROLL for (int n = 0; n < 4; n++) to[n] = of_bits(w[n]);
}

DEVICE void floats(float to[4], Words2 w, int type)
{
	UNROLL for (int n = 0; n < 4; n++) {
		u16 h = (u16)(w[n / 2] >> 16 * (n % 2));
		to[n] = type == F16 ? of_f16(h) : of_bf16(h);
	}
}

DEVICE void store4(float *to, const float x[4]) { *(Words4 *)to = Words4{bits_of(x[0]), bits_of(x[1]), bits_of(x[2]), bits_of(x[3])}; }

DEVICE u16 half_of(float x, int type) { return type == F16 ? f16_of(x) : bf16_of(x); }

DEVICE void store4_half(u16 *to, const float x[4], int type)
{
	u16 h[4];
	UNROLL for (int n = 0; n < 4; n++) h[n] = half_of(x[n], type);
	*(Words2 *)to = Words2{h[0] | (unsigned)h[1] << 16, h[2] | (unsigned)h[3] << 16};
}

// Adds up a value of every thread; thread 0 has the sum.
DEVICE double block_sum(double x)
{
	SHARED double part[THREADS];
	barrier(); // all have done with the sum before
	part[thread_x()] = x;
	for (int half = THREADS / 2; half > 0; half /= 2) {
		barrier(); // both halves are there
		if (thread_x() < half) part[thread_x()] += part[thread_x() + half];
	}
	return part[0];
}

template <int KIND, bool HALVES> DEVICE void update(const UpdateArgs &p)
{
	float scale = p.scale, shrink = p.shrink, rate = p.rate, correct1 = p.correct1, correct2 = p.correct2;
	if (p.gate) {
		// volatile, or the compiler would make one load of either place, which puts all
		// arguments into a thread's own memory.
		const volatile Record &r = *p.gate;
		if (r.skip) return;
		scale = (float)r.factor, shrink = r.shrink, rate = r.rate, correct1 = r.correct1, correct2 = r.correct2;
	}
	int number = slot_of(p.slots, p.count);
	const Slot &s = p.slots[number];
	rate *= s.rate;
	if (p.rates) rate *= p.rates[number];
	const bool has0 = KIND != SGD_PLAIN, has1 = KIND >= RMSPROP_MOMENTUM && KIND != RMSPROP_CENTERED && KIND != LARS || KIND == ADAM;
	const bool has2 = KIND == RMSPROP_CENTERED || KIND == RMSPROP_CENTERED_MOMENTUM, keeps = KIND != LAMB_APPLY, moves = KIND != LAMB_MOMENTS;
	i64 start = (i64)(block_x() - s.first) * ELEMENTS + 4 * thread_x();
	bool even = aligned(s.x, 16) && aligned(s.s0, 16) && aligned(s.s1, 16) && aligned(s.s2, 16) && aligned(s.half, 8) && aligned(s.g, HALVES && s.gtype != F32 ? 8 : 16);
	double xx = 0, uu = 0;
	UNROLL_BY(1) for (int e = 0; e < ELEMENTS; e += 4 * THREADS) {
		i64 i = start + e, left = s.n - i;
		if (left <= 0) break;
		bool four = even && left >= 4;
		float xs[4], gs[4] = {}, s0[4], s1[4], s2[4];
		if (four) { // all loads are under way before the first is waited for
			Words4 w, w0, w1, w2, wg;
			Words2 half;
			if (has0) load_words(w0, s.s0 + i);
			if (has1) load_words(w1, s.s1 + i);
			if (has2) load_words(w2, s.s2 + i);
			load_words(w, s.x + i);
			if (keeps && HALVES && s.gtype != F32) {
				load_words(half, (const u16 *)s.g + i);
				floats(gs, half, s.gtype);
			} else if (keeps) {
				load_words(wg, (const float *)s.g + i);
				floats(gs, wg);
			}
			floats(xs, w);
			if (has0) floats(s0, w0);
			if (has1) floats(s1, w1);
			if (has2) floats(s2, w2);
		} else {
			UNROLL for (int n = 0; n < 4; n++) {
				i64 at = i + (n < left ? n : 0);
				xs[n] = s.x[at];
				if (keeps) gs[n] = load_as(s.g, HALVES ? s.gtype : F32, at);
				if (has0) s0[n] = s.s0[at];
				if (has1) s1[n] = s.s1[at];
				if (has2) s2[n] = s.s2[at];
			}
		}
		UNROLL for (int n = 0; n < 4; n++) {
			float x = xs[n], d = 0, step = 0;
			if (KIND != LAMB_APPLY) d = scale * gs[n] + p.decay * x;
			if (KIND == SGD_PLAIN) step = rate * d;
			if (KIND == SGD_MOMENTUM || KIND == SGD_NESTEROV) {
				float v = s0[n] = p.momentum * s0[n] + d;
				step = rate * (KIND == SGD_NESTEROV ? d + p.momentum * v : v);
			}
			if (KIND == ADAGRAD) {
				float v = s0[n] = s0[n] + d * d;
				step = rate * d / (root(v) + p.eps);
			}
			if (KIND == LARS) step = s0[n] = p.momentum * s0[n] + rate * d;
			if (KIND >= RMSPROP && KIND <= RMSPROP_CENTERED_MOMENTUM) {
				float v = s0[n];
				s0[n] = v = v + p.square * (d * d - v);
				if (KIND >= RMSPROP_CENTERED) {
					float m = s2[n];
					s2[n] = m = m + p.square * (d - m);
					v -= m * m;
					v = v < 0 ? 0 : v;
				}
				step = d / (root(v) + p.eps);
				if (KIND == RMSPROP_MOMENTUM || KIND == RMSPROP_CENTERED_MOMENTUM) step = s1[n] = p.momentum * s1[n] + step;
				step *= rate;
			}
			if (KIND == ADAM || KIND == LAMB_MOMENTS || KIND == LAMB_APPLY) {
				float m = s0[n], v = s1[n];
				if (KIND != LAMB_APPLY) {
					s0[n] = m = m + p.mean * (d - m);
					s1[n] = v = v + p.square * (d * d - v);
				}
				step = shrink * x + (KIND == ADAM ? rate : correct1) * m / (root(v * correct2) + p.eps);
				if (KIND == LAMB_MOMENTS && n < left) xx += (double)x * x, uu += (double)step * step;
				if (KIND == LAMB_APPLY) step *= rate;
			}
			xs[n] = x - step;
		}
		if (four) {
			if (has0 && keeps) store4(s.s0 + i, s0);
			if (has1 && keeps) store4(s.s1 + i, s1);
			if (has2) store4(s.s2 + i, s2);
			if (moves) store4(s.x + i, xs);
			if (moves && HALVES && s.half) store4_half(s.half + i, xs, s.htype);
			continue;
		}
		UNROLL for (int n = 0; n < 4; n++) {
			if (n >= left) break;
			if (has0 && keeps) s.s0[i + n] = s0[n];
			if (has1 && keeps) s.s1[i + n] = s1[n];
			if (has2) s.s2[i + n] = s2[n];
			if (moves) s.x[i + n] = xs[n];
			if (moves && HALVES && s.half) s.half[i + n] = half_of(xs[n], s.htype);
		}
	}
	if (KIND != LAMB_MOMENTS) return;
	xx = block_sum(xx);
	uu = block_sum(uu);
	if (thread_x() == 0) p.sums[2 * block_x()] = xx, p.sums[2 * block_x() + 1] = uu;
}

// The sum of squares of what 64 bytes of a thread hold, which are under way before the
// first is waited for: 16 of the block's threads' bytes beside each other, four times.
DEVICE double squares(const void *from, int type)
{
	Words4 w[4];
	UNROLL for (int n = 0; n < 4; n++) load_words(w[n], (const char *)from + 16 * (n * THREADS + thread_x()));
	double sum = 0;
	if (type == F32) {
		UNROLL for (int n = 0; n < 16; n++) {
			double x = of_bits(w[n / 4][n % 4]);
			sum += x * x;
		}
		return sum;
	}
	UNROLL for (int n = 0; n < 32; n++) {
		u16 h = (u16)(w[n / 8][n / 2 % 4] >> 16 * (n % 2));
		double x = type == F16 ? of_f16(h) : of_bf16(h);
		sum += x * x;
	}
	return sum;
}

// The sum of squares of a thread's of the first left values, fewer than a block's or at
// an odd address.
template <class T> DEVICE double odd_squares(const T *x, i64 left, int type)
{
	double sum = 0;
	UNROLL_BY(1) for (int e = thread_x(); e < NORM_ELEMENTS && e < left; e += 8 * THREADS) {
		T w[8];
		UNROLL for (int n = 0; n < 8; n++) load_words(w[n], x + (e + n * THREADS < left ? e + n * THREADS : 0));
		UNROLL for (int n = 0; n < 8; n++) {
			double y = type == F32 ? of_bits(w[n]) : type == F16 ? of_f16((u16)w[n]) : of_bf16((u16)w[n]);
			if (e + n * THREADS < left) sum += y * y;
		}
	}
	return sum;
}

KERNEL sum_squares(NormArgs p)
{
	const NormSlot &s = p.slots[slot_of(p.slots, p.count)];
	i64 start = (i64)(block_x() - s.first) * NORM_ELEMENTS, left = s.n - start;
	int size = s.type == F32 ? 4 : 2;
	double sum = 0;
	if (left >= NORM_ELEMENTS && aligned(s.x, 16)) {
		const char *from = (const char *)s.x + start * size;
		UNROLL_BY(1) for (int at = 0; at < NORM_ELEMENTS * size; at += 64 * THREADS) sum += squares(from + at, s.type);
	} else if (s.type == F32) {
		sum = odd_squares((const unsigned *)s.x + start, left, F32);
	} else {
		sum = odd_squares((const u16 *)s.x + start, left, s.type == F16 ? F16 : BF16);
	}
	sum = block_sum(sum);
	if (thread_x() == 0) p.sums[block_x()] = sum;
}

// The rate of a layer by its norms (host.Trust), a tensor a block.
KERNEL trust_ratio(RatioArgs p)
{
	if (p.gate && p.gate->skip) return;
	double scale = p.scale;
	if (p.gate && p.gradients) scale = (float)((const volatile Record *)p.gate)->factor;
	const RatioSlot &s = p.slots[block_x()];
	double w = 0, o = 0;
	for (int n = thread_x(); n < s.n; n += THREADS) w += p.sums[s.weights + n * s.step], o += p.sums[s.other + n * s.step];
	w = root(block_sum(w));
	o = root(block_sum(o)) * scale;
	if (thread_x() == 0) p.rates[block_x()] = w == 0 || o == 0 ? 1 : (float)(p.trust * w / (o + p.decay * w));
}

// Whether a step is done, and what the gradients are multiplied with: one block.
KERNEL step_decide(DecideArgs p)
{
#pragma clang fp contract(off)
	double total = 0;
	for (i64 n = thread_x(); n < p.count; n += THREADS) total += p.sums[n];
	total = block_sum(total);
	if (thread_x() != 0) return;
	Record &r = *p.to;
	if (p.flags & BEGIN) {
		r.scale = p.scale, r.good = p.good;
		r.done = r.skipped = 0;
		r.stopped = 0;
	}
	r.skip = 1;
	if (r.stopped) return;
	bool finite = total <= 1.7976931348623157e308, scaled = p.flags & SCALED;
	double factor = scaled ? 1 / r.scale : 1;
	r.norm = root(total) * factor;
	if (!finite) {
		r.good = 0;
		r.stopped = !scaled;
		r.skipped += scaled;
		if (scaled && p.backoff > 0 && r.scale * p.backoff >= LEAST_SCALE) r.scale *= p.backoff;
		return;
	}
	r.skip = 0;
	r.done++;
	double fits = p.clip / (r.norm + 1e-6);
	if (p.clip > 0 && fits < 1) factor *= fits;
	r.factor = factor;
	if (!scaled) return;
	r.good++;
	if (p.growth > 0 && r.good >= p.interval) {
		r.good = 0;
		if (r.scale * p.growth <= 1.7976931348623157e308) r.scale *= p.growth;
	}
}

// The factors of this step, which is the one after so many.
KERNEL step_choose(ChooseArgs p)
{
	if (thread_x() != 0 || p.to->skip) return;
	i64 row = p.to->done - 1 - p.first;
	if (row < 0 || row >= p.count) return; // the host foresaw all that can be
	const float *f = p.rows[row];
	p.to->shrink = f[0], p.to->rate = f[1], p.to->correct1 = f[2], p.to->correct2 = f[3];
}

// The gradient of a loss by itself, under the loss scale of now.
KERNEL step_seed(SeedArgs p)
{
	if (thread_x() == 0) *p.y = (float)(p.weight * p.from->scale);
}

// The number is the kind, as host.Kind; h is for tensors in half precision.
KERNEL update_0(UpdateArgs p) { update<SGD_PLAIN, false>(p); }
KERNEL update_0h(UpdateArgs p) { update<SGD_PLAIN, true>(p); }
KERNEL update_1(UpdateArgs p) { update<SGD_MOMENTUM, false>(p); }
KERNEL update_1h(UpdateArgs p) { update<SGD_MOMENTUM, true>(p); }
KERNEL update_2(UpdateArgs p) { update<SGD_NESTEROV, false>(p); }
KERNEL update_2h(UpdateArgs p) { update<SGD_NESTEROV, true>(p); }
KERNEL update_3(UpdateArgs p) { update<ADAM, false>(p); }
KERNEL update_3h(UpdateArgs p) { update<ADAM, true>(p); }
KERNEL update_4(UpdateArgs p) { update<ADAGRAD, false>(p); }
KERNEL update_4h(UpdateArgs p) { update<ADAGRAD, true>(p); }
KERNEL update_5(UpdateArgs p) { update<RMSPROP, false>(p); }
KERNEL update_5h(UpdateArgs p) { update<RMSPROP, true>(p); }
KERNEL update_6(UpdateArgs p) { update<RMSPROP_MOMENTUM, false>(p); }
KERNEL update_6h(UpdateArgs p) { update<RMSPROP_MOMENTUM, true>(p); }
KERNEL update_7(UpdateArgs p) { update<RMSPROP_CENTERED, false>(p); }
KERNEL update_7h(UpdateArgs p) { update<RMSPROP_CENTERED, true>(p); }
KERNEL update_8(UpdateArgs p) { update<RMSPROP_CENTERED_MOMENTUM, false>(p); }
KERNEL update_8h(UpdateArgs p) { update<RMSPROP_CENTERED_MOMENTUM, true>(p); }
KERNEL update_9(UpdateArgs p) { update<LARS, false>(p); }
KERNEL update_9h(UpdateArgs p) { update<LARS, true>(p); }
KERNEL update_10(UpdateArgs p) { update<LAMB_MOMENTS, false>(p); }
KERNEL update_10h(UpdateArgs p) { update<LAMB_MOMENTS, true>(p); }
KERNEL update_11(UpdateArgs p) { update<LAMB_APPLY, false>(p); }
KERNEL update_11h(UpdateArgs p) { update<LAMB_APPLY, true>(p); }
