// A libcuda.so.1 that runs the kernels on the CPU: one block after another, a
// block's threads as fibers that switch at barriers and shuffles. The order of the
// threads changes from turn to turn, so that a missing barrier shows. Memory is
// checked: copies must lie within an allocation.
//
// FAKECUDA in the environment injects a failure: "no_device", "none" (no devices),
// "old_driver", "jit", "oom" (nothing can be allocated), "launch=CODE" (launches
// succeed, the next wait returns CODE, and so does every call after it),
// "no_sync" (what waits for the device is refused: copies that the host has to be
// there for, and Synchronize),
// "outside=BYTES" (so much of the device's memory is in use elsewhere).
// FAKECUDA_FAULT=HOW:KERNEL does it to launches of one kernel: "sticky" ends the context,
// "hang" never ends, "wrong" computes nothing, "crash" kills the process.
//
// A library built without the kernels' sources runs the images themselves (ptx.h);
// FAKECUDA_COUNTS then names a file that is told what each launch did.
#include "guards.h"
#include "ptx.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>
#include <chrono>
#include <csignal>
#include <sys/mman.h>
#include <unistd.h>
#ifndef __x86_64__
#include <ucontext.h>
#endif

namespace fake {

int block, blocks, thread;

struct Kernel {
	std::string name;
	void (*run)(const void *);
	unsigned size;
	bool bounded;
	unsigned shared; // what cuFuncSetAttribute allows
	std::unique_ptr<ptx::Kernel> image; // what runs, or null
};

static std::deque<Kernel> &kernels()
{
	static std::deque<Kernel> all; // what is in it stays where it is
	return all;
}

void add(const char *name, void (*run)(const void *), unsigned size, bool bounded) { kernels().push_back({name, run, size, bounded, 48 * 1024, nullptr}); }

struct Copy {
	void *to;
	const void *from;
};

// A place to go on from: the stack pointer, under which the saved registers lie. Made
// by hand, because the system's switches take many times longer and sanitizers clear
// whole stacks at each.
#ifdef __x86_64__
typedef void *Spot;
extern "C" void fake_switch(Spot *from, Spot to);
asm(".text\n.type fake_switch, @function\nfake_switch:\n"
	"push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
	"mov %rsp, (%rdi)\nmov %rsi, %rsp\n"
	"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n");
static void go(Spot &from, Spot &to) { fake_switch(&from, to); }
static void begin(Spot &s, char *stack, size_t size, void (*entry)())
{
	void **top = (void **)(stack + size);
	s = top - 8;
	for (int i = 1; i <= 8; i++) top[-i] = nullptr;
	top[-2] = (void *)entry; // where the first ret goes, the stack as after a call
}
#else
typedef ucontext_t Spot;
static void go(Spot &from, Spot &to) { swapcontext(&from, &to); }
static void begin(Spot &s, char *stack, size_t size, void (*entry)())
{
	getcontext(&s);
	s.uc_stack = {stack, 0, size};
	s.uc_link = nullptr;
	makecontext(&s, entry, 0);
}
#endif

struct Fiber {
	Spot at;
	char *stack;
	State state;
	float value;
	const void *shown;
	std::vector<std::vector<Copy>> copies; // groups; the last is open
};

constexpr size_t STACK = 64 * 1024;
static std::vector<Fiber> fibers;
static Spot scheduler;
static const Kernel *running;
static int broken; // the code of what a device reports later
const void *argument;

void fault(int code)
{
	if (!broken) broken = code;
}

void leave(State s)
{
	Fiber &f = fibers[thread];
	f.state = s;
	go(f.at, scheduler);
}

void wait_block() { leave(AT_BARRIER); }

float exchange(float x, int mask)
{
	int me = thread;
	fibers[me].value = x;
	leave(AT_SHUFFLE);
	float y = fibers[me ^ mask].value;
	leave(AT_SHUFFLE); // nobody writes anew before all have read
	return y;
}

void show(const void *data)
{
	fibers[thread].shown = data;
	leave(AT_SHUFFLE);
}

const void *seen(int lane) { return fibers[thread / 32 * 32 + lane].shown; }

void hide() { leave(AT_SHUFFLE); }

char *dynamic_shared;
unsigned shared_size, argument_size;
bool bounded;

void copy_later(void *to, const void *from)
{
	if ((uintptr_t)to % 16 || (uintptr_t)from % 16) fault(716);
	fibers[thread].copies.back().push_back({to, from});
}

void copies_end() { fibers[thread].copies.emplace_back(); }

void copies_wait(int left)
{
	auto &groups = fibers[thread].copies;
	while ((int)groups.size() - 1 > left) {
		for (auto &c : groups.front()) {
			if (c.from) memcpy(c.to, c.from, 16);
			else memset(c.to, 0, 16);
		}
		groups.erase(groups.begin());
	}
}

static void entry()
{
	running->run(argument);
	leave(DONE);
}

static void resume(int i)
{
	thread = i;
	go(scheduler, fibers[i].at);
}

// Lets the waiting threads of first … last-1 go if all that are not done wait in
// state s.
static bool release(int first, int last, State s)
{
	int waiting = 0;
	for (int i = first; i < last; i++) {
		if (fibers[i].state == s) waiting++;
		else if (fibers[i].state != DONE || s == AT_SHUFFLE) return false;
	}
	for (int i = first; i < last; i++)
		if (fibers[i].state == s) fibers[i].state = READY;
	return waiting > 0;
}

// Runs the warp from thread w on until it waits for others; the turns it took.
static int run_warp(int w, int threads)
{
	int end = w + 32 < threads ? w + 32 : threads, turns = 0;
	for (;; turns++) {
		int ran = 0;
		for (int n = w; n < end; n++) {
			int i = turns % 2 ? end - 1 - (n - w) : n;
			if (fibers[i].state == READY) resume(i), ran++;
		}
		if (!ran || !release(w, end, AT_SHUFFLE)) return turns + (ran > 0);
	}
}

static unsigned order; // of blocks, over all launches

// False where threads wait for each other for ever: a barrier or shuffle that not
// all of them reach.
static bool run_block(int threads)
{
	for (int i = 0; i < threads; i++) {
		Fiber &f = fibers[i];
		f.state = READY;
		f.copies.assign(1, {});
		begin(f.at, f.stack, STACK, entry);
	}
	hopper_begin(threads, order * 2654435769u >> 31); // in no step with how many blocks a test has
	// Every other block lets each warp run as far as it can before the next one does,
	// so that a barrier missing between warps shows; the others change threads at every
	// shuffle, so that one missing within a warp's reach shows.
	bool apart = order++ % 2 == 0;
	int warps = (threads + 31) / 32;
	for (int turn = order / 4;; turn++) {
		int ran = 0, done = 0;
		if (apart) {
			for (int n = 0; n < warps; n++) ran += run_warp((turn % 2 ? warps - 1 - n : n) * 32, threads);
		} else {
			for (int n = 0; n < threads; n++) {
				int i = turn % 2 ? threads - 1 - n : (n + 37 * turn) % threads;
				if (fibers[i].state == READY) resume(i), ran++;
			}
		}
		for (int i = 0; i < threads; i++) done += fibers[i].state == DONE;
		if (done == threads) return hopper_end();
		bool freed = false;
		for (int w = 0; w < threads; w += 32) freed |= release(w, w + 32 < threads ? w + 32 : threads, AT_SHUFFLE);
		freed |= release(0, threads, AT_BARRIER);
		for (int i = 0; i < threads; i++)
			if (fibers[i].state == AT_PHASE && hopper_ready(i)) fibers[i].state = READY, freed = true;
		if (!ran && !freed && !hopper_idle()) return false;
	}
}

static bool run(const Kernel &k, unsigned count, unsigned threads, const void *args)
{
	while (fibers.size() < threads) {
		Fiber f{};
		f.stack = (char *)mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		fibers.push_back(f);
	}
	running = &k;
	bounded = k.bounded;
	// Where a device has it: at a multiple of what any field asks for.
	std::vector<char> copy(k.size + 64);
	char *at = copy.data() + (-(uintptr_t)copy.data() & 63);
	memcpy(at, args, argument_size = k.size);
	argument = at;
	blocks = count;
	// Blocks may run in any order, so every other launch has its last first.
	static unsigned launches;
	bool turned = launches++ % 2;
	for (int n = 0; n < blocks; n++) {
		block = turned ? blocks - 1 - n : n;
		if (!run_block(threads)) return false;
	}
	return true;
}

static std::mutex lock;
static std::map<uint64_t, size_t> memory;
static size_t used;
static int failed;
constexpr size_t TOTAL = size_t(1) << 30;

// The shared memory that a launch may name without leave, and with.
constexpr unsigned LITTLE = 48 * 1024;
static int most(int capability) { return (capability == 90 ? 227 : 99) * 1024; }

// FAKECUDA_SM is the compute capability, 75 if not set.
static int capability()
{
	const char *e = getenv("FAKECUDA_SM");
	return e ? atoi(e) : 75;
}

// The rest of FAKECUDA behind key, or null.
static const char *injected(const char *key)
{
	const char *e = getenv("FAKECUDA");
	return e && !strncmp(e, key, strlen(key)) ? e + strlen(key) : nullptr;
}

// What FAKECUDA_FAULT does to a kernel, or null.
static const char *fault_of(const std::string &kernel)
{
	const char *e = getenv("FAKECUDA_FAULT"), *name = e ? strchr(e, ':') : nullptr;
	return name && kernel == name + 1 ? e : nullptr;
}

bool within(uint64_t at, size_t size)
{
	auto next = memory.upper_bound(at);
	if (next == memory.begin()) return false;
	--next;
	return at + size <= next->first + next->second;
}

} // namespace fake

