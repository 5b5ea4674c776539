package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"attune/display/mime"
	"attune/interp"
	"attune/interp/cell"
)

const built = "../../.build"

// TestDifferential runs each cell of testdata/cells.txt as planned in one session
// and compiled in another, and compares what it showed, its error, and all
// variables afterwards.
func TestDifferential(t *testing.T) {
	worker := buildWorker(t)
	own := t.TempDir() // shows what the planned session compiles
	planned, compiled := openSession(t, worker, own), openSession(t, worker, "")
	prelude := read(t, "testdata/prelude.txt")
	for _, s := range []*session{planned, compiled} {
		if out := s.run(prelude); out != "" {
			t.Fatal("prelude: ", out)
		}
	}
	for _, c := range readCells(t, "testdata/cells.txt") {
		t.Run(c.name, func(t *testing.T) {
			why := planned.run("%plan\n" + c.code)
			planned.run("reset()")
			before := entries(t, own)
			got, want := c.in(planned, "// as planned\n"), c.in(compiled, "%%native\n")
			if got != want {
				t.Errorf("cell:\n%s\nas planned (-) and compiled (+):\n%s\n%s", c.code, difference(got, want), why)
			}
			after := entries(t, own)
			if c.vars != "" { // showing them compiled one
				after--
			}
			if instant := strings.Contains(why, "instant"); instant == c.compiles {
				t.Errorf("cell:\n%s\n%s", c.code, why)
			} else if instant && after > before {
				t.Errorf("cell:\n%s\nwas planned for the instant engine, but compiled", c.code)
			}
		})
	}
}

// TestSlowly runs the cells of testdata/slow.txt where there is no compiler, over a
// prelude that was built before, and compares them with compiled ones.
func TestSlowly(t *testing.T) {
	worker, cache := buildWorker(t), t.TempDir()
	prelude := read(t, "testdata/prelude.txt")
	compiled := openSession(t, worker, cache)
	if out := compiled.run(prelude); out != "" {
		t.Fatal("prelude: ", out)
	}
	s, err := interp.Open(interp.Options{Lib: withoutGo(t), Worker: worker, Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	slow := &session{Session: s}
	if out := slow.run(prelude); out != "" {
		t.Fatal("prelude without a compiler: ", out)
	}
	for _, c := range readCells(t, "testdata/slow.txt") {
		got, want := c.in(slow, "// as planned\n"), c.in(compiled, "%%native\n")
		if got != want {
			t.Errorf("%s:\n%s\nslow (-) and compiled (+):\n%s", c.name, c.code, difference(got, want))
		}
	}
	start := time.AfterFunc(300*time.Millisecond, s.Interrupt)
	defer start.Stop()
	if out := slow.run("for {\n}"); !strings.Contains(out, "Interrupted") {
		t.Errorf("an endless loop ends with %s", out)
	}
}

// withoutGo makes a library of the built packages whose toolchain is gone.
func withoutGo(t *testing.T) (lib string) {
	t.Helper()
	at, err := filepath.Abs(filepath.Join(built, "lib"))
	if err != nil {
		t.Fatal(err)
	}
	var stamp struct{ Stamp, GoRoot, GoVersion string }
	if err := json.Unmarshal([]byte(read(t, filepath.Join(at, "stamp.json"))), &stamp); err != nil {
		t.Fatal(err)
	}
	lib = t.TempDir()
	if err := os.Symlink(filepath.Join(at, stamp.Stamp), filepath.Join(lib, stamp.Stamp)); err != nil {
		t.Fatal(err)
	}
	stamp.GoRoot = filepath.Join(lib, "gone")
	data, err := json.Marshal(stamp)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(lib, "stamp.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return lib
}

// entries counts the cells that a session compiled into its cache.
func entries(t testing.TB, dir string) int {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// buildWorker makes the worker from the sources, if the packages for cells are there.
func buildWorker(t testing.TB) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(built, "lib", "stamp.json")); err != nil {
		t.Skip("the packages for cells are not built: run ./install.sh")
	}
	worker := filepath.Join(t.TempDir(), "attune-worker")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-extldflags=-Wl,-z,lazy", "-o", worker, "attune/interp/worker/main")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the worker: %v\n%s", err, out)
	}
	return worker
}

