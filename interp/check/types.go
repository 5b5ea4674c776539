package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// typeCheck runs go/types over the attempt's files.
func (r *run) typeCheck() []Problem {
	u := r.unit
	u.Info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
		Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
		Instances: map[*ast.Ident]types.Instance{}, Scopes: map[ast.Node]*types.Scope{},
		Implicits: map[ast.Node]types.Object{},
	}
	var problems []Problem
	conf := types.Config{
		Importer: r.c.Imp, GoVersion: "go1.26",
		Error: func(err error) {
			if p := r.typeProblem(err); p != nil {
				problems = append(problems, *p)
			}
		},
	}
	u.Pkg = r.c.emptyPackage()
	var files []*ast.File
	for _, f := range append(slices.Clone(u.Files), bodyList(u)...) {
		files = append(files, f.AST)
	}
	r.insertScope(files)
	checker := types.NewChecker(&conf, r.c.Fset, u.Pkg, u.Info)
	checker.Files(files)
	return problems
}

// insertScope makes the session's declarations visible: all that the files name
// and do not declare themselves.
func (r *run) insertScope(files []*ast.File) {
	defines := map[string]bool{}
	for _, f := range files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					defines[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						defines[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, id := range s.Names {
							defines[id.Name] = true
						}
					case *ast.ImportSpec:
						if s.Name != nil {
							defines[s.Name.Name] = true
						}
					}
				}
			}
		}
	}
	for _, f := range files {
		for _, id := range f.Unresolved {
			d := r.old.Decls.Get(id.Name)
			if d != nil && d.Obj != nil && !defines[id.Name] && r.unit.Pkg.Scope().Lookup(id.Name) == nil {
				r.unit.Pkg.Scope().Insert(d.Obj)
			}
		}
	}
}

// blame takes problems in repeated declarations out of the list: what no longer
// fits is left as it was and reported, and does not fail the cell.
func (r *run) blame(problems *[]Problem) (staled bool) {
	name := CellName(r.cell)
	*problems = slices.DeleteFunc(*problems, func(p Problem) bool {
		if p.Pos.Filename == name || p.Pos.Filename == "" {
			return false
		}
		for _, f := range r.unit.Files {
			if f.Decl == nil || CellName(f.Decl.Cell) != p.Pos.Filename {
				continue
			}
			lines := strings.Count(f.Decl.Text, "\n")
			if p.Pos.Line >= f.Decl.Line && p.Pos.Line <= f.Decl.Line+lines && r.stale[f.Decl] == "" {
				r.stale[f.Decl] = p.Msg
				if d := f.Decl; d.Kind == Method && r.forMethod[d.Recv] {
					delete(r.dirty, d.Recv) // which keeps the method as it was
				}
				staled = true
				return true
			}
		}
		return staled
	})
	return staled
}

// takeIn turns what was checked into declarations and puts them into the scope.
func (r *run) takeIn() {
	u := r.unit
	u.objs = r.objs
	for _, ch := range r.chunks {
		if ch.Kind == ImportChunk {
			r.takeImports(ch)
		}
	}
	u.Scope.Dots = r.dots
	var fresh []*Decl
	for _, f := range u.Files {
		if !f.hoist {
			fresh = append(fresh, r.takeFile(f)...)
		}
	}
	if u.Body != nil {
		fresh = append(fresh, r.takeBody()...)
	}
	for _, d := range fresh {
		r.install(d)
	}
	if u.Body != nil && r.hoisted {
		r.takeHoisted()
	}
	for _, d := range fresh {
		if d.Kind == Type {
			r.nameDecl(d)
		}
	}
	r.rebindVars()
	for _, f := range u.Files {
		r.noteUses(f)
	}
	for _, d := range fresh {
		r.nameDecl(d)
	}
	if u.Body != nil {
		u.Uses = UsedDecls(u, r.unit.BodyDecl(), func(string, string) {})
	}
	for d, msg := range r.stale {
		copied := *d
		copied.Stale = msg
		if u.Scope.Decls.Get(d.Name) == d {
			u.Scope.Decls.Set(d.Name, &copied)
			u.Scope.byObj.Set(d.Obj, &copied)
		}
		u.Notes = append(u.Notes, d.Name+" ("+CellName(d.Cell)+") no longer compiles and keeps its old body: "+msg)
	}
	slices.Sort(u.Notes)
	r.takeResult()
}

func (r *run) takeImports(ch Chunk) {
	f, err := r.c.parseDecl(r.cell, ch)
	if err != nil {
		return
	}
	for _, spec := range f.AST.Imports {
		path := strings.Trim(spec.Path.Value, "\"`")
		for name, p := range r.named {
			if p == path && (spec.Name == nil || spec.Name.Name == name) {
				r.unit.Imports = append(r.unit.Imports, Import{name, p})
				r.unit.Scope.Imports[name] = p
				r.unit.Scope.Decls.Delete(name)
			}
		}
	}
}

// takeFile makes declarations of a file's specs and functions.
func (r *run) takeFile(f *File) []*Decl {
	var out []*Decl
	for _, d := range f.AST.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if nd := r.takeFunc(f, d); nd != nil {
				out = append(out, nd)
			}
		case *ast.GenDecl:
			if d.Tok == token.IMPORT {
				continue
			}
			for _, s := range d.Specs {
				out = append(out, r.takeSpec(f, d, s)...)
			}
		}
	}
	return out
}

func (r *run) newDecl(f *File, name string, kind Kind, at token.Pos) *Decl {
	d := &Decl{Name: name, Kind: kind, Cell: r.cell, Line: r.c.Fset.Position(at).Line, Doc: f.Chunk.Doc}
	if f.Decl != nil {
		d.Cell, d.Line, d.Doc = f.Decl.Cell, f.Decl.Line, f.Decl.Doc
	}
	return d
}

