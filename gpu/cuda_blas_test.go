package gpu

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeBLAS is a C library that stands in for cuBLASLt; flags may rename one of its
// functions.
func fakeBLAS(t *testing.T, flags ...string) string {
	t.Helper()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler")
	}
	path := filepath.Join(t.TempDir(), "libcublasLt.so.13")
	args := append([]string{"-O2", "-shared", "-fPIC", "-o", path, filepath.Join("testdata", "fakelt.c")}, flags...)
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// blasDevice is one whose products go by that library, whatever their size.
func (x *trier) blasDevice(names ...string) (*Device, *blas) {
	x.t.Helper()
	dev := x.session()
	c := dev.back.(*cuda)
	c.blas = newBLAS(names, 0)
	return dev, c.blas
}

func newTrier(t *testing.T) *trier {
	return &trier{t: t, path: fakePath(t, nil), record: filepath.Join(t.TempDir(), "kernels-tried")}
}

// Every layout, type and form of a product by the library agrees with the reference.
func TestBLASMatchesReference(t *testing.T) {
	dev, b := newTrier(t).blasDevice(filepath.Join(t.TempDir(), "libcublasLt.so.13"), fakeBLAS(t))
	defer runtime.KeepAlive(dev)
	b.faster = func(own, library time.Duration) bool { return true }
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 30 {
		matmulCase(t, dev, rng, DType(i%3), [3]int{100 + rng.IntN(30), 70 + rng.IntN(50), 70 + rng.IntN(50)})
	}
	used := 0
	for _, use := range b.use {
		if use {
			used++
		}
	}
	if used < len(b.use) || len(b.plans) == 0 {
		t.Errorf("%d of %d classes used, %d plans", used, len(b.use), len(b.plans))
	}
	// One row, one column, and what has none.
	for _, s := range [][3]int{{1, 9, 9}, {9, 1, 9}, {9, 9, 1}, {9, 9, 0}} {
		matmulCase(t, dev, rng, Float32, s)
	}
}

// What the library lacks, refuses or gets wrong, our own kernels do; the user hears of
// it once, and another session knows of wrong values and of slowness.
func TestBLASThatIsNotUsed(t *testing.T) {
	whole, lacking := fakeBLAS(t), fakeBLAS(t, "-DcublasLtMatmulPreferenceCreate=cublasLtSomethingElse")
	for _, c := range []struct{ inject, library, told string }{
		{"", filepath.Join(t.TempDir(), "none.so"), ""},
		{"", lacking, "lacks cublasLtMatmulPreferenceCreate"},
		{"create", whole, "status 1"},
		{"heuristic", whole, "status 15"},
		{"matmul", whole, "status 14"},
		{"wrong", whole, "was off by"},
		{"slow", whole, ""},
	} {
		t.Run(c.inject+filepath.Base(c.library), func(t *testing.T) {
			t.Setenv("FAKELT", c.inject)
			x := newTrier(t)
			for session := range 2 {
				dev, b := x.blasDevice(c.library)
				rng := rand.New(rand.NewPCG(5, 6))
				for range 2 {
					matmulCase(t, dev, rng, Float32, [3]int{40, 40, 40})
				}
				for _, use := range b.use {
					if use {
						t.Error("it is used")
					}
				}
				want := c.told
				if session == 1 && c.inject == "wrong" {
					want = "" // the record says so
				}
				if want == "" && len(x.told) > 0 || want != "" && (len(x.told) == 0 || !strings.Contains(x.told[0], want)) {
					t.Errorf("session %d: told %q", session, x.told)
				}
				runtime.KeepAlive(dev)
			}
		})
	}
}

// A library that fails after it was found right and faster is not asked again.
func TestBLASThatFailsInUse(t *testing.T) {
	x := newTrier(t)
	dev, b := x.blasDevice(fakeBLAS(t))
	defer runtime.KeepAlive(dev)
	b.faster = func(own, library time.Duration) bool { return true }
	same := func() { matmulCase(t, dev, rand.New(rand.NewPCG(5, 6)), Float32, [3]int{120, 120, 120}) }
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(same)
	}
	wg.Wait()
	used := false
	for _, use := range b.use {
		used = used || use
	}
	if !used || len(x.told) > 0 {
		t.Fatalf("classes %v, told %q", b.use, x.told)
	}
	t.Setenv("FAKELT", "matmul")
	for range 2 {
		same()
	}
	if len(x.told) != 1 || !strings.Contains(x.told[0], "is not used any more") {
		t.Errorf("told %q", x.told)
	}
	if _, err := os.Stat(x.record); err != nil {
		t.Error(err)
	}
}
