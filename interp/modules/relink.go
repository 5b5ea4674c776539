package modules

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Site is where attune's own parts are built anew from the session's module graph.
type Site struct {
	Dir   string   // to run the go command in
	Env   []string // what its environment has more
	Cache string   // keeps what is built, by the hash of the requirements
	// Go runs the go command there.
	Go func(args ...string) error
}

// named looks whether args, those of a go command, name a module that the worker
// links and the session now has in another version: who asks for a version by name
// wants it, whether or not a cell imports it yet.
func (m *Module) named(ctx context.Context, args []string) error {
	versions := m.versions()
	for _, arg := range args {
		path, _, _ := strings.Cut(arg, "@")
		for module, have := range versions {
			if !under(path, module) || !m.linked(module) {
				continue
			}
			out, err := m.output(ctx, m.workspace(), "list", "-m", "-f", "{{.Version}}", module)
			if err != nil {
				return err
			}
			if now := strings.TrimSpace(string(out)); now != have {
				return fmt.Errorf("%s: %w: the session's modules now have %s, and attune links %s", module, ErrConflict, now, have)
			}
		}
	}
	return nil
}

// linked tells whether packages of module come with attune.
func (m *Module) linked(module string) bool {
	for path := range m.cfg.Lib {
		if under(path, module) {
			return true
		}
	}
	return false
}

// Relink goes on where a conflict stopped: build makes attune's packages and worker
// of the versions that the session has now, and returns the new packages, import
// path to archive. All that was imported is resolved over them; each of its packages
// counts as new. An error leaves no trace.
func (m *Module) Relink(ctx context.Context, progress io.Writer, build func(Site) (lib map[string]string, err error)) (*Change, error) {
	m.using.Lock()
	defer m.using.Unlock()
	before := m.pending
	if before == nil {
		return nil, errors.New("relink: no conflict came before")
	}
	m.pending = nil
	at := m.workspace()
	cache, err := m.site()
	if err != nil {
		return nil, before.undo(m, err)
	}
	lib, err := build(Site{
		Dir: at.dir, Env: append([]string{"GOTOOLCHAIN=local", "GO111MODULE=on"}, at.env...), Cache: cache,
		Go: func(args ...string) error {
			_, err := m.output(ctx, at, args...)
			return err
		},
	})
	if err != nil {
		return nil, before.undo(m, err)
	}
	oldLib, oldKnown := m.cfg.Lib, m.replaceKnown(map[string]Package{})
	m.cfg.Lib = lib
	c := &Change{}
	if paths := slices.Concat(m.wanted, m.imported()); len(paths) > 0 {
		slices.Sort(paths)
		if c, err = m.resolve(ctx, slices.Compact(paths), progress); err != nil {
			m.cfg.Lib = oldLib
			m.replaceKnown(oldKnown)
			return nil, before.undo(m, err)
		}
	}
	m.links = m.raised(ctx)
	m.accept(c)
	m.remember()
	return c, nil
}

// raised are the versions that the session has of modules that the worker links.
func (m *Module) raised(ctx context.Context) map[string]string {
	args := []string{"list", "-m", "-f", "{{.Path}} {{.Version}}"}
	for module := range m.versions() {
		if m.linked(module) {
			args = append(args, module)
		}
	}
	raised := map[string]string{}
	// Without an answer a conflict is found again, which costs a look at the cache.
	out, _ := m.output(ctx, m.workspace(), args...)
	for line := range strings.Lines(string(out)) {
		if path, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			raised[path] = version
		}
	}
	return raised
}

func (m *Module) replaceKnown(by map[string]Package) (old map[string]Package) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, m.known = m.known, by
	return old
}

// unused is how long what was made for sessions is kept after its last use. An
// archive's last use is a session's first, and sessions may be long.
const (
	unused         = 14 * 24 * time.Hour
	unusedArchives = 90 * 24 * time.Hour
)

// site is the folder for what is built of the requirements as they are now. Others
// that were not used for long are removed.
func (m *Module) site() (string, error) {
	sum := sha256.New()
	for _, name := range append([]string{"go.work"}, files[:]...) {
		data, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("read the session's module: %w", err)
		}
		fmt.Fprintf(sum, "%s %d %s", name, len(data), data)
	}
	all := filepath.Join(m.cfg.Cache, "relinked")
	dir := filepath.Join(all, hex.EncodeToString(sum.Sum(nil)[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a folder to link in: %w", err)
	}
	now := time.Now()
	if err := os.Chtimes(dir, now, now); err != nil {
		return "", fmt.Errorf("make a folder to link in: %w", err)
	}
	sweep(all, "", unused)
	return dir, nil
}

// sweep removes what lies in dir, has a name that begins so, and was not touched for
// long. What cannot be removed stays: it is in nobody's way.
func sweep(dir, prefix string, age time.Duration) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), prefix) && time.Since(info.ModTime()) > age {
			_ = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}
