package gpu

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A factor and a shift divide as division does.
func TestDivisors(t *testing.T) {
	check := func(n, d uint32) {
		w := divisor(int(d))
		if got := (uint32(uint64(n)*(w&(1<<32-1))>>32) + n) >> (w >> 32); got != n/d {
			t.Fatalf("%d by %d is %d, not %d", n, d, n/d, got)
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200000 {
		d := 1 + rng.Uint32()>>(1+rng.IntN(31))
		n := rng.Uint32() >> (1 + rng.IntN(31))
		check(n, d)
		for _, m := range []uint32{n / d * d, n/d*d - 1, 1<<31 - 1, (1<<31 - 1) / d * d, (1<<31-1)/d*d - 1} {
			if m < 1<<31 {
				check(m, d)
			}
		}
		check(rng.Uint32()>>1, 1<<31)
	}
}

// TestTurnedCopies: matrices of all shapes, on the tile and beside it, in any number, at odd
// addresses, in launches that take only a part.
func TestTurnedCopies(t *testing.T) {
	dev := fakeDevice(t, nil)
	c := dev.back.(*cuda)
	rng := rand.New(rand.NewPCG(7, 8))
	lengths := []int{1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 120, 130}
	for i := range 120 {
		from, to := dtypes[i%4], dtypes[rng.IntN(4)]
		shape := []int{1 + rng.IntN(4), lengths[rng.IntN(len(lengths))], 1 + rng.IntN(3), lengths[rng.IntN(len(lengths))]}
		if i%10 == 0 {
			shape[0], shape[3] = 3, 1500
		}
		order, back := rng.Perm(4), make([]int, 4)
		for at, axis := range order {
			back[axis] = at
		}
		src, values := oddly(t, dev, rng, from, shape)
		view := must(src.Permute(order...))(t)
		dst, _ := oddly(t, dev, rng, to, view.shape)
		c.launched = map[string]int{}
		var err error
		if i%3 == 0 { // in parts
			s := must(stridedOf(dst, view))(t)
			err = c.copyStrided(&s, 1+rng.IntN(view.Len()))
		} else {
			err = Copy(dst, view)
		}
		if err != nil {
			t.Fatal(err)
		}
		for j, v := range values {
			values[j] = nearest(to, v)
		}
		got := read(t, must(dst.Permute(back...))(t))
		if err := same(got, values); err != nil {
			t.Fatalf("%s %v by %v to %s, by %v: %v", from, shape, order, to, c.launched, err)
		}
	}
}

// oddly is a tensor of numbers within a greater one, whose other elements are ones that
// nobody is to touch, as the test's end makes sure of.
func oddly(t *testing.T, dev *Device, rng *rand.Rand, dtype DType, shape []int) (*Tensor, []float64) {
	t.Helper()
	greater := slices.Clone(shape)
	last := len(shape) - 1
	greater[0] += 2
	greater[last] += rng.IntN(6)
	at := rng.IntN(greater[last] - shape[last] + 1)
	ones := func(shape []int) *Tensor {
		x := slices.Repeat([]float64{1}, product(shape))
		return tensorOf(t, dev, dtype, x, shape...)
	}
	whole := ones(greater)
	inner := whole.span(0, 1, 1+shape[0]).span(last, at, at+shape[last])
	values := numbers(rng, dtype, product(shape))
	if err := Copy(inner, tensorOf(t, dev, dtype, values, shape...)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Copy(inner, ones(shape)); err != nil {
			t.Fatal(err)
		}
		for i, v := range read(t, whole) {
			if v != 1 {
				t.Fatalf("%s within %v: element %d is %g", inner, greater, i, v)
			}
		}
	})
	return inner, values
}
