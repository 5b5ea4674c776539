package kernel

import (
	"testing"
	"time"

	"attune/kernel/jupyter"
)

// TestQueueBehind: a cell that is taken at once waits behind none.
func TestQueueBehind(t *testing.T) {
	q := newQueue()
	r := &request{Message: &jupyter.Message{}}
	took := make(chan *request)
	take := func() { took <- q.pop() }
	go take()
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		q.mu.Lock()
		idle := q.idle
		q.mu.Unlock()
		if idle {
			break
		}
		if time.Since(start) > 5*time.Second {
			t.Fatal("pop does not wait")
		}
	}
	q.push(r)
	<-took
	if q.behind() {
		t.Error("an empty queue holds a cell back")
	}
	q.push(r) // the first one runs
	if !q.behind() {
		t.Error("a cell that waits for another is not seen")
	}
	go take()
	<-took
	q.push(r)
	q.push(r)
	if !q.behind() {
		t.Error("two cells that wait are not seen")
	}
}
