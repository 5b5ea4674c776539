package yaegi

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"sync/atomic"
)

// ErrInterrupted is what Run returns after Interrupt.
var ErrInterrupted = errors.New("interrupted")

// marks tells where a running cell is: before each statement the interpreted
// text calls at with the statement's number. The interpreter itself reports only
// the function in which a panic happened. The same call is the safepoint at which
// an interrupt stops the cell.
type marks struct {
	positions []token.Position
	current   atomic.Int64 // index into positions
	stop      atomic.Bool
}

// mark is the name under which the text calls at.
const mark = "attune_at"

func (m *marks) at(n int) {
	m.current.Store(int64(n))
	if m.stop.Load() {
		panic(ErrInterrupted)
	}
}

// instrument adds the calls to a source file, from the byte offset start on and on
// the lines that are there, and returns it with the positions that the numbers
// stand for. Function literals are left alone: they may outlive the run.
func instrument(source string, start int) (string, []token.Position, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, parser.SkipObjectResolution)
	if err != nil {
		return "", nil, err
	}
	var statements []ast.Stmt
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BlockStmt:
			statements = append(statements, n.List...)
		case *ast.CaseClause:
			statements = append(statements, n.Body...)
		case *ast.CommClause:
			statements = append(statements, n.Body...)
		}
		return true
	})
	slices.SortFunc(statements, func(a, b ast.Stmt) int { return int(a.Pos() - b.Pos()) })
	var out strings.Builder
	var positions []token.Position
	written := 0
	for _, st := range statements {
		offset := fset.PositionFor(st.Pos(), false).Offset
		if offset < start || isClause(st) {
			continue
		}
		fmt.Fprintf(&out, "%s%s(%d); ", source[written:offset], mark, len(positions))
		positions, written = append(positions, fset.Position(st.Pos())), offset
	}
	out.WriteString(source[written:])
	return out.String(), positions, nil
}

// isClause reports a case: the block of a switch or select lists those, and they the statements.
func isClause(st ast.Stmt) bool {
	switch st.(type) {
	case *ast.CaseClause, *ast.CommClause:
		return true
	}
	return false
}
