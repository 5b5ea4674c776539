// The instructions of tensor cores on the registers of a whole warp; who holds what
// stands in mma.h and wgmma.h.
#include "ptx.h"

#include <cstring>

namespace ptx {

static float widened(uint64_t pair, int half, bool bf16)
{
	unsigned short x = (unsigned short)(pair >> 16 * half);
	return bf16 ? of_bits((unsigned)x << 16) : of_f16(x);
}

static float real(uint64_t x) { return of_bits((unsigned)x); }

// A (16, 16) of the warp, whose first register is operand n.
static void left(float (&a)[16][16], const Instruction &i, const Warp &w, int n)
{
	for (int l = 0; l < 32; l++)
		for (int e = 0; e < 4; e++)
			for (int h = 0; h < 2; h++) a[l / 4 + e % 2 * 8][l % 4 * 2 + h + e / 2 * 8] = widened(value(w, i.o[n + e], l), h, i.bf16);
}

void mma(const Instruction &i, Warp &w)
{
	float a[16][16], b[16][8];
	left(a, i, w, 4);
	for (int l = 0; l < 32; l++)
		for (int e = 0; e < 2; e++)
			for (int h = 0; h < 2; h++) b[l % 4 * 2 + h + e * 8][l / 4] = widened(value(w, i.o[8 + e], l), h, i.bf16);
	for (int l = 0; l < 32; l++)
		for (int e = 0; e < 4; e++) {
			float sum = 0;
			for (int k = 0; k < 16; k++) sum += a[l / 4 + e / 2 * 8][k] * b[k][l % 4 * 2 + e % 2];
			w.r[i.o[e].reg * 32 + l] = bits_of(real(value(w, i.o[10 + e], l)) + sum);
		}
}

void load_matrices(const Instruction &i, Warp &w)
{
	uint64_t at[32];
	const unsigned short *rows[32];
	for (int l = 0; l < 32; l++) {
		at[l] = value(w, i.o[4], l);
		rows[l] = (const unsigned short *)memory_at(ON_CHIP, at[l], 16);
		if (!rows[l]) return;
	}
	count_rows(const_cast<Instruction &>(i).site, at);
	for (int m = 0; m < 4; m++)
		for (int l = 0; l < 32; l++) {
			unsigned x[2];
			for (int e = 0; e < 2; e++) x[e] = i.turned ? rows[m * 8 + l % 4 * 2 + e][l / 4] : rows[m * 8 + l / 4][l % 4 * 2 + e];
			w.r[i.o[m].reg * 32 + l] = x[0] | x[1] << 16;
		}
}

// c (64, n), of which the warp has 16 rows, is there at once.
void wgmma(const Instruction &i, Warp &w)
{
	int registers = i.n / 2, rest = (int)i.o.size() - registers;
	bool from_registers = rest == 9;
	const Operand *o = i.o.data() + registers + (from_registers ? 4 : 1); // the descriptor of b, and what follows
	fake::thread = w.first;
	fake::Product p = {nullptr, i.n, nullptr, 0, value(w, o[0], 0), false, false, value(w, o[1], 0) != 0, i.bf16 ? [](unsigned short h) { return of_bits((unsigned)h << 16); } : of_f16};
	unsigned here = 0;
	if (from_registers) p.a = &here, p.turned_b = o[4].number;
	else p.da = value(w, i.o[registers], 0), p.turned_a = o[4].number, p.turned_b = o[5].number;
	fake::Operands x = fake::operands(p);
	float a[16][16];
	if (from_registers) left(a, i, w, registers);
	else memcpy(a, x.a.data(), sizeof a);
	for (int l = 0; l < 32; l++)
		for (int e = 0; e < registers; e++) {
			const float *row = a[l / 4 + e / 2 % 2 * 8], *col = &x.b[(e / 4 * 8 + l % 4 * 2 + e % 2) * 16];
			float sum = 0;
			for (int k = 0; k < 16; k++) sum += row[k] * col[k];
			uint64_t &c = w.r[i.o[e].reg * 32 + l];
			c = bits_of((p.keep ? real(c) : 0) + sum);
		}
}

}
