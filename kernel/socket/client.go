package socket

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
)

// Role is what a Client speaks as.
type Role string

// The roles of a kernel's clients.
const (
	Dealer     Role = "DEALER"
	Req        Role = "REQ"
	Subscriber Role = "SUB"
)

// Client is the other end, for talking to a kernel of one's own: tests,
// benchmarks and headless runs. Send and Recv may be called from two goroutines,
// each by one at a time.
type Client struct {
	nc   net.Conn
	conn *zmq4.Conn
	out  *bufferedConn
	send sync.Mutex
}

// bufferedConn makes one read of the many that a message takes, and one write.
type bufferedConn struct {
	net.Conn
	in  *bufio.Reader
	out *bufio.Writer
	up  bool
}

func (b *bufferedConn) Read(p []byte) (int, error) { return b.in.Read(p) }

func (b *bufferedConn) Write(p []byte) (int, error) {
	n, err := b.out.Write(p)
	if err == nil && !b.up {
		err = b.out.Flush()
	}
	return n, err
}

// Dial connects to an endpoint, "tcp://host:port" or "ipc://path". A Subscriber
// hears nothing before Subscribe.
func Dial(role Role, endpoint, identity string) (*Client, error) {
	network, addr, ok := strings.Cut(endpoint, "://")
	if !ok {
		return nil, fmt.Errorf("dial: endpoint %q has no transport", endpoint)
	}
	if network == "ipc" {
		network = "unix"
	}
	nc, err := net.DialTimeout(network, addr, 5*time.Second)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", endpoint, err)
	}
	if err := nc.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("dial %s: %w", endpoint, err)
	}
	buf := &bufferedConn{Conn: nc, in: bufio.NewReader(nc), out: bufio.NewWriter(nc)}
	conn, err := zmq4.Open(buf, null.Security(), zmq4.SocketType(role), zmq4.SocketIdentity(identity), false, nil)
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("dial %s: %w", endpoint, err)
	}
	buf.up = true
	return &Client{nc: nc, conn: conn, out: buf}, nil
}

// Subscribe asks for the topics that begin so.
func (c *Client) Subscribe(topic string) error {
	return c.Send([][]byte{append([]byte{1}, topic...)})
}

// Send sends a message. It blocks while the other end does not read.
func (c *Client) Send(frames [][]byte) error {
	c.send.Lock()
	defer c.send.Unlock()
	if err := c.conn.SendMsg(zmq4.NewMsgFrom(frames...)); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if err := c.out.out.Flush(); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// Recv waits for the next message; a zero limit waits for ever.
func (c *Client) Recv(limit time.Duration) ([][]byte, error) {
	var deadline time.Time
	if limit > 0 {
		deadline = time.Now().Add(limit)
	}
	if err := c.nc.SetReadDeadline(deadline); err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	for {
		msg, err := c.conn.RecvMsg()
		if err != nil {
			return nil, fmt.Errorf("receive: %w", err)
		}
		if msg.Type != zmq4.CmdMsg {
			return msg.Frames, nil
		}
	}
}

// Close ends the connection.
func (c *Client) Close() error {
	if err := c.nc.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}
