package text

import (
	"strings"
	"unicode/utf8"
)

const indent = "    "

// write lays n out: on one line where it fits behind the current indent of level
// steps, else one item a line, or filled lines of short items.
func (p *printer) write(b *strings.Builder, n node, level int) {
	room := p.Width - level*len(indent)
	if len(n.items) == 0 || width(n, room) <= room {
		p.flat(b, n)
		return
	}
	pad := "\n" + strings.Repeat(indent, level+1)
	b.WriteString(n.key)
	b.WriteString(n.text)
	if n.fill {
		p.filled(b, n.items, pad)
	} else {
		for _, item := range n.items {
			b.WriteString(pad)
			p.write(b, item, level+1)
			if item.text != "…" || item.key != "" {
				b.WriteByte(',')
			}
		}
	}
	b.WriteString("\n" + strings.Repeat(indent, level))
	b.WriteString(n.close)
}

// filled writes as many items to a line as its width takes.
func (p *printer) filled(b *strings.Builder, items []node, pad string) {
	column := p.Width
	for _, item := range items {
		s := p.oneLine(item)
		w := utf8.RuneCountInString(s) + 2
		if column+w > p.Width {
			b.WriteString(pad)
			column = len(pad) - 1
		} else {
			b.WriteByte(' ')
		}
		b.WriteString(s)
		if s != "…" {
			b.WriteByte(',')
		}
		column += w
	}
}

func (p *printer) oneLine(n node) string {
	var b strings.Builder
	p.flat(&b, n)
	return b.String()
}

// flat writes n on one line.
func (p *printer) flat(b *strings.Builder, n node) {
	b.WriteString(n.key)
	b.WriteString(n.text)
	for i, item := range n.items {
		if i > 0 {
			b.WriteString(", ")
		}
		p.flat(b, item)
	}
	b.WriteString(n.close)
}

// width is the length of n on one line in runes; it stops counting past limit.
func width(n node, limit int) int {
	w := utf8.RuneCountInString(n.key) + utf8.RuneCountInString(n.text) + utf8.RuneCountInString(n.close)
	for _, item := range n.items {
		if w > limit {
			return w
		}
		w += 2 + width(item, limit-w)
	}
	if strings.Contains(n.text, "\n") {
		return limit + 1
	}
	return w
}
