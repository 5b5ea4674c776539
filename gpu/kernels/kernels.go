// Package kernels owns the CUDA kernels: their sources (.cu, .h), the PTX that
// ships beside them, and kernels.lock, which ties the two together by hashes. The
// command gpu/kernels/build makes PTX and lock anew. It imports the standard
// library only.
package kernels

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed *.cu *.h
var sources embed.FS

//go:embed *.ptx
var images embed.FS

//go:embed kernels.lock
var lock string

// Names lists the kernel files, without their endings.
func Names() []string { return []string{"adam", "attention", "attention_grad", "copy"} }

// MinCapability is the oldest compute capability that the PTX runs on: 7.5,
// Turing. MinDriver is the CUDA version of the oldest driver that knows its ISA
// (PTX ISA 6.4, release notes): 10.1.
const (
	MinCapability = 75
	MinDriver     = 10010
)

// PTX returns the prebuilt image of a kernel file.
func PTX(name string) ([]byte, error) {
	image, err := images.ReadFile(name + ".ptx")
	if err != nil {
		return nil, fmt.Errorf("read kernel image: %w", err)
	}
	return image, nil
}

// Sources holds the .cu and .h files.
func Sources() fs.FS { return sources }

// Lock is the text of kernels.lock.
func Lock() string { return lock }
