package gpu

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"attune/gpu/host"
	"attune/gpu/kernels"
	"attune/gpu/mem"
)

// The geometry of the portable attention kernels (attention.cu, attention_grad.cu,
// attention_split.cu): threads a block, rows a block up to head size 128 and above.
const (
	attentionThreads = 128
	splitRows        = 4 // queries a block of the group kernels; half of it above 128
	splitQueries     = 8 // the most queries that are cut along the keys
	splitBlocks      = 512
	splitLeast       = 128 // keys
	maxRows          = 1 << 28
)

func attentionRows(size int) int { return map[bool]int{false: 32, true: 16}[size > 128] }
func gradRows(size int) int      { return attentionRows(size) / 2 }

// headSize is the smallest head size that kernels exist for and d fits in.
func headSize(d int) (int, error) {
	for _, size := range kernels.HeadSizes() {
		if d <= size {
			return size, nil
		}
	}
	return 0, fmt.Errorf("head size %d: the CUDA kernels go up to 256", d)
}

// attentionCall is an attention on its way to kernels: their packed arguments and
// the device memory that they need beside the tensors. It fits on the stack.
type attentionCall struct {
	*attention
	size  int
	used  int // of words
	words [64]uint64
	lent  int // of loans
	loans [4]*mem.Block
}

// prepare packs the kernels' struct AttentionArgs, but for the tiles, and uploads
// sequences and slopes.
func (c *cuda) prepare(call *attentionCall, a *attention) error {
	size, err := headSize(a.d)
	if err != nil {
		return err
	}
	if max(a.tq, a.tk) > maxRows {
		return fmt.Errorf("%d queries, %d keys: the CUDA kernels go up to %d", a.tq, a.tk, maxRows)
	}
	call.attention, call.size = a, size
	var seqs, slopes, bias uint64
	if a.seqs != nil {
		table := make([]int32, 0, 5*len(a.seqs))
		for _, s := range a.seqs {
			table = append(table, int32(s.Q0), int32(s.Tq), int32(s.K0), int32(s.Tk), int32(s.Shift))
		}
		if seqs, err = call.lend(c, host.Bytes(table)); err != nil {
			return err
		}
	}
	if a.slopes != nil {
		if slopes, err = call.lend(c, host.Bytes(a.slopes)); err != nil {
			return errors.Join(err, call.free())
		}
	}
	args := call.words[:0]
	for _, t := range [...]*Tensor{a.q, a.k, a.v, a.out} {
		args = a.packHeads(args, t)
	}
	lseBatch, lseHead := a.lseStrides()
	args = append(args, a.lse.address(), uint64(lseBatch), uint64(lseHead), seqs)
	biasBatch, biasHead, biasRow := 0, 0, 0
	if a.bias != nil {
		bias = a.bias.address()
		biasBatch, biasHead, biasRow = a.biasStrides()
	}
	args = append(args, bias, uint64(biasBatch), uint64(biasHead), uint64(biasRow), slopes)
	args = append(args, uint64(a.h), uint64(a.h/a.kv), uint64(a.tq), uint64(a.tk), uint64(a.d), uint64(min(a.left, 2*maxRows)), uint64(min(a.right, 2*maxRows)))
	rest := 65536 / float32(65536-a.drop)
	call.used = len(append(args, 0,
		uint64(math.Float32bits(a.scale))|uint64(math.Float32bits(rest))<<32,
		uint64(a.drop)|a.seed<<32, a.seed>>32|call.aligned()<<32, uint64(a.first*a.h)))
	return nil
}

// tilesAt is where the tiles stand among the packed arguments.
const tilesAt = 32

// with is the packed arguments for n tiles a head, and more behind them. It is good until
// the next one.
func (a *attentionCall) with(n int, more ...uint64) []uint64 {
	args := append(a.words[:a.used], more...)
	args[tilesAt] = uint64(n)
	return args
}

// aligned says, as 1, that all rows of query, key and value begin at multiples of
// 16 bytes.
func (a *attentionCall) aligned() uint64 {
	if rowsAligned(a.q, a.k, a.v) {
		return 1
	}
	return 0
}

func rowsAligned(all ...*Tensor) bool {
	for _, t := range all {
		bytes := t.address()
		for _, s := range t.strides[:3] {
			bytes |= uint64(s * t.dtype.Size())
		}
		if bytes%16 != 0 {
			return false
		}
	}
	return true
}

// lend uploads data to workspace that lives until free.
func (a *attentionCall) lend(c *cuda, data []byte) (uint64, error) {
	at, err := a.borrow(c, int64(len(data)))
	if err != nil {
		return 0, err
	}
	if err := c.ctx.Upload(at, data); err != nil {
		return 0, errors.Join(err, a.free())
	}
	return at, nil
}

