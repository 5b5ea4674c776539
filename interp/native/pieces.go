package native

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"attune/interp/check"
)

// block is a stretch of compilable text.
type block struct {
	cell, line, col int // where the text stands in its cell; line 0: nowhere
	pieces          []check.Piece
}

// prepare gives every declaration of the unit its pieces, and returns the blocks
// that belong to this unit alone: init functions.
func prepare(u *check.Unit) []block {
	var inits []block
	for _, f := range u.Files {
		for _, d := range f.AST.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if b, ok := prepareFunc(u, f, d, len(inits)); ok {
					inits = append(inits, b)
				}
			case *ast.GenDecl:
				if d.Tok == token.TYPE {
					prepareTypes(u, f, d)
				}
			}
		}
	}
	return inits
}

// prepareFunc sets the pieces of a function or method; an init function comes back
// as a block.
func prepareFunc(u *check.Unit, f *check.File, fd *ast.FuncDecl, inits int) (block, bool) {
	r := newRewriter(u, f)
	d := u.DeclOf(u.Info.Defs[fd.Name])
	isInit := d == nil && fd.Recv == nil && fd.Name.Name == "init"
	if d == nil && !isInit {
		return block{}, false
	}
	if fd.Recv != nil && d != nil && !d.Generic {
		r.edits = append(r.edits, check.MethodAsFunc(fd, funcMark+d.Key+hashMark, r.off)...)
		r.node(fd.Recv.List[0].Type)
		for _, p := range fd.Type.Params.List {
			r.node(p.Type)
		}
		if fd.Type.Results != nil {
			r.node(fd.Type.Results)
		}
		if r.mayRecurse(fd.Body) {
			r.insert(r.off(fd.Body.Lbrace)+1, pointMark)
		}
		r.node(fd.Body)
	} else {
		switch {
		case isInit:
			r.replace(fd.Name.Pos(), fd.Name.End(), "Ξinit"+itoa(inits)+hashMark)
		case d.Generic && fd.Recv == nil:
			r.edits = append(r.edits, check.Edit{From: r.off(fd.Name.Pos()), To: r.off(fd.Name.End()), Ref: d})
		case !d.Generic:
			r.self = d
			if d.Kind == check.Method {
				r.self = nil
			}
			r.replace(fd.Name.Pos(), fd.Name.End(), funcMark+d.Key+hashMark)
		}
		name := fd.Name
		fd.Name = ast.NewIdent("_")
		r.node(fd)
		fd.Name = name
	}
	b := block{pieces: r.pieces(r.off(fd.Pos()), r.off(fd.End()))}
	if isInit {
		b.cell, b.line, b.col = u.Cell, u.Fset.Position(fd.Pos()).Line, 1
		return b, true
	}
	d.Pieces = b.pieces
	return block{}, false
}

func prepareTypes(u *check.Unit, f *check.File, g *ast.GenDecl) {
	for _, s := range g.Specs {
		ts := s.(*ast.TypeSpec)
		d := u.DeclOf(u.Info.Defs[ts.Name])
		if d == nil {
			continue
		}
		r := newRewriter(u, f)
		r.node(ts)
		d.Pieces = append([]check.Piece{{Text: "type "}}, r.pieces(r.off(ts.Pos()), r.off(ts.End()))...)
	}
}

// bodyBlock is the statements of the cell, as the inside of a function. Behind the
// declarations that it begins with stands calls, of the cell's init functions: a program
// calls those behind its variables.
func bodyBlock(u *check.Unit, lits *literals, calls string) block {
	r := newRewriter(u, u.Body)
	r.lits = lits
	fd := u.BodyDecl()
	if runs := slices.IndexFunc(fd.Body.List, func(s ast.Stmt) bool { return !isDeclaration(s) }); runs >= 0 {
		r.insert(r.off(fd.Body.List[runs].Pos()), calls)
	} else {
		r.insert(r.off(fd.Body.Rbrace), calls)
	}
	r.looks(fd.Body.List, true)
	if u.Result != nil {
		r.insert(r.off(u.Result.Pos()), envName+".Result(")
	}
	if u.Muted != nil {
		r.insert(r.off(u.Muted.Pos()), "_ = ")
	}
	for _, s := range fd.Body.List {
		r.topStmt(s)
	}
	if u.Result != nil {
		r.insert(r.off(u.Result.End()), ")")
	}
	return block{pieces: r.pieces(r.off(fd.Body.Lbrace)+1, r.off(fd.Body.Rbrace))}
}

// isDeclaration tells whether a statement declares, by := as well.
func isDeclaration(s ast.Stmt) bool {
	if a, ok := s.(*ast.AssignStmt); ok {
		return a.Tok == token.DEFINE
	}
	_, ok := s.(*ast.DeclStmt)
	return ok
}

