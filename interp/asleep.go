package interp

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"attune/interp/worker"
)

// sleepLooks and sleepPause: so many looks in a row, so far apart, must find all
// threads idle before the worker is asked whether its cell can go on at all. That takes
// the worker a moment in which nothing runs, so a cell that goes on, as a server does
// that waits for its clients, is asked about less and less often, down to once in
// maxSleepLooks.
const (
	sleepLooks    = 4
	maxSleepLooks = 256
	sleepPause    = 250 * time.Millisecond
)

// watchSleep looks for a cell whose goroutines all wait for one another, which in a
// program is a fatal error. Whether a timer is pending the Go runtime tells nobody; but
// a thread then waits for it, in a system call with that timeout. It returns the
// function that ends the watch.
func (e *execution) watchSleep(h *hand, id int) (end func()) {
	ctx, cancel := context.WithCancel(e.ctx)
	first := time.AfterFunc(sleepPause, func() {
		for idle, enough := 0, sleepLooks; ctx.Err() == nil; {
			pid := h.client.PID()
			// A thread may have taken over the wait for a timer during the look: look twice.
			still := allIdle(pid)
			still = still && allIdle(pid)
			// A cell of another subshell may come and wake this one.
			if idle++; !still || e.req.Beside != nil && e.req.Beside() {
				idle = 0
			}
			if idle >= enough && ctx.Err() == nil {
				idle, enough = 0, min(2*enough, maxSleepLooks)
				_ = h.client.Send(worker.Request{Asleep: id}) // fails for a worker that is gone
			}
			select {
			case <-ctx.Done():
			case <-time.After(sleepPause):
			}
		}
	})
	return func() {
		cancel()
		first.Stop()
	}
}

// allIdle tells whether every thread of the process waits without an end: for a lock,
// for the front's next request, or in the naps of the worker's own goroutines.
func allIdle(pid int) bool {
	calls, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
	if err != nil || len(calls) == 0 {
		return false
	}
	for _, file := range calls {
		text, err := os.ReadFile(file)
		f := strings.Fields(string(text))
		switch {
		case err != nil || len(f) < 5:
			return false // "running"
		case slices.Contains(idleCalls, f[0]):
		case f[0] == readCall && f[1] == "0x3":
		case f[0] == pollCall && (f[4] == "0xffffffff" || f[4] == "0xffffffffffffffff"):
		default:
			return false
		}
	}
	return true
}
