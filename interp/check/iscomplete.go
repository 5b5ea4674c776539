package check

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// IsComplete tells whether code can be run as it stands: "complete", "incomplete"
// with what the next line should start with, or "invalid", which no text behind it
// can mend.
func (c *Checker) IsComplete(code string) (status, indent string) {
	src := withoutMagics(code)
	t := look(src)
	switch {
	case t.unclosed == "raw":
		return "incomplete", ""
	case t.unclosed == "comment":
		return "incomplete", t.indent()
	case t.wrong:
		return "invalid", ""
	case len(t.toks) == 0:
		return "complete", ""
	}
	chunks := Split(src)
	last := len(chunks) - 1
	for i, ch := range chunks {
		if (i < last || len(t.open) == 0) && !parses(ch) {
			if i < last || t.ended() || !viable(ch, t) {
				return "invalid", ""
			}
			return "incomplete", t.indent()
		}
	}
	if len(t.open) == 0 {
		if t.last().tok == token.COLON { // a label, which wants its statement
			return "incomplete", t.indent()
		}
		return "complete", ""
	}
	if !viable(chunks[last], t) {
		return "invalid", ""
	}
	return "incomplete", t.indent()
}

// bracket is one that is open.
type bracket struct {
	tok  token.Token
	line int // where it was opened
	off  int
	// choice: the braces of a switch or select; in tells whether a case has begun.
	choice, in bool
	// before is the token in front of it.
	before token.Token
}

// text is what the tokens of a piece of code tell.
type text struct {
	toks     []tok
	lines    []int
	open     []bracket
	unclosed string // "raw" or "comment": left open at the end
	// quoted: the end lies inside a string; noted: inside a comment.
	quoted, noted bool
	// wrong: a bracket closes another kind, or something is no token at all.
	wrong bool
	// newline: the last line has been ended.
	newline bool
}

// look scans src.
func look(src string) *text {
	t := &text{lines: lineStarts(src), newline: strings.HasSuffix(strings.TrimRight(src, " \t\r"), "\n")}
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	var s scanner.Scanner
	fault := false // in the token at hand
	s.Init(file, []byte(src), func(_ token.Position, msg string) {
		fault = true
		switch {
		case strings.HasPrefix(msg, "raw string literal not terminated"):
			t.unclosed = "raw"
		case strings.HasPrefix(msg, "comment not terminated"):
			t.unclosed, t.noted = "comment", true
		default:
			t.wrong = true
		}
	}, scanner.ScanComments)
	choice := false
	for {
		fault = false
		pos, kind, lit := s.Scan()
		if kind == token.EOF {
			return t
		}
		off := file.Offset(pos)
		if kind == token.COMMENT {
			t.noted = t.noted || strings.HasPrefix(lit, "//") && off+len(lit) == len(src)
			continue
		}
		if (kind == token.STRING || kind == token.CHAR) && off+len(lit) == len(src) {
			t.quoted = fault
		}
		t.take(tok{off, kind, lit}, &choice)
	}
}

// take adds a token, and keeps account of the brackets.
func (t *text) take(k tok, choice *bool) {
	before := token.ILLEGAL
	if len(t.toks) > 0 {
		before = t.toks[len(t.toks)-1].tok
	}
	t.toks = append(t.toks, k)
	switch k.tok {
	case token.SWITCH, token.SELECT:
		*choice = true
	case token.LPAREN, token.LBRACK, token.LBRACE:
		line, _ := lineCol(t.lines, k.off)
		b := bracket{tok: k.tok, line: line, off: k.off, before: before}
		if k.tok == token.LBRACE && *choice {
			b.choice, *choice = true, false
		}
		t.open = append(t.open, b)
	case token.RPAREN, token.RBRACK, token.RBRACE:
		n := len(t.open) - 1
		if n < 0 || closer(t.open[n].tok) != k.tok {
			t.wrong = true
			return
		}
		t.open = t.open[:n]
	case token.CASE, token.DEFAULT:
		if n := len(t.open) - 1; n >= 0 && t.open[n].choice {
			t.open[n].in = true
		}
	}
}

func closer(open token.Token) token.Token {
	switch open {
	case token.LPAREN:
		return token.RPAREN
	case token.LBRACK:
		return token.RBRACK
	}
	return token.RBRACE
}

// last is the last token that was typed; the semicolon of a line's end is none.
func (t *text) last() tok {
	for i := len(t.toks) - 1; i >= 0; i-- {
		if k := t.toks[i]; k.tok != token.SEMICOLON || k.lit == ";" {
			return k
		}
	}
	return tok{}
}

