package host

import (
	"math"
	"math/rand/v2"
	"testing"
)

// layers are the pointwise layers with float64 formulas of their own.
func TestPointwiseMatchesFormulas(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(17, 18))
		for _, n := range []int{1, 7, 16, 17, 50000} {
			x, dy, start := normal(rng, n), normal(rng, n), normal(rng, n)
			y := make([]float32, n)
			relu := func(v float64) float64 { return math.Max(v, 0) }
			gelu := func(v float64) float64 {
				return 0.5 * v * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
			}
			slope := func(f func(float64) float64, v float64) float64 { return (f(v+1e-6) - f(v-1e-6)) / 2e-6 }
			for _, c := range []struct {
				name string
				f    func(float64) float64
				fast func(y, x []float32) error
				grad func(dx, x, dy []float32) error
			}{{"relu", relu, e.ReLU, e.ReLUGrad}, {"gelu", gelu, e.GELU, e.GELUGrad}} {
				want, dWant := make([]float64, n), make([]float64, n)
				for i, v := range x {
					want[i] = c.f(float64(v))
					dWant[i] = float64(start[i]) + float64(dy[i])*slope(c.f, float64(v))
				}
				if err := c.fast(y, x); err != nil {
					t.Fatal(err)
				}
				near(t, c.name, y, want, 2e-6)
				dx := append([]float32(nil), start...)
				if err := c.grad(dx, x, dy); err != nil {
					t.Fatal(err)
				}
				near(t, c.name+" gradient", dx, dWant, 4e-6)
			}
		}
	})
}

func TestRowsMatchFormulas(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(19, 20))
		for _, s := range [][2]int{{1, 1}, {3, 7}, {5, 16}, {70, 33}, {900, 64}} {
			rows, n := s[0], s[1]
			x, b, y := normal(rng, rows*n), normal(rng, n), make([]float32, rows*n)
			want, sums := make([]float64, rows*n), wide(b)
			for i, v := range x {
				want[i] = float64(v) + float64(b[i%n])
				sums[i%n] += 0.5 * float64(v)
			}
			if err := e.AddBias(y, x, b); err != nil {
				t.Fatal(err)
			}
			near(t, "add bias", y, want, 1e-6)
			if err := e.SumRows(b, x, 0.5); err != nil {
				t.Fatal(err)
			}
			near(t, "sum rows", b, sums, 2e-5)
			copy(y, x)
			if err := e.Add(y, x); err != nil {
				t.Fatal(err)
			}
			for i, v := range x {
				want[i] = 2 * float64(v)
			}
			near(t, "add", y, want, 0)
		}
	})
}

// normRef is layer normalisation in float64.
func normRef(x, gain, bias []float64, eps float64) []float64 {
	n := len(gain)
	y := make([]float64, len(x))
	for r := 0; r < len(x); r += n {
		mu, square := 0.0, 0.0
		for _, v := range x[r : r+n] {
			mu += v / float64(n)
		}
		for _, v := range x[r : r+n] {
			square += (v - mu) * (v - mu) / float64(n)
		}
		for j, v := range x[r : r+n] {
			y[r+j] = (v-mu)/math.Sqrt(square+eps)*gain[j] + bias[j]
		}
	}
	return y
}

func TestLayerNormAgainstNumericGradient(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(21, 22))
		for _, s := range [][2]int{{1, 2}, {3, 7}, {5, 16}, {9, 33}} {
			rows, n := s[0], s[1]
			x, gain, bias, dy := normal(rng, rows*n), normal(rng, n), normal(rng, n), normal(rng, rows*n)
			y, mean, rstd := make([]float32, rows*n), make([]float32, rows), make([]float32, rows)
			const eps = 0.1
			if err := e.LayerNorm(y, mean, rstd, x, gain, bias, eps); err != nil {
				t.Fatal(err)
			}
			in := [][]float64{wide(x), wide(gain), wide(bias)}
			near(t, "layer norm", y, normRef(in[0], in[1], in[2], eps), 4e-6)
			got := [][]float32{make([]float32, rows*n), make([]float32, n), make([]float32, n)}
			if err := e.LayerNormGrad(got[0], got[1], got[2], x, dy, gain, mean, rstd); err != nil {
				t.Fatal(err)
			}
			for which, values := range in {
				want := make([]float64, len(values))
				for i, old := range values {
					for _, h := range []float64{1e-5, -1e-5} {
						values[i] = old + h
						for k, v := range normRef(in[0], in[1], in[2], eps) {
							want[i] += v * float64(dy[k]) / (2 * h)
						}
					}
					values[i] = old
				}
				near(t, "layer norm gradient", got[which], want, 2e-5)
			}
		}
	})
}
