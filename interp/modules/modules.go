// Package modules owns the session's Go module: a folder with a go.mod of its own,
// in one workspace with attune's module and with the user's (the nearest go.mod or
// go.work above the notebook), in which the go command finds, downloads and
// compiles what cells import beyond the packages that come with attune.
//
// The session's module requires attune's so that what both need has at least
// attune's version: a package that the worker links must stay the very archive that
// the worker was linked from, and Resolve refuses what would need another one.
//
// It imports the standard library and golang.org/x/mod/modfile.
package modules

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Config says where the parts are.
type Config struct {
	Root     string // the folder of attune's own module
	GoRoot   string // the toolchain that the worker was built with
	Notebook string // the notebook's folder
	Cache    string // keeps archives, and what each folder's notebooks required
	// Lib are the packages that come with attune: import path to archive.
	Lib map[string]string
}

// Package is a package that cells can import, or that one of these needs.
type Package struct {
	Path string
	File string // the archive, which never changes
	// Dir and Files are its source, as it was when it was resolved.
	Dir   string
	Files []string
	// Sum is the hash of the archive and of those that it needs.
	Sum string
	// Needs are the other packages of the session's module that it needs, indirectly too.
	Needs []string
	// Local packages lie in a folder of the user's and may change; so may what needs one.
	Local bool
}

// Module is a session's module. Its methods may be called from any goroutine; all
// but Known wait for each other.
type Module struct {
	cfg Config

	using sync.Mutex // held while the go command runs
	dir   string     // the session's folder, "" until it is needed
	flags []string   // GOFLAGS that hold in a workspace
	user  user

	mu    sync.Mutex // guards known
	known map[string]Package
	roots map[string]bool // what cells imported

	pending snapshot // the files before a conflict, until Relink or the next call
	wanted  []string // what was imported then

	links map[string]string // versions of modules that a relinked worker links
}

// New makes a module for one session. Nothing is written before it is needed.
func New(cfg Config) *Module {
	return &Module{cfg: cfg, known: map[string]Package{}, roots: map[string]bool{}}
}

// Close removes the session's folder.
func (m *Module) Close() error {
	m.using.Lock()
	defer m.using.Unlock()
	if m.dir == "" {
		return nil
	}
	dir := m.dir
	m.dir = ""
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the session's module: %w", err)
	}
	return nil
}

// Known is what has been resolved for path.
func (m *Module) Known(path string) (Package, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.known[path]
	return p, ok
}

// Change is what a Resolve brought: packages that are new, and those that are not
// what they were. Until Accept it is a proposal.
type Change struct {
	New, Changed []Package
	roots        []string
}

// Paths lists the packages that are not what they were.
func (c *Change) Paths() []string {
	var out []string
	for _, p := range c.Changed {
		out = append(out, p.Path)
	}
	return out
}

// All lists every package of the change.
func (c *Change) All() []Package { return slices.Concat(c.New, c.Changed) }

// Resolve finds and compiles the packages at paths, downloading modules where
// needed; progress gets what the go command says. An error leaves no trace, but
// after ErrConflict Relink can go on from there.
func (m *Module) Resolve(ctx context.Context, paths []string, progress io.Writer) (*Change, error) {
	m.using.Lock()
	defer m.using.Unlock()
	if err := m.prepare(ctx); err != nil {
		return nil, err
	}
	before := m.snapshot()
	c, err := m.resolve(ctx, paths, progress)
	if err != nil {
		return nil, m.fail(err, before, paths)
	}
	m.accept(c)
	m.remember()
	return c, nil
}

// fail undoes what was done and returns why, or for a conflict keeps it for Relink.
func (m *Module) fail(why error, before snapshot, paths []string) error {
	if errors.Is(why, ErrConflict) {
		m.pending, m.wanted = before, paths
		return why
	}
	return before.undo(m, why)
}

// Command runs the go command in the session's module, its output on out and
// errs. Where it may have changed the module's requirements, everything that was
// imported is resolved anew; if that fails, the change is undone, or waits for Relink.
func (m *Module) Command(ctx context.Context, args []string, out, errs io.Writer) (*Change, error) {
	m.using.Lock()
	defer m.using.Unlock()
	if err := m.prepare(ctx); err != nil {
		return nil, err
	}
	before := m.snapshot()
	if err := m.imports(); err != nil {
		return nil, err
	}
	cmd := m.command(ctx, m.workspace(), args...)
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Run(); err != nil {
		return nil, before.undo(m, fmt.Errorf("go %s: %w", strings.Join(args, " "), cause(ctx, err)))
	}
	if len(args) == 0 || !slices.Contains([]string{"get", "mod", "work"}, args[0]) {
		return &Change{}, nil
	}
	c, roots := &Change{}, m.imported()
	err := m.named(ctx, args)
	if err == nil && len(roots) > 0 {
		c, err = m.resolve(ctx, roots, errs)
	}
	if err != nil {
		return nil, m.fail(err, before, roots)
	}
	m.accept(c)
	m.remember()
	return c, nil
}

// imported lists what cells imported, sorted.
func (m *Module) imported() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for path := range m.roots {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

func (m *Module) accept(c *Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range c.All() {
		m.known[p.Path] = p
	}
	for _, path := range c.roots {
		m.roots[path] = true
	}
}

// kept is the folder that holds archives.
func (m *Module) kept() string { return filepath.Join(m.cfg.Cache, "pkg") }
