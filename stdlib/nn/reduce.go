package nn

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"attune/gpu"
	"attune/gpu/mem"
)

// Reduction is how a ReducedBlock gets to fewer tokens.
type Reduction uint8

const (
	// PruneTokens drops the tokens that are given the least attention: by the class
	// token where there is one (Liang et al. 2022, "EViT"), else by all.
	PruneTokens Reduction = iota
	// MergeTokens averages the tokens whose keys are most alike (Bolya et al. 2023,
	// "Token Merging", section 3). At most every second token can go.
	MergeTokens
)

// String is "pruning" or "merging".
func (r Reduction) String() string {
	if r == MergeTokens {
		return "merging"
	}
	return "pruning"
}

// ReducedBlock is a transformer block that passes on fewer tokens than it is given:
// between its two halves Drop of them go, and all behind it is cheaper. Drop may be
// changed between passes. Nothing new is learned; gradients go through what is left.
type ReducedBlock struct {
	Block *Block
	How   Reduction
	// Drop is the number of tokens to lose.
	Drop int
	// Class says that token 0 is a class token, which stays as it is.
	Class bool
}

// String names the block and what it loses.
func (r *ReducedBlock) String() string {
	return fmt.Sprintf("%s of %d tokens in %s", r.How, r.Drop, r.Block)
}

// Apply runs the block on x (B, T, D); the result is (B, T-Drop, D), and never less
// than one token.
func (r *ReducedBlock) Apply(t *Tape, x *Value) *Value {
	b := r.Block
	if !t.usable("reduce tokens", x) {
		return nil
	}
	s := x.tensor.Shape()
	if len(s) != 3 {
		return t.fail("reduce tokens", fmt.Errorf("%s: want (B, T, D)", x.tensor))
	}
	sizes := x.sizes
	o := gpu.AttentionOptions{Uniform: b.Attention.Uniform, Causal: b.Attention.Causal}
	if sizes != nil {
		// A token that stands for n gets the weight of n: log n more on its scores.
		bias := make([]float32, len(sizes))
		for i, n := range sizes {
			bias[i] = float32(math.Log(float64(n)))
		}
		var err error
		if o.Bias, err = t.dev.FromFloat32s(bias, mem.Activations, s[0], 1, 1, s[1]); err != nil {
			return t.fail("reduce tokens", err)
		}
		t.hold(o.Bias)
	}
	qkv := b.Attention.QKV.Apply(t, b.Norm1.Apply(t, x))
	y, weights := t.attentionAndWeights(qkv, b.Attention.Heads, o, r.How == PruneTokens && r.Drop > 0)
	h := t.Add(x, b.Attention.Out.Apply(t, y))
	if h != nil {
		switch {
		case r.Drop < 1 || s[1] < 2:
		case r.How == PruneTokens:
			h = t.Take(h, r.kept(weights, s[0], s[1]))
			sizes = nil
		default:
			if sizes == nil {
				sizes = slices.Repeat([]float32{1}, s[0]*s[1])
			}
			h, sizes = r.merge(t, h, qkv, sizes)
		}
	}
	h = t.Add(h, b.Down.Apply(t, t.GELU(b.Up.Apply(t, b.Norm2.Apply(t, h)))))
	if h != nil {
		h.sizes = sizes
	}
	return h
}

// attentionAndWeights is Attention and, where asked for, the weights (B, H, T, T),
// whose memory is given back.
func (t *Tape) attentionAndWeights(qkv *Value, heads int, o gpu.AttentionOptions, ask bool) (*Value, []float32) {
	keep, n := t.KeepWeights && !t.again, len(t.Weights)
	had := t.KeepWeights
	t.KeepWeights, t.asked = had || ask, ask
	y := t.Attention(qkv, heads, o)
	t.KeepWeights, t.asked = had, false
	if !ask || y == nil {
		return y, nil
	}
	w, err := t.Weights[n].Float32s()
	if !keep && err == nil {
		err = t.Weights[n].Free()
		t.Weights = t.Weights[:n]
	}
	if err != nil {
		return t.fail("read attention weights", err), nil
	}
	return y, w
}

// kept lists for each example the tokens with the most attention, in their order.
func (r *ReducedBlock) kept(weights []float32, batch, tokens int) [][]int {
	out := make([][]int, batch)
	rows := len(weights) / (batch * tokens) // queries of all heads
	for b := range out {
		given := make([]float64, tokens)
		for q := range rows {
			if r.Class && q%tokens != 0 {
				continue
			}
			for j, w := range weights[(b*rows+q)*tokens:][:tokens] {
				given[j] += float64(w)
			}
		}
		if r.Class {
			given[0] = math.Inf(1)
		}
		order := make([]int, tokens)
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(given[j], given[i]) })
		out[b] = order[:max(1, tokens-r.Drop)]
		slices.Sort(out[b])
	}
	return out
}

// merges is how many of so many tokens go into others: only those at even places
// can.
func (r *ReducedBlock) merges(tokens int) int {
	even := min((tokens+1)/2, tokens-1)
	if r.Class {
		even = (tokens+1)/2 - 1
	}
	return min(r.Drop, even)
}

