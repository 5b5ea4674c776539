package nn

import (
	"errors"
	"fmt"
	"path"

	"attune/gpu"
	"attune/gpu/mem"
)

// Freeze takes parameters out of training: their gradients' memory is given back, and
// the backward pass stops above the lowest parameter that still learns. A pattern is a
// name in which * stands for any text ("block*"), or that of a layer ("embed"). It
// returns how many tensors it froze; a pattern that fits none is an error.
func (n *Net) Freeze(patterns ...string) (int, error) {
	return n.each("freeze", patterns, func(p *Param) (bool, error) {
		if p.Grad == nil {
			return false, nil
		}
		g := p.Grad
		p.Grad = nil
		return true, g.Free()
	})
}

// Unfreeze is the way back from Freeze: the parameters get gradients of zeros.
func (n *Net) Unfreeze(patterns ...string) (int, error) {
	return n.each("unfreeze", patterns, func(p *Param) (bool, error) { return p.Grad == nil, p.learn() })
}

// SetRate has the parameters that patterns of Freeze name learn at factor times the
// learning rate: a tenth for what was learned before and a whole for a new head, say. It
// returns how many tensors that are.
func (n *Net) SetRate(factor float64, patterns ...string) (int, error) {
	if factor <= 0 {
		return 0, fmt.Errorf("set the rate of %v to %g times: want more than 0, or Freeze them", patterns, factor)
	}
	return n.each("set the rate of", patterns, func(p *Param) (bool, error) {
		p.Rate = factor
		return true, nil
	})
}

// Group lists the parameters that a pattern of Freeze names.
func (n *Net) Group(pattern string) []*Param {
	var out []*Param
	for _, p := range n.params {
		if fits(pattern, p.Name) {
			out = append(out, p)
		}
	}
	return out
}

func fits(pattern, name string) bool {
	ok, _ := path.Match(pattern, name)
	layer, _ := path.Match(pattern+".*", name)
	return ok || layer
}

func (n *Net) each(act string, patterns []string, f func(p *Param) (bool, error)) (int, error) {
	count := 0
	for _, pattern := range patterns {
		group := n.Group(pattern)
		if len(group) == 0 {
			return count, fmt.Errorf("%s %q: no parameter is called so, see Net.Params", act, pattern)
		}
		for _, p := range group {
			changed, err := f(p)
			if err != nil {
				return count, fmt.Errorf("%s %s: %w", act, p.Name, err)
			}
			if changed {
				count++
			}
		}
	}
	return count, nil
}

// Shadow is a net with the same parameters on another device, without their values:
// on a device of shapes (gpu.OpenMeta) it takes this net's code through a step that
// computes nothing. Code that was written for this net runs on the shadow's tapes and
// in its Step and Eval, which put the shadow's parameters in place of this net's.
func (n *Net) Shadow(dev *gpu.Device) (*Net, error) {
	if n.err != nil {
		return nil, n.err
	}
	s := &Net{Precision: n.Precision, dev: dev, seed: n.seed, steps: n.steps, rng: n.rng, shadows: map[*Param]*Param{}}
	for i, p := range append(append([]*Param{}, n.params...), n.buffers...) {
		q := &Param{Name: p.Name, Rate: p.Rate}
		var err error
		q.Value, err = dev.Empty(p.Value.DType(), mem.Parameters, p.Value.Shape()...)
		if err == nil && p.Grad != nil {
			err = q.learn()
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("make a shadow of %s: %w", p.Name, err), s.Free())
		}
		s.shadows[p] = q
		if i < len(n.params) {
			s.params = append(s.params, q)
		} else {
			s.buffers = append(s.buffers, q)
		}
	}
	return s, nil
}
