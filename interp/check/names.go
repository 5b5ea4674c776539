package check

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// nameDecl gives d its key: the one that its meaning had before, or a new one.
func (r *run) nameDecl(d *Decl) {
	if d.Key != "" {
		return
	}
	s := r.unit.Scope
	switch d.Kind {
	case Var:
		d.Key = s.key(d.Name, "var "+r.typeString(d.Obj.Type()))
	case Func:
		if d.Generic {
			meaning := "generic " + tokens(d.Text)
			for _, u := range d.Uses {
				meaning += " " + u.Name + "=" + u.Key
			}
			d.Key = s.key(d.Name, meaning)
			return
		}
		d.Key = s.key(d.Name, "func "+r.typeString(d.Obj.Type()))
	case Const:
		c := d.Obj.(*types.Const)
		d.Key = s.key(d.Name, "const "+c.Val().ExactString()+" "+r.typeString(c.Type()))
	case Type:
		d.Key = s.fresh(d.Name)
		r.bindMethods(d)
	case Method:
		if d.Recv == nil {
			if d.Recv = s.Decls.Get(recvOf(d)); d.Recv == nil {
				return
			}
		}
		r.nameDecl(d.Recv)
		d.Key = d.Recv.Key + "Ξ" + d.Name[len(d.Recv.Name)+1:]
	}
}

func recvOf(d *Decl) string {
	for i := range d.Name {
		if d.Name[i] == '.' {
			return d.Name[:i]
		}
	}
	return d.Name
}

// bindMethods collects the methods of a type that was just declared.
func (r *run) bindMethods(d *Decl) {
	u := r.unit
	d.Methods = nil
	for _, m := range append(slices.Clone(u.New), u.Again...) {
		if m.Kind == Method && m.Recv == nil && recvOf(m) == d.Name {
			m.Recv = d
			d.Methods = append(d.Methods, m)
		}
	}
}

func (r *run) typeString(t types.Type) string {
	w := TypeWriter{Scope: r.unit.Scope, Import: func(path, _ string) string { return path }}
	text, err := w.Text(t)
	if err != nil {
		return types.TypeString(t, nil)
	}
	return text
}

// noteUses records what each declaration of f refers to, and with which imports.
func (r *run) noteUses(f *File) {
	if f.hoist {
		return
	}
	for _, decl := range f.AST.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			obj := r.unit.Info.Defs[decl.Name]
			if d := r.objs[obj]; d != nil {
				r.usesOf(d, decl)
			}
		case *ast.GenDecl:
			for _, s := range decl.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if d := r.objs[r.unit.Info.Defs[s.Name]]; d != nil {
						r.usesOf(d, s)
					}
				case *ast.ValueSpec:
					for i, id := range s.Names {
						if d := r.objs[r.unit.Info.Defs[id]]; d != nil && d.Kind == Const {
							r.usesOf(d, s)
							r.useType(d)
							d.Text = r.constText(f, s, i, d)
						}
					}
				}
			}
		}
	}
}

func (r *run) usesOf(d *Decl, n ast.Node) {
	d.Imports = map[string]string{}
	d.Uses = UsedDecls(r.unit, n, func(name, path string) { d.Imports[name] = path })
}

// useType adds the types of the session that d's type names, which its text may
// leave to be inferred.
func (r *run) useType(d *Decl) {
	Walk(d.Obj.Type(), func(t types.Type) {
		if n, ok := t.(*types.Named); ok {
			if u := r.unit.DeclOf(n.Obj()); u != nil && !slices.Contains(d.Uses, u) {
				d.Uses = append(d.Uses, u)
			}
		}
	})
}

// UsedDecls lists the session declarations that the code under n refers to, types
// of what it touches included, and reports the imports that it names.
func UsedDecls(u *Unit, n ast.Node, imported func(name, path string)) []*Decl {
	var out []*Decl
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		obj := u.Info.Uses[id]
		if p, ok := obj.(*types.PkgName); ok {
			imported(p.Name(), p.Imported().Path())
			return true
		}
		if d := u.DeclOf(obj); d != nil && !slices.Contains(out, d) {
			out = append(out, d)
		}
		return true
	})
	return out
}

// spread marks what depends on a changed meaning: functions that used a variable
// of another type, a function of another signature, another constant, another
// generic body or type. It tells whether there was any left.
func (r *run) spread() bool {
	meansOther := func(old, now *Decl) bool {
		if old.Kind != now.Kind {
			return true
		}
		switch old.Kind {
		case Var, Type:
			return old.Key != now.Key
		case Const:
			a, b := old.Obj.(*types.Const), now.Obj.(*types.Const)
			return !types.Identical(a.Type(), b.Type()) || !constant.Compare(a.Val(), token.EQL, b.Val())
		case Func:
			return old.Generic || now.Generic || old.Key != now.Key
		}
		return false
	}
	again := false
	mark := func(user *Decl) {
		if r.dirty[user] || r.stale[user] != "" || r.declaresDecl(user) {
			return
		}
		switch {
		case user.Kind == Type:
			r.markDirty(user)
		case user.Kind == Method && user.Generic: // its type's text, so to say
			if r.dirty[user.Recv] {
				return
			}
			r.markDirty(user.Recv)
			r.forMethod[user.Recv] = true
		default:
			r.dirty[user] = true
		}
		again = true
	}
	var users []*Decl
	for old, now := range r.changed {
		if !meansOther(old, now) {
			continue
		}
		if users == nil {
			users = slices.Collect(r.allDecls())
		}
		for _, user := range users {
			// What does not fit any more uses a meaning of before, and may fit again.
			uses := func(d *Decl) bool { return old.same(d) || user.Stale != "" && d.Name == old.Name }
			if user != old && user.Kind != Var && slices.ContainsFunc(user.Uses, uses) {
				mark(user)
			}
		}
	}
	return again
}

// allDecls yields the earlier declarations, methods included.
func (r *run) allDecls() func(func(*Decl) bool) {
	return func(yield func(*Decl) bool) {
		for _, d := range r.old.Decls.All() {
			if !yield(d) {
				return
			}
			for _, m := range d.Methods {
				if d.Kind == Type && !yield(m) {
					return
				}
			}
		}
	}
}
