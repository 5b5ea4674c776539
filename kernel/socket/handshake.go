package socket

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"

	"github.com/go-zeromq/zmq4"
)

const greetingLen = 64

// greeting checks a peer's greeting (RFC 23/ZMTP, "greeting") and hands on one
// with the same meaning: version 3.0, NULL, not a server.
func (g *guard) greeting() error {
	var got [greetingLen]byte
	if _, err := io.ReadFull(g.in, got[:]); err != nil {
		return err
	}
	if got[0] != 0xff || got[9] != 0x7f {
		return violated("not a ZMTP greeting")
	}
	if got[10] < 3 {
		return violated("ZMTP %d is too old, 3.0 is the oldest spoken", got[10])
	}
	if mech := string(bytes.TrimRight(got[12:32], "\x00")); mech != string(zmq4.NullSecurity) {
		return violated("security mechanism %.20q is not NULL", mech)
	}
	clean := make([]byte, greetingLen)
	clean[0], clean[9], clean[10] = 0xff, 0x7f, 3
	copy(clean[12:], zmq4.NullSecurity)
	g.ready = clean
	g.next = g.metadata
	return nil
}

// metadata checks the peer's READY and hands on one that holds its type and
// identity and nothing else. zmq4.Conn would panic on a type it does not know, on
// a property cut short, and on names in unusual case, which are legal.
func (g *guard) metadata() error {
	flags, size, err := g.header()
	if err != nil {
		return err
	}
	if flags&flagCommand == 0 {
		return violated("message before READY")
	}
	cmd, err := g.command(size)
	if err != nil {
		return err
	}
	if cmd.name != zmq4.CmdReady {
		return violated("command %.20q in place of READY", cmd.name)
	}
	ready, err := parseReady(cmd.body)
	if err != nil {
		return err
	}
	if !fits(g.lim.kind, ready.kind) {
		return violated("a %.20q cannot talk to a %s", ready.kind, g.lim.kind)
	}
	g.ready = ready.append(nil)
	g.next = g.frame
	return nil
}

// ready is what of a READY command matters here.
type ready struct{ kind, identity string }

// parseReady reads the properties of a READY (RFC 23/ZMTP, "metadata"): a name's
// length in one byte, the name in any case, the value's length in four, the value.
func parseReady(b []byte) (ready, error) {
	var r ready
	for len(b) > 0 {
		n := int(b[0])
		if n == 0 || len(b) < 1+n+4 {
			return ready{}, violated("READY with a property cut short")
		}
		name := string(b[1 : 1+n])
		size := binary.BigEndian.Uint32(b[1+n:])
		b = b[1+n+4:]
		if uint64(size) > uint64(len(b)) {
			return ready{}, violated("READY with a property of %d bytes, %d follow", size, len(b))
		}
		value := string(b[:size])
		b = b[size:]
		switch strings.ToLower(name) {
		case "socket-type":
			r.kind = value
		case "identity":
			r.identity = value
		}
	}
	if len(r.identity) > 255 {
		return ready{}, violated("identity of %d bytes", len(r.identity))
	}
	return r, nil
}

// append appends the whole READY frame.
func (r ready) append(b []byte) []byte {
	body := append([]byte{byte(len(zmq4.CmdReady))}, zmq4.CmdReady...)
	body = appendProperty(body, "Socket-Type", r.kind)
	if r.identity != "" {
		body = appendProperty(body, "Identity", r.identity)
	}
	return append(appendHeader(b, flagCommand, int64(len(body))), body...)
}

func appendProperty(b []byte, name, value string) []byte {
	b = append(append(b, byte(len(name))), name...)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...)
}

// fits says whether a peer of a type may talk to a socket of ours (RFC 23/ZMTP,
// "socket type compatibility").
func fits(ours zmq4.SocketType, peer string) bool {
	switch ours {
	case zmq4.Router:
		return peer == "REQ" || peer == "DEALER" || peer == "ROUTER"
	case zmq4.XPub:
		return peer == "SUB" || peer == "XSUB"
	case zmq4.Rep:
		return peer == "REQ" || peer == "DEALER"
	}
	return false
}
