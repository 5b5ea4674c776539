package serve

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"

	"attune/display"
	"attune/display/mime"
	"attune/interp/worker"
)

// output sends what cells display. It implements display.Out.
type output struct {
	conn  *worker.Conn
	muted func() bool // tells whether the calling goroutine is of a cell that was let go
	mu    sync.Mutex
	seq   uint64
	wait  map[uint64]chan struct{}
}

func newOutput(c *worker.Conn, muted func() bool) *output {
	return &output{conn: c, muted: muted, wait: map[uint64]chan struct{}{}}
}

// errMuted is what a display gets whose cell was interrupted.
var errMuted = errors.New("display: the cell was interrupted")

// send sends an event made for a sequence number and waits until the front has
// published it: what the cell prints next must come after it.
func (o *output) send(event func(seq uint64) worker.Event) error {
	if o.muted() {
		return errMuted
	}
	done := make(chan struct{})
	o.mu.Lock()
	o.seq++
	seq := o.seq
	o.wait[seq] = done
	o.mu.Unlock()
	ev := event(seq)
	if err := o.conn.Send(&ev); err != nil {
		return err
	}
	<-done
	return nil
}

func (o *output) acked(seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if done, ok := o.wait[seq]; ok {
		close(done)
		delete(o.wait, seq)
	}
}

// Display implements display.Out.
func (o *output) Display(b mime.Bundle, id string, update bool) error {
	return o.send(func(seq uint64) worker.Event {
		return worker.Event{Display: &worker.Display{Seq: seq, Bundle: b, ID: id, Update: update}}
	})
}

// Clear implements display.Out.
func (o *output) Clear(wait bool) error {
	return o.send(func(seq uint64) worker.Event {
		return worker.Event{Clear: &worker.Clear{Seq: seq, Wait: wait}}
	})
}

// flush lets displays that update in place send their last state.
func (o *output) flush() { display.Flush() }

// render draws the values of the last expression: one by itself, several by their
// text. A nil error is left out; errors tells which values are errors by type.
func render(values []any, errors []bool) *mime.Bundle {
	var bundles []mime.Bundle
	for i, v := range values {
		if v == nil && i < len(errors) && errors[i] {
			continue
		}
		bundles = append(bundles, display.Render(v))
	}
	switch len(bundles) {
	case 0:
		return nil
	case 1:
		for _, kind := range []string{mime.Text, mime.HTML} {
			if text, ok := bundles[0].Data[kind]; ok && strings.Contains(text, "Ξ") {
				bundles[0].Data[kind] = version.ReplaceAllString(text, "$1")
			}
		}
		return &bundles[0]
	}
	var texts []string
	for _, b := range bundles {
		texts = append(texts, b.Data[mime.Text])
	}
	b := mime.Plain(version.ReplaceAllString(strings.Join(texts, "\n"), "$1"))
	return &b
}

// version is what compiled text adds to the name of a type that was declared anew.
var version = regexp.MustCompile(`([\pL_][\pL\pN_]*?)Ξ\d+`)

// The standard streams as the worker was given them, kept under numbers of their
// own, so that a cell that closes os.Stdout harms itself alone.
const (
	keptStdin  = worker.KeptStdin
	keptStdout = 101
	keptStderr = 102
)

// KeepStreams keeps the standard streams. Call it first of all.
func KeepStreams() error {
	for fd, kept := range map[int]int{0: keptStdin, 1: keptStdout, 2: keptStderr} {
		if err := syscall.Dup3(fd, kept, syscall.O_CLOEXEC); err != nil {
			return err
		}
	}
	return nil
}

// restoreStreams gives the next cell working standard streams.
func restoreStreams() {
	for _, s := range []struct {
		fd, kept int
		file     **os.File
		name     string
	}{{0, keptStdin, &os.Stdin, "/dev/stdin"}, {1, keptStdout, &os.Stdout, "/dev/stdout"}, {2, keptStderr, &os.Stderr, "/dev/stderr"}} {
		var a, b syscall.Stat_t
		if syscall.Fstat(s.fd, &a) == nil && syscall.Fstat(s.kept, &b) == nil && a.Ino == b.Ino && int((*s.file).Fd()) == s.fd {
			continue
		}
		if syscall.Dup3(s.kept, s.fd, 0) == nil {
			*s.file = os.NewFile(uintptr(s.fd), s.name)
		}
	}
}
