// Package optim measures optimizer steps on the CPU beside a streaming copy, beside
// PyTorch's and beside gorgonia's, in turns in one run. It owns nothing and imports
// gpu, gpu/host and stdlib/gorgoniax.
package optim

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"attune/gpu"
	"attune/gpu/host"
	"attune/gpu/mem"
	"attune/stdlib/gorgoniax"
)

// The parameters of one model: 4Mi in 64 tensors, 64 MiB with gradients and Adam's
// state, which no cache of one core holds. A step takes a few milliseconds, so that
// some of the turns are whole even on a machine that does other work.
const (
	elements = 4 << 20
	tensors  = 64
	turns    = 30
)

// ours is one rule with what a step reads and writes, in bytes a parameter.
var ours = []struct {
	name  string
	bytes float64
	make  func() gpu.Optimizer
}{
	{"sgd", 20, func() gpu.Optimizer {
		o := gpu.NewSGD(1e-3)
		o.Momentum = 0.9
		return o
	}},
	{"adam", 28, func() gpu.Optimizer { return gpu.NewAdam(1e-3) }},
	{"adamw", 28, func() gpu.Optimizer { return gpu.NewAdamW(1e-3, 1e-2) }},
	{"adagrad", 20, func() gpu.Optimizer { return gpu.NewAdagrad(1e-3) }},
	{"rmsprop", 20, func() gpu.Optimizer { return gpu.NewRMSprop(1e-3) }},
	{"lars", 28, func() gpu.Optimizer { return gpu.NewLARS(1) }},
	{"lamb", 40, func() gpu.Optimizer { return gpu.NewLAMB(1e-3) }},
}

// torch is PyTorch in a process of its own; nil where it is not to be had.
type torch struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

// startTorch starts the Python that ATTUNE_TORCH names, else python3.
func startTorch(b *testing.B) *torch {
	python := os.Getenv("ATTUNE_TORCH")
	if python == "" {
		python = "python3"
	}
	cmd := exec.Command(python, filepath.Join("torch_steps.py"))
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	t := &torch{in, bufio.NewScanner(out)}
	if cmd.Start() != nil || !t.out.Scan() {
		_ = cmd.Wait()
		b.Logf("there is no PyTorch in %s, so nothing is measured beside it; set ATTUNE_TORCH to a Python that has it", python)
		return nil
	}
	b.Logf("beside %s", t.out.Text())
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	return t
}

