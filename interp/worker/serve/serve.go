// Package serve is the process that runs cells: it owns the session's values, the
// running cell and the GPU context. It opens compiled cells, hands straight-line
// ones to the instant engine, and reports what comes out. It imports
// interp/worker (frames), interp/yaegi, interp/native/cellrt, stdlib/symbols,
// stdlib/monitor, gpu and display; only interp/worker/main imports it.
package serve

import (
	"errors"
	"fmt"
	"io"
	"os"
	"plugin"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"attune/display"
	"attune/interp/native/cellrt"
	"attune/interp/worker"
	"attune/interp/worker/rest"
	"attune/interp/yaegi"
	"attune/stdlib/apart"
	"attune/stdlib/ask"
	"attune/stdlib/comm"
	"attune/stdlib/monitor"
	"attune/stdlib/symbols"
	"attune/stdlib/symbols/instances"
)

// server is one worker process.
type server struct {
	conn   *worker.Conn
	table  *table
	engine *yaegi.Engine
	again  again
	// instances makes its table when it is first asked.
	instances func() instances.Table
	out       *output
	stop      *stopper
	known     *known
	rest      *rest.Keeper
	marks     marks

	// building is held while a cell is made ready to run; it guards known, opened, order
	// and spare.
	building sync.Mutex
	opened   map[string]*cellPlugin // by hash
	order    []apart.Cell           // as they were bound
	spare    spare

	mu   sync.Mutex
	runs []*cellRun // under way, oldest first
}

// maxStack ends unbounded recursion. It is a quarter of Go's own limit, because
// the runtime walks the whole stack before it reports, and still eight million
// calls deep.
const maxStack = 256 << 20

// cellPlugin is a cell of an opened plugin.
type cellPlugin struct{ run, bind func(*cellrt.Env) }

// cellRun is one Run on its way. Whoever ends it first reports it: the cell's
// goroutine, an interrupt that was not obeyed, or os.Exit.
type cellRun struct {
	id    int
	mark  mark
	start time.Time
	alone bool // began when no other ran
	// interpreted: the instant engine had it compiled.
	interpreted bool
	once        sync.Once
	failure     *worker.Failure // of another goroutine of the cell
	// straight is the cell when the instant engine runs it, stopped that the cell
	// was interrupted.
	straight *yaegi.Compiled
	stopped  bool
	ended    chan struct{}
}

// Serve reads requests from r and writes events to w until r ends.
func Serve(r io.Reader, w io.Writer) error {
	s := &server{
		conn: worker.NewConn(r, w), table: newTable(), instances: sync.OnceValue(instances.All), opened: map[string]*cellPlugin{},
		known: newKnown(), rest: rest.NewKeeper(),
	}
	s.engine = yaegi.New(s.packages)
	s.stop = newStopper()
	s.out = newOutput(s.conn, s.stop.dying, s.marks.run)
	s.spare.hold()
	display.SetOut(s.out)
	comm.Use(s.out.comm)
	ask.Use(s.out.ask)
	watch := monitor.New()
	monitor.Use(watch)
	apart.Use(s.apart)
	cellrt.SetHooks(cellrt.Hooks{Stopped: s.stop.stopped, Panicked: s.panicked, Func: s.worldFunc, Exited: s.exited, Table: s.table})
	s.routeLog()
	debug.SetMaxStack(maxStack)
	if err := limitMemory(os.NewFile(keptStderr, "/dev/stderr")); err != nil {
		fmt.Fprintln(os.Stderr, "attune:", err)
	}
	limit, _ := memoryLimit() // what is wrong with it was just said
	watch.SetLimit(limit)
	if err := s.conn.Send(&worker.Event{Ready: &worker.Ready{PID: os.Getpid()}}); err != nil {
		return err
	}
	over := make(chan error, 1)
	go s.read(over)
	return <-over
}

// read takes requests until there are no more. The goroutine that has read a Run
// carries it out, and another reads on: to wake one for the cell would take longer than
// most cells.
func (s *server) read(over chan<- error) {
	for {
		var req worker.Request
		if err := s.conn.Receive(&req); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			} else {
				err = fmt.Errorf("read request: %w", err)
			}
			over <- err
			return
		}
		if req.Run != nil {
			run := s.begin(req.Run.ID)
			go s.read(over)
			s.carry(run, req.Run)
			return
		}
		s.handle(req)
	}
}

