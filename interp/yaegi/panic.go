package yaegi

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
)

// Panic is how a cell ended that panicked.
type Panic struct {
	// Value is what panic was called with, or the runtime.Error.
	Value any
	// Stack is the goroutine's stack at the panic, as debug.Stack writes it. The
	// interpreter's own frames are in it.
	Stack []byte
	// File, Line and Column are the statement of the cell; Line is 0 when unknown.
	File         string
	Line, Column int
}

func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Unwrap returns the value when it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Run runs the cell on the calling goroutine, once or more often, one at a time.
// A panic comes back as a *Panic, an interrupt as ErrInterrupted. What ends the
// goroutine (runtime.Goexit) or the process (os.Exit, a fatal error) ends it as
// it would in compiled Go.
func (c *Compiled) Run() (err error) {
	c.marks.current.Store(-1)
	defer c.marks.stop.Store(false)
	done := false
	defer func() {
		if done {
			return
		}
		// The frames of the panic are still on the stack here. A nil value means
		// Goexit, which no recover stops.
		switch value := recover(); value {
		case nil:
		case ErrInterrupted:
			err = ErrInterrupted
		default:
			err = c.panic(value)
		}
	}()
	c.run()
	done = true
	return nil
}

// Interrupt makes Run stop before the cell's next statement, from any goroutine.
// What the cell did so far stays done. A call into compiled code runs to its end.
// Before Run it holds for the next one.
func (c *Compiled) Interrupt() { c.marks.stop.Store(true) }

// At is where the cell is, from any goroutine; line 0 is nowhere yet.
func (c *Compiled) At() (file string, line int) {
	n := c.marks.current.Load()
	if n < 0 || int(n) >= len(c.marks.positions) {
		return "", 0
	}
	return c.marks.positions[n].Filename, c.marks.positions[n].Line
}

// panic describes a panic on whose stack it is called.
func (c *Compiled) panic(value any) *Panic {
	p := &Panic{Value: value, Stack: debug.Stack()}
	if n := c.marks.current.Load(); n >= 0 {
		at := c.marks.positions[n]
		p.File, p.Line, p.Column = at.Filename, at.Line, at.Column
	}
	if v, ok := value.(reflect.Value); ok { // the interpreter's own panic(v)
		p.Value = &runtime.PanicNilError{}
		if v.IsValid() && v.CanInterface() && v.Interface() != nil {
			p.Value = v.Interface()
		}
		return p
	}
	if byInterpreter() {
		p.Value = asCompiled(value)
	}
	return p
}

// byInterpreter reports whether the panic being recovered arose in the
// interpreter or in package reflect on its behalf, and not in compiled code that
// it called. The frames below the outermost panic are those that caused it.
func byInterpreter() bool {
	var pcs [256]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	own := false
	for seeking := false; ; {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			seeking = true
		case !seeking || strings.HasPrefix(f.Function, "runtime.") || strings.HasPrefix(f.Function, "reflect."):
		default:
			own, seeking = strings.HasPrefix(f.Function, "github.com/traefik/yaegi/"), false
		}
		if !more {
			return own
		}
	}
}

// runtimeError is a runtime error that the interpreter meets in its own way.
type runtimeError string

func (e runtimeError) Error() string { return string(e) }
func (runtimeError) RuntimeError()   {}

// asCompiled gives a panic of package reflect the words of the runtime. Where the
// runtime would name numbers that are lost, it says the same without them.
func asCompiled(value any) any {
	text := fmt.Sprint(value)
	var invalid *reflect.ValueError
	if err, ok := value.(error); ok && errors.As(err, &invalid) && invalid.Kind == reflect.Invalid {
		return nilDereference()
	}
	if _, conversion, ok := strings.Cut(text, ": interface conversion: "); ok {
		conversion = strings.TrimSuffix(conversion, ": missing method ")
		if dynamic, wanted, ok := strings.Cut(conversion, " is not "); ok && !strings.Contains(wanted, ":") {
			conversion = "interface is " + dynamic + ", not " + wanted
		}
		return runtimeError("interface conversion: " + conversion)
	}
	if _, ok := value.(string); !ok {
		return value
	}
	for _, c := range []struct{ part, text string }{
		{"index out of range", "index out of range"},
		{"slice index out of bounds", "slice bounds out of range"},
		{"MakeSlice: negative len", "makeslice: len out of range"},
		{"MakeSlice: negative cap", "makeslice: cap out of range"},
		{"MakeSlice: len > cap", "makeslice: cap out of range"},
	} {
		if strings.Contains(text, c.part) {
			return runtimeError("runtime error: " + c.text)
		}
	}
	if _, lengths, ok := strings.Cut(text, "cannot convert slice with length "); ok {
		return runtimeError("runtime error: cannot convert slice with length " +
			strings.Replace(lengths, "to array", "to array or pointer to array", 1))
	}
	if strings.Contains(text, "call of nil function") || strings.Contains(text, "on nil interface value") {
		return nilDereference()
	}
	return value
}

// nilDereference returns the runtime's own error.
func nilDereference() (err any) {
	defer func() { err = recover() }()
	var p *int
	return *p
}
