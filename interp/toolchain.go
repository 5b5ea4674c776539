package interp

import (
	"errors"

	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/native"
	"attune/interp/plan"
)

// missingTool tells whether a build failed for want of the compiler or the linker.
func missingTool(err error) bool {
	return errors.Is(err, native.ErrNoToolchain) || errors.Is(err, native.ErrNoLinker)
}

// noToolchain says what in the cell asked for the compiler that is not there, where
// it stands, and what helps. The session goes on without: what the instant engine
// takes runs, and so does whatever was built before.
func (e *execution) noToolchain(u *check.Unit, err error) *cell.Error {
	e.s.checkMu.Lock()
	d := plan.Decide(u, e.forced)
	e.s.checkMu.Unlock()
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
