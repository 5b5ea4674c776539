package plan_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

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
	planned, compiled := openSession(t, worker), openSession(t, worker)
	prelude := read(t, "testdata/prelude.txt")
	for _, s := range []*session{planned, compiled} {
		if out := s.run(prelude); out != "" {
			t.Fatal("prelude: ", out)
		}
	}
	instant := 0
	for _, c := range readCells(t) {
		ok := t.Run(c.name, func(t *testing.T) {
			got, want := c.in(planned, "// as planned\n"), c.in(compiled, "%%native\n")
			if got != want {
				t.Errorf("cell:\n%s\nas planned (-) and compiled (+):\n%s\n%s", c.code, difference(got, want), planned.run("%plan\n"+c.code))
			}
		})
		if ok && strings.Contains(planned.run("%plan\n"+c.code), "instant") {
			instant++
		}
	}
	t.Logf("%d cells ran on the instant engine", instant)
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

func openSession(t testing.TB, worker string) *session {
	t.Helper()
	lib, err := filepath.Abs(filepath.Join(built, "lib"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := filepath.Abs(filepath.Join(built, "test-cells"))
	if err != nil {
		t.Fatal(err)
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
}

func (s *sink) add(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.WriteString(text)
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

// testCell is a cell, and the variables that it defines.
type testCell struct{ name, code, vars string }

var positions = regexp.MustCompile(`In\[\d+\]|line \d+, column \d+|0x[0-9a-f]+`)

// worded is what the instant engine leaves out of two panics (see interp/yaegi).
var worded = regexp.MustCompile(`(slice bounds out of range) \[.*|(interface)(?: {})? is`)

// in runs the cell, below one line more, in a session from a fresh state, and shows
// the state after it.
func (c testCell) in(s *session, above string) string {
	out := s.run("reset()")
	out += s.run(above + c.code)
	out += s.run("dump()")
	if c.vars != "" {
		out += s.run("%%native\nfmt.Println(kinds(" + c.vars + "))")
	}
	out = positions.ReplaceAllString(out, "…")
	return worded.ReplaceAllString(out, "$1$2")
}

func read(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func readCells(t testing.TB) (cells []testCell) {
	t.Helper()
	for part := range strings.SplitSeq("\n"+read(t, "testdata/cells.txt"), "\n== ") {
		head, code, _ := strings.Cut(strings.TrimSpace(part), "\n")
		if head == "" {
			continue
		}
		name, vars, _ := strings.Cut(head, " new-")
		cells = append(cells, testCell{name, code, vars})
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
