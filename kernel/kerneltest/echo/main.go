// Command echo is the front with kerneltest.Runner behind it: a kernel that costs
// what the protocol costs and no more. Tests run it under real clients, and the
// benchmarks measure it beside the whole kernel. It imports kernel/kerneltest.
package main

import (
	"flag"
	"fmt"
	"os"

	"attune/kernel/kerneltest"
)

func main() {
	file := flag.String("f", "", "connection `file`")
	flag.Parse()
	if err := kerneltest.Serve(*file); err != nil {
		fmt.Fprintln(os.Stderr, "echo kernel:", err)
		os.Exit(1)
	}
}
