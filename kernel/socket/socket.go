// Package socket owns the kernel's listening ends: ROUTER, XPUB and the
// heartbeat's REP over tcp and ipc. It is the only package that imports
// go-zeromq/zmq4, of which it uses the ZMTP connection (Open, Conn, Msg) and not
// the Socket types: those can be ended by one malformed packet and stalled by one
// silent peer. Every connection runs behind a guard that parses and bounds its
// bytes first, and has one bounded queue with one writer. It imports no other
// attune package.
//
// Frames handed to Send are queued without a copy: they must never change again.
package socket

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// Errors that Send and Recv return.
var (
	// ErrClosed says that the socket was closed.
	ErrClosed = errors.New("socket closed")
	// ErrNoPeer says that no connection owns the identity a message is for.
	ErrNoPeer = errors.New("no such peer")
	// errFull says that a peer's queue holds its limit.
	errFull = errors.New("peer's queue is full")
)

// Sender takes multipart messages; Router and XPub are two.
type Sender interface {
	// Send queues a message. It blocks only where the socket type says so.
	Send(frames [][]byte) error
}

// Socket moves multipart messages both ways. A transport of another make would
// have to offer no more than this and Sender.
type Socket interface {
	Sender
	// Recv returns the next message, or ErrClosed.
	Recv() ([][]byte, error)
	// Addr is the address that the socket listens on.
	Addr() net.Addr
	// Close stops accepting, lets what is queued leave for at most
	// Options.Linger, and ends every connection.
	Close() error
}

// Options bounds what peers may take. Zero fields mean the defaults.
type Options struct {
	// Handshake is how long a new connection may take to become a ZMTP peer (5 s).
	Handshake time.Duration
	// Linger is how long Close waits for queued messages to leave (1 s).
	Linger time.Duration
	// Stall is how long a full subscriber may hold a sender up while it drains
	// less than 256 KiB; then it is disconnected (2 s).
	Stall time.Duration
	// MaxConns caps connections, those still shaking hands included (128).
	MaxConns int
	// MaxParts caps the frames of an incoming message (1024).
	MaxParts int
	// MaxMessage caps the bytes of an incoming message (256 MiB), and of all the
	// incoming messages that are under way at one time (twice that).
	MaxMessage int64
	// Queue caps the bytes that wait for one peer (32 MiB). One message may
	// exceed it.
	Queue int64
	// Report is told why a connection was refused or ended; it must not block.
	// Nil discards.
	Report func(error)
}

func (o Options) withDefaults() Options {
	orDuration(&o.Handshake, 5*time.Second)
	orDuration(&o.Linger, time.Second)
	orDuration(&o.Stall, 2*time.Second)
	if o.MaxConns <= 0 {
		o.MaxConns = 128
	}
	if o.MaxParts <= 0 {
		o.MaxParts = 1024
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = 256 << 20
	}
	if o.Queue <= 0 {
		o.Queue = 32 << 20
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	return o
}

func orDuration(d *time.Duration, otherwise time.Duration) {
	if *d <= 0 {
		*d = otherwise
	}
}

// listen opens a ZeroMQ endpoint, "tcp://host:port" or "ipc://path". It removes
// an ipc path that nobody answers on.
func listen(endpoint string) (net.Listener, error) {
	scheme, addr, ok := strings.Cut(endpoint, "://")
	if !ok {
		return nil, fmt.Errorf("listen: endpoint %q has no transport", endpoint)
	}
	switch scheme {
	case "tcp":
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", endpoint, err)
		}
		if host == "*" {
			host = ""
		}
		ln, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", endpoint, err)
		}
		return ln, nil
	case "ipc":
		return listenUnix(addr)
	}
	return nil, fmt.Errorf("listen: transport %q is neither tcp nor ipc", scheme)
}

func listenUnix(path string) (net.Listener, error) {
	if st, err := os.Lstat(path); err == nil && st.Mode()&os.ModeSocket != 0 {
		if c, err := net.Dial("unix", path); err == nil {
			_ = c.Close()
			return nil, fmt.Errorf("listen on ipc://%s: another process listens there", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove stale ipc socket: %w", err)
		}
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on ipc://%s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("restrict ipc socket: %w", err)
	}
	return ln, nil
}