using namespace fake;

#define API extern "C" __attribute__((visibility("default"))) int
#define GUARD \
	std::lock_guard<std::mutex> held(lock); \
	if (failed) return failed

API cuInit(unsigned) { return injected("no_device") ? 100 : 0; }
API cuDriverGetVersion(int *v) { return *v = injected("old_driver") ? 9020 : 12040, 0; }
API cuGetErrorName(int code, const char **s)
{
	switch (code) {
	case 1: *s = "CUDA_ERROR_INVALID_VALUE"; break;
	case 2: *s = "CUDA_ERROR_OUT_OF_MEMORY"; break;
	case 100: *s = "CUDA_ERROR_NO_DEVICE"; break;
	case 218: *s = "CUDA_ERROR_INVALID_PTX"; break;
	case 500: *s = "CUDA_ERROR_NOT_FOUND"; break;
	case 700: *s = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
	case 716: *s = "CUDA_ERROR_MISALIGNED_ADDRESS"; break;
	case 719: *s = "CUDA_ERROR_LAUNCH_FAILED"; break;
	default: return 1;
	}
	return 0;
}
API cuGetErrorString(int, const char **s) { return *s = "said by the fake driver", 0; }
API cuDeviceGetCount(int *n) { return *n = injected("none") ? 0 : 1, 0; }
API cuDeviceGet(int *d, int i) { return *d = i, i ? 101 : 0; }
API cuDeviceGetName(char *s, int n, int) { return snprintf(s, n, "Fake Device"), 0; }
API cuDeviceGetAttribute(int *v, int which, int)
{
	switch (which) {
	case 16: return *v = 3, 0; // processors
	case 38: return *v = 0, 0; // bytes of the second level cache: there is none
	case 75: return *v = capability() / 10, 0;
	case 76: return *v = capability() % 10, 0;
	}
	return 1;
}
API cuDeviceTotalMem_v2(size_t *n, int) { return *n = TOTAL, 0; }
API cuDevicePrimaryCtxRetain(void **c, int) { return *c = (void *)&memory, 0; }
API cuDevicePrimaryCtxRelease_v2(int) { return 0; }
API cuCtxSetCurrent(void *c) { return c == &memory ? 0 : 201; }

