package gpu

import (
	"cmp"
	"errors"
	"fmt"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// scoreGrad is one checked call of the gradients by what is added to the scores.
type scoreGrad struct {
	attention
	dOut           *Tensor // (B, H, Tq, D)
	dBias, dSlopes *Tensor // of the bias's shape, (H); float32, dense; nil for none
}

// BackwardBias computes the gradient by Bias of a loss whose gradient by Output is dOut
// (B, H, Tq, D): of Bias's shape, float32, the sum along the axes where Bias is 1 for
// all. It is counted as gradients.
func (r *AttentionResult) BackwardBias(dOut *Tensor) (*Tensor, error) {
	if err := r.done(); err != nil {
		return nil, fmt.Errorf("compute the gradient by attention's bias: %w", err)
	}
	if r.call.bias == nil {
		return nil, fmt.Errorf("compute the gradient by attention's bias: Attention was called without Bias")
	}
	return r.backwardScores(dOut, r.call.bias.shape, func(g *scoreGrad, t *Tensor) { g.dBias = t })
}

// BackwardALiBi computes the gradient by the slopes ALiBi likewise, (H) float32.
func (r *AttentionResult) BackwardALiBi(dOut *Tensor) (*Tensor, error) {
	if err := r.done(); err != nil {
		return nil, fmt.Errorf("compute the gradient by attention's slopes: %w", err)
	}
	if r.call.slopes == nil {
		return nil, fmt.Errorf("compute the gradient by attention's slopes: Attention was called without ALiBi")
	}
	return r.backwardScores(dOut, []int{r.call.h}, func(g *scoreGrad, t *Tensor) { g.dSlopes = t })
}

func (r *AttentionResult) backwardScores(dOut *Tensor, shape []int, set func(g *scoreGrad, t *Tensor)) (*Tensor, error) {
	g := &scoreGrad{attention: r.call, dOut: dOut}
	out, err := g.into(shape, set)
	if err != nil {
		return nil, fmt.Errorf("compute attention score gradients of %s: %w", r.call.q, err)
	}
	return out, nil
}

func (g *scoreGrad) into(shape []int, set func(g *scoreGrad, t *Tensor)) (*Tensor, error) {
	// The other gradients' checks hold for these: query, key and value stand in for
	// gradients of theirs.
	check := attentionGrad{attention: g.attention, dOut: g.dOut, dq: g.q, dk: g.k, dv: g.v}
	if err := check.check(); err != nil {
		return nil, err
	}
	dev := g.q.store.dev
	out, err := dev.Empty(Float32, mem.Gradients, shape...)
	if err != nil {
		return nil, err
	}
	set(g, out)
	defer keep(g.q, g.k, g.v, g.out, g.lse, g.dOut)
	defer keepAll([]*Tensor{g.bias})
	if err := dev.back.attentionScoreGrad(g); err != nil {
		return nil, errors.Join(err, out.Free())
	}
	return out, nil
}

func (c cpu) attentionScoreGrad(g *scoreGrad) error {
	a := &host.ScoreGrad{Attention: g.onHost(), DOut: g.heads(g.dOut), DBias: dense(g.dBias), DSlopes: dense(g.dSlopes)}
	if g.dBias != nil {
		copy(a.Axes[:], g.dBias.shape)
	}
	return c.engine.AttentionScoreBackward(a)
}

func (c *cuda) attentionScoreGrad(g *scoreGrad) error {
	var call attentionCall
	if err := c.prepare(&call, &g.attention); err != nil {
		return err
	}
	var words [4]uint64
	dOut := g.packHeads(words[:0], g.dOut)
	size := gradRows(call.size)
	way := scoreWay{"attention_bias_%[3]d", "attention_bias_grad_%[1]s_%[3]d", "attention_slopes_grad_%[1]s_%[3]d", size, size, 0}
	err := ErrBrokenKernel // until one of the ways works
	if c.tensorCores(&call, g.dOut) {
		shared := 2 * (mmaGradRows + mmaBiasCols) * call.size * 2
		err = c.scoreGradBy(scoreWay{"attention_bias_mma_%[3]d", "attention_bias_grad_mma_%[1]s_%[3]d", "attention_slopes_grad_mma_%[1]s_%[3]d",
			mmaGradRows, mmaBiasCols, shared}, g, &call, dOut)
	}
	if errors.Is(err, ErrBrokenKernel) {
		err = c.scoreGradBy(way, g, &call, dOut)
	}
	return cmp.Or(err, call.free())
}

// scoreWay is a way to those gradients: its kernels, and what a tile of them has.
type scoreWay struct {
	file, bias, slopes string
	rows, cols, shared int
}

func (c *cuda) scoreGradBy(w scoreWay, g *scoreGrad, call *attentionCall, dOut []uint64) error {
	if g.dBias != nil {
		s := g.dBias.shape
		n := tiles(s[2], w.rows)
		args := append(call.with(n, dOut...), g.dBias.address(), uint64(s[0]), uint64(s[1]), uint64(s[2]), uint64(g.b))
		if err := c.launchAttention(call, w.file, w.bias, s[0]*s[1]*n*tiles(g.tk, w.cols), w.shared, args); err != nil {
			return err
		}
	}
	if g.dSlopes == nil {
		return nil
	}
	n := tiles(g.tq, w.rows)
	parts, err := call.room(c, g.h*g.b*n)
	if err != nil {
		return err
	}
	args := append(call.with(n, dOut...), parts, 1, 1, 1, uint64(g.b))
	if err := c.launchAttention(call, w.file, w.slopes, g.h*g.b*n, w.shared, args); err != nil {
		return err
	}
	join := kernelName{file: "attention_bias_%[3]d", name: "attention_slopes_join", number: call.size}
	return c.launchNamed(join, g.h, attentionThreads, 0, []uint64{g.dSlopes.address(), parts, uint64(g.b * n)})
}
