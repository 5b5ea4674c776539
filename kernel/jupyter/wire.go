package jupyter

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// Version is the messaging protocol's version that every header names.
const Version = "5.5"

// Why a message was refused.
var (
	ErrMalformed = errors.New("malformed message")
	ErrSignature = errors.New("wrong signature")
	ErrReplay    = errors.New("signature seen before")
)

const (
	delimiter     = "<IDS|MSG>"
	maxHeader     = 64 << 10 // bytes of a header, which every reply carries back
	maxIdentities = 16
)

// Header opens every message (Jupyter messaging, "message header").
type Header struct {
	MsgID      string `json:"msg_id"`
	Session    string `json:"session"`
	Username   string `json:"username"`
	Date       string `json:"date"`
	MsgType    string `json:"msg_type"`
	Version    string `json:"version"`
	SubshellID string `json:"subshell_id,omitempty"`
}

// Message is a message that came in, checked. Its slices are the frames' own.
type Message struct {
	// Identities route an answer back to the sender.
	Identities [][]byte
	Header     Header
	// RawHeader is the header as it came: replies carry it as parent_header.
	RawHeader json.RawMessage
	Parent    Header
	Metadata  json.RawMessage
	Content   json.RawMessage
	Buffers   [][]byte
}

// Outgoing is a message to send.
type Outgoing struct {
	// Route holds the receiver's identities, or on iopub the topic.
	Route [][]byte
	Type  string
	// MsgID is one of NewID where the sender has to know it; empty makes one.
	MsgID string
	// Subshell is the one that a request goes to; empty for the main shell.
	Subshell string
	// Parent is the RawHeader of what this message answers; nil for none.
	Parent json.RawMessage
	// Metadata is any struct, nil for an empty object.
	Metadata any
	// Content is one of this package's structs.
	Content any
	Buffers [][]byte
}

// Session is one end of the conversation: its key, its identity, and what it has
// seen. It may be used by several goroutines.
type Session struct {
	id       string
	username string
	prefix   string // of message identities
	count    atomic.Uint64
	sign     *signer
	replays  replays
}

// NewSession makes a session that signs with a connection file's key.
func NewSession(key, username string) (*Session, error) {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, fmt.Errorf("make session identity: %w", err)
	}
	s := &Session{id: hex.EncodeToString(id[:]), username: username, sign: newSigner(key)}
	s.prefix = s.id + "_"
	return s, nil
}

// ID is the session's identity, the same in all its headers.
func (s *Session) ID() string { return s.id }

// Decode checks and splits a message (Jupyter messaging, "the wire protocol"):
// identities, delimiter, signature, header, parent header, metadata, content,
// buffers. Errors wrap ErrMalformed, ErrSignature or ErrReplay.
func (s *Session) Decode(frames [][]byte) (*Message, error) {
	at := -1
	for i := 0; i < len(frames) && i <= maxIdentities; i++ {
		if string(frames[i]) == delimiter {
			at = i
			break
		}
	}
	if at < 0 {
		return nil, fmt.Errorf("%w: no delimiter", ErrMalformed)
	}
	rest := frames[at+1:]
	if len(rest) < 5 {
		return nil, fmt.Errorf("%w: %d frames after the delimiter, 5 are the least", ErrMalformed, len(rest))
	}
	parts := [4][]byte(rest[1:5])
	sum, ok := s.sign.verify(rest[0], parts)
	if !ok {
		return nil, ErrSignature
	}
	m := &Message{Identities: frames[:at:at], Buffers: rest[5:]}
	if err := m.parse(parts); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !s.sign.off && !s.replays.fresh(sum) {
		return nil, ErrReplay
	}
	return m, nil
}

func (m *Message) parse(parts [4][]byte) error {
	for i, name := range [...]string{"header", "parent_header", "metadata", "content"} {
		p := bytes.TrimSpace(parts[i])
		if len(p) == 0 || p[0] != '{' {
			return fmt.Errorf("%s is not an object", name)
		}
		if !utf8.Valid(p) {
			return fmt.Errorf("%s is not UTF-8", name)
		}
		if i < 2 && len(p) > maxHeader {
			return fmt.Errorf("%s of %d bytes", name, len(p))
		}
	}
	if err := json.Unmarshal(parts[0], &m.Header); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if m.Header.MsgID == "" || m.Header.MsgType == "" {
		return errors.New("header without msg_id or msg_type")
	}
	// A version that is not named is an old one, whose messages are read alike.
	if v := m.Header.Version; v != "" && v != "5" && !strings.HasPrefix(v, "5.") {
		return fmt.Errorf("protocol version %.20q is not 5", v)
	}
	if err := json.Unmarshal(parts[1], &m.Parent); err != nil {
		return fmt.Errorf("parent_header: %w", err)
	}
	if !json.Valid(parts[2]) || !json.Valid(parts[3]) {
		return errors.New("metadata or content is not JSON")
	}
	m.RawHeader, m.Metadata, m.Content = parts[0], parts[2], parts[3]
	return nil
}

// Encode turns a message into frames, signed. The frames share no memory with o
// but for Route and Buffers.
func (s *Session) Encode(o Outgoing) ([][]byte, error) {
	hint := 512
	if h, ok := o.Content.(sizeHinter); ok {
		hint += h.sizeHint()
	}
	b := s.appendHeader(make([]byte, 0, hint), o)
	split := len(b)
	b, err := appendContent(b, o.Content)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", o.Type, err)
	}
	metadata := []byte("{}")
	if o.Metadata != nil {
		if metadata, err = json.Marshal(o.Metadata); err != nil {
			return nil, fmt.Errorf("encode metadata of %s: %w", o.Type, err)
		}
	}
	parent := []byte(o.Parent)
	if parent == nil {
		parent = []byte("{}")
	}
	parts := [4][]byte{b[:split:split], parent, metadata, b[split:]}
	frames := make([][]byte, 0, len(o.Route)+6+len(o.Buffers))
	frames = append(frames, o.Route...)
	frames = append(frames, []byte(delimiter), s.sign.sign(parts))
	frames = append(frames, parts[:]...)
	return append(frames, o.Buffers...), nil
}

// NewID makes the identity of a message.
func (s *Session) NewID() string { return string(s.appendID(nil)) }

func (s *Session) appendID(b []byte) []byte {
	return strconv.AppendUint(append(b, s.prefix...), s.count.Add(1), 10)
}

func (s *Session) appendHeader(b []byte, o Outgoing) []byte {
	b = append(b, `{"msg_id":"`...)
	if o.MsgID != "" {
		b = append(b, o.MsgID...)
	} else {
		b = s.appendID(b)
	}
	b = append(append(b, `","session":"`...), s.id...)
	b = appendString(append(b, `","username":`...), s.username)
	b = append(b, `,"date":"`...)
	b = time.Now().UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = appendString(append(b, `","msg_type":`...), o.Type)
	if o.Subshell != "" {
		b = appendString(append(b, `,"subshell_id":`...), o.Subshell)
	}
	return append(b, `,"version":"`+Version+`"}`...)
}
