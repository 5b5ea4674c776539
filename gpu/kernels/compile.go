package kernels

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// compiler is Debian's; another build of the same version may give other bytes.
const compiler = "clang++-19"

// flags build with neither toolkit headers nor libdevice.
func flags() []string {
	return []string{"-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "-std=c++17", "-O3", "-S"}
}

// flags are those of one image: the architecture, and the oldest PTX that knows it.
func (i Image) flags() []string {
	isa := map[int]string{75: "+ptx64", 80: "+ptx70", hopper: "+ptx80"}[i.Arch]
	out := []string{"--cuda-gpu-arch=" + i.Target(), "--cuda-feature=" + isa}
	if i.Head > 0 {
		out = append(out, fmt.Sprintf("-DHEAD=%d", i.Head))
	}
	return out
}

// ErrNoCompiler says that the compiler of the kernels is not installed.
var ErrNoCompiler = fmt.Errorf("%s is not installed", compiler)

// Compile builds the PTX of one image from its source in dir.
func Compile(dir string, image Image) ([]byte, error) {
	path, err := exec.LookPath(compiler)
	if err != nil {
		return nil, ErrNoCompiler
	}
	tmp, err := os.MkdirTemp("", "attune-ptx")
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", image.Name, err)
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, image.Name+".ptx")
	args := append(append(flags(), image.flags()...), "-o", out, image.Source+".cu")
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile %s from %s.cu: %w\n%s", image.Name, image.Source, err, text)
	}
	return os.ReadFile(out)
}

// CompilerVersion is the compiler's own version number, for the lock.
func CompilerVersion() (string, error) {
	path, err := exec.LookPath(compiler)
	if err != nil {
		return "", ErrNoCompiler
	}
	text, err := exec.Command(path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", compiler, err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if v := regexp.MustCompile(`\d+\.\d+\.\d+\S*( \(\S+\))?`).FindString(first); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("find a version in %q", first)
}

// LockText is what kernels.lock should say of the sources and images in dir, made
// with that version of the compiler: one line for the compiler, one for the
// flags, one for each image, and the SHA-256 of each file, of an image that of its text.
func LockText(dir, version string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "compiler %s %s\nflags %s\n", compiler, version, strings.Join(flags(), " "))
	for _, i := range Images() {
		fmt.Fprintf(&b, "image %s from %s.cu %s\n", i.Name, i.Source, strings.Join(i.flags(), " "))
	}
	for _, pattern := range []string{"*.cu", "*.h", "*.ptx.gz"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return "", fmt.Errorf("list kernel files: %w", err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				return "", fmt.Errorf("hash kernel file: %w", err)
			}
			name, packed := strings.CutSuffix(filepath.Base(f), ".gz")
			if packed {
				if data, err = unpack(name, data); err != nil {
					return "", err
				}
			}
			sum := sha256.Sum256(data)
			fmt.Fprintf(&b, "sha256 %s %s\n", hex.EncodeToString(sum[:]), name)
		}
	}
	return b.String(), nil
}
