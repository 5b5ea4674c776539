package check

import (
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// ChunkKind says what a top-level piece of a cell is.
type ChunkKind int

// The kinds of chunks. Var declarations are of their own kind because they run in
// order among the statements of a cell that has any.
const (
	StmtChunk ChunkKind = iota
	ImportChunk
	TypeChunk
	ConstChunk
	VarChunk
	FuncChunk
	PackageChunk
)

// Chunk is one top-level piece of a cell: text between two top-level semicolons.
type Chunk struct {
	Kind      ChunkKind
	Text      string
	Doc       string // the comment lines that stand directly above it
	Line, Col int    // of its first byte, from 1
	Muted     bool   // ended by a semicolon that the user typed
	off       int    // of Text in the cell
	toks      []tok  // of Text, their offsets in the cell
}

// tok is a scanned token with its offset.
type tok struct {
	off int
	tok token.Token
	lit string
}

// scan returns the tokens of src, comments left out, and the comments apart.
// Scan errors are left to the parser, which words them better.
func scan(src string) (toks, comments []tok) {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	toks = make([]tok, 0, len(src)/4+16) // of Go code a token has four bytes and more
	var s scanner.Scanner
	s.Init(file, []byte(src), func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, t, lit := s.Scan()
		if t == token.EOF {
			return toks, comments
		}
		if t == token.COMMENT {
			comments = append(comments, tok{file.Offset(pos), t, lit})
			continue
		}
		toks = append(toks, tok{file.Offset(pos), t, lit})
	}
}

// Split cuts a cell at its top-level semicolons, typed or implied. Text that is
// not Go comes back in chunks all the same: the parser says what is wrong with it.
func Split(src string) []Chunk {
	toks, comments := scan(src)
	lines := lineStarts(src)
	var chunks []Chunk
	depth, start := 0, -1
	header := false // the chunk may hold the semicolons of a for, if or switch header
	flush := func(i, end int, muted bool) {
		if start < 0 {
			return
		}
		off := toks[start].off
		c := Chunk{Kind: kindOf(toks[start:i]), Text: strings.TrimRight(src[off:end], " \t\r\n"), Muted: muted, off: off, toks: toks[start:i]}
		c.Line, c.Col = lineCol(lines, off)
		c.Doc = docAbove(src, comments, off)
		chunks = append(chunks, c)
		start = -1
	}
	for i, t := range toks {
		switch t.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		case token.IF, token.FOR, token.SWITCH:
			header = header || depth == 0
		case token.SEMICOLON:
			if depth <= 0 && (!header || t.lit != ";" || start >= 0 && isStatement(src[toks[start].off:t.off])) {
				flush(i, t.off, t.lit == ";")
				depth, header = 0, false
				continue
			}
		}
		if start < 0 {
			start = i
		}
	}
	flush(len(toks), len(src), false)
	return chunks
}

// isStatement tells whether text is whole statements: a semicolon behind it then
// ends them, and does not part the header of a for, if or switch.
func isStatement(text string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", "package p; func _() {\n"+text+"\n}", parser.SkipObjectResolution)
	return err == nil
}

// kindOf classifies a chunk by its first tokens.
func kindOf(toks []tok) ChunkKind {
	switch toks[0].tok {
	case token.PACKAGE:
		return PackageChunk
	case token.IMPORT:
		return ImportChunk
	case token.TYPE:
		return TypeChunk
	case token.CONST:
		return ConstChunk
	case token.VAR:
		return VarChunk
	case token.FUNC:
		if isFuncDecl(toks) {
			return FuncChunk
		}
	}
	return StmtChunk
}

// isFuncDecl tells `func name(`, `func name[` and `func (recv) name(` from a
// function literal that is called on the spot.
func isFuncDecl(toks []tok) bool {
	i := 1
	if i < len(toks) && toks[i].tok == token.LPAREN {
		for depth := 0; i < len(toks); i++ {
			if toks[i].tok == token.LPAREN {
				depth++
			}
			if toks[i].tok == token.RPAREN {
				if depth--; depth == 0 {
					i++
					break
				}
			}
		}
	}
	return i+1 < len(toks) && toks[i].tok == token.IDENT &&
		(toks[i+1].tok == token.LPAREN || toks[i+1].tok == token.LBRACK && toks[1].tok == token.IDENT)
}

// docAbove is the text of the comments that end on the line above off.
func docAbove(src string, comments []tok, off int) string {
	var doc []string
	for i := len(comments) - 1; i >= 0; i-- {
		c := comments[i]
		if c.off > off {
			continue
		}
		between := src[c.off+len(c.lit) : off]
		if strings.TrimSpace(between) != "" || strings.Count(between, "\n") > 1 {
			break
		}
		doc = append([]string{c.lit}, doc...)
		off = c.off
	}
	return strings.Join(doc, "\n")
}

func lineStarts(src string) []int {
	starts := []int{0}
	for i := range len(src) {
		if src[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// lineCol turns an offset into a line and a column in bytes, both from 1.
func lineCol(starts []int, off int) (line, col int) {
	lo, hi := 0, len(starts)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; starts[mid] <= off {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + 1, off - starts[lo] + 1
}
