package data

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	const text = "\ufeffwide,kind,high\n1,rose, 2\n3,daisy,4.5\n-1e-1,rose,0\n"
	path := filepath.Join(t.TempDir(), "t.csv")
	write(t, path, []byte(text))
	got, err := LoadTable(path, "kind")
	if err != nil || got.String() != "3 lines of 2 features, 2 classes" || !slices.Equal(got.X, []float32{1, 2, 3, 4.5, -0.1, 0}) ||
		!slices.Equal(got.Labels, []int{1, 0, 1}) || !slices.Equal(got.Names, []string{"wide", "high"}) {
		t.Fatalf("read %+v, %v", got, err)
	}
	b, err := got.Batch([]int{2, 1})
	if err != nil || !slices.Equal(b.X, []float32{-0.1, 0, 3, 4.5}) || !slices.Equal(b.Labels, []int{1, 0}) || b.Check() != nil {
		t.Errorf("a batch %+v, %v", b, err)
	}
	number, err := ReadTable(strings.NewReader("x,y\n1,2\n3,4\n"), "y")
	if err != nil || !slices.Equal(number.Targets, []float32{2, 4}) || number.Labels != nil {
		t.Errorf("read %+v, %v", number, err)
	}
	for want, text := range map[string]string{
		"the line of names":           "",
		"no column y among x, z":      "x,z\n",
		`line 3, column z: "many" is`: "x,y,z\n1,a,2\n1,b,many\n",
		"wrong number of fields":      "x,y\n1\n",
	} {
		if _, err := ReadTable(strings.NewReader(text), "y"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want one that says %q", text, err, want)
		}
	}
}

func FuzzReadTable(f *testing.F) {
	f.Add("x,y,z\n1,a,2\n3,b,4\n")
	f.Add("y\n1\n2\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ReadTable(strings.NewReader(text), "y")
		if err != nil {
			return
		}
		if len(got.X) != got.Len()*len(got.Names) || len(got.Labels)+len(got.Targets) != got.Len() {
			t.Fatalf("%+v", got)
		}
	})
}
