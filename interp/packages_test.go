package interp_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"attune/display/mime"
	"attune/interp"
	"attune/interp/cell"
	"attune/interp/modules/modtest"
)

// greet is a module of two versions. Its map is large enough for the linker to drop
// what fills it where it is not used.
const greet = `
-- example.com/greet@v1.0.0/go.mod --
module example.com/greet

go 1.26
-- example.com/greet@v1.0.0/greet.go --
package greet

func Hello(name string) string { return "hello, " + name }
-- example.com/greet@v1.1.0/go.mod --
module example.com/greet

go 1.26

require example.com/words v0.2.0
-- example.com/greet@v1.1.0/greet.go --
// Package greet greets.
package greet

import "example.com/words"

var Count int

func init() { Count = 100 }

// Hello greets name.
func Hello(name string) string { Count++; return words.Hello + ", " + name + "!" }

type Mood struct{ Level int }

func (m Mood) String() string { return words.Mood(m.Level) }
-- example.com/words@v0.2.0/go.mod --
module example.com/words

go 1.26
-- example.com/words@v0.2.0/words.go --
package words

const Hello = "good day"

var moods = map[int]string{1: "a", 2: "b", 3: "c", 4: "d", 5: "e", 6: "f", 7: "g", 8: "h", 9: "i", 10: "j",
	11: f("k"), 12: f("l"), 13: f("m"), 14: f("n"), 15: f("o"), 16: f("p"), 17: f("q"), 18: f("r"), 19: f("s"), 20: f("t")}

//go:noinline
func f(s string) string { return s + s }

func Mood(n int) string { return "mood " + moods[n] }
-- example.com/broken@v1.0.0/go.mod --
module example.com/broken

go 1.26
-- example.com/broken@v1.0.0/broken.go --
package broken

func F() int { return "no" }
`

