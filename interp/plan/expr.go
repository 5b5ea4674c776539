package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"attune/interp/check"
)

// indexHelper is the engine's function that panics as indexing does.
const indexHelper = "attune_index"

// sliceHelper and cutHelper do the same for slices and strings.
const (
	sliceHelper = "attune_slice"
	cutHelper   = "attune_cut"
	clearHelper = "attune_clear" // stands for the built-in clear
)

func (w *writer) typeOf(e ast.Expr) types.Type {
	if tv, ok := w.info.Types[e]; ok {
		return tv.Type
	}
	if id, ok := e.(*ast.Ident); ok {
		if obj := w.object(id); obj != nil {
			return obj.Type()
		}
	}
	return types.Typ[types.Invalid]
}

// expr writes an expression with one value.
func (w *writer) expr(e ast.Expr) string {
	if w.why != "" {
		return ""
	}
	tv := w.info.Types[e]
	switch {
	case tv.IsType():
		return w.refuse(e, "a type where a value is expected")
	case tv.Value != nil:
		return w.constant(e, tv)
	case tv.IsNil():
		return "nil"
	case tv.Type != nil && instance(tv.Type):
		return w.refuse(e, "the generic type "+w.show(tv.Type))
	}
	w.need(tv.Type, e)
	return w.operand(e)
}

// operand writes an expression whose type need not be known: a function is called
// by its own.
func (w *writer) operand(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return "(" + w.expr(e.X) + ")"
	case *ast.Ident:
		return w.ident(e)
	case *ast.SelectorExpr:
		return w.selector(e)
	case *ast.CallExpr:
		return w.call(e)
	case *ast.BinaryExpr:
		return w.binary(e)
	case *ast.UnaryExpr:
		return w.unary(e)
	case *ast.StarExpr:
		return "*" + w.expr(e.X)
	case *ast.IndexExpr:
		return w.index(e)
	case *ast.IndexListExpr:
		return w.operand(e.X)
	case *ast.SliceExpr:
		return w.slice(e)
	case *ast.CompositeLit:
		return w.literal(e)
	case *ast.TypeAssertExpr:
		return w.refuse(e, "a type assertion that panics when it fails")
	}
	return w.refuse(e, construct(e))
}

// ident writes a name that stands for a variable or a function.
func (w *writer) ident(id *ast.Ident) string {
	obj := w.object(id)
	if inst, generic := w.info.Instances[id]; generic {
		return w.instance(id, obj, inst)
	}
	if d := w.u.DeclOf(obj); d != nil {
		switch {
		case d.Kind == check.Var:
			return w.variable(d, id)
		case d.Kind == check.Func && !d.Generic:
			return w.bindFunc(d)
		}
		return w.refuse(id, "the "+d.Kind.String()+" "+d.Name)
	}
	switch o := obj.(type) {
	case *types.Var:
		if o.Parent() == o.Pkg().Scope() { // of a dot import
			return w.imported(o, id)
		}
		return w.local(id)
	case *types.Func:
		return w.imported(o, id)
	}
	return w.refuse(id, "the name "+id.Name)
}

// selector writes what a package exports, or a field. A method that is not called
// would see later changes of its receiver.
func (w *writer) selector(e *ast.SelectorExpr) string {
	if inst, generic := w.info.Instances[e.Sel]; generic {
		return w.instance(e, w.info.Uses[e.Sel], inst)
	}
	if id, ok := e.X.(*ast.Ident); ok {
		if _, ok := w.info.Uses[id].(*types.PkgName); ok {
			return w.imported(w.info.Uses[e.Sel], e)
		}
	}
	sel := w.info.Selections[e]
	switch {
	case sel == nil || sel.Kind() != types.FieldVal:
		return w.refuse(e, "the method "+e.Sel.Name+" as a value")
	case !w.exportedPath(sel, e):
		return w.refuse(e, "the field "+e.Sel.Name+", which is not exported")
	}
	return w.expr(e.X) + "." + e.Sel.Name
}

// exportedPath tells whether all fields that a selection goes through are exported.
func (w *writer) exportedPath(sel *types.Selection, at ast.Node) bool {
	if !sel.Obj().Exported() {
		return false
	}
	t := sel.Recv()
	index := sel.Index()
	for _, i := range index[:len(index)-1] {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		s, ok := t.Underlying().(*types.Struct)
		if !ok || !s.Field(i).Exported() || isInterface(s.Field(i).Type()) {
			return false
		}
		t = s.Field(i).Type()
	}
	return true
}

