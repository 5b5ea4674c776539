package nn

import (
	"errors"
	"fmt"

	"attune/gpu"
	"attune/gpu/mem"
)

// Attention is scaled dot-product self-attention in heads (Vaswani et al. 2017,
// section 3.2). qkv (B, T, 3D) holds query, key and value side by side, each in
// heads of D/heads; the result is (B, T, D). The weights go to t.Weights where
// t.KeepWeights is set.
func (t *Tape) Attention(qkv *Value, heads int, o gpu.AttentionOptions) *Value {
	const act = "attention"
	if !t.usable(act, qkv) {
		return nil
	}
	s := qkv.tensor.Shape()
	if len(s) != 3 || heads < 1 || s[2]%(3*heads) != 0 {
		return t.fail(act, fmt.Errorf("%s in %d heads: want (B, T, 3D), D a multiple of the heads", qkv.tensor, heads))
	}
	in, err := t.operand(qkv)
	if err != nil {
		return t.fail(act, err)
	}
	parts, err := splitHeads(in, heads)
	if err != nil {
		return t.fail(act, err)
	}
	r, out, err := t.attend(parts, o, s[0], s[1], s[2]/3)
	if err != nil {
		return t.fail(act, err)
	}
	y := t.result(out, qkv)
	t.costs(4 * int64(s[0]) * int64(s[1]) * int64(s[1]) * int64(s[2]/3))
	return t.record(y, func() error { return attentionGrad(r, y, qkv, heads, len(o.KeyLengths)+len(o.CuSeqlensQ) > 0) })
}

// attend computes attention of query, key and value in heads, with this pass's dropout,
// and its output as (B, T, D). The tape owns the results, and the weights where they
// are kept.
func (t *Tape) attend(qkv [3]*gpu.Tensor, o gpu.AttentionOptions, shape ...int) (*gpu.AttentionResult, *gpu.Tensor, error) {
	if !t.training {
		o.Dropout = 0
	}
	if o.Dropout > 0 {
		o.Seed, o.First = t.Seed+uint64(t.nextDrop())<<40, t.First
	}
	r, err := t.look(qkv, o)
	if err != nil {
		return nil, nil, err
	}
	t.hold(r.Output)
	t.hold(r.LSE)
	if t.KeepWeights && (!t.again || t.asked) {
		w, err := r.Weights()
		if err != nil {
			return nil, nil, err
		}
		t.Weights = append(t.Weights, w)
	}
	out, err := r.Output.Permute(0, 2, 1, 3)
	if err == nil {
		out, err = out.Reshape(shape...)
	}
	return r, out, err
}

// splitHeads views (B, T, 3D) as three of (B, H, T, D/H).
func splitHeads(x *gpu.Tensor, heads int) ([3]*gpu.Tensor, error) {
	var out [3]*gpu.Tensor
	s := x.Shape()
	five, err := x.Reshape(s[0], s[1], 3, heads, s[2]/3/heads)
	for i := 0; i < 3 && err == nil; i++ {
		if out[i], err = five.Index(2, i); err == nil {
			out[i], err = out[i].Permute(0, 2, 1, 3)
		}
	}
	return out, err
}

// attentionGrad adds to the gradient of qkv. The primitive overwrites, so where a
// gradient is there already it writes beside it first. Of ragged lengths it leaves the rows
// of what nobody sees as they are.
func attentionGrad(r *gpu.AttentionResult, y, qkv *Value, heads int, ragged bool) error {
	s := qkv.tensor.Shape()
	dy, err := y.gradient()
	if err != nil {
		return err
	}
	if dy, err = dy.Reshape(s[0], s[1], heads, s[2]/3/heads); err == nil {
		dy, err = dy.Permute(0, 2, 1, 3)
	}
	if err != nil {
		return err
	}
	fresh, err := qkv.tape.dev.Empty(y.tensor.DType(), mem.Gradients, s...)
	if err != nil {
		return err
	}
	parts, err := splitHeads(fresh, heads)
	if err == nil && ragged {
		err = fresh.Clear()
	}
	if err == nil {
		err = r.BackwardInto(dy, parts[0], parts[1], parts[2])
	}
	if err != nil {
		return errors.Join(err, fresh.Free())
	}
	if qkv.grad == nil && qkv.parent == nil && qkv.tensor.DType() == fresh.DType() {
		qkv.setGradient(fresh)
		return nil
	}
	d, err := qkv.gradient()
	if err == nil {
		err = gpu.Add(d, fresh)
	}
	return errors.Join(err, fresh.Free())
}
