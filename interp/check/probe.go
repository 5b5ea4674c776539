package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// mark is the identifier that stands for the cursor while a cell is probed.
const mark = "Ξcursor"

// probe is a cell that is being typed, checked as far as it goes.
type probe struct {
	unit  *Unit
	path  []ast.Node // from the file down to the identifier at the cursor
	id    *ast.Ident
	named map[string]string // the imports: the session's and the cell's
	dots  []string          // those whose names need no dot
}

// probeAt checks code with a marker put in at offset, problems overlooked. What
// stands behind the cursor is left out if nothing can be made of the whole. It
// returns nil if nothing can be made of what stands before it either.
// With narrow set only what the marker's own piece refers to needs to be known, and
// what a prefix, where given, may become.
func (c *Checker) probeAt(code string, offset int, scope *Scope, narrow bool, prefix string) *probe {
	c = c.scratch()
	see := func(chunks []Chunk) []Chunk {
		if chunks = withoutBodies(inSight(chunks)); narrow {
			return referred(chunks, prefix)
		}
		return chunks
	}
	if p := c.tryProbe(see(Split(code[:offset]+mark+code[offset:])), scope); p != nil {
		return p
	}
	open := look(code[:offset]).open
	for _, tail := range []string{"", " {\n}", "; _ {\n}"} {
		chunks := slices.DeleteFunc(see(Split(code[:offset]+mark+ending(open, tail))), func(ch Chunk) bool {
			return !strings.Contains(ch.Text, mark) && !parses(ch)
		})
		if p := c.tryProbe(chunks, scope); p != nil {
			return p
		}
	}
	return nil
}

// scratch is the checker with a file set of its own, for text that is not kept.
func (c *Checker) scratch() *Checker {
	return &Checker{Fset: token.NewFileSet(), Imp: c.Imp, pkg: c.pkg, lenient: true}
}

func (c *Checker) tryProbe(chunks []Chunk, scope *Scope) (p *probe) {
	// What the parser makes of half a statement may lack any part, and the steps of a
	// check count on all of them. It is one attempt among several.
	defer func() {
		if recover() != nil {
			p = nil
		}
	}()
	c.parsed = map[[2]int]*File{}
	r := &run{
		c: c, cell: 0, old: scope, chunks: chunks,
		named: map[string]string{}, declares: map[string]bool{}, methods: map[string][]Chunk{},
		typeText: map[string]Chunk{}, dirty: map[*Decl]bool{}, reshaped: map[*Decl]bool{}, stale: map[*Decl]string{},
	}
	_ = r.imports()
	_ = r.sort()
	r.guessImports()
	r.dirtyTypes()
	r.unit = &Unit{Fset: c.Fset, Scope: scope}
	r.topLevel, r.objs = map[token.Pos]bool{}, map[types.Object]*Decl{}
	r.asFunc, r.changed = map[*ast.FuncDecl]*Decl{}, map[*Decl]*Decl{}
	if r.files() != nil {
		return nil
	}
	files := append(slices.Clone(r.unit.Files), bodyList(r.unit)...)
	for _, f := range files {
		path, id := find(f.AST)
		if id != nil && p == nil {
			p = &probe{unit: r.unit, path: path, id: id, named: r.named, dots: r.dots}
		}
	}
	if p != nil {
		r.typeCheck()
	}
	return p
}

// inSight leaves out the statements behind the one with the marker, which it cannot
// see. A function sees them all.
func inSight(chunks []Chunk) []Chunk {
	at := slices.IndexFunc(chunks, func(ch Chunk) bool { return strings.Contains(ch.Text, mark) })
	if at < 0 || chunks[at].Kind != StmtChunk {
		return chunks
	}
	var out []Chunk
	for i, ch := range chunks {
		if i <= at || ch.Kind != StmtChunk && ch.Kind != VarChunk {
			out = append(out, ch)
		}
	}
	return out
}

// find looks for the marked identifier.
func find(f *ast.File) (path []ast.Node, id *ast.Ident) {
	var stack []ast.Node
	ast.Inspect(f, func(n ast.Node) bool {
		if id != nil {
			return false
		}
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		if x, ok := n.(*ast.Ident); ok && strings.HasSuffix(x.Name, mark) {
			path, id = slices.Clone(stack), x
		}
		return true
	})
	return path, id
}

// up is the nth node above the marker, nil if there is none.
func (p *probe) up(n int) ast.Node {
	if i := len(p.path) - 1 - n; i >= 0 {
		return p.path[i]
	}
	return nil
}

// scopeAt is the innermost lexical scope at the cursor.
func (p *probe) scopeAt() *types.Scope {
	if inner := p.unit.Pkg.Scope().Innermost(p.id.Pos()); inner != nil {
		return inner
	}
	return p.unit.Pkg.Scope()
}

// selected is what the marker is selected from: nil if it stands behind no dot.
func (p *probe) selected() ast.Expr {
	if sel, ok := p.up(1).(*ast.SelectorExpr); ok && sel.Sel == p.id {
		return sel.X
	}
	return nil
}

// packageOf is the package that x names, nil if it names none.
func (p *probe) packageOf(x ast.Expr) *types.Package {
	if id, ok := ast.Unparen(x).(*ast.Ident); ok {
		if pkg, ok := p.unit.Info.Uses[id].(*types.PkgName); ok {
			return pkg.Imported()
		}
	}
	return nil
}

// guessImports adds the imports that the text leaves out, as the cell will when it runs.
func (r *run) guessImports() {
	for _, ch := range r.chunks {
		toks := ch.toks
		for i, k := range toks {
			if i+2 >= len(toks) || k.tok != token.IDENT || toks[i+1].tok != token.PERIOD || toks[i+2].tok != token.IDENT ||
				i > 0 && toks[i-1].tok == token.PERIOD {
				continue
			}
			if r.named[k.lit] != "" || r.declares[k.lit] || r.old.Decls.Get(k.lit) != nil {
				continue
			}
			if paths := r.c.Offering(k.lit, toks[i+2].lit); len(paths) > 0 {
				r.named[k.lit] = paths[0]
			}
		}
	}
}
