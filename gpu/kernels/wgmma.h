// What only Hopper has (sm_90a; PTX ISA 8.0): products of a warpgroup (four warps) whose
// operands lie in shared memory, copies of tiles by one thread through tensor maps, and
// barriers in shared memory that count the bytes that have arrived. Behind the fake
// driver all three are worked out from descriptors, maps and barrier words as the ISA
// has them (hopper.cpp).
//
// Tiles lie in panels of rows of 128 bytes, 64 elements, that begin at multiples of 1024
// bytes; the pieces of 16 bytes of a row are exchanged by the row's number in its eight,
// as piece_at<64> has it (ISA, 128-byte swizzle).
#pragma once
#include "mma.h"

typedef unsigned long long u64;

// What the driver encodes of a tensor (B, H, T, D): see driver.TensorMap.
struct alignas(64) TensorMap { u64 words[16]; };

typedef u32 Piece __attribute__((vector_size(16)));

#ifdef __CUDA__

// Lets the compiler use the registers of a block of so many threads, one at a time.
#define BOUNDED __attribute__((launch_bounds(THREADS, 1)))
// The kernel's argument where the launch put it, which copies need of their maps.
#define ARGUMENT(kernel, p) \
	[] { \
		const void *at; \
		asm("{ .reg .b64 t; mov.b64 t, " #kernel "_param_0; cvta.param.u64 %0, t; }" : "=l"(at)); \
		return at; \
	}()

DEVICE void barrier_init(u64 *b, int arrivals) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" : : "r"(shared_address(b)), "r"(arrivals) : "memory"); }
DEVICE void barrier_arrive(u64 *b) { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" : : "r"(shared_address(b)) : "memory"); }
// Arrives, and has the barrier's phase wait for so many bytes.
DEVICE void barrier_expect(u64 *b, int bytes)
{
	asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" : : "r"(shared_address(b)), "r"(bytes) : "memory");
}
// Whether the phase of that parity is over; it may wait a little for that.
DEVICE bool barrier_try(u64 *b, int parity)
{
	u32 done;
	asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.b32 %0, 1, 0, p; }"
		: "=r"(done) : "r"(shared_address(b)), "r"(parity) : "memory");
	return done;
}
DEVICE u64 nanoseconds()
{
	u64 t;
	asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t));
	return t;
}

// What this thread wrote to shared memory, barriers too, is there for copies and
// products of warpgroups.
DEVICE void async_fence() { asm volatile("fence.proxy.async.shared::cta;" : : : "memory"); }
DEVICE void warp_barrier() { __nvvm_bar_warp_sync(0xffffffffu); }
DEVICE int blocks_x() { return __nvvm_read_ptx_sreg_nctaid_x(); }
// Lane 0's value, which the compiler knows then to be the warp's. All lanes call.
DEVICE int from_first(int x) { return __nvvm_shfl_sync_idx_i32(0xffffffffu, x, 0, 31); }

// A counter in device memory that each launch of a kernel finds 0. take counts up and
// returns what there was; the work-th call begins anew.
#define TAKEN(name) static __attribute__((device)) unsigned name
DEVICE int take(unsigned *counter, int work) { return __nvvm_atom_inc_gen_ui(counter, work - 1); }

// A box of a tensor to shared memory: 64 elements from column c on, as many rows as the
// map says from row r on, zeros past the tensor. b hears of its bytes.
DEVICE void copy_box(char *to, const void *map, u64 *b, int c, int r, int head, int batch)
{
	asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4, %5}], [%6];"
		: : "r"(shared_address(to)), "l"(map), "r"(c), "r"(r), "r"(head), "r"(batch), "r"(shared_address(b)) : "memory");
}

// 16 bytes to shared memory, zeros where not there. async_fence publishes them.
DEVICE void put_piece(char *to, const void *from, bool there)
{
	Piece none = {0, 0, 0, 0};
	*(Piece *)to = there ? *(const Piece *)from : none;
}

