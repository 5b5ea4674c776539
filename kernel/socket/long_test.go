package socket

import (
	"bytes"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// frames is how many frames TestManyFrames sends; a long run takes ten million.
var frames = flag.Int64("frames", 200_000, "frames that TestManyFrames sends")

// TestManyFrames has eight connections at a time send good frames, and among them ones
// whose bytes were changed, cut or made up, until there were so many: nothing ends but
// connections that broke the protocol, and good ones are served all the while.
func TestManyFrames(t *testing.T) {
	r := newRouter(t, Options{Handshake: time.Second})
	var sent atomic.Int64
	var peers sync.WaitGroup
	for seed := range uint64(8) {
		peers.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 13))
			for sent.Load() < *frames {
				sent.Add(misbehave(t, r.Addr(), rnd))
			}
		})
	}
	done := make(chan struct{})
	go func() { peers.Wait(); close(done) }()
	for {
		select {
		case <-done:
			eventually(t, "all are forgotten", func() bool { return r.connections() == 0 })
			alive(t, r.Addr())
			t.Logf("%d frames", sent.Load())
			return
		case <-time.After(50 * time.Millisecond):
			good, err := Dial(Dealer, endpoint(r.Addr()), "")
			if err != nil {
				t.Fatal(err)
			}
			if err := good.Send([][]byte{[]byte("alive?")}); err != nil {
				t.Fatal(err)
			}
			if _, err := good.Recv(patience); err != nil {
				t.Fatal(err)
			}
			_ = good.Close()
		}
	}
}

// misbehave is one connection: a batch of up to two thousand frames, one in a thousand
// of them spoilt. It returns how many frames it sent.
func misbehave(t *testing.T, a net.Addr, rnd *rand.Rand) int64 {
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		t.Error(err)
		return 1
	}
	defer func() { _ = c.Close() }()
	go func() { _, _ = io.Copy(io.Discard, c) }()
	var b bytes.Buffer
	b.Write(goodGreeting())
	b.Write(readyFrame("DEALER", ""))
	n := int64(1 + rnd.IntN(2000))
	for range n {
		frame := oneFrame(rnd)
		switch rnd.IntN(3000) {
		case 0:
			frame[rnd.IntN(len(frame))] ^= byte(1 + rnd.IntN(255))
		case 1:
			frame = frame[:rnd.IntN(len(frame))]
		case 2:
			for i := range frame {
				frame[i] = byte(rnd.Uint32())
			}
		}
		b.Write(frame)
	}
	// The other end may hang up midway: that is its right.
	_, _ = c.Write(b.Bytes())
	return n
}

// oneFrame is a frame of up to forty bytes, a PING, or a long one.
func oneFrame(rnd *rand.Rand) []byte {
	switch rnd.IntN(200) {
	case 0:
		return commandFrame("PING", []byte{0, 1, 'c'})
	case 1:
		body := make([]byte, 300+rnd.IntN(3000))
		return append(appendHeader(nil, 0, int64(len(body))), body...)
	}
	body := make([]byte, rnd.IntN(40))
	return append(appendHeader(nil, byte(rnd.IntN(2)), int64(len(body))), body...)
}
