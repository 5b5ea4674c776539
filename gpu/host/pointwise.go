package host

import "fmt"

// rowsOf is how many rows of length n all of xs have; nil ones do not count.
func rowsOf(act string, n int, xs ...Floats) (int, error) {
	rows := -1
	for _, x := range xs {
		switch {
		case x.Data == nil:
		case n == 0 || x.Len()%n != 0:
			return 0, fmt.Errorf("%s: %d elements in rows of %d", act, x.Len(), n)
		case rows >= 0 && rows != x.Len()/n:
			return 0, fmt.Errorf("%s: %d and %d rows of %d", act, rows, x.Len()/n, n)
		default:
			rows = x.Len() / n
		}
	}
	return max(rows, 0), nil
}

// AddBias does y (rows, n) = x (rows, n) + b (n), n being b's length; y may be x.
func (e *Engine) AddBias(y, x, b Floats) error {
	n := b.Len()
	rows, err := rowsOf("add bias", n, y, x)
	if err != nil {
		return err
	}
	release, err := e.wholes(false, &b)
	if err != nil {
		return err
	}
	defer release()
	args := []arg{{Floats: y, per: n, out: true}, {Floats: x, per: n, in: true}, {Floats: b}}
	return e.rowwise(rows, y.Len()/4, args, func(lo, hi int, x [][]float32) { e.run.addBias(hi-lo, n, x[0], x[1], x[2]) })
}

// columns runs f over pieces of n columns that start at multiples of 16, for sums
// that run along the rows.
func (e *Engine) columns(n, work int, f func(j0, j1 int)) error { return e.split(n, 16, work, f) }

// SumAxis does s (outer, inner) += scale times the sum over the middle axis of x
// (outer, middle, inner).
func (e *Engine) SumAxis(s, x Floats, outer, middle, inner int, scale float32) error {
	if s.Len() != outer*inner || x.Len() != outer*middle*inner {
		return fmt.Errorf("sum along an axis: %d sums of %d values, want (%d, %d, %d)", s.Len(), x.Len(), outer, middle, inner)
	}
	if outer == 1 {
		release, err := e.wholes(true, &s)
		if err != nil {
			return err
		}
		defer release()
		if x.DType == F32 {
			return e.columns(inner, x.Len()/4, func(j0, j1 int) {
				e.run.sumRows(middle, inner, j0, j1, As[float32](s.Data), As[float32](x.Data), scale)
			})
		}
		return e.sumHalves(As[float32](s.Data), x, middle, inner, scale)
	}
	args := []arg{{Floats: s, per: inner, in: true, out: true}, {Floats: x, per: middle * inner, in: true}}
	return e.rowwise(outer, x.Len()/4, args, func(lo, hi int, x [][]float32) {
		for i := range hi - lo {
			e.run.sumRows(middle, inner, 0, inner, x[0][i*inner:][:inner], x[1][i*middle*inner:][:middle*inner], scale)
		}
	})
}

// sumHalves is sumRows of values in half precision, row by row.
func (e *Engine) sumHalves(s []float32, x Floats, rows, n int, scale float32) error {
	return e.columnTasks(n, x.Len(), 2, func(j0, j1 int, ws []float32) {
		sum, row := ws[:j1-j0], ws[j1-j0:][:j1-j0]
		clear(sum)
		for r := range rows {
			e.run.cast(Bytes(row), F32, x.Data[2*(r*n+j0):], x.DType, len(row))
			e.run.each(OpAddScaled, sum, row, nil, 1)
		}
		e.run.each(OpAddScaled, s[j0:j1], sum, nil, scale)
	})
}

// columnTasks is columns with a workspace of so many rows of each piece.
func (e *Engine) columnTasks(n, work, rows int, f func(j0, j1 int, ws []float32)) error {
	pieces := max(1, min(e.threads, work/grain))
	step := ((n+pieces-1)/pieces + 15) / 16 * 16
	return e.tasks((n+step-1)/step, work, rows*step, func(i int, ws []float32) { f(i*step, min(n, (i+1)*step), ws) })
}

// Spread does x (outer, middle, inner) += scale s (outer, inner) along the middle
// axis: the gradient of SumAxis.
func (e *Engine) Spread(x, s Floats, outer, middle, inner int, scale float32) error {
	if s.Len() != outer*inner || x.Len() != outer*middle*inner {
		return fmt.Errorf("spread along an axis: %d values over %d, want (%d, %d, %d)", s.Len(), x.Len(), outer, middle, inner)
	}
	release, err := e.wholes(false, &s)
	if err != nil {
		return err
	}
	defer release()
	args := []arg{{Floats: x, per: inner, in: true, out: true}, {Floats: s}}
	return e.rowwise(outer*middle, x.Len()/4, args, func(lo, hi int, x [][]float32) {
		for r := lo; r < hi; r++ {
			e.run.each(OpAddScaled, x[0][(r-lo)*inner:][:inner], x[1][r/middle*inner:][:inner], nil, scale)
		}
	})
}

