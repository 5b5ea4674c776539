package interp

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"

	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/modules"
	"attune/interp/native"
)

// builder is the builder in use, which changes when the worker is linked again while
// cells that wait may be on their way through it.
type builder struct {
	now atomic.Pointer[native.Builder]
}

func (b *builder) use(n *native.Builder) { b.now.Store(n) }

// Build is the plugin of src.
func (b *builder) Build(ctx context.Context, src *native.Source) (native.Plugin, error) {
	return b.now.Load().Build(ctx, src)
}

// BuildAlone is a plugin of src that holds nothing else.
func (b *builder) BuildAlone(ctx context.Context, src *native.Source) (native.Plugin, error) {
	return b.now.Load().BuildAlone(ctx, src)
}

// BuildAll builds ahead.
func (b *builder) BuildAll(ctx context.Context, list []*native.Source) {
	b.now.Load().BuildAll(ctx, list)
}

// Complaints is what the compiler says of text.
func (b *builder) Complaints(ctx context.Context, text string) string {
	return b.now.Load().Complaints(ctx, text)
}

// Add lets cells import more packages.
func (b *builder) Add(packages []native.Package) { b.now.Load().Add(packages) }

// relink builds the packages for cells and the worker of the versions that the
// session's modules have now, and starts over with them. why is the conflict that
// takes it. All names are of the old packages, and go.
func (e *execution) relink(why error) (*modules.Change, error) {
	s := e.s
	if err := e.alone(); err != nil {
		return nil, fmt.Errorf("%w; %w", why, err)
	}
	e.say(why.Error() + "\nthe packages that come with attune and the worker are built again with the session's versions " +
		"(minutes the first time); then the worker process is restarted, and the session's names and values are gone\n")
	var lib *native.Lib
	var built *native.Builder
	var archives map[string]string
	var program string
	change, err := s.packages.module.Relink(e.ctx, streamWriter{e.out, cell.Stderr}, func(at modules.Site) (map[string]string, error) {
		dir := filepath.Join(at.Cache, "lib")
		err := native.WarmIn(e.ctx, at.Dir, at.Env, dir, func(text string) { e.say(text + "\n") })
		if err != nil {
			return nil, err
		}
		if lib, err = native.OpenLib(dir); err != nil {
			return nil, err
		}
		if built, err = native.NewBuilder(lib, s.opt.Cache); err != nil {
			return nil, err
		}
		imp, err := check.NewImporter(lib.ImportCfg())
		if err != nil {
			return nil, err
		}
		archives = imp.Archives()
		e.say("link the worker\n")
		program = filepath.Join(at.Cache, "attune-worker")
		return archives, at.Go("build", "-trimpath", "-buildvcs=false", "-o", program, "attune/interp/worker/main")
	})
	if err != nil {
		return nil, fmt.Errorf("link the worker again: %w", err)
	}
	return change, s.startOver(program, built, archives)
}

// startOver goes on with another worker program and other packages, and no names.
// What %restore then runs again are the cells of all names that were there.
func (s *Session) startOver(program string, built *native.Builder, archives map[string]string) error {
	h := s.worker()
	h.client.Close()
	<-h.gone
	s.mu.Lock()
	s.opt.Worker = program
	s.mu.Unlock()
	s.checkMu.Lock()
	s.imp.Replace(archives)
	s.builder.use(built)
	s.checker = check.NewChecker(s.imp)
	var gone []*check.Decl
	for _, d := range s.scope.Load().Decls.All() {
		if !strings.Contains(d.Name, ".") {
			gone = append(gone, d)
		}
	}
	s.takeLost(gone, s.scope.Load())
	s.scope.Store(check.NewScope())
	s.checkMu.Unlock()
	s.loaded, s.packages.plugins = nil, nil
	s.held.forget()
	_, err := s.newWorker()
	return err
}
