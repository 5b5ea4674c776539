package modules

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
)

// listed is a package as the go command describes it.
type listed struct {
	ImportPath, Name, Export string
	Dir                      string
	GoFiles                  []string
	Standard                 bool
	Module                   *module
	Deps                     []string
	Error                    *struct{ Pos, Err string }
}

type module struct {
	Path, Version string
	Main          bool
	Replace       *module
}

func (m *module) local() bool {
	return m != nil && (m.Main || m.Replace != nil && m.Replace.Version == "")
}

func (m *module) version() string {
	switch {
	case m == nil:
		return "the standard library"
	case m.Main:
		return m.Path + " as it is on disk"
	case m.Replace != nil:
		return strings.TrimSpace(m.Path + " " + m.Version + ", replaced by " + m.Replace.Path + " " + m.Replace.Version)
	}
	return m.Path + " " + m.Version
}

// list describes the packages at paths and all that they need; with export they
// are compiled as plugins need them.
func (m *Module) list(ctx context.Context, at place, export bool, paths []string) (map[string]*listed, error) {
	args := []string{"list", "-e", "-deps", "-json=ImportPath,Name,Export,Dir,GoFiles,Standard,Module,Deps,Error", "-trimpath", "-buildmode=plugin"}
	if export {
		args = append(append(args, "-export"), m.gcflags()...)
	}
	out, err := m.output(ctx, at, append(append(args, "--"), paths...)...)
	if err != nil {
		return nil, err
	}
	all := map[string]*listed{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(listed)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		all[p.ImportPath] = p
	}
}

// libFlags are what the packages that come with attune were compiled with (by
// interp/native): compiled with others they would not be the same.
const libFlags = "-dwarf=false"

// gcflags compile everything but attune's packages so that the linker prunes no map.
// It drops the initialisation of large maps that a program does not use, but a
// package is initialised once, with the first plugin that has it, and a later one
// may use the map.
func (m *Module) gcflags() []string {
	flags := []string{"-gcflags=all=-d=wrapglobalmapctl=1 " + libFlags, "-gcflags=std=" + libFlags}
	for _, path := range slices.Sorted(maps.Keys(m.cfg.Lib)) {
		if strings.Contains(path, ".") || strings.HasPrefix(path, ownModule+"/") {
			flags = append(flags, "-gcflags="+path+"="+libFlags)
		}
	}
	return flags
}

func (m *Module) resolve(ctx context.Context, paths []string, progress io.Writer) (*Change, error) {
	for _, path := range paths {
		if err := m.importable(path); err != nil {
			return nil, err
		}
	}
	at, all, err := m.find(ctx, paths, progress)
	if err != nil {
		return nil, err
	}
	if err := failed(all, paths); err != nil {
		return nil, err
	}
	if n := m.fresh(all); n > 0 {
		fmt.Fprintf(progress, "compile %s", strings.Join(paths, ", "))
		if n > len(paths) {
			fmt.Fprintf(progress, " and what is needed: %d packages", n)
		}
		fmt.Fprintln(progress)
	}
	if all, err = m.list(ctx, at, true, paths); err != nil {
		return nil, err
	}
	if err := failed(all, paths); err != nil {
		return nil, err
	}
	return m.compare(all, paths)
}

// importable refuses what Go's own rules keep from a program in the notebook's place.
func (m *Module) importable(path string) error {
	if strings.HasPrefix(path, ".") || filepath.IsAbs(path) {
		return fmt.Errorf("import %q is relative or absolute: cells import by the path that a go.mod gives", path)
	}
	if strings.Contains(path, "...") {
		return fmt.Errorf("malformed import path %q", path)
	}
	before, _, internal := strings.Cut("/"+path+"/", "/internal/")
	before = strings.TrimPrefix(before, "/")
	own := slices.ContainsFunc(m.user.paths, func(module string) bool { return under(before, module) || under(module, before) })
	if internal && !own {
		return fmt.Errorf("use of internal package %s not allowed", path)
	}
	return nil
}

