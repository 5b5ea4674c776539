package host

import "fmt"

// Matrix is a view of a matrix: element (i, j) is number i*RowStride + j*ColStride of
// Data, or of Half where the type is F16 or BF16. One of the strides is 1.
type Matrix struct {
	Data                 []float32
	Half                 []uint16
	DType                DType
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

// check says whether every element lies in the data and a stride is 1.
func (m Matrix) check() error {
	if m.Rows < 0 || m.Cols < 0 || m.RowStride < 0 || m.ColStride < 0 {
		return fmt.Errorf("matrix %v with strides (%d, %d)", m, m.RowStride, m.ColStride)
	}
	if m.RowStride != 1 && m.ColStride != 1 {
		return fmt.Errorf("matrix %v: neither stride of (%d, %d) is 1", m, m.RowStride, m.ColStride)
	}
	n := len(m.Data)
	if m.DType != F32 {
		n = len(m.Half)
	}
	if m.DType > BF16 || m.Rows*m.Cols > 0 && (m.Rows-1)*m.RowStride+(m.Cols-1)*m.ColStride >= n {
		return fmt.Errorf("%s matrix %v reaches past its %d elements", m.DType, m, n)
	}
	return nil
}

// from is the view from element number i of the data on.
func (m Matrix) from(i int) Matrix {
	m.Data, m.Half = m.Data[min(i, len(m.Data)):], m.Half[min(i, len(m.Half)):]
	return m
}

// rows and columns are the sub-views lo..hi.
func (m Matrix) rows(lo, hi int) Matrix {
	m = m.from(lo * m.RowStride)
	m.Rows = hi - lo
	return m
}

func (m Matrix) columns(lo, hi int) Matrix { return m.T().rows(lo, hi).T() }

// MatMul computes c = a b, or c += a b with add: a (m, k), b (k, n), c (m, n).
// C's column stride is 1, and c overlaps neither a nor b. a and b are of one type, c is
// of any; sums are float32, and halves are widened a block at a time. Errors name the
// shapes.
func (e *Engine) MatMul(c, a, b Matrix, add bool) error { return e.matMul(c, a, b, nil, add) }

// MatMulBias computes c = a b + bias in every row, bias (n); the rest is as for MatMul.
func (e *Engine) MatMulBias(c, a, b Matrix, bias Floats) error {
	if bias.Len() != c.Cols {
		return fmt.Errorf("multiply matrices: bias of %d for %v", bias.Len(), c)
	}
	release, err := e.wholes(false, &bias)
	if err != nil {
		return err
	}
	defer release()
	return e.matMul(c, a, b, As[float32](bias.Data), false)
}

func (e *Engine) matMul(c, a, b Matrix, bias []float32, add bool) error {
	for _, m := range []Matrix{c, a, b} {
		if err := m.check(); err != nil {
			return fmt.Errorf("multiply matrices: %w", err)
		}
	}
	if a.DType != b.DType {
		return fmt.Errorf("multiply matrices of %s and %s", a.DType, b.DType)
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
	piece := c
	if byRows {
		piece.Rows = min(c.Rows, step)
	} else {
		piece.Cols = min(c.Cols, step)
	}
	space := e.run.gemmSpace(piece, a)
	return e.tasks(count, work, space, func(i int, ws []float32) {
		lo, hi := i*step, min(n, (i+1)*step)
		if byRows {
			e.run.gemm(c.rows(lo, hi), a.rows(lo, hi), b, add, bias, ws)
			return
		}
		row := bias
		if bias != nil {
			row = bias[lo:hi]
		}
		e.run.gemm(c.columns(lo, hi), a, b.columns(lo, hi), add, row, ws)
	})
}

// emptySum is the product of matrices with no inner elements.
func (e *Engine) emptySum(c Matrix, bias []float32, add bool) {
	if add || e.dry {
		return
	}
	row := make([]float32, c.Cols)
	copy(row, bias)
	for i := range c.Rows {
		c.rows(i, i+1).set(row)
	}
}

// set rounds values to the first row of the matrix, whose columns lie side by side.
func (m Matrix) set(row []float32) {
	if m.DType == F32 {
		copy(m.Data, row)
		return
	}
	fromFloats(Bytes(m.Half), m.DType, row)
}
