package conform

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// excludedExamples are left out of what TestExamples counts, each with its reason.
var excludedExamples = map[string]string{
	"runtime.ExampleFrames": "prints the linker's names of functions, which in a cell carry a hash",
}

// TestExamples runs the standard library's Example functions that say what they
// print: the declarations of the example's file as one cell, the call as the next.
// Before these come the folder, as go test sets it, and what the file takes from
// the package's other test files.
func TestExamples(t *testing.T) {
	root := filepath.Join(goroot(t), "src")
	runExamples(t, "examples", examples(t, root), func(ex example) []string {
		return append(ex.before, ex.file.declarations(ex.name, true), ex.name+"()")
	}, nil)
}

// TestBodies runs the same examples as a user types them: the statements are a
// cell themselves, whose variables are the session's, and which the instant engine
// may get. Bodies that return early are left out.
func TestBodies(t *testing.T) {
	root := filepath.Join(goroot(t), "src")
	list := slices.DeleteFunc(examples(t, root), func(ex example) bool { return ex.returns() })
	ran := &engines{}
	t.Cleanup(func() { ran.report(t) })
	runExamples(t, "bodies", list, func(ex example) []string {
		return append(ex.before, ex.file.declarations(ex.name, false), ex.body())
	}, ran.note)
}

// runExamples runs the cells that cells makes of each example. Where timed is given,
// the last of them is timed, and timed gets what that said.
func runExamples(t *testing.T, what string, list []example, cells func(example) []string, timed func(name, said string)) {
	var n count
	n.report(t, what)
	for _, ex := range list {
		name := ex.pkg + "." + ex.name
		if !chosen(name) {
			n.left.Add(1)
			continue
		}
		if excludedExamples[name] != "" {
			n.excluded.Add(1)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n.note(t)
			list := cells(ex)
			if timed != nil {
				list[len(list)-1] = "%time" + list[len(list)-1] // which has empty lines above it
			}
			said := runExample(t, ex, list)
			if timed != nil {
				timed(name, said)
			}
		})
	}
}

// example is one Example function.
type example struct {
	pkg       string // "sort"
	name      string // "ExampleInts"
	file      *testFile
	before    []string // cells to run first
	want      string
	unordered bool
}

func (ex example) decl() *ast.FuncDecl {
	for _, d := range ex.file.ast.Decls {
		if fd, ok := d.(*ast.FuncDecl); ok && fd.Recv == nil && fd.Name.Name == ex.name {
			return fd
		}
	}
	return nil
}

// body is the text of the example's statements, each on its line in the file.
func (ex example) body() string {
	b := ex.decl().Body
	above := strings.Repeat("\n", ex.file.fset.Position(b.Lbrace).Line-1)
	return above + string(ex.file.text[ex.file.fset.Position(b.Lbrace).Offset+1:ex.file.fset.Position(b.Rbrace).Offset])
}

