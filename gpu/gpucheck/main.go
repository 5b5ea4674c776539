// Command gpucheck compares the kernels of attention, products and layers on a real GPU
// with the CPU and writes what it found as a fragment for bench/RESULTS.md. It is one binary
// and needs the NVIDIA driver alone:
//
//	go build ./gpu/gpucheck && ./gpucheck [cuda:0]
//
// It imports gpu.
package main

import (
	"fmt"
	"io"
	"os"

	"attune/gpu"
)

func main() {
	name := "cuda:0"
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	bad, err := check(os.Stdout, name)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gpucheck:", err)
		os.Exit(1)
	}
	if bad > 0 {
		os.Exit(2)
	}
}

// check writes the fragment and returns how many checks failed.
func check(w io.Writer, name string) (bad int, err error) {
	dev, err := gpu.Open(name)
	if err != nil {
		return 0, err
	}
	all, err := gpu.SelfCheck(dev)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(w, "`gpucheck` on %s. The error is relative to 1 + |value|, beside the CPU.\n\n| check | error | allowed | first run, ms | |\n|---|---|---|---|---|\n", dev)
	for _, c := range all {
		verdict := "agrees"
		if !c.OK() {
			verdict, bad = "**differs**", bad+1
		}
		if c.Err != nil {
			verdict = "**failed**: " + c.Err.Error()
		}
		fmt.Fprintf(w, "| %s | %.1e | %.1e | %.1f | %s |\n", c.Name, c.Error, c.Limit, float64(c.Took.Microseconds())/1e3, verdict)
	}
	fmt.Fprintf(w, "\n%d checks, %d failed.\n", len(all), bad)
	return bad, nil
}
