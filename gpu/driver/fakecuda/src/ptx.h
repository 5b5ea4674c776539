// The images themselves, run warp by warp: a second way for the fake driver to run a
// launch, on the very text that ships, which can be counted. A warp's lanes go together
// where they can: of its groups of lanes the one that is furthest behind goes on, and
// groups that meet are one again.
#pragma once
#include "fibers.h"

#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace ptx {

enum Op {
	ABS, ADD, AND, ATOM_INC, BAR, BARRIER_ARRIVE, BARRIER_EXPECT, BARRIER_INIT, BARRIER_TRY, BFE, BRA, COPY, COPY_BOX, CVT, CVTA, DIV, EX2, FENCE, FMA, LD,
	LDMATRIX, LG2, MAD, MAX, MIN, MMA, MOV, MUL, NEG, NONE, NOT, OR, PACK, RCP, REM, RET, SELP, SETP, SHFL, SHL, SHR, SQRT, ST, SUB, UNPACK,
	VOTE, WARP_BARRIER, WGMMA, XOR
};
enum Space { GENERIC, GLOBAL, ON_CHIP, PARAM };
enum Compare { EQ, NE, LT, LE, GT, GE, EQU, NEU, LTU, LEU, GTU, GEU, NUM, NAN_ };

// p: predicate; b, u, s, f: as in PTX; h: two halves.
struct Type {
	char kind = 'b';
	int bits = 32;
};

// A register, a number, or their sum, which an address may be.
struct Operand {
	int reg = -1;
	uint64_t number = 0;
	bool special = false; // number is one of Special
};
enum Special { TID, CTAID, TIMER, NCTAID };

// How often an instruction ran, and what it asked of memory: requests are of a warp,
// waves of shared memory are those that the banks need, sectors of global memory have
// 32 bytes; least is what the same bytes would take at the best addresses.
struct Site {
	uint64_t runs = 0, lanes = 0, bytes = 0, waves = 0, least_waves = 0, sectors = 0, least_sectors = 0;
};

struct Instruction {
	Op op = NONE;
	Type type, from; // from: of cvt's source
	Space space = GENERIC;
	Compare compare = EQ;
	char part = 0; // of a product: l(ow), h(igh), w(ide)
	bool negated = false, turned = false, to_space = false, bf16 = false, last = false;
	int vector = 1, n = 0, guard = -1, target = -1;
	std::string name;
	std::vector<Operand> o;
	std::vector<int> reads;
	Site site;
};

struct Kernel {
	std::string name;
	size_t parameters = 0;
	alignas(64) char arguments[4096]; // of the launch that runs
	unsigned fixed = 0;               // bytes of shared memory that it names itself
	uint32_t variables[4] = {0};      // in device memory
	std::map<std::string, int> registers;
	std::vector<Instruction> code;
};

// The shared memory's first address, as hopper.cpp has it.
constexpr unsigned BASE = 1024 + 128;

// Reads a kernel of a module's text; null where it has none of that name.
std::unique_ptr<Kernel> parse(const char *text, const std::string &name);

// Lanes of a warp that are at one place.
struct Group {
	int at;
	uint32_t lanes;
	bool waits; // for other lanes, or for a barrier's phase
};

struct Warp {
	int first; // thread
	uint32_t alive;
	bool at_barrier;
	std::vector<uint64_t> r; // (registers, 32)
	std::vector<Group> groups;
	// Loads under way: the number of the one that each register waits for, how many were
	// begun, how many have certainly ended, and the bytes a lane of those between.
	std::vector<uint64_t> pending;
	uint64_t begun, ended;
	std::vector<int> flight;
};

// What a launch did. Flight adds up the bytes a lane that were under way whenever a warp
// had to wait for some.
struct Work {
	uint64_t instructions = 0, lanes = 0, branches = 0, split = 0, barriers = 0, products = 0, operations = 0, divisions = 0;
	uint64_t waits = 0, flight = 0, box_bytes = 0;
	std::unordered_set<uint64_t> read, written; // sectors
};

// Runs a launch, and appends what it did to the file where one is named. False where
// threads wait for ever.
bool run(Kernel &k, unsigned blocks, unsigned threads, unsigned shared, const void *arguments, const char *file);

extern Work work;
extern bool counting; // whether somebody asked; it takes longer than the kernels do
// A warp's request: the lanes' addresses, of so many bytes each.
void count_shared(Site &s, const uint64_t at[32], uint32_t lanes, unsigned bytes);
void count_global(Site &s, const uint64_t at[32], uint32_t lanes, unsigned bytes, bool writes);
// The same of ldmatrix.x4: 32 rows of 16 bytes.
void count_rows(Site &s, const uint64_t at[32]);
void count_box(unsigned bytes);
// What an instruction computes, and waits for.
void count_instruction(const Instruction &i, Warp &w, uint32_t lanes);
void report(const Kernel &k, unsigned blocks, unsigned threads, const char *file);

// The instructions of whole warps (tensor.cpp).
void mma(const Instruction &i, Warp &w);
void load_matrices(const Instruction &i, Warp &w);
void wgmma(const Instruction &i, Warp &w);

inline uint64_t value(const Warp &w, const Operand &o, int lane) { return (o.reg < 0 ? 0 : w.r[o.reg * 32 + lane]) + o.number; }
// The memory behind an address; null, with a fault, where there is none.
char *memory_at(Space s, uint64_t address, unsigned bytes);

}
