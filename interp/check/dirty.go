package check

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// tokens is src's token sequence as text: what two spellings of the same
// declaration share.
func tokens(src string) string {
	toks, _ := scan(src)
	var b strings.Builder
	for _, t := range toks {
		if t.lit == "\n" {
			b.WriteByte(';')
			continue
		}
		b.WriteString(t.tok.String())
		b.WriteByte(' ')
		b.WriteString(t.lit)
	}
	return b.String()
}

// dirtyTypes marks the session types that this cell gives another meaning: by
// another text or other methods. A cell that is run again unchanged marks none,
// so that its types stay the very same types.
func (r *run) dirtyTypes() {
	names := maps.Clone(r.methods)
	for name := range r.typeText {
		names[name] = r.methods[name]
	}
	for name := range names {
		d := r.old.Decls.Get(name)
		if d == nil || d.Kind != Type {
			continue
		}
		if ch, ok := r.typeText[name]; ok && !r.sameType(d, ch) {
			r.markDirty(d)
			r.markReshaped(d)
		}
		if !r.sameMethods(d, r.methods[name]) {
			r.markDirty(d)
		}
	}
}

// sameType tells whether chunk ch repeats the type d. A chunk that declares
// several types repeats each that has the same text.
func (r *run) sameType(d *Decl, ch Chunk) bool {
	f, err := r.c.parseDecl(r.cell, ch)
	if err != nil {
		return false
	}
	same := false
	ast.Inspect(f.AST, func(n ast.Node) bool {
		if ts, ok := n.(*ast.TypeSpec); ok && ts.Name.Name == d.Name {
			same = tokens(r.specText(f, ts)) == tokens(d.Text)
		}
		return true
	})
	if !same {
		return false
	}
	// The same words mean the same only while the names in them do.
	for name, path := range d.Imports {
		if now, ok := r.named[name]; !ok || now != path {
			return false
		}
	}
	for _, u := range d.Uses {
		if now := r.old.Decls.Get(u.Name); u != d && (now == nil || !now.same(u)) {
			return false
		}
		if u.Kind != Type && r.declares[u.Name] {
			return false
		}
	}
	return true
}

func (r *run) specText(f *File, ts *ast.TypeSpec) string {
	return "type " + f.Text[r.c.offset(ts.Pos()):r.c.offset(ts.End())]
}

// sameMethods tells whether every one of the chunks declares a method that d has
// already, with the same signature.
func (r *run) sameMethods(d *Decl, chunks []Chunk) bool {
	for _, ch := range chunks {
		f, err := r.c.parseDecl(r.cell, ch)
		if err != nil {
			return false
		}
		ok := false
		f.FuncDecls(func(fd *ast.FuncDecl) {
			i := slices.IndexFunc(d.Methods, func(m *Decl) bool { return m.Name == d.Name+"."+fd.Name.Name })
			if i < 0 {
				return
			}
			m := d.Methods[i]
			if m.Generic || needsFrame(fd) {
				ok = tokens(ch.Text) == tokens(m.Text)
				return
			}
			ok = tokens(signatureText(ch.Text)) == tokens(signatureText(m.Text))
		})
		if !ok {
			return false
		}
	}
	return true
}

// needsFrame tells whether the body of fd itself calls what counts the calls around
// it: recover, runtime.Caller and Callers, and log's Output.
func needsFrame(fd *ast.FuncDecl) (found bool) {
	if fd.Body == nil {
		return false
	}
	ast.Inspect(fd.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			switch f := ast.Unparen(n.Fun).(type) {
			case *ast.Ident:
				found = found || f.Name == "recover"
			case *ast.SelectorExpr:
				id, ok := f.X.(*ast.Ident)
				found = found || ok && id.Name == "runtime" && (f.Sel.Name == "Caller" || f.Sel.Name == "Callers") ||
					f.Sel.Name == "Output" && len(n.Args) == 2
			}
		}
		return !found
	})
	return found
}

// signatureText is a function's text up to its body.
func signatureText(text string) string {
	toks, _ := scan(text)
	depth, last := 0, -1
	for i, t := range toks {
		switch t.tok.String() {
		case "(", "[", "{":
			if t.tok.String() == "{" && depth == 0 {
				// the body is the last top-level brace; struct{} results come before
				last = i
			}
			depth++
		case ")", "]", "}":
			depth--
		}
	}
	if last < 0 {
		return text
	}
	return text[:toks[last].off]
}

// markDirty marks d and the types built of it.
func (r *run) markDirty(d *Decl) {
	if r.dirty[d] {
		return
	}
	r.dirty[d] = true
	for _, other := range r.old.Decls.All() {
		if other.Kind == Type && !r.dirty[other] && slices.Contains(typeDeps(r.old, other), d) {
			r.markDirty(other)
		}
	}
}

// markReshaped marks d and the types built of it as ones whose values cannot follow.
func (r *run) markReshaped(d *Decl) {
	if r.reshaped[d] {
		return
	}
	r.reshaped[d] = true
	for other := range r.dirty {
		if other.Kind == Type && slices.Contains(typeDeps(r.old, other), d) {
			r.markReshaped(other)
		}
	}
}

// typeDeps lists the session types that a type's definition and the signatures
// of its methods name: what its descriptor depends on.
func typeDeps(s *Scope, d *Decl) []*Decl {
	var deps []*Decl
	visit := func(t types.Type) {
		if n, ok := t.(*types.Named); ok {
			if u := s.DeclOf(n.Obj()); u != nil && u != d {
				deps = append(deps, u)
			}
		}
	}
	tn, ok := d.Obj.(*types.TypeName)
	if !ok {
		return nil
	}
	if tn.IsAlias() {
		Walk(types.Unalias(tn.Type()), visit)
		return deps
	}
	Walk(tn.Type().Underlying(), visit)
	for _, u := range d.Uses {
		if u.Kind == Type && u != d {
			deps = append(deps, u)
		}
	}
	for _, m := range d.Methods {
		if f, ok := m.Obj.(*types.Func); ok {
			Walk(f.Signature(), visit)
		}
	}
	return deps
}
