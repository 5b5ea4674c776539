package host

import (
	"math"
	"math/rand/v2"
	"testing"

	"attune/gpu/ref"
)

var dtypes = []DType{F32, F16, BF16, I32}

// value is element i of data in float64.
func value(data []byte, t DType, i int) float64 {
	switch t {
	case F16:
		return float64(FromF16(As[uint16](data)[i]))
	case BF16:
		return float64(FromBF16(As[uint16](data)[i]))
	case I32:
		return float64(As[int32](data)[i])
	}
	return float64(As[float32](data)[i])
}

func rounded(t DType, x float64) float64 {
	switch t {
	case F16:
		return ref.RoundF16(x)
	case BF16:
		return ref.RoundBF16(x)
	case I32:
		return ref.RoundI32(x)
	}
	return ref.RoundF32(x)
}

// hard are values of a dtype around which rounding changes: all halves there are,
// the middles between them and the floats beside those, the ends, and random bits.
func hard(t DType, rng *rand.Rand) []byte {
	if t.Size() == 2 {
		x := make([]uint16, 1<<16)
		for i := range x {
			x[i] = uint16(i)
		}
		return Bytes(x)
	}
	var x []uint32
	for i := range 100000 {
		x = append(x, rng.Uint32(), rng.Uint32()>>uint(i%32))
	}
	if t == I32 {
		for shift := range 31 {
			for _, d := range []uint32{0, 1, 0x7fff, 0xffff, 0x10001} {
				v := uint32(1)<<shift + d<<shift>>16
				x = append(x, v-1, v, v+1, -v-1, -v, -v+1)
			}
		}
		return Bytes(x)
	}
	for h := range uint16(math.MaxUint16) {
		for _, v := range []float32{FromBF16(h), FromF16(h), (FromF16(h) + FromF16(h+1)) / 2, FromBF16(h)/2 + FromBF16(h+1)/2} {
			b := math.Float32bits(v)
			x = append(x, b-1, b, b+1)
		}
	}
	for _, v := range []float32{1 << 31, -1 << 31, 65519, 65520, 65535, 65536, float32(math.Inf(1)), 0x1.fffffep127} {
		b := math.Float32bits(v)
		x = append(x, b-1, b, b+1, b^1<<31)
	}
	return Bytes(x)
}

func TestConversionsMatchReference(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		for _, st := range dtypes {
			src := hard(st, rand.New(rand.NewPCG(1, 2)))
			n := len(src) / st.Size()
			for _, dt := range dtypes {
				dst := make([]byte, n*dt.Size())
				shape, one := []int{n}, []int{1}
				if err := e.Copy(View{dst, dt, shape, one}, View{src, st, shape, one}); err != nil {
					t.Fatal(err)
				}
				for i := range n {
					x, got := value(src, st, i), value(dst, dt, i)
					want := rounded(dt, x)
					if got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != math.Signbit(want) && want == want {
						t.Fatalf("%s %g to %s: %g, want %g", st, x, dt, got, want)
					}
				}
			}
		}
	})
}

// TestCopyStrided copies random views with gaps, which must stay as they are.
func TestCopyStrided(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(3, 4))
		for range 200 {
			rank := rng.IntN(5)
			shape := make([]int, rank)
			for i := range shape {
				shape[i] = 1 + rng.IntN(7)
				if rng.IntN(20) == 0 {
					shape[i] = rng.IntN(600)
				}
			}
			st, dt := dtypes[rng.IntN(4)], dtypes[rng.IntN(4)]
			src, dst := randomView(rng, st, shape), randomView(rng, dt, shape)
			before := append([]byte(nil), dst.Data...)
			if err := e.Copy(dst, src); err != nil {
				t.Fatal(err)
			}
			n := 1
			for _, s := range shape {
				n *= s
			}
			for i := range n {
				at := Offset(i, shape, dst.Strides)
				x, got := value(src.Data, st, Offset(i, shape, src.Strides)), value(dst.Data, dt, at)
				if want := rounded(dt, x); got != want && got == got {
					t.Fatalf("%v: element %d: %s %g to %s: %g, want %g", shape, i, st, x, dt, got, want)
				}
				copy(before[at*dt.Size():][:dt.Size()], dst.Data[at*dt.Size():])
			}
			if string(before) != string(dst.Data) {
				t.Fatalf("%v with strides %v: wrote between the elements", shape, dst.Strides)
			}
		}
	})
}

// randomView has its axes in any order in memory, with gaps.
func randomView(rng *rand.Rand, t DType, shape []int) View {
	v := View{DType: t, Shape: shape, Strides: make([]int, len(shape))}
	step := 1 + rng.IntN(2)
	for _, axis := range rng.Perm(len(shape)) {
		v.Strides[axis] = step
		step *= max(1, shape[axis])
		step += rng.IntN(3)
	}
	x := make([]uint32, step/(4/t.Size())+2)
	for i := range x {
		x[i] = rng.Uint32()
	}
	v.Data = Bytes(x)
	return v
}

func TestCopyRefuses(t *testing.T) {
	e, _ := New(Generic, 1, nil)
	x := make([]byte, 24)
	for _, v := range []View{
		{x, F32, []int{3, 2}, []int{2, 1}}, {x, F32, []int{2, 3}, []int{4, 1}}, {x, F32, []int{2, 3}, []int{1}}, {x, 9, []int{2, 3}, []int{3, 1}},
	} {
		if err := e.Copy(View{x, F32, []int{2, 3}, []int{3, 1}}, v); err == nil {
			t.Errorf("copied %v with strides %v", v.Shape, v.Strides)
		}
	}
}
