package native

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"attune/interp/check"
)

// Builder makes plugins of sources and keeps them. Safe for concurrent use.
type Builder struct {
	lib   *Lib
	cache string
	cfg   string
	watch func(step string, took time.Duration)

	mu      sync.Mutex
	pending map[string]*pending // by name
	more    []Package           // beyond the library, sorted; replaced whole
}

// pending is a build on its way; whoever wants the same waits for it.
type pending struct {
	done   chan struct{}
	plugin Plugin
	err    error
}

// NewBuilder keeps what it builds below cache, in a folder of the library's stamp.
func NewBuilder(lib *Lib, cache string) (*Builder, error) {
	dir, err := openCache(cache, lib)
	if err != nil {
		return nil, err
	}
	go prune(filepath.Dir(dir), maxCache, time.Now())
	cfg, err := os.ReadFile(lib.ImportCfg())
	if err != nil {
		return nil, fmt.Errorf("read the list of packages: %w", err)
	}
	return &Builder{lib: lib, cache: dir, cfg: string(cfg), pending: map[string]*pending{}}, nil
}

// ErrNoToolchain says that there is no Go toolchain to compile with, ErrNoLinker
// that there is no linker of the system's, which Go's own calls for plugins.
var (
	ErrNoToolchain = errors.New("compiling a cell needs the Go toolchain, which is not there any more; install Go and run ./install.sh")
	ErrNoLinker    = errors.New("compiling a cell needs the program ld, which is not there any more; install the system's binutils")
)

func (l *Lib) tool(name string) string {
	return filepath.Join(l.GoRoot, "pkg", "tool", runtime.GOOS+"_"+runtime.GOARCH, name)
}

func (l *Lib) compile(ctx context.Context, dir, path, file, out, cfg string) error {
	cmd := exec.CommandContext(ctx, l.tool("compile"), "-o", out, "-p", path, "-importcfg", cfg,
		"-trimpath", dir+"=>", "-dynlink", "-pack", "-lang=go1.26", "-nolocalimports", "-dwarf=false", "-c="+strconv.Itoa(runtime.NumCPU()), file)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), lazyCollector...)
	return runTool(cmd)
}

// lazyCollector saves the garbage collector's work in tools that live for a tenth of a
// second and take some 100 MB; a cell of many thousand lines gets it nevertheless.
var lazyCollector = []string{"GOGC=off", "GOMEMLIMIT=1GiB"}

