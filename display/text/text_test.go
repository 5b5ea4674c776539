package text

import (
	"crypto/tls"
	"errors"
	"fmt"
	"image"
	"math"
	"math/big"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"
)

type point struct{ X, Y int }

type celsius float64

func (c celsius) String() string { return fmt.Sprintf("%.1f °C", float64(c)) }

type pointerStringer struct{ n int }

func (p *pointerStringer) String() string { return fmt.Sprint("n is ", p.n) }

type goStringer struct{}

func (goStringer) GoString() string { return "goStringer!" }

type bad struct{}

func (bad) String() string { panic(fmt.Errorf("cannot say")) }

type worse struct{}

func (worse) String() string { panic(worse{}) }

type list struct {
	Value int
	Next  *list
}

type pair[A, B any] struct {
	First  A
	Second B
}

type hidden struct {
	name string
	at   time.Duration
	p    *point
}

func format(v any) string { return Format(reflect.ValueOf(v), Limits{}) }

func TestFormat(t *testing.T) {
	loop := &list{Value: 1}
	loop.Next = loop
	own := map[string]any{}
	own["me"] = own
	inner := []any{nil}
	inner[0] = inner
	var nilPoint *point
	var nilErr error
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "nil"},
		{nilErr, "nil"},
		{42, "42"},
		{-1.5, "-1.5"},
		{1.0, "1"},
		{float32(0.1), "0.1"},
		{1e21, "1e+21"},
		{1e-7, "1e-07"},
		{math.Inf(1), "+Inf"},
		{math.NaN(), "NaN"},
		{complex(1, -2), "(1-2i)"},
		{true, "true"},
		{'x', "120"},
		{"abc", `"abc"`},
		{"tab\tand \x00", `"tab\tand \x00"`},
		{"two\nlines", "`two\nlines`"},
		{"back`\nquote", "\"back`\\nquote\""},
		{[]byte("bytes"), `[]byte("bytes")`},
		{[]byte{1, 2, 255}, "[]byte{1, 2, 255}"},
		{[]int(nil), "nil []int"},
		{[]int{}, "[]int{}"},
		{[]int{1, 2}, "[]int{1, 2}"},
		{[2]bool{true}, "[2]bool{true, false}"},
		{map[string]int{"b": 2, "a": 1}, `map[string]int{"a": 1, "b": 2}`},
		{map[string]int(nil), "nil map[string]int"},
		{point{1, 2}, "text.point{X: 1, Y: 2}"},
		{&point{1, 2}, "&text.point{X: 1, Y: 2}"},
		{nilPoint, "nil *text.point"},
		{[]point{{1, 2}}, "[]text.point{{X: 1, Y: 2}}"},
		{[]*point{{1, 2}, nil}, "[]*text.point{&text.point{X: 1, Y: 2}, nil *text.point}"},
		{[]any{1, "a", nil, point{}}, `[]any{1, "a", nil, text.point{X: 0, Y: 0}}`},
		{struct{ A int }{1}, "struct{A: 1}"},
		{celsius(21.5), "21.5 °C"},
		{[]celsius{1, 2}, "[]text.celsius{1.0 °C, 2.0 °C}"},
		{&pointerStringer{3}, "n is 3"},
		{pointerStringer{3}, "text.pointerStringer{n: 3}"},
		{(*pointerStringer)(nil), "nil *text.pointerStringer"},
		{goStringer{}, "goStringer!"},
		{errors.New("no luck"), "no luck"},
		{time.Second, "1s"},
		{big.NewInt(12345), "12345"},
		{bad{}, "<text.bad.String panicked: cannot say>"},
		{worse{}, "<text.worse.String panicked: a text.worse>"},
		{[]any{bad{}, (*pointerStringer)(nil)}, "[]any{<text.bad.String panicked: cannot say>, nil *text.pointerStringer}"},
		{map[float64]int{math.NaN(): 1, 2: 3}, "map[float64]int{NaN: 1, 2: 3}"},
		{reflect.ValueOf([]int{1}), "reflect.Value([]int{1})"},
		{[]bad{{}}, "[]text.bad{<text.bad.String panicked: cannot say>}"},
		{loop, "&text.list{Value: 1, Next: <cycle *text.list>}"},
		{own, `map[string]any{"me": <cycle map[string]any>}`},
		{inner, "[]any{<cycle []any>}"},
		{hidden{"n", time.Second, &point{1, 2}}, `text.hidden{name: "n", at: 1000000000, p: &text.point{X: 1, Y: 2}}`},
		{pair[int, point]{1, point{}}, "text.pair[int,text.point]{First: 1, Second: text.point{X: 0, Y: 0}}"},
		{func(int) string { return "" }, "func(int) string {…}"},
		{(func())(nil), "nil func()"},
		{make(chan int, 3), "chan int (0 of 3 buffered)"},
	} {
		if got := format(c.v); got != c.want {
			t.Errorf("%T: got %s, want %s", c.v, got, c.want)
		}
	}
}

