package data

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func arrays() map[string]Array {
	return map[string]Array{
		"w":     {[]int{2, 3}, []float32{1, -2, 3.5, 4, 5, 6}},
		"d":     {[]int{1}, []float64{0.1}},
		"i":     {[]int{2, 0}, []int32{}},
		"n":     {[]int{2}, []int64{-1 << 62, 7}},
		"bytes": {[]int{3}, []uint8{0, 128, 255}},
		"one":   {nil, []float32{42}},
	}
}

func TestNPZ(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := SaveNPZ(path, arrays()); err != nil {
		t.Fatal(err)
	}
	got, err := LoadNPZ(path)
	if err != nil || !reflect.DeepEqual(got, arrays()) {
		t.Fatalf("read back %v, %v", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".npz-*")); len(left) != 0 {
		t.Error("left behind:", left)
	}
	if err := SaveNPZ(path, map[string]Array{"x": {[]int{2}, []float32{1}}}); err == nil || !strings.Contains(err.Error(), "array x: write npy: shape [2] is of 2") {
		t.Error("a shape that does not fit:", err)
	}
	if err := SaveNPZ(path, map[string]Array{"x": {[]int{1}, []string{"a"}}}); err == nil {
		t.Error("texts were written")
	}
	if got, err := LoadNPZ(path); err != nil || len(got) != 6 {
		t.Error("the file was lost to a failed write:", err)
	}
}

// NumPy reads what is written, and what NumPy writes is read.
func TestNumPy(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := filepath.Join(dir, "ours.npz"), filepath.Join(dir, "theirs.npz")
	if exec.Command("python3", "-c", "import numpy").Run() != nil {
		t.Skip("python3 has no numpy here")
	}
	if err := SaveNPZ(ours, arrays()); err != nil {
		t.Fatal(err)
	}
	const script = `import sys, numpy as np
a = np.load(sys.argv[1])
for k in sorted(a): print(k, a[k].dtype, a[k].shape, a[k].tolist())
np.savez_compressed(sys.argv[2], **a)`
	out, err := exec.Command("python3", "-c", script, ours, theirs).CombinedOutput()
	const want = `bytes uint8 (3,) [0, 128, 255]
d float64 (1,) [0.1]
i int32 (2, 0) [[], []]
n int64 (2,) [-4611686018427387904, 7]
one float32 () 42.0
w float32 (2, 3) [[1.0, -2.0, 3.5], [4.0, 5.0, 6.0]]
`
	if err != nil || string(out) != want {
		t.Fatalf("numpy reads\n%s%v", out, err)
	}
	if got, err := LoadNPZ(theirs); err != nil || !reflect.DeepEqual(got, arrays()) {
		t.Fatalf("of numpy: %v, %v", got, err)
	}
}

func npy(head string) []byte {
	return append([]byte(npyMagic+"\x01\x00"+string([]byte{byte(len(head)), 0})+head), 1, 2, 3, 4)
}

func TestReadNPYRefuses(t *testing.T) {
	for want, file := range map[string][]byte{
		"the first 8":       {1},
		"does not begin":    []byte("PK345678"),
		"the head: ":        []byte(npyMagic + "\x01\x00\xff\x00"),
		"a head of":         []byte(npyMagic + "\x02\x00\xff\xff\xff\xff"),
		"the head is":       npy("{}"),
		"column-major":      npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }"),
		`type ">f4"`:        npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }"),
		"promises more":     npy("{'descr': '<f4', 'fortran_order': False, 'shape': (65536, 65536, 65536,), }"),
		"and there are 4":   npy("{'descr': '<f4', 'fortran_order': False, 'shape': (268435456,), }"),
		"and there are mor": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, ), }"),
		"out of range":      npy("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, ), }"),
	} {
		if _, err := ReadNPY(bytes.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want one that says %q", file, err, want)
		}
	}
}

// What is read is written again to the same array.
func FuzzReadNPY(f *testing.F) {
	f.Add(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"))
	f.Add(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }"))
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := ReadNPY(bytes.NewReader(file))
		if err != nil {
			return
		}
		var again, third bytes.Buffer
		if err := WriteNPY(&again, a); err != nil {
			t.Fatal(err)
		}
		b, err := ReadNPY(bytes.NewReader(again.Bytes()))
		if err == nil {
			err = WriteNPY(&third, b)
		}
		if err != nil || !bytes.Equal(again.Bytes(), third.Bytes()) {
			t.Fatalf("%v", err)
		}
	})
}
