package data

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Array is numbers in row-major order as NumPy keeps them in a file. Values is one of
// []float32, []float64, []int32, []int64 and []uint8.
type Array struct {
	Shape  []int
	Values any
}

// npyType is NumPy's name of the type, its size, and the number of values.
func npyType(v any) (descr string, size, n int, err error) {
	switch x := v.(type) {
	case []float32:
		return "<f4", 4, len(x), nil
	case []float64:
		return "<f8", 8, len(x), nil
	case []int32:
		return "<i4", 4, len(x), nil
	case []int64:
		return "<i8", 8, len(x), nil
	case []uint8:
		return "|u1", 1, len(x), nil
	}
	return "", 0, 0, fmt.Errorf("values are %T, not []float32, []float64, []int32, []int64 or []uint8", v)
}

// npyMake is the nil slice of a type by that name, and a value's size, 0 for others.
func npyMake(descr string) (v any, size int) {
	switch descr {
	case "<f4":
		return []float32(nil), 4
	case "<f8":
		return []float64(nil), 8
	case "<i4":
		return []int32(nil), 4
	case "<i8":
		return []int64(nil), 8
	case "|u1":
		return []uint8(nil), 1
	}
	return nil, 0
}

const npyMagic = "\x93NUMPY"

// WriteNPY writes an array in NumPy's format 1.0.
func WriteNPY(w io.Writer, a Array) error {
	const act = "write npy"
	descr, _, n, err := npyType(a.Values)
	if err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	size, shape := 1, ""
	for _, d := range a.Shape {
		size *= d
		shape += strconv.Itoa(d) + ","
	}
	if size != n {
		return fmt.Errorf("%s: shape %v is of %d values, and there are %d", act, a.Shape, size, n)
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	head += strings.Repeat(" ", 63-(len(npyMagic)+4+len(head))%64) + "\n"
	var b bytes.Buffer
	b.WriteString(npyMagic + "\x01\x00")
	b.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(head))))
	b.WriteString(head)
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	if err := binary.Write(w, binary.LittleEndian, a.Values); err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	return nil
}

var npyHead = regexp.MustCompile(`^\{\s*'descr':\s*'([^']*)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([0-9, ]*)\),?\s*\}\s*$`)

// ReadNPY reads an array in NumPy's format, versions 1 to 3, in row-major order.
func ReadNPY(r io.Reader) (Array, error) {
	a, err := readNPY(bufio.NewReader(r))
	if err != nil {
		return Array{}, fmt.Errorf("read npy: %w", err)
	}
	return a, nil
}

func readNPY(in io.Reader) (a Array, err error) {
	var start [8]byte
	if _, err := io.ReadFull(in, start[:]); err != nil {
		return a, fmt.Errorf("the first 8 bytes: %w", err)
	}
	if string(start[:6]) != npyMagic || start[6] < 1 || start[6] > 3 {
		return a, errors.New("the file does not begin as NumPy's do")
	}
	width := 2
	if start[6] > 1 {
		width = 4
	}
	var length [4]byte
	if _, err := io.ReadFull(in, length[:width]); err != nil {
		return a, fmt.Errorf("the length of the head: %w", err)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > 1<<16 {
		return a, fmt.Errorf("a head of %d bytes", n)
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(in, head); err != nil {
		return a, fmt.Errorf("the head: %w", err)
	}
	m := npyHead.FindSubmatch(head)
	if m == nil {
		return a, fmt.Errorf("the head is %.80q", head)
	}
	if string(m[2]) == "True" {
		return a, errors.New("the array is in column-major order; write it with numpy.ascontiguousarray")
	}
	values, size := npyMake(string(m[1]))
	if size == 0 {
		return a, fmt.Errorf("values of type %q; f4, f8, i4, i8 and u1 can be read, little-endian", m[1])
	}
	count := uint64(1)
	for _, text := range strings.FieldsFunc(string(m[3]), func(r rune) bool { return r == ',' || r == ' ' }) {
		d, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return a, fmt.Errorf("the shape (%s): %w", m[3], err)
		}
		if count *= d; count > largest/uint64(size) {
			return a, fmt.Errorf("the shape (%s) promises more than %d bytes", m[3], largest)
		}
		a.Shape = append(a.Shape, int(d))
	}
	want := int(count) * size
	raw, err := io.ReadAll(io.LimitReader(in, int64(want)+1))
	if err != nil {
		return a, err
	}
	if len(raw) != want {
		return a, fmt.Errorf("the shape (%s) promises %d bytes, and there are %s", m[3], want, fileHas(len(raw), uint64(want)))
	}
	a.Values, err = npyValues(values, raw, int(count))
	return a, err
}

func npyValues(like any, raw []byte, n int) (any, error) {
	var out any
	switch like.(type) {
	case []float32:
		out = make([]float32, n)
	case []float64:
		out = make([]float64, n)
	case []int32:
		out = make([]int32, n)
	case []int64:
		out = make([]int64, n)
	default:
		return raw, nil
	}
	_, err := binary.Decode(raw, binary.LittleEndian, out)
	return out, err
}

// SaveNPZ writes arrays as numpy.savez does, under their names.
func SaveNPZ(path string, arrays map[string]Array) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".npz-*")
	if err != nil {
		return fmt.Errorf("write npz: %w", err)
	}
	defer os.Remove(f.Name()) // nothing is left of it after the rename
	z := zip.NewWriter(f)
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		w, cerr := z.Create(name + ".npy")
		if cerr == nil {
			cerr = WriteNPY(w, arrays[name])
		}
		if cerr != nil {
			err = fmt.Errorf("array %s: %w", name, cerr)
			break
		}
	}
	if err = errors.Join(err, z.Close(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write npz: %w", err)
	}
	return nil
}

// LoadNPZ reads the arrays of a file of numpy.savez or savez_compressed by their names.
func LoadNPZ(path string) (map[string]Array, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("read npz: %s: %w", path, err)
	}
	defer z.Close() // only read
	out := map[string]Array{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("read npz: %s: %w", path, err)
		}
		a, err := ReadNPY(r)
		r.Close() // only read
		if err != nil {
			return nil, fmt.Errorf("read npz: %s: array %s: %w", path, f.Name, err)
		}
		out[strings.TrimSuffix(f.Name, ".npy")] = a
	}
	return out, nil
}
