package plan

import (
	"go/ast"
	"go/types"
	"strconv"
	"strings"

	"attune/interp/worker"
	"attune/stdlib/symbols/list"
)

// instance is a generic function's instance, if the worker has it compiled.
func (w *writer) instance(at ast.Node, obj types.Object, inst types.Instance) string {
	var args []string
	for t := range inst.TypeArgs.Types() {
		args = append(args, plainType(t))
	}
	if obj.Pkg() == nil || !list.HasPackage(obj.Pkg().Path()) {
		return w.refuse(at, "an instance of the generic "+obj.Name())
	}
	name := obj.Pkg().Path() + "." + obj.Name() + "[" + strings.Join(args, ",") + "]"
	if !list.HasInstance(name) {
		return w.refuse(at, "an instance of the generic "+obj.Name())
	}
	return w.bindInstance(name)
}

// plainType writes t with byte and rune by their other names; "" for what is not
// made of predeclared types, slices and maps.
func plainType(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return types.Typ[t.Kind()].Name()
	case *types.Slice:
		return "[]" + plainType(t.Elem())
	case *types.Map:
		return "map[" + plainType(t.Key()) + "]" + plainType(t.Elem())
	case *types.Interface:
		if t.Empty() && !t.IsComparable() {
			return "any"
		}
	}
	return ""
}

// bindInstance is the text's name of the instance called name.
func (w *writer) bindInstance(name string) string {
	for _, have := range w.straight.Instances {
		if have.Key == name {
			return have.Name
		}
	}
	short := "g_" + strconv.Itoa(len(w.straight.Instances)+1)
	w.straight.Instances = append(w.straight.Instances, worker.Ref{Name: short, Key: name})
	return short
}

// extreme writes a call of min or max that is no constant.
func (w *writer) extreme(name string, e *ast.CallExpr) string {
	t := w.typeOf(e)
	basic, ok := t.Underlying().(*types.Basic)
	if !ok || !list.HasInstance(name+"["+basic.Name()+"]") {
		return w.refuse(e, "a call of "+name+" of "+w.show(t))
	}
	own, plain := w.typeText(t, e), basic.Name()
	var args []string
	for _, a := range e.Args {
		args = append(args, wrap(plain, own, w.expr(a)))
	}
	return wrap(own, plain, w.bindInstance(name+"["+plain+"]")+"("+strings.Join(args, ", ")+")")
}

// sequence tells whether t is an iter.Seq.
func sequence(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "iter" && n.Obj().Name() == "Seq"
}
