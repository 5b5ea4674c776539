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
// as a whole or not: it finds the kernels that change the groups by the form k, layered or
// not, and lends the workspace that the parts take one after the other. With gradients they
// are decided about before. The block is to be returned; nil is none.
func (c *cuda) reserve(k host.Kind, layered bool, grads []*Tensor, groups map[stepKind][]update) (*mem.Block, error) {
	size, names := int64(0), map[kernelName]bool{}
	if grads != nil {
		_, _, blocks := normed(grads)
		size = 8 * int64(max(1, blocks))
		for _, name := range []string{"sum_squares", "step_decide", "step_choose"} {
			names[kernelName{file: "optim", name: name}] = true
		}
	}
	for _, us := range groups {
		full, lists := parts(us, layered)
		for _, l := range lists {
			names[updateKernel(k, full[l.lo:l.hi])] = true
			if !layered {
				continue
			}
			size = max(size, layersSpace(l))
			names[kernelName{file: "optim", name: "trust_ratio"}] = true
			if k == host.LARS {
				names[kernelName{file: "optim", name: "sum_squares"}] = true
			} else {
				names[updateKernel(host.LAMBMoments, full[l.lo:l.hi])] = true
			}
		}
	}
	for name := range names {
		if _, err := c.find(name, 0); err != nil {
			return nil, err
		}
	}
	if size == 0 {
		return nil, nil
	}
	return c.memory.Alloc(size, mem.Workspace)
}

// normed are the tensors that are not empty, their lengths, and the blocks that sum their
// squares.
func normed(ts []*Tensor) (full []*Tensor, lengths []int, blocks int) {
	for _, t := range ts {
		if n := t.Len(); n > 0 {
			full, lengths, blocks = append(full, t), append(lengths, n), blocks+tiles(n, normElements)
		}
	}
	return full, lengths, blocks
}

// decide has the device decide about a step with these gradients. work is what reserve lent.
func (c *cuda) decide(work *mem.Block, record uint64, grads []*Tensor, d decision) error {
	full, lengths, blocks := normed(grads)
	at := work.Addr()
	for _, l := range launchLists(lengths, normElements, launchTensors) {
		if err := c.launchSquares(full[l.lo:l.hi], l.blocks, at); err != nil {
			return err
		}
		at += 8 * uint64(l.blocks)
	}
	flags := uint64(0)
	if d.begin {
		flags |= 1
	}
	if d.scaled {
		flags |= 2
	}
	b := math.Float64bits
	args := [...]uint64{work.Addr(), record, uint64(blocks), b(d.clip), b(d.scale), b(d.growth), b(d.backoff), uint64(d.good), uint64(d.interval), flags}
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
