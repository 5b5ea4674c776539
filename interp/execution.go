package interp

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"sync"
	"time"

	"attune/display/mime"
	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/native"
	"attune/interp/plan"
	"attune/interp/worker"
)

// execution is one cell on its way.
type execution struct {
	s      *Session
	req    cell.Request
	out    cell.Sink
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	stopped int    // interrupts so far
	runID   int    // the worker's run, 0 when none is on
	hand    *hand  // that runs it
	refused string // why input was refused
	// unanswered: an interrupt came while the cell waited for input, which then ended.
	unanswered bool
	pages      []mime.Bundle
	sub        *execution        // runs on this one's behalf, and is interrupted with it
	forced     bool              // %%native
	timed      bool              // %time
	done       bool              // its declarations are part of the session
	planned    bool              // %plan
	checks     bool              // %check
	assigns    bool              // %%parameters
	repeats    bool              // %restore runs it
	means      map[string]string // by what it declares, until that is part of the session
}

// run takes the cell through its magics, its Go code, and its user expressions.
func (e *execution) run() cell.Result {
	e.s.names.add(e.req.Count, e.req.Code)
	code, err := e.magics(e.req.Code)
	if err == nil && e.assigns {
		code, err = e.parameters(code)
	}
	if err == nil && e.checks && strings.TrimSpace(code) != "" {
		code, err = checked(code)
	}
	switch {
	case err != nil:
	case strings.TrimSpace(code) != "":
		err = e.goCode(code, e.req.Silent)
	default:
		err = e.idle()
	}
	if err != nil {
		return cell.Result{Err: err, Pages: e.pages}
	}
	res := cell.Result{Pages: e.pages}
	for name, expr := range e.req.Expressions {
		if res.Expressions == nil {
			res.Expressions = map[string]cell.Value{}
		}
		res.Expressions[name] = e.expression(expr)
	}
	return res
}

// commit takes the cell's declarations into the session.
func (e *execution) commit(u *check.Unit) {
	e.s.checkMu.Lock()
	native.Prepare(u)
	e.s.scope.Store(u.Commit())
	e.s.held.add(e.means)
	e.s.noteChanges(u)
	e.s.checkMu.Unlock()
	e.mu.Lock()
	e.done = true
	e.mu.Unlock()
}

func (e *execution) isCommitted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.done
}

// interrupted is set when the user asked the cell to stop.
func (e *execution) interrupted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stopped > 0
}

// interrupt stops what is going on: compiling by its context, running by a
// safepoint, and at the second time whatever is left by ending the worker.
func (e *execution) interrupt() {
	e.mu.Lock()
	e.stopped++
	n, id, h, sub := e.stopped, e.runID, e.hand, e.sub
	e.mu.Unlock()
	if sub != nil {
		sub.interrupt()
		return
	}
	e.cancel()
	if h == nil || id == 0 {
		return
	}
	if n > 1 {
		h.client.Kill()
		return
	}
	_ = h.client.Send(worker.Request{Stop: &worker.Stop{ID: id}})
}

// follow makes sub the execution that an interrupt of e reaches.
func (e *execution) follow(sub *execution) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sub = sub
}

// goCode checks, plans and runs Go code, and takes it into the session.
func (e *execution) goCode(code string, quiet bool) *cell.Error {
	start := time.Now()
	if err := e.mend(); err != nil {
		return err
	}
	if err := e.imports(code); err != nil {
		return err
	}
	e.s.checkMu.Lock()
	u, means, cerr := e.s.checkCell(e.req.Count, code, e.s.scope.Load())
	e.means = means
	var decision plan.Decision
	if cerr == nil {
		decision = plan.Decide(u, e.forced)
	}
	e.s.checkMu.Unlock()
	if cerr != nil {
		if cerr.Syntax {
			cerr.Problems = e.compilersWords(cerr.Problems, code)
		}
		return e.compileError(cerr, code)
	}
	if e.planned {
		e.say(fmt.Sprintf("engine: %s\nreason: %s\n", decision.Engine, decision.Why))
		return nil
	}
	for _, note := range u.Notes {
		e.say("note: " + note + "\n")
	}
	r := &worker.Run{Quiet: quiet, Errors: errorTypes(u), Runes: runeTypes(u), Cell: fmt.Sprintf("In[%d]", e.req.Count), Bar: e.s.bar && !quiet}
	if decision.Engine == plan.Nothing {
		e.commit(u)
		return nil
	}
	if decision.Engine == plan.Yaegi {
		r.Straight = e.packed(decision.Straight)
	} else if err := e.compile(u, r); err != nil {
		return err
	} else if r.Straight != nil {
		decision.Engine = plan.Yaegi // for want of a compiler
	}
	h, before := e.s.worker(), e.s.scope.Load()
	e.commit(u)
	after := e.s.scope.Load()
	done, err := e.perform(h, r)
	if err == nil && done.NotStraight != "" {
		r.Straight, decision.Engine = nil, plan.Native
		if err = e.compile(u, r); err != nil {
			e.s.scope.CompareAndSwap(after, before) // nothing of the cell has run
			return err
		}
		if done, err = e.perform(h, r); err == nil && done.NotStraight != "" {
			e.s.scope.CompareAndSwap(after, before)
			return e.noToolchain(u, native.ErrNoToolchain)
		}
	}
	e.forget(u, before, done)
	if err != nil {
		return err
	}
	if done.Result != nil {
		e.out.Result(*done.Result)
	}
	if e.timed {
		engine := string(decision.Engine)
		if decision.Engine == plan.Yaegi {
			engine = "the cell: " + engine + "; functions: compiled"
		}
		e.say(fmt.Sprintf("%s in all, %s running (%s)\n", rounded(time.Since(start)), rounded(time.Duration(done.Nanos)), engine))
	}
	return nil
}

