package socket

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// Each test here is a way in which zmq4's own Socket types can be ended, stalled
// or made to lose messages; its number is the row of the list that they came from.

func TestRow1UnknownSocketType(t *testing.T) {
	r := newRouter(t, Options{})
	for _, kind := range []string{"STREAM", "", "SUB", "dealer"} {
		ended(t, rawConn(t, r.Addr(), goodGreeting(), readyFrame(kind, "")))
	}
	ended(t, rawConn(t, r.Addr(), goodGreeting(), commandFrame("READY", nil)))
	alive(t, r.Addr())
}

func TestRow1SocketTypeNameInCapitals(t *testing.T) {
	r := newRouter(t, Options{})
	body := appendProperty(nil, "SOCKET-TYPE", "DEALER")
	c := rawConn(t, r.Addr(), goodGreeting(), commandFrame("READY", body), []byte{0, 2, 'h', 'i'})
	want := append(append([]byte{}, 0, 2), "hi"...)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	var got []byte
	buf := make([]byte, 512)
	for !bytes.HasSuffix(got, want) {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("no echo after %q: %v", got, err)
		}
		got = append(got, buf[:n]...)
	}
}

func TestRow2TruncatedReady(t *testing.T) {
	r := newRouter(t, Options{})
	whole := appendProperty(nil, "Socket-Type", "DEALER")
	for cut := 1; cut < len(whole); cut++ {
		ended(t, rawConn(t, r.Addr(), goodGreeting(), commandFrame("READY", whole[:cut])))
	}
	huge := append([]byte{1, 'a'}, 0xff, 0xff, 0xff, 0xff)
	ended(t, rawConn(t, r.Addr(), goodGreeting(), commandFrame("READY", huge)))
	alive(t, r.Addr())
}

func TestRow3FrameLengths(t *testing.T) {
	r := newRouter(t, Options{})
	for _, size := range []uint64{1 << 30, 1 << 42, 1 << 50, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		ended(t, rawConn(t, r.Addr(), goodGreeting(), longHeader(flagCommand, size)))
		ended(t, rawConn(t, r.Addr(), goodGreeting(), readyFrame("DEALER", ""), longHeader(0, size)))
		ended(t, rawConn(t, r.Addr(), goodGreeting(), readyFrame("DEALER", ""), longHeader(flagCommand, size)))
	}
	alive(t, r.Addr())
}

func TestRow3TooManyFramesAndBytes(t *testing.T) {
	r := newRouter(t, Options{MaxParts: 8, MaxMessage: 4 << 20})
	ended(t, rawConn(t, r.Addr(), goodGreeting(), readyFrame("DEALER", ""), bytes.Repeat([]byte{flagMore, 0}, 9)))
	part := append(longHeader(flagMore, 2<<20), make([]byte, 2<<20)...)
	ended(t, rawConn(t, r.Addr(), goodGreeting(), readyFrame("DEALER", ""), part, part, part))
	alive(t, r.Addr())
}

func TestRow4RandomBytes(t *testing.T) {
	r := newRouter(t, Options{Handshake: 100 * time.Millisecond})
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		junk := make([]byte, rnd.IntN(400))
		for i := range junk {
			junk[i] = byte(rnd.Uint32())
		}
		var prefix []byte
		switch seed % 3 {
		case 1:
			prefix = goodGreeting()
		case 2:
			prefix = append(goodGreeting(), readyFrame("DEALER", "")...)
		}
		c := rawConn(t, r.Addr(), prefix, junk)
		_ = c.Close()
	}
	alive(t, r.Addr())
}

func TestRow5IdleConnectionBlocksNobody(t *testing.T) {
	r := newRouter(t, Options{Handshake: time.Hour})
	for range 5 {
		rawConn(t, r.Addr())
	}
	alive(t, r.Addr())
}

func TestRow5HandshakeHasADeadline(t *testing.T) {
	r := newRouter(t, Options{Handshake: 50 * time.Millisecond})
	ended(t, rawConn(t, r.Addr(), goodGreeting()[:10]))
}

func TestRow6DeadSubscriber(t *testing.T) {
	x, err := ListenXPub("tcp://127.0.0.1:0", Options{Queue: 1 << 20, Stall: 200 * time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	dead := rawConn(t, x.Addr(), goodGreeting(), readyFrame("SUB", ""), []byte{0, 1, 1})
	shrinkBuffer(dead)
	live := dial(t, Subscriber, x.Addr(), "")
	if err := live.Subscribe(""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both subscribed", func() bool { return x.subscribers() == 2 })
	const messages = 20_000
	text := bytes.Repeat([]byte{'x'}, 1000)
	go func() {
		for i := range messages {
			_ = x.Send([][]byte{[]byte("stream"), fmt.Appendf(nil, "%d", i), text})
		}
	}()
	for i := range messages {
		if m := recv(t, live); string(m[1]) != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m[1])
		}
	}
	eventually(t, "the dead one is disconnected", func() bool { return x.subscribers() == 1 })
}

// shrinkBuffer lets the other end's writes block soon.
func shrinkBuffer(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096)
	}
}

// subscribers counts peers with a subscription.
func (x *XPub) subscribers() int {
	n := 0
	for _, p := range *x.peers.Load() {
		if len(*p.topics.Load()) > 0 {
			n++
		}
	}
	return n
}

func TestRow7ClientThatNeverReads(t *testing.T) {
	r := newRouter(t, Options{Queue: 1 << 20})
	deaf := dial(t, Dealer, r.Addr(), "deaf")
	shrinkBuffer(deaf.nc)
	go func() {
		big := make([]byte, 64<<10)
		for {
			if deaf.Send([][]byte{big}) != nil {
				return
			}
		}
	}()
	for range 20 {
		alive(t, r.Addr())
	}
	eventually(t, "the deaf one is disconnected", func() bool {
		r.mu.RLock()
		defer r.mu.RUnlock()
		return r.owner["deaf"] == nil
	})
}

