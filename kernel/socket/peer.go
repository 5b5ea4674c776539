package socket

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
)

const (
	itemCost  = 100       // bytes of memory that a queued message takes besides its text
	frameCost = 48        // and each frame of it
	minDrain  = 256 << 10 // bytes a full peer must take in Options.Stall to be kept
)

// peer is one connection after its handshake: a queue bounded in bytes and one
// goroutine that writes it out in batches.
type peer struct {
	id   string
	conn *zmq4.Conn
	g    *guard
	opt  Options

	topics atomic.Pointer[[]string] // of an XPUB's peer

	mu      sync.Mutex
	items   [][][]byte
	answer  []byte // the context of a PING to answer; nil for none
	closing bool   // no more items are taken
	dropped bool   // those that wait are not sent either

	queued  atomic.Int64 // bytes that wait or are being written
	drained atomic.Int64 // bytes written since the start
	waiting atomic.Int32 // senders held up by a full queue
	wake    chan struct{}
	space   chan struct{}
	gone    chan struct{}
	ending  sync.Once
	written chan struct{} // closed when the writer has ended
}

func newPeer(id string, conn *zmq4.Conn, g *guard, opt Options) *peer {
	p := &peer{
		id: id, conn: conn, g: g, opt: opt,
		wake: make(chan struct{}, 1), space: make(chan struct{}, 1),
		gone: make(chan struct{}), written: make(chan struct{}),
	}
	p.topics.Store(new([]string))
	return p
}

func cost(frames [][]byte) int64 {
	n := int64(itemCost + frameCost*len(frames))
	for _, f := range frames {
		n += int64(len(f))
	}
	return n
}

// push queues a message, or returns errFull where limit bytes wait already, or
// ErrClosed. Whoever calls it wakes the writer.
func (p *peer) push(frames [][]byte, limit int64) error {
	p.mu.Lock()
	if p.closing {
		p.mu.Unlock()
		return ErrClosed
	}
	if p.queued.Load() >= limit {
		p.mu.Unlock()
		return errFull
	}
	p.items = append(p.items, frames)
	p.queued.Add(cost(frames))
	p.mu.Unlock()
	return nil
}

// pushPatiently queues a message and waits while the queue is full, as long as
// the peer drains it. One that does not is disconnected.
func (p *peer) pushPatiently(frames [][]byte, limit int64) error {
	err := p.push(frames, limit)
	signal(p.wake)
	if err != errFull {
		return err
	}
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	start, from := time.Now(), p.drained.Load()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for err == errFull {
		select {
		case <-p.space:
		case <-p.gone:
			return ErrClosed
		case <-tick.C:
		}
		if time.Since(start) > p.opt.Stall {
			if p.drained.Load()-from < minDrain {
				p.opt.Report(violated("peer does not read its messages"))
				p.kill()
				return ErrClosed
			}
			start, from = time.Now(), p.drained.Load()
		}
		err = p.push(frames, limit)
		signal(p.wake)
	}
	signal(p.space) // another sender may wait for the same room
	return err
}

// pong notes that a PING is to be answered. One answer is enough for many.
func (p *peer) pong(ping []byte) error {
	if len(ping) < 2 || len(ping) > 2+16 {
		return violated("PING of %d bytes", len(ping))
	}
	p.mu.Lock()
	p.answer = append([]byte{}, ping[2:]...)
	p.mu.Unlock()
	signal(p.wake)
	return nil
}

// finish lets what is queued leave and then ends the writing side.
func (p *peer) finish() {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	signal(p.wake)
}

// kill ends the connection and forgets what is queued.
func (p *peer) kill() {
	p.mu.Lock()
	p.closing, p.dropped = true, true
	p.items = nil
	p.mu.Unlock()
	p.ending.Do(func() {
		close(p.gone)
		_ = p.g.Close()
	})
	signal(p.wake)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// write is the peer's one writer. It sends whatever is queued as one batch with
// one flush at its end.
func (p *peer) write() {
	defer close(p.written)
	defer func() {
		if r := recover(); r != nil {
			p.opt.Report(violated("writing panicked: %v", r))
			p.kill()
		}
	}()
	var batch [][][]byte
	for {
		items, answer, more := p.take(batch)
		if err := p.send(items, answer); err != nil {
			p.kill()
			return
		}
		if !more {
			p.hangUp()
			return
		}
		batch = items[:0]
	}
}

// take waits for work and swaps the queue for an empty one. more is false after
// the last of it.
func (p *peer) take(empty [][][]byte) (items [][][]byte, answer []byte, more bool) {
	for {
		p.mu.Lock()
		if len(p.items) > 0 || p.answer != nil || p.closing {
			items, answer = p.items, p.answer
			p.items, p.answer = empty, nil
			more = !p.closing
			p.mu.Unlock()
			return items, answer, more
		}
		p.mu.Unlock()
		<-p.wake
	}
}

func (p *peer) send(items [][][]byte, answer []byte) error {
	if answer != nil {
		if err := p.conn.SendCmd(zmq4.CmdPong, answer); err != nil {
			return err
		}
	}
	for i, frames := range items {
		if err := p.conn.SendMsg(zmq4.NewMsgFrom(frames...)); err != nil {
			return err
		}
		items[i] = nil // a big message's memory need not wait for the batch
		n := cost(frames)
		p.drained.Add(n)
		if left := p.queued.Add(-n); p.waiting.Load() > 0 && left <= p.opt.Queue/2 {
			signal(p.space)
		}
	}
	return p.g.Flush()
}

// hangUp says that nothing more comes, without cutting off what the peer has yet
// to read.
func (p *peer) hangUp() {
	if half, ok := p.g.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
