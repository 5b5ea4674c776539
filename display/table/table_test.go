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
