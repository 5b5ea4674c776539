package serve

import (
	"bytes"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"attune/interp/native/cellrt"
)

// stopper decides which goroutines end at a safepoint: the interrupted cell's own
// and those that it started. Goroutines of earlier cells live on.
type stopper struct {
	mu     sync.Mutex
	doomed map[int64]bool
	pulse  bool
}

func newStopper() *stopper { return &stopper{doomed: map[int64]bool{}} }

// begin dooms the goroutine and its living descendants and raises the flag.
func (s *stopper) begin(id int64) {
	family := descendants(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	for g := range family {
		s.doomed[g] = true
	}
	atomic.StoreUint32(&cellrt.Stop, 1)
	if !s.pulse {
		s.pulse = true
		go s.watch()
	}
}

// watch keeps the flag up for the first moments and then raises it now and again,
// so that a doomed goroutine that was blocked ends when it goes on, while the
// others do not pay for looking.
func (s *stopper) watch() {
	time.Sleep(300 * time.Millisecond)
	for {
		living := descendants(0)
		s.mu.Lock()
		for g := range s.doomed {
			if !living[g] {
				delete(s.doomed, g)
			}
		}
		if len(s.doomed) == 0 {
			s.pulse = false
			atomic.StoreUint32(&cellrt.Stop, 0)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		atomic.StoreUint32(&cellrt.Stop, 0)
		time.Sleep(50 * time.Millisecond)
		atomic.StoreUint32(&cellrt.Stop, 1)
		time.Sleep(time.Millisecond)
	}
}

// ended forgets a goroutine that is over.
func (s *stopper) ended(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.doomed, id)
	if len(s.doomed) == 0 && s.pulse {
		atomic.StoreUint32(&cellrt.Stop, 0)
	}
}

// stopped is asked at a safepoint while the flag is up.
func (s *stopper) stopped() bool {
	id, parent := parse(stackOf())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doomed[parent] {
		s.doomed[id] = true
	}
	return s.doomed[id]
}

func stackOf() []byte {
	buf := make([]byte, 1<<16)
	return buf[:runtime.Stack(buf, false)]
}

// goid is the number of the calling goroutine, as stack traces print it. The
// runtime has no other way to tell; it is asked once a cell.
func goid() int64 {
	id, _ := parse(stackOf())
	return id
}

// parse reads a goroutine's number and its creator's from its stack trace.
func parse(stack []byte) (id, parent int64) {
	if rest, ok := bytes.CutPrefix(stack, []byte("goroutine ")); ok {
		id = leadingInt(rest)
	}
	if i := bytes.LastIndex(stack, []byte(" in goroutine ")); i >= 0 {
		parent = leadingInt(stack[i+len(" in goroutine "):])
	}
	return id, parent
}

func leadingInt(b []byte) int64 {
	end := 0
	for end < len(b) && b[end] >= '0' && b[end] <= '9' {
		end++
	}
	n, _ := strconv.ParseInt(string(b[:end]), 10, 64)
	return n
}

// descendants lists root and the living goroutines that come from it; with root
// 0, all living goroutines.
func descendants(root int64) map[int64]bool {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) || len(buf) >= 64<<20 {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	parents := map[int64]int64{}
	for part := range bytes.SplitSeq(buf, []byte("\n\n")) {
		if id, parent := parse(part); id != 0 {
			parents[id] = parent
		}
	}
	out := map[int64]bool{}
	if root != 0 {
		out[root] = true
	}
	for id := range parents {
		for g, hops := id, 0; g != 0 && hops < 1000; g, hops = parents[g], hops+1 {
			if root == 0 || g == root {
				out[id] = true
				break
			}
		}
	}
	return out
}
