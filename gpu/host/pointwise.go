package host

import "fmt"

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
