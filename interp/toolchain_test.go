package interp_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hideGo makes a library whose toolchain is gone: the archives are the built ones.
func hideGo(t *testing.T) (lib string) {
	t.Helper()
	built, err := filepath.Abs(filepath.Join(build, "lib"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(built, "stamp.json"))
	if err != nil {
		t.Skip("the packages for cells are not built: run ./install.sh test")
	}
	var stamp struct{ Stamp, GoRoot, GoVersion string }
	if err := json.Unmarshal(data, &stamp); err != nil {
		t.Fatal(err)
	}
	lib = t.TempDir()
	if err := os.Symlink(filepath.Join(built, stamp.Stamp), filepath.Join(lib, stamp.Stamp)); err != nil {
		t.Fatal(err)
	}
	stamp.GoRoot = filepath.Join(lib, "gone")
	if data, err = json.Marshal(stamp); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(lib, "stamp.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return lib
}

// TestWithoutGo runs what the instant engine takes on a machine without Go and ld,
// and has the rest refused by name.
func TestWithoutGo(t *testing.T) {
	lib := hideGo(t)
	t.Setenv("PATH", t.TempDir())
	s := openApart(t, lib, t.TempDir())
	for i, c := range []struct{ code, want string }{
		{"import \"fmt\"", ""},
		{"x := 40", ""},
		{"for i := range 3 {\n\tif i > 0 {\n\t\tx++\n\t}\n}", ""},
		{"fmt.Println(x)", "42\n"},
		{"words := []string{\"a\", \"b\"}\nlen(words)", "= 2\n"},
		{"x / (x - 42)", "! runtime error: integer divide by zero"},
		{"y := 1 +", "! CompileError"},
		{"x = \"text\"", "! CompileError"},
		{"n := 0\nfor n < 5000 {\n\tn++\n\tif n%2 == 0 {\n\t\tcontinue\n\t}\n}\nn", "= 5000\n"},
		{"for i := 0; i < 10; i++ {\n\ti++\n\tn += i\n}\nn", "= 5025\n"},
		{"for a, b := 0, 1; a < 50; a, b = b, a+b {\n\tn++\n}", "! NoToolchain: line 1: what the for loop does behind each round"},
		{"big := make([]int, 3000)\nfor i := range big {\n\tbig[i] = i\n}\nfor _, v := range big {\n\tn += v\n}\nn", "= 4503525\n"},
		{"for i := 2999; ; i -= 7 {\n\tif i < 0 {\n\t\tbreak\n\t}\n\tn = i\n}\nn", "= 3\n"},
		{"import (\"maps\"; \"slices\")\nslices.Sorted(maps.Keys(map[string]int{\"b\": 1, \"a\": 2}))[0]", "= \"a\"\n"},
		{"min(n, 2) + max(n, 9)", "= 11\n"},
		{"for range func(yield func(int) bool) { yield(1) } {\n}", "! NoToolchain: line 1: a range loop whose length is not known before it runs"},
		{"x++\ngo func() { x++ }()", "! NoToolchain: line 2: a go statement: compiling a cell needs the Go toolchain"},
		{"func twice(n int) int { return 2 * n }", "! NoToolchain: line 1: declares func twice"},
		{"%%native\nx++", "! NoToolchain: %%native asks for it"},
		{"twice(3)", "! CompileError: undefined: twice"},
		{"import \"example.org/none\"", "! "},
		{"!:", ""},
		{"x", "= 42\n"},
	} {
		got := transcript(s, i+1, c.code)
		if c.want == got || strings.HasPrefix(c.want, "!") && strings.HasPrefix(got, c.want) {
			continue
		}
		t.Errorf("In[%d] %s answers %q, want %q", i+1, c.code, got, c.want)
	}
}

// TestWithoutGoButBuilt finds the cells of a session that had Go.
func TestWithoutGoButBuilt(t *testing.T) {
	cache, lib := t.TempDir(), hideGo(t)
	const twice = "func twice(n int) int { return 2 * n }"
	with := openApart(t, "", cache)
	mustAnswer(t, with, 1, twice, "")
	with.Close()
	t.Setenv("PATH", t.TempDir())
	s := openApart(t, lib, cache)
	mustAnswer(t, s, 1, twice, "")
	mustAnswer(t, s, 2, "x := twice(21)\nx", "= 42\n")
	if got := transcript(s, 3, "func half(n int) int { return n / 2 }"); !strings.Contains(got, "line 1: declares func half") {
		t.Errorf("a function that was not built before answers %q", got)
	}
	mustAnswer(t, s, 4, "twice(x)", "= 84\n")
}

// TestWithoutLd hides the system's linker alone.
func TestWithoutLd(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := openApart(t, "", t.TempDir())
	if got := transcript(s, 1, "func half(n int) int { return n / 2 }"); !strings.Contains(got, "declares func half") || !strings.Contains(got, "the program ld") {
		t.Errorf("without ld a function answers %q", got)
	}
	mustAnswer(t, s, 2, "6 * 7", "= 42\n")
}
