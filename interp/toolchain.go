package interp

import (
	"errors"

	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/native"
	"attune/interp/plan"
	"attune/interp/worker"
)

// missingTool tells whether a build failed for want of the compiler or the linker.
func missingTool(err error) bool {
	return errors.Is(err, native.ErrNoToolchain) || errors.Is(err, native.ErrNoLinker)
}

// slowly is the cell for the instant engine if it can take it at some length, nil if
// it cannot.
func (e *execution) slowly(u *check.Unit) []byte {
	if e.forced {
		return nil
	}
	e.s.checkMu.Lock()
	d := plan.Slowly(u)
	e.s.checkMu.Unlock()
	if d.Straight == nil {
		return nil
	}
	return e.packed(d.Straight)
}

// packed is the cell for the instant engine as it crosses to the worker, with its place.
func (e *execution) packed(s *worker.Straight) []byte {
	s.File, s.Line = e.s.names.id(e.req.Count), 1
	return s.Pack()
}

// noToolchain says what in the cell asked for the compiler that is not there, where
// it stands, and what helps. The session goes on without: what the instant engine
// takes runs, and so does whatever was built before.
func (e *execution) noToolchain(u *check.Unit, err error) *cell.Error {
	e.s.checkMu.Lock()
	d := plan.Slowly(u)
	e.s.checkMu.Unlock()
	if e.forced {
		d = plan.Decide(u, true)
	}
	what := d.Why
	if d.Engine != plan.Native {
		what = "the cell makes values of a type that no compiled cell has brought yet"
	}
	return &cell.Error{Name: "NoToolchain", Value: what + ": " + err.Error(), Traceback: []string{
		red("NoToolchain: ") + what + ", which the instant engine does not take",
		err.Error(),
		"until then, cells of plain statements run, and so do functions that were compiled before",
	}}
}
