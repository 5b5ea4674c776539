package gpu

import (
	"math"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// The record and the rows of optim.cu.
const (
	recordWords = 9
	ahead       = 33
)

// decision is what step_decide decides by; see Training and LossScale.
type decision struct {
	begin, scaled                bool
	clip, scale, growth, backoff float64
	good, interval               int
}

// reserve takes what the parts of a step need beside their launches, so that a step is done
// as a whole or not: it finds the kernels, those that decide too where it is guarded, and
// lends the workspace that the parts take one after the other. The block is to be returned;
// nil is none.
func (c *cuda) reserve(l *lineup, guarded bool) (*mem.Block, error) {
	size, at := int64(0), 0
	if guarded {
		size, at = 8*int64(max(1, normBlocks(l.norms))), 1
	}
	for _, g := range l.groups {
		for _, p := range g.lists {
			if p.ratios != nil {
				size = max(size, p.layersSpace())
			}
		}
	}
	if of := c.handles.of.Load(); of == nil || of != l.found[at] {
		if err := c.findFor(l, guarded); err != nil {
			return nil, err
		}
		l.found[at] = c.handles.of.Load()
	}
	if size == 0 {
		return nil, nil
	}
	return c.memory.Alloc(size, mem.Workspace)
}

// findFor finds the kernels of a step.
func (c *cuda) findFor(l *lineup, guarded bool) error {
	var names []kernelName
	if guarded {
		for _, name := range []string{"sum_squares", "step_decide", "step_choose"} {
			names = append(names, kernelName{file: "optim", name: name})
		}
	}
	for _, g := range l.groups {
		for _, p := range g.lists {
			names = append(names, p.kernel(l.kind))
			switch {
			case p.norms != nil:
				names = append(names, kernelName{file: "optim", name: "trust_ratio"}, kernelName{file: "optim", name: "sum_squares"})
			case p.ratios != nil:
				names = append(names, kernelName{file: "optim", name: "trust_ratio"}, p.kernel(host.LAMBMoments))
			}
		}
	}
	for _, name := range names {
		if _, err := c.find(name, 0); err != nil {
			return err
		}
	}
	return nil
}

func normBlocks(norms []*packedNorms) int {
	blocks := 0
	for _, n := range norms {
		blocks += n.blocks
	}
	return blocks
}

// decide has the device decide about a step with gradients of these norms. work is what
// reserve lent.
func (c *cuda) decide(work *mem.Block, record uint64, norms []*packedNorms, d decision) error {
	at := work.Addr()
	for _, n := range norms {
		if err := c.launchNorms(n, at); err != nil {
			return err
		}
		at += 8 * uint64(n.blocks)
	}
	flags := uint64(0)
	if d.begin {
		flags |= 1
	}
	if d.scaled {
		flags |= 2
	}
	b := math.Float64bits
	args := [...]uint64{work.Addr(), record, uint64(normBlocks(norms)), b(d.clip), b(d.scale), b(d.growth), b(d.backoff), uint64(d.good), uint64(d.interval), flags}
	return c.launch("optim", "step_decide", 1, optimThreads, args[:])
}

// choose has the device take the row of factors after as many steps as were done, the
// rows beginning with first.
func (c *cuda) choose(record uint64, first int, rows [][4]float32) error {
	var words [3 + 2*ahead]uint64
	words[0], words[1], words[2] = record, uint64(first), uint64(len(rows))
	for i, r := range rows {
		words[3+2*i], words[4+2*i] = bits(r[0])|bits(r[1])<<32, bits(r[2])|bits(r[3])<<32
	}
	return c.launch("optim", "step_choose", 1, 32, words[:])
}

// seed writes weight times the record's loss scale.
func (c *cuda) seed(y *Tensor, record uint64, weight float64) error {
	args := [...]uint64{y.address(), record, math.Float64bits(weight)}
	return c.launch("optim", "step_seed", 1, 32, args[:])
}

// words are a dense tensor's bytes, eight a word.
func (t *Tensor) words() ([]uint64, error) {
	if err := live(t); err != nil {
		return nil, err
	}
	out := make([]uint64, t.Len()*t.dtype.Size()/8)
	return out, t.store.dev.back.download(host.Bytes(out), t)
}
