// Tensor cores, from sm_80 on: the warp-wide instructions that the fast kernels are
// made of, and the places of a tile in shared memory. Behind the fake driver the
// same fragment layouts are worked out lane by lane (fakecuda.h).
//
// Fragments (PTX ISA, mma.m16n8k16): with g = lane / 4 and t = lane % 4, a lane
// holds of A (16, 16) the pairs of columns 2t and 2t + 8 in rows g and g + 8, of B
// (16, 8) the pairs of rows 2t and 2t + 8 in column g, of C (16, 8) the pairs of
// columns 2t in rows g and g + 8.
#pragma once
#include "attention.h"

typedef unsigned u32;

#ifdef __CUDA__

DEVICE u32 shared_address(const void *p)
{
	u32 a;
	asm("{ .reg .u64 t; cvta.to.shared.u64 t, %1; cvt.u32.u64 %0, t; }" : "=r"(a) : "l"(p));
	return a;
}

#define MMA(type) \
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
		: "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1))
// c += a b
DEVICE void mma(F16, float c[4], const u32 a[4], u32 b0, u32 b1) { MMA("f16"); }
DEVICE void mma(BF16, float c[4], const u32 a[4], u32 b0, u32 b1) { MMA("bf16"); }

// Two values, the first in the low half.
DEVICE u32 pair(F16, float x, float y)
{
	u32 r;
	asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(y), "f"(x));
	return r;
}
DEVICE u32 pair(BF16, float x, float y)
{
	u32 r;
	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(y), "f"(x));
	return r;
}

// An address in shared memory: 32 bits, so that a constant added to it is part of the
// instruction that uses it.
typedef u32 Shared;

// Four matrices of 8 rows of 16 bytes: lanes 8m … 8m+7 name the rows of matrix m,
// and each lane gets the pair of columns 2t in row g of it (or, turned, the pair of
// rows 2t in column g).
DEVICE void load_matrices(u32 r[4], Shared row)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
		: "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(row) : "memory");
}
DEVICE void load_matrices_turned(u32 r[4], Shared row)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
		: "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(row) : "memory");
}

// 16 bytes from global to shared memory behind the computation's back; zeros where
// not there. They have arrived for this thread after copies_wait, for all after a
// barrier behind it.
DEVICE void copy16(Shared to, const void *from, bool there)
{
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" : : "r"(to), "l"(from), "r"(there ? 16 : 0) : "memory");
}
// Ends a group of copies; waits until at most LEFT groups are under way.
DEVICE void copies_end() { asm volatile("cp.async.commit_group;" : : : "memory"); }
template <int LEFT> DEVICE void copies_wait() { asm volatile("cp.async.wait_group %0;" : : "n"(LEFT) : "memory"); }

extern "C" __attribute__((shared, aligned(128))) char dynamic_shared[];
#define DYNAMIC_SHARED dynamic_shared
DEVICE Shared shared_begin() { return shared_address(dynamic_shared); }
DEVICE Shared shared_at(const char *p) { return shared_address(p); }

#else

typedef const char *Shared;

DEVICE void mma(F16, float c[4], const u32 a[4], u32 b0, u32 b1) { fake::mma(c, a, b0, b1, of_f16); }
DEVICE void mma(BF16, float c[4], const u32 a[4], u32 b0, u32 b1) { fake::mma(c, a, b0, b1, of_bf16); }
DEVICE u32 pair(F16, float x, float y) { return f16_of(x) | (u32)f16_of(y) << 16; }
DEVICE u32 pair(BF16, float x, float y) { return bf16_of(x) | (u32)bf16_of(y) << 16; }
DEVICE void load_matrices(u32 r[4], Shared row) { fake::load_matrices(r, row, false); }
DEVICE void load_matrices_turned(u32 r[4], Shared row) { fake::load_matrices(r, row, true); }
DEVICE void copy16(Shared to, const void *from, bool there) { fake::copy_later((char *)to, there ? from : nullptr); }
DEVICE void copies_end() { fake::copies_end(); }
template <int LEFT> DEVICE void copies_wait() { fake::copies_wait(LEFT); }
#define DYNAMIC_SHARED fake::dynamic_shared
DEVICE Shared shared_begin() { return fake::dynamic_shared; }
DEVICE Shared shared_at(const char *p) { return p; }

#endif

// A tile of rows of COLS half-precision elements in shared memory, its pieces of 16
// bytes exchanged within a row so that 8 neighbouring rows of one column of pieces
// lie in different banks.
template <int COLS> DEVICE int piece_at(int row, int piece)
{
	const int PIECES = COLS / 8;
	return (row * PIECES + (COLS % 64 ? piece ^ (row >> 1 & 3) : piece ^ (row & 7))) * 16;
}

// Rows first … first+ROWS-1 of x, zero past the last row and past d elements.
template <int ROWS, int COLS, int THREADS>
DEVICE void copy_rows(Shared tile, const void *x, i64 stride, int first, int rows, int d)
{
	// ACROSS threads share a row, so that a thread's rows and pieces lie in even steps,
	// those in shared memory known ahead.
	const int PIECES = COLS / 8, EVEN = PIECES & -PIECES, ACROSS = EVEN * 8 > THREADS ? THREADS / 8 : EVEN, DOWN = THREADS / ACROSS;
	static_assert(DOWN % 8 == 0 && ACROSS % (COLS % 64 ? 4 : 8) == 0, "a step would change how pieces are exchanged");
	int r = thread_x() / ACROSS, c = thread_x() % ACROSS, below = rows - first - r, beside = d - c * 8;
	Shared to = tile + piece_at<COLS>(r, c);
	const char *from = (const char *)x + ((first + r) * stride + c * 8) * 2;
	i64 step = DOWN * 2 * stride;
	opaque(step);
	UNROLL for (int n = 0; n < ROWS / DOWN; n++, from += step)
		UNROLL for (int m = 0; m < PIECES / ACROSS; m++)
			copy16(to + (n * DOWN * PIECES + m * ACROSS) * 16, from + m * ACROSS * 16, n * DOWN < below && m * ACROSS * 8 < beside);
}

