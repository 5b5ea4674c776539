// Package comm lets cells talk to front ends: a comm is a pair of ends, one in the
// session and one in the page, that send each other JSON and bytes (Jupyter
// messaging, "custom messages"). Widgets are built on it. It imports the standard
// library only.
//
//	comm.Register("counter", func(c *comm.Comm, m comm.Message) {
//		c.OnMessage(func(m comm.Message) { c.Send(map[string]int{"got": len(m.Data)}) })
//	})
//
// Handlers run one at a time, in the order of the messages, beside a cell that runs:
// what they share with it they must lock. What a handler prints belongs to the message.
package comm

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Message is what one end sent to the other.
type Message struct {
	// Data and Metadata are JSON objects.
	Data, Metadata json.RawMessage
	Buffers        [][]byte
}

// Decode reads Data into a pointer, as encoding/json does.
func (m Message) Decode(into any) error {
	if err := json.Unmarshal(m.Data, into); err != nil {
		return fmt.Errorf("decode comm message: %w", err)
	}
	return nil
}

// Comm is the session's end. Its methods are safe from any goroutine.
type Comm struct {
	id, target string
	in         *session

	mu        sync.Mutex
	onMessage func(Message)
	onClose   func(Message)
}

// ErrClosed says that the comm was closed, by either end.
var ErrClosed = errors.New("the comm is closed")

// Wire is a message as the worker passes it on: Kind is "open", "msg" or "close".
type Wire struct {
	Kind, ID, Target string
	Message
}

// session is what Use sets.
type session struct {
	send func(Wire) error

	mu      sync.Mutex
	targets map[string]func(*Comm, Message)
	open    map[string]*Comm
}

// current is the session handle: cells call Open without naming a session.
var current atomic.Pointer[session]

// Use makes send the way to the front end. The worker calls it before any cell runs.
func Use(send func(Wire) error) {
	current.Store(&session{send: send, targets: map[string]func(*Comm, Message){}, open: map[string]*Comm{}})
}

// Register calls handler for each comm that a front end opens to target, with the
// opening message. A nil handler takes the target away.
func Register(target string, handler func(*Comm, Message)) {
	s := current.Load()
	if s == nil {
		return // a program without a kernel has no front end
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if handler == nil {
		delete(s.targets, target)
		return
	}
	s.targets[target] = handler
}

// Open opens a comm to a target of the front end. data becomes a JSON object.
func Open(target string, data any, buffers ...[]byte) (*Comm, error) {
	s := current.Load()
	if s == nil {
		return nil, errors.New("open comm: there is no front end")
	}
	c := &Comm{id: rand.Text(), target: target, in: s}
	s.mu.Lock()
	s.open[c.id] = c
	s.mu.Unlock()
	if err := c.send("open", data, buffers); err != nil {
		s.forget(c)
		return nil, err
	}
	return c, nil
}

// Listening tells whether a message of a front end may reach a handler.
func Listening() bool {
	s := current.Load()
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.targets)+len(s.open) > 0
}

// ID is the same at both ends.
func (c *Comm) ID() string { return c.id }

// Target is what the comm was opened to.
func (c *Comm) Target() string { return c.target }

// OnMessage calls f for each message of the other end.
func (c *Comm) OnMessage(f func(Message)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onMessage = f
}

// OnClose calls f when the other end closes the comm.
func (c *Comm) OnClose(f func(Message)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onClose = f
}

// Send sends a message. data becomes a JSON object.
func (c *Comm) Send(data any, buffers ...[]byte) error { return c.send("msg", data, buffers) }

// Close closes the comm at both ends.
func (c *Comm) Close(data any) error {
	err := c.send("close", data, nil)
	c.in.forget(c)
	return err
}

func (c *Comm) send(kind string, data any, buffers [][]byte) error {
	text := json.RawMessage("{}")
	if data != nil {
		var err error
		if text, err = json.Marshal(data); err != nil {
			return fmt.Errorf("send comm message: %w", err)
		}
	}
	if text[0] != '{' {
		return fmt.Errorf("send comm message: %T becomes no JSON object; use a struct or a map", data)
	}
	c.in.mu.Lock()
	open := c.in.open[c.id] == c
	c.in.mu.Unlock()
	if !open {
		return ErrClosed
	}
	w := Wire{Kind: kind, ID: c.id, Message: Message{Data: text, Buffers: buffers}}
	if kind == "open" {
		w.Target = c.target
	}
	if err := c.in.send(w); err != nil {
		return fmt.Errorf("send comm message: %w", err)
	}
	return nil
}

func (s *session) forget(c *Comm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c.id)
}

// Deliver hands over a message of the front end; the worker calls it. An open whose
// target nobody registered is answered by a close.
func Deliver(w Wire) {
	s := current.Load()
	if s == nil {
		return
	}
	s.mu.Lock()
	c := s.open[w.ID]
	target := s.targets[w.Target]
	if w.Kind == "open" && target != nil {
		c = &Comm{id: w.ID, target: w.Target, in: s}
		s.open[w.ID] = c
	}
	if w.Kind == "close" {
		delete(s.open, w.ID)
	}
	s.mu.Unlock()
	switch {
	case w.Kind == "open" && target != nil:
		target(c, w.Message)
	case w.Kind == "open":
		_ = s.send(Wire{Kind: "close", ID: w.ID, Message: Message{Data: json.RawMessage("{}")}})
	case c != nil:
		c.handle(w)
	}
}

func (c *Comm) handle(w Wire) {
	c.mu.Lock()
	f := c.onMessage
	if w.Kind == "close" {
		f = c.onClose
	}
	c.mu.Unlock()
	if f != nil {
		f(w.Message)
	}
}
