package socket

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestIPC(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k-1")
	stale, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = stale.Close()
	r, err := ListenRouter("ipc://"+path, Options{})
	if err != nil {
		t.Fatal("a stale socket file is in the way:", err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", st.Mode(), err)
	}
	if _, err := ListenRouter("ipc://"+path, Options{}); err == nil {
		t.Fatal("two sockets on one path")
	}
	c, err := Dial(Dealer, "ipc://"+path, "me")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send([][]byte{[]byte("a"), {}, []byte("b")}); err != nil {
		t.Fatal(err)
	}
	m, err := r.Recv()
	if err != nil || string(bytes.Join(m, []byte("|"))) != "me|a||b" {
		t.Fatalf("%q, %v", m, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Recv(); !errors.Is(err, ErrClosed) {
		t.Fatal("receive after close:", err)
	}
}

func TestBadEndpoints(t *testing.T) {
	for _, e := range []string{"", "tcp", "udp://127.0.0.1:1", "tcp://127.0.0.1", "tcp://127.0.0.1:99999"} {
		if r, err := ListenRouter(e, Options{}); err == nil {
			_ = r.Close()
			t.Errorf("%q was opened", e)
		}
	}
}

func TestNoPeer(t *testing.T) {
	r := newRouter(t, Options{})
	for _, m := range [][][]byte{nil, {[]byte("nobody"), []byte("x")}} {
		if err := r.Send(m); !errors.Is(err, ErrNoPeer) {
			t.Errorf("send %q: %v", m, err)
		}
	}
}

func TestBigMessages(t *testing.T) {
	r := newRouter(t, Options{})
	c := dial(t, Dealer, r.Addr(), "")
	for _, size := range []int{0, 1, 255, 256, smallFrame, smallFrame + 1, passLimit, passLimit + 1, 20 << 20} {
		text := bytes.Repeat([]byte{'x'}, size)
		go func() { _ = c.Send([][]byte{text, text[:size/2]}) }()
		m := recv(t, c)
		if !bytes.Equal(m[0], text) || len(m[1]) != size/2 {
			t.Fatalf("%d bytes came back as %d and %d", size, len(m[0]), len(m[1]))
		}
	}
}

func TestConnectionCap(t *testing.T) {
	r := newRouter(t, Options{MaxConns: 3})
	for range 3 {
		dial(t, Dealer, r.Addr(), "")
	}
	ended(t, rawConn(t, r.Addr()))
}

func TestBudgetOfAllConnections(t *testing.T) {
	r := newRouter(t, Options{MaxMessage: 8 << 20})
	part := append(longHeader(0, 8<<20), make([]byte, 7<<20)...)
	for range 2 {
		rawConn(t, r.Addr(), goodGreeting(), readyFrame("DEALER", ""), part)
	}
	eventually(t, "the budget is taken", func() bool { return r.limit.budget.left.Load() <= 2<<20 })
	ended(t, rawConn(t, r.Addr(), goodGreeting(), readyFrame("DEALER", ""), part))
	alive(t, r.Addr())
}

func TestGreetings(t *testing.T) {
	r := newRouter(t, Options{})
	for name, change := range map[string]func([]byte){
		"signature": func(b []byte) { b[0] = 1 },
		"footer":    func(b []byte) { b[9] = 0 },
		"version":   func(b []byte) { b[10] = 2 },
		"mechanism": func(b []byte) { copy(b[12:], "CURVE") },
	} {
		b := goodGreeting()
		change(b)
		t.Run(name, func(t *testing.T) { ended(t, rawConn(t, r.Addr(), b)) })
	}
	alive(t, r.Addr())
}

// TestCloseWithADeafPeer shows that Close returns although a peer reads nothing.
func TestCloseWithADeafPeer(t *testing.T) {
	x, err := ListenXPub("tcp://127.0.0.1:0", Options{Linger: 50 * time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	deaf := rawConn(t, x.Addr(), goodGreeting(), readyFrame("SUB", ""), []byte{0, 1, 1})
	shrinkBuffer(deaf)
	<-x.Subscribed()
	for range 20 {
		if err := x.Send([][]byte{[]byte("t"), make([]byte, 1<<20)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := x.Send([][]byte{[]byte("t")}); !errors.Is(err, ErrClosed) {
		t.Fatal("send after close:", err)
	}
}

// TestSoonKeepsOrder mixes messages that wait for company with those that do not;
// the last one waits and has none.
func TestSoonKeepsOrder(t *testing.T) {
	x, err := ListenXPub("tcp://127.0.0.1:0", Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	c := dial(t, Subscriber, x.Addr(), "")
	if err := c.Subscribe(""); err != nil {
		t.Fatal(err)
	}
	<-x.Subscribed()
	const rounds = 20
	for round := range rounds {
		for i, to := range []Sender{x.Soon(), x.Soon(), x, x.Soon()} {
			if err := to.Send([][]byte{{'t'}, {byte(round), byte(i)}}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 4 {
			if m := recv(t, c); m[1][0] != byte(round) || m[1][1] != byte(i) {
				t.Fatalf("in place of %d of round %d came %v", i, round, m[1])
			}
		}
	}
}
