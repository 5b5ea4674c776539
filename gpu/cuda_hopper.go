package gpu

import (
	"errors"
	"math"
	"sync"

	"attune/gpu/driver"
)

// The geometry of the kernels for Hopper (attention_wgmma.cu, gemm_wgmma.cu).
const (
	hopperCapability = 90 // and no other: PTX for sm_90a runs on 9.0 alone
	hopperThreads    = 384
	hopperRows       = 128                            // queries a block
	hopperCols       = 128                            // keys a tile
	hopperStages     = 2                              // tiles of keys, and of values
	hopperBarriers   = 2 + 4*hopperStages + 2 + 1 + 1 // and the queries' number
	hopperDown       = 128
	hopperAcross     = 256
	hopperDepth      = 64
	hopperDeep       = 4        // stages of the product
	hopperOwn        = 16 * 144 // bytes for a warp's rows on their way out
	hopperBlocks     = 64       // half of an H100's processors
	hopperSlack      = 1024     // to begin at a multiple of it
	hopperWord       = 8        // a barrier
)

// hasHopper says whether the kernels for Hopper may be used: the device is one, and its
// driver knows tensor maps (from CUDA 12 on).
func (c *cuda) hasHopper() bool {
	return c.ctx.Info().Capability == hopperCapability && (c.newest == 0 || c.newest >= hopperCapability) && c.ctx.MapsTensors()
}

// persistent is how many blocks share so much work, one on each processor; a device that
// is not there is as large as an H100.
func (c *cuda) persistent(work int) int {
	n := c.ctx.Info().Processors
	if c.processors > 0 {
		n = c.processors
	} else if n <= 0 {
		n = 2 * hopperBlocks
	}
	return min(n, work)
}

// tensorMaps remembers what the driver made of tensors: it takes longer than a launch.
// A map holds for an address and a shape, whatever lies there.
type tensorMaps struct {
	mu sync.Mutex
	of map[driver.TensorMap]*[driver.TensorMapWords]uint64
	// recent are those of it that were asked for last, each at its place: one is compared
	// sooner than it is looked up.
	recent [256]struct {
		of    driver.TensorMap
		words *[driver.TensorMapWords]uint64
	}
}

// mostMaps bounds them.
const mostMaps = 1024

// mapTensor appends a map to args.
func (c *cuda) mapTensor(args []uint64, m driver.TensorMap) ([]uint64, error) {
	maps := &c.maps
	maps.mu.Lock()
	defer maps.mu.Unlock()
	place := &maps.recent[(m.Addr>>8^m.Addr>>16^uint64(m.Rows)>>6)%uint64(len(maps.recent))]
	if place.words == nil || place.of != m {
		words, ok := maps.of[m]
		if !ok {
			made, err := c.ctx.MapTensor(m)
			if err != nil {
				return args, err
			}
			if words = &made; maps.of == nil || len(maps.of) >= mostMaps {
				maps.of = map[driver.TensorMap]*[driver.TensorMapWords]uint64{}
			}
			maps.of[m] = words
		}
		place.of, place.words = m, words
	}
	return append(args, place.words[:]...), nil
}

// mapHeads appends the map of (B, H, T, D), from which tiles of so many rows are copied.
// An axis that repeats has one element for the kernel, which asks for element 0.
func (c *cuda) mapHeads(args []uint64, a *attention, t *Tensor, rows int) ([]uint64, error) {
	m := driver.TensorMap{BF16: t.dtype == BFloat16, Addr: t.address(), Rows: rows}
	m.Size = [4]uint64{uint64(t.shape[3]), uint64(t.shape[2]), uint64(t.shape[1]), uint64(t.shape[0])}
	if a.batchStride(t) == 0 {
		m.Size[3] = 1
	}
	for i, axis := range [...]int{2, 1, 0} {
		m.Step[i] = uint64(max(16, 2*t.strides[axis]))
	}
	return c.mapTensor(args, m)
}

