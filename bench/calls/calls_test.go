// Package calls measures what a call of package gpu costs from a cell: the same loop
// compiled and in the instant engine, in one session's worker. It owns nothing and
// imports interp.
//
//	go test -run '^$' -bench Cells -benchtime 30x ./bench/calls
package calls

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"attune/display/mime"
	"attune/interp"
	"attune/interp/cell"
)

// sink keeps what a cell says.
type sink struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *sink) Stream(_ cell.Stream, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(text)
}
func (s *sink) Result(b mime.Bundle) { s.Stream(cell.Stdout, []byte(b.Data[mime.Text])) }
func (s *sink) Display(cell.Display) {}
func (s *sink) Clear(bool)           {}
func (s *sink) Input(context.Context, string, bool) (string, error) {
	return "", os.ErrClosed
}

const declarations = `import ("fmt"; "time"; "attune/gpu"; "attune/gpu/mem")
dev, err := gpu.OpenCPU(1)
x, err := dev.Zeros(mem.Data, 1, 8)
y, err := dev.Zeros(mem.Data, 1, 8)
w, err := dev.Zeros(mem.Data, 8, 8)
adam := gpu.NewAdam(1e-3)
params, grads := []*gpu.Tensor{x}, []*gpu.Tensor{y}
n, start := 0, time.Now()`

// body is a call, again and again.
var bodies = []struct{ name, code string }{
	{"nothing", "n = i"},
	{"relu", "err = gpu.ReLU(y, x)"},
	{"matmul", "err = gpu.MatMul(y, x, w, false)"},
	{"adam", "err = adam.Step(params, grads)"},
}

// BenchmarkCells reports for each call and each engine the least time of a turn of the
// loop, in nanoseconds. What "nothing" takes is the loop's.
func BenchmarkCells(b *testing.B) {
	at, err := filepath.Abs("../../.build")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(at, "lib", "stamp.json")); err != nil {
		b.Skip("the packages for cells are not built: run ./install.sh test")
	}
	s, err := interp.Open(interp.Options{Lib: filepath.Join(at, "lib"), Worker: filepath.Join(at, "bin", "attune-worker"), Cache: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	n := 0
	run := func(code string) string {
		n++
		out := &sink{}
		res := s.Execute(context.Background(), cell.Request{Count: n, Code: code}, out)
		if res.Err != nil {
			b.Fatalf("%s: %s", code, strings.Join(res.Err.Traceback, "\n"))
		}
		return out.text.String()
	}
	run(declarations)
	least := map[string]float64{}
	for b.Loop() {
		for _, body := range bodies {
			code := "start = time.Now()\nfor i := 0; i < 200; i++ {\n\t" + body.code + "\n}\nfmt.Print(time.Since(start).Nanoseconds())"
			for engine, magic := range map[string]string{"instant": "", "native": "%%native\n"} {
				name := engine + "-" + body.name
				if _, seen := least[name]; !seen {
					least[name] = math.Inf(1)
					if why := run("%plan\n" + code); engine == "instant" && !strings.Contains(why, "instant") {
						b.Fatalf("%s: %s", code, why)
					}
				}
				ns, err := strconv.ParseFloat(strings.TrimSpace(run(magic+code)), 64)
				if err != nil {
					b.Fatal(err)
				}
				least[name] = min(least[name], ns/200)
			}
		}
	}
	if why := run("err"); !strings.Contains(why, "nil") {
		b.Fatalf("a call failed: %s", why)
	}
	for name, ns := range least {
		b.ReportMetric(ns, name+"-ns")
	}
}