// openFor starts a session for a notebook in dir.
func openFor(t testing.TB, dir string) *interp.Session {
	t.Helper()
	abs, err := filepath.Abs(build)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(abs, "lib", "stamp.json")); err != nil {
		t.Skip("the packages for cells are not built: run ./install.sh test")
	}
	s, err := interp.Open(interp.Options{
		Lib: filepath.Join(abs, "lib"), Worker: filepath.Join(abs, "bin", "attune-worker"),
		Cache: filepath.Join(abs, "test-cells"), Modules: filepath.Join(t.TempDir(), "modules"), Root: filepath.Dir(abs), Dir: dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// expect runs cells one after another; each answer must hold all the texts behind it.
func expect(t *testing.T, s *interp.Session, from int, cells ...[]string) {
	t.Helper()
	for i, c := range cells {
		got := transcript(s, from+i, c[0])
		for _, want := range c[1:] {
			if absent, ok := strings.CutPrefix(want, "not: "); ok && strings.Contains(got, absent) || !ok && !strings.Contains(got, want) {
				t.Errorf("In[%d]:\n%s\ngot:\n%s\nwant: %s", from+i, c[0], got, want)
			}
		}
	}
}

// TestModules imports modules that nothing required before.
func TestModules(t *testing.T) {
	modtest.Proxy(t, greet)
	s := openFor(t, t.TempDir())
	expect(t, s, 1,
		[]string{"kept := 1\nimport \"example.com/none\"", "In[1]:2:8", "go get example.com/none", "example.com/none: "},
		[]string{"kept", "undefined: kept"},
		[]string{"import \"example.com/greet\"\ngreet.Hello(\"ann\")", "go: added example.com/greet v1.1.0", "= \"good day, ann!\""},
		[]string{"greet.Count", "= 101"},
		[]string{"m := greet.Mood{20}\nm", "= mood tt"},
		[]string{"func mood(m greet.Mood) greet.Mood { m.Level--; return m }\nmood(m)", "= mood ss"},
		[]string{"import g2 \"example.com/greet\"\ng2.Hello(\"bo\")\ng2.Count", "not: compile", "= 102"},
		[]string{"import \"example.com/broken\"", "In[8]:1:8", "broken.go:3", "cannot use \"no\""},
		[]string{"%go list -m -f {{.Path}} all", "example.com/greet\n", "not: broken"},
		[]string{"greet.Hello(\"cy\")", "= \"good day, cy!\""},
	)
	if in := s.Inspect(context.Background(), "greet.Hello", 8, 0); !strings.Contains(in.Bundle.Data[mime.Text], "Hello greets name.") {
		t.Errorf("Shift-Tab on greet.Hello shows %q", in.Bundle.Data[mime.Text])
	}
	if c := s.Complete(context.Background(), "greet.", 6); len(c.Items) == 0 {
		t.Error("nothing completes greet.")
	}
}

// TestInferred keeps a variable whose type its package does not export, where the first
// functions that have it in theirs have names too that are for nobody to write.
func TestInferred(t *testing.T) {
	modtest.Proxy(t, `
-- example.com/made@v1.0.0/go.mod --
module example.com/made

go 1.26
-- example.com/made@v1.0.0/made.go --
package made

import "text/tabwriter"

type thing struct{ N int }

type other struct{}

func Also(w *tabwriter.Writer, t *thing, o other) {}

func New(n int) *thing { return &thing{n} }
`)
	s := openFor(t, t.TempDir())
	expect(t, s, 1,
		[]string{"import \"example.com/made\"\nx := made.New(3)", "not: Error"},
		[]string{"func n() int { return x.N }\nn()", "= 3"})
}

// TestGoGet changes the version of a module that cells use already.
func TestGoGet(t *testing.T) {
	// It has what building attune brings nobody: what the tests of attune's modules
	// import, which go mod tidy asks for.
	usual, err := exec.Command("go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	modtest.Proxy(t, greet)
	t.Setenv("GOPROXY", os.Getenv("GOPROXY")+","+strings.TrimSpace(string(usual)))
	s := openFor(t, t.TempDir())
	expect(t, s, 1,
		[]string{"%go get example.com/greet@v1.0.0", "go: added example.com/greet v1.0.0"},
		[]string{"import \"example.com/greet\"\nx := greet.Hello(\"ann\")\nx", "not: go get", "= \"hello, ann\""},
		[]string{"y := 1\nfunc two() int { return 2 }\ntype G struct{ m int }\nfunc (g G) Get() int { return g.m + two() }", ""},
		[]string{"func hi() string { return greet.Hello(\"bo\") }\n\nfunc four() int {\n\treturn G{2}.Get()\n}\nfunc add() string { return x + \"!\" }", ""},
		[]string{"%go get example.com/greet@v1.1.0", "upgraded example.com/greet", "example.com/greet has changed", "restarted", "the package: add, x, y\n", "%restore"},
		[]string{"two() + four()", "= 6"},
		[]string{"hi()", "= \"good day, bo!\""},
		[]string{"add()", "undefined: add"},
		[]string{"%restore", ""},
		[]string{"hi() + add()", "= \"good day, bo!good day, ann!!\""},
		[]string{"%go get example.com/greet@v9.9.9", "GoError", "not: restarted"},
		[]string{"%go mod tidy", "not: GoError"},
		[]string{"hi()", "= \"good day, bo!\""},
	)
}

// TestOwnPackages edits packages beside the notebook.
func TestOwnPackages(t *testing.T) {
	modtest.Proxy(t, greet)
	for name, files := range map[string]string{
		"module": `
-- go.mod --
module example.com/me

go 1.26

require example.com/shapes v0.0.0

replace example.com/shapes => ./forks/shapes
-- forks/shapes/go.mod --
module example.com/shapes

go 1.26
`,
		"workspace": `
-- go.work --
go 1.26

use ./me

replace example.com/shapes => ./forks/shapes
-- me/go.mod --
module example.com/me

go 1.26

require example.com/shapes v0.0.0
-- forks/shapes/go.mod --
module example.com/shapes

go 1.26
`} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			modtest.Write(t, dir, files)
			home := dir
			if name == "workspace" {
				home = filepath.Join(dir, "me")
			}
			modtest.Write(t, home, "-- notebooks/nb.ipynb --\n-- internal/geo/geo.go --\npackage geo\n\nimport \"example.com/shapes\"\n\nfunc Area(r float64) float64 { return shapes.Pi * r }\n")
			modtest.Write(t, dir, "-- forks/shapes/shapes.go --\npackage shapes\n\nconst Pi = 3\n")
			s := openFor(t, filepath.Join(home, "notebooks"))
			cellText := "import \"example.com/me/internal/geo\"\na := geo.Area(2)\na"
			expect(t, s, 1,
				[]string{"import \"example.com/me/nothing\"", "example.com/me/nothing"},
				[]string{cellText, "= 6"},
				[]string{cellText, "not: restarted", "= 6"},
				[]string{"func area(r float64) float64 { return geo.Area(r) }\nb := area(1)", ""})
			modtest.Write(t, home, "-- internal/geo/geo.go --\npackage geo\n\nimport \"example.com/shapes\"\n\nfunc Area(r float64) float64 { return shapes.Pi * r * r }\n")
			expect(t, s, 5,
				[]string{"area(10)", "= 30"},
				[]string{cellText, "example.com/me/internal/geo has changed", "the package: a, b\n", "= 12"},
				[]string{"area(10)", "= 300"})
			modtest.Write(t, dir, "-- forks/shapes/shapes.go --\npackage shapes\n\nconst Pi = 4 +\n")
			expect(t, s, 8, []string{cellText, "shapes.go:4", "not: restarted"})
			modtest.Write(t, dir, "-- forks/shapes/shapes.go --\npackage shapes\n\nconst Pi = 4\n")
			expect(t, s, 9, []string{cellText, "have changed", "= 16"})
		})
	}
}

