package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"attune/gpu/mem"
	"attune/gpu/ref"
)

// attentionProblem is one attention in all that the three forms take.
type attentionProblem struct {
	ref     ref.Attention
	options AttentionOptions
	dtype   DType
	mixed   bool // (B, T, H, D) in memory, as a projection leaves it
	bias    []float32
	biasOf  [4]int // the bias's shape
}

// randomProblem draws shapes, strides, types, and any of the options.
func randomProblem(rng *rand.Rand, dtype DType, tq, tk, d int) *attentionProblem {
	p := &attentionProblem{dtype: dtype, mixed: rng.IntN(2) == 0}
	r := &p.ref
	*r = ref.Attention{B: 1 + rng.IntN(2), Kv: 1 + rng.IntN(2), Tq: tq, Tk: tk, D: d, Left: ref.Unlimited, Right: ref.Unlimited, Scale: 1 / math.Sqrt(float64(d))}
	r.H = r.Kv * (1 + rng.IntN(2))
	o := &p.options
	if o.Causal = rng.IntN(2) == 0; o.Causal {
		r.Right = 0
	}
	if rng.IntN(4) == 0 {
		o.Window = 1 + rng.IntN(tk)
		r.Left, r.Right = o.Window-1, min(r.Right, o.Window-1)
	}
	if rng.IntN(4) == 0 {
		for range r.B {
			o.KeyLengths = append(o.KeyLengths, rng.IntN(tk+1))
		}
		o.AtEnd = rng.IntN(2) == 0
		for _, n := range o.KeyLengths {
			s := ref.Seq{Queries: tq, Keys: n, Shift: tk - tq}
			if o.AtEnd {
				s.Shift = n - tq
			}
			r.Seqs = append(r.Seqs, s)
		}
	}
	if rng.IntN(4) == 0 {
		for range r.H {
			o.ALiBi = append(o.ALiBi, rng.Float32()/8)
		}
		r.Slopes = wide(o.ALiBi)
	}
	if rng.IntN(4) == 0 {
		r.Drop, r.Seed = 1+rng.IntN(40000), rng.Uint64()
		r.First, o.First = r.Drop%5, r.Drop%5
		o.Dropout, o.Seed = float64(r.Drop)/65536, r.Seed
	}
	if rng.IntN(4) == 0 {
		p.addBias(rng)
	}
	p.fill(rng)
	return p
}

// addBias draws a bias that repeats along any of its first axes.
func (p *attentionProblem) addBias(rng *rand.Rand) {
	r := &p.ref
	p.biasOf = [4]int{r.B, r.H, r.Tq, r.Tk}
	for i := range 3 {
		if rng.IntN(2) == 0 {
			p.biasOf[i] = 1
		}
	}
	s := p.biasOf
	p.bias = normal(rng, s[0]*s[1]*s[2]*s[3])
	for i := range p.bias {
		if rng.IntN(10) == 0 {
			p.bias[i] = float32(math.Inf(-1))
		}
	}
	for i := range r.B * r.H * r.Tq * r.Tk {
		b, h, q, k := i/r.Tk/r.Tq/r.H, i/r.Tk/r.Tq%r.H, i/r.Tk%r.Tq, i%r.Tk
		r.Bias = append(r.Bias, float64(p.bias[((b%s[0]*s[1]+h%s[1])*s[2]+q%s[2])*s[3]+k]))
	}
}

// fill draws query, key and value, rounded to the type.
func (p *attentionProblem) fill(rng *rand.Rand) {
	r := &p.ref
	r.Q, r.K, r.V = p.round(normal(rng, r.B*r.H*r.Tq*r.D)), p.round(normal(rng, r.B*r.Kv*r.Tk*r.D)), p.round(normal(rng, r.B*r.Kv*r.Tk*r.D))
}

func (p *attentionProblem) round(x []float32) []float64 {
	out := wide(x)
	for i, v := range out {
		switch p.dtype {
		case Float16:
			out[i] = ref.RoundF16(v)
		case BFloat16:
			out[i] = ref.RoundBF16(v)
		}
	}
	return out
}

func (p *attentionProblem) String() string {
	r := &p.ref
	return fmt.Sprintf("%s (%d, %d/%d, %d/%d, %d) mixed %v, %+v, bias %v: ", p.dtype, r.B, r.H, r.Kv, r.Tq, r.Tk, r.D, p.mixed, p.options, p.biasOf)
}

