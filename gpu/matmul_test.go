package gpu

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"attune/gpu/mem"
	"attune/gpu/ref"
)

// The tolerances of a product of k normal values, relative to 1 + |value|: float32
// sums of up to 300 terms 5e-5; results rounded to f16 and bf16 2^-11 and 2^-8.
func TestMatMulMatchesReference(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(1, 2))
		shapes := [][3]int{{1, 1, 1}, {64, 64, 16}, {130, 136, 40}, {129, 8, 96}, {3, 200, 64}, {70, 9, 0}}
		for i := range 18 {
			s := [3]int{1 + rng.IntN(140), 1 + rng.IntN(140), 1 + rng.IntN(150)}
			if i < len(shapes) {
				s = shapes[i]
			} else if i%2 == 0 { // what the tensor cores take
				s = [3]int{s[0], s[1] / 8 * 8, s[2] / 8 * 8}
			}
			for _, dtype := range []DType{Float32, Float16, BFloat16} {
				matmulCase(t, dev, rng, dtype, s)
			}
		}
	})
}

func matmulCase(t *testing.T, dev *Device, rng *rand.Rand, dtype DType, s [3]int) {
	t.Helper()
	m, n, k := s[0], s[1], s[2]
	p := attentionProblem{dtype: dtype}
	a, b := p.round(normal(rng, m*k)), p.round(normal(rng, k*n))
	want := ref.MatMul(m, n, k, a, b)
	result := dtype
	if rng.IntN(2) == 0 {
		result = Float32
	}
	c := must(must(dev.FromFloat32s(normal(rng, m*n), mem.Data, m, n))(t).As(result))(t)
	name := fmt.Sprintf("%s to %s (%d, %d, %d)", dtype, result, m, n, k)
	ta, tb := matrixOf(t, dev, rng, dtype, a, m, k), matrixOf(t, dev, rng, dtype, b, k, n)
	var err error
	switch rng.IntN(3) {
	case 0:
		name += " add"
		for i, x := range must(c.Float32s())(t) {
			want[i] += float64(x)
		}
		err = MatMul(c, ta, tb, true)
	case 1:
		name += " bias"
		bias := must(must(dev.FromFloat32s(normal(rng, n), mem.Data, n))(t).As(result))(t)
		for i := range want {
			want[i] += float64(must(bias.Float32s())(t)[i%n])
		}
		err = MatMulBias(c, ta, tb, bias)
	default:
		err = MatMul(c, ta, tb, false)
	}
	if err != nil {
		t.Fatal(name, err)
	}
	near(t, name, c, want, map[DType]float64{Float32: 5e-5, Float16: 1e-3, BFloat16: 8e-3}[result])
}

// matrixOf puts values on the device, sometimes turned.
func matrixOf(t *testing.T, dev *Device, rng *rand.Rand, dtype DType, x []float64, rows, cols int) *Tensor {
	t.Helper()
	v := must(dev.Empty(dtype, mem.Data, rows, cols))(t)
	if rng.IntN(2) == 0 {
		v = must(must(dev.Empty(dtype, mem.Data, cols, rows))(t).Permute(1, 0))(t)
	}
	if err := v.CopyFrom(narrow(x)); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMatMulErrors(t *testing.T) {
	dev := must(OpenCPU(1))(t)
	a, b := must(dev.Zeros(mem.Data, 2, 3))(t), must(dev.Zeros(mem.Data, 3, 4))(t)
	c, half := must(dev.Zeros(mem.Data, 2, 4))(t), must(dev.ZerosOf(Float16, mem.Data, 3, 4))(t)
	for want, err := range map[string]error{
		"f32 (2, 3) by f16 (3, 4) into f32 (2, 4): the dtypes": MatMul(c, a, half, false),
		"f32 (3, 4) by f32 (2, 3) into f32 (2, 4): the shapes": MatMul(c, b, a, false),
		"bias f32 (3, 4) on cpu: want f32 (4)":                 MatMulBias(c, a, b, b),
		"nil bias":                                             MatMulBias(c, a, b, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}
