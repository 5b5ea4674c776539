package yaegi_test

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"attune/interp/yaegi"
	"attune/stdlib/symbols"
)

// point stands for a type of a compiled cell.
type point struct{ X, Y int }

func (p point) String() string { return "point!" }

func bind(name string, value any) yaegi.Binding {
	return yaegi.Binding{Name: name, Value: reflect.ValueOf(value)}
}

func compile(t *testing.T, p yaegi.Program) *yaegi.Compiled {
	t.Helper()
	p.File, p.Line = "In[3]", 1
	c, err := yaegi.New(symbols.Table).Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCellWorksOnSessionMemory(t *testing.T) {
	count, names, at := 1, []string{"a"}, point{1, 2}
	var text string
	c := compile(t, yaegi.Program{
		Imports: []yaegi.Import{{Alias: "f", Path: "fmt"}},
		Vars:    []yaegi.Binding{bind("count", &count), bind("names", &names), bind("at", &at), bind("text", &text)},
		Funcs:   []yaegi.Binding{bind("double", func(n int) int { return 2 * n })},
		Types:   []yaegi.TypeBinding{{Name: "point", Type: reflect.TypeFor[point]()}},
		Body: "(*count) = double((*count)+20)\n(*names) = append((*names), \"b\")\n" +
			"t := point{X: 3, Y: 4}\n(*at) = t\n(*text) = f.Sprint((*at), []any{(*at)})",
	})
	if count != 1 {
		t.Error("compiling ran the cell")
	}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if count != 42 || len(names) != 2 || names[1] != "b" || at != (point{3, 4}) || text != "point! [point!]" {
		t.Errorf("got %v %v %v %q", count, names, at, text)
	}
	if err := c.Run(); err != nil || count != 124 || len(names) != 3 {
		t.Errorf("second run: %v, count %d, names %v", err, count, names)
	}
}

func TestPanicKeepsValueStackAndLine(t *testing.T) {
	reason := errors.New("no luck")
	c := compile(t, yaegi.Program{
		Funcs: []yaegi.Binding{bind("fail", func() { failDeep(reason) }), bind("fine", func() {})},
		Body:  "fine()\n\nfail()\nfine()",
	})
	for range 2 {
		err := c.Run()
		var p *yaegi.Panic
		if !errors.As(err, &p) || p.Value != any(reason) || !errors.Is(err, reason) {
			t.Fatalf("got %v", err)
		}
		if !strings.Contains(string(p.Stack), "failDeep") {
			t.Errorf("the stack lacks the panicking function:\n%s", p.Stack)
		}
		if p.File != "In[3]" || p.Line != 3 || p.Column != 1 {
			t.Errorf("position %s:%d:%d", p.File, p.Line, p.Column)
		}
	}
}

//go:noinline
func failDeep(err error) { panic(err) }

func TestGoexitEndsTheGoroutine(t *testing.T) {
	c := compile(t, yaegi.Program{Funcs: []yaegi.Binding{bind("exit", runtime.Goexit)}, Body: "exit()"})
	ended := make(chan bool, 1)
	go func() {
		returned := false
		defer func() { ended <- returned }()
		_ = c.Run()
		returned = true
	}()
	if <-ended {
		t.Error("Run returned after Goexit")
	}
}

func TestCompileRefuses(t *testing.T) {
	e := yaegi.New(symbols.Table)
	for name, p := range map[string]yaegi.Program{
		"unknown package": {Imports: []yaegi.Import{{Alias: "x", Path: "example.com/x"}}, Body: "x.F()"},
		"generic function": {Imports: []yaegi.Import{{Alias: "slices", Path: "slices"}},
			Body: "slices.Sort([]int{1})"},
		"unknown name":   {Body: "(*missing) = 1"},
		"syntax":         {Body: "x := ("},
		"value variable": {Vars: []yaegi.Binding{bind("x", 1)}},
		"nil function":   {Funcs: []yaegi.Binding{bind("f", (func())(nil))}},
	} {
		p.File, p.Line = "In[1]", 1
		if _, err := e.Compile(p); err == nil {
			t.Errorf("%s: compiled", name)
		}
	}
}

func TestHas(t *testing.T) {
	e := yaegi.New(symbols.Table)
	for _, c := range []struct {
		path, name string
		want       bool
	}{{"fmt", "Println", true}, {"fmt", "println", false}, {"slices", "Sort", false}, {"no/such", "X", false}} {
		if got := e.Has(c.path, c.name); got != c.want {
			t.Errorf("Has(%s, %s) = %v", c.path, c.name, got)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	e := yaegi.New(symbols.Table)
	x := 1
	for b.Loop() {
		_, err := e.Compile(yaegi.Program{
			Imports: []yaegi.Import{{Alias: "fmt", Path: "fmt"}},
			Vars:    []yaegi.Binding{bind("x", &x)},
			Body:    "(*x) = (*x) + 1\nfmt.Sprint((*x))", File: "In[1]", Line: 1})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func TestRuntimeErrorsReadAsCompiled(t *testing.T) {
	var (
		s      = []int{1, 2, 3}
		n      = 5
		p      *point
		any5   = any(5)
		result int
		fn     func() int
	)
	for body, want := range map[string]string{
		"(*n) = (*s)[attune_index((*n), len((*s)))]": "runtime error: index out of range [5] with length 3",
		"(*s)[attune_index((*n), len((*s)))] = 1":    "runtime error: index out of range [5] with length 3",
		"(*n) = (*s)[(*n)]":                          "runtime error: index out of range",
		"(*s) = (*s)[(*n):]":                         "runtime error: slice bounds out of range",
		"(*p).X = 1":                                 "runtime error: invalid memory address or nil pointer dereference",
		"(*result) = (*fn)()":                        "runtime error: invalid memory address or nil pointer dereference",
		"(*result) = (*n) / (*result)":               "runtime error: integer divide by zero",
		"t := (*any5).(string)\n_ = t":               "interface conversion: interface is int, not string",
		"misuse()":                                   "reflect: slice index out of range",
		"panic(\"as it is\")":                        "as it is",
	} {
		c := compile(t, yaegi.Program{Body: body, Vars: []yaegi.Binding{bind("s", &s), bind("n", &n), bind("p", &p),
			bind("any5", &any5), bind("result", &result), bind("fn", &fn)},
			Funcs: []yaegi.Binding{bind("misuse", func() { reflect.ValueOf(s).Index(9) })}})
		var got *yaegi.Panic
		if err := c.Run(); !errors.As(err, &got) {
			t.Errorf("%s: %v", body, err)
			continue
		}
		text, _ := got.Value.(string)
		if err, ok := got.Value.(runtime.Error); ok {
			text = err.Error()
		}
		if text != want {
			t.Errorf("%s: %v, want %s", body, got.Value, want)
		}
	}
}

func TestInterruptKeepsWhatWasDone(t *testing.T) {
	var n int
	reached := make(chan bool, 1)
	c := compile(t, yaegi.Program{Vars: []yaegi.Binding{bind("n", &n)},
		Funcs: []yaegi.Binding{bind("reach", func() {
			select {
			case reached <- true:
			default:
			}
		})},
		Body: "(*n) = 1\nfor {\n\treach()\n}"})
	go func() {
		<-reached
		c.Interrupt()
	}()
	if err := c.Run(); !errors.Is(err, yaegi.ErrInterrupted) || n != 1 {
		t.Errorf("got %v, n = %d", err, n)
	}
}
