// Package safepoint measures what the look for an interrupt costs a cell: the same
// programs as cells of a real session and as programs of the go command, and how
// long a session takes from an interrupt to the end of its cell. It owns nothing
// and imports interp.
package safepoint

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"attune/display/mime"
	"attune/interp"
	"attune/interp/cell"
)

// programs are declarations and the call that is timed.
var programs = []struct{ name, decls, call string }{
	{"fib", "func fib(n int) int {\n\tif n < 2 {\n\t\treturn n\n\t}\n\treturn fib(n-1) + fib(n-2)\n}", "keep(fib(32))"},
	{"matmul", `func grid(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
		for j := range m[i] {
			m[i][j] = float64(i*j%7) / 7
		}
	}
	return m
}
func matmul(a, b, c [][]float64) {
	for i := range a {
		for j := range b[0] {
			s := 0.0
			for k := range b {
				s += a[i][k] * b[k][j]
			}
			c[i][j] = s
		}
	}
}
var ga, gb, gc = grid(200), grid(200), grid(200)`, "matmul(ga, gb, gc)"},
	{"sort", `func quicksort(x []int) {
	for len(x) > 12 {
		p := x[len(x)/2]
		i, j := 0, len(x)-1
		for i <= j {
			for x[i] < p {
				i++
			}
			for x[j] > p {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		quicksort(x[:j+1])
		x = x[i:]
	}
	for i := 1; i < len(x); i++ {
		for j := i; j > 0 && x[j] < x[j-1]; j-- {
			x[j], x[j-1] = x[j-1], x[j]
		}
	}
}
func shuffled() []int {
	x, s := make([]int, 1000000), uint32(1)
	for i := range x {
		s = s*1664525 + 1013904223
		x[i] = int(s >> 8)
	}
	return x
}
var unsorted = shuffled()`, "quicksort(append([]int(nil), unsorted...))"},
}

const keepText = "var kept int\nfunc keep(n int) { kept = n }\nfunc clock(f func()) { start := time.Now(); f(); fmt.Println(time.Since(start).Nanoseconds()) }\n"

// sink keeps what cells print.
type sink struct {
	mu    sync.Mutex
	text  strings.Builder
	began chan struct{}
}

func (s *sink) Stream(_ cell.Stream, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(text)
	select {
	case s.began <- struct{}{}:
	default:
	}
}
func (s *sink) Display(cell.Display) {}
func (s *sink) Result(mime.Bundle)   {}
func (s *sink) Clear(bool)           {}
func (s *sink) Input(context.Context, string, bool) (string, error) {
	return "", os.ErrClosed
}

func open(b *testing.B) *interp.Session {
	b.Helper()
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
	b.Cleanup(func() { s.Close() })
	return s
}

func run(b *testing.B, s *interp.Session, n int, code string) string {
	b.Helper()
	out := &sink{}
	if res := s.Execute(context.Background(), cell.Request{Count: n, Code: code}, out); res.Err != nil {
		b.Fatal(strings.Join(res.Err.Traceback, "\n"))
	}
	return strings.TrimSpace(out.text.String())
}

// nanos runs a cell or program that prints its time.
func nanos(b *testing.B, text string) int {
	b.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		b.Fatalf("the program printed %q", text)
	}
	return n
}

// BenchmarkSafepoint prints the best times of both and their ratio. The two sides
// alternate, so that what else the machine does falls on both.
func BenchmarkSafepoint(b *testing.B) {
	s := open(b)
	run(b, s, 1, "import (\"fmt\"; \"time\")\n"+keepText)
	for i, p := range programs {
		b.Run(p.name, func(b *testing.B) {
			program := compiled(b, p.decls, p.call)
			run(b, s, 2*i+2, p.decls)
			timed := "clock(func() { " + p.call + " })"
			var cells, plain []int
			for range 15 * b.N {
				cells = append(cells, nanos(b, run(b, s, 2*i+3, "%%native\n"+timed)))
				out, err := exec.Command(program).Output()
				if err != nil {
					b.Fatal(err)
				}
				plain = append(plain, nanos(b, string(out)))
			}
			c, g := float64(slices.Min(cells))/1e6, float64(slices.Min(plain))/1e6
			b.ReportMetric(c, "cell-ms")
			b.ReportMetric(g, "go-ms")
			b.ReportMetric(c/g, "cell/go")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// compiled builds the same program with the go command.
func compiled(b *testing.B, decls, call string) string {
	b.Helper()
	dir := b.TempDir()
	text := "package main\nimport (\"fmt\"; \"time\")\n" + keepText + decls + "\nfunc main() { clock(func() { " + call + " }) }\n"
	file, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, file).CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// BenchmarkInterrupt prints the time from the interrupt to the end of the cell.
func BenchmarkInterrupt(b *testing.B) {
	for _, c := range []struct{ name, code string }{
		{"loop", "for {}"}, {"sleeps", "for { time.Sleep(time.Millisecond) }"}, {"blocked", "<-make(chan int)"},
		{"goroutines", "for range 1000 { go func() { for { time.Sleep(time.Millisecond) } }() }; for { time.Sleep(time.Millisecond) }"},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := open(b)
			run(b, s, 1, "import (\"fmt\"; \"time\")")
			var took []time.Duration
			for i := range 9 * b.N {
				out := &sink{began: make(chan struct{}, 1)}
				done := make(chan cell.Result)
				go func() {
					done <- s.Execute(context.Background(), cell.Request{Count: i + 2, Code: "%%native\nfmt.Println(\"begun\")\n" + c.code}, out)
				}()
				<-out.began
				time.Sleep(50 * time.Millisecond)
				start := time.Now()
				s.Interrupt()
				if res := <-done; res.Err == nil {
					b.Fatal("the cell ended without a word")
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "idle-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "worst-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
