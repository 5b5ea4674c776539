package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// top writes a statement of the cell's top level. What it defines is the
// session's, so that defining is assigning.
func (w *writer) top(s ast.Stmt) {
	w.begin(s)
	switch s := s.(type) {
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			w.assign(s, s.Lhs, s.Rhs)
			return
		}
	case *ast.DeclStmt:
		if g, ok := s.Decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, spec := range g.Specs {
				w.begin(spec)
				w.topVar(spec.(*ast.ValueSpec))
			}
			return
		}
	case *ast.ExprStmt:
		if s.X == w.u.Result {
			w.results(s.X)
			return
		}
	case *ast.ReturnStmt:
		if w.u.Result != nil {
			w.refuse(s, "returns before the last expression")
			return
		}
	}
	w.stmt(s)
}

// topVar writes `var a, b T = x, y` as an assignment, and one without values as
// setting the zero value.
func (w *writer) topVar(spec *ast.ValueSpec) {
	if len(spec.Values) > 0 {
		w.assign(spec, identList(spec.Names), spec.Values)
		return
	}
	for _, id := range spec.Names {
		w.zero(id)
	}
}

func identList(ids []*ast.Ident) (out []ast.Expr) {
	for _, id := range ids {
		out = append(out, id)
	}
	return out
}

func (w *writer) zero(id *ast.Ident) {
	if id.Name == "_" {
		return
	}
	place, t := w.variableIn(id), w.temp()
	w.emit("var " + t + " " + w.typeText(w.info.Defs[id].Type(), id))
	w.emit(place + " = " + t)
	w.sizes[w.info.Defs[id]] = extent{}
}

// results takes the values of the last expression.
func (w *writer) results(e ast.Expr) {
	if len(w.u.ResultTypes) == 1 {
		if w.info.Types[e].IsNil() {
			w.refuse(e, "shows nil")
			return
		}
		value := w.right(e)
		w.emit(w.result(0) + " = " + value)
		return
	}
	var temps, places []string
	for n := range w.u.ResultTypes {
		temps, places = append(temps, w.temp()), append(places, w.result(n))
	}
	w.emit(strings.Join(temps, ", ") + " := " + w.multiple(e))
	w.emit(strings.Join(places, ", ") + " = " + strings.Join(temps, ", "))
}

// packageVars writes a cell of package-level variables: first those without a
// value, then the others in the order in which Go initialises them.
func (w *writer) packageVars() {
	for _, f := range w.u.Files {
		for _, d := range f.AST.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				if vs := spec.(*ast.ValueSpec); len(vs.Values) == 0 {
					w.begin(vs)
					w.topVar(vs)
				}
			}
		}
	}
	for _, in := range w.u.Info.InitOrder {
		w.begin(in.Rhs)
		w.initial(in)
	}
}

func (w *writer) initial(in *types.Initializer) {
	var temps, places, values []string
	for _, v := range in.Lhs {
		d := w.u.DeclOf(v)
		if d == nil {
			temps = append(temps, "_")
			continue
		}
		t := w.temp()
		temps, values, places = append(temps, t), append(values, t), append(places, w.variable(d, in.Rhs))
	}
	switch {
	case len(in.Lhs) > 1:
		w.emit(strings.Join(temps, ", ") + assignOp(places) + w.multiple(in.Rhs))
	case len(places) == 0:
		w.emit("_ = " + w.right(in.Rhs))
		return
	default:
		values[0] = w.right(in.Rhs)
	}
	if len(places) > 0 {
		w.emit(strings.Join(places, ", ") + " = " + strings.Join(values, ", "))
	}
}

// assignOp defines temporaries if there are any.
func assignOp(places []string) string {
	if len(places) == 0 {
		return " = "
	}
	return " := "
}

// stmt writes a statement in a block.
func (w *writer) stmt(s ast.Stmt) {
	w.begin(s)
	switch s := s.(type) {
	case *ast.EmptyStmt:
	case *ast.ExprStmt:
		w.exprStmt(s)
	case *ast.AssignStmt:
		w.assignStmt(s)
	case *ast.IncDecStmt:
		w.opAssign(s, s.X, s.Tok, nil)
	case *ast.DeclStmt:
		w.localDecl(s)
	case *ast.BlockStmt:
		w.mark()
		w.block(s)
		w.raw("; ")
	case *ast.IfStmt:
		w.mark()
		w.ifStmt(s)
		w.raw("; ")
	case *ast.SwitchStmt:
		w.switchStmt(s)
	case *ast.TypeSwitchStmt:
		w.typeSwitch(s)
	case *ast.ForStmt:
		w.forStmt(s, "")
	case *ast.RangeStmt:
		w.rangeStmt(s, "")
	case *ast.LabeledStmt:
		w.labeled(s)
	case *ast.BranchStmt:
		w.branch(s)
	case *ast.ReturnStmt:
		if w.u.Result != nil {
			w.refuse(s, "returns before the last expression")
		}
		w.emit("return")
	default:
		w.refuse(s, construct(s))
	}
}

