package plan_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"attune/interp/check"
	"attune/interp/native"
	"attune/interp/plan"
)

// decided are cells over testdata/prelude.txt with the engine and, for compiled
// ones, the reason.
var decided = []struct{ code, why string }{
	{"i + 1", ""},
	{"x := 42", ""},
	{"var x, y = 1, i", ""},
	{"fmt.Println(pt.Sum(), fib(20))", ""},
	{"for k := 0; k < 10; k++ {\n\tfmt.Println(k)\n}", ""},
	{"for k := range 1000 {\n\ti += k\n}", ""},
	{"const big = 1 << 20\nx := big * 2", ""},
	{"hd.Get()", ""},
	{"hd.B", ""},

	{"func f() {}\nf()", "line 1: declares func f"},
	{"i = 1\ntype T struct{}", "line 2: declares type T"},
	{"x := func() int { return 1 }", "line 1: a function literal"},
	{"i = 1\n\ngo fib(3)", "line 3: a go statement"},
	{"defer fib(3)", "line 1: a deferred call"},
	{"ch := make(chan int)", "line 1: type chan int"},
	{"select {}", "line 1: a select statement"},
	{"i = 2\nfor k := 0; k < i; k++ {\n}", ""},
	{"for {\n}", "line 1: a for loop whose length is not known before it runs"},
	{"for k := 0; k < 10; k += 0 {\n}", "line 1: a loop that runs more than 1000 times"},
	{"for k := 0; k < 10; k-- {\n}", "line 1: a loop that runs more than 1000 times"},
	{"for k := uint8(0); k < 255; k++ {\n}", "line 1: a for loop whose length is not known before it runs"},
	{"for k := 0; k < 10; k++ {\n\tk = 3\n}", "line 2: assigns to the loop variable k"},
	{"for k := 0; k < 10; k++ {\n\tpi = &k\n}", "line 2: the address of a variable of the cell's own"},
	{"for k := range 100 {\n\tfor l := range 11 {\n\t\ti += k * l\n\t}\n}", "line 2: a loop that runs more than 1000 times"},
	{"for _, x := range is {\n\ti += x\n}", ""},
	{"i = fib(30)\nfor k := 0; k < i; k++ {\n}", "line 2: a for loop whose length is not known before it runs"},
	{"for _, x := range Map(is, double) {\n\ti += x\n}", "line 1: a range loop whose length is not known before it runs"},
	{"n := []int{1, 2}\nfor k := range n {\n\tfor l := range k {\n\t\ti += l\n\t}\n}", ""},
	{"n := make([]int, 200)\nfor k := range n {\n\tfor l := range k {\n\t\ti += l\n\t}\n}", "line 3: a loop that runs more than 1000 times"},
	{"s := \"a\"\nfor range 30 {\n\ts += s\n}\nfor range s {\n}", "line 5: a range loop whose length is not known before it runs"},
	{"for k := len(is) - 1; k >= 0; k-- {\n}", ""},
	{"for k := len(is) - 1; k >= 0; k++ {\n}", "line 1: a for loop whose length is not known before it runs"},
	{"for _, x := range strings.Split(\"a b\", \" \") {\n\tst += x\n}", ""},
	{"for _, x := range strings.Fields(st) {\n\tst += x\n}", ""},
	{"for i = range 3 {\n}", "line 1: a range loop that assigns to variables"},
	{"for _, p := range [2]Point{} {\n\tp.Move(1, 1)\n}", "line 2: the address of the loop variable that Move is called on"},
	{"hd = hidden{a: 1}", "line 1: a literal of hidden, which has fields that are not exported"},
	{"hd.a", "line 1: the field a, which is not exported"},
	{"hd.a = 3", "line 1: assigns to a, which the instant engine cannot reach"},
	{"b = hd == hd", "line 1: a comparison of hidden with hidden"},
	{"x := pt.Sum", "line 1: the method Sum as a value"},
	{"x := Point.Sum", "line 1: the method Sum as a value"},
	{"Map(is, double)", "line 1: an instance of the generic Map"},
	{"stack.Items = nil", "line 1: stack has a type that only compiled code can name"},
	{"_ = Stack[int]{}", "line 1: the generic type Stack[int]"},
	{"i = i << j", "line 1: the operator << on int"},
	{"i <<= j", "line 1: <<= of a int"},
	{"min(i, j)", ""},
	{"clear(mi)", ""},
	{"recover()", "line 1: a call of recover"},
	{"os.Exit(3)", ""},
	{"import \"runtime\"\nruntime.Goexit()", "line 2: calls runtime.Goexit"},
	{"import \"log\"\nlog.SetPrefix(st)", ""},
	{"import \"log\"\nlog.Println(i)", "line 2: log.Println looks at who calls it"},
	{"import \"log\"\nlog.Default().Print(i)", "line 2: the method Print looks at who calls it"},
	{"goto end\nend:\n\ti = 1", "line 1: a goto"},
	{"_ = struct{ A int }{1}", "line 1: a value of type struct{A int}"},
	{"switch av {\ncase 1:\n}", "line 1: a switch over a any"},
	{"err, av = nil, i", "line 1: nil or a conversion to an interface among several right sides"},
	{"os.Args = nil", "line 1: assigns to Args, which the instant engine cannot reach"},
	{"pp, i = &Point{}, *func() *int { return &j }()", "line 1: a function literal"},
	{"if i = 3; i > 2 {\n}", "line 1: a statement before a condition that is no definition"},
	{"if b {\n\treturn\n}\ni", "line 2: returns before the last expression"},
	{"slices.Sort(is)", ""},
	{"slices.Max[[]int](is)", ""},
	{"slices.Sort(w)", "line 1: an instance of the generic Sort"},
	{"slices.Values(is)", "line 1: the generic type iter.Seq[int]"},
	{"min(i, j)", ""},
	{"new(3)", "line 1: new with a value"},
}

