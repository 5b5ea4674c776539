package comm

import (
	"encoding/json"
	"errors"
	"reflect"
	"sync"
	"testing"
)

// use starts a session that keeps what is sent.
func use(t *testing.T) (sent func() []Wire) {
	t.Helper()
	var mu sync.Mutex
	var all []Wire
	Use(func(w Wire) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, w)
		return nil
	})
	t.Cleanup(func() { current.Store(nil) })
	return func() []Wire {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func TestWithoutAFrontEnd(t *testing.T) {
	Register("x", func(*Comm, Message) { t.Error("called") })
	Deliver(Wire{Kind: "open", ID: "1", Target: "x"})
	if _, err := Open("x", nil); err == nil {
		t.Error("a comm was opened to nobody")
	}
}

func TestDataMustBeAnObject(t *testing.T) {
	use(t)
	for _, data := range []any{3, []int{1}, "x", func() {}} {
		if _, err := Open("x", data); err == nil {
			t.Errorf("%T was sent", data)
		}
	}
}

func TestClosedAndForgotten(t *testing.T) {
	sent := use(t)
	c, err := Open("x", struct{ A int }{1})
	if err != nil {
		t.Fatal(err)
	}
	Deliver(Wire{Kind: "close", ID: c.ID()})
	if err := c.Send(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("after the other end closed it: %v", err)
	}
	want := []Wire{{Kind: "open", ID: c.ID(), Target: "x", Message: Message{Data: json.RawMessage(`{"A":1}`)}}}
	if got := sent(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// TestAtOneTime opens, sends and closes from many goroutines.
func TestAtOneTime(t *testing.T) {
	sent := use(t)
	Register("x", func(c *Comm, m Message) { c.OnMessage(func(m Message) { _ = c.Send(nil) }) })
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			id := string(rune('a' + i))
			Deliver(Wire{Kind: "open", ID: id, Target: "x"})
			for range 100 {
				Deliver(Wire{Kind: "msg", ID: id})
			}
			Deliver(Wire{Kind: "close", ID: id})
		})
	}
	all.Wait()
	if n := len(sent()); n != 800 {
		t.Errorf("%d messages came back", n)
	}
}
