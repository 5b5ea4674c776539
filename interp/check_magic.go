package interp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"attune/interp/cell"
)

// checked is the Go code that says what a line would take, for %check: Check in the
// place of Fit, with the same arguments; or balance.Check of a task and a batch.
func checked(code string) (string, *cell.Error) {
	const before, behind = "package p;func _(){", "\n}"
	if file, err := parser.ParseFile(token.NewFileSet(), "", before+code+behind, parser.SkipObjectResolution); err == nil && len(file.Decls) == 1 {
		if f, ok := file.Decls[0].(*ast.FuncDecl); ok && len(f.Body.List) == 1 {
			if call, name := fitting(f.Body.List[0]); call != nil {
				at := func(p token.Pos) int { return int(p) - 1 - len(before) }
				return blank(code[:at(call.Pos())]) + code[at(call.Pos()):at(name.Pos())] + "Check" + code[at(name.End()):at(call.End())], nil
			}
		}
	}
	list := strings.TrimRight(strings.TrimSpace(code), ";")
	if x, err := parser.ParseExpr("f(" + list + ")"); err == nil {
		if call, ok := x.(*ast.CallExpr); ok && len(call.Args) > 1 {
			return "balance.Check(" + list + ")", nil
		}
	}
	return "", magicError("%%check: want one line that calls Fit, as in %%check trainer.Fit(train, nil, 3), or a task and a batch, as in %%check task, batch")
}

// fitting is the call of a method Fit that a statement comes to, and the method's name.
func fitting(s ast.Stmt) (*ast.CallExpr, *ast.Ident) {
	var x ast.Expr
	switch s := s.(type) {
	case *ast.ExprStmt:
		x = s.X
	case *ast.AssignStmt:
		if len(s.Rhs) == 1 {
			x = s.Rhs[0]
		}
	case *ast.IfStmt:
		if s.Init != nil {
			return fitting(s.Init)
		}
	}
	if call, ok := x.(*ast.CallExpr); ok {
		if method, ok := call.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Fit" {
			return call, method.Sel
		}
	}
	return nil, nil
}

// blank keeps the lines and columns of what stands behind a text.
func blank(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return ' '
	}, s)
}
