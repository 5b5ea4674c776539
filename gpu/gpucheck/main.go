// Command gpucheck runs every CUDA kernel on a real GPU, compares it with the CPU,
// measures how fast it is, and writes what it found as a fragment for
// bench/RESULTS.md. It is one binary and needs the NVIDIA driver alone; run.sh beside
// it also runs it under compute-sanitizer, where there is one:
//
//	go build ./gpu/gpucheck && ./gpucheck [-all] [-short] [-sanitize] [cuda:0]
//
// It imports gpu.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"attune/gpu"
)

// options are the command line's.
type options struct {
	device          string
	all             bool // each check in a row of its own
	short, sanitize bool // tiny measurements, none
}

func main() {
	o := options{device: "cuda:0"}
	flag.BoolVar(&o.all, "all", false, "show each check, not only those that fail")
	flag.BoolVar(&o.short, "short", false, "measure at tiny sizes, to see that it works")
	flag.BoolVar(&o.sanitize, "sanitize", false, "measure nothing: for compute-sanitizer, under which each check takes long enough")
	flag.Parse()
	if flag.NArg() > 0 {
		o.device = flag.Arg(0)
	}
	bad, err := run(os.Stdout, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gpucheck:", err)
		os.Exit(1)
	}
	if bad > 0 {
		os.Exit(2)
	}
}

// run writes the fragment and returns how many checks and measurements failed.
func run(w io.Writer, o options) (bad int, err error) {
	begin := time.Now()
	dev, err := gpu.Open(o.device)
	if err != nil {
		return 0, err
	}
	opened := time.Since(begin)
	all, err := gpu.SelfCheck(dev)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(w, "`gpucheck` on %s, opened in %.0f ms. The error is relative to 1 + |value|, beside the CPU.\n\n", dev, opened.Seconds()*1e3)
	bad = checks(w, all, o.all)
	if !o.sanitize {
		bad += rates(w, gpu.Throughput(dev, !o.short))
	}
	fmt.Fprintf(w, "\n%d checks, %d failed.\n", len(all), bad)
	return bad, nil
}

// checks writes a row for each kind of check, and one for each check that failed or,
// with every, for all.
func checks(w io.Writer, all []gpu.Check, every bool) (bad int) {
	fmt.Fprint(w, "| kind | checks | agree | worst error / allowed | first runs, ms |\n|---|---|---|---|---|\n")
	for _, kind := range kinds(all) {
		n, good, worst, took := 0, 0, 0.0, time.Duration(0)
		for _, c := range all {
			if c.Kind != kind {
				continue
			}
			n, took = n+1, took+c.Took
			if c.OK() {
				good++
			}
			if c.Limit > 0 {
				worst = max(worst, c.Error/c.Limit)
			}
		}
		bad += n - good
		fmt.Fprintf(w, "| %s | %d | %d | %.2g | %.0f |\n", kind, n, good, worst, took.Seconds()*1e3)
	}
	if bad > 0 || every {
		fmt.Fprint(w, "\n| check | error | allowed | first run, ms | |\n|---|---|---|---|---|\n")
	}
	for _, c := range all {
		verdict := "agrees"
		switch {
		case c.Err != nil:
			verdict = "**failed**: " + c.Err.Error()
		case !c.OK():
			verdict = "**differs**"
		case !every:
			continue
		}
		fmt.Fprintf(w, "| %s | %.1e | %.1e | %.1f | %s |\n", c.Name, c.Error, c.Limit, float64(c.Took.Microseconds())/1e3, verdict)
	}
	return bad
}

// kinds lists the checks' kinds in order.
func kinds(all []gpu.Check) []string {
	var out []string
	seen := map[string]bool{}
	for _, c := range all {
		if !seen[c.Kind] {
			seen[c.Kind] = true
			out = append(out, c.Kind)
		}
	}
	return out
}

// rates writes how fast the device was.
func rates(w io.Writer, all []gpu.Rate) (bad int) {
	fmt.Fprint(w, "\n| what | ms | TFLOP/s | GB/s |\n|---|---|---|---|\n")
	figure := func(x float64) string {
		if x == 0 {
			return ""
		}
		return fmt.Sprintf("%.4g", x)
	}
	for _, r := range all {
		if r.Err != nil {
			bad++
			fmt.Fprintf(w, "| %s | **failed**: %v | | |\n", r.Name, r.Err)
			continue
		}
		fmt.Fprintf(w, "| %s | %.4g | %s | %s |\n", r.Name, r.Took.Seconds()*1e3, figure(r.TFLOPS()), figure(r.GBs()))
	}
	return bad
}
