//go:build cgo

package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sanitizers are how the C code is compiled to watch itself. Without optimization that
// takes seconds, and nothing is left out that a sanitizer would have looked at.
const sanitizers = "-O0 -g -fsanitize=address,undefined,float-cast-overflow"

// mistake is an edit of one kernel, and what must be said when the calls of that name run.
type mistake struct{ calls, file, old, new, report string }

func mistakes() []mistake {
	return []mistake{
		{"products", "gemm.h", "char some[4 * MR] = {0};", "char some[4 * MR - 1] = {0};", "AddressSanitizer: "},
		{"attentions", "attention.h", "for (int l = 0; l < NR; l++) c0[l] =", "for (int l = 0; l <= NR; l++) c0[l] =", "runtime error: index"},
		{"elements", "rows.h", "float f[8 * VL];", "float f[8 * VL - 1];", "runtime error: index"},
		{"rows", "rows.h", "float lanes[VL],", "float lanes[VL - 1],", "AddressSanitizer: "},
		{"images", "conv.h", "const float *b[DB];", "const float *b[DB - 1];", "runtime error: index"},
		{"steps", "optim.h", "for (; j + 2 * VL <= k; j += 2 * VL)", "for (; j + 2 * VL <= k + 1; j += 2 * VL)", "AddressSanitizer: SEGV"},
	}
}

// The C code, compiled with AddressSanitizer and UndefinedBehaviorSanitizer, does all the
// calls that end at a fence: the fences watch what is loaded and stored, the sanitizers
// the arrays on the stack, and the arithmetic. Mistakes by one element must be noticed, of
// every group of kernels one.
func TestKernelsUnderSanitizers(t *testing.T) {
	switch {
	case testing.Short():
		t.Skip("the kernels are compiled anew")
	case len(native()) == 0:
		t.Skip("this machine has no vector kernels")
	}
	if out, err := sanitizerWorks(t); err != nil {
		t.Skipf("the C compiler has no AddressSanitizer and UndefinedBehaviorSanitizer: %v\n%s", err, out)
	}
	t.Run("as they are", func(t *testing.T) {
		t.Parallel()
		binary := sanitizedTests(t, nil)
		const test = "TestKernelsStayWithinTheirArrays"
		if out, err := runSanitized(t, binary, "^("+test+"|TestMatMulOfHalvesWithoutPairs)$"); err != nil || !strings.Contains(out, "--- PASS: "+test+"/") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("with mistakes", func(t *testing.T) {
		t.Parallel()
		binary := sanitizedTests(t, mistakes())
		for _, isa := range native() {
			for _, m := range mistakes() {
				out, err := runSanitized(t, binary, "^TestKernelsStayWithinTheirArrays$/^"+string(isa)+"$/^"+m.calls+"$")
				if err == nil || !strings.Contains(out, m.report) || !strings.Contains(out, m.file+":") {
					t.Errorf("%s: %s instead of %s in %s: %v\n%s", isa, m.new, m.old, m.file, err, out)
				}
			}
		}
	})
}

func cCompiler() string {
	out, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		return "cc"
	}
	return strings.TrimSpace(string(out))
}

// sanitizerWorks compiles and runs a program of one line with them.
func sanitizerWorks(t *testing.T) ([]byte, error) {
	source, program := filepath.Join(t.TempDir(), "a.c"), filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append(strings.Fields(sanitizers), source, "-o", program)
	if out, err := exec.Command(cCompiler(), args...).CombinedOutput(); err != nil {
		return out, err
	}
	return exec.Command(program).CombinedOutput()
}

// sanitizedTests builds this package's tests from a copy with the edits.
func sanitizedTests(t *testing.T, edits []mistake) string {
	t.Helper()
	dir := t.TempDir()
	edit := func(file, text string) string {
		for _, e := range append(edits, mistake{file: "native_amd64.go", old: "-O3 -Wall", new: sanitizers + " -fno-sanitize-recover=all"},
			mistake{file: "native_amd64.go", old: "LDFLAGS: -lm", new: "LDFLAGS: -lm -fsanitize=address,undefined"}) {
			if e.file == file {
				if !strings.Contains(text, e.old) {
					t.Fatalf("%s has no %q", file, e.old)
				}
				text = strings.ReplaceAll(text, e.old, e.new)
			}
		}
		return text
	}
	for _, pattern := range []string{"../../go.mod", "../../go.sum", "*.go", "*.c", "*.h", "../ref/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			to := filepath.Join(dir, "gpu", "host", file)
			if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, []byte(edit(file, string(text))), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	binary := filepath.Join(dir, "host.test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-trimpath", "-o", binary, "./gpu/host")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_CFLAGS_ALLOW=-fno-sanitize-recover=all", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the kernels with sanitizers: %v\n%s", err, out)
	}
	return binary
}

func runSanitized(t *testing.T, binary, tests string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.v", "-test.run", tests)
	cmd.Env = append(os.Environ(), "ASAN_OPTIONS=detect_leaks=0")
	out, err := cmd.CombinedOutput()
	return string(out), err
}
