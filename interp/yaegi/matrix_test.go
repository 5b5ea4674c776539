package yaegi_test

import (
	"regexp"
	"strings"
)

// The interpreter lets an operation write straight into the place that its result
// is assigned to, and sometimes picks the wrong place. So every kind of right side
// meets every kind of place here.

// operandVars are the session variables that right sides are made of.
var operandVars = []struct{ name, decl string }{
	{"i", "int = 5"}, {"j", "int = 9"}, {"f", "float64 = 2.5"}, {"g", "float32 = 0.1"}, {"u", "uint8 = 100"},
	{"st", `string = "héy"`}, {"b", "bool = true"}, {"is", "= []int{4, 5, 6}"}, {"bs", `= []byte("xyz")`},
	{"mi", `= map[string]int{"a": 3}`}, {"pt", `= Point{1, 2, "n"}`}, {"pp", `= &Point{3, 4, "m"}`},
	{"pi", "= new(int)"}, {"av", "any = 5"}, {"as", "any = Point{X: 8}"}, {"err", "error = errBase"},
	{"fn", "= double"}, {"pts", "= []Point{{X: 6}}"}, {"mp", `= map[string]Point{"a": {X: 7}}`},
	{"lv", "Level = 1"}, {"c", "complex128 = 1 + 2i"}, {"srs", "= []fmt.Stringer{High}"},
}

// rightSides are expressions by the type of the place that they go to.
var rightSides = []struct{ typ, exprs string }{
	{"int", "7; i; -i; ^i; i + j; i * 2; i << 2; (i); double(i); pt.Sum(); pp.Sum(); is[1]; mi[`a`]; pt.X; pp.Y; " +
		"*pi; int(f); av.(int); len(is); fn(i); pts[0].X; mp[`a`].X; i*j - j%i; int(u + 200); as.(Point).X; int(lv)"},
	{"float64", "1.5; 2; f; -f; f / 2; float64(i); wide(f); math.Sqrt(f); float64(g); real(c); f*f + 1"},
	{"float32", "0.1; g; g * 3; float32(f); single(g)"},
	{"complex128", "1; c; c * 2; complex(f, 1)"},
	{"string", "`z`; st + `q`; kind(i); string(bs); st[1:]; pt.String(); fmt.Sprint(i, st); string(st[0]) + st; lv.String()"},
	{"bool", "true; b; i < j; i < j && b; !b; isNil(err); pp == nil; av == 5; st == `x`; pt == *pp"},
	{"uint8", "3; 'a'; u; u + 200; uint8(i); bs[0]; st[0]; -u; u << 1; byte(f)"},
	{"rune", "'é'; rune(i); 'a' + rune(i)"},
	{"Level", "High; 2; lv; lv + 1; Level(i)"},
	{"time.Duration", "time.Second; 5; time.Duration(i) * time.Second"},
	{"any", "7; 1.5; 'x'; `s`; true; nil; i; u; g; lv; High; -i; !b; u + 1; g * 3; i < j; i < j && b; double(i); pt; pp; *pp; av; pt.X; " +
		"is[1]; is; is[1:]; mi[`a`]; mp[`a`]; Point{X: 1}; &Point{X: 1}; []int{i}; err; float32(f); uint8(i); st + `q`; st[0]; " +
		"*pi; len(is); av.(int); pt.Sum(); pt.Add(pt); fn; fn(i); double; append(is, 1); c * 2; Level(i); u << 1; fails(1); " +
		"[2]int{i, j}; map[string]int{`a`: i}; time.Second; &i; &pt; lv + 1; any(i); string(bs); bs[0]"},
	{"error", "nil; errBase; err; fails(1); fails(0); &Oops{1}; io.EOF; wraps(2)"},
	{"fmt.Stringer", "nil; pt; pp; &pt; lv; Level(1); High; Point{X: 1}; &Point{X: 1}; srs[0]; time.Second; pt.Add(pt); *pp; pts[0]"},
	{"Point", "Point{X: i}; Point{}; pt; pt.Add(pt); *pp; pts[0]; mp[`a`]; as.(Point); *newPoint(1, 2)"},
	{"*Point", "&Point{X: i}; &pt; pp; newPoint(1, i); nil; new(Point); &pts[0]"},
	{"[]int", "[]int{1, i}; append(is, 4); append(is, i, j); append(is, is...); is[1:]; is[:2]; nil; make([]int, 2); is; []int{}"},
	{"[]any", "[]any{1, i, st, pt, nil}; append([]any{}, i, u + 1, pt); nil"},
	{"[]Point", "[]Point{{X: i}}; append(pts, pt); append(pts, Point{X: i}); append(pts, *pp); pts"},
	{"[2]int", "[2]int{i, j}; [2]int{}; [2]int(is[:2])"},
	{"map[string]int", "map[string]int{`a`: i}; make(map[string]int); mi; nil"},
	{"func(int) int", "double; adder(i); fn; nil"},
	{"Celsius", "3; 1.5; Celsius(f); Celsius(f) * 2"},
	{"struct{ A int }", "struct{ A int }{i}; struct{ A int }{}"},
	{"Words", "Words{st}; append(Words{}, st); nil"},
}

