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

// The binary by its script, with the fake driver where the loader looks first: all
// agrees, measurements are made, and a broken kernel is called by its name.
func TestGPUCheck(t *testing.T) {
	tools := t.TempDir()
	binary, script := filepath.Join(tools, "gpucheck"), filepath.Join(tools, "run.sh")
	text, err := os.ReadFile("run.sh")
	if err == nil {
		err = os.WriteFile(script, text, 0o755)
	}
	// A stand-in that runs what it is to look at, once, and finds something in races.
	const sanitizer = "#!/bin/sh\ncase $2 in racecheck) echo '========= Error: Race reported'; exit 9;; memcheck) shift 4; exec \"$@\";; esac\n"
	if err = errors.Join(err, os.WriteFile(filepath.Join(tools, "compute-sanitizer"), []byte(sanitizer), 0o755)); err != nil {
		t.Fatal(err)
	}
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
		cmd := exec.Command(binary, "-short")
		path := os.Getenv("PATH")
		if old == "" {
			cmd, path = exec.Command(script, "-short"), tools+":"+path
		}
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+dir, "FAKECUDA_SM=80", "PATH="+path)
		out, err := cmd.Output()
		if agrees := strings.Contains(string(out), " 0 failed."); agrees != (old == "") || err == nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if old == "" {
			for _, want := range []string{"| kernel | ", "| optimizer | 21 | 21 |", "| attention forward bf16 (1, 1, 64, 64), causal true | ", "| adamw f32, 5000 parameters | ",
				"| memcheck | clean |", "| racecheck | **========= Error: Race reported** |"} {
				if !strings.Contains(string(out), want) {
					t.Errorf("the report does not say %q:\n%s", want, out)
				}
			}
		}
		if old != "" && !strings.Contains(string(out), "| attention f32 (1, 2/1, 70/70, 64) causal true, dropout 0 |") {
			t.Errorf("the report names no check:\n%s", out)
		}
	}
}
