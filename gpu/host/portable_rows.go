package host

import "math"

// pointwise are the kernels of layers without a matrix product. Rows have n values;
// operands that may be nil are said to.
type pointwise interface {
	each(op Op, y, a, b []float32, s float32)
	addBias(rows, n int, y, x, b []float32)
	// sumRows does columns j0 … j1-1 of s, as normParams and scatter do theirs.
	sumRows(rows, n, j0, j1 int, s, x []float32, scale float32)
	// norm is RMSNorm where mean is nil; bias may be nil.
	norm(rows, n int, y, mean, rstd, x, gain, bias []float32, eps float32)
	normGrad(rows, n int, dx, x, dy, gain, mean, rstd []float32)
	// normParams leaves out dGain or dBias where nil.
	normParams(rows, n, j0, j1 int, dGain, dBias, x, dy, mean, rstd []float32)
	gather(y, table []byte, ids []int32, row int)
	scatter(n, j0, j1 int, table, y []float32, ids []int32)
	// dropout does a part of an example, from element at on, a multiple of 8.
	dropout(y, x []float32, add bool, m *Mask, example uint64, at int)
	softmax(rows, n int, y, x []float32, log bool)
	softmaxGrad(rows, n int, dx, y, dy []float32, log bool)
	// crossEntropy takes labels or targets, the other is nil; so does its gradient.
	crossEntropy(rows, n int, loss, lse, x []float32, labels []int32, targets []float32)
	// dLoss has rows values, or one, or none; see lossOf.
	crossEntropyGrad(rows, n int, dx, x []float32, labels []int32, targets, lse, dLoss []float32, scale float32)
	loss(kind LossKind, rows, n int, loss, x, t []float32, delta float32)
	lossGrad(kind LossKind, rows, n int, dx, x, t, dLoss []float32, scale, delta float32)
	argmax(n int, y []int32, x []float32)
}

func (portable) addBias(rows, n int, y, x, b []float32) {
	for r := range rows {
		yr, xr := y[r*n:][:n], x[r*n:][:n]
		for j := range yr {
			yr[j] = xr[j] + b[j]
		}
	}
}

func (portable) sumRows(rows, n, j0, j1 int, s, x []float32, scale float32) {
	for r := range rows {
		axpy(s[j0:j1], scale, x[r*n+j0:])
	}
}

func (portable) norm(rows, n int, y, mean, rstd, x, gain, bias []float32, eps float32) {
	for r := range rows {
		xr, yr := x[r*n:][:n], y[r*n:][:n]
		var mu, square float32
		if mean != nil {
			for _, v := range xr {
				mu += v
			}
			mu /= float32(n)
			mean[r] = mu
		}
		for _, v := range xr {
			square += (v - mu) * (v - mu)
		}
		k := 1 / sqrt(square/float32(n)+eps)
		rstd[r] = k
		for j, v := range xr {
			yr[j] = (v - mu) * k * gain[j]
			if bias != nil {
				yr[j] += bias[j]
			}
		}
	}
}

// at is x[i], 0 where x is nil.
func at(x []float32, i int) float32 {
	if x == nil {
		return 0
	}
	return x[i]
}

func (portable) normGrad(rows, n int, dx, x, dy, gain, mean, rstd []float32) {
	for r := range rows {
		xr, gr, mu := x[r*n:][:n], dy[r*n:][:n], at(mean, r)
		var s, t float32
		for j, v := range xr {
			d := gr[j] * gain[j]
			s += d
			t += d * (v - mu) * rstd[r]
		}
		s, t = s/float32(n), t/float32(n)
		if mean == nil {
			s = 0
		}
		for j, v := range xr {
			hat := (v - mu) * rstd[r]
			dx[r*n+j] += rstd[r] * (gr[j]*gain[j] - s - hat*t)
		}
	}
}

func (portable) normParams(rows, n, j0, j1 int, dGain, dBias, x, dy, mean, rstd []float32) {
	for r := range rows {
		mu := at(mean, r)
		for j := j0; j < j1; j++ {
			d := dy[r*n+j]
			if dGain != nil {
				dGain[j] += d * (x[r*n+j] - mu) * rstd[r]
			}
			if dBias != nil {
				dBias[j] += d
			}
		}
	}
}

func (portable) gather(y, table []byte, ids []int32, row int) {
	for i, id := range ids {
		to := y[i*row : (i+1)*row]
		if id >= 0 && int(id) < len(table)/row {
			copy(to, table[int(id)*row:])
			continue
		}
		for j := range to {
			to[j] = 0xff
		}
	}
}

func (portable) scatter(n, j0, j1 int, table, y []float32, ids []int32) {
	for i, id := range ids {
		if id >= 0 && int(id) < len(table)/n {
			axpy(table[int(id)*n+j0:int(id)*n+j1], 1, y[i*n+j0:])
		}
	}
}

