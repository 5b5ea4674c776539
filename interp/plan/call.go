package plan

import (
	"go/ast"
	"go/types"
	"strings"
)

// call writes a conversion or a call, with any number of results.
func (w *writer) call(e *ast.CallExpr) string {
	fun := w.info.Types[e.Fun]
	switch {
	case fun.IsType():
		return w.conversion(e, fun.Type)
	case fun.IsBuiltin():
		return w.callBuiltin(e)
	}
	text := w.callee(e.Fun)
	var args []string
	for _, a := range e.Args {
		if tuple, ok := w.typeOf(a).(*types.Tuple); ok && tuple != nil {
			args = append(args, w.multiple(a))
			continue
		}
		// A sequence goes from one function to the next, and nowhere else.
		if call, ok := ast.Unparen(a).(*ast.CallExpr); ok && sequence(w.typeOf(a)) {
			args = append(args, w.call(call))
			continue
		}
		args = append(args, w.expr(a))
	}
	text += "(" + strings.Join(args, ", ")
	if e.Ellipsis.IsValid() {
		text += "..."
	}
	return text + ")"
}

// callee writes what is called: a function, a function value, or a method.
func (w *writer) callee(f ast.Expr) string {
	if sig, ok := w.typeOf(f).Underlying().(*types.Signature); !ok || sig.TypeParams().Len() > 0 {
		return w.refuse(f, "a call of something generic")
	}
	sel, ok := ast.Unparen(f).(*ast.SelectorExpr)
	if !ok {
		if _, ok := ast.Unparen(f).(*ast.FuncLit); ok {
			return w.refuse(f, "a function literal")
		}
		return w.operand(f)
	}
	method := w.info.Selections[sel]
	if method == nil || method.Kind() != types.MethodVal {
		return w.operand(f)
	}
	fn := method.Obj().(*types.Func)
	switch recv := fn.Signature().Recv().Type(); {
	case asksCaller(fn):
		return w.refuse(f, "the method "+sel.Sel.Name+" looks at who calls it")
	case !w.exportedPath(method, sel):
		return w.refuse(f, "the method "+sel.Sel.Name+", which is not exported or not reached by exported fields")
	case instance(recv) || instance(method.Recv()):
		return w.refuse(f, "a method of the generic type "+w.show(method.Recv()))
	case pointerTo(recv) && !pointerTo(method.Recv()) && !w.mayPoint(sel.X):
		return w.refuse(f, "the address of the loop variable that "+sel.Sel.Name+" is called on")
	}
	return w.expr(sel.X) + "." + sel.Sel.Name
}

func pointerTo(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// mayPoint tells whether the address of e may be taken by a method call: it must
// not be that of a loop's variable, of which the interpreter has one for all rounds.
func (w *writer) mayPoint(e ast.Expr) bool {
	if w.lasting(e) {
		return true
	}
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return !w.fixed[w.object(x)]
		default:
			return true
		}
	}
}

// builtin is the name of the built-in function that e calls, "" if it calls none.
func (w *writer) builtin(e *ast.CallExpr) string {
	if !w.info.Types[e.Fun].IsBuiltin() {
		return ""
	}
	switch f := ast.Unparen(e.Fun).(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func (w *writer) callBuiltin(e *ast.CallExpr) string {
	name := w.builtin(e)
	var args []string
	rest := e.Args
	switch name {
	case "min", "max":
		return w.extreme(name, e)
	case "clear":
		return clearHelper + "(" + w.expr(e.Args[0]) + ")"
	case "append", "copy", "delete", "panic", "complex", "real", "imag":
	case "len", "cap":
		switch w.typeOf(e.Args[0]).Underlying().(type) {
		case *types.Pointer, *types.Chan:
			return w.refuse(e, name+" of a "+w.show(w.typeOf(e.Args[0])))
		}
	case "make", "new":
		if !w.info.Types[e.Args[0]].IsType() {
			return w.refuse(e, "new with a value")
		}
		args, rest = append(args, w.typeText(w.typeOf(e.Args[0]), e.Args[0])), rest[1:]
	default:
		return w.refuse(e, "a call of "+name)
	}
	for _, a := range rest {
		args = append(args, w.expr(a))
	}
	text := name + "(" + strings.Join(args, ", ")
	if e.Ellipsis.IsValid() {
		text += "..."
	}
	return text + ")"
}

// conversion writes T(x) for the pairs of types that are converted right.
func (w *writer) conversion(e *ast.CallExpr, to types.Type) string {
	x := e.Args[0]
	from := w.typeOf(x)
	if !w.converts(x, from, to) {
		return w.refuse(e, "a conversion of "+w.show(from)+" to "+w.show(to))
	}
	text := w.typeText(to, e)
	switch types.Unalias(to).(type) {
	case *types.Pointer, *types.Signature:
		text = "(" + text + ")"
	}
	return text + "(" + w.expr(x) + ")"
}

func (w *writer) converts(x ast.Expr, from, to types.Type) bool {
	if w.info.Types[x].IsNil() {
		return pointerTo(to) || types.Identical(to, types.Universe.Lookup("error").Type())
	}
	f, t := basicInfo(from), basicInfo(to)
	switch {
	case instance(from) || instance(to):
		return false
	case isInterface(to):
		return true
	case f&types.IsNumeric != 0 && t&types.IsNumeric != 0:
		return true
	case t&types.IsString != 0:
		return f&(types.IsString|types.IsInteger) != 0 || text(from)
	case text(to):
		return f&types.IsString != 0 || text(from)
	case types.Identical(from.Underlying(), to.Underlying()):
		return open(to) && !pointerTo(to)
	}
	_, slice := from.Underlying().(*types.Slice)
	_, array := to.Underlying().(*types.Array)
	return slice && array
}

// text tells whether t is a slice of bytes or of runes.
func text(t types.Type) bool {
	s, ok := t.Underlying().(*types.Slice)
	if !ok {
		return false
	}
	b, ok := types.Unalias(s.Elem()).(*types.Basic)
	return ok && (b.Kind() == types.Uint8 || b.Kind() == types.Int32)
}