func runTool(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if errors.Is(err, os.ErrNotExist) {
		return ErrNoToolchain
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Plugin is where a cell was built.
type Plugin struct {
	File string
	// Means is what the shared names of all cells in the file mean: Source.Means.
	Means map[string]string
}

// Build is the plugin of src, built unless it is kept from before or being built.
func (b *Builder) Build(ctx context.Context, src *Source) (Plugin, error) {
	added := b.added()
	name := b.name(src, added)
	if p, ok := b.kept(src, name); ok {
		return p, nil
	}
	mine, other := b.begin(name)
	if other != nil {
		select {
		case <-other.done:
			return other.plugin, other.err
		case <-ctx.Done():
			return Plugin{}, ctx.Err()
		}
	}
	return b.buildOne(ctx, src, name, added, mine)
}

// BuildAlone is like Build for a cell whose plugin holds others that mean something
// else than the session does: it gets one of its own.
func (b *Builder) BuildAlone(ctx context.Context, src *Source) (Plugin, error) {
	added := b.added()
	return b.buildOne(ctx, src, b.name(src, added), added, nil)
}

// begin notes that name is being built, or returns the build that is on.
func (b *Builder) begin(name string) (mine, other *pending) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.pending[name]; p != nil {
		return nil, p
	}
	p := &pending{done: make(chan struct{})}
	b.pending[name] = p
	return p, nil
}

// end tells who waits what became of the build p, if it is not nil.
func (b *Builder) end(name string, p *pending, plugin Plugin, err error) {
	if p == nil {
		return
	}
	p.plugin, p.err = plugin, err
	b.mu.Lock()
	delete(b.pending, name)
	b.mu.Unlock()
	close(p.done)
}

func (b *Builder) buildOne(ctx context.Context, src *Source, name string, added []Package, p *pending) (Plugin, error) {
	plugin := Plugin{File: filepath.Join(b.cache, name+".so"), Means: src.Means()}
	err := b.build(ctx, join(src), added, plugin.File)
	if err != nil {
		plugin = Plugin{}
	}
	b.end(name, p, plugin, err)
	return plugin, err
}

// build makes file of the cells in bu.
func (b *Builder) build(ctx context.Context, bu *bundle, added []Package, file string) error {
	dir, err := os.MkdirTemp(b.cache, "cell-")
	if err != nil {
		return fmt.Errorf("make a working folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "cell.go"), []byte(bu.file()), 0o644); err != nil {
		return fmt.Errorf("write the cell's text: %w", err)
	}
	cfgFile, cfg, err := b.importCfg(dir, added)
	if err != nil {
		return err
	}
	cells := filepath.Join(dir, "cells.a")
	so := filepath.Join(dir, "cell.so")
	for _, s := range []struct {
		name string
		do   func() error
	}{
		{"compile", func() error { return b.lib.compile(ctx, dir, check.PkgPath, "cell.go", cells, cfgFile) }},
		{"patch", func() error { return patchFile(cells, "", "") }},
		{"link", func() error { return b.link(ctx, dir, bu.hash(), cfg, cells, so) }},
		{"symbols", func() error { return checkSymbols(so, bu) }},
	} {
		if err := b.step(s.name, s.do); err != nil {
			return err
		}
	}
	return os.Rename(so, file)
}

// Complaints is what the compiler says of a text that is not Go; "" if it cannot
// be asked.
func (b *Builder) Complaints(ctx context.Context, text string) string {
	dir, err := os.MkdirTemp(b.cache, "cell-")
	if err != nil {
		return ""
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "cell.go"), []byte(text), 0o644); err != nil {
		return ""
	}
	if err := b.lib.compile(ctx, dir, check.PkgPath, "cell.go", filepath.Join(dir, "cell.a"), b.lib.ImportCfg()); err != nil {
		return err.Error()
	}
	return ""
}

func (b *Builder) link(ctx context.Context, dir, hash, list, cells, so string) error {
	wrapper, err := os.ReadFile(filepath.Join(b.lib.Dir, "wrapper.a"))
	if err != nil {
		return fmt.Errorf("read the wrapper: %w", err)
	}
	if wrapper, err = patch(wrapper, blankHash, hash); err != nil {
		return err
	}
	main := filepath.Join(dir, "main.a")
	if err := os.WriteFile(main, wrapper, 0o644); err != nil {
		return err
	}
	cfg := filepath.Join(dir, "cfg")
	if err := os.WriteFile(cfg, []byte(list+"packagefile "+cellsImport+"="+cells+"\n"), 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, b.lib.tool("link"), "-o", so, "-importcfg", cfg, "-buildmode=plugin",
		"-pluginpath=attune/"+hash, "-s", "-w", "-buildid=", "-extld="+filepath.Join(b.lib.Dir, "extld"), main)
	cmd.Env = append(append(os.Environ(), "GOROOT="), lazyCollector...)
	err = runTool(cmd)
	if err != nil && !errors.Is(err, ErrNoToolchain) {
		if _, missing := exec.LookPath("ld"); missing != nil {
			return ErrNoLinker
		}
	}
	return err
}

// checkSymbols makes sure that the dynamic linker will not take a datum of another
// cell for one of these: every datum of the cells' package that the plugin shares is
// a type, a slot, a function of the worker, or has the hash of its text in its name.
func checkSymbols(so string, bu *bundle) error {
	f, err := elf.Open(so)
	if err != nil {
		return fmt.Errorf("read the plugin: %w", err)
	}
	defer f.Close()
	syms, err := f.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("read the plugin's symbols: %w", err)
	}
	for _, s := range syms {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC || !strings.HasPrefix(s.Name, check.PkgPath+".") {
			continue
		}
		name := strings.TrimPrefix(s.Name, check.PkgPath+".")
		own := func(src *Source) bool { return strings.Contains(name, src.Hash) }
		if !strings.HasPrefix(name, slotMark) && !strings.HasPrefix(name, farMark) && !shareable(name) && !strings.Contains(name, bu.hash()) && !slices.ContainsFunc(bu.sources, own) {
			return fmt.Errorf("internal: the cell shares the datum %s with other cells; please report this", s.Name)
		}
	}
	return nil
}

// shareable names are the same thing in every plugin: dictionaries of generic code
// and method values, whose names say what they are down to the versions of types.
func shareable(name string) bool {
	return strings.HasPrefix(name, ".dict.") || strings.HasSuffix(name, "·f") || strings.HasPrefix(name, ".inittask") ||
		strings.HasPrefix(name, ".eq.")
}
