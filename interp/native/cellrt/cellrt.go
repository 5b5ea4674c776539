// Package cellrt is what compiled cells call: it binds their names to the session's
// storage, takes their results, and stops them. It is linked into the worker and
// into every compiled cell, whose copy of its data is the worker's own (plugins
// share data, not code), so it imports nothing that has code: whatever needs fmt or
// reflect, the worker does behind Hooks and Table.
package cellrt

import "unsafe"

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
	// Panicked is told what was recovered from a panic that ended a goroutine of a
	// cell, on that goroutine's stack.
	Panicked func(v any)
	// Func is a function of the worker's program by its full name, such as "fmt.Print".
	Func func(name string) any
	// Exited is told of os.Exit; it does not return to the caller.
	Exited func(code int)
	// Table is the session's.
	Table Table
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

// Recover is deferred in every goroutine that a cell starts.
func Recover() {
	if v := recover(); v != nil {
		if hooks.Panicked == nil {
			panic(v)
		}
		if _, ok := v.(Interrupted); !ok {
			hooks.Panicked(v)
		}
	}
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
// function and method, by key. A key means one exact type for as long as the worker
// lives; what compiled code reads and writes as that type is refused anything else by
// a panic. Types come as nil pointers to them.
type Table interface {
	// Bind returns the storage of key, made if it is new.
	Bind(key string, nilPtr any) unsafe.Pointer
	// Declare registers a type of the session, and checks that every compiled cell
	// means the same one by it.
	Declare(key string, nilPtr any)
	// Move makes the value stored under from also the value of to, whose type has the
	// same layout and other methods.
	Move(from, to string, nilPtr any)
	// Saw notes the types of values.
	Saw(values []any)
}

// Env is what one run of a compiled cell works with.
type Env struct {
	Table Table
	// Literals are the constants of the cell's statements, as int64, uint64, float64,
	// complex128 or string.
	Literals []any
	// Out takes the values of the last expression.
	Out []any
	// Has tells that the last expression was reached.
	Has bool
}

// Var binds key to its storage.
func Var[T any](env *Env, key string) *T { return (*T)(env.Table.Bind(key, (*T)(nil))) }

// Hidden is Var for a variable whose type no text can name, but a function of its package
// lets the compiler infer. Its slot is made with the text's own variables, before Env is
// known; so what the slots of earlier texts hold stays as it was.
func Hidden[T any](key string) *T { return (*T)(hooks.Table.Bind(key, (*T)(nil))) }

// Again is Var for the type of the slot that was.
func Again[T any](env *Env, key string, _ *T) *T { return Var[T](env, key) }

// Far is the function of the worker's program that has this full name.
func Far[T any](name string) T {
	f, ok := hooks.Func(name).(T)
	if !ok {
		panic("internal: the worker has no function " + name + " of the right type; please report this")
	}
	return f
}

// Type registers a type of the session.
func Type[T any](env *Env, key string) { env.Table.Declare(key, (*T)(nil)) }

// Keep keeps the method table of what is converted to I for a call in the text.
//
//go:noinline
func Keep[I any](I) {}

// Move makes the value of from also that of to, which is of type T.
func Move[T any](env *Env, from, to string) { env.Table.Move(from, to, (*T)(nil)) }

// Result takes the value of the cell's last expression.
func (e *Env) Result(values ...any) {
	e.Out, e.Has = values, true
	e.Table.Saw(values)
}

// Zero is the value of a variable that is declared without one.
func Zero[T any](p *T) {
	var z T
	*p = z
}
