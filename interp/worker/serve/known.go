package serve

import (
	"fmt"
	"reflect"
	"strings"

	"attune/interp/worker"
	"attune/stdlib/symbols"
)

// known holds the unnamed types that compiled code is known to have. Reflection
// finds such a type where it is asked for one. Any other it makes itself, and keeps:
// then a cell that is compiled later has another type of the same form, and its
// assertions fail. So the instant engine is given known types only.
type known struct {
	basic    map[string]reflect.Type // predeclared types by name
	byShape  map[shape]reflect.Type
	walked   map[reflect.Type]bool
	packages map[string]bool
}

// shape is what an unnamed type is made of.
type shape struct {
	kind      reflect.Kind
	elem, key reflect.Type
	n         int    // length of an array, direction of a channel
	signature string // of a function
}

func newKnown() *known {
	k := &known{
		basic:   map[string]reflect.Type{"error": reflect.TypeFor[error]()},
		byShape: map[shape]reflect.Type{}, walked: map[reflect.Type]bool{}, packages: map[string]bool{},
	}
	addBasic[bool](k)
	addBasic[int](k)
	addBasic[int8](k)
	addBasic[int16](k)
	addBasic[int32](k)
	addBasic[int64](k)
	addBasic[uint](k)
	addBasic[uint8](k)
	addBasic[uint16](k)
	addBasic[uint32](k)
	addBasic[uint64](k)
	addBasic[uintptr](k)
	addBasic[float32](k)
	addBasic[float64](k)
	addBasic[complex64](k)
	addBasic[complex128](k)
	addBasic[string](k)
	addForms[any](k)
	addForms[error](k)
	k.add(reflect.TypeFor[map[any]int]())
	k.add(reflect.TypeFor[map[any]any]())
	k.add(reflect.TypeFor[map[any]string]())
	k.add(reflect.TypeFor[func()]())
	return k
}

func addBasic[T comparable](k *known) {
	typ := reflect.TypeFor[T]()
	k.basic[typ.Name()] = typ
	addForms[T](k)
	k.add(reflect.TypeFor[map[T]string]())
	k.add(reflect.TypeFor[map[T]int]())
	k.add(reflect.TypeFor[map[T]bool]())
}

// addForms adds what people build of a basic type. That it is written here puts it
// into the worker's program.
func addForms[T any](k *known) {
	for _, t := range []reflect.Type{
		reflect.TypeFor[*[]T](), reflect.TypeFor[*[][]T](), reflect.TypeFor[**T](), reflect.TypeFor[[]*T](),
		reflect.TypeFor[*map[string]T](), reflect.TypeFor[*map[int]T](), reflect.TypeFor[map[string][]T](),
		reflect.TypeFor[[][][]T](), reflect.TypeFor[[]map[string]T](), reflect.TypeFor[map[string]map[string]T](),
		reflect.TypeFor[func(T) T](), reflect.TypeFor[func(T, T) T](), reflect.TypeFor[func() T](), reflect.TypeFor[func(T)](),
		reflect.TypeFor[func(T) bool](), reflect.TypeFor[func(T, T) bool](), reflect.TypeFor[func(T) error](), reflect.TypeFor[func() (T, error)](),
		reflect.TypeFor[chan T](), reflect.TypeFor[[1]T](), reflect.TypeFor[[2]T](), reflect.TypeFor[[3]T](), reflect.TypeFor[[4]T](),
	} {
		k.add(t)
	}
}

// addPackage adds what the exported names of a package are made of.
func (k *known) addPackage(path string) {
	if k.packages[path] {
		return
	}
	k.packages[path] = true
	values, _ := symbols.Table(path)
	for _, v := range values {
		k.add(v.Type())
	}
}

// add adds the type of a compiled value, and all types that it is made of.
func (k *known) add(t reflect.Type) {
	if k.walked[t] {
		return
	}
	k.walked[t] = true
	if t.Name() == "" {
		if s, ok := shapeOf(t); ok {
			k.byShape[s] = t
		}
	}
	switch t.Kind() {
	case reflect.Map:
		k.add(t.Key())
		k.add(t.Elem())
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
		k.add(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			k.add(t.Field(i).Type)
		}
	case reflect.Func:
		for i := range t.NumIn() {
			k.add(t.In(i))
		}
		for i := range t.NumOut() {
			k.add(t.Out(i))
		}
	}
}

func shapeOf(t reflect.Type) (shape, bool) {
	s := shape{kind: t.Kind()}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
	case reflect.Array:
		s.n = t.Len()
	case reflect.Chan:
		s.n = int(t.ChanDir())
	case reflect.Map:
		s.key = t.Key()
	case reflect.Func:
		var in, out []reflect.Type
		for i := range t.NumIn() {
			in = append(in, t.In(i))
		}
		for i := range t.NumOut() {
			out = append(out, t.Out(i))
		}
		s.signature = signature(in, out, t.IsVariadic())
		return s, true
	default:
		return s, false
	}
	s.elem = t.Elem()
	return s, true
}

// signature tells function types apart by the identity of their parameters.
func signature(in, out []reflect.Type, variadic bool) string {
	var b strings.Builder
	for _, list := range [][]reflect.Type{in, out} {
		for _, t := range list {
			fmt.Fprintf(&b, "%p,", t)
		}
		fmt.Fprintf(&b, "%t;", variadic)
	}
	return b.String()
}

// composite is the type that t makes of elem and key, nil if compiled code has none,
// or if reflection had made one before.
func (k *known) composite(t *worker.TypeRef, elem, key reflect.Type) reflect.Type {
	s := shape{elem: elem, key: key, n: int(t.Len)}
	var make func() reflect.Type
	switch t.Kind {
	case worker.Pointer:
		s.kind, make = reflect.Pointer, func() reflect.Type { return reflect.PointerTo(elem) }
	case worker.Slice:
		s.kind, make = reflect.Slice, func() reflect.Type { return reflect.SliceOf(elem) }
	case worker.Array:
		s.kind, make = reflect.Array, func() reflect.Type { return reflect.ArrayOf(s.n, elem) }
	case worker.Chan:
		s.kind, make = reflect.Chan, func() reflect.Type { return reflect.ChanOf(reflect.ChanDir(s.n), elem) }
	case worker.Map:
		s.kind, make = reflect.Map, func() reflect.Type { return reflect.MapOf(key, elem) }
	default:
		return nil
	}
	typ := k.byShape[s]
	if typ == nil || make() != typ {
		return nil
	}
	return typ
}

// function is like composite for function types.
func (k *known) function(in, out []reflect.Type, variadic bool) reflect.Type {
	typ := k.byShape[shape{kind: reflect.Func, signature: signature(in, out, variadic)}]
	if typ == nil || reflect.FuncOf(in, out, variadic) != typ {
		return nil
	}
	return typ
}
