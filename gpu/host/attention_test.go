package host

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"attune/gpu/ref"
)

// strided lays (b, h, t, d) out with gaps, filled with NaN that no kernel may
// read or write, in the order (b, t, h, d) that a projection leaves.
func strided(rng *rand.Rand, typ DType, b, h, t, d, gap int) Heads {
	row := h*d + gap
	x := Heads{DType: typ, Batch: t * row, Head: d, Row: row}
	data := make([]float32, b*t*row)
	for i := range data {
		data[i] = float32(math.NaN())
		if i%row < h*d {
			data[i] = float32(rng.NormFloat64())
		}
	}
	if typ == F32 {
		x.Data = data
		return x
	}
	x.Half = make([]uint16, len(data))
	portable{}.cast(Bytes(x.Half), typ, Bytes(data), F32, len(data))
	return x
}

// floats are all values of a view's array.
func (x Heads) floats() []float32 {
	if x.DType == F32 {
		return x.Data
	}
	out := make([]float32, len(x.Half))
	portable{}.cast(Bytes(out), F32, Bytes(x.Half), x.DType, len(out))
	return out
}

// plainAttention is a problem without options, of random values.
func plainAttention(rng *rand.Rand, typ DType, b, kv, group, tq, tk, d int) *AttentionGrad {
	h := kv * group
	a := &AttentionGrad{Attention: Attention{B: b, H: h, Kv: kv, Tq: tq, Tk: tk, D: d, Left: Unlimited, Right: Unlimited, Seqs: Whole(b, tq, tk)}}
	a.Scale = float32(1 / math.Sqrt(float64(d)))
	gap := rng.IntN(3)
	a.Q, a.K, a.V = strided(rng, typ, b, h, tq, d, gap), strided(rng, typ, b, kv, tk, d, gap), strided(rng, typ, b, kv, tk, d, gap)
	a.Out, a.DOut = strided(rng, typ, b, h, tq, d, gap), strided(rng, typ, b, h, tq, d, gap)
	a.DQ, a.DK, a.DV = strided(rng, typ, b, h, tq, d, gap), strided(rng, typ, b, kv, tk, d, gap), strided(rng, typ, b, kv, tk, d, gap)
	a.LSE, a.LSEBatch, a.LSEHead = normal(rng, b*h*tq), h*tq, tq
	return a
}

// randomAttention draws the options too.
func randomAttention(rng *rand.Rand, typ DType, tq, tk, d int) *AttentionGrad {
	kv := 1 + rng.IntN(2)
	a := plainAttention(rng, typ, 1+rng.IntN(2), kv, 1+rng.IntN(2), tq, tk, d)
	if rng.IntN(2) == 0 {
		a.Right = rng.IntN(2) * rng.IntN(10)
	}
	if rng.IntN(3) == 0 {
		a.Left = rng.IntN(1 + tk)
	}
	if rng.IntN(3) == 0 {
		for b := range a.Seqs {
			a.Seqs[b].Tk = rng.IntN(tk + 1)
		}
	}
	if rng.IntN(3) == 0 {
		a.Bias = randomBias(rng, a.B, a.H, tq, tk)
	}
	if rng.IntN(3) == 0 {
		for range a.H {
			a.Slopes = append(a.Slopes, rng.Float32()/8)
		}
	}
	if rng.IntN(3) == 0 {
		a.Drop, a.Seed = rng.IntN(60000), rng.Uint64()
		a.First = a.Drop % 5
	}
	return a
}

// randomBias repeats along any axes but the keys, and hides some keys by -Inf.
func randomBias(rng *rand.Rand, b, h, tq, tk int) Bias {
	var x Bias
	n := tk
	for _, axis := range []struct {
		stride *int
		n      int
	}{{&x.Row, tq}, {&x.Head, h}, {&x.Batch, b}} {
		if rng.IntN(3) > 0 {
			*axis.stride = n
			n *= axis.n
		}
	}
	x.Data = normal(rng, n)
	for i := range x.Data {
		if rng.IntN(10) == 0 {
			x.Data[i] = float32(math.Inf(-1))
		}
	}
	return x
}

// reference is the same problem for package ref, its sequences padded.
func (a *Attention) reference() *ref.Attention {
	r := &ref.Attention{
		B: a.B, H: a.H, Kv: a.Kv, Tq: a.Tq, Tk: a.Tk, D: a.D, Scale: float64(a.Scale), Left: a.Left, Right: a.Right,
		Drop: a.Drop, Seed: a.Seed, First: a.First,
		Q: a.padded(a.Q, a.H, false), K: a.padded(a.K, a.Kv, true), V: a.padded(a.V, a.Kv, true),
	}
	for _, s := range a.Seqs {
		r.Seqs = append(r.Seqs, ref.Seq{Queries: s.Tq, Keys: s.Tk, Shift: s.Shift})
	}
	if a.Slopes != nil {
		r.Slopes = wide(a.Slopes)
	}
	for i := range a.B * a.H * a.Tq {
		b, h, q := i/a.Tq/a.H, i/a.Tq%a.H, i%a.Tq
		for j := 0; a.Bias.Data != nil && j < a.Tk; j++ {
			at := b*a.Bias.Batch + h*a.Bias.Head + q*a.Bias.Row + j
			r.Bias = append(r.Bias, float64(a.Bias.Data[min(at, len(a.Bias.Data)-1)]))
		}
	}
	return r
}

