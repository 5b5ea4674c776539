// Command variants compiles kernels with other constants than they ship with, for
// gpucheck to measure beside them. Run it in the repository's root, where Debian's
// clang++-19 is:
//
//	go run ./gpu/gpucheck/variants [DIR]
//
// DIR, gpu/gpucheck/choices unless named, travels beside gpucheck. Only constants that
// the launcher does not know may change, or those of which less needs no more memory than it
// gives. It imports gpu/kernels.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"attune/gpu/kernels"
)

// variant is a constant of an image's source in place of the one that ships.
type variant struct{ image, constant, value string }

func variants() []variant {
	return []variant{
		// Rows of blocks that run one after the other down.
		{"gemm_wgmma", "BAND", "4"}, {"gemm_wgmma", "BAND", "16"}, {"gemm_wgmma", "BAND", "32"},
		// Tiles on their way.
		{"gemm_wgmma", "STAGES", "3"}, {"gemm_mma", "STAGES", "2"},
	}
}

func main() {
	dir := filepath.Join("gpu", "gpucheck", "choices")
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	for _, v := range variants() {
		if err := build(dir, v); err != nil {
			fmt.Fprintln(os.Stderr, "build variants:", err)
			os.Exit(1)
		}
	}
}

// build compiles one from a copy of the sources.
func build(dir string, v variant) error {
	tmp, err := os.MkdirTemp("", "variant")
	if err != nil {
		return fmt.Errorf("copy the sources: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := os.CopyFS(tmp, kernels.Sources()); err != nil {
		return fmt.Errorf("copy the sources: %w", err)
	}
	for _, i := range kernels.Images() {
		if i.Name != v.image {
			continue
		}
		text, err := fs.ReadFile(kernels.Sources(), i.Source+".cu")
		if err != nil {
			return fmt.Errorf("read the source of %s: %w", v.image, err)
		}
		old := regexp.MustCompile(`(?m)^(#define ` + v.constant + `) \d+`)
		if !old.Match(text) {
			return fmt.Errorf("%s.cu defines no number %s", i.Source, v.constant)
		}
		text = old.ReplaceAll(text, []byte("${1} "+v.value))
		if err := os.WriteFile(filepath.Join(tmp, i.Source+".cu"), text, 0o644); err != nil {
			return fmt.Errorf("change the source of %s: %w", v.image, err)
		}
		ptx, err := kernels.Compile(tmp, i)
		if err == nil {
			err = os.MkdirAll(dir, 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, v.image+"."+v.constant+"."+v.value+".ptx"), ptx, 0o644)
		}
		return err
	}
	return fmt.Errorf("there is no image %s", v.image)
}
