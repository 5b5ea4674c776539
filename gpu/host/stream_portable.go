package host

// streams are the kernels that touch each value once and are bound by memory:
// conversions and optimizer steps.
type streams interface {
	// cast converts n elements that lie side by side.
	cast(dst []byte, dt DType, src []byte, st DType, n int)
	// castRows converts rows of n elements, dl and sl elements apart.
	castRows(dst []byte, dt DType, dl int, src []byte, st DType, sl, rows, n int)
	// sumSquares sums in float64.
	sumSquares(x []byte, t DType) float64
	// update does one step; the result is for LAMBMoments.
	update(k Kind, c *Factors, u *Update) [2]float64
}

func (portable) cast(dst []byte, dt DType, src []byte, st DType, n int) {
	if dt == st {
		copy(dst[:n*dt.Size()], src)
		return
	}
	if st == I32 && dt == BF16 {
		d := As[uint16](dst)
		for i, x := range As[int32](src)[:n] {
			d[i] = ToBF16(float32(sticky(x)))
		}
		return
	}
	var block [256]float32
	for n > 0 {
		k := min(n, len(block))
		toFloats(block[:k], src, st)
		fromFloats(dst, dt, block[:k])
		src, dst, n = src[k*st.Size():], dst[k*dt.Size():], n-k
	}
}

func (k portable) castRows(dst []byte, dt DType, dl int, src []byte, st DType, sl, rows, n int) {
	for r := range rows {
		k.cast(dst[r*dl*dt.Size():], dt, src[r*sl*st.Size():], st, n)
	}
}

// toFloats fills x with the values of src.
func toFloats(x []float32, src []byte, st DType) {
	switch st {
	case F32:
		copy(x, As[float32](src))
	case F16:
		for i, h := range As[uint16](src)[:len(x)] {
			x[i] = FromF16(h)
		}
	case BF16:
		for i, h := range As[uint16](src)[:len(x)] {
			x[i] = FromBF16(h)
		}
	case I32:
		for i, v := range As[int32](src)[:len(x)] {
			x[i] = float32(v)
		}
	}
}

// fromFloats fills dst with the values of x.
func fromFloats(dst []byte, dt DType, x []float32) {
	switch dt {
	case F32:
		copy(As[float32](dst), x)
	case F16:
		d := As[uint16](dst)
		for i, v := range x {
			d[i] = ToF16(v)
		}
	case BF16:
		d := As[uint16](dst)
		for i, v := range x {
			d[i] = ToBF16(v)
		}
	case I32:
		d := As[int32](dst)
		for i, v := range x {
			d[i] = ToI32(v)
		}
	}
}
