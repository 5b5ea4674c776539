package serve

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

// table is the session's storage, as cellrt.Table says.
type table struct {
	mu    sync.Mutex
	vars  map[string]reflect.Value // pointers to the storage
	types map[string]reflect.Type
	seen  map[reflect.Type]bool
	fresh []reflect.Type
	fence *fence // of a process beside the session; nil in the session itself
}

// newTable is an empty table.
func newTable() *table {
	return &table{vars: map[string]reflect.Value{}, types: map[string]reflect.Type{}, seen: map[reflect.Type]bool{}}
}

// Compiled returns the types that compiled cells have come with since it was asked
// last.
func (t *table) Compiled() []reflect.Type {
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh := t.fresh
	t.fresh = nil
	return fresh
}

// saw notes a type of a compiled cell.
func (t *table) saw(typ reflect.Type) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if typ != nil && !t.seen[typ] {
		t.seen[typ] = true
		t.fresh = append(t.fresh, typ)
	}
}

// Ptr is the storage of key, a pointer to its type, made if it is new.
func (t *table) Ptr(key string, typ reflect.Type) (reflect.Value, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v, ok := t.vars[key]; ok {
		if v.Type().Elem() != typ {
			return v, fmt.Errorf("internal: %s is stored as %v and was bound as %v; please report this, and restart the kernel", key, v.Type().Elem(), typ)
		}
		return v, nil
	}
	v := reflect.New(typ)
	if t.fence != nil && typ.Kind() != reflect.Func {
		var err error
		if v, err = t.fence.storage(key, typ); err != nil {
			return v, err
		}
	}
	t.vars[key] = v
	return v, nil
}

// Lookup is the storage of key.
func (t *table) Lookup(key string) (reflect.Value, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.vars[key]
	return v, ok
}

// Type is the type that a compiled cell registered under key.
func (t *table) Type(key string) (reflect.Type, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	typ, ok := t.types[key]
	return typ, ok
}

// Forget drops keys, so that their values can be collected.
func (t *table) Forget(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		delete(t.vars, k)
	}
}

// Bind implements cellrt.Table.
func (t *table) Bind(key string, nilPtr any) unsafe.Pointer {
	typ := reflect.TypeOf(nilPtr).Elem()
	p, err := t.Ptr(key, typ)
	if err != nil {
		panic(err)
	}
	t.saw(typ)
	// Ptr has seen to it that this is the storage's type. The pointer's own type need
	// not be nilPtr's: reflection may have made it before compiled code had any.
	return p.UnsafePointer()
}

// Declare implements cellrt.Table.
func (t *table) Declare(key string, nilPtr any) {
	typ := reflect.TypeOf(nilPtr).Elem()
	t.saw(typ)
	t.mu.Lock()
	defer t.mu.Unlock()
	if have, ok := t.types[key]; ok && have != typ {
		panic(fmt.Errorf("internal: two compiled cells have different types %s; please report this, and restart the kernel", key))
	}
	t.types[key] = typ
}

// Move implements cellrt.Table.
func (t *table) Move(from, to string, nilPtr any) {
	typ := reflect.TypeOf(nilPtr).Elem()
	t.mu.Lock()
	defer t.mu.Unlock()
	old, ok := t.vars[from]
	if _, done := t.vars[to]; done || !ok {
		return
	}
	if !sameLayout(old.Type().Elem(), typ, map[[2]reflect.Type]bool{}) {
		panic(fmt.Errorf("internal: %s cannot become %v: the layouts differ", from, typ))
	}
	t.vars[to] = reflect.NewAt(typ, old.UnsafePointer())
}

// Saw implements cellrt.Table.
func (t *table) Saw(values []any) {
	for _, v := range values {
		t.saw(reflect.TypeOf(v))
	}
}

// sameLayout tells whether memory of type a may be read as type b.
func sameLayout(a, b reflect.Type, seen map[[2]reflect.Type]bool) bool {
	if a == b || seen[[2]reflect.Type{a, b}] {
		return true
	}
	seen[[2]reflect.Type{a, b}] = true
	if a.Kind() != b.Kind() || a.Size() != b.Size() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Chan:
		return sameLayout(a.Elem(), b.Elem(), seen)
	case reflect.Array:
		return a.Len() == b.Len() && sameLayout(a.Elem(), b.Elem(), seen)
	case reflect.Map:
		return sameLayout(a.Key(), b.Key(), seen) && sameLayout(a.Elem(), b.Elem(), seen)
	case reflect.Struct:
		if a.NumField() != b.NumField() {
			return false
		}
		for i := range a.NumField() {
			if a.Field(i).Offset != b.Field(i).Offset || !sameLayout(a.Field(i).Type, b.Field(i).Type, seen) {
				return false
			}
		}
		return true
	case reflect.Func:
		if a.NumIn() != b.NumIn() || a.NumOut() != b.NumOut() {
			return false
		}
		for i := range a.NumIn() {
			if !sameLayout(a.In(i), b.In(i), seen) {
				return false
			}
		}
		for i := range a.NumOut() {
			if !sameLayout(a.Out(i), b.Out(i), seen) {
				return false
			}
		}
		return true
	case reflect.Interface:
		return false // a method table would be missing
	}
	return true
}
