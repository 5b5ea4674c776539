package yaegi

import (
	"bytes"
	"fmt"
	"regexp"
	"runtime/debug"
	"strconv"
	"sync"
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

// Run runs the cell on the calling goroutine, once or more often. A panic comes
// back as a *Panic and nothing else does. What ends the goroutine (runtime.Goexit)
// or the process (os.Exit, a fatal error) ends it as it would in compiled Go.
func (c *Compiled) Run() (err error) {
	done := false
	defer func() {
		if done {
			return
		}
		// The frames of the panic are still on the stack here. A nil value means
		// Goexit, which no recover stops.
		if value := recover(); value != nil {
			p := &Panic{Value: value, Stack: debug.Stack()}
			p.File, p.Line, p.Column = c.report.position()
			err = p
		}
	}()
	c.report.reset()
	c.run()
	done = true
	return nil
}

// report takes what the interpreter writes on its standard error: for each
// interpreted function that a panic leaves, one line with its position, the
// innermost first. Nothing else goes there, since cells write through os.Stderr.
type report struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// maxReport bounds what is kept; the first line is all that is read.
const maxReport = 1 << 12

func (r *report) Write(text []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if room := maxReport - r.text.Len(); room > 0 {
		r.text.Write(text[:min(room, len(text))])
	}
	return len(text), nil
}

func (r *report) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.Reset()
}

func (r *report) position() (file string, line, column int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := regexp.MustCompile(`(?m)^(.*?):(\d+):(\d+): panic`).FindSubmatch(r.text.Bytes())
	if m == nil {
		return "", 0, 0
	}
	line, _ = strconv.Atoi(string(m[2]))   // digits
	column, _ = strconv.Atoi(string(m[3])) // digits
	return string(m[1]), line, column
}