func (s *server) handle(req worker.Request) {
	switch {
	case req.Stop != nil:
		s.interrupt(req.Stop.ID)
	case req.Ack != 0:
		s.out.acked(req.Ack)
	case req.Answer != nil:
		s.out.answered(*req.Answer)
	case req.Forget != nil:
		s.table.Forget(req.Forget)
		s.again.drop() // they hold the storage
	case req.Asleep != 0:
		go s.asleep(req.Asleep)
	case req.List != nil:
		go s.list(req.List)
	case req.Memory != nil:
		go s.memory(req.Memory)
	}
}

// begin notes a run, so that requests which follow it find it.
func (s *server) begin(id int) *cellRun {
	s.rest.Busy()
	run := &cellRun{id: id, mark: s.stop.newMark(id), start: time.Now(), ended: make(chan struct{})}
	s.mu.Lock()
	run.alone = len(s.runs) == 0
	s.runs = append(s.runs, run)
	s.marks.begin(run.id, run.mark, run.alone)
	s.mu.Unlock()
	return run
}

// carry runs a cell on the calling goroutine, which is over with it.
func (s *server) carry(run *cellRun, r *worker.Run) {
	if run.alone {
		restoreStreams()
	}
	run.mark.set()
	if !run.alone {
		s.out.begun()
	}
	if r.Cell != "" {
		monitor.Cell(r.Cell, r.Bar)
	}
	done := worker.Done{ID: r.ID}
	returned := false
	defer func() {
		if !returned { // runtime.Goexit, or a panic that Describe was told of
			done.Failure = &worker.Failure{Text: "runtime.Goexit ended the cell's goroutine"}
		}
		s.finish(run, done)
	}()
	s.perform(r, &done)
	returned = true
}

// find is the run id, nil if it is over.
func (s *server) find(id int) *cellRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, run := range s.runs {
		if run.id == id {
			return run
		}
	}
	return nil
}

// own is the run that the calling goroutine belongs to, nil where that is over. id is
// the run's number, 0 for a goroutine without a mark: it counts as the oldest run's.
func (s *server) own() (run *cellRun, id int) {
	if id = s.marks.run(); id != 0 {
		return s.find(id), id
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.runs) > 0 {
		run = s.runs[0]
	}
	return run, 0
}

// perform does what r asks and fills in done.
func (s *server) perform(r *worker.Run, done *worker.Done) {
	env := &cellrt.Env{Table: s.table}
	switch {
	case r.Native != nil:
		p, err := s.open(r.Native)
		if err != nil {
			done.Failure = &worker.Failure{Text: err.Error(), Internal: true}
			return
		}
		done.Failure, done.Interrupted = guarded(func() { p.bind(env) })
		if s.again.drop(); done.Failure != nil { // functions may have another meaning
			return
		}
		if s.bound(r.Native); r.Native.BindOnly {
			return
		}
		env.Literals = r.Native.Literals
		done.Failure, done.Interrupted = guarded(func() { p.run(env) })
	case r.Straight != nil:
		s.straight(r.Straight, env, done)
	case r.Comm != nil:
		done.Failure, done.Interrupted = guarded(func() { deliver(r.Comm) })
	}
	if done.Failure == nil && !done.Interrupted && done.NotStraight == "" && env.Has && !r.Quiet {
		b := render(env.Out, r)
		done.Result = b
	}
}

// guarded calls f and describes its panic.
func guarded(f func()) (failure *worker.Failure, interrupted bool) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if _, ok := v.(cellrt.Interrupted); ok {
			interrupted = true
			return
		}
		failure = describe(v)
	}()
	f()
	return nil, false
}

