// Package native measures where the time of a new compiled cell goes, and what twenty
// that wait together cost. It owns nothing and imports interp and its parts.
//
//	go test -run '^$' -bench . -benchtime 1x ./bench/native
package native

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"attune/display/mime"
	"attune/interp"
	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/native"
	"attune/interp/worker"
)

var (
	rounds = flag.Int("rounds", 9, "how often each cell is built")
	open   = flag.Int("open", 0, "open that many plugins in one worker, and report the cost of every fiftieth")
)

// kinds are the cells, with # for a number that makes each new, and as whole programs
// for the go command.
var kinds = []struct{ name, cell, program string }{
	{"fmt", "import \"fmt\"\nfunc f#(n int) (s int) {\n\tfor i := range n {\n\t\ts += i\n\t}\n\treturn s\n}\nfmt.Println(f#(10))", `import "fmt"
func f#(n int) (s int) {
	for i := range n {
		s += i
	}
	return s
}
func Run() { fmt.Println(f#(10)) }`},
	{"strings", "import \"strings\"\nfunc f#(s string) int { return len(strings.Fields(s)) }\nf#(\"a b\")", `import "strings"
func f#(s string) int { return len(strings.Fields(s)) }
func Run() int { return f#("a b") }`},
	{"gonum/mat", "import \"gonum.org/v1/gonum/mat\"\nfunc f#(a *mat.Dense) float64 {\n\tvar b mat.Dense\n\tb.Mul(a, a)\n\treturn b.At(0, 0)\n}\nf#(mat.NewDense(2, 2, []float64{1, 2, 3, 4}))", `import "gonum.org/v1/gonum/mat"
func f#(a *mat.Dense) float64 {
	var b mat.Dense
	b.Mul(a, a)
	return b.At(0, 0)
}
func Run() float64 { return f#(mat.NewDense(2, 2, []float64{1, 2, 3, 4})) }`},
	{"gonum/plot", "import \"gonum.org/v1/plot\"\nfunc f#(title string) *plot.Plot {\n\tp := plot.New()\n\tp.Title.Text = title\n\treturn p\n}\nf#(\"a\").Title.Text", `import "gonum.org/v1/plot"
func f#(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	return p
}
func Run() string { return f#("a").Title.Text }`},
}

// build is the folder with what ./install.sh builds.
func build(b *testing.B) string {
	dir, err := filepath.Abs("../../.build")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "lib", "stamp.json")); err != nil {
		b.Skip("the packages for cells are not built: run ./install.sh test")
	}
	return dir
}

// bench is a worker and what makes plugins for it.
type bench struct {
	*testing.B
	checker *check.Checker
	builder *native.Builder
	client  *worker.Client
	done    chan worker.Done
	took    map[string][]time.Duration // by kind and step
	kind    string
	n       int
}