// forget takes back the variables that a cell which panicked did not come to, and
// frees the storage of what now has another type.
func (e *execution) forget(u *check.Unit, before *check.Scope, done worker.Done) {
	scope := e.s.scope.Load()
	reached := e.failedAt(done.Failure)
	var free []string
	copied := false
	for _, d := range u.New {
		old := before.Decls.Get(d.Name)
		switch {
		case d.Kind != check.Var || scope.Decls.Get(d.Name) != d:
		case reached > 0 && d.Line >= reached && (old == nil || old.Key != d.Key):
			if !copied {
				scope, copied = scope.Clone(), true
			}
			scope.Decls.Delete(d.Name)
			if old != nil {
				scope.Decls.Set(d.Name, old)
			}
		case old != nil && old.Kind == check.Var && old.Key != d.Key:
			free = append(free, old.Key)
		}
	}
	if copied {
		e.s.scope.Store(scope)
	}
	if len(free) > 0 {
		_ = e.s.worker().client.Send(worker.Request{Forget: free}) // fails for a worker that is gone
	}
}

// failedAt is the line of the cell's own statements at which it panicked, 0 if it
// did not.
func (e *execution) failedAt(f *worker.Failure) int {
	if f == nil || f.Async {
		return 0
	}
	for _, fr := range slices.Backward(f.Frames) {
		if t, ok := e.s.names.text(baseName(fr.File)); ok && t.count == e.req.Count && funcName(fr.Func) == "" {
			return fr.Line
		}
	}
	return 0
}

func rounded(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(100 * time.Nanosecond)
}

// errorTypes tells which results of a last call are errors by type: of these, nil is
// not worth a line. It is where the user asks for a variable.
func errorTypes(u *check.Unit) []bool {
	if _, call := ast.Unparen(u.Result).(*ast.CallExpr); !call {
		return nil
	}
	var out []bool
	for _, t := range u.ResultTypes {
		out = append(out, t.String() == "error")
	}
	return out
}

// runeTypes tells which results are of type rune by name: a value has type int32 only.
func runeTypes(u *check.Unit) []bool {
	var out []bool
	for i, t := range u.ResultTypes {
		if b, ok := t.(*types.Basic); ok && b.Name() == "rune" {
			out = append(out, make([]bool, i+1-len(out))...)
			out[i] = true
		}
	}
	return out
}

// compile builds the unit's plugin.
func (e *execution) compile(u *check.Unit, r *worker.Run) *cell.Error {
	e.s.checkMu.Lock()
	src, err := native.Emit(u, e.s.names.id)
	e.s.checkMu.Unlock()
	if err != nil {
		return &cell.Error{Name: "CompileError", Value: err.Error(), Traceback: []string{red("compile: ") + err.Error()}}
	}
	e.s.names.rename(e.req.Count, src.Cell) // before the compiler may speak of it
	built, err := e.s.builder.Build(e.ctx, src)
	if err == nil && (len(e.s.held.differ(built.Means)) > 0 || differ(e.means, built.Means)) {
		built, err = e.s.builder.BuildAlone(e.ctx, src)
	}
	if err != nil {
		if e.interrupted() || errors.Is(err, context.Canceled) {
			return e.stoppedError("while the cell was being compiled; nothing of it ran")
		}
		if missingTool(err) {
			if r.Straight = e.slowly(u); r.Straight != nil {
				return nil
			}
			return e.noToolchain(u, err)
		}
		return e.buildError(err)
	}
	e.s.held.add(built.Means)
	r.Native = &worker.Native{File: built.File, Hash: src.Hash, Literals: src.Literals}
	e.s.packages.built(src, u)
	if len(u.New)+len(u.Again) > 0 {
		e.s.remember(*r.Native)
	}
	return nil
}

