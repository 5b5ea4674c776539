// Package plan decides which engine runs a checked cell. It imports interp/check,
// the frames of interp/worker, and the list of names that the instant engine knows.
package plan

import (
	"attune/interp/check"
	"attune/interp/worker"
)

// Engine is what runs a cell.
type Engine string

// The engines. Nothing is for cells that only declare what has no body to run.
const (
	Yaegi   Engine = "yaegi (instant)"
	Native  Engine = "native (compiled)"
	Nothing Engine = "none (nothing to run)"
)

// Decision is an engine and the reason, in words for %plan.
type Decision struct {
	Engine   Engine
	Why      string
	Straight *worker.Straight
}

// Decide plans u. Straight-line cells that the instant engine is known to get right
// go there; all else is compiled.
func Decide(u *check.Unit, forced bool) Decision {
	if forced {
		return Decision{Engine: Native, Why: "%%native asks for it"}
	}
	if idle(u) {
		return Decision{Engine: Nothing, Why: "imports, types and constants alone leave nothing to run"}
	}
	return Decision{Engine: Native, Why: "todo"}
}

// idle tells whether the unit has nothing that runs.
func idle(u *check.Unit) bool {
	if u.Body != nil || len(u.Rebinds) > 0 || len(u.Inits) > 0 || len(u.Blank) > 0 || u.Main {
		return false
	}
	for _, d := range append(append([]*check.Decl{}, u.New...), u.Again...) {
		if d.Kind == check.Func && !d.Generic || d.Kind == check.Method && !d.Generic || d.Kind == check.Var {
			return false
		}
	}
	return len(u.Info.InitOrder) == 0
}
