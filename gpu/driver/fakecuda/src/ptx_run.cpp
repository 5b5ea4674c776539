// Runs the blocks of a launch on an image's text.
#include "ptx.h"

#include <cmath>
#include <cstring>
#include <type_traits>

namespace ptx {

#define EACH(l) for (int l = 0; l < 32; l++) if (lanes >> l & 1)

static int block, grid;
static std::vector<Warp> warps;
static uint64_t shared_end;

template <class T> static T of(uint64_t bits)
{
	T x = 0;
	memcpy(&x, &bits, sizeof x < sizeof bits ? sizeof x : sizeof bits);
	return x;
}

template <class T> static uint64_t bits(T x)
{
	uint64_t b = 0;
	memcpy(&b, &x, sizeof x);
	return b;
}

static uint64_t special(const Warp &w, const Operand &o, int lane)
{
	static uint64_t now;
	if (o.number == TIMER) return now += 1000;
	return o.number == TID ? w.first + lane : o.number == NCTAID ? grid : block;
}

static uint64_t get(const Warp &w, const Operand &o, int l) { return o.special ? special(w, o, l) : value(w, o, l); }
static void put(Warp &w, const Operand &o, int l, uint64_t x) { w.r[o.reg * 32 + l] = x; }

template <class T, class F> static void map1(const Instruction &i, Warp &w, uint32_t lanes, F f)
{
	EACH(l) put(w, i.o[0], l, bits<T>(f(of<T>(get(w, i.o[1], l)))));
}

template <class T, class F> static void map2(const Instruction &i, Warp &w, uint32_t lanes, F f)
{
	EACH(l) put(w, i.o[0], l, bits<T>(f(of<T>(get(w, i.o[1], l)), of<T>(get(w, i.o[2], l)))));
}

template <class T> static bool compared(Compare c, T a, T b)
{
	switch (c) {
	case EQ: return a == b;
	case NE: return a != b && a == a && b == b;
	case LT: return a < b;
	case LE: return a <= b;
	case GT: return a > b;
	case GE: return a >= b;
	case EQU: return !(a != b && a == a && b == b);
	case NEU: return a != b;
	case LTU: return !(a >= b);
	case LEU: return !(a > b);
	case GTU: return !(a <= b);
	case GEU: return !(a < b);
	case NUM: return a == a && b == b;
	default: return a != a || b != b;
	}
}

// What every type has.
template <class T> static bool common(const Instruction &i, Warp &w, uint32_t lanes)
{
	switch (i.op) {
	case ADD: map2<T>(i, w, lanes, [](T a, T b) { return T(a + b); }); break;
	case SUB: map2<T>(i, w, lanes, [](T a, T b) { return T(a - b); }); break;
	case MIN: map2<T>(i, w, lanes, [](T a, T b) { return b != b || a < b ? a : b; }); break;
	case MAX: map2<T>(i, w, lanes, [](T a, T b) { return b != b || a > b ? a : b; }); break;
	case NEG: map1<T>(i, w, lanes, [](T a) { return T(-a); }); break;
	case ABS: map1<T>(i, w, lanes, [](T a) { return a < 0 ? T(-a) : a; }); break;
	case SETP: EACH(l) put(w, i.o[0], l, compared(i.compare, of<T>(get(w, i.o[1], l)), of<T>(get(w, i.o[2], l)))); break;
	default: return false;
	}
	return true;
}

template <class T> static void real(const Instruction &i, Warp &w, uint32_t lanes)
{
	if (common<T>(i, w, lanes)) return;
	switch (i.op) {
	case MUL: return map2<T>(i, w, lanes, [](T a, T b) { return a * b; });
	case DIV: return map2<T>(i, w, lanes, [](T a, T b) { return a / b; });
	case RCP: return map1<T>(i, w, lanes, [](T a) { return 1 / a; });
	case SQRT: return map1<T>(i, w, lanes, [](T a) { return std::sqrt(a); });
	case EX2: return map1<T>(i, w, lanes, [](T a) { return a < -126 ? T(0) : std::exp2(a); }); // .ftz
	case LG2: return map1<T>(i, w, lanes, [](T a) { return std::log2(a); });
	case FMA: EACH(l) put(w, i.o[0], l, bits<T>(std::fma(of<T>(get(w, i.o[1], l)), of<T>(get(w, i.o[2], l)), of<T>(get(w, i.o[3], l))))); return;
	default: fake::fault(715);
	}
}

// Products of integers: the low half, the high one, or both.
template <class T, class WIDE> static void multiply(const Instruction &i, Warp &w, uint32_t lanes)
{
	EACH(l) {
		WIDE x = (WIDE)of<T>(get(w, i.o[1], l)) * (WIDE)of<T>(get(w, i.o[2], l));
		if (i.part == 'h') x >>= 8 * sizeof(T);
		if (i.op == MAD) x += i.part == 'w' ? of<WIDE>(get(w, i.o[3], l)) : (WIDE)of<T>(get(w, i.o[3], l));
		put(w, i.o[0], l, i.part == 'w' ? (uint64_t)x : bits<T>(T(x)));
	}
}

template <class T, class WIDE> static void whole(const Instruction &i, Warp &w, uint32_t lanes)
{
	typedef typename std::make_unsigned<T>::type U;
	if (common<T>(i, w, lanes)) return;
	const int B = 8 * sizeof(T);
	switch (i.op) {
	case MUL:
	case MAD: return multiply<T, WIDE>(i, w, lanes);
	case DIV: return map2<T>(i, w, lanes, [](T a, T b) { return b ? T(a / b) : T(-1); });
	case REM: return map2<T>(i, w, lanes, [](T a, T b) { return b ? T(a % b) : a; });
	case AND: return map2<T>(i, w, lanes, [](T a, T b) { return T(a & b); });
	case OR: return map2<T>(i, w, lanes, [](T a, T b) { return T(a | b); });
	case XOR: return map2<T>(i, w, lanes, [](T a, T b) { return T(a ^ b); });
	case NOT: return map1<T>(i, w, lanes, [](T a) { return T(~a); });
	case SHL:
	case SHR:
		EACH(l) {
			T a = of<T>(get(w, i.o[1], l));
			unsigned n = (unsigned)get(w, i.o[2], l);
			T all = a < 0 ? T(-1) : T(0);
			put(w, i.o[0], l, bits<T>(i.op == SHL ? (n >= B ? T(0) : T((U)a << n)) : n >= B ? all : T(a >> n)));
		}
		return;
	case BFE:
		EACH(l) {
			U a = of<U>(get(w, i.o[1], l));
			unsigned at = (unsigned)get(w, i.o[2], l) & 255, n = (unsigned)get(w, i.o[3], l) & 255;
			put(w, i.o[0], l, at >= B ? 0 : bits<U>(n >= B ? a >> at : (a >> at) & (((U)1 << n) - 1)));
		}
		return;
	default: fake::fault(715);
	}
}

// On predicates.
static void logic(const Instruction &i, Warp &w, uint32_t lanes)
{
	EACH(l) {
		uint64_t a = get(w, i.o[1], l) & 1, b = i.op == NOT ? 0 : get(w, i.o[2], l) & 1;
		put(w, i.o[0], l, i.op == AND ? a & b : i.op == OR ? a | b : i.op == XOR ? a ^ b : !a);
	}
}

static double number(Type t, bool bf16, uint64_t x)
{
	if (t.kind == 'f' && t.bits == 16) return bf16 ? of<float>((x & 0xffff) << 16) : of_f16((unsigned short)x);
	if (t.kind == 'f') return t.bits == 32 ? of<float>(x) : of<double>(x);
	return t.kind == 's' ? (t.bits == 32 ? (double)of<int32_t>(x) : (double)of<int64_t>(x)) : (double)x;
}

static unsigned short half(bool bf16, float x)
{
	unsigned b = bits_of(x);
	if (!bf16) return f16_of(x);
	return x != x ? b >> 16 | 0x40 : (b + 0x7fff + (b >> 16 & 1)) >> 16;
}

static uint64_t extended(Type t, uint64_t x)
{
	int narrow = t.bits < 64 ? 64 - t.bits : 0;
	return t.kind == 's' ? (uint64_t)((int64_t)(x << narrow) >> narrow) : x << narrow >> narrow;
}

static void convert(const Instruction &i, Warp &w, uint32_t lanes)
{
	EACH(l) {
		uint64_t x = get(w, i.o[1], l), r = 0;
		if (i.type.kind == 'h') r = half(i.bf16, of<float>(get(w, i.o[2], l))) | (unsigned)half(i.bf16, of<float>(x)) << 16;
		else if (i.type.kind == 'f' && i.type.bits == 16) r = half(i.bf16, of<float>(x));
		else if (i.type.kind == 'f' && i.type.bits == 32)
			r = bits<float>(i.from.kind == 'f' ? (float)number(i.from, i.bf16, x) : i.from.kind == 's' && i.from.bits == 64 ? (float)of<int64_t>(x) : (float)number(i.from, false, x));
		else if (i.type.kind == 'f') r = bits<double>(number(i.from, i.bf16, x));
		else if (i.from.kind == 'f') r = bits<int32_t>(i32_of(of<float>(x)));
		else {
			r = extended(i.from, x);
			if (i.type.bits < 64) r &= ((uint64_t)1 << i.type.bits) - 1;
		}
		put(w, i.o[0], l, r);
	}
}

static void arithmetic(const Instruction &i, Warp &w, uint32_t lanes)
{
	Type t = i.type;
	if (t.kind == 'p') return logic(i, w, lanes);
	if (t.kind == 'f') return t.bits == 32 ? real<float>(i, w, lanes) : real<double>(i, w, lanes);
	if (t.kind == 's' && t.bits == 64) return whole<int64_t, __int128>(i, w, lanes);
	if (t.kind == 's') return t.bits == 32 ? whole<int32_t, int64_t>(i, w, lanes) : whole<int16_t, int32_t>(i, w, lanes);
	if (t.bits == 64) return whole<uint64_t, unsigned __int128>(i, w, lanes);
	t.bits == 32 ? whole<uint32_t, uint64_t>(i, w, lanes) : whole<uint16_t, uint32_t>(i, w, lanes);
}

static uint64_t masked(uint64_t x, int bits) { return bits == 64 ? x : x & (((uint64_t)1 << bits) - 1); }

static void move(const Instruction &i, Warp &w, uint32_t lanes)
{
	int n = (int)i.o.size() - 1;
	EACH(l) {
		uint64_t x = 0;
		if (i.op == MOV) put(w, i.o[0], l, get(w, i.o[1], l));
		if (i.op == PACK)
			for (int e = n; e > 0; e--) x = x << i.type.bits / n | masked(get(w, i.o[e], l), i.type.bits / n);
		if (i.op == PACK) put(w, i.o[0], l, x);
		if (i.op != UNPACK) continue;
		x = get(w, i.o[n], l);
		for (int e = 0; e < n; e++, x >>= i.type.bits / n) put(w, i.o[e], l, masked(x, i.type.bits / n));
	}
}

static bool is_shared(Space s, uint64_t at)
{
	return s == ON_CHIP || (s == GENERIC && at >= (uint64_t)fake::dynamic_shared && at < shared_end);
}

char *memory_at(Space s, uint64_t at, unsigned bytes)
{
	static uint64_t first, last; // the allocation before
	if (at % bytes) return fake::fault(716), nullptr;
	if (s == PARAM) return (char *)at;
	if (s == ON_CHIP) at = at < BASE ? 0 : at - BASE + (uint64_t)fake::dynamic_shared;
	if (is_shared(s, at)) {
		if (at < (uint64_t)fake::dynamic_shared || at + bytes > shared_end) return fake::fault(700), nullptr;
		return (char *)at;
	}
	if (at >= first && at + bytes <= last) return (char *)at;
	if (!fake::within(at, bytes)) return fake::fault(700), nullptr;
	first = at, last = at + bytes;
	return (char *)at;
}

static void access(Instruction &i, Warp &w, uint32_t lanes)
{
	bool stores = i.op == ST;
	const Operand &where = stores ? i.o[0] : i.o[i.vector];
	unsigned bytes = i.type.bits / 8 * i.vector;
	uint64_t at[32], one = 0;
	EACH(l) one = at[l] = get(w, where, l);
	if (i.space != PARAM) {
		if (is_shared(i.space, one)) count_shared(i.site, at, lanes, bytes);
		else count_global(i.site, at, lanes, bytes, stores);
	}
	EACH(l) {
		char *p = memory_at(i.space, at[l], bytes);
		for (int v = 0; v < i.vector && p; v++, p += i.type.bits / 8) {
			const Operand &o = i.o[stores ? v + 1 : v];
			uint64_t x = stores ? get(w, o, l) : 0;
			if (stores) memcpy(p, &x, i.type.bits / 8);
			else memcpy(&x, p, i.type.bits / 8), put(w, o, l, extended(i.type, x)); // the register may be wider
		}
	}
}

// cp.async: what arrives later on a device is there at once.
static void copy(Instruction &i, Warp &w, uint32_t lanes)
{
	uint64_t to[32], from[32];
	uint32_t reads = 0;
	EACH(l) {
		to[l] = get(w, i.o[0], l), from[l] = get(w, i.o[1], l);
		if (get(w, i.o[3], l)) reads |= 1u << l;
	}
	count_shared(i.site, to, lanes, 16);
	if (reads) count_global(i.site, from, reads, 16, false);
	EACH(l) {
		char *p = memory_at(ON_CHIP, to[l], 16), *q = reads >> l & 1 ? memory_at(GLOBAL, from[l], 16) : nullptr;
		if (p && q) memcpy(p, q, 16);
		else if (p) memset(p, 0, 16);
	}
}

static void phase_barrier(const Instruction &i, Warp &w, uint32_t lanes)
{
	int at = i.op == BARRIER_INIT ? 0 : 1 - (i.o.size() == 1);
	EACH(l) {
		fake::thread = w.first + l;
		unsigned long long *b = (unsigned long long *)memory_at(ON_CHIP, get(w, i.o[at], l), 8);
		if (!b) continue;
		if (i.op == BARRIER_INIT) fake::barrier_init(b, (int)get(w, i.o[1], l));
		else fake::barrier_arrive(b, i.op == BARRIER_EXPECT ? (int)get(w, i.o[2], l) : 0);
	}
}

static void copy_box(const Instruction &i, Warp &w, uint32_t lanes)
{
	EACH(l) {
		fake::thread = w.first + l;
		char *to = memory_at(ON_CHIP, get(w, i.o[0], l), 128);
		unsigned long long *b = (unsigned long long *)memory_at(ON_CHIP, get(w, i.o[6], l), 8);
		const void *map = (const void *)get(w, i.o[1], l);
		int at[4];
		for (int d = 0; d < 4; d++) at[d] = (int)get(w, i.o[2 + d], l);
		if (to && b) count_box(fake::copy_box(to, map, b, at));
	}
}

// The lanes that find their phase over, and are told so.
static uint32_t over(const Instruction &i, Warp &w, uint32_t lanes)
{
	uint32_t done = 0;
	EACH(l) {
		const unsigned long long *b = (const unsigned long long *)memory_at(ON_CHIP, get(w, i.o[1], l), 8);
		if (!b || fake::barrier_over(b, (int)get(w, i.o[2], l))) done |= 1u << l, put(w, i.o[0], l, 1);
	}
	return done;
}

static void shuffle(const Instruction &i, Warp &w)
{
	uint64_t x[32];
	for (int l = 0; l < 32; l++) x[l] = get(w, i.o[1], l);
	for (int l = 0; l < 32; l++) put(w, i.o[0], l, x[(i.turned ? get(w, i.o[2], l) : l ^ get(w, i.o[2], l)) & 31]);
}

static void vote(const Instruction &i, Warp &w)
{
	uint64_t any = 0;
	for (int l = 0; l < 32; l++) any |= get(w, i.o[1], l);
	for (int l = 0; l < 32; l++) put(w, i.o[0], l, any != 0);
}

// One instruction for lanes of a warp.
static void execute(Instruction &i, Warp &w, uint32_t lanes)
{
	switch (i.op) {
	case MOV:
	case PACK:
	case UNPACK: move(i, w, lanes); break;
	case LD:
	case ST: access(i, w, lanes); break;
	case CVT: convert(i, w, lanes); break;
	case CVTA:
		EACH(l) {
			uint64_t x = get(w, i.o[1], l);
			if (i.space == ON_CHIP) x += i.to_space ? BASE - (uint64_t)fake::dynamic_shared : (uint64_t)fake::dynamic_shared - BASE;
			put(w, i.o[0], l, x);
		}
		break;
	case SELP: EACH(l) put(w, i.o[0], l, get(w, i.o[3], l) & 1 ? get(w, i.o[1], l) : get(w, i.o[2], l)); break;
	case SHFL: shuffle(i, w); break;
	case ATOM_INC:
		EACH(l) {
			uint32_t *at = (uint32_t *)get(w, i.o[1], l), was = *at;
			*at = was >= (uint32_t)get(w, i.o[2], l) ? 0 : was + 1;
			put(w, i.o[0], l, was);
		}
		break;
	case VOTE: vote(i, w); break;
	case COPY: copy(i, w, lanes); break;
	case COPY_BOX: copy_box(i, w, lanes); break;
	case BARRIER_INIT:
	case BARRIER_ARRIVE:
	case BARRIER_EXPECT: phase_barrier(i, w, lanes); break;
	case MMA: mma(i, w); break;
	case LDMATRIX: load_matrices(i, w); break;
	case WGMMA: wgmma(i, w); break;
	case FENCE:
		if (i.name.find("fence.proxy") == 0) fake::thread = w.first, fake::async_fence();
		break;
	case WARP_BARRIER: break;
	default: arithmetic(i, w, lanes);
	}
}

// Whether an instruction is of the whole warp, whose lanes wait for each other.
static bool together(Op op) { return op == BAR || op == WARP_BARRIER || op == SHFL || op == VOTE || op == MMA || op == LDMATRIX || op == WGMMA; }

static void merge(Warp &w)
{
	auto &g = w.groups;
	for (size_t a = 0; a < g.size(); a++)
		for (size_t b = g.size() - 1; b > a; b--)
			if (g[a].at == g[b].at) g[a].lanes |= g[b].lanes, g[a].waits = false, g.erase(g.begin() + b);
}

// Lanes whose phase is over go on, the others wait; false where all do.
static bool try_barrier(Instruction &i, Warp &w, Group &g)
{
	uint32_t done = over(i, w, g.lanes), rest = g.lanes & ~done;
	if (!done) return false;
	count_instruction(i, w, done);
	g.lanes = done;
	if (rest) w.groups.push_back({g.at++, rest, true});
	else g.at++;
	return true;
}

static void branch(Instruction &i, Warp &w, Group &g)
{
	uint32_t taken = g.lanes, lanes = g.lanes;
	if (i.guard >= 0)
		EACH(l)
			if ((w.r[i.guard * 32 + l] & 1) == (uint64_t)i.negated) taken &= ~(1u << l);
	if (i.guard >= 0) work.branches++;
	if (!taken) {
		g.at++;
	} else if (taken == lanes) {
		g.at = i.target;
	} else {
		work.split++;
		g.lanes = lanes & ~taken, g.at++;
		w.groups.push_back({i.target, taken, false});
	}
}

// One step of a group of lanes; false where it waits for others.
static bool step(Kernel &k, Warp &w, Group &g)
{
	Instruction &i = k.code[g.at];
	if (together(i.op) && g.lanes != w.alive) return false;
	uint32_t lanes = g.lanes;
	if (i.guard >= 0 && i.op != BRA)
		EACH(l)
			if ((w.r[i.guard * 32 + l] & 1) == (uint64_t)i.negated) lanes &= ~(1u << l);
	if (i.op == BARRIER_TRY) return try_barrier(i, w, g);
	count_instruction(i, w, lanes);
	if (i.op == BRA) return branch(i, w, g), true;
	if (i.op == RET) {
		w.alive &= ~lanes, g.lanes &= ~lanes, g.at++;
		return true;
	}
	if (i.op == BAR) w.at_barrier = true;
	else if (lanes) execute(i, w, lanes);
	g.at++;
	return true;
}

// Runs a warp on until it waits; whether it got on.
static bool run_warp(Kernel &k, Warp &w)
{
	bool moved = false;
	for (auto &g : w.groups) g.waits = false;
	while (w.alive && !w.at_barrier) {
		if (w.groups.size() > 1) merge(w);
		Group *next = nullptr;
		for (auto &g : w.groups)
			if (!g.waits && (!next || g.at < next->at)) next = &g;
		if (!next) break;
		bool ran = step(k, w, *next);
		moved |= ran;
		if (!ran) {
			next->waits = true;
			continue;
		}
		for (size_t n = 0; n < w.groups.size(); n++)
			if (!w.groups[n].lanes) {
				w.groups.erase(w.groups.begin() + n);
				for (auto &g : w.groups) g.waits = false; // for who is gone
				break;
			}
	}
	return moved;
}

static bool run_block(Kernel &k, unsigned threads)
{
	warps.resize((threads + 31) / 32);
	for (size_t n = 0; n < warps.size(); n++) {
		Warp &w = warps[n];
		uint32_t all = threads - 32 * n < 32 ? (1u << (threads - 32 * n)) - 1 : ~0u;
		w.first = (int)n * 32, w.alive = all, w.at_barrier = false, w.begun = w.ended = 0;
		w.r.assign(k.registers.size() * 32, ~(uint64_t)0); // what was not written is of no use
		w.groups = {{0, all, false}};
		w.pending.assign(k.registers.size(), 0);
		w.flight.clear();
	}
	fake::hopper_begin((int)threads, false);
	for (;;) {
		bool moved = false, all = true, any = false;
		for (auto &w : warps) moved |= run_warp(k, w);
		for (auto &w : warps) any |= w.alive != 0, all &= !w.alive || w.at_barrier;
		if (!any) return true;
		if (all)
			for (auto &w : warps) w.at_barrier = false;
		if (!all && !moved) return false;
	}
}

bool run(Kernel &k, unsigned blocks, unsigned threads, unsigned shared, const void *arguments, const char *file)
{
	work = Work(), counting = file != nullptr;
	for (auto &i : k.code) i.site = Site();
	memcpy(k.arguments, arguments, k.parameters);
	fake::argument = k.arguments, fake::argument_size = (unsigned)k.parameters;
	std::vector<char> memory(k.fixed + shared + 128);
	fake::dynamic_shared = memory.data() + (128 - (uintptr_t)memory.data() % 128);
	fake::shared_size = k.fixed + shared;
	shared_end = (uint64_t)fake::dynamic_shared + fake::shared_size;
	grid = (int)blocks;
	for (block = 0; block < grid; block++) {
		memset(fake::dynamic_shared, 0xff, fake::shared_size);
		if (!run_block(k, threads)) return false;
	}
	if (file) report(k, blocks, threads, file);
	return true;
}

}
