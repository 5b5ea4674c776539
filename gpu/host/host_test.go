package host

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"attune/gpu/ref"
)

// engines runs the test once for each form that this machine has.
func engines(t *testing.T, test func(t *testing.T, e *Engine)) {
	for _, isa := range Supported() {
		// One thread gives the same bits: TestThreadsDoNotChangeResults.
		t.Run(string(isa), func(t *testing.T) {
			e, err := New(isa, 3, stale)
			if err != nil {
				t.Fatal(err)
			}
			test(t, e)
		})
	}
}

// stale lends workspace that holds NaN, which no result may come from.
func stale(n int) ([]float32, func(), error) {
	return slices.Repeat([]float32{float32(math.NaN())}, n), func() {}, nil
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
			half := halves(make([]float32, 300*250), BF16, 300, 250)
			if err := e.MatMul(half, halves(x, BF16, 300, 200), halves(y, BF16, 200, 250), false); err != nil {
				t.Fatal(err)
			}
			all := append(c, a.LSE...)
			all = append(all, narrow(flat(half))...)
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

// TestMatMulOfHalves goes over every block's edge. Results may be off by a rounding of
// their type, 2^-11 of f16 and 2^-8 of bf16, and by 5e-5 for up to 800 float32 sums.
func TestMatMulOfHalves(t *testing.T) { engines(t, matMulOfHalves) }

func matMulOfHalves(t *testing.T, e *Engine) {
	rng := rand.New(rand.NewPCG(15, 16))
	for i := range 24 {
		m, n, k := 1+rng.IntN(130), 1+rng.IntN(130), rng.IntN(260)
		if i%8 == 0 { // more rows than are summed at once, and more columns than are packed
			m, n, k = 390+rng.IntN(50), 300+rng.IntN(250), 380+rng.IntN(420)
		}
		in := []DType{F16, BF16}[i%2]
		out := []DType{in, F32}[i/2%2]
		a, b := halves(normal(rng, m*k), in, m, k), halves(normal(rng, k*n), in, k, n)
		if i/4%2 == 0 {
			a = halves(normal(rng, m*k), in, k, m).T()
		}
		if i/3%2 == 0 {
			b = halves(normal(rng, k*n), in, n, k).T()
		}
		c := halves(normal(rng, m*(n+3)), out, m, n+3)
		c.Cols = n
		want, add, bias := ref.MatMul(m, n, k, flat(a), flat(b)), i%3 == 0, normal(rng, n)
		start, whole := flat(c), slices.Concat(c.Half, As[uint16](Bytes(c.Data)))
		for j := range want {
			if add {
				want[j] += start[j]
			} else if i%3 == 1 {
				want[j] += float64(bias[j%n])
			}
		}
		err := e.MatMul(c, a, b, add)
		if i%3 == 1 {
			err = e.MatMulBias(c, a, b, FloatsOf(bias))
		}
		if err != nil {
			t.Fatal(err)
		}
		tol := map[DType]float64{F32: 5e-5, F16: 5e-5 + 1.0/2048, BF16: 5e-5 + 1.0/256}[out]
		near(t, fmt.Sprintf("%s to %s (%d,%d) x (%d,%d) add=%v", in, out, m, k, k, n, add), narrow(flat(c)), want, tol)
		for j, h := range slices.Concat(c.Half, As[uint16](Bytes(c.Data))) {
			if place := j * 2 / out.Size(); place%(n+3) >= n && h != whole[j] {
				t.Fatalf("%s (%d,%d): element %d behind the rows' end was written", out, m, n, place)
			}
		}
	}
}

// halves is the dense matrix of that type nearest to data.
func halves(data []float32, dtype DType, rows, cols int) Matrix {
	m := Dense(data, rows, cols)
	if dtype == F32 {
		return m
	}
	m.Data, m.Half, m.DType = nil, make([]uint16, len(data)), dtype
	fromFloats(Bytes(m.Half), dtype, data)
	return m
}

func flat(m Matrix) []float64 {
	out := make([]float64, 0, m.Rows*m.Cols)
	for i := range m.Rows {
		for j := range m.Cols {
			out = append(out, float64(m.value(i*m.RowStride+j*m.ColStride)))
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

// All forms leave -0 where dropout takes nothing away.
func TestDropoutKeepsTheSignOfZero(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		zeros := slices.Repeat([]float32{float32(math.Copysign(0, -1))}, 2*77)
		for _, dtype := range []DType{F32, F16, BF16} {
			x, y := make([]byte, 2*77*dtype.Size()), make([]byte, 2*77*dtype.Size())
			fromFloats(x, dtype, zeros)
			if err := e.Dropout(Floats{y, dtype}, Floats{x, dtype}, false, Mask{Drop: 30000, Seed: 5}, 2); err != nil {
				t.Fatal(err)
			}
			got := make([]float32, len(zeros))
			toFloats(got, y, dtype)
			for i, v := range got {
				if dropped := ref.LayerDropped(5, 0, uint64(i/77), i%77, 30000); v != 0 || math.Signbit(float64(v)) == dropped {
					t.Fatalf("%s: value %d, dropped: %v, is %g", dtype, i, dropped, v)
				}
			}
		}
	})
}
