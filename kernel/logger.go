package kernel

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const logEvery = time.Second

// logger writes at most one line a second and counts the rest: what a peer sends
// must not fill a disk.
type logger struct {
	dropped atomic.Uint64

	mu     sync.Mutex
	to     io.Writer
	last   time.Time
	silent int // lines left out since last
}

func newLogger(to io.Writer) *logger { return &logger{to: to} }

// drop counts a message that was refused, and notes it.
func (l *logger) drop(channel string, why error) {
	l.dropped.Add(1)
	l.note(channel, fmt.Errorf("message dropped: %w", why))
}

func (l *logger) note(where string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.last) < logEvery {
		l.silent++
		return
	}
	l.tell()
	l.last = time.Now()
	_, _ = fmt.Fprintf(l.to, "attune: %s: %v\n", where, err)
}

// flush says how many lines were left out.
func (l *logger) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell()
}

func (l *logger) tell() {
	if l.silent > 0 {
		_, _ = fmt.Fprintf(l.to, "attune: %d more such lines left out\n", l.silent)
		l.silent = 0
	}
}
