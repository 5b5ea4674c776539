package check

import (
	"go/token"
	"strconv"
)

// ImportAt is an import path in a cell's text.
type ImportAt struct {
	Path string
	Pos  token.Position
}

// Imported lists the import paths of code, which is cell n. What does not parse is
// left out; Check reports it.
func Imported(n int, code string) []ImportAt {
	c := &Checker{Fset: token.NewFileSet()}
	var out []ImportAt
	for _, ch := range Split(code) {
		if ch.Kind != ImportChunk {
			continue
		}
		f, err := c.parseDecl(n, ch)
		if err != nil {
			continue
		}
		for _, spec := range f.AST.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil {
				out = append(out, ImportAt{path, c.Fset.Position(spec.Path.Pos())})
			}
		}
	}
	return out
}
