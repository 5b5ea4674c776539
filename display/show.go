package display

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"attune/display/mime"
	"attune/display/text"
)

// Out is where shown bundles go: the running cell's output. The worker implements
// it. Its methods are called from any goroutine.
type Out interface {
	// Display shows b. With update it replaces what was shown under the same id; an
	// empty id is for what never changes.
	Display(b mime.Bundle, id string, update bool) error
	// Clear removes the cell's output; with wait, only when the next one arrives.
	Clear(wait bool) error
}

// session is what SetOut sets: the output, and the Lives that have not sent their
// newest state yet.
type session struct {
	out Out

	mu      sync.Mutex
	waiting map[*Live]struct{}
	ends    []func()
}

// current is the session handle, the one piece of state that the design permits a
// package: cells call Show without naming a session.
var current atomic.Pointer[session]

// SetOut makes out the place where Show, Live and Clear write; nil takes it away.
// Without one they write the text form to standard output, so that a cell's code
// works in a compiled program too.
func SetOut(out Out) {
	if out == nil {
		current.Store(nil)
		return
	}
	current.Store(&session{out: out, waiting: map[*Live]struct{}{}})
}

func handle() Out {
	if s := current.Load(); s != nil {
		return s.out
	}
	return stdout{}
}

// stdout is the Out of a program that runs without a kernel.
type stdout struct{}

func (stdout) Display(b mime.Bundle, _ string, _ bool) error {
	_, err := fmt.Fprintln(os.Stdout, b.Data[mime.Text])
	return err
}

func (stdout) Clear(bool) error { return nil }

// Show displays each value in the running cell's output, as Render draws it. It
// returns when the output has taken them; an output that is gone takes nothing.
func Show(v ...any) {
	for _, x := range v {
		if handle().Display(Render(x), "", false) != nil {
			return
		}
	}
}

// Clear removes the running cell's output; with wait, only when the next one
// arrives, which avoids a flicker.
func Clear(wait bool) {
	// The only failure is an output that is gone, and then nothing is left to clear.
	_ = handle().Clear(wait)
}

// InCell tells whether there is a session that shows what is displayed, and so can
// draw over it.
func InCell() bool { return current.Load() != nil }

// Stopping tells whether the cell that the calling goroutine belongs to was
// interrupted: a long call that a cell makes looks at it now and then, and returns
// early with its state kept. Without a session nothing is ever interrupted.
func Stopping() bool {
	s, ok := handle().(interface{ Stopping() bool })
	return ok && s.Stopping()
}

// AtEnd calls f when the running cell ends, before what Lives hold back is sent:
// the last chance to draw a final state. It returns false, and does nothing, where
// there is no session and so no cell that could end.
func AtEnd(f func()) bool {
	s := current.Load()
	if s == nil {
		return false
	}
	s.mu.Lock()
	s.ends = append(s.ends, f)
	s.mu.Unlock()
	return true
}

// Flush calls what AtEnd was given and sends the newest state of every Live that
// still holds one back. The worker calls it when a cell has ended, before it says so.
func Flush() {
	s := current.Load()
	if s == nil {
		return
	}
	s.mu.Lock()
	ends := s.ends
	s.ends = nil
	s.mu.Unlock()
	for _, f := range ends {
		contained(f)
	}
	s.mu.Lock()
	lives := make([]*Live, 0, len(s.waiting))
	for l := range s.waiting {
		lives = append(lives, l)
	}
	s.mu.Unlock()
	for _, l := range lives {
		l.Flush()
	}
}

// contained keeps one function's panic from the cell's end.
func contained(f func()) {
	defer func() {
		if r := recover(); r != nil {
			_ = handle().Display(mime.Plain("at the cell's end: panic: "+text.Panic(r)), "", false)
		}
	}()
	f()
}

func (s *session) wait(l *Live) {
	if s != nil {
		s.mu.Lock()
		s.waiting[l] = struct{}{}
		s.mu.Unlock()
	}
}

func (s *session) done(l *Live) {
	if s != nil {
		s.mu.Lock()
		delete(s.waiting, l)
		s.mu.Unlock()
	}
}
