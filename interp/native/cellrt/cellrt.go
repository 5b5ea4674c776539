// Package cellrt is what compiled cells call: it binds their names to the session's
// storage, takes their results, and stops them. It is linked into the worker and
// into every compiled cell, whose copy of its data is the worker's own (plugins
// share data, not code), so it is small and imports only the standard library's
// smallest parts.
package cellrt

import (
	"fmt"
	"reflect"
	"runtime"
	"sync"
)

// Stop is the safepoint's flag: compiled loops and functions look at it and call
// Safepoint while it is not 0. It and Left are the variables of the package, because
// a look at them must cost an instruction or two; the worker sets them.
var Stop uint32

// Left is looked at behind what may block. It stays up while a goroutine lives that
// was to end; Stop goes up only now and again then, so that loops keep their speed.
var Left uint32

// stopped holds what Safepoint asks; set once by the worker through SetHooks.
var hooks Hooks

// Hooks is what the worker does for compiled cells.
type Hooks struct {
	// Stopped tells whether the calling goroutine is to end now.
	Stopped func() bool
	// Panicked is told of a panic that ended a goroutine of a cell.
	Panicked func(Failure)
	// Exited is told of os.Exit; it does not return to the caller.
	Exited func(code int)
}

// SetHooks is called once by the worker before any cell runs.
func SetHooks(h Hooks) { hooks = h }

// Interrupted is what Safepoint panics with.
type Interrupted struct{}

func (Interrupted) Error() string { return "interrupted" }

// Safepoint ends the calling goroutine by a panic if it belongs to the cell that is
// being interrupted.
//
//go:noinline
func Safepoint() {
	if hooks.Stopped != nil && hooks.Stopped() {
		panic(Interrupted{})
	}
}

// Recovered passes on what recover returned, except an interrupt, which goes on up.
func Recovered(v any) any {
	if i, ok := v.(Interrupted); ok {
		panic(i)
	}
	return v
}

// Failure is a panic and where it happened.
type Failure struct {
	Value   any
	Text    string // as the runtime prints it
	Frames  []Frame
	Runtime bool // a runtime.Error
}

// Frame is one call on the stack of a panic, innermost first.
type Frame struct {
	Func, File string
	Line       int
}

// Recover is deferred in every goroutine that a cell starts.
func Recover() {
	if v := recover(); v != nil {
		if hooks.Panicked == nil {
			panic(v)
		}
		if _, ok := v.(Interrupted); !ok {
			hooks.Panicked(Describe(v))
		}
	}
}

// Describe tells what was recovered; call it from the deferred function.
func Describe(v any) Failure {
	f := Failure{Value: v, Text: PanicText(v)}
	_, f.Runtime = v.(runtime.Error)
	pcs := make([]uintptr, 128)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	panicking := false
	for {
		fr, more := frames.Next()
		if panicking {
			f.Frames = append(f.Frames, Frame{fr.Function, fr.File, fr.Line})
		}
		if fr.Function == "runtime.gopanic" {
			panicking = true // the newest panic; below are those that its deferred call followed
		}
		if !more {
			return f
		}
	}
}

// PanicText words a panic's value as the runtime does.
func PanicText(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("(%T)", v)
		}
	}()
	switch v := v.(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case string:
		return v
	}
	switch reflect.ValueOf(v).Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return fmt.Sprintf("%T(%v)", v, v)
	}
	return fmt.Sprintf("(%T) %+v", v, v)
}

// Exit stands for os.Exit in cells: it ends the cell and not the session. Like
// os.Exit it runs no deferred functions.
func Exit(code int) {
	hooks.Exited(code)
	select {}
}

// Fatal, Fatalf and Fatalln stand for the functions of package log: print is
// log.Print and so on.
func Fatal(print func(...any)) func(...any) {
	return func(a ...any) { print(a...); Exit(1) }
}

// Fatalf is like Fatal for log.Printf.
func Fatalf(print func(string, ...any)) func(string, ...any) {
	return func(f string, a ...any) { print(f, a...); Exit(1) }
}

