package worker

import (
	"reflect"
	"testing"
	"testing/quick"
)

// TestPack packs and unpacks cells with every field set, and cuts them short.
func TestPack(t *testing.T) {
	number := &TypeRef{Name: "int"}
	function := &TypeRef{Kind: Func, In: []*TypeRef{number, {Kind: Slice, Elem: number}}, Out: []*TypeRef{{Kind: EmptyInterface}}, Varia: true}
	cells := []*Straight{
		{},
		{Body: "(*r_0) = 2; ", File: "0a", Line: 1, Vars: []Var{{Name: "r_0", Type: &TypeRef{Kind: EmptyInterface}}}},
		{
			Imports: []Import{{"i_fmt", "fmt"}}, Vars: []Var{{"v_x", "x", &TypeRef{Kind: Map, Key: number, Elem: function}}, {Name: "r_0"}},
			Funcs: []Ref{{"f_f", "f"}}, Types: []Ref{{"t_T", "T"}}, Stands: []string{"os.Exit"}, Instances: []Ref{{"g_1", "slices.Sort[int]"}},
			Needs: []*TypeRef{{Kind: Array, Len: 3, Elem: number}}, Loops: [][]Extent{{{N: -1, Of: []string{"x"}}, {N: 1 << 40}}},
			Body: "f_f()", File: "0b", Line: 3,
		},
	}
	whole(t, cells[2])
	for _, want := range cells {
		b := want.Pack()
		got, err := Unpack(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v came as %+v, %v", want, got, err)
		}
		for n := range b {
			if _, err := Unpack(b[:n]); err == nil {
				t.Errorf("%d of %d bytes were taken for the whole", n, len(b))
			}
		}
	}
}

func TestPackAnyTexts(t *testing.T) {
	same := func(body, file string, stands []string, n int64, of []string) bool {
		want := Straight{Body: body, File: file, Stands: stands, Loops: [][]Extent{{{N: n, Of: of}}}}
		got, err := Unpack(want.Pack())
		return err == nil && string(got.Pack()) == string(want.Pack()) && got.Body == body && got.Loops[0][0].N == n
	}
	if err := quick.Check(same, nil); err != nil {
		t.Error(err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add((&Straight{Body: "x", Needs: []*TypeRef{{Kind: Pointer, Elem: &TypeRef{Name: "int"}}}}).Pack())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Unpack(b)
		if err != nil {
			return
		}
		again, err := Unpack(s.Pack())
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%+v came back as %+v, %v", s, again, err)
		}
	})
}
