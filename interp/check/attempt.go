package check

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

func (c *Checker) offset(pos token.Pos) int {
	return c.Fset.File(pos).Offset(pos)
}

// attempt checks the cell together with the earlier declarations that are marked
// dirty so far, and tells whether it found more of them.
func (r *run) attempt() (again bool, err *Error) {
	var blank []string
	if r.unit != nil {
		blank = r.unit.Blank
	}
	r.unit = &Unit{Cell: r.cell, Fset: r.c.Fset, Blank: blank, Scope: r.old.Clone()}
	r.topLevel, r.result, r.muted, r.hoisted = map[token.Pos]bool{}, nil, false, false
	r.objs, r.asFunc, r.changed = map[types.Object]*Decl{}, map[*ast.FuncDecl]*Decl{}, map[*Decl]*Decl{}
	if err := r.files(); err != nil {
		return false, err
	}
	problems := r.typeCheck()
	if staled := r.blame(&problems); staled {
		return true, nil
	}
	if len(problems) > 0 {
		return false, &Error{Problems: problems}
	}
	r.takeIn()
	return r.spread(), nil
}

// files parses what is to be checked together.
func (r *run) files() *Error {
	u := r.unit
	for _, ch := range r.decls {
		f, err := r.c.parseDecl(r.cell, ch)
		if err != nil {
			return syntaxError(err)
		}
		if f, err = r.settle(f, r.cell); err != nil {
			return syntaxError(err)
		}
		if f != nil {
			u.Files = append(u.Files, f)
		}
	}
	for _, d := range r.dirtyInOrder() {
		f, err := r.repeat(d)
		if err != nil {
			return syntaxError(err)
		}
		u.Files = append(u.Files, f)
	}
	if len(r.stmts) > 0 {
		body, err := r.c.parseBody(r.cell, r.stmts)
		if err != nil {
			return syntaxError(err)
		}
		u.Body = body
		r.noteBody(body)
		if err := r.hoist(); err != nil {
			return syntaxError(err)
		}
	}
	if err := r.hoistRebound(); err != nil {
		return syntaxError(err)
	}
	for _, f := range append(slices.Clone(u.Files), bodyList(u)...) {
		if f.Decl != nil {
			named := maps.Clone(f.Decl.Imports)
			f.addImports(named, nil, nil)
			continue
		}
		f.addImports(r.visible(), r.dots, r.dotHas)
	}
	return nil
}

func bodyList(u *Unit) []*File {
	if u.Body == nil {
		return nil
	}
	return []*File{u.Body}
}

// visible are the imports that no declaration hides.
func (r *run) visible() map[string]string {
	named := map[string]string{}
	for name, path := range r.named {
		_, imported := r.old.Imports[name]
		if imported && r.old.Imports[name] == path && r.declares[name] && !r.importedHere(name) {
			continue
		}
		named[name] = path
	}
	return named
}

// importedHere tells whether this very cell imports name.
func (r *run) importedHere(name string) bool {
	for _, ch := range r.chunks {
		if ch.Kind == ImportChunk && strings.Contains(ch.Text, r.named[name]) {
			return true
		}
	}
	return false
}

func (r *run) dotHas(path, name string) bool {
	pkg, err := r.c.Imp.Import(path)
	return err == nil && ast.IsExported(name) && pkg.Scope().Lookup(name) != nil
}

// settle drops types that the cell repeats unchanged and turns methods of
// unchanged types into functions; nil if nothing is left of f.
func (r *run) settle(f *File, cell int) (*File, error) {
	var left []ast.Decl
	for _, d := range f.AST.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
			g.Specs = slices.DeleteFunc(g.Specs, func(s ast.Spec) bool {
				old := r.old.Decls.Get(s.(*ast.TypeSpec).Name.Name)
				return old != nil && old.Kind == Type && !r.dirty[old]
			})
			if len(g.Specs) == 0 {
				continue
			}
		}
		if fd, ok := d.(*ast.FuncDecl); ok {
			if t := r.old.Decls.Get(RecvName(fd)); t != nil && t.Kind == Type && !r.dirty[t] {
				if t.Generic || needsFrame(fd) {
					continue
				}
				return r.asFunction(f, fd, cell, t)
			}
		}
		left = append(left, d)
	}
	if f.AST.Decls = left; len(left) == 0 {
		return nil, nil
	}
	return f, nil
}

// asFunction reparses a method of the unchanged type t as a function.
func (r *run) asFunction(f *File, fd *ast.FuncDecl, cell int, t *Decl) (*File, error) {
	name := "Ξm_" + t.Name + "_" + fd.Name.Name
	text := apply(f.Text, MethodAsFunc(fd, name, r.c.offset))
	g := &File{Text: text, Chunk: f.Chunk, AsFunc: true, Decl: f.Decl}
	var err error
	if g.AST, err = r.c.parse("", text, parser.ParseComments); err != nil {
		return nil, err
	}
	g.FuncDecls(func(nd *ast.FuncDecl) {
		for _, m := range t.Methods {
			if m.Name == t.Name+"."+fd.Name.Name {
				r.asFunc[nd] = m
			}
		}
	})
	return g, nil
}