// room is workspace of n floats that lives until free.
func (a *attentionCall) room(c *cuda, n int) (uint64, error) { return a.borrow(c, 4*int64(n)) }

func (a *attentionCall) borrow(c *cuda, bytes int64) (uint64, error) {
	b, err := c.memory.Alloc(bytes, mem.Workspace)
	if err != nil {
		return 0, err
	}
	a.loans[a.lent] = b
	a.lent++
	return b.Addr(), nil
}

// free gives the workspace back. Kernels that still use it run before any that
// would get it next.
func (a *attentionCall) free() error {
	var first error
	for _, b := range a.loans[:a.lent] {
		first = cmp.Or(first, b.Return())
	}
	a.lent = 0
	return first
}

// packHeads appends the kernels' struct Heads.
func (a *attention) packHeads(args []uint64, t *Tensor) []uint64 {
	return append(args, t.address(), uint64(a.batchStride(t)), uint64(t.strides[1]), uint64(t.strides[2]))
}

// launchAttention starts the kernel of a file for the call's type and head size.
func (c *cuda) launchAttention(a *attentionCall, file, name string, blocks, shared int, args []uint64) error {
	return c.launchNamed(kernelName{file: file, name: name, one: a.q.dtype, number: a.size}, blocks, attentionThreads, shared, args)
}

// The geometry of the tensor core kernels (attention_mma.cu, attention_grad_mma.cu,
// attention_bias_mma.cu).
const (
	tensorCapability = 80
	mmaGradRows      = 64 // in attention_bias_mma.cu too
	mmaBiasCols      = 32
)

// mmaGradCols is the other side of a tile of the backward kernels.
func mmaGradCols(size int) int {
	if size > 128 {
		return 16
	}
	return 32
}

// mmaTile is the queries and the keys of one tile of the forward kernels.
func mmaTile(size int, full bool) (rows, cols int) {
	rows, cols = 128, 64
	if full || size > 128 {
		rows = 64
	}
	if size > 128 || size == 96 && !full {
		cols = 32
	}
	return rows, cols
}

// full says that scores need more than a product, a positive scale and a mask.
func (a *attentionCall) full() bool {
	return a.bias != nil || a.slopes != nil || a.drop > 0 || !(a.scale > 0)
}

// tensorCores says whether the tensor core kernels can do the call: the device has
// them, the type is half precision, and rows can be copied in pieces of 16 bytes.
func (c *cuda) tensorCores(a *attentionCall, more ...*Tensor) bool {
	return c.hasTensorCores() && a.q.dtype != Float32 && a.d%8 == 0 &&
		rowsAligned(a.q, a.k, a.v, a.out) && rowsAligned(more...)
}

func (c *cuda) attention(a *attention) error {
	var call attentionCall
	if err := c.prepare(&call, a); err != nil {
		return err
	}
	err := c.attend(&call)
	return cmp.Or(err, call.free())
}

// attend takes the first way that works.
func (c *cuda) attend(a *attentionCall) error {
	if a.tq <= splitQueries && a.drop == 0 {
		if err := c.split(a); !errors.Is(err, ErrBrokenKernel) {
			return err
		}
	} else if c.tensorCores(a) {
		if err := c.hopperAttention(a); !errors.Is(err, ErrBrokenKernel) {
			return err
		}
		rows, cols := mmaTile(a.size, a.full())
		n := tiles(a.tq, rows)
		name := "attention_mma_%[1]s_%[3]d"
		if a.full() {
			name = "attention_mma_full_%[1]s_%[3]d"
		}
		err := c.launchAttention(a, "attention_mma_%[3]d", name, n*a.b*a.h, (rows+2*cols)*a.size*2, a.with(n))
		if !errors.Is(err, ErrBrokenKernel) {
			return err
		}
	}
	n := tiles(a.tq, attentionRows(a.size))
	return c.launchAttention(a, "attention_%[3]d", "attention_%[1]s_%[3]d", n*a.b*a.h, 0, a.with(n))
}