func under(path, module string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// find describes the packages, in the user's vendored module if that has them,
// else in the session's, which gets what no required module provides.
func (m *Module) find(ctx context.Context, paths []string, progress io.Writer) (place, map[string]*listed, error) {
	if m.user.vendor != "" {
		at := place{dir: m.user.vendor}
		if all, err := m.list(ctx, at, false, paths); err == nil && failed(all, paths) == nil {
			return at, all, nil
		}
	}
	at := m.workspace()
	all, err := m.list(ctx, at, false, paths)
	if err != nil {
		return at, nil, err
	}
	var missing []string
	for _, path := range paths {
		first, _, _ := strings.Cut(path, "/")
		p := all[path]
		own := slices.ContainsFunc(m.user.paths, func(module string) bool { return under(path, module) })
		if p != nil && p.Error != nil && p.Module == nil && strings.Contains(first, ".") && !own {
			missing = append(missing, path)
		}
	}
	if len(missing) == 0 {
		return at, all, nil
	}
	if err := m.get(ctx, missing, progress); err != nil {
		return at, nil, err
	}
	all, err = m.list(ctx, at, false, paths)
	return at, all, err
}

// get has the go command add the modules that provide paths.
func (m *Module) get(ctx context.Context, paths []string, progress io.Writer) error {
	fmt.Fprintf(progress, "go get %s\n", strings.Join(paths, " "))
	cmd := m.command(ctx, m.workspace(), append([]string{"get", "--"}, paths...)...)
	var said bytes.Buffer
	cmd.Stderr = io.MultiWriter(progress, &said)
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("go get %s: %w", strings.Join(paths, " "), ctx.Err())
	}
	last := cause(ctx, err).Error()
	for line := range strings.Lines(said.String()) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "go: downloading") {
			last = strings.TrimPrefix(line, "go: ")
			break
		}
	}
	err = fmt.Errorf("go get %s: %s", strings.Join(paths, " "), last)
	if offline(said.String()) {
		err = fmt.Errorf("%w\nthe module is not on this machine yet, and the network or the module proxy (GOPROXY) did not answer", err)
	}
	return err
}

// offline tells whether the go command could not reach a server.
func offline(said string) bool {
	for _, sign := range []string{"dial tcp", "no such host", "connection refused", "network is unreachable", "i/o timeout",
		"TLS handshake timeout", "Could not resolve host", "disabled by GOPROXY=off"} {
		if strings.Contains(said, sign) {
			return true
		}
	}
	return false
}

// failed is the first thing wrong with the packages.
func failed(all map[string]*listed, roots []string) error {
	for _, path := range slices.Concat(roots, slices.Sorted(maps.Keys(all))) {
		p := all[path]
		switch {
		case p == nil:
			return fmt.Errorf("go list: no word of package %s", path)
		case p.Error != nil:
			msg := strings.TrimSpace(p.Error.Err)
			if p.Error.Pos != "" && !strings.Contains(msg, p.Error.Pos) {
				msg = p.Error.Pos + ": " + msg
			}
			return errors.New(msg)
		case p.Name == "main" && slices.Contains(roots, path):
			return fmt.Errorf("import %q is a program, not an importable package", path)
		}
	}
	return nil
}

// fresh counts the packages that no cell has used so far.
func (m *Module) fresh(all map[string]*listed) int {
	n := 0
	for path, p := range all {
		_, lib := m.cfg.Lib[path]
		if _, known := m.Known(path); !lib && !known && path != "unsafe" && p.Name != "" {
			n++
		}
	}
	return n
}

