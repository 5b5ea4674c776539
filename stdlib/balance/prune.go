package balance

import (
	"errors"
	"fmt"
	"slices"

	"attune/gpu"
	"attune/gpu/mem"
	"attune/stdlib/nn"
)

// Site is a place in a model where parts can be taken out: the heads of an
// attention, the neurons between two Linears, the channels between two
// convolutions. What is taken out is gone from memory and from the arithmetic.
type Site struct {
	// Layer names it, and Of says how many parts it has.
	Layer string
	Part  Part
	Of    int
	cuts  []cut
	// reads are the parameters that read what the parts give: with its entries there
	// zero, a part might as well not be there.
	reads  []cut
	resize func(n int)
}

// cut is one parameter that a Site shortens along an axis; index lists what the
// parts in keep have there.
type cut struct {
	param *nn.Param
	axis  int
	index func(keep []int) []int
}

// runs is an index function for parts that have width entries each, in groups of
// all parts: query, key and value lie side by side so.
func runs(of, width, groups int) func([]int) []int {
	return func(keep []int) []int {
		var out []int
		for g := range groups {
			for _, i := range keep {
				for d := range width {
					out = append(out, (g*of+i)*width+d)
				}
			}
		}
		return out
	}
}

// HeadsOf is where the heads of an attention can be taken out.
func HeadsOf(layer string, a *nn.SelfAttention) Site {
	width := a.Out.W.Value.Dim(0) / a.Heads
	out := cut{a.Out.W, 0, runs(a.Heads, width, 1)}
	return Site{
		Layer: layer, Part: Heads, Of: a.Heads,
		cuts: []cut{
			{a.QKV.W, 1, runs(a.Heads, width, 3)}, {a.QKV.B, 0, runs(a.Heads, width, 3)}, out,
		},
		reads:  []cut{out},
		resize: func(n int) { a.Heads = n },
	}
}

// NeuronsOf is where the neurons between two Linears can be taken out: columns of
// up and rows of down, with any elementwise function between them.
func NeuronsOf(layer string, up, down *nn.Linear) Site {
	n := down.W.Value.Dim(0)
	out := cut{down.W, 0, runs(n, 1, 1)}
	return Site{
		Layer: layer, Part: Neurons, Of: n,
		cuts:  []cut{{up.W, 1, runs(n, 1, 1)}, {up.B, 0, runs(n, 1, 1)}, out},
		reads: []cut{out},
	}
}

// LayerOf is a block as one part, for Attend: without it, what goes in comes out.
// It cannot be pruned; leave the block out of the model.
func LayerOf(layer string, b *nn.Block) Site {
	s := Site{Layer: layer, Part: Layers, Of: 1}
	for _, p := range []*nn.Param{b.Attention.Out.W, b.Attention.Out.B, b.Down.W, b.Down.B} {
		s.reads = append(s.reads, cut{p, 0, runs(1, p.Value.Dim(0), 1)})
	}
	return s
}

// names are what a Report calls the parts: "block.attention head 2".
func (s Site) names() []string {
	if s.Part == Layers {
		return []string{s.Layer}
	}
	var out []string
	for i := range s.Of {
		out = append(out, fmt.Sprintf("%s %s %d", s.Layer, s.Part.one(), i))
	}
	return out
}

// check is an error unless keep lists some parts, in ascending order.
func (s Site) check(keep []int) error {
	if len(keep) == 0 || len(keep) > s.Of || !slices.IsSorted(keep) || keep[0] < 0 || keep[len(keep)-1] >= s.Of || len(slices.Compact(slices.Clone(keep))) != len(keep) {
		return fmt.Errorf("prune %s: keep %s %v: want at least one of 0..%d, ascending, none twice", s.Layer, s.Part, keep, s.Of-1)
	}
	return nil
}

// stater tells the state of a parameter; gpu's optimizers do.
type stater interface {
	State(p *gpu.Tensor) []*gpu.Tensor
}

