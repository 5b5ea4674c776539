package check

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"
)

// Problem is one thing wrong with a cell, where it is.
type Problem struct {
	Pos token.Position // Filename is "In[3]"
	Msg string
}

// Error is why a cell cannot run. Nothing of it has been run or kept.
type Error struct {
	Syntax   bool
	Problems []Problem
}

func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s", p.Pos, p.Msg)
	}
	return b.String()
}

// Caret is the source line of pos in code with a caret under its column, for
// showing below a message; "" if pos is not in code.
func Caret(code string, pos token.Position) string {
	lines := strings.Split(code, "\n")
	if pos.Line < 1 || pos.Line > len(lines) {
		return ""
	}
	line := lines[pos.Line-1]
	col := min(max(pos.Column-1, 0), len(line))
	if pos.Column == 0 {
		col = len(line) - len(strings.TrimLeft(line, " \t"))
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, line[:col])
	return line + "\n" + pad + "^"
}

// CellName is how positions name cell n.
func CellName(n int) string { return fmt.Sprintf("In[%d]", n) }

// typeProblem turns an error of go/types into a Problem; nil for what a notebook
// allows: unused imports, unused session variables, the value of the last line.
func (r *run) typeProblem(err error) *Problem {
	te, ok := err.(types.Error)
	if !ok {
		return &Problem{Msg: err.Error()}
	}
	switch {
	case strings.HasSuffix(te.Msg, "imported and not used"),
		strings.Contains(te.Msg, "imported as") && strings.HasSuffix(te.Msg, "and not used"):
		return nil
	case strings.HasPrefix(te.Msg, "declared and not used: ") && r.topLevel[te.Pos]:
		return nil
	case strings.HasSuffix(te.Msg, "is not used") && r.result != nil && te.Pos >= r.result.Pos() && te.Pos < r.result.End():
		return nil
	case strings.HasPrefix(te.Msg, "initialization cycle") && r.hoisted:
		return nil
	case strings.HasPrefix(te.Msg, "\t"): // continues the message before
		return nil
	}
	return &Problem{Pos: r.c.Fset.Position(te.Pos), Msg: te.Msg}
}
