package nn

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"attune/gpu"
)

// Step is one step of training: forward computes the loss on a fresh tape, its
// gradient changes the parameters by way of opt, and the tape's memory is given
// back. It returns the loss.
func (n *Net) Step(opt gpu.Optimizer, forward func(t *Tape) *Value) (float64, error) {
	if n.err != nil {
		return 0, n.err
	}
	t := NewTape(n.dev)
	loss, err := n.step(t, opt, forward)
	if err = errors.Join(err, t.Free()); err != nil {
		return 0, fmt.Errorf("training step: %w", err)
	}
	return loss, nil
}

func (n *Net) step(t *Tape, opt gpu.Optimizer, forward func(t *Tape) *Value) (float64, error) {
	if err := n.ZeroGrad(); err != nil {
		return 0, err
	}
	loss := forward(t)
	if err := t.Backward(loss); err != nil {
		return 0, err
	}
	var params, grads []*gpu.Tensor
	for _, p := range n.params {
		params, grads = append(params, p.Value), append(grads, p.Grad)
	}
	if err := opt.Step(params, grads); err != nil {
		return 0, err
	}
	value, err := loss.Float32s()
	if err != nil {
		return 0, err
	}
	return float64(value[0]), nil
}

// Eval runs forward without recording gradients and returns its value, row-major.
func (n *Net) Eval(forward func(t *Tape) *Value) ([]float32, error) {
	if n.err != nil {
		return nil, n.err
	}
	t := NewEvalTape(n.dev)
	v := forward(t)
	err := t.Err()
	var out []float32
	if err == nil {
		out, err = v.Float32s()
	}
	if err = errors.Join(err, t.Free()); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	return out, nil
}

// Batches deals 0..n-1 in random order into batches of that size; the last may be
// smaller. The same rng state gives the same batches.
func Batches(rng *rand.Rand, n, size int) [][]int {
	order := rng.Perm(n)
	var out [][]int
	for size > 0 && len(order) > 0 {
		k := min(size, len(order))
		out = append(out, order[:k:k])
		order = order[k:]
	}
	return out
}

// Gather copies the examples named by index out of data, in which each is width
// values long.
func Gather[T any](data []T, width int, index []int) []T {
	out := make([]T, 0, len(index)*width)
	for _, i := range index {
		out = append(out, data[i*width:(i+1)*width]...)
	}
	return out
}
