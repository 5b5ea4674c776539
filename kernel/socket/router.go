package socket

import (
	"sync"

	"github.com/go-zeromq/zmq4"
)

// Router is a ROUTER socket: Recv puts the sender's identity before its frames,
// Send takes it off to find the peer. Of two connections with one identity the
// newest owns it. Send never blocks: a peer that lets its queue fill up is
// disconnected.
type Router struct {
	*core
	in    chan [][]byte
	mu    sync.RWMutex
	owner map[string]*peer
}

var _ Socket = (*Router)(nil)

// ListenRouter opens a ROUTER on an endpoint, "tcp://host:port" or "ipc://path".
func ListenRouter(endpoint string, opt Options) (*Router, error) {
	c, err := newCore(zmq4.Router, endpoint, opt)
	if err != nil {
		return nil, err
	}
	r := &Router{core: c, in: make(chan [][]byte), owner: make(map[string]*peer)}
	c.opened = r.own
	c.closed = r.disown
	c.message = r.deliver
	c.start()
	return r, nil
}

func (r *Router) own(p *peer) {
	r.mu.Lock()
	r.owner[p.id] = p
	r.mu.Unlock()
}

func (r *Router) disown(p *peer) {
	r.mu.Lock()
	if r.owner[p.id] == p {
		delete(r.owner, p.id)
	}
	r.mu.Unlock()
}

// deliver blocks the peer's own reader while nobody receives: that is the
// back-pressure on what comes in.
func (r *Router) deliver(p *peer, frames [][]byte) error {
	msg := make([][]byte, 0, 1+len(frames))
	msg = append(append(msg, []byte(p.id)), frames...)
	select {
	case r.in <- msg:
		return nil
	case <-r.done:
		return ErrClosed
	case <-p.gone:
		return ErrClosed
	}
}

// Recv returns the next message, the sender's identity first.
func (r *Router) Recv() ([][]byte, error) {
	select {
	case m := <-r.in:
		return m, nil
	case <-r.done:
		return nil, ErrClosed
	}
}

// Send queues frames[1:] for the peer that owns the identity frames[0].
func (r *Router) Send(frames [][]byte) error {
	if len(frames) == 0 {
		return ErrNoPeer
	}
	r.mu.RLock()
	p := r.owner[string(frames[0])]
	r.mu.RUnlock()
	if p == nil {
		return ErrNoPeer
	}
	err := p.push(frames[1:], r.opt.Queue)
	signal(p.wake)
	if err == errFull {
		r.opt.Report(violated("peer does not read its messages"))
		p.kill()
		return ErrClosed
	}
	return err
}
