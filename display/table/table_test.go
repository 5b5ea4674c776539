package table

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

func sample() Table {
	return Table{
		Caption: "2 rows", Gap: 1, GapColumn: 1, Labels: []string{"0", "1"},
		Columns: []Column{{Name: "name", Note: "string"}, {Name: "n", Right: true}},
		Rows:    [][]string{{"a", "1"}, {"line\nbreak", "22"}},
	}
}

func TestText(t *testing.T) {
	want := "   name        ⋯   n\n" +
		"0  a           ⋯   1\n" +
		"⋮  ⋮           ⋱   ⋮\n" +
		"1  line⏎break  ⋯  22\n" +
		"2 rows"
	if got := sample().Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// FuzzHTML: whatever the text, the markup is the same well-formed one.
func FuzzHTML(f *testing.F) {
	for _, s := range []string{"x", `<script>alert(1)</script>`, `" onload="x`, "&amp;", "</td>", "\x00", "\xff"} {
		f.Add(s)
	}
	shape := tags(f, sample().HTML())
	f.Fuzz(func(t *testing.T, s string) {
		h := sample()
		h.Caption, h.Columns[0].Name, h.Columns[0].Note, h.Labels[0], h.Rows[0][0] = "c"+s, s, "n"+s, s, s
		got := strings.ToValidUTF8(strings.Map(func(r rune) rune {
			if r < ' ' || r == 0xfffe || r == 0xffff {
				return ' '
			}
			return r
		}, h.HTML()), "?")
		if have := tags(t, got); have != shape {
			t.Errorf("tags %s, want %s", have, shape)
		}
	})
}

// tags is the sequence of elements with their attributes.
func tags(t testing.TB, s string) string {
	d := xml.NewDecoder(strings.NewReader("<x>" + s + "</x>"))
	d.Entity = xml.HTMLEntity
	var b strings.Builder
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatalf("%v in %s", err, s)
		}
		if e, ok := tok.(xml.StartElement); ok {
			b.WriteString(e.Name.Local)
			for _, a := range e.Attr {
				b.WriteString("[" + a.Name.Local + "=" + a.Value + "]")
			}
			b.WriteByte(' ')
		}
	}
}

func TestNoScriptAndNoPlainColours(t *testing.T) {
	h := sample().HTML()
	if strings.Contains(h, "script") || strings.Contains(h, "<style") || !strings.Contains(h, "text-align:right") {
		t.Errorf("got %s", h)
	}
}

// TestCellsStayOnTheirLine: a wide table scrolls; no cell gives its width to another,
// and what a front end that strips var and sticky leaves says so too.
func TestCellsStayOnTheirLine(t *testing.T) {
	h := sample()
	h.Rows[0][0] = strings.Repeat("words ", 20)
	h.Whole = [][]string{{"", "1.0000001"}, {"", ""}}
	got := h.HTML()
	cells := strings.Split(got, "<td")[1:]
	for _, c := range append(strings.Split(got, "<th")[3:5], cells...) {
		style, _, _ := strings.Cut(c, ">")
		if strings.Contains(c, "⋯") || strings.Contains(c, "⋮") {
			continue
		}
		if long := strings.Contains(c, "words"); long != strings.Contains(style, "min-width:") || long == strings.Contains(style, "white-space:pre;") {
			t.Errorf("cell %s", c)
		}
	}
	if strings.Contains(got, "anywhere") || !strings.Contains(got, `title="1.0000001"`) || strings.Count(got, "title=") != 1 {
		t.Errorf("got %s", got)
	}
	if n := strings.Count(got, "left:0"); n != 1+len(h.Rows)+1 {
		t.Errorf("%d cells stick to the left, want the corner, each row's label and the gap's", n)
	}
}
