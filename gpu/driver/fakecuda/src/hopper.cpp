// Hopper's barriers in shared memory, copies of tiles through tensor maps, and products
// of warpgroups, as the PTX ISA describes them. What is only there after a wait is there
// no sooner: copies arrive when nobody can run without them (or, in every other block,
// at once, so that one over what is still read shows), and the registers of a product
// under way hold NaN. What the ISA forbids or leaves undefined is a fault. What a device would refuse, or the ISA leaves undefined, is a fault.
#include "fibers.h"

#include <cstdlib>
#include <deque>
#include <map>
#include <set>
#include <vector>

namespace fake {

// A barrier's word: its phase's parity, arrivals that it still waits for, those of a
// phase, and bytes that it waits for (a device keeps the same in 64 bits of its own).
struct Word {
	uint64_t parity : 1, pending : 20, count : 20;
	int64_t bytes : 23;
};
static_assert(sizeof(Word) == 8, "a barrier is 64 bits");

struct Box {
	char *to;
	uint64_t map[16];
	uint64_t *barrier;
	int at[4];
};

// What cuTensorMapEncodeTiled makes.
struct Map {
	uint64_t magic, address, size[4], stride[4]; // strides in bytes, the first is the element's
	uint16_t box[4];
	uint32_t element, swizzle;
};
constexpr uint64_t MAGIC = 0x70616d726f736e65;
static_assert(sizeof(Map) <= 128, "a map is 128 bytes");

struct Pending {
	Product p;
	std::vector<float> sums; // those it adds to; none where they are an earlier product's
	int number;              // of the warp's products
	unsigned a[4];           // its registers of A, which must not change until it is over
};

struct Thread {
	std::vector<std::deque<Pending>> groups; // the last is open
	std::vector<std::pair<char *, const void *>> pieces; // written, not published
	bool fenced;
	int issued;
	Word *wait;
	int parity;
	bool late; // its wait ended before the phase did
	int registers; // that it has
	std::vector<int> changes; // of their number
};

struct Warp {
	std::deque<Operands> issued; // of the warp's products from number first on
	int first;
};

// What all warps of a group must agree on, of one product.
struct Common {
	uint64_t da, db;
	int n;
	bool registers, turned_a, turned_b, keep;
	bool operator==(const Common &x) const
	{
		return (registers || da == x.da) && db == x.db && n == x.n && registers == x.registers && turned_a == x.turned_a && turned_b == x.turned_b && keep == x.keep;
	}
};

static std::vector<Thread> threads;
static std::vector<Warp> warps;
static std::vector<std::vector<Common>> common; // products of each warpgroup
static std::deque<Box> boxes;
static std::set<Word *> barriers; // that there are
static std::map<const void *, int> unpublished; // barriers that copies do not know of, and who made them
static bool late;

// The registers of an SM, and what a thread of a block of count gets of them at the
// start: a multiple of 8, at most 255 (8 more can be had).
constexpr int REGISTERS = 65536;
static int registers_of(int count) { return count * 256 > REGISTERS ? REGISTERS / count / 8 * 8 : 255; }

void hopper_begin(int count, bool slow)
{
	threads.assign(count, Thread());
	for (auto &t : threads) t.groups.resize(1);
	for (auto &t : threads) t.registers = registers_of(count);
	warps.assign((count + 31) / 32, Warp());
	common.assign((count + 127) / 128, {});
	boxes.clear();
	barriers.clear();
	unpublished.clear();
	late = slow;
}

// Shared memory begins where a device's does not: in the middle of a swizzle's pattern.
constexpr unsigned BASE = 1024 + 128;

unsigned shared_address(const void *p) { return (unsigned)((const char *)p - dynamic_shared) + BASE; }

// The memory behind an address, or null and a fault.
static char *shared_at(unsigned address, unsigned size)
{
	if (address < BASE || address - BASE + size > shared_size) return fault(700), nullptr;
	return dynamic_shared + (address - BASE);
}

// A barrier's word: aligned, in shared memory, and made.
static Word *word_of(uint64_t *b)
{
	static Word none;
	if ((uintptr_t)b % 8 || !shared_at(shared_address(b), 8)) return fault(716), none = Word(), &none;
	if (!barriers.count((Word *)b)) fault(719);
	return (Word *)b;
}

constexpr int MOST = (1 << 20) - 1; // arrivals of a phase, and bytes that it can wait for

void barrier_init(unsigned long long *b, int arrivals)
{
	if (arrivals < 1 || arrivals > MOST) return fault(719);
	barriers.insert((Word *)b);
	Word *w = word_of((uint64_t *)b);
	w->parity = 0, w->pending = w->count = arrivals, w->bytes = 0;
	unpublished[b] = thread;
}

static void settle(Word *w)
{
	if (w->bytes > MOST || w->bytes < -MOST) fault(719);
	if (w->pending || w->bytes) return;
	w->parity ^= 1, w->pending = w->count;
}

void barrier_arrive(unsigned long long *b, int bytes)
{
	Word *w = word_of((uint64_t *)b);
	if (!w->pending || bytes < 0 || bytes > MOST) return fault(719);
	w->bytes += bytes, w->pending--;
	settle(w);
}

bool hopper_ready(int thread)
{
	Thread &t = threads[thread];
	return t.late || (int)t.wait->parity != t.parity;
}

bool barrier_over(const unsigned long long *b, int parity) { return (int)((const Word *)b)->parity != parity; }

bool barrier_try(unsigned long long *b, int parity)
{
	Thread &t = threads[thread];
	t.wait = word_of((uint64_t *)b), t.parity = parity, t.late = false;
	leave(AT_PHASE);
	return (int)t.wait->parity != parity;
}

// Time passes for those whose wait was in vain.
unsigned long long nanoseconds()
{
	static unsigned long long now;
	return now += 3ull << 32;
}

void async_fence()
{
	Thread &t = threads[thread];
	for (auto &p : t.pieces) {
		if (p.second) memcpy(p.first, p.second, 16);
		else memset(p.first, 0, 16);
	}
	t.pieces.clear();
	for (auto i = unpublished.begin(); i != unpublished.end();) i = i->second == thread ? unpublished.erase(i) : std::next(i);
}

void put_piece(char *to, const void *from)
{
	if ((uintptr_t)from % 16 || shared_address(to) % 16 || !shared_at(shared_address(to), 16)) return fault(716);
	threads[thread].pieces.push_back({to, from});
}

// Where 128-byte and smaller swizzles put an address: their mask of the bits 7 … 9 is
// added, without carry, to the bits 4 … 6.
static unsigned swizzled(unsigned address, unsigned mask) { return address ^ (address >> 7 & mask) << 4; }

static unsigned arrive(const Box &x)
{
	Map m;
	memcpy(&m, x.map, sizeof m);
	unsigned to = shared_address(x.to), row = m.box[0] * m.element, done = 0;
	if (unpublished.count(x.barrier)) fault(719);
	for (int d3 = 0; d3 < m.box[3]; d3++)
		for (int d2 = 0; d2 < m.box[2]; d2++)
			for (int d1 = 0; d1 < m.box[1]; d1++)
				for (unsigned byte = 0; byte < row; byte += 16, done += 16) {
					int64_t at[4] = {x.at[0] + (int64_t)(byte / m.element), x.at[1] + (int64_t)d1, x.at[2] + (int64_t)d2, x.at[3] + (int64_t)d3};
					uint64_t from = m.address;
					char piece[16] = {0}, *dst = shared_at(swizzled(to + done, m.swizzle == 3 ? 7 : m.swizzle == 2 ? 3 : m.swizzle), 16);
					bool there = true;
					for (int d = 0; d < 4; d++) there &= at[d] >= 0 && (uint64_t)at[d] < m.size[d], from += at[d] * m.stride[d];
					unsigned n = there ? (m.size[0] - at[0]) * m.element : 0;
					if (n > 16) n = 16;
					if (n && !within(from, n)) return fault(700), 0;
					if (!dst) return 0;
					memcpy(piece, (void *)from, n);
					memcpy(dst, piece, 16);
				}
	Word *w = word_of(x.barrier);
	w->bytes -= done;
	settle(w);
	return done;
}

unsigned copy_box(char *to, const void *map, unsigned long long *b, const int at[4])
{
	Box x = {to, {0}, (uint64_t *)b, {at[0], at[1], at[2], at[3]}};
	memcpy(x.map, map, 128);
	Map m;
	memcpy(&m, map, sizeof m);
	// The map must lie in the kernel's argument, or in global memory after a fence that
	// no kernel here has; a tile at a multiple of its swizzle's pattern.
	intptr_t at_argument = (intptr_t)map - (intptr_t)argument;
	if (at_argument < 0 || at_argument + 128 > (intptr_t)argument_size || at_argument % 64 || m.magic != MAGIC) return fault(716), 0;
	if (shared_address(to) % (m.swizzle ? 128u << m.swizzle : 128)) return fault(716), 0;
	word_of((uint64_t *)b);
	if (!late) return arrive(x);
	boxes.push_back(x);
	return 0;
}

bool hopper_idle()
{
	if (!boxes.empty()) {
		Box x = boxes.front();
		boxes.pop_front();
		return arrive(x), true;
	}
	bool waits = false;
	for (auto &t : threads)
		if (t.wait && !t.late) waits = t.late = true;
	return waits;
}

bool hopper_end()
{
	bool clean = boxes.empty();
	int total = 0;
	for (size_t i = 0; i < threads.size(); i++) {
		Thread &t = threads[i];
		clean &= t.groups.size() == 1 && t.groups[0].empty() && t.pieces.empty() && t.changes == threads[i / 128 * 128].changes;
		total += t.registers;
	}
	for (auto w : barriers) clean &= !w->bytes; // as many as were waited for
	return clean && total <= REGISTERS;
}

// The address of element (i, k) of an operand (ISA, canonical layouts): i along M or N.
static unsigned element_at(uint64_t d, bool turned, int i, int k)
{
	unsigned start = (d & 0x3fff) << 4, leading = (d >> 16 & 0x3fff) << 4, stride = (d >> 32 & 0x3fff) << 4;
	int mode = d >> 62, span = mode ? 256 >> mode : 16; // bytes of a row of the pattern
	// Bits that mean nothing are 0; so is the base offset where the pattern begins at
	// its multiple, and no other one is worked out.
	if (d & 0x3fffc000c000c000 || (mode && start & (span * 8 - 128))) fault(715);
	unsigned at = start;
	if (!mode && turned) at += i % 8 * 2 + i / 8 * stride + k % 8 * 16 + k / 8 * leading;
	else if (!mode) at += i % 8 * 16 + i / 8 * stride + k % 8 * 2 + k / 8 * leading;
	else if (turned) at += i % (span / 2) * 2 + i / (span / 2) * leading + k % 8 * span + k / 8 * stride;
	else at += i % 8 * span + i / 8 * stride + k * 2;
	return swizzled(at, span / 16 - 1);
}

static void read(std::vector<float> &x, const Product &p, uint64_t d, bool turned, int first, int rows)
{
	x.resize(rows * 16);
	for (int i = 0; i < rows; i++)
		for (int k = 0; k < 16; k++) {
			const char *at = shared_at(element_at(d, turned, first + i, k), 2);
			unsigned short bits = 0;
			if (at) memcpy(&bits, at, 2);
			x[i * 16 + k] = p.widen(bits);
		}
}

Operands operands(const Product &p)
{
	Operands o;
	if (!p.a) read(o.a, p, p.da, p.turned_a, thread / 32 % 4 * 16, 16);
	read(o.b, p, p.db, p.turned_b, 0, p.n);
	return o;
}

void products_begin() { threads[thread].fenced = true; }

void product(const Product &p)
{
	Thread &t = threads[thread];
	Warp &w = warps[thread / 32];
	if (!t.fenced || p.n % 8 || p.n < 8 || p.n > 256 || threads.size() % 128) fault(715);
	Common now = {p.da, p.db, p.n, p.a != nullptr, p.turned_a, p.turned_b, p.keep};
	auto &all = common[thread / 128];
	if (t.issued == (int)all.size()) all.push_back(now);
	else if (!(all[t.issued] == now)) fault(715);
	Pending x = {p, {}, t.issued++, {}};
	if (p.a) memcpy(x.a, p.a, sizeof x.a);
	bool chained = false;
	for (auto &g : t.groups)
		for (auto &y : g) {
			chained |= y.p.c == p.c;
			// Sums under way may be added to by a product of the same shape alone.
			if (y.p.c == p.c ? y.p.n != p.n : p.c < y.p.c + y.p.n / 2 && y.p.c < p.c + p.n / 2) fault(715);
		}
	if (!chained) x.sums.assign(p.c, p.c + p.n / 2);
	for (int e = 0; e < p.n / 2; e++) p.c[e] = NAN;
	if (x.number == w.first + (int)w.issued.size()) w.issued.push_back(operands(p));
	t.groups.back().push_back(x);
}

void products_end() { threads[thread].groups.emplace_back(); }

void registers(int n, bool more)
{
	Thread &t = threads[thread];
	bool legal = bounded && n % 8 == 0 && n >= 24 && n <= 256 && (more ? n >= t.registers : n <= t.registers);
	if (!legal) return fault(715);
	t.registers = n;
	t.changes.push_back(n);
}

// c (64, N) += a b, the lane's part: who has what is as with mma (fakecuda.h), the four
// warps of the group beside each other.
static void finish(Thread &t, Pending &x, const Operands &o, const unsigned *quad[4])
{
	int g = thread % 32 / 4, pair = thread % 4;
	float rows[2][16];
	for (int r = 0; r < 2; r++)
		for (int k = 0; k < 16; k++) {
			if (!x.p.a) rows[r][k] = o.a[(g + 8 * r) * 16 + k];
			else rows[r][k] = x.p.widen((unsigned short)(quad[k % 8 / 2][r + k / 8 * 2] >> k % 2 * 16));
		}
	std::vector<float> sums(x.p.n / 2);
	for (int e = 0; e < x.p.n / 2; e++) {
		const float *row = rows[e / 2 % 2], *col = &o.b[(e / 4 * 8 + 2 * pair + e % 2) * 16];
		float part[4] = {0, 0, 0, 0};
		for (int k = 0; k < 16; k++) part[k % 4] += row[k] * col[k];
		sums[e] = (x.p.keep ? x.sums[e] : 0) + (part[0] + part[1] + part[2] + part[3]);
	}
	for (auto &g : t.groups)
		for (auto &y : g)
			if (y.number > x.number && y.p.c == x.p.c && y.sums.empty()) {
				y.sums = sums;
				return;
			}
	memcpy(x.p.c, sums.data(), sums.size() * 4);
}

// The registers of the lanes that share this one's rows, for product n of those that
// the warp waits for; false where they wait for others.
static bool quad_of(const std::vector<Pending *> &over, size_t n, const unsigned *quad[4])
{
	for (int l = 0; l < 4; l++) {
		auto &theirs = *(const std::vector<Pending *> *)seen(thread % 32 / 4 * 4 + l);
		if (theirs.size() != over.size()) return false;
		quad[l] = theirs[n]->a;
	}
	return true;
}

// Bit for bit: NaN is NaN.
static bool same(const std::vector<float> &x, const std::vector<float> &y) { return x.empty() || !memcmp(x.data(), y.data(), 4 * x.size()); }

void products_wait(int left)
{
	Thread &t = threads[thread];
	Warp &w = warps[thread / 32];
	std::vector<Pending *> over;
	for (int n = 0; n < (int)t.groups.size() - 1 - left; n++)
		for (auto &x : t.groups[n]) {
			over.push_back(&x);
			if (x.p.a && memcmp(x.a, x.p.a, sizeof x.a)) fault(715);
		}
	show(&over);
	for (size_t n = 0; n < over.size() && thread % 32 == 0; n++) {
		// The operands must be what they were, or the product is of neither.
		Operands &o = w.issued[over[n]->number - w.first], now = operands(over[n]->p);
		if (!same(now.a, o.a) || !same(now.b, o.b)) o.b.assign(o.b.size(), NAN);
	}
	hide();
	for (size_t n = 0; n < over.size(); n++) {
		const unsigned *quad[4];
		if (quad_of(over, n, quad)) finish(t, *over[n], w.issued[over[n]->number - w.first], quad);
		else fault(715);
	}
	hide();
	int next = over.empty() ? w.first : over.back()->number + 1;
	if (!over.empty()) t.fenced = false;
	while ((int)t.groups.size() - 1 > left) t.groups.erase(t.groups.begin());
	hide();
	if (thread % 32 == 0)
		for (; w.first < next; w.first++) w.issued.pop_front();
}

}

