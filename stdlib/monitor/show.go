package monitor

import (
	"time"

	"attune/display"
)

// drawEvery is the time between two pictures of a live chart, and share bounds its
// cost: after a picture that took t to draw, at least share times t pass.
const (
	drawEvery = 500 * time.Millisecond
	share     = 12
)

// Show draws the history since Start into the running cell's output, and again twice
// a second until the cell ends. The last picture is of the cell's end and stays. A
// monitor that never ran is started. Without a session it draws once, as text.
func (m *Monitor) Show() {
	m.ensure()
	live := display.NewLiveEvery(time.Millisecond)
	stop, done := make(chan struct{}), make(chan struct{})
	ends := display.AtEnd(func() {
		close(stop)
		<-done
		m.mu.Lock()
		running := m.running
		m.mu.Unlock()
		if running {
			m.sample()
		}
		live.Update(m.Bundle())
	})
	if !ends {
		live.Update(m.Bundle())
		return
	}
	live.Update(m.picture(display.Sketch))
	go m.redraw(live, stop, done)
}

// redraw keeps a live chart new until stop.
func (m *Monitor) redraw(live *display.Live, stop, done chan struct{}) {
	defer close(done)
	wait := drawEvery
	for {
		select {
		case <-stop:
			return
		case <-time.After(wait):
		}
		start := time.Now()
		live.Update(m.picture(display.Sketch))
		wait = max(drawEvery, share*time.Since(start))
	}
}