// Frees is the bytes that Prune will give back: of values, gradients and the
// optimizer's state, which may be nil.
func (s Site) Frees(opt gpu.Optimizer, keep []int) (int64, error) {
	if err := s.check(keep); err != nil {
		return 0, err
	}
	sum := int64(0)
	for _, c := range s.cuts {
		if c.param == nil {
			continue
		}
		all := []*gpu.Tensor{c.param.Value}
		if c.param.Grad != nil {
			all = append(all, c.param.Grad)
		}
		if o, ok := opt.(stater); ok {
			all = append(all, o.State(c.param.Value)...)
		}
		for _, t := range all {
			old := t.Dim(c.axis)
			sum += int64(t.Len()/old*(old-len(c.index(keep)))) * int64(t.DType().Size())
		}
	}
	return sum, nil
}

// Prune takes out all parts but those in keep, ascending: parameters, gradients and
// the optimizer's state (which may be nil) are made shorter and what they had is
// given back; later steps compute less. The gradients are zero afterwards. It needs
// room for the shortened values beside the old ones; where there is none the error
// is an out-of-memory and nothing has changed.
func (s *Site) Prune(opt gpu.Optimizer, keep []int) error {
	if err := s.check(keep); err != nil {
		return err
	}
	if len(keep) == s.Of {
		return nil
	}
	if len(s.cuts) == 0 {
		return fmt.Errorf("prune %s: its %s cannot be taken out", s.Layer, s.Part)
	}
	if err := s.prune(opt, keep); err != nil {
		return fmt.Errorf("prune %s to %d %s: %w", s.Layer, len(keep), s.Part, err)
	}
	if s.resize != nil {
		s.resize(len(keep))
	}
	s.Of = len(keep)
	return nil
}

func (s *Site) prune(opt gpu.Optimizer, keep []int) error {
	values := make([]*gpu.Tensor, len(s.cuts))
	lists := make([][][]int, len(s.cuts))
	for i, c := range s.cuts {
		if c.param == nil {
			continue
		}
		lists[i] = make([][]int, c.axis+1)
		lists[i][c.axis] = c.index(keep)
		var err error
		if values[i], err = c.param.Value.Select(lists[i]...); err != nil {
			for _, v := range values {
				err = errors.Join(err, v.Free())
			}
			return err
		}
	}
	// From here on there is room: what is given back is larger than what is made.
	var errs []error
	for i, c := range s.cuts {
		if c.param == nil {
			continue
		}
		old, grad := c.param.Value, c.param.Grad
		errs = append(errs, old.Free(), grad.Free())
		c.param.Value = values[i]
		if opt != nil {
			errs = append(errs, opt.Move(old, values[i], lists[i]...))
		}
		if grad != nil {
			var err error
			c.param.Grad, err = old.Device().Zeros(mem.Gradients, values[i].Shape()...)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// silence sets what reads the parts in gone to zero, as if they had been taken
// out, until back is called.
func (s Site) silence(gone []int) (back func() error, err error) {
	var undo []func() error
	back = func() error {
		var errs []error
		for _, f := range undo {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	for _, c := range s.reads {
		old, err := c.param.Value.Float32s()
		if err != nil {
			return nil, errors.Join(err, back())
		}
		values := slices.Clone(old)
		c.each(gone, func(at int) { values[at] = 0 })
		if err := c.param.Value.CopyFrom(values); err != nil {
			return nil, errors.Join(err, back())
		}
		undo = append(undo, func() error { return c.param.Value.CopyFrom(old) })
	}
	return back, nil
}

// each calls f with the place of every element that belongs to the parts.
func (c cut) each(parts []int, f func(at int)) {
	shape := c.param.Value.Shape()
	inner, n, outer := 1, shape[c.axis], 1
	for _, d := range shape[c.axis+1:] {
		inner *= d
	}
	for _, d := range shape[:c.axis] {
		outer *= d
	}
	for _, i := range c.index(parts) {
		for o := range outer {
			for j := range inner {
				f((o*n+i)*inner + j)
			}
		}
	}
}
