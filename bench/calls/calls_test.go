// Package calls measures what a call of package gpu costs from a cell: the same loop
// compiled and in the instant engine, in one session's worker, on the CPU and behind a
// fake driver whose launches do nothing. It owns nothing and imports interp, interp/cell and
// bench/heard for the session, and gpu/driver, its fake and gpu/kernels for the bare launch.
//
//	go test -run NONE -bench Cells -benchtime 60x ./bench/calls
package calls

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"attune/bench/heard"
	"attune/gpu/driver"
	"attune/gpu/driver/fakecuda"
	"attune/gpu/kernels"
	"attune/interp"
	"attune/interp/cell"
)

const declarations = `import ("errors"; "fmt"; "os"; "time"; "attune/gpu"; "attune/gpu/mem")
x, err := dev.Zeros(mem.Data, 8, 8)
y, err := dev.Zeros(mem.Data, 8, 8)
w, err := dev.Zeros(mem.Data, 8, 8)
adam, forty := gpu.NewAdam(1e-3), gpu.NewAdam(1e-3)
params, grads := []*gpu.Tensor{x}, []*gpu.Tensor{y}
var many, manyGrads []*gpu.Tensor
for i := 0; i < 40; i++ {
	p, _ := dev.Zeros(mem.Data, 8)
	g, _ := dev.Zeros(mem.Data, 8)
	many, manyGrads = append(many, p), append(manyGrads, g)
}
q, err := dev.Zeros(mem.Data, 1, 2, 16, 64)
options := gpu.AttentionOptions{}
result, err := gpu.Attention(q, q, q, options)
cache, err := gpu.NewKVCache(dev, gpu.Float32, 1, 2, 1024, 64)
keys, err := dev.Zeros(mem.Data, 1, 2, 512, 64)
one, err := dev.Zeros(mem.Data, 1, 2, 1, 64)
err = cache.Append(keys, keys)
answer, err := cache.Attend(one, options)
n, start := 0, time.Now()`

// bodies are calls that are made again and again, and how often each launches.
var bodies = []struct {
	name, code string
	launches   float64
}{
	{"nothing", "n = i", 0},
	{"relu", "err = gpu.ReLU(y, x)", 1},
	{"matmul", "err = gpu.MatMul(y, x, w, false)", 1},
	{"adam", "err = adam.Step(params, grads)", 1},
	{"adam40", "err = forty.Step(many, manyGrads)", 1},
	{"attention-into", "err = gpu.AttentionInto(result, q, q, q, options)", 1},
	{"decode-into", "err = cache.AttendInto(answer, one, options)", 2},
}

// turns are the calls of a loop.
const turns = 200

