// Package instant times cells of the instant engine inside the kernel: from the text
// to the end of the cell, with all that is checked and passed between the two
// processes. It owns nothing and imports interp.
package instant

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"attune/bench/heard"
	"attune/interp"
	"attune/interp/cell"
)

const declarations = `import ("fmt"; "slices")
type point struct{ X, Y int }
func (p point) Sum() int { return p.X + p.Y }
func double(n int) int { return 2 * n }
var x, p, xs, total = 1, point{1, 2}, []float64{3, 1, 2}, 0`

var cells = []struct{ name, code string }{
	{"assign", "x = 3"},
	{"show", "x + 1"},
	{"define", "y := x * 2"},
	{"print", "fmt.Println(x)"},
	{"call", "double(x)"},
	{"method", "p.Sum()"},
	{"slice", "xs"},
	{"struct", "p"},
	{"if", "if x > 2 {\n\tx--\n}"},
	{"loop", "for _, v := range xs {\n\ttotal += int(v)\n}"},
	{"sort", "slices.Sort(xs)"},
}

// BenchmarkInstant runs each cell in turn with the others and reports the median of
// each; the goal is 1 ms.
func BenchmarkInstant(b *testing.B) {
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
	run := func(code string) (time.Duration, string) {
		n++
		out := &heard.Text{}
		start := time.Now()
		res := s.Execute(context.Background(), cell.Request{Count: n, Code: code}, out)
		took := time.Since(start)
		if res.Err != nil {
			b.Fatalf("%s: %s", code, strings.Join(res.Err.Traceback, "\n"))
		}
		return took, out.String()
	}
	run(declarations)
	for _, c := range cells {
		if _, why := run("%plan\n" + c.code); !strings.Contains(why, "instant") {
			b.Fatalf("%s: %s", c.code, why)
		}
	}
	times := map[string][]time.Duration{}
	var all []time.Duration
	for b.Loop() {
		for _, c := range cells {
			took, _ := run(c.code)
			times[c.name] = append(times[c.name], took)
			all = append(all, took)
		}
	}
	for _, c := range cells {
		b.ReportMetric(median(times[c.name]), c.name+"-ms")
	}
	b.ReportMetric(median(all), "all-ms")
}

// median is in milliseconds.
func median(d []time.Duration) float64 {
	d = slices.Sorted(slices.Values(d))
	return float64(d[len(d)/2].Microseconds()) / 1000
}
