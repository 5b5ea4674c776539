package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"attune/gpu/mem"
	"attune/gpu/ref"
)

var dtypes = []DType{Float32, Float16, BFloat16, Int32}

// numbers are values of dtype in float64, among them what is hard to convert.
func numbers(rng *rand.Rand, dtype DType, n int) []float64 {
	hard := []float64{0, math.Copysign(0, -1), 1, 1.5, -2.5, 65504, 65519, 65520, 1e10, -1e10, 0x1p-24, 0x1.8p-24, 0x1p-25, 0x1.008p0, 0x1.018p0,
		math.Inf(1), math.Inf(-1), 2147483520, -2147483648, 3e9, 0x1.01p24, 0x1.0101p30, math.NaN()}
	x := make([]float64, n)
	for i := range x {
		switch x[i] = rng.NormFloat64() * math.Exp2(float64(rng.IntN(60)-30)); {
		case i < len(hard):
			x[i] = hard[i]
		case dtype == Int32:
			x[i] = float64(int32(rng.Uint32()) >> rng.IntN(32))
		}
		x[i] = nearest(dtype, x[i])
	}
	return x
}

func nearest(dtype DType, x float64) float64 {
	switch dtype {
	case Float16:
		return ref.RoundF16(x)
	case BFloat16:
		return ref.RoundBF16(x)
	case Int32:
		return ref.RoundI32(x)
	}
	return ref.RoundF32(x)
}

// tensorOf holds values that dtype can hold, read what a tensor holds.
func tensorOf(t *testing.T, dev *Device, dtype DType, x []float64, shape ...int) *Tensor {
	t.Helper()
	if dtype == Int32 {
		y := make([]int32, len(x))
		for i, v := range x {
			y[i] = int32(v)
		}
		return must(dev.FromInt32s(y, mem.Data, shape...))(t)
	}
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	out := must(dev.Empty(dtype, mem.Data, shape...))(t)
	if err := out.CopyFrom(y); err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, x *Tensor) []float64 {
	t.Helper()
	if x.DType() != Int32 {
		return wide(must(x.Float32s())(t))
	}
	var out []float64
	for _, v := range must(x.Int32s())(t) {
		out = append(out, float64(v))
	}
	return out
}

func same(got, want []float64) error {
	for i, w := range want {
		if got[i] != w && !(got[i] != got[i] && w != w) {
			return fmt.Errorf("element %d is %g, want %g", i, got[i], w)
		}
	}
	return nil
}

func TestConversionsMatchReference(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, from := range dtypes {
			x := numbers(rng, from, 3001)
			src := tensorOf(t, dev, from, x, 3001)
			if err := same(read(t, src), x); err != nil {
				t.Fatalf("%s in and out: %v", from, err)
			}
			for _, to := range dtypes {
				want := make([]float64, len(x))
				for i, v := range x {
					want[i] = nearest(to, v)
				}
				c := must(src.As(to))(t)
				if err := same(read(t, c), want); err != nil || c.DType() != to || c.Category() != mem.Data {
					t.Fatalf("%s to %s: %v", from, to, err)
				}
			}
		}
	})
}

// TestCopiesOfViews turns, slices and converts; the rest of the target stays.
func TestCopiesOfViews(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(3, 4))
		for range 30 {
			from, to := dtypes[rng.IntN(4)], dtypes[rng.IntN(4)]
			a, b, c := 1+rng.IntN(5), 1+rng.IntN(40), 1+rng.IntN(9)
			x := numbers(rng, from, a*b*c)
			src := must(must(tensorOf(t, dev, from, x, a, b, c).Permute(2, 0, 1))(t).Index(1, a-1))(t) // (c, b)
			whole := tensorOf(t, dev, to, make([]float64, 2*b*c), b, 2, c)
			dst := must(must(whole.Index(1, 1))(t).Permute(1, 0))(t) // (c, b)
			if err := Copy(dst, src); err != nil {
				t.Fatal(err)
			}
			want := make([]float64, 2*b*c)
			flat := make([]float64, 0, b*c)
			for k := range c {
				for j := range b {
					v := nearest(to, x[((a-1)*b+j)*c+k])
					want[(j*2+1)*c+k] = v
					flat = append(flat, v)
				}
			}
			if err := same(read(t, whole), want); err != nil {
				t.Fatalf("%s (%d, %d, %d) to %s: %v", from, a, b, c, to, err)
			}
			if err := same(read(t, dst), flat); err != nil {
				t.Fatalf("read through the view: %v", err)
			}
			if err := dst.Clear(); err != nil {
				t.Fatal(err)
			}
			if err := same(read(t, whole), make([]float64, 2*b*c)); err != nil {
				t.Fatalf("cleared through the view: %v", err)
			}
		}
		if left := dev.Memory().ByCategory[mem.Workspace].Live; left != 0 {
			t.Fatalf("%d bytes of workspace are left", left)
		}
	})
}

