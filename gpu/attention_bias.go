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
// all. It is counted as gradients. Half types are computed with float32 arithmetic, by
// a kernel that does not use tensor cores.
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
	const file = "attention_bias_%[3]d"
	var words [4]uint64
	dOut := g.packHeads(words[:0], g.dOut)
	size := gradRows(call.size)
	var err error
	if g.dBias != nil {
		s := g.dBias.shape
		n := tiles(s[2], size)
		args := append(call.with(n, dOut...), g.dBias.address(), uint64(s[0]), uint64(s[1]), uint64(s[2]), uint64(g.b))
		err = c.launchAttention(&call, file, "attention_bias_grad_%[1]s_%[3]d", s[0]*s[1]*n*tiles(g.tk, size), 0, args)
	}
	if err == nil && g.dSlopes != nil {
		n := tiles(g.tq, size)
		var parts uint64
		if parts, err = call.room(c, g.h*g.b*n); err == nil {
			args := append(call.with(n, dOut...), parts, 1, 1, 1, uint64(g.b))
			err = c.launchAttention(&call, file, "attention_slopes_grad_%[1]s_%[3]d", g.h*g.b*n, 0, args)
		}
		if err == nil {
			join := kernelName{file: file, name: "attention_slopes_join", number: call.size}
			err = c.launchNamed(join, g.h, attentionThreads, 0, []uint64{g.dSlopes.address(), parts, uint64(g.b * n)})
		}
	}
	return cmp.Or(err, call.free())
}
