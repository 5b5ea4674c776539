package balance

import (
	"html"
	"strings"

	"attune/display/mime"
	"attune/display/table"
)

// say is what a result says of itself, as text and as a page: passages one below the
// other.
type say []passage

// passage is a paragraph, or a table whose first row names the columns and whose first
// left columns are words.
type passage struct {
	text string
	rows [][]string
	left int
}

// String is all of it as plain text.
func (s say) String() string {
	var out []string
	for _, p := range s {
		if p.rows != nil {
			out = append(out, columns(p.rows, p.left))
		} else {
			out = append(out, p.text)
		}
	}
	return strings.Join(out, "\n")
}

// HTML is all of it as markup.
func (s say) HTML() string {
	var b strings.Builder
	for _, p := range s {
		if p.rows == nil {
			for line := range strings.Lines(p.text) {
				if line = strings.TrimSpace(line); line != "" {
					b.WriteString(`<p style="margin:.6em 0">` + html.EscapeString(line) + "</p>")
				}
			}
			continue
		}
		t := table.Table{Rows: p.rows[1:]}
		for i, name := range p.rows[0] {
			t.Columns = append(t.Columns, table.Column{Name: name, Right: i >= p.left})
		}
		b.WriteString(t.HTML())
	}
	return b.String()
}

// Bundle is both.
func (s say) Bundle() mime.Bundle {
	b := mime.Plain(s.String())
	b.Data[mime.HTML] = s.HTML()
	return b
}
