package gpu

import (
	"errors"
	"math"
	"slices"

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
	normWords      = 2
	normSlotWords  = 3
	ratioWords     = 8
	ratioSlotWords = 2
)

func bits(x float32) uint64 { return uint64(math.Float32bits(x)) }

// packFactors makes the kernels' ten floats, two a word.
func packFactors(c host.Factors) [5]uint64 {
	return [...]uint64{
		bits(c.Scale) | bits(c.Decay)<<32, bits(c.Shrink) | bits(c.Rate)<<32, bits(c.Momentum) | bits(c.Mean)<<32,
		bits(c.Square) | bits(c.Correct1)<<32, bits(c.Correct2) | bits(c.Eps)<<32,
	}
}

// packed is a launch over a list of tensors whose arguments are written once. The first of
// them are each step's own, and so are those of its norms and ratios.
type packed struct {
	lengths []int // of its tensors
	blocks  int
	halves  bool
	words   [updateWords + slotWords*launchTensors]uint64
	norms   *packedNorms // of parameters and gradients in turn, for LARS
	ratios  *[ratioWords + ratioSlotWords*launchTensors]uint64
}

// packedNorms is a launch that sums the squares of a list of tensors.
type packedNorms struct {
	lengths []int
	blocks  int
	words   [normWords + normSlotWords*launchTensors]uint64
}

// cut calls f for the parts of a list of n that one launch takes each, of no more than
// most: those from lo to hi, on so many blocks.
func cut(n, elements, most int, length func(i int) int, f func(lo, hi, blocks int)) {
	for lo := 0; lo < n; {
		hi, blocks := lo, 0
		for hi < n && hi-lo < most {
			more := tiles(length(hi), elements)
			if hi > lo && blocks+more > math.MaxInt32 {
				break
			}
			blocks += more
			hi++
		}
		f(lo, hi, blocks)
		lo = hi
	}
}

// pack makes the launches of a kind for tensors of which none is empty.
func pack(k host.Kind, us []update) (out []*packed) {
	most, layers := launchTensors, k == host.LARS || k == host.LAMBMoments || k == host.LAMBApply
	if layers {
		most /= 2
	}
	cut(len(us), updateElements, most, func(i int) int { return us[i].x.Len() }, func(lo, hi, blocks int) {
		p := &packed{blocks: blocks}
		p.list(k, us[lo:hi])
		if layers {
			p.layers(k, us[lo:hi])
		}
		out = append(out, p)
	})
	return out
}

// list writes the arguments of tensors behind those of each step.
func (p *packed) list(k host.Kind, us []update) {
	args, first := p.words[:updateWords], 0
	for i := range us {
		u := &us[i]
		var half, htype uint64
		if u.half != nil {
			half, htype = u.half.address(), uint64(u.half.dtype)
		}
		p.halves = p.halves || u.half != nil || u.g.dtype != Float32
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
		p.lengths = append(p.lengths, u.x.Len())
	}
}

// layers writes which sums are of which tensor: LARS compares the norms of parameters and
// gradients, LAMB those of parameters and their updates, which stand beside each other.
func (p *packed) layers(k host.Kind, us []update) {
	p.ratios = new([ratioWords + ratioSlotWords*launchTensors]uint64)
	slots, first := p.ratios[:ratioWords], 0
	var list []*Tensor
	for i := range us {
		if k == host.LARS {
			n := tiles(us[i].x.Len(), normElements)
			slots = append(slots, uint64(first)|uint64(first+n)<<32, uint64(n)|1<<32)
			list, first = append(list, us[i].x, us[i].g), first+2*n
			continue
		}
		n := tiles(us[i].x.Len(), updateElements)
		slots = append(slots, uint64(2*first)|uint64(2*first+1)<<32, uint64(n)|2<<32)
		first += n
	}
	if k == host.LARS {
		p.norms = packNorms(list)[0]
	}
}

// packNorms makes the launches for those of ts that are there and not empty.
func packNorms(ts []*Tensor) []*packedNorms {
	full := slices.DeleteFunc(slices.Clone(ts), func(t *Tensor) bool { return t == nil || t.Len() == 0 })
	out := []*packedNorms{}
	cut(len(full), normElements, launchTensors, func(i int) int { return full[i].Len() }, func(lo, hi, blocks int) {
		p, first := &packedNorms{blocks: blocks}, 0
		p.words[1] = uint64(hi - lo)
		args := p.words[:normWords]
		for _, t := range full[lo:hi] {
			args = append(args, t.address(), uint64(t.Len()), uint64(first)|uint64(t.dtype)<<32)
			first += tiles(t.Len(), normElements)
			p.lengths = append(p.lengths, t.Len())
		}
		out = append(out, p)
	})
	return out
}

