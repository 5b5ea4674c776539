package data

import (
	"slices"
	"strings"
	"testing"
)

func TestBatchSlice(t *testing.T) {
	b := &Batch{
		X: []float32{0, 1, 10, 11, 20, 21, 30, 31}, Shape: []int{4, 2, 1},
		Labels: []int{0, 1, 2, 3}, Targets: []float32{0, 0, 1, 1, 2, 2, 3, 3}, First: 5,
	}
	s := b.Slice(1, 3)
	if !slices.Equal(s.X, []float32{10, 11, 20, 21}) || !slices.Equal(s.Shape, []int{2, 2, 1}) || !slices.Equal(s.Labels, []int{1, 2}) ||
		!slices.Equal(s.Targets, []float32{1, 1, 2, 2}) || s.Tokens != nil || s.First != 6 || s.Len() != 2 {
		t.Fatalf("got %+v", s)
	}
	if again := s.Slice(1, 2); again.First != 7 || !slices.Equal(again.X, []float32{20, 21}) {
		t.Fatalf("of a part: %+v", again)
	}
	if _ = append(s.X, 99); b.X[6] != 30 {
		t.Error("appending to a part wrote into its neighbour")
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	text := &Batch{Tokens: []int32{1, 2, 3, 4}, Labels: []int{2, 3, 4, 5}, Shape: []int{2, 2}}
	if s := text.Slice(1, 2); !slices.Equal(s.Tokens, []int32{3, 4}) || !slices.Equal(s.Labels, []int{4, 5}) {
		t.Fatalf("of text: %+v", s)
	}
	if e := b.Slice(2, 2); e.Len() != 0 || e.Check() != nil {
		t.Errorf("an empty part: %+v, %v", e, e.Check())
	}
	defer func() {
		if recover() == nil {
			t.Error("examples 3 to 5 of 4 were given")
		}
	}()
	b.Slice(3, 5)
}

func TestBatchCheck(t *testing.T) {
	for want, b := range map[string]*Batch{
		"both":               {X: []float32{1}, Tokens: []int32{1}, Shape: []int{1}},
		"of 4 numbers":       {X: []float32{1}, Shape: []int{2, 2}},
		"of 2 tokens":        {Tokens: []int32{1}, Shape: []int{2}},
		"3 labels":           {X: []float32{1, 2}, Shape: []int{2}, Labels: []int{1, 2, 3}},
		"1 targets":          {X: []float32{1, 2}, Shape: []int{2}, Targets: []float32{1}},
		"has a negative":     {Shape: []int{-1}},
		"among 0 examples":   {Shape: []int{0}, Labels: []int{1}},
		"check the batch: s": {X: []float32{}, Shape: []int{1}},
	} {
		if err := b.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want one that says %q", b, err, want)
		}
	}
}
