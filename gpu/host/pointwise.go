package host

import (
	"fmt"
	"math"
)

// Adam holds the constants of a step (Kingma and Ba 2015). Decay is decoupled
// weight decay (AdamW, Loshchilov and Hutter 2019).
type Adam struct{ LR, Beta1, Beta2, Eps, Decay float64 }

// AdamFactors are Adam's constants as the kernels use them at one step: Rate is
// LR / (1-Beta1^t), C2 is 1 / (1-Beta2^t), Keep is 1 - LR Decay.
type AdamFactors struct{ Beta1, Beta2, Rate, C2, Eps, Keep float32 }

// Factors are the constants of step t, from 1.
func (o Adam) Factors(t int) AdamFactors {
	c1 := 1 - math.Pow(o.Beta1, float64(t))
	c2 := 1 - math.Pow(o.Beta2, float64(t))
	return AdamFactors{
		Beta1: float32(o.Beta1), Beta2: float32(o.Beta2), Rate: float32(o.LR / c1),
		C2: float32(1 / c2), Eps: float32(o.Eps), Keep: float32(1 - o.LR*o.Decay),
	}
}

// Step does step t (from 1) on the parameters x with gradients g and the running
// moments m and v, all of one length, in one pass over memory.
func (e *Engine) Step(o Adam, t int, x, g, m, v []float32) error {
	if t < 1 || len(g) != len(x) || len(m) != len(x) || len(v) != len(x) {
		return fmt.Errorf("adam step %d: lengths %d, %d, %d, %d", t, len(x), len(g), len(m), len(v))
	}
	c := o.Factors(t)
	return e.split(len(x), 1024, len(x), func(lo, hi int) { e.run.adam(x[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi], c) })
}

func sameLength(act string, first []float32, rest ...[]float32) error {
	for _, x := range rest {
		if len(x) != len(first) {
			return fmt.Errorf("%s: lengths %d and %d", act, len(first), len(x))
		}
	}
	return nil
}

// Add does y += x.
func (e *Engine) Add(y, x []float32) error {
	if err := sameLength("add", y, x); err != nil {
		return err
	}
	return e.split(len(y), 1024, len(y)/4, func(lo, hi int) { e.run.add(y[lo:hi], x[lo:hi]) })
}

// AddBias does y (rows, n) = x (rows, n) + b (n), n being len(b).
func (e *Engine) AddBias(y, x, b []float32) error {
	rows, err := rowsOf("add bias", len(b), y, x)
	if err != nil {
		return err
	}
	n := len(b)
	return e.split(rows, 1, len(y)/4, func(lo, hi int) { e.run.addBias(hi-lo, n, y[lo*n:hi*n], x[lo*n:hi*n], b) })
}

// SumRows does s (n) += scale times the sum over the rows of x (rows, n).
func (e *Engine) SumRows(s, x []float32, scale float32) error {
	rows, err := rowsOf("sum rows", len(s), x)
	if err != nil {
		return err
	}
	return e.split(len(s), 16, len(x)/4, func(lo, hi int) { e.run.sumRows(rows, len(s), lo, hi, s, x, scale) })
}

// rowsOf is how many rows of length n all of xs have.
func rowsOf(act string, n int, first []float32, rest ...[]float32) (int, error) {
	if err := sameLength(act, first, rest...); err != nil {
		return 0, err
	}
	if n == 0 || len(first)%n != 0 {
		return 0, fmt.Errorf("%s: %d elements in rows of %d", act, len(first), n)
	}
	return len(first) / n, nil
}

// ReLU does y = max(x, 0).
func (e *Engine) ReLU(y, x []float32) error {
	if err := sameLength("relu", y, x); err != nil {
		return err
	}
	return e.split(len(y), 1024, len(y)/4, func(lo, hi int) { e.run.relu(y[lo:hi], x[lo:hi]) })
}

// ReLUGrad does dx += dy where x > 0.
func (e *Engine) ReLUGrad(dx, x, dy []float32) error {
	if err := sameLength("relu gradient", dx, x, dy); err != nil {
		return err
	}
	return e.split(len(x), 1024, len(x)/4, func(lo, hi int) { e.run.reluGrad(dx[lo:hi], x[lo:hi], dy[lo:hi]) })
}

// GELU does y = gelu(x) in the tanh form (Hendrycks and Gimpel 2016).
func (e *Engine) GELU(y, x []float32) error {
	if err := sameLength("gelu", y, x); err != nil {
		return err
	}
	return e.split(len(y), 1024, len(y), func(lo, hi int) { e.run.gelu(y[lo:hi], x[lo:hi]) })
}

// GELUGrad does dx += dy gelu'(x).
func (e *Engine) GELUGrad(dx, x, dy []float32) error {
	if err := sameLength("gelu gradient", dx, x, dy); err != nil {
		return err
	}
	return e.split(len(x), 1024, len(x), func(lo, hi int) { e.run.geluGrad(dx[lo:hi], x[lo:hi], dy[lo:hi]) })
}

// LayerNorm does y (rows, n) = (x - mean) rstd gain + bias along the rows of x
// (Ba et al. 2016), n being len(gain); mean and rstd (rows) are for the gradient.
func (e *Engine) LayerNorm(y, mean, rstd, x, gain, bias []float32, eps float32) error {
	rows, err := e.normRows(mean, rstd, gain, bias, y, x)
	if err != nil {
		return err
	}
	n := len(gain)
	return e.split(rows, 1, len(x), func(lo, hi int) {
		e.run.layerNorm(hi-lo, n, y[lo*n:hi*n], mean[lo:hi], rstd[lo:hi], x[lo*n:hi*n], gain, bias, eps)
	})
}

// LayerNormGrad adds the gradients by x (rows, n), gain and bias (n).
func (e *Engine) LayerNormGrad(dx, dGain, dBias, x, dy, gain, mean, rstd []float32) error {
	rows, err := e.normRows(mean, rstd, gain, dGain, dx, x, dy)
	if err == nil {
		err = sameLength("layer norm gradient", dGain, dBias)
	}
	if err != nil {
		return err
	}
	n := len(gain)
	err = e.split(rows, 1, len(x), func(lo, hi int) {
		e.run.layerNormGrad(hi-lo, n, dx[lo*n:hi*n], x[lo*n:hi*n], dy[lo*n:hi*n], gain, mean[lo:hi], rstd[lo:hi])
	})
	if err != nil {
		return err
	}
	return e.split(n, 16, len(x)/2, func(lo, hi int) {
		e.run.layerNormParams(rows, n, lo, hi, dGain, dBias, x, dy, mean, rstd)
	})
}

func (e *Engine) normRows(mean, rstd, gain, bias []float32, first []float32, rest ...[]float32) (int, error) {
	rows, err := rowsOf("layer norm", len(gain), first, rest...)
	if err == nil {
		err = sameLength("layer norm", gain, bias)
	}
	if err == nil && (len(mean) != rows || len(rstd) != rows) {
		err = fmt.Errorf("layer norm: %d means and %d deviations of %d rows", len(mean), len(rstd), rows)
	}
	return rows, err
}
