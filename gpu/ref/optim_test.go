package ref_test

import (
	"math"
	"testing"

	"attune/gpu/ref"
	"attune/gpu/ref/vectors"
)

// steppers are the reference's optimizers as record.py calls them, for one tensor.
func steppers() map[string]func(t int, x, g []float64, s [3][]float64) {
	sgd := func(o ref.SGD) func(int, []float64, []float64, [3][]float64) {
		return func(t int, x, g []float64, s [3][]float64) { o.Step(t, x, g, s[0]) }
	}
	adam := func(o ref.Adam) func(int, []float64, []float64, [3][]float64) {
		return func(t int, x, g []float64, s [3][]float64) { o.Step(t, x, g, s[0], s[1]) }
	}
	rms := func(o ref.RMSprop) func(int, []float64, []float64, [3][]float64) {
		return func(t int, x, g []float64, s [3][]float64) { o.Step(t, x, g, s[0], s[1], s[2]) }
	}
	return map[string]func(int, []float64, []float64, [3][]float64){
		"sgd":          sgd(ref.SGD{LR: 1e-2}),
		"sgd momentum": sgd(ref.SGD{LR: 1e-3, Momentum: 0.9, Decay: 1e-2}),
		"sgd nesterov": sgd(ref.SGD{LR: 1e-3, Momentum: 0.9, Nesterov: true}),
		"adam":         adam(ref.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}),
		"adam clipped": adam(ref.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}),
		"adam decay":   adam(ref.Adam{LR: 1e-3, Beta1: 0.8, Beta2: 0.99, Eps: 1e-6, Decay: 1e-2}),
		"adamw":        adam(ref.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 1e-2, Decoupled: true}),
		"adagrad": func(t int, x, g []float64, s [3][]float64) {
			ref.Adagrad{LR: 1e-2, LRDecay: 1e-3, Eps: 1e-10, Decay: 1e-3}.Step(t, x, g, s[0])
		},
		"rmsprop":          rms(ref.RMSprop{LR: 1e-3, Alpha: 0.99, Eps: 1e-8}),
		"rmsprop momentum": rms(ref.RMSprop{LR: 1e-3, Alpha: 0.99, Eps: 1e-8, Momentum: 0.9, Decay: 1e-2}),
		"rmsprop centered": rms(ref.RMSprop{LR: 1e-3, Alpha: 0.99, Eps: 1e-8, Momentum: 0.5, Centered: true}),
	}
}

// TestMatchesPyTorch holds the reference to PyTorch in float64 after 1,000 steps:
// they differ by the order of a few operations, 1e-11 relative.
func TestMatchesPyTorch(t *testing.T) {
	v, err := vectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := steppers()
	if len(v.Optimizers) != len(all) || v.Steps != 1000 {
		t.Fatalf("%d optimizers and %d steps on record", len(v.Optimizers), v.Steps)
	}
	for _, o := range v.Optimizers {
		numbers := vectors.NewSequence()
		x := numbers.Parameters()
		state := make([][3][]float64, len(x))
		for i := range x {
			for k := range 3 {
				state[i][k] = make([]float64, len(x[i]))
			}
		}
		for step := range v.Steps {
			grads := numbers.Gradients(step)
			if o.Name == "adam clipped" {
				norm := math.Hypot(ref.Norm(grads[0]), ref.Norm(grads[1]))
				for _, g := range grads {
					for i := range g {
						g[i] *= ref.ClipFactor(1, norm)
					}
				}
			}
			for i, g := range grads {
				all[o.Name](step+1, x[i], g, state[i])
			}
		}
		for i, want := range o.Float64 {
			for j, w := range want {
				if got := x[i][j]; math.Abs(got-w) > 1e-11*math.Abs(w) {
					t.Fatalf("%s: parameter %d[%d] is %.15g, PyTorch has %.15g", o.Name, i, j, got, w)
				}
			}
		}
	}
}

// TestLayerwiseRates checks what LARS and LAMB are made for: the step's length
// follows the parameter's, whatever the gradient's.
func TestLayerwiseRates(t *testing.T) {
	for _, size := range []float64{1e-3, 1, 1e3} {
		for _, slope := range []float64{1e-6, 1, 1e6} {
			x, g := []float64{3 * size, 4 * size}, []float64{slope, 2 * slope}
			ref.LARS{LR: 1, Trust: 0.01}.Step(1, x, g, make([]float64, 2))
			if moved := math.Hypot(x[0]-3*size, x[1]-4*size); math.Abs(moved-0.05*size) > 1e-9*size {
				t.Errorf("LARS moved parameters of norm %g by %g", 5*size, moved)
			}
			x = []float64{3 * size, 4 * size}
			ref.LAMB{LR: 0.01, Beta1: 0.9, Beta2: 0.999}.Step(1, x, g, make([]float64, 2), make([]float64, 2))
			if moved := math.Hypot(x[0]-3*size, x[1]-4*size); math.Abs(moved-0.05*size) > 1e-9*size {
				t.Errorf("LAMB moved parameters of norm %g by %g", 5*size, moved)
			}
		}
	}
	x, g := []float64{0, 0}, []float64{1, 1}
	ref.LARS{LR: 0.5, Trust: 0.01}.Step(1, x, g, make([]float64, 2))
	if x[0] != -0.5 {
		t.Errorf("from zero LARS went to %g", x[0])
	}
}