// Table is the session's storage: every variable, and the current body of every
// function and method, by key. A key means one exact type for as long as the
// worker lives; the table refuses anything else, because compiled code reads and
// writes the storage as that type.
type Table struct {
	mu    sync.Mutex
	vars  map[string]reflect.Value // pointers to the storage
	types map[string]reflect.Type
	seen  map[reflect.Type]bool
	fresh []reflect.Type
}

// NewTable is an empty table.
func NewTable() *Table {
	return &Table{vars: map[string]reflect.Value{}, types: map[string]reflect.Type{}, seen: map[reflect.Type]bool{}}
}

// Compiled returns the types that compiled cells have come with since it was asked
// last.
func (t *Table) Compiled() []reflect.Type {
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh := t.fresh
	t.fresh = nil
	return fresh
}

// saw notes a type of a compiled cell.
func (t *Table) saw(typ reflect.Type) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if typ != nil && !t.seen[typ] {
		t.seen[typ] = true
		t.fresh = append(t.fresh, typ)
	}
}

// Ptr is the storage of key, a pointer to its type, made if it is new.
func (t *Table) Ptr(key string, typ reflect.Type) (reflect.Value, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v, ok := t.vars[key]; ok {
		if v.Type().Elem() != typ {
			return v, fmt.Errorf("internal: %s is stored as %v and was bound as %v; please report this, and restart the kernel", key, v.Type().Elem(), typ)
		}
		return v, nil
	}
	v := reflect.New(typ)
	t.vars[key] = v
	return v, nil
}

// Lookup is the storage of key.
func (t *Table) Lookup(key string) (reflect.Value, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.vars[key]
	return v, ok
}

// Type is the type that a compiled cell registered under key.
func (t *Table) Type(key string) (reflect.Type, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	typ, ok := t.types[key]
	return typ, ok
}

// Forget drops keys, so that their values can be collected.
func (t *Table) Forget(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		delete(t.vars, k)
	}
}

// Env is what one run of a compiled cell works with.
type Env struct {
	Table *Table
	// Literals are the constants of the cell's statements, as int64, uint64, float64,
	// complex128 or string.
	Literals []any
	// Out takes the values of the last expression.
	Out []any
	// Has tells that the last expression was reached.
	Has bool
}

// Var binds key to its storage.
func Var[T any](env *Env, key string) *T {
	typ := reflect.TypeFor[T]()
	p, err := env.Table.Ptr(key, typ)
	if err != nil {
		panic(err)
	}
	env.Table.saw(typ)
	// Ptr has seen to it that T is the storage's type. *T need not be the type of the
	// pointer, which reflection may have made before compiled code had any.
	return (*T)(p.UnsafePointer())
}

// Type registers a type of the session, and checks that every compiled cell means
// the same one by it.
func Type[T any](env *Env, key string) {
	typ := reflect.TypeFor[T]()
	env.Table.saw(typ)
	env.Table.mu.Lock()
	defer env.Table.mu.Unlock()
	if have, ok := env.Table.types[key]; ok && have != typ {
		panic(fmt.Errorf("internal: two compiled cells have different types %s; please report this, and restart the kernel", key))
	}
	env.Table.types[key] = typ
}

// Move makes the value stored under from also the value of to, whose type has the
// same layout and other methods.
func Move[T any](env *Env, from, to string) {
	typ := reflect.TypeFor[T]()
	env.Table.mu.Lock()
	defer env.Table.mu.Unlock()
	old, ok := env.Table.vars[from]
	if _, done := env.Table.vars[to]; done || !ok {
		return
	}
	if !sameLayout(old.Type().Elem(), typ, map[[2]reflect.Type]bool{}) {
		panic(fmt.Errorf("internal: %s cannot become %v: the layouts differ", from, typ))
	}
	env.Table.vars[to] = reflect.NewAt(typ, old.UnsafePointer())
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

// Result takes the value of the cell's last expression.
func (e *Env) Result(values ...any) {
	e.Out, e.Has = values, true
	for _, v := range values {
		e.Table.saw(reflect.TypeOf(v))
	}
}

// Zero is the value of a variable that is declared without one.
func Zero[T any](p *T) {
	var z T
	*p = z
}