// Registers a thread of the warpgroup has from here on.
#define REGISTERS_FEWER(n) asm volatile("setmaxnreg.dec.sync.aligned.u32 " #n ";")
#define REGISTERS_MORE(n) asm volatile("setmaxnreg.inc.sync.aligned.u32 " #n ";")

// Products are under way from product on until products_wait. Before the first, and
// after the registers of any were written, products_begin; after the last of a group,
// products_end.
DEVICE void products_begin() { asm volatile("wgmma.fence.sync.aligned;" : : : "memory"); }
DEVICE void products_end() { asm volatile("wgmma.commit_group.sync.aligned;" : : : "memory"); }
// Waits until at most LEFT groups are under way.
template <int LEFT> DEVICE void products_wait() { asm volatile("wgmma.wait_group.sync.aligned %0;" : : "n"(LEFT) : "memory"); }
// Keeps what is done with registers on its side of the wait or the fence beside it.
template <int N> DEVICE void settle(float (&c)[N][4])
{
	UNROLL for (int n = 0; n < N; n++) asm volatile("" : "+f"(c[n][0]), "+f"(c[n][1]), "+f"(c[n][2]), "+f"(c[n][3]) : : "memory");
}
template <int N> DEVICE void settle(u32 (&a)[N][4])
{
	UNROLL for (int n = 0; n < N; n++) asm volatile("" : "+r"(a[n][0]), "+r"(a[n][1]), "+r"(a[n][2]), "+r"(a[n][3]) : : "memory");
}
// x, of which what follows is worked out at this place and not before a loop.
DEVICE u32 fresh(u32 x)
{
	asm volatile("" : "+r"(x));
	return x;
}

#define T32 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define T64 T32 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
#define T128 T64 ",%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95,%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111,%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"
#define C4(n) "+f"(c[n][0]), "+f"(c[n][1]), "+f"(c[n][2]), "+f"(c[n][3])
#define C16(n) C4(n), C4(n + 1), C4(n + 2), C4(n + 3)
#define C32 C16(0), C16(4)
#define C64 C32, C16(8), C16(12)
#define C128 C64, C16(16), C16(20), C16(24), C16(28)
#define PRODUCT(E, type, n, fragments, text, registers) \
	template <bool TURNED_A, bool TURNED_B> DEVICE void product(E, float (&c)[fragments][4], u64 a, u64 b, bool keep) \
	{ \
		asm volatile("{ .reg .pred p; setp.ne.b32 p, %[keep], 0; wgmma.mma_async.sync.aligned.m64n" n "k16.f32." type "." type \
			" {" text "}, %[a], %[b], p, 1, 1, %[ta], %[tb]; }" \
			: registers : [a] "l"(a), [b] "l"(b), [keep] "r"((int)keep), [ta] "n"((int)TURNED_A), [tb] "n"((int)TURNED_B)); \
	} \
	template <bool TURNED_B> DEVICE void product(E, float (&c)[fragments][4], const u32 (&a)[4], u64 b, bool keep) \
	{ \
		asm volatile("{ .reg .pred p; setp.ne.b32 p, %[keep], 0; wgmma.mma_async.sync.aligned.m64n" n "k16.f32." type "." type \
			" {" text "}, {%[a0],%[a1],%[a2],%[a3]}, %[b], p, 1, 1, %[tb]; }" \
			: registers : [a0] "r"(a[0]), [a1] "r"(a[1]), [a2] "r"(a[2]), [a3] "r"(a[3]), [b] "l"(b), [keep] "r"((int)keep), [tb] "n"((int)TURNED_B)); \
	}
PRODUCT(F16, "f16", "64", 8, T32, C32)
PRODUCT(F16, "f16", "128", 16, T64, C64)
PRODUCT(F16, "f16", "256", 32, T128, C128)
PRODUCT(BF16, "bf16", "64", 8, T32, C32)
PRODUCT(BF16, "bf16", "128", 16, T64, C64)
PRODUCT(BF16, "bf16", "256", 32, T128, C128)

