package gpu

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"attune/gpu/driver"
	"attune/gpu/driver/fakecuda"
	"attune/gpu/mem"
)

// fakeLibrary is the fake driver, built once for all tests.
var fakeLibrary = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "fakecuda")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path, err := fakecuda.Build(dir, nil)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// fakePath is a copy of the fake driver of the test's own: the loader takes it
// for another library, so that its state is the test's own too. With edit it is
// built anew from edited sources.
func fakePath(t *testing.T, edit func(name, text string) string) string {
	t.Helper()
	dir := t.TempDir()
	if edit != nil {
		return must(fakecuda.Build(dir, edit))(t)
	}
	library, err := fakeLibrary()
	if errors.Is(err, fakecuda.ErrNoCompiler) {
		t.Skip("cannot build the fake driver:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "libcuda.so.1")
	if err := os.WriteFile(path, library, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func fakeDevice(t *testing.T, edit func(name, text string) string) *Device {
	t.Helper()
	dev, err := newCUDA(fakePath(t, edit), 0)
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

func TestCUDAFailuresAreErrors(t *testing.T) {
	for inject, want := range map[string]error{
		"no_device": driver.ErrNoDevice, "none": driver.ErrNoDevice, "old_driver": driver.ErrOldDriver,
	} {
		t.Setenv("FAKECUDA", inject)
		if _, err := newCUDA(fakePath(t, nil), 0); !errors.Is(err, want) {
			t.Errorf("%s: %v", inject, err)
		}
	}
	t.Setenv("FAKECUDA", "")
	if _, err := newCUDA(fakePath(t, nil), 1); !errors.Is(err, driver.ErrNoDevice) {
		t.Errorf("index 1 of one device: %v", err)
	}
	if _, err := newCUDA(filepath.Join(t.TempDir(), "none.so"), 0); !errors.Is(err, driver.ErrNoLibrary) {
		t.Errorf("no library: %v", err)
	}
}

func TestCUDARunFailures(t *testing.T) {
	dev := fakeDevice(t, nil)
	t.Setenv("FAKECUDA", "oom")
	_, err := dev.Zeros(mem.Data, 10)
	var oom *mem.OutOfMemoryError
	var cause *driver.Error
	if !errors.As(err, &oom) || !errors.As(err, &cause) || !cause.OutOfMemory() || oom.Want != 40 {
		t.Errorf("out of memory: %v", err)
	}
	t.Setenv("FAKECUDA", "jit")
	x := must(dev.Zeros(mem.Data, 1, 1, 20, 8))(t)
	if _, err := Attention(x, x, x, AttentionOptions{}); err == nil || !strings.Contains(err.Error(), "fake ptxas: line 1") {
		t.Errorf("refused PTX: %v", err)
	}
	t.Setenv("FAKECUDA", "")
	wide := must(dev.Zeros(mem.Data, 1, 1, 2, 300))(t)
	if _, err := Attention(wide, wide, wide, AttentionOptions{}); err == nil || !strings.Contains(err.Error(), "head size 300") {
		t.Errorf("head size 300: %v", err)
	}
	t.Setenv("FAKECUDA", "launch=700")
	r, err := Attention(x, x, x, AttentionOptions{})
	if err != nil {
		t.Fatal("a launch reports its failure later:", err)
	}
	if err := r.Output.CopyTo(make([]float32, 160)); !errors.As(err, &cause) || !cause.Sticky() {
		t.Errorf("after a bad access: %v", err)
	}
	t.Setenv("FAKECUDA", "")
	if err := x.Clear(); err == nil || !strings.Contains(err.Error(), "an earlier error ended the context") {
		t.Errorf("the context is lost, yet: %v", err)
	}
}

// mutation is a change to a kernel that the comparison with the reference must
// notice: they prove that the fake driver's threads interleave, that its copies come
// late, and that masks are looked at.
type mutation struct {
	name, sm       string
	dtype          DType
	file, old, new string
}

func mutations() []mutation {
	return []mutation{
		{"load barrier", "75", Float32, "attention.cu", "barrier(); // the tile is there", ""},
		{"reuse barrier", "75", BFloat16, "attention.cu", "barrier(); // all have done with the tile before", ""},
		{"mask", "75", Float32, "attention.h", "far <= s.right &&", "far < s.right &&"},
		{"dropout", "75", Float32, "attention.h", "c[1] = (unsigned)i", "c[1] = (unsigned)i + 1"},
		{"gradient barrier", "75", Float32, "attention_grad.cu", "barrier(); // the columns of P and dS are there", ""},
		{"split barrier", "75", Float32, "attention_split.cu", "barrier(); // the slots' sums are there", ""},
		{"tensor core barrier", "80", BFloat16, "attention_mma.cu", "barrier(); // the values are there, and all have done with the keys", ""},
		{"tensor core wait", "80", BFloat16, "attention_mma.cu", "copies_wait<0>();", ""},
		{"tensor core mask", "80", Float16, "softmax.h", "c > hi", "c > hi + 1"},
		{"tensor core gradient barrier", "80", BFloat16, "attention_grad_mma.cu", "barrier(); // the tile is there, and all have done with the one before", ""},
		{"tensor core gradient wait", "80", BFloat16, "attention_grad_mma.cu", "copies_wait<0>();", ""},
		{"tensor core gradient mask", "80", BFloat16, "attention_grad_mma.cu", "c < lo ||", "c < lo + 1 ||"},
	}
}

func TestFakeDriverNoticesBrokenKernels(t *testing.T) {
	if testing.Short() {
		t.Skip("each mutation compiles the kernels anew")
	}
	fakePath(t, nil) // skips where there is no compiler
	for _, m := range append(mutations(), mutation{name: "none", sm: "80", dtype: BFloat16}, mutation{name: "none", sm: "75"}) {
		t.Run(m.name, func(t *testing.T) {
			t.Setenv("FAKECUDA_SM", m.sm)
			dev := fakeDevice(t, func(file, text string) string {
				if file == m.file {
					if !strings.Contains(text, m.old) {
						t.Fatalf("%q is not in %s", m.old, m.file)
					}
					text = strings.ReplaceAll(text, m.old, m.new)
				}
				// What the comparison does not use is left out, for the compiler's sake.
				if strings.HasPrefix(file, "attention") && strings.HasSuffix(file, ".cu") && file != "attention_split.cu" && strings.Contains(file, "mma") != (m.sm == "80") {
					return ""
				}
				return strings.ReplaceAll(text, "#define SIZE(n) 1", "#define SIZE(n) (n == 32)")
			})
			if agrees := attentionAgrees(t, dev, m.dtype); agrees != (m.name == "none") {
				t.Errorf("agrees: %v", agrees)
			}
		})
	}
}

// attentionAgrees compares causal attention with and without dropout, its gradients
// and decoding on dev and the CPU.
func attentionAgrees(t *testing.T, dev *Device, dtype DType) bool {
	t.Helper()
	var results [2][]float32
	for i, d := range []*Device{dev, must(Open("cpu"))(t)} {
		x := make([]float32, 2*150*32)
		for j := range x {
			x[j] = float32((j*7919)%211)/100 - 1
		}
		v := must(must(d.FromFloat32s(x, mem.Data, 1, 2, 150, 32))(t).As(dtype))(t)
		all := []*Tensor{must(Attention(v.span(2, 0, 3), v, v, AttentionOptions{}))(t).Output}
		for _, dropout := range []float64{0, 0.25} {
			r := must(Attention(v, v, v, AttentionOptions{Causal: true, Dropout: dropout}))(t)
			dq, dk, dv, err := r.Backward(v)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r.Output, dq, dk, dv)
		}
		for _, y := range all {
			results[i] = append(results[i], must(y.Float32s())(t)...)
		}
	}
	tol := map[DType]float64{Float32: 1e-3, Float16: 1e-2, BFloat16: 8e-2}[dtype]
	for j, a := range results[0] {
		b := float64(results[1][j])
		if d := math.Abs(float64(a) - b); !(d <= tol*(1+math.Abs(b))) {
			return false
		}
	}
	return true
}
