package serve

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"

	"attune/interp/worker"
	"attune/stdlib/symbols"
)

// marks knows every run by the mark of its goroutines: what a goroutine puts out belongs
// to its own cell, though another runs now.
type marks struct {
	heard atomic.Pointer[byte] // the mark of the run that has the pipes to itself, or nil
	runs  sync.Map             // every mark's address → its run
}

// markedRun keeps the mark, and so its address, from the collector.
type markedRun struct {
	id   int
	mark mark
}

// begin notes a run. While it is the only one under way its text goes by the pipes;
// beside others, and when it is over, the front could not tell whose it is.
func (m *marks) begin(id int, of mark, alone bool) {
	m.runs.Store(of.pointer, markedRun{id, of})
	if !alone {
		of = mark{}
	}
	m.hears(of)
}

func (m *marks) hears(of mark) { m.heard.Store((*byte)(of.pointer)) }

// run is the run that the calling goroutine belongs to, over or not; 0 for one that
// has no mark of a run.
func (m *marks) run() int {
	if r, ok := m.runs.Load(goroutineLabels()); ok {
		return r.(markedRun).id
	}
	return 0
}

// aside is the run of a goroutine whose text the pipes would take to another's output,
// else 0.
func (m *marks) aside() int {
	if goroutineLabels() == unsafe.Pointer(m.heard.Load()) {
		return 0
	}
	return m.run()
}

// printer is what stands for a function of package fmt that prints, nil for others.
func (s *server) printer(full string) any {
	switch full {
	case "fmt.Print":
		return func(a ...any) (int, error) { return fmt.Fprint(s.printing(), a...) }
	case "fmt.Println":
		return func(a ...any) (int, error) { return fmt.Fprintln(s.printing(), a...) }
	case "fmt.Printf":
		return func(format string, a ...any) (int, error) { return fmt.Fprintf(s.printing(), format, a...) }
	}
	return nil
}

// printing is where the calling goroutine's prints go.
func (s *server) printing() io.Writer {
	if s.stop.unheard() {
		return io.Discard
	}
	out := os.Stdout
	if run := s.marks.aside(); run != 0 && out.Name() == stdoutName { // the user's own choice goes before
		return late{s.conn, run, false}
	}
	return out
}

// packages is symbols.Table with those functions that print.
func (s *server) packages(path string) (map[string]reflect.Value, bool) {
	values, ok := symbols.Table(path)
	if path != "fmt" || !ok {
		return values, ok
	}
	for _, name := range []string{"Print", "Println", "Printf"} {
		values[name] = reflect.ValueOf(s.printer("fmt." + name))
	}
	return values, true
}

// late sends what a goroutine prints whose cell has not the pipes to itself.
type late struct {
	conn   *worker.Conn
	run    int
	stderr bool
}

func (l late) Write(text []byte) (int, error) {
	err := l.conn.Send(&worker.Event{Run: l.run, Late: &worker.Late{Stderr: l.stderr, Text: bytes.Clone(text)}})
	if err != nil {
		return 0, err
	}
	return len(text), nil
}

// logging is what package log's own logger writes to.
type logging struct {
	s   *server
	out *os.File
}

func (l logging) Write(text []byte) (int, error) {
	if run := l.s.marks.aside(); run != 0 {
		return late{l.s.conn, run, true}.Write(text)
	}
	return l.out.Write(text)
}

func (s *server) routeLog() { log.SetOutput(logging{s, os.Stderr}) }
