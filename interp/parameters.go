package interp

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"

	"attune/interp/cell"
	"attune/interp/check"
)

// parameters is %%parameters: the cell's lines NAME = VALUE give the session's
// variables and constants other values. Each keeps the type that it was declared with;
// a name that is not declared yet becomes a variable. Programs that run notebooks write
// such cells, and cannot know the types.
func (e *execution) parameters(code string) (string, *cell.Error) {
	const before = "package p; func _() {\n"
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", before+code+"\n}", parser.SkipObjectResolution)
	if err != nil || len(f.Decls) != 1 {
		return code, nil // the check says what is wrong, in its own words
	}
	at := func(p token.Pos) int { return fset.Position(p).Offset - len(before) }
	e.s.checkMu.Lock()
	defer e.s.checkMu.Unlock()
	scope := e.s.scope.Load()
	var out strings.Builder
	done := 0
	for _, stmt := range f.Decls[0].(*ast.FuncDecl).Body.List {
		s, ok := stmt.(*ast.AssignStmt)
		if !ok || s.Tok != token.ASSIGN || len(s.Lhs) != 1 || len(s.Rhs) != 1 {
			return "", parametersError(fset.Position(stmt.Pos()).Line - 1)
		}
		name, ok := s.Lhs[0].(*ast.Ident)
		if !ok {
			return "", parametersError(fset.Position(stmt.Pos()).Line - 1)
		}
		verb, typ := declaring(scope, name.Name)
		if verb == "var" && isNil(s.Rhs[0]) {
			typ = "any"
		}
		out.WriteString(code[done:at(s.Pos())])
		out.WriteString(strings.TrimLeft(verb+" ", " ") + name.Name)
		if verb != "" && typ != "" {
			out.WriteString(" " + typ)
		}
		done = at(s.Rhs[0].Pos())
		out.WriteString(" = ")
		if lit, ok := s.Rhs[0].(*ast.CompositeLit); ok && lit.Type != nil && verb == "" && typ != "" {
			out.WriteString(typ)
			done = at(lit.Lbrace)
		}
	}
	out.WriteString(code[done:])
	return out.String(), nil
}

// declaring tells how a name gets a value: by an assignment (verb "") to a variable
// of type typ, or by declaring it anew.
func declaring(scope *check.Scope, name string) (verb, typ string) {
	d := scope.Decls.Get(name)
	if d == nil || d.Obj == nil || d.Kind != check.Var && d.Kind != check.Const {
		return "var", ""
	}
	t := d.Obj.Type()
	if d.Kind == check.Const {
		verb = "const"
		if b, ok := t.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
			return verb, ""
		}
	}
	names := map[string]string{}
	for name, path := range scope.Imports {
		names[path] = name
	}
	w := &check.TypeWriter{Scope: scope, Plain: true, Import: func(path, name string) string {
		if have := names[path]; have != "" {
			return have
		}
		return name
	}, Use: func(*check.Decl) {}}
	text, err := w.Text(t)
	if err != nil {
		return verb, "" // a type without a name is kept by the assignment alone
	}
	return verb, text
}

func isNil(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == "nil"
}

func parametersError(line int) *cell.Error {
	msg := fmt.Sprintf("line %d: below %%%%parameters stand lines NAME = VALUE and nothing else", line)
	return &cell.Error{Name: "MagicError", Value: msg, Traceback: []string{red("MagicError: ") + msg}}
}
