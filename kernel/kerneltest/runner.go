// Package kerneltest owns what the tests and benchmarks of the kernel's front
// share: Runner, a cell.Runner whose language is a handful of commands, Serve, the
// kernel around it, and Client, one end of the messaging protocol over plain
// connections. It may import kernel and what lies below it; no shipped package
// imports it.
package kerneltest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"attune/display/mime"
	"attune/interp/cell"
)

// Runner runs cells of one command a line. Lines it does not know do nothing:
//
//	print N           N lines of stdout, one call each
//	write N           N bytes of stdout in one call
//	say TEXT          a line of stdout; warn TEXT, of stderr; raw "..." a quoted string
//	show TEXT         display_data; show id=X TEXT names it, update id=X TEXT replaces it
//	png N             display_data with N bytes of image/png
//	clear, clear wait clear_output
//	result TEXT       execute_result
//	page TEXT         a page for the pager
//	input PROMPT      asks and says the answer; password PROMPT the same
//	error NAME TEXT   ends the cell with an error
//	panic TEXT        panics inside the kernel
//	sleep MS          waits
//	loop              waits until interrupted
//	later MS TEXT     a line of stdout MS after now, also when the cell has ended
//
// Cells of several subshells run side by side. Comms opened to the target "echo" get
// each message back; one whose data is {"do": CELL} runs the cell's lines as well.
type Runner struct {
	mu    sync.Mutex
	stops map[*context.CancelFunc]struct{} // of the running cells
	comms map[string]struct{}
	done  chan struct{} // closed by Close
	once  sync.Once
}

// NewRunner makes a Runner.
func NewRunner() *Runner {
	return &Runner{
		stops: make(map[*context.CancelFunc]struct{}), comms: make(map[string]struct{}),
		done: make(chan struct{}),
	}
}

var (
	_ cell.Runner = (*Runner)(nil)
	_ cell.Commer = (*Runner)(nil)
)

// Execute implements cell.Runner.
func (e *Runner) Execute(ctx context.Context, req cell.Request, out cell.Sink) cell.Result {
	ctx, end := e.running(ctx)
	defer end()
	var res cell.Result
	for _, line := range strings.Split(req.Code, "\n") {
		if res.Err = e.run(ctx, strings.TrimSpace(line), out, &res); res.Err != nil {
			return res
		}
	}
	res.Expressions = make(map[string]cell.Value)
	for name, text := range req.Expressions {
		if strings.HasPrefix(text, "error ") {
			res.Expressions[name] = cell.Value{Err: &cell.Error{Name: "EchoError", Value: text[6:]}}
			continue
		}
		res.Expressions[name] = cell.Value{Bundle: mime.Plain(text)}
	}
	return res
}

func (e *Runner) running(ctx context.Context) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	e.mu.Lock()
	e.stops[&cancel] = struct{}{}
	e.mu.Unlock()
	return ctx, func() {
		cancel()
		e.mu.Lock()
		delete(e.stops, &cancel)
		e.mu.Unlock()
	}
}

// Comm implements cell.Commer.
func (e *Runner) Comm(ctx context.Context, m cell.Comm, out cell.CommSink) {
	ctx, end := e.running(ctx)
	defer end()
	e.mu.Lock()
	_, known := e.comms[m.ID]
	switch m.Kind {
	case "open":
		if known = m.Target == "echo"; known {
			e.comms[m.ID] = struct{}{}
		}
	case "close":
		delete(e.comms, m.ID)
	}
	e.mu.Unlock()
	switch {
	case m.Kind == "open" && !known:
		out.Comm(cell.Comm{Kind: "close", ID: m.ID})
	case m.Kind == "msg" && known:
		var do struct{ Do string }
		if json.Unmarshal(m.Data, &do) == nil {
			for _, line := range strings.Split(do.Do, "\n") {
				e.run(ctx, line, out, new(cell.Result))
			}
		}
		out.Comm(cell.Comm{Kind: "msg", ID: m.ID, Data: m.Data, Metadata: m.Metadata, Buffers: m.Buffers})
	}
}

