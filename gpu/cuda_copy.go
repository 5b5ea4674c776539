package gpu

import (
	"fmt"
	mathbits "math/bits"
)

// The geometry of copy.cu and copy_turn.cu. A launch of either takes fewer than 1 << 31
// elements.
const (
	copyAxes    = 6
	mostAxes    = 16 // before they are in order
	copyThreads = 256
	copyPieces  = 1024 // of a block
	copyWords   = 35
	copyMost    = 1<<31 - 1
	turnTile    = 12 // of 1 << 12 elements
	turnDeep    = 6
	turnGaps    = 512
)

// copyAxis is a length, and how many elements apart its own are on either side.
type copyAxis struct{ n, to, from int }

// strided are elements of one shape on both sides.
type strided struct {
	dst, src uint64
	to, from DType
	axes     int
	axis     [mostAxes]copyAxis // the first axes of them
}

func stridedOf(dst, src *Tensor) (strided, error) {
	s := strided{dst: dst.address(), src: src.address(), to: dst.dtype, from: src.dtype}
	for i, n := range src.shape {
		if !s.push(copyAxis{n, dst.strides[i], src.strides[i]}) {
			return s, fmt.Errorf("%d axes, of which more than %d do not join: the CUDA kernels walk %d", len(src.shape), mostAxes, copyAxes)
		}
	}
	return s, nil
}

// push adds an axis, joined to the one before where that is possible, if there is room.
func (s *strided) push(a copyAxis) bool {
	if a.n == 1 {
		return true
	}
	if s.axes > 0 {
		if before := &s.axis[s.axes-1]; before.to == a.to*a.n && before.from == a.from*a.n {
			*before = copyAxis{before.n * a.n, a.to, a.from}
			return true
		}
	}
	if s.axes == mostAxes {
		return false
	}
	s.axis[s.axes] = a
	s.axes++
	return true
}

// arrange puts the axes into the target's order, the fastest last, and joins them where
// that is possible.
func (s *strided) arrange() {
	for i := range s.axes { // by insertion: there are few
		for j := i; j > 0 && s.axis[j-1].to < s.axis[j].to; j-- {
			s.axis[j-1], s.axis[j] = s.axis[j], s.axis[j-1]
		}
	}
	axes := s.axes
	s.axes = 0
	for i := range axes {
		s.push(s.axis[i])
	}
	if s.axes == 0 {
		s.axis[0], s.axes = copyAxis{1, 1, 1}, 1
	}
}

// halves cuts the first axis.
func (s *strided) halves() (a, b strided) {
	first := s.axis[0]
	at := first.n / 2
	if first.n > 16 {
		at &^= 7 // where four values began they begin again
	}
	a, b = *s, *s
	a.axis[0].n, b.axis[0].n = at, first.n-at
	b.dst += uint64(at * first.to * s.to.Size())
	b.src += uint64(at * first.from * s.from.Size())
	return a, b
}

func (s *strided) elements() int {
	n := 1
	for _, a := range s.axis[:s.axes] {
		n *= a.n
	}
	return n
}

func (c *cuda) copy(dst, src *Tensor) error {
	s, err := stridedOf(dst, src)
	if err != nil {
		return err
	}
	return c.copyStrided(&s, copyMost)
}

// copyStrided copies by launches of at most so many elements.
func (c *cuda) copyStrided(s *strided, most int) error {
	s.arrange()
	if s.elements() > most {
		a, b := s.halves()
		if err := c.copyStrided(&a, most); err != nil {
			return err
		}
		return c.copyStrided(&b, most)
	}
	if s.axes > copyAxes {
		return fmt.Errorf("%d axes whose strides do not join: the CUDA kernels walk %d", s.axes, copyAxes)
	}
	var words [copyWords]uint64
	k := kernelName{file: "copy", name: "copy_%[1]s_%[2]s", one: s.from, two: s.to}
	row := s.turned()
	switch {
	case row >= 0 && s.from == s.to:
		k = kernelName{file: "copy_turn", name: "turn_b%[3]d", number: 8 * s.from.Size()}
	case row >= 0:
		k.file, k.name = "copy_turn", "turn_%[1]s_%[2]s"
	case s.from == s.to:
		k = kernelName{file: "copy", name: "copy_b%[3]d", number: 8 * s.from.Size()}
	}
	blocks := 0
	if row >= 0 {
		blocks = s.turn(row, words[:])
	} else {
		blocks = s.walk(words[:])
	}
	return c.launchNamed(k, blocks, copyThreads, 0, words[:])
}

