package check_test

import (
	"testing"
)

// FuzzTyping asks for completions and a page anywhere in any text: each ends, and what
// a completion replaces is around the cursor.
func FuzzTyping(f *testing.F) {
	c, scope := checker(f)
	for _, code := range []string{
		"point.", "for _, p := range points {\n\tp.", "Point{X: 1, ", "func f(a in", "import (\"fmt\"; \"str", "switch number {\n\t",
		"x := func() {", "type T[P any] struct { P", "func (p Point) ", "each(nil, func(i, x int) bool { return ", "goto ", "%time po",
		"a?\n!b\npo", "strings.ToUpp", "pair[Point](", "label:\n\tfor { break ", "/* po", "`po", "é.😀", "var x, y = ", "if x := f(",
		"func f[T any](t T) { t.", "import . \"strings\"\nToU", "type I interface { Area", "return", "x.(type)", "select {\ncase <-", "...",
	} {
		f.Add(code, len(code))
	}
	f.Fuzz(func(t *testing.T, code string, offset int) {
		if len(code) > 2000 {
			return
		}
		offset = min(max(offset, 0), len(code))
		start, end, _ := c.Complete(code, offset, scope)
		if start < 0 || start > offset || end < offset || end > len(code) {
			t.Errorf("%q at %d: replaces %d to %d", code, offset, start, end)
		}
		in := c.Inspect(code, offset, scope)
		if in.Call.From > in.Call.To || in.Call.To > len(in.Call.Signature) {
			t.Errorf("%q at %d: marks %d to %d of %q", code, offset, in.Call.From, in.Call.To, in.Call.Signature)
		}
	})
}
