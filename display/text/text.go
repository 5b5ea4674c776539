// Package text owns the plain-text form of a Go value: Go syntax, laid out over
// lines where one would be too long, cut where the value is too large, and safe
// against cycles and against methods that panic. It imports the standard library
// only.
package text

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits says where a value is cut. The zero value of a field means its default.
type Limits struct {
	// Width is the line length in runes to keep to (80).
	Width int
	// Depth is how many composite values may nest before "…" stands for the rest (8).
	Depth int
	// Elements is how many elements of one slice, array or map are shown (100, a
	// third of it where a slice's elements are composite themselves): of a longer one
	// the first four fifths and the last fifth, of a map the first keys only.
	Elements int
	// Nodes is how many values are visited in all (2000); it bounds the time.
	Nodes int
	// Lines is how many lines Format writes (200).
	Lines int
	// Bytes is how much of a string is shown (16384).
	Bytes int
	// Digits, where positive, is to how many significant digits a floating-point number
	// is rounded; its whole part keeps its digits. Otherwise it is shown exactly.
	Digits int
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{{&l.Width, 80}, {&l.Depth, 8}, {&l.Elements, 100}, {&l.Nodes, 2000}, {&l.Lines, 200}, {&l.Bytes, 16384}} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	return l
}

// Format writes v as Go source would: "abc" for a string, Point{X: 1, Y: 2} for a
// struct, &Point{…} for a pointer to it. Methods that say how a value wants to be
// read are honoured in this order: fmt.Formatter, error, fmt.Stringer,
// fmt.GoStringer. A method that panics becomes text that says so. An invalid v is
// "nil". The time is bounded by l and does not grow with the value's size.
func Format(v reflect.Value, l Limits) string {
	p := printer{Limits: l.withDefaults()}
	if s, ok := p.topString(v); ok {
		return p.low(s)
	}
	var b strings.Builder
	p.write(&b, p.node(v, nil, 0), 0)
	return p.low(b.String())
}

// low cuts a text that is taller than the limit and says so.
func (p *printer) low(s string) string {
	n := strings.Count(s, "\n") + 1
	if n <= p.Lines {
		return s
	}
	end := 0
	for range p.Lines - 1 {
		end += strings.IndexByte(s[end:], '\n') + 1
	}
	return s[:end] + "… (" + Count(n-p.Lines+1) + " more lines)"
}

// Inline is Format on one line and with an outer string left unquoted: the form
// for a table's cell.
func Inline(v reflect.Value, l Limits) string {
	p := printer{Limits: l.withDefaults()}
	for v.IsValid() && v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	if v.IsValid() && v.Kind() == reflect.String {
		if s, ok := methodText(v); ok {
			return p.cut(s)
		}
		return p.cut(v.String())
	}
	var b strings.Builder
	p.flat(&b, p.node(v, nil, 0))
	return p.cut(b.String())
}

type printer struct {
	Limits
	nodes int
	// std is how many types of the standard library the current value is within.
	std int
	// path holds what is being printed now, to notice a value that contains itself.
	path []visit
}

// visit is a reference on the way to the current value; the length tells a slice
// from its own prefix.
type visit struct {
	ptr uintptr
	typ reflect.Type
	len int
}

func (p *printer) enter(v visit) bool {
	for _, w := range p.path {
		if w == v {
			return false
		}
	}
	p.path = append(p.path, v)
	return true
}

func (p *printer) leave() { p.path = p.path[:len(p.path)-1] }

// topString shows a whole text with its own line breaks, in back quotes, because a
// reader wants to see the lines. Shorter and odder strings stay quoted.
func (p *printer) topString(v reflect.Value) (string, bool) {
	for v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() != reflect.String {
		return "", false
	}
	s := v.String()
	if _, ok := methodText(v); ok || !strings.Contains(s, "\n") || len(s) > p.Bytes {
		return "", false
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return r == '`' || r != '\n' && r != '\t' && !strconv.IsPrint(r)
	}) {
		return "", false
	}
	return "`" + s + "`", true
}

// cut shortens a text that stands by itself to the limit and says so.
func (p *printer) cut(s string) string {
	if len(s) <= p.Bytes {
		return s
	}
	head := s[:p.Bytes]
	for len(head) > 0 && !utf8.RuneStart(s[len(head)]) {
		head = head[:len(head)-1]
	}
	return head + "… (" + Count(len(s)) + " bytes)"
}

func (p *printer) quote(s string) string {
	if len(s) <= p.Bytes {
		return strconv.Quote(s)
	}
	return strconv.Quote(s[:p.Bytes]) + "… (" + Count(len(s)) + " bytes)"
}

// Count writes n with commas between the thousands: 1,234,567.
func Count(n int) string {
	s := strconv.Itoa(n)
	start := len(s) % 3
	if n < 0 {
		s, start = s[1:], (len(s)-1)%3
	}
	var b strings.Builder
	if n < 0 {
		b.WriteByte('-')
	}
	b.WriteString(s[:start])
	for i := start; i < len(s); i += 3 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(s[i : i+3])
	}
	return b.String()
}

// methodText asks the value itself how it reads. A nil pointer or interface is not
// asked: nearly all such methods would panic.
func methodText(v reflect.Value) (s string, ok bool) {
	if v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() || !v.CanInterface() || IsNil(v) {
		return "", false
	}
	method := ""
	defer func() {
		if r := recover(); r != nil {
			s, ok = fmt.Sprintf("<%s.%s panicked: %s>", TypeName(v.Type()), method, Panic(r)), true
		}
	}()
	switch x := v.Interface().(type) {
	case reflect.Value:
		return "", false
	case time.Time:
		return x.Round(0).String(), true // without the reading of the monotonic clock
	case *time.Time:
		return x.Round(0).String(), true
	case *os.File:
		method = "Name"
		return "*os.File " + strconv.Quote(x.Name()), true
	case fmt.Formatter:
		method = "Format"
		return fmt.Sprintf("%v", x), true
	case error:
		method = "Error"
		return x.Error(), true
	case fmt.Stringer:
		method = "String"
		return x.String(), true
	case fmt.GoStringer:
		method = "GoString"
		return x.GoString(), true
	}
	return "", false
}

// Panic says a recovered value in words, even when saying it panics again.
func Panic(r any) (s string) {
	defer func() {
		if recover() != nil {
			s = fmt.Sprintf("a %T", r)
		}
	}()
	switch x := r.(type) {
	case error:
		return x.Error()
	case fmt.Stringer:
		return x.String()
	}
	return fmt.Sprint(r)
}

// IsNil is reflect.Value.IsNil for any kind.
func IsNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice, reflect.UnsafePointer:
		return v.IsNil()
	}
	return false
}

// TypeName is a type as a cell's author wrote it: the type's own package path is
// dropped to its name, and dropped whole where that is main, the cell's package.
func TypeName(t reflect.Type) string {
	if t == nil {
		return "nil"
	}
	s := strings.NewReplacer("interface {}", "any", "[]uint8", "[]byte").Replace(t.String())
	var b strings.Builder
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && !strings.ContainsRune("[]*(), {}", rune(s[i])) {
			continue
		}
		b.WriteString(shortName(s[start:i]))
		if i < len(s) {
			b.WriteByte(s[i])
		}
		start = i + 1
	}
	return b.String()
}

// shortName cuts "example.com/x/pkg.Name", as generic types spell their arguments,
// to "pkg.Name", and "main.Name" to "Name".
func shortName(s string) string {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		s = s[i+1:]
	}
	return strings.TrimPrefix(s, "main.")
}