// initCalls calls so many init functions.
func initCalls(inits int) string {
	var text strings.Builder
	for i := range inits {
		text.WriteString("Ξinit" + itoa(i) + hashMark + "(); ")
	}
	return text.String()
}

// topStmt rewrites a statement of the cell's top level, whose variables are the
// session's: declaring becomes assigning.
func (r *rewriter) topStmt(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.LabeledStmt:
		r.topStmt(s.Stmt)
		return
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			r.replace(s.TokPos, s.TokPos+2, "=")
		}
	case *ast.DeclStmt:
		if g, ok := s.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
			r.topVar(g)
			return
		}
	}
	r.node(s)
}

// topVar turns `var a, b T = x, y` into `a, b = x, y`, and one without values into
// setting zero values.
func (r *rewriter) topVar(g *ast.GenDecl) {
	if g.Lparen.IsValid() {
		r.replace(g.Pos(), g.Lparen+1, "")
		r.replace(g.Rparen, g.Rparen+1, "")
	} else {
		r.replace(g.Pos(), g.Specs[0].Pos(), "")
	}
	for _, spec := range g.Specs {
		vs := spec.(*ast.ValueSpec)
		last := vs.Names[len(vs.Names)-1]
		if len(vs.Values) == 0 {
			r.zero(vs)
			continue
		}
		if len(vs.Names) == 1 && last.Name == "_" {
			r.insert(r.off(vs.Pos()), "var ")
			r.node(vs)
			continue
		}
		for _, id := range vs.Names {
			r.ident(id)
		}
		if vs.Type != nil {
			r.replace(vs.Type.Pos(), vs.Type.End(), "")
		}
		for _, v := range vs.Values {
			r.node(v)
		}
	}
}

func (r *rewriter) zero(vs *ast.ValueSpec) {
	r.replace(vs.Pos(), vs.End(), "")
	for _, id := range vs.Names {
		d := r.u.DeclOf(r.u.Info.Defs[id])
		if d == nil {
			continue
		}
		at := r.off(vs.End())
		r.wrote[d] = true
		r.insert(at, rtName+".Zero(&")
		r.edits = append(r.edits, check.Edit{From: at, To: at, Ref: d})
		r.insert(at, "); ")
	}
}

// initBlocks are the package-level variables of a cell that only declares, in the
// order in which Go initialises them: first what has no value, then Info.InitOrder.
func initBlocks(u *check.Unit, lits *literals) []block {
	var out []block
	for _, f := range u.Files {
		if f.Decl != nil {
			continue
		}
		for _, decl := range f.AST.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				if vs := spec.(*ast.ValueSpec); len(vs.Values) == 0 {
					r := newRewriter(u, f)
					r.zero(vs)
					out = append(out, block{pieces: r.pieces(r.off(vs.Pos()), r.off(vs.End()))})
				}
			}
		}
	}
	for _, in := range u.Info.InitOrder {
		if b, ok := initBlock(u, in, lits); ok {
			out = append(out, b)
		}
	}
	return out
}

func initBlock(u *check.Unit, in *types.Initializer, lits *literals) (block, bool) {
	var f *check.File
	for _, g := range u.Files {
		if in.Rhs.Pos() >= g.AST.FileStart && in.Rhs.Pos() <= g.AST.FileEnd && g.Decl == nil {
			f = g
		}
	}
	if f == nil {
		return block{}, false
	}
	r := newRewriter(u, f)
	r.lits = lits
	r.node(in.Rhs)
	pos := u.Fset.Position(in.Rhs.Pos())
	b := block{cell: u.Cell, line: pos.Line, col: pos.Column}
	for i, v := range in.Lhs {
		if i > 0 {
			b.pieces = append(b.pieces, check.Piece{Text: ", "})
		}
		if d := u.DeclOf(v); d != nil {
			b.pieces = append(b.pieces, check.Piece{Ref: d})
		} else {
			b.pieces = append(b.pieces, check.Piece{Text: "_"})
		}
	}
	if tv := u.Info.Types[in.Rhs]; len(in.Lhs) == 1 && u.DeclOf(in.Lhs[0]) == nil && (tv.IsNil() || tv.Value != nil) {
		return block{}, false
	}
	b.pieces = append(b.pieces, check.Piece{Text: " = "})
	b.pieces = append(b.pieces, r.pieces(r.off(in.Rhs.Pos()), r.off(in.Rhs.End()))...)
	return b, true
}

// Prepare keeps the text of the unit's functions and types, so that later cells
// can be compiled with them. Emit does it as well.
func Prepare(u *check.Unit) { prepare(u) }