// tensor puts (b, h, t, d) values on the device, with strides as the problem says.
func (p *attentionProblem) tensor(t *testing.T, dev *Device, x []float64, h, n int) *Tensor {
	t.Helper()
	b, d := p.ref.B, p.ref.D
	shape := []int{b, h, n, d}
	if p.mixed {
		shape = []int{b, n, h, d}
	}
	v := must(dev.Empty(p.dtype, mem.Data, shape...))(t)
	if p.mixed {
		v = must(v.Permute(0, 2, 1, 3))(t)
	}
	if err := v.CopyFrom(narrow(x)); err != nil {
		t.Fatal(err)
	}
	return v
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// The tolerances against the float64 reference on the same rounded inputs, relative
// to 1 + |value|. With f16 and bf16 the weights and the output are rounded to 2^-11
// and 2^-8 of themselves before they are used again; dropout scales what is left,
// and these errors with it.
type tolerance struct{ forward, lse, weights, grad float64 }

func (p *attentionProblem) tolerance() tolerance {
	t := map[DType]tolerance{
		Float32:  {5e-6, 5e-6, 2e-5, 5e-5},
		Float16:  {1e-3, 1e-5, 2e-5, 4e-3},
		BFloat16: {8e-3, 1e-5, 2e-5, 3e-2},
	}[p.dtype]
	left := float64(65536-p.ref.Drop) / 65536
	t.forward /= left
	t.grad /= left
	return t
}

// check compares all that an attention gives with the reference.
func (p *attentionProblem) check(t *testing.T, dev *Device) {
	t.Helper()
	r, o, tol := &p.ref, p.options, p.tolerance()
	if p.bias != nil {
		o.Bias = must(dev.FromFloat32s(p.bias, mem.Data, p.biasOf[:]...))(t)
	}
	out, lse, weights := r.Forward()
	res, err := Attention(p.tensor(t, dev, r.Q, r.H, r.Tq), p.tensor(t, dev, r.K, r.Kv, r.Tk), p.tensor(t, dev, r.V, r.Kv, r.Tk), o)
	if err != nil {
		t.Fatal(p, err)
	}
	near(t, p.String()+"out", res.Output, out, tol.forward)
	near(t, p.String()+"lse", res.LSE, lse, tol.lse)
	near(t, p.String()+"weights", must(res.Weights())(t), weights, tol.weights)
	g := p.round(normal(rand.New(rand.NewPCG(uint64(r.Tq), uint64(r.Tk))), len(r.Q)))
	dq, dk, dv := r.Backward(g)
	gq, gk, gv, err := res.Backward(p.tensor(t, dev, g, r.H, r.Tq))
	if err != nil {
		t.Fatal(p, err)
	}
	near(t, p.String()+"dQ", gq, dq, tol.grad)
	near(t, p.String()+"dK", gk, dk, tol.grad)
	near(t, p.String()+"dV", gv, dv, tol.grad)
	p.checkScores(t, res, p.tensor(t, dev, g, r.H, r.Tq), g, weights)
	if res.Output.Dense() == (p.mixed && r.H > 1 && r.Tq > 1) {
		t.Fatal(p, "the output's axes do not lie as the query's")
	}
}

// checkScores compares the gradients by bias and slopes. The error of one score's is
// relative to its weight and to itself, and those of a sum add up.
func (p *attentionProblem) checkScores(t *testing.T, res *AttentionResult, dOut *Tensor, g, weights []float64) {
	t.Helper()
	r, tol := &p.ref, p.tolerance().grad
	dS, dSlopes := r.BackwardScores(g)
	seqs := r.Seqs
	for b := len(seqs); b < r.B; b++ {
		seqs = append(seqs, ref.Seq{Queries: r.Tq, Keys: r.Tk, Shift: r.Tk - r.Tq})
	}
	compare := func(what string, got *Tensor, want, room []float64) {
		t.Helper()
		for i, x := range must(got.Float32s())(t) {
			if d := math.Abs(float64(x) - want[i]); !(d <= tol*(1+room[i])) {
				t.Fatalf("%sd%s[%d] is %g, want %g", p, what, i, x, want[i])
			}
		}
	}
	s := p.biasOf
	n := s[0] * s[1] * s[2] * s[3]
	want, room, roomSlopes := make([]float64, n), make([]float64, n), make([]float64, r.H)
	for i, x := range dS {
		b, h, q, k := i/r.Tk/r.Tq/r.H, i/r.Tk/r.Tq%r.H, i/r.Tk%r.Tq, i%r.Tk
		if p.bias != nil {
			at := ((b%s[0]*s[1]+h%s[1])*s[2]+q%s[2])*s[3] + k
			want[at] += x
			room[at] += math.Abs(x) + weights[i]
		}
		roomSlopes[h] += (math.Abs(x) + weights[i]) * math.Abs(float64(k-q-seqs[b].Shift))
	}
	if p.bias != nil {
		compare("Bias", must(res.BackwardBias(dOut))(t), want, room)
	} else if _, err := res.BackwardBias(dOut); err == nil {
		t.Fatal(p, "a gradient by no bias")
	}
	if r.Slopes != nil {
		compare("ALiBi", must(res.BackwardALiBi(dOut))(t), dSlopes, roomSlopes)
	} else if _, err := res.BackwardALiBi(dOut); err == nil {
		t.Fatal(p, "a gradient by no slopes")
	}
}

func TestAttentionMatchesReference(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(1, 2))
		// One token; one past a tile; every kernel's head size; more queries than keys.
		for _, s := range [][3]int{{1, 1, 32}, {33, 17, 32}, {17, 33, 16}, {33, 32, 64}, {65, 20, 96}, {16, 49, 128}, {9, 9, 10}, {17, 9, 256}, {70, 40, 200}} {
			for _, dtype := range []DType{Float32, Float16, BFloat16} {
				p := randomProblem(rng, dtype, s[0], s[1], s[2])
				p.check(t, dev)
			}
		}
		for i := range 40 {
			randomProblem(rng, DType(i%3), 1+rng.IntN(40), 1+rng.IntN(40), 1+rng.IntN(64)).check(t, dev)
		}
	})
}