// TestNoNetwork says what is missing.
func TestNoNetwork(t *testing.T) {
	modtest.Proxy(t, greet)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody answers there any more
	t.Setenv("GOPROXY", "http://"+l.Addr().String())
	s := openFor(t, t.TempDir())
	expect(t, s, 1,
		[]string{"import \"example.com/greet\"", "CompileError", "In[1]:1:8", "not on this machine yet"},
		[]string{"6 * 7", "= 42"})
}

// TestRelink raises a module that the worker links: the worker is linked again.
func TestRelink(t *testing.T) {
	if testing.Short() {
		t.Skip("links a worker")
	}
	const module = "github.com/ajstarks/svgo" // small, and little stands on it
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", module).Output()
	if err != nil {
		t.Skip("the module's source is not on this machine: ", err)
	}
	have, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	source, err := os.ReadFile(filepath.Join(dir, "svg.go"))
	if err != nil {
		t.Skip("the module's source is not on this machine: ", err)
	}
	modtest.Proxy(t, "-- "+module+"@v0.9.0/go.mod --\nmodule "+module+"\n\ngo 1.26\n"+
		"-- "+module+"@v0.9.0/svg.go --\n"+string(source)+"\nconst Raised = 9\n"+
		"-- example.com/draws@v1.0.0/go.mod --\nmodule example.com/draws\n\ngo 1.26\n\nrequire "+module+" v0.9.0\n"+
		"-- example.com/draws@v1.0.0/draws.go --\npackage draws\n\nimport svg \""+module+"\"\n\nconst D = svg.Raised + 1\n\nvar New = svg.New\n")
	s := openFor(t, t.TempDir())
	expect(t, s, 1,
		[]string{"kept := 7\nimport \"strings\"\nfunc up(s string) string { return strings.ToUpper(s) }", ""},
		[]string{"import \"example.com/draws\"\ndraws.D", module + " v0.9.0", have, "built again", "link the worker", "= 10"},
		[]string{"kept", "undefined: kept"},
		[]string{"%restore", ""},
		[]string{"up(\"x\") + fmt.Sprint(kept)", "= \"X7\""},
		[]string{"import \"gonum.org/v1/plot\"\nplot.New().Title.Text = \"t\"", "not: Error"},
	)
}

// TestInterruptGoGet stops a download that does not come.
func TestInterruptGoGet(t *testing.T) {
	modtest.Proxy(t, greet)
	asked := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	t.Setenv("GOPROXY", os.Getenv("GOPROXY")+","+server.URL)
	s := openFor(t, t.TempDir())
	transcript(s, 1, "kept := 7")
	done := make(chan cell.Result)
	go func() {
		done <- s.Execute(context.Background(), cell.Request{Count: 2, Code: "import \"example.com/slow\""}, record())
	}()
	select {
	case <-asked:
	case res := <-done:
		t.Fatalf("the cell ended before the proxy was asked: %v", res.Err)
	}
	s.Interrupt()
	if res := <-done; res.Err == nil || res.Err.Name != "Interrupted" {
		t.Errorf("got %v, want an interruption", res.Err)
	}
	expect(t, s, 3, []string{"kept", "= 7"})
}
