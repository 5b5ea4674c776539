package data

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	cifarSide   = 32
	cifarRecord = 1 + 3*cifarSide*cifarSide
	cifarFile   = 10000 // pictures
)

// CIFAR10 reads CIFAR-10 (Krizhevsky 2009) from the folder of its binary version:
// 50,000 pictures of 3 by 32 by 32 to train with (data_batch_1.bin to
// data_batch_5.bin) and 10,000 to test with (test_batch.bin), of 10 classes. No
// package holds the set: where a file is missing, the error says where to get it.
func CIFAR10(dir string) (train, test *Pictures, err error) {
	var files []string
	for i := range 5 {
		files = append(files, filepath.Join(dir, fmt.Sprintf("data_batch_%d.bin", i+1)))
	}
	if train, err = loadCIFAR(files...); err != nil {
		return nil, nil, err
	}
	if test, err = loadCIFAR(filepath.Join(dir, "test_batch.bin")); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

func loadCIFAR(files ...string) (*Pictures, error) {
	all := &Pictures{Channels: 3, Height: cifarSide, Width: cifarSide}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read CIFAR-10: %w; download cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html, "+
				"unpack it (tar xzf), and name its folder cifar-10-batches-bin", err)
		}
		p, err := ReadCIFAR10(f)
		f.Close() // only read
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all.Bytes, all.Labels, all.Names = append(all.Bytes, p.Bytes...), append(all.Labels, p.Labels...), p.Names
	}
	return all, nil
}

// ReadCIFAR10 reads one file of CIFAR-10's binary version: records of 3,073 bytes, the
// label from 0 to 9 and 32 by 32 pixels, all red, all green, all blue, row by row. At
// most 10,000 records.
func ReadCIFAR10(r io.Reader) (*Pictures, error) {
	const act = "read CIFAR-10"
	file, err := io.ReadAll(io.LimitReader(r, cifarFile*cifarRecord+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", act, err)
	}
	n := len(file) / cifarRecord
	if n == 0 || len(file)%cifarRecord != 0 || n > cifarFile {
		return nil, fmt.Errorf("%s: the file is not 1 to %d records of %d bytes", act, cifarFile, cifarRecord)
	}
	p := &Pictures{
		Channels: 3, Height: cifarSide, Width: cifarSide, Bytes: make([]uint8, 0, n*(cifarRecord-1)), Labels: make([]int, 0, n),
		Names: []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
	}
	for i := range n {
		record := file[i*cifarRecord : (i+1)*cifarRecord]
		if record[0] > 9 {
			return nil, fmt.Errorf("%s: picture %d: the label is %d, not 0 to 9", act, i, record[0])
		}
		p.Labels, p.Bytes = append(p.Labels, int(record[0])), append(p.Bytes, record[1:]...)
	}
	return p, nil
}
