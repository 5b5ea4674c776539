package serve

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe" // the profiler's labels have no other handle

	"attune/interp/native/cellrt"
)

// mark tells a cell's goroutines from all others: labels of the profiler, which a
// goroutine hands on to those that it starts. A mark is known by its address, so
// that reading it costs next to nothing.
type mark struct {
	cell    string
	ctx     context.Context
	pointer unsafe.Pointer
}

//go:linkname goroutineLabels runtime/pprof.runtime_getProfLabel
func goroutineLabels() unsafe.Pointer

// cellLabel is the label's name, as profiles show it.
const cellLabel = "attune.run"

// makeMark is called on a goroutine that has no mark.
func makeMark(cell string) mark {
	m := mark{cell: cell, ctx: pprof.WithLabels(context.Background(), pprof.Labels(cellLabel, cell))}
	m.set()
	m.pointer = goroutineLabels()
	pprof.SetGoroutineLabels(context.Background())
	return m
}

// set marks the calling goroutine and those that it will start.
func (m mark) set() { pprof.SetGoroutineLabels(m.ctx) }

// stopper decides which goroutines end at a safepoint: the interrupted cell's own
// and those that it started. Goroutines of earlier cells live on.
type stopper struct {
	mu     sync.Mutex
	doomed map[unsafe.Pointer]*doom
	pulse  bool
}

// doom is the sentence of the goroutines of one mark.
type doom struct {
	cell string
	// own is set for the mark of a goroutine that has been told; it is told again
	// only after a while, so that its deferred functions can do their work.
	own  bool
	next time.Time
	// let: the cell was let go, and is not heard any more.
	let bool
}

// grace is how long deferred functions may loop before they are interrupted too.
const grace = 300 * time.Millisecond

func newStopper() *stopper { return &stopper{doomed: map[unsafe.Pointer]*doom{}} }

// newMark makes the mark of run id.
func (s *stopper) newMark(id int) mark { return makeMark(strconv.Itoa(id)) }

// begin dooms the goroutines of m and raises the flags.
func (s *stopper) begin(m mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doomed[m.pointer] == nil {
		s.doomed[m.pointer] = &doom{cell: m.cell}
	}
	atomic.StoreUint32(&cellrt.Stop, 1)
	atomic.StoreUint32(&cellrt.Left, 1)
	if !s.pulse {
		s.pulse = true
		go s.watch()
	}
}

// watch keeps the loops' flag up for the first moments and then raises it now and
// again, so that a doomed goroutine that was blocked ends when it goes on, while the
// others do not pay for looking. It ends with the last doomed goroutine, for which
// it looks less and less often.
func (s *stopper) watch() {
	pprof.SetGoroutineLabels(context.Background()) // it may have been started on a cell's behalf
	pause, due := grace, time.Now().Add(grace)
	time.Sleep(grace)
	for {
		if !time.Now().Before(due) {
			if s.over() {
				return
			}
			pause = min(2*pause, 10*time.Second)
			due = time.Now().Add(pause)
		}
		atomic.StoreUint32(&cellrt.Stop, 0)
		nap(50 * time.Millisecond)
		atomic.StoreUint32(&cellrt.Stop, 1)
		nap(time.Millisecond)
	}
}

// over forgets the cells that have no living goroutine, and lowers the flags when
// none is left.
func (s *stopper) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock() // no cell is doomed between the look and the verdict
	living := s.living()
	for p := range s.doomed {
		if !living[p] {
			delete(s.doomed, p)
		}
	}
	if len(s.doomed) > 0 {
		return false
	}
	s.pulse = false
	atomic.StoreUint32(&cellrt.Stop, 0)
	atomic.StoreUint32(&cellrt.Left, 0)
	return true
}

// living are the doomed cells that have a living goroutine, all where nobody can tell.
// The lock is held.
func (s *stopper) living() map[unsafe.Pointer]bool {
	found := map[unsafe.Pointer]bool{}
	var profile bytes.Buffer
	err := pprof.Lookup("goroutine").WriteTo(&profile, 1)
	for p, d := range s.doomed {
		if err != nil || bytes.Contains(profile.Bytes(), []byte(strconv.Quote(cellLabel)+":"+strconv.Quote(d.cell))) {
			found[p] = true
		}
	}
	return found
}

// leaving tells whether goroutines of interrupted cells still run.
func (s *stopper) leaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.doomed) > 0 && len(s.living()) > 0
}

// letGo has the goroutines of run id unheard from now on.
func (s *stopper) letGo(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.doomed {
		d.let = d.let || d.cell == strconv.Itoa(id)
	}
}

// unheard tells whether the calling goroutine is of a cell that was let go.
func (s *stopper) unheard() bool {
	if atomic.LoadUint32(&cellrt.Left) == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.doomed[goroutineLabels()]
	return d != nil && d.let
}

// dying tells whether the calling goroutine is to end.
func (s *stopper) dying() bool {
	if atomic.LoadUint32(&cellrt.Left) == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doomed[goroutineLabels()] != nil
}

// stopped is asked at a safepoint while a flag is up: it tells whether the calling
// goroutine is to unwind now. Once told, it gets a mark of its own.
func (s *stopper) stopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.doomed[goroutineLabels()]
	if d == nil || d.own && time.Now().Before(d.next) {
		return false
	}
	if d.own {
		d.next = time.Now().Add(grace)
		return true
	}
	ctx := pprof.WithLabels(context.Background(), pprof.Labels(cellLabel, d.cell))
	pprof.SetGoroutineLabels(ctx)
	s.doomed[goroutineLabels()] = &doom{cell: d.cell, own: true, next: time.Now().Add(grace), let: d.let}
	return true
}
