// Copies whose source lies in another order than the target: through tiles of shared
// memory, so that each side is walked in its own.
#include "copy.h"

#define ITEMS 16 // values that a thread takes
#define TILE (ITEMS * THREADS)
#define GAPS (TILE / 8) // words that may be left out of a tile
#define MATRICES 64     // that may have a part in a tile
#define SIDE_BITS 6
#define SIDE (1 << SIDE_BITS) // of a square tile, of which the threads take so many lines at once
#define LINES (THREADS / SIDE)

// The word of a tile that holds its value i: words are left out so that neither walk meets
// itself in a bank.
DEVICE int spaced(const CopyArgs &p, int i) { return i + (i >> (p.high > 5 ? p.high : 5) << p.gap); }

DEVICE int least(int x, i64 y) { return x < y ? x : (int)y; }

template <class AS> DEVICE void turn(const CopyArgs &p)
{
	typedef typename AS::TO TO;
	typedef typename AS::FROM FROM;
	SHARED u32 tile[TILE + GAPS];
	SHARED i64 to[MATRICES], from[MATRICES]; // in bytes
	const int high = p.high, wide = p.wide, deep = p.deep, size = 1 << (high + wide + deep);
	u32 across = (u32)(((p.columns - 1) >> wide) + 1), down = (u32)(((p.rows - 1) >> high) + 1);
	u32 block = (u32)block_x(), slab = block / across;
	i64 column0 = (i64)(block - slab * across) << wide, row0 = (i64)(slab % down) << high, matrix0 = (i64)(slab / down) << deep;
	const int rows = least(1 << high, p.rows - row0), columns = least(1 << wide, p.columns - column0), matrices = least(1 << deep, p.n - matrix0);
	// Places outside are read as the last inside, so that no load stands behind a branch.
	if (thread_x() < 1 << deep) {
		u32 matrix[1] = {(u32)matrix0 + least(thread_x(), matrices - 1)};
		i64 at[1], of[1];
		place<1>(p, matrix, at, of);
		to[thread_x()] = at[0] * (int)sizeof(TO) + row0 * p.to_row + column0 * p.to_column;
		from[thread_x()] = of[0] * (int)sizeof(FROM) + row0 * p.from_row + column0 * p.from_column;
	}
	barrier(); // the matrices' places are there
	FROM x[ITEMS];
	if (high == SIDE_BITS && wide == SIDE_BITS && rows == SIDE && columns == SIDE) { // then one matrix has it, and no value is outside
		const int line = thread_x() / SIDE, place = thread_x() % SIDE;
		const char *src = (const char *)p.src + from[0] + (u64)(u32)place * p.from_row + (u64)(u32)line * p.from_column;
		char *dst = (char *)p.dst + to[0] + (u64)(u32)place * p.to_column + (u64)(u32)line * p.to_row;
		UNROLL for (int e = 0; e < ITEMS; e++, src += (u64)LINES * p.from_column) load(x[e], (const FROM *)src);
		UNROLL for (int e = 0; e < ITEMS; e++) tile[(line + e * LINES) * (SIDE + 1) + place] = word_of(x[e]);
		barrier(); // the square is there
		UNROLL for (int e = 0; e < ITEMS; e++, dst += (u64)LINES * p.to_row) {
			FROM y;
			of_word(y, tile[place * (SIDE + 1) + line + e * LINES]);
			*(TO *)dst = AS::of(y);
		}
		return;
	}
	UNROLL for (int e = 0; e < ITEMS; e++) {
		int i = (e * THREADS + thread_x()) & (size - 1);
		u32 row = least(i & ((1 << high) - 1), rows - 1), column = least(i >> high & ((1 << wide) - 1), columns - 1);
		load(x[e], (const FROM *)((const char *)p.src + from[i >> (high + wide)] + (u64)row * p.from_row + (u64)column * p.from_column));
	}
	UNROLL for (int e = 0; e < ITEMS; e++) {
		int i = e * THREADS + thread_x();
		if (i < size) tile[spaced(p, i)] = word_of(x[e]);
	}
	barrier(); // the tile is there
	UNROLL_BY(4) for (int e = 0; e < ITEMS; e++) {
		int i = e * THREADS + thread_x();
		int column = i & ((1 << wide) - 1), row = i >> wide & ((1 << high) - 1), matrix = i >> (high + wide);
		if (row < rows && column < columns && matrix < matrices) {
			FROM y;
			of_word(y, tile[spaced(p, (matrix << wide | column) << high | row)]);
			*(TO *)((char *)p.dst + to[matrix] + (u64)(u32)row * p.to_row + (u64)(u32)column * p.to_column) = AS::of(y);
		}
	}
}

KERNEL turn_b16(CopyArgs p) { turn<As_b16>(p); }
KERNEL turn_b32(CopyArgs p) { turn<As_b32>(p); }
KERNEL turn_f32_f16(CopyArgs p) { turn<As_f32_f16>(p); }
KERNEL turn_f32_bf16(CopyArgs p) { turn<As_f32_bf16>(p); }
KERNEL turn_f32_i32(CopyArgs p) { turn<As_f32_i32>(p); }
KERNEL turn_f16_f32(CopyArgs p) { turn<As_f16_f32>(p); }
KERNEL turn_f16_bf16(CopyArgs p) { turn<As_f16_bf16>(p); }
KERNEL turn_f16_i32(CopyArgs p) { turn<As_f16_i32>(p); }
KERNEL turn_bf16_f32(CopyArgs p) { turn<As_bf16_f32>(p); }
KERNEL turn_bf16_f16(CopyArgs p) { turn<As_bf16_f16>(p); }
KERNEL turn_bf16_i32(CopyArgs p) { turn<As_bf16_i32>(p); }
KERNEL turn_i32_f32(CopyArgs p) { turn<As_i32_f32>(p); }
KERNEL turn_i32_f16(CopyArgs p) { turn<As_i32_f16>(p); }
KERNEL turn_i32_bf16(CopyArgs p) { turn<As_i32_bf16>(p); }
