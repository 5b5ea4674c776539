package plan

import (
	"go/ast"
	"go/token"
	"strings"
)

// switchStmt writes a switch over a basic type or over conditions.
func (w *writer) switchStmt(s *ast.SwitchStmt) {
	head := "switch " + w.init(s.Init)
	if s.Tag != nil {
		if basicInfo(w.typeOf(s.Tag)) == 0 {
			w.refuse(s, "a switch over a "+w.show(w.typeOf(s.Tag)))
			return
		}
		head += w.expr(s.Tag) + " "
	}
	w.mark()
	w.raw(head + "{ ")
	for _, c := range s.Body.List {
		clause := c.(*ast.CaseClause)
		var list []string
		for _, e := range clause.List {
			if isInterface(w.typeOf(e)) {
				w.refuse(e, "a case of interface type")
			}
			list = append(list, w.expr(e))
		}
		w.clause(clause, list)
	}
	w.raw("}; ")
}

func (w *writer) clause(c *ast.CaseClause, list []string) {
	if c.List == nil {
		w.raw("default: ")
	} else {
		w.raw("case " + strings.Join(list, ", ") + ": ")
	}
	for _, s := range c.Body {
		w.stmt(s)
	}
}

// typeSwitch writes a switch over the types in an any or an error.
func (w *writer) typeSwitch(s *ast.TypeSwitchStmt) {
	head := "switch " + w.init(s.Init)
	var x ast.Expr
	switch a := s.Assign.(type) {
	case *ast.AssignStmt:
		head += w.local(a.Lhs[0].(*ast.Ident)) + " := "
		x = a.Rhs[0]
	case *ast.ExprStmt:
		x = a.X
	}
	x = ast.Unparen(x).(*ast.TypeAssertExpr).X
	if t := w.typeOf(x); !anyOrError(t) {
		w.refuse(s, "a type switch over a "+w.show(t))
		return
	}
	w.mark()
	w.raw(head + w.expr(x) + ".(type) { ")
	for _, c := range s.Body.List {
		clause := c.(*ast.CaseClause)
		var list []string
		for _, e := range clause.List {
			if w.info.Types[e].IsNil() {
				list = append(list, "nil")
				continue
			}
			list = append(list, w.typeText(w.typeOf(e), e))
		}
		w.clause(clause, list)
	}
	w.raw("}; ")
}

func (w *writer) branch(s *ast.BranchStmt) {
	if s.Tok == token.GOTO {
		w.refuse(s, "a goto")
		return
	}
	text := s.Tok.String()
	if s.Label != nil {
		text += " L_" + s.Label.Name
	}
	w.emit(text)
}

// labeled writes a loop with a label. Other statements have labels for goto only.
func (w *writer) labeled(s *ast.LabeledStmt) {
	switch loop := s.Stmt.(type) {
	case *ast.ForStmt:
		w.forStmt(loop, "L_"+s.Label.Name+": ")
	case *ast.RangeStmt:
		w.rangeStmt(loop, "L_"+s.Label.Name+": ")
	default:
		w.refuse(s, "a label that is no loop's")
	}
}