// turned is the axis along which the source's elements lie closest, if a sector of its
// has several and the target's last axis would take it apart; else -1.
func (s *strided) turned() int {
	last := s.axes - 1
	row := last
	for i, a := range s.axis[:last] {
		if a.from > 0 && a.from < s.axis[row].from {
			row = i
		}
	}
	if row == last || s.axis[row].from*s.from.Size() > 16 || max(s.axis[row].to*s.to.Size(), s.axis[last].from*s.from.Size()) > 1<<32-1 {
		return -1
	}
	return row
}

// walk packs a launch in the target's order, and returns its blocks.
func (s *strided) walk(args []uint64) (blocks int) {
	last := s.axes - 1
	row := s.axis[last]
	n, four, tail := s.elements(), 0, 0
	to, from := s.dst, s.src // and strides in bytes: what all are multiples of
	for _, a := range s.axis[:last] {
		to, from = to|uint64(a.to*s.to.Size()), from|uint64(a.from*s.from.Size())
	}
	if row.to == 1 && row.from == 1 && to%uint64(4*s.to.Size()) == 0 && from%uint64(4*s.from.Size()) == 0 && (last == 0 || row.n%4 == 0) {
		n, four, tail = n/4, 1, n%4
		s.axis[last] = copyAxis{row.n / 4, 4, 4}
	}
	s.pack(args, n, -1)
	args[28] = uint64(four) | uint64(tail)<<32
	return max(1, tiles(n, copyPieces))
}

// turn packs a launch through tiles of the matrices of axis row and the last.
func (s *strided) turn(row int, args []uint64) (blocks int) {
	rows, columns := s.axis[row], s.axis[s.axes-1]
	wide := tileBits(columns.n, turnTile/2)
	high := tileBits(rows.n, turnTile-wide)
	wide = tileBits(columns.n, turnTile-high)
	matrices := s.elements() / rows.n / columns.n
	deep := min(turnTile-high-wide, turnDeep, mathbits.Len(uint(matrices-1)))
	gap := max(0, 5-wide)
	for 1<<(turnTile-max(high, 5)+gap) > turnGaps {
		gap--
	}
	s.pack(args, matrices, row)
	args[29], args[30] = uint64(rows.n), uint64(columns.n)
	args[31] = uint64(rows.to*s.to.Size()) | uint64(columns.to*s.to.Size())<<32
	args[32] = uint64(rows.from*s.from.Size()) | uint64(columns.from*s.from.Size())<<32
	args[33], args[34] = uint64(high)|uint64(wide)<<32, uint64(deep)|uint64(gap)<<32
	return tiles(columns.n, 1<<wide) * tiles(rows.n, 1<<high) * tiles(matrices, 1<<deep)
}

// pack packs the arguments, as CopyArgs in copy.h, of n pieces; or of matrices, without
// the axes that they are of.
func (s *strided) pack(args []uint64, n, row int) {
	axes := 0
	for i, a := range s.axis[:s.axes] {
		if row >= 0 && (i == row || i == s.axes-1) {
			continue
		}
		args[4+axes], args[4+copyAxes+axes], args[4+2*copyAxes+axes] = uint64(a.n), uint64(a.to), uint64(a.from)
		args[4+3*copyAxes+axes] = divisor(max(a.n, 1))
		axes++
	}
	args[0], args[1], args[2], args[3] = s.dst, s.src, uint64(n), uint64(axes)
}

// tileBits is how many bits number the elements of a tile along an axis of n, at most
// most: few enough that the last tile is not mostly empty.
func tileBits(n, most int) int {
	best := min(mathbits.Len(uint(n-1)), most)
	padded := func(b int) int { return tiles(n, 1<<b) << b }
	for b, least := best, min(best, 4); b >= least; b-- {
		if padded(b) <= n+n/4 {
			return b
		}
		if padded(b) < padded(best) {
			best = b
		}
	}
	return best
}

// divisor packs a number from 1 to 1 << 31 as Divisor in device.h takes it apart: a
// factor and a shift (Granlund and Montgomery, Division by Invariant Integers using
// Multiplication, PLDI 1994, figure 4.1).
func divisor(d int) uint64 {
	shift := mathbits.Len(uint(d - 1))
	return (uint64(1<<shift-d)<<32/uint64(d) + 1) | uint64(shift)<<32
}
