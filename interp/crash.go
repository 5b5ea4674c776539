package interp

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/worker"
)

// lost says what ended the worker, starts a fresh one, binds the compiled
// functions again, and lists what is gone.
func (e *execution) lost(h *hand) *cell.Error {
	<-h.gone
	exit := h.client.Exit()
	h.client.Close()
	if e.s.worker() != h { // a cell beside this one noticed first, and has said what is gone
		const what = "the worker process ended while the cell ran: a cell beside it ended it, or restarted it"
		return &cell.Error{Name: "worker ended", Value: what, Traceback: []string{red("worker ended") + ": " + what}}
	}
	err := e.autopsy(h.report, exit)
	if len(err.Traceback) == 1 && !e.interrupted() {
		err.Traceback = append(err.Traceback, "  while "+check.CellName(e.req.Count)+" ran")
	}
	gone, berr := e.s.revive(e)
	if e.s.crashed == nil {
		e.s.crashed = map[int]bool{}
	}
	e.s.crashed[e.req.Count] = true
	switch {
	case berr != nil:
		err.Traceback = append(err.Traceback, "no new worker could be started: "+berr.Error())
	case len(gone) > 0:
		err.Traceback = append(err.Traceback, "the session goes on; functions and types are kept, these variables are gone: "+strings.Join(gone, ", "),
			"%restore runs the cells again that made them")
	default:
		err.Traceback = append(err.Traceback, "the session goes on; no variables were lost")
	}
	return err
}

// mend starts a new worker where the old one ended between two cells, and says so.
func (e *execution) mend() *cell.Error {
	h := e.s.worker()
	if !h.isGone() {
		return nil
	}
	err := e.autopsy(h.report, h.client.Exit())
	h.client.Close()
	gone, berr := e.s.revive(e)
	if berr != nil {
		return &cell.Error{Name: "KernelError", Value: berr.Error(), Traceback: []string{red("KernelError: ") + berr.Error()}}
	}
	what := "no variables were lost"
	if len(gone) > 0 {
		what = "these variables are gone: " + strings.Join(gone, ", ")
	}
	e.say(fmt.Sprintf("the worker process ended after the last cell (%s); %s\n", err.Value, what))
	return nil
}

// restart starts a fresh worker because the user wants one, and says what is gone.
func (e *execution) restart() *cell.Error {
	if err := e.alone(); err != nil {
		return magicError("%w", err)
	}
	h := e.s.worker()
	h.client.Close()
	<-h.gone
	gone, err := e.s.revive(e)
	if err != nil {
		return &cell.Error{Name: "KernelError", Value: err.Error(), Traceback: []string{red("KernelError: ") + err.Error()}}
	}
	what := "no variables were lost"
	if len(gone) > 0 {
		what = "these variables are gone: " + strings.Join(gone, ", ") + "; %restore runs the cells again that made them"
	}
	e.say("the worker process is a fresh one; functions and types are kept, " + what + "\n")
	return nil
}

// revive starts a new worker for the session as it stands, without its values.
func (s *Session) revive(e *execution) (gone []string, err error) {
	before := s.scope.Load()
	scope := before.Clone()
	lost := scope.Forget(func(d *check.Decl) bool { return d.Kind != check.Var })
	for _, d := range lost {
		gone = append(gone, d.Name)
	}
	s.takeLost(lost, before)
	s.scope.Store(scope)
	h, err := s.newWorker()
	if err != nil {
		return gone, err
	}
	h.attach(e.out, e.asyncFailure)
	kept := s.loaded[:0]
	for _, n := range s.loaded {
		run, err := h.start(&worker.Run{ID: int(s.nextID.Add(1)), Native: &n}, e.out, nil)
		if err != nil {
			return gone, err
		}
		select {
		case done := <-run.done:
			if done.Failure == nil {
				kept = append(kept, n)
			}
		case <-h.gone:
			return gone, fmt.Errorf("the new worker ended: %s", h.client.Exit())
		}
	}
	s.loaded = kept
	return gone, nil
}

var frameLine = regexp.MustCompile(`^\t(.*?):(\d+)(?: (?:\+0x|fp=0x)[0-9a-f]+.*)?$`)

// autopsy words the runtime's last report: what it was, and the user's frames.
func (e *execution) autopsy(report, exit string) *cell.Error {
	if e.interrupted() && report == "" {
		return e.stoppedError("the worker process was ended, because the cell did not stop at the first interrupt")
	}
	name, text := "worker ended", exit
	if what, ok := strings.CutPrefix(exit, "exit status "); ok {
		text = "the cell ended its process with exit status " + what
	} else if what, ok := strings.CutPrefix(exit, "signal: "); ok {
		text = "its process was ended from outside by the signal \"" + what + "\""
	}
	fault := ""
	for line := range strings.Lines(report) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "runtime: goroutine stack exceeds"):
			name, text = "fatal error", "stack overflow: a function calls itself without end"
		case strings.HasPrefix(line, "unexpected fault address "):
			fault = line
		case line == "fatal error: fault" && fault != "":
			name, text = "fatal error", fault
		case strings.HasPrefix(line, "fatal error: ") && name != "fatal error":
			name, text = "fatal error", strings.TrimPrefix(line, "fatal error: ")
		case strings.HasPrefix(line, "panic: ") && name == "worker ended":
			name, text = "panic", strings.TrimPrefix(line, "panic: ")
		case strings.HasPrefix(line, "SIG") && name == "worker ended":
			name, text = "fatal error", line
		}
	}
	lines := []string{red(name + ": " + text)}
	lines = append(lines, e.frames(dedupe(e.reported(report)))...)
	return &cell.Error{Name: name, Value: text, Traceback: lines}
}

// reported reads the frames of the first goroutine in the runtime's report that was
// in a cell: the runtime begins with the one that failed.
func (e *execution) reported(report string) (frames []worker.Frame) {
	fn, found := "", false
	for line := range strings.Lines(report) {
		line = strings.TrimRight(line, "\n")
		if found && strings.HasPrefix(line, "goroutine ") {
			break
		}
		if m := frameLine.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[2])
			frames = append(frames, worker.Frame{Func: fn, File: m[1], Line: n})
			_, ok := e.s.names.text(baseName(m[1]))
			found = found || ok
		} else if i := strings.LastIndexByte(line, '('); i > 0 {
			fn = strings.TrimPrefix(line[:i], "created by ")
		}
	}
	return frames
}

// dedupe drops the repetitions that recursion makes.
func dedupe(frames []worker.Frame) []worker.Frame {
	return slices.CompactFunc(frames, func(a, b worker.Frame) bool { return a.File == b.File && a.Line == b.Line })
}
