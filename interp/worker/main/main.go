// Command main is the worker: the process that runs cells. The kernel starts it
// with requests on descriptor 3 and events on 4; by hand it can be asked, by the word
// doctor, for what it finds of a GPU.
package main

import (
	"fmt"
	"os"
	"syscall"

	"attune/interp/worker"
	"attune/interp/worker/serve"
	"attune/stdlib/apart"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "attune-worker:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) == 2 && os.Args[1] == worker.DoctorFlag {
		return serve.WriteParts(os.Stdout)
	}
	if len(os.Args) == 2 && os.Args[1] == apart.Flag {
		return serve.Apart(os.Stdin, os.NewFile(apart.Results, "results"), os.Exit)
	}
	requests, events := os.NewFile(3, "requests"), os.NewFile(4, "events")
	for _, f := range []*os.File{requests, events} { // a child that holds them would hide this process's end
		if f != nil {
			syscall.CloseOnExec(int(f.Fd()))
		}
	}
	if requests == nil || events == nil {
		return fmt.Errorf("this program is started by the kernel: run attune kernel")
	}
	if err := serve.KeepStreams(); err != nil {
		return fmt.Errorf("keep the standard streams: %w (is this program started by the kernel?)", err)
	}
	return serve.Serve(requests, events)
}