// BenchmarkCells reports for each call and each engine the least time of a turn of the
// loop without the loop itself, in nanoseconds; behind the fake driver also what a compiled
// cell's call costs above its launches, which the binding does alone in "launch".
func BenchmarkCells(b *testing.B) {
	b.Run("cpu", func(b *testing.B) { benchmarkCells(b, "gpu.OpenCPU(1)", os.Environ(), 0) })
	b.Run("fake-cuda", func(b *testing.B) {
		dir := b.TempDir()
		path, err := fakecuda.Build(dir, func(_, text string) string {
			return strings.ReplaceAll(text, "#define SIZE(n) 1", "#define SIZE(n) (n == 64)")
		})
		if errors.Is(err, fakecuda.ErrNoCompiler) {
			b.Skip(err)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.Setenv("FAKECUDA_SM", "75")
		launch := bareLaunch(b, path)
		benchmarkCells(b, `gpu.Open("cuda:0")`, append(os.Environ(), "LD_LIBRARY_PATH="+dir, "XDG_CACHE_HOME="+b.TempDir()), launch)
	})
}

// bareLaunch is the least time of a launch through the binding alone.
func bareLaunch(b *testing.B, path string) float64 {
	b.Setenv("FAKECUDA", "no_launch")
	defer func() { b.Setenv("FAKECUDA", "") }()
	library, err := driver.Load(path)
	if err != nil {
		b.Fatal(err)
	}
	ctx, err := library.Open(0, 0)
	if err != nil {
		b.Fatal(err)
	}
	image, err := kernels.PTX("optim")
	if err != nil {
		b.Fatal(err)
	}
	module, err := ctx.Load(image)
	if err != nil {
		b.Fatal(err)
	}
	f, err := module.Function("update_3")
	if err != nil {
		b.Fatal(err)
	}
	args, least := make([]uint64, 441), math.Inf(1)
	for range 500 {
		start := time.Now()
		for range turns {
			if err := f.Launch(1, 256, args); err != nil {
				b.Fatal(err)
			}
		}
		least = min(least, float64(time.Since(start).Nanoseconds())/turns)
	}
	return least
}

func benchmarkCells(b *testing.B, open string, env []string, launch float64) {
	run := session(b, env)
	run("import \"attune/gpu\"\ndev, err := " + open)
	run(declarations)
	least := map[string]float64{}
	loop := func(code string) string {
		return fmt.Sprintf("start = time.Now()\nfor i := 0; i < %d; i++ {\n\t%s\n}\nfmt.Print(time.Since(start).Nanoseconds())", turns, code)
	}
	for _, body := range bodies { // makes state, and tries kernels where they compute
		run(strings.ReplaceAll(body.code, "= i", "= 0"))
		if why := run("%plan\n" + loop(body.code)); !strings.Contains(why, "instant") {
			b.Fatalf("%s: %s", body.code, why)
		}
	}
	if why := run("err"); !strings.Contains(why, "nil") {
		b.Fatalf("a call failed: %s", why)
	}
	run(`os.Setenv("FAKECUDA", "no_launch")`)
	for b.Loop() {
		for _, body := range bodies {
			for engine, magic := range map[string]string{"instant": "", "compiled": "%%native\n"} {
				ns, err := strconv.ParseFloat(strings.TrimSpace(run(magic+loop(body.code))), 64)
				if err != nil {
					b.Fatal(err)
				}
				name := body.name + "-" + engine
				if _, seen := least[name]; !seen {
					least[name] = math.Inf(1)
				}
				least[name] = min(least[name], ns/turns)
			}
		}
	}
	if why := run("err"); !strings.Contains(why, "nil") {
		b.Fatalf("a call failed: %s", why)
	}
	b.ReportMetric(0, "ns/op")
	for _, body := range bodies {
		for _, engine := range []string{"compiled", "instant"} {
			ns := least[body.name+"-"+engine]
			if body.name != "nothing" {
				ns -= least["nothing-"+engine]
			}
			b.ReportMetric(ns, body.name+"-"+engine+"-ns")
			if launch > 0 && engine == "compiled" && body.launches > 0 {
				b.ReportMetric(ns-body.launches*launch, body.name+"-above-ns")
			}
		}
	}
	if launch > 0 {
		b.ReportMetric(launch, "launch-ns")
	}
}

// session opens one and returns what runs a cell of it and gives what the cell said.
func session(b *testing.B, env []string) func(code string) string {
	at, err := filepath.Abs("../../.build")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(at, "lib", "stamp.json")); err != nil {
		b.Skip("the packages for cells are not built: run ./install.sh test")
	}
	s, err := interp.Open(interp.Options{Lib: filepath.Join(at, "lib"), Worker: filepath.Join(at, "bin", "attune-worker"), Cache: b.TempDir(), Env: env})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	n := 0
	return func(code string) string {
		n++
		out := &heard.Text{}
		res := s.Execute(context.Background(), cell.Request{Count: n, Code: code}, out)
		if res.Err != nil {
			b.Fatalf("%s: %s", code, strings.Join(res.Err.Traceback, "\n"))
		}
		return out.String()
	}
}
