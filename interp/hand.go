package interp

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"attune/interp/cell"
	"attune/interp/worker"
)

// hand holds one worker: it pumps what the worker writes and reports to the sinks of
// the cells that run, or ran last. What is displayed says which cell it comes from.
// Text does not, as all cells have one pair of pipes: it goes to the cell that began
// last of those that run, and what the worker knows to be another's comes as an event, as
// does all that cells print which run beside others.
type hand struct {
	client *worker.Client
	gone   chan struct{}

	mu     sync.Mutex
	sink   cell.Sink  // of the cell that began last, running or not
	early  []byte     // what the worker said before there was one
	runs   []*running // oldest first
	comms  map[string]bool
	lists  map[int]chan *worker.Listing
	heard  map[int]cell.Sink // by run, over or not: its goroutines may still put out something
	report string            // what the runtime said as the process died
	async  func(*worker.Failure, cell.Sink)

	pour  sync.Mutex // one drain at a time, so that text keeps its order
	dying dying
}

// running is a run that the worker has been sent.
type running struct {
	id     int
	sink   cell.Sink
	begun  bool             // or was sent when no other ran
	ask    func(worker.Ask) // asks the user on the run's behalf
	done   chan worker.Done
	halted chan struct{} // closed when the worker has begun to stop it
}

// maxHeard is how many runs are remembered for what their goroutines may still say.
const maxHeard = 1000

func newHand(opt Options, goroot string) (*hand, error) {
	env := append([]string{"GOTRACEBACK=single"}, opt.Env...)
	if onPath(goroot) {
		env = append([]string{"GOROOT=" + goroot}, env...)
	}
	h := &hand{gone: make(chan struct{}), lists: map[int]chan *worker.Listing{}, comms: map[string]bool{}, heard: map[int]cell.Sink{}}
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
func (h *hand) attach(sink cell.Sink, async func(*worker.Failure, cell.Sink)) {
	h.mu.Lock()
	h.sink, h.async = sink, async
	early := h.early
	h.early = nil
	h.mu.Unlock()
	if len(early) > 0 {
		h.toSink(sink, func() { sink.Stream(cell.Stderr, early) })
	}
}

// start sends a Run whose output goes to sink, and returns where its Done will come.
func (h *hand) start(r *worker.Run, sink cell.Sink, ask func(worker.Ask)) (*running, error) {
	run := &running{id: r.ID, sink: sink, ask: ask, done: make(chan worker.Done, 1), halted: make(chan struct{})}
	h.drain() // what was written before is of the cells before
	h.mu.Lock()
	run.begun = len(h.runs) == 0
	h.runs = append(h.runs, run)
	h.heard[r.ID] = sink
	delete(h.heard, r.ID-maxHeard)
	h.mu.Unlock()
	return run, h.client.Send(worker.Request{Run: r})
}

// find is the run id, or where that is over, as of a goroutine that lives on, nil.
func (h *hand) find(id int) *running {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.runs {
		if r.id == id {
			return r
		}
	}
	return nil
}

// sinkOf is where output of run id goes.
func (h *hand) sinkOf(id int) cell.Sink {
	h.mu.Lock()
	sink, ok := h.heard[id]
	h.mu.Unlock()
	if ok {
		return sink
	}
	return h.newest()
}

// newest is where text goes.
func (h *hand) newest() cell.Sink {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range slices.Backward(h.runs) {
		if r.begun {
			return r.sink
		}
	}
	return h.sink
}

// oldest tells whether id is the oldest run: what the worker reads from its standard
// input is asked for on that one's behalf.
func (h *hand) oldest(id int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.runs) > 0 && h.runs[0].id == id
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
			h.closeComms()
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
	if sink := h.newest(); sink != nil {
		sink.Stream(name, text)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.early = append(h.early, text...)
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
	switch {
	case ev.Display != nil:
		sink := h.sinkOf(ev.Run)
		h.toSink(sink, func() {
			sink.Display(cell.Display{Bundle: ev.Display.Bundle, ID: ev.Display.ID, Update: ev.Display.Update})
		})
		_ = h.client.Send(worker.Request{Ack: ev.Display.Seq})
	case ev.Clear != nil:
		sink := h.sinkOf(ev.Run)
		h.toSink(sink, func() { sink.Clear(ev.Clear.Wait) })
		_ = h.client.Send(worker.Request{Ack: ev.Clear.Seq})
	case ev.Comm != nil:
		h.comm(*ev.Comm)
		if sink, ok := h.sinkOf(ev.Run).(cell.CommSink); ok {
			h.toSink(sink, func() { sink.Comm(cell.Comm(*ev.Comm)) })
		}
	case ev.Ask != nil:
		h.question(ev)
	case ev.Done != nil:
		h.ended(*ev.Done)
	case ev.Begun != nil:
		h.begun(ev.Run)
		_ = h.client.Send(worker.Request{Ack: ev.Begun.Seq})
	case ev.Stopping != 0:
		if r := h.find(ev.Stopping); r != nil && !isClosed(r.halted) {
			close(r.halted)
		}
	case ev.Async != nil:
		h.mu.Lock()
		async := h.async
		h.mu.Unlock()
		if async != nil {
			async(ev.Async, h.sinkOf(ev.Run))
		}
	case ev.Late != nil:
		sink, to := h.sinkOf(ev.Run), cell.Stdout
		if ev.Late.Stderr {
			to = cell.Stderr
		}
		h.toSink(sink, func() { sink.Stream(to, ev.Late.Text) })
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

// comm notes which comms are open.
func (h *hand) comm(m worker.Comm) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.comms == nil: // the worker is gone
	case m.Kind == "open":
		h.comms[m.ID] = true
	case m.Kind == "close":
		delete(h.comms, m.ID)
	}
}

// closeComms tells front ends that the comms of a worker that is gone are closed.
func (h *hand) closeComms() {
	sink, ok := h.newest().(cell.CommSink)
	h.mu.Lock()
	open := h.comms
	h.comms = nil
	h.mu.Unlock()
	for id := range open {
		if ok {
			h.toSink(sink, func() { sink.Comm(cell.Comm{Kind: "close", ID: id}) })
		}
	}
}

// question has the run's own execution ask; it may take as long as the user does.
func (h *hand) question(ev worker.Event) {
	if r := h.find(ev.Run); r != nil && r.ask != nil {
		go r.ask(*ev.Ask)
		return
	}
	_ = h.client.Send(worker.Request{Answer: &worker.Answer{Seq: ev.Ask.Seq, Err: "the cell that asks is over"}})
}

// begun notes that the text of the pipes is that of run id from here on.
func (h *hand) begun(id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.runs {
		r.begun = r.begun || r.id == id
	}
}

// ended passes on how a run ended and forgets it.
func (h *hand) ended(done worker.Done) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, r := range h.runs {
		if r.id == done.ID {
			h.runs = slices.Delete(h.runs, i, i+1)
			if len(h.runs) == 1 {
				h.runs[0].begun = true // the pipes are its own by now
			}
			r.done <- done
			return
		}
	}
}

// awaitHalt waits until the worker has begun to stop the run, or is gone.
func (h *hand) awaitHalt(id int) {
	r := h.find(id)
	if r == nil {
		return
	}
	select {
	case <-r.halted:
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
