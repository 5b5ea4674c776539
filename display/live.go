package display

import (
	"crypto/rand"
	"sync"
	"time"

	"attune/display/mime"
)

// Interval is the least time between two updates that a Live sends, unless its own
// says otherwise: more often than ten times a second nobody sees.
const Interval = 100 * time.Millisecond

// A drawing that takes longer than slow is not drawn for an update that may never
// be sent, and a Live spends at most one part in share of the time on drawing.
const (
	slow  = 2 * time.Millisecond
	share = 10
)

// Live is one output that is updated in place. Its methods are safe from any
// goroutine. Between two updates passes at least Interval, and ten times as long as
// the last one took to draw; what comes faster replaces what is held back. The
// newest state is always sent: at latest when the cell ends.
type Live struct {
	interval time.Duration
	id       string

	// send orders what goes out; it is held over Out.Display, mu never is.
	send sync.Mutex

	mu    sync.Mutex
	last  time.Time     // when the newest sent state was drawn
	cost  time.Duration // how long that took
	asked int           // number of the newest Update
	sent  int           // number of the newest Update that went out
	shown bool
	held  func() mime.Bundle // draws the newest state; nil when it went out
	heldN int                // number of the Update that is held
	ready bool               // held is drawn already and may be sent from any goroutine
	timer *time.Timer
}

// NewLive is an output with nothing in it yet; the first Update places it.
func NewLive() *Live { return NewLiveEvery(Interval) }

// NewLiveEvery is NewLive with a least time between updates of its own.
func NewLiveEvery(interval time.Duration) *Live {
	return &Live{interval: interval, id: "live-" + rand.Text()}
}

// Update shows v in place of what the Live showed before. v is drawn at once, on
// the caller's goroutine, or not at all when a newer one comes too soon. One
// exception: where drawing takes long (plots), an early update is only held, and
// drawn at the next Update, at Flush or at the cell's end; until then v should not
// be changed by another goroutine.
func (l *Live) Update(v any) {
	l.mu.Lock()
	l.asked++
	n := l.asked
	wait := max(l.interval, share*l.cost) - time.Since(l.last)
	if l.last.IsZero() {
		wait = 0
	}
	dear := l.cost > slow
	l.mu.Unlock()
	switch {
	case wait <= 0:
		start := time.Now()
		b := Render(v)
		l.put(n, b, time.Since(start))
	case dear:
		l.hold(n, func() mime.Bundle { return Render(v) }, 0)
	default:
		b := Render(v)
		l.hold(n, func() mime.Bundle { return b }, wait)
	}
}

// Flush sends the newest state now if it was held back.
func (l *Live) Flush() {
	l.mu.Lock()
	draw, n := l.held, l.heldN
	l.mu.Unlock()
	if draw == nil {
		return
	}
	start := time.Now()
	b := draw()
	l.put(n, b, time.Since(start))
}

// tick is the timer's Flush: a value that is not drawn yet it leaves alone, because
// its owner may be changing it.
func (l *Live) tick() {
	l.mu.Lock()
	l.timer = nil
	ready := l.ready
	l.mu.Unlock()
	if ready {
		l.Flush()
	}
}

// hold keeps update n back, and sends it after wait where that is
// positive, which says that draw has its bundle ready.
func (l *Live) hold(n int, draw func() mime.Bundle, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < l.heldN || n <= l.sent {
		return
	}
	l.held, l.heldN, l.ready = draw, n, wait > 0
	if l.ready && l.timer == nil {
		l.timer = time.AfterFunc(wait, l.tick)
	}
	current.Load().wait(l)
}

// put sends update n unless a newer one went out.
func (l *Live) put(n int, b mime.Bundle, cost time.Duration) {
	l.send.Lock()
	defer l.send.Unlock()
	l.mu.Lock()
	if n <= l.sent {
		l.mu.Unlock()
		return
	}
	update := l.shown
	l.sent, l.shown, l.last, l.cost = n, true, time.Now(), cost
	if l.heldN <= n {
		l.held = nil
		current.Load().done(l)
	}
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if l.held != nil && l.ready {
		l.timer = time.AfterFunc(l.interval, l.tick)
	}
	l.mu.Unlock()
	// An output that is gone takes nothing, and the caller cannot help it.
	_ = handle().Display(b, l.id, update)
}
