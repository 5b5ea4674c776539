package data

import (
	"bytes"
	"errors"
	"image/color"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t testing.TB, path string, file []byte) {
	t.Helper()
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

// twoPictures of 2 by 2 as an IDX file.
func twoPictures() []byte {
	return []byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 2, 3, 255, 4, 5, 6}
}

func TestMNIST(t *testing.T) {
	dir := t.TempDir()
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 2, 7, 3}
	write(t, filepath.Join(dir, "train-images-idx3-ubyte"), twoPictures())
	write(t, filepath.Join(dir, "train-labels-idx1-ubyte.gz"), pack(t, string(labels)))
	write(t, filepath.Join(dir, "t10k-images-idx3-ubyte.gz"), pack(t, string(twoPictures())))
	write(t, filepath.Join(dir, "t10k-labels-idx1-ubyte"), labels)
	train, test, err := MNIST(dir)
	if err != nil {
		t.Fatal(err)
	}
	if train.String() != "2 pictures of 1×2×2" || !slices.Equal(train.Labels, []int{7, 3}) || !slices.Equal(test.One(1), []uint8{255, 4, 5, 6}) {
		t.Fatalf("read %s, %v", train, train.Labels)
	}
	if c := train.Image(1).At(0, 0); c != (color.RGBA{255, 255, 255, 255}) {
		t.Error("the brightest pixel is drawn as", c)
	}
	write(t, filepath.Join(dir, "t10k-labels-idx1-ubyte"), []byte{0, 0, 8, 1, 0, 0, 0, 1, 7})
	if _, _, err := MNIST(dir); err == nil || !strings.Contains(err.Error(), "has 2 pictures") {
		t.Error("fewer labels than pictures:", err)
	}
}

func TestReadIDXRefuses(t *testing.T) {
	for want, file := range map[string][]byte{
		"the first 4 bytes":     {0, 0},
		"begins with 00 00 0d":  {0, 0, 13, 1, 0, 0, 0, 0},
		"the sizes: ":           {0, 0, 8, 2, 0, 0, 0, 1},
		"more than 1073741824":  {0, 0, 8, 2, 255, 255, 255, 255, 0, 0, 0, 9},
		"the file has 1":        {0, 0, 8, 1, 0, 0, 0, 2, 7},
		"the file has more":     {0, 0, 8, 1, 0, 0, 0, 1, 7, 7},
		"gzip: invalid header":  {0x1f, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"promise 1073741824 by": {0, 0, 8, 1, 0x40, 0, 0, 0}, // and has none: memory must not follow the promise
	} {
		if _, _, err := ReadIDX(bytes.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("% x: got %v, want one that says %q", file, err, want)
		}
	}
}

func FuzzReadIDX(f *testing.F) {
	f.Add(twoPictures())
	f.Add(pack(f, string(twoPictures())))
	f.Fuzz(func(t *testing.T, file []byte) {
		shape, data, err := ReadIDX(bytes.NewReader(file))
		if err != nil {
			return
		}
		size := 1
		for _, d := range shape {
			size *= d
		}
		if size != len(data) {
			t.Fatalf("sizes %v of %d bytes", shape, len(data))
		}
	})
}

// record is one of CIFAR-10's, all pixels of one colour.
func record(label, r, g, b byte) []byte {
	return slices.Concat([]byte{label}, bytes.Repeat([]byte{r}, 1024), bytes.Repeat([]byte{g}, 1024), bytes.Repeat([]byte{b}, 1024))
}

func TestCIFAR10(t *testing.T) {
	dir := t.TempDir()
	_, _, err := CIFAR10(dir)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "data_batch_1.bin") || !strings.Contains(err.Error(), "cifar-10-binary.tar.gz") {
		t.Fatal("without files:", err)
	}
	for i := range byte(5) {
		write(t, filepath.Join(dir, "data_batch_"+string('1'+i)+".bin"), append(record(i, 1, 2, 3), record(9, i, i, i)...))
	}
	write(t, filepath.Join(dir, "test_batch.bin"), record(3, 10, 20, 30))
	train, test, err := CIFAR10(dir)
	if err != nil {
		t.Fatal(err)
	}
	if train.String() != "10 pictures of 3×32×32, 10 classes" || !slices.Equal(train.Labels, []int{0, 9, 1, 9, 2, 9, 3, 9, 4, 9}) {
		t.Fatalf("read %s, %v", train, train.Labels)
	}
	if c := test.Image(0).At(31, 31); c != (color.RGBA{10, 20, 30, 255}) || test.Name(3) != "cat" || test.Name(11) != "11" {
		t.Errorf("a pixel of %v, a label of %s", c, test.Name(3))
	}
	b, err := train.Batch([]int{9, 0})
	if err != nil || !slices.Equal(b.Shape, []int{2, 3, 32, 32}) || b.X[0] != 4./255 || b.X[3072+2048] != 3./255 || b.Check() != nil {
		t.Errorf("a batch of %v, %v", b.Shape, err)
	}
	if s := train.Pick(3, 3).First(1); s.Len() != 1 || len(s.Bytes) != 3072 || s.Bytes[0] != 1 {
		t.Errorf("picked %s", s)
	}
	if b := train.Sheet(4).Bounds(); b.Dx() != 4*68+4 || b.Dy() != 3*68+4 {
		t.Error("the sheet is", b)
	}
}

func FuzzReadCIFAR10(f *testing.F) {
	f.Add(record(9, 1, 2, 3))
	f.Add(record(10, 1, 2, 3))
	f.Add(record(1, 1, 2, 3)[1:])
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := ReadCIFAR10(bytes.NewReader(file))
		if err != nil {
			return
		}
		if p.Len() == 0 || len(p.Bytes) != p.Len()*3072 || p.Len()*3073 != len(file) {
			t.Fatalf("%s of %d bytes", p, len(file))
		}
	})
}

// here points ATTUNE_DATA at what was fetched into the build.
func here(t *testing.T) {
	t.Helper()
	if os.Getenv(Env) == "" {
		t.Setenv(Env, filepath.Join("..", "..", ".build", "data"))
	}
}

// The real files, where they were fetched.
func TestFashionMNIST(t *testing.T) {
	here(t)
	train, test, err := FashionMNIST()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if train.String() != "60000 pictures of 1×28×28, 10 classes" || test.Len() != 10000 || train.Name(train.Labels[0]) != "ankle boot" {
		t.Fatalf("read %s and %s, the first of %d", train, test, train.Labels[0])
	}
	var each [10]int
	sum := 0
	for i, l := range train.Labels {
		each[l]++
		for _, v := range train.One(i) {
			sum += int(v)
		}
	}
	for l, n := range each {
		if n != 6000 {
			t.Errorf("%d pictures of %s, want 6000", n, train.Name(l))
		}
	}
	// The mean of the training set that its users normalise by is 0.2860.
	if mean := float64(sum) / float64(len(train.Bytes)) / 255; mean < 0.28595 || mean > 0.28605 {
		t.Errorf("the mean pixel is %.4f", mean)
	}
}

func TestFashionMNISTMissing(t *testing.T) {
	t.Setenv(Env, t.TempDir())
	_, _, err := FashionMNIST()
	var missing *NotFoundError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "./install.sh data") {
		t.Fatalf("got %v", err)
	}
}