// open finds a cell in its plugin, which may hold others and is opened once.
func (s *server) open(n *worker.Native) (*cellPlugin, error) {
	s.building.Lock()
	defer s.building.Unlock()
	if p := s.opened[n.Hash]; p != nil {
		return p, nil
	}
	lib, err := plugin.Open(n.File)
	if err != nil && strings.Contains(err.Error(), "Too many open files") {
		s.spare.release()
		lib, err = plugin.Open(n.File)
		s.spare.hold()
	}
	if err != nil {
		return nil, fmt.Errorf("open the compiled cell: %w", err)
	}
	sym, err := lib.Lookup("Find")
	if err != nil {
		return nil, fmt.Errorf("open the compiled cell: %w", err)
	}
	find, ok := sym.(func(string) (run, bind func(*cellrt.Env)))
	if !ok {
		return nil, fmt.Errorf("open the compiled cell: Find is a %T", sym)
	}
	p := &cellPlugin{}
	if p.run, p.bind = find(n.Hash); p.run == nil {
		return nil, fmt.Errorf("open the compiled cell: %s is not in the plugin", n.Hash)
	}
	s.opened[n.Hash] = p
	return p, nil
}

// worldFunc is the function with this full name, nil if cells cannot import it.
func (s *server) worldFunc(full string) any {
	if print := s.printer(full); print != nil {
		return print
	}
	i := strings.LastIndexByte(full, '.')
	values, _ := symbols.Table(full[:i])
	if v, ok := values[full[i+1:]]; ok {
		return v.Interface()
	}
	return nil
}

// finish reports the end of run, unless that was done.
func (s *server) finish(run *cellRun, done worker.Done) {
	run.once.Do(func() {
		s.mu.Lock()
		s.runs = slices.DeleteFunc(s.runs, func(r *cellRun) bool { return r == run })
		alone := len(s.runs) == 0
		s.marks.hears(mark{})
		// A cell that came to its end although it was to stop has swallowed the interrupt,
		// or read the end of its input for it.
		done.Interrupted = done.Interrupted || run.stopped && done.Failure == nil && !done.Exited
		if run.failure != nil && (done.Failure == nil || done.Interrupted || done.Detached) {
			done.Failure, done.Interrupted = run.failure, false
		}
		s.mu.Unlock()
		if alone { // what a Live holds back may be changed by a cell that runs
			s.out.flush()
		}
		done.ID, done.Nanos = run.id, time.Since(run.start).Nanoseconds()
		_ = s.conn.Send(&worker.Event{Done: &done})
		close(run.ended)
		if run.interpreted {
			s.engine.Ready()
		}
		s.rest.Idle()
	})
}

// panicked is told of a panic in a goroutine that a cell started: it ends that cell
// if it still runs, and is reported by itself otherwise.
func (s *server) panicked(v any) {
	if s.stop.dying() {
		return // of a cell that was let go: it is unheard
	}
	failure := describe(v)
	failure.Async = true
	run, id := s.own()
	if run == nil {
		_ = s.conn.Send(&worker.Event{Async: failure, Run: id})
		return
	}
	s.mu.Lock()
	run.failure = failure
	s.mu.Unlock()
	go s.interrupt(run.id)
}

// exited ends the caller's cell with os.Exit's code; the caller never returns.
func (s *server) exited(code int) {
	run, id := s.own()
	if run == nil {
		_ = s.conn.Send(&worker.Event{Run: id, Late: &worker.Late{Stderr: true,
			Text: fmt.Appendf(nil, "os.Exit(%d): the goroutine ended here\n", code)}})
		return
	}
	s.finish(run, worker.Done{Exited: true, ExitCode: code})
}

// detachAfter is how long a cell may take to reach a safepoint.
const detachAfter = time.Second

// interrupt asks the cell's goroutines to end, and lets go of what does not.
func (s *server) interrupt(id int) {
	run := s.find(id)
	if run == nil {
		return
	}
	s.mu.Lock()
	run.stopped = true
	if run.straight != nil {
		run.straight.Interrupt()
	}
	s.mu.Unlock()
	s.stop.begin(run.mark)
	_ = s.conn.Send(&worker.Event{Stopping: id})
	go func() {
		select {
		case <-run.ended:
		case <-time.After(detachAfter):
			s.stop.letGo(id)
			s.finish(run, worker.Done{Interrupted: true, Detached: true})
		}
	}()
}