func TestRow8StalledPinger(t *testing.T) {
	e, err := ListenEcho("tcp://127.0.0.1:0", Options{Stall: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	deaf := dial(t, Req, e.Addr(), "")
	shrinkBuffer(deaf.nc)
	go func() {
		big := make([]byte, 32<<10)
		for deaf.Send([][]byte{{}, big}) == nil {
		}
	}()
	other := dial(t, Req, e.Addr(), "")
	for range 50 {
		if err := other.Send([][]byte{{}, []byte("ping")}); err != nil {
			t.Fatal(err)
		}
		if m := recv(t, other); string(m[1]) != "ping" {
			t.Fatalf("got %q", m)
		}
	}
}

func TestRow9CloseLingers(t *testing.T) {
	for range 20 {
		r, err := ListenRouter("tcp://127.0.0.1:0", Options{})
		if err != nil {
			t.Fatal(err)
		}
		c := dial(t, Dealer, r.Addr(), "me")
		if err := c.Send([][]byte{[]byte("end")}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Recv(); err != nil {
			t.Fatal(err)
		}
		const parts = 50
		for i := range parts {
			if err := r.Send([][]byte{[]byte("me"), fmt.Append(nil, i), make([]byte, 10_000)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		for i := range parts {
			if m := recv(t, c); string(m[0]) != fmt.Sprint(i) {
				t.Fatalf("message %d is %q", i, m[0])
			}
		}
	}
}

func TestRow10SubscriptionsAreSeen(t *testing.T) {
	welcome := func(topic string) [][]byte { return [][]byte{[]byte(topic), []byte("welcome")} }
	x, err := ListenXPub("tcp://127.0.0.1:0", Options{}, welcome)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	c := dial(t, Subscriber, x.Addr(), "")
	if err := c.Subscribe("st"); err != nil {
		t.Fatal(err)
	}
	<-x.Subscribed()
	for _, topic := range []string{"other", "status"} {
		if err := x.Send([][]byte{[]byte(topic)}); err != nil {
			t.Fatal(err)
		}
	}
	if m := recv(t, c); string(m[0]) != "st" || string(m[1]) != "welcome" {
		t.Fatalf("first came %q", m)
	}
	if m := recv(t, c); string(m[0]) != "status" {
		t.Fatalf("then came %q", m)
	}
}

func TestRow10SubscribeCommand(t *testing.T) {
	x, err := ListenXPub("tcp://127.0.0.1:0", Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	c := rawConn(t, x.Addr(), goodGreeting(), readyFrame("SUB", ""), commandFrame("SUBSCRIBE", []byte("a")))
	eventually(t, "subscribed", func() bool { return x.subscribers() == 1 })
	_, _ = c.Write(commandFrame("CANCEL", []byte("a")))
	eventually(t, "cancelled", func() bool { return x.subscribers() == 0 })
}

func TestRow11PingGetsPong(t *testing.T) {
	r := newRouter(t, Options{})
	ping := commandFrame("PING", append(binary.BigEndian.AppendUint16(nil, 30), "context"...))
	// Between the frames of a message too, as libzmq does.
	c := rawConn(t, r.Addr(), goodGreeting(), readyFrame("DEALER", ""),
		[]byte{flagMore, 1, 'a'}, ping, []byte{0, 1, 'b'})
	_ = c.SetReadDeadline(time.Now().Add(patience))
	pong := commandFrame("PONG", []byte("context"))
	echo := []byte{flagMore, 1, 'a', 0, 1, 'b'}
	var got []byte
	for buf := make([]byte, 512); !bytes.Contains(got, pong) || !bytes.Contains(got, echo); {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		got = append(got, buf[:n]...)
	}
	ended(t, rawConn(t, r.Addr(), goodGreeting(), readyFrame("DEALER", ""), commandFrame("PING", []byte{1})))
}

func TestRow12NewestOwnsTheIdentity(t *testing.T) {
	r := newRouter(t, Options{})
	old := dial(t, Dealer, r.Addr(), "twin")
	if err := old.Send([][]byte{[]byte("1")}); err != nil {
		t.Fatal(err)
	}
	recv(t, old)
	young := dial(t, Dealer, r.Addr(), "twin")
	if err := young.Send([][]byte{[]byte("2")}); err != nil {
		t.Fatal(err)
	}
	if m := recv(t, young); string(m[0]) != "2" {
		t.Fatalf("got %q", m)
	}
	if err := old.Send([][]byte{[]byte("3")}); err != nil {
		t.Fatal(err)
	}
	if m := recv(t, young); string(m[0]) != "3" {
		t.Fatalf("the newest got %q", m)
	}
	_ = old.Close()
	eventually(t, "the old one is gone", func() bool { return r.connections() == 1 })
	if err := r.Send([][]byte{[]byte("twin"), []byte("4")}); err != nil {
		t.Fatalf("the end of the old one took the identity along: %v", err)
	}
	if m := recv(t, young); string(m[0]) != "4" {
		t.Fatalf("got %q", m)
	}
}

func TestRow13BrokenMidFrame(t *testing.T) {
	r := newRouter(t, Options{})
	for range 20 {
		c := rawConn(t, r.Addr(), goodGreeting(), readyFrame("DEALER", ""), longHeader(0, 100<<20), make([]byte, 3<<20))
		_ = c.Close()
	}
	eventually(t, "all are forgotten", func() bool { return r.connections() == 0 })
	if left := r.limit.budget.left.Load(); left != 2*r.opt.MaxMessage {
		t.Fatalf("%d bytes of the budget are lost", 2*r.opt.MaxMessage-left)
	}
}
