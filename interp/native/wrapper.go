package native

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"attune/interp/check"
)

// A plugin's main package is the same for all but for two names, so it is compiled
// once and its archive serves as a template: the names below have the length of real
// ones and are replaced byte by byte.
const (
	blankHash     = "0123456789abcdef"
	wrapperPlugin = "attune/" + blankHash
)

// findMark begins the name of the function that finds a cell of the plugin by its
// hash: what runs it and what binds its names. It ends with the hash of the plugin.
const findMark = "Ξfind_"

// cellsImport is what the wrapper imports the cells' package as: the linker calls
// the wrapper itself main. It has the length of check.PkgPath, so that the name of
// the cells' initialisation can be written in: without it, the packages that a
// plugin brings would not be initialised.
const cellsImport = "cell"

// whyRuntime: a package is only initialised, and its imports with it, if one of them
// is, and the wrapper counts on that for every text.
const whyRuntime = "so that there is something to initialise"

// initTask ends the name of a package's initialisation.
const initTask = "..inittask"

const wrapperSource = `package main

import (
	_ "` + cellsImport + `"
	_ "unsafe"

	rt "attune/interp/native/cellrt"
)

//go:linkname find ` + check.PkgPath + `.` + findMark + blankHash + `
func find(hash string) (run, bind func(*rt.Env))

func Find(hash string) (run, bind func(*rt.Env)) { return find(hash) }
func main() {}
`

// dummySource stands for the cells' package while the template is compiled.
const dummySource = `package cells

import _ "runtime" // ` + whyRuntime + `
import rt "attune/interp/native/cellrt"

func Dummy(*rt.Env) {}
`

// extldScript links in gcc's place. The linker probes gcc for flags, which takes
// longer than linking: the probes fail, and ld needs none of gcc's start files,
// because whatever a plugin lacks it finds in the worker. The exception is the C
// compiler's own library, whose names are hidden (__cpu_model of the builtins that
// ask the processor): its path stands in place of %s.
const extldScript = `#!/bin/sh
out= objs= libs=
while [ $# -gt 0 ]; do
	case "$1" in
	*trivial.c) exit 1 ;;
	-o) out=$2; shift ;;
	-L* | -l*) libs="$libs $1" ;;
	*.o | *.a) objs="$objs $1" ;;
	esac
	shift
done
exec ld -shared -s -z relro -z nocopyreloc --as-needed -o "$out" $objs $libs '%s'
`

// makeWrapper compiles the template and writes the linker script.
func (l *Lib) makeWrapper(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "attune-wrapper")
	if err != nil {
		return fmt.Errorf("make a working folder: %w", err)
	}
	defer os.RemoveAll(dir)
	write := func(name, text string) error {
		return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
	}
	if err := write("cells.go", dummySource); err != nil {
		return err
	}
	if err := write("main.go", wrapperSource); err != nil {
		return err
	}
	cells := filepath.Join(dir, "cells.a")
	if err := l.compile(ctx, dir, cellsImport, "cells.go", cells, l.ImportCfg()); err != nil {
		return err
	}
	if err := patchFile(cells, "", ""); err != nil {
		return err
	}
	cfg, err := os.ReadFile(l.ImportCfg())
	if err != nil {
		return err
	}
	if err := write("cfg", string(cfg)+"packagefile "+cellsImport+"="+cells+"\n"); err != nil {
		return err
	}
	wrapper := filepath.Join(l.Dir, "wrapper.a")
	if err := l.compile(ctx, dir, wrapperPlugin, "main.go", wrapper, filepath.Join(dir, "cfg")); err != nil {
		return err
	}
	if err := patchFile(wrapper, cellsImport+initTask, check.PkgPath+initTask); err != nil {
		return err
	}
	builtins, err := compilerLibrary(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.Dir, "extld"), fmt.Appendf(nil, extldScript, builtins), 0o755)
}

// compilerLibrary is the path of the library that the C compiler, the one cgo uses,
// adds to what it links.
func compilerLibrary(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "CC").Output()
	if err != nil {
		return "", fmt.Errorf("go env CC: %w", err)
	}
	cc := strings.Fields(string(out))
	if len(cc) == 0 {
		return "", fmt.Errorf("find the C compiler: go env CC says nothing")
	}
	cmd := exec.CommandContext(ctx, cc[0], append(cc[1:], "-print-libgcc-file-name")...)
	if out, err = cmd.Output(); err != nil {
		return "", fmt.Errorf("ask %s for its library: %w", cc[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// fingerprint is what every archive of the cells' package carries instead of the
// hash of its export data. The linker and plugin.Open compare fingerprints to be
// sure that all parts mean the same package; here every cell is another text of
// one package on purpose, and that equal names mean equal things is checked by
// the keys of check.Scope, by cellrt.Table and by checkSymbols.
var fingerprint = []byte("attunefp")

// patchFile sets the fingerprint of an archive, hides the types that its functions
// declare and that it is a main package (a plugin has one, the wrapper); with old, it
// replaces that in a template.
func patchFile(file, old, new string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read archive: %w", err)
	}
	if data, err = patch(data, old, new); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return os.WriteFile(file, data, 0o644)
}

func patch(data []byte, old, new string) ([]byte, error) {
	i, err := object(data)
	if err != nil {
		return nil, err
	}
	if old != "" {
		return bytes.ReplaceAll(data, []byte(old), []byte(new)), nil
	}
	if err := hideLocalTypes(data); err != nil {
		return nil, err
	}
	fp := bytes.Clone(data[i+len(objMagic) : i+len(objMagic)+len(fingerprint)])
	data = bytes.ReplaceAll(data, fp, fingerprint)
	return bytes.ReplaceAll(data, []byte("go:plugin."), []byte("go:pluginX")), nil
}
