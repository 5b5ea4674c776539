package kernels

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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
		isa := map[int]string{75: "6.4", 80: "7.0", 90: "8.0"}[i.Arch]
		if !bytes.Contains(image, fmt.Appendf(nil, ".target %s\n", i.Target())) || !bytes.Contains(image, []byte(".version "+isa)) {
			t.Errorf("%s.ptx is not for %s in ISA %s", i.Name, i.Target(), isa)
		}
	}
}

// What is kept is what Pack makes of the text that the lock has the hash of.
func TestImagesArePacked(t *testing.T) {
	for _, i := range Images() {
		text, err := PTX(i.Name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(text); Hash(i.Name) != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: the lock has hash %q", i.Name, Hash(i.Name))
		}
		kept, err := images.ReadFile(i.Name + ".ptx.gz")
		if err != nil {
			t.Fatal(err)
		}
		if packed, err := Pack(text); err != nil || !bytes.Equal(packed, kept) {
			t.Errorf("%s.ptx.gz is not what Pack gives: %v", i.Name, err)
		}
		kept[len(kept)/2] ^= 1
		if _, err := unpack(i.Name, kept); err == nil {
			t.Errorf("%s: a damaged image was unpacked", i.Name)
		}
	}
	if h := Hash("nobody"); h != "" {
		t.Errorf("hash of an image that is not there: %q", h)
	}
}

// BenchmarkPTX is what the first use of an image costs before the driver has it.
func BenchmarkPTX(b *testing.B) {
	for b.Loop() {
		if _, err := PTX("attention_grad_mma_128"); err != nil {
			b.Fatal(err)
		}
	}
}
