package host

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"attune/gpu/ref"
)

// engines runs the test once for each form that this machine has.
func engines(t *testing.T, test func(t *testing.T, e *Engine)) {
	for _, isa := range Supported() {
		// One thread gives the same bits: TestThreadsDoNotChangeResults.
		t.Run(string(isa), func(t *testing.T) {
			e, err := New(isa, 3, nil)
			if err != nil {
				t.Fatal(err)
			}
			test(t, e)
		})
	}
}

func normal(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// near fails unless |got - want| <= tol (1 + |want|) everywhere. Infinities must
// be equal.
func near(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		g := float64(got[i])
		if g == w {
			continue
		}
		if !(math.Abs(g-w) <= tol*(1+math.Abs(w))) {
			t.Fatalf("%s[%d] = %g, want %g", what, i, g, w)
		}
	}
}

// strided lays (b, h, t, d) out with gaps, filled with NaN that no kernel may
// read or write, in the order (b, t, h, d) that a projection leaves.
func strided(rng *rand.Rand, b, h, t, d, gap int) Heads {
	row := h*d + gap
	x := Heads{Data: make([]float32, b*t*row), Batch: t * row, Head: d, Row: row}
	for i := range x.Data {
		x.Data[i] = float32(math.NaN())
		if i%row < h*d {
			x.Data[i] = float32(rng.NormFloat64())
		}
	}
	return x
}

// dense copies a strided view to float64 (b, h, t, d).
func dense(x Heads, b, h, t, d int) []float64 {
	var out []float64
	for i := range b * h * t {
		out = append(out, wide(x.at(i/t/h, i/t%h)[i%t*x.Row:][:d])...)
	}
	return out
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

func randomAttention(rng *rand.Rand, tq, tk, d int, causal bool) *AttentionGrad {
	a := &AttentionGrad{Attention: Attention{B: 1 + rng.IntN(2), H: 1 + rng.IntN(3), Tq: tq, Tk: tk, D: d, Causal: causal}}
	a.Scale = float32(1 / math.Sqrt(float64(d)))
	gap := rng.IntN(3)
	a.Q, a.K, a.V = strided(rng, a.B, a.H, tq, d, gap), strided(rng, a.B, a.H, tk, d, gap), strided(rng, a.B, a.H, tk, d, gap)
	a.Out, a.DOut = strided(rng, a.B, a.H, tq, d, gap), strided(rng, a.B, a.H, tq, d, gap)
	a.DQ, a.DK, a.DV = strided(rng, a.B, a.H, tq, d, gap), strided(rng, a.B, a.H, tk, d, gap), strided(rng, a.B, a.H, tk, d, gap)
	a.LSE = normal(rng, a.B*a.H*tq)
	a.Weights = normal(rng, a.B*a.H*tq*tk)
	return a
}

// Tolerances of attention in float32 against float64: forward 4e-6, logsumexp
// 4e-6, gradients 4e-5, all relative to 1 + |value|.
func checkAttention(t *testing.T, e *Engine, a *AttentionGrad) {
	t.Helper()
	name := fmt.Sprintf("(%d,%d,%d/%d,%d) causal=%v", a.B, a.H, a.Tq, a.Tk, a.D, a.Causal)
	r := &ref.Attention{
		B: a.B, H: a.H, Tq: a.Tq, Tk: a.Tk, D: a.D, Scale: float64(a.Scale), Causal: a.Causal,
		Q: dense(a.Q, a.B, a.H, a.Tq, a.D), K: dense(a.K, a.B, a.H, a.Tk, a.D), V: dense(a.V, a.B, a.H, a.Tk, a.D),
	}
	out, lse, weights := r.Forward()
	if err := e.AttentionForward(&a.Attention); err != nil {
		t.Fatal(err)
	}
	near(t, name+" out", narrow(dense(a.Out, a.B, a.H, a.Tq, a.D)), out, 4e-6)
	near(t, name+" lse", a.LSE, lse, 4e-6)
	near(t, name+" weights", a.Weights, weights, 4e-6)
	dQ, dK, dV := r.Backward(dense(a.DOut, a.B, a.H, a.Tq, a.D))
	if err := e.AttentionBackward(a); err != nil {
		t.Fatal(err)
	}
	near(t, name+" dQ", narrow(dense(a.DQ, a.B, a.H, a.Tq, a.D)), dQ, 4e-5)
	near(t, name+" dK", narrow(dense(a.DK, a.B, a.H, a.Tk, a.D)), dK, 4e-5)
	near(t, name+" dV", narrow(dense(a.DV, a.B, a.H, a.Tk, a.D)), dV, 4e-5)
}

func TestAttentionMatchesReference(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(7, 8))
		// One token, tile edges (24, 48 queries; 64 keys) and one past them.
		for _, s := range [][3]int{{1, 1, 1}, {1, 1, 64}, {8, 8, 16}, {24, 64, 32}, {25, 65, 8}, {48, 63, 7}, {49, 129, 96}, {97, 10, 33}, {10, 97, 128}} {
			for _, causal := range []bool{false, true} {
				checkAttention(t, e, randomAttention(rng, s[0], s[1], s[2], causal))
			}
		}
		for range 10 {
			checkAttention(t, e, randomAttention(rng, 1+rng.IntN(110), 1+rng.IntN(140), 1+rng.IntN(70), rng.IntN(2) == 0))
		}
	})
}