// dirtyInOrder lists what is to be compiled again and not declared by the cell:
// a dirty type comes with its methods.
func (r *run) dirtyInOrder() []*Decl {
	var out []*Decl
	add := func(d *Decl) {
		if !slices.Contains(out, d) && r.stale[d] == "" && !r.declaresDecl(d) {
			out = append(out, d)
		}
	}
	for d := range r.dirty {
		add(d)
		if d.Kind == Type {
			for _, m := range d.Methods {
				add(m)
			}
		}
	}
	slices.SortFunc(out, func(a, b *Decl) int {
		if a.Cell != b.Cell {
			return a.Cell - b.Cell
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

// declaresDecl tells whether the cell itself declares d's name anew.
func (r *run) declaresDecl(d *Decl) bool {
	if d.Kind != Method {
		return r.declares[d.Name]
	}
	for _, ch := range r.methods[d.Recv.Name] {
		f, err := r.c.parseDecl(r.cell, ch)
		found := false
		if err == nil {
			f.FuncDecls(func(fd *ast.FuncDecl) { found = found || d.Recv.Name+"."+fd.Name.Name == d.Name })
		}
		if found {
			return true
		}
	}
	return false
}

// repeat makes a file of an earlier declaration.
func (r *run) repeat(d *Decl) (*File, error) {
	f, err := r.c.parseDecl(d.Cell, Chunk{Text: d.Text, Line: d.Line, Col: 1})
	if err != nil {
		return nil, err
	}
	f.Decl = d
	if d.Kind == Method && !r.dirty[d.Recv] {
		var fd *ast.FuncDecl
		f.FuncDecls(func(x *ast.FuncDecl) { fd = x })
		return r.asFunction(f, fd, d.Cell, d.Recv)
	}
	return f, nil
}

// noteBody finds the variables that the statements declare for the session, and
// the expression to display.
func (r *run) noteBody(body *File) {
	fd := body.AST.Decls[0].(*ast.FuncDecl)
	for _, s := range fd.Body.List {
		for _, id := range defined(s) {
			r.topLevel[id.Pos()] = true
			if id.Name != "_" {
				r.declares[id.Name] = true
			}
		}
	}
	last := r.stmts[len(r.stmts)-1]
	if final := r.chunks[len(r.chunks)-1]; final.Line != last.Line || final.Col != last.Col || len(fd.Body.List) == 0 {
		return
	}
	if es, ok := fd.Body.List[len(fd.Body.List)-1].(*ast.ExprStmt); ok {
		r.result, r.muted = es.X, last.Muted
	}
}

// defined lists the identifiers that a statement declares in its own scope.
func defined(s ast.Stmt) []*ast.Ident {
	var ids []*ast.Ident
	switch s := s.(type) {
	case *ast.LabeledStmt:
		return defined(s.Stmt)
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			for _, e := range s.Lhs {
				if id, ok := e.(*ast.Ident); ok {
					ids = append(ids, id)
				}
			}
		}
	case *ast.DeclStmt:
		if g, ok := s.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, spec := range g.Specs {
				ids = append(ids, spec.(*ast.ValueSpec).Names...)
			}
		}
	}
	return ids
}

// hoist declares, for checking only, the session variables of the statements that
// functions of the same cell refer to: functions are checked at package level.
func (r *run) hoist() error {
	wanted := map[string]bool{}
	for _, f := range r.unit.Files {
		for _, id := range f.AST.Unresolved {
			wanted[id.Name] = true
		}
	}
	fd := r.unit.Body.AST.Decls[0].(*ast.FuncDecl)
	var lines []string
	have := map[string]bool{}
	// Backwards, so that what a needed initialiser refers to is needed as well.
	for _, s := range slices.Backward(fd.Body.List) {
		ids := defined(s)
		if !slices.ContainsFunc(ids, func(id *ast.Ident) bool { return wanted[id.Name] }) {
			continue
		}
		ast.Inspect(s, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				wanted[id.Name] = true
			}
			return true
		})
		lines = append(lines, r.hoistLines(s, have)...)
	}
	if len(lines) == 0 {
		return nil
	}
	f := &File{Text: header + strings.Join(lines, "\n") + "\n", hoist: true}
	var err error
	if f.AST, err = r.c.parse("", f.Text, 0); err != nil {
		return err
	}
	r.hoisted = true
	r.unit.Files = append(r.unit.Files, f)
	return nil
}

func (r *run) hoistLines(s ast.Stmt, have map[string]bool) []string {
	text := func(n ast.Node) string {
		return r.unit.Body.Text[r.c.offset(n.Pos()):r.c.offset(n.End())]
	}
	line := func(names []*ast.Ident, rest string, at token.Pos) string {
		var out []string
		for _, id := range names {
			n := id.Name
			if have[n] {
				n = "_"
			}
			have[n] = n != "_"
			out = append(out, n)
		}
		p := r.c.Fset.Position(at)
		return fmt.Sprintf("//line %s:%d:%d\nvar %s%s", p.Filename, p.Line, p.Column, strings.Join(out, ", "), rest)
	}
	var lines []string
	switch s := s.(type) {
	case *ast.LabeledStmt:
		return r.hoistLines(s.Stmt, have)
	case *ast.AssignStmt:
		rhs := r.unit.Body.Text[r.c.offset(s.Rhs[0].Pos()):r.c.offset(s.Rhs[len(s.Rhs)-1].End())]
		lines = append(lines, line(defined(s), " = "+rhs, s.Pos()))
	case *ast.DeclStmt:
		for _, spec := range s.Decl.(*ast.GenDecl).Specs {
			vs := spec.(*ast.ValueSpec)
			rest := ""
			if vs.Type != nil {
				rest = " " + text(vs.Type)
			}
			if len(vs.Values) > 0 {
				rest += " = " + r.unit.Body.Text[r.c.offset(vs.Values[0].Pos()):r.c.offset(vs.Values[len(vs.Values)-1].End())]
			}
			lines = append(lines, line(vs.Names, rest, vs.Pos()))
		}
	}
	return lines
}
