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

// MarkAs is Mark for a moment of that kind.
func MarkAs(kind Kind, name string) { Session().MarkAs(kind, name) }

// Show draws the session's history into the running cell's output, live while the
// cell runs.
func Show() { Session().Show() }

// Summary is the session's peaks as a table.
func Summary() Report { return Session().Summary() }

// Cell tells the session's monitor that a cell begins; see Monitor.Cell.
func Cell(name string, bar bool) { Session().Cell(name, bar) }

// When calls f each time that the condition begins to hold; see Monitor.When.
func When(c Condition, f func(Alert)) (cancel func()) { return Session().When(c, f) }

// Budget draws a limit and a forecast on the session's chart; see Monitor.Budget.
func Budget(of Measure, limit float64) { Session().Budget(of, limit) }

// SaveCSV writes the session's history to a file; see Monitor.WriteCSV.
func SaveCSV(path string) error { return Session().SaveCSV(path) }

// SaveTensorBoard writes the session's history as an event file; see
// Monitor.SaveTensorBoard.
func SaveTensorBoard(dir string) (string, error) { return Session().SaveTensorBoard(dir) }

// ServePrometheus answers Prometheus on the loopback; see Monitor.ServePrometheus.
func ServePrometheus(addr string) (url string, stop func() error, err error) {
	return Session().ServePrometheus(addr)
}
