package balance

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"attune/gpu"
	"attune/stdlib/nn"
)

// Losses are the losses of a model on some batches that it is judged by, best ones
// it is not trained on. Each must give the same value at every call.
type Losses []func(t *nn.Tape) *nn.Value

// mean is the mean loss, without gradients.
func (l Losses) mean(net *nn.Net) (float64, error) {
	sum := 0.0
	for _, f := range l {
		v, err := net.Eval(f)
		if err != nil {
			return 0, err
		}
		if len(v) != 1 {
			return 0, fmt.Errorf("a loss of %d numbers: want one", len(v))
		}
		sum += float64(v[0]) / float64(len(l))
	}
	return sum, nil
}

// Attend asks which parts of a model matter: heads, neurons, channels or layers, as
// the sites name them. It scores each part, takes it out and measures the loss, and
// holds each score against random choices. The model is as it was afterwards, its
// gradients are zero.
//
// The scores are the size of the weights that read a part; the gradient (how fast
// the loss changes as the part fades, mean of absolute values over losses; Michel
// et al. 2019, "Are Sixteen Heads Really Better than One?", eq. 2); and for heads
// and layers, where the sites are all attentions of the model in its order, how focused their
// rows are (1 - Weights.Entropy) and Weights.Confidence.
//
// cut is how many parts are taken out at once, 0 for half. It takes a pass over all
// losses for each part and for each of twenty-odd choices.
func Attend(net *nn.Net, losses Losses, seed uint64, cut int, sites ...Site) (*Report, error) {
	r, err := attend(net, losses, seed, cut, sites)
	if err != nil {
		return nil, fmt.Errorf("attend to the parts of a model: %w", err)
	}
	return r, nil
}

func attend(net *nn.Net, losses Losses, seed uint64, cut int, sites []Site) (*Report, error) {
	if len(losses) == 0 || len(sites) == 0 {
		return nil, fmt.Errorf("%d losses and %d sites: want at least one of each", len(losses), len(sites))
	}
	part := sites[0].Part
	var names []string
	for _, s := range sites {
		if s.Part != part {
			return nil, fmt.Errorf("%s of %s among %s: ask for one kind at a time", s.Part, s.Layer, part)
		}
		names = append(names, s.names()...)
	}
	if cut == 0 {
		cut = len(names) / 2
	}
	scores, err := weightScores(net, losses, sites)
	if err != nil {
		return nil, err
	}
	if part == Heads || part == Layers {
		more, err := headScores(net, losses, sites)
		if err != nil {
			return nil, err
		}
		scores = append(scores, more...)
	}
	return trial(part.one(), names, scores, cut, seed, func(of pick) (float64, error) {
		return lossWithout(net, losses, sites, of(0, 0))
	})
}

// Spread says for each site which parts are left when those in gone, counted over
// all sites in order, are taken out.
func Spread(sites []Site, gone []int) [][]int {
	keep := make([][]int, len(sites))
	out := map[int]bool{}
	for _, i := range gone {
		out[i] = true
	}
	at := 0
	for k, s := range sites {
		for i := range s.Of {
			if !out[at+i] {
				keep[k] = append(keep[k], i)
			}
		}
		at += s.Of
	}
	return keep
}

// lossWithout silences parts and measures.
func lossWithout(net *nn.Net, losses Losses, sites []Site, gone []int) (loss float64, err error) {
	left := Spread(sites, gone)
	for k, s := range sites {
		var silent []int
		for i, at := 0, 0; i < s.Of; i++ {
			if at < len(left[k]) && left[k][at] == i {
				at++
				continue
			}
			silent = append(silent, i)
		}
		if len(silent) == 0 {
			continue
		}
		back, serr := s.silence(silent)
		if serr != nil {
			return 0, serr
		}
		defer func() { err = errors.Join(err, back()) }()
	}
	return losses.mean(net)
}

// weightScores are "size" and, where the parameters have gradients, "gradient".
func weightScores(net *nn.Net, losses Losses, sites []Site) ([]Score, error) {
	size, gradient := Score{Name: "size"}, Score{Name: "gradient"}
	squares, err := perPart(sites, func(p *nn.Param) *gpu.Tensor { return p.Value })
	if err != nil {
		return nil, err
	}
	for _, s := range squares {
		size.Values = append(size.Values, math.Sqrt(s))
	}
	gradient.Values = make([]float64, len(squares))
	for _, s := range sites {
		for _, c := range s.reads {
			if c.param.Grad == nil {
				return []Score{size}, nil
			}
		}
	}
	for _, f := range losses {
		scale, err := gradients(net, f)
		if err != nil {
			return nil, err
		}
		slopes, err := perPart(sites, func(p *nn.Param) *gpu.Tensor { return p.Grad })
		if err != nil {
			return nil, err
		}
		for i, d := range slopes {
			gradient.Values[i] += math.Abs(d) / (scale * float64(len(losses)))
		}
	}
	return []Score{size, gradient}, net.ZeroGrad()
}

