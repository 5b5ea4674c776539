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
	// Whole, where not nil, holds for each cell what it was cut or rounded from, which
	// HTML shows where the pointer rests; empty for a cell that says all.
	Whole [][]string
	// Gap, where positive, is the number of rows after which rows were left out.
	Gap int
	// GapColumn, where positive, is the number of columns after which columns were
	// left out.
	GapColumn int
}

// Colours come from the front end where it has them. The fallbacks are shades that
// read on white and on black, because an exported page has no such variables. A front
// end that does not trust the notebook drops what it does not know, var and sticky
// among it: the declaration before a var is for that case.
const (
	muted = "color:#767676;color:var(--jp-ui-font-color2,#767676);"
	line  = "border-bottom:1px solid #808080;border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.45));"
	cell  = "padding:.25em .75em;vertical-align:top;"
	// A cell is one line, and the table scrolls. Only prose wraps, at a width that no
	// neighbour can take from it.
	short = "white-space:pre;"
	prose = "white-space:pre-wrap;overflow-wrap:break-word;min-width:32em;max-width:32em;"
	// What stays in sight when the table scrolls needs a ground that hides the rest.
	ground = "position:sticky;background:var(--jp-layout-color0,Canvas);"
	top    = ground + "top:0;"
	left   = ground + "left:0;"
	corner = ground + "top:0;left:0;z-index:1;"
)

// proseRunes is from where on a cell's text wraps.
const proseRunes = 60

// HTML is the table as an HTML fragment.
func (t Table) HTML() string {
	t.Rows = t.pointed()
	var b strings.Builder
	b.WriteString(`<div style="overflow:auto;max-height:36em"><table style="table-layout:auto;border-collapse:collapse;font-variant-numeric:tabular-nums">`)
	b.WriteString(`<thead><tr>`)
	stick := corner
	if t.Labels != nil {
		b.WriteString(`<th style="` + cell + corner + line + `"></th>`)
		stick = top
	}
	for i, c := range t.Columns {
		b.WriteString(`<th scope="col" style="` + cell + short + stick + align(c.Right) + line + `">`)
		b.WriteString(html.EscapeString(c.Name))
		if c.Note != "" {
			b.WriteString(`<br/><span style="font-weight:normal;` + muted + `">` + html.EscapeString(c.Note) + `</span>`)
		}
		b.WriteString(`</th>`)
		stick = top
		if t.gapAfter(i) {
			b.WriteString(`<th style="` + cell + top + line + muted + `">⋯</th>`)
		}
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
	stick := left
	if t.Labels != nil {
		b.WriteString(`<th scope="row" style="` + cell + short + left + align(false) + muted + `">` + html.EscapeString(t.Labels[i]) + `</th>`)
		stick = ""
	}
	for j, s := range t.Rows[i] {
		b.WriteString(`<td style="` + cell + wrap(s) + stick + align(t.Columns[j].Right) + `"`)
		if t.Whole != nil && t.Whole[i][j] != "" {
			b.WriteString(` title="` + html.EscapeString(t.Whole[i][j]) + `"`)
		}
		b.WriteString(`>` + html.EscapeString(s) + `</td>`)
		stick = ""
		if t.gapAfter(j) {
			b.WriteString(`<td style="` + cell + muted + `">⋯</td>`)
		}
	}
	b.WriteString(`</tr>`)
}

func wrap(s string) string {
	if utf8.RuneCountInString(s) > proseRunes {
		return prose
	}
	return short
}

// gapAfter says whether columns were left out behind that one.
func (t Table) gapAfter(column int) bool { return t.GapColumn > 0 && column == t.GapColumn-1 }

func (t Table) gapRow(b *strings.Builder) {
	b.WriteString(`<tr>`)
	n := len(t.Columns)
	if t.Labels != nil {
		n++
	}
	if t.GapColumn > 0 {
		n++
	}
	stick := left
	for range n {
		b.WriteString(`<td style="` + cell + stick + `text-align:center;` + muted + `">⋮</td>`)
		stick = ""
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

// decimals is how many digits stand behind a number's point, 0 for a text without
// digits; -1 for a number with an exponent or a unit.
func decimals(s string) int {
	if !strings.ContainsAny(s, "0123456789") {
		return 0
	}
	if strings.Trim(s, "+-0123456789.,") != "" {
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
