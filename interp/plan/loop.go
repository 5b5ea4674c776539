package plan

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"attune/interp/worker"
)

// forStmt writes a loop that counts up or down and is known to be short.
func (w *writer) forStmt(s *ast.ForStmt, label string) {
	if w.slow {
		w.anyFor(s, label)
		return
	}
	id, n, ok := w.counted(s)
	if !ok {
		w.refuse(s, "a for loop whose length is not known before it runs")
		return
	}
	end := w.short(s, n)
	defer end()
	obj := w.info.Defs[id]
	init := w.define(s.Init.(*ast.AssignStmt))
	cond := w.expr(s.Cond)
	var post string
	switch p := s.Post.(type) {
	case *ast.IncDecStmt:
		post = w.ident(id) + p.Tok.String()
	case *ast.AssignStmt:
		post = w.ident(id) + " " + p.Tok.String() + " " + w.expr(p.Rhs[0])
	}
	w.fixed[obj] = true
	w.sizes[obj] = n
	w.mark()
	w.raw(label + "for " + init + "; " + cond + "; " + post + " ")
	w.block(s.Body)
	w.raw("; ")
}

// counted tells how often `for i := from; i < to; i += step` runs, for from and to of
// known extent, and a step that is constant. That the body leaves i alone is seen to
// when it is written.
func (w *writer) counted(s *ast.ForStmt) (id *ast.Ident, n extent, ok bool) {
	init, isAssign := s.Init.(*ast.AssignStmt)
	cond, isBinary := s.Cond.(*ast.BinaryExpr)
	if !isAssign || !isBinary || init.Tok != token.DEFINE || len(init.Lhs) != 1 {
		return nil, extent{}, false
	}
	id, _ = init.Lhs[0].(*ast.Ident)
	if id == nil || id.Name == "_" {
		return nil, extent{}, false
	}
	obj := w.info.Defs[id]
	if b, isBasic := types.Unalias(obj.Type()).(*types.Basic); !isBasic || b.Kind() != types.Int && b.Kind() != types.Int64 {
		return nil, extent{}, false
	}
	step, ok := w.step(s.Post, obj)
	if !ok || !w.isObject(cond.X, obj) {
		return nil, extent{}, false
	}
	up := cond.Op == token.LSS || cond.Op == token.LEQ
	if !up && cond.Op != token.GTR && cond.Op != token.GEQ {
		return nil, extent{}, false
	}
	from, ok1 := w.integer(init.Rhs[0])
	to, ok2 := w.integer(cond.Y)
	if ok1 && ok2 {
		if !up {
			from, to, step = -from, -to, -step
		}
		if cond.Op == token.LEQ || cond.Op == token.GEQ {
			to++
		}
		return id, extent{N: rounds(from, to, step)}, true
	}
	first, ok1 := w.size(init.Rhs[0])
	last, ok2 := w.size(cond.Y)
	switch {
	case !ok1 || !ok2 || up != (step > 0):
		return nil, extent{}, false
	case up && from > 0:
		first.N = 0
	case !up && to > 0:
		last.N = 0
	}
	return id, extent{N: first.N + last.N, Of: append(first.Of[:len(first.Of):len(first.Of)], last.Of...)}, true
}

// rounds counts from, from+step, … below to; too many if there is no end.
func rounds(from, to, step int64) int64 {
	switch {
	case from >= to:
		return 0
	case step <= 0:
		return worker.MaxTimes + 1
	}
	return (to - from + step - 1) / step
}

// integer is the value of a constant of at most 30 bits.
func (w *writer) integer(e ast.Expr) (int64, bool) {
	v := w.info.Types[e].Value
	if v == nil {
		return 0, false
	}
	n, exact := constant.Int64Val(constant.ToInt(v))
	return n, exact && n > -1<<30 && n < 1<<30
}

func (w *writer) isObject(e ast.Expr, obj types.Object) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && w.info.Uses[id] == obj
}

func (w *writer) step(s ast.Stmt, obj types.Object) (int64, bool) {
	switch s := s.(type) {
	case *ast.IncDecStmt:
		if s.Tok == token.DEC {
			return -1, w.isObject(s.X, obj)
		}
		return 1, w.isObject(s.X, obj)
	case *ast.AssignStmt:
		if len(s.Lhs) != 1 || !w.isObject(s.Lhs[0], obj) {
			return 0, false
		}
		n, ok := w.integer(s.Rhs[0])
		switch s.Tok {
		case token.ADD_ASSIGN:
			return n, ok
		case token.SUB_ASSIGN:
			return -n, ok
		}
	}
	return 0, false
}