// ended tells whether the end of the line ends the statement too.
func (t *text) ended() bool {
	return len(t.toks) > 0 && t.toks[len(t.toks)-1].tok == token.SEMICOLON
}

// indent is what gofmt puts before the next line: a tab for each line that opened
// brackets, none for the braces of a switch before its first case, and one more where
// an operator carries the statement on.
func (t *text) indent() string {
	n, line := 0, 0
	for _, b := range t.open {
		if b.line != line && (!b.choice || b.in) {
			n++
		}
		line = b.line
	}
	last := t.last()
	carries := last.tok.IsOperator() && last.tok != token.COLON && last.tok != token.SEMICOLON && !t.ended()
	switch last.tok {
	case token.LPAREN, token.LBRACK, token.LBRACE, token.RBRACE, token.RBRACK, token.RPAREN:
		carries = false
	case token.COMMA:
		carries = len(t.open) == 0
	}
	if carries {
		n++
	}
	return strings.Repeat("\t", n)
}

// parses tells whether a chunk is whole.
func parses(ch Chunk) bool {
	f, errs := parseChunk(ch.Kind, ch.Text)
	return f != nil && len(errs) == 0
}

// parseChunk parses text as a chunk of that kind; positions in the errors count from
// the text's own start.
func parseChunk(kind ChunkKind, src string) (*ast.File, scanner.ErrorList) {
	head, tail := "package p;", "\n"
	switch kind {
	case PackageChunk:
		head = ""
	case StmtChunk:
		head, tail = "package p;func _(){", "\n}"
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", head+src+tail, parser.SkipObjectResolution)
	errs, _ := err.(scanner.ErrorList)
	for _, e := range errs {
		e.Pos.Offset -= len(head)
	}
	if err == nil && kind == FuncChunk {
		for _, d := range f.Decls {
			if fd, ok := d.(*ast.FuncDecl); ok && fd.Body == nil {
				errs.Add(token.Position{Offset: len(src)}, "missing function body")
			}
		}
	}
	return f, errs
}

// viable tells whether some text behind the cell's last chunk can make it right: with
// one of a few continuations the parser finds no fault up to the last token typed.
func viable(ch Chunk, t *text) bool {
	at, src := t.last().off, ch.Text
	if t.newline {
		src += "\n"
		at = t.toks[len(t.toks)-1].off
	}
	at -= offsetOf(t.lines, ch)
	for _, filler := range []string{"", "_", "_:_"} {
		for _, tail := range []string{"", " {\n}", "; _ {\n}", "; ; {\n}"} {
			_, errs := parseChunk(ch.Kind, src+filler+ending(t.open, tail))
			if len(errs) == 0 || errs[0].Pos.Offset > at {
				return true
			}
		}
	}
	return false
}

func offsetOf(lines []int, ch Chunk) int { return lines[ch.Line-1] + ch.Col - 1 }

// ending closes what is open, innermost first, with tail behind the innermost
// statement.
func ending(open []bracket, tail string) string {
	var b strings.Builder
	for i := len(open) - 1; i >= 0; i-- {
		if open[i].tok == token.LBRACE {
			b.WriteString(tail + "\n}")
			tail = ""
			continue
		}
		b.WriteString(closer(open[i].tok).String())
	}
	return b.String() + tail
}

// withoutMagics blanks the lines above the Go code that speak to the kernel, so that
// offsets stay true. The code behind %time and %plan is Go and stays.
func withoutMagics(code string) string {
	b := []byte(code)
	for at := 0; at < len(b); {
		end := at + len(code[at:])
		if i := strings.IndexByte(code[at:], '\n'); i >= 0 {
			end = at + i
		}
		line := strings.TrimSpace(code[at:end])
		comment := line == "" || strings.HasPrefix(line, "//")
		question := strings.Trim(line, "?") != line && !strings.ContainsAny(line, " \t(){}\"'`=")
		if !comment && !question && line[0] != '%' && line[0] != '!' {
			break
		}
		if name, rest, ok := strings.Cut(line, " "); ok && (name == "%time" || name == "%plan") {
			end = at + strings.Index(code[at:end], rest)
		}
		for i := at; i < end && !comment; i++ {
			b[i] = ' '
		}
		if at = end; at < len(b) && b[at] == '\n' {
			at++
			continue
		}
		break
	}
	return string(b)
}
