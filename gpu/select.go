package gpu

import (
	"fmt"

	"attune/gpu/mem"
)

// Select returns a dense copy of t with, along each axis, the indices that keep
// lists, in that order; nil, or nothing for the last axes, keeps an axis whole. It
// is what pruning does to a parameter:
//
//	w, err := w.Select(nil, []int{0, 2, 5}) // three of the columns
func (t *Tensor) Select(keep ...[]int) (*Tensor, error) {
	if err := live(t); err != nil {
		return nil, fmt.Errorf("select from tensor: %w", err)
	}
	out, err := t.selectOn(t.store.dev, t.Category(), keep)
	if err != nil {
		return nil, fmt.Errorf("select from %s: %w", t, err)
	}
	return out, nil
}

// selected is the shape that Select gives.
func selected(shape []int, keep [][]int) ([]int, error) {
	if len(keep) > len(shape) {
		return nil, fmt.Errorf("indices for %d axes of %s", len(keep), dims(shape))
	}
	out := append([]int{}, shape...)
	for axis, list := range keep {
		for _, i := range list {
			if i < 0 || i >= shape[axis] {
				return nil, fmt.Errorf("index %d along axis %d of %s: out of range", i, axis, dims(shape))
			}
		}
		if list != nil {
			out[axis] = len(list)
		}
	}
	return out, nil
}

// selectOn is Select into memory of dev. It goes through host memory, since
// pruning is rare.
func (t *Tensor) selectOn(dev *Device, cat mem.Category, keep [][]int) (*Tensor, error) {
	shape, err := selected(t.shape, keep)
	if err != nil {
		return nil, err
	}
	size := t.dtype.Size()
	src := make([]byte, t.Len()*size)
	if err := t.read(src); err != nil {
		return nil, err
	}
	// Axis by axis from the last: what lies behind the axis moves as one piece.
	behind := size
	for axis := len(t.shape) - 1; axis >= 0; axis-- {
		n := t.shape[axis]
		if axis < len(keep) && keep[axis] != nil {
			var dst []byte
			for at := 0; at < len(src); at += n * behind {
				for _, i := range keep[axis] {
					dst = append(dst, src[at+i*behind:][:behind]...)
				}
			}
			src = dst
		}
		behind *= shape[axis]
	}
	return dev.filled(t.dtype, cat, shape, func(c *Tensor) error { return c.write(src) })
}
