package host

import "math"

// portable is the pure-Go form of the kernels: the same sums in loops that Go's
// compiler does well with. Other architectures and builds without cgo use it.
type portable struct{}

// gemmRows is how many rows of c share what is widened of b.
const gemmRows = 16

func (portable) gemmSpace(c, a Matrix) int {
	if c.DType == F32 && a.DType == F32 {
		return 0
	}
	return (gemmRows + 1) * c.Cols
}

// gemm walks rows of b where they are dense, and takes inner products where
// columns are; a's strides do not matter to either.
func (k portable) gemm(c, a, b Matrix, add bool, bias, ws []float32) {
	if c.DType != F32 || a.DType != F32 {
		for lo := 0; lo < c.Rows; lo += gemmRows {
			hi := min(c.Rows, lo+gemmRows)
			k.gemmHalf(c.rows(lo, hi), a.rows(lo, hi), b, add, bias, ws)
		}
		return
	}
	for i := range c.Rows {
		row := c.Data[i*c.RowStride : i*c.RowStride+c.Cols]
		if bias != nil {
			copy(row, bias)
		} else if !add {
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

// gemmHalf is gemm of a few rows of halves, by way of float32 sums in ws.
func (portable) gemmHalf(c, a, b Matrix, add bool, bias, ws []float32) {
	sums, wide := ws[:c.Rows*c.Cols], ws[gemmRows*c.Cols:][:c.Cols]
	clear(sums)
	for i := range c.Rows {
		row := sums[i*c.Cols:][:c.Cols]
		copy(row, bias)
		for j := range row {
			if add {
				row[j] += c.value(i*c.RowStride + j)
			}
		}
	}
	for p := range a.Cols {
		for j := range wide {
			wide[j] = b.value(p*b.RowStride + j*b.ColStride)
		}
		for i := range c.Rows {
			axpy(sums[i*c.Cols:][:c.Cols], a.value(i*a.RowStride+p*a.ColStride), wide)
		}
	}
	for i := range c.Rows {
		c.rows(i, i+1).set(sums[i*c.Cols:][:c.Cols])
	}
}

// value is element number i of the data.
func (m Matrix) value(i int) float32 {
	switch m.DType {
	case F16:
		return FromF16(m.Half[i])
	case BF16:
		return FromBF16(m.Half[i])
	}
	return m.Data[i]
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
