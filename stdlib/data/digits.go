package data

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

const (
	digitsFile = "digits.csv.gz"
	digitsSide = 8
	digitsInk  = 16
)

// Digits is the 1,797 scanned handwritten digits that scikit-learn ships, 8 by 8
// pixels, labels 0 to 9: the test part of "Optical Recognition of Handwritten
// Digits" (Alpaydin and Kaynak 1998, UCI Machine Learning Repository). install.sh
// fetches the file; where it is missing, the error is a *NotFoundError.
func Digits() (*Images, error) {
	path, err := Path(digitsFile)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the digits: %w", err)
	}
	defer f.Close() // only read
	digits, err := ReadDigits(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return digits, nil
}

// ReadDigits reads the format of digits.csv.gz: gzip of lines of 65 numbers, 64
// pixels from 0 to 16 row by row, and the label from 0 to 9. The pixels are divided
// by 16. Errors name the line.
func ReadDigits(r io.Reader) (*Images, error) {
	const act = "read the digits"
	unpacked, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", act, err)
	}
	lines := csv.NewReader(unpacked)
	lines.FieldsPerRecord, lines.ReuseRecord = digitsSide*digitsSide+1, true
	s := &Images{Height: digitsSide, Width: digitsSide}
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", act, err)
		}
		if err := s.addDigit(record); err != nil {
			line, _ := lines.FieldPos(0)
			return nil, fmt.Errorf("%s: line %d: %w", act, line, err)
		}
	}
	if s.Len() == 0 {
		return nil, fmt.Errorf("%s: the file is empty", act)
	}
	return s, nil
}

func (s *Images) addDigit(record []string) error {
	last := len(record) - 1
	for i, field := range record[:last] {
		ink, err := strconv.Atoi(field)
		if err != nil || ink < 0 || ink > digitsInk {
			return fmt.Errorf("pixel %d is %q, not a whole number from 0 to %d", i, field, digitsInk)
		}
		s.Pixels = append(s.Pixels, float32(ink)/digitsInk)
	}
	label, err := strconv.Atoi(record[last])
	if err != nil || label < 0 || label > 9 {
		return fmt.Errorf("the label is %q, not a digit", record[last])
	}
	s.Labels = append(s.Labels, label)
	return nil
}
