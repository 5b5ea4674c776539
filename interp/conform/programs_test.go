package conform

import (
	"errors"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// insideFolders hold programs about the calling convention and debug information.
var insideFolders = []string{"abi/", "dwarf/"}

// insidePackages are what programs import that look into the runtime, or at the
// process that they are.
var insidePackages = []string{"runtime", "os/exec", "syscall"}

// excludedPrograms are left out of what TestPrograms counts, each with its reason.
var excludedPrograms = map[string]string{
	"nilptr.go":               "wants a package variable of 256 MB near address 0; a cell's variables are on the heap",
	"fixedbugs/issue56990.go": "ends its process from inside package testing, which a cell reports as the loss of its values",
}

// TestPrograms runs the programs of the Go distribution's own test folder that are
// headed "// run", each as one cell of a fresh session: it must end as `go run` of
// it does, without an error, having printed what stands in its .out file.
func TestPrograms(t *testing.T) {
	root := filepath.Join(goroot(t), "test")
	if _, err := os.Stat(root); err != nil {
		t.Skip("this Go distribution comes without its test folder")
	}
	var n count
	n.report(t, "programs")
	for _, name := range programs(t, root) {
		if !chosen(name) {
			n.left.Add(1)
			continue
		}
		if excludedPrograms[name] != "" {
			n.excluded.Add(1)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n.note(t)
			runProgram(t, filepath.Join(root, name))
		})
	}
}

// programs lists the files below root that are to be run, by their path in it.
func programs(t *testing.T, root string) []string {
	var out []string
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && filepath.Ext(file) == ".dir":
			return filepath.SkipDir // programs of several packages
		case d.IsDir() || filepath.Ext(file) != ".go":
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if first, _, _ := strings.Cut(string(text), "\n"); first == "// run" && built(string(text)) &&
			(*insides || !inside(name, text)) {
			out = append(out, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var buildLine = regexp.MustCompile(`(?m)^//go:build .*$`)

// built tells whether the file's build constraint holds here.
func built(text string) bool {
	line := buildLine.FindString(text)
	if line == "" {
		return true
	}
	expr, err := constraint.Parse(line)
	return err == nil && expr.Eval(func(tag string) bool {
		return tag == runtime.GOOS || tag == runtime.GOARCH || tag == "gc" || tag == "unix" || strings.HasPrefix(tag, "go1.")
	})
}

// inside tells whether a program is about the compiler's or the runtime's insides.
func inside(name string, text []byte) bool {
	for _, dir := range insideFolders {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return false
	}
	for _, im := range f.Imports {
		path, _ := strconv.Unquote(im.Path.Value)
		if slices.Contains(insidePackages, path) || strings.HasPrefix(path, "runtime/") {
			return true
		}
	}
	return false
}

func runProgram(t *testing.T, file string) {
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(strings.TrimSuffix(file, ".go") + ".out")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	out := &output{}
	if err := execute(session(t), 1, string(code), out); err != nil {
		t.Error(excerpt(told(err)))
	}
	stdout, got := out.texts()
	wanted := string(want)
	if stdout != "" && stdout != got {
		// The two streams of a cell come apart, and in no order between them.
		got, wanted = sorted(got), sorted(wanted)
	}
	if got != wanted {
		t.Errorf("printed %q, want %q", excerpt(got), excerpt(wanted))
	}
}