// split cuts along the keys.
func (c *cuda) split(a *attentionCall) error {
	name, rows := "attention_split_%[1]s_%[3]d", 1
	if a.h/a.kv*a.tq > 1 {
		name, rows = "attention_split_group_%[1]s_%[3]d", splitRows
		if a.size > 128 {
			rows = splitRows / 2
		}
	}
	blocks := a.b * a.kv * tiles(a.h/a.kv*a.tq, rows)
	splits := max(1, min(tiles(splitBlocks, blocks), tiles(a.tk, splitLeast)))
	if c.splits > 0 {
		splits = min(c.splits, max(a.tk, 1))
	}
	keys := tiles(a.tk, splits)
	parts, err := a.room(c, a.b*a.h*a.tq*splits*(a.d+2))
	if err != nil {
		return err
	}
	const file = "attention_split_%[3]d"
	args := a.with(1, parts, uint64(splits), uint64(keys))
	if err := c.launchAttention(a, file, name, blocks*splits, 0, args); err != nil {
		return err
	}
	return c.launchAttention(a, file, "attention_join_%[1]s", a.b*a.h*a.tq, 0, args)
}

func (c *cuda) attentionWeights(a *attention, queries []int, w *Tensor) error {
	var call attentionCall
	if err := c.prepare(&call, a); err != nil {
		return err
	}
	list := make([]int32, len(queries))
	for i, q := range queries {
		list[i] = int32(q)
	}
	at, err := call.lend(c, host.Bytes(list))
	if err == nil {
		n := tiles(len(queries), attentionRows(call.size))
		args := call.with(n, w.address(), at, uint64(len(queries)))
		err = c.launchAttention(&call, "attention_%[3]d", "attention_weights_%[1]s_%[3]d", n*a.b*a.h, 0, args)
	}
	return cmp.Or(err, call.free())
}

// gradKernel is one of the gradient's: by query, or by key and value.
type gradKernel struct {
	plain, mma, full, hopper string
	keys                     bool
	rows, heads, shared      int
}

// gradKernels are those of a call, by query first: by key and value at once, or, where the
// tensor core kernels' registers do not suffice for that, one by one.
func (a *attentionCall) gradKernels(mma bool) [3]gradKernel {
	keyValue := gradKernel{
		"attention_grad_key_value_%[1]s_%[3]d", "attention_grad_key_value_mma_%[1]s_%[3]d", "attention_grad_key_value_mma_full_%[1]s_%[3]d",
		"attention_grad_key_value_wgmma_%[1]s_%[3]d", true, a.tk, a.kv, 4 * mmaGradCols(a.size) * 4,
	}
	all := [3]gradKernel{{
		"attention_grad_query_%[1]s_%[3]d", "attention_grad_query_mma_%[1]s_%[3]d", "attention_grad_query_mma_full_%[1]s_%[3]d",
		"attention_grad_query_wgmma_%[1]s_%[3]d", false, a.tq, a.h, 0,
	}, keyValue}
	if mma && a.size > 128 {
		all[2] = keyValue
		all[1].mma, all[1].full = "attention_grad_key_mma_%[1]s_%[3]d", "attention_grad_key_mma_full_%[1]s_%[3]d"
		all[2].mma, all[2].full = "attention_grad_value_mma_%[1]s_%[3]d", "attention_grad_value_mma_full_%[1]s_%[3]d"
	}
	return all
}

func (c *cuda) attentionGrad(a *attentionGrad) error {
	var call attentionCall
	if err := c.prepare(&call, &a.attention); err != nil {
		return err
	}
	delta, err := call.room(c, a.b*a.h*a.tq)
	if err == nil {
		var words [4*4 + 1]uint64
		more := words[:0]
		for _, t := range [...]*Tensor{a.dOut, a.dq, a.dk, a.dv} {
			more = a.packHeads(more, t)
		}
		more = append(more, delta)
		mma := c.tensorCores(&call, a.out, a.dOut, a.dq, a.dk, a.dv)
		for _, k := range call.gradKernels(mma) {
			if err == nil && k.rows > 0 {
				err = c.attentionGradKernel(&call, a, &k, mma, more)
			}
		}
	}
	return cmp.Or(err, call.free())
}

// attentionGradKernel starts one, on tensor cores where that can be.
func (c *cuda) attentionGradKernel(a *attentionCall, g *attentionGrad, k *gradKernel, mma bool, more []uint64) error {
	if mma {
		if err := c.hopperGrad(a, g, k, more); !errors.Is(err, ErrBrokenKernel) {
			return err
		}
		n, name := tiles(k.rows, mmaGradRows), k.mma
		if a.full() {
			name = k.full
		}
		shared := (2*mmaGradRows+4*mmaGradCols(a.size))*a.size*2 + k.shared
		err := c.launchAttention(a, "attention_grad_mma_%[3]d", name, n*a.b*k.heads, shared, a.with(n, more...))
		if !errors.Is(err, ErrBrokenKernel) {
			return err
		}
	}
	n := tiles(k.rows, gradRows(a.size))
	return c.launchAttention(a, "attention_grad_%[3]d", k.plain, n*a.b*k.heads, 0, a.with(n, more...))
}