#else

#define BOUNDED
#define ARGUMENT(kernel, p) fake::argument
#define REGISTERS_FEWER(n) fake::registers(n, false)
#define REGISTERS_MORE(n) fake::registers(n, true)
DEVICE u32 shared_address(const void *p) { return fake::shared_address(p); }
DEVICE void barrier_init(u64 *b, int arrivals) { fake::barrier_init(b, arrivals); }
DEVICE void barrier_arrive(u64 *b) { fake::barrier_arrive(b, 0); }
DEVICE void barrier_expect(u64 *b, int bytes) { fake::barrier_arrive(b, bytes); }
DEVICE bool barrier_try(u64 *b, int parity) { return fake::barrier_try(b, parity); }
DEVICE u64 nanoseconds() { return fake::nanoseconds(); }
DEVICE void async_fence() { fake::async_fence(); }
DEVICE void warp_barrier() { fake::hide(); }
DEVICE int blocks_x() { return fake::blocks; }
DEVICE int from_first(int x)
{
	fake::show(&x);
	int y = *(const int *)fake::seen(0);
	fake::hide();
	return y;
}
#define TAKEN(name) static unsigned name
DEVICE int take(unsigned *counter, int work)
{
	int was = *counter;
	*counter = was + 1 < work ? was + 1 : 0;
	return was;
}
DEVICE void copy_box(char *to, const void *map, u64 *b, int c, int r, int head, int batch)
{
	const int at[4] = {c, r, head, batch};
	fake::copy_box(to, map, b, at);
}
DEVICE void put_piece(char *to, const void *from, bool there) { fake::put_piece(to, there ? from : nullptr); }
DEVICE void products_begin() { fake::products_begin(); }
DEVICE void products_end() { fake::products_end(); }
template <int LEFT> DEVICE void products_wait() { fake::products_wait(LEFT); }
template <int N> DEVICE void settle(float (&)[N][4]) {}
template <int N> DEVICE void settle(u32 (&)[N][4]) {}
DEVICE u32 fresh(u32 x) { return x; }
DEVICE float (*widener(F16))(unsigned short) { return of_f16; }
DEVICE float (*widener(BF16))(unsigned short) { return of_bf16; }
template <bool TURNED_A, bool TURNED_B, class E, int N> DEVICE void product(E e, float (&c)[N][4], u64 a, u64 b, bool keep)
{
	fake::product({c[0], 8 * N, nullptr, a, b, TURNED_A, TURNED_B, keep, widener(e)});
}
template <bool TURNED_B, class E, int N> DEVICE void product(E e, float (&c)[N][4], const u32 (&a)[4], u64 b, bool keep)
{
	fake::product({c[0], 8 * N, a, 0, b, false, TURNED_B, keep, widener(e)});
}

#endif

// An operand of a product in a tile of panels (ISA, matrix descriptor): at is its first
// element. Eights of rows are 1024 bytes apart. leading is how far panels
// are from each other where the operand lies turned, its rows along the inner axis;
// else it says nothing.
DEVICE u64 operand(const char *at, int leading)
{
	const u64 SWIZZLE_128 = 1ull << 62;
	return SWIZZLE_128 | (u64)(1024 >> 4) << 32 | (u64)(leading >> 4) << 16 | (shared_address(at) & 0x3ffff) >> 4;
}

// The operand that lies so many bytes behind another.
DEVICE u64 moved(u64 operand, int bytes) { return (operand >> 32) << 32 | ((u32)operand + (bytes >> 4)); }

// Waits for the end of a phase, and gives up for good after 2^32 ns, so that a mistake
// ends in wrong values and not in a device that hangs.
DEVICE void barrier_wait(u64 *b, int parity, bool &stuck)
{
	if (stuck || barrier_try(b, parity)) return;
	u64 begin = nanoseconds();
	UNROLL_BY(1) while (!barrier_try(b, parity))
		if ((nanoseconds() - begin) >> 32) {
			stuck = true;
			return;
		}
}
