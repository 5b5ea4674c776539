// What a kernel sees of the fake device: a thread's place, barriers, shuffles.
#pragma once
#include <limits.h>
#include <math.h>
#include <string.h>

namespace fake {
extern int block, blocks, thread;
void wait_block();
float exchange(float x, int mask);

// A warp's lanes show each other their data: each calls show, reads what seen gives
// of any lane of its warp, then calls hide. All lanes call.
void show(const void *data);
const void *seen(int lane);
void hide();

// 16 bytes (zeros for a null source) that arrive no sooner than the wait for their
// group, as copies beside a running kernel may.
void copy_later(void *to, const void *from);
void copies_end();
void copies_wait(int left);

// The shared memory whose size the launch names.
extern char *dynamic_shared;

// What only Hopper has, see wgmma.h and hopper.cpp.
unsigned shared_address(const void *p);
void barrier_init(unsigned long long *b, int arrivals);
void barrier_arrive(unsigned long long *b, int bytes);
bool barrier_try(unsigned long long *b, int parity);
unsigned long long nanoseconds();
void async_fence();
void put_piece(char *to, const void *from);
// The bytes that have arrived already come back.
unsigned copy_box(char *to, const void *map, unsigned long long *b, const int at[4]);
// One thread's part in c (64, n) = or += a b: a in registers, or a descriptor where null.
struct Product {
	float *c;
	int n;
	const unsigned *a;
	unsigned long long da, db;
	bool turned_a, turned_b, keep;
	float (*widen)(unsigned short);
};
void products_begin();
void product(const Product &p);
void products_end();
void products_wait(int left);
// From here on the thread has n registers, more or fewer than before.
void registers(int n, bool more);
// The kernel's argument, where the launch put it.
extern const void *argument;
void add(const char *name, void (*run)(const void *args), unsigned size, bool bounded);

// Makes a kernel known to cuModuleGetFunction before main would run.
struct Entry {
	template <class Args> Entry(const char *name, void (*)(Args), void (*run)(const void *), bool bounded) { add(name, run, sizeof(Args), bounded); }
};
}

// KERNEL name(Args p) { … } is an ordinary function here; fakecuda.go adds an Entry for each.
#define KERNEL extern "C" void
#define DEVICE static inline
#define DEVICE_LAMBDA
// One block runs at a time, so a block's memory may be static.
#define SHARED static
DEVICE int block_x() { return fake::block; }
DEVICE int thread_x() { return fake::thread; }
DEVICE void barrier() { fake::wait_block(); }
DEVICE float shuffle_xor(float x, int mask) { return fake::exchange(x, mask); }
DEVICE float exp2_fast(float x) { return exp2f(x); }
DEVICE float log2_fast(float x) { return log2f(x); }
DEVICE float greater(float x, float y) { return fmaxf(x, y); }
DEVICE float root(float x) { return sqrtf(x); }
DEVICE double root(double x) { return sqrt(x); }
DEVICE unsigned bits_of(float x)
{
	unsigned b;
	memcpy(&b, &x, 4);
	return b;
}
DEVICE float of_bits(unsigned b)
{
	float x;
	memcpy(&x, &b, 4);
	return x;
}
// What cvt.rn.f16.f32 does, by steps of the float's own rounding.
DEVICE unsigned short f16_of(float x)
{
	unsigned b = bits_of(x), sign = b >> 16 & 0x8000, m = b & 0x7fffffff;
	if (m > 0x7f800000) return 0x7fff;
	if (m >= 0x47800000) return sign | 0x7c00;
	if (m < 0x38800000) return sign | (bits_of(of_bits(m) + 0.5f) - bits_of(0.5f));
	m += 0xfff + (m >> 13 & 1);
	return sign | ((m >> 13) - (112 << 10));
}
DEVICE float of_f16(unsigned short h)
{
	unsigned sign = (unsigned)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3ff;
	if (!e) return of_bits(sign | bits_of(m * 0x1p-24f));
	return of_bits(sign | (e == 31 ? 0x7f800000 : (e + 112) << 23) | m << 13);
}

namespace fake {

struct Fragments {
	unsigned a[4], b[2];
};

// mma.m16n8k16 for one lane: c += a b. See mma.h for who holds what.
template <class WIDEN> inline void mma(float c[4], const unsigned a[4], unsigned b0, unsigned b1, WIDEN widen)
{
	Fragments mine = {{a[0], a[1], a[2], a[3]}, {b0, b1}};
	int g = thread % 32 / 4, t = thread % 4;
	show(&mine);
	for (int e = 0; e < 4; e++) {
		int row = g + e / 2 * 8, col = 2 * t + e % 2;
		float sum = 0;
		for (int k = 0; k < 16; k++) {
			const Fragments *left = (const Fragments *)seen(row % 8 * 4 + k % 8 / 2), *right = (const Fragments *)seen(col * 4 + k % 8 / 2);
			unsigned x = left->a[row / 8 + k / 8 * 2] >> k % 2 * 16, y = right->b[k / 8] >> k % 2 * 16;
			sum += widen((unsigned short)x) * widen((unsigned short)y);
		}
		c[e] += sum;
	}
	hide();
}

// ldmatrix.x4 for one lane, whose row is row.
inline void load_matrices(unsigned r[4], const void *row, bool turned)
{
	int g = thread % 32 / 4, t = thread % 4;
	show(row);
	for (int m = 0; m < 4; m++) {
		unsigned short x[2];
		for (int e = 0; e < 2; e++) {
			const unsigned short *from = (const unsigned short *)seen(m * 8 + (turned ? 2 * t + e : g));
			x[e] = from[turned ? g : 2 * t + e];
		}
		r[m] = x[0] | (unsigned)x[1] << 16;
	}
	hide();
}

}

DEVICE int i32_of(float x) { return x != x ? 0 : x >= 2147483648.0f ? INT_MAX : x < -2147483648.0f ? INT_MIN : (int)x; }
