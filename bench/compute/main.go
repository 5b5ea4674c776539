// Command compute times attune's CPU kernels for bench/compute.py. It reads one case
// a line and answers one line: the best CPU time and the best wall time of some
// runs, in seconds.
//
//	peak                          the processor's multiply-adds alone
//	attention T D CAUSAL PASS B   CAUSAL 0 or 1, PASS forward or backward, B heads
//	gemm N                        an N by N product
//
// The first argument is the number of threads. It imports gpu/host.
package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"time"

	"attune/gpu/host"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "compute:", err)
		os.Exit(1)
	}
}

func serve() error {
	threads := 1
	if len(os.Args) > 1 {
		n, err := strconv.Atoi(os.Args[1])
		if err != nil {
			return fmt.Errorf("threads: %w", err)
		}
		threads = n
	}
	var buf []float32 // as gpu's allocator, which hands the same memory out again
	e, err := host.New(host.Best(), threads, func(n int) ([]float32, func(), error) {
		if len(buf) < n {
			buf = make([]float32, n)
		}
		return buf[:n], func() {}, nil
	})
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var name, pass string
		var t, d, causal, heads int
		if _, err := fmt.Sscan(lines.Text(), &name); err != nil {
			continue
		}
		var run func() error
		switch name {
		case "peak":
			run = func() error { multiplyAdds(); return nil }
		case "attention":
			if _, err := fmt.Sscan(lines.Text(), &name, &t, &d, &causal, &pass, &heads); err != nil {
				return fmt.Errorf("case %q: %w", lines.Text(), err)
			}
			run = attention(e, t, d, heads, causal == 1, pass == "backward")
		case "gemm":
			if _, err := fmt.Sscan(lines.Text(), &name, &t); err != nil {
				return fmt.Errorf("case %q: %w", lines.Text(), err)
			}
			run = gemm(e, t)
		default:
			return fmt.Errorf("unknown case %q", lines.Text())
		}
		cpu, wall, err := best(run)
		if err != nil {
			return err
		}
		fmt.Println(cpu, wall)
	}
	return lines.Err()
}

// best runs f for a third of a second, and three times at least.
func best(f func() error) (cpu, wall float64, err error) {
	cpu, wall = math.Inf(1), math.Inf(1)
	begin := time.Now()
	for n := 0; n < 3 || time.Since(begin) < time.Second/3; n++ {
		c, w := cpuTime(), time.Now()
		if err := f(); err != nil {
			return 0, 0, err
		}
		cpu, wall = min(cpu, cpuTime()-c), min(wall, time.Since(w).Seconds())
	}
	return cpu, wall, nil
}

// cpuTime is the processor time of this process, in seconds.
func cpuTime() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return math.NaN()
	}
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

func normal(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func attention(e *host.Engine, t, d, heads int, causal, backward bool) func() error {
	rng := rand.New(rand.NewPCG(1, 2))
	view := func() host.Heads { return host.DenseHeads(normal(rng, heads*t*d), heads, t, d) }
	a := &host.AttentionGrad{
		Attention: host.Attention{
			B: 1, H: heads, Kv: heads, Tq: t, Tk: t, D: d, Scale: float32(1 / math.Sqrt(float64(d))),
			Left: host.Unlimited, Right: host.Unlimited, Seqs: host.Whole(1, t, t),
			Q: view(), K: view(), V: view(), Out: view(), LSE: make([]float32, heads*t), LSEBatch: heads * t, LSEHead: t,
		},
		DOut: view(), DQ: view(), DK: view(), DV: view(),
	}
	if causal {
		a.Right = 0
	}
	if !backward {
		return func() error { return e.AttentionForward(&a.Attention) }
	}
	if err := e.AttentionForward(&a.Attention); err != nil {
		return func() error { return err }
	}
	return func() error { return e.AttentionBackward(a) }
}

func gemm(e *host.Engine, n int) func() error {
	rng := rand.New(rand.NewPCG(1, 2))
	a, b, c := host.Dense(normal(rng, n*n), n, n), host.Dense(normal(rng, n*n), n, n), host.Dense(make([]float32, n*n), n, n)
	return func() error { return e.MatMul(c, a, b, false) }
}
