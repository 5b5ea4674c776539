package gpu

import (
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
// the device memory that they need beside the tensors.
type attentionCall struct {
	*attention
	size  int
	args  []uint64
	loans []*mem.Block
}

// prepare packs the kernels' struct AttentionArgs, but for the tiles, and uploads
// sequences and slopes.
func (c *cuda) prepare(a *attention) (*attentionCall, error) {
	size, err := headSize(a.d)
	if err != nil {
		return nil, err
	}
	if max(a.tq, a.tk) > maxRows {
		return nil, fmt.Errorf("%d queries, %d keys: the CUDA kernels go up to %d", a.tq, a.tk, maxRows)
	}
	call := &attentionCall{attention: a, size: size}
	var seqs, slopes, bias uint64
	if a.seqs != nil {
		table := make([]int32, 0, 5*len(a.seqs))
		for _, s := range a.seqs {
			table = append(table, int32(s.Q0), int32(s.Tq), int32(s.K0), int32(s.Tk), int32(s.Shift))
		}
		if seqs, err = call.lend(c, host.Bytes(table)); err != nil {
			return nil, err
		}
	}
	if a.slopes != nil {
		if slopes, err = call.lend(c, host.Bytes(a.slopes)); err != nil {
			return nil, errors.Join(err, call.free())
		}
	}
	args := make([]uint64, 0, 64)
	for _, t := range []*Tensor{a.q, a.k, a.v, a.out} {
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
	call.args = append(args, 0,
		uint64(math.Float32bits(a.scale))|uint64(math.Float32bits(rest))<<32,
		uint64(a.drop)|a.seed<<32, a.seed>>32|call.aligned()<<32, uint64(a.first*a.h))
	return call, nil
}

// tilesAt is where the tiles stand among the packed arguments.
const tilesAt = 32

// with is the packed arguments for n tiles a head, and more behind them.
func (a *attentionCall) with(n int, more ...uint64) []uint64 {
	args := append(a.args[:len(a.args):len(a.args)], more...)
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
	b, err := c.memory.Alloc(int64(len(data)), mem.Workspace)
	if err != nil {
		return 0, err
	}
	a.loans = append(a.loans, b)
	if err := c.ctx.Upload(b.Addr(), data); err != nil {
		return 0, errors.Join(err, a.free())
	}
	return b.Addr(), nil
}

// room is workspace of n floats that lives until free.
func (a *attentionCall) room(c *cuda, n int) (uint64, error) {
	b, err := c.memory.Alloc(4*int64(n), mem.Workspace)
	if err != nil {
		return 0, err
	}
	a.loans = append(a.loans, b)
	return b.Addr(), nil
}

// free gives the workspace back. Kernels that still use it run before any that
// would get it next.
func (a *attentionCall) free() error {
	var errs []error
	for _, b := range a.loans {
		errs = append(errs, b.Free())
	}
	a.loans = nil
	return errors.Join(errs...)
}

// packHeads appends the kernels' struct Heads.
func (a *attention) packHeads(args []uint64, t *Tensor) []uint64 {
	return append(args, t.address(), uint64(a.batchStride(t)), uint64(t.strides[1]), uint64(t.strides[2]))
}

// launchAttention starts a kernel of a source, its name and type and head size put
// together.
func (c *cuda) launchAttention(a *attentionCall, source, name string, blocks int, args []uint64) error {
	return c.launch(fmt.Sprintf("%s_%d", source, a.size), fmt.Sprintf("%s_%s_%d", name, a.q.dtype, a.size), blocks, attentionThreads, args)
}

// The geometry of the tensor core kernels (attention_mma.cu, attention_grad_mma.cu).
const (
	tensorCapability = 80
	mmaGradRows      = 64
	mmaGradCols      = 32
)

// mmaTile is the queries and the keys of one tile of the forward kernels.
func mmaTile(size int, full bool) (rows, cols int) {
	rows, cols = 128, 32
	if full || size > 128 {
		rows = 64
	}
	if size == 32 || size == 64 && !full {
		cols = 64
	}
	if size > 128 {
		cols = 16
	}
	return rows, cols
}

// full says that scores need more than a product, a positive scale and a mask.
func (a *attentionCall) full() bool {
	return a.bias != nil || a.slopes != nil || a.drop > 0 || !(a.scale > 0)
}

// tensorCores says whether the tensor core kernels can do the call: the device has
// them, the type is half precision, rows can be copied in pieces of 16 bytes, and
// nothing else is in the way.
func (c *cuda) tensorCores(a *attentionCall, obstacle bool, more ...*Tensor) bool {
	return c.hasTensorCores() && a.q.dtype != Float32 && a.d%8 == 0 && !obstacle &&
		rowsAligned(append(more, a.q, a.k, a.v, a.out)...)
}

func (c *cuda) launchMMA(a *attentionCall, source, name string, blocks, shared int, args []uint64) error {
	if a.full() {
		name += "_full"
	}
	return c.launchShared(fmt.Sprintf("%s_%d", source, a.size), fmt.Sprintf("%s_%s_%d", name, a.q.dtype, a.size), blocks, attentionThreads, shared, args)
}

func (c *cuda) attention(a *attention) error {
	call, err := c.prepare(a)
	if err != nil {
		return err
	}
	err = ErrBrokenKernel // until one of the ways works
	if a.tq <= splitQueries && a.drop == 0 {
		err = c.split(call)
	} else if c.tensorCores(call, call.full() && call.size > 128) {
		err = c.hopperAttention(call)
		if !errors.Is(err, ErrBrokenKernel) {
			return errors.Join(err, call.free())
		}
		rows, cols := mmaTile(call.size, call.full())
		n := tiles(a.tq, rows)
		err = c.launchMMA(call, "attention_mma", "attention_mma", n*a.b*a.h, (rows+2*cols)*call.size*2, call.with(n))
	}
	if errors.Is(err, ErrBrokenKernel) {
		n := tiles(a.tq, attentionRows(call.size))
		err = c.launchAttention(call, "attention", "attention", n*a.b*a.h, call.with(n))
	}
	return errors.Join(err, call.free())
}

// split cuts along the keys.
func (c *cuda) split(a *attentionCall) error {
	name, rows := "attention_split", 1
	if a.h/a.kv*a.tq > 1 {
		name, rows = "attention_split_group", splitRows
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
	args := a.with(1, parts, uint64(splits), uint64(keys))
	if err := c.launchAttention(a, "attention_split", name, blocks*splits, args); err != nil {
		return err
	}
	return c.launch(fmt.Sprintf("attention_split_%d", a.size), fmt.Sprintf("attention_join_%s", a.q.dtype), a.b*a.h*a.tq, attentionThreads, args)
}

func (c *cuda) attentionWeights(a *attention, queries []int, w *Tensor) error {
	call, err := c.prepare(a)
	if err != nil {
		return err
	}
	list := make([]int32, len(queries))
	for i, q := range queries {
		list[i] = int32(q)
	}
	at, err := call.lend(c, host.Bytes(list))
	if err == nil {
		n := tiles(len(queries), attentionRows(call.size))
		err = c.launchAttention(call, "attention", "attention_weights", n*a.b*a.h, call.with(n, w.address(), at, uint64(len(queries))))
	}
	return errors.Join(err, call.free())
}

func (c *cuda) attentionGrad(a *attentionGrad) error {
	call, err := c.prepare(&a.attention)
	if err != nil {
		return err
	}
	delta, err := call.room(c, a.b*a.h*a.tq)
	var grads []uint64
	for _, t := range []*Tensor{a.dOut, a.dq, a.dk, a.dv} {
		grads = a.packHeads(grads, t)
	}
	mma := c.tensorCores(call, call.size > 128, a.out, a.dOut, a.dq, a.dk, a.dv)
	for _, k := range []struct {
		name                string
		rows, heads, shared int
	}{{"query", a.tq, a.h, 0}, {"key_value", a.tk, a.kv, 4 * mmaGradCols * 4}} {
		if err != nil || k.rows == 0 {
			continue
		}
		err = ErrBrokenKernel // until one of the ways works
		if mma {
			err = c.hopperGrad(call, a, k.name, append(grads, delta))
		}
		if mma && errors.Is(err, ErrBrokenKernel) {
			n := tiles(k.rows, mmaGradRows)
			shared := (2*mmaGradRows+4*mmaGradCols)*call.size*2 + k.shared
			err = c.launchMMA(call, "attention_grad_mma", "attention_grad_"+k.name+"_mma", n*a.b*k.heads, shared, call.with(n, append(grads, delta)...))
		}
		if errors.Is(err, ErrBrokenKernel) {
			n := tiles(k.rows, gradRows(call.size))
			err = c.launchAttention(call, "attention_grad", "attention_grad_"+k.name, n*a.b*k.heads, call.with(n, append(grads, delta)...))
		}
	}
	return errors.Join(err, call.free())
}