using namespace fake;

// Refuses what the driver's documentation refuses of a tiled map.
extern "C" __attribute__((visibility("default"))) int cuTensorMapEncodeTiled(void *map, int type, uint32_t rank, void *address,
	const uint64_t *size, const uint64_t *strides, const uint32_t *box, const uint32_t *step, int interleave, int swizzle, int promotion, int fill)
{
	Map m = {MAGIC, (uint64_t)address, {1, 1, 1, 1}, {2, 0, 0, 0}, {1, 1, 1, 1}, 2, (uint32_t)swizzle};
	if ((uintptr_t)map % 64 || (type != 6 && type != 9) || !rank || rank > 4 || m.address % 16 || interleave || swizzle < 0 || swizzle > 3) return 1;
	if (promotion < 0 || promotion > 3 || fill) return 1;
	for (uint32_t d = 0; d < rank; d++) {
		if (!size[d] || size[d] >> 32 || !box[d] || box[d] > 256 || step[d] != 1) return 1;
		m.size[d] = size[d], m.box[d] = box[d];
		if (d + 1 == rank) continue;
		if (!strides[d] || strides[d] % 16 || strides[d] >> 40) return 1;
		m.stride[d + 1] = strides[d];
	}
	if (box[0] * 2 % 16 || (swizzle && box[0] * 2 > 16u << swizzle)) return 1;
	memset(map, 0, 128);
	memcpy(map, &m, sizeof m);
	return 0;
}
