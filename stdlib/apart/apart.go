// Package apart runs a function that a cell declares in a process of its own, beside
// the session's: what happens to that process happens to it alone. It holds what both
// sides share; the worker does the work. It imports the standard library only.
//
// Go cannot fork. The other process is the same program, opens the compiled cells
// that this one opened, in the same order, and finds the function by its name. It has
// the session's functions and types, and none of its memory.
package apart

import (
	"errors"
	"os/exec"
	"sync/atomic"
)

// Results is the descriptor on which the other process writes its results.
const Results = 3

// Flag makes the worker program such a process.
const Flag = "apart"

// Job is the first line of the other process's standard input, as JSON.
type Job struct {
	// Cells are the compiled cells to open, in this order.
	Cells []Cell
	// Func is the function's key in the session.
	Func string
	// Values are the session's numbers, texts, truths and short lists of these, by key.
	Values map[string][]byte
}

// Cell is a compiled cell: a plugin's file and the hash that names it there.
type Cell struct{ File, Hash string }

// starter is how a session starts such a process; nil in a program without a kernel.
var starter atomic.Pointer[func(f any) (*exec.Cmd, Job, error)]

// Use makes f the way to start one. The worker calls it before any cell runs.
func Use(f func(f any) (*exec.Cmd, Job, error)) { starter.Store(&f) }

// Command is a process that will run f, not started yet, and the job to be written to
// it. f must be a function that a cell declares by name: a function literal may hold
// variables, which another process cannot be given.
func Command(f any) (*exec.Cmd, Job, error) {
	start := starter.Load()
	if start == nil {
		return nil, Job{}, errors.New("run a function in a process of its own: this program is no session of attune")
	}
	return (*start)(f)
}
