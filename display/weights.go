package display

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// Attention is the weights of a model's attention, layer by layer and head by head,
// with the tokens they are between. Its methods are views of it; each returns a
// bundle to show. What attention alone explains is little (Jain and Wallace 2019), so
// WithRandom and Beside put a baseline and other scores next to it, in every view.
type Attention struct {
	queries, keys []string
	layers, heads int
	w             [][]float32 // (Q, K) row-major, of each head of each layer
	scores        []Score
	dealt         *dealt // the baseline, where it was asked for
}

// dealt is a random baseline: a head's weights on request, because those of all take as
// much memory as the model's own, and what keys receive by them, layer by layer.
type dealt struct {
	head     func(h int) []float32
	received [][]float64
}

// Score is a value for each key token by another measure than attention: what the
// output loses without it, the gradient's size.
type Score struct {
	Name   string
	Values []float64
}

// ReadAttention takes weights in these forms, Q the number of queries, K of keys:
//   - a tensor of shape (Q, K), (H, Q, K), or (B, H, Q, K), of which the first
//     example is taken, or a slice of such, one for each layer;
//   - []float32 in row-major order, (H, Q, K), or a slice of such, one a layer;
//   - [][]float64, [][]float32 (Q, K), [][][]float32 and [][][]float64 (H, Q, K), a
//     gonum matrix;
//   - a slice of any of these, one for each layer.
//
// keys may be nil where the keys are the queries; of a tensor both may, and are then
// numbered: the pooled map of a long text, say. Weights are kept, not copied, where
// their form allows it.
func ReadAttention(weights any, queries, keys []string) (*Attention, error) {
	if keys == nil {
		keys = queries
	}
	a := &Attention{queries: queries, keys: keys}
	err := a.readLayer(weights)
	if err != nil {
		v := reflect.ValueOf(weights)
		if v.Kind() != reflect.Slice || v.Len() == 0 {
			return nil, fmt.Errorf("read attention: %w", err)
		}
		for i := range v.Len() {
			if err := a.readLayer(v.Index(i).Interface()); err != nil {
				return nil, fmt.Errorf("read attention of layer %d: %w", i, err)
			}
		}
	}
	return a, nil
}

// String says what the attention is of, and how to see it.
func (a *Attention) String() string {
	return fmt.Sprintf("attention of %s, %s each, from %s to %s; HeadView(0), ModelView(), TokenView(-1) and MatrixView(0, 0) draw it",
		plural(a.layers, "layer"), plural(a.heads, "head"), plural(len(a.queries), "query"), plural(len(a.keys), "key"))
}

// numbered are the numbers of n tokens.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

// readLayer appends one layer.
func (a *Attention) readLayer(weights any) error {
	q, k := len(a.queries), len(a.keys)
	var heads [][]float32
	switch w := weights.(type) {
	case interface {
		Shape() []int
		Float32s() ([]float32, error)
	}:
		shape := w.Shape()
		if len(shape) >= 2 && q+k == 0 {
			q, k = shape[len(shape)-2], shape[len(shape)-1]
			a.queries, a.keys = numbered(q), numbered(k)
		}
		if len(shape) < 2 || len(shape) > 4 || shape[len(shape)-2] != q || shape[len(shape)-1] != k {
			return fmt.Errorf("weights of shape %s for %s and %s", shapeText(shape), plural(q, "query"), plural(k, "key"))
		}
		all, err := w.Float32s()
		if err != nil {
			return err
		}
		if len(shape) == 4 && shape[0] > 0 {
			all = all[:len(all)/shape[0]]
		}
		heads = headsOf(all, q*k)
	case []float32:
		heads = headsOf(w, q*k)
	default:
		grids, err := readWeights(weights, q, k)
		if err != nil {
			return err
		}
		for _, g := range grids {
			if g.rows != q || g.columns != k {
				return fmt.Errorf("weights of %d × %d for %s and %s", g.rows, g.columns, plural(q, "query"), plural(k, "key"))
			}
			head := make([]float32, len(g.data))
			for i, x := range g.data {
				head[i] = float32(x)
			}
			heads = append(heads, head)
		}
	}
	switch {
	case len(heads) == 0:
		return fmt.Errorf("weights are no whole number of heads of %s × %s", plural(q, "query"), plural(k, "key"))
	case a.layers > 0 && len(heads) != a.heads:
		return fmt.Errorf("%d heads, layer 0 has %d", len(heads), a.heads)
	}
	for h, head := range heads {
		for i, x := range head {
			// One comparison finds what is negative, infinite or not a number.
			if !(x >= 0 && x <= math.MaxFloat32) {
				return fmt.Errorf("head %d, query %d, key %d: weight is %v", h, i/k, i%k, x)
			}
		}
	}
	a.w, a.heads, a.layers = append(a.w, heads...), len(heads), a.layers+1
	return nil
}

