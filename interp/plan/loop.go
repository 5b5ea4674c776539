package plan

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
)

// maxTimes is how often the body of the innermost loop may run: some milliseconds
// of the instant engine, which a compiled cell needs 50 times over to be built.
const maxTimes = 1000

// short takes a loop of n rounds in, and returns what ends it.
func (w *writer) short(at ast.Node, n int64) (end func()) {
	before := w.times
	if n < 0 || n > maxTimes || w.times*max(n, 1) > maxTimes {
		w.refuse(at, "a loop that runs more than "+strconv.Itoa(maxTimes)+" times")
	} else {
		w.times *= max(n, 1)
	}
	return func() { w.times = before }
}

// forStmt writes a loop from one constant to another. Others may be long.
func (w *writer) forStmt(s *ast.ForStmt, label string) {
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
	w.mark()
	w.raw(label + "for " + init + "; " + cond + "; " + post + " ")
	w.block(s.Body)
	w.raw("; ")
}

// counted tells how often `for i := from; i < to; i += step` runs, for constants
// that are far from the ends of i's type. That the body leaves i alone is seen to
// when it is written.
func (w *writer) counted(s *ast.ForStmt) (id *ast.Ident, n int64, ok bool) {
	init, isAssign := s.Init.(*ast.AssignStmt)
	cond, isBinary := s.Cond.(*ast.BinaryExpr)
	if !isAssign || !isBinary || init.Tok != token.DEFINE || len(init.Lhs) != 1 {
		return nil, 0, false
	}
	id, _ = init.Lhs[0].(*ast.Ident)
	if id == nil || id.Name == "_" {
		return nil, 0, false
	}
	obj := w.info.Defs[id]
	if b, isBasic := types.Unalias(obj.Type()).(*types.Basic); !isBasic || b.Kind() != types.Int && b.Kind() != types.Int64 {
		return nil, 0, false
	}
	from, ok1 := w.integer(init.Rhs[0])
	to, ok2 := w.integer(cond.Y)
	step, ok3 := w.step(s.Post, obj)
	if !ok1 || !ok2 || !ok3 || !w.isObject(cond.X, obj) {
		return nil, 0, false
	}
	switch cond.Op {
	case token.LSS:
		n = rounds(from, to, step)
	case token.LEQ:
		n = rounds(from, to+1, step)
	case token.GTR:
		n = rounds(-from, -to, -step)
	case token.GEQ:
		n = rounds(-from, -to+1, -step)
	default:
		return nil, 0, false
	}
	return id, n, true
}

// rounds counts from, from+step, … below to; -1 if there is no end.
func rounds(from, to, step int64) int64 {
	switch {
	case from >= to:
		return 0
	case step <= 0:
		return -1
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

// rangeStmt writes a range over a literal, an array, or a constant.
func (w *writer) rangeStmt(s *ast.RangeStmt, label string) {
	if s.Key != nil && s.Tok != token.DEFINE {
		w.refuse(s, "a range loop that assigns to variables")
		return
	}
	n, ok := w.length(s.X)
	if !ok {
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
		head += "range " + w.expr(s.X) + " "
	}
	w.fix(s.Key)
	w.fix(s.Value)
	w.mark()
	w.raw(head)
	w.block(s.Body)
	w.raw("; ")
}

// countUp writes a range over an integer, which the interpreter does not know, as
// a loop that counts.
func (w *writer) countUp(x ast.Expr, key string) string {
	if key == "_" {
		key = w.temp()
	}
	to := w.expr(x)
	zero := w.typeText(w.typeOf(x), x) + "(0)"
	return key + " := " + zero + "; " + key + " < " + to + "; " + key + "++ "
}

// length is how many rounds a range over x has at most.
func (w *writer) length(x ast.Expr) (int64, bool) {
	t := w.typeOf(x).Underlying()
	if v := w.info.Types[x].Value; v != nil {
		if basicInfo(t)&types.IsString != 0 {
			return int64(len(constant.StringVal(v))), true
		}
		return w.integer(x)
	}
	switch t := t.(type) {
	case *types.Array:
		return t.Len(), true
	case *types.Slice, *types.Map:
		if lit, ok := ast.Unparen(x).(*ast.CompositeLit); ok && !keyedSlice(t, lit) {
			return int64(len(lit.Elts)), true
		}
	}
	return 0, false
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
