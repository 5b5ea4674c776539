package safetensors

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
)

func sample() File {
	return File{
		Meta: map[string]string{"format": "1", "text": "a \"quoted\" line\n"},
		Tensors: []Tensor{
			{Name: "z", DType: "F32", Shape: []int{2, 1}, Data: []byte("12345678")},
			{Name: "empty", DType: "BF16", Shape: []int{0, 3}, Data: []byte{}},
			{Name: "scalar é", DType: "I32", Shape: []int{}, Data: []byte("abcd")},
		},
	}
}

func written(t testing.TB, f File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	data := written(t, sample())
	got, err := Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Tensors {
		if len(got.Tensors[i].Data) == 0 {
			got.Tensors[i].Data = []byte{}
		}
	}
	if want := sample(); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	if n := binary.LittleEndian.Uint64(data); n%8 != 0 || data[8] != '{' {
		t.Fatalf("header of %d bytes begins with %q", n, data[8])
	}
}

// TestReadsTheFormatsOwnBytes holds a file written out by hand after the format's
// description.
func TestReadsTheFormatsOwnBytes(t *testing.T) {
	head := `{"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"__metadata__":{"a":"b"}}`
	f, err := Read(strings.NewReader(string([]byte{byte(len(head)), 0, 0, 0, 0, 0, 0, 0}) + head + "01234567"))
	if err != nil || f.Meta["a"] != "b" || string(f.Tensors[0].Data) != "01234567" || f.Tensors[0].Shape[1] != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
}

func file(head string, data string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(head)))) + head + data
}

func TestRefuses(t *testing.T) {
	for want, text := range map[string]string{
		"length of the header":       "123",
		"nothing is there to read":   "",
		"no safetensors file: it":    "\xff\xff\xff\xff\xff\xff\xff\x7f",
		"bytes; 104857600 are":       "\xff\xff\xff\xff\xff\xff\xff\x7f",
		"0 bytes are there of 9":     "\x09\x00\x00\x00\x00\x00\x00\x00",
		"header: ":                   file(`[1]`, ""),
		"metadata":                   file(`{"__metadata__":{"a":1}}`, ""),
		`type "Q4"`:                  file(`{"w":{"dtype":"Q4","shape":[1],"data_offsets":[0,1]}}`, "1"),
		"shape [-1]":                 file(`{"w":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, "1"),
		"shape [4611686018427387904": file(`{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, ""),
		"from 1 to 2":                file(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "12"),
		"want 2 bytes from 0":        file(`{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}`, "1"),
		"want 1 bytes from 1":        file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "1"),
		"1 bytes are there of 2":     file(`{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, "1"),
		"more behind":                file(`{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, "123"),
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v does not say %q", text, err, want)
		}
	}
	for want, x := range map[string]Tensor{
		"has 3 bytes": {Name: "w", DType: "F32", Shape: []int{1}, Data: []byte("123")},
		"two tensors": {Name: "z", DType: "U8", Data: []byte("1")},
	} {
		f := sample()
		f.Tensors = append(f.Tensors, x)
		if err := Write(&bytes.Buffer{}, f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(written(f, sample()))
	f.Add([]byte(file(`{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, "12")))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := Read(bytes.NewReader(written(t, got)))
		if err != nil || len(again.Tensors) != len(got.Tensors) {
			t.Fatalf("what was read cannot be written and read: %v", err)
		}
	})
}
