package check

import (
	"go/ast"
	"go/token"
	"go/types"
)

// place is what may stand where the cursor is.
type place int

const (
	anExpression place = iota
	aStatement
	aType
	aLabel
	aCase     // between the braces of a switch before its first case
	anElse    // behind the closing brace of an if
	aNewName  // the name of a declaration: nobody can guess it
	aMember   // behind a dot
	aFieldKey // a key of a struct literal, or a positional value
)

// placeOf tells by the tokens in front of the cursor, and by the syntax around it.
func placeOf(t *text, p *probe, src string) place {
	last := t.last()
	if n := len(t.open) - 1; n >= 0 && t.open[n].choice && !t.open[n].in {
		return aCase
	}
	switch last.tok {
	case token.PERIOD:
		return aMember
	case token.GOTO:
		return aLabel
	case token.BREAK, token.CONTINUE:
		if onOneLine(src[last.off:]) {
			return aLabel
		}
	case token.FUNC, token.PACKAGE:
		if p == nil || len(t.open) == 0 {
			return aNewName
		}
	case token.RBRACE:
		if onOneLine(src[last.off:]) {
			return anElse
		}
	}
	if p == nil {
		if len(t.toks) == 0 || t.ended() {
			return aStatement
		}
		return anExpression
	}
	return p.place()
}

func onOneLine(s string) bool {
	for i := range len(s) {
		if s[i] == '\n' {
			return false
		}
	}
	return true
}

// place tells by the syntax around the marker.
func (p *probe) place() place {
	n := ast.Node(p.id)
	switch up := p.up(1).(type) {
	case *ast.ExprStmt:
		return aStatement
	case *ast.LabeledStmt:
		return aNewName
	case *ast.BranchStmt:
		return aLabel
	case *ast.Field, *ast.StarExpr, *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.Ellipsis:
		return p.typePlace(up)
	case *ast.ValueSpec:
		if up.Type == n {
			return aType
		}
		for _, id := range up.Names {
			if id == p.id {
				return aNewName
			}
		}
	case *ast.TypeSpec:
		if up.Name == p.id {
			return aNewName
		}
		return aType
	case *ast.FuncDecl:
		return aNewName
	case *ast.TypeAssertExpr:
		if up.Type == n {
			return aType
		}
	case *ast.CompositeLit:
		if up.Type == n {
			return aType
		}
		if _, ok := under(p.unit.Info.TypeOf(up)).(*types.Struct); ok {
			return aFieldKey
		}
	case *ast.KeyValueExpr:
		if lit, ok := p.up(2).(*ast.CompositeLit); ok && up.Key == n {
			if _, ok := under(p.unit.Info.TypeOf(lit)).(*types.Struct); ok {
				return aFieldKey
			}
		}
	case *ast.CaseClause:
		if _, ok := p.up(3).(*ast.TypeSwitchStmt); ok {
			return aType
		}
	case *ast.CallExpr:
		if id, ok := up.Fun.(*ast.Ident); ok && len(up.Args) > 0 && up.Args[0] == n {
			if b, ok := p.unit.Info.Uses[id].(*types.Builtin); ok && (b.Name() == "make" || b.Name() == "new") {
				return aType
			}
		}
	}
	return anExpression
}

// typePlace tells a type from the names beside it, and from a product.
func (p *probe) typePlace(up ast.Node) place {
	switch up := up.(type) {
	case *ast.Field:
		for _, id := range up.Names {
			if id == p.id {
				return aNewName
			}
		}
	case *ast.StarExpr:
		switch p.up(2).(type) {
		case *ast.Field, *ast.ValueSpec, *ast.TypeSpec, *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.StarExpr, *ast.TypeAssertExpr:
			return aType
		}
		return anExpression
	case *ast.ArrayType:
		if up.Len == p.id {
			return anExpression
		}
	}
	return aType
}

// keywords lists those that may stand there.
func (p *probe) keywords(at place, t *text) []string {
	switch at {
	case aCase:
		return []string{"case", "default"}
	case anElse:
		return []string{"else"}
	case aType:
		return []string{"chan", "func", "interface", "map", "struct"}
	case anExpression, aFieldKey:
		words := []string{"func", "map", "struct"}
		if last := t.last().tok; last == token.DEFINE || last == token.ASSIGN || last == token.FOR {
			if headerOf(t) == token.FOR {
				words = append(words, "range")
			}
		}
		if t.last().tok == token.LPAREN {
			words = append(words, "chan", "interface")
		}
		return words
	case aStatement:
		return p.statements(t)
	}
	return nil
}

// headerOf is the keyword that begins the statement at hand.
func headerOf(t *text) token.Token {
	for i := len(t.toks) - 1; i >= 0; i-- {
		switch k := t.toks[i].tok; k {
		case token.FOR, token.IF, token.SWITCH:
			return k
		case token.SEMICOLON, token.LBRACE, token.RBRACE:
			return token.ILLEGAL
		}
	}
	return token.ILLEGAL
}

// statements lists the keywords that begin a statement here.
func (p *probe) statements(t *text) []string {
	words := []string{"const", "defer", "for", "func", "go", "goto", "if", "select", "switch", "type", "var"}
	if len(t.open) == 0 {
		words = append(words, "import")
	}
	if p == nil {
		return words
	}
	words = append(words, "map", "struct") // of a composite literal
	loop, choice, function := false, false, false
around:
	for i := len(p.path) - 1; i >= 0; i-- {
		switch n := p.path[i].(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			loop = true
		case *ast.SwitchStmt:
			choice = true
			words = append(words, "fallthrough")
		case *ast.TypeSwitchStmt, *ast.SelectStmt:
			choice = true
		case *ast.FuncLit:
			function = true
			break around
		case *ast.FuncDecl:
			function = n.Name.Name != bodyName
			break around
		}
	}
	if n := len(t.open) - 1; n >= 0 && t.open[n].choice {
		words = append(words, "case", "default")
	}
	if loop {
		words = append(words, "continue")
	}
	if loop || choice {
		words = append(words, "break")
	}
	if function {
		words = append(words, "return")
	}
	return words
}

// labels lists the labels that the statement at the marker may name.
func (p *probe) labels(word token.Token) []Candidate {
	var out []Candidate
	add := func(l *ast.LabeledStmt) {
		out = append(out, Candidate{Text: l.Label.Name, Type: "label"})
	}
	var function ast.Node
	for i := len(p.path) - 1; i >= 0; i-- {
		switch n := p.path[i].(type) {
		case *ast.LabeledStmt:
			_, loop := n.Stmt.(*ast.ForStmt)
			_, over := n.Stmt.(*ast.RangeStmt)
			if word != token.GOTO && (word == token.BREAK || loop || over) {
				add(n)
			}
		case *ast.FuncLit, *ast.FuncDecl:
			if function == nil {
				function = n
			}
		}
		if function != nil {
			break
		}
	}
	if word == token.GOTO && function != nil {
		ast.Inspect(function, func(n ast.Node) bool {
			if l, ok := n.(*ast.LabeledStmt); ok {
				add(l)
			}
			_, inner := n.(*ast.FuncLit)
			return !inner || n == function
		})
	}
	return out
}
