package text

import (
	"cmp"
	"math"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// node is a value on its way to text: a leaf, or items between two brackets.
type node struct {
	// key is written before the value: a field's name or a map's key.
	key string
	// text is a leaf's whole text, or what opens a composite ("Point{").
	text  string
	items []node
	close string
	// fill packs short items many to a line, as numbers like to be read.
	fill bool
}

// leaf is a value that stays on one line.
func leaf(s string) node { return node{text: s} }

// node builds the tree of v. A type that equals elided is not named again, as in a
// Go composite literal.
func (p *printer) node(v reflect.Value, elided reflect.Type, depth int) node {
	p.nodes++
	if !v.IsValid() {
		return leaf("nil")
	}
	if p.nodes > p.Nodes {
		return leaf("…")
	}
	if s, ok := methodText(v); ok {
		return leaf(p.cut(s))
	}
	if held, ok := reflected(v); ok {
		n := p.node(held, nil, depth+1)
		n.text, n.close = "reflect.Value("+n.text, n.close+")"
		return n
	}
	switch v.Kind() {
	case reflect.Interface:
		return p.node(v.Elem(), nil, depth)
	case reflect.Pointer:
		return p.pointer(v, depth)
	case reflect.Struct:
		return p.structure(v, elided, depth)
	case reflect.Slice, reflect.Array:
		return p.list(v, elided, depth)
	case reflect.Map:
		return p.mapping(v, elided, depth)
	}
	return leaf(p.scalar(v))
}

// reflected is what a reflect.Value holds: its own fields are the runtime's.
func reflected(v reflect.Value) (held reflect.Value, ok bool) {
	if !v.CanInterface() {
		return held, false
	}
	held, ok = v.Interface().(reflect.Value)
	return held, ok && v.Kind() == reflect.Struct
}

func (p *printer) scalar(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Uintptr:
		return "0x" + strconv.FormatUint(v.Uint(), 16)
	case reflect.Float32:
		return p.float(v.Float(), 32)
	case reflect.Float64:
		return p.float(v.Float(), 64)
	case reflect.Complex64:
		return strconv.FormatComplex(v.Complex(), 'g', -1, 64)
	case reflect.Complex128:
		return strconv.FormatComplex(v.Complex(), 'g', -1, 128)
	case reflect.String:
		return p.quote(v.String())
	}
	name := TypeName(v.Type())
	switch {
	case IsNil(v):
		return "nil " + name
	case v.Kind() == reflect.Func:
		return name + " {…}"
	case v.Kind() == reflect.Chan:
		return name + " (" + strconv.Itoa(v.Len()) + " of " + strconv.Itoa(v.Cap()) + " buffered)"
	}
	return name + "(0x" + strconv.FormatUint(uint64(v.Pointer()), 16) + ")"
}

func (p *printer) float(f float64, bits int) string {
	if p.Digits > 0 {
		return Rounded(f, p.Digits)
	}
	return Float(f, bits)
}

// Rounded is f in that many significant digits, or in all digits of its whole part
// where those are more; with an exponent where zeros would hide the size.
func Rounded(f float64, digits int) string {
	if a := math.Abs(f); a >= math.Pow10(digits) && a < 1e15 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'g', digits, 64)
}

// Float is the shortest text that reads back as f, with an exponent only where the
// digits would run long, as fmt's %v has it.
func Float(f float64, bits int) string {
	s := strconv.FormatFloat(f, 'g', -1, bits)
	if e := strconv.FormatFloat(f, 'f', -1, bits); len(e) <= 21 && (f >= 1e-4 || f <= -1e-4 || f == 0) {
		return e
	}
	return s
}