// Few queries take the way that is cut along the keys.
func TestDecodeMatchesReference(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(3, 4))
		for i := range 15 {
			p := randomProblem(rng, DType(i%3), 1+rng.IntN(8), 200+rng.IntN(400), []int{20, 64, 96, 128, 256}[i%5])
			p.ref.Drop, p.options.Dropout = 0, 0
			p.check(t, dev)
		}
	})
}

// A cache that grows token by token gives what causal attention gives at once.
func TestKVCacheMatchesAttention(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(5, 6))
		const b, h, kv, n, d = 2, 4, 2, 12, 16
		make4 := func(heads int) *Tensor {
			return must(dev.FromFloat32s(normal(rng, b*heads*n*d), mem.Data, b, heads, n, d))(t)
		}
		q, k, v := make4(h), make4(kv), make4(kv)
		whole := must(Attention(q, k, v, AttentionOptions{Causal: true}))(t)
		want := must(whole.Output.Float32s())(t)
		cache := must(NewKVCache(dev, Float32, b, kv, n, d))(t)
		at := 0
		for _, step := range []int{5, 1, 1, 3, 2} {
			if err := cache.Append(k.span(2, at, at+step), v.span(2, at, at+step)); err != nil {
				t.Fatal(err)
			}
			r := must(cache.Attend(q.span(2, at, at+step), AttentionOptions{Causal: true}))(t)
			got := must(r.Output.Float32s())(t)
			into := must(Attention(v.span(2, 0, step), v, v, AttentionOptions{}))(t)
			if err := cache.AttendInto(into, q.span(2, at, at+step), AttentionOptions{Causal: true}); err == nil {
				t.Error("a result of other heads was taken")
			}
			into = must(Attention(q.span(2, 0, step), v, v, AttentionOptions{}))(t)
			if err := cache.AttendInto(into, q.span(2, at, at+step), AttentionOptions{Causal: true}); err != nil {
				t.Fatal(err)
			}
			sameBits(t, "output", into.Output, r.Output)
			sameBits(t, "logsumexp", into.LSE, r.LSE)
			for i := range got {
				bh, row, c := i/d/step, i/d%step, i%d
				if w := want[(bh*n+at+row)*d+c]; math.Abs(float64(got[i]-w)) > 5e-6 {
					t.Fatalf("token %d: %g, want %g", at+row, got[i], w)
				}
			}
			at += step
		}
		if err := cache.Append(k, v); err == nil || !strings.Contains(err.Error(), "it holds 12") {
			t.Error("a full cache took more:", err)
		}
		if err := cache.Truncate(3); err != nil || cache.Len() != 3 || cache.Truncate(4) == nil {
			t.Error("truncate:", err)
		}
		if err := cache.Free(); err != nil {
			t.Error(err)
		}
	})
}

