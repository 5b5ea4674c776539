package interp

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"attune/interp/worker"
)

// watchInput asks the user for a line whenever the worker waits for one on its
// standard input, and returns the function that ends the watch. What a program
// reads with is its own business, fmt.Scan, bufio or a child process; that it waits
// shows in the system call that one of its threads is in.
func (e *execution) watchInput(h *hand) (end func()) {
	ctx, cancel := context.WithCancel(e.ctx)
	over := make(chan struct{})
	// Most cells are over before the first look, and nothing was started for them.
	first := time.AfterFunc(firstLook, func() {
		defer close(over)
		e.watch(ctx, h)
	})
	return func() {
		cancel()
		if !first.Stop() {
			<-over
		}
	}
}

// firstLook is how long after a cell's start, or after an answer, is looked whether
// it waits for input.
const firstLook = 2 * time.Millisecond

// watch looks less and less often.
func (e *execution) watch(ctx context.Context, h *hand) {
	for pause := firstLook; ctx.Err() == nil; {
		// A thread that waits although there is something to read is about to read it.
		if h.oldest(e.worksOn()) && !h.client.Unread() && readsStdin(h.client.PID()) && ctx.Err() == nil {
			if !e.ask(ctx, h) {
				return
			}
			pause = firstLook
		}
		pause = min(pause*2, 40*time.Millisecond)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// ask gets a line for the worker; false ends the watch.
func (e *execution) ask(ctx context.Context, h *hand) bool {
	if !e.req.AllowStdin {
		e.refuse(h, "the cell reads from standard input, and this front end cannot ask for it")
		return false
	}
	h.drain() // what the cell printed to ask with stands in its output: no prompt repeats it
	line, err := e.out.Input(ctx, "", false)
	if ctx.Err() != nil {
		e.mu.Lock()
		e.unanswered = true
		e.mu.Unlock()
		h.awaitHalt(e.worksOn()) // no statement behind the read shall begin
		h.client.EndInput()      // let the read go, so that the cell reaches its end
		return false
	}
	if err != nil {
		e.refuse(h, "asking for input failed: "+err.Error())
		return false
	}
	return h.client.Type(line+"\n") == nil
}

// worksOn is the worker's run, 0 when none is on.
func (e *execution) worksOn() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.runID
}

// answer asks the user what the cell asks by stdlib/ask, and passes the answer on.
func (e *execution) answer(h *hand, q worker.Ask) {
	a := worker.Answer{Seq: q.Seq}
	if !e.req.AllowStdin {
		a.Err = "this front end cannot ask"
	} else if text, err := e.out.Input(e.ctx, q.Prompt, q.Password); err != nil {
		a.Err = err.Error()
	} else {
		a.Text = text
	}
	_ = h.client.Send(worker.Request{Answer: &a}) // fails for a worker that is gone
}

// refuse ends a cell that waits for input it cannot get: the read comes to the end
// of the file, and the cell's error says why.
func (e *execution) refuse(h *hand, why string) {
	e.mu.Lock()
	e.refused = why
	id := e.runID
	e.mu.Unlock()
	_ = h.client.Send(worker.Request{Stop: &worker.Stop{ID: id}})
	h.client.EndInput()
}

// readsStdin tells whether a thread of the process, or of a child that has the same
// standard input, is blocked in read(0, …), as /proc/PID/task/TID/syscall shows:
// "0 0x0 …" on amd64, "63 0x0 …" on arm64.
func readsStdin(pid int) bool {
	stdin, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, worker.KeptStdin))
	return err == nil && readsPipe(pid, stdin, 0)
}

// maxFamily bounds how deep children of children are looked at.
const maxFamily = 4

func readsPipe(pid int, stdin string, depth int) bool {
	dir := fmt.Sprintf("/proc/%d/task", pid)
	tasks, err := os.ReadDir(dir)
	if err != nil || depth > maxFamily {
		return false
	}
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/0", pid))
	same := err == nil && link == stdin
	for _, t := range tasks {
		call, err := os.ReadFile(filepath.Join(dir, t.Name(), "syscall"))
		if err == nil && same && strings.HasPrefix(string(call), readCall+" 0x0 ") {
			return true
		}
		children, err := os.ReadFile(filepath.Join(dir, t.Name(), "children"))
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(children)) {
			if child, err := strconv.Atoi(field); err == nil && readsPipe(child, stdin, depth+1) {
				return true
			}
		}
	}
	return false
}