func headsOf(all []float32, size int) (heads [][]float32) {
	if size == 0 || len(all)%size != 0 {
		return nil
	}
	for ; len(all) > 0; all = all[size:] {
		heads = append(heads, all[:size:size])
	}
	return heads
}

// head is the weights of one head.
func (a *Attention) head(layer, head int) []float32 { return a.w[layer*a.heads+head] }

// Layers and Heads are how many there are.
func (a *Attention) Layers() int { return a.layers }

// Heads is the number of heads in each layer.
func (a *Attention) Heads() int { return a.heads }

// Beside is a with scores that its views draw next to the attention that each key
// receives. A score has a value for each key.
func (a *Attention) Beside(scores ...Score) *Attention {
	out := *a
	out.scores = append(slices.Clone(a.scores), scores...)
	return &out
}

// atRandom is the baseline's name.
const atRandom = "dealt at random"

// WithRandom is a with a baseline that its views draw beside it: every query's weights
// dealt out anew at random, as Random does.
func (a *Attention) WithRandom(seed uint64) *Attention {
	out := *a
	out.dealt = &dealt{head: func(h int) []float32 { return a.deal(h, seed) }}
	one := &Attention{queries: a.queries, keys: a.keys, layers: 1, heads: a.heads}
	for l := range a.layers {
		one.w = nil
		for h := range a.heads {
			one.w = append(one.w, a.deal(l*a.heads+h, seed))
		}
		out.dealt.received = append(out.dealt.received, one.Received(0))
	}
	return &out
}

// Random is a baseline of the same shape: the weights of each query dealt out anew
// among the keys for which it had any, so that rows keep their sum, their entropy and
// their mask. The same seed deals the same.
func (a *Attention) Random(seed uint64) *Attention {
	out := *a
	out.w, out.scores, out.dealt = make([][]float32, len(a.w)), nil, nil
	for h := range a.w {
		out.w[h] = a.deal(h, seed)
	}
	return &out
}

// deal is Random of one head, counted over all layers.
func (a *Attention) deal(h int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0x6465616c+uint64(h)))
	w := slices.Clone(a.w[h])
	n := len(a.keys)
	seen := make([]int, 0, n)
	for i := 0; i < len(w); i += n {
		row := w[i : i+n]
		seen = seen[:0]
		for j, x := range row {
			if x > 0 {
				seen = append(seen, j)
			}
		}
		rng.Shuffle(len(seen), func(x, y int) { row[seen[x]], row[seen[y]] = row[seen[y]], row[seen[x]] })
	}
	return w
}

// others is what stands beside received attention of a layer, or of all for -1.
func (a *Attention) others(layer int) []Score {
	if a.dealt == nil {
		return a.scores
	}
	s := Score{atRandom, nil}
	switch {
	case layer >= 0:
		s.Values = a.dealt.received[layer]
	default:
		s.Values = make([]float64, len(a.keys))
		for _, received := range a.dealt.received {
			for j, x := range received {
				s.Values[j] += x / float64(a.layers)
			}
		}
	}
	return append([]Score{s}, a.scores...)
}

