package check_test

import (
	"path/filepath"
	"strings"
	"testing"

	"attune/interp/check"
	"attune/interp/native"
)

// lib reads the packages for cells, as ./install.sh builds them.
func lib(t testing.TB) *check.Importer {
	t.Helper()
	l, err := native.OpenLib(filepath.Join("..", "..", ".build", "lib"))
	if err != nil {
		t.Skip("the packages for cells are not built: run ./install.sh")
	}
	imp, err := check.NewImporter(l.ImportCfg())
	if err != nil {
		t.Fatal(err)
	}
	return imp
}

// session is what earlier cells declared.
const session = `
import ("fmt"; "time"; str "strings")

type Point struct{ X, Y float64; label string }
func (p Point) Len() float64 { return p.X }
func (p *Point) Move(dx, dy float64) { p.X += dx; p.Y += dy }
func (p Point) Neg() Point { return p }
type Shape interface{ Area() float64 }
type Line struct { Point; To *Point; Tags map[string]bool }
type Colour int
const ( Red Colour = iota; Green )
func origin() Point { return Point{} }
func paint(c Colour, p Point) error { return nil }
func each(xs []int, f func(i, x int) bool) {}
func pair[T any](a T) (T, error) { return a, nil }
var point = Point{}
var line Line
var points []Point
var byName map[string]*Point
var shape Shape
var anything any
var number int
var count float64
var when time.Time
var paintings chan Colour
var _ = fmt.Sprint
var _ = str.ToUpper
`

func checker(t testing.TB) (*check.Checker, *check.Scope) {
	t.Helper()
	c := check.NewChecker(lib(t))
	u, err := c.Check(1, session, check.NewScope())
	if err != nil {
		t.Fatal(err.Problems)
	}
	return c, u.Commit()
}

// cut takes the cursor's mark ‸ out of a cell.
func cut(code string) (string, int) {
	before, after, _ := strings.Cut(code, "‸")
	return before + after, len(before)
}