// remember notes a plugin whose functions a new worker has to bind again.
func (s *Session) remember(n worker.Native) {
	n.BindOnly, n.Literals = true, nil
	for i, have := range s.loaded {
		if have.Hash == n.Hash {
			s.loaded = append(s.loaded[:i], s.loaded[i+1:]...)
			break
		}
	}
	s.loaded = append(s.loaded, n)
}

// perform has the worker run r and waits for the end, which may be the worker's. It
// lets go of the session meanwhile, so that cells of other subshells have their turn.
func (e *execution) perform(h *hand, r *worker.Run) (worker.Done, *cell.Error) {
	e.s.running.Unlock()
	done, err := e.await(h, r)
	e.s.running.Lock()
	switch {
	case errors.Is(err, errGone):
		return worker.Done{}, e.lost(h)
	case err != nil:
		return worker.Done{}, e.stoppedError(err.Error())
	}
	return done, e.outcome(done)
}

var (
	errGone     = errors.New("the worker is gone")
	errTooEarly = errors.New("before the cell ran")
)

// await has the worker run r and waits for the end: errGone says that it is the
// worker's, errTooEarly that an interrupt came first.
func (e *execution) await(h *hand, r *worker.Run) (worker.Done, error) {
	r.ID = int(e.s.nextID.Add(1))
	h.attach(e.out, e.asyncFailure)
	e.mu.Lock()
	e.hand, e.runID = h, r.ID
	stopped := e.stopped > 0
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.hand, e.runID = nil, 0
		e.mu.Unlock()
	}()
	if stopped {
		return worker.Done{}, errTooEarly
	}
	run, err := h.start(r, e.out, func(q worker.Ask) { e.answer(h, q) })
	if err != nil {
		return worker.Done{}, errGone
	}
	if e.interrupted() { // its Stop may have gone before the Run, and met nothing
		_ = h.client.Send(worker.Request{Stop: &worker.Stop{ID: r.ID}})
	}
	// Only fails for a worker that is going down, which the wait below tells.
	_ = h.client.OpenInput()
	watch := e.watchInput(h)
	defer watch()
	sleep := e.watchSleep(h, r.ID)
	defer sleep()
	select {
	case done := <-run.done:
		return done, nil
	case <-h.gone:
		select {
		case done := <-run.done:
			return done, nil
		default:
		}
		return worker.Done{}, errGone
	}
}

// outcome turns what the worker said into the cell's error, nil if it ran well.
func (e *execution) outcome(done worker.Done) *cell.Error {
	switch {
	case done.Interrupted && e.refused != "":
		return &cell.Error{Name: "InputError", Value: e.refused, Traceback: []string{red("InputError: ") + e.refused}}
	case done.Failure != nil:
		return e.failure(done.Failure)
	case done.Detached:
		return e.stoppedError("the cell is over, and all values are kept. It was in a call that Go cannot stop, as time.Sleep: " +
			"that goes on in the background until it returns, and nothing it prints is shown. You can go on; restarting the kernel ends it")
	case done.Interrupted:
		return e.stoppedError("all values are kept")
	case done.Exited && done.ExitCode != 0:
		return &cell.Error{Name: "Exit", Value: fmt.Sprintf("exit status %d", done.ExitCode),
			Traceback: []string{red(fmt.Sprintf("os.Exit(%d)", done.ExitCode)) + ": the cell ended here; all values are kept"}}
	}
	if e.refused != "" {
		return &cell.Error{Name: "InputError", Value: e.refused, Traceback: []string{red("InputError: ") + e.refused}}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.unanswered && e.stopped > 0 {
		return e.stoppedError("all values are kept")
	}
	return nil
}

func (e *execution) stoppedError(what string) *cell.Error {
	return &cell.Error{Name: "Interrupted", Value: "interrupted: " + what, Traceback: []string{red("Interrupted") + ": " + what}}
}

// say writes a line of the kernel's own into the cell's output.
func (e *execution) say(text string) { e.out.Stream(cell.Stderr, []byte(text)) }

// expression evaluates one user expression.
func (e *execution) expression(expr string) cell.Value {
	sink := &capture{Sink: e.out}
	sub := &execution{s: e.s, req: e.req, out: sink, ctx: e.ctx, cancel: e.cancel}
	e.follow(sub)
	err := sub.goCode(expr, false)
	e.follow(nil)
	if err != nil {
		return cell.Value{Err: err}
	}
	return cell.Value{Bundle: sink.bundle}
}

// capture keeps the result and passes everything else on.
type capture struct {
	cell.Sink
	bundle mime.Bundle
}

func (c *capture) Result(b mime.Bundle) { c.bundle = b }

func (c *capture) Comm(m cell.Comm) {
	if to, ok := c.Sink.(cell.CommSink); ok {
		to.Comm(m)
	}
}
