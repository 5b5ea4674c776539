package interp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/docs"
	"attune/interp/modules"
	"attune/interp/native"
	"attune/interp/worker"
)

// packages is what the session knows of packages that do not come with attune.
// Whoever runs a cell uses it, one at a time.
type packages struct {
	module  *modules.Module
	plugins map[string]plugin // those that link such packages, by hash
}

// plugin is a built cell: what it imports and what it declares.
type plugin struct {
	imports []string
	decls   []*check.Decl
}

// built notes the plugin of a unit.
func (p *packages) built(src *native.Source, u *check.Unit) {
	for _, path := range src.Packages {
		if _, ok := p.module.Known(path); ok {
			if p.plugins == nil {
				p.plugins = map[string]plugin{}
			}
			p.plugins[src.Hash] = plugin{src.Packages, slices.Concat(u.New, u.Again)}
			return
		}
	}
}

// links tells whether pl holds code of one of changed.
func (p *packages) links(pl plugin, changed []string) bool {
	return slices.ContainsFunc(pl.imports, func(path string) bool {
		known, ok := p.module.Known(path)
		return ok && (slices.Contains(changed, path) ||
			slices.ContainsFunc(known.Needs, func(dep string) bool { return slices.Contains(changed, dep) }))
	})
}

// imports makes the packages that the cell imports available: those that do not
// come with attune by the session's module, and again those that the user may have
// edited.
func (e *execution) imports(code string) *cell.Error {
	if !strings.Contains(code, "import") {
		return nil
	}
	var paths []string
	at := map[string]check.ImportAt{}
	for _, im := range check.Imported(e.req.Count, code) {
		known, ok := e.s.packages.module.Known(im.Path)
		if im.Path == "C" || (ok && !known.Local) || (!ok && e.s.imp.Has(im.Path)) || slices.Contains(paths, im.Path) {
			continue
		}
		paths = append(paths, im.Path)
		at[im.Path] = im
	}
	if len(paths) == 0 {
		return nil
	}
	change, err := e.s.packages.module.Resolve(e.ctx, paths, streamWriter{e.out, cell.Stderr})
	if errors.Is(err, modules.ErrConflict) {
		change, err = e.relink(err)
	}
	if err != nil {
		if e.interrupted() || errors.Is(err, context.Canceled) {
			return e.stoppedError("while the go command worked on the import; nothing is changed and nothing of the cell ran")
		}
		pos := at[paths[0]].Pos
		for _, path := range paths { // the longest path that the message names
			if strings.Contains(err.Error(), path) && len(path) >= len(at[paths[0]].Path) {
				pos = at[path].Pos
			}
		}
		return e.compileError(&check.Error{Problems: []check.Problem{{Pos: pos, Msg: err.Error()}}}, code)
	}
	return e.take(change)
}

// goCommand is %go: the go command in the session's module.
func (e *execution) goCommand(args string) *cell.Error {
	words := strings.Fields(args)
	change, err := e.s.packages.module.Command(e.ctx, words, streamWriter{e.out, cell.Stdout}, streamWriter{e.out, cell.Stderr})
	if errors.Is(err, modules.ErrConflict) {
		change, err = e.relink(err)
	}
	if err != nil {
		if e.interrupted() || errors.Is(err, context.Canceled) {
			return e.stoppedError("while the go command ran; the session's module is as it was")
		}
		return &cell.Error{Name: "GoError", Value: err.Error(), Traceback: []string{red("GoError: ") + err.Error()}}
	}
	return e.take(change)
}

// take lets cells have the packages of change. A package that is not what a
// compiled cell was linked with takes a fresh worker.
func (e *execution) take(change *modules.Change) *cell.Error {
	s := e.s
	files := map[string]string{}
	var more []native.Package
	for _, p := range change.All() {
		files[p.Path] = p.File
		s.docs.Add(docs.Source{Path: p.Path, Dir: p.Dir, Files: p.Files})
		more = append(more, native.Package{Path: p.Path, File: p.File, Sum: p.Sum})
	}
	if len(more) == 0 {
		return nil
	}
	s.checkMu.Lock()
	s.imp.Add(files)
	s.builder.Add(more)
	s.checkMu.Unlock()
	changed := change.Paths()
	old := map[string]plugin{}
	for hash, pl := range s.packages.plugins {
		if s.packages.links(pl, changed) {
			old[hash] = pl
		}
	}
	if len(old) == 0 {
		return nil
	}
	return e.reload(changed, old)
}

// reload starts a fresh worker without the plugins that hold old versions of the
// packages in changed, and says so.
func (e *execution) reload(changed []string, old map[string]plugin) *cell.Error {
	s := e.s
	if err := e.alone(); err != nil {
		return &cell.Error{Name: "ImportError", Value: err.Error(), Traceback: []string{red("ImportError: ") + err.Error()}}
	}
	what := strings.Join(changed, ", ") + " has changed"
	if len(changed) > 1 {
		what = strings.Join(changed, ", ") + " have changed"
	}
	e.say(what + "; a Go process cannot load another version of a package, so the worker process is restarted\n")
	h := s.worker()
	h.client.Close()
	<-h.gone
	scope := s.scope.Load().Clone()
	forgotten := scope.Forget(keeps(scope, changed, old))
	s.scope.Store(scope)
	s.loaded = slices.DeleteFunc(s.loaded, func(n worker.Native) bool { _, ok := old[n.Hash]; return ok })
	for hash := range old {
		delete(s.packages.plugins, hash)
	}
	values, err := s.revive(e)
	if err == nil {
		forgotten = e.redeclare(forgotten)
	}
	s.takeLost(forgotten, s.scope.Load())
	if err != nil {
		return &cell.Error{Name: "KernelError", Value: err.Error(), Traceback: []string{red("KernelError: ") + err.Error()}}
	}
	for _, d := range forgotten {
		values = append(values, d.Name)
	}
	if len(values) > 0 {
		slices.Sort(values)
		e.say(fmt.Sprintf("gone are the values, and what no longer fits the package: %s\n"+
			"%%restore runs the cells again that made them\n", strings.Join(values, ", ")))
	}
	return nil
}

// keeps tells which declarations hold on without the old plugins: those that are
// in none of them, name no changed package, and use no declaration that does.
func keeps(scope *check.Scope, changed []string, old map[string]plugin) func(*check.Decl) bool {
	drop := map[*check.Decl]bool{}
	for _, pl := range old {
		for _, d := range pl.decls {
			drop[d] = true
		}
	}
	hit := func(d *check.Decl) bool { return d != nil && drop[d] }
	for again := true; again; {
		again = false
		for _, d := range scope.Decls.All() {
			names := false
			for _, path := range d.Imports {
				names = names || slices.Contains(changed, path)
			}
			if !drop[d] && (names || hit(d.Recv) || slices.ContainsFunc(d.Uses, hit) || slices.ContainsFunc(d.Methods, hit)) {
				drop[d], again = true, true
			}
		}
	}
	return func(d *check.Decl) bool { return !drop[d] }
}
