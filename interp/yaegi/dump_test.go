package yaegi_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// dumper writes values so that two states can be compared: types, values, and
// which pointers, slices and maps share memory, by numbers in order of visit.
type dumper struct {
	b    strings.Builder
	seen map[uintptr]int
}

func dump(pointers []any) string {
	d := dumper{seen: map[uintptr]int{}}
	for _, p := range pointers {
		d.value(reflect.ValueOf(p), 0)
		d.b.WriteByte('\n')
	}
	return d.b.String()
}

// mark numbers the memory at p and reports whether it was met before.
func (d *dumper) mark(p uintptr) (number int, before bool) {
	if n, ok := d.seen[p]; ok {
		return n, true
	}
	d.seen[p] = len(d.seen)
	return d.seen[p], false
}

func (d *dumper) value(v reflect.Value, depth int) {
	if !v.IsValid() {
		d.b.WriteString("nil")
		return
	}
	if depth > 12 {
		d.b.WriteString("...")
		return
	}
	fmt.Fprintf(&d.b, "%s", v.Type())
	switch v.Kind() {
	case reflect.Pointer:
		d.pointer(v, depth)
	case reflect.Interface:
		d.b.WriteByte('<')
		d.value(v.Elem(), depth+1)
		d.b.WriteByte('>')
	case reflect.Struct:
		d.list(v.NumField(), func(i int) reflect.Value { return v.Field(i) }, depth)
	case reflect.Array:
		d.list(v.Len(), v.Index, depth)
	case reflect.Slice:
		d.slice(v, depth)
	case reflect.Map:
		d.dictionary(v, depth)
	case reflect.Func:
		fmt.Fprintf(&d.b, "(nil=%v)", v.IsNil())
	case reflect.Chan:
		d.channel(v, depth)
	case reflect.String:
		fmt.Fprintf(&d.b, "(%q)", v.String())
	case reflect.Float32, reflect.Float64:
		fmt.Fprintf(&d.b, "(%x)", v.Float())
	case reflect.Complex64, reflect.Complex128:
		fmt.Fprintf(&d.b, "(%x)", v.Complex())
	case reflect.Bool:
		fmt.Fprintf(&d.b, "(%v)", v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		fmt.Fprintf(&d.b, "(%d)", v.Int())
	default:
		fmt.Fprintf(&d.b, "(%d)", v.Uint())
	}
}

func (d *dumper) pointer(v reflect.Value, depth int) {
	if v.IsNil() {
		d.b.WriteString("(nil)")
		return
	}
	n, before := d.mark(v.Pointer())
	fmt.Fprintf(&d.b, "&%d", n)
	if !before {
		d.b.WriteByte('=')
		d.value(v.Elem(), depth+1)
	}
}

func (d *dumper) list(n int, at func(int) reflect.Value, depth int) {
	d.b.WriteByte('{')
	for i := range n {
		d.value(at(i), depth+1)
		d.b.WriteByte(' ')
	}
	d.b.WriteByte('}')
}

func (d *dumper) slice(v reflect.Value, depth int) {
	if v.IsNil() {
		d.b.WriteString("(nil)")
		return
	}
	if v.Len() > 0 {
		n, _ := d.mark(v.Pointer())
		fmt.Fprintf(&d.b, "@%d", n)
	}
	d.list(v.Len(), v.Index, depth)
}

func (d *dumper) dictionary(v reflect.Value, depth int) {
	if v.IsNil() {
		d.b.WriteString("(nil)")
		return
	}
	n, _ := d.mark(v.Pointer())
	byText := map[string]reflect.Value{}
	for _, key := range v.MapKeys() { // numbers must not depend on the map's order
		k := dumper{seen: map[uintptr]int{}}
		k.value(key, depth+1)
		byText[k.b.String()] = key
	}
	fmt.Fprintf(&d.b, "@%d{", n)
	for _, text := range slices.Sorted(maps.Keys(byText)) {
		d.b.WriteString(text + ":")
		d.value(v.MapIndex(byText[text]), depth+1)
		d.b.WriteByte(' ')
	}
	d.b.WriteByte('}')
}

// channel drains what is buffered.
func (d *dumper) channel(v reflect.Value, depth int) {
	if v.IsNil() {
		d.b.WriteString("(nil)")
		return
	}
	fmt.Fprintf(&d.b, "(cap %d)", v.Cap())
	d.list(v.Len(), func(int) reflect.Value { x, _ := v.Recv(); return x }, depth)
}
