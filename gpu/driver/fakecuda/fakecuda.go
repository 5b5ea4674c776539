// Package fakecuda builds a stand-in for libcuda.so.1 that runs attune's CUDA
// kernels on the CPU: the same sources, the same driver binding, the same launch
// geometry, for tests on machines without a GPU. It imports gpu/kernels.
//
// Another library (BuildImages) runs the images that ship, instruction by instruction,
// and counts what a device's speed depends on.
//
// What neither can show is timing. What ran behind them has not run on a GPU.
package fakecuda

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"attune/gpu/kernels"
)

//go:embed src
var source embed.FS

// ErrNoCompiler says that there is no C++ compiler to build with.
var ErrNoCompiler = errors.New("no C++ compiler (c++, g++ or clang++)")

// Build makes the library in dir and returns its path. Each edit may change a
// kernel's source (by file name) first: a test that removes a barrier proves that
// the others would notice. The flags go to the compiler after those that it gets
// anyway. What was compiled once from the same text is not compiled again (cache.go).
func Build(dir string, edit func(name, text string) string, flags ...string) (string, error) {
	files, err := unpack(dir, edit)
	if err != nil {
		return "", fmt.Errorf("build the fake driver: %w", err)
	}
	return compile(dir, files, flags)
}

// BuildImages makes in dir a library that runs the text of the modules that it is given.
// Where FAKECUDA_COUNTS in the environment names a file, each launch adds to it what it
// asked of memory (src/ptx.h has the words).
func BuildImages(dir string) (string, error) {
	files, err := unpack(dir, nil)
	if err != nil {
		return "", fmt.Errorf("build the fake driver: %w", err)
	}
	return compile(dir, slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, ".cu.cpp") }), nil)
}

func compile(dir string, files, flags []string) (string, error) {
	compiler := ""
	for _, name := range []string{"c++", "g++", "clang++", "clang++-19"} {
		if path, err := exec.LookPath(name); err == nil {
			compiler = path
			break
		}
	}
	if compiler == "" {
		return "", ErrNoCompiler
	}
	// No contraction: a fused multiply-add would hide differences.
	args := append([]string{"-std=c++17", "-O2", "-U_FORTIFY_SOURCE", "-Wno-unknown-pragmas", "-fPIC", "-fvisibility=hidden"}, flags...)
	objects, err := objects(dir, compiler, args, files)
	if err != nil {
		return "", fmt.Errorf("build the fake driver: %w", err)
	}
	library := filepath.Join(dir, "libcuda.so.1")
	link := append(append(args, "-shared", "-Wl,-Bsymbolic", "-o", library), objects...)
	if text, err := exec.Command(compiler, link...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the fake driver: link: %w\n%s", err, text)
	}
	return library, nil
}

// Again runs the tests of the calling test binary that match pattern once more, in a
// process whose libcuda is the one in dir and whose user's cache is cache. What they
// printed comes back, with an error where that process failed.
func Again(dir, cache, pattern string) (string, error) {
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run", pattern)
	cmd.Env = append(os.Environ(), "ATTUNE_DEVICE=cuda:0", "LD_LIBRARY_PATH="+dir, "XDG_CACHE_HOME="+cache)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// unpack writes the sources to dir and returns the C++ files to compile.
func unpack(dir string, edit func(name, text string) string) ([]string, error) {
	var out []string
	own, err := fs.Sub(source, "src")
	if err != nil {
		return nil, err
	}
	for _, from := range []fs.FS{own, kernels.Sources()} {
		names, err := fs.Glob(from, "*")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			data, err := fs.ReadFile(from, name)
			if err != nil {
				return nil, err
			}
			text := string(data)
			if edit != nil {
				text = edit(name, text)
			}
			if strings.HasSuffix(name, ".cu") {
				text, name = register(text), strings.TrimSuffix(name, ".cu")+".cu.cpp"
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				return nil, err
			}
			if strings.HasSuffix(name, ".cpp") && text != "" {
				out = append(out, name)
			}
		}
	}
	return out, nil
}

// register puts before each kernel of a source a caller that unpacks its struct
// argument, and the entry in the fake driver's list.
func register(text string) string {
	return regexp.MustCompile(`(?m)^KERNEL (BOUNDED )?(\w+)\((\w+) `).ReplaceAllString(text,
		`extern "C" void $2($3); static fake::Entry entry_$2("$2", $2, [](const void *p) { $2(*(const $3 *)p); }, sizeof "$1" > 1);`+"\n$0")
}