func (r *run) takeFunc(f *File, fd *ast.FuncDecl) *Decl {
	text := f.Text[r.c.offset(fd.Pos()):r.c.offset(fd.End())]
	obj, _ := r.unit.Info.Defs[fd.Name].(*types.Func)
	if old := r.asFunc[fd]; old != nil {
		d := r.newDecl(f, old.Name, Method, fd.Pos())
		d.Text, d.Recv, d.Obj = r.methodText(f, old), old.Recv, old.Obj
		r.objs[obj] = d
		r.unit.swaps = append(r.unit.swaps, swap{old, d})
		return d
	}
	switch {
	case fd.Name.Name == "_":
		return nil
	case fd.Recv != nil:
		d := r.newDecl(f, RecvName(fd)+"."+fd.Name.Name, Method, fd.Pos())
		d.Text, d.Obj = text, obj
		sig := obj.Signature()
		d.Generic = sig.RecvTypeParams().Len() > 0 || needsFrame(fd)
		return d
	case fd.Name.Name == "init":
		r.unit.Inits = append(r.unit.Inits, fd)
		return nil
	}
	d := r.newDecl(f, fd.Name.Name, Func, fd.Pos())
	d.Text, d.Obj = text, obj
	d.Generic = obj.Signature().TypeParams().Len() > 0
	if d.Name == "main" && r.whole && f.Decl == nil {
		r.unit.Main = true
	}
	return d
}

// methodText is the method as the user typed it, from which f was rewritten.
func (r *run) methodText(f *File, old *Decl) string {
	if f.Decl != nil {
		return f.Decl.Text
	}
	return f.Chunk.Text
}

func (r *run) takeSpec(f *File, g *ast.GenDecl, s ast.Spec) []*Decl {
	var out []*Decl
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.Name == "_" {
			return nil
		}
		d := r.newDecl(f, s.Name.Name, Type, s.Pos())
		d.Text, d.Obj = r.specText(f, s), r.unit.Info.Defs[s.Name]
		d.Generic = s.TypeParams != nil
		out = append(out, d)
	case *ast.ValueSpec:
		for _, id := range s.Names {
			if id.Name == "_" {
				continue
			}
			kind := Var
			if g.Tok == token.CONST {
				kind = Const
			}
			d := r.newDecl(f, id.Name, kind, id.Pos())
			d.Obj = r.unit.Info.Defs[id]
			out = append(out, d)
		}
	}
	return out
}

// takeBody makes session variables of what the statements declare at their top.
func (r *run) takeBody() []*Decl {
	var out []*Decl
	seen := map[string]*Decl{}
	fd := r.unit.BodyDecl()
	for _, s := range fd.Body.List {
		for _, id := range defined(s) {
			obj, ok := r.unit.Info.Defs[id].(*types.Var)
			if !ok || id.Name == "_" {
				continue
			}
			v := types.NewVar(id.Pos(), r.unit.Pkg, id.Name, types.Default(obj.Type()))
			d := r.newDecl(r.unit.Body, id.Name, Var, id.Pos())
			d.Obj = v
			r.objs[obj] = d
			seen[id.Name] = d
			out = append(out, d)
		}
	}
	return out
}

// takeHoisted lets functions of the cell mean the session variable where they
// name one that the statements declare.
func (r *run) takeHoisted() {
	for _, f := range r.unit.Files {
		if !f.hoist {
			continue
		}
		for id, obj := range r.unit.Info.Defs {
			if obj == nil || obj.Parent() != r.unit.Pkg.Scope() || id.Pos() < f.AST.FileStart || id.Pos() > f.AST.FileEnd {
				continue
			}
			if d := r.unit.Scope.Decls.Get(id.Name); d != nil {
				r.objs[obj] = d
			}
		}
	}
}

// install makes d the newest of its name.
func (r *run) install(d *Decl) {
	u := r.unit
	r.objs[d.Obj] = d
	u.Scope.byObj.Set(d.Obj, d)
	if d.Kind != Method {
		delete(u.Scope.Imports, d.Name)
		u.Scope.Decls.Set(d.Name, d)
		if old := r.old.Decls.Get(d.Name); old != nil {
			r.changed[old] = d
		}
	}
	if d.Cell == r.cell {
		u.New = append(u.New, d)
	} else {
		u.Again = append(u.Again, d)
	}
}

func (r *run) takeResult() {
	u := r.unit
	if r.result == nil {
		return
	}
	tv, ok := u.Info.Types[r.result]
	if !ok || tv.IsVoid() || tv.IsType() || quietCall(u.Info, r.result) {
		return
	}
	if r.muted {
		if _, call := ast.Unparen(r.result).(*ast.CallExpr); !call {
			u.Muted = r.result
		}
		return
	}
	u.Result = r.result
	if tuple, ok := tv.Type.(*types.Tuple); ok {
		for i := range tuple.Len() {
			u.ResultTypes = append(u.ResultTypes, tuple.At(i).Type())
		}
		return
	}
	u.ResultTypes = []types.Type{types.Default(tv.Type)}
}

// quietCall tells whether e is a call whose results nobody wants to see: that of
// fmt's printing and scanning.
func quietCall(info *types.Info, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "fmt" {
		return false
	}
	n := f.Name()
	return strings.HasPrefix(n, "Print") || strings.HasPrefix(n, "Fprint") || strings.Contains(n, "canf") ||
		strings.HasPrefix(n, "Scan") || strings.HasPrefix(n, "Fscan") || strings.HasPrefix(n, "Sscan")
}
