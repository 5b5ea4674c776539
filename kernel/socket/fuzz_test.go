package socket

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
)

// fakeConn reads from memory and forgets what is written.
type fakeConn struct{ r *bytes.Reader }

func (f fakeConn) Read(p []byte) (int, error)       { return f.r.Read(p) }
func (f fakeConn) Write(p []byte) (int, error)      { return len(p), nil }
func (f fakeConn) Close() error                     { return nil }
func (f fakeConn) LocalAddr() net.Addr              { return nil }
func (f fakeConn) RemoteAddr() net.Addr             { return nil }
func (f fakeConn) SetDeadline(time.Time) error      { return nil }
func (f fakeConn) SetReadDeadline(time.Time) error  { return nil }
func (f fakeConn) SetWriteDeadline(time.Time) error { return nil }

// FuzzGuard reads any bytes through the guard and zmq4.Conn behind it: nothing
// may panic, and nothing above the limits may come through.
func FuzzGuard(f *testing.F) {
	start := append(goodGreeting(), readyFrame("DEALER", "me")...)
	f.Add(start)
	f.Add(append(bytes.Clone(start), 0, 2, 'h', 'i', 1, 0, 0, 0))
	f.Add(append(bytes.Clone(start), longHeader(0, 1<<50)...))
	f.Add(append(bytes.Clone(start), longHeader(0, 3)...))
	f.Add(append(bytes.Clone(start), commandFrame("PING", []byte{0, 1, 'c'})...))
	f.Add(append(goodGreeting(), commandFrame("READY", []byte{11, 'S'})...))
	const most = 2 << 20
	f.Fuzz(func(t *testing.T, b []byte) {
		lim := limits{kind: zmq4.Router, parts: 8, message: most, budget: newBudget(2 * most)}
		g := newGuard(fakeConn{bytes.NewReader(b)}, lim)
		conn, err := zmq4.Open(g, null.Security(), zmq4.Router, nil, true, nil)
		if err != nil {
			return
		}
		g.opened(func(command) error { return nil })
		for {
			m, err := conn.RecvMsg()
			if err != nil {
				break
			}
			n := 0
			for _, p := range m.Frames {
				n += len(p)
			}
			if m.Type == zmq4.CmdMsg || len(m.Frames) > 8 || n > most {
				t.Fatalf("let through: type %v, %d frames, %d bytes", m.Type, len(m.Frames), n)
			}
		}
		g.release()
		if left := lim.budget.left.Load(); left != 2*most {
			t.Fatalf("%d bytes of the budget are lost", 2*most-left)
		}
	})
}
