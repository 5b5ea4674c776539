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

// problem draws a small problem with any of the options.
func problem(rng *rand.Rand) *Attention {
	a := &Attention{B: 1 + rng.IntN(2), Kv: 1 + rng.IntN(2), Tq: 1 + rng.IntN(6), Tk: 1 + rng.IntN(6), D: 1 + rng.IntN(5)}
	a.H = a.Kv * (1 + rng.IntN(3))
	a.Left, a.Right = Unlimited, Unlimited
	if rng.IntN(2) == 0 {
		a.Right = rng.IntN(2)
	}
	if rng.IntN(3) == 0 {
		a.Left = rng.IntN(4)
	}
	if rng.IntN(3) == 0 {
		for range a.B {
			a.Seqs = append(a.Seqs, Seq{Queries: rng.IntN(a.Tq + 1), Keys: rng.IntN(a.Tk + 1), Shift: rng.IntN(5) - 2})
		}
	}
	if rng.IntN(3) == 0 {
		a.Bias = random(rng, a.B*a.H*a.Tq*a.Tk)
		a.Bias[0] = math.Inf(-1)
	}
	if rng.IntN(3) == 0 {
		a.Slopes = random(rng, a.H)
	}
	if rng.IntN(3) == 0 {
		a.Drop, a.Seed = rng.IntN(65536), rng.Uint64()
	}
	a.Scale = 1 / math.Sqrt(float64(a.D))
	a.Q = random(rng, a.B*a.H*a.Tq*a.D)
	a.K = random(rng, a.B*a.Kv*a.Tk*a.D)
	a.V = random(rng, a.B*a.Kv*a.Tk*a.D)
	return a
}

func TestWeightsSumToOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		a := problem(rng)
		_, lse, w := a.Forward()
		for row := range lse {
			sum := 0.0
			for j, p := range w[row*a.Tk : (row+1)*a.Tk] {
				sum += p
				if p != 0 && math.IsInf(a.score(row, j), -1) {
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

// The published test vectors of Random123 for philox4x32-10.
func TestPhiloxVectors(t *testing.T) {
	const ones = 0xffffffff
	for _, v := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{ones, ones, ones, ones}, [2]uint32{ones, ones}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Philox(v.counter, v.key); got != v.want {
			t.Errorf("philox(%x, %x) = %x, want %x", v.counter, v.key, got, v.want)
		}
	}
}

// Of many weights the asked share is dropped, within four standard deviations.
func TestDropoutTakesItsShare(t *testing.T) {
	for _, drop := range []int{0, 6554, 32768, 65535} {
		n, taken := 200*200, 0
		for k := range n {
			if Dropped(7, 3, k/200, k%200, drop) {
				taken++
			}
		}
		p := float64(drop) / 65536
		if d := math.Abs(float64(taken) - p*float64(n)); d > 4*math.Sqrt(p*(1-p)*float64(n)) {
			t.Errorf("drop %d took %d of %d", drop, taken, n)
		}
	}
}

// The gradients of sum(out * dOut) against central differences.
func TestBackwardMatchesNumericGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 40 {
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
		if a.Bias == nil {
			a.Bias = random(rng, a.B*a.H*a.Tq*a.Tk)
		}
		if a.Slopes == nil {
			a.Slopes = random(rng, a.H)
		}
		dQ, dK, dV := a.Backward(dOut)
		dBias, dSlopes := a.BackwardScores(dOut)
		for name, pair := range map[string][2][]float64{
			"dQ": {a.Q, dQ}, "dK": {a.K, dK}, "dV": {a.V, dV}, "dBias": {a.Bias, dBias}, "dSlopes": {a.Slopes, dSlopes},
		} {
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
