package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"attune/gpu/driver/fakecuda"
)

// The binary, with the fake driver where the loader looks first: all agrees, and a
// broken kernel is called by its name.
func TestGPUCheck(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "gpucheck")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, old := range map[string]string{"as they are": "", "without the causal mask": "far <= s.right &&"} {
		dir := t.TempDir()
		_, err := fakecuda.Build(dir, func(_, text string) string {
			if old == "" {
				return text
			}
			return strings.ReplaceAll(text, old, "")
		})
		if errors.Is(err, fakecuda.ErrNoCompiler) {
			t.Skip("cannot build the fake driver:", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(binary)
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+dir, "FAKECUDA_SM=80")
		out, err := cmd.Output()
		if agrees := strings.Contains(string(out), " 0 failed."); agrees != (old == "") || (err == nil) != agrees {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if old != "" && !strings.Contains(string(out), "| attention f32 (1, 2/1, 70/70, 64) causal true, dropout 0 |") {
			t.Errorf("the report names no check:\n%s", out)
		}
	}
}