func TestAttentionExtremes(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(9, 10))
		a := randomAttention(rng, 20, 30, 16, false)
		// Scores of several hundred: the softmax must not overflow.
		for i := range a.Q.Data {
			a.Q.Data[i] *= 300
		}
		if err := e.AttentionForward(&a.Attention); err != nil {
			t.Fatal(err)
		}
		for row := range a.LSE {
			sum := 0.0
			for _, w := range a.Weights[row*30 : (row+1)*30] {
				sum += float64(w)
			}
			// exp2 of scores near 1000 is known to about 1000 * 2^-24.
			if math.Abs(sum-1) > 5e-4 {
				t.Fatalf("weights of row %d sum to %g", row, sum)
			}
		}
		a.Q.Data[0] = float32(math.NaN())
		if err := e.AttentionForward(&a.Attention); err != nil {
			t.Fatal(err)
		}
		out := a.Out.at(0, 0)
		if out[0] == out[0] || a.LSE[0] == a.LSE[0] || out[a.Out.Row] != out[a.Out.Row] {
			t.Fatal("NaN in a query must reach its own row and no other")
		}
	})
}

func TestThreadsDoNotChangeResults(t *testing.T) {
	for _, isa := range Supported() {
		one, _ := New(isa, 1, nil)
		four, _ := New(isa, 4, nil)
		rng := rand.New(rand.NewPCG(11, 12))
		a := randomAttention(rng, 500, 300, 32, true)
		x, y := normal(rng, 300*200), normal(rng, 200*250)
		var first []float32
		for _, e := range []*Engine{one, four} {
			if err := e.AttentionForward(&a.Attention); err != nil {
				t.Fatal(err)
			}
			if err := e.AttentionBackward(a); err != nil {
				t.Fatal(err)
			}
			c := make([]float32, 300*250)
			if err := e.MatMul(Dense(c, 300, 250), Dense(x, 300, 200), Dense(y, 200, 250), false); err != nil {
				t.Fatal(err)
			}
			all := append(c, a.LSE...)
			for _, h := range []Heads{a.Out, a.DQ, a.DK, a.DV} {
				all = append(all, h.Data...)
			}
			if first == nil {
				first = all
			}
			for i := range all {
				if math.Float32bits(all[i]) != math.Float32bits(first[i]) {
					t.Fatalf("%s: element %d differs: %g and %g", isa, i, all[i], first[i])
				}
			}
		}
	}
}

func TestMatMulMatchesReference(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(13, 14))
		for range 40 {
			m, n, k := 1+rng.IntN(130), 1+rng.IntN(130), rng.IntN(260)
			a, b := Dense(normal(rng, m*k), m, k), Dense(normal(rng, k*n), k, n)
			if rng.IntN(2) == 0 {
				a = Dense(normal(rng, m*k), k, m).T()
			}
			if rng.IntN(2) == 0 {
				b = Dense(normal(rng, k*n), n, k).T()
			}
			c := Matrix{Data: normal(rng, m*(n+3)), Rows: m, Cols: n, RowStride: n + 3, ColStride: 1}
			before := wide(c.Data)
			add := rng.IntN(2) == 0
			if err := e.MatMul(c, a, b, add); err != nil {
				t.Fatal(err)
			}
			want := ref.MatMul(m, n, k, flat(a), flat(b))
			for i := range before {
				if r, j := i/(n+3), i%(n+3); j < n {
					if !add {
						before[i] = 0
					}
					before[i] += want[r*n+j]
				}
			}
			near(t, fmt.Sprintf("(%d,%d) x (%d,%d) add=%v", m, k, k, n, add), c.Data, before, 2e-5)
		}
	})
}

func flat(m Matrix) []float64 {
	out := make([]float64, 0, m.Rows*m.Cols)
	for i := range m.Rows {
		for j := range m.Cols {
			out = append(out, float64(m.Data[i*m.RowStride+j*m.ColStride]))
		}
	}
	return out
}

func TestAdamMatchesReference(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(15, 16))
		const n = 70001
		o := Adam{LR: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01}
		x, m, v := normal(rng, n), make([]float32, n), make([]float32, n)
		rx, rm, rv := wide(x), wide(m), wide(v)
		for step := 1; step <= 20; step++ {
			g := normal(rng, n)
			if err := e.Step(o, step, x, g, m, v); err != nil {
				t.Fatal(err)
			}
			ref.Adam(o).Step(step, rx, wide(g), rm, rv)
		}
		near(t, "parameters", x, rx, 2e-6)
		near(t, "first moment", m, rm, 1e-6)
		near(t, "second moment", v, rv, 1e-6)
	})
}

func TestErrorsNameShapes(t *testing.T) {
	e, _ := New(Generic, 1, nil)
	x := make([]float32, 12)
	err := e.MatMul(Dense(x, 2, 2), Dense(x, 2, 3), Dense(x, 4, 2), false)
	if err == nil || !strings.Contains(err.Error(), "(2, 3) times (4, 2)") {
		t.Errorf("matmul: %v", err)
	}
	a := randomAttention(rand.New(rand.NewPCG(1, 1)), 4, 4, 8, false)
	a.K.Data = a.K.Data[:10]
	if err := e.AttentionForward(&a.Attention); err == nil || !strings.Contains(err.Error(), "key (") {
		t.Errorf("attention: %v", err)
	}
	if err := e.Step(Adam{}, 0, x, x, x, x); err == nil {
		t.Error("adam took step 0")
	}
	if _, err := New("mmx", 1, nil); err == nil || !strings.Contains(err.Error(), "mmx") {
		t.Errorf("unknown instruction set: %v", err)
	}
}
