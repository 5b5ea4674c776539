package kernels

import (
	"bytes"
	"errors"
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
	for _, name := range Names() {
		got, err := Compile(".", name)
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
	for _, name := range Names() {
		image, err := PTX(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(image, []byte(".local")) {
			t.Errorf("%s.ptx keeps arrays in local memory", name)
		}
		if !bytes.Contains(image, []byte(".target sm_75")) || !bytes.Contains(image, []byte(".version 6.4")) {
			t.Errorf("%s.ptx is not for sm_75 in ISA 6.4", name)
		}
	}
}
