// Package kernels owns the CUDA kernels: their sources (.cu, .h), the PTX that
// ships beside them, compressed, and kernels.lock, which ties the two together by
// hashes of their texts. The command gpu/kernels/build makes PTX and lock anew. It
// imports the standard library only.
package kernels

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

//go:embed *.cu *.h
var sources embed.FS

//go:embed *.ptx.gz
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
	for _, name := range []string{"copy", "copy_turn", "gemm", "image", "optim", "pointwise", "rows"} {
		all = append(all, Image{Name: name, Source: name, Arch: 75})
	}
	for _, name := range []string{"attention", "attention_grad", "attention_split", "attention_bias"} {
		for _, d := range HeadSizes() {
			all = append(all, Image{Name: fmt.Sprintf("%s_%d", name, d), Source: name, Arch: 75, Head: d})
		}
	}
	for _, d := range HeadSizes() {
		all = append(all, Image{Name: fmt.Sprintf("attention_mma_%d", d), Source: "attention_mma", Arch: 80, Head: d})
		all = append(all, Image{Name: fmt.Sprintf("attention_grad_mma_%d", d), Source: "attention_grad_mma", Arch: 80, Head: d})
		all = append(all, Image{Name: fmt.Sprintf("attention_bias_mma_%d", d), Source: "attention_bias_mma", Arch: 80, Head: d})
	}
	for _, d := range []int{64, 128} {
		for _, name := range []string{"attention_wgmma", "attention_grad_wgmma"} {
			all = append(all, Image{Name: fmt.Sprintf("%s_%d", name, d), Source: name, Arch: hopper, Head: d})
		}
	}
	return append(all, Image{Name: "gemm_mma", Source: "gemm_mma", Arch: 80}, Image{Name: "gemm_wgmma", Source: "gemm_wgmma", Arch: hopper})
}

// hopper is the architecture whose images use what no other one has.
const hopper = 90

// Target is the architecture in the compiler's words.
func (i Image) Target() string {
	if i.Arch == hopper {
		return "sm_90a"
	}
	return fmt.Sprintf("sm_%d", i.Arch)
}

// RunsOn says whether devices of that compute capability, major*10 + minor, can run
// the image: PTX for sm_90a is for 9.0 alone (PTX ISA, .target).
func (i Image) RunsOn(capability int) bool {
	if i.Arch == hopper {
		return capability == hopper
	}
	return capability >= i.Arch
}

// MinCapability is the oldest compute capability that the PTX runs on: 7.5,
// Turing. MinDriver is the CUDA version of the oldest driver that knows its ISA
// (PTX ISA 6.4, release notes): 10.1.
const (
	MinCapability = 75
	MinDriver     = 10010
)

// PTX returns a prebuilt image. It is decompressed at each call, which takes some
// milliseconds a megabyte; who calls keeps what becomes of it.
func PTX(name string) ([]byte, error) {
	packed, err := images.ReadFile(name + ".ptx.gz")
	if err != nil {
		return nil, fmt.Errorf("read kernel image: %w", err)
	}
	return unpack(name, packed)
}

func unpack(name string, packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("decompress kernel image %s: %w", name, err)
	}
	image, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("decompress kernel image %s: %w", name, err)
	}
	return image, nil
}

// Pack compresses an image as it is kept: the same bytes for the same text and Go
// version.
func Pack(image []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(image)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress a kernel image: %w", err)
	}
	return b.Bytes(), nil
}

// Entries are the names of the kernels that an image's text declares.
func Entries(image []byte) []string {
	var names []string
	for line := range bytes.Lines(image) {
		if _, rest, ok := bytes.Cut(line, []byte(".entry ")); ok {
			name, _, _ := bytes.Cut(rest, []byte("("))
			names = append(names, string(name))
		}
	}
	return names
}

// Hash is the SHA-256 of an image's text in hexadecimal, as the lock has it; empty
// for an image that is not there.
func Hash(name string) string {
	for line := range strings.Lines(lock) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "sha256" && f[2] == name+".ptx" {
			return f[1]
		}
	}
	return ""
}

// Sources holds the .cu and .h files.
func Sources() fs.FS { return sources }

// Lock is the text of kernels.lock.
func Lock() string { return lock }
