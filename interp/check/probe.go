package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// mark is the identifier that stands for the cursor while a cell is probed.
const mark = "Ξcursor"

// probe is a cell that is being typed, checked as far as it goes.
type probe struct {
	unit *Unit
	path []ast.Node // from the file down to the identifier at the cursor
	id   *ast.Ident
}

// probeAt checks code with a marker put in at offset, problems overlooked. It
// returns nil if nothing can be made of the text.
func (c *Checker) probeAt(code string, offset int, scope *Scope) *probe {
	c = c.scratch()
	for _, text := range []string{
		code[:offset] + mark + code[offset:],
		closed(code[:offset] + mark),
	} {
		if p := c.tryProbe(text, scope); p != nil {
			return p
		}
	}
	return nil
}

// scratch is the checker with a file set of its own, for text that is not kept.
func (c *Checker) scratch() *Checker {
	return &Checker{Fset: token.NewFileSet(), Imp: c.Imp, pkg: c.pkg}
}

func (c *Checker) tryProbe(text string, scope *Scope) *probe {
	r := &run{
		c: c, cell: 0, old: scope, chunks: Split(text),
		named: map[string]string{}, declares: map[string]bool{}, methods: map[string][]Chunk{},
		typeText: map[string]Chunk{}, dirty: map[*Decl]bool{}, reshaped: map[*Decl]bool{}, stale: map[*Decl]string{},
	}
	if r.imports() != nil || r.sort() != nil {
		return nil
	}
	r.dirtyTypes()
	r.unit = &Unit{Fset: c.Fset, Scope: scope}
	r.topLevel, r.objs = map[token.Pos]bool{}, map[types.Object]*Decl{}
	r.asFunc, r.changed = map[*ast.FuncDecl]*Decl{}, map[*Decl]*Decl{}
	if r.files() != nil {
		return nil
	}
	r.typeCheck()
	for _, f := range append(r.unit.Files[:len(r.unit.Files):len(r.unit.Files)], bodyList(r.unit)...) {
		if path, id := find(f.AST); id != nil {
			return &probe{unit: r.unit, path: path, id: id}
		}
	}
	return nil
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
			path, id = append([]ast.Node(nil), stack...), x
		}
		return true
	})
	return path, id
}

// closed ends the brackets and strings that text leaves open.
func closed(text string) string {
	open := openBrackets(text)
	var b strings.Builder
	b.WriteString(text)
	for i := len(open) - 1; i >= 0; i-- {
		switch open[i] {
		case '(':
			b.WriteByte(')')
		case '[':
			b.WriteByte(']')
		case '{':
			b.WriteString("\n}")
		}
	}
	return b.String()
}

// openBrackets lists the brackets that text opens and does not close.
func openBrackets(text string) []byte {
	toks, _ := scan(text)
	var open []byte
	for _, t := range toks {
		switch t.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open = append(open, t.tok.String()[0])
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
	return open
}

// scopeAt is the innermost lexical scope at the cursor.
func (p *probe) scopeAt() *types.Scope {
	pos := p.id.Pos()
	inner := p.unit.Pkg.Scope().Innermost(pos)
	if inner == nil {
		return p.unit.Pkg.Scope()
	}
	return inner
}

// selector returns, if the marker stands behind a dot, how to look names up there.
func (p *probe) selector() func(name string) types.Object {
	if len(p.path) < 2 {
		return nil
	}
	sel, ok := p.path[len(p.path)-2].(*ast.SelectorExpr)
	if !ok || sel.Sel != p.id {
		return nil
	}
	if id, ok := ast.Unparen(sel.X).(*ast.Ident); ok {
		if pkg, ok := p.unit.Info.Uses[id].(*types.PkgName); ok {
			return func(name string) types.Object { return pkg.Imported().Scope().Lookup(name) }
		}
	}
	t := p.unit.Info.TypeOf(sel.X)
	return func(name string) types.Object {
		if t == nil {
			return nil
		}
		o, _, _ := types.LookupFieldOrMethod(t, true, p.unit.Pkg, name)
		return o
	}
}