// Ablation measures what tokens are good for: the drop of f's value without each of n
// tokens, where f(-1) is the value with all. The score is how far each token's
// absence moves the value, whichever way.
func Ablation(n int, f func(without int) (float64, error)) (Score, error) {
	s := Score{Name: "ablation", Values: make([]float64, n)}
	whole, err := f(-1)
	for i := 0; i < n && err == nil; i++ {
		var v float64
		v, err = f(i)
		s.Values[i] = math.Abs(whole - v)
	}
	if err != nil {
		return Score{}, fmt.Errorf("ablate tokens: %w", err)
	}
	return s, nil
}

// Received is the attention that each key gets, the mean over the queries and heads of
// a layer, or of all for -1.
func (a *Attention) Received(layer int) []float64 {
	if layer >= 0 && layer < a.layers {
		return a.receivedOf(a.w[layer*a.heads : (layer+1)*a.heads])
	}
	return a.receivedOf(a.w)
}

// receivedOf is what each key gets of some heads, the mean over them and the queries.
func (a *Attention) receivedOf(all [][]float32) []float64 {
	out := make([]float64, len(a.keys))
	for _, w := range all {
		for i := 0; i < len(w); i += len(out) {
			for j, x := range w[i : i+len(out)] {
				out[j] += float64(x)
			}
		}
	}
	for j := range out {
		out[j] /= float64(len(all) * len(a.queries))
	}
	return out
}

// Rollout is what reaches each token of the last layer from each of the input, if
// attention and the way around it count half each (Abnar and Zuidema 2020): one layer
// of one head. It needs queries that are the keys. A baseline beside it is what reaches
// them by weights that were dealt at random.
func (a *Attention) Rollout() (*Attention, error) {
	n := len(a.keys)
	if n != len(a.queries) {
		return nil, fmt.Errorf("roll attention out: %s are not %s", plural(len(a.queries), "query"), plural(n, "key"))
	}
	out := &Attention{queries: a.queries, keys: a.keys, layers: 1, heads: 1, scores: a.scores}
	out.w = [][]float32{a.roll(func(h int) []float32 { return a.w[h] })}
	if a.dealt != nil {
		chance := a.roll(a.dealt.head)
		out.dealt = &dealt{func(int) []float32 { return chance }, [][]float64{out.receivedOf([][]float32{chance})}}
	}
	return out, nil
}

// roll multiplies the layers up, each the mean of its heads and of the way around it.
func (a *Attention) roll(head func(h int) []float32) []float32 {
	n := len(a.keys)
	var sum blas32.General
	for l := range a.layers {
		step := make([]float32, n*n)
		for h := range a.heads {
			for i, x := range head(l*a.heads + h) {
				step[i] += x / float32(2*a.heads)
			}
		}
		for i := range n {
			step[i*n+i] += 0.5
			total := float32(0)
			for _, x := range step[i*n : (i+1)*n] {
				total += x
			}
			for j := range n {
				step[i*n+j] /= total
			}
		}
		next := blas32.General{Rows: n, Cols: n, Stride: n, Data: step}
		if l > 0 {
			out := blas32.General{Rows: n, Cols: n, Stride: n, Data: make([]float32, n*n)}
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, next, sum, 0, out)
			next = out
		}
		sum = next
	}
	return sum.Data
}

// Agreement is Kendall's rank correlation of two scores (tau-b, Kendall 1945): 1 where
// they order tokens alike, 0 where one says nothing of the other.
func Agreement(a, b []float64) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	sum, na, nb := 0.0, 0.0, 0.0
	for i := range a {
		for j := range i {
			x, y := sign(a[i]-a[j]), sign(b[i]-b[j])
			sum, na, nb = sum+x*y, na+x*x, nb+y*y
		}
	}
	return sum / math.Sqrt(na*nb)
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}