// ask runs one step there; NaN where PyTorch lacks it.
func (t *torch) ask(b *testing.B, words ...any) float64 {
	if t == nil {
		return math.NaN()
	}
	if _, err := fmt.Fprintln(t.in, words...); err != nil {
		b.Fatal(err)
	}
	if !t.out.Scan() {
		b.Fatal("PyTorch ended")
	}
	if strings.HasPrefix(t.out.Text(), "no") {
		return math.NaN()
	}
	s, err := strconv.ParseFloat(t.out.Text(), 64)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// copier copies as many bytes as a step of Adam moves, on several threads.
type copier struct {
	from, to []byte
	threads  int
}

func newCopier(threads int) *copier {
	c := &copier{make([]byte, 14*elements), make([]byte, 14*elements), threads}
	for i := range c.from {
		c.from[i], c.to[i] = byte(i), 1
	}
	return c
}

func (c *copier) run() {
	var wg sync.WaitGroup
	step := len(c.from) / c.threads
	for i := range c.threads {
		wg.Go(func() { copy(c.to[i*step:(i+1)*step], c.from[i*step:(i+1)*step]) })
	}
	wg.Wait()
}

// model is one optimizer with its parameters.
type model struct {
	opt           gpu.Optimizer
	params, grads []*gpu.Tensor
}

func newModel(b *testing.B, dev *gpu.Device, opt gpu.Optimizer) *model {
	m := &model{opt: opt}
	x := make([]float32, elements/tensors)
	for i := range x {
		x[i] = float32(i%1000)/1000 - 0.4
	}
	for range tensors {
		p, err := dev.FromFloat32s(x, mem.Parameters, len(x))
		if err != nil {
			b.Fatal(err)
		}
		g, err := dev.FromFloat32s(x, mem.Gradients, len(x))
		if err != nil {
			b.Fatal(err)
		}
		m.params, m.grads = append(m.params, p), append(m.grads, g)
	}
	m.step(b)
	return m
}

func (m *model) step(b *testing.B) {
	if err := m.opt.Step(m.params, m.grads); err != nil {
		b.Fatal(err)
	}
}

func (m *model) free(b *testing.B) {
	if err := m.opt.Free(); err != nil {
		b.Fatal(err)
	}
	for _, t := range slices.Concat(m.params, m.grads) {
		if err := t.Free(); err != nil {
			b.Fatal(err)
		}
	}
}

func timed(f func()) float64 {
	begin := time.Now()
	f()
	return time.Since(begin).Seconds()
}

// BenchmarkOptimizers prints for each rule, on one thread and on all: the
// bandwidth of the best of several turns, its share of a streaming copy's (the
// better of Go's and PyTorch's, as many bytes read and written), and how many times
// as long PyTorch's best step took, fused and foreach.
func BenchmarkOptimizers(b *testing.B) {
	t := startTorch(b)
	b.Logf("%d parameters in %d tensors, %s, best of %d turns", elements, tensors, host.Best(), turns)
	for _, threads := range slices.Compact([]int{1, runtime.GOMAXPROCS(0)}) {
		dev, err := gpu.OpenCPU(threads)
		if err != nil {
			b.Fatal(err)
		}
		for _, rule := range ours {
			b.Run(fmt.Sprintf("%s/threads=%d", rule.name, threads), func(b *testing.B) {
				m, c := newModel(b, dev, rule.make()), newCopier(threads)
				c.run()
				best := map[string]float64{"ours": math.Inf(1), "copy": math.Inf(1), "fused": math.NaN(), "foreach": math.NaN()}
				note := func(name string, s float64) { best[name] = min(best[name], s) }
				for range turns {
					note("ours", timed(func() { m.step(b) }))
					note("copy", timed(c.run))
				}
				for _, form := range []string{"fused", "foreach"} {
					if strings.HasPrefix(rule.name, "la") {
						break // PyTorch has neither LARS nor LAMB
					}
					best[form] = math.Inf(1)
					for range turns {
						note(form, t.ask(b, rule.name, form, threads, elements, tensors))
						note("ours", timed(func() { m.step(b) }))
						note("copy", timed(c.run))
						if s := t.ask(b, "copy", threads, 14*elements/4); s < best["copy"] {
							best["copy"] = s
						}
					}
				}
				b.ReportMetric(0, "ns/op")
				rate := rule.bytes * elements / best["ours"]
				b.ReportMetric(rate/1e9, "GB/s")
				b.ReportMetric(rate/(28*elements/best["copy"]), "of-copy")
				for _, form := range []string{"fused", "foreach"} {
					if !math.IsNaN(best[form]) {
						b.ReportMetric(best[form]/best["ours"], "torch-"+form+"/ours")
					}
				}
				m.free(b)
			})
		}
		if err := dev.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// parameter is a value with its gradient, as a gorgonia solver takes it.
type parameter struct{ value, grad *tensor.Dense }

func (p parameter) Value() gorgonia.Value         { return p.value }
func (p parameter) Grad() (gorgonia.Value, error) { return p.grad, nil }

// BenchmarkGorgonia prints how many times as long gorgonia's own Adam takes for a
// step as attune's behind the same interface, in turns on the same sizes.
func BenchmarkGorgonia(b *testing.B) {
	const n, count = 1 << 16, 16
	list := func() (out []gorgonia.ValueGrad) {
		for range count {
			out = append(out, parameter{tensor.New(tensor.WithShape(n), tensor.Of(tensor.Float32)), tensor.New(tensor.WithShape(n), tensor.Of(tensor.Float32))})
		}
		return out
	}
	dev, err := gpu.OpenCPU(0)
	if err != nil {
		b.Fatal(err)
	}
	solvers := []gorgonia.Solver{gorgoniax.NewSolver(dev, gpu.NewAdam(1e-3)), gorgonia.NewAdamSolver(gorgonia.WithLearnRate(1e-3))}
	models := [][]gorgonia.ValueGrad{list(), list()}
	best := []float64{math.Inf(1), math.Inf(1)}
	for range turns + 1 {
		for i, s := range solvers {
			seconds := timed(func() {
				if err := s.Step(models[i]); err != nil {
					b.Fatal(err)
				}
			})
			best[i] = min(best[i], seconds)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(best[0]*1e3, "ms")
	b.ReportMetric(best[1]/best[0], "gorgonia/ours")
}
