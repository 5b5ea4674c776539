package check

import (
	"go/token"
	"slices"
	"strings"
)

// marked tells whether the cursor's marker is in the chunk.
func (ch Chunk) marked() bool { return strings.Contains(ch.Text, mark) }

// withoutBodies empties the functions that the marker is not in: what they do is of no
// account to it.
func withoutBodies(chunks []Chunk) []Chunk {
	for i, ch := range chunks {
		if ch.Kind != FuncChunk || ch.marked() {
			continue
		}
		if from, to := bodyOf(ch.toks); from < to {
			chunks[i].Text = ch.Text[:ch.toks[from].off-ch.off] + "{}"
			chunks[i].toks = ch.toks[:from]
		}
	}
	return chunks
}

// bodyOf finds the braces, by their indices, of which the second ends the tokens; both
// are 0 where there are none.
func bodyOf(toks []tok) (from, to int) {
	var open []int
	for i, t := range toks {
		switch t.tok {
		case token.LBRACE:
			open = append(open, i)
		case token.RBRACE:
			if len(open) == 0 {
				return 0, 0
			}
			if i == len(toks)-1 && len(open) == 1 {
				return open[0], i
			}
			open = open[:len(open)-1]
		}
	}
	return 0, 0
}

// referred leaves out the statements that declare nothing which the marked chunk refers
// to, itself or by what it refers to. A name that could be completed from prefix counts
// as referred to, where prefix is not empty.
func referred(chunks []Chunk, prefix string) []Chunk {
	at := slices.IndexFunc(chunks, Chunk.marked)
	if at < 0 {
		return chunks
	}
	declarers := map[string][]int{} // by name, the chunks that may declare it
	keep := make([]bool, len(chunks))
	var found []int // kept, not looked into yet
	for i, ch := range chunks {
		if i == at || ch.Kind != StmtChunk && ch.Kind != VarChunk {
			keep[i] = true
			found = append(found, i)
			continue
		}
		for name := range ch.declared() {
			declarers[name] = append(declarers[name], i)
			if !keep[i] && prefix != "" && hasPrefixFold(name, prefix) {
				keep[i] = true
				found = append(found, i)
			}
		}
	}
	for len(found) > 0 {
		ch := chunks[found[len(found)-1]]
		found = found[:len(found)-1]
		for _, t := range ch.toks {
			if t.tok != token.IDENT {
				continue
			}
			for _, i := range declarers[t.lit] {
				if !keep[i] {
					keep[i] = true
					found = append(found, i)
				}
			}
			delete(declarers, t.lit)
		}
	}
	var out []Chunk
	for i, ch := range chunks {
		if keep[i] {
			out = append(out, ch)
		}
	}
	return out
}

// declared yields at least the names that a statement declares in its own scope: all in
// front of its first :=, all of a var declaration.
func (ch Chunk) declared() func(func(string) bool) {
	return func(yield func(string) bool) {
		end := len(ch.toks)
		if ch.Kind != VarChunk {
			end = slices.IndexFunc(ch.toks, func(t tok) bool { return t.tok == token.DEFINE })
		}
		for i := 0; i < end; i++ {
			if t := ch.toks[i]; t.tok == token.IDENT && !yield(t.lit) {
				return
			}
		}
	}
}
