package check

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strconv"
	"strings"
)

const header = "package main\n"

// lineMark makes what follows count as line:col of cell n.
func lineMark(n, line, col int) string {
	return fmt.Sprintf("//line %s:%d:%d\n", CellName(n), line, col)
}

func (c *Checker) mode() parser.Mode {
	if c.lenient {
		return parser.AllErrors
	}
	return parser.ParseComments
}

// parse parses text. Its unresolved names include the bare keys of composite
// literals, which the parser leaves to go/types, since a key may be a field's name.
func (c *Checker) parse(name, text string, mode parser.Mode) (*ast.File, error) {
	file, err := parser.ParseFile(c.Fset, name, text, mode)
	if file == nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		for _, e := range lit.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				if id, ok := kv.Key.(*ast.Ident); ok && id.Obj == nil {
					file.Unresolved = append(file.Unresolved, id)
				}
			}
		}
		return true
	})
	return file, err
}

// parseDecl parses one declaration chunk of cell n as a file of its own.
func (c *Checker) parseDecl(n int, ch Chunk) (*File, error) {
	at := [2]int{ch.Line, ch.Col}
	if f := c.parsed[at]; f != nil && n == 0 {
		return f, nil
	}
	f := &File{Chunk: ch, Text: header + lineMark(n, ch.Line, ch.Col) + ch.Text + "\n"}
	var err error
	f.AST, err = c.parse(fmt.Sprintf("cell%d_%d", n, ch.Line), f.Text, c.mode())
	if c.lenient && f.AST != nil {
		err = nil
		if n == 0 {
			c.parsed[at] = f
		}
	}
	return f, err
}

// parseBody parses the statement chunks of cell n as the body of one function.
func (c *Checker) parseBody(n int, chunks []Chunk) (*File, error) {
	var b strings.Builder
	b.WriteString(header + "func " + bodyName + "() {\n")
	for _, ch := range chunks {
		b.WriteString(lineMark(n, ch.Line, ch.Col) + ch.Text + "\n")
	}
	b.WriteString("}\n")
	f := &File{Text: b.String(), Chunk: chunks[0]}
	var err error
	f.AST, err = c.parse(fmt.Sprintf("cell%d", n), f.Text, c.mode())
	if c.lenient && f.AST != nil {
		return f, nil
	}
	if err != nil {
		// One chunk at a time, so that what is missing in one does not show in the next.
		for _, ch := range chunks {
			text := header + "func " + bodyName + "() {\n" + lineMark(n, ch.Line, ch.Col) + ch.Text + "\n}\n"
			if _, cerr := parser.ParseFile(c.Fset, "", text, 0); cerr != nil {
				return nil, cerr
			}
		}
		return nil, err
	}
	return f, nil
}

// syntaxError words what the parser said; positions are the cell's own.
func syntaxError(err error) *Error {
	e := &Error{Syntax: true}
	list, ok := err.(scanner.ErrorList)
	if !ok {
		e.Problems = []Problem{{Msg: err.Error()}}
		return e
	}
	seen := map[int]bool{}
	for _, se := range list {
		if seen[se.Pos.Line] || len(e.Problems) == 5 {
			continue
		}
		seen[se.Pos.Line] = true
		e.Problems = append(e.Problems, Problem{Pos: se.Pos, Msg: "syntax error: " + se.Msg})
	}
	return e
}

// addImports gives file the imports that its free names ask for.
func (file *File) addImports(named map[string]string, dots []string, dotHas func(path, name string) bool) {
	file.Imports = map[string]string{}
	for _, spec := range file.AST.Imports {
		if spec.Name != nil {
			file.Imports[spec.Name.Name], _ = strconv.Unquote(spec.Path.Value)
		}
	}
	decl := &ast.GenDecl{Tok: token.IMPORT}
	add := func(name, path string) {
		spec := &ast.ImportSpec{Path: &ast.BasicLit{Kind: token.STRING, Value: fmt.Sprintf("%q", path)}}
		spec.Name = ast.NewIdent(name)
		decl.Specs = append(decl.Specs, spec)
		file.AST.Imports = append(file.AST.Imports, spec)
	}
	for _, id := range file.AST.Unresolved {
		if path, ok := named[id.Name]; ok && file.Imports[id.Name] == "" {
			file.Imports[id.Name] = path
			add(id.Name, path)
		}
	}
	for _, path := range dots {
		for _, id := range file.AST.Unresolved {
			if dotHas(path, id.Name) {
				add(".", path)
				break
			}
		}
	}
	if len(decl.Specs) > 0 {
		file.AST.Decls = append([]ast.Decl{decl}, file.AST.Decls...)
	}
}

// Edit replaces Text[From:To) of a file.
type Edit struct {
	From, To int
	New      string
	Ref      *Decl  // written instead of New
	Pkg      string // the path of a package that New names
	Embedded bool
}

// MethodAsFunc lists the edits that turn the method fd into a function called name
// whose first parameter is the receiver. off maps positions to offsets.
func MethodAsFunc(fd *ast.FuncDecl, name string, off func(token.Pos) int) []Edit {
	recv := fd.Recv.List[0]
	var edits []Edit
	params := fd.Type.Params
	// "(" of the receiver up to its type: the function's name and the parameter's.
	pname := "_"
	if len(recv.Names) > 0 {
		pname = recv.Names[0].Name
	}
	edits = append(edits, Edit{From: off(fd.Recv.Opening), To: off(recv.Type.Pos()), New: name + "(" + pname + " "})
	comma := ", "
	if len(params.List) == 0 {
		comma = ""
	}
	edits = append(edits, Edit{From: off(recv.Type.End()), To: off(params.Opening) + 1, New: comma})
	for _, p := range params.List {
		if len(p.Names) == 0 {
			edits = append(edits, Edit{From: off(p.Type.Pos()), To: off(p.Type.Pos()), New: "_ "})
		}
	}
	return edits
}

// apply performs edits, which must be in order and apart.
func apply(text string, edits []Edit) string {
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(text[at:e.From])
		b.WriteString(e.New)
		at = e.To
	}
	b.WriteString(text[at:])
	return b.String()
}

// SyntaxText is code as one file for the compiler's parser: what it says of the
// syntax has the cell's own positions.
func SyntaxText(n int, code string) string {
	var decls, stmts strings.Builder
	chunks := Split(code)
	for _, ch := range chunks {
		switch ch.Kind {
		case PackageChunk, ImportChunk:
		case TypeChunk, ConstChunk, FuncChunk:
			decls.WriteString(lineMark(n, ch.Line, ch.Col) + ch.Text + "\n")
		default:
			stmts.WriteString(lineMark(n, ch.Line, ch.Col) + ch.Text + "\n")
		}
	}
	return header + decls.String() + "func " + bodyName + "() {\n" + stmts.String() + "}\n"
}
