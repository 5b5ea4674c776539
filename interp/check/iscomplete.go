package check

import (
	"go/scanner"
	"go/token"
	"strings"
)

// IsComplete tells whether code can be run as it stands: "complete", "incomplete"
// with what the next line should start with, or "invalid".
func (c *Checker) IsComplete(code string) (status, indent string) {
	c = c.scratch()
	src := withoutMagics(code)
	if open := openBrackets(src); len(open) > 0 || unterminated(src) {
		return "incomplete", nextIndent(code, len(open))
	}
	r := &run{c: c, chunks: Split(src), named: map[string]string{}, declares: map[string]bool{},
		methods: map[string][]Chunk{}, typeText: map[string]Chunk{}, old: NewScope()}
	if err := r.sort(); err != nil {
		return errorStatus(err, src), nextIndent(code, 0)
	}
	if len(r.stmts) > 0 {
		if _, err := c.parseBody(0, r.stmts); err != nil {
			return errorStatus(syntaxError(err), src), nextIndent(code, 0)
		}
	}
	return "complete", ""
}

// errorStatus tells an error at the end of the text, where more may follow, from one
// that no continuation mends.
func errorStatus(err *Error, src string) string {
	lines := strings.Count(strings.TrimRight(src, "\n"), "\n") + 1
	for _, p := range err.Problems {
		if p.Pos.Line < lines {
			return "invalid"
		}
	}
	last := lastToken(src)
	if last.IsOperator() && last != token.RPAREN && last != token.RBRACE && last != token.RBRACK && last != token.INC && last != token.DEC {
		return "incomplete"
	}
	return "invalid"
}

func lastToken(src string) token.Token {
	toks, _ := scan(src)
	for i := len(toks) - 1; i >= 0; i-- {
		if toks[i].tok != token.SEMICOLON {
			return toks[i].tok
		}
	}
	return token.ILLEGAL
}

// unterminated tells whether a raw string or a comment is left open.
func unterminated(src string) bool {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	open := false
	var s scanner.Scanner
	s.Init(file, []byte(src), func(_ token.Position, msg string) {
		open = open || strings.HasPrefix(msg, "raw string literal not terminated") || strings.HasPrefix(msg, "comment not terminated")
	}, 0)
	for {
		if _, t, _ := s.Scan(); t == token.EOF {
			return open
		}
	}
}

// nextIndent is the indentation of the last line, one deeper after an open bracket.
func nextIndent(code string, open int) string {
	line := code[strings.LastIndexByte(strings.TrimRight(code, "\n"), '\n')+1:]
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	if t := strings.TrimSpace(line); open > 0 && t != "" && strings.ContainsAny(t[len(t)-1:], "([{") {
		indent += "\t"
	}
	return indent
}

func withoutMagics(code string) string {
	lines := strings.Split(code, "\n")
	for i, l := range lines {
		if t := strings.TrimSpace(l); strings.HasPrefix(t, "%") || strings.HasPrefix(t, "!") {
			lines[i] = ""
		} else if t != "" {
			break
		}
	}
	return strings.Join(lines, "\n")
}
