package interp_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attune/interp"
)

// openAt starts a session that keeps its built cells in cache.
func openAt(t testing.TB, cache string) *interp.Session {
	t.Helper()
	return openTo(t, interp.Options{Cache: cache})
}

// files counts the files of the cache that match pattern.
func files(t testing.TB, cache, pattern string) int {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(cache, "*", pattern))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// awaitBundle waits until a plugin of several cells is in the cache.
func awaitBundle(t testing.TB, cache string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); files(t, cache, "cells-*.json") == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the cells that wait are not built together")
		}
	}
}

// compiled makes a cell one for the compiler.
const compiled = "%%native\n"

// queued are cells that are compiled, and what each answers.
var queued = [][2]string{
	{"func base(n int) (s int) {\n\tfor i := range n {\n\t\ts += i\n\t}\n\treturn s\n}", ""},
	{"type Point struct{ X, Y int }\nfunc (p Point) Sum() int { return p.X + p.Y }", ""},
	{compiled + "p := Point{1, 2}\np.Sum()", "= 3\n"},
	{"func twice(p Point) Point { return Point{2 * p.X, 2 * p.Y} }", ""},
	{compiled + "twice(p)", "= Point{X: 2, Y: 4}\n"},
	{"type Shape interface{ Area() int }\ntype Square struct{ S int }\nfunc (s Square) Area() int { return s.S * s.S }", ""},
	{compiled + "var shapes []Shape = []Shape{Square{2}, Square{3}}\nshapes[1].Area()", "= 9\n"},
	{"func Map[T, U any](xs []T, f func(T) U) (out []U) {\n\tfor _, x := range xs {\n\t\tout = append(out, f(x))\n\t}\n\treturn out\n}\nfunc areas() []int { return Map(shapes, Shape.Area) }", ""},
	{compiled + "Map([]Point{p, twice(p)}, Point.Sum)", "= []int{3, 6}\n"},
	{"type Point struct{ X, Y, Z int }\nfunc (p Point) Sum() int { return p.X + p.Y + p.Z }", "note: twice"},
	{compiled + "q := Point{1, 2, 3}\nq.Sum()", "= 6\n"},
	{"const size = 3\nfunc fill() (g [size]int) {\n\tfor i := range g {\n\t\tg[i] = base(i + 2)\n\t}\n\treturn g\n}", ""},
	{compiled + "fill()", "= [3]int{1, 3, 6}\n"},
	{"const size = 2\nfunc small() (g [size]int) { return g }", ""},
	{compiled + "len(small())", "= 2\n"},
	{"func base(n int) int { return 7 * n }", ""},
	{compiled + "base(3)", "= 21\n"},
	{"import \"gonum.org/v1/gonum/mat\"\nfunc trace(n int) float64 {\n\tm := mat.NewDense(n, n, nil)\n\tfor i := range n {\n\t\tm.Set(i, i, 1.5)\n\t}\n\treturn mat.Trace(m)\n}", ""},
	{compiled + "trace(4)", "= 6\n"},
	{"type Outer struct{ Point }\nfunc (o Outer) Z() int { return o.Point.Z }\nfunc outer() Outer { return Outer{Point{1, 2, 3}} }", ""},
	{compiled + "outer().Z() + outer().Sum()", "= 9\n"},
}

func TestQueuedCellsAreBuiltTogether(t *testing.T) {
	cache := t.TempDir()
	s := openAt(t, cache)
	var codes []string
	for _, q := range queued {
		codes = append(codes, q[0])
	}
	run := func(s *interp.Session) {
		for i, q := range queued {
			if got := transcript(s, i+1, q[0]); got != q[1] && (q[1] == "" || !strings.Contains(got, q[1])) {
				t.Errorf("%s\ngot:  %s\nwant: %s", q[0], got, q[1])
			}
		}
	}
	s.Foresee(codes)
	awaitBundle(t, cache)
	run(s)
	bundles, all := files(t, cache, "cells-*.so"), files(t, cache, "*.so")
	if bundles > 4 || all != len(queued)+bundles {
		t.Errorf("%d cells are in %d files, of which %d hold several", len(queued), all, bundles)
	}
	s.Close()
	again := openAt(t, cache)
	run(again)
	if now := files(t, cache, "*.so"); now != all {
		t.Errorf("a new session built %d cells again", now-all)
	}
}

// TestQueuedCellThatChanges opens a plugin that holds a type, a constant and a generic
// function of cells which are then changed before they run.
func TestQueuedCellThatChanges(t *testing.T) {
	cache := t.TempDir()
	s := openAt(t, cache)
	first := "func one() int { return 1 }"
	s.Foresee([]string{first,
		"const n = 3\ntype P struct{ A [n]int }\nfunc (p P) Get() int { return p.A[0] }",
		"func ps() []P { return []P{{}} }\nfunc gen[T any](x T) any { return []T{x, x} }\nfunc g() any { return gen(1) }",
	})
	awaitBundle(t, cache)
	for i, q := range [][2]string{
		{first, ""},
		{compiled + "one()", "= 1\n"},
		{compiled + "P{}", "undefined: P"},
		{"const n = 1", ""},
		{"type P struct{ B string; C [n]float64 }\nfunc (p P) Get() string { return p.B }", ""},
		{"func ps() []P { return []P{{\"b\", [n]float64{2.5}}} }\nfunc gen[T comparable](x T) any { return map[T]T{x: x} }\nfunc g() any { return gen(1) }", ""},
		{compiled + "ps()[0]", "= P{B: \"b\", C: [1]float64{2.5}}\n"},
		{compiled + "ps()[0].Get()", "= \"b\"\n"},
		{compiled + "g()", "= map[int]int{1: 1}\n"},
		{compiled + "_, ok := any(ps()).([]P)\nok", "= true\n"},
	} {
		if got := transcript(s, i+1, q[0]); got != q[1] && (q[1] == "" || !strings.Contains(got, q[1])) {
			t.Errorf("%s\ngot:  %s\nwant: %s", q[0], got, q[1])
		}
	}
}

// TestQueueWithError has a cell that only the compiler refuses, and one that the
// check refuses: the others are built all the same.
func TestQueueWithError(t *testing.T) {
	cache := t.TempDir()
	s := openAt(t, cache)
	var codes []string
	for i := range 4 {
		codes = append(codes, fmt.Sprintf("func f%d() int { return %d }", i, i))
	}
	codes[1] = "func f1() int {\n\t//go:noinline\n\treturn 1\n}"
	codes = append(codes, "func bad() int { return nothing }", "func later() int { return 5 }")
	s.Foresee(codes)
	awaitBundle(t, cache)
	for i, code := range codes {
		got := transcript(s, i+1, code)
		if want := map[int]string{1: "misplaced compiler directive", 4: "undefined: nothing"}[i]; !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s\ngot:  %s\nwant: %s", code, got, want)
		}
	}
	if got := transcript(s, 10, compiled+"f0() + f2() + f3() + later()"); got != "= 10\n" {
		t.Error("after the errors: ", got)
	}
}
