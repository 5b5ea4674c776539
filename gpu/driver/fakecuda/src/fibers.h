// What the files of the fake driver share: the threads of the running block.
#pragma once
#include "fakecuda.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fake {

enum State { READY, AT_BARRIER, AT_SHUFFLE, AT_PHASE, DONE };

// Puts the running thread to sleep in a state.
void leave(State s);
// The launch fails with that code, as one on a device does: later.
void fault(int code);
// The launch's shared memory that it named, its argument's size, and whether the
// kernel's registers at its start are known (its launch bounds say so).
extern unsigned shared_size, argument_size;
extern bool bounded;
// Whether that global memory is somebody's.
bool within(uint64_t at, size_t size);

// hopper.cpp's part of a block's life: its begin; what may happen when nobody can run
// (a copy arrives, or else a wait ends without its phase being over); its end, false
// where copies are still under way. ready says whether a thread's phase is over.
void hopper_begin(int threads, bool late);
bool hopper_idle();
bool hopper_end();
bool hopper_ready(int thread);

// What the images' own instructions (ptx.h) need of Hopper: whether a barrier's phase of
// that parity is over, and what a product takes from shared memory for the running
// thread's warp, as numbers.
bool barrier_over(const unsigned long long *b, int parity);
struct Operands {
	std::vector<float> a, b; // (16, 16) of the warp or none, (N, 16)
};
Operands operands(const Product &p);

}
