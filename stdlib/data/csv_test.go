package data

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

type flower struct {
	Name   string
	Petals int8
	Size   float32 `csv:"petal size"`
	Seen   time.Time
	Wild   bool
	Note   string `csv:"-"`
}

const flowers = "\ufeffseen,NAME,petals,petal size,colour,wild\n" +
	"2024-05-01T00:00:00Z,\"rose, dog\",5,2.5,pink,true\n" +
	",daisy,,1e-1,white,\n"

func TestReadCSV(t *testing.T) {
	got, err := ReadCSV[flower](strings.NewReader(flowers))
	if err != nil {
		t.Fatal(err)
	}
	want := []flower{
		{Name: "rose, dog", Petals: 5, Size: 2.5, Seen: time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC), Wild: true},
		{Name: "daisy", Size: 0.1},
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %+v", got)
	}
	path := filepath.Join(t.TempDir(), "flowers.csv")
	if err := os.WriteFile(path, []byte(flowers), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := LoadCSV[flower](path); err != nil || !slices.Equal(got, want) {
		t.Fatalf("from a file: %+v, %v", got, err)
	}
}

func TestReadCSVRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":             "the line of names",
		"a\n1\n":       "no column X among a",
		"x\n1\nmany\n": `line 3, column X: "many" is not of type int8`,
		"x\n300\n":     `line 2, column X: "300" does not fit type int8`,
		"x,y\n1\n":     "wrong number of fields",
		"x\n\"1\n":     "line",
	} {
		_, err := ReadCSV[struct{ X int8 }](strings.NewReader(text))
		if err == nil || !strings.HasPrefix(err.Error(), "read CSV: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want one that says %q", text, err, want)
		}
	}
	if _, err := ReadCSV[int](strings.NewReader("x\n1\n")); err == nil {
		t.Error("lines were read into an int")
	}
	if _, err := ReadCSV[struct{ X []int }](strings.NewReader("x\n1\n")); err == nil {
		t.Error("a cell was read into a slice")
	}
	if _, err := LoadCSV[flower](filepath.Join(t.TempDir(), "none.csv")); err == nil {
		t.Error("a missing file was read")
	}
}

// What is written is what is read.
func FuzzReadCSV(f *testing.F) {
	f.Add("rose, \"dog\"", int64(-5), 2.5, true)
	f.Fuzz(func(t *testing.T, s string, n int64, x float64, b bool) {
		if strings.Contains(s, "\r") || x != x {
			t.Skip("line ends are normalised; NaN is not equal to itself")
		}
		type row struct {
			S string
			N int64
			X float64
			B bool
		}
		var text strings.Builder
		w := csv.NewWriter(&text)
		for _, record := range [][]string{{"S", "N", "X", "B"}, {s, strconv.FormatInt(n, 10), fmt.Sprint(x), strconv.FormatBool(b)}} {
			if err := w.Write(record); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		got, err := ReadCSV[row](strings.NewReader(text.String()))
		if err != nil || !slices.Equal(got, []row{{s, n, x, b}}) {
			t.Fatalf("got %+v, %v", got, err)
		}
	})
}
