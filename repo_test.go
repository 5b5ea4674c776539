package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The rules of the house as tests. RATIONALE.md says why they are as they are.

// floors is the order of the packages: each may import those above it in this
// list, and within its own line where the line says so. The longest prefix counts.
var floors = []struct {
	prefix string
	may    []string // prefixes of attune packages that it may import
	why    string
}{
	{"display/mime", nil, "the vocabulary of outputs imports nothing"},
	{"display", []string{"display"}, "display is ground"},
	{"gpu/mem", nil, "the allocator counts for everybody and knows nobody"},
	{"gpu/nvml", nil, "a binding knows nothing of its users"},
	{"gpu/driver/fakecuda", []string{"gpu/kernels"}, "the fake runs the kernels' own sources"},
	{"gpu/kernels/build", []string{"gpu/kernels"}, "it makes what the package embeds"},
	{"gpu/driver", nil, "a binding knows nothing of its users"},
	{"gpu/kernels", nil, "kernels are data"},
	{"gpu/ref", nil, "the reference stands alone, so that it can be read alone"},
	{"gpu/safetensors", nil, "a file format knows no tensors"},
	{"gpu/host", []string{"gpu/mem", "gpu/ref", "gpu/host"}, "the CPU path is ground"},
	{"gpu/gpucheck", []string{"gpu", "stdlib"}, "it measures a training step too"},
	{"gpu", []string{"gpu"}, "gpu stands on its own floors"},
	{"kernel/jupyter", []string{"display/mime"}, "the wire knows no session"},
	{"kernel/socket", nil, "the transport knows no messages"},
	{"kernel/logo", nil, "pictures import nothing"},
	{"interp/cell", []string{"display/mime"}, "the vocabulary of cells stays a leaf"},
	{"interp/native/cellrt", nil, "it is linked into every compiled cell"},
	{"interp/worker/serve", []string{"display", "gpu", "interp/worker", "interp/yaegi", "interp/native/cellrt", "stdlib"}, "the worker runs code and checks none"},
	{"interp/worker/rest", nil, "it looks at its own process alone"},
	{"interp/worker/main", []string{"interp/worker", "stdlib/apart"}, "wiring"},
	{"interp/worker", []string{"display/mime"}, "the front links it: frames and the child's handle, no engine"},
	{"interp/yaegi", nil, "the engine takes its tables from outside"},
	{"interp/check", nil, "checking needs go/types and nothing of ours"},
	{"interp/docs", nil, "documentation is data"},
	{"interp/native", []string{"interp/check", "interp/docs"}, "the compiler's side of the front"},
	{"interp/modules", []string{"interp/modules"}, "it asks the go command and knows no cells"},
	{"interp/plan", []string{"interp/check", "interp/worker", "stdlib/symbols/list"}, "planning decides and runs nothing"},
	{"interp", []string{"display/mime", "interp/cell", "interp/check", "interp/docs", "interp/modules", "interp/plan", "interp/native", "interp/worker"}, "the session joins the parts and links no engine"},
	{"stdlib/symbols/list", nil, "the front embeds it"},
	{"stdlib/symbols", []string{"display", "gpu", "stdlib"}, "tables bind what cells import"},
	{"stdlib/gen", nil, "the generator reads packages as data"},
	{"stdlib/balance/control", nil, "policies are pure, so that they can be tried without a device"},
	{"stdlib", []string{"display", "gpu", "stdlib"}, "notebook packages stand on display and gpu"},
	{"kernel/kerneltest", []string{"kernel", "interp/cell", "display/mime"}, "an echo kernel for tests"},
	{"kernel", []string{"kernel", "interp/cell", "display/mime"}, "kernel and interp meet only in the vocabulary"},
	{"bench", []string{""}, "benchmarks may look everywhere"},
	{"", []string{""}, "main wires everything"},
}

// soleImporters names libraries that one package owns.
var soleImporters = map[string]string{
	"github.com/go-zeromq/zmq4":      "kernel/socket",
	"github.com/traefik/yaegi":       "interp/yaegi",
	"github.com/NVIDIA/go-nvml":      "gpu/nvml",
	"golang.org/x/tools/go/packages": "stdlib/gen",
}

// goFiles calls f for each Go file of the repository that is no test and no data.
func goFiles(t *testing.T, f func(file, dir string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && p != "." || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, "_test.go") {
			dir := path.Dir(filepath.ToSlash(p))
			if dir == "." {
				dir = ""
			}
			f(p, dir)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, file string, mode parser.Mode) (*token.FileSet, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, mode)
	if err != nil {
		t.Fatal(err)
	}
	return fset, f
}