func (p *printer) pointer(v reflect.Value, depth int) node {
	if v.IsNil() {
		return leaf("nil " + TypeName(v.Type()))
	}
	if !p.enter(visit{ptr: v.Pointer(), typ: v.Type()}) {
		return leaf("<cycle " + TypeName(v.Type()) + ">")
	}
	defer p.leave()
	n := p.node(v.Elem(), nil, depth)
	// A value whose own method spoke is shown as it speaks, without the &.
	if _, spoke := methodText(v.Elem()); !spoke {
		n.text = "&" + n.text
	}
	return n
}

func (p *printer) structure(v reflect.Value, elided reflect.Type, depth int) node {
	n := p.open(v.Type(), elided)
	if depth >= p.Depth && v.NumField() > 0 {
		return leaf(n.text + "…}")
	}
	std := standard(v.Type())
	if std && p.std > 0 {
		return leaf(n.text + "…}")
	}
	if std {
		p.std++
		defer func() { p.std-- }()
	}
	hid := false
	for i := range v.NumField() {
		if v.Type().Field(i).Name == "_" {
			continue
		}
		if std && !v.Type().Field(i).IsExported() {
			hid = true
			continue
		}
		item := p.node(v.Field(i), nil, depth+1)
		item.key = v.Type().Field(i).Name + ": "
		n.items = append(n.items, item)
	}
	if hid {
		n.items = append(n.items, leaf("…"))
	}
	return n
}

// standard says whether t is a type of the standard library. What such a type keeps to
// itself, locks and clocks and buffers, tells a reader nothing, and it goes deep: of one
// inside another only the name is shown. Those of sync/atomic are plain numbers.
func standard(t reflect.Type) bool {
	first, _, _ := strings.Cut(t.PkgPath(), "/")
	switch first {
	case "bufio", "bytes", "compress", "container", "context", "crypto", "database", "debug", "encoding",
		"go", "hash", "html", "image", "index", "internal", "io", "log", "math", "mime", "net", "os", "reflect",
		"regexp", "runtime", "strings", "sync", "syscall", "testing", "text", "time", "unicode", "unique":
		return t.PkgPath() != "sync/atomic"
	}
	return false
}

// open starts a composite: the type's name, left out where the surroundings say it.
func (p *printer) open(t, elided reflect.Type) node {
	if t == elided {
		return node{text: "{", close: "}"}
	}
	name := TypeName(t)
	if t.Kind() == reflect.Struct && t.Name() == "" {
		name = "struct"
	}
	return node{text: name + "{", close: "}"}
}

func (p *printer) list(v reflect.Value, elided reflect.Type, depth int) node {
	t := v.Type()
	if v.Kind() == reflect.Slice {
		if v.IsNil() {
			return leaf("nil " + TypeName(t))
		}
		if s, ok := p.bytes(v); ok {
			return leaf(s)
		}
		if v.Len() > 0 {
			if !p.enter(visit{v.Pointer(), t, v.Len()}) {
				return leaf("<cycle " + TypeName(t) + ">")
			}
			defer p.leave()
		}
	}
	n := p.open(t, elided)
	if depth >= p.Depth && v.Len() > 0 {
		return leaf(n.text + "…}")
	}
	n.fill = simple(t.Elem().Kind())
	limit := p.Elements
	if !n.fill {
		// Each of these takes a line or more.
		limit = max(1, limit/3)
	}
	head, tail := split(v.Len(), limit)
	for i := range head {
		n.items = append(n.items, p.node(v.Index(i), t.Elem(), depth+1))
	}
	if tail > 0 {
		n.items = append(n.items, leaf("…"))
		n.close = "} (len " + Count(v.Len()) + ")"
	}
	for i := v.Len() - tail; tail > 0 && i < v.Len(); i++ {
		n.items = append(n.items, p.node(v.Index(i), t.Elem(), depth+1))
	}
	return n
}

// split says how many elements of n are shown from the front and from the back; no
// tail means that all are.
func split(n, limit int) (head, tail int) {
	if n <= limit {
		return n, 0
	}
	tail = max(1, limit/5)
	return max(1, limit-tail), tail
}