func (c *cuda) update(k host.Kind, f host.Factors, us []update) ([][2]float64, error) {
	return c.updateBehind(0, k, f, pack(k, us))
}

// updateBehind is update that a record at gate, if not 0, lets happen and has factors for.
func (c *cuda) updateBehind(gate uint64, k host.Kind, f host.Factors, lists []*packed) (sums [][2]float64, err error) {
	for _, l := range lists {
		if k != host.LAMBMoments {
			if err := c.launchUpdates(gate, k, f, l, 0, 0); err != nil {
				return nil, err
			}
			continue
		}
		part, err := c.withSums(2*l.blocks, func(at uint64) error { return c.launchUpdates(gate, k, f, l, at, 0) })
		if err != nil {
			return nil, err
		}
		for _, n := range l.lengths {
			var sum [2]float64
			for range tiles(n, updateElements) {
				sum[0], sum[1], part = sum[0]+part[0], sum[1]+part[1], part[2:]
			}
			sums = append(sums, sum)
		}
	}
	return sums, nil
}

// kernel is the one that changes these tensors by a form.
func (p *packed) kernel(k host.Kind) kernelName {
	if p.halves {
		return kernelName{file: "optim", name: "update_%[3]dh", number: int(k)}
	}
	return kernelName{file: "optim", name: "update_%[3]d", number: int(k)}
}

// launchUpdates runs one launch of updates.
func (c *cuda) launchUpdates(gate uint64, k host.Kind, f host.Factors, l *packed, sums, rates uint64) error {
	l.words[0], l.words[1], l.words[2], l.words[3] = sums, rates, gate, uint64(len(l.lengths))
	factors := packFactors(f)
	copy(l.words[4:updateWords], factors[:])
	return c.launchNamed(l.kernel(k), l.blocks, optimThreads, 0, l.words[:])
}

func (c *cuda) sumSquares(ts []*Tensor) ([]float64, error) {
	var sums []float64
	for _, l := range packNorms(ts) {
		part, err := c.withSums(l.blocks, func(at uint64) error { return c.launchNorms(l, at) })
		if err != nil {
			return nil, err
		}
		for _, n := range l.lengths {
			sum := 0.0
			for range tiles(n, normElements) {
				sum, part = sum+part[0], part[1:]
			}
			sums = append(sums, sum)
		}
	}
	out := make([]float64, len(ts))
	for i, t := range ts {
		if t.Len() > 0 {
			out[i], sums = sums[0], sums[1:]
		}
	}
	return out, nil
}

// launchNorms writes the sums of the blocks of one launch.
func (c *cuda) launchNorms(l *packedNorms, sums uint64) error {
	l.words[0] = sums
	return c.launch("optim", "sum_squares", l.blocks, optimThreads, l.words[:])
}

// updateLayers keeps the norms on the device: nobody waits for them.
func (c *cuda) updateLayers(k host.Kind, f host.Factors, t host.Trust, us []update) error {
	lists := pack(k, us)
	work, err := c.reserve(&lineup{kind: k, groups: []*group{{lists: lists}}}, false)
	if err != nil || work == nil {
		return err
	}
	return errors.Join(c.layersBehind(work, 0, k, f, t, lists), work.Return())
}

// layersBehind is updateLayers as updateBehind is update; work is what reserve lent.
func (c *cuda) layersBehind(work *mem.Block, gate uint64, k host.Kind, f host.Factors, t host.Trust, lists []*packed) error {
	for _, l := range lists {
		sums, scale := work.Addr(), 1.0
		rates := sums + uint64(8*2*l.blocks)
		var err error
		if k == host.LARS {
			scale, err = float64(f.Scale), c.launchNorms(l.norms, sums)
		} else { // the running means move, and the squares of their updates are summed
			err = c.launchUpdates(gate, host.LAMBMoments, f, l, sums, 0)
		}
		if err == nil {
			err = c.launchRatios(gate, t, scale, l, sums, rates)
		}
		if err == nil {
			err = c.launchUpdates(gate, k, f, l, 0, rates)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// layersSpace is the workspace of one launch of layersBehind: two sums a block, and rates.
func (p *packed) layersSpace() int64 { return 8*int64(2*p.blocks) + 4*launchTensors }

// launchRatios compares weights with gradients, which a gate scales, or with updates.
func (c *cuda) launchRatios(gate uint64, t host.Trust, scale float64, l *packed, sums, rates uint64) error {
	n, gradients := uint64(len(l.lengths)), uint64(0)
	if l.norms != nil {
		gradients = 1
	}
	b := math.Float64bits
	*(*[ratioWords]uint64)(l.ratios[:]) = [ratioWords]uint64{sums, rates, gate, n, gradients, b(t.Trust), b(t.Decay), b(scale)}
	return c.launch("optim", "trust_ratio", int(n), optimThreads, l.ratios[:])
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
