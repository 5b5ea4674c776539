package interp

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"attune/interp/cell"
	"attune/interp/worker"
)

// hand holds one worker: it pumps what the worker writes and reports to the sink
// of the cell that runs, or ran last.
type hand struct {
	client *worker.Client
	gone   chan struct{}

	mu     sync.Mutex
	sink   cell.Sink
	done   chan worker.Done
	runID  int           // the run that done waits for
	halted chan struct{} // closed when the worker has begun to stop that run
	lists  map[int]chan *worker.Listing
	report string // what the runtime said as the process died
	async  func(*worker.Failure)

	pour  sync.Mutex // one drain at a time, so that text keeps its order
	dying dying
}

func newHand(opt Options, goroot string) (*hand, error) {
	env := append([]string{"GOTRACEBACK=single"}, opt.Env...)
	if onPath(goroot) {
		env = append([]string{"GOROOT=" + goroot}, env...)
	}
	h := &hand{gone: make(chan struct{}), lists: map[int]chan *worker.Listing{}}
	begun := make(chan struct{})
	c, err := worker.Start(opt.Worker, env, func(ev worker.Event) {
		<-begun
		h.drain()
		h.event(ev)
	})
	if err != nil {
		return nil, err
	}
	h.client = c
	close(begun)
	go h.pump()
	return h, nil
}

// onPath tells whether the go command that a cell would start is that of goroot, or
// whether there is none: then the worker, which does not know where Go is, may be
// told. Another go command must not be given this folder.
func onPath(goroot string) bool {
	file, err := exec.LookPath("go")
	if err != nil {
		_, err = os.Stat(goroot)
		return err == nil
	}
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return false
	}
	own, err := filepath.EvalSymlinks(filepath.Join(goroot, "bin", "go"))
	return err == nil && own == file
}

