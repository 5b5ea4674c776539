package gpu

import (
	"errors"
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
	if err := GELU(x, x); !errors.Is(err, ErrNoKernel) {
		t.Errorf("gelu: %v", err)
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

// Mutations that the comparison with the reference must notice: they prove that
// the fake driver's threads interleave and that masks are looked at.
func TestFakeDriverNoticesBrokenKernels(t *testing.T) {
	if testing.Short() {
		t.Skip("each mutation compiles the kernels anew")
	}
	fakePath(t, nil) // skips where there is no compiler
	for name, m := range map[string][3]string{
		"load barrier":     {"attention.cu", "barrier(); // the tile is there", ""},
		"causal mask":      {"attention.h", "far <= p.right &&", "far < p.right &&"},
		"gradient barrier": {"attention_grad.cu", "barrier(); // the columns of P and dS are there", ""},
	} {
		dev := fakeDevice(t, func(file, text string) string {
			if file == m[0] {
				if !strings.Contains(text, m[1]) {
					t.Fatalf("%s: %q is not in %s", name, m[1], file)
				}
				return strings.ReplaceAll(text, m[1], m[2])
			}
			return text
		})
		if attentionAgrees(t, dev) {
			t.Errorf("nobody noticed the mutation: %s", name)
		}
	}
	if !attentionAgrees(t, fakeDevice(t, nil)) {
		t.Error("the kernels without a mutation disagree with the CPU")
	}
}

// attentionAgrees compares causal attention and its gradients on dev and the CPU.
func attentionAgrees(t *testing.T, dev *Device) bool {
	t.Helper()
	var results [2][]float32
	for i, d := range []*Device{dev, must(Open("cpu"))(t)} {
		x := make([]float32, 2*70*32)
		for j := range x {
			x[j] = float32((j*7919)%211)/100 - 1
		}
		v := must(d.FromFloat32s(x, mem.Data, 1, 2, 70, 32))(t)
		r := must(Attention(v, v, v, AttentionOptions{Causal: true}))(t)
		dq, dk, dv, err := r.Backward(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, y := range []*Tensor{r.Output, dq, dk, dv} {
			results[i] = append(results[i], must(y.Float32s())(t)...)
		}
	}
	for j, a := range results[0] {
		if d := a - results[1][j]; !(d < 1e-3 && d > -1e-3) {
			return false
		}
	}
	return true
}