// mapMatrix appends the map of a matrix, from which tiles of so many rows are copied:
// along its inner axis, as it lies in memory.
func (c *cuda) mapMatrix(args []uint64, t *Tensor, turned bool, rows int) ([]uint64, error) {
	inner, outer := 1, 0
	if turned {
		inner, outer = 0, 1
	}
	m := driver.TensorMap{BF16: t.dtype == BFloat16, Addr: t.address(), Rows: rows, Step: [3]uint64{uint64(max(16, 2*t.strides[outer])), 16, 16}}
	m.Size = [4]uint64{uint64(t.shape[inner]), uint64(t.shape[outer]), 1, 1}
	return c.mapTensor(args, m)
}

// padded makes args as long as the kernels' structs, which begin at multiples of 64
// bytes for their maps' sake.
func padded(args []uint64) []uint64 {
	for len(args)%8 != 0 {
		args = append(args, 0)
	}
	return args
}

// hopperAttention is attention by attention_wgmma.cu; ErrBrokenKernel where that
// cannot be.
func (c *cuda) hopperAttention(a *attentionCall) error {
	if !c.hasHopper() || a.full() || a.size != 64 && a.size != 128 || !mapped(a.q, a.k, a.v) {
		return ErrBrokenKernel
	}
	var words [96]uint64
	args, err := c.mapHeads(words[:0], a.attention, a.q, hopperRows)
	for _, t := range [...]*Tensor{a.k, a.v} {
		if err == nil {
			args, err = c.mapHeads(args, a.attention, t, hopperCols)
		}
	}
	if err != nil {
		return errors.Join(ErrBrokenKernel, err)
	}
	n := tiles(a.tq, hopperRows)
	work := n * a.b * a.h
	if work > math.MaxInt32 {
		return ErrBrokenKernel
	}
	args = padded(append(args, a.with(n, uint64(work))...))
	shared := hopperSlack + (hopperRows+2*hopperStages*hopperCols)*a.size*2 + hopperBarriers*hopperWord
	k := kernelName{file: "attention_wgmma_%[3]d", name: "attention_wgmma_%[1]s_%[3]d", one: a.q.dtype, number: a.size}
	return c.launchNamed(k, c.persistent(work), hopperThreads, shared, args)
}

// hopperProduct is a product by gemm_wgmma.cu, from the other kernels' arguments;
// ErrBrokenKernel where that cannot be, or is not worth it.
func (c *cuda) hopperProduct(out, a, b *Tensor, l layouts, rest []uint64) error {
	m, n := out.shape[0], out.shape[1]
	blocks := tiles(m, hopperDown) * tiles(n, hopperAcross)
	if !c.hasHopper() || blocks < c.fewest {
		return ErrBrokenKernel
	}
	rowsA, rowsB := hopperDown, hopperDepth
	if l.a {
		rowsA = hopperDepth
	}
	if l.b {
		rowsB = hopperAcross
	}
	var words [48]uint64
	args, err := c.mapMatrix(words[:0], a, l.a, rowsA)
	if err == nil {
		args, err = c.mapMatrix(args, b, l.b, rowsB)
	}
	if err != nil {
		return errors.Join(ErrBrokenKernel, err)
	}
	args = append(append(args, rest...), uint64(blocks))
	args[2*driver.TensorMapWords+13] = uint64(tiles(n, hopperAcross))
	shared := hopperSlack + hopperDeep*((hopperDown+hopperAcross)*hopperDepth*2+2*hopperWord) + 8*hopperOwn
	name := l.of("gemm_wgmma_nn_%[1]s", "gemm_wgmma_nt_%[1]s", "gemm_wgmma_tn_%[1]s", "gemm_wgmma_tt_%[1]s")
	return c.launchNamed(kernelName{file: "gemm_wgmma", name: name, one: a.dtype}, c.persistent(blocks), hopperThreads, shared, padded(args))
}
