package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// place writes e, the left side of an assignment. The indices in it are computed
// into temporaries beforehand, unless they are constants or names, because the
// left side itself must call nothing. The bounds are checked by what the returned
// function emits: Go checks them after it has computed the right side.
func (w *writer) place(e ast.Expr) (text string, check func()) {
	var checks []func()
	text = w.placeIn(e, &checks)
	return text, func() {
		for _, c := range checks {
			c()
		}
	}
}

func (w *writer) placeIn(e ast.Expr, checks *[]func()) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return "(" + w.placeIn(e.X, checks) + ")"
	case *ast.Ident:
		if e.Name == "_" {
			return "_"
		}
		return w.variableIn(e)
	case *ast.SelectorExpr:
		sel := w.info.Selections[e]
		if sel == nil || sel.Kind() != types.FieldVal || !w.exportedPath(sel, e) {
			return w.refuse(e, "assigns to "+e.Sel.Name+", which the instant engine cannot reach")
		}
		return w.placeBase(e.X, checks) + "." + e.Sel.Name
	case *ast.StarExpr:
		return "*" + w.placeBase(e.X, checks)
	case *ast.IndexExpr:
		return w.placeIndex(e, checks)
	}
	return w.refuse(e, "assigns to the result of a call")
}

// placeBase is what the place goes through: a pointer, slice or map is only read.
func (w *writer) placeBase(e ast.Expr, checks *[]func()) string {
	if id, ok := ast.Unparen(e).(*ast.Ident); ok && !w.foreign(w.object(id)) {
		switch w.typeOf(e).Underlying().(type) {
		case *types.Pointer, *types.Slice, *types.Map:
			return w.ident(id)
		}
	}
	return w.placeIn(e, checks)
}

// variableIn is a variable that may be assigned to.
func (w *writer) variableIn(id *ast.Ident) string {
	obj := w.object(id)
	if w.fixed[obj] && !w.moves[obj] {
		return w.refuse(id, "assigns to the loop variable "+id.Name)
	}
	if w.foreign(obj) {
		return w.refuse(id, "assigns to "+id.Name+" of another package")
	}
	return w.ident(id)
}

// foreign tells whether obj is no variable, or one of another package.
func (w *writer) foreign(obj types.Object) bool {
	v, ok := obj.(*types.Var)
	return !ok || w.u.DeclOf(obj) == nil && v.Parent() == v.Pkg().Scope()
}

func (w *writer) object(id *ast.Ident) types.Object {
	if obj := w.info.Uses[id]; obj != nil {
		return obj
	}
	return w.info.Defs[id]
}

func (w *writer) placeIndex(e *ast.IndexExpr, checks *[]func()) string {
	base := w.placeBase(e.X, checks)
	tv := w.info.Types[e.Index]
	index := w.expr(e.Index)
	if tv.Value == nil && !w.simple(e.Index) {
		t := w.temp()
		w.emit(t + " := " + index)
		index = t
	}
	switch x := w.typeOf(e.X).Underlying().(type) {
	case *types.Map:
		return base + "[" + index + "]"
	case *types.Array:
		if tv.Value != nil {
			return base + "[" + index + "]"
		}
	case *types.Slice:
	default:
		return w.refuse(e, "assigns to an element of a "+w.show(x))
	}
	t := w.temp()
	*checks = append(*checks, func() { w.emit(t + " := " + indexHelper + "(int(" + index + "), len(" + base + "))") })
	return base + "[" + t + "]"
}

// simple tells whether e can stand on the right as it is: nil, a name or a
// constant. All else goes through a temporary of its own type first.
func (w *writer) simple(e ast.Expr) bool {
	tv := w.info.Types[e]
	_, name := ast.Unparen(e).(*ast.Ident)
	return name || tv.IsNil() || tv.Value != nil
}

// right is the right side e, ready for the place that it goes to.
func (w *writer) right(e ast.Expr) string {
	text := w.expr(e)
	if w.simple(e) {
		return text
	}
	t := w.temp()
	w.emit(t + " := " + text)
	return t
}

// assign writes an assignment of one of Go's three forms to places.
func (w *writer) assign(at ast.Node, left, right []ast.Expr) {
	if len(left) != len(right) {
		w.assignTuple(left, right[0])
		return
	}
	if len(left) > 1 {
		for _, r := range right {
			if w.info.Types[r].IsNil() || w.convertsToInterface(r) {
				w.refuse(r, "nil or a conversion to an interface among several right sides")
				return
			}
		}
	}
	var places, values []string
	var checks []func()
	for _, l := range left {
		p, check := w.place(l)
		places, checks = append(places, p), append(checks, check)
	}
	for _, r := range right {
		values = append(values, w.right(r))
	}
	for _, check := range checks {
		check()
	}
	w.emit(strings.Join(places, ", ") + " = " + strings.Join(values, ", "))
	w.assignedAll(left, right)
}

// assignTuple writes x, y = f() and x, ok = m[k]: the results go into temporaries
// first.
func (w *writer) assignTuple(left []ast.Expr, right ast.Expr) {
	var places, temps, values []string
	var checks []func()
	for _, l := range left {
		p, check := w.place(l)
		if p == "_" {
			temps = append(temps, "_")
			continue
		}
		t := w.temp()
		temps, values = append(temps, t), append(values, t)
		places, checks = append(places, p), append(checks, check)
	}
	text := w.multiple(right)
	w.assignedAll(left, nil)
	if len(places) == 0 {
		w.emit(strings.Join(temps, ", ") + " = " + text)
		return
	}
	w.emit(strings.Join(temps, ", ") + " := " + text)
	for _, check := range checks {
		check()
	}
	w.emit(strings.Join(places, ", ") + " = " + strings.Join(values, ", "))
}

// multiple is an expression with several values.
func (w *writer) multiple(e ast.Expr) string {
	switch x := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		return w.call(x)
	case *ast.IndexExpr:
		if _, ok := w.typeOf(x.X).Underlying().(*types.Map); ok {
			return w.expr(x.X) + "[" + w.expr(x.Index) + "]"
		}
	case *ast.TypeAssertExpr:
		return w.assertion(x)
	}
	return w.refuse(e, "receives from a channel")
}

func (w *writer) convertsToInterface(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	return ok && w.info.Types[call.Fun].IsType() && isInterface(w.typeOf(call))
}

// opAssign writes L op= R and, with no right side, L++ and L--.
func (w *writer) opAssign(s ast.Stmt, left ast.Expr, tok token.Token, right ast.Expr) {
	t := w.typeOf(left)
	op := tok.String()
	defer w.assigned(left, nil)
	if right == nil {
		if basicInfo(t)&types.IsNumeric == 0 {
			w.refuse(s, op+" of a "+w.show(t))
		}
		p, check := w.place(left)
		check()
		w.emit(p + op)
		return
	}
	if !w.arithmetic(binaryOf(tok), t, right) {
		w.refuse(s, op+" of a "+w.show(t))
		return
	}
	p, check := w.place(left)
	value := w.expr(right)
	check()
	w.emit(p + " " + op + " " + value)
}

// binaryOf gives the operator of an assignment operation, ILLEGAL for others.
func binaryOf(tok token.Token) token.Token {
	if tok >= token.ADD_ASSIGN && tok <= token.AND_NOT_ASSIGN {
		return tok - token.ADD_ASSIGN + token.ADD
	}
	return token.ILLEGAL
}