// Packed sequences give what each gives alone.
func TestPackedSequencesMatchAlone(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(7, 8))
		const h, kv, d = 4, 2, 16
		cuQ, cuK := []int{0, 3, 3, 40, 61}, []int{1, 8, 10, 33, 61}
		q := must(dev.FromFloat32s(normal(rng, h*70*d), mem.Data, 1, h, 70, d))(t)
		k := must(dev.FromFloat32s(normal(rng, kv*61*d), mem.Data, 1, kv, 61, d))(t)
		v := must(dev.FromFloat32s(normal(rng, kv*61*d), mem.Data, 1, kv, 61, d))(t)
		g := must(dev.FromFloat32s(normal(rng, h*70*d), mem.Data, 1, h, 70, d))(t)
		o := AttentionOptions{Causal: true, Window: 9}
		one := o
		o.CuSeqlensQ, o.CuSeqlensK = cuQ, cuK
		r := must(Attention(q, k, v, o))(t)
		dq, dk, dv, err := r.Backward(g)
		if err != nil {
			t.Fatal(err)
		}
		w := must(r.Weights())(t)
		if !slices.Equal(w.Shape(), []int{4, h, 37, 28}) {
			t.Fatalf("weights are %s", w)
		}
		for i := range 4 {
			if cuQ[i] == cuQ[i+1] {
				continue
			}
			ql, qh, kl, kh := cuQ[i], cuQ[i+1], cuK[i], cuK[i+1]
			alone := must(Attention(q.span(2, ql, qh), k.span(2, kl, kh), v.span(2, kl, kh), one))(t)
			aq, ak, av, err := alone.Backward(g.span(2, ql, qh))
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range [][2]*Tensor{
				{r.Output.span(2, ql, qh), alone.Output}, {r.LSE.span(2, ql, qh), alone.LSE},
				{dq.span(2, ql, qh), aq}, {dk.span(2, kl, kh), ak}, {dv.span(2, kl, kh), av},
				{w.span(0, i, i+1).span(2, 0, qh-ql).span(3, 0, kh-kl), must(alone.Weights())(t)},
			} {
				near(t, fmt.Sprintf("sequence %d", i), x[0], wide(must(x[1].Float32s())(t)), 5e-6)
			}
		}
		for _, x := range []*Tensor{r.Output.span(2, 61, 70), dq.span(2, 61, 70), dk.span(2, 0, 1)} {
			near(t, "rows of no sequence", x, make([]float64, x.Len()), 0)
		}
	})
}

// All views of the weights come from the one map.
func TestViewsOfWeights(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(9, 10))
		const b, h, tq, tk, d = 2, 2, 21, 34, 8
		make4 := func(n int) *Tensor {
			return must(dev.FromFloat32s(normal(rng, b*h*n*d), mem.Data, b, h, n, d))(t)
		}
		r := must(Attention(make4(tq), make4(tk), make4(tk), AttentionOptions{Causal: true}))(t)
		all := must(must(r.Weights())(t).Float32s())(t)
		some := must(must(r.WeightsAt(20, 3, 4))(t).Float32s())(t)
		pooled := must(must(r.WeightsPooled(4, 5))(t).Float32s())(t)
		top, keys, err := r.WeightsTop(3)
		if err != nil {
			t.Fatal(err)
		}
		values, places := must(top.Float32s())(t), must(keys.Int32s())(t)
		for bh := range b * h {
			for n, i := range []int{20, 3, 4} {
				if !slices.Equal(some[(bh*3+n)*tk:][:tk], all[(bh*tq+i)*tk:][:tk]) {
					t.Fatalf("sampled row %d differs", i)
				}
			}
			for row := range 4 {
				sum := 0.0
				for _, x := range pooled[(bh*4+row)*5:][:5] {
					sum += float64(x)
				}
				if math.Abs(sum-1) > 1e-5 {
					t.Fatalf("pooled row %d sums to %g", row, sum)
				}
			}
			for i := range tq {
				row := slices.Clone(all[(bh*tq+i)*tk:][:tk])
				for n := range 3 {
					at := (bh*tq+i)*3 + n
					if values[at] != row[places[at]] || values[at] != slices.Max(row) {
						t.Fatalf("query %d: top %d is %g at %d", i, n, values[at], places[at])
					}
					row[places[at]] = -1
				}
			}
		}
		if _, err := r.WeightsAt(21); err == nil || !strings.Contains(err.Error(), "query 21 of 21") {
			t.Error("past the last query:", err)
		}
		if live := dev.Memory().ByCategory[mem.Workspace].Live; live != 0 {
			t.Errorf("%d bytes of workspace are left", live)
		}
	})
}

