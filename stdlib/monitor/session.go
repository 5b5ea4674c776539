package monitor

import (
	"sync/atomic"
)

// session is the monitor of this session, the one piece of state that the design
// permits a package: cells call Show without naming a monitor.
var session atomic.Pointer[Monitor]

// Use makes m the monitor that the package's functions mean. The worker calls it
// once, with the session's devices as sources.
func Use(m *Monitor) { session.Store(m) }

// Session is the monitor that Use set; without one, a new one without sources.
func Session() *Monitor {
	if m := session.Load(); m != nil {
		return m
	}
	session.CompareAndSwap(nil, New())
	return session.Load()
}

// Watch adds a source to the session's monitor.
func Watch(s Source) { Session().Watch(s) }

// Start begins to sample with an empty history.
func Start() { Session().Start() }

// Stop ends the sampling; the history stays to be shown.
func Stop() { Session().Stop() }

// Mark names this moment on the session's charts.
func Mark(name string) { Session().Mark(name) }

// Show draws the session's history into the running cell's output, live while the
// cell runs.
func Show() { Session().Show() }

// Summary is the session's peaks as a table.
func Summary() Report { return Session().Summary() }
