package host

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomUpdates are tensors of awkward lengths, some in half precision.
func randomUpdates(rng *rand.Rand, k Kind) []Update {
	var us []Update
	for _, n := range []int{1, 7, 16, 33, 1023, 1025, 2*piece + 5, 0} {
		u := Update{X: normal(rng, n), Rate: rng.Float32() + 0.5, GType: DType(rng.IntN(3))}
		u.G = randomHalf(rng, n, u.GType)
		for i := range k.States() {
			u.S[i] = normal(rng, n)
			for j, v := range u.S[i] {
				u.S[i][j] = v*v + 2
				if i == 2 { // the mean's square stays clear of the mean square
					u.S[i][j] = v / 4
				}
			}
		}
		if u.HalfType = DType(rng.IntN(3)); u.HalfType != F32 {
			u.Half = make([]byte, n*2)
		}
		us = append(us, u)
	}
	return us
}

func randomHalf(rng *rand.Rand, n int, t DType) []byte {
	x := make([]byte, n*t.Size())
	fromFloats(x, t, normal(rng, n))
	return x
}

func cloneUpdates(us []Update) []Update {
	out := slices.Clone(us)
	for i := range out {
		u := &out[i]
		u.X, u.Half = slices.Clone(u.X), slices.Clone(u.Half)
		for j := range u.S {
			u.S[j] = slices.Clone(u.S[j])
		}
	}
	return out
}

// TestUpdatesAgree holds the vector forms to the Go form, whose formulas the tests
// of package gpu hold to the papers; and shows that threads change no bit.
func TestUpdatesAgree(t *testing.T) {
	plain, _ := New(Generic, 1, nil)
	engines(t, func(t *testing.T, e *Engine) {
		one, _ := New(e.ISA(), 1, nil)
		rng := rand.New(rand.NewPCG(1, 2))
		for k := range NumKinds {
			c := Factors{Scale: 0.5, Decay: 0.01, Shrink: 0.02, Rate: 0.1, Momentum: 0.9, Mean: 0.1, Square: 0.01, Correct1: 1.1, Correct2: 1.2, Eps: 1e-3}
			if k >= LAMBMoments {
				c.Decay = 0
			}
			start := randomUpdates(rng, k)
			want, got, single := cloneUpdates(start), cloneUpdates(start), cloneUpdates(start)
			wantSums, err := plain.Update(k, c, want)
			if err != nil {
				t.Fatal(err)
			}
			gotSums, err := e.Update(k, c, got)
			if err != nil {
				t.Fatal(err)
			}
			singleSums, _ := one.Update(k, c, single)
			if !slices.Equal(gotSums, singleSums) {
				t.Fatalf("kind %d: the sums depend on the threads", k)
			}
			for i, w := range want {
				near(t, "parameters", got[i].X, wide(w.X), 1e-6)
				for j := range k.States() {
					near(t, "state", got[i].S[j], wide(w.S[j]), 1e-6)
				}
				if !slices.Equal(got[i].X, single[i].X) || !slices.Equal(got[i].Half, single[i].Half) {
					t.Fatalf("kind %d: the result depends on the threads", k)
				}
				for j, x := range got[i].X {
					if got[i].Half != nil && value(got[i].Half, got[i].HalfType, j) != rounded(got[i].HalfType, float64(x)) {
						t.Fatalf("kind %d: parameter %g was not rounded to %s", k, x, got[i].HalfType)
					}
				}
				if k == LAMBMoments {
					for j := range 2 {
						if g, w := gotSums[i][j], wantSums[i][j]; math.Abs(g-w) > 1e-5*w {
							t.Fatalf("sum %d of %d elements is %g, want %g", j, len(start[i].X), g, w)
						}
					}
				}
			}
		}
	})
}

func TestSumSquares(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(3, 4))
		one, _ := New(e.ISA(), 1, nil)
		var xs []Floats
		var want []float64
		for _, n := range []int{0, 1, 5, 31, 1024, 3*piece + 17} {
			for _, dt := range []DType{F32, F16, BF16} {
				x := randomHalf(rng, n, dt)
				sum := 0.0
				for i := range n {
					sum += value(x, dt, i) * value(x, dt, i)
				}
				xs, want = append(xs, Floats{x, dt}), append(want, sum)
			}
		}
		// Squares that overflow a float32 do not overflow the sum.
		xs, want = append(xs, Floats{Bytes([]float32{3e30, 4e30}), F32}), append(want, 25e60)
		got, err := e.SumSquares(xs)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if math.Abs(got[i]-w) > 1e-6*w {
				t.Errorf("tensor %d: %g, want %g", i, got[i], w)
			}
		}
		if again, _ := one.SumSquares(xs); !slices.Equal(again, got) {
			t.Error("the sums depend on the threads")
		}
		for _, bad := range []float32{float32(math.Inf(-1)), float32(math.NaN())} {
			x := normal(rng, 50)
			x[33] = bad
			if got, _ := e.SumSquares([]Floats{{Bytes(x), F32}}); !math.IsInf(got[0], 0) && !math.IsNaN(got[0]) {
				t.Errorf("%g is not seen in the sum %g", bad, got[0])
			}
		}
	})
}

func TestUpdateRefuses(t *testing.T) {
	e, _ := New(Generic, 1, nil)
	x := make([]float32, 6)
	for want, u := range map[string]Update{
		"6 parameters, 20 bytes of f32 gradients": {X: x, G: make([]byte, 20), S: [3][]float32{x, x}},
		"0 values of state 1":                     {X: x, G: make([]byte, 24), S: [3][]float32{x}},
		"gradients i32":                           {X: x, G: make([]byte, 24), GType: I32, S: [3][]float32{x, x}},
		"10 bytes in half":                        {X: x, G: make([]byte, 24), Half: make([]byte, 10), HalfType: F16, S: [3][]float32{x, x}},
	} {
		if _, err := e.Update(Adam, Factors{}, []Update{u}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "tensor 0") {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
