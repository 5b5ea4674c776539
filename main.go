// Command attune is a Jupyter kernel for Go. This package is wiring: it reads the
// command line and puts the parts together.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

const usageText = `usage: attune COMMAND

  kernel -f FILE               run the kernel for a connection file (front ends do this)
  run IN.ipynb OUT.ipynb [-p NAME VALUE]... [--timeout 10m]
                               run a notebook without Jupyter; attune run -h says more
  install [--user | --sys-prefix | --prefix DIR]
                               tell Jupyter of the kernel
  uninstall [the same]         undo install
  warm                         build the packages that cells import
  doctor                       say what is there, what is missing, and what to do
  version                      print the version
`

// version is attune's own; kernel_info and kernelspecs carry it.
const version = "0.1.0"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "attune:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no command\n%s", usageText)
	}
	switch args[0] {
	case "kernel":
		return runKernel(ctx, args[1:])
	case "run":
		return runNotebook(ctx, args[1:])
	case "install":
		return runInstall(args[1:])
	case "uninstall":
		return runUninstall(args[1:])
	case "warm":
		return runWarm(ctx)
	case "doctor":
		return runDoctor(os.Stdout)
	case "version", "--version":
		fmt.Println("attune", version)
		return nil
	case "help", "-h", "--help":
		fmt.Print(usageText)
		return nil
	}
	return fmt.Errorf("unknown command %q\n%s", args[0], usageText)
}

// parts are where the parts of an installation lie: all relative to this program.
type parts struct{ program, worker, lib, data, root string }

func locate() (parts, error) {
	exe, err := os.Executable()
	if err != nil {
		return parts{}, fmt.Errorf("find this program: %w", err)
	}
	if exe, err = filepath.EvalSymlinks(exe); err != nil {
		return parts{}, fmt.Errorf("find this program: %w", err)
	}
	build := filepath.Dir(filepath.Dir(exe))
	return parts{
		program: exe, worker: filepath.Join(filepath.Dir(exe), "attune-worker"),
		lib: filepath.Join(build, "lib"), data: filepath.Join(build, "data"), root: filepath.Dir(build),
	}, nil
}
