package ref

import (
	"math"
	"math/rand/v2"
	"testing"
)

// numeric compares got, the gradient of sum(dy f()) by x, with central differences.
func numeric(t *testing.T, what string, x, got, dy []float64, f func() []float64) {
	t.Helper()
	for i, old := range x {
		want := 0.0
		for _, h := range []float64{1e-5, -1e-5} {
			x[i] = old + h
			for k, v := range f() {
				want += v * dy[k] / (2 * h)
			}
		}
		x[i] = old
		if math.Abs(got[i]-want) > 1e-8*(1+math.Abs(want)) {
			t.Fatalf("%s[%d] = %g, numeric %g", what, i, got[i], want)
		}
	}
}

func TestLayerGradientsMatchNumericOnes(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 24))
	for range 20 {
		rows, n := 1+rng.IntN(4), 1+rng.IntN(6)
		x, dy, target := random(rng, rows*n), random(rng, rows*n), random(rng, rows*n)
		for name, m := range Maps() {
			got := make([]float64, len(x))
			for i, v := range x {
				got[i] = dy[i] * m.Slope(v)
			}
			numeric(t, name, x, got, dy, func() []float64 {
				y := make([]float64, len(x))
				for i, v := range x {
					y[i] = m.F(v)
				}
				return y
			})
		}
		gain, bias := random(rng, n), random(rng, n)
		for _, rms := range []bool{false, true} {
			f := func() []float64 { return LayerNorm(x, gain, bias, 0.1, rms) }
			dx, dGain, dBias := LayerNormGrad(x, gain, dy, 0.1, rms)
			numeric(t, "norm by x", x, dx, dy, f)
			numeric(t, "norm by gain", gain, dGain, dy, f)
			numeric(t, "norm by bias", bias, dBias, dy, f)
		}
		numeric(t, "log softmax", x, SoftmaxGrad(x, dy, n, true), dy, func() []float64 { return LogSoftmax(x, n) })
		numeric(t, "softmax", x, SoftmaxGrad(x, dy, n, false), dy, func() []float64 {
			y := LogSoftmax(x, n)
			for i, v := range y {
				y[i] = math.Exp(v)
			}
			return y
		})
		ones := []float64{1, 1, 1, 1}[:rows]
		_, dx := CrossEntropy(x, target, n)
		numeric(t, "cross-entropy", x, dx, ones, func() []float64 { loss, _ := CrossEntropy(x, target, n); return loss })
		for _, name := range []string{"mse", "bce", "huber"} {
			values := func(slope bool) []float64 {
				out := make([]float64, len(x))
				for i, v := range x {
					value, s := Loss(name, v, target[i], 0.7)
					if out[i] = value; slope {
						out[i] = s * dy[i]
					}
				}
				return out
			}
			numeric(t, name, x, values(true), dy, func() []float64 { return values(false) })
		}
	}
}

// Of many values the asked share is dropped, within four standard deviations; other
// seeds, operations and examples drop others.
func TestLayerDropoutTakesItsShare(t *testing.T) {
	mask := func(seed uint64, op uint32, example uint64, drop int) (all string, taken int) {
		bits := make([]byte, 40000)
		for i := range bits {
			if LayerDropped(seed, op, example, i, drop) {
				bits[i] = 1
				taken++
			}
		}
		return string(bits), taken
	}
	for _, drop := range []int{0, 6554, 32768, 65535} {
		all, taken := mask(7, 3, 5, drop)
		p, n := float64(drop)/65536, float64(len(all))
		if d := math.Abs(float64(taken) - p*n); d > 4*math.Sqrt(p*(1-p)*n) {
			t.Errorf("drop %d took %d of %g", drop, taken, n)
		}
	}
	seen := map[string]bool{}
	for _, c := range [][3]uint64{{7, 3, 5}, {8, 3, 5}, {7 + 1<<40, 3, 5}, {7, 4, 5}, {7, 3, 6}, {7, 3, 5 + 1<<40}} {
		all, _ := mask(c[0], uint32(c[1]), c[2], 32768)
		seen[all] = true
	}
	if len(seen) != 6 {
		t.Errorf("six seeds, operations and examples have %d masks", len(seen))
	}
}
