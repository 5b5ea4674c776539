package gpu

import (
	"errors"

	"attune/gpu/driver"
)

// The geometry of attention_grad_wgmma.cu: of what a block walks over, pairs of tiles.
const (
	hopperGradCols   = 64 // rows a tile
	hopperGradStages = 3
)

// mapped says whether tensors' tiles can be copied through maps, whose axes do not repeat.
func mapped(all ...*Tensor) bool {
	for _, t := range all {
		if t.shape[1] > 1 && t.strides[1] == 0 || t.shape[2] > 1 && t.strides[2] == 0 {
			return false
		}
	}
	return true
}

// hopperGrad is one of the two kernels of attention_grad_wgmma.cu: for the queries, or
// for keys and values. rest is what the arguments have behind the attention's own.
// ErrBrokenKernel where that cannot be.
func (c *cuda) hopperGrad(call *attentionCall, a *attentionGrad, k *gradKernel, rest []uint64) error {
	if !c.hasHopper() || call.full() || call.size != 64 && call.size != 128 || !mapped(a.q, a.dOut, a.k, a.v) {
		return ErrBrokenKernel
	}
	held := [...]int{hopperRows, hopperRows, hopperGradCols, hopperGradCols}
	if k.keys {
		held = [...]int{hopperGradCols, hopperGradCols, hopperRows, hopperRows}
	}
	var words [4*driver.TensorMapWords + 64]uint64
	args := words[:0]
	for i, t := range [...]*Tensor{a.q, a.dOut, a.k, a.v} {
		var err error
		if args, err = c.mapHeads(args, call.attention, t, held[i]); err != nil {
			return errors.Join(ErrBrokenKernel, err)
		}
	}
	n := tiles(k.rows, hopperRows)
	args = padded(append(args, call.with(n, rest...)...))
	const stats, barriers = (2*hopperGradCols + 2) * 4, 2 * hopperWord // a stage
	shared := hopperSlack + 2*hopperRows*call.size*2 + hopperGradStages*(2*hopperGradCols*call.size*2+stats+barriers) + 2*hopperWord
	name := kernelName{file: "attention_grad_wgmma_%[3]d", name: k.hopper, one: a.q.dtype, number: call.size}
	return c.launchNamed(name, n*a.b*k.heads, hopperThreads, shared, args)
}