API cuCtxSynchronize()
{
	GUARD;
	if (injected("no_sync")) return 1;
	return 0;
}

API cuMemAlloc_v2(uint64_t *at, size_t size)
{
	GUARD;
	if (injected("oom") || used + size > TOTAL) return 2;
	unsigned char *p = (unsigned char *)aligned_alloc(256, (size + 255) / 256 * 256 + 2 * GUARD_BYTES);
	memset(p, GUARD_BYTE, size + 2 * GUARD_BYTES);
	p += GUARD_BYTES;
	memset(p, 0xff, size); // NaN: fresh memory holds nothing of use
	memory[*at = (uint64_t)p] = size;
	used += size;
	return 0;
}

API cuMemFree_v2(uint64_t at)
{
	GUARD;
	auto it = memory.find(at);
	if (it == memory.end()) return 1;
	if (!guarded(at, it->second)) fault(700);
	used -= it->second;
	memory.erase(it);
	free((char *)at - GUARD_BYTES);
	if (broken) failed = broken, broken = 0;
	return failed;
}

API cuMemGetInfo_v2(size_t *left, size_t *total)
{
	GUARD;
	const char *others = injected("outside=");
	*left = TOTAL - used - (others ? atol(others) : 0);
	*total = TOTAL;
	return 0;
}

API cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t n)
{
	GUARD;
	if (injected("no_sync") || !within(to, n)) return 1;
	memcpy((void *)to, from, n);
	return 0;
}

API cuMemcpyDtoH_v2(void *to, uint64_t from, size_t n)
{
	GUARD;
	if (injected("no_download") || injected("no_sync")) return 1;
	if (!within(from, n)) return 1;
	memcpy(to, (void *)from, n);
	return 0;
}

API cuMemsetD8_v2(uint64_t at, unsigned char x, size_t n)
{
	GUARD;
	if (!within(at, n)) return 1;
	memset((void *)at, x, n);
	return 0;
}

// The image must be PTX; what runs are the same kernels, compiled for the host.
API cuModuleLoadDataEx(void **m, const void *image, unsigned n, int *options, void **values)
{
	GUARD;
	if (injected("jit") || !strstr((const char *)image, ".version")) {
		for (unsigned i = 0; i + 1 < n; i++)
			if (options[i] == 5 && options[i + 1] == 6) snprintf((char *)values[i], (size_t)values[i + 1], "fake ptxas: line 1: refused");
		return 218;
	}
	*m = strdup((const char *)image);
	return 0;
}

API cuModuleUnload(void *m) { return free(m), 0; }

// A kernel is found where the module's PTX and the host's list both have it.
API cuModuleGetFunction(void **f, void *m, const char *name)
{
	GUARD;
	if (!strstr((const char *)m, (std::string(".entry ") + name + "(").c_str())) return 500;
	for (auto &k : kernels())
		if (k.name == name && k.run) return *f = &k, 0;
	if (auto image = ptx::parse((const char *)m, name)) {
		unsigned size = (unsigned)image->parameters;
		kernels().push_back({name, nullptr, size, false, LITTLE, std::move(image)});
		return *f = &kernels().back(), 0;
	}
	return 500;
}

API cuFuncSetAttribute(void *f, int which, int value)
{
	GUARD;
	if (which != 8 || value < 0 || value > most(capability())) return 1;
	((Kernel *)f)->shared = value;
	return 0;
}

API cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
	unsigned shared, void *, void **params, void **extra)
{
	GUARD;
	if (injected("no_launch")) return 0; // what remains is the call
	if (const char *code = injected("launch=")) return failed = atoi(code), 0;
	const Kernel &k = *(Kernel *)f;
	if (const char *how = fault_of(k.name)) switch (*how) {
		case 's': return failed = 700, 0;
		case 'h': for (;;) pause();
		case 'w': return 0;
		case 'c': raise(SIGSEGV);
	}
	if (gy != 1 || gz != 1 || by != 1 || bz != 1 || !gx || !bx || bx > 1024 || params || !extra) return 1;
	if (extra[0] != (void *)1 || extra[2] != (void *)2 || extra[4] || *(size_t *)extra[3] != k.size) return 1;
	if (shared > (k.shared > LITTLE ? k.shared : LITTLE)) return 1;
	if (k.image) {
		if (!ptx::run(*k.image, gx, bx, shared, extra[1], getenv("FAKECUDA_COUNTS"))) failed = 719;
		if (broken) failed = broken, broken = 0;
		return 0;
	}
	// Of its own for each launch: what is read behind its end is no earlier launch's.
	std::vector<char> memory(shared + 128, (char)0xff);
	shared_size = shared;
	dynamic_shared = memory.data() + (128 - (uintptr_t)memory.data() % 128);
	if (!run(k, gx, bx, extra[1])) failed = 719; // asynchronous, as on a device
	if (broken) failed = broken, broken = 0;
	return 0;
}

// All work is done when a call returns, so the host's clock is the device's.
API cuEventCreate(void **e, unsigned) { return *e = new std::chrono::steady_clock::time_point, 0; }
API cuEventDestroy_v2(void *e) { return delete (std::chrono::steady_clock::time_point *)e, 0; }

API cuEventRecord(void *e, void *)
{
	GUARD;
	return *(std::chrono::steady_clock::time_point *)e = std::chrono::steady_clock::now(), 0;
}

API cuEventElapsedTime(float *ms, void *from, void *to)
{
	GUARD;
	std::chrono::duration<float, std::milli> took = *(std::chrono::steady_clock::time_point *)to - *(std::chrono::steady_clock::time_point *)from;
	return *ms = took.count(), 0;
}
