package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"attune/kernel/jupyter"
)

// ErrInterrupted is what a cell that waits for input gets at an interrupt.
var ErrInterrupted = errors.New("interrupted while waiting for input")

// askAgain is how often a question is tried that no connection could take.
const askAgain = 20 * time.Millisecond

// asker owns the stdin channel: one question at a time.
type asker struct {
	s    *Server
	turn chan struct{} // holds the one who may ask

	mu      sync.Mutex
	waiting *question // nil while nobody waits
}

type question struct {
	id     string // of the input_request
	to     []byte // the identity that was asked
	answer chan string
	stop   chan struct{}
}

func newAsker(s *Server) *asker { return &asker{s: s, turn: make(chan struct{}, 1)} }

// ask sends an input_request to the client that sent r and waits for its reply,
// an interrupt, or ctx.
func (a *asker) ask(ctx context.Context, r *request, prompt string, password bool) (string, error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return "", fmt.Errorf("ask for input: %w", ctx.Err())
	}
	q := &question{id: a.s.session.NewID(), to: identity(r.Identities), answer: make(chan string, 1), stop: make(chan struct{}, 1)}
	a.set(q)
	defer a.set(nil)
	ask := jupyter.Outgoing{
		Route: r.Identities, Type: "input_request", MsgID: q.id, Parent: r.RawHeader,
		Content: jupyter.InputRequest{Prompt: prompt, Password: password},
	}
	// The client's stdin connection may not be there yet, or be there again soon.
	retry := time.NewTicker(askAgain)
	defer retry.Stop()
	for sent := a.s.send(a.s.stdin, ask) == nil; ; {
		select {
		case line := <-q.answer:
			return line, nil
		case <-q.stop:
			return "", ErrInterrupted
		case <-ctx.Done():
			select {
			case <-q.stop: // the interrupt that ended ctx too
				return "", ErrInterrupted
			default:
				return "", fmt.Errorf("ask for input: %w", ctx.Err())
			}
		case <-retry.C:
			sent = sent || a.s.send(a.s.stdin, ask) == nil
		}
	}
}

func (a *asker) set(q *question) {
	a.mu.Lock()
	a.waiting = q
	a.mu.Unlock()
}

func identity(route [][]byte) []byte {
	if len(route) == 0 {
		return nil
	}
	return route[0]
}

// interrupt ends the wait that is under way, if any.
func (a *asker) interrupt() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting != nil {
		select {
		case a.waiting.stop <- struct{}{}:
		default:
		}
	}
}

// deliver hands a line to the question it answers. Lines that come while nobody
// asks, from somebody who was not asked, or for another question are dropped. A
// reply need not name its question: jupyter_client's do not.
func (a *asker) deliver(m *jupyter.Message, line string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil || !bytes.Equal(identity(m.Identities), a.waiting.to) {
		return
	}
	if id := m.Parent.MsgID; id != "" && id != a.waiting.id {
		return
	}
	select {
	case a.waiting.answer <- line:
	default:
	}
}

// receiveInput is the loop of the stdin channel.
func (s *Server) receiveInput() {
	for {
		frames, err := s.stdin.Recv()
		if err != nil {
			return
		}
		msg, err := s.session.Decode(frames)
		if err != nil {
			s.log.drop("stdin", err)
			continue
		}
		var reply jupyter.InputReply
		if msg.Header.MsgType != "input_reply" {
			continue
		}
		if err := jupyter.Parse(msg.Content, &reply); err != nil {
			s.log.drop("stdin", err)
			continue
		}
		s.asker.deliver(msg, reply.Value)
	}
}
