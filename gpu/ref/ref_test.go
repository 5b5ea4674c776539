package ref

import (
	"math"
	"math/rand/v2"
	"testing"
)

func random(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

func problem(rng *rand.Rand) *Attention {
	a := &Attention{B: 1 + rng.IntN(2), H: 1 + rng.IntN(2), Tq: 1 + rng.IntN(6), Tk: 1 + rng.IntN(6), D: 1 + rng.IntN(5)}
	a.Causal = rng.IntN(2) == 0
	a.Scale = 1 / math.Sqrt(float64(a.D))
	a.Q = random(rng, a.B*a.H*a.Tq*a.D)
	a.K = random(rng, a.B*a.H*a.Tk*a.D)
	a.V = random(rng, a.B*a.H*a.Tk*a.D)
	return a
}

func TestWeightsSumToOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		a := problem(rng)
		_, lse, w := a.Forward()
		for row := range lse {
			sum := 0.0
			for j, p := range w[row*a.Tk : (row+1)*a.Tk] {
				sum += p
				if p != 0 && !a.sees(row%a.Tq, j) {
					t.Fatal("a masked key has weight")
				}
			}
			want := 1.0
			if math.IsInf(lse[row], -1) {
				want = 0
			}
			if math.Abs(sum-want) > 1e-12 {
				t.Fatalf("row %d of %+v sums to %g", row, a, sum)
			}
		}
	}
}

// The gradients of sum(out * dOut) against central differences.
func TestBackwardMatchesNumericGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		a := problem(rng)
		dOut := random(rng, a.B*a.H*a.Tq*a.D)
		loss := func() float64 {
			out, _, _ := a.Forward()
			s := 0.0
			for i := range out {
				s += out[i] * dOut[i]
			}
			return s
		}
		dQ, dK, dV := a.Backward(dOut)
		for name, pair := range map[string][2][]float64{"dQ": {a.Q, dQ}, "dK": {a.K, dK}, "dV": {a.V, dV}} {
			for i := range pair[0] {
				const h = 1e-5
				old := pair[0][i]
				pair[0][i] = old + h
				up := loss()
				pair[0][i] = old - h
				down := loss()
				pair[0][i] = old
				if want := (up - down) / (2 * h); math.Abs(want-pair[1][i]) > 1e-8*(1+math.Abs(want)) {
					t.Fatalf("%s[%d] = %g, numeric %g", name, i, pair[1][i], want)
				}
			}
		}
	}
}

// On a quadratic of any curvature Adam's first step is the learning rate, and
// the iterates settle at the minimum.
func TestAdamFirstStepAndConvergence(t *testing.T) {
	for _, curvature := range []float64{1e-3, 1, 1e3} {
		o := Adam{LR: 0.01, Beta1: 0.9, Beta2: 0.999, Eps: 1e-12}
		p, g, m, v := []float64{1}, []float64{0}, []float64{0}, []float64{0}
		for step := 1; step <= 2000; step++ {
			g[0] = curvature * p[0]
			o.Step(step, p, g, m, v)
			if step == 1 && math.Abs(p[0]-0.99) > 1e-9 {
				t.Fatalf("first step went to %g", p[0])
			}
		}
		if math.Abs(p[0]) > 1e-2 {
			t.Fatalf("curvature %g: ended at %g", curvature, p[0])
		}
	}
}
