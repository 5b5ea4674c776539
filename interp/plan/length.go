package plan

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"attune/interp/check"
	"attune/interp/worker"
)

// extent is how large a value is at most, as far as the text tells: a number's
// distance from 0, or a length. Where it depends on variables of earlier cells, the
// worker looks at them before it runs the cell. An extent only decides how long a
// loop may take, never what it does, so a variable that a called function changes
// is of no concern.
type extent = worker.Extent

// short takes a loop of n rounds in, refuses it if constants tell that its body would
// run too often, and returns what ends it.
func (w *writer) short(at ast.Node, n extent) (end func()) {
	if w.slow {
		return func() {}
	}
	before := w.loops
	w.loops = append(before[:len(before):len(before)], n)
	if worker.Times(w.loops, nil) > worker.MaxTimes {
		w.refuse(at, "a loop that runs more than "+strconv.Itoa(worker.MaxTimes)+" times")
	}
	if slices.ContainsFunc(w.loops, func(e extent) bool { return len(e.Of) > 0 }) {
		w.straight.Loops = append(w.straight.Loops, w.loops)
	}
	return func() { w.loops = before }
}

// size is the extent of e, a number or what has a length.
func (w *writer) size(e ast.Expr) (extent, bool) {
	if v := w.info.Types[e].Value; v != nil {
		if v.Kind() == constant.String {
			return extent{N: int64(len(constant.StringVal(v)))}, true
		}
		n, ok := w.integer(e)
		return extent{N: max(n, -n)}, ok
	}
	if a, ok := w.typeOf(e).Underlying().(*types.Array); ok {
		return extent{N: a.Len()}, true
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return w.sizeOf(e)
	case *ast.CompositeLit:
		return extent{N: int64(len(e.Elts))}, !keyedSlice(w.typeOf(e).Underlying(), e)
	case *ast.SliceExpr:
		return w.size(e.X)
	case *ast.BinaryExpr:
		return w.sizeOfBinary(e)
	case *ast.CallExpr:
		return w.sizeOfCall(e)
	}
	return extent{}, false
}

// sizeOf is the extent of a variable: what the cell itself gave it, or what it has
// from an earlier cell.
func (w *writer) sizeOf(id *ast.Ident) (extent, bool) {
	obj := w.object(id)
	if known, ok := w.sizes[obj]; ok {
		return known, known.N >= 0
	}
	d := w.u.DeclOf(obj)
	if d == nil || d.Kind != check.Var || slices.Contains(w.u.New, d) {
		return extent{}, false
	}
	switch t := obj.Type().Underlying().(type) {
	case *types.Slice, *types.Map:
	case *types.Basic:
		if t.Info()&(types.IsString|types.IsInteger) == 0 {
			return extent{}, false
		}
	default:
		return extent{}, false
	}
	return extent{Of: []string{d.Key}}, true
}

func (w *writer) sizeOfBinary(e *ast.BinaryExpr) (extent, bool) {
	x, ok := w.size(e.X)
	y, ok2 := w.size(e.Y)
	switch e.Op {
	case token.ADD, token.SUB:
		return extent{N: x.N + y.N, Of: append(x.Of[:len(x.Of):len(x.Of)], y.Of...)}, ok && ok2
	case token.QUO, token.SHR:
		return x, ok
	case token.REM:
		return y, ok2
	}
	return extent{}, false
}

// sizeOfCall knows conversions, some built-in functions, and those of package
// strings that cut a text.
func (w *writer) sizeOfCall(e *ast.CallExpr) (extent, bool) {
	if w.info.Types[e.Fun].IsType() {
		return w.size(e.Args[0])
	}
	switch w.builtin(e) {
	case "len":
		return w.size(e.Args[0])
	case "make":
		if len(e.Args) == 1 {
			return extent{}, true
		}
		return w.size(e.Args[1])
	case "append":
		x, ok := w.size(e.Args[0])
		x.N += int64(len(e.Args) - 1)
		if e.Ellipsis.IsValid() {
			y, ok2 := w.size(e.Args[1])
			return extent{N: x.N + y.N, Of: append(x.Of[:len(x.Of):len(x.Of)], y.Of...)}, ok && ok2
		}
		return x, ok
	case "":
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok {
			if f, ok := w.info.Uses[sel.Sel].(*types.Func); ok && f.Pkg() != nil && cuts(f.Pkg().Path(), f.Name()) {
				x, ok := w.size(e.Args[0])
				x.N++
				return x, ok
			}
		}
	}
	return extent{}, false
}

func cuts(path, name string) bool {
	if path != "strings" && path != "bytes" {
		return false
	}
	switch name {
	case "Split", "SplitN", "SplitAfter", "Fields", "ToUpper", "ToLower", "TrimSpace", "Trim":
		return true
	}
	return false
}

// assigned notes what left gets: right, or something unknown where that is nil.
func (w *writer) assigned(left, right ast.Expr) {
	id, ok := ast.Unparen(left).(*ast.Ident)
	if !ok || id.Name == "_" {
		return
	}
	n, known := extent{}, false
	if right != nil {
		n, known = w.size(right)
	}
	if known && len(w.loops) > 0 { // where it may grow with each round
		_, literal := ast.Unparen(right).(*ast.CompositeLit)
		known = literal || w.info.Types[right].Value != nil
	}
	if !known {
		n = extent{N: -1}
	}
	w.sizes[w.object(id)] = n
}

// assignedAll notes an assignment of any form.
func (w *writer) assignedAll(left, right []ast.Expr) {
	for i, l := range left {
		if len(left) == len(right) {
			w.assigned(l, right[i])
		} else {
			w.assigned(l, nil)
		}
	}
}
