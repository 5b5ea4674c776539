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
