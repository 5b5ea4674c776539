package check

import (
	"go/ast"
	"go/token"
	"slices"
)

// Changes are the names of variables of earlier cells that the statements assign to,
// or to parts of. What changes through pointers or in functions is not among them.
func (u *Unit) Changes() (names []string) {
	if u.Body == nil {
		return nil
	}
	changed := func(x ast.Expr) {
		id := rootOf(x)
		if id == nil {
			return
		}
		d := u.DeclOf(u.Info.Uses[id])
		if d != nil && d.Kind == Var && d.Cell != u.Cell && !slices.Contains(names, d.Name) {
			names = append(names, d.Name)
		}
	}
	ast.Inspect(u.Body.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, x := range n.Lhs {
				changed(x)
			}
		case *ast.IncDecStmt:
			changed(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				changed(n.Key)
				changed(n.Value)
			}
		}
		return true
	})
	return names
}

// rootOf is the variable that x is, or is a part of; nil if there is none.
func rootOf(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.ParenExpr:
			x = e.X
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		default:
			return nil
		}
	}
}
