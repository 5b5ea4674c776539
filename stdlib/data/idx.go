package data

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// largest bounds what a file may say it holds: 1 GiB, seven times CIFAR-10.
const largest = 1 << 30

// ReadIDX reads bytes in the IDX format of MNIST (LeCun, Cortes and Burges 1998), plain
// or packed by gzip: two zeros, 8 for bytes, the number of sizes, the sizes as big-endian
// 32-bit numbers, and the bytes. Other types than bytes are refused.
func ReadIDX(r io.Reader) (shape []int, data []uint8, err error) {
	const act = "read IDX"
	in := bufio.NewReader(r)
	if head, err := in.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", act, err)
		}
		in = bufio.NewReader(unpacked)
	}
	var magic [4]byte
	if _, err := io.ReadFull(in, magic[:]); err != nil {
		return nil, nil, fmt.Errorf("%s: the first 4 bytes: %w", act, err)
	}
	if magic[0] != 0 || magic[1] != 0 || magic[2] != 8 || magic[3] == 0 {
		return nil, nil, fmt.Errorf("%s: the file begins with % x, not with 00 00 08 and the number of sizes", act, magic)
	}
	size := uint64(1)
	for range magic[3] {
		var d [4]byte
		if _, err := io.ReadFull(in, d[:]); err != nil {
			return nil, nil, fmt.Errorf("%s: the sizes: %w", act, err)
		}
		n := binary.BigEndian.Uint32(d[:])
		if size *= uint64(n); size > largest {
			return nil, nil, fmt.Errorf("%s: the sizes promise more than %d bytes", act, largest)
		}
		shape = append(shape, int(n))
	}
	// A file may promise what it does not hold: memory grows with what is there.
	data, err = io.ReadAll(io.LimitReader(in, int64(size)+1))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", act, err)
	}
	if uint64(len(data)) != size {
		return nil, nil, fmt.Errorf("%s: the sizes %v promise %d bytes, and the file has %s", act, shape, size, fileHas(len(data), size))
	}
	return shape, data, nil
}

func fileHas(n int, want uint64) string {
	if uint64(n) > want {
		return "more"
	}
	return fmt.Sprint(n)
}

// LoadIDX reads a file of pictures (N, height, width) and the file of their labels
// (N), in the IDX format, plain or packed by gzip.
func LoadIDX(pictures, labels string) (*Pictures, error) {
	shape, pixels, err := openIDX(pictures, 3)
	if err != nil {
		return nil, err
	}
	_, classes, err := openIDX(labels, 1)
	if err != nil {
		return nil, err
	}
	if shape[0] != len(classes) {
		return nil, fmt.Errorf("read IDX: %s has %d pictures, and %s %d labels", pictures, shape[0], labels, len(classes))
	}
	p := &Pictures{Bytes: pixels, Labels: make([]int, len(classes)), Channels: 1, Height: shape[1], Width: shape[2]}
	for i, c := range classes {
		p.Labels[i] = int(c)
	}
	return p, nil
}

func openIDX(path string, sizes int) ([]int, []uint8, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read IDX: %w", err)
	}
	defer f.Close() // only read
	shape, data, err := ReadIDX(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(shape) != sizes {
		return nil, nil, fmt.Errorf("%s: read IDX: the file has %d sizes, want %d", path, len(shape), sizes)
	}
	return shape, data, nil
}

// FashionMNIST is 60,000 pictures of clothes to train with and 10,000 to test with,
// grey, 28 by 28, of 10 classes (Xiao, Rasul and Vollgraf 2017, MIT licence).
// `./install.sh data` fetches it; where it is missing, the error is a *NotFoundError.
func FashionMNIST() (train, test *Pictures, err error) {
	dir, err := Path("fashion-mnist")
	var missing *NotFoundError
	if errors.As(err, &missing) {
		missing.Fetch = "./install.sh data"
	}
	if err != nil {
		return nil, nil, err
	}
	if train, test, err = MNIST(dir); err != nil {
		return nil, nil, err
	}
	// Slices of its own each: a caller may rename.
	names := func() []string {
		return []string{"T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"}
	}
	train.Names, test.Names = names(), names()
	return train, test, nil
}

// MNIST reads the four files of MNIST, or of a set of the same form, from a folder:
// train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
// t10k-labels-idx1-ubyte, each as it is or packed as .gz.
func MNIST(dir string) (train, test *Pictures, err error) {
	load := func(part string) (*Pictures, error) {
		var paths [2]string
		for i, name := range []string{part + "-images-idx3-ubyte", part + "-labels-idx1-ubyte"} {
			paths[i] = filepath.Join(dir, name)
			if _, err := os.Stat(paths[i]); errors.Is(err, fs.ErrNotExist) {
				paths[i] += ".gz"
			}
		}
		return LoadIDX(paths[0], paths[1])
	}
	if train, err = load("train"); err != nil {
		return nil, nil, err
	}
	if test, err = load("t10k"); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}
