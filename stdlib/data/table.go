package data

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Table is N lines of numbers, each with a class or a number to be learnt.
type Table struct {
	// X is (N, features), row-major, in the order of Names.
	X     []float32
	Names []string
	// Labels is (N) where the target is text, as places in Classes, which are in the
	// order of the alphabet; else Targets is (N).
	Labels  []int
	Classes []string
	Targets []float32

	n int
}

// Len is N, the number of lines.
func (t *Table) Len() int { return t.n }

// String says what the table is: "150 lines of 4 features, 3 classes".
func (t *Table) String() string {
	s := fmt.Sprintf("%d lines of %d features", t.n, len(t.Names))
	if t.Labels != nil {
		s += fmt.Sprintf(", %d classes", len(t.Classes))
	}
	return s
}

// Batch is the lines of those indices as (N, features).
func (t *Table) Batch(index []int) (*Batch, error) {
	f := len(t.Names)
	b := &Batch{X: make([]float32, 0, len(index)*f), Shape: []int{len(index), f}}
	for _, i := range index {
		if i < 0 || i >= t.n {
			return nil, outOfRange(i, t.n)
		}
		b.X = append(b.X, t.X[i*f:(i+1)*f]...)
		if t.Labels != nil {
			b.Labels = append(b.Labels, t.Labels[i])
		} else {
			b.Targets = append(b.Targets, t.Targets[i])
		}
	}
	return b, nil
}

// LoadTable reads a file of comma-separated values whose first line names the columns.
// The column target is what is to be learnt: a number each, or a class each where any of
// it is no number. All other columns must be numbers. Errors name line and column.
func LoadTable(path, target string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the table: %w", err)
	}
	defer f.Close() // only read
	t, err := ReadTable(f, target)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// ReadTable is LoadTable of what r reads.
func ReadTable(r io.Reader, target string) (*Table, error) {
	const act = "read the table"
	lines := csv.NewReader(r)
	lines.ReuseRecord = true
	head, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: the line of names: %w", act, err)
	}
	t, at, want := &Table{}, -1, []string(nil)
	for i, name := range head {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		if name == target && at < 0 {
			at = i
			continue
		}
		t.Names = append(t.Names, name)
	}
	if at < 0 {
		return nil, fmt.Errorf("%s: no column %s among %s", act, target, strings.Join(t.Names, ", "))
	}
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", act, err)
		}
		names := t.Names
		for i, field := range record {
			field = strings.TrimSpace(field)
			if i == at {
				want = append(want, strings.Clone(field))
				continue
			}
			x, err := strconv.ParseFloat(field, 32)
			if err != nil {
				line, _ := lines.FieldPos(i)
				return nil, fmt.Errorf("%s: line %d, column %s: %q is not a number", act, line, names[0], field)
			}
			t.X, names = append(t.X, float32(x)), names[1:]
		}
		t.n++
	}
	t.learn(want)
	return t, nil
}

// learn takes the targets: numbers, or classes where any is none.
func (t *Table) learn(want []string) {
	t.Targets = make([]float32, 0, len(want))
	for _, w := range want {
		x, err := strconv.ParseFloat(w, 32)
		if err != nil {
			t.Targets = nil
			break
		}
		t.Targets = append(t.Targets, float32(x))
	}
	if t.Targets != nil {
		return
	}
	t.Classes = slices.Compact(slices.Sorted(slices.Values(want)))
	t.Labels = make([]int, len(want))
	for i, w := range want {
		t.Labels[i], _ = slices.BinarySearch(t.Classes, w)
	}
}
