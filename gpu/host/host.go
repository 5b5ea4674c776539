// Package host owns the CPU path of attune's primitives: attention forward and
// backward, matrix product, the layers of stdlib/nn, optimizer steps and conversions.
// All take half precision and sum in float32. It has one text
// of C, compiled for AVX2 and for AVX-512 and chosen at run time, and a pure-Go
// form of everything for other machines. It imports the standard library only.
//
// The C code keeps no state: workspace comes from the caller, the choice of
// instruction set lives in an Engine. A second copy of this package in one
// process (Go plugins make one) is therefore harmless.
//
// Results do not depend on the number of threads: work is split only where no
// sum crosses the split.
package host

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// ISA names an instruction set that the kernels exist in.
type ISA string

// The forms of the kernels, slowest first.
const (
	Generic ISA = "go"
	AVX2    ISA = "avx2"
	AVX512  ISA = "avx512"
)

// Supported lists what this machine and this build can run, slowest first.
// Generic is always among them.
func Supported() []ISA { return append([]ISA{Generic}, native()...) }

// Best is the fastest of Supported.
func Best() ISA {
	all := Supported()
	return all[len(all)-1]
}

// Scratch lends a workspace of n floats until release is called.
type Scratch func(n int) (buf []float32, release func(), err error)

// Engine runs the kernels of one instruction set on a number of threads. It may
// be used from several goroutines at once.
type Engine struct {
	isa     ISA
	threads int
	scratch Scratch
	run     kernels
	// dry leaves the work out; see Dry.
	dry bool
}

// New returns an engine. Zero threads means one for each processor that Go uses;
// a nil scratch takes workspace from Go's heap. The error names the instruction
// set when this machine lacks it.
func New(isa ISA, threads int, scratch Scratch) (*Engine, error) {
	if !slices.Contains(Supported(), isa) {
		return nil, fmt.Errorf("open CPU engine: this machine or build has no %q, only %v", isa, Supported())
	}
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	if scratch == nil {
		scratch = func(n int) ([]float32, func(), error) { return make([]float32, n), func() {}, nil }
	}
	e := &Engine{isa: isa, threads: threads, scratch: scratch, run: portable{}}
	if isa != Generic {
		e.run = nativeKernels(isa)
	}
	return e, nil
}

// Dry is an engine that checks its arguments, cuts the work and takes workspace as e
// does, from scratch, and computes nothing: it neither reads nor writes what it is
// given.
func (e *Engine) Dry(scratch Scratch) *Engine {
	return &Engine{isa: e.isa, threads: e.threads, scratch: scratch, run: e.run, dry: true}
}

// ISA is the instruction set in use.
func (e *Engine) ISA() ISA { return e.isa }

// Threads is the number of goroutines that one call may use.
func (e *Engine) Threads() int { return e.threads }

// kernels is one form of everything, single-threaded. Shapes and meaning stand
// at the exported methods of Engine and in the C files; lengths are checked
// before. portable is the Go form, native the C form.
type kernels interface {
	streams
	gemmSpace(c, a Matrix) int
	// gemm does c = or += a b, or with a bias c = a b + bias.
	gemm(c, a, b Matrix, add bool, bias, ws []float32)
	attentionSpace(tk, d int) int
	attention(h *head, ws []float32)
	attentionWeights(h *head, w, ws []float32)
	attentionGradSpace(keys, d int) int
	attentionGradWidth(d int) int
	attentionGrad(h *head, ws []float32)
	decode(h *head, o, state, ws []float32)
	pointwise
	images
}

// grain is the work, in units of about a nanosecond, below which a goroutine
// costs more than it brings.
const grain = 20000

// tasks runs f(0) … f(n-1), on several goroutines if the whole is worth it. Each
// goroutine gets a workspace of its own, all taken at once: a call's workspace does
// not depend on how its goroutines run.
func (e *Engine) tasks(n, work, space int, f func(i int, ws []float32)) error {
	workers := max(1, min(e.threads, n, work/grain))
	if workers == 1 {
		ws, release, err := e.workspace(space)
		if err != nil {
			return err
		}
		defer release()
		for i := 0; i < n && !e.dry; i++ {
			f(i, ws)
		}
		return nil
	}
	ws, release, err := e.workspace(space * workers)
	if err != nil {
		return err
	}
	defer release()
	if e.dry {
		return nil
	}
	var next atomic.Int64
	loop := func(own []float32) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			f(i, own)
		}
	}
	var wg sync.WaitGroup
	for w := 1; w < workers; w++ {
		wg.Go(func() { loop(ws[w*space : (w+1)*space]) })
	}
	loop(ws[:space])
	wg.Wait()
	return nil
}

func (e *Engine) workspace(space int) ([]float32, func(), error) {
	if space == 0 {
		return nil, func() {}, nil
	}
	ws, release, err := e.scratch(space)
	if err != nil {
		return nil, nil, fmt.Errorf("take %d floats of workspace: %w", space, err)
	}
	return ws, release, nil
}

// split runs f over 0..n in contiguous pieces that start at multiples of align;
// work is that of the whole.
func (e *Engine) split(n, align, work int, f func(lo, hi int)) error {
	pieces := max(1, min(e.threads, work/grain))
	step := max(align, (n+pieces-1)/pieces)
	step = (step + align - 1) / align * align
	count := (n + step - 1) / step
	return e.tasks(count, work, 0, func(i int, _ []float32) { f(i*step, min(n, (i+1)*step)) })
}