// simple kinds read well many to a line.
func simple(k reflect.Kind) bool {
	return k >= reflect.Bool && k <= reflect.Complex128 || k == reflect.String
}

// bytes shows a byte slice that is text as text.
func (p *printer) bytes(v reflect.Value) (string, bool) {
	if v.Type().Elem().Kind() != reflect.Uint8 || v.Len() == 0 {
		return "", false
	}
	b := v.Slice(0, min(v.Len(), p.Bytes)).Bytes()
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size <= 1 && i < len(b)-utf8.UTFMax || r < ' ' && r != '\n' && r != '\t' && r != '\r' {
			return "", false
		}
		i += size
	}
	s := TypeName(v.Type()) + "(" + strconv.Quote(string(b)) + ")"
	if len(b) < v.Len() {
		s += "… (len " + Count(v.Len()) + ")"
	}
	return s, true
}

func (p *printer) mapping(v reflect.Value, elided reflect.Type, depth int) node {
	t := v.Type()
	if v.IsNil() {
		return leaf("nil " + TypeName(t))
	}
	n := p.open(t, elided)
	if v.Len() == 0 {
		return n
	}
	if depth >= p.Depth {
		return leaf(n.text + "…}")
	}
	if !p.enter(visit{ptr: v.Pointer(), typ: t}) {
		return leaf("<cycle " + TypeName(t) + ">")
	}
	defer p.leave()
	for _, e := range Entries(v, p.Elements) {
		item := p.node(e.Value, t.Elem(), depth+1)
		key := p.node(e.Key, t.Key(), depth+1)
		item.key = p.oneLine(key) + ": "
		n.items = append(n.items, item)
	}
	if v.Len() > len(n.items) {
		n.items = append(n.items, leaf("…"))
		n.close = "} (len " + Count(v.Len()) + ")"
	}
	return n
}

// sortable is how many keys are still sorted whole; of a larger map any limit keys
// are taken, because sorting ten million of them to show a hundred takes seconds.
const sortable = 10000

// Entry is a key of a map and its value, which cannot be asked for by a key that is
// not equal to itself, as NaN is.
type Entry struct{ Key, Value reflect.Value }

// Entries returns up to limit entries of the map v in order of their keys: the first
// ones of all where the map is small enough to sort, any otherwise.
func Entries(v reflect.Value, limit int) []Entry {
	take := v.Len()
	if take > sortable {
		take = limit
	}
	entries := make([]Entry, 0, take)
	for it := v.MapRange(); len(entries) < take && it.Next(); {
		entries = append(entries, Entry{it.Key(), it.Value()})
	}
	sort.SliceStable(entries, func(i, j int) bool { return less(entries[i].Key, entries[j].Key) })
	return entries[:min(limit, len(entries))]
}

// less orders keys of one kind by value; others stay as they came.
func less(a, b reflect.Value) bool {
	if a.Kind() == reflect.Interface {
		a, b = a.Elem(), b.Elem()
	}
	if a.Kind() != b.Kind() {
		return a.Kind() < b.Kind()
	}
	switch {
	case a.CanInt():
		return a.Int() < b.Int()
	case a.CanUint():
		return a.Uint() < b.Uint()
	case a.CanFloat():
		return cmp.Less(a.Float(), b.Float()) // NaN first
	case a.Kind() == reflect.String:
		return a.String() < b.String()
	case a.Kind() == reflect.Bool:
		return !a.Bool() && b.Bool()
	case a.Kind() == reflect.Struct:
		for i := range a.NumField() {
			if less(a.Field(i), b.Field(i)) {
				return true
			}
			if less(b.Field(i), a.Field(i)) {
				return false
			}
		}
	case a.Kind() == reflect.Array:
		for i := range a.Len() {
			if less(a.Index(i), b.Index(i)) {
				return true
			}
			if less(b.Index(i), a.Index(i)) {
				return false
			}
		}
	}
	return false
}
