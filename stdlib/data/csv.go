package data

import (
	"encoding"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
)

// ReadCSV reads comma-separated values (RFC 4180) whose first line names the
// columns into one T, a struct, per line. A column goes to the field whose csv tag
// is its name, else to the exported field of that name, letter case aside; columns
// without a field are passed over, fields without a column are an error. Fields may
// be strings, bools, numbers and encoding.TextUnmarshalers (time.Time, for one); an
// empty cell leaves the zero value. Errors name line and column.
func ReadCSV[T any](r io.Reader) ([]T, error) {
	const act = "read CSV"
	lines := csv.NewReader(r)
	lines.ReuseRecord = true
	header, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: the line of names: %w", act, err)
	}
	columns, err := matchColumns(reflect.TypeFor[T](), header)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", act, err)
	}
	var out []T
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", act, err)
		}
		var row T
		for _, c := range columns {
			if err := setField(reflect.ValueOf(&row).Elem().Field(c.field), record[c.at]); err != nil {
				line, _ := lines.FieldPos(c.at)
				return nil, fmt.Errorf("%s: line %d, column %s: %w", act, line, c.name, err)
			}
		}
		out = append(out, row)
	}
}

// LoadCSV is ReadCSV of the file at path.
func LoadCSV[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read CSV: %w", err)
	}
	defer f.Close() // only read
	out, err := ReadCSV[T](f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// column says which cell of a line goes to which field.
type column struct {
	name      string
	at, field int
}

func matchColumns(t reflect.Type, header []string) ([]column, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("want a struct to read lines into, not %s", t)
	}
	var out []column
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("csv")
		if !f.IsExported() || tag == "-" {
			continue
		}
		at := -1
		for j, name := range header {
			// Spreadsheets begin a file with a byte order mark.
			name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
			if tagged && name == tag || !tagged && strings.EqualFold(name, f.Name) {
				at = j
				break
			}
		}
		if at < 0 {
			want := f.Name
			if tagged {
				want = tag
			}
			return nil, fmt.Errorf("no column %s among %s", want, strings.Join(header, ", "))
		}
		out = append(out, column{f.Name, at, i})
	}
	return out, nil
}

func setField(f reflect.Value, cell string) error {
	if u, ok := f.Addr().Interface().(encoding.TextUnmarshaler); ok && cell != "" {
		return u.UnmarshalText([]byte(cell))
	}
	if f.Kind() == reflect.String {
		f.SetString(cell)
		return nil
	}
	if cell = strings.TrimSpace(cell); cell == "" {
		return nil
	}
	var err error
	switch {
	case f.CanInt():
		var n int64
		n, err = strconv.ParseInt(cell, 10, f.Type().Bits())
		f.SetInt(n)
	case f.CanUint():
		var n uint64
		n, err = strconv.ParseUint(cell, 10, f.Type().Bits())
		f.SetUint(n)
	case f.CanFloat():
		var x float64
		x, err = strconv.ParseFloat(cell, f.Type().Bits())
		f.SetFloat(x)
	case f.Kind() == reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(cell)
		f.SetBool(b)
	default:
		return fmt.Errorf("a field of type %s cannot be read from text", f.Type())
	}
	if errors.Is(err, strconv.ErrSyntax) {
		return fmt.Errorf("%q is not of type %s", cell, f.Type())
	}
	if err != nil {
		return fmt.Errorf("%q does not fit type %s", cell, f.Type())
	}
	return nil
}
