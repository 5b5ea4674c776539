// Package plan decides which engine runs a checked cell, and writes cells for the
// instant engine in its normal form (see interp/yaegi). It imports interp/check,
// the frames of interp/worker, and the list of names that the symbol tables hold.
//
// Writing is deciding: the writer knows only the node kinds and type conditions of
// the white list, and what it cannot write is compiled. So nothing gets to the
// instant engine because someone forgot to forbid it.
package plan

import (
	"fmt"
	"go/ast"
	"go/token"

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
	Engine Engine
	// Why names for the native engine the first construct that asked for it.
	Why string
	// Straight is the cell for the instant engine, without File and Line.
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
	if why := declares(u); why != "" {
		return Decision{Engine: Native, Why: why}
	}
	return decide(u, false)
}

// Slowly plans u where there is no compiler: loops may be of any length.
func Slowly(u *check.Unit) Decision {
	if why := declares(u); why != "" {
		return Decision{Engine: Native, Why: why}
	}
	return decide(u, true)
}

func decide(u *check.Unit, slow bool) Decision {
	straight, why := write(u, slow)
	if why != "" {
		return Decision{Engine: Native, Why: why}
	}
	return Decision{Engine: Yaegi, Why: "every statement is of a kind that the instant engine gets right", Straight: straight}
}

// idle tells whether the unit has nothing that runs.
func idle(u *check.Unit) bool {
	if u.Body != nil || len(u.Rebinds) > 0 || len(u.Inits) > 0 || len(u.Blank) > 0 || u.Main {
		return false
	}
	for _, list := range [][]*check.Decl{u.New, u.Again} {
		for _, d := range list {
			if d.Kind == check.Func && !d.Generic || d.Kind == check.Method && !d.Generic || d.Kind == check.Var {
				return false
			}
		}
	}
	return len(u.Info.InitOrder) == 0
}

// declares says what the unit declares that only the compiler can make, "" if
// nothing.
func declares(u *check.Unit) string {
	for _, d := range u.New {
		if d.Kind != check.Var && d.Kind != check.Const {
			return fmt.Sprintf("line %d: declares %s %s", d.Line, d.Kind, d.Name)
		}
	}
	switch {
	case len(u.Inits) > 0:
		return fmt.Sprintf("line %d: declares func init", u.Fset.Position(u.Inits[0].Pos()).Line)
	case u.Main:
		return "runs func main"
	case len(u.Blank) > 0:
		return fmt.Sprintf("imports %q for its effect", u.Blank[0])
	case len(u.Rebinds) > 0:
		return "gives " + u.Rebinds[0].To.Name + " its newer type"
	}
	if len(u.Again) > 0 {
		return "compiles " + u.Again[0].Name + " again, because something it uses has changed"
	}
	for _, f := range u.Files {
		if why := declaresOther(u, f); why != "" {
			return why
		}
	}
	return ""
}

// declaresOther finds declarations that became none of the session's: func _ and
// type _, and those of earlier cells.
func declaresOther(u *check.Unit, f *check.File) string {
	for _, d := range f.AST.Decls {
		g, ok := d.(*ast.GenDecl)
		if f.Decl != nil || !ok || g.Tok == token.TYPE {
			return fmt.Sprintf("line %d: declares more than variables and constants", u.Fset.Position(d.Pos()).Line)
		}
	}
	return ""
}
