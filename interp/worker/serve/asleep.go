package serve

import (
	"bytes"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"

	"attune/interp/worker"
	"attune/stdlib/comm"
)

// deadlock is what the runtime says of a program whose goroutines all wait for one
// another. It never says so of a worker, whose own goroutines wait for the front.
const deadlock = "all goroutines are asleep - deadlock!"

// asleep ends the cell of run id if the goroutines of cells, its own and those that
// earlier cells left, all wait for one another. The front asks when it has seen that
// every thread is idle and no timer is pending: what that leaves open is whether a
// goroutine waits for something outside the process.
func (s *server) asleep(id int) {
	s.mu.Lock()
	alone := len(s.runs) == 1
	s.mu.Unlock()
	run := s.find(id)
	// What runs beside may wake it, and so may the handler of a comm, and the front: a user who answers.
	if run == nil || !alone || s.out.waiting() || comm.Listening() || !allWait(stacks()) {
		return
	}
	failure := &worker.Failure{Text: deadlock, Fatal: true, Frames: cellFrames(id)}
	s.mu.Lock()
	run.stopped = true
	if c := run.straight; c != nil {
		c.Interrupt()
		if file, line := c.At(); line > 0 {
			failure.Frames = append(failure.Frames, worker.Frame{Func: cellFunc, File: file, Line: line})
		}
	}
	s.mu.Unlock()
	s.stop.begin(run.mark) // a later cell may wake it: then it ends
	s.stop.letGo(id)
	s.finish(run, worker.Done{Detached: true, Failure: failure})
}

// stacks is the runtime's list of all goroutines.
func stacks() string {
	for buf := make([]byte, 64<<10); ; buf = make([]byte, 2*len(buf)) {
		if n := runtime.Stack(buf, true); n < len(buf) {
			return string(buf[:n])
		}
	}
}

var heading = regexp.MustCompile(`^goroutine (\d+) .*?\[([^,\]]*)`)

// waits are the states of a goroutine that only another one can wake.
var waits = []string{"chan receive", "chan send", "chan receive (nil chan)", "chan send (nil chan)",
	"select", "select (no cases)", "semacquire",
	"sync.Mutex.Lock", "sync.RWMutex.RLock", "sync.RWMutex.Lock", "sync.Cond.Wait", "sync.WaitGroup.Wait"}

// carries is in the stack of every cell's own goroutine.
const carries = "serve.(*server).carry"

// allWait tells whether all goroutines of a list but the worker's own wait for another.
func allWait(list string) bool {
	const serve = "created by attune/interp/worker/serve."
	for i, g := range strings.Split(list, "\n\n") {
		m := heading.FindStringSubmatch(g)
		own := i == 0 || m != nil && m[1] == "1" || // who asks, and who reads requests
			strings.Contains(g, serve) && !strings.Contains(g, carries)
		if m == nil || !own && !slices.Contains(waits, m[2]) {
			return false
		}
	}
	return true
}

var profiled = regexp.MustCompile(`(?m)^#\t0x[0-9a-f]+\t(.*)\+0x[0-9a-f]+\t+(.*):(\d+)$`)

// cellFrames are the calls that the goroutine of run id is in.
func cellFrames(id int) (frames []worker.Frame) {
	var profile bytes.Buffer
	if pprof.Lookup("goroutine").WriteTo(&profile, 1) != nil {
		return nil
	}
	label := strconv.Quote(cellLabel) + ":" + strconv.Quote(strconv.Itoa(id))
	for g := range strings.SplitSeq(profile.String(), "\n\n") {
		if !strings.Contains(g, label) || !strings.Contains(g, carries) {
			continue
		}
		for _, m := range profiled.FindAllStringSubmatch(g, -1) {
			n, _ := strconv.Atoi(m[3])
			frames = append(frames, worker.Frame{Func: m[1], File: m[2], Line: n})
		}
	}
	return frames
}
