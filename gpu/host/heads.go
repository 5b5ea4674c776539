package host

// Heads is a strided view of (B, H, T, D): element (b, h, t, d) is number
// b*Batch + h*Head + t*Row + d of Data, or of Half where the type is F16 or BF16.
type Heads struct {
	Data             []float32
	Half             []uint16
	DType            DType
	Batch, Head, Row int
}

// DenseHeads is the row-major view of data as (B, H, t, d) with h heads.
func DenseHeads(data []float32, h, t, d int) Heads {
	return Heads{Data: data, Batch: h * t * d, Head: t * d, Row: d}
}

func (x Heads) len() int { return len(x.Data) + len(x.Half) }

// at is the data from a row of a head on; nil where it is not float32.
func (x Heads) at(b, h, row int) []float32 {
	return x.Data[min(len(x.Data), b*x.Batch+h*x.Head+row*x.Row):]
}

// half is at for the half types.
func (x Heads) half(b, h, row int) []uint16 {
	return x.Half[min(len(x.Half), b*x.Batch+h*x.Head+row*x.Row):]
}

// widenRows copies n rows of a head from the given one on as dense float32 to ws,
// and returns them and the rest of ws.
func (e *Engine) widenRows(x Heads, b, h, row, n, d int, ws []float32) (rows, rest []float32) {
	e.run.castRows(Bytes(ws), F32, d, Bytes(x.half(b, h, row)), x.DType, x.Row, n, d)
	return ws[:n*d], ws[n*d:]
}

// narrowRows copies n dense float32 rows back.
func (e *Engine) narrowRows(x Heads, b, h, row, n, d int, from []float32) {
	e.run.castRows(Bytes(x.half(b, h, row)), x.DType, x.Row, Bytes(from), F32, d, n, d)
}
