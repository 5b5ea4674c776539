package gpu

import (
	"errors"
	"math"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// The geometry of optim.cu.
const (
	optimThreads   = 256
	updateElements = 2048
	normElements   = 16384
	launchTensors  = 48
	updateWords    = 9 // in front of the slots
	slotWords      = 9
	normSlotWords  = 3
	ratioSlotWords = 2
)

func bits(x float32) uint64 { return uint64(math.Float32bits(x)) }

// packFactors makes the kernels' ten floats, two a word.
func packFactors(c host.Factors) []uint64 {
	return []uint64{
		bits(c.Scale) | bits(c.Decay)<<32, bits(c.Shrink) | bits(c.Rate)<<32, bits(c.Momentum) | bits(c.Mean)<<32,
		bits(c.Square) | bits(c.Correct1)<<32, bits(c.Correct2) | bits(c.Eps)<<32,
	}
}

// launchList is a part of a list of tensors that one launch takes: those from lo
// to hi, on so many blocks.
type launchList struct{ lo, hi, blocks int }

// launchLists cuts tensors of these lengths, none empty, into launches of no more than
// most.
func launchLists(lengths []int, elements, most int) []launchList {
	var out []launchList
	for lo := 0; lo < len(lengths); {
		l := launchList{lo: lo, hi: lo}
		for l.hi < len(lengths) && l.hi-lo < most {
			n := tiles(lengths[l.hi], elements)
			if l.hi > lo && l.blocks+n > math.MaxInt32 {
				break
			}
			l.blocks += n
			l.hi++
		}
		out = append(out, l)
		lo = l.hi
	}
	return out
}

func (c *cuda) update(k host.Kind, f host.Factors, us []update) ([][2]float64, error) {
	return c.updateBehind(0, k, f, us)
}

// updateBehind is update that a record at gate, if not 0, lets happen and has factors for.
func (c *cuda) updateBehind(gate uint64, k host.Kind, f host.Factors, us []update) ([][2]float64, error) {
	var full []update
	var lengths, index []int
	for i, u := range us {
		if n := u.x.Len(); n > 0 {
			full, lengths, index = append(full, u), append(lengths, n), append(index, i)
		}
	}
	var sums [][2]float64
	if k == host.LAMBMoments {
		sums = make([][2]float64, len(us))
	}
	for _, l := range launchLists(lengths, updateElements, launchTensors) {
		run := func(at uint64) error { return c.launchUpdates(gate, k, f, full[l.lo:l.hi], l.blocks, at, 0) }
		if k != host.LAMBMoments {
			if err := run(0); err != nil {
				return nil, err
			}
			continue
		}
		part, err := c.withSums(2*l.blocks, run)
		if err != nil {
			return nil, err
		}
		at := 0
		for i := l.lo; i < l.hi; i++ {
			for range tiles(lengths[i], updateElements) {
				sums[index[i]][0] += part[at]
				sums[index[i]][1] += part[at+1]
				at += 2
			}
		}
	}
	return sums, nil
}

// updateKernel is the kernel that changes these in one launch.
func updateKernel(k host.Kind, us []update) kernelName {
	for i := range us {
		if us[i].half != nil || us[i].g.dtype != Float32 {
			return kernelName{file: "optim", name: "update_%[3]dh", number: int(k)}
		}
	}
	return kernelName{file: "optim", name: "update_%[3]d", number: int(k)}
}

// launchUpdates runs one launch over at most launchTensors tensors.
func (c *cuda) launchUpdates(gate uint64, k host.Kind, f host.Factors, us []update, blocks int, sums, rates uint64) error {
	var words [updateWords + slotWords*launchTensors]uint64
	args := append(words[:0], sums, rates, gate, uint64(len(us)))
	args = append(args, packFactors(f)...)
	name, first := updateKernel(k, us), 0
	for i := range us {
		u := &us[i]
		var half, htype uint64
		if u.half != nil {
			half, htype = u.half.address(), uint64(u.half.dtype)
		}
		args = append(args, u.x.address(), half, u.g.address())
		for j := range u.s {
			var at uint64
			if j < k.States() {
				at = u.s[j].address()
			}
			args = append(args, at)
		}
		args = append(args, uint64(u.x.Len()), uint64(first)|uint64(u.g.dtype)<<32, htype|bits(u.rate)<<32)
		first += tiles(u.x.Len(), updateElements)
	}
	return c.launchNamed(name, blocks, optimThreads, 0, words[:])
}

func (c *cuda) sumSquares(ts []*Tensor) ([]float64, error) {
	var full []*Tensor
	var lengths, index []int
	for i, t := range ts {
		if n := t.Len(); n > 0 {
			full, lengths, index = append(full, t), append(lengths, n), append(index, i)
		}
	}
	out := make([]float64, len(ts))
	for _, l := range launchLists(lengths, normElements, launchTensors) {
		part, err := c.withSums(l.blocks, func(at uint64) error { return c.launchSquares(full[l.lo:l.hi], l.blocks, at) })
		if err != nil {
			return nil, err
		}
		at := 0
		for i := l.lo; i < l.hi; i++ {
			for range tiles(lengths[i], normElements) {
				out[index[i]] += part[at]
				at++
			}
		}
	}
	return out, nil
}

// launchSquares runs one launch over at most launchTensors tensors.
func (c *cuda) launchSquares(ts []*Tensor, blocks int, sums uint64) error {
	args := append(make([]uint64, 0, 2+normSlotWords*launchTensors), sums, uint64(len(ts)))
	first := 0
	for _, t := range ts {
		args = append(args, t.address(), uint64(t.Len()), uint64(first)|uint64(t.dtype)<<32)
		first += tiles(t.Len(), normElements)
	}
	return c.launch("optim", "sum_squares", blocks, optimThreads, args[:cap(args)])
}

// updateLayers keeps the norms on the device: nobody waits for them.
func (c *cuda) updateLayers(k host.Kind, f host.Factors, t host.Trust, us []update) error {
	work, err := c.reserve(k, true, nil, map[stepKind][]update{{}: us})
	if err != nil || work == nil {
		return err
	}
	return errors.Join(c.layersBehind(work, 0, k, f, t, us), work.Return())
}

// parts are the updates of tensors that are not empty, cut into launches.
func parts(us []update, layered bool) (full []update, lists []launchList) {
	var lengths []int
	for _, u := range us {
		if n := u.x.Len(); n > 0 {
			full, lengths = append(full, u), append(lengths, n)
		}
	}
	if layered {
		return full, launchLists(lengths, updateElements, launchTensors/2)
	}
	return full, launchLists(lengths, updateElements, launchTensors)
}

// layersSpace is the workspace of one launch of layersBehind: two sums a block, and rates.
func layersSpace(l launchList) int64 { return 8*int64(2*l.blocks) + 4*launchTensors }

// layersBehind is updateLayers as updateBehind is update; work is what reserve lent.
func (c *cuda) layersBehind(work *mem.Block, gate uint64, k host.Kind, f host.Factors, t host.Trust, us []update) error {
	full, lists := parts(us, true)
	for _, l := range lists {
		sums := work.Addr()
		rates := sums + uint64(8*2*l.blocks)
		part := full[l.lo:l.hi]
		var err error
		if k == host.LARS {
			err = c.larsRates(gate, t, float64(f.Scale), part, sums, rates)
		} else {
			err = c.lambRates(gate, f, t, part, l.blocks, sums, rates)
		}
		if err == nil {
			err = c.launchUpdates(gate, k, f, part, l.blocks, 0, rates)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// larsRates sums the squares of parameters and gradients, one after the other.
func (c *cuda) larsRates(gate uint64, t host.Trust, scale float64, us []update, sums, rates uint64) error {
	var list []*Tensor
	var slots []uint64
	first := 0
	for _, u := range us {
		n := tiles(u.x.Len(), normElements)
		slots = append(slots, uint64(first)|uint64(first+n)<<32, uint64(n)|1<<32)
		list, first = append(list, u.x, u.g), first+2*n
	}
	if err := c.launchSquares(list, first, sums); err != nil {
		return err
	}
	return c.launchRatios(gate, t, true, scale, slots, sums, rates)
}

// lambRates moves the running means, whose update's squares are summed beside those of
// the parameters.
func (c *cuda) lambRates(gate uint64, f host.Factors, t host.Trust, us []update, blocks int, sums, rates uint64) error {
	if err := c.launchUpdates(gate, host.LAMBMoments, f, us, blocks, sums, 0); err != nil {
		return err
	}
	var slots []uint64
	first := 0
	for _, u := range us {
		n := tiles(u.x.Len(), updateElements)
		slots = append(slots, uint64(2*first)|uint64(2*first+1)<<32, uint64(n)|2<<32)
		first += n
	}
	return c.launchRatios(gate, t, false, 1, slots, sums, rates)
}

// launchRatios compares weights with gradients, which a gate scales, or with something else.
func (c *cuda) launchRatios(gate uint64, t host.Trust, gradients bool, scale float64, slots []uint64, sums, rates uint64) error {
	n, scaled := len(slots)/ratioSlotWords, uint64(0)
	if gradients {
		scaled = 1
	}
	args := append(make([]uint64, 0, 8+ratioSlotWords*launchTensors), sums, rates, gate, uint64(n), scaled,
		math.Float64bits(t.Trust), math.Float64bits(t.Decay), math.Float64bits(scale))
	args = append(args, slots...)
	return c.launch("optim", "trust_ratio", n, optimThreads, args[:cap(args)])
}

// withSums runs a kernel that writes n float64 values and reads them.
func (c *cuda) withSums(n int, run func(at uint64) error) ([]float64, error) {
	block, err := c.memory.Alloc(8*int64(n), mem.Workspace)
	if err != nil {
		return nil, err
	}
	out := make([]float64, n)
	if err = run(block.Addr()); err == nil {
		err = c.ctx.Download(host.Bytes(out), block.Addr())
	}
	if err = errors.Join(err, block.Return()); err != nil {
		return nil, err
	}
	return out, nil
}
