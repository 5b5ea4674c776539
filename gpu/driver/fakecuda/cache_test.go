package fakecuda

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A change of a file compiles it again, and one of a header all that include it; the
// rest is as it was.
func TestObjectsAreMadeOnce(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	cache := filepath.Join(os.Getenv("XDG_CACHE_HOME"), "attune", "fakecuda", "*.o")
	build := func(file, text string) int {
		t.Helper()
		_, err := Build(t.TempDir(), func(name, old string) string {
			switch {
			case name == file:
				return old + text
			case name != "copy.cu" && name != "rows.cu" && name != "ptx_tensor.cpp" && !strings.HasSuffix(name, ".h"):
				return ""
			}
			return old
		})
		if errors.Is(err, ErrNoCompiler) {
			t.Skip("cannot build the fake driver:", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		made, err := filepath.Glob(cache)
		if err != nil {
			t.Fatal(err)
		}
		return len(made)
	}
	all := build("", "")
	for _, c := range []struct {
		file, text string
		more       int
	}{
		{"", "", 0},
		{"copy.cu", "\n// changed\n", 1},
		{"copy.cu", "\n// changed\n", 0},
		{"layers.h", "\n// changed\n", 1}, // rows.cu alone includes it
		{"device.h", "\n// changed\n", 2},
		{"ptx.h", "\n// changed\n", 1},
		{"fakecuda.h", "\n// changed\n", 3},
	} {
		now := build(c.file, c.text)
		if now-all != c.more {
			t.Errorf("a change of %q made %d objects, want %d", c.file, now-all, c.more)
		}
		all = now
	}
	if _, err := Build(t.TempDir(), func(name, _ string) string {
		if name == "copy.cu" {
			return "no C++"
		}
		return ""
	}); err == nil || !strings.Contains(err.Error(), "copy.cu.cpp:1") {
		t.Errorf("a file that is no C++: %v", err)
	}
}
