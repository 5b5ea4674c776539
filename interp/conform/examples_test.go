package conform

import (
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// excludedExamples are left out of what TestExamples counts, each with its reason.
var excludedExamples = map[string]string{}

// TestExamples runs the standard library's Example functions that say what they
// print: the declarations of the example's file as one cell, the call as the next.
func TestExamples(t *testing.T) {
	root := filepath.Join(goroot(t), "src")
	var n count
	n.report(t, "examples")
	for _, ex := range examples(t, root) {
		if !chosen(ex.name) {
			n.left.Add(1)
			continue
		}
		if excludedExamples[ex.name] != "" {
			n.excluded.Add(1)
			continue
		}
		t.Run(ex.name, func(t *testing.T) {
			t.Parallel()
			n.note(t)
			runExample(t, ex)
		})
	}
}

// example is one Example function.
type example struct {
	name      string // "sort.ExampleInts"
	cells     []string
	want      string
	unordered bool
}

// examples lists the examples with an output of all packages below root that a
// cell can import.
func examples(t *testing.T, root string) []example {
	var out []example
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{"testdata", "vendor", "internal", "cmd"}, d.Name()) {
			return filepath.SkipDir
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		if !strings.HasSuffix(file, "_test.go") || strings.HasPrefix(filepath.ToSlash(dir), "encoding/json/v2") {
			return nil
		}
		if ok, err := build.Default.MatchFile(filepath.Split(file)); !ok || err != nil {
			return err
		}
		exs, err := fileExamples(filepath.ToSlash(dir), file)
		out = append(out, exs...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fileExamples are the examples of one file of package pkg's external tests.
func fileExamples(pkg, file string) ([]example, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, text, parser.ParseComments)
	if err != nil || !strings.HasSuffix(f.Name.Name, "_test") {
		return nil, err
	}
	var out []example
	for _, ex := range doc.Examples(f) {
		if ex.Output == "" && !ex.EmptyOutput {
			continue
		}
		name := "Example"
		if ex.Name != "" {
			name += ex.Name
		}
		out = append(out, example{
			name:  pkg + "." + name,
			cells: []string{declarations(fset, f, text, name), name + "()"},
			want:  ex.Output, unordered: ex.Unordered,
		})
	}
	return out, nil
}

// declarations is the file without its package clause and its examples other than
// the one called name. What is left out is blanked, so that lines keep their numbers.
func declarations(fset *token.FileSet, f *ast.File, text []byte, name string) string {
	out := slices.Clone(text)
	blank := func(from, to token.Pos) {
		for i := fset.Position(from).Offset; i < fset.Position(to).Offset; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	blank(f.Package, f.Name.End())
	for _, d := range f.Decls {
		if fd, ok := d.(*ast.FuncDecl); ok && fd.Recv == nil && fd.Name.Name != name && testFunc(fd.Name.Name) {
			blank(fd.Pos(), fd.End())
		}
	}
	return string(out)
}

// testFunc tells the names that go test calls.
func testFunc(name string) bool {
	for _, prefix := range []string{"Example", "Test", "Benchmark", "Fuzz"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func runExample(t *testing.T, ex example) {
	s := session(t)
	out := &output{}
	for i, code := range ex.cells {
		if err := execute(s, i+1, code, out); err != nil {
			t.Fatal(excerpt(told(err)))
		}
	}
	stdout, _ := out.texts()
	got, want := strings.TrimSpace(stdout), strings.TrimSpace(ex.want)
	if ex.unordered {
		got, want = sorted(got), sorted(want)
	}
	if got != want {
		t.Errorf("printed:\n%s\nwant:\n%s", excerpt(got), excerpt(want))
	}
}

// sorted is text with its lines in order, as go test compares unordered output.
func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