// returns tells whether the example itself has a return statement.
func (ex example) returns() (found bool) {
	ast.Inspect(ex.decl().Body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			found = true
		}
		return !found
	})
	return found
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
		f, err := readTestFile(file)
		if err == nil && strings.HasSuffix(f.ast.Name.Name, "_test") {
			out = append(out, f.examples(filepath.ToSlash(dir))...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// testFile is a file of a package's external tests.
type testFile struct {
	name string
	text []byte
	fset *token.FileSet
	ast  *ast.File
}

func readTestFile(file string) (*testFile, error) {
	f := &testFile{name: file, fset: token.NewFileSet()}
	var err error
	if f.text, err = os.ReadFile(file); err == nil {
		f.ast, err = parser.ParseFile(f.fset, file, f.text, parser.ParseComments)
	}
	return f, err
}

// examples are the examples of the file, one of package pkg's. A type that says
// its package says main in a cell.
func (f *testFile) examples(pkg string) []example {
	var out []example
	for _, ex := range doc.Examples(f.ast) {
		if ex.Output == "" && !ex.EmptyOutput {
			continue
		}
		name := "Example"
		if ex.Name != "" {
			name += ex.Name
		}
		cells := []string{fmt.Sprintf("import \"os\"\n_ = os.Chdir(%q)", filepath.Dir(f.name))}
		cells = append(cells, f.borrowed()...)
		out = append(out, example{
			pkg: pkg, name: name, file: f, before: cells,
			want: strings.ReplaceAll(ex.Output, f.ast.Name.Name+".", "main."), unordered: ex.Unordered,
		})
	}
	return out
}

// declarations is the file without its package clause and its examples, but with
// the one called name if it is wanted. What is left out is blanked, so that lines
// keep their numbers.
func (f *testFile) declarations(name string, wanted bool) string {
	out := slices.Clone(f.text)
	blank := func(from, to token.Pos) {
		for i := f.fset.Position(from).Offset; i < f.fset.Position(to).Offset; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	blank(f.ast.Package, f.ast.Name.End())
	for _, d := range f.ast.Decls {
		if fd, ok := d.(*ast.FuncDecl); ok && fd.Recv == nil && testFunc(fd.Name.Name) && (fd.Name.Name != name || !wanted) {
			blank(fd.Pos(), fd.End())
		}
	}
	return string(out)
}

// borrowed are the declarations of the package's other test files that this one
// names, a cell for each file that has any.
func (f *testFile) borrowed() []string {
	others, _ := filepath.Glob(filepath.Join(filepath.Dir(f.name), "*_test.go"))
	var cells []string
	for _, other := range others {
		g, err := readTestFile(other)
		if err != nil || other == f.name || g.ast.Name.Name != f.ast.Name.Name {
			continue
		}
		if decls, names := g.lend(f.ast.Unresolved); len(decls) > 0 {
			cells = append(cells, g.imports(names)+strings.Join(decls, "\n"))
		}
	}
	return cells
}

// lend are the texts of the declarations that ids name, and of those that they
// name in turn, and all the names in them.
func (f *testFile) lend(ids []*ast.Ident) (out []string, names map[string]bool) {
	names = map[string]bool{}
	done := map[ast.Decl]bool{}
	for i := 0; i < len(ids); i++ {
		obj := f.ast.Scope.Lookup(ids[i].Name)
		if obj == nil || testFunc(obj.Name) {
			continue
		}
		for _, d := range f.ast.Decls {
			if obj.Pos() < d.Pos() || obj.Pos() >= d.End() || done[d] {
				continue
			}
			done[d] = true
			out = append(out, string(f.text[f.fset.Position(d.Pos()).Offset:f.fset.Position(d.End()).Offset]))
			ast.Inspect(d, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					ids = append(ids, id)
					names[id.Name] = true
				}
				return true
			})
		}
	}
	return out, names
}

// imports are the file's import declarations of dots and of what names names.
func (f *testFile) imports(names map[string]bool) string {
	var b strings.Builder
	for _, im := range f.ast.Imports {
		file, _ := strconv.Unquote(im.Path.Value)
		name, as := path.Base(file), ""
		if im.Name != nil {
			name, as = im.Name.Name, im.Name.Name+" "
		}
		if name == "." || names[name] {
			fmt.Fprintf(&b, "import %s%s\n", as, im.Path.Value)
		}
	}
	return b.String()
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

// testZone is the zone that the tests of package time set for themselves.
const testZone = "America/Los_Angeles"

// cellFile is what a position in a cell has where one in a program has its file.
var cellFile = regexp.MustCompile(`cell-[0-9a-f]{16}`)

// runExample runs the cells and returns all that they printed.
func runExample(t *testing.T, ex example, cells []string) (said string) {
	s := session(t, "TZ="+testZone, "GOROOT="+goroot(t)) // as go test has them
	out := &output{}
	for i, code := range cells {
		if err := execute(s, i+1, code, out); err != nil {
			_, text := out.texts()
			t.Fatal(excerpt(told(err) + "\n" + text))
		}
	}
	stdout, said := out.texts()
	stdout = cellFile.ReplaceAllString(stdout, filepath.Base(ex.file.name))
	got, want := strings.TrimSpace(stdout), strings.TrimSpace(ex.want)
	if ex.unordered {
		got, want = sorted(got), sorted(want)
	}
	if got != want {
		t.Errorf("printed:\n%s\nwant:\n%s", excerpt(got), excerpt(want))
	}
	return said
}

// sorted is text with its lines in order, as go test compares unordered output.
func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
