package host

import "fmt"

// Matrix is a view of a float32 matrix: element (i, j) is
// Data[i*RowStride + j*ColStride]. One of the strides is 1.
type Matrix struct {
	Data                 []float32
	Rows, Cols           int
	RowStride, ColStride int
}

// Dense is the row-major view of data.
func Dense(data []float32, rows, cols int) Matrix {
	return Matrix{Data: data, Rows: rows, Cols: cols, RowStride: cols, ColStride: 1}
}

// T is the transposed view.
func (m Matrix) T() Matrix {
	m.Rows, m.Cols, m.RowStride, m.ColStride = m.Cols, m.Rows, m.ColStride, m.RowStride
	return m
}

func (m Matrix) String() string { return fmt.Sprintf("(%d, %d)", m.Rows, m.Cols) }

// check says whether every element lies in Data and a stride is 1.
func (m Matrix) check() error {
	if m.Rows < 0 || m.Cols < 0 || m.RowStride < 0 || m.ColStride < 0 {
		return fmt.Errorf("matrix %v with strides (%d, %d)", m, m.RowStride, m.ColStride)
	}
	if m.RowStride != 1 && m.ColStride != 1 {
		return fmt.Errorf("matrix %v: neither stride of (%d, %d) is 1", m, m.RowStride, m.ColStride)
	}
	if m.Rows*m.Cols > 0 && (m.Rows-1)*m.RowStride+(m.Cols-1)*m.ColStride >= len(m.Data) {
		return fmt.Errorf("matrix %v reaches past its %d elements", m, len(m.Data))
	}
	return nil
}

// rows and columns are the sub-views lo..hi.
func (m Matrix) rows(lo, hi int) Matrix {
	m.Data, m.Rows = m.Data[lo*m.RowStride:], hi-lo
	return m
}

func (m Matrix) columns(lo, hi int) Matrix { return m.T().rows(lo, hi).T() }

// MatMul computes c = a b, or c += a b with add: a (m, k), b (k, n), c (m, n).
// C's column stride is 1, and c overlaps neither a nor b. Errors name the shapes.
func (e *Engine) MatMul(c, a, b Matrix, add bool) error { return e.matMul(c, a, b, nil, add) }

// MatMulBias computes c = a b + bias in every row, bias (n); the rest is as for MatMul.
func (e *Engine) MatMulBias(c, a, b Matrix, bias []float32) error {
	if len(bias) != c.Cols {
		return fmt.Errorf("multiply matrices: bias of %d for %v", len(bias), c)
	}
	return e.matMul(c, a, b, bias, false)
}

func (e *Engine) matMul(c, a, b Matrix, bias []float32, add bool) error {
	for _, m := range []Matrix{c, a, b} {
		if err := m.check(); err != nil {
			return fmt.Errorf("multiply matrices: %w", err)
		}
	}
	if a.Cols != b.Rows || c.Rows != a.Rows || c.Cols != b.Cols || c.ColStride != 1 {
		return fmt.Errorf("multiply matrices: %v times %v into %v", a, b, c)
	}
	if c.Rows == 0 || c.Cols == 0 {
		return nil
	}
	if a.Cols == 0 {
		e.emptySum(c, bias, add)
		return nil
	}
	work := int(float64(c.Rows) * float64(c.Cols) * float64(a.Cols) / 30)
	pieces := max(1, min(e.threads, work/grain))
	byRows := c.Rows >= c.Cols
	n := c.Cols
	if byRows {
		n = c.Rows
	}
	// Pieces are multiples of every tile's height and width.
	const align = 48
	step := max(align, ((n+pieces-1)/pieces+align-1)/align*align)
	count := (n + step - 1) / step
	return e.tasks(count, work, e.run.gemmSpace(), func(i int, ws []float32) {
		lo, hi := i*step, min(n, (i+1)*step)
		var part Matrix
		left, right, row := a, b, bias
		if byRows {
			part, left = c.rows(lo, hi), a.rows(lo, hi)
		} else {
			part, right = c.columns(lo, hi), b.columns(lo, hi)
		}
		if bias == nil {
			e.run.gemm(part, left, right, add, ws)
			return
		}
		if !byRows {
			row = bias[lo:hi]
		}
		e.run.gemmBias(part, left, right, row, ws)
	})
}

// emptySum is the product of matrices with no inner elements.
func (e *Engine) emptySum(c Matrix, bias []float32, add bool) {
	for i := 0; !add && !e.dry && i < c.Rows; i++ {
		row := c.Data[i*c.RowStride : i*c.RowStride+c.Cols]
		clear(row)
		copy(row, bias)
	}
}