// merge averages like tokens of h (B, T, D), each as many times as its size says,
// and returns the new sizes.
func (r *ReducedBlock) merge(t *Tape, h, qkv *Value, sizes []float32) (*Value, []float32) {
	all, err := qkv.tensor.Float32s()
	if err != nil {
		return t.fail("read keys", err), nil
	}
	s := h.tensor.Shape()
	batch, tokens, d := s[0], s[1], len(all)/(3*s[0]*s[1])
	n := r.merges(tokens)
	into, weight := make([][]int, batch), make([][]float32, batch)
	next := make([]float32, batch*(tokens-n))
	for b := range batch {
		keys := make([][]float32, tokens)
		for i := range keys {
			keys[i] = all[(b*tokens+i)*3*d+d:][:d]
		}
		into[b] = r.match(keys, r.Block.Attention.Heads, n)
		old, sum := sizes[b*tokens:][:tokens], next[b*(tokens-n):][:tokens-n]
		for i, to := range into[b] {
			sum[to] += old[i]
		}
		weight[b] = make([]float32, tokens)
		for i, to := range into[b] {
			weight[b][i] = old[i] / sum[to]
		}
	}
	return t.Merge(h, into, weight, tokens-n), next
}

// match is the paper's bipartite soft matching: of the tokens at even places, the n
// whose best partner at an odd place is most alike go into it. It returns for each
// token its place afterwards.
func (r *ReducedBlock) match(keys [][]float32, heads, n int) []int {
	unit := make([][]float64, len(keys))
	for i, k := range keys {
		unit[i] = meanHead(k, heads)
	}
	type edge struct {
		from, to int
		like     float64
	}
	var edges []edge
	for i := 0; i < len(keys); i += 2 {
		if i == 0 && r.Class {
			continue
		}
		e := edge{i, -1, math.Inf(-1)}
		for j := 1; j < len(keys); j += 2 {
			dot := 0.0
			for k, x := range unit[i] {
				dot += x * unit[j][k]
			}
			if dot > e.like || e.to < 0 {
				e.to, e.like = j, dot
			}
		}
		edges = append(edges, e)
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Compare(b.like, a.like) })
	gone := map[int]int{}
	for _, e := range edges[:n] {
		gone[e.from] = e.to
	}
	place, next := make([]int, len(keys)), 0
	for i := range keys {
		if _, ok := gone[i]; !ok {
			place[i] = next
			next++
		}
	}
	for from, to := range gone {
		place[from] = place[to]
	}
	return place
}

// meanHead is a key's mean over heads, of length 1.
func meanHead(key []float32, heads int) []float64 {
	d := len(key) / heads
	out := make([]float64, d)
	for i, x := range key {
		out[i%d] += float64(x)
	}
	norm := 0.0
	for _, x := range out {
		norm += x * x
	}
	if norm > 0 {
		for i := range out {
			out[i] /= math.Sqrt(norm)
		}
	}
	return out
}

// MeanMerged is the mean of x (B, T, D) over the tokens, (B, D), in which a token
// that was merged from n counts n times.
func (t *Tape) MeanMerged(x *Value) *Value {
	const act = "mean over merged tokens"
	if !t.usable(act, x) {
		return nil
	}
	if x.sizes == nil {
		return t.MeanTokens(x)
	}
	s := x.tensor.Shape()
	into, weight := make([][]int, s[0]), make([][]float32, s[0])
	for b := range s[0] {
		sum := float32(0)
		for _, n := range x.sizes[b*s[1]:][:s[1]] {
			sum += n
		}
		into[b] = make([]int, s[1])
		for _, n := range x.sizes[b*s[1]:][:s[1]] {
			weight[b] = append(weight[b], n/sum)
		}
	}
	return t.Reshape(t.Merge(x, into, weight, 1), s[0], s[2])
}

// Left is how many tokens the block passes on of so many.
func (r *ReducedBlock) Left(tokens int) int {
	switch {
	case r.Drop < 1 || tokens < 2:
		return tokens
	case r.How == PruneTokens:
		return max(1, tokens-r.Drop)
	}
	return tokens - r.merges(tokens)
}

// FLOPs is the floating-point operations of the forward pass over one example of so
// many tokens, a multiplication and an addition being two: the matrix products, and
// what is spent to choose and move tokens.
func (r *ReducedBlock) FLOPs(tokens int) int64 {
	b := r.Block
	linear := func(l *Linear, rows int) int { return 2 * rows * l.W.Value.Len() }
	width := b.Attention.Out.W.Value.Dim(0)
	left := r.Left(tokens)
	sum := linear(b.Attention.QKV, tokens) + linear(b.Attention.Out, tokens) + 4*tokens*tokens*width +
		linear(b.Up, left) + linear(b.Down, left)
	if left < tokens {
		if r.How == PruneTokens {
			sum += b.Attention.Heads * tokens * tokens
		} else {
			odd := tokens / 2
			sum += 2*(tokens-odd)*odd*width/b.Attention.Heads + tokens*width + 2*tokens*b.Attention.Out.W.Value.Dim(1)
		}
	}
	return int64(sum)
}
