package kernel

import (
	"sync"
	"time"
)

const (
	maxQueue      = 10_000    // cells that wait
	maxQueueBytes = 256 << 20 // and their text together
)

// queue holds the cells that wait for the running one.
type queue struct {
	mu     sync.Mutex
	wake   *sync.Cond
	cells  []*request
	bytes  int
	closed bool
	idle   bool      // pop waits for a cell
	failed time.Time // when a cell last stopped those behind it
}

func newQueue() *queue {
	q := new(queue)
	q.wake = sync.NewCond(&q.mu)
	return q
}

// push says whether there was room; a queue that was closed has none.
func (q *queue) push(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.cells) >= maxQueue || q.bytes+len(r.Content) > maxQueueBytes {
		return false
	}
	if q.closed {
		return false
	}
	q.cells = append(q.cells, r)
	q.bytes += len(r.Content)
	q.wake.Signal()
	return true
}

// pop waits for the next cell; nil says that the queue was closed.
func (q *queue) pop() *request {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.cells) == 0 && !q.closed {
		q.idle = true
		q.wake.Wait()
	}
	q.idle = false
	if q.closed {
		return nil
	}
	r := q.cells[0]
	q.cells[0] = nil
	q.cells = q.cells[1:]
	q.bytes -= len(r.Content)
	return r
}

// behind tells whether a cell waits for another to end.
func (q *queue) behind() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.cells) > 1 || len(q.cells) == 1 && !q.idle
}

// foreseen is how many waiting cells the runner is told of.
const foreseen = 64

// waiting lists the contents of the first requests that wait.
func (q *queue) waiting() [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([][]byte, min(len(q.cells), foreseen))
	for i := range out {
		out[i] = q.cells[i].Content
	}
	return out
}

// onTheWay is how long after a failure cells may still arrive that were sent before it.
const onTheWay = 200 * time.Millisecond

// fail takes all cells that wait behind one that failed.
func (q *queue) fail() []*request {
	q.mu.Lock()
	q.failed = time.Now()
	q.mu.Unlock()
	return q.drain()
}

// overtaken tells whether a cell was sent before one failed that should have stopped
// it, and came too late to wait behind it: a front end sends a whole notebook at once,
// and a cell may fail in less time than that takes.
func (q *queue) overtaken(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failed.IsZero() || time.Since(q.failed) > onTheWay {
		return false
	}
	sent, err := time.Parse(time.RFC3339Nano, r.Header.Date)
	return err == nil && sent.Before(q.failed)
}

// drain takes all cells that wait now.
func (q *queue) drain() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.cells
	q.cells, q.bytes = nil, 0
	return all
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake.Broadcast()
}
