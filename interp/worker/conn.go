package worker

import (
	"bufio"
	"encoding/gob"
	"fmt"
	"io"
	"strings"
	"sync"

	"attune/display/mime"
)

// Conn sends and receives frames. Send may be called from any goroutine. A frame is
// one value of gob; the long texts of a bundle follow it as they are, since gob would
// copy them several times and keep room for the longest. The two frames of every instant
// cell are packed by hand: see short.
type Conn struct {
	mu  sync.Mutex
	w   io.Writer
	enc *gob.Encoder
	r   *bufio.Reader
	dec *gob.Decoder
}

// NewConn makes a connection of two pipes.
func NewConn(r io.Reader, w io.Writer) *Conn {
	c := &Conn{w: w, enc: gob.NewEncoder(w), r: bufio.NewReaderSize(r, 32<<10)}
	c.dec = gob.NewDecoder(c.r) // reads no byte beyond the value, as c.r is a ByteReader
	return c
}

// longText is from how many bytes on a text crosses behind its frame.
const longText = 32 << 10

// Long names a text of a frame's bundle that follows it.
type Long struct {
	Key   string
	Bytes int
}

// bundle is the one that a frame carries, nil for none, and where its long texts are
// listed.
func bundle(frame any) (*mime.Bundle, *[]Long) {
	ev, ok := frame.(*Event)
	switch {
	case !ok:
	case ev.Display != nil:
		return &ev.Display.Bundle, &ev.Long
	case ev.Done != nil && ev.Done.Result != nil:
		return ev.Done.Result, &ev.Long
	}
	return nil, nil
}

// Send writes one frame, a Request or a *Event.
func (c *Conn) Send(frame any) error {
	var texts []string
	if b, long := bundle(frame); b != nil {
		*b, *long, texts = cut(*b)
	}
	packed, ok := short(frame)
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if ok {
		_, err = c.w.Write(packed)
	} else {
		err = c.enc.Encode(frame)
	}
	if err != nil {
		return fmt.Errorf("send frame: %w", err)
	}
	for _, t := range texts {
		if _, err := io.WriteString(c.w, t); err != nil {
			return fmt.Errorf("send frame: %w", err)
		}
	}
	return nil
}

// cut takes the long texts out of a bundle, whose maps are its owner's.
func cut(b mime.Bundle) (rest mime.Bundle, long []Long, texts []string) {
	rest = b
	for key, t := range b.Data {
		if len(t) < longText {
			continue
		}
		if long == nil {
			rest.Data = make(map[string]string, len(b.Data))
			for k, v := range b.Data {
				rest.Data[k] = v
			}
		}
		delete(rest.Data, key)
		long, texts = append(long, Long{key, len(t)}), append(texts, t)
	}
	return rest, long, texts
}

// Receive reads the next frame into frame, which must be zero.
func (c *Conn) Receive(frame any) error {
	first, err := c.r.Peek(1)
	if err != nil {
		return err
	}
	if first[0] == shortFrame {
		return c.receiveShort(frame)
	}
	if err := c.dec.Decode(frame); err != nil {
		return err
	}
	b, long := bundle(frame)
	if b == nil || len(*long) == 0 {
		return nil
	}
	if b.Data == nil {
		b.Data = make(map[string]string, len(*long))
	}
	for _, l := range *long {
		var text strings.Builder
		text.Grow(l.Bytes)
		if _, err := io.CopyN(&text, c.r, int64(l.Bytes)); err != nil {
			return fmt.Errorf("receive frame: %w", err)
		}
		b.Data[l.Key] = text.String()
	}
	return nil
}
