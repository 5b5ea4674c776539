package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"

	"attune/interp"
	"attune/interp/native"
	"attune/interp/worker/rest"
	"attune/kernel"
	"attune/kernel/jupyter"
)

// runKernel serves one connection file until it is told to stop.
func runKernel(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("attune kernel", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	file := flags.String("f", "", "connection `file`")
	if err := flags.Parse(args); err != nil || *file == "" {
		return fmt.Errorf("usage: attune kernel -f CONNECTION_FILE")
	}
	info, warning, err := jupyter.ReadConnectionFile(*file)
	if err != nil {
		return err
	}
	if warning != "" {
		fmt.Fprintln(os.Stderr, "attune:", warning)
	}
	at, err := locate()
	if err != nil {
		return err
	}
	session, err := interp.Open(interp.Options{Lib: at.lib, Worker: at.worker, Root: at.root, Env: workerEnv(at)})
	if err != nil {
		return err
	}
	memory := rest.NewKeeper()
	server, err := kernel.New(info, session, kernel.Options{
		Busy: memory.Busy, Idle: memory.Idle,
		Version: version, GoVersion: strings.TrimPrefix(runtime.Version(), "go"),
		Banner:    "attune " + version + ": Go cells at compiled speed. %help lists what a cell can do.",
		ParentPID: kernel.ParentFromEnv(), History: historyFile(),
	})
	if err != nil {
		session.Close()
		return err
	}
	// A terminal sends SIGINT to the kernel too when the user presses Ctrl-C.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	go func() {
		for range interrupts {
			server.Interrupt()
		}
	}()
	return server.Serve(ctx)
}

// historyFile is where the inputs of all sessions are kept: what ATTUNE_HISTORY says,
// "off" for nowhere, or a file among the user's data.
func historyFile() string {
	switch file := os.Getenv("ATTUNE_HISTORY"); file {
	case "off":
		return ""
	case "":
		data, err := dataHome()
		if err != nil {
			return ""
		}
		return filepath.Join(data, "attune", "history.jsonl")
	default:
		return file
	}
}

// workerEnv is the environment of cells: this process's own, and where the data
// sets that came with the installation lie.
func workerEnv(at parts) []string {
	env := os.Environ()
	if os.Getenv("ATTUNE_DATA") == "" {
		env = append(env, "ATTUNE_DATA="+at.data)
	}
	return env
}

func runWarm(ctx context.Context) error {
	at, err := locate()
	if err != nil {
		return err
	}
	return native.Warm(ctx, at.root, at.lib, func(s string) { fmt.Println("attune warm:", s) })
}
