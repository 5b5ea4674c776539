package native

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"attune/interp/check"
)

// litName begins the names of the constants that a run is given.
const litName = "Ξlit"

// maxLiterals is how many constants of a cell are handed to its runs; a cell with
// more holds data, and its text is compiled as it stands.
const maxLiterals = 200

// literals are the constants of a cell's statements. Instead of being compiled in
// they are given to each run, so that a cell in which only they were edited is, to
// the compiler, the cell that it has built already.
type literals struct {
	u      *check.Unit
	at     map[ast.Expr]int
	values []any
	types  []types.Type
}

// findLiterals looks through the statements of u, and the initial values of a cell
// that only declares.
func findLiterals(u *check.Unit) *literals {
	l := &literals{u: u, at: map[ast.Expr]int{}}
	if u.Body != nil {
		l.walk(u.BodyDecl().Body, false)
	} else {
		for _, in := range u.Info.InitOrder {
			l.walk(in.Rhs, false)
		}
	}
	if len(l.values) > maxLiterals {
		return &literals{u: u}
	}
	return l
}

// walk collects the literals under n. In hot code, which may run often, those stay
// that the compiler makes faster code of when it knows them.
func (l *literals) walk(n ast.Node, hot bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if x, ok := n.(ast.Expr); ok {
			tv := l.u.Info.Types[x]
			if tv.IsType() || tv.Value != nil {
				l.take(x, tv)
				return false
			}
		}
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.CompositeLit:
			l.elements(n, hot)
			return false
		case *ast.ForStmt:
			l.loop(n.Init, hot, n.Cond, n.Post, n.Body)
			return false
		case *ast.RangeStmt:
			l.loop(n.X, hot, n.Body)
			return false
		case *ast.FuncLit:
			if !hot {
				l.walk(n.Body, true)
				return false
			}
		case *ast.CaseClause: // constants make a table of jumps
			l.varying(n.List, hot)
			for _, s := range n.Body {
				l.walk(s, hot)
			}
			return false
		case *ast.BinaryExpr:
			if hot && strengthens(n.Op) {
				l.varying([]ast.Expr{n.X, n.Y}, hot)
				return false
			}
		case *ast.AssignStmt:
			if hot && strengthens(n.Tok) {
				l.varying(slices.Concat(n.Lhs, n.Rhs), hot)
				return false
			}
		case *ast.IndexExpr:
			if hot {
				l.varying([]ast.Expr{n.X, n.Index}, hot)
				return false
			}
		}
		return true
	})
}

// strengthens tells whether arithmetic gets cheaper by a known operand.
func strengthens(op token.Token) bool {
	switch op {
	case token.MUL, token.QUO, token.REM, token.SHL, token.SHR,
		token.MUL_ASSIGN, token.QUO_ASSIGN, token.REM_ASSIGN, token.SHL_ASSIGN, token.SHR_ASSIGN:
		return true
	}
	return false
}

// varying walks those expressions that are no constants.
func (l *literals) varying(list []ast.Expr, hot bool) {
	for _, x := range list {
		if l.u.Info.Types[x].Value == nil {
			l.walk(x, hot)
		}
	}
}

func (l *literals) loop(once ast.Node, hot bool, often ...ast.Node) {
	for _, n := range append(often, once) {
		switch n := n.(type) {
		case nil:
		case ast.Expr:
			if n != nil {
				l.walk(n, hot || n != once)
			}
		case ast.Stmt:
			if n != nil {
				l.walk(n, hot || n != once)
			}
		}
	}
}

// elements walks a composite literal: the keys of arrays and slices must be
// constants, those of structs are names.
func (l *literals) elements(lit *ast.CompositeLit, hot bool) {
	_, isMap := l.u.Info.Types[lit].Type.Underlying().(*types.Map)
	for _, el := range lit.Elts {
		if kv, ok := el.(*ast.KeyValueExpr); ok {
			if isMap {
				l.walk(kv.Key, hot)
			}
			el = kv.Value
		}
		l.walk(el, hot)
	}
}

// take notes the constant expression x, if it is one that a run can be given.
func (l *literals) take(x ast.Expr, tv types.TypeAndValue) {
	basic, ok := tv.Type.Underlying().(*types.Basic)
	if tv.Value == nil || !ok || basic.Info()&types.IsUntyped != 0 || !l.isLiteral(x) {
		return
	}
	value := literalValue(tv.Value, basic)
	if value == nil || !l.namable(tv.Type) {
		return
	}
	l.at[x] = len(l.values)
	l.values, l.types = append(l.values, value), append(l.types, tv.Type)
}

// isLiteral tells whether x has a basic literal in it, and stands on one line. One
// with a variable in it, as in len(array) + 1, stays: it may be all that uses that.
func (l *literals) isLiteral(x ast.Expr) bool {
	found, variable := false, false
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			found = true
		case *ast.Ident:
			_, isVar := l.u.Info.Uses[n].(*types.Var)
			variable = variable || isVar
		}
		return true
	})
	return found && !variable && l.u.Fset.Position(x.Pos()).Line == l.u.Fset.Position(x.End()).Line
}

// namable tells whether text outside of t's own function can name t.
func (l *literals) namable(t types.Type) bool {
	w := check.TypeWriter{Scope: l.u.Scope, Import: func(_, name string) string { return name }, Use: func(*check.Decl) {}}
	_, err := w.Text(t)
	return err == nil
}

// literalValue is v as a value that crosses to the worker, nil if it cannot.
func literalValue(v constant.Value, t *types.Basic) any {
	switch info := t.Info(); {
	case info&types.IsString != 0:
		return constant.StringVal(v)
	case info&types.IsUnsigned != 0:
		if n, exact := constant.Uint64Val(constant.ToInt(v)); exact {
			return n
		}
	case info&types.IsInteger != 0:
		if n, exact := constant.Int64Val(constant.ToInt(v)); exact {
			return n
		}
	case info&types.IsFloat != 0:
		return floatValue(v)
	case info&types.IsComplex != 0:
		v = constant.ToComplex(v)
		return complex(floatValue(constant.Real(v)), floatValue(constant.Imag(v)))
	}
	return nil
}

func floatValue(v constant.Value) float64 {
	f, _ := constant.Float64Val(constant.ToFloat(v)) // rounded, as the compiler does
	return f
}

// declare is the text that puts the run's constants into variables.
func (l *literals) declare(typed *check.TypeWriter) (string, error) {
	var text strings.Builder
	for i, v := range l.values {
		typ, err := typed.Text(l.types[i])
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "%s%d := %s(%s.Literals[%d].(%T)); _ = %s%d\n", litName, i, typ, envName, i, v, litName, i)
	}
	return text.String(), nil
}