func (portable) dropout(y, x []float32, add bool, m *Mask, example uint64, at int) {
	rest := 65536 / float32(65536-m.Drop)
	var w [4]uint32
	for i, v := range x {
		if i%8 == 0 {
			c := [4]uint32{uint32((at + i) / 8), uint32(example), m.Op, uint32(example>>32)<<1 | 1}
			w = philox(c, uint32(m.Seed), uint32(m.Seed>>32))
		}
		v *= rest
		if int(w[i%8/2]>>(i%2*16)&0xffff) < m.Drop {
			v = 0
		}
		if add {
			v += y[i]
		}
		y[i] = v
	}
}

// largest is the first place of the largest value, NaN taken for the largest.
func largest(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] || v != v && x[best] == x[best] {
			best = i
		}
	}
	return best
}

// logSumExp is log(sum exp(x)).
func logSumExp(x []float32) float32 {
	top, sum := x[largest(x)], 0.0
	if math.IsInf(float64(top), 0) {
		return top
	}
	for _, v := range x {
		sum += math.Exp(float64(v - top))
	}
	return top + float32(math.Log(sum))
}

func (portable) softmax(rows, n int, y, x []float32, log bool) {
	for r := range rows {
		xr, yr := x[r*n:][:n], y[r*n:][:n]
		lse := logSumExp(xr)
		for j, v := range xr {
			if yr[j] = v - lse; !log {
				yr[j] = exp(yr[j])
			}
		}
	}
}

func (portable) softmaxGrad(rows, n int, dx, y, dy []float32, log bool) {
	for r := range rows {
		yr, gr, to := y[r*n:][:n], dy[r*n:][:n], dx[r*n:][:n]
		var s float32
		for j, v := range yr {
			if log {
				v = 1
			}
			s += v * gr[j]
		}
		for j, v := range yr {
			if log {
				to[j] += gr[j] - exp(v)*s
			} else {
				to[j] += v * (gr[j] - s)
			}
		}
	}
}

func (portable) crossEntropy(rows, n int, loss, lse, x []float32, labels []int32, targets []float32) {
	nan := float32(math.NaN())
	for r := range rows {
		xr := x[r*n:][:n]
		lse[r] = logSumExp(xr)
		switch {
		case labels == nil:
			loss[r] = 0
			for j, t := range targets[r*n:][:n] {
				if t != 0 {
					loss[r] += t * (lse[r] - xr[j])
				}
			}
		case labels[r] < 0:
			loss[r] = 0
		case int(labels[r]) >= n:
			loss[r] = nan
		default:
			loss[r] = lse[r] - xr[labels[r]]
		}
	}
}

// lossOf is the gradient by row r's loss: of a list for each row, of one for all, 1
// without any.
func lossOf(dLoss []float32, r int) float32 {
	switch len(dLoss) {
	case 0:
		return 1
	case 1:
		return dLoss[0]
	}
	return dLoss[r]
}

func (portable) crossEntropyGrad(rows, n int, dx, x []float32, labels []int32, targets, lse, dLoss []float32, scale float32) {
	for r := range rows {
		xr, to, g := x[r*n:][:n], dx[r*n:][:n], scale*lossOf(dLoss, r)
		total := float32(1)
		switch {
		case labels == nil:
			total = 0
			for j, t := range targets[r*n:][:n] {
				total += t
				to[j] -= g * t
			}
		case labels[r] < 0:
			continue
		case int(labels[r]) < n:
			to[labels[r]] -= g
		default:
			total = float32(math.NaN())
		}
		for j, v := range xr {
			to[j] += g * total * exp(v-lse[r])
		}
	}
}

func (portable) loss(kind LossKind, rows, n int, loss, x, t []float32, delta float32) {
	for r := range rows {
		sum := 0.0
		for j, v := range x[r*n:][:n] {
			sum += lossValue(kind, float64(v), float64(t[r*n+j]), float64(delta))
		}
		loss[r] = float32(sum / float64(n))
	}
}

func lossValue(kind LossKind, x, t, delta float64) float64 {
	d := x - t
	switch kind {
	case BinaryLoss:
		return max(x, 0) - x*t + math.Log1p(math.Exp(-math.Abs(x)))
	case HuberLoss:
		if math.Abs(d) > delta {
			return delta * (math.Abs(d) - delta/2)
		}
		return d * d / 2
	}
	return d * d
}

func (portable) lossGrad(kind LossKind, rows, n int, dx, x, t, dLoss []float32, scale, delta float32) {
	for r := range rows {
		g := scale * lossOf(dLoss, r)
		for j, v := range x[r*n:][:n] {
			d := v - t[r*n+j]
			switch kind {
			case SquaredLoss:
				d *= 2
			case BinaryLoss:
				d = 1/(1+exp(-v)) - t[r*n+j]
			case HuberLoss:
				d = min(max(d, -delta), delta)
			}
			dx[r*n+j] += g * d
		}
	}
}

func (portable) argmax(n int, y []int32, x []float32) {
	for r := range y {
		y[r] = int32(largest(x[r*n:][:n]))
	}
}
