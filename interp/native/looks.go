package native

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"attune/interp/check"
)

// look stands behind what may block: there a goroutine that an interrupt found in a
// call ends when it comes back, before it does or prints anything more. Its word
// stays up for as long as such a goroutine lives; that of the loops does not, so
// that other cells keep their speed.
const look = " if " + rtName + ".Left != 0 { " + rtName + ".Safepoint() }; "

// looks puts a look between each statement that may block and the next. At the top
// level of a cell, where a statement runs once, it puts one between all.
func (r *rewriter) looks(list []ast.Stmt, top bool) {
	for i, s := range list {
		if i > 0 && (top || r.mayBlock(list[i-1])) {
			r.insert(r.off(s.Pos()), look)
		}
	}
}

// mayBlock tells whether s is a channel operation or a call beyond the session that
// is made for what it does: one whose results are not used, or whose last is an error.
func (r *rewriter) mayBlock(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.SendStmt:
		return true
	case *ast.ExprStmt:
		return receives(s.X) || r.foreign(s.X)
	case *ast.AssignStmt:
		return slices.ContainsFunc(s.Rhs, func(x ast.Expr) bool {
			return receives(x) || r.foreign(x) && r.fails(x)
		})
	}
	return false
}

// receives tells whether x, outside of function literals, receives from a channel.
func receives(x ast.Expr) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		}
		return !found
	})
	return found
}

// foreign tells whether x calls a function or method that no cell declares.
func (r *rewriter) foreign(x ast.Expr) bool {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	var obj types.Object
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		obj = r.u.Info.Uses[f]
	case *ast.SelectorExpr:
		obj = r.u.Info.Uses[f.Sel]
	}
	fn, ok := obj.(*types.Func)
	return ok && fn.Pkg() != nil && fn.Pkg().Path() != check.PkgPath
}

// fails tells whether the last result of the call x is an error.
func (r *rewriter) fails(x ast.Expr) bool {
	t := r.u.Info.Types[x].Type
	if tuple, ok := t.(*types.Tuple); ok && tuple.Len() > 0 {
		t = tuple.At(tuple.Len() - 1).Type()
	}
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}

// recovers tells whether call is one of recover.
func (r *rewriter) recovers(call *ast.CallExpr) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return false
	}
	b, ok := r.u.Info.Uses[id].(*types.Builtin)
	return ok && b.Name() == "recover"
}
