// What a kernel sees of the fake device: a thread's place, barriers, shuffles.
#pragma once
#include <math.h>

namespace fake {
extern int block, thread;
void wait_block();
float exchange(float x, int mask);
void add(const char *name, void (*run)(const void *args), unsigned size);

// Makes a kernel known to cuModuleGetFunction before main would run.
struct Entry {
	template <class Args> Entry(const char *name, void (*)(Args), void (*run)(const void *)) { add(name, run, sizeof(Args)); }
};
}

// KERNEL name(Args p) { … } is an ordinary function here; fakecuda.go adds an Entry for each.
#define KERNEL extern "C" void
#define DEVICE static inline
// One block runs at a time, so a block's memory may be static.
#define SHARED static
DEVICE int block_x() { return fake::block; }
DEVICE int thread_x() { return fake::thread; }
DEVICE void barrier() { fake::wait_block(); }
DEVICE float shuffle_xor(float x, int mask) { return fake::exchange(x, mask); }
DEVICE float exp2_fast(float x) { return exp2f(x); }
DEVICE float log2_fast(float x) { return log2f(x); }
DEVICE float root(float x) { return sqrtf(x); }