// padded copies a view's sequences as float64 (B, h, T, D), zero past their rows.
func (a *Attention) padded(x Heads, h int, keys bool) []float64 {
	t := a.Tq
	if keys {
		t = a.Tk
	}
	values := x.floats()
	out := make([]float64, a.B*h*t*a.D)
	for i := range a.B * h * t {
		b, hi, row := i/t/h, i/t%h, i%t
		s := a.Seqs[b]
		first, n := s.Q0, s.Tq
		if keys {
			first, n = s.K0, s.Tk
		}
		if row < n {
			copy(out[i*a.D:], wide(values[b*x.Batch+hi*x.Head+(first+row)*x.Row:][:a.D]))
		}
	}
	return out
}

// The tolerances of attention against the float64 reference on the same (rounded)
// inputs, relative to 1 + |value|. With f16 and bf16 the output is rounded once to
// 2^-11 and 2^-8 of itself, and so is what backward reads of it; dropout scales
// what is left, and that error with it.
type tolerance struct{ forward, lse, grad float64 }

func tolerances(t DType) tolerance {
	return map[DType]tolerance{F32: {4e-6, 4e-6, 4e-5}, F16: {6e-4, 4e-6, 2e-3}, BF16: {5e-3, 4e-6, 2e-2}}[t]
}

// checkAttention compares everything with the reference.
func checkAttention(t *testing.T, e *Engine, a *AttentionGrad) {
	t.Helper()
	tol := tolerances(a.Q.DType)
	name := fmt.Sprintf("%s (%d,%d/%d,%d/%d,%d) left %d right %d seqs %v bias %v slopes %v drop %d", a.Q.DType, a.B, a.H, a.Kv, a.Tq, a.Tk, a.D,
		a.Left, a.Right, a.Seqs, a.Bias.Data != nil, a.Slopes, a.Drop)
	r := a.reference()
	out, lse, weights := r.Forward()
	if err := e.AttentionForward(&a.Attention); err != nil {
		t.Fatal(err)
	}
	near(t, name+" out", narrow(a.padded(a.Out, a.H, false)), out, tol.forward*65536/float64(65536-a.Drop))
	var got []float32
	for i := range lse {
		b, h, q := i/a.Tq/a.H, i/a.Tq%a.H, i%a.Tq
		if q < a.Seqs[b].Tq {
			got = append(got, a.LSE[b*a.LSEBatch+h*a.LSEHead+a.Seqs[b].Q0+q])
		} else {
			got = append(got, float32(math.Inf(-1)))
		}
	}
	near(t, name+" lse", got, lse, tol.lse)
	rows := make([]int, a.Tq)
	for i := range rows {
		rows[i] = i
	}
	w := make([]float32, a.B*a.H*a.Tq*a.Tk)
	if err := e.AttentionWeights(&a.Attention, rows, w); err != nil {
		t.Fatal(err)
	}
	near(t, name+" weights", w, weights, tol.lse*10)
	tol.grad *= 65536 / float64(65536-a.Drop)
	dQ, dK, dV := r.Backward(a.padded(a.DOut, a.H, false))
	if err := e.AttentionBackward(a); err != nil {
		t.Fatal(err)
	}
	near(t, name+" dQ", narrow(a.padded(a.DQ, a.H, false)), dQ, tol.grad)
	near(t, name+" dK", narrow(a.padded(a.DK, a.Kv, true)), dK, tol.grad)
	near(t, name+" dV", narrow(a.padded(a.DV, a.Kv, true)), dV, tol.grad)
	for i, x := range []Heads{a.Out, a.DQ, a.DK, a.DV} {
		h := a.H
		if i > 1 {
			h = a.Kv
		}
		for j, v := range x.floats() {
			if v == v && j%x.Row >= h*a.D {
				t.Fatalf("%s: result %d was written between its rows", name, i)
			}
		}
	}
}

func TestAttentionMatchesReference(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(7, 8))
		// One token, tile edges (24, 48 queries; 64 keys) and one past them.
		for _, s := range [][3]int{{1, 1, 1}, {1, 1, 64}, {8, 8, 16}, {24, 64, 32}, {25, 65, 8}, {48, 63, 7}, {49, 129, 96}, {97, 10, 33}, {10, 97, 128}, {12, 70, 256}} {
			for _, causal := range []bool{false, true} {
				a := plainAttention(rng, F32, 1+rng.IntN(2), 1, 1+rng.IntN(2), s[0], s[1], s[2])
				if causal {
					a.Right = 0
				}
				checkAttention(t, e, a)
			}
		}
		for i := range 60 {
			checkAttention(t, e, randomAttention(rng, DType(i%3), 1+rng.IntN(110), 1+rng.IntN(140), 1+rng.IntN(70)))
		}
	})
}

