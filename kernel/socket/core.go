package socket

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
)

// core is what all socket types share: the accept loop, handshakes, the list of
// peers and the end. The four functions are set before start and never change.
type core struct {
	kind  zmq4.SocketType
	opt   Options
	ln    net.Listener
	limit limits

	opened  func(*peer)
	message func(*peer, [][]byte) error
	command func(*peer, subscription) error
	closed  func(*peer)

	mu      sync.Mutex
	conns   map[net.Conn]struct{} // all accepted, handshaking ones included
	all     map[*peer]struct{}
	peers   atomic.Pointer[[]*peer] // a snapshot of all, for senders
	nextID  atomic.Uint32
	done    chan struct{}
	ending  sync.Once
	workers sync.WaitGroup
}

func newCore(kind zmq4.SocketType, endpoint string, opt Options) (*core, error) {
	ln, err := listen(endpoint)
	if err != nil {
		return nil, err
	}
	c := &core{
		kind: kind, opt: opt.withDefaults(), ln: ln,
		conns: make(map[net.Conn]struct{}), all: make(map[*peer]struct{}),
		done:    make(chan struct{}),
		opened:  func(*peer) {},
		closed:  func(*peer) {},
		command: func(*peer, subscription) error { return nil },
	}
	c.limit = limits{
		kind: kind, parts: c.opt.MaxParts, message: c.opt.MaxMessage,
		budget: newBudget(2 * c.opt.MaxMessage),
	}
	c.peers.Store(new([]*peer))
	var seed [4]byte
	if _, err := rand.Read(seed[:]); err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("seed peer identities: %w", err)
	}
	c.nextID.Store(binary.BigEndian.Uint32(seed[:]))
	return c, nil
}

func (c *core) start() {
	c.workers.Add(1)
	go c.accept()
}

// accept hands each connection to a goroutine of its own at once, so that no
// handshake delays another. It survives passing errors such as EMFILE.
func (c *core) accept() {
	defer c.workers.Done()
	for {
		nc, err := c.ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			c.opt.Report(fmt.Errorf("accept: %w", err))
			select {
			case <-c.done:
				return
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		if !c.admit(nc) {
			_ = nc.Close()
			c.opt.Report(fmt.Errorf("accept: %d connections are open already", c.opt.MaxConns))
			continue
		}
		go c.serve(nc)
	}
}

func (c *core) admit(nc net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isDone() || len(c.conns) >= c.opt.MaxConns {
		return false
	}
	c.conns[nc] = struct{}{}
	c.workers.Add(1)
	return true
}

func (c *core) isDone() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// serve is one connection from handshake to end. Whatever zmq4 may still panic
// about ends this connection alone.
func (c *core) serve(nc net.Conn) {
	defer c.workers.Done()
	defer func() {
		_ = nc.Close()
		c.mu.Lock()
		delete(c.conns, nc)
		c.mu.Unlock()
	}()
	defer func() {
		if r := recover(); r != nil {
			c.opt.Report(fmt.Errorf("connection of %s: panic: %v", nc.RemoteAddr(), r))
		}
	}()
	if err := c.converse(nc); err != nil && !c.isDone() {
		c.opt.Report(fmt.Errorf("connection of %s: %w", nc.RemoteAddr(), err))
	}
}

func (c *core) converse(nc net.Conn) error {
	if err := nc.SetDeadline(time.Now().Add(c.opt.Handshake)); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	g := newGuard(nc, c.limit)
	defer g.release()
	conn, err := zmq4.Open(g, null.Security(), c.kind, nil, true, nil)
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if err := nc.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("clear deadline: %w", err)
	}
	id := conn.Peer.Meta["Identity"]
	if id == "" {
		// A leading zero keeps made-up identities apart from those peers choose.
		id = string(binary.BigEndian.AppendUint32([]byte{0}, c.nextID.Add(1)))
	}
	p := newPeer(id, conn, g, c.opt)
	g.opened(func(cmd command) error { return c.obey(p, cmd) })
	if !c.add(p) {
		return nil
	}
	defer c.remove(p)
	go p.write()
	for {
		msg, err := conn.RecvMsg()
		if err != nil {
			return quiet(err)
		}
		if err := c.message(p, msg.Frames); err != nil {
			return err
		}
	}
}

func (c *core) obey(p *peer, cmd command) error {
	switch cmd.name {
	case zmq4.CmdPing:
		return p.pong(cmd.body)
	case zmq4.CmdSubscribe:
		return c.command(p, subscription{on: true, topic: string(cmd.body)})
	case zmq4.CmdCancel:
		return c.command(p, subscription{topic: string(cmd.body)})
	}
	return nil
}

func (c *core) add(p *peer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isDone() {
		return false
	}
	c.all[p] = struct{}{}
	c.snapshot()
	c.opened(p)
	return true
}

func (c *core) remove(p *peer) {
	p.kill()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, p)
	c.snapshot()
	c.closed(p)
}

// snapshot must be called with mu held.
func (c *core) snapshot() {
	list := make([]*peer, 0, len(c.all))
	for p := range c.all {
		list = append(list, p)
	}
	c.peers.Store(&list)
}

// Addr is the address that the socket listens on.
func (c *core) Addr() net.Addr { return c.ln.Addr() }

// Close ends the socket; see Socket.
func (c *core) Close() error {
	var err error
	c.ending.Do(func() {
		c.mu.Lock()
		close(c.done)
		c.mu.Unlock()
		err = c.ln.Close()
		c.linger()
		c.mu.Lock()
		for nc := range c.conns {
			_ = nc.Close()
		}
		c.mu.Unlock()
	})
	c.workers.Wait()
	return err
}

// linger waits until every peer's queue has left, within the limit.
func (c *core) linger() {
	limit := time.NewTimer(c.opt.Linger)
	defer limit.Stop()
	peers := *c.peers.Load()
	for _, p := range peers {
		p.finish()
	}
	for _, p := range peers {
		select {
		case <-p.written:
		case <-limit.C:
			return
		}
	}
}

// quiet hides the ways a connection ends by itself.
func quiet(err error) error {
	var bad *violation
	if errors.As(err, &bad) {
		return bad
	}
	return nil
}