// compare parts what was compiled into what is new, changed, as it was, and the
// packages that come with attune, which must be the very same.
func (m *Module) compare(all map[string]*listed, roots []string) (*Change, error) {
	ids := map[string]string{}
	for path, p := range all {
		if p.Export == "" {
			continue // unsafe
		}
		id, err := contentID(p.Export)
		if err != nil {
			return nil, err
		}
		file, ok := m.cfg.Lib[path]
		if !ok {
			ids[path] = id
			continue
		}
		have, err := contentID(file)
		if err != nil {
			return nil, err
		}
		if have != id {
			return nil, m.conflict(p, all, roots)
		}
	}
	c := &Change{roots: roots}
	for _, path := range slices.Sorted(maps.Keys(ids)) {
		p, err := m.keep(all, path, ids)
		if err != nil {
			return nil, err
		}
		switch have, known := m.Known(path); {
		case !known:
			c.New = append(c.New, p)
		case have.Sum != p.Sum:
			c.Changed = append(c.Changed, p)
		}
	}
	return c, nil
}

// keep describes a package and copies its archive, since the go command's cache
// drops what is old.
func (m *Module) keep(all map[string]*listed, path string, ids map[string]string) (Package, error) {
	l := all[path]
	p := Package{
		Path: path, File: filepath.Join(m.kept(), ids[path]+".a"), Dir: l.Dir, Files: l.GoFiles,
		Local: l.Module.local(),
	}
	sum := sha256.New()
	fmt.Fprintln(sum, path, ids[path])
	slices.Sort(l.Deps)
	for _, dep := range l.Deps {
		if id, ok := ids[dep]; ok {
			fmt.Fprintln(sum, dep, id)
			p.Needs = append(p.Needs, dep)
			p.Local = p.Local || all[dep].Module.local()
		}
	}
	p.Sum = hex.EncodeToString(sum.Sum(nil)[:8])
	now := time.Now()
	if os.Chtimes(p.File, now, now) == nil {
		return p, nil
	}
	data, err := os.ReadFile(l.Export)
	if err != nil {
		return p, fmt.Errorf("keep %s: %w", path, err)
	}
	fresh := filepath.Join(m.dir, ids[path]+".a")
	if err := os.WriteFile(fresh, data, 0o644); err != nil {
		return p, fmt.Errorf("keep %s: %w", path, err)
	}
	if err := os.Rename(fresh, p.File); err != nil {
		return p, fmt.Errorf("keep %s: %w", path, err)
	}
	return p, nil
}

// contentID is the part of an archive's build id that the compiler's output
// determines alone (cmd/go/internal/work/buildid.go).
func contentID(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read an archive: %w", err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1024)
	for range 8 {
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		if id, ok := strings.CutPrefix(line, `build id "`); ok {
			id = strings.TrimSuffix(strings.TrimSpace(id), `"`)
			return id[strings.LastIndexByte(id, '/')+1:], nil
		}
	}
	return "", fmt.Errorf("read an archive: %s has no build id", file)
}

// ErrConflict says that a package needs another version of one that the worker links.
var ErrConflict = errors.New("it cannot run beside the packages that attune links")

// conflict words that p is not what the worker links.
func (m *Module) conflict(p *listed, all map[string]*listed, roots []string) error {
	who := strings.Join(roots, ", ")
	for _, path := range roots {
		if r := all[path]; r != nil && slices.Contains(r.Deps, p.ImportPath) {
			who = path
		}
	}
	if p.Standard {
		return fmt.Errorf("%s: the go command compiles the standard library in another way than it did for attune; "+
			"compare GOFLAGS and the environment, or run ./install.sh again", who)
	}
	have := "another build of it"
	if p.Module != nil {
		have = p.Module.Path + " " + m.versions()[p.Module.Path]
	}
	return fmt.Errorf("%s: %w: the session's modules bring %s for package %s, and attune links %s",
		who, ErrConflict, p.Module.version(), p.ImportPath, have)
}

// versions are those of the modules that the worker may link.
func (m *Module) versions() map[string]string {
	out := map[string]string{}
	data, err := os.ReadFile(filepath.Join(m.cfg.Root, "go.mod"))
	if err != nil {
		return out
	}
	f, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil {
		return out
	}
	for _, r := range f.Require {
		out[r.Mod.Path] = r.Mod.Version
	}
	maps.Copy(out, m.links)
	return out
}
