package gpu

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"attune/gpu/driver/fakecuda"
	"attune/gpu/kernels"
)

// imagesLibrary is the fake driver that runs the images as they ship, built once.
var imagesLibrary = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "fakecuda")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path, err := fakecuda.BuildImages(dir)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// imagesDevice is one of that capability behind it, with a library of the test's own.
func imagesDevice(t *testing.T, capability string) *Device {
	t.Helper()
	library, err := imagesLibrary()
	if errors.Is(err, fakecuda.ErrNoCompiler) {
		t.Skip("cannot build the fake driver:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "libcuda.so.1")
	if err := os.WriteFile(path, library, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAKECUDA_SM", capability)
	dev, err := newCUDA(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

// The text of each image, with what exists in PTX alone, gives the values that its
// kernels' source gives.
func TestImagesGiveTheirKernelsValues(t *testing.T) {
	dev := imagesDevice(t, "90")
	defer runtime.KeepAlive(dev)
	for _, i := range kernels.Images() {
		if testing.Short() && i.Head > 64 {
			continue
		}
		for _, name := range kernels.Entries(must(kernels.PTX(i.Name))(t)) {
			p, _ := problemOf(name)
			if worst, limit, err := p.try(dev.back.(*cuda)); err != nil || worst > limit {
				t.Errorf("%s: off by %g, %g is allowed: %v", name, worst, limit, err)
			}
		}
	}
}
