package socket

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// patience is how long a test waits for what must come; it is no measurement.
const patience = 20 * time.Second

func endpoint(a net.Addr) string { return "tcp://" + a.String() }

// newRouter opens a ROUTER that sends every message back to its sender.
func newRouter(t *testing.T, opt Options) *Router {
	t.Helper()
	r, err := ListenRouter("tcp://127.0.0.1:0", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	go func() {
		for {
			m, err := r.Recv()
			if err != nil {
				return
			}
			_ = r.Send(m)
		}
	}()
	return r
}

func dial(t *testing.T, role Role, a net.Addr, id string) *Client {
	t.Helper()
	c, err := Dial(role, endpoint(a), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// alive fails the test unless a new client gets an answer.
func alive(t *testing.T, a net.Addr) {
	t.Helper()
	c := dial(t, Dealer, a, "")
	if err := c.Send([][]byte{[]byte("alive?")}); err != nil {
		t.Fatal(err)
	}
	if m := recv(t, c); string(m[0]) != "alive?" {
		t.Fatalf("got %q", m)
	}
}

func recv(t *testing.T, c *Client) [][]byte {
	t.Helper()
	m, err := c.Recv(patience)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// rawConn connects and sends bytes as they are.
func rawConn(t *testing.T, a net.Addr, parts ...[]byte) net.Conn {
	t.Helper()
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	for _, p := range parts {
		// The other end may hang up midway: that is its right.
		_, _ = c.Write(p)
	}
	return c
}

// ended waits until the other end has hung up.
func ended(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, c); err != nil {
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Fatal("the connection is still open")
		}
	}
}

func goodGreeting() []byte {
	b := make([]byte, greetingLen)
	b[0], b[9], b[10], b[11] = 0xff, 0x7f, 3, 1
	copy(b[12:], "NULL")
	return b
}

func readyFrame(kind, identity string) []byte {
	return ready{kind: kind, identity: identity}.append(nil)
}

// commandFrame is a short command frame.
func commandFrame(name string, body []byte) []byte {
	b := append([]byte{byte(len(name))}, name...)
	b = append(b, body...)
	return append(appendHeader(nil, flagCommand, int64(len(b))), b...)
}

func longHeader(flags byte, size uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{flags | flagLong}, size)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal(fmt.Sprint("never: ", what))
}

// connections is how many connections the socket holds.
func (c *core) connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns)
}
