package gpu

import (
	"cmp"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// The geometry of pointwise.cu and rows.cu.
const (
	layerThreads  = 256
	layerElements = 1024
	layerWarps    = layerThreads / 32
)

// operand is a tensor as layers.h takes it, null for nil.
type operand struct{ at, dtype uint64 }

func operandOf(t *Tensor) operand {
	if t == nil {
		return operand{}
	}
	return operand{t.address(), uint64(t.dtype)}
}

// operands packs tensors into args.
func operands(args []uint64, ts ...*Tensor) []uint64 {
	for _, t := range ts {
		o := operandOf(t)
		args = append(args, o.at, o.dtype)
	}
	return args
}

// pointer is a tensor's address, 0 of nil.
func pointer(t *Tensor) uint64 {
	if t == nil {
		return 0
	}
	return t.address()
}

func two(low, high float32) uint64 { return bits(low) | bits(high)<<32 }

func flagBit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func (c *cuda) each(op host.Op, y, a, b *Tensor, s float32) error {
	name := kernelName{file: "pointwise", name: "each_%[3]d", number: int(op)}
	for _, t := range [...]*Tensor{y, a, b} {
		if t != nil && t.dtype != Float32 {
			name.name = "each_%[3]dh"
		}
	}
	var words [8]uint64
	args := append(operands(words[:0], y, a, b), uint64(y.Len()), two(s, 0))
	return c.launchNamed(name, tiles(y.Len(), layerElements), layerThreads, 0, args)
}

// axis packs AxisArgs.
func (c *cuda) axis(name string, blocks int, y, x, b operand, outer, middle, inner, chunks, width int, scale float32, add bool) error {
	args := [...]uint64{y.at, y.dtype, x.at, x.dtype, b.at, b.dtype,
		uint64(outer), uint64(middle), uint64(inner), uint64(chunks), uint64(width), bits(scale) | flagBit(add)<<32}
	return c.launch("pointwise", name, blocks, layerThreads, args[:])
}

func (c *cuda) addBias(y, x, b *Tensor) error {
	return c.axis("add_bias", tiles(y.Len(), layerElements), operandOf(y), operandOf(x), operandOf(b), y.Len()/b.Len(), 1, b.Len(), 1, 1, 0, false)
}

func (c *cuda) spread(x, s *Tensor, outer, middle, inner int, scale float32) error {
	return c.axis("spread", tiles(x.Len(), layerElements), operandOf(x), operandOf(s), operand{}, outer, middle, inner, 1, 1, scale, true)
}

// chunksOf is how many pieces a sum of middle values is cut into where the rest gives so
// many blocks: enough to fill a GPU, and no more.
func chunksOf(blocks, middle int) int {
	const enough, least = 512, 128
	return max(1, min((enough+blocks-1)/blocks, middle/least))
}

func (c *cuda) sumAxis(s, x *Tensor, outer, middle, inner int, scale float32) error {
	width := 1
	for width < 32 && width < inner {
		width *= 2
	}
	blocks := outer * tiles(inner, width)
	chunks := chunksOf(blocks, middle)
	if chunks == 1 {
		return c.axis("sum_axis", blocks, operandOf(s), operandOf(x), operand{}, outer, middle, inner, 1, width, scale, true)
	}
	return c.withPart(outer*chunks*inner, func(part uint64) error {
		to := operand{part, uint64(Float32)}
		if err := c.axis("sum_axis", blocks*chunks, to, operandOf(x), operand{}, outer, middle, inner, chunks, width, 1, false); err != nil {
			return err
		}
		return c.sumPart(s, part, outer, chunks, inner, width, scale)
	})
}

// sumPart adds the sums of part (outer, chunks, inner), float32, to s.
func (c *cuda) sumPart(s *Tensor, part uint64, outer, chunks, inner, width int, scale float32) error {
	from := operand{part, uint64(Float32)}
	return c.axis("sum_axis", outer*tiles(inner, width), operandOf(s), from, operand{}, outer, chunks, inner, 1, width, scale, true)
}

// withPart lends a workspace of n floats.
func (c *cuda) withPart(n int, run func(at uint64) error) error {
	block, err := c.memory.Alloc(4*int64(n), mem.Workspace)
	if err != nil {
		return err
	}
	err = run(block.Addr())
	return cmp.Or(err, block.Return())
}

// norms packs RowNormArgs.
func (c *cuda) norms(name string, blocks int, ops [4]*Tensor, mean, rstd *Tensor, part uint64, rows, n, chunks int, eps float32) error {
	var words [15]uint64
	args := append(operands(words[:0], ops[:]...), pointer(mean), pointer(rstd), part, uint64(rows), uint64(n), uint64(chunks), two(eps, 0))
	return c.launch("rows", name, blocks, layerThreads, args)
}

func (c *cuda) norm(y, mean, rstd, x, gain, bias *Tensor, eps float32) error {
	rows := rstd.Len()
	return c.norms("norm", tiles(rows, layerWarps), [4]*Tensor{y, x, gain, bias}, mean, rstd, 0, rows, gain.Len(), 1, eps)
}

func (c *cuda) normGrad(dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor) error {
	rows, n := rstd.Len(), gain.Len()
	if dx != nil {
		if err := c.norms("norm_grad", tiles(rows, layerWarps), [4]*Tensor{dx, x, gain, dy}, mean, rstd, 0, rows, n, 1, 0); err != nil {
			return err
		}
	}
	if dGain == nil && dBias == nil {
		return nil
	}
	chunks := chunksOf(tiles(n, 32), rows)
	return c.withPart(2*chunks*n, func(part uint64) error {
		err := c.norms("norm_params", tiles(n, 32)*chunks, [4]*Tensor{nil, x, nil, dy}, mean, rstd, part, rows, n, chunks, 0)
		for i, d := range []*Tensor{dGain, dBias} {
			if err == nil && d != nil {
				err = c.sumPart(d, part+uint64(4*i*chunks*n), 1, chunks, n, 32, 1)
			}
		}
		return err
	})
}

// table packs RowArgs.
func (c *cuda) table(name string, blocks int, y, x, ids *Tensor, vocabulary, n int) error {
	var words [8]uint64
	args := append(operands(words[:0], y, x), ids.address(), uint64(ids.Len()), uint64(vocabulary), uint64(n))
	return c.launch("pointwise", name, blocks, layerThreads, args)
}

func (c *cuda) gather(y, table, ids *Tensor) error {
	name := "gather_as"
	if y.dtype == table.dtype {
		if name = "gather_b16"; y.dtype.Size() == 4 {
			name = "gather_b32"
		}
	}
	return c.table(name, tiles(y.Len(), layerElements), y, table, ids, table.shape[0], table.shape[1])
}

func (c *cuda) scatter(table, y, ids *Tensor) error {
	return c.table("scatter", table.shape[0], table, y, ids, table.shape[0], table.shape[1])
}

func (c *cuda) dropout(y, x *Tensor, add bool, m host.Mask) error {
	examples := x.shape[0]
	n := x.Len() / examples
	var words [10]uint64
	args := append(operands(words[:0], y, x), uint64(examples), uint64(n), m.First, uint64(m.Drop)|uint64(uint32(m.Seed))<<32, m.Seed>>32|uint64(m.Op)<<32,
		bits(65536/float32(65536-m.Drop))|flagBit(add)<<32)
	return c.launch("pointwise", "dropout", tiles(examples*tiles(n, 8), layerThreads), layerThreads, args)
}

// lossCall is what LossArgs hold.
type lossCall struct {
	y, x, t           *Tensor
	labels, loss, lse *Tensor
	by                *Tensor
	rows, n           int
	scale, delta      float32
	kind              host.LossKind
}

func (c *cuda) rowLoss(name string, blocks int, l lossCall) error {
	count := 0
	if l.by != nil {
		count = l.by.Len()
	}
	var words [16]uint64
	args := append(operands(words[:0], l.y, l.x, l.t), pointer(l.labels), pointer(l.loss), pointer(l.lse), pointer(l.by),
		uint64(count), uint64(l.rows), uint64(l.n), two(l.scale, l.delta), uint64(l.kind))
	return c.launch("rows", name, blocks, layerThreads, args)
}

func (c *cuda) softmax(y, x *Tensor, log bool) error {
	name, n := "softmax_rows", last(x)
	if log {
		name = "log_softmax_rows"
	}
	return c.rowLoss(name, tiles(x.Len()/n, layerWarps), lossCall{y: y, x: x, rows: x.Len() / n, n: n})
}

func (c *cuda) softmaxGrad(dx, y, dy *Tensor, log bool) error {
	name, n := "softmax_rows_grad", last(y)
	if log {
		name = "log_softmax_rows_grad"
	}
	return c.rowLoss(name, tiles(y.Len()/n, layerWarps), lossCall{y: dx, x: y, t: dy, rows: y.Len() / n, n: n})
}

func (c *cuda) crossEntropy(loss, lse, x, labels, targets *Tensor) error {
	rows := loss.Len()
	return c.rowLoss("cross_entropy", tiles(rows, layerWarps), lossCall{x: x, t: targets, labels: labels, loss: loss, lse: lse, rows: rows, n: x.Len() / rows})
}

func (c *cuda) crossEntropyGrad(dx, x, labels, targets, lse, dLoss *Tensor, scale float32) error {
	rows := lse.Len()
	return c.rowLoss("cross_entropy_grad", tiles(rows, layerWarps),
		lossCall{y: dx, x: x, t: targets, labels: labels, lse: lse, by: dLoss, rows: rows, n: x.Len() / rows, scale: scale})
}

func (c *cuda) loss(kind host.LossKind, loss, x, t *Tensor, delta float32) error {
	rows := loss.Len()
	return c.rowLoss("pair_loss", tiles(rows, layerWarps), lossCall{x: x, t: t, loss: loss, rows: rows, n: x.Len() / rows, delta: delta, kind: kind})
}

func (c *cuda) lossGrad(kind host.LossKind, dx, x, t *Tensor, rows int, dLoss *Tensor, scale, delta float32) error {
	n := x.Len() / rows
	return c.rowLoss("pair_loss_grad", tiles(x.Len(), layerElements),
		lossCall{y: dx, x: x, t: t, by: dLoss, rows: rows, n: n, scale: scale / float32(n), delta: delta, kind: kind})
}

func (c *cuda) argmax(y, x *Tensor) error {
	rows := y.Len()
	return c.rowLoss("argmax", tiles(rows, layerWarps), lossCall{y: y, x: x, rows: rows, n: x.Len() / rows})
}
