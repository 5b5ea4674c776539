package socket

import (
	"github.com/go-zeromq/zmq4"
)

// Echo is the heartbeat's REP socket. Each connection is answered by itself, so
// that a peer which does not read its echoes holds up nobody else.
type Echo struct{ *core }

// ListenEcho opens a REP that sends every message back, on an endpoint
// "tcp://host:port" or "ipc://path".
func ListenEcho(endpoint string, opt Options) (*Echo, error) {
	c, err := newCore(zmq4.Rep, endpoint, opt)
	if err != nil {
		return nil, err
	}
	c.opt.Queue = 1 << 20
	c.limit.parts, c.limit.message = 16, smallFrame
	// The sender's own reader waits here, and with it the sender.
	c.message = func(p *peer, frames [][]byte) error { return p.pushPatiently(frames, c.opt.Queue) }
	c.start()
	return &Echo{c}, nil
}
