package docs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSource(t *testing.T) {
	dir := t.TempDir()
	r := Roots{Go: filepath.Join(dir, "go"), Modules: filepath.Join(dir, "mod"), Attune: filepath.Join(dir, "own")}
	write := func(path string) {
		file := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go/src/p/p.go")
	write("mod/github.com/!a!b/p@v1.0.0/Sub/p.go")
	write("own/p/p.go")
	for _, name := range []string{"p/p.go", "github.com/AB/p@v1.0.0/Sub/p.go", "attune/p/p.go"} {
		for line, want := range map[int]string{5: "const Limit = 7", 9: "const A = 1", 21: "func NewCounter() *Counter { return nil }", 2: "", 99: ""} {
			if got := r.Source(name, line); got != want {
				t.Errorf("%s:%d is %q, want %q", name, line, got, want)
			}
		}
	}
	if got := r.Source("no/such.go", 1); got != "" {
		t.Errorf("a file that is not there has %q", got)
	}
}