func (w *writer) binary(e *ast.BinaryExpr) string {
	t, left, right := w.typeOf(e), w.typeOf(e.X), w.typeOf(e.Y)
	switch e.Op {
	case token.LAND, token.LOR:
		if _, plain := types.Unalias(t).(*types.Basic); !plain {
			return w.refuse(e, "a condition of type "+w.show(t))
		}
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		if _, plain := types.Unalias(t).(*types.Basic); !plain || !w.comparable(e, left, right) {
			return w.refuse(e, "a comparison of "+w.show(left)+" with "+w.show(right))
		}
	default:
		if !w.arithmetic(e.Op, t, e.Y) {
			return w.refuse(e, "the operator "+e.Op.String()+" on "+w.show(t))
		}
	}
	return w.expr(e.X) + " " + e.Op.String() + " " + w.expr(e.Y)
}

// comparable admits what the interpreter compares right.
func (w *writer) comparable(e *ast.BinaryExpr, left, right types.Type) bool {
	if w.info.Types[e.X].IsNil() || w.info.Types[e.Y].IsNil() {
		t := left
		if w.info.Types[e.X].IsNil() {
			t = right
		}
		switch t.Underlying().(type) {
		case *types.Pointer, *types.Slice, *types.Map, *types.Signature, *types.Interface:
			return true
		}
		return false
	}
	for _, t := range []types.Type{left, right} {
		switch u := t.Underlying().(type) {
		case *types.Basic:
			if u.Kind() == types.UnsafePointer {
				return false
			}
		case *types.Struct, *types.Array:
			if !open(t) {
				return false
			}
		case *types.Pointer, *types.Interface:
		default:
			return false
		}
	}
	return true
}

// arithmetic tells whether op is right on operands of type t, y being the second.
func (w *writer) arithmetic(op token.Token, t types.Type, y ast.Expr) bool {
	info := basicInfo(t)
	switch op {
	case token.ADD:
		return info&(types.IsNumeric|types.IsString) != 0
	case token.SUB, token.MUL, token.QUO:
		return info&types.IsNumeric != 0
	case token.REM, token.AND, token.OR, token.XOR, token.AND_NOT:
		return info&types.IsInteger != 0
	case token.SHL, token.SHR:
		// A negative count panics, which the interpreter leaves out.
		count := w.info.Types[y]
		return info&types.IsInteger != 0 && (count.Value != nil || basicInfo(count.Type)&types.IsUnsigned != 0)
	}
	return false
}

func (w *writer) unary(e *ast.UnaryExpr) string {
	t := w.typeOf(e)
	info := basicInfo(t)
	switch e.Op {
	case token.ADD, token.SUB:
		if info&types.IsNumeric == 0 {
			return w.refuse(e, "the operator "+e.Op.String()+" on "+w.show(t))
		}
	case token.XOR:
		if info&types.IsInteger == 0 {
			return w.refuse(e, "the operator ^ on "+w.show(t))
		}
	case token.NOT:
		if _, plain := types.Unalias(t).(*types.Basic); !plain {
			return w.refuse(e, "a condition of type "+w.show(t))
		}
	case token.AND:
		return w.address(e)
	default:
		return w.refuse(e, construct(e))
	}
	x := w.expr(e.X)
	if strings.HasPrefix(x, e.Op.String()) {
		x = " " + x
	}
	return e.Op.String() + x
}

// address writes &x of a literal, or of what belongs to the session or is reached
// from it: not of the cell's own variables, which may be a loop's.
func (w *writer) address(e *ast.UnaryExpr) string {
	x := ast.Unparen(e.X)
	if lit, ok := x.(*ast.CompositeLit); ok {
		return "&" + w.literal(lit)
	}
	if !w.lasting(x) {
		return w.refuse(e, "the address of a variable of the cell's own")
	}
	return "&" + w.expr(e.X)
}

// lasting tells whether e is a session variable, or is reached from one or through
// a pointer, slice or map.
func (w *writer) lasting(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		d := w.u.DeclOf(w.object(e))
		return d != nil && d.Kind == check.Var
	case *ast.SelectorExpr:
		sel := w.info.Selections[e]
		if sel == nil {
			return false
		}
		_, pointer := w.typeOf(e.X).Underlying().(*types.Pointer)
		return pointer || w.lasting(e.X)
	case *ast.IndexExpr:
		_, slice := w.typeOf(e.X).Underlying().(*types.Slice)
		return slice || w.lasting(e.X)
	case *ast.StarExpr:
		return true
	}
	return false
}

