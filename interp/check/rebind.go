package check

import (
	"fmt"
	"go/parser"
	"go/types"
	"strings"
)

// rebindVars gives session variables whose type got a new version the newer type,
// where old and new have the same layout; the others keep their old type.
func (r *run) rebindVars() {
	u := r.unit
	moved := map[*types.TypeName]*types.Named{}
	for old, now := range r.changed {
		if old.Kind != Type || now.Kind != Type || old.Generic || now.Generic {
			continue
		}
		if n, ok := now.Obj.Type().(*types.Named); ok {
			if tn, ok := old.Obj.(*types.TypeName); ok {
				moved[tn] = n
			}
		}
	}
	if len(moved) == 0 {
		return
	}
	sub := &substituter{moved: moved}
	layout := map[*types.TypeName]bool{}
	for tn, n := range moved {
		layout[tn] = types.Identical(sub.in(tn.Type().Underlying()), n.Underlying())
	}
	// A type keeps its layout only if all that it is built of does.
	for changed := true; changed; {
		changed = false
		for tn, same := range layout {
			Walk(tn.Type().Underlying(), func(t types.Type) {
				if n, ok := t.(*types.Named); ok && moved[n.Obj()] != nil && !layout[n.Obj()] && same {
					layout[tn], same, changed = false, false, true
				}
			})
		}
	}
	for _, old := range r.old.Names() {
		if old.Kind != Var || u.Scope.Decls.Get(old.Name) != old {
			continue
		}
		r.rebindVar(old, sub, moved, layout)
	}
}

func (r *run) rebindVar(old *Decl, sub *substituter, moved map[*types.TypeName]*types.Named, layout map[*types.TypeName]bool) {
	touched, same := "", true
	Walk(old.Obj.Type(), func(t types.Type) {
		if n, ok := t.(*types.Named); ok && moved[n.Obj()] != nil {
			touched = n.Obj().Name()
			same = same && layout[n.Obj()]
		}
	})
	if touched == "" {
		return
	}
	if !same {
		r.unit.Notes = append(r.unit.Notes, fmt.Sprintf(
			"%s (%s) keeps the type %s as it was; run its cell again for the new one", old.Name, CellName(old.Cell), touched))
		return
	}
	now := *old
	now.Obj = types.NewVar(old.Obj.Pos(), r.unit.Pkg, old.Name, sub.in(old.Obj.Type()))
	now.Key = ""
	r.objs[now.Obj] = &now
	r.unit.Scope.byObj.Set(now.Obj, &now)
	r.unit.Scope.Decls.Set(now.Name, &now)
	r.changed[old] = &now
	if o := r.unit.Pkg.Scope().Lookup(now.Name); o != nil {
		r.objs[o] = &now // declared for checking by hoistRebound
	}
	r.nameDecl(&now)
	if now.Key != old.Key {
		r.unit.Rebinds = append(r.unit.Rebinds, Rebind{From: old, To: &now})
	}
}

// substituter replaces named types inside a type.
type substituter struct {
	moved map[*types.TypeName]*types.Named
}

func (s *substituter) in(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Alias:
		return s.in(types.Unalias(t))
	case *types.Named:
		if n := s.moved[t.Obj()]; n != nil {
			return n
		}
	case *types.Pointer:
		return types.NewPointer(s.in(t.Elem()))
	case *types.Slice:
		return types.NewSlice(s.in(t.Elem()))
	case *types.Array:
		return types.NewArray(s.in(t.Elem()), t.Len())
	case *types.Map:
		return types.NewMap(s.in(t.Key()), s.in(t.Elem()))
	case *types.Chan:
		return types.NewChan(t.Dir(), s.in(t.Elem()))
	case *types.Signature:
		return types.NewSignatureType(nil, nil, nil, s.tuple(t.Params()), s.tuple(t.Results()), t.Variadic())
	case *types.Struct:
		fields := make([]*types.Var, t.NumFields())
		tags := make([]string, t.NumFields())
		for i := range fields {
			f := t.Field(i)
			fields[i] = types.NewField(f.Pos(), f.Pkg(), f.Name(), s.in(f.Type()), f.Embedded())
			tags[i] = t.Tag(i)
		}
		return types.NewStruct(fields, tags)
	}
	return t
}

func (s *substituter) tuple(t *types.Tuple) *types.Tuple {
	vars := make([]*types.Var, t.Len())
	for i := range vars {
		v := t.At(i)
		vars[i] = types.NewParam(v.Pos(), v.Pkg(), v.Name(), s.in(v.Type()))
	}
	return types.NewTuple(vars...)
}

// hoistRebound declares, for checking only, the earlier variables that this cell
// names and whose types only get more methods: they already have them here.
func (r *run) hoistRebound() error {
	imports := map[string]string{}
	var lines []string
	done := map[string]bool{}
	w := TypeWriter{Scope: r.old, Plain: true, Import: func(path, name string) string {
		imports[name] = path
		return name
	}}
	for _, f := range append(r.unit.Files[:len(r.unit.Files):len(r.unit.Files)], bodyList(r.unit)...) {
		for _, id := range f.AST.Unresolved {
			d := r.old.Decls.Get(id.Name)
			if d == nil || d.Kind != Var || done[id.Name] || r.declares[id.Name] || !r.followsType(d) {
				continue
			}
			done[id.Name] = true
			if text, err := w.Text(d.Obj.Type()); err == nil {
				lines = append(lines, "var "+d.Name+" "+text)
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	text := header
	for name, path := range imports {
		text += fmt.Sprintf("import %s %q\n", name, path)
	}
	f := &File{Text: text + strings.Join(lines, "\n") + "\n", hoist: true}
	var err error
	if f.AST, err = parser.ParseFile(r.c.Fset, "", f.Text, 0); err != nil {
		return err
	}
	r.unit.Files = append(r.unit.Files, f)
	return nil
}

// followsType tells whether d's type names a type that is compiled again with
// nothing but other methods.
func (r *run) followsType(d *Decl) bool {
	touched, reshaped := false, false
	Walk(d.Obj.Type(), func(t types.Type) {
		if n, ok := t.(*types.Named); ok {
			if td := r.old.DeclOf(n.Obj()); td != nil && r.dirty[td] && r.old.Decls.Get(td.Name) == td {
				touched = true
				reshaped = reshaped || r.reshaped[td]
			}
		}
	})
	return touched && !reshaped
}