// Few queries take the way that splits along the keys.
func TestDecodeMatchesReference(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(21, 22))
		for i := range 40 {
			a := randomAttention(rng, DType(i%3), 1+rng.IntN(8), 1+rng.IntN(1300), 1+rng.IntN(130))
			a.Drop = 0
			checkAttention(t, e, a)
		}
	})
}

// packed draws sequences of several lengths, some empty, in one batch element.
func packed(rng *rand.Rand, typ DType, d int) *AttentionGrad {
	var seqs []Seq
	q, k, tq, tk := 0, 0, 0, 0
	for range 1 + rng.IntN(5) {
		s := Seq{Q0: q, Tq: rng.IntN(60), K0: k, Tk: rng.IntN(90)}
		s.Shift = s.Tk - s.Tq
		q, k, tq, tk = q+s.Tq, k+s.Tk, max(tq, s.Tq), max(tk, s.Tk)
		seqs = append(seqs, s)
	}
	a := plainAttention(rng, typ, 1, 1+rng.IntN(2), 1+rng.IntN(2), q, k, d)
	a.B, a.Seqs, a.Tq, a.Tk, a.LSEBatch, a.LSEHead = len(seqs), seqs, tq, tk, 0, q
	for _, x := range []*Heads{&a.Q, &a.K, &a.V, &a.Out, &a.DOut, &a.DQ, &a.DK, &a.DV} {
		x.Batch = 0
	}
	if rng.IntN(2) == 0 {
		a.Right = 0
	}
	if rng.IntN(3) == 0 {
		a.Drop, a.Seed = rng.IntN(60000), rng.Uint64()
	}
	return a
}

func TestPackedSequencesMatchReference(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(23, 24))
		for i := range 30 {
			checkAttention(t, e, packed(rng, DType(i%3), 1+rng.IntN(40)))
		}
	})
}

func TestAttentionExtremes(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(9, 10))
		a := plainAttention(rng, F32, 1, 2, 1, 20, 30, 16)
		// Scores of several hundred: the softmax must not overflow.
		for i := range a.Q.Data {
			a.Q.Data[i] *= 300
		}
		if err := e.AttentionForward(&a.Attention); err != nil {
			t.Fatal(err)
		}
		w := make([]float32, 2*30)
		if err := e.AttentionWeights(&a.Attention, []int{17}, w); err != nil {
			t.Fatal(err)
		}
		for row := range 2 {
			sum := 0.0
			for _, x := range w[row*30:][:30] {
				sum += float64(x)
			}
			// exp2 of scores near 1000 is known to about 1000 * 2^-24.
			if math.Abs(sum-1) > 5e-4 {
				t.Fatalf("weights of head %d sum to %g", row, sum)
			}
		}
		bad := map[string]float32{"NaN": float32(math.NaN()), "Inf": float32(math.Inf(1))}
		for name, x := range bad {
			for _, tq := range []int{20, 3} { // the tiled way, and that of few queries
				a := plainAttention(rng, F32, 1, 1, 1, tq, 30, 16)
				a.Q.Data[0] = x
				if err := e.AttentionForward(&a.Attention); err != nil {
					t.Fatal(err)
				}
				out := a.Out.at(0, 0, 0)
				if out[0] == out[0] || a.LSE[0] == a.LSE[0] && name == "NaN" || out[a.Out.Row] != out[a.Out.Row] {
					t.Fatalf("%s in a query must reach its own row and no other: %g, %g", name, out[0], a.LSE[0])
				}
			}
		}
	})
}

// Permuting heads permutes the results; adding one number to all scores changes
// only the logsumexp.
func TestAttentionInvariances(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(25, 26))
		for range 10 {
			a := plainAttention(rng, F32, 1, 2, 1, 9+rng.IntN(60), 1+rng.IntN(80), 1+rng.IntN(40))
			if err := e.AttentionForward(&a.Attention); err != nil {
				t.Fatal(err)
			}
			out, lse := a.padded(a.Out, a.H, false), slices.Clone(a.LSE)
			swap := func(x []float32, row int) {
				for i := 0; i+2*a.D <= len(x); i += row {
					for d := range a.D {
						x[i+d], x[i+a.D+d] = x[i+a.D+d], x[i+d]
					}
				}
			}
			for _, x := range []Heads{a.Q, a.K, a.V} {
				swap(x.Data, x.Row)
			}
			if err := e.AttentionForward(&a.Attention); err != nil {
				t.Fatal(err)
			}
			near(t, "heads swapped, lse", a.LSE[:a.Tq], wide(lse[a.Tq:]), 0)
			swap(a.Out.Data, a.Out.Row)
			near(t, "heads swapped", narrow(a.padded(a.Out, a.H, false)), out, 0)
			a.Bias = Bias{Data: make([]float32, a.Tk)}
			for i := range a.Bias.Data {
				a.Bias.Data[i] = 3
			}
			swap(a.Out.Data, a.Out.Row)
			before := a.padded(a.Out, a.H, false)
			if err := e.AttentionForward(&a.Attention); err != nil {
				t.Fatal(err)
			}
			near(t, "scores shifted", narrow(a.padded(a.Out, a.H, false)), before, 4e-6)
		}
	})
}
