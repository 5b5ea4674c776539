// Command build compiles the CUDA kernels to PTX and writes kernels.lock. Run it
// in the repository's root after changing a kernel:
//
//	go run ./gpu/kernels/build
//
// It imports gpu/kernels. It compiles with Debian's clang++-19; no CUDA toolkit is
// needed.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"attune/gpu/kernels"
)

func main() {
	if err := build(filepath.Join("gpu", "kernels")); err != nil {
		fmt.Fprintln(os.Stderr, "build kernels:", err)
		os.Exit(1)
	}
}

func build(dir string) error {
	version, err := kernels.CompilerVersion()
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.ptx.gz"))
	if err != nil {
		return err
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	for _, i := range kernels.Images() {
		ptx, err := kernels.Compile(dir, i)
		if err != nil {
			return err
		}
		packed, err := kernels.Pack(ptx)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, i.Name+".ptx.gz"), packed, 0o644); err != nil {
			return err
		}
	}
	text, err := kernels.LockText(dir, version)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "kernels.lock"), []byte(text), 0o644)
}
