package gpu

import (
	"errors"
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

// decide has the device decide about a step with these gradients.
func (c *cuda) decide(record uint64, grads []*Tensor, d decision) (err error) {
	var full []*Tensor
	var lengths []int
	blocks := 0
	for _, g := range grads {
		if n := g.Len(); n > 0 {
			full, lengths, blocks = append(full, g), append(lengths, n), blocks+tiles(n, normElements)
		}
	}
	block, err := c.memory.Alloc(8*int64(max(1, blocks)), mem.Workspace)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, block.Free()) }()
	at := block.Addr()
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
	args := [...]uint64{block.Addr(), record, uint64(blocks), b(d.clip), b(d.scale), b(d.growth), b(d.backoff), uint64(d.good), uint64(d.interval), flags}
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