// construct names a statement that only the compiler gets right.
func construct(s ast.Node) string {
	switch s.(type) {
	case *ast.GoStmt:
		return "a go statement"
	case *ast.DeferStmt:
		return "a deferred call"
	case *ast.SelectStmt:
		return "a select statement"
	case *ast.SendStmt:
		return "a send on a channel"
	case *ast.FuncLit:
		return "a function literal"
	case *ast.UnaryExpr:
		return "a receive from a channel"
	}
	return "a statement that the instant engine is not known to get right"
}

func (w *writer) exprStmt(s *ast.ExprStmt) {
	call, ok := ast.Unparen(s.X).(*ast.CallExpr)
	if !ok {
		w.refuse(s, construct(ast.Unparen(s.X)))
		return
	}
	w.emit(w.call(call))
}

func (w *writer) assignStmt(s *ast.AssignStmt) {
	switch s.Tok {
	case token.ASSIGN:
		w.assign(s, s.Lhs, s.Rhs)
	case token.DEFINE:
		w.emit(w.define(s))
	default:
		w.opAssign(s, s.Lhs[0], s.Tok, s.Rhs[0])
	}
}

// define writes a definition of locals.
func (w *writer) define(s *ast.AssignStmt) string {
	var left, right []string
	for _, l := range s.Lhs {
		id, ok := l.(*ast.Ident)
		if !ok {
			return w.refuse(l, "a definition of what is no name")
		}
		if w.fixed[w.object(id)] && !w.moves[w.object(id)] {
			return w.refuse(id, "assigns to the loop variable "+id.Name)
		}
		left = append(left, w.local(id))
	}
	defer w.assignedAll(s.Lhs, s.Rhs)
	if len(s.Lhs) != len(s.Rhs) {
		return strings.Join(left, ", ") + " := " + w.multiple(s.Rhs[0])
	}
	for _, r := range s.Rhs {
		if len(s.Rhs) > 1 && (w.info.Types[r].IsNil() || w.convertsToInterface(r)) {
			return w.refuse(r, "nil or a conversion to an interface among several right sides")
		}
		right = append(right, w.expr(r))
	}
	return strings.Join(left, ", ") + " := " + strings.Join(right, ", ")
}

// local is the name of a variable of the cell itself.
func (w *writer) local(id *ast.Ident) string {
	if id.Name == "_" {
		return "_"
	}
	return "l_" + id.Name
}

func (w *writer) localDecl(s *ast.DeclStmt) {
	g, ok := s.Decl.(*ast.GenDecl)
	switch {
	case !ok || g.Tok == token.TYPE:
		w.refuse(s, "declares a type")
		return
	case g.Tok == token.CONST: // folded wherever it is named
		return
	}
	for _, spec := range g.Specs {
		vs := spec.(*ast.ValueSpec)
		w.begin(vs)
		var names, values []string
		for _, id := range vs.Names {
			names = append(names, w.local(id))
			w.sizes[w.info.Defs[id]] = extent{}
		}
		if len(vs.Values) > 0 {
			defer w.assignedAll(identList(vs.Names), vs.Values)
		}
		text := "var " + strings.Join(names, ", ")
		if vs.Type != nil {
			text += " " + w.typeText(w.typeOf(vs.Type), vs.Type)
		}
		if len(vs.Values) == len(vs.Names) {
			for _, v := range vs.Values {
				values = append(values, w.expr(v))
			}
		} else if len(vs.Values) > 0 {
			values = append(values, w.multiple(vs.Values[0]))
		}
		if len(values) > 0 {
			text += " = " + strings.Join(values, ", ")
		}
		w.emit(text)
	}
}

// block writes the statements in braces.
func (w *writer) block(b *ast.BlockStmt) {
	w.raw("{ ")
	for _, s := range b.List {
		w.stmt(s)
	}
	w.raw("}")
}

func (w *writer) ifStmt(s *ast.IfStmt) {
	w.raw("if " + w.init(s.Init) + w.expr(s.Cond) + " ")
	w.block(s.Body)
	switch e := s.Else.(type) {
	case nil:
	case *ast.IfStmt:
		w.raw(" else ")
		w.ifStmt(e)
	case *ast.BlockStmt:
		w.raw(" else ")
		w.block(e)
	}
}

// init writes the statement before a condition, where only a definition is known
// to be right.
func (w *writer) init(s ast.Stmt) string {
	if s == nil {
		return ""
	}
	a, ok := s.(*ast.AssignStmt)
	if !ok || a.Tok != token.DEFINE {
		return w.refuse(s, "a statement before a condition that is no definition")
	}
	return w.define(a) + "; "
}