func (h *hand) isGone() bool { return isClosed(h.gone) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// attach sends what comes from now on to sink.
func (h *hand) attach(sink cell.Sink, async func(*worker.Failure)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sink, h.async = sink, async
}

// start sends a Run and returns where its Done will come.
func (h *hand) start(r *worker.Run) (<-chan worker.Done, error) {
	done := make(chan worker.Done, 1)
	h.mu.Lock()
	h.done, h.runID, h.halted = done, r.ID, make(chan struct{})
	h.mu.Unlock()
	return done, h.client.Send(worker.Request{Run: r})
}

// pump passes on text that no event comes with.
func (h *hand) pump() {
	defer close(h.gone)
	out := h.client.Output()
	var later <-chan time.Time
	for {
		select {
		case <-out[0]:
			h.drain()
		case <-out[1]:
			h.drain()
		case <-later:
			h.letGo()
		case <-h.client.Gone():
			h.drain()
			h.report = h.dying.take() // read after gone is closed
			return
		}
		later = h.later()
	}
}

// drain passes on all text that the worker has written up to now.
func (h *hand) drain() {
	h.pour.Lock()
	defer h.pour.Unlock()
	for i, name := range []cell.Stream{cell.Stdout, cell.Stderr} {
		text := h.client.Take(i)
		if i == 1 {
			text = h.dying.filter(text)
		}
		h.stream(name, text)
	}
}

// later is when what is held back shall be let go; nil for never.
func (h *hand) later() <-chan time.Time {
	h.pour.Lock()
	defer h.pour.Unlock()
	return h.dying.wait()
}

// letGo passes on what was held back for nothing.
func (h *hand) letGo() {
	h.pour.Lock()
	defer h.pour.Unlock()
	h.stream(cell.Stderr, []byte(h.dying.take()))
}

func (h *hand) stream(name cell.Stream, text []byte) {
	if len(text) == 0 {
		return
	}
	h.mu.Lock()
	sink := h.sink
	h.mu.Unlock()
	if sink != nil {
		sink.Stream(name, text)
	}
}

// toSink calls f, one at a time with the text that is passed on.
func (h *hand) toSink(sink cell.Sink, f func()) {
	if sink == nil {
		return
	}
	h.pour.Lock()
	defer h.pour.Unlock()
	f()
}

func (h *hand) event(ev worker.Event) {
	h.mu.Lock()
	sink, done, runID, async := h.sink, h.done, h.runID, h.async
	h.mu.Unlock()
	switch {
	case ev.Display != nil:
		h.toSink(sink, func() {
			sink.Display(cell.Display{Bundle: ev.Display.Bundle, ID: ev.Display.ID, Update: ev.Display.Update})
		})
		_ = h.client.Send(worker.Request{Ack: ev.Display.Seq})
	case ev.Clear != nil:
		h.toSink(sink, func() { sink.Clear(ev.Clear.Wait) })
		_ = h.client.Send(worker.Request{Ack: ev.Clear.Seq})
	case ev.Done != nil:
		if done != nil && ev.Done.ID == runID {
			done <- *ev.Done
		}
	case ev.Stopping != 0:
		h.mu.Lock()
		if ev.Stopping == h.runID && !isClosed(h.halted) {
			close(h.halted)
		}
		h.mu.Unlock()
	case ev.Async != nil:
		if async != nil {
			async(ev.Async)
		}
	case ev.Listing != nil:
		h.mu.Lock()
		ch := h.lists[ev.Listing.ID]
		delete(h.lists, ev.Listing.ID)
		h.mu.Unlock()
		if ch != nil {
			ch <- ev.Listing
		}
	}
}

// awaitHalt waits until the worker has begun to stop the run, or is gone.
func (h *hand) awaitHalt() {
	h.mu.Lock()
	halted := h.halted
	h.mu.Unlock()
	select {
	case <-halted:
	case <-h.gone:
	case <-time.After(time.Second):
	}
}

// list asks what the keys hold; nil if the worker does not answer in time.
func (h *hand) list(id int, keys []string) *worker.Listing {
	return h.ask(id, worker.Request{List: &worker.List{ID: id, Keys: keys}})
}

// ask sends a request that a Listing of that ID answers.
func (h *hand) ask(id int, r worker.Request) *worker.Listing {
	ch := make(chan *worker.Listing, 1)
	h.mu.Lock()
	h.lists[id] = ch
	h.mu.Unlock()
	if h.client.Send(r) != nil {
		return nil
	}
	select {
	case l := <-ch:
		return l
	case <-h.gone:
	case <-time.After(5 * time.Second):
	}
	return nil
}

// dying holds back what the runtime writes as it ends the process, which belongs
// into the cell's error. What turns out to be the user's own text is let go.
type dying struct {
	held  []byte
	since time.Time
	line  bool // the last text let through ended inside a line
}

// patience is how long text that looks like the runtime's last words is held when
// nothing follows it. A dump that has begun goes on until the process is gone, but
// the runtime may walk millions of frames between two lines.
const (
	patience     = 400 * time.Millisecond
	dumpPatience = 20 * time.Second
	maxDying     = 256 << 10
)

func (d *dying) filter(text []byte) []byte {
	if len(text) == 0 {
		return nil
	}
	if len(d.held) > 0 {
		// A dump of many goroutines takes its time; its beginning and end are enough.
		if d.held = append(d.held, text...); len(d.held) > maxDying {
			d.held = append(d.held[:maxDying/2], d.held[len(d.held)-maxDying/4:]...)
		}
		d.since = time.Now()
		return nil
	}
	s := string(text)
	for at := 0; at < len(s); {
		if (at > 0 || !d.line) && lastWords(s[at:]) {
			d.held, d.since = []byte(s[at:]), time.Now()
			s = s[:at]
			break
		}
		nl := strings.IndexByte(s[at:], '\n')
		if nl < 0 {
			break
		}
		at += nl + 1
	}
	if len(s) > 0 {
		d.line = s[len(s)-1] != '\n'
	}
	return []byte(s)
}

// lastWords tells whether the runtime begins to report a fatal error like this.
func lastWords(s string) bool {
	for _, p := range []string{"fatal error: ", "panic: ", "runtime: ", "SIG", "unexpected fault address", "signal: "} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// certain is what no program prints by chance: the runtime's list of goroutines.
var certain = regexp.MustCompile(`(?m)^(goroutine \d+ .*\[.*\]:|runtime: goroutine stack exceeds \d+-byte limit)$`)

func (d *dying) take() string {
	s := string(d.held)
	d.held = nil
	return s
}

func (d *dying) wait() <-chan time.Time {
	if len(d.held) == 0 {
		return nil
	}
	wait := patience
	if certain.Match(d.held) {
		wait = dumpPatience
	}
	return time.After(time.Until(d.since.Add(wait)))
}
