package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// PyTorch's process may lack PyTorch, say nothing or nonsense, or end on the way: each is
// told, and the run goes on without it.
func TestRival(t *testing.T) {
	for script, want := range map[string]string{
		"echo 'No module named torch' >&2":                       "PyTorch's process ended: No module named torch",
		"exec sleep 60":                                          "no answer from PyTorch in ",
		"echo hello; exec sleep 60":                              `PyTorch said "hello"`,
		`echo '{"about": "one"}'; read -r line; echo broken >&2`: "PyTorch's process ended: broken",
	} {
		path := filepath.Join(t.TempDir(), "torch")
		if err := os.WriteFile(path, []byte(script), 0o644); err != nil {
			t.Fatal(err)
		}
		r := startRival(options{torch: path, python: "/bin/sh"})
		wait := 20 * time.Second
		if strings.HasPrefix(script, "exec") {
			wait = 100 * time.Millisecond
		}
		got := r.about(wait)
		if got == "one" {
			r.tries = 3 // and no more
			_, got = r.ask(&rivalCase{What: "copy", N: 1}, wait)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
		if seconds, why := r.ask(&rivalCase{What: "copy", N: 1}, wait); seconds != nil || why != "" {
			t.Errorf("%s: asked once more, it says %v %q", script, seconds, why)
		}
		r.stop("over")
	}
}