// generated tells by the first line; such files are called z_*.
func generated(file string) bool { return strings.HasPrefix(path.Base(file), "z_") }

func under(dir, prefix string) bool {
	return prefix == "" || dir == prefix || strings.HasPrefix(dir, prefix+"/")
}

func TestImportsGoDown(t *testing.T) {
	goFiles(t, func(file, dir string) {
		_, f := parse(t, file, parser.ImportsOnly)
		i := slices.IndexFunc(floors, func(fl struct {
			prefix string
			may    []string
			why    string
		}) bool {
			return under(dir, fl.prefix)
		})
		floor := floors[i]
		for _, im := range f.Imports {
			p, _ := strconv.Unquote(im.Path.Value)
			own, ok := strings.CutPrefix(p, "attune/")
			if ok && own != dir && !slices.ContainsFunc(floor.may, func(may string) bool { return under(own, may) }) {
				t.Errorf("%s imports %s: %s", file, p, floor.why)
			}
			for lib, owner := range soleImporters {
				if under(p, lib) && !under(dir, owner) {
					t.Errorf("%s imports %s, which only %s may", file, p, owner)
				}
			}
		}
	})
}

func TestPackagesAreDocumented(t *testing.T) {
	docs := map[string]bool{}
	goFiles(t, func(file, dir string) {
		_, f := parse(t, file, parser.ParseComments|parser.PackageClauseOnly)
		docs[dir] = docs[dir] || f.Doc != nil && len(f.Doc.Text()) > 40
	})
	for dir, ok := range docs {
		if !ok {
			t.Errorf("package %q does not open with what it owns and what it may import", dir)
		}
	}
}

func TestSizes(t *testing.T) {
	goFiles(t, func(file, _ string) {
		if generated(file) {
			return
		}
		fset, f := parse(t, file, parser.ParseComments)
		if n := fset.Position(f.FileEnd).Line; n > 500 {
			t.Errorf("%s has %d lines; files stop at 500", file, n)
		}
		for _, d := range f.Decls {
			if fd, ok := d.(*ast.FuncDecl); ok && fd.Body != nil {
				n := fset.Position(fd.End()).Line - fset.Position(fd.Pos()).Line + 1
				if n > 80 {
					t.Errorf("%s: %s has %d lines; functions stop at 80", file, fd.Name.Name, n)
				}
			}
		}
	})
}

// TestNoInitNoExit holds rules 3 and 4: libraries return errors, and nothing
// happens by being imported.
func TestNoInitNoExit(t *testing.T) {
	goFiles(t, func(file, dir string) {
		if generated(file) {
			return
		}
		_, f := parse(t, file, 0)
		for _, d := range f.Decls {
			if fd, ok := d.(*ast.FuncDecl); ok && fd.Recv == nil && fd.Name.Name == "init" {
				t.Errorf("%s has an init function", file)
			}
		}
		if f.Name.Name == "main" {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if id, ok := s.X.(*ast.Ident); ok {
					switch name := id.Name + "." + s.Sel.Name; name {
					case "os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln":
						t.Errorf("%s calls %s; libraries return errors", file, name)
					}
				}
			}
			return true
		})
	})
}

func TestGeneratedFilesSaySo(t *testing.T) {
	goFiles(t, func(file, _ string) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(data), "\n")
		says := regexp.MustCompile(`^// Code generated .* DO NOT EDIT\.$`).MatchString(first)
		if says != generated(file) {
			t.Errorf("%s: a generated file is called z_* and says so on its first line", file)
		}
	})
}

// TestSpeaksOfItselfOnly keeps paths of one machine and addresses of package
// registries out of what is committed.
func TestSpeaksOfItselfOnly(t *testing.T) {
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skip("not a git checkout: ", err)
	}
	bad := regexp.MustCompile(`(?i)/home/[a-z]+/|/root/|/Users/[a-z]+/|proxy\.golang` + `\.org|files\.pythonhosted` + `\.org|registry\.npmjs` + `\.org|pypi\.org` + `/simple|deb\.debian` + `\.org`)
	for file := range strings.Lines(string(out)) {
		file = strings.TrimSpace(file)
		data, err := os.ReadFile(file)
		if err != nil || file == "repo_test.go" || slices.Contains([]string{".png", ".gz"}, path.Ext(file)) {
			continue
		}
		if m := bad.Find(data); m != nil {
			t.Errorf("%s says %q", file, m)
		}
	}
}
