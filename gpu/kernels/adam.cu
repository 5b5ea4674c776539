// One fused Adam step, f32 (Kingma and Ba 2015): 28 bytes moved a parameter.
#include "device.h"

// As the launcher packs them; rate is lr / (1-beta1^t), c2 is 1 / (1-beta2^t),
// keep is 1 - lr * decay.
struct AdamArgs {
	float *x;
	const float *g;
	float *m, *v;
	i64 n;
	float b1, b2, rate, c2, eps, keep;
};

#define THREADS 256

KERNEL adam_f32(AdamArgs p)
{
	i64 i = (i64)block_x() * THREADS + thread_x();
	if (i >= p.n) return;
	float g = p.g[i];
	float m = p.b1 * p.m[i] + (1 - p.b1) * g;
	float v = p.b2 * p.v[i] + (1 - p.b2) * g * g;
	p.m[i] = m;
	p.v[i] = v;
	p.x[i] = p.x[i] * p.keep - p.rate * m / (root(v * p.c2) + p.eps);
}