type session struct {
	*interp.Session
	count int
}

// openSession starts a session with a cache of its own, or with the tests' own.
func openSession(t testing.TB, worker, cache string) *session {
	t.Helper()
	lib, err := filepath.Abs(filepath.Join(built, "lib"))
	if err != nil {
		t.Fatal(err)
	}
	if cache == "" {
		if cache, err = filepath.Abs(filepath.Join(built, "test-cells")); err != nil {
			t.Fatal(err)
		}
	}
	s, err := interp.Open(interp.Options{Lib: lib, Worker: worker, Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &session{Session: s}
}

// run runs a cell and returns all that it showed, its error at the end.
func (s *session) run(code string) string {
	s.count++
	sink := &sink{}
	res := s.Execute(context.Background(), cell.Request{Count: s.count, Code: code}, sink)
	if res.Err != nil {
		sink.add("ERROR " + res.Err.Name + ": " + res.Err.Value + "\n" + strings.Join(res.Err.Traceback, "\n") + "\n")
	}
	return sink.text.String()
}

// sink collects a cell's output.
type sink struct {
	mu   sync.Mutex
	text strings.Builder
	// first is called when the first text arrives.
	first func()
}

func (s *sink) add(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.WriteString(text)
	if f := s.first; f != nil {
		s.first = nil
		go f()
	}
}

func (s *sink) Stream(_ cell.Stream, text []byte) { s.add(string(text)) }
func (s *sink) Display(d cell.Display)            { s.add("DISPLAY " + d.Bundle.Data[mime.Text]) }
func (s *sink) Clear(bool)                        { s.add("CLEAR\n") }
func (s *sink) Result(b mime.Bundle) {
	s.add("=> " + b.Data[mime.Text] + "\n" + b.Data[mime.HTML] + "\n")
}
func (s *sink) Input(context.Context, string, bool) (string, error) {
	return "", errors.New("nobody is asked")
}

// testCell is a cell, the variables that it defines, and whether it is to be compiled.
type testCell struct {
	name, code, vars string
	compiles         bool
}

var positions = regexp.MustCompile(`In\[\d+\]|line \d+, column \d+|0x[0-9a-f]+`)

// in runs the cell, below one line more, in a session from a fresh state, and shows
// the state after it.
func (c testCell) in(s *session, above string) string {
	out := s.run("reset()")
	out += s.run(above + c.code)
	out += s.run("dump()")
	if c.vars != "" {
		out += s.run("%%native\nfmt.Println(kinds(" + c.vars + "))")
	}
	return positions.ReplaceAllString(out, "…")
}

func read(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func readCells(t testing.TB, file string) (cells []testCell) {
	t.Helper()
	for part := range strings.SplitSeq("\n"+read(t, file), "\n== ") {
		head, code, _ := strings.Cut(strings.TrimSpace(part), "\n")
		if head == "" {
			continue
		}
		head, compiles := strings.CutSuffix(head, " compiled")
		name, vars, _ := strings.Cut(head, " new-")
		cells = append(cells, testCell{name, code, vars, compiles})
	}
	return cells
}

// difference shows the lines that only one of two texts has.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	var out []string
	for _, l := range g {
		if !slices.Contains(w, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range w {
		if !slices.Contains(g, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}

// TestInterrupt stops a cell of the instant engine between two statements.
func TestInterrupt(t *testing.T) {
	s := openSession(t, buildWorker(t), "")
	if out := s.run("import (\"fmt\"; \"time\")\nn := 0"); out != "" {
		t.Fatal(out)
	}
	out := &sink{first: s.Interrupt}
	const code = "for range 1000 {\n\tn++\n\tfmt.Println(n)\n\ttime.Sleep(time.Second)\n}"
	if why := s.run("%plan\n" + code); !strings.Contains(why, "instant") {
		t.Fatal(why)
	}
	res := s.Execute(context.Background(), cell.Request{Count: 9, Code: code}, out)
	if res.Err == nil || res.Err.Name != "Interrupted" {
		t.Errorf("ended with %v", res.Err)
	}
	if got := s.run("n"); got != "=> 1\n\n" {
		t.Errorf("n is %q", got)
	}
}