// Norm is layer normalisation (Ba et al. 2016): y (rows, n) = (x - mean) rstd gain +
// bias along the rows of x, n being gain's length; mean and rstd (rows) are for the
// gradient. With mean nil it is RMSNorm (Zhang and Sennrich 2019), whose mean is
// taken for 0. bias may be nil.
func (e *Engine) Norm(y Floats, mean, rstd []float32, x, gain, bias Floats, eps float32) error {
	rows, err := normRows(mean, rstd, gain, bias, y, x)
	if err != nil {
		return err
	}
	release, err := e.wholes(false, &gain, &bias)
	if err != nil {
		return err
	}
	defer release()
	n := gain.Len()
	args := []arg{{Floats: y, per: n, out: true}, {Floats: FloatsOf(mean), per: 1, out: true}, {Floats: FloatsOf(rstd), per: 1, out: true},
		{Floats: x, per: n, in: true}, {Floats: gain}, {Floats: bias}}
	return e.rowwise(rows, x.Len(), args, func(lo, hi int, x [][]float32) {
		e.run.norm(hi-lo, n, x[0], x[1], x[2], x[3], x[4], x[5], eps)
	})
}

// NormGrad adds the gradients by x (rows, n), gain and bias (n); those that are nil
// are left out.
func (e *Engine) NormGrad(dx, dGain, dBias, x, dy, gain Floats, mean, rstd []float32) error {
	rows, err := normRows(mean, rstd, gain, dBias, dx, x, dy)
	if err == nil && dGain.Data != nil && dGain.Len() != gain.Len() {
		err = fmt.Errorf("norm gradient: %d and %d gains", gain.Len(), dGain.Len())
	}
	if err != nil {
		return err
	}
	inputs, err := e.wholes(false, &gain)
	if err != nil {
		return err
	}
	defer inputs()
	n := gain.Len()
	if dx.Data != nil {
		args := []arg{{Floats: dx, per: n, in: true, out: true}, {Floats: x, per: n, in: true}, {Floats: dy, per: n, in: true},
			{Floats: FloatsOf(mean), per: 1}, {Floats: FloatsOf(rstd), per: 1}, {Floats: gain}}
		err := e.rowwise(rows, x.Len(), args, func(lo, hi int, x [][]float32) {
			e.run.normGrad(hi-lo, n, x[0], x[1], x[2], x[5], x[3], x[4])
		})
		if err != nil {
			return err
		}
	}
	if dGain.Data == nil && dBias.Data == nil {
		return nil
	}
	outputs, err := e.wholes(true, &dGain, &dBias)
	if err != nil {
		return err
	}
	defer outputs()
	return e.normParams(rows, n, As[float32](dGain.Data), As[float32](dBias.Data), x, dy, mean, rstd)
}

// normBlock is how many rows normParams widens at once.
const normBlock = 8

func (e *Engine) normParams(rows, n int, dGain, dBias []float32, x, dy Floats, mean, rstd []float32) error {
	if x.DType == F32 && dy.DType == F32 {
		return e.columns(n, x.Len()/2, func(lo, hi int) {
			e.run.normParams(rows, n, lo, hi, dGain, dBias, As[float32](x.Data), As[float32](dy.Data), mean, rstd)
		})
	}
	return e.columnTasks(n, x.Len(), 2*normBlock, func(j0, j1 int, ws []float32) {
		w := j1 - j0
		xs, ds := ws[:normBlock*w], ws[normBlock*w:][:normBlock*w]
		for r := 0; r < rows; r += normBlock {
			k := min(normBlock, rows-r)
			at := r*n + j0
			e.run.castRows(Bytes(xs), F32, w, x.Data[at*x.DType.Size():], x.DType, n, k, w)
			e.run.castRows(Bytes(ds), F32, w, dy.Data[at*dy.DType.Size():], dy.DType, n, k, w)
			e.run.normParams(k, w, 0, w, part(dGain, j0, j1), part(dBias, j0, j1), xs, ds, part(mean, r, r+k), rstd[r:r+k])
		}
	})
}

func normRows(mean, rstd []float32, gain, bias Floats, xs ...Floats) (int, error) {
	rows, err := rowsOf("norm", gain.Len(), xs...)
	if err == nil && bias.Data != nil && bias.Len() != gain.Len() {
		err = fmt.Errorf("norm: %d gains, %d biases", gain.Len(), bias.Len())
	}
	if err == nil && (mean != nil && len(mean) != rows || len(rstd) != rows) {
		err = fmt.Errorf("norm: %d means and %d deviations of %d rows", len(mean), len(rstd), rows)
	}
	return rows, err
}