func TestFormatBreaksLongLines(t *testing.T) {
	got := format([]point{{100000, 200000}, {300000, 400000}, {500000, 600000}, {700000, 800000}})
	want := `[]text.point{
    {X: 100000, Y: 200000},
    {X: 300000, Y: 400000},
    {X: 500000, Y: 600000},
    {X: 700000, Y: 800000},
}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	numbers := make([]int, 60)
	for i := range numbers {
		numbers[i] = i * 1000
	}
	for i, line := range strings.Split(format(numbers), "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("line %d is %d runes long", i, utf8.RuneCountInString(line))
		}
	}
}

func TestFormatCutsWhatIsLarge(t *testing.T) {
	big := make([]float64, 10_000_000)
	big[0], big[len(big)-1] = 1, 2
	got := format(big)
	if !strings.HasSuffix(got, "} (len 10,000,000)") || strings.Count(got, ",") > 150 || !strings.Contains(got, "2,\n}") {
		t.Errorf("got %s", got)
	}
	// Bounded work is what keeps it instant; allocations count it without a clock.
	if n := testing.AllocsPerRun(3, func() { format(big) }); n > 2000 {
		t.Errorf("%.0f allocations", n)
	}
	if got := format(strings.Repeat("ab", 1<<20)); len(got) > 20000 || !strings.HasSuffix(got, "… (2,097,152 bytes)") {
		t.Errorf("a long string: %d bytes, ends in %q", len(got), got[len(got)-30:])
	}
	m := map[int]int{}
	for i := range 20000 {
		m[i] = i
	}
	if got := format(m); !strings.HasSuffix(got, "} (len 20,000)") || strings.Count(got, "\n") != 102 {
		t.Errorf("a large map: %s", got)
	}
	deep := any(1)
	for range 100 {
		deep = []any{deep}
	}
	if got := format(deep); !strings.Contains(got, "…") || len(got) > 200 {
		t.Errorf("a deep value: %s", got)
	}
	wide := make([][]int, 1000)
	for i := range wide {
		wide[i] = make([]int, 1000)
	}
	if got := format(wide); len(got) > 40000 {
		t.Errorf("a wide value: %d bytes", len(got))
	}
}

func TestInlineStaysOnOneLine(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{"plain <b>", "plain <b>"},
		{celsius(1), "1.0 °C"},
		{[]string{"a"}, `[]string{"a"}`},
		{nil, "nil"},
	} {
		if got := Inline(reflect.ValueOf(c.v), Limits{}); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	long := Inline(reflect.ValueOf(strings.Repeat("é", 500)), Limits{Bytes: 99})
	if !utf8.ValidString(long) || !strings.HasSuffix(long, "… (1,000 bytes)") {
		t.Errorf("cut badly: %q", long)
	}
}

// guarded is a value with what programs keep beside their data.
type guarded struct {
	mu    sync.Mutex
	once  *sync.Once
	since time.Time
	Name  string
	hits  atomic.Int64
}

func TestFormatLeavesTheInnardsOfTheLibraryOut(t *testing.T) {
	g := &guarded{Name: "n", since: time.Now(), once: new(sync.Once)}
	g.mu.Lock() // held or not, it is not shown
	defer g.mu.Unlock()
	g.hits.Store(5)
	want := `&text.guarded{
    mu: sync.Mutex{…},
    once: &sync.Once{…},
    since: time.Time{…},
    Name: "n",
    hits: atomic.Int64{v: 5},
}`
	if got := format(g); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := format(time.Now()); strings.Contains(got, "m=") {
		t.Errorf("a time: %s", got)
	}
	if got := format(os.Stdout); got != `*os.File "/dev/stdout"` {
		t.Errorf("a file: %s", got)
	}
	r := &http.Response{Status: "200 OK", Request: &http.Request{Method: "GET"}, TLS: &tls.ConnectionState{}}
	if got := format(r); !strings.Contains(got, "Request: &http.Request{…}") || strings.Count(got, "\n") > 20 {
		t.Errorf("a response: %s", got)
	}
	if got := format(image.Point{1, 2}); got != "image.Point{X: 1, Y: 2}" && got != "(1,2)" {
		t.Errorf("a point: %s", got)
	}
}

func TestFormatIsNotTallerThanAScreenOrThree(t *testing.T) {
	tall := make([]map[string][]string, 33)
	for i := range tall {
		tall[i] = map[string][]string{}
		for j := range 10 {
			tall[i][fmt.Sprint("key ", j)] = []string{strings.Repeat("x", 40), strings.Repeat("y", 40)}
		}
	}
	for name, v := range map[string]any{"a value": tall, "a text": strings.Repeat("line\n", 1000)} {
		got := format(v)
		if n := strings.Count(got, "\n") + 1; n != 200 || !strings.HasSuffix(got, " more lines)") {
			t.Errorf("%s has %d lines and ends in %q", name, n, got[len(got)-30:])
		}
	}
}

func TestRounded(t *testing.T) {
	for f, want := range map[float64]string{0: "0", 1.0 / 7: "0.142857", 100.0 / 7: "14.2857", 2: "2", 1234567.8: "1234568", -1e14: "-100000000000000", 1e15: "1e+15", 1.23456789e-7: "1.23457e-07", math.Inf(-1): "-Inf"} {
		if got := Rounded(f, 6); got != want {
			t.Errorf("%v: got %s, want %s", f, got, want)
		}
	}
	if got := Inline(reflect.ValueOf([]float64{1.0 / 3}), Limits{Digits: 6}); got != "[]float64{0.333333}" {
		t.Errorf("within a slice: %s", got)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -12: "-12", 100000: "100,000"} {
		if got := Count(n); got != want {
			t.Errorf("%d: got %s", n, got)
		}
	}
}

// FuzzFormat: no string breaks the printer, and a short quoted one reads back.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{"", "a", "\xff\xfe", "`\n`", "\u202e", "…", strings.Repeat("x", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := format(map[string]any{s: []any{s, []byte(s)}})
		if !strings.HasPrefix(got, "map[string]any{") {
			t.Errorf("got %q", got)
		}
		Inline(reflect.ValueOf(s), Limits{Bytes: 3})
	})
}

func BenchmarkFormatTenMillion(b *testing.B) {
	big := make([]float64, 10_000_000)
	for b.Loop() {
		format(big)
	}
}
