package socket

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"github.com/go-zeromq/zmq4"
)

// violation is a breach of ZMTP or of the limits. It ends the connection.
type violation struct{ what string }

func (v *violation) Error() string { return v.what }

func violated(format string, args ...any) error {
	return &violation{fmt.Sprintf(format, args...)}
}

// The flags of a frame (RFC 23/ZMTP, "framing").
const (
	flagMore    = 1
	flagLong    = 2
	flagCommand = 4
)

const (
	maxCommand = 4 << 10 // bytes of a command; READY with its identity fits well
	passLimit  = 1 << 20 // a longer frame is staged while its bytes arrive
	smallFrame = 64 << 10
)

// limits is what a guard lets through.
type limits struct {
	kind    zmq4.SocketType
	parts   int
	message int64
	budget  *budget
}

// budget bounds the bytes of all incoming messages that are under way.
type budget struct{ left atomic.Int64 }

func newBudget(n int64) *budget {
	b := new(budget)
	b.left.Store(n)
	return b
}

func (b *budget) take(n int64) bool {
	if b.left.Add(-n) < 0 {
		b.left.Add(n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.left.Add(n) }

// command is a ZMTP command: its name and what follows.
type command struct {
	name string
	body []byte
}

// guard stands between a net.Conn and zmq4.Conn, which believes every length and
// name that it reads. It rebuilds the greeting and READY from what it understood
// of them, checks each frame's header before zmq4.Conn sees it, and keeps all
// later commands to itself. Writes are buffered once the handshake is over.
//
// Read is called by the connection's reader alone, Write and Flush by its writer.
type guard struct {
	net.Conn
	in      *bufio.Reader
	out     *bufio.Writer
	lim     limits
	next    func() error // makes more bytes ready, by state
	ready   []byte       // checked bytes, to be read first
	pass    int64        // body bytes that may then be read from in
	head    [9]byte      // backs ready for a frame's header
	obey    func(command) error
	up      bool
	parts   int
	bytes   int64 // of the message under way
	held    int64 // taken from the budget for it
	inParts bool
}

func newGuard(nc net.Conn, lim limits) *guard {
	g := &guard{
		Conn: nc, lim: lim,
		in:  bufio.NewReaderSize(nc, 32<<10),
		out: bufio.NewWriterSize(nc, 32<<10),
	}
	g.next = g.greeting
	return g
}

// opened ends the handshake: from here on writes wait for Flush and commands go
// to obey, on the reading goroutine.
func (g *guard) opened(obey func(command) error) {
	g.up = true
	g.obey = obey
}

// release gives back what a message that never ended holds of the budget.
func (g *guard) release() {
	g.lim.budget.give(g.held)
	g.held = 0
}

func (g *guard) Read(p []byte) (int, error) {
	for len(g.ready) == 0 && g.pass == 0 {
		if err := g.next(); err != nil {
			return 0, err
		}
	}
	if len(g.ready) > 0 {
		n := copy(p, g.ready)
		g.ready = g.ready[n:]
		return n, nil
	}
	if int64(len(p)) > g.pass {
		p = p[:g.pass]
	}
	n, err := g.in.Read(p)
	g.pass -= int64(n)
	return n, err
}

func (g *guard) Write(p []byte) (int, error) {
	n, err := g.out.Write(p)
	if err == nil && !g.up {
		err = g.out.Flush()
	}
	return n, err
}

// Flush sends what Write buffered.
func (g *guard) Flush() error { return g.out.Flush() }

// header reads a frame's flags and length.
func (g *guard) header() (flags byte, size uint64, err error) {
	flags, err = g.in.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	if flags&^(flagMore|flagLong|flagCommand) != 0 {
		return 0, 0, violated("frame with reserved flags %#x", flags)
	}
	if flags&flagCommand != 0 && flags&flagMore != 0 {
		return 0, 0, violated("command in several frames")
	}
	if flags&flagLong == 0 {
		b, err := g.in.ReadByte()
		return flags, uint64(b), unexpected(err)
	}
	var long [8]byte
	if _, err := io.ReadFull(g.in, long[:]); err != nil {
		return 0, 0, unexpected(err)
	}
	return flags, binary.BigEndian.Uint64(long[:]), nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// frame lets one frame through, or takes one command out. libzmq's heartbeat
// puts a PING even between the frames of a message.
func (g *guard) frame() error {
	if !g.inParts {
		g.release()
		g.parts, g.bytes = 0, 0
	}
	flags, size, err := g.header()
	if err != nil {
		return err
	}
	if flags&flagCommand != 0 {
		cmd, err := g.command(size)
		if err != nil {
			return err
		}
		return g.obey(cmd)
	}
	g.parts++
	if g.parts > g.lim.parts {
		return violated("message of more than %d frames", g.lim.parts)
	}
	if size > uint64(g.lim.message) || g.bytes+int64(size) > g.lim.message {
		return violated("message of more than %d bytes", g.lim.message)
	}
	g.bytes += int64(size)
	g.inParts = flags&flagMore != 0
	return g.body(flags, int64(size))
}

func (g *guard) body(flags byte, size int64) error {
	head := appendHeader(g.head[:0], flags&flagMore, size)
	if size > passLimit {
		return g.stage(head, size)
	}
	if size > smallFrame {
		if err := g.take(size); err != nil {
			return err
		}
	}
	g.ready, g.pass = head, size
	return nil
}

// stage collects a long frame as its bytes arrive: a length alone, of which
// nothing follows, must not take memory.
func (g *guard) stage(head []byte, size int64) error {
	buf := append([]byte(nil), head...)
	end := len(buf) + int(size)
	for len(buf) < end {
		step := min(end-len(buf), max(len(buf), passLimit))
		if err := g.take(int64(step)); err != nil {
			return err
		}
		at := len(buf)
		buf = append(buf, make([]byte, step)...)
		if _, err := io.ReadFull(g.in, buf[at:]); err != nil {
			return unexpected(err)
		}
	}
	g.ready = buf
	return nil
}

func (g *guard) take(n int64) error {
	if !g.lim.budget.take(n) {
		return violated("too many bytes of incoming messages under way")
	}
	g.held += n
	return nil
}

// command reads a command's frame: a name's length, the name, the rest.
func (g *guard) command(size uint64) (command, error) {
	if size == 0 || size > maxCommand {
		return command{}, violated("command of %d bytes", size)
	}
	buf := make([]byte, size)
	if _, err := io.ReadFull(g.in, buf); err != nil {
		return command{}, unexpected(err)
	}
	n := int(buf[0])
	if n == 0 || n > len(buf)-1 {
		return command{}, violated("command with a name of %d bytes", n)
	}
	return command{name: string(buf[1 : 1+n]), body: buf[1+n:]}, nil
}

// appendHeader appends a frame's header, in the form zmq4.Conn reads.
func appendHeader(b []byte, flags byte, size int64) []byte {
	if size <= 255 {
		return append(b, flags, byte(size))
	}
	return binary.BigEndian.AppendUint64(append(b, flags|flagLong), uint64(size))
}
