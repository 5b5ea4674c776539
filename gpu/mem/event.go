package mem

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is what happened in an Event.
type Kind uint8

// The kinds of events.
const (
	Alloc Kind = iota
	Free
	OutOfMemory
)

func (k Kind) String() string {
	switch k {
	case Alloc:
		return "alloc"
	case Free:
		return "free"
	case OutOfMemory:
		return "out of memory"
	}
	return "unknown"
}

// Event is one change, with the counters as they were just after it.
type Event struct {
	// Seq numbers an allocator's events from 1 without gaps.
	Seq            uint64
	Time           time.Time
	Kind           Kind
	Category       Category
	Bytes          int64
	Live, Reserved int64
}

// logSize is how many events an allocator remembers.
const logSize = 4096

// event is an Event as the log keeps it: its number is its place, its time is since the
// allocator's start.
type event struct {
	at             time.Duration
	kind           Kind
	category       Category
	bytes          int64
	live, reserved int64
}

// ring keeps the last logSize events.
type ring struct {
	events []event
	seq    uint64
}

func (r *ring) add(e event) {
	r.seq++
	if len(r.events) < logSize {
		r.events = append(r.events, e)
		return
	}
	r.events[(r.seq-1)%logSize] = e
}

// now is the time since the allocator's start.
func (a *Allocator) now() time.Duration { return time.Since(a.start) }

// told is event number seq as others see it.
func (a *Allocator) told(seq uint64) Event {
	e := a.log.events[(seq-1)%logSize]
	return Event{
		Seq: seq, Time: a.start.Add(e.at), Kind: e.kind, Category: e.category, Bytes: e.bytes,
		Live: e.live, Reserved: e.reserved,
	}
}

// emit logs an event and tells the subscribers. The lock is held, and let go of before
// they are called.
func (a *Allocator) emit(kind Kind, cat Category, size int64, now time.Duration) {
	a.log.add(event{at: now, kind: kind, category: cat, bytes: size, live: a.state.Total.Live, reserved: a.state.Reserved})
	if len(a.subs) == 0 {
		a.mu.Unlock()
		return
	}
	e := a.told(a.log.seq)
	var calls []func(Event)
	for _, f := range a.subs {
		calls = append(calls, f)
	}
	a.mu.Unlock()
	for _, f := range calls {
		f(e)
	}
}

// Events returns what the log remembers after sequence number seq (0 for all of
// it), oldest first. The log holds the last 4,096 events; a first Seq above
// seq+1 says that some were lost.
func (a *Allocator) Events(seq uint64) []Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Event
	for n := max(seq, a.log.seq-uint64(len(a.log.events))); n < a.log.seq; n++ {
		out = append(out, a.told(n+1))
	}
	return out
}

// Subscribe calls f after every event, in the goroutine that caused it, until
// cancel is called. It must be quick; it may call the allocator's methods.
func (a *Allocator) Subscribe(f func(Event)) (cancel func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := a.nextID
	a.nextID++
	a.subs[id] = f
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.subs, id)
	}
}

// Holding is one live block, for a list of who holds what. ID is the block's.
type Holding struct {
	ID       uint64
	Category Category
	Bytes    int64
	Since    time.Time
}

// Holdings lists the live blocks, largest first.
func (a *Allocator) Holdings() []Holding {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.holdings()
}

// holdings is Holdings with the lock held.
func (a *Allocator) holdings() []Holding {
	out := make([]Holding, 0, a.state.Total.Blocks)
	for b := a.newest; b != nil; b = b.older {
		out = append(out, Holding{ID: b.id, Category: b.cat, Bytes: b.size, Since: a.start.Add(b.born)})
	}
	slices.SortFunc(out, func(x, y Holding) int {
		if x.Bytes != y.Bytes {
			return int(min(max(y.Bytes-x.Bytes, -1), 1))
		}
		return int(min(max(int64(x.ID)-int64(y.ID), -1), 1))
	})
	return out
}

// OutOfMemoryError says what was wanted, what stood in the way and who holds it.
// All figures are bytes. Cap is 0 when the source itself refused; Err then says
// why. Largest are the largest blocks, at most three.
type OutOfMemoryError struct {
	Name               string
	Category           Category
	Want, Live, Cached int64
	Cap                int64
	ByCategory         [NumCategories]int64
	Largest            []Holding
	Err                error
}

func (e *OutOfMemoryError) Error() string {
	s := fmt.Sprintf("out of memory on %s: wanted %s for %s, %d live, %d cached", e.Name, Bytes(e.Want), e.Category, e.Live, e.Cached)
	if e.Cap > 0 {
		s += fmt.Sprintf(", cap %d", e.Cap)
	}
	var held, largest []string
	for _, c := range Categories() {
		if n := e.ByCategory[c]; n > 0 {
			held = append(held, fmt.Sprintf("%s %d", c, n))
		}
	}
	for _, h := range e.Largest {
		largest = append(largest, fmt.Sprintf("%d of %s", h.Bytes, h.Category))
	}
	if len(held) > 0 {
		s += fmt.Sprintf("; held: %s; largest blocks: %s", strings.Join(held, ", "), strings.Join(largest, ", "))
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *OutOfMemoryError) Unwrap() error { return e.Err }

func (a *Allocator) outOfMemory(size int64, cat Category, err error) *OutOfMemoryError {
	e := &OutOfMemoryError{
		Name: a.state.Name, Category: cat, Want: size, Live: a.state.Total.Live,
		Cached: a.state.Cached, Cap: a.state.Cap, Err: err,
	}
	for i, c := range a.state.ByCategory {
		e.ByCategory[i] = c.Live
	}
	all := a.holdings()
	e.Largest = all[:min(3, len(all))]
	return e
}