// TestComplete: the first of what is offered must be those in want, in order; a name
// behind ! must not be offered, one behind + may come anywhere.
func TestComplete(t *testing.T) {
	c, scope := checker(t)
	for _, k := range []struct{ code, want string }{
		// members
		{"point.‸", "X Y label Len Move Neg !Area"},
		{"point.L‸", "Len"},
		{"point.l‸", "label Len"},
		{"origin().‸", "X Y label"},
		{"origin().Neg().N‸", "Neg"},
		{"points[0].‸", "X Y label"},
		{"byName[\"a\"].M‸", "Move"},
		{"line.‸", "Point To Tags X Y label Len Move"},
		{"line.To.‸", "X Y"},
		{"(&point).Mo‸", "Move"},
		{"anything.(Point).‸", "X Y"},
		{"anything.(Shape).‸", "Area"},
		{"Point{}.‸", "X Y"},
		{"Point(point).‸", "X Y"},
		{"Point.‸", "Len !X"},
		{"[]Point{}[0].‸", "X"},
		{"func() Point { return point }().‸", "X"},
		{"when.Add(3).Un‸", "Unix UnixMicro"},
		{"shape.‸", "Area"},
		{"p, _ := pair(point)\np.‸", "X Y"},
		{"for _, p := range points {\n\tp.‸\n}", "X Y"},
		{"for _, p := range points {\n\tp.‸", "X Y"},
		{"if point.‸", "X Y"},
		{"if p := origin(); p.‸", "X Y"},
		{"for i := range points.‸", ""},
		{"switch v := anything.(type) {\ncase Point:\n\tv.‸\n}", "X Y"},
		{"func f(p *Point) {\n\tp.‸\n}", "X Y"},
		{"func (p *Point) Twice() {\n\tp.‸\n}", "X Y"},
		{"func f() {\n\tx := 1 +\n}\npoint.‸", "X Y"},
		{"x := := 3\npoint.‸", "X Y"},
		{"point.‸\nnext := 3", "X Y"},
		{"type New struct{ A int }\nvar n New\nn.‸", "A"},
		{"n := struct{ Deep struct{ Er int } }{}\nn.Deep.‸", "Er"},
		{"3.‸", ""},
		// packages
		{"fmt.Sprintl‸", "Sprintln"},
		{"str.ToUpp‸", "ToUpper"},
		{"import \"os\"\nos.Getwd‸", "Getwd"},
		{"strings.ToUpp‸", "ToUpper ToUpperSpecial"},
		{"mat.NewDen‸", "NewDense"},
		{"rand.IntN‸", "IntN"},
		{"sor‸", "+sort"},
		{"import \"bytes\"\nbyt‸", "bytes byte"},
		// names
		{"poi‸", "point points Point"},
		{"var local = 1\nfunc f() {\n\tlocalToo := 2\n\tloc‸\n}", "localToo local"},
		{"func f() {\n\tloc‸\n\tlocalToo := 2\n}", "!localToo"},
		{"x := xy‸", "!xyzzy"},
		{"func f(parameter int) {\n\tpara‸\n}", "parameter"},
		// what is asked for comes first
		{"number = ‸", "number"},
		{"var c Colour = ‸", "Green Red"},
		{"paint(‸)", "Green Red"},
		{"paint(Red, ‸)", "point origin"},
		{"paint(‸", "Green Red"},
		{"point.Move(‸)", "count"},
		{"paintings <- ‸", "Green Red"},
		{"if number == ‸ {\n}", "number"},
		{"byName[‸]", "!nothing"},
		{"points = append(points, ‸)", "point origin"},
		{"func f() Point {\n\treturn ‸\n}", "point f origin"},
		{"[]Point{‸}", "point origin"},
		{"map[string]Point{\"a\": ‸}", "point origin"},
		{"each(nil, ‸)", "func(i_int,_x_int)_bool_{_}"},
		{"switch Red {\ncase ‸\n}", "Green Red"},
		// literals
		{"Point{‸}", "X: Y: label:"},
		{"Point{X: 1, ‸}", "Y: label: !X:"},
		{"Point{X: 1, Y‸", "Y:"},
		{"Point{X: ‸}", "count !X:"},
		{"Point{1, ‸}", "count !X:"},
		{"[]Point{{‸}}", "X: Y: label:"},
		{"[]*Point{{X: 1, ‸}}", "Y: label:"},
		{"map[string]Point{\"a\": {‸}}", "X: Y: label:"},
		{"&Line{Point: Point{‸}}", "X: Y: label:"},
		{"Point{‸: 1}", "X Y label"},
		{"http.Server{Ad‸}", "Addr:"},
		{"time.Now().Uni‸", "Unix UnixMicro"},
		{"f, _ := os.Open(\"x\")\nf.Rea‸", "Read ReadAt"},
		{"path := origin()\npath.‸", "X Y"},
		{"import \"net/http\"\nhttp.Server{Ad‸}", "Addr:"},
		// words
		{"fo‸", "for"},
		{"def‸", "defer !default"},
		{"retu‸", "!return"},
		{"func f() {\n\tretu‸\n}", "return"},
		{"func f() {\n\timpo‸\n}", "!import"},
		{"x := fo‸", "!for"},
		{"x := fu‸", "func"},
		{"for x := ran‸", "range"},
		{"x := ran‸", "!range"},
		{"for {\n\tbre‸\n}", "break"},
		{"bre‸", "!break"},
		{"switch number {\n\tca‸\n}", "case"},
		{"switch number {\n\t‸\n}", "case default"},
		{"switch number {\ncase 1:\n\tfall‸\n}", "fallthrough"},
		{"switch number {\ncase 1:\n\tdefa‸\n}", "default"},
		{"if number > 1 {\n} el‸", "else"},
		{"var x ma‸", "map !make !main"},
		{"var x st‸", "str string struct stat"},
		{"var x Poi‸", "Point !point"},
		{"func f(a in‸", "int"},
		{"func f(p Poi‸) {}", "Point !point"},
		{"make(cha‸", "chan"},
		{"make(ma‸", "map !make"},
		{"anything.(Poi‸)", "Point !point"},
		{"[]Poi‸", "Point !point"},
		{"type T struct {\n\tA Poi‸\n}", "Point !point"},
		{"x := struct‸", "struct"},
		{"type Na‸", ""},
		{"func na‸", ""},
		{"func (p Point) ‸", "Area()_float64_{_} String()_string_{_} Error()_string_{_}"},
		{"func (p Point) Str‸() string { return \"\" }", "String()_string_{_}"},
		{"import . \"strings\"\nToUpp‸", "ToUpper ToUpperSpecial"},
		// labels
		{"outer:\nfor {\n\tbreak ‸\n}", "outer"},
		{"outer:\nfor {\n\tfor {\n\t\tcontinue o‸\n\t}\n}", "outer"},
		{"outer:\nswitch {\ncase true:\n\tfor {\n\t\tcontinue ‸\n\t}\n}", "!outer"},
		{"func f() {\n\tgoto ‸\nend:\n}", "end"},
		// imports
		{"import \"net/ht‸\"", "net/http net/http/cgi"},
		{"import (\n\t\"fmt\"\n\tm \"mat‸\n)", "math math/big"},
		{"import \"gonum.org/v1/gonum/ma‸", "gonum.org/v1/gonum/mat"},
		{"import (\"fmt\"; \"str‸\")", "strconv strings"},
		{"import \"‸\"", "archive/tar"},
		{"import \"internal/‸\"", ""},
		// where there is nothing to say
		{"x := \"poi‸", ""},
		{"x := `poi‸", ""},
		{"// poi‸", ""},
		{"/* poi‸", ""},
		{"12‸", ""},
		{"%time poi‸", "point points"},
		{"%who\npoi‸", "point points"},
		{"%%native\n!ls é\npoi‸", "point points"},
	} {
		code, offset := cut(k.code)
		start, end, list := c.Complete(code, offset, scope)
		if start > offset || end < offset || end > len(code) {
			t.Errorf("%q: range %d to %d", k.code, start, end)
			continue
		}
		var got []string
		have := map[string]bool{}
		for _, x := range list {
			text := strings.ReplaceAll(x.Text, " ", "_")
			got = append(got, text)
			have[text] = true
		}
		i := 0
		for _, w := range strings.Fields(k.want) {
			switch w[0] {
			case '!':
				if have[w[1:]] {
					t.Errorf("%q offers %s: %.10q", k.code, w[1:], got)
				}
				continue
			case '+':
				if !have[w[1:]] {
					t.Errorf("%q does not offer %s: %.10q", k.code, w[1:], got)
				}
				continue
			}
			if i >= len(got) || got[i] != w {
				t.Errorf("%q offers %.8q, want %s", k.code, got[:min(len(got), 8)], k.want)
				break
			}
			i++
		}
		if k.want == "" && len(got) > 0 {
			t.Errorf("%q offers %.8q, want nothing", k.code, got[:min(len(got), 8)])
		}
	}
}
