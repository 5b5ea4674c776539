package display

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"attune/display/mime"
)

// recorder is an Out that keeps what it was told.
type recorder struct {
	mu     sync.Mutex
	shown  []sent
	clears []bool
	gone   bool
}

type sent struct {
	text, id string
	update   bool
}

func (r *recorder) Display(b mime.Bundle, id string, update bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return errors.New("closed")
	}
	r.shown = append(r.shown, sent{b.Data[mime.Text], id, update})
	return nil
}

func (r *recorder) Clear(wait bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clears = append(r.clears, wait)
	return nil
}

func (r *recorder) last(t *testing.T) sent {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.shown) == 0 {
		t.Fatal("nothing was shown")
	}
	return r.shown[len(r.shown)-1]
}

func record(t *testing.T) *recorder {
	r := &recorder{}
	SetOut(r)
	t.Cleanup(func() { Flush(); SetOut(nil) })
	return r
}

func TestShowAndClearReachTheOutput(t *testing.T) {
	r := record(t)
	Show(1, "two", nil)
	Clear(true)
	want := []sent{{text: "1"}, {text: `"two"`}, {text: "nil"}}
	if fmt.Sprint(r.shown) != fmt.Sprint(want) || fmt.Sprint(r.clears) != "[true]" {
		t.Errorf("shown %v, cleared %v", r.shown, r.clears)
	}
	r.gone = true
	Show(3, 4)
}

func TestLivePlacesOnceThenUpdates(t *testing.T) {
	r := record(t)
	l := NewLiveEvery(time.Nanosecond)
	l.Update("a")
	l.Update("b")
	l.Flush()
	if len(r.shown) != 2 || r.shown[0].update || !r.shown[1].update {
		t.Fatalf("shown %v", r.shown)
	}
	if r.shown[0].id == "" || r.shown[0].id != r.shown[1].id {
		t.Errorf("ids %q and %q", r.shown[0].id, r.shown[1].id)
	}
}

func TestLiveHoldsBackAndSendsTheLast(t *testing.T) {
	r := record(t)
	l := NewLiveEvery(time.Hour)
	for i := range 1000 {
		l.Update(i)
	}
	if len(r.shown) != 1 || r.shown[0].text != "0" {
		t.Fatalf("before the end: %v", r.shown)
	}
	Flush()
	Flush()
	if len(r.shown) != 2 || r.shown[1].text != "999" {
		t.Errorf("at the end: %v", r.shown)
	}
}

// dear takes so long to draw that a Live does not draw it ahead.
type dear struct{ drawn *int }

func (d dear) Bundle() mime.Bundle {
	*d.drawn++
	time.Sleep(2 * slow)
	return mime.Plain(fmt.Sprint("drawing ", *d.drawn))
}

func TestLiveDrawsDearValuesOnlyToSendThem(t *testing.T) {
	r := record(t)
	l := NewLiveEvery(time.Hour)
	drawn := 0
	for range 50 {
		l.Update(dear{&drawn})
	}
	Flush()
	if drawn != 2 || r.last(t).text != "drawing 2" {
		t.Errorf("drawn %d times, shown %v", drawn, r.shown)
	}
}

func TestLiveTimerSendsWhatWasHeld(t *testing.T) {
	r := record(t)
	l := NewLiveEvery(10 * time.Millisecond)
	l.Update("first")
	l.Update("second")
	for r.last(t).text != `"second"` {
		time.Sleep(time.Millisecond)
	}
}

func TestLiveFromManyGoroutinesEndsOnANewestState(t *testing.T) {
	r := record(t)
	l := NewLiveEvery(time.Microsecond)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				l.Update(fmt.Sprint(g, " ", i))
			}
		})
	}
	wg.Wait()
	l.Update("end")
	Flush()
	if got := r.last(t); got.text != `"end"` || !got.update {
		t.Errorf("last is %+v", got)
	}
	for i, s := range r.shown {
		if s.update != (i > 0) {
			t.Fatalf("output %d has update %v", i, s.update)
		}
	}
}

// nested updates the Live that is drawing it.
type nested struct{ l *Live }

func (n nested) String() string { n.l.Update("inner"); return "outer" }

func TestLiveUpdateWithinUpdateDoesNotLock(t *testing.T) {
	record(t)
	l := NewLiveEvery(time.Nanosecond)
	l.Update(nested{l})
}

func TestAtEndRunsOnceBeforeTheLastStateIsSent(t *testing.T) {
	if AtEnd(func() {}) {
		t.Error("a cell's end without a session")
	}
	r := record(t)
	l := NewLiveEvery(time.Hour)
	l.Update("start")
	AtEnd(func() { panic("oops") })
	AtEnd(func() { l.Update("end") })
	Flush()
	Flush()
	if len(r.shown) != 3 || r.shown[1].text != "at the cell's end: panic: oops" || r.shown[2].text != `"end"` {
		t.Errorf("shown %v", r.shown)
	}
}
