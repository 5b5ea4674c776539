package kerneltest

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"attune/kernel"
	"attune/kernel/jupyter"
)

// Serve is the echo kernel as a process: it runs a Runner on a connection file
// until it is shut down.
func Serve(file string) error {
	info, warning, err := jupyter.ReadConnectionFile(file)
	if err != nil {
		return err
	}
	if warning != "" {
		fmt.Fprintln(os.Stderr, "echo kernel:", warning)
	}
	s, err := kernel.New(info, NewRunner(), kernel.Options{
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
