package jupyter

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"attune/display/mime"
)

func newPair(t testing.TB) (client, kernel *Session) {
	t.Helper()
	for _, s := range []**Session{&client, &kernel} {
		made, err := NewSession("secret", "user")
		if err != nil {
			t.Fatal(err)
		}
		*s = made
	}
	return client, kernel
}

func encode(t testing.TB, s *Session) [][]byte {
	t.Helper()
	frames, err := s.Encode(Outgoing{
		Route: [][]byte{[]byte("id1"), []byte("id2")}, Type: "execute_request",
		Parent:  json.RawMessage(`{"msg_id":"p","msg_type":"t"}`),
		Content: IsCompleteRequest{Code: "x := \"ä\"\n"}, Buffers: [][]byte{{0, 1}, {}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

func TestRoundTrip(t *testing.T) {
	client, kernel := newPair(t)
	m, err := kernel.Decode(encode(t, client))
	if err != nil {
		t.Fatal(err)
	}
	var req IsCompleteRequest
	if err := Parse(m.Content, &req); err != nil || req.Code != "x := \"ä\"\n" {
		t.Fatalf("content %q, %v", req.Code, err)
	}
	h := m.Header
	if h.MsgType != "execute_request" || h.Session != client.ID() || h.Username != "user" || h.Version != "5.5" {
		t.Errorf("header %+v", h)
	}
	if m.Parent.MsgID != "p" || len(m.Identities) != 2 || len(m.Buffers) != 2 || len(m.Buffers[0]) != 2 {
		t.Errorf("message %+v", m)
	}
}

func TestMessageIDsDiffer(t *testing.T) {
	client, kernel := newPair(t)
	a, errA := kernel.Decode(encode(t, client))
	b, errB := kernel.Decode(encode(t, client))
	if errA != nil || errB != nil || a.Header.MsgID == b.Header.MsgID {
		t.Fatal(errA, errB, a, b)
	}
}

func TestRefused(t *testing.T) {
	resign := func(s *Session, f [][]byte) [][]byte {
		f[3] = s.sign.sign([4][]byte(f[4:8]))
		return f
	}
	for name, c := range map[string]struct {
		change func(s *Session, f [][]byte) [][]byte
		want   error
	}{
		"no frames":        {func(*Session, [][]byte) [][]byte { return nil }, ErrMalformed},
		"no delimiter":     {func(_ *Session, f [][]byte) [][]byte { return append(f[:2:2], f[3:]...) }, ErrMalformed},
		"three parts":      {func(_ *Session, f [][]byte) [][]byte { return f[:7] }, ErrMalformed},
		"changed content":  {func(_ *Session, f [][]byte) [][]byte { f[7][2] ^= 1; return f }, ErrSignature},
		"no signature":     {func(_ *Session, f [][]byte) [][]byte { f[3] = nil; return f }, ErrSignature},
		"not hexadecimal":  {func(_ *Session, f [][]byte) [][]byte { f[3][0] = 'z'; return f }, ErrSignature},
		"header a list":    {func(s *Session, f [][]byte) [][]byte { f[4] = []byte(`[]`); return resign(s, f) }, ErrMalformed},
		"header empty":     {func(s *Session, f [][]byte) [][]byte { f[4] = []byte(`{}`); return resign(s, f) }, ErrMalformed},
		"msg_id a number":  {func(s *Session, f [][]byte) [][]byte { f[4] = []byte(`{"msg_id":1}`); return resign(s, f) }, ErrMalformed},
		"parent cut short": {func(s *Session, f [][]byte) [][]byte { f[5] = []byte(`{`); return resign(s, f) }, ErrMalformed},
		"content not JSON": {func(s *Session, f [][]byte) [][]byte { f[7] = []byte(`{]`); return resign(s, f) }, ErrMalformed},
		"content not UTF8": {func(s *Session, f [][]byte) [][]byte {
			f[7] = []byte("{\"code\":\"\xff\"}")
			return resign(s, f)
		}, ErrMalformed},
		"content deep": {func(s *Session, f [][]byte) [][]byte {
			f[7] = []byte(strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000))
			return resign(s, f)
		}, ErrMalformed},
		"header too long": {func(s *Session, f [][]byte) [][]byte {
			f[4] = []byte(`{"msg_id":"` + strings.Repeat("x", maxHeader) + `","msg_type":"t"}`)
			return resign(s, f)
		}, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			client, kernel := newPair(t)
			frames := encode(t, client)
			for i := range frames {
				frames[i] = bytes.Clone(frames[i])
			}
			if _, err := kernel.Decode(c.change(client, frames)); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestReplay(t *testing.T) {
	client, kernel := newPair(t)
	frames := encode(t, client)
	if _, err := kernel.Decode(frames); err != nil {
		t.Fatal(err)
	}
	if _, err := kernel.Decode(frames); !errors.Is(err, ErrReplay) {
		t.Fatal(err)
	}
}

func TestReplayWindowIsBounded(t *testing.T) {
	var r replays
	for i := range replayWindow + 10 {
		if !r.fresh([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}) {
			t.Fatal("a new signature was taken for an old one")
		}
	}
	if len(r.seen) != replayWindow || len(r.ring) != replayWindow {
		t.Fatalf("%d and %d are kept", len(r.seen), len(r.ring))
	}
	if r.fresh([32]byte{10}) || !r.fresh([32]byte{9}) {
		t.Fatal("the window keeps the wrong ones")
	}
}

func TestNoKeyMeansNoSignature(t *testing.T) {
	s, err := NewSession("", "u")
	if err != nil {
		t.Fatal(err)
	}
	frames := encode(t, s)
	if len(frames[3]) != 0 {
		t.Fatalf("signature %q", frames[3])
	}
	for range 2 {
		if _, err := s.Decode(frames); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAppendString holds appendString against encoding/json's reading.
func TestAppendString(t *testing.T) {
	for _, s := range []string{"", "a", "\x00\x1f\n\r\t\"\\/", "ä€😀\u2028\u2029", "<b>&", "\xff", "a\xc3", "\xe2\x82", "x\xf0\x9f\x98y", "\ufffd"} {
		checkString(t, s)
	}
	// Every byte at every place of the words that are looked at as one.
	for c := range 256 {
		for at := range 20 {
			b := []byte("abcdefghijklmnopqrst")
			b[at] = byte(c)
			checkString(t, string(b))
		}
	}
}

func checkString(t *testing.T, s string) {
	t.Helper()
	for _, b := range [][]byte{appendString(nil, s), appendString(nil, []byte(s))} {
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q became %s: %v", s, b, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); !sameText(got, want, s) {
			t.Fatalf("%q became %q", s, got)
		}
	}
}

// sameText allows for a run of bad bytes becoming several U+FFFD or one.
func sameText(got, want, from string) bool {
	var viaJSON string
	b, _ := json.Marshal(from)
	_ = json.Unmarshal(b, &viaJSON)
	return got == want || got == viaJSON
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\xffb\"\\\n😀")
	f.Fuzz(checkString)
}

// FuzzDecode reads any four parts under a right signature, and any frames
// without: nothing may panic, and what is accepted has what replies need.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"msg_id":"a","msg_type":"b"}`), []byte(`{}`), []byte(`{}`), []byte(`{"code":"1"}`), true)
	f.Add([]byte(`{"msg_id":null}`), []byte(`{"msg_id":[]}`), []byte(` {}`), []byte(`{"a":{"b":[]}}`), true)
	f.Add([]byte("\xff"), []byte(``), []byte(`{`), []byte(`nul`), false)
	f.Fuzz(func(t *testing.T, h, p, md, c []byte, signed bool) {
		_, kernel := newPair(t)
		parts := [4][]byte{h, p, md, c}
		frames := [][]byte{[]byte("id"), []byte(delimiter), md, h, p, md, c}
		if signed {
			frames[2] = kernel.sign.sign(parts)
		}
		m, err := kernel.Decode(frames)
		if err != nil {
			return
		}
		if !signed {
			t.Fatal("accepted without a signature")
		}
		if m.Header.MsgID == "" || m.Header.MsgType == "" || !json.Valid(m.RawHeader) || !json.Valid(m.Content) {
			t.Fatalf("accepted %+v", m)
		}
		_, _ = ParseExecute(m.Content)
	})
}

func TestBundlesAreJSON(t *testing.T) {
	b := mime.Bundle{
		Data: map[string]string{
			mime.Text: "a \"b\"", mime.JSON: `{"a": [1]}`, "application/vnd.x+json": "{broken",
		},
		Metadata: map[string]json.RawMessage{mime.PNG: json.RawMessage(`{"width":1}`), mime.SVG: json.RawMessage("{")},
	}
	for _, content := range []any{
		DisplayData{Bundle: b, DisplayID: "i\"d"}, ExecuteResult{Bundle: b, ExecutionCount: 3},
		InspectReply{Found: true, Bundle: b}, Page{Bundle: b}, Expression{Bundle: b},
		Stream{Name: "stdout", Text: []byte("x\xff")}, ExecuteInput{Code: "a\nb", ExecutionCount: 1},
		HistoryEntry{Session: 1, Line: 2, Input: "a\"", Pair: true},
	} {
		text, err := appendContent(nil, content)
		if err != nil || !json.Valid(text) {
			t.Errorf("%T: %s, %v", content, text, err)
		}
	}
	text, _ := appendContent(nil, DisplayData{Bundle: b, DisplayID: "7"})
	want := `{"data":{"application/json":{"a": [1]},"application/vnd.x+json":"{broken","text/plain":"a \"b\""},` +
		`"metadata":{"image/png":{"width":1}},"transient":{"display_id":"7"}}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// TestBigPayloadIsCopiedOnce bounds the memory that a 20 MB picture takes.
func TestBigPayloadIsCopiedOnce(t *testing.T) {
	_, kernel := newPair(t)
	b := mime.Bundle{Data: map[string]string{mime.PNG: strings.Repeat("A", 20<<20)}}
	res := testing.Benchmark(func(tb *testing.B) {
		tb.ReportAllocs()
		for range tb.N {
			if _, err := kernel.Encode(Outgoing{Type: "display_data", Content: DisplayData{Bundle: b}}); err != nil {
				tb.Fatal(err)
			}
		}
	})
	if most := int64(20<<20 + 4<<20); res.AllocedBytesPerOp() > most {
		t.Fatalf("%d bytes to send 20 MB, %d are the most", res.AllocedBytesPerOp(), most)
	}
}