// perPart is for each part the sum, over what reads it, of the weight times what of
// says.
func perPart(sites []Site, of func(p *nn.Param) *gpu.Tensor) ([]float64, error) {
	var out []float64
	for _, s := range sites {
		sums := make([]float64, s.Of)
		for _, c := range s.reads {
			a, err := c.param.Value.Float32s()
			if err != nil {
				return nil, err
			}
			b, err := of(c.param).Float32s()
			if err != nil {
				return nil, err
			}
			for i := range sums {
				c.each([]int{i}, func(at int) { sums[i] += float64(a[at]) * float64(b[at]) })
			}
		}
		out = append(out, sums...)
	}
	return out, nil
}

// gradients leaves the loss's gradient times a scale, and nothing else, in the net's
// parameters, and adds it to those of more, whose gradients are zero. The scale is 1 but
// in float16, where it is the largest under which all gradients are finite.
func gradients(net *nn.Net, loss func(t *nn.Tape) *nn.Value, more ...*nn.Param) (scale float64, err error) {
	scale = 1
	if net.Precision == gpu.Float16 {
		scale = 1 << 16
	}
	defer func() { err = errors.Join(err, net.Release()) }()
	for ; ; scale /= 2 {
		if err := net.ZeroGrad(); err != nil {
			return 0, err
		}
		var all []*gpu.Tensor
		for _, p := range slices.Concat(net.Params(), more) {
			if p.Grad != nil {
				all = append(all, p.Grad)
			}
		}
		t := net.Tape()
		if err := errors.Join(t.BackwardScaled(loss(t), scale), t.Free()); err != nil || scale <= 1 {
			return scale, err
		}
		sum, err := gpu.SumSquares(all...)
		if err != nil || !math.IsNaN(sum) && !math.IsInf(sum, 0) {
			return scale, err
		}
		for _, p := range more {
			if err := p.Grad.Clear(); err != nil {
				return 0, err
			}
		}
	}
}

// headScores are "focus" and "confidence" of heads, or of layers as the mean over
// their heads; none where the model has other attentions than the sites.
func headScores(net *nn.Net, losses Losses, sites []Site) ([]Score, error) {
	focus, confidence := Score{Name: "focus"}, Score{Name: "confidence"}
	for k, f := range losses {
		layers, err := WeightsOf(net, f)
		if err != nil {
			return nil, err
		}
		if len(layers) != len(sites) {
			return nil, nil
		}
		at := 0
		for i, w := range layers {
			if w.Heads%sites[i].Of != 0 {
				return nil, nil
			}
			e, c, share := w.Entropy(), w.Confidence(), w.Heads/sites[i].Of
			for h := range w.Heads {
				if k == 0 && h%share == 0 {
					focus.Values, confidence.Values = append(focus.Values, 0), append(confidence.Values, 0)
				}
				focus.Values[at+h/share] += (1 - e[h]) / float64(len(losses)*share)
				confidence.Values[at+h/share] += c[h] / float64(len(losses)*share)
			}
			at += sites[i].Of
		}
	}
	return []Score{focus, confidence}, nil
}

// WeightsOf runs forward without gradients and returns the weights of each
// attention in it, in order.
func WeightsOf(net *nn.Net, forward func(t *nn.Tape) *nn.Value) (layers []Weights, err error) {
	t := net.EvalTape()
	t.KeepWeights = true
	defer func() { err = errors.Join(err, t.Free()) }()
	forward(t)
	if t.Err() != nil {
		return nil, fmt.Errorf("read attention weights: %w", t.Err())
	}
	for _, x := range t.Weights {
		s := x.Shape()
		if len(s) != 4 || s[2] != s[3] {
			return nil, fmt.Errorf("read attention weights: %s, want (B, H, T, T)", x)
		}
		w := Weights{Batch: s[0], Heads: s[1], Tokens: s[2]}
		if w.W, err = x.Float32s(); err != nil {
			return nil, fmt.Errorf("read attention weights: %w", err)
		}
		layers = append(layers, w)
	}
	return layers, nil
}