// places are where a value of type T goes: R is the right side.
var places = []struct{ name, decl, body string }{
	{"var", "var d T", "d = R"},
	{"element", "var d = make([]T, 2)", "d[1] = R"},
	{"array", "var d [2]T", "d[1] = R"},
	{"map", "var d = map[string]T{}", "d[`k`] = R"},
	{"field", "var d struct{ F T }", "d.F = R"},
	{"pointer-field", "var d = &struct{ F T }{}", "d.F = R"},
	{"deref", "var d = new(T)", "*d = R"},
	{"nested", "var d = [][]T{make([]T, 1)}", "d[0][0] = R"},
	{"field-element", "var d = struct{ F []T }{make([]T, 1)}", "d.F[0] = R"},
	{"define", "var d T", "x := R\nd = x"},
	{"var-decl", "var d T", "var x T = R\nd = x"},
	{"local", "var d T", "var x T\nx = R\nd = x"},
	{"slice-literal", "var d []T", "d = []T{R, R}"},
	{"map-literal", "var d map[string]T", "d = map[string]T{`k`: R}"},
	{"append", "var d []T", "d = append(d, R)"},
	{"append-many", "var d []T", "d = append(d, R, R)"},
	{"struct-literal", "var d struct{ F T }", "x := struct{ F T }{F: R}\nd = x"},
	{"convert", "var d any", "d = (T)(R)"},
	{"argument", "var d string", "d = kinds(T(R), T(R))"},
	{"argument-plain", "var d string", "d = kinds(R, R)"},
	{"pair", "var d, e T", "d, e = R, R"},
	{"if", "var d T", "if len(`x`) == 1 {\n\td = R\n}"},
	{"in-loop", "var d []T", "for k := 0; k < 2; k++ {\n\tx := R\n\td = append(d, x)\n}"},
}

var word = regexp.MustCompile(`[A-Za-z]\w*`)

// matrixSnippets are all right sides at all places.
func matrixSnippets() (snippets []snippet) {
	for _, place := range places {
		for _, right := range rightSides {
			for expr := range strings.SplitSeq(right.exprs, "; ") {
				if skipped(place.name, right.typ, expr) {
					continue
				}
				s := snippet{name: "matrix/" + place.name + "/" + right.typ + "/" + expr, vars: []string{"d"}}
				decls := []string{strings.ReplaceAll(place.decl, "T", right.typ)}
				if place.name == "pair" {
					s.vars = []string{"d", "e"}
				}
				words := map[string]bool{}
				for _, w := range word.FindAllString(expr, -1) {
					words[w] = true
				}
				for _, v := range operandVars {
					if words[v.name] {
						decls, s.vars = append(decls, "var "+v.name+" "+v.decl), append(s.vars, v.name)
					}
				}
				s.decls = strings.Join(decls, "\n")
				s.body = strings.NewReplacer("T(R)", conversion(right.typ, expr), "T", right.typ, "R", expr,
					"(T)(R)", conversion(right.typ, expr)).Replace(place.body)
				snippets = append(snippets, s)
			}
		}
	}
	return snippets
}

func conversion(typ, expr string) string { return "(" + typ + ")(" + expr + ")" }

// skipped says which combinations are no Go, or would only repeat another.
func skipped(place, typ, expr string) bool {
	switch place {
	case "define", "in-loop", "argument-plain", "argument":
		return expr == "nil" || strings.HasPrefix(expr, "&") || strings.HasPrefix(expr, "adder") || !strings.HasPrefix(place, "argument") && (typ == "any" || typ == "error" || typ == "fmt.Stringer" ||
			typ == "float64" && expr == "2" || typ == "float32" && expr == "0.1" || typ == "uint8" && (expr == "3" || expr == "'a'") ||
			typ == "Level" && expr == "2" || typ == "time.Duration" && expr == "5" || typ == "complex128" && expr == "1" || typ == "Celsius" && len(expr) < 4)
	}
	return false
}
