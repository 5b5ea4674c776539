// Package table owns tables of text: as HTML that suits a front end's light and
// dark theme without style sheet or script, and as aligned plain text. Every cell
// is text and never markup. It imports the standard library only.
package table

import (
	"html"
	"strings"
	"unicode/utf8"
)

// Column is a table's column.
type Column struct {
	Name string
	// Note stands under the name in a lighter tone: a type or a unit.
	Note string
	// Right aligns the cells to the right, as numbers are.
	Right bool
}

// Table is rows of text under columns.
type Table struct {
	// Caption stands below the table: its size, or what was left out.
	Caption string
	Columns []Column
	// Labels names the rows in a column of its own at the left; nil for none.
	Labels []string
	// Rows holds the cells, one for each column.
	Rows [][]string
	// Gap, where positive, is the number of rows after which rows were left out.
	Gap int
	// GapColumn, where positive, is the number of columns after which columns were
	// left out.
	GapColumn int
}

// Colours come from the front end where it has them. The fallbacks are shades that
// read on white and on black, because an exported page has no such variables.
const (
	muted  = "color:var(--jp-ui-font-color2,#808080)"
	line   = "1px solid var(--jp-border-color2,rgba(128,128,128,.45))"
	cell   = "padding:.25em .75em;vertical-align:top;white-space:pre-wrap;max-width:32em;overflow-wrap:anywhere;"
	sticky = "position:sticky;top:0;background:var(--jp-layout-color0,Canvas);"
)

// HTML is the table as an HTML fragment.
func (t Table) HTML() string {
	t.Rows = t.pointed()
	var b strings.Builder
	b.WriteString(`<div style="overflow:auto;max-height:36em"><table style="border-collapse:collapse;font-variant-numeric:tabular-nums">`)
	b.WriteString(`<thead><tr>`)
	if t.Labels != nil {
		b.WriteString(`<th style="` + cell + sticky + `border-bottom:` + line + `"></th>`)
	}
	for i, c := range t.Columns {
		b.WriteString(`<th scope="col" style="` + cell + sticky + align(c.Right) + `border-bottom:` + line + `">`)
		b.WriteString(html.EscapeString(c.Name))
		if c.Note != "" {
			b.WriteString(`<br/><span style="font-weight:normal;` + muted + `">` + html.EscapeString(c.Note) + `</span>`)
		}
		b.WriteString(`</th>`)
		t.gapCell(&b, "th", i)
	}
	b.WriteString(`</tr></thead><tbody>`)
	for i := range t.Rows {
		if t.Gap > 0 && i == t.Gap {
			t.gapRow(&b)
		}
		t.row(&b, i)
	}
	b.WriteString(`</tbody></table></div>`)
	if t.Caption != "" {
		b.WriteString(`<p style="margin:.25em 0;` + muted + `">` + html.EscapeString(t.Caption) + `</p>`)
	}
	return b.String()
}

func (t Table) row(b *strings.Builder, i int) {
	b.WriteString(`<tr>`)
	if t.Labels != nil {
		b.WriteString(`<th scope="row" style="` + cell + align(false) + muted + `">` + html.EscapeString(t.Labels[i]) + `</th>`)
	}
	for j, s := range t.Rows[i] {
		b.WriteString(`<td style="` + cell + align(t.Columns[j].Right) + `">` + html.EscapeString(s) + `</td>`)
		t.gapCell(b, "td", j)
	}
	b.WriteString(`</tr>`)
}

func (t Table) gapCell(b *strings.Builder, tag string, column int) {
	if t.GapColumn > 0 && column == t.GapColumn-1 {
		b.WriteString(`<` + tag + ` style="` + cell + muted + `">⋯</` + tag + `>`)
	}
}

func (t Table) gapRow(b *strings.Builder) {
	b.WriteString(`<tr>`)
	n := len(t.Columns)
	if t.Labels != nil {
		n++
	}
	if t.GapColumn > 0 {
		n++
	}
	for range n {
		b.WriteString(`<td style="` + cell + `text-align:center;` + muted + `">⋮</td>`)
	}
	b.WriteString(`</tr>`)
}

func align(right bool) string {
	if right {
		return "text-align:right;"
	}
	return "text-align:left;"
}

// Spaces as wide as a digit and as a point, where digits are of one width.
const (
	figureSpace = "\u2007"
	pointSpace  = "\u2008"
)

// pointed is the rows with decimal points below each other: numbers with few decimals
// get spaces behind them. Columns with a number that has an exponent stay as they are.
func (t Table) pointed() [][]string {
	rows := make([][]string, len(t.Rows))
	for i, r := range t.Rows {
		rows[i] = append([]string(nil), r...)
	}
	for j, c := range t.Columns {
		most := 0
		for _, r := range t.Rows {
			if d := decimals(r[j]); d < 0 {
				most = 0
				break
			} else {
				most = max(most, d)
			}
		}
		if !c.Right || most == 0 {
			continue
		}
		for _, r := range rows {
			if d := decimals(r[j]); d < most && strings.ContainsAny(r[j], "0123456789") {
				if d == 0 {
					r[j] += pointSpace
				}
				r[j] += strings.Repeat(figureSpace, most-d)
			}
		}
	}
	return rows
}

// decimals is how many digits stand behind a number's point; -1 with an exponent.
func decimals(s string) int {
	if strings.ContainsAny(s, "eE") {
		return -1
	}
	if i := strings.IndexByte(s, '.'); i >= 0 {
		return len(s) - i - 1
	}
	return 0
}

// Text is the table as plain text with aligned columns, widths counted in runes.
func (t Table) Text() string {
	t.Rows = t.pointed()
	lines, right := t.grid()
	widths := make([]int, len(right))
	for _, l := range lines {
		for i, s := range l {
			widths[i] = max(widths[i], utf8.RuneCountInString(s))
		}
	}
	var b strings.Builder
	for _, l := range lines {
		var row strings.Builder
		for i, s := range l {
			if i > 0 {
				row.WriteString("  ")
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(s))
			if right[i] {
				s = pad + s
			} else {
				s += pad
			}
			row.WriteString(s)
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return b.String() + t.Caption
}

// grid is everything that Text aligns, header and gaps included.
func (t Table) grid() (lines [][]string, right []bool) {
	expand := func(label string, cells []string, gap string) []string {
		var out []string
		if t.Labels != nil {
			out = append(out, label)
		}
		for i, s := range cells {
			out = append(out, flatten(s))
			if t.GapColumn > 0 && i == t.GapColumn-1 {
				out = append(out, gap)
			}
		}
		return out
	}
	header := make([]string, len(t.Columns))
	dots := make([]string, len(t.Columns))
	aligned := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		header[i], dots[i] = c.Name, "⋮"
		if c.Right {
			aligned[i] = "r"
		}
	}
	for _, s := range expand("", aligned, "") {
		right = append(right, s == "r")
	}
	lines = append(lines, expand("", header, "⋯"))
	for i, row := range t.Rows {
		if t.Gap > 0 && i == t.Gap {
			lines = append(lines, expand("⋮", dots, "⋱"))
		}
		label := ""
		if t.Labels != nil {
			label = flatten(t.Labels[i])
		}
		lines = append(lines, expand(label, row, "⋯"))
	}
	return lines, right
}

// flatten keeps a cell on its line.
func flatten(s string) string {
	s = strings.NewReplacer(figureSpace, " ", pointSpace, " ").Replace(s)
	if !strings.ContainsAny(s, "\n\r\t") {
		return s
	}
	return strings.NewReplacer("\n", "⏎", "\r", "", "\t", " ").Replace(s)
}