func (e *Runner) run(ctx context.Context, line string, out cell.Sink, res *cell.Result) *cell.Error {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "print", "write", "say", "warn", "raw":
		text(verb, rest, out)
	case "show", "update", "png", "clear", "result":
		display(verb, rest, out)
	case "page":
		res.Pages = append(res.Pages, mime.Plain(rest))
	case "input", "password":
		answer, err := out.Input(ctx, rest, verb == "password")
		if err != nil {
			return &cell.Error{Name: "InputError", Value: err.Error()}
		}
		out.Stream(cell.Stdout, []byte("got "+answer+"\n"))
	case "error":
		name, value, _ := strings.Cut(rest, " ")
		return &cell.Error{Name: name, Value: value}
	case "panic":
		panic(rest)
	case "sleep":
		return wait(ctx, time.Duration(number(rest))*time.Millisecond)
	case "loop":
		return wait(ctx, time.Hour)
	case "later":
		ms, say, _ := strings.Cut(rest, " ")
		go e.later(number(ms), say, out)
	}
	return nil
}

func text(verb, rest string, out cell.Sink) {
	switch verb {
	case "print":
		for i := range number(rest) {
			out.Stream(cell.Stdout, fmt.Appendf(nil, "line %d\n", i))
		}
	case "write":
		out.Stream(cell.Stdout, bytes.Repeat([]byte{'x'}, number(rest)))
	case "say":
		out.Stream(cell.Stdout, []byte(rest+"\n"))
	case "warn":
		out.Stream(cell.Stderr, []byte(rest+"\n"))
	case "raw":
		if s, err := strconv.Unquote(rest); err == nil {
			out.Stream(cell.Stdout, []byte(s))
		}
	}
}

func display(verb, rest string, out cell.Sink) {
	switch verb {
	case "show", "update":
		id := ""
		if after, ok := strings.CutPrefix(rest, "id="); ok {
			id, rest, _ = strings.Cut(after, " ")
		}
		out.Display(cell.Display{Bundle: mime.Plain(rest), ID: id, Update: verb == "update"})
	case "png":
		b := mime.Plain("a picture")
		b.Data[mime.PNG] = strings.Repeat("A", number(rest))
		out.Display(cell.Display{Bundle: b})
	case "clear":
		out.Clear(rest == "wait")
	case "result":
		out.Result(mime.Plain(rest))
	}
}

func (e *Runner) later(ms int, say string, out cell.Sink) {
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		out.Stream(cell.Stdout, []byte(say+"\n"))
	case <-e.done:
	}
}

func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return 0
	}
	return n
}

func wait(ctx context.Context, d time.Duration) *cell.Error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return &cell.Error{Name: "Interrupted", Value: "the cell was stopped"}
	}
}

// Interrupt implements cell.Runner.
func (e *Runner) Interrupt() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for stop := range e.stops {
		(*stop)()
	}
}

// Complete offers the word before the offset in capitals.
func (e *Runner) Complete(_ context.Context, code string, offset int) cell.Completion {
	start := strings.LastIndexAny(code[:offset], " \n") + 1
	word := code[start:offset]
	if word == "" {
		return cell.Completion{Start: offset, End: offset}
	}
	if word == "panic" {
		panic("completing panic")
	}
	return cell.Completion{Start: start, End: offset, Items: []cell.Item{
		{Text: strings.ToUpper(word), Type: "function", Signature: "(x int)"},
	}}
}

// Inspect finds the word before the offset.
func (e *Runner) Inspect(_ context.Context, code string, offset, detail int) cell.Inspection {
	word := code[strings.LastIndexAny(code[:offset], " \n")+1 : offset]
	if word == "" {
		return cell.Inspection{}
	}
	return cell.Inspection{Found: true, Bundle: mime.Plain(fmt.Sprintf("%s, detail %d", word, detail))}
}

// IsComplete calls code with an open brace incomplete.
func (e *Runner) IsComplete(code string) cell.Completeness {
	if strings.Count(code, "{") > strings.Count(code, "}") {
		return cell.Completeness{Status: "incomplete", Indent: "\t"}
	}
	return cell.Completeness{Status: "complete"}
}

// Processes implements cell.Runner; there are none.
func (e *Runner) Processes() []cell.Process { return nil }

// Close implements cell.Runner.
func (e *Runner) Close() error {
	err := errors.New("closed twice")
	e.once.Do(func() {
		close(e.done)
		err = nil
	})
	e.Interrupt()
	return err
}