func newBench(b *testing.B) *bench {
	dir := build(b)
	lib, err := native.OpenLib(filepath.Join(dir, "lib"))
	if err != nil {
		b.Fatal(err)
	}
	imp, err := check.NewImporter(lib.ImportCfg())
	if err != nil {
		b.Fatal(err)
	}
	k := &bench{B: b, checker: check.NewChecker(imp), done: make(chan worker.Done, 1), took: map[string][]time.Duration{}}
	if k.builder, err = native.NewBuilder(lib, b.TempDir()); err != nil {
		b.Fatal(err)
	}
	k.builder.Watch(k.note)
	if k.client, err = worker.Start(filepath.Join(dir, "bin", "attune-worker"), os.Environ(), func(ev worker.Event) {
		if ev.Done != nil {
			k.done <- *ev.Done
		}
	}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(k.client.Close)
	return k
}

func (k *bench) note(step string, took time.Duration) {
	k.took[k.kind+" "+step] = append(k.took[k.kind+" "+step], took)
}

// timed runs a step.
func (k *bench) timed(step string, f func() error) {
	start := time.Now()
	if err := f(); err != nil {
		k.Fatalf("%s, %s: %v", k.kind, step, err)
	}
	k.note(step, time.Since(start))
}

// run has the worker run a plugin.
func (k *bench) run(p native.Plugin, src *native.Source) error {
	k.n++
	err := k.client.Send(worker.Request{Run: &worker.Run{ID: k.n, Native: &worker.Native{File: p.File, Hash: src.Hash, Literals: src.Literals}}})
	if err != nil {
		return err
	}
	for {
		select {
		case done := <-k.done:
			if done.Failure != nil {
				return fmt.Errorf("the cell failed: %s", done.Failure.Text)
			}
			return nil
		case <-time.After(time.Minute):
			return fmt.Errorf("the worker does not answer")
		case <-k.client.Output()[0]:
			k.client.Take(0)
		case <-k.client.Output()[1]:
			os.Stderr.Write(k.client.Take(1))
		}
	}
}

// cell takes a new cell from its text to its answer, and runs it once more.
func (k *bench) cell(text string) {
	var unit *check.Unit
	var src *native.Source
	var plugin native.Plugin
	start := time.Now()
	k.timed("check", func() error {
		u, err := k.checker.Check(1, text, check.NewScope())
		if err != nil {
			return err
		}
		unit = u
		return nil
	})
	k.timed("emit", func() (err error) {
		src, err = native.Emit(unit, check.CellName)
		return err
	})
	used := toolTime()
	k.timed("build", func() (err error) {
		plugin, err = k.builder.Build(context.Background(), src)
		return err
	})
	k.note("processor", toolTime()-used)
	k.timed("open+run", func() error { return k.run(plugin, src) })
	k.note("all", time.Since(start))
	k.timed("again", func() error {
		if _, err := k.builder.Build(context.Background(), src); err != nil {
			return err
		}
		return k.run(plugin, src)
	})
}

// toolTime is the processor time of the tools that have run, which load changes less
// than it does the time that passes.
func toolTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// goBuild is the peer: the go command making a plugin of the same code.
func (k *bench) goBuild(program string) {
	dir := k.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte("package main\n"+program+"\nfunc main() {}\n"), 0o644); err != nil {
		k.Fatal(err)
	}
	k.timed("go build", func() error {
		cmd := exec.Command("go", "build", "-buildmode=plugin", "-trimpath", "-buildvcs=false", "-o", filepath.Join(dir, "main.so"), file)
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	})
}

// BenchmarkNewCell prints the median and the best of each step, in ms.
func BenchmarkNewCell(b *testing.B) {
	k := newBench(b)
	for round := range *rounds + 1 {
		for i, c := range kinds {
			k.kind = c.name
			if round == 0 {
				k.kind = "warm" // files are read, and what the peer lacks is compiled
			}
			number := fmt.Sprintf("%d_%d", i, round)
			k.goBuild(strings.ReplaceAll(c.program, "#", number))
			k.cell(strings.ReplaceAll(c.cell, "#", number))
		}
	}
	steps := []string{"check", "emit", "compile", "patch", "link", "symbols", "processor", "open+run", "all", "again", "go build"}
	fmt.Printf("\n| cell, median (best) ms | %s | all / go build |\n|---|%s\n", strings.Join(steps, " | "), strings.Repeat("---|", len(steps)+1))
	for _, c := range kinds {
		fmt.Printf("| %s |", c.name)
		for _, step := range steps {
			median, best := k.figures(c.name + " " + step)
			fmt.Printf(" %.1f (%.1f) |", median, best)
		}
		all, _ := k.figures(c.name + " all")
		peer, _ := k.figures(c.name + " go build")
		fmt.Printf(" %.2f |\n", all/peer)
	}
}