// rangeStmt writes a range over what is known to be short.
func (w *writer) rangeStmt(s *ast.RangeStmt, label string) {
	if s.Key != nil && s.Tok != token.DEFINE {
		w.refuse(s, "a range loop that assigns to variables")
		return
	}
	n, ok := w.length(s.X)
	if !ok && (!w.slow || !rangeable(w.typeOf(s.X))) {
		w.refuse(s, "a range loop whose length is not known before it runs")
		return
	}
	end := w.short(s, n)
	defer end()
	key, value := w.rangeName(s.Key), w.rangeName(s.Value)
	head := label + "for "
	if basicInfo(w.typeOf(s.X))&types.IsInteger != 0 {
		head += w.countUp(s.X, key)
	} else {
		switch {
		case value != "_":
			head += key + ", " + value + " := "
		case key != "_":
			head += key + " := "
		}
		head += "range " + w.once(s.X) + " "
	}
	w.fix(s.Key)
	w.fix(s.Value)
	if id, ok := s.Key.(*ast.Ident); ok && basicInfo(w.typeOf(s.Key))&types.IsInteger != 0 {
		w.sizes[w.info.Defs[id]] = n
	}
	w.mark()
	w.raw(head)
	w.roundBody(s.Body)
	w.raw("; ")
}

// countUp writes a range over an integer, which the interpreter does not know, as
// a loop that counts.
func (w *writer) countUp(x ast.Expr, key string) string {
	if key == "_" {
		key = w.temp()
	}
	to := w.once(x)
	zero := w.typeText(w.typeOf(x), x) + "(0)"
	return key + " := " + zero + "; " + key + " < " + to + "; " + key + "++ "
}

// once is x, computed before what follows: a loop looks at it in each round.
func (w *writer) once(x ast.Expr) string {
	text := w.expr(x)
	if w.info.Types[x].Value != nil {
		return text
	}
	t := w.temp()
	w.emit(t + " := " + text)
	return t
}

// length is how many rounds a range over x has at most. Functions and channels are
// for the compiler.
func (w *writer) length(x ast.Expr) (extent, bool) {
	if !rangeable(w.typeOf(x)) {
		return extent{}, false
	}
	return w.size(x)
}

func rangeable(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Array, *types.Slice, *types.Map:
		return true
	case *types.Basic:
		return t.Info()&(types.IsString|types.IsInteger) != 0
	}
	return false
}

// anyFor writes a for loop of any length. Its variables may be assigned to, since no
// closure and no pointer holds that of an earlier round.
func (w *writer) anyFor(s *ast.ForStmt, label string) {
	head := w.init(s.Init)
	if head == "" {
		head = "; "
	} else {
		for _, l := range s.Init.(*ast.AssignStmt).Lhs {
			if id, ok := l.(*ast.Ident); ok && w.info.Defs[id] != nil {
				w.fixed[w.info.Defs[id]], w.moves[w.info.Defs[id]] = true, true
			}
		}
	}
	if s.Cond != nil {
		head += w.expr(s.Cond)
	}
	head += "; " + w.post(s.Post) + " "
	w.mark()
	w.raw(label + "for " + head)
	w.roundBody(s.Body)
	w.raw("; ")
}

// post writes the statement behind a loop's round, which has no room for temporaries.
func (w *writer) post(s ast.Stmt) string {
	switch s := s.(type) {
	case nil:
		return ""
	case *ast.IncDecStmt:
		if id, ok := ast.Unparen(s.X).(*ast.Ident); ok && basicInfo(w.typeOf(s.X))&types.IsNumeric != 0 {
			return w.variableIn(id) + s.Tok.String()
		}
	case *ast.AssignStmt:
		id, ok := ast.Unparen(s.Lhs[0]).(*ast.Ident)
		if !ok || len(s.Lhs) != 1 || s.Tok == token.DEFINE || id.Name == "_" {
			break
		}
		t := w.typeOf(id)
		own := s.Tok == token.ASSIGN && w.u.DeclOf(w.object(id)) == nil && types.Identical(t, w.typeOf(s.Rhs[0]))
		if own || w.arithmetic(binaryOf(s.Tok), t, s.Rhs[0]) {
			return w.variableIn(id) + " " + s.Tok.String() + " " + w.expr(s.Rhs[0])
		}
	}
	return w.refuse(s, "what the for loop does behind each round")
}

// roundBody is a body with one statement at least, since the instant engine can be
// interrupted where a statement begins.
func (w *writer) roundBody(b *ast.BlockStmt) {
	if len(b.List) > 0 {
		w.block(b)
		return
	}
	t := w.temp()
	w.raw("{ ")
	w.emit(t + " := 0")
	w.emit("_ = " + t)
	w.raw("}")
}

// keyedSlice tells of []T{1000000: x}, which is longer than it looks.
func keyedSlice(t types.Type, lit *ast.CompositeLit) bool {
	_, slice := t.(*types.Slice)
	for _, e := range lit.Elts {
		if _, ok := e.(*ast.KeyValueExpr); ok && slice {
			return true
		}
	}
	return false
}

func (w *writer) rangeName(e ast.Expr) string {
	id, ok := e.(*ast.Ident)
	if !ok {
		return "_"
	}
	return w.local(id)
}

func (w *writer) fix(e ast.Expr) {
	if id, ok := e.(*ast.Ident); ok && id.Name != "_" {
		w.fixed[w.info.Defs[id]] = true
	}
}
