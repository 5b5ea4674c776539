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
	t := n.Tape()
	n.steps++
	loss, err := n.step(t, opt, forward)
	if err = errors.Join(err, t.Free(), n.Release()); err != nil {
		return 0, fmt.Errorf("training step: %w", err)
	}
	return loss, nil
}

func (n *Net) step(t *Tape, opt gpu.Optimizer, forward func(t *Tape) *Value) (float64, error) {
	if t.err != nil {
		return 0, t.err
	}
	if err := n.ZeroGrad(); err != nil {
		return 0, err
	}
	loss := forward(t)
	if err := n.Backward(t, loss, 1, opt); err != nil {
		return 0, err
	}
	if err := n.Update(opt); err != nil {
		return 0, err
	}
	value, err := loss.Float32s()
	if err != nil {
		return 0, err
	}
	return float64(value[0]), nil
}

// Tape returns a tape for training this net. Each step's dropout differs, and is the
// same for a net of the same seed after as many steps.
func (n *Net) Tape() *Tape {
	t := NewTape(n.dev)
	t.computeIn(n.Precision)
	t.shadows, t.Seed = n.shadows, n.seed+n.steps*0x9e3779b97f4a7c15
	return t
}

// EvalTape returns a tape for using this net.
func (n *Net) EvalTape() *Tape {
	t := NewEvalTape(n.dev)
	t.computeIn(n.Precision)
	t.net, t.shadows = n, n.shadows
	return t
}

// computeIn sets the tape's precision, or has it say why it cannot be that.
func (t *Tape) computeIn(precision gpu.DType) {
	if t.precision = precision; !precision.Float() {
		t.err = fmt.Errorf("compute in %s: want gpu.Float32, gpu.Float16 or gpu.BFloat16 as the net's Precision", precision)
	}
}

// Update is the second half of Step: opt changes the parameters by the gradients that
// backward passes have added up since ZeroGrad. Frozen ones stay.
func (n *Net) Update(opt gpu.Optimizer) error {
	rated, _ := opt.(interface {
		SetFactor(p *gpu.Tensor, factor float64)
	})
	var params, grads []*gpu.Tensor
	for _, p := range n.params {
		if p.Grad == nil {
			continue
		}
		params, grads = append(params, p.Value), append(grads, p.Grad)
		if p.Rate <= 0 {
			continue
		}
		if rated == nil {
			return fmt.Errorf("update %s at %g times the rate: a %T has one rate for all", p.Name, p.Rate, opt)
		}
		rated.SetFactor(p.Value, p.Rate)
	}
	if err := n.Release(); err != nil {
		return err
	}
	return opt.Step(params, grads)
}

// Eval runs forward without recording gradients and returns its value, row-major.
func (n *Net) Eval(forward func(t *Tape) *Value) ([]float32, error) { return n.eval(nil, forward) }

func (n *Net) eval(c *Cache, forward func(t *Tape) *Value) ([]float32, error) {
	if n.err != nil {
		return nil, n.err
	}
	t := n.EvalTape()
	t.cache = c
	var v *Value
	if t.err == nil {
		v = forward(t)
	}
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
