// Command echo is the front with kerneltest.Runner behind it: a kernel that costs
// what the protocol costs and no more. Tests run it under real clients, and the
// benchmarks measure it beside the whole kernel. It imports kernel,
// kernel/jupyter and kernel/kerneltest.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"attune/kernel"
	"attune/kernel/jupyter"
	"attune/kernel/kerneltest"
)

func main() {
	file := flag.String("f", "", "connection `file`")
	flag.Parse()
	if err := serve(*file); err != nil {
		fmt.Fprintln(os.Stderr, "echo kernel:", err)
		os.Exit(1)
	}
}

func serve(file string) error {
	info, warning, err := jupyter.ReadConnectionFile(file)
	if err != nil {
		return err
	}
	if warning != "" {
		fmt.Fprintln(os.Stderr, "echo kernel:", warning)
	}
	s, err := kernel.New(info, kerneltest.NewRunner(), kernel.Options{
		Version: "0", GoVersion: strings.TrimPrefix(runtime.Version(), "go"),
		Banner: "echo", ParentPID: kernel.ParentFromEnv(),
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ints := make(chan os.Signal, 1)
	signal.Notify(ints, os.Interrupt)
	go func() {
		for range ints {
			s.Interrupt()
		}
	}()
	return s.Serve(ctx)
}
