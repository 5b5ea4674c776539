package host

import "math"

// portable is the pure-Go form of the kernels: the same sums in loops that Go's
// compiler does well with. Other architectures and builds without cgo use it.
type portable struct{}

func (portable) gemmSpace() int { return 0 }

// gemm walks rows of b where they are dense, and takes inner products where
// columns are; a's strides do not matter to either.
func (portable) gemm(c, a, b Matrix, add bool, _ []float32) {
	for i := range c.Rows {
		row := c.Data[i*c.RowStride : i*c.RowStride+c.Cols]
		if !add {
			clear(row)
		}
		if b.ColStride != 1 {
			for j := range row {
				row[j] += dotStrided(a.Data[i*a.RowStride:], a.ColStride, b.Data[j*b.ColStride:][:b.Rows])
			}
			continue
		}
		for p := range a.Cols {
			axpy(row, a.Data[i*a.RowStride+p*a.ColStride], b.Data[p*b.RowStride:])
		}
	}
}

// axpy does y += s x.
func axpy(y []float32, s float32, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += s * x[i]
	}
}

func dot(x, y []float32) float32 { return dotStrided(x, 1, y) }

// dotStrided is the sum of x[i*stride] y[i]; four sums hide the adds' latency.
func dotStrided(x []float32, stride int, y []float32) float32 {
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(y); i += 4 {
		s0 += x[i*stride] * y[i]
		s1 += x[(i+1)*stride] * y[i+1]
		s2 += x[(i+2)*stride] * y[i+2]
		s3 += x[(i+3)*stride] * y[i+3]
	}
	for ; i < len(y); i++ {
		s0 += x[i*stride] * y[i]
	}
	return s0 + s1 + (s2 + s3)
}

func exp(x float32) float32 { return float32(math.Exp(float64(x))) }

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

func (portable) add(y, x []float32) { axpy(y, 1, x) }

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

func (portable) relu(y, x []float32) {
	for i, v := range x {
		if v < 0 {
			v = 0
		}
		y[i] = v
	}
}

func (portable) reluGrad(dx, x, dy []float32) {
	for i, v := range x {
		if v > 0 {
			dx[i] += dy[i]
		}
	}
}

// The constants of gelu's tanh form.
const (
	geluRoot = 0.7978845608028654 // sqrt(2/pi)
	geluCube = 0.044715
)

// gate is sigmoid(2u), which is (1 + tanh u)/2, u = geluRoot (x + geluCube x^3).
func gate(x float32) float32 {
	return 1 / (1 + exp(-2*geluRoot*x*(1+geluCube*x*x)))
}

func (portable) gelu(y, x []float32) {
	for i, v := range x {
		y[i] = v * gate(v)
	}
}

func (portable) geluGrad(dx, x, dy []float32) {
	for i, v := range x {
		s := gate(v)
		du := 2 * geluRoot * (1 + 3*geluCube*v*v)
		dx[i] += dy[i] * (s + v*s*(1-s)*du)
	}
}

func (portable) layerNorm(rows, n int, y, mean, rstd, x, gain, bias []float32, eps float32) {
	for r := range rows {
		xr, yr := x[r*n:][:n], y[r*n:][:n]
		var sum, square float32
		for _, v := range xr {
			sum += v
		}
		mu := sum / float32(n)
		for _, v := range xr {
			square += (v - mu) * (v - mu)
		}
		k := 1 / sqrt(square/float32(n)+eps)
		for j, v := range xr {
			yr[j] = (v-mu)*k*gain[j] + bias[j]
		}
		mean[r], rstd[r] = mu, k
	}
}

func (portable) layerNormGrad(rows, n int, dx, x, dy, gain, mean, rstd []float32) {
	for r := range rows {
		xr, gr := x[r*n:][:n], dy[r*n:][:n]
		var s, t float32
		for j, v := range xr {
			d := gr[j] * gain[j]
			s += d
			t += d * (v - mean[r]) * rstd[r]
		}
		s, t = s/float32(n), t/float32(n)
		for j, v := range xr {
			hat := (v - mean[r]) * rstd[r]
			dx[r*n+j] += rstd[r] * (gr[j]*gain[j] - s - hat*t)
		}
	}
}

func (portable) layerNormParams(rows, n, j0, j1 int, dGain, dBias, x, dy, mean, rstd []float32) {
	for r := range rows {
		for j := j0; j < j1; j++ {
			d := dy[r*n+j]
			dGain[j] += d * (x[r*n+j] - mean[r]) * rstd[r]
			dBias[j] += d
		}
	}
}
