package serve

import (
	"reflect"
	"slices"
	"sync"

	"attune/interp/worker"
	"attune/interp/yaegi"
)

// maxAgain is how many cells of the instant engine are kept ready, about forty kilobytes each.
const maxAgain = 32

// readied is a cell of the instant engine that is compiled and bound. The packed cell
// says all that it was made of: a key means one thing until it is forgotten or bound anew.
type readied struct {
	packed  string
	times   int // again.times when it was bound
	loops   [][]worker.Extent
	program *yaegi.Compiled
	results []reflect.Value
}

// again keeps the latest cells of the instant engine for when they run once more:
// compiling one takes longer than all else that the worker does for it.
type again struct {
	mu    sync.Mutex
	kept  []*readied // oldest first; one that runs is not among them
	times int        // how often all were dropped
}

// take is the cell if it is there, else an empty one to make it in.
func (a *again) take(packed []byte) (r *readied, found bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.kept, func(r *readied) bool { return r.packed == string(packed) })
	if i < 0 {
		return &readied{packed: string(packed), times: a.times}, false
	}
	r = a.kept[i]
	a.kept = slices.Delete(a.kept, i, i+1)
	return r, true
}

// keep takes a cell that has run to its end, unless all were dropped meanwhile.
func (a *again) keep(r *readied) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.times != a.times {
		return
	}
	if len(a.kept) == maxAgain {
		a.kept = slices.Delete(a.kept, 0, 1)
	}
	a.kept = append(a.kept, r)
}

// drop forgets all cells.
func (a *again) drop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kept = nil
	a.times++
}
