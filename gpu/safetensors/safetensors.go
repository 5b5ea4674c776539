// Package safetensors owns the file format of that name (huggingface, version
// 0.3): eight bytes of header length, a JSON header that names tensors with their
// types, shapes and places, and their bytes, little endian, one after the other
// without gaps. It imports the standard library only.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
)

// Tensor is one entry: row-major little-endian bytes.
type Tensor struct {
	Name string
	// DType is the format's name of the element type: "F32", "F16", "BF16", "I32".
	DType string
	Shape []int
	Data  []byte
}

// File is the content of a file. Meta is free text, not about any tensor.
type File struct {
	Meta    map[string]string
	Tensors []Tensor
}

// maxHeader is the format's own limit on the header.
const maxHeader = 100 << 20

const metaKey = "__metadata__"

// sizes are the bytes of an element; other types are not read.
func sizes(dtype string) int {
	switch dtype {
	case "F64", "I64", "U64":
		return 8
	case "F32", "I32", "U32":
		return 4
	case "F16", "BF16", "I16", "U16":
		return 2
	case "I8", "U8", "BOOL":
		return 1
	}
	return 0
}

// entry is a tensor in the header.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// bytesOf is the size of a tensor, or an error where the entry cannot be one.
func bytesOf(name, dtype string, shape []int) (int64, error) {
	n := int64(sizes(dtype))
	if n == 0 {
		return 0, fmt.Errorf("tensor %q has element type %q, which is not known", name, dtype)
	}
	for _, s := range shape {
		if s < 0 || s > 0 && n > math.MaxInt64/int64(s) {
			return 0, fmt.Errorf("tensor %q has shape %v", name, shape)
		}
		n *= int64(s)
	}
	return n, nil
}

// Write writes the file; tensors keep their order.
func Write(w io.Writer, f File) error {
	head := &bytes.Buffer{}
	head.WriteByte('{')
	if len(f.Meta) > 0 {
		text, err := json.Marshal(f.Meta)
		if err != nil {
			return fmt.Errorf("write safetensors: %w", err)
		}
		fmt.Fprintf(head, "%q:%s", metaKey, text)
	}
	var at int64
	names := map[string]bool{metaKey: true}
	for _, t := range f.Tensors {
		n, err := bytesOf(t.Name, t.DType, t.Shape)
		if err == nil && n != int64(len(t.Data)) {
			err = fmt.Errorf("tensor %q is %s %v and has %d bytes", t.Name, t.DType, t.Shape, len(t.Data))
		}
		if err == nil && names[t.Name] {
			err = fmt.Errorf("two tensors are called %q", t.Name)
		}
		if err != nil {
			return fmt.Errorf("write safetensors: %w", err)
		}
		names[t.Name] = true
		name, err := json.Marshal(t.Name)
		if err != nil {
			return fmt.Errorf("write safetensors: %w", err)
		}
		text, err := json.Marshal(entry{t.DType, append([]int{}, t.Shape...), [2]int64{at, at + n}})
		if err != nil {
			return fmt.Errorf("write safetensors: %w", err)
		}
		if head.Len() > 1 {
			head.WriteByte(',')
		}
		fmt.Fprintf(head, "%s:%s", name, text)
		at += n
	}
	head.WriteByte('}')
	for head.Len()%8 != 0 { // the data begin aligned
		head.WriteByte(' ')
	}
	if head.Len() > maxHeader {
		return fmt.Errorf("write safetensors: the header is %d bytes, %d are allowed", head.Len(), maxHeader)
	}
	parts := append(make([][]byte, 0, 2+len(f.Tensors)), binary.LittleEndian.AppendUint64(nil, uint64(head.Len())), head.Bytes())
	for _, t := range f.Tensors {
		parts = append(parts, t.Data)
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return fmt.Errorf("write safetensors: %w", err)
		}
	}
	return nil
}

// Read reads a file. The tensors come in the order of their bytes.
func Read(r io.Reader) (File, error) {
	f, err := read(r)
	if err != nil {
		return File{}, fmt.Errorf("read safetensors: %w", err)
	}
	return f, nil
}

func read(r io.Reader) (File, error) {
	var length [8]byte
	if r == nil {
		return File{}, fmt.Errorf("nil reader")
	}
	switch _, err := io.ReadFull(r, length[:]); {
	case errors.Is(err, io.EOF):
		return File{}, fmt.Errorf("nothing is there to read, as in an empty file or one that was read to its end: %w", err)
	case errors.Is(err, fs.ErrInvalid):
		return File{}, fmt.Errorf("the file is not open, perhaps as opening it failed: %w", err)
	case err != nil:
		return File{}, fmt.Errorf("length of the header: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return File{}, fmt.Errorf("no safetensors file: it begins like a header of %d bytes; %d are allowed", n, maxHeader)
	}
	head, err := readAll(r, int64(n))
	if err != nil {
		return File{}, fmt.Errorf("header: %w", err)
	}
	f, entries, err := header(head)
	if err != nil {
		return File{}, err
	}
	for i, e := range entries {
		t := &f.Tensors[i]
		if t.Data, err = readAll(r, e.Offsets[1]-e.Offsets[0]); err != nil {
			return File{}, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	var more [1]byte
	if n, _ := io.ReadFull(r, more[:]); n != 0 {
		return File{}, fmt.Errorf("there is more behind the last tensor")
	}
	return f, nil
}

// readAll reads n bytes, in steps: a lying length costs no memory.
func readAll(r io.Reader, n int64) ([]byte, error) {
	var b bytes.Buffer
	got, err := io.CopyN(&b, r, n)
	if err != nil {
		return nil, fmt.Errorf("%d bytes are there of %d: %w", got, n, io.ErrUnexpectedEOF)
	}
	return b.Bytes(), nil
}

// header reads the JSON text. The tensors must follow each other from 0 on.
func header(text []byte) (File, []entry, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return File{}, nil, fmt.Errorf("header: %w", err)
	}
	var f File
	type named struct {
		name string
		entry
	}
	var all []named
	for name, part := range raw {
		if name == metaKey {
			if err := json.Unmarshal(part, &f.Meta); err != nil {
				return File{}, nil, fmt.Errorf("metadata: %w", err)
			}
			continue
		}
		e := named{name: name}
		if err := json.Unmarshal(part, &e.entry); err != nil {
			return File{}, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b named) int {
		if c := slices.Compare(a.Offsets[:], b.Offsets[:]); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	entries := make([]entry, len(all))
	var at int64
	for i, e := range all {
		n, err := bytesOf(e.name, e.DType, e.Shape)
		if err != nil {
			return File{}, nil, err
		}
		if e.Offsets[0] != at || e.Offsets[1] < at || e.Offsets[1]-at != n {
			return File{}, nil, fmt.Errorf("tensor %q is %s %v from %d to %d; want %d bytes from %d", e.name, e.DType, e.Shape, e.Offsets[0], e.Offsets[1], n, at)
		}
		at = e.Offsets[1]
		entries[i] = e.entry
		f.Tensors = append(f.Tensors, Tensor{Name: e.name, DType: e.DType, Shape: e.Shape})
	}
	return f, entries, nil
}