// Infinities and NaN stay in the rows that they are in; a key that nobody sees
// changes nothing, whatever it holds, but for its own NaN times a weight of 0.
func TestAttentionOfBadValues(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(11, 12))
		for _, tq := range []int{3, 20} {
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				p := &attentionProblem{ref: ref.Attention{B: 1, H: 1, Kv: 1, Tq: tq, Tk: 9, D: 8}}
				p.fill(rng)
				p.ref.Q[8] = bad
				r := must(Attention(p.tensor(t, dev, p.ref.Q, 1, tq), p.tensor(t, dev, p.ref.K, 1, 9), p.tensor(t, dev, p.ref.V, 1, 9), AttentionOptions{}))(t)
				out := must(r.Output.Float32s())(t)
				for i, x := range out {
					if (x != x) != (i/8 == 1) {
						t.Fatalf("%g in query 1 of %d: output %d is %g", bad, tq, i, x)
					}
				}
			}
		}
	})
}

func TestUniformWeighsAllAlike(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		x := must(dev.FromFloat32s(normal(rand.New(rand.NewPCG(3, 4)), 2*5*8), mem.Data, 1, 2, 5, 8))(t)
		r := must(Attention(x, x, x, AttentionOptions{Uniform: true}))(t)
		want := make([]float64, 2*5*5)
		for i := range want {
			want[i] = 0.2
		}
		near(t, "weights", must(r.Weights())(t), want, 1e-6)
	})
}

func TestAttentionErrorsNameShapes(t *testing.T) {
	dev := must(OpenCPU(1))(t)
	q, k := must(dev.Zeros(mem.Data, 2, 4, 3, 8))(t), must(dev.Zeros(mem.Data, 2, 3, 5, 8))(t)
	half := must(dev.ZerosOf(BFloat16, mem.Data, 2, 4, 5, 8))(t)
	ints := must(dev.ZerosOf(Int32, mem.Data, 2, 4, 3, 8))(t)
	for want, err := range map[string]error{
		"the query's 4 heads are no multiple of the key's 3": second(Attention(q, k, k, AttentionOptions{})),
		"bf16 (2, 4, 5, 8)":                            second(Attention(q, half, half, AttentionOptions{})),
		"i32 (2, 4, 3, 8) on cpu: want f32":            second(Attention(ints, ints, ints, AttentionOptions{})),
		"window -1":                                    second(Attention(q, q, q, AttentionOptions{Window: -1})),
		"dropout 1:":                                   second(Attention(q, q, q, AttentionOptions{Dropout: 1})),
		"1 key length for a batch of 2":                second(Attention(q, q, q, AttentionOptions{KeyLengths: []int{1}})),
		"key length 4 of 3 keys":                       second(Attention(q, q, q, AttentionOptions{KeyLengths: []int{1, 4}})),
		"3 ALiBi slopes for 4 heads":                   second(Attention(q, q, q, AttentionOptions{ALiBi: make([]float32, 3)})),
		"want f32 (2, 4, 3, 3)":                        second(Attention(q, q, q, AttentionOptions{Bias: k})),
		"for a batch of 2: want N+1 each":              second(Attention(q, q, q, AttentionOptions{CuSeqlensQ: []int{0, 3}})),
		"packed sequences and key lengths":             second(Attention(q, q, q, AttentionOptions{CuSeqlensQ: []int{0, 3}, KeyLengths: []int{1, 1}})),
		"append key f32 (2, 3, 5, 8) on cpu and value": must(NewKVCache(dev, Float32, 2, 3, 9, 8))(t).Append(k, q),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// The slopes of eight and of twelve heads, from the paper and its code.
func TestALiBiSlopes(t *testing.T) {
	got := ALiBiSlopes(12)
	for i, e := range []float64{-1, -2, -3, -4, -5, -6, -7, -8, -0.5, -1.5, -2.5, -3.5} {
		if math.Abs(float64(got[i])-math.Exp2(e)) > 1e-7 {
			t.Errorf("slope %d is %g, want 2^%g", i, got[i], e)
		}
	}
}

// TestAttentionSaysWhatItIs: shown in a cell, a result is a line.
func TestAttentionSaysWhatItIs(t *testing.T) {
	q := must(must(OpenCPU(1))(t).FromFloat32s(make([]float32, 64), mem.Activations, 1, 2, 4, 8))(t)
	r := must(Attention(q, q, q, AttentionOptions{}))(t)
	if got, want := r.String(), "attention: output f32 (1, 2, 4, 8) on cpu; log-sum-exp f32 (1, 2, 4) on cpu"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
