package worker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"attune/display/mime"
)

// shortFrame begins a packed frame. gob's begin with their length, which is never 0.
const shortFrame = 0

// maxShort bounds a packed frame in bytes; what is longer goes by gob.
const maxShort = 32 << 10

// short packs the frames that every instant cell costs, a Run of one and how it ended
// without a failure: the byte shortFrame, the length of the rest in four bytes, the rest.
// ok is false for all other frames.
func short(frame any) (b []byte, ok bool) {
	p := make(packer, 5, 512)
	p[0] = shortFrame
	switch f := frame.(type) {
	case Request:
		if f.Run == nil || f.Run.Straight == nil || len(f.Run.Straight) > maxShort {
			return nil, false
		}
		p.run(f.Run)
	case *Event:
		if f.Done == nil || f.Done.Failure != nil || len(f.Long) > 0 {
			return nil, false
		}
		p.done(f.Done)
	default:
		return nil, false
	}
	binary.LittleEndian.PutUint32(p[1:], uint32(len(p)-5))
	return p, len(p) <= maxShort
}

// receiveShort reads a packed frame.
func (c *Conn) receiveShort(frame any) error {
	var head [5]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return fmt.Errorf("receive frame: %w", err)
	}
	n := binary.LittleEndian.Uint32(head[1:])
	if n > maxShort {
		return fmt.Errorf("receive frame: a short one of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.r, b); err != nil {
		return fmt.Errorf("receive frame: %w", err)
	}
	return unpackShort(b, frame)
}

// unpackShort reads a packed frame into a *Request or *Event.
func unpackShort(b []byte, frame any) error {
	u := unpacker{rest: b}
	switch f := frame.(type) {
	case *Request:
		f.Run = u.run()
	case *Event:
		f.Done = u.done()
	default:
		return fmt.Errorf("receive frame: no packed one is read into a %T", frame)
	}
	if u.bad || len(u.rest) > 0 {
		return errors.New("receive frame: it is damaged")
	}
	return nil
}

func (p *packer) run(r *Run) {
	p.number(int64(r.ID))
	p.flags(r.Quiet, r.Bar)
	p.flags(r.Errors...)
	p.flags(r.Runes...)
	p.texts(r.Cell, string(r.Straight))
}

func (u *unpacker) run() *Run {
	r := &Run{ID: int(u.number())}
	if f := u.flags(); len(f) == 2 {
		r.Quiet, r.Bar = f[0], f[1]
	} else {
		u.fail()
	}
	r.Errors, r.Runes = u.flags(), u.flags()
	r.Cell, r.Straight = u.text(), []byte(u.text())
	return r
}

func (p *packer) done(d *Done) {
	p.number(int64(d.ID))
	p.flags(d.Interrupted, d.Detached, d.Exited, d.Result != nil)
	p.number(int64(d.ExitCode))
	p.number(d.Nanos)
	p.texts(d.NotStraight)
	if d.Result == nil {
		return
	}
	*p = binary.AppendUvarint(*p, uint64(len(d.Result.Data)))
	for kind, text := range d.Result.Data {
		p.texts(kind, text)
	}
	*p = binary.AppendUvarint(*p, uint64(len(d.Result.Metadata)))
	for kind, text := range d.Result.Metadata {
		p.texts(kind, string(text))
	}
}

func (u *unpacker) done() *Done {
	d := &Done{ID: int(u.number())}
	f := u.flags()
	if len(f) != 4 {
		u.fail()
		return d
	}
	d.Interrupted, d.Detached, d.Exited = f[0], f[1], f[2]
	d.ExitCode, d.Nanos, d.NotStraight = int(u.number()), u.number(), u.text()
	if !f[3] {
		return d
	}
	d.Result = &mime.Bundle{}
	for range u.length() {
		if d.Result.Data == nil {
			d.Result.Data = map[string]string{}
		}
		kind := u.text()
		d.Result.Data[kind] = u.text()
	}
	for range u.length() {
		if d.Result.Metadata == nil {
			d.Result.Metadata = map[string]json.RawMessage{}
		}
		kind := u.text()
		d.Result.Metadata[kind] = json.RawMessage(u.text())
	}
	return d
}

// flags packs bools, a byte each.
func (p *packer) flags(list ...bool) {
	pack(p, list, func(set bool) {
		b := byte(0)
		if set {
			b = 1
		}
		*p = append(*p, b)
	})
}

func (u *unpacker) flags() []bool {
	return unpack(u, func() bool {
		if len(u.rest) == 0 {
			u.fail()
			return false
		}
		set := u.rest[0] == 1
		u.rest = u.rest[1:]
		return set
	})
}
