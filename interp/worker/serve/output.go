package serve

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"

	"attune/display"
	"attune/display/mime"
	"attune/interp/worker"
	"attune/stdlib/comm"
)

// output sends what cells display. It implements display.Out.
type output struct {
	conn  *worker.Conn
	muted func() bool // tells whether the calling goroutine is of a cell that was let go
	run   func() int  // the run that the calling goroutine belongs to
	mu    sync.Mutex
	seq   uint64
	wait  map[uint64]chan worker.Answer
}

func newOutput(c *worker.Conn, muted func() bool, run func() int) *output {
	return &output{conn: c, muted: muted, run: run, wait: map[uint64]chan worker.Answer{}}
}

// errMuted is what a display gets whose cell was interrupted.
var errMuted = errors.New("the cell was interrupted")

// send sends an event made for a sequence number and waits until the front has dealt
// with it: what the cell prints next must come after it.
func (o *output) send(event func(seq uint64) worker.Event) (worker.Answer, error) {
	if o.muted() {
		return worker.Answer{}, errMuted
	}
	done := make(chan worker.Answer, 1)
	o.mu.Lock()
	o.seq++
	seq := o.seq
	o.wait[seq] = done
	o.mu.Unlock()
	ev := event(seq)
	ev.Run = o.run()
	if err := o.conn.Send(&ev); err != nil {
		return worker.Answer{}, err
	}
	return <-done, nil
}

// waiting tells whether a goroutine waits for the front, which asks the user, say.
func (o *output) waiting() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.wait) > 0
}

func (o *output) acked(seq uint64) { o.answered(worker.Answer{Seq: seq}) }

func (o *output) answered(a worker.Answer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if done, ok := o.wait[a.Seq]; ok {
		done <- a
		delete(o.wait, a.Seq)
	}
}

// begun tells the front that the calling cell begins beside others.
func (o *output) begun() {
	// Fails for a cell that was interrupted already, and when the front is gone.
	_, _ = o.send(func(seq uint64) worker.Event { return worker.Event{Begun: &worker.Begun{Seq: seq}} })
}

// ask is what stdlib/ask does in cells.
func (o *output) ask(prompt string, password bool) (string, error) {
	a, err := o.send(func(seq uint64) worker.Event {
		return worker.Event{Ask: &worker.Ask{Seq: seq, Prompt: prompt, Password: password}}
	})
	if err == nil && a.Err != "" {
		err = errors.New(a.Err)
	}
	if err != nil {
		return "", fmt.Errorf("ask: %w", err)
	}
	return a.Text, nil
}

// comm is what stdlib/comm does in cells. It waits for nobody.
func (o *output) comm(w comm.Wire) error {
	if o.muted() {
		return errMuted
	}
	return o.conn.Send(&worker.Event{Run: o.run(), Comm: &worker.Comm{
		Kind: w.Kind, ID: w.ID, Target: w.Target, Data: w.Data, Metadata: w.Metadata, Buffers: w.Buffers,
	}})
}

// deliver hands a front end's message to the cells' handlers.
func deliver(c *worker.Comm) {
	comm.Deliver(comm.Wire{Kind: c.Kind, ID: c.ID, Target: c.Target, Message: comm.Message{
		Data: c.Data, Metadata: c.Metadata, Buffers: c.Buffers,
	}})
}

// Display implements display.Out.
func (o *output) Display(b mime.Bundle, id string, update bool) error {
	_, err := o.send(func(seq uint64) worker.Event {
		return worker.Event{Display: &worker.Display{Seq: seq, Bundle: b, ID: id, Update: update}}
	})
	return err
}

// Stopping is what display.Stopping does in cells.
func (o *output) Stopping() bool { return o.muted() }

// Clear implements display.Out.
func (o *output) Clear(wait bool) error {
	_, err := o.send(func(seq uint64) worker.Event {
		return worker.Event{Clear: &worker.Clear{Seq: seq, Wait: wait}}
	})
	return err
}

// flush lets displays that update in place send their last state.
func (o *output) flush() { display.Flush() }

// render draws the values of the last expression: one by itself, several by their
// text. A nil error is left out, and a rune has its character beside its number; r
// tells which values are errors and runes by type.
func render(values []any, r *worker.Run) *mime.Bundle {
	var bundles []mime.Bundle
	for i, v := range values {
		if v == nil && i < len(r.Errors) && r.Errors[i] {
			continue
		}
		if c, ok := v.(rune); ok && i < len(r.Runes) && r.Runes[i] {
			bundles = append(bundles, mime.Plain(fmt.Sprintf("%d %q", c, c)))
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
	stdoutName = "/dev/stdout"
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
	}{{0, keptStdin, &os.Stdin, "/dev/stdin"}, {1, keptStdout, &os.Stdout, stdoutName}, {2, keptStderr, &os.Stderr, "/dev/stderr"}} {
		var a, b syscall.Stat_t
		if syscall.Fstat(s.fd, &a) == nil && syscall.Fstat(s.kept, &b) == nil && a.Ino == b.Ino && int((*s.file).Fd()) == s.fd {
			continue
		}
		if syscall.Dup3(s.kept, s.fd, 0) == nil {
			*s.file = os.NewFile(uintptr(s.fd), s.name)
		}
	}
}
