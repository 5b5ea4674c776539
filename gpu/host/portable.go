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

func (k portable) gemmBias(c, a, b Matrix, bias, ws []float32) {
	for i := range c.Rows {
		copy(c.Data[i*c.RowStride:][:c.Cols], bias)
	}
	k.gemm(c, a, b, true, ws)
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
