package data

import (
	"errors"
	"fmt"
)

// Batch is N examples on their way into a model: numbers or tokens, and what is to
// be learnt of them. Every slice is row-major with the examples first, and its
// length is a multiple of N.
type Batch struct {
	// X is the numbers, of Shape; nil where the examples are tokens.
	X []float32
	// Tokens is the tokens, of Shape; nil where the examples are numbers.
	Tokens []int32
	// Shape is (N, …), of X or Tokens: (N, channels, height, width) of pictures,
	// (N, features) of a table, (N, T) of text.
	Shape []int
	// Labels is (N), each example's class from 0; of text (N, T), the token that
	// follows each. nil where there are none.
	Labels []int
	// Targets is (N, …), the numbers to be learnt; nil where there are none.
	Targets []float32
	// First is the index of example 0 in the whole batch, where this one is a part of
	// it.
	First int
}

// Len is N, the number of examples.
func (b *Batch) Len() int {
	if len(b.Shape) > 0 {
		return b.Shape[0]
	}
	return len(b.Labels)
}

// Slice is the examples lo to hi, hi excluded, as a batch that shares memory with b
// and knows where in the whole it begins. Bounds out of range panic, as those of a
// slice do.
func (b *Batch) Slice(lo, hi int) *Batch {
	n := b.Len()
	out := &Batch{
		X: part(b.X, n, lo, hi), Tokens: part(b.Tokens, n, lo, hi), Labels: part(b.Labels, n, lo, hi),
		Targets: part(b.Targets, n, lo, hi), First: b.First + lo,
	}
	if len(b.Shape) > 0 {
		out.Shape = append([]int{hi - lo}, b.Shape[1:]...)
	}
	return out
}

// part is the rows lo to hi of n rows.
func part[T any](s []T, n, lo, hi int) []T {
	if s == nil {
		return nil
	}
	// Bounds are held against n even where rows are empty.
	_ = make([]struct{}, n)[lo:hi]
	row := 0
	if n > 0 {
		row = len(s) / n
	}
	return s[lo*row : hi*row : hi*row]
}

// Check is an error where the slices' lengths and the shape do not fit each other.
func (b *Batch) Check() error {
	size := 1
	for _, d := range b.Shape {
		if d < 0 {
			return fmt.Errorf("check the batch: shape %v has a negative size", b.Shape)
		}
		size *= d
	}
	n := b.Len()
	switch {
	case b.X != nil && b.Tokens != nil:
		return errors.New("check the batch: it has both numbers and tokens")
	case b.X != nil && len(b.X) != size:
		return fmt.Errorf("check the batch: shape %v is of %d numbers, and there are %d", b.Shape, size, len(b.X))
	case b.Tokens != nil && len(b.Tokens) != size:
		return fmt.Errorf("check the batch: shape %v is of %d tokens, and there are %d", b.Shape, size, len(b.Tokens))
	case !whole(len(b.Labels), n):
		return fmt.Errorf("check the batch: %d labels cannot be shared among %d examples", len(b.Labels), n)
	case !whole(len(b.Targets), n):
		return fmt.Errorf("check the batch: %d targets cannot be shared among %d examples", len(b.Targets), n)
	}
	return nil
}

func whole(k, n int) bool { return k == 0 || n > 0 && k%n == 0 }
