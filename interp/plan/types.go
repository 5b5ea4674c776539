package plan

import (
	"go/ast"
	"go/types"
	"strconv"
	"strings"

	"attune/interp/check"
	"attune/interp/worker"
	"attune/stdlib/symbols/list"
)

// typeRef spells out the type of a session variable for the worker, nil if the
// worker could not build it: it knows named types by the tables, and those of the
// session by their keys.
func typeRef(u *check.Unit, t types.Type) *worker.TypeRef {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		if t.Info()&types.IsUntyped != 0 || t.Kind() == types.UnsafePointer || t.Kind() == types.Invalid {
			return nil
		}
		return &worker.TypeRef{Kind: worker.Basic, Name: types.Typ[t.Kind()].Name()}
	case *types.Named:
		return namedRef(u, t)
	case *types.Pointer:
		return elemRef(u, worker.Pointer, t.Elem())
	case *types.Slice:
		return elemRef(u, worker.Slice, t.Elem())
	case *types.Array:
		r := elemRef(u, worker.Array, t.Elem())
		if r != nil {
			r.Len = t.Len()
		}
		return r
	case *types.Map:
		r := elemRef(u, worker.Map, t.Elem())
		if r == nil {
			return nil
		}
		if r.Key = typeRef(u, t.Key()); r.Key == nil {
			return nil
		}
		return r
	case *types.Chan:
		r := elemRef(u, worker.Chan, t.Elem())
		if r != nil {
			r.Len = [...]int64{3, 2, 1}[t.Dir()] // reflect.BothDir, SendDir, RecvDir
		}
		return r
	case *types.Signature:
		return funcRef(u, t)
	case *types.Interface:
		if t.Empty() && !t.IsComparable() {
			return &worker.TypeRef{Kind: worker.EmptyInterface}
		}
	}
	return nil
}

func elemRef(u *check.Unit, kind worker.TypeKind, elem types.Type) *worker.TypeRef {
	e := typeRef(u, elem)
	if e == nil {
		return nil
	}
	return &worker.TypeRef{Kind: kind, Elem: e}
}

func namedRef(u *check.Unit, t *types.Named) *worker.TypeRef {
	obj := t.Obj()
	switch d := u.DeclOf(obj); {
	case t.TypeArgs().Len() > 0 || t.TypeParams().Len() > 0:
	case d != nil && d.Key != "":
		return &worker.TypeRef{Kind: worker.Session, Name: d.Key}
	case obj.Pkg() == nil && obj.Name() == "error":
		return &worker.TypeRef{Kind: worker.Basic, Name: "error"}
	case obj.Pkg() != nil && obj.Exported() && obj.Parent() == obj.Pkg().Scope() && list.Has(obj.Pkg().Path(), obj.Name()):
		return &worker.TypeRef{Kind: worker.Named, Pkg: obj.Pkg().Path(), Name: obj.Name()}
	}
	return nil
}

func funcRef(u *check.Unit, t *types.Signature) *worker.TypeRef {
	if t.TypeParams().Len() > 0 {
		return nil
	}
	r := &worker.TypeRef{Kind: worker.Func, Varia: t.Variadic()}
	for tuple, to := range map[*types.Tuple]*[]*worker.TypeRef{t.Params(): &r.In, t.Results(): &r.Out} {
		for i := range tuple.Len() {
			e := typeRef(u, tuple.At(i).Type())
			if e == nil {
				return nil
			}
			*to = append(*to, e)
		}
	}
	return r
}

