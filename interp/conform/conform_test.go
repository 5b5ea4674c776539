// Package conform runs what comes with the Go distribution through real sessions:
// the Example functions of the standard library, and the whole programs of the
// folder test that are about the language. A cell means what the Go compiler says
// it means; this is where that is counted. It imports interp and interp/cell, and
// holds tests only.
package conform

import (
	"context"
	"flag"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"attune/display/mime"
	"attune/interp"
	"attune/interp/cell"
)

var (
	all = flag.Bool("all", false, "run every case, not the quarter that its name's hash chooses")
	// insides adds the programs that look into the compiler and the runtime, which
	// are not counted: a plugin's insides are not a program's.
	insides = flag.Bool("insides", false, "run the programs about the compiler's and runtime's insides as well")
)

// limit is how long one cell may take.
const limit = 30 * time.Second

// made is the folder with what ./install.sh builds.
const made = "../../.build"

// chosen tells whether a case is run: a quarter of them, always the same.
func chosen(name string) bool {
	if *all {
		return true
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()%4 == 0
}

// goroot is the folder of the Go distribution.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("no Go toolchain: ", err)
	}
	return strings.TrimSpace(string(out))
}

// count says at the end of a suite how many cases came to what.
type count struct{ passed, failed, excluded, left atomic.Int32 }

func (c *count) report(t *testing.T, what string) {
	t.Cleanup(func() {
		t.Logf("%s: %d passed, %d failed, %d excluded, %d not chosen",
			what, c.passed.Load(), c.failed.Load(), c.excluded.Load(), c.left.Load())
	})
}

// note counts a case when it is over.
func (c *count) note(t *testing.T) {
	t.Cleanup(func() {
		if t.Failed() {
			c.failed.Add(1)
		} else if !t.Skipped() {
			c.passed.Add(1)
		}
	})
}

// session opens a session of the test's own, which keeps nothing. Its worker has
// the variables of env besides the test's environment.
func session(t *testing.T, env ...string) *interp.Session {
	t.Helper()
	if _, err := os.Stat(filepath.Join(made, "lib", "stamp.json")); err != nil {
		t.Skip("the packages for cells are not built: run ./install.sh test")
	}
	abs, err := filepath.Abs(made)
	if err != nil {
		t.Fatal(err)
	}
	s, err := interp.Open(interp.Options{
		Lib: filepath.Join(abs, "lib"), Worker: filepath.Join(abs, "bin", "attune-worker"),
		Cache: t.TempDir(), Env: append(append(os.Environ(), "ATTUNE_MEMORY=2GiB"), env...),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// output is a Sink that keeps the two streams. A program displays nothing, and a
// result is not what it prints.
type output struct {
	mu         sync.Mutex
	out, mixed strings.Builder
}

func (o *output) Stream(to cell.Stream, text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if to == cell.Stdout {
		o.out.Write(text)
	}
	o.mixed.Write(text)
}

func (o *output) Display(cell.Display) {}
func (o *output) Result(mime.Bundle)   {}
func (o *output) Clear(bool)           {}

func (o *output) Input(context.Context, string, bool) (string, error) { return "", os.ErrClosed }

// texts are what came to stdout, and to both streams.
func (o *output) texts() (stdout, both string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out.String(), o.mixed.String()
}

// execute runs a cell, and stops it when its time is over.
func execute(s *interp.Session, n int, code string, out *output) *cell.Error {
	done := make(chan struct{})
	defer close(done)
	go func() {
		for wait := limit; ; wait = 2 * time.Second {
			select {
			case <-done:
				return
			case <-time.After(wait):
				s.Interrupt()
			}
		}
	}()
	return s.Execute(context.Background(), cell.Request{Count: n, Code: code}, out).Err
}

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// told is a cell's error as text.
func told(err *cell.Error) string {
	return colour.ReplaceAllString(err.Name+": "+err.Value+"\n"+strings.Join(err.Traceback, "\n"), "")
}

// excerpt cuts long text in the middle.
func excerpt(s string) string {
	if len(s) > 2000 {
		return s[:1000] + "\n[…]\n" + s[len(s)-1000:]
	}
	return s
}
