package check

import (
	"strings"
	"testing"
)

// TestReferred: of the pieces of a cell those stay which the cursor's refers to.
func TestReferred(t *testing.T) {
	for _, c := range []struct{ cell, prefix, want string }{
		{"alpha, b := 1, 2\nc := 3\nalso := f(c)\nvar d, Alpine = 4, 5\nb = alΞcursor", "al", "alpha, b := 1, 2|c := 3|also := f(c)|var d, Alpine = 4, 5|b = alΞcursor"},
		{"a := 1\nal := 2\nfor almost := range 3 {\n\talΞcursor\n}", "al", "al := 2|for almost := range 3 {\n\talΞcursor\n}"},
		{"a := 1\nb := 2\nb.Ξcursor", "", "b := 2|b.Ξcursor"},
		{"a := 1\nb := f(a)\nc := 3\nb = c\nb.Ξcursor", "", "a := 1|b := f(a)|b.Ξcursor"},
		{"var a, b = 1, 2\nvar c int\nb.Ξcursor", "", "var a, b = 1, 2|b.Ξcursor"},
		{"a, err := f()\nb, err := g()\nerr.Ξcursor", "", "a, err := f()|b, err := g()|err.Ξcursor"},
		{"x := 1\nL: y := x\ny.Ξcursor", "", "x := 1|L: y := x|y.Ξcursor"},
		{"type T struct{}\nconst k = 1\nx := 1\nk.Ξcursor", "", "type T struct{}|const k = 1|k.Ξcursor"},
		{"x := 1\ny := 2\nfunc f() { x.Ξcursor }", "", "x := 1|func f() { x.Ξcursor }"},
		{"x := 1\nif y := x; y > 1 {\n\ty.Ξcursor\n}", "", "x := 1|if y := x; y > 1 {\n\ty.Ξcursor\n}"},
		{"x := g(func() { z := 1 })\nfor z := range 3 {\n}\nz.Ξcursor", "", "for z := range 3 {\n}|z.Ξcursor"},
		{"import \"fmt\"\nx := fmt.Sprint(1)\nfmt.Ξcursor", "", "import \"fmt\"|fmt.Ξcursor"},
	} {
		var got []string
		for _, ch := range referred(Split(c.cell), c.prefix) {
			got = append(got, ch.Text)
		}
		if have := strings.Join(got, "|"); have != c.want {
			t.Errorf("%q leaves %q, want %q", c.cell, have, c.want)
		}
	}
}

// TestWithoutBodies: functions that the cursor is not in lose what they do and keep
// what they are.
func TestWithoutBodies(t *testing.T) {
	for text, want := range map[string]string{
		"func f() int { return 1 }": "func f() int {}",
		"func f(s struct{ A int }) interface{ M() } {\n\tif true { f(s) }\n}": "func f(s struct{ A int }) interface{ M() } {}",
		"func (p *T) m() {\n}":            "func (p *T) m() {}",
		"func f() { g(Ξcursor) }":         "func f() { g(Ξcursor) }",
		"func f()":                        "func f()",
		"func f() { if {":                 "func f() { if {",
		"func f[T any](x T) { }":          "func f[T any](x T) {}",
		"func f() func() { return nil }":  "func f() func() {}",
		"x := func() int { return 1 }":    "x := func() int { return 1 }",
		"func f(g func() struct{}) { } ;": "func f(g func() struct{}) {}",
	} {
		chunks := withoutBodies(Split("a := 1\n" + text))
		if got := chunks[len(chunks)-1].Text; got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
