package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// Roots are the folders that the compiler's file names start from: Go's own, the
// module cache, and attune's.
type Roots struct{ Go, Modules, Attune string }

// file is where a file lies that the compiler calls name: "strings/strings.go",
// "gonum.org/v1/gonum@v0.17.0/mat/dense.go", "attune/display/show.go".
func (r Roots) file(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	own, isOwn := strings.CutPrefix(name, "attune/")
	switch {
	case isOwn:
		return filepath.Join(r.Attune, own)
	case strings.Contains(name, "@"):
		return filepath.Join(r.Modules, escaped(name))
	}
	return filepath.Join(r.Go, "src", name)
}

// escaped writes the capitals of a module's path as the module cache does
// (golang.org/x/mod/module, EscapePath). The files in it keep theirs.
func escaped(name string) string {
	at := strings.IndexByte(name, '@')
	var b strings.Builder
	for _, c := range name[:at] {
		if c >= 'A' && c <= 'Z' {
			b.WriteByte('!')
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String() + name[at:]
}

// Source is the text of the declaration at a line of a file that the compiler calls
// name, "" if the sources are not on this machine.
func (r Roots) Source(name string, line int) string {
	text, err := os.ReadFile(r.file(name))
	if err != nil {
		return ""
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", text, parser.SkipObjectResolution)
	if f == nil || err != nil {
		return ""
	}
	cut := func(n ast.Node) string {
		return string(text[fset.Position(n.Pos()).Offset:fset.Position(n.End()).Offset])
	}
	holds := func(n ast.Node) bool {
		return fset.Position(n.Pos()).Line <= line && line <= fset.Position(n.End()).Line
	}
	for _, d := range f.Decls {
		if !holds(d) {
			continue
		}
		g, ok := d.(*ast.GenDecl)
		if !ok {
			return cut(d)
		}
		for _, s := range g.Specs {
			if holds(s) {
				return g.Tok.String() + " " + cut(s)
			}
		}
	}
	return ""
}