// The same for a lane of a fragment, whose row and piece (0 or 1) are added to a row that
// is a multiple of 8 and an even piece: what depends on the lane takes few values, so that
// few registers hold it.
template <int COLS> DEVICE int fragment_at(int lane_row, int lane_piece, int row, int piece)
{
	const int PIECES = COLS / 8, MASK = COLS % 64 ? 3 : 7;
	int turn = lane_piece ^ (COLS % 64 ? lane_row >> 1 & 3 : lane_row & 7);
	return lane_row * PIECES * 16 + (turn ^ (piece & MASK)) * 16 + (row * PIECES + (piece & ~MASK)) * 16;
}

// Fragment A of rows row … row+15, columns col … col+15 of a tile.
template <int COLS> DEVICE void load_a(u32 a[4], Shared tile, int row, int col)
{
	int lane = thread_x() % 32;
	load_matrices(a, tile + fragment_at<COLS>(lane % 16, lane / 16, row, col / 8));
}

// Fragments B of two neighbouring eights of columns, where the tile holds B turned:
// rows n … n+15 of the tile are B's columns, its columns k … k+15 are B's rows.
template <int COLS> DEVICE void load_b(u32 b[4], Shared tile, int n, int k)
{
	int lane = thread_x() % 32;
	load_matrices(b, tile + fragment_at<COLS>(lane % 8 + lane / 16 * 8, lane / 8 % 2, n, k / 8));
}

// The same where the tile holds B as it is: rows k … k+15, columns n … n+15.
template <int COLS> DEVICE void load_b_turned(u32 b[4], Shared tile, int k, int n)
{
	int lane = thread_x() % 32;
	load_matrices_turned(b, tile + fragment_at<COLS>(lane % 16, lane / 16, k, n / 8));
}

// Fragment A where the tile holds A turned: rows k … k+15, columns m … m+15.
template <int COLS> DEVICE void load_a_turned(u32 a[4], Shared tile, int k, int m)
{
	int lane = thread_x() % 32;
	load_matrices_turned(a, tile + fragment_at<COLS>(lane % 8 + lane / 16 * 8, lane / 8 % 2, k, m / 8));
}

// Dropout on the weights of query i and the eight keys around j: lane t of a row's
// four has the keys 2t and 2t + 1.
DEVICE void drop_pair(const AttentionArgs &p, const Place &at, int i, int j, int t, float &x, float &y)
{
	u32 c[4];
	dropout8(p, at, i, j, c);
	u32 lo = t & 1 ? c[1] : c[0], hi = t & 1 ? c[3] : c[2], word = t & 2 ? hi : lo;
	x *= (word & 0xffff) < p.drop ? 0 : p.rest;
	y *= word >> 16 < p.drop ? 0 : p.rest;
}

// s = a b^T for the warp's MF * 16 rows of tile a and the COLS rows of tile b, both
// D wide.
template <class E, int D, int COLS, int MF>
DEVICE void products(float s[MF][COLS / 8][4], Shared as, Shared bs, int warp)
{
	UNROLL for (int m = 0; m < MF; m++)
		UNROLL for (int n = 0; n < COLS / 8; n++)
			UNROLL for (int e = 0; e < 4; e++) s[m][n][e] = 0;
	UNROLL for (int k = 0; k < D; k += 16) {
		u32 a[MF][4];
		UNROLL for (int m = 0; m < MF; m++) load_a<D>(a[m], as, (warp * MF + m) * 16, k);
		UNROLL for (int n = 0; n < COLS / 8; n += 2) {
			u32 b[4];
			load_b<D>(b, bs, n * 8, k);
			UNROLL for (int m = 0; m < MF; m++) {
				mma(E(), s[m][n], a[m], b[0], b[1]);
				mma(E(), s[m][n + 1], a[m], b[2], b[3]);
			}
		}
	}
}

// out += s b for s of COLS columns, rounded to E, and the COLS rows of tile b, D wide.
template <class E, int D, int COLS, int MF>
DEVICE void add_products(float out[MF][D / 8][4], const float s[MF][COLS / 8][4], Shared bs)
{
	UNROLL for (int k = 0; k < COLS; k += 16) {
		u32 a[MF][4];
		UNROLL for (int m = 0; m < MF; m++)
			UNROLL for (int e = 0; e < 4; e++) {
				const float *x = s[m][k / 8 + e / 2] + 2 * (e % 2);
				a[m][e] = pair(E(), x[0], x[1]);
			}
		UNROLL for (int n = 0; n < D / 8; n += 2) {
			u32 b[4];
			load_b_turned<D>(b, bs, k, n * 8);
			UNROLL for (int m = 0; m < MF; m++) {
				mma(E(), out[m][n], a[m], b[0], b[1]);
				mma(E(), out[m][n + 1], a[m], b[2], b[3]);
			}
		}
	}
}
