package serve

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"

	"attune/display"
	"attune/display/mime"
	"attune/interp/worker"
)

// list answers what keys hold. It looks while cells may run, so that what it says
// of a value that changes meanwhile is a glimpse.
func (s *server) list(req *worker.List) {
	// A slice read while it is written may have the length of another.
	debug.SetPanicOnFault(true)
	var items []worker.Item
	for _, k := range req.Keys {
		v, ok := s.table.Lookup(k)
		if !ok {
			continue
		}
		items = append(items, glimpse(k, v.Elem(), req.Busy))
	}
	_ = s.conn.Send(&worker.Event{Listing: &worker.Listing{ID: req.ID, Items: items}})
}

// glimpse is what is said of a value.
func glimpse(key string, v reflect.Value, busy bool) (it worker.Item) {
	it = worker.Item{Key: key, Bytes: int64(v.Type().Size()), Type: v.Type().String()}
	if busy && !steady(v.Type(), 0) && v.Kind() != reflect.Map && !plain(v).IsValid() {
		return it
	}
	defer func() { _ = recover() }() // what was read while it changed
	it.Bytes = sizeOf(v)
	it.Text = head(v, busy)
	return it
}

// head is a value's text, cut to a line; "" for one that is not safe to draw.
func head(v reflect.Value, busy bool) (text string) {
	defer func() {
		if recover() != nil {
			text = "?"
		}
	}()
	switch {
	case v.Kind() == reflect.Map && v.Len() == 1:
		return "1 entry"
	case v.Kind() == reflect.Map:
		return fmt.Sprintf("%d entries", v.Len())
	case showsItself(v.Type()) && v.Type().PkgPath() == "main":
		if v = plain(v); !v.IsValid() {
			return ""
		}
	case !drawable(v, busy):
		return ""
	}
	text = display.Render(v.Interface()).Data[mime.Text]
	var lines []string // of a matrix, say
	for line := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	if len(lines) > 1 {
		text = strings.Join(lines, " | ")
	}
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

// plain is a number, text or truth value without the methods of its type, which are the
// user's and may do anything; the zero Value for all others.
func plain(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Bool:
		return v.Convert(reflect.TypeFor[bool]())
	case reflect.String:
		return v.Convert(reflect.TypeFor[string]())
	case reflect.Float32, reflect.Float64:
		return v.Convert(reflect.TypeFor[float64]())
	}
	switch {
	case v.CanInt():
		return v.Convert(reflect.TypeFor[int64]())
	case v.CanUint():
		return v.Convert(reflect.TypeFor[uint64]())
	}
	return reflect.Value{}
}

// drawable tells whether v can be drawn. When no cell runs, that goes for what pointers
// and interfaces lead to as well, and for values of packages that say what they are.
func drawable(v reflect.Value, busy bool) bool {
	if busy {
		return steady(v.Type(), 0)
	}
	for range 4 {
		if v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
			break
		}
		if v.IsNil() {
			return true
		}
		v = v.Elem()
	}
	t := v.Type()
	return steady(t, 0) || t.PkgPath() != "" && t.PkgPath() != "main" && showsItself(t)
}

// steady types can be drawn while a cell runs: what holds no map, and nothing whose
// type is only known then. A map that is written meanwhile would end the process, and
// a method of the user's that says how to show the value may do anything.
func steady(t reflect.Type, depth int) bool {
	if depth > 4 || t.PkgPath() == "main" && showsItself(t) {
		return false
	}
	switch t.Kind() {
	case reflect.Map, reflect.Interface, reflect.Chan, reflect.Func, reflect.Pointer, reflect.UnsafePointer:
		return false
	case reflect.Slice, reflect.Array:
		return steady(t.Elem(), depth+1)
	case reflect.Struct:
		for i := range t.NumField() {
			if !steady(t.Field(i).Type, depth+1) {
				return false
			}
		}
	}
	return true
}

// showsItself tells whether drawing a value calls a method of its type.
func showsItself(t reflect.Type) bool {
	for _, i := range []reflect.Type{
		reflect.TypeFor[error](), reflect.TypeFor[fmt.Stringer](), reflect.TypeFor[fmt.Formatter](),
		reflect.TypeFor[fmt.GoStringer](), reflect.TypeFor[display.Bundler](),
	} {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}

// sizeOf adds up the bytes that v holds, what it points to included, each block
// once. It stops counting at a million elements and scales up slices of pointers.
func sizeOf(v reflect.Value) int64 {
	m := measure{seen: map[uintptr]bool{}}
	n := int64(v.Type().Size())
	m.beyond(v, &n)
	return n
}

type measure struct {
	seen  map[uintptr]bool
	steps int
}

// beyond adds what v refers to.
func (m *measure) beyond(v reflect.Value, n *int64) {
	if m.steps++; m.steps > 1_000_000 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		*n += int64(v.Len())
	case reflect.Pointer:
		if !v.IsNil() && !m.seen[v.Pointer()] {
			m.seen[v.Pointer()] = true
			*n += int64(v.Type().Elem().Size())
			m.beyond(v.Elem(), n)
		}
	case reflect.Interface:
		if !v.IsNil() {
			*n += int64(v.Elem().Type().Size())
			m.beyond(v.Elem(), n)
		}
	case reflect.Slice:
		if v.IsNil() || m.seen[v.Pointer()] && v.Cap() > 0 {
			return
		}
		m.seen[v.Pointer()] = true
		*n += int64(v.Cap()) * int64(v.Type().Elem().Size())
		m.elements(v, n)
	case reflect.Array:
		m.elements(v, n)
	case reflect.Struct:
		for i := range v.NumField() {
			m.beyond(v.Field(i), n)
		}
	case reflect.Map:
		// Not entered: a goroutine that writes the map meanwhile would end the process.
		*n += int64(v.Len()) * int64(v.Type().Key().Size()+v.Type().Elem().Size()+1)
	}
}

func (m *measure) elements(v reflect.Value, n *int64) {
	if flat(v.Type().Elem()) {
		return
	}
	for i := range v.Len() {
		m.beyond(v.Index(i), n)
	}
}

// flat types refer to nothing.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map, reflect.Struct, reflect.Array:
		return false
	}
	return true
}
