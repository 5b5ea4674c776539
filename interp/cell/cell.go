// Package cell is the vocabulary of running cells: what is asked (Request), what
// comes out while it runs (Sink) and what it ends with (Result). The kernel and
// the interpreter meet here and nowhere else. It imports display/mime and the
// standard library only.
package cell

import (
	"context"
	"encoding/json"

	"attune/display/mime"
)

// Request is one cell to run.
type Request struct {
	// Count is the execution count, the N of In[N]; positions in error messages name it.
	Count int
	// Code is the cell's text as the user typed it, magics included.
	Code string
	// Silent asks for no displayed result. Streams and errors still flow.
	Silent bool
	// AllowStdin says whether Sink.Input may be called for this cell.
	AllowStdin bool
	// Beside tells whether there are subshells, whose cells may run beside this one; nil
	// for never.
	Beside func() bool
	// Expressions are evaluated after the cell ran without error
	// (messaging spec, user_expressions): name to Go expression.
	Expressions map[string]string
}

// Result is how a cell ended. A nil Err means that it ran to its end.
type Result struct {
	Err *Error
	// Expressions holds an answer for each of Request.Expressions.
	Expressions map[string]Value
	// Pages are shown in the front end's pager (messaging spec, payload "page").
	Pages []mime.Bundle
}

// Value is what a user expression came to: a bundle, or why there is none.
type Value struct {
	Bundle mime.Bundle
	Err    *Error
}

// Error is a cell's failure as the user reads it.
type Error struct {
	// Name is the kind: "CompileError", "panic", "fatal error", "Interrupted", ...
	Name string
	// Value says it in one line.
	Value string
	// Traceback holds the lines to show, colours (ANSI) included.
	Traceback []string
}

func (e *Error) Error() string { return e.Name + ": " + e.Value }

// Stream names one of a cell's two text outputs.
type Stream string

// The two streams of the messaging spec.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// Sink takes what a cell puts out, in order. Its methods may be called from any
// goroutine, one at a time. A Sink stays valid after Execute has returned: output
// of goroutines that outlive their cell still belongs to it.
type Sink interface {
	// Stream appends text, not necessarily whole lines nor whole runes.
	Stream(to Stream, text []byte)
	// Display shows a bundle, or replaces an earlier one.
	Display(d Display)
	// Result shows the value of the cell's last expression (execute_result).
	Result(b mime.Bundle)
	// Clear removes the cell's output; with wait, only when the next one arrives.
	Clear(wait bool)
	// Input asks the user for a line. It returns an error when ctx ends or the
	// front end cannot ask. Request.AllowStdin says whether it can.
	Input(ctx context.Context, prompt string, password bool) (string, error)
}

// CommSink is a Sink that passes on comm messages of the cell.
type CommSink interface {
	Sink
	Comm(m Comm)
}

// Comm is a message of a comm, either way (messaging spec, "custom messages").
type Comm struct {
	// Kind is "open", "msg" or "close".
	Kind string
	ID   string
	// Target names what an opened comm is for; empty otherwise.
	Target string
	// Data and Metadata are JSON objects; nil is an empty one.
	Data, Metadata json.RawMessage
	Buffers        [][]byte
}

// Commer is a Runner whose cells can talk to front ends by comms.
type Commer interface {
	// Comm hands a front end's message to the session's code and returns when that
	// has dealt with it. What it puts out meanwhile goes to out. The message to
	// a comm that nobody knows changes nothing; an open of a target that nobody
	// knows is answered by a close.
	Comm(ctx context.Context, m Comm, out CommSink)
}

// Display is a display_data message, or with Update an update_display_data.
type Display struct {
	Bundle mime.Bundle
	// ID names the output for later updates; empty for one that never changes.
	ID     string
	Update bool
}

// Completion lists what could stand between Start and End, byte offsets into the code.
type Completion struct {
	Start, End int
	Items      []Item
}

// Item is one completion: its text and what it is ("function", "method", "variable",
// "field", "type", "const", "module", "keyword", "label", "magic"; JupyterLab draws a
// sign for each), with a short Signature.
type Item struct{ Text, Type, Signature string }

// Inspection is what Shift-Tab shows.
type Inspection struct {
	Found  bool
	Bundle mime.Bundle
}

// Completeness answers is_complete_request: Status is "complete", "incomplete",
// "invalid" or "unknown"; Indent is what the next line starts with when incomplete.
type Completeness struct{ Status, Indent string }

// Process is one process of the session and what it holds now.
type Process struct {
	PID int
	// RSS is the resident set in bytes; CPU the share of one core, 1 is a whole core,
	// since the last question.
	RSS uint64
	CPU float64
}

// Foreseer is a Runner that can use the time while a cell runs.
type Foreseer interface {
	// Foresee tells which cells wait behind the running one, in order. It returns at
	// once; the cells may still be changed, dropped or never run.
	Foresee(codes []string)
}

// Runner runs cells. The kernel holds one; interp.Session is the real one.
// Execute may be called for several cells at a time, one for each subshell: they
// share all variables as goroutines do. All other methods may be called while cells
// run and answer at once.
type Runner interface {
	Execute(ctx context.Context, req Request, out Sink) Result
	// Interrupt stops the running cells. Execute then returns with an Error named
	// "Interrupted" that says what was kept. Without a running cell it does nothing.
	Interrupt()
	// Complete and Inspect take a byte offset into code.
	Complete(ctx context.Context, code string, offset int) Completion
	Inspect(ctx context.Context, code string, offset, detail int) Inspection
	IsComplete(code string) Completeness
	// Processes lists the session's processes apart from the caller's own.
	Processes() []Process
	// Close ends the session and its processes.
	Close() error
}