// typeText writes t as the interpreted text names it: always from the checked
// type, so that aliases are resolved and array lengths are numbers.
func (w *writer) typeText(t types.Type, at ast.Node) string {
	w.need(t, at)
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		if t.Info()&types.IsUntyped != 0 || t.Kind() == types.UnsafePointer || t.Kind() == types.Invalid {
			return w.refuse(at, "type "+t.String())
		}
		return t.Name()
	case *types.Named:
		return w.namedText(t, at)
	case *types.Pointer:
		return "*" + w.typeText(t.Elem(), at)
	case *types.Slice:
		return "[]" + w.typeText(t.Elem(), at)
	case *types.Array:
		return "[" + strconv.FormatInt(t.Len(), 10) + "]" + w.typeText(t.Elem(), at)
	case *types.Map:
		return "map[" + w.typeText(t.Key(), at) + "]" + w.typeText(t.Elem(), at)
	case *types.Signature:
		return w.funcText(t, at)
	case *types.Interface:
		if t.Empty() && !t.IsComparable() {
			return "any"
		}
	}
	return w.refuse(at, "type "+w.show(t))
}

func (w *writer) namedText(t *types.Named, at ast.Node) string {
	r := namedRef(w.u, t)
	switch {
	case r == nil:
		return w.refuse(at, "type "+w.show(t))
	case r.Kind == worker.Basic:
		return r.Name
	case r.Kind == worker.Session:
		return w.bindType(r.Name)
	}
	return w.pkgName(t.Obj().Pkg()) + "." + r.Name
}

func (w *writer) funcText(t *types.Signature, at ast.Node) string {
	if t.TypeParams().Len() > 0 {
		return w.refuse(at, "generic type "+w.show(t))
	}
	var in, out []string
	for i := range t.Params().Len() {
		typ := t.Params().At(i).Type()
		if s, ok := types.Unalias(typ).(*types.Slice); ok && t.Variadic() && i == t.Params().Len()-1 {
			in = append(in, "..."+w.typeText(s.Elem(), at))
			continue
		}
		in = append(in, w.typeText(typ, at))
	}
	for i := range t.Results().Len() {
		out = append(out, w.typeText(t.Results().At(i).Type(), at))
	}
	text := "func(" + strings.Join(in, ", ") + ")"
	switch len(out) {
	case 0:
		return text
	case 1:
		return text + " " + out[0]
	}
	return text + " (" + strings.Join(out, ", ") + ")"
}

// need notes the type of a value that the cell makes or passes on.
func (w *writer) need(t types.Type, at ast.Node) {
	if t == nil {
		return
	}
	switch t := types.Unalias(t).(type) {
	case *types.Pointer, *types.Slice, *types.Array, *types.Map, *types.Chan, *types.Signature, *types.Struct:
		for _, have := range w.needed {
			if types.Identical(have, t) {
				return
			}
		}
		w.needed = append(w.needed, t)
		ref := typeRef(w.u, t)
		if ref == nil {
			w.refuse(at, "a value of type "+w.show(t))
			return
		}
		w.straight.Needs = append(w.straight.Needs, ref)
	}
}

// instance tells whether t is built with an instance of a generic type, or with
// type parameters. Named types are not entered.
func instance(t types.Type) (found bool) {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return false
	case *types.Named:
		return t.TypeArgs().Len() > 0 || t.TypeParams().Len() > 0
	default:
		check.Walk(t, func(t types.Type) {
			switch t := t.(type) {
			case *types.TypeParam:
				found = true
			case *types.Named:
				found = found || t.TypeArgs().Len() > 0
			}
		})
	}
	return found
}

// open tells whether all fields of t, and of the structs in it, are exported.
func open(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Struct:
		for i := range t.NumFields() {
			if f := t.Field(i); !f.Exported() || !open(f.Type()) {
				return false
			}
		}
	case *types.Array:
		return open(t.Elem())
	}
	return true
}

// anyOrError tells whether t is an interface whose dynamic types the instant engine
// tells apart.
func anyOrError(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && (i.Empty() || types.Identical(t, types.Universe.Lookup("error").Type()))
}

func isInterface(t types.Type) bool { return t != nil && types.IsInterface(t) }

// basicInfo is what t is below its name, 0 if it is not basic.
func basicInfo(t types.Type) types.BasicInfo {
	if b, ok := t.Underlying().(*types.Basic); ok {
		return b.Info()
	}
	return 0
}

// show writes a type for the user.
func (w *writer) show(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == check.PkgPath {
			return ""
		}
		return p.Name()
	})
}
