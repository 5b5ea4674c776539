package gpu

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// devices runs a test on every device form that this machine can show: each CPU
// instruction set, and the CUDA path behind the fake driver.
func devices(t *testing.T, test func(t *testing.T, dev *Device)) {
	for _, isa := range host.Supported() {
		t.Run("cpu/"+string(isa), func(t *testing.T) {
			dev, err := newCPU(isa, "", 2)
			if err != nil {
				t.Fatal(err)
			}
			test(t, dev)
		})
	}
	for _, sm := range []string{"75", "80"} {
		t.Run("cuda sm_"+sm+" behind the fake driver", func(t *testing.T) {
			t.Setenv("FAKECUDA_SM", sm)
			test(t, fakeDevice(t, nil))
		})
	}
}

func normal(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func near(t *testing.T, what string, got *Tensor, want []float64, tol float64) {
	t.Helper()
	values, err := got.Float32s()
	if err != nil {
		t.Fatal(what, err)
	}
	if len(values) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(values), len(want))
	}
	for i, w := range want {
		if g := float64(values[i]); g != w && !(math.Abs(g-w) <= tol*(1+math.Abs(w))) {
			t.Fatalf("%s[%d] = %g, want %g", what, i, g, w)
		}
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestMemoryIsCountedToTheByte(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		base := dev.Memory().Total.Live
		x := must(dev.Zeros(mem.Data, 1, 2, 10, 16))(t)
		dev.ResetPeak()
		r := must(Attention(x, x, x, AttentionOptions{}))(t)
		s := dev.Memory()
		if want := int64(4 * (320 + 20)); s.ByCategory[mem.Activations].Live != want || s.ByCategory[mem.Workspace].Live != 0 {
			t.Fatalf("activations %d, want %d; workspace %d", s.ByCategory[mem.Activations].Live, want, s.ByCategory[mem.Workspace].Live)
		}
		if err := errors.Join(r.Free(), r.Free(), x.Free()); err != nil {
			t.Fatal(err)
		}
		if live := dev.Memory().Total.Live; live != base {
			t.Fatalf("%d bytes live, want %d", live, base)
		}
		if _, err := Attention(x, x, x, AttentionOptions{}); err == nil || !strings.Contains(err.Error(), "used after Free") {
			t.Fatalf("freed tensor: %v", err)
		}
	})
}

func TestCollectorFreesTensors(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		dev.SetCap(1 << 20)
		defer dev.SetCap(0)
		for range 50 {
			// Each fills the cap; only the collector can make room for the next.
			x := must(dev.Zeros(mem.Data, 1<<18))(t)
			runtime.KeepAlive(x)
		}
		x := must(dev.Zeros(mem.Data, 1<<17))(t)
		_, err := dev.Zeros(mem.Gradients, 1<<17+1)
		var oom *mem.OutOfMemoryError
		if !errors.As(err, &oom) || oom.Live != 1<<19 || oom.Cap != 1<<20 || !strings.Contains(err.Error(), "(131073)") {
			t.Fatalf("above the cap: %v", err)
		}
		runtime.KeepAlive(x)
	})
}

func TestViews(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		x := must(dev.FromFloat32s([]float32{0, 1, 2, 3, 4, 5}, mem.Data, 2, 3))(t)
		row := must(x.Index(0, 1))(t)
		near(t, "row", row, []float64{3, 4, 5}, 0)
		flat := must(x.Reshape(6))(t)
		near(t, "flat", flat, []float64{0, 1, 2, 3, 4, 5}, 0)
		near(t, "columns", must(must(x.Slice(1, 1, 3))(t).Clone())(t), []float64{1, 2, 4, 5}, 0)
		turned := must(x.Permute(1, 0))(t)
		if turned.Dense() || turned.Dim(0) != 3 {
			t.Fatal("permuted view", turned)
		}
		for _, err := range []error{
			second(x.Reshape(5)), second(turned.Reshape(6)), second(x.Permute(0, 0)), second(x.Permute(0)),
			second(x.Index(2, 0)), second(x.Index(0, 2)), second(x.Slice(2, 0, 1)), second(x.Slice(1, 2, 4)), second(x.Slice(1, 2, 1)), x.CopyFrom(make([]float32, 5)), second(dev.Zeros(mem.Data, -1)),
		} {
			if err == nil {
				t.Error("a wrong view was allowed")
			}
		}
		if err := row.Clear(); err != nil {
			t.Fatal(err)
		}
		near(t, "cleared row", x, []float64{0, 1, 2, 0, 0, 0}, 0)
	})
}

func second[T any](_ T, err error) error { return err }

func TestErrorsNameShapesAndTypes(t *testing.T) {
	dev := must(Open("cpu"))(t)
	q := must(dev.Zeros(mem.Data, 1, 2, 3, 4))(t)
	k := must(dev.Zeros(mem.Data, 1, 2, 3, 5))(t)
	half := must(dev.Empty(BFloat16, mem.Data, 1, 2, 3, 4))(t)
	other := must(must(OpenCPU(1))(t).Zeros(mem.Data, 1, 2, 3, 4))(t)
	for want, err := range map[string]error{
		"query f32 (1, 2, 3, 4)": second(Attention(q, k, k, AttentionOptions{})),
		"bf16 (1, 2, 3, 4)":      second(Attention(q, half, half, AttentionOptions{})),
		"on two devices":         second(Attention(q, other, other, AttentionOptions{})),
		"cuda: and an index":     second(Open("cuda:x")),
		"want cpu":               second(Open("tpu")),
		"f32 (1, 2, 3, 5)":       NewAdam(1).Step([]*Tensor{q}, []*Tensor{k}),
		"want a matrix":          MatMul(q, q, q, false),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestAutoAlwaysOpens(t *testing.T) {
	dev := must(Open("auto"))(t)
	if dev.Name() == "cpu" && (!strings.Contains(dev.Why(), "no CUDA device") || !strings.Contains(dev.Detail(), dev.Why())) {
		t.Fatal("auto does not say why it is the CPU:", dev.Why())
	}
	if dev = must(Open("cpu"))(t); dev.Why() != "" {
		t.Fatal("the CPU was asked for, yet:", dev.Why())
	}
}