func TestCopiesBetweenDevices(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		cpu := must(Open("cpu"))(t)
		x := []float64{0.1, 2.5, -7, 1e6, 5, 6}
		src := must(tensorOf(t, cpu, Float32, x[:6], 2, 3).Permute(1, 0))(t)
		there := must(src.On(dev))(t)
		if there.Device() != dev || there.DType() != Float32 || !there.Dense() {
			t.Fatal("copied to", there)
		}
		half := must(dev.Empty(BFloat16, mem.Activations, 3, 2))(t)
		back := must(cpu.ZerosOf(Int32, mem.Data, 3, 2))(t)
		for _, err := range []error{Copy(half, src), Copy(back, half)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		want := []float64{0, 1e6, 2, 5, -7, 6}
		for i, v := range want {
			want[i] = nearest(Int32, nearest(BFloat16, v))
		}
		if err := same(read(t, back), want); err != nil {
			t.Fatal(err)
		}
		clone := must(half.Clone())(t)
		if clone.Category() != mem.Activations || !slices.Equal(clone.Shape(), []int{3, 2}) {
			t.Fatal("cloned", clone)
		}
		if used := dev.Memory().ByCategory[mem.Workspace].Live; used != 0 {
			t.Fatalf("%d bytes of workspace are left", used)
		}
	})
}

func TestCopyErrorsNameShapesAndTypes(t *testing.T) {
	dev := must(Open("cpu"))(t)
	x, ints := must(dev.Zeros(mem.Data, 2, 3))(t), must(dev.ZerosOf(Int32, mem.Data, 4))(t)
	gone := must(dev.Zeros(mem.Data, 2, 3))(t)
	if err := gone.Free(); err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"f32 (2, 3) on cpu to i32 (4) on cpu: want one shape":      Copy(ints, x),
		"i32 (4) on cpu: want f32, f16 or bf16":                    ints.CopyFrom(make([]float32, 4)),
		"f32 (2, 3) on cpu: want i32":                              second(x.Int32s()),
		"copy 5 float32 values to tensor: f32 (2, 3) on cpu has 6": x.CopyFrom(make([]float32, 5)),
		"i32 (4) on cpu: want f32":                                 second(ints.Data()),
		"used after Free":                                          Copy(x, gone),
		"convert to bf16: f32 (2, 3) on cpu, freed":                second(gone.As(BFloat16)),
		"nil tensor":       Copy(nil, x),
		"impossible shape": second(dev.ZerosOf(Float16, mem.Data, 1<<40, 1<<40)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	// A tensor that could not be filled is not left behind.
	before := dev.Memory().Total.Live
	if _, err := dev.FromFloat32s([]float32{1}, mem.Data, 2); err == nil || dev.Memory().Total.Live != before {
		t.Errorf("%d bytes are left of a tensor that was not made: %v", dev.Memory().Total.Live-before, err)
	}
}

// Axes of one element, and axes that join, are none: a tensor copies onto another view of its
// elements in the same order, and a dense one of any number of axes.
func TestCopiesOfManyAxes(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		x := must(dev.FromFloat32s([]float32{1, 2, 3}, mem.Data, 1, 3))(t)
		if err := Copy(must(x.Reshape(3, 1))(t), must(x.Permute(1, 0))(t)); err != nil {
			t.Error(err)
		}
		near(t, "copied onto itself", x, []float64{1, 2, 3}, 0)
		values, shape := make([]float32, 1<<17), slices.Repeat([]int{2}, 17)
		for i := range values {
			values[i] = float32(i % 1000)
		}
		many := must(dev.FromFloat32s(values, mem.Data, append(shape, 1, 1)...))(t)
		half := must(must(many.As(Float16))(t).Float32s())(t)
		if !slices.Equal(half, values) {
			t.Error("other values after a copy of 19 axes")
		}
	})
}
