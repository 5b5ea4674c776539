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

// Image is one PTX file: which source it comes from, for which architecture, and
// for which head size where the source has several (0 where not).
type Image struct {
	Name, Source string
	Arch, Head   int
}

// HeadSizes are the head sizes that the attention kernels exist for.
func HeadSizes() []int { return []int{32, 64, 96, 128, 256} }

// Images lists all of them.
func Images() []Image {
	var all []Image
	for _, name := range []string{"copy", "gemm", "optim"} {
		all = append(all, Image{Name: name, Source: name, Arch: 75})
	}
	for _, name := range []string{"attention", "attention_grad", "attention_split"} {
		for _, d := range HeadSizes() {
			all = append(all, Image{Name: fmt.Sprintf("%s_%d", name, d), Source: name, Arch: 75, Head: d})
		}
	}
	for _, d := range HeadSizes() {
		all = append(all, Image{Name: fmt.Sprintf("attention_mma_%d", d), Source: "attention_mma", Arch: 80, Head: d})
		if d <= 128 {
			all = append(all, Image{Name: fmt.Sprintf("attention_grad_mma_%d", d), Source: "attention_grad_mma", Arch: 80, Head: d})
		}
	}
	return append(all, Image{Name: "gemm_mma", Source: "gemm_mma", Arch: 80})
}

// MinCapability is the oldest compute capability that the PTX runs on: 7.5,
// Turing. MinDriver is the CUDA version of the oldest driver that knows its ISA
// (PTX ISA 6.4, release notes): 10.1.
const (
	MinCapability = 75
	MinDriver     = 10010
)

// PTX returns a prebuilt image.
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
