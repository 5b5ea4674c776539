package balance

import (
	"fmt"
	"math"
)

// Weights are the attention weights of one layer: W is (Batch, Heads, Tokens,
// Tokens) row-major, and a row holds what one query gives to each key.
type Weights struct {
	Batch, Heads, Tokens int
	W                    []float32
}

func (w Weights) check() error {
	if w.Batch < 1 || w.Heads < 1 || w.Tokens < 1 || len(w.W) != w.Batch*w.Heads*w.Tokens*w.Tokens {
		return fmt.Errorf("%d attention weights: want (batch %d, heads %d, tokens %d, tokens %d)", len(w.W), w.Batch, w.Heads, w.Tokens, w.Tokens)
	}
	return nil
}

// row is what query i gives to each key, in example b and head h.
func (w Weights) row(b, h, i int) []float32 {
	at := ((b*w.Heads+h)*w.Tokens + i) * w.Tokens
	return w.W[at : at+w.Tokens]
}

// Received is (Batch, Tokens): the weight that each token is given, as a mean over
// heads and queries. An example's sum to 1 where its rows do.
func (w Weights) Received() [][]float64 {
	out := make([][]float64, w.Batch)
	for b := range out {
		out[b] = make([]float64, w.Tokens)
		for h := range w.Heads {
			for i := range w.Tokens {
				for j, x := range w.row(b, h, i) {
					out[b][j] += float64(x) / float64(w.Heads*w.Tokens)
				}
			}
		}
	}
	return out
}

// Entropy is (Heads): how evenly each head spreads its weight, as the entropy of
// its rows over the log of the number of tokens, mean over examples and queries. 1
// is the same weight for all, 0 is all weight on one.
func (w Weights) Entropy() []float64 {
	out := make([]float64, w.Heads)
	most := math.Log(float64(w.Tokens))
	if most == 0 {
		return out
	}
	for b := range w.Batch {
		for h := range out {
			for i := range w.Tokens {
				for _, x := range w.row(b, h, i) {
					if x > 0 {
						out[h] -= float64(x) * math.Log(float64(x)) / (most * float64(w.Batch*w.Tokens))
					}
				}
			}
		}
	}
	return out
}

// Confidence is (Heads): the largest weight of each row, mean over examples and
// queries (Voita et al. 2019, section 4, whose confident heads were the ones that
// mattered).
func (w Weights) Confidence() []float64 {
	out := make([]float64, w.Heads)
	for b := range w.Batch {
		for h := range out {
			for i := range w.Tokens {
				top := float32(0)
				for _, x := range w.row(b, h, i) {
					top = max(top, x)
				}
				out[h] += float64(top) / float64(w.Batch*w.Tokens)
			}
		}
	}
	return out
}

// Rollout is (Batch, Tokens): how much of each token of the input reaches the
// output of the last layer, if a layer passes half of a token on by its residual
// and half by its weights, mean over heads (Abnar and Zuidema 2020, section 3). It
// is the mean over the output's tokens, or of token at alone where at is not
// negative, as for a class token. Layers come in the model's order, of one shape.
func Rollout(layers []Weights, at int) ([][]float64, error) {
	if len(layers) == 0 {
		return nil, fmt.Errorf("roll attention out: no layers")
	}
	first := layers[0]
	for i, w := range layers {
		if err := w.check(); err != nil {
			return nil, fmt.Errorf("roll attention out: layer %d: %w", i, err)
		}
		if w.Batch != first.Batch || w.Tokens != first.Tokens {
			return nil, fmt.Errorf("roll attention out: layer %d has %d examples of %d tokens, layer 0 has %d of %d", i, w.Batch, w.Tokens, first.Batch, first.Tokens)
		}
	}
	if at >= first.Tokens {
		return nil, fmt.Errorf("roll attention out to token %d of %d", at, first.Tokens)
	}
	out := make([][]float64, first.Batch)
	for b := range out {
		// A row of the product of all layers is the last one's row times the product
		// of those before it, so one row per output token is enough, from the last
		// layer to the first. The mean over output tokens is a row as well.
		r := make([]float64, first.Tokens)
		for i := range r {
			if at < 0 {
				r[i] = 1 / float64(first.Tokens)
			}
		}
		if at >= 0 {
			r[at] = 1
		}
		for l := len(layers) - 1; l >= 0; l-- {
			r = layers[l].through(b, r)
		}
		out[b] = r
	}
	return out, nil
}

// through is r (0.5 I + 0.5 mean over heads of the weights) of example b.
func (w Weights) through(b int, r []float64) []float64 {
	next := make([]float64, len(r))
	for i, x := range r {
		next[i] += x / 2
		for h := range w.Heads {
			for j, y := range w.row(b, h, i) {
				next[j] += x * float64(y) / float64(2*w.Heads)
			}
		}
	}
	return next
}

// meanRows is the mean over examples of (Batch, n).
func meanRows(rows [][]float64) []float64 {
	out := make([]float64, len(rows[0]))
	for _, r := range rows {
		for i, x := range r {
			out[i] += x / float64(len(rows))
		}
	}
	return out
}
