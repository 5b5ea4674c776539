// Package interp is a session of Go cells: it takes a cell from its text to its
// events. It owns the scope, the built cells and the worker, and it is the
// cell.Runner of the kernel. It imports interp/cell, check, plan, native and
// worker; it never runs a user's code itself, and links nothing that does.
package interp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/docs"
	"attune/interp/modules"
	"attune/interp/native"
	"attune/interp/worker"
)

// Options say where the session's parts are.
type Options struct {
	// Lib is the folder of archives that `attune warm` makes.
	Lib string
	// Worker is the worker program.
	Worker string
	// Cache keeps built cells.
	Cache string
	// Modules keeps what cells import beyond the packages of Lib.
	Modules string
	// Root is the folder of attune's own module, Dir the notebook's ("" for the
	// working directory).
	Root, Dir string
	// Env is the worker's environment, os.Environ when nil.
	Env []string
}

// Session is one notebook's state. It implements cell.Runner.
type Session struct {
	opt     Options
	checkMu sync.Mutex // guards checker, which completion and inspection use as well
	checker *check.Checker
	imp     *check.Importer
	builder builder
	goRoot  string // where the Go distribution is
	docs    *docs.Store

	scope atomic.Pointer[check.Scope] // what readers see; replaced whole

	// running is held by Execute, but for the time that the worker runs the cell: cells
	// of several subshells are checked, compiled and taken into the session one after
	// the other, and run side by side.
	running sync.Mutex
	names   cellNames
	loaded  []worker.Native // what a new worker must bind again, oldest first
	nextID  atomic.Int64
	lost    []*check.Decl    // the variables that crashes took, for %restore
	crashed map[int]bool     // the cells that ran when one came
	changes map[string][]int // the cells that assigned to a variable of an earlier one
	bar     bool             // %monitor on

	mu      sync.Mutex // guards what follows
	hand    *hand
	current []*execution // oldest first
	count   int          // of the cell that runs or ran last
	closed  bool

	asked atomic.Int64 // glimpses of values, which any goroutine may ask for

	usage     usage
	foresight foresight
	packages  packages
	held      held
}

// Open makes a session and starts its worker.
func Open(opt Options) (*Session, error) {
	lib, err := native.OpenLib(opt.Lib)
	if err != nil {
		return nil, err
	}
	imp, err := check.NewImporter(lib.ImportCfg())
	if err != nil {
		return nil, err
	}
	if err := opt.complete(); err != nil {
		return nil, err
	}
	built, err := native.NewBuilder(lib, opt.Cache)
	if err != nil {
		return nil, err
	}
	s := &Session{
		opt: opt, imp: imp, docs: docs.Open(lib.Docs()),
		checker: check.NewChecker(imp), goRoot: lib.GoRoot,
	}
	s.builder.use(built)
	s.packages.module = modules.New(modules.Config{
		Root: opt.Root, GoRoot: lib.GoRoot, Notebook: opt.Dir, Cache: opt.Modules, Lib: imp.Archives(),
	})
	s.scope.Store(check.NewScope())
	if _, err := s.newWorker(); err != nil {
		return nil, err
	}
	return s, nil
}

// complete fills in what is not said.
func (o *Options) complete() error {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	if o.Cache == "" {
		o.Cache = filepath.Join(cache, "attune", "cells")
	}
	if o.Modules == "" {
		o.Modules = filepath.Join(cache, "attune", "modules")
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return fmt.Errorf("find the notebook's folder: %w", err)
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	return nil
}

// worker is the worker in use, which may be gone: whoever finds it so calls revive.
func (s *Session) worker() *hand {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hand
}

// newWorker starts a worker and makes it the one in use.
func (s *Session) newWorker() (*hand, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the session is closed")
	}
	h, err := newHand(s.opt, s.goRoot)
	if err != nil {
		return nil, err
	}
	s.hand = h
	return h, nil
}

// Close ends the worker.
func (s *Session) Close() error {
	s.mu.Lock()
	h := s.hand
	s.closed = true
	s.mu.Unlock()
	s.Interrupt()
	h.client.Close()
	return s.packages.module.Close()
}

// cellNames knows each cell's text by the name that stands in compiled positions.
// The name comes from what is compiled of the text, so that a cell that is run again
// compiles to the same; the text and count shown are those of its last run.
type cellNames struct {
	mu    sync.Mutex
	cells map[int]namedCell   // by count
	texts map[string]cellText // by name
}

type namedCell struct{ id, code string }

type cellText struct {
	count int
	code  string
}

// add names a cell by its whole text, until it is compiled.
func (c *cellNames) add(count int, code string) {
	id := native.CellID(code)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cells == nil {
		c.cells, c.texts = map[int]namedCell{}, map[string]cellText{}
	}
	c.cells[count] = namedCell{id, code}
	c.texts[id] = cellText{count, code}
}

// rename gives a cell the name that stands in its compiled positions.
func (c *cellNames) rename(count int, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	code := c.cells[count].code
	c.cells[count] = namedCell{id, code}
	c.texts[id] = cellText{count, code}
}

func (c *cellNames) id(count int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cell, ok := c.cells[count]; ok {
		return cell.id
	}
	return "cell"
}

// code is the text that ran under count.
func (c *cellNames) code(count int) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cell, ok := c.cells[count]
	return cell.code, ok
}

// text is that of the cell which ran last under a name.
func (c *cellNames) text(id string) (cellText, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.texts[id]
	return t, ok
}

// Interrupt implements cell.Runner.
func (s *Session) Interrupt() {
	s.mu.Lock()
	all := slices.Clone(s.current)
	s.mu.Unlock()
	for _, e := range all {
		e.interrupt()
	}
}

// Execute implements cell.Runner.
func (s *Session) Execute(ctx context.Context, req cell.Request, out cell.Sink) cell.Result {
	e, end := s.begin(ctx, req, out)
	defer end()
	s.running.Lock()
	defer s.running.Unlock()
	s.mu.Lock()
	s.count = req.Count
	s.mu.Unlock()
	return e.run()
}

// begin makes an execution that an interrupt reaches until end is called.
func (s *Session) begin(ctx context.Context, req cell.Request, out cell.Sink) (e *execution, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	e = &execution{s: s, req: req, out: out, ctx: ctx, cancel: cancel}
	s.mu.Lock()
	s.current = append(s.current, e)
	s.mu.Unlock()
	return e, func() {
		s.mu.Lock()
		s.current = slices.DeleteFunc(s.current, func(c *execution) bool { return c == e })
		s.mu.Unlock()
		cancel()
	}
}

// alone says why the worker cannot be restarted now: that would end what runs beside.
func (e *execution) alone() error {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	for _, other := range e.s.current {
		if id := other.worksOn(); id != 0 && other != e {
			return errors.New("this restarts the worker process, and would end the cell that runs beside: wait for it, or interrupt it")
		}
	}
	return nil
}

// Comm implements cell.Commer.
func (s *Session) Comm(ctx context.Context, m cell.Comm, out cell.CommSink) {
	e, end := s.begin(ctx, cell.Request{}, out)
	defer end()
	h := s.worker()
	if h.isGone() {
		return // the next cell says so
	}
	wire := worker.Comm(m)
	h.comm(wire)
	done, err := e.await(h, &worker.Run{Comm: &wire})
	var failed *cell.Error
	switch {
	case errors.Is(err, errGone):
		s.running.Lock()
		failed = e.lost(h)
		s.running.Unlock()
	case err == nil:
		failed = e.outcome(done)
	}
	if failed != nil {
		e.say("in the handler of a comm message:\n" + strings.Join(failed.Traceback, "\n") + "\n")
	}
}
