package host

import (
	"fmt"
	"slices"
	"unsafe"
)

// View is a tensor in host memory: Data begins at its first element, strides are
// in elements and not negative.
type View struct {
	Data           []byte
	DType          DType
	Shape, Strides []int
}

// Copy writes src into dst, element by element and whatever their strides, and
// converts where the dtypes differ: floating point to nearest, ties to even;
// to integers towards zero, the ends of the range beyond it, 0 for NaN. The views
// have one shape and do not overlap.
func (e *Engine) Copy(dst, src View) error {
	if !slices.Equal(dst.Shape, src.Shape) {
		return fmt.Errorf("copy %s %v to %s %v: want one shape", src.DType, src.Shape, dst.DType, dst.Shape)
	}
	for _, v := range []View{dst, src} {
		if v.DType > I32 || len(v.Shape) != len(v.Strides) || len(v.Data) < v.extent()*v.DType.Size() {
			return fmt.Errorf("copy %s %v with strides %v: %d bytes are too few", v.DType, v.Shape, v.Strides, len(v.Data))
		}
	}
	shape, strides := Collapse(dst.Shape, dst.Strides, src.Strides)
	rows := 1
	for _, s := range shape[:len(shape)-1] {
		rows *= s
	}
	n := shape[len(shape)-1]
	c := rowCopy{run: e.run, dst: dst, src: src, dstStep: strides[0][len(shape)-1], srcStep: strides[1][len(shape)-1]}
	if rows == 1 {
		return e.split(n, 1024, n/4, func(lo, hi int) { c.row(lo*c.dstStep, lo*c.srcStep, hi-lo) })
	}
	return e.split(rows, 1, rows*n/4, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			c.row(Offset(r, shape[:len(shape)-1], strides[0]), Offset(r, shape[:len(shape)-1], strides[1]), n)
		}
	})
}

// extent is how many elements the view spans.
func (v View) extent() int {
	last := 1
	for i, s := range v.Shape {
		if s == 0 {
			return 0
		}
		last += (s - 1) * v.Strides[i]
	}
	return last
}

// Collapse joins neighbouring axes that all strides walk through without a gap,
// and drops axes of length 1. What is left has at least one axis.
func Collapse(shape []int, strides ...[]int) ([]int, [][]int) {
	var outShape []int
	out := make([][]int, len(strides))
	for i, n := range shape {
		if n == 1 {
			continue
		}
		last := len(outShape) - 1
		joins := last >= 0
		for k, s := range strides {
			joins = joins && out[k][last] == s[i]*n
		}
		if joins {
			outShape[last] *= n
		} else {
			outShape = append(outShape, n)
			last++
		}
		for k, s := range strides {
			if joins {
				out[k][last] = s[i]
			} else {
				out[k] = append(out[k], s[i])
			}
		}
	}
	if len(outShape) == 0 {
		outShape = []int{1}
		for k := range out {
			out[k] = []int{1}
		}
	}
	return outShape, out
}

// Offset is where row-major element i of shape lies with these strides.
func Offset(i int, shape, strides []int) int {
	at := 0
	for axis := len(shape) - 1; axis >= 0; axis-- {
		at += i % shape[axis] * strides[axis]
		i /= shape[axis]
	}
	return at
}

// rowCopy copies along the last axis.
type rowCopy struct {
	run              kernels
	dst, src         View
	dstStep, srcStep int
}

// row copies n elements from the offsets on, in elements. Elements that do not
// lie side by side go through a small buffer.
func (c *rowCopy) row(dst, src, n int) {
	const block = 256
	var in, out [4 * block]byte
	ds, ss := c.dst.DType.Size(), c.src.DType.Size()
	for n > 0 {
		k := n
		if c.dstStep != 1 || c.srcStep != 1 {
			k = min(n, block)
		}
		from, to := c.src.Data[src*ss:], c.dst.Data[dst*ds:]
		if c.srcStep != 1 {
			stride(in[:], 1, from, c.srcStep, k, ss)
			from = in[:]
		}
		if c.dstStep != 1 {
			to = out[:]
		}
		c.run.cast(to, c.dst.DType, from, c.src.DType, k)
		if c.dstStep != 1 {
			stride(c.dst.Data[dst*ds:], c.dstStep, out[:], 1, k, ds)
		}
		dst, src, n = dst+k*c.dstStep, src+k*c.srcStep, n-k
	}
}

// stride copies n elements of size bytes; the steps are in elements.
func stride(dst []byte, dstStep int, src []byte, srcStep, n, size int) {
	if size == 2 {
		strideOf[uint16](dst, dstStep, src, srcStep, n)
	} else {
		strideOf[uint32](dst, dstStep, src, srcStep, n)
	}
}

func strideOf[T any](dst []byte, dstStep int, src []byte, srcStep, n int) {
	d, s := As[T](dst), As[T](src)
	for i := range n {
		d[i*dstStep] = s[i*srcStep]
	}
}

// As views bytes as elements; they must be aligned.
func As[T any](x []byte) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(x))), len(x)/int(unsafe.Sizeof(zero)))
}

// Bytes views elements as bytes.
func Bytes[T any](x []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(zero)))
}
