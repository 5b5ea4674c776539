//go:build linux && cgo

package driver_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"attune/gpu/driver"
	"attune/gpu/driver/fakecuda"
	"attune/gpu/kernels"
)

func TestLoadSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	if _, err := driver.Load(filepath.Join(dir, "none.so")); !errors.Is(err, driver.ErrNoLibrary) || !strings.Contains(err.Error(), "none.so") {
		t.Errorf("no library: %v", err)
	}
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := driver.Load(text); !errors.Is(err, driver.ErrNoLibrary) {
		t.Errorf("a text file: %v", err)
	}
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("cannot build a library without the driver's functions: no cc")
	}
	source, library := filepath.Join(dir, "old.c"), filepath.Join(dir, "old.so")
	if err := os.WriteFile(source, []byte("int cuInit(unsigned f) { return 0; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(compiler, "-shared", "-fPIC", "-o", library, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := driver.Load(library); !errors.Is(err, driver.ErrNoSymbol) || !strings.Contains(err.Error(), "cuDriverGetVersion") {
		t.Errorf("a library that lacks functions: %v", err)
	}
}

// built is the path of a fake driver, from what building it returned.
func built(t *testing.T) func(path string, err error) string {
	t.Helper()
	return func(path string, err error) string {
		t.Helper()
		if errors.Is(err, fakecuda.ErrNoCompiler) {
			t.Skip("cannot build the fake driver:", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
}

// One context through memory, a kernel and misuse, on the fake driver.
func TestContext(t *testing.T) {
	lib, err := driver.Load(built(t)(fakecuda.Build(t.TempDir(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lib.Open(0, 99000); !errors.Is(err, driver.ErrOldDriver) || !strings.Contains(err.Error(), "12.4, 99.0") {
		t.Errorf("old driver: %v", err)
	}
	if _, err := lib.Open(3, 0); !errors.Is(err, driver.ErrNoDevice) {
		t.Errorf("index 3: %v", err)
	}
	ctx, err := lib.Open(0, kernels.MinDriver)
	if err != nil {
		t.Fatal(err)
	}
	if i := ctx.Info(); i.Name != "Fake Device" || i.Capability != 75 || i.Memory != 1<<30 || i.Processors != 3 {
		t.Errorf("device %+v", i)
	}
	memoryOf(t, ctx)
	kernelOf(t, ctx)
	if err := ctx.Synchronize(); err != nil {
		t.Error(err)
	}
	if err := ctx.Close(); err != nil {
		t.Error(err)
	}
	lib.Close()
}

func memoryOf(t *testing.T, ctx *driver.Context) {
	t.Helper()
	at, err := ctx.Alloc(16)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 16)
	if err := errors.Join(ctx.Upload(at, []byte("sixteen letters!")), ctx.Clear(at, 4), ctx.Download(got, at)); err != nil {
		t.Fatal(err)
	}
	if string(got) != "\x00\x00\x00\x00een letters!" {
		t.Errorf("memory came back as %q", got)
	}
	var e *driver.Error
	if err := ctx.Upload(at+8, got); !errors.As(err, &e) || e.Name != "CUDA_ERROR_INVALID_VALUE" || e.Sticky() {
		t.Errorf("a copy past the end: %v", err)
	}
	if free, total, err := ctx.MemInfo(); err != nil || total-free != 16 {
		t.Errorf("%d of %d bytes free: %v", free, total, err)
	}
	if _, err := ctx.Alloc(2 << 30); !errors.As(err, &e) || !e.OutOfMemory() {
		t.Errorf("2 GiB of 1: %v", err)
	}
	if err := ctx.Free(at); err != nil {
		t.Error(err)
	}
	if err := ctx.Free(at); err == nil {
		t.Error("memory was freed twice")
	}
}

func kernelOf(t *testing.T, ctx *driver.Context) {
	t.Helper()
	image, err := kernels.PTX("copy")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ctx.Load([]byte("no PTX")); err == nil || !strings.Contains(err.Error(), "line 1: refused") {
		t.Errorf("text that is no PTX: %v", err)
	}
	m, err := ctx.Load(image)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Function("nobody"); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("unknown kernel: %v", err)
	}
	f, err := m.Function("copy_b32")
	if err != nil {
		t.Fatal(err)
	}
	at, err := ctx.Alloc(16)
	if err != nil {
		t.Fatal(err)
	}
	if err := ctx.Upload(at, []byte("four, two, nine!")); err != nil {
		t.Fatal(err)
	}
	// One element from at + 8 to at, along one axis.
	args := make([]uint64, 35)
	copy(args, []uint64{at, at + 8, 1, 1, 1})
	args[10], args[16] = 1, 1
	if err := f.Launch(1, 256, args); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if err := ctx.Download(got, at); err != nil || string(got) != "o, n, tw" {
		t.Errorf("copied %q: %v", got, err)
	}
	if err := f.Launch(1, 256, args[:7]); err == nil || !strings.Contains(err.Error(), "launch copy_b32 on 1 blocks of 256 threads") {
		t.Errorf("too few arguments: %v", err)
	}
	if err := errors.Join(ctx.Free(at), m.Unload()); err != nil {
		t.Error(err)
	}
}

// BenchmarkCall is the binding's own cost: the call behind it does nothing.
func BenchmarkCall(b *testing.B) {
	path, err := fakecuda.Build(b.TempDir(), nil)
	if err != nil {
		b.Skip(err)
	}
	lib, err := driver.Load(path)
	if err != nil {
		b.Fatal(err)
	}
	ctx, err := lib.Open(0, 0)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := ctx.Synchronize(); err != nil {
			b.Fatal(err)
		}
	}
}
