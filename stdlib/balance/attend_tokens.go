package balance

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"attune/gpu/mem"
	"attune/stdlib/nn"
)

// TokenLoss is a model's loss on a batch, cut where it has made tokens (B, T, D) of
// its input, so that some can be left out. Loss must do with fewer than T of them:
// positions are added by Embed, and what reads the last layer takes a mean or one
// token.
type TokenLoss struct {
	Embed func(t *nn.Tape) *nn.Value
	Loss  func(t *nn.Tape, x *nn.Value) *nn.Value
}

// AttendTokens asks which tokens, or patches of a picture, matter. Like Attend it
// drops each place alone, in all examples, and then for each score the cut lowest
// of each example, beside random ones; cut is 0 for half.
//
// The scores are the weight a token is given (Weights.Received, mean over layers),
// Rollout to all tokens, or to the first where class is set, and the gradient (the
// size of the loss's slope as the token fades, |x · dx|). With class, token 0 is a
// class token, which is never dropped and not among the names: names has one for
// each of the others, or is nil.
func AttendTokens(net *nn.Net, losses []TokenLoss, class bool, names []string, seed uint64, cut int) (*Report, error) {
	r, err := attendTokens(net, losses, class, names, seed, cut)
	if err != nil {
		return nil, fmt.Errorf("attend to tokens: %w", err)
	}
	return r, nil
}

func attendTokens(net *nn.Net, losses []TokenLoss, class bool, names []string, seed uint64, cut int) (*Report, error) {
	if len(losses) == 0 {
		return nil, fmt.Errorf("no losses")
	}
	first := 0
	if class {
		first = 1
	}
	a := tokenTrial{net: net, losses: losses, first: first}
	received, rollout, gradient := Score{Name: "received"}, Score{Name: "rollout"}, Score{Name: "gradient"}
	for _, l := range losses {
		x, shape, err := a.embed(l)
		if err != nil {
			return nil, err
		}
		a.x, a.shapes = append(a.x, x), append(a.shapes, shape)
		layers, err := WeightsOf(net, func(t *nn.Tape) *nn.Value { return l.Loss(t, t.Input(x, shape...)) })
		if err != nil {
			return nil, err
		}
		given, rolled, err := tokenScores(layers, class)
		if err != nil {
			return nil, err
		}
		slopes, err := a.slopes(l, x, shape)
		if err != nil {
			return nil, err
		}
		received.each, rollout.each, gradient.each = append(received.each, given), append(rollout.each, rolled), append(gradient.each, slopes)
	}
	scores := []Score{received, rollout, gradient}
	for i := range scores {
		if err := scores[i].overExamples(first); err != nil {
			return nil, err
		}
	}
	tokens := a.shapes[0][1] - first
	if names == nil {
		for i := range tokens {
			names = append(names, fmt.Sprintf("token %d", i+first))
		}
	}
	if cut == 0 {
		cut = tokens / 2
	}
	return trial("token", names, scores, cut, seed, a.loss)
}

// overExamples leaves the tokens before first out and sets the mean over all
// examples.
func (s *Score) overExamples(first int) error {
	var all [][]float64
	for b := range s.each {
		for e, v := range s.each[b] {
			s.each[b][e] = v[first:]
			all = append(all, s.each[b][e])
		}
	}
	for _, v := range all {
		if len(v) != len(all[0]) {
			return fmt.Errorf("batches of %d and of %d tokens: want one number", len(all[0]), len(v))
		}
	}
	s.Values = meanRows(all)
	return nil
}

// tokenScores are what each token of each example is given, and its rollout.
func tokenScores(layers []Weights, class bool) (received, rollout [][]float64, err error) {
	at := -1
	if class {
		at = 0
	}
	if rollout, err = Rollout(layers, at); err != nil {
		return nil, nil, err
	}
	for _, w := range layers {
		got := w.Received()
		if received == nil {
			received = got
			continue
		}
		for b := range got {
			for i, x := range got[b] {
				received[b][i] += x
			}
		}
	}
	return received, rollout, nil
}

// tokenTrial holds the embedded tokens of each batch.
type tokenTrial struct {
	net    *nn.Net
	losses []TokenLoss
	first  int
	x      [][]float32
	shapes [][]int
}

// embed computes a batch's tokens once.
func (a *tokenTrial) embed(l TokenLoss) (x []float32, shape []int, err error) {
	t := a.net.EvalTape()
	defer func() { err = errors.Join(err, t.Free()) }()
	v := l.Embed(t)
	if t.Err() != nil {
		return nil, nil, t.Err()
	}
	if shape = v.Tensor().Shape(); len(shape) != 3 {
		return nil, nil, fmt.Errorf("embedded tokens are %s: want (B, T, D)", v.Tensor())
	}
	x, err = v.Float32s()
	return x, shape, err
}

// slopes is |x · dx| of each token of each example, times the batch, so that an
// example's own loss counts and not its share of the mean.
func (a *tokenTrial) slopes(l TokenLoss, x []float32, shape []int) (out [][]float64, err error) {
	dev := a.net.Device()
	value, err := dev.FromFloat32s(x, mem.Activations, shape...)
	if err != nil {
		return nil, err
	}
	grad, err := dev.Zeros(mem.Gradients, shape...)
	defer func() { err = errors.Join(err, value.Free(), grad.Free()) }()
	if err != nil {
		return nil, err
	}
	tokens := &nn.Param{Name: "tokens", Value: value, Grad: grad}
	// Scaled by 1, since a parameter that is not the net's would keep its copy in half.
	scale, err := gradients(a.net, func(t *nn.Tape) *nn.Value { return l.Loss(t, t.Scale(t.Param(tokens), 1)) }, tokens)
	if err = errors.Join(err, a.net.ZeroGrad()); err != nil {
		return nil, err
	}
	g, err := grad.Float32s()
	if err != nil {
		return nil, err
	}
	for b := range shape[0] {
		row := make([]float64, shape[1])
		for i := range row {
			dot := 0.0
			for j := (b*shape[1] + i) * shape[2]; j < (b*shape[1]+i+1)*shape[2]; j++ {
				dot += float64(x[j]) * float64(g[j])
			}
			row[i] = math.Abs(dot) * float64(shape[0]) / scale
		}
		out = append(out, row)
	}
	return out, nil
}

// loss is the mean loss with tokens left out. Indices count from first.
func (a *tokenTrial) loss(of pick) (float64, error) {
	var all Losses
	for k, l := range a.losses {
		shape := a.shapes[k]
		keep := make([][]int, shape[0])
		for b := range keep {
			gone := of(k, b)
			for i := range shape[1] {
				if i < a.first || !slices.Contains(gone, i-a.first) {
					keep[b] = append(keep[b], i)
				}
			}
		}
		all = append(all, func(t *nn.Tape) *nn.Value { return l.Loss(t, t.Take(t.Input(a.x[k], shape...), keep)) })
	}
	return all.mean(a.net)
}
