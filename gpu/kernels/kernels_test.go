package kernels

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// The lock must tell of the files as they are, so that nobody changes a source
// and forgets the image.
func TestLockIsFresh(t *testing.T) {
	m := regexp.MustCompile(`(?m)^compiler \S+ (.+)$`).FindStringSubmatch(Lock())
	if m == nil {
		t.Fatalf("kernels.lock names no compiler:\n%s", Lock())
	}
	want, err := LockText(".", m[1])
	if err != nil {
		t.Fatal(err)
	}
	if Lock() != want {
		t.Fatalf("kernels.lock is stale, run: go run ./gpu/kernels/build\nhave:\n%swant:\n%s", Lock(), want)
	}
}

func TestImagesMatchSources(t *testing.T) {
	version, err := CompilerVersion()
	if errors.Is(err, ErrNoCompiler) {
		t.Skip("cannot compare the images with their sources:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(Lock(), version) {
		t.Skipf("the images were made by another compiler than this machine's %s", version)
	}
	for _, i := range Images() {
		name := i.Name
		got, err := Compile(".", i)
		if err != nil {
			t.Fatal(err)
		}
		want, err := PTX(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s.ptx is not what its source gives, run: go run ./gpu/kernels/build", name)
		}
	}
}

// Arrays that the compiler could not keep in registers show as .local: a kernel
// with them is many times slower.
func TestNoLocalMemory(t *testing.T) {
	for _, i := range Images() {
		image, err := PTX(i.Name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(image, []byte(".local")) {
			t.Errorf("%s.ptx keeps arrays in local memory", i.Name)
		}
		isa := map[int]string{75: "6.4", 80: "7.0"}[i.Arch]
		if !bytes.Contains(image, fmt.Appendf(nil, ".target sm_%d", i.Arch)) || !bytes.Contains(image, []byte(".version "+isa)) {
			t.Errorf("%s.ptx is not for sm_%d in ISA %s", i.Name, i.Arch, isa)
		}
	}
}
