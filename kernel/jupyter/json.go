package jupyter

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"attune/display/mime"
)

// appender is a content that writes its own JSON.
type appender interface {
	appendJSON(b []byte) []byte
}

// sizeHinter is a content that knows about how many bytes its JSON takes.
type sizeHinter interface {
	sizeHint() int
}

// appendContent appends a content's JSON. Contents that may be large write
// themselves; encoding/json would copy them several times.
func appendContent(b []byte, content any) ([]byte, error) {
	switch c := content.(type) {
	case nil:
		return append(b, "{}"...), nil
	case appender:
		return c.appendJSON(b), nil
	}
	text, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	return append(b, text...), nil
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259, section 7). Bytes that are
// no UTF-8 become U+FFFD, as in encoding/json. Long clean stretches, such as
// base64, are copied whole.
func appendString[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		for len(s)-i >= 8 && plain(word(s, i)) {
			i += 8
		}
		if i == len(s) {
			break
		}
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			end := min(i+utf8.UTFMax, len(s))
			r, size := utf8.DecodeRuneInString(string(s[i:end]))
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += size
			continue
		}
		b = appendEscape(append(b, s[from:i]...), c)
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

// word is the eight bytes of s from i on; the compiler makes one load of it.
func word[T string | []byte](s T, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// plain says whether all eight bytes of w are ASCII that needs no escape. Each
// term has a byte's high bit set where that byte is below space, a quote, a
// backslash, or not ASCII (H. S. Warren, Hacker's Delight, section 6-1).
func plain(w uint64) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	quote, back := w^ones*'"', w^ones*'\\'
	below := (w - ones*' ') &^ w
	quote = (quote - ones) &^ quote
	back = (back - ones) &^ back
	return (w|below|quote|back)&high == 0
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// appendBundle appends the fields data and metadata of a bundle.
func appendBundle(b []byte, m mime.Bundle) []byte {
	b = append(b, `"data":{`...)
	for i, kind := range slices.Sorted(maps.Keys(m.Data)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, kind), ':')
		text := m.Data[kind]
		if strings.HasSuffix(kind, "json") && json.Valid([]byte(text)) {
			b = append(b, text...)
			continue
		}
		b = appendString(b, text)
	}
	b = append(b, `},"metadata":{`...)
	first := true
	for _, kind := range slices.Sorted(maps.Keys(m.Metadata)) {
		if !json.Valid(m.Metadata[kind]) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, kind), ':')
		b = append(b, m.Metadata[kind]...)
	}
	return append(b, '}')
}

func bundleHint(m mime.Bundle) int {
	n := 256
	for kind, text := range m.Data {
		n += len(kind) + len(text) + len(text)/16 + 8
	}
	for kind, raw := range m.Metadata {
		n += len(kind) + len(raw) + 8
	}
	return n
}
