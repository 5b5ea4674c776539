// Counts what a launch asks of a device.
#include "ptx.h"

#include <algorithm>
#include <cstdio>

namespace ptx {

Work work;
bool counting;

#define EACH(l) for (int l = 0; l < 32; l++) if (lanes >> l & 1)

// The waves of some lanes' bytes, which the banks answer at once: as many as different
// words of 4 bytes lie in one of the 32 banks.
static int waves(const uint64_t *at, const int *which, int count, unsigned bytes)
{
	std::vector<uint64_t> words;
	for (int n = 0; n < count; n++)
		for (uint64_t b = at[which[n]] / 4; b <= (at[which[n]] + bytes - 1) / 4; b++) words.push_back(b);
	std::sort(words.begin(), words.end());
	words.erase(std::unique(words.begin(), words.end()), words.end());
	int bank[32] = {0}, most = 0;
	for (auto x : words) most = std::max(most, ++bank[x % 32]);
	return most;
}

// A request of more than 4 bytes a lane goes in parts of 128 bytes: 16 lanes of 8, 8 of
// 16.
void count_shared(Site &s, const uint64_t at[32], uint32_t lanes, unsigned bytes)
{
	if (!counting) return;
	int step = bytes <= 4 ? 32 : bytes <= 8 ? 16 : 8;
	for (int from = 0; from < 32; from += step) {
		int which[32], count = 0;
		for (int l = from; l < from + step; l++)
			if (lanes >> l & 1) which[count++] = l;
		if (!count) continue;
		s.waves += waves(at, which, count, bytes), s.least_waves++;
	}
	s.bytes += bytes * __builtin_popcount(lanes);
}

void count_rows(Site &s, const uint64_t at[32]) { count_shared(s, at, ~0u, 16); }

void count_global(Site &s, const uint64_t at[32], uint32_t lanes, unsigned bytes, bool writes)
{
	if (!counting) return;
	std::vector<uint64_t> sectors, places;
	EACH(l) {
		for (uint64_t x = at[l] / 32; x <= (at[l] + bytes - 1) / 32; x++) sectors.push_back(x);
		places.push_back(at[l]);
	}
	for (auto *v : {&sectors, &places}) {
		std::sort(v->begin(), v->end());
		v->erase(std::unique(v->begin(), v->end()), v->end());
	}
	s.sectors += sectors.size();
	s.least_sectors += (places.size() * bytes + 31) / 32;
	s.bytes += bytes * __builtin_popcount(lanes);
	(writes ? work.written : work.read).insert(sectors.begin(), sectors.end());
}

void count_box(unsigned bytes) { work.box_bytes += bytes; }

static int operations(const Instruction &i)
{
	if (i.type.kind != 'f') return 0;
	switch (i.op) {
	case FMA: return 2;
	case ADD:
	case SUB:
	case MUL:
	case DIV:
	case RCP:
	case SQRT:
	case EX2:
	case LG2: return 1;
	default: return 0;
	}
}

// A warp waits when an instruction reads what a load has yet to bring: the loads up to
// that one end, in their order.
static void wait_for(const Instruction &i, Warp &w)
{
	uint64_t last = w.ended;
	for (int r : i.reads) last = std::max(last, w.pending[r]);
	if (last == w.ended) return;
	work.waits++;
	for (uint64_t n = w.ended; n < w.begun; n++) work.flight += w.flight[n];
	w.ended = last;
}

void count_instruction(const Instruction &i, Warp &w, uint32_t lanes)
{
	if (!counting) return;
	int n = __builtin_popcount(lanes);
	Site &s = const_cast<Instruction &>(i).site;
	s.runs++, s.lanes += n;
	work.instructions++, work.lanes += n;
	work.operations += (uint64_t)operations(i) * n;
	if (i.op == MMA) work.products++, work.operations += 2 * 16 * 8 * 16;
	if (i.op == WGMMA) work.products++, work.operations += 2 * 16 * i.n * 16;
	if (i.op == BAR) work.barriers++;
	if ((i.op == DIV || i.op == REM) && i.type.kind != 'f') work.divisions++;
	wait_for(i, w);
	if (i.op != LD || i.space == PARAM || i.space == ON_CHIP) return;
	w.flight.push_back(i.type.bits / 8 * i.vector);
	w.begun++;
	for (int v = 0; v < i.vector; v++) w.pending[i.o[v].reg] = w.begun;
}

// The instructions of a name that went to memory, together, and the worst of them.
struct Sum {
	Site all;
	double worst = 1;
};

void report(const Kernel &k, unsigned blocks, unsigned threads, const char *file)
{
	FILE *f = fopen(file, "a");
	if (!f) return;
	const Work &w = work;
	fprintf(f, "launch %s: blocks %u threads %u instructions %lu lanes %lu branches %lu split %lu barriers %lu products %lu operations %lu divisions %lu "
		"waits %lu flight %lu boxes %lu read %zu written %zu\n", k.name.c_str(), blocks, threads, w.instructions, w.lanes, w.branches, w.split,
		w.barriers, w.products, w.operations, w.divisions, w.waits, w.flight, w.box_bytes, 32 * w.read.size(), 32 * w.written.size());
	std::map<std::string, Sum> sums;
	for (auto &i : k.code) {
		const Site &s = i.site;
		if (!s.waves && !s.sectors) continue;
		Sum &t = sums[i.name + (s.waves && i.space == GENERIC && i.op != COPY ? " shared" : "")];
		t.all.runs += s.runs, t.all.lanes += s.lanes, t.all.bytes += s.bytes;
		t.all.waves += s.waves, t.all.least_waves += s.least_waves, t.all.sectors += s.sectors, t.all.least_sectors += s.least_sectors;
		if (s.least_waves) t.worst = std::max(t.worst, (double)s.waves / s.least_waves);
		if (s.least_sectors) t.worst = std::max(t.worst, (double)s.sectors / s.least_sectors);
	}
	for (auto &[name, t] : sums)
		fprintf(f, "memory %s: runs %lu lanes %lu bytes %lu waves %lu least_waves %lu sectors %lu least_sectors %lu worst %.3f\n", name.c_str(), t.all.runs,
			t.all.lanes, t.all.bytes, t.all.waves, t.all.least_waves, t.all.sectors, t.all.least_sectors, t.worst);
	fclose(f);
}

}