// index writes x[i]. Out of range it panics in the runtime's words where x can be
// written twice.
func (w *writer) index(e *ast.IndexExpr) string {
	tv := w.info.Types[e.Index]
	if tv.IsType() { // of a generic function's instance
		return w.operand(e.X)
	}
	x, i := w.expr(e.X), w.expr(e.Index)
	switch t := w.typeOf(e.X).Underlying().(type) {
	case *types.Map:
		return x + "[" + i + "]"
	case *types.Array:
		if tv.Value != nil {
			return x + "[" + i + "]"
		}
	case *types.Slice:
	case *types.Basic:
		if t.Info()&types.IsString == 0 {
			return w.refuse(e, "an element of a "+w.show(t))
		}
	default:
		return w.refuse(e, "an element of a "+w.show(t))
	}
	if w.plain || calls(e.X) {
		return x + "[" + i + "]"
	}
	w.plain = true
	again := w.expr(e.X)
	w.plain = false
	return x + "[" + indexHelper + "(int(" + i + "), len(" + again + "))]"
}

// calls tells whether e calls anything, so that it cannot be written twice.
func calls(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if _, ok := n.(*ast.CallExpr); ok {
			found = true
		}
		return !found
	})
	return found
}

// repeats tells whether e calls anything but len and cap, so that writing it twice
// would do something twice.
func (w *writer) repeats(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return !found
		}
		id, ok := call.Fun.(*ast.Ident)
		found = found || !ok || !w.info.Types[call.Fun].IsBuiltin() || id.Name != "len" && id.Name != "cap"
		return !found
	})
	return found
}

// slice writes x[a:b] with the helper that words a failure as compiled code does.
func (w *writer) slice(e *ast.SliceExpr) string {
	if e.Slice3 || w.repeats(e) {
		return w.refuse(e, "a slice expression with a capacity or a call in it")
	}
	helper := sliceHelper
	switch t := w.typeOf(e.X).Underlying().(type) {
	case *types.Slice:
	case *types.Basic:
		if t.Info()&types.IsString == 0 {
			return w.refuse(e, "a slice of a "+w.show(t))
		}
		helper = cutHelper
	default:
		return w.refuse(e, "a slice of a "+w.show(t))
	}
	x := w.expr(e.X)
	plain := w.plain
	w.plain = true
	again := w.expr(e.X)
	low, high := "0", "len("+again+")"
	if e.Low != nil {
		low = "int(" + w.expr(e.Low) + ")"
	}
	if e.High != nil {
		high = "int(" + w.expr(e.High) + ")"
	}
	w.plain = plain
	sizes := "len(" + again + ")"
	if helper == sliceHelper {
		sizes += ", cap(" + again + ")"
	}
	return fmt.Sprintf("%s[%s(%s, %s, %s):%s]", x, helper, low, high, sizes, high)
}

// assertion writes x.(T) for an x that is an any or an error.
func (w *writer) assertion(e *ast.TypeAssertExpr) string {
	if e.Type == nil {
		return w.refuse(e, "a type switch")
	}
	if t := w.typeOf(e.X); !anyOrError(t) {
		return w.refuse(e, "a type assertion of a "+w.show(t))
	}
	if s, ok := w.typeOf(e.Type).Underlying().(*types.Struct); ok && s.NumFields() == 0 {
		return w.refuse(e, "a type assertion to a struct without fields")
	}
	return w.expr(e.X) + ".(" + w.typeText(w.typeOf(e.Type), e.Type) + ")"
}

// literal writes a composite literal, its type left out where the cell leaves it out.
func (w *writer) literal(e *ast.CompositeLit) string {
	t := w.typeOf(e)
	text := ""
	if e.Type != nil {
		text = w.typeText(t, e)
	} else {
		w.need(t, e)
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
	}
	if instance(t) {
		return w.refuse(e, "the generic type "+w.show(t))
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for i := range u.NumFields() {
			if !u.Field(i).Exported() {
				return w.refuse(e, "a literal of "+w.show(t)+", which has fields that are not exported")
			}
		}
	case *types.Slice, *types.Array, *types.Map:
	default:
		return w.refuse(e, "a literal of "+w.show(t))
	}
	var elements []string
	for _, x := range e.Elts {
		elements = append(elements, w.element(t, x))
	}
	return text + "{" + strings.Join(elements, ", ") + "}"
}

func (w *writer) element(t types.Type, x ast.Expr) string {
	kv, ok := x.(*ast.KeyValueExpr)
	if !ok {
		return w.elementValue(x)
	}
	if _, ok := t.Underlying().(*types.Struct); ok {
		return kv.Key.(*ast.Ident).Name + ": " + w.elementValue(kv.Value)
	}
	return w.elementValue(kv.Key) + ": " + w.elementValue(kv.Value)
}

func (w *writer) elementValue(x ast.Expr) string {
	if lit, ok := x.(*ast.CompositeLit); ok {
		return w.literal(lit)
	}
	if call, ok := ast.Unparen(x).(*ast.CallExpr); ok && w.builtin(call) == "append" {
		return w.refuse(x, "append inside a literal")
	}
	return w.expr(x)
}