func TestDecide(t *testing.T) {
	check1, scope := prelude(t)
	for n, c := range decided {
		u, err := check1.Check(n+10, c.code, scope)
		if err != nil {
			t.Errorf("%s\ndoes not compile: %v", c.code, err.Problems)
			continue
		}
		got := plan.Decide(u, false)
		if want := c.why == ""; got.Engine == plan.Yaegi != want || !want && got.Why != c.why {
			t.Errorf("%s\ngot  %s: %s\nwant %q", c.code, got.Engine, got.Why, c.why)
		}
		if (got.Straight != nil) != (got.Engine == plan.Yaegi) {
			t.Errorf("%s\nstraight: %v", c.code, got.Straight)
		}
		if forced := plan.Decide(u, true); forced.Engine != plan.Native {
			t.Errorf("%s\nforced, runs on %s", c.code, forced.Engine)
		}
	}
}

func TestNothingToRun(t *testing.T) {
	c, scope := prelude(t)
	for _, code := range []string{`import "net/http"`, "type T int", "const k = 3", "import \"net/url\"\ntype U = url.URL"} {
		u, err := c.Check(10, code, scope)
		if err != nil {
			t.Fatal(err.Problems)
		}
		if d := plan.Decide(u, false); d.Engine != plan.Nothing {
			t.Errorf("%s: %s, %s", code, d.Engine, d.Why)
		}
	}
}

// TestNormalForm shows what the engine gets for a cell.
func TestNormalForm(t *testing.T) {
	c, scope := prelude(t)
	for _, test := range []struct{ code, body string }{
		{"x := 7 / 2", "(*v_x) = int(3)"},
		{"\ni = i + 1", "x_1 := (*v_i) + int(1)|(*v_i) = x_1"},
		{"is[i] = fib(3)", "x_2 := f_fib(int(3))|x_1 := attune_index(int((*v_i)), len((*v_is)))|(*v_is)[x_1] = x_2"},
		{"pair()", "x_1, x_2 := f_pair()|(*r_0), (*r_1) = x_1, x_2"},
		{"x, ok := mi[\"a\"]", "x_1, x_2 := (*v_mi)[\"a\"]|(*v_x), (*v_ok) = x_1, x_2"},
		{"var q Point", "var x_1 t_Point|(*v_q) = x_1"},
	} {
		u, err := c.Check(10, test.code, scope)
		if err != nil {
			t.Fatal(err.Problems)
		}
		d := plan.Decide(u, false)
		if d.Straight == nil {
			t.Errorf("%s: %s", test.code, d.Why)
			continue
		}
		if got := statements(d.Straight.Body); got != test.body {
			t.Errorf("%s\ngot  %s\nwant %s", test.code, got, test.body)
		}
	}
}

// statements are a body's, without the marks of their positions.
func statements(body string) string {
	var out []string
	for part := range strings.SplitSeq(body, "/*line :") {
		if _, text, ok := strings.Cut(part, "*/"); ok {
			out = append(out, strings.TrimSuffix(text, "; "))
		}
	}
	return strings.Join(out, "|")
}

// prelude is a checker whose session has testdata/prelude.txt.
func prelude(t testing.TB) (*check.Checker, *check.Scope) {
	t.Helper()
	lib, err := native.OpenLib(filepath.Join(built, "lib"))
	if errors.Is(err, native.ErrNoLib) {
		t.Skip("the packages for cells are not built: run ./install.sh")
	}
	if err != nil {
		t.Fatal(err)
	}
	imp, err := check.NewImporter(lib.ImportCfg())
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("testdata/prelude.txt")
	if err != nil {
		t.Fatal(err)
	}
	c := check.NewChecker(imp)
	u, problems := c.Check(1, string(code), check.NewScope())
	if problems != nil {
		t.Fatal(problems.Problems)
	}
	return c, u.Commit()
}

func BenchmarkDecide(b *testing.B) {
	c, scope := prelude(b)
	u, err := c.Check(10, "x := i + 1\nfmt.Println(x, pt.Sum(), st[1:], is[i])\nfib(x)", scope)
	if err != nil {
		b.Fatal(err.Problems)
	}
	for b.Loop() {
		if plan.Decide(u, false).Engine != plan.Yaegi {
			b.Fatal("not instant")
		}
	}
}
