package yaegi_test

import (
	"errors"
	"fmt"
)

// The types and functions of this file stand for those of earlier, compiled
// cells: the snippets use them by these names.

type Point struct {
	X, Y int
	Name string
}

func (p Point) Sum() int          { return p.X + p.Y }
func (p *Point) Move(dx, dy int)  { p.X += dx; p.Y += dy }
func (p Point) String() string    { return fmt.Sprintf("(%d,%d)", p.X, p.Y) }
func (p Point) Add(q Point) Point { return Point{p.X + q.X, p.Y + q.Y, p.Name} }

type Twin struct{ X, Y int }

type Node struct {
	Value int
	Next  *Node
}

type Line struct {
	Point
	End   *Point
	Tags  []string
	Attr  map[string]int
	Grid  [2][2]int
	Any   any
	Err   error
	Apply func(int) int
}

type hidden struct {
	a int
	b string
}

func (h hidden) get() int   { return h.a }
func (h *hidden) set(n int) { h.a = n }

type Celsius float64

func (c Celsius) String() string { return fmt.Sprintf("%.1f°", float64(c)) }

type Level int

const (
	Low Level = iota
	Mid
	High
)

func (l Level) String() string { return [...]string{"low", "mid", "high"}[l] }

type Byte uint8
type Words []string

func (w Words) Len() int       { return len(w) }
func (w *Words) Push(s string) { *w = append(*w, s) }

type Table map[string][]int
type Op func(int, int) int

func (o Op) Do(a, b int) int { return o(a, b) }

type Oops struct{ Code int }

func (o *Oops) Error() string { return fmt.Sprint("oops ", o.Code) }

type Shape interface{ Sum() int }

type Stack[T any] struct{ Items []T }

func (s *Stack[T]) Push(x T) { s.Items = append(s.Items, x) }
func (s *Stack[T]) Len() int { return len(s.Items) }

type IntStack = Stack[int]

var errBase = errors.New("base")

func double(n int) int             { return 2 * n }
func pair() (int, string)          { return 7, "seven" }
func triple(n int) (int, int, int) { return n, n * n, n * n * n }
func sum(ns ...int) (s int) {
	for _, n := range ns {
		s += n
	}
	return
}
func kinds(xs ...any) (s string) {
	for _, x := range xs {
		s += fmt.Sprintf("%T=%v;", x, x)
	}
	return
}
func kind(x any) string          { return fmt.Sprintf("%T=%v", x, x) }
func text(s fmt.Stringer) string { return s.String() }
func total(s Shape) int          { return s.Sum() }
func fails(n int) error {
	if n > 0 {
		return &Oops{n}
	}
	return nil
}
func wraps(n int) error                { return fmt.Errorf("wrap %d: %w", n, errBase) }
func isNil(err error) bool             { return err == nil }
func apply(f func(int) int, n int) int { return f(n) }
func adder(n int) func(int) int        { return func(m int) int { return n + m } }
func wide(x float64) float64           { return x / 2 }
func narrow(x uint8) uint8             { return x + 250 }
func single(x float32) float32         { return x / 3 }
func level(l Level) string             { return l.String() }
func takes(p *Point) bool              { return p == nil }
func takesSlice(s []int) int {
	if s == nil {
		return -1
	}
	return len(s)
}
func takesMap(m map[string]int) int {
	if m == nil {
		return -1
	}
	return len(m)
}
func fill(m map[string]int, k string) int        { m[k]++; return m[k] }
func crash(msg string) int                       { panic(msg) }
func crashError() int                            { panic(&Oops{9}) }
func index(s []int, i int) int                   { return s[i] }
func newPoint(x, y int) *Point                   { return &Point{X: x, Y: y} }
func mixed(a int, b string, c ...float64) string { return fmt.Sprint(a, b, c) }
func maybe(ok bool) (*Point, error) {
	if ok {
		return &Point{X: 1}, nil
	}
	return nil, errBase
}
func bytesOf(s string) []byte { return []byte(s) }
func grow(p *int) int         { *p++; return *p }
