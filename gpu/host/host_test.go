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

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

func TestThreadsDoNotChangeResults(t *testing.T) {
	for _, isa := range Supported() {
		one, _ := New(isa, 1, nil)
		four, _ := New(isa, 4, nil)
		rng := rand.New(rand.NewPCG(11, 12))
		a := randomAttention(rng, F32, 500, 1300, 32)
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

func TestErrorsNameShapes(t *testing.T) {
	e, _ := New(Generic, 1, nil)
	x := make([]float32, 12)
	err := e.MatMul(Dense(x, 2, 2), Dense(x, 2, 3), Dense(x, 4, 2), false)
	if err == nil || !strings.Contains(err.Error(), "(2, 3) times (4, 2)") {
		t.Errorf("matmul: %v", err)
	}
	a := randomAttention(rand.New(rand.NewPCG(1, 1)), F32, 4, 4, 8)
	a.K.Data = a.K.Data[:10]
	if err := e.AttentionForward(&a.Attention); err == nil || !strings.Contains(err.Error(), "key (") {
		t.Errorf("attention: %v", err)
	}
	if _, err := New("mmx", 1, nil); err == nil || !strings.Contains(err.Error(), "mmx") {
		t.Errorf("unknown instruction set: %v", err)
	}
}