// figures are the median and the least in ms.
func (k *bench) figures(key string) (median, best float64) {
	list := slices.Sorted(slices.Values(k.took[key]))
	if len(list) == 0 {
		return 0, 0
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return ms(list[len(list)/2]), ms(list[0])
}

// BenchmarkOpen opens many plugins in one worker.
func BenchmarkOpen(b *testing.B) {
	if *open == 0 {
		b.Skip("with -open 200")
	}
	k := newBench(b)
	k.kind = "open"
	for i := range *open {
		k.cell(strings.ReplaceAll(kinds[0].cell, "#", fmt.Sprint(i)))
		if (i+1)%50 == 0 || i == 9 {
			list := slices.Sorted(slices.Values(k.took["open open+run"][max(0, i-9):]))
			fmt.Printf("%d plugins: opening and running the last ten %.1f ms (median), worker %s\n", i+1,
				float64(list[5])/float64(time.Millisecond), rss(k.client.PID()))
		}
	}
}

func rss(pid int) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "?"
}

// sink drops what a cell answers.
type sink struct{}

func (sink) Stream(cell.Stream, []byte) {}
func (sink) Result(mime.Bundle)         {}
func (sink) Display(cell.Display)       {}
func (sink) Clear(bool)                 {}
func (sink) Input(context.Context, string, bool) (string, error) {
	return "", os.ErrClosed
}

// BenchmarkRunAll runs twenty new cells that were sent at once, as the kernel does it,
// and the same cells in a second session that finds them built.
func BenchmarkRunAll(b *testing.B) {
	dir := build(b)
	var over []float64
	for round := range 3 {
		cache := b.TempDir()
		codes := twenty(round)
		all := runAll(b, dir, cache, codes, true)
		kept := runAll(b, dir, cache, codes, false)
		over = append(over, (all - kept).Seconds())
		fmt.Printf("twenty new cells: %.2f s, found built: %.2f s, beyond their own running: %.2f s\n", all.Seconds(), kept.Seconds(), (all - kept).Seconds())
	}
	fmt.Printf("least beyond their own running: %.2f s (goal 1 s)\n", slices.Min(over))
}

func twenty(round int) []string {
	var codes []string
	for i := range 20 {
		n := fmt.Sprintf("%d_%d", round, i)
		switch i % 4 {
		case 0:
			codes = append(codes, fmt.Sprintf("import \"fmt\"\ntype T%s struct{ A, B int }\nfunc (t T%[1]s) Sum() int { return t.A + t.B }\nfunc (t T%[1]s) String() string { return fmt.Sprint(t.A, \"+\", t.B) }", n))
		case 1:
			codes = append(codes, fmt.Sprintf("func f%s(ts []T%d_%d) (s int) {\n\tfor _, t := range ts {\n\t\ts += t.Sum()\n\t}\n\treturn s\n}", n, round, i-1))
		case 2:
			codes = append(codes, fmt.Sprintf("%%%%native\nx%s := f%d_%d([]T%d_%d{{1, 2}, {3, 4}})\nx%[1]s", n, round, i-1, round, i-2))
		case 3:
			codes = append(codes, fmt.Sprintf("import \"strings\"\nfunc g%s(s string) map[string]int {\n\tm := map[string]int{}\n\tfor _, w := range strings.Fields(s) {\n\t\tm[w]++\n\t}\n\treturn m\n}\ng%[1]s(\"a b a\")", n))
		}
	}
	return codes
}

func runAll(b *testing.B, dir, cache string, codes []string, ahead bool) time.Duration {
	s, err := interp.Open(interp.Options{Lib: filepath.Join(dir, "lib"), Worker: filepath.Join(dir, "bin", "attune-worker"), Cache: cache})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.Execute(context.Background(), cell.Request{Count: 1, Code: "1 + 1"}, sink{}) // the worker is up
	start := time.Now()
	for i, code := range codes {
		if ahead {
			s.Foresee(codes[i+1:])
		}
		if res := s.Execute(context.Background(), cell.Request{Count: i + 2, Code: code}, sink{}); res.Err != nil {
			b.Fatal(code, ": ", res.Err)
		}
	}
	return time.Since(start)
}
