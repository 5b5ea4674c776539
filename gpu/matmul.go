package gpu

import (
	"errors"
	"fmt"

	"attune/gpu/host"
)

// MatMul does c = a b, or c += a b with add: a (m, k), b (k, n), c (m, n). One
// stride of a and of b is 1 (a transposed view is Permute(1, 0)), c's last is. a and
// b are of one type, float32, float16 or bfloat16, c of that type or float32; sums
// are float32. c overlaps neither a nor b.
func MatMul(c, a, b *Tensor, add bool) error {
	return named(multiply(c, a, b, nil, add), c, a, b)
}

// MatMulBias does c = a b + bias in every row: bias (n) is dense, of c's type; the
// rest is as for MatMul.
func MatMulBias(c, a, b, bias *Tensor) error {
	if bias == nil {
		return named(fmt.Errorf("nil bias"), c, a, b)
	}
	return named(multiply(c, a, b, bias, false), c, a, b, bias)
}

func named(err error, all ...*Tensor) error {
	keepAll(all)
	if err != nil {
		return fmt.Errorf("multiply %s by %s into %s: %w", list(all[1:2]), list(all[2:]), list(all[:1]), err)
	}
	return nil
}

func multiply(c, a, b, bias *Tensor, add bool) error {
	if err := live(c, a, b); err != nil {
		return err
	}
	for _, t := range []*Tensor{c, a, b} {
		if len(t.shape) != 2 {
			return fmt.Errorf("%s has %s: want a matrix, of 2", t, plural(len(t.shape), "axis", "axes"))
		}
		if !t.dtype.Float() {
			return fmt.Errorf("%s: want f32, f16 or bf16", t)
		}
	}
	m, n, k := c.shape[0], c.shape[1], a.shape[1]
	if b.shape[0] != k {
		return fmt.Errorf("the shapes do not fit: a %s has %s, b %s has %s", dims(a.shape), plural(k, "column", "columns"), dims(b.shape), plural(b.shape[0], "row", "rows"))
	}
	if a.shape[0] != m || b.shape[1] != n {
		return fmt.Errorf("the shapes do not fit: c is %s, a b is %s", dims(c.shape), dims([]int{a.shape[0], b.shape[1]}))
	}
	if b.dtype != a.dtype || c.dtype != a.dtype && c.dtype != Float32 {
		return fmt.Errorf("the dtypes do not fit: a is %s, b %s and c %s: want a and b of one type, c of that or f32; As converts", a.dtype, b.dtype, c.dtype)
	}
	if m*n > 0 && (c.begins(a) || c.begins(b)) {
		return fmt.Errorf("the result lies on an operand: want a tensor of its own")
	}
	if n > 1 && c.strides[1] != 1 {
		return fmt.Errorf("the result has strides %s: want the last to be 1", dims(c.strides))
	}
	for _, t := range []*Tensor{a, b} {
		if min(t.strides[0], t.strides[1]) > 1 && t.shape[0] > 1 && t.shape[1] > 1 {
			return fmt.Errorf("%s has strides %s: want one to be 1", t, dims(t.strides))
		}
	}
	if bias != nil {
		if err := live(c, bias); err != nil {
			return err
		}
		if bias.dtype != c.dtype || len(bias.shape) != 1 || bias.shape[0] != n || !bias.Dense() {
			return fmt.Errorf("bias %s: want %s %s, dense", bias, c.dtype, dims([]int{n}))
		}
	}
	if m*n == 0 {
		return nil
	}
	return c.store.dev.back.matmul(c, a, b, bias, add)
}

// matrix is a tensor as the CPU engine takes it; strides of an axis of one are made to
// fit.
func matrix(t *Tensor) host.Matrix {
	m := host.Matrix{DType: host.DType(t.dtype), Rows: t.shape[0], Cols: t.shape[1], RowStride: t.strides[0], ColStride: t.strides[1]}
	if t.dtype == Float32 {
		m.Data = t.values()
	} else {
		m.Half = host.As[uint16](t.raw())
	}
	if m.Cols == 1 {
		m.ColStride = 1
	} else if m.Rows == 1 {
		m.RowStride = m.Cols
		if m.ColStride != 1 {
			m.RowStride = 1
		}
	}
	return m
}

func (c cpu) matmul(out, a, b, bias *Tensor, add bool) error {
	if bias != nil {
		return c.engine.MatMulBias(matrix(out), matrix(a), matrix(b), floats(bias))
	}
	return c.engine.MatMul(matrix(out), matrix(a), matrix(b), add)
}

// The geometry of the matrix product's kernels (gemm.cu, gemm_mma.cu).
const (
	gemmSide, gemmThreads        = 64, 256
	mmaSide, mmaDepth, mmaStages = 128, 32, 3
)

func (c *cuda) matmul(out, a, b, bias *Tensor, add bool) error {
	if done, err := c.blas.product(c, out, a, b, bias, add); done {
		return err
	}
	return c.ownMatmul(out, a, b, bias, add)
}

// ownMatmul is the product by attune's own kernels.
func (c *cuda) ownMatmul(out, a, b, bias *Tensor, add bool) error {
	m, n, k := out.shape[0], out.shape[1], a.shape[1]
	args := [15]uint64{out.address(), a.address(), b.address(), pointer(bias), uint64(m), uint64(n), uint64(k), uint64(out.strides[0]),
		uint64(a.strides[0]), uint64(a.strides[1]), uint64(b.strides[0]), uint64(b.strides[1]), flagBit(add), 0, flagBit(out.dtype == Float32)}
	if l, ok := c.mmaLayouts(a, b); ok && k > 0 {
		err := c.hopperProduct(out, a, b, l, args[:])
		if !errors.Is(err, ErrBrokenKernel) {
			return err
		}
		args[13] = uint64(tiles(n, mmaSide))
		name := l.of("gemm_mma_nn_%[1]s", "gemm_mma_nt_%[1]s", "gemm_mma_tn_%[1]s", "gemm_mma_tt_%[1]s")
		err = c.launchNamed(kernelName{file: "gemm_mma", name: name, one: a.dtype}, tiles(m, mmaSide)*tiles(n, mmaSide), gemmThreads,
			mmaStages*2*mmaSide*mmaDepth*2, args[:])
		if !errors.Is(err, ErrBrokenKernel) {
			return err
		}
	}
	args[13] = uint64(tiles(n, gemmSide))
	name := kernelName{file: "gemm", name: "gemm_%[1]s", one: a.dtype}
	if out.dtype != a.dtype {
		name.name = "gemm_%[1]s_f32"
	}
	return c.launchNamed(name, tiles(m, gemmSide)*tiles(n, gemmSide), gemmThreads, 0, args[:])
}

// layouts say of both matrices of a product whether they lie turned.
type layouts struct{ a, b bool }

// of is the kernel's name among those for its layouts.
func (l layouts) of(nn, nt, tn, tt string) string {
	switch l {
	case layouts{}:
		return nn
	case layouts{b: true}:
		return nt
	case layouts{a: true}:
		return tn
	}
	return tt
}

// mmaLayouts says how the matrices lie, and whether the tensor core kernels can copy them
// in pieces of 16 bytes.
func (c *cuda) mmaLayouts(a, b *Tensor) (l layouts, ok bool) {
	if !c.hasTensorCores() {
		return l, false
	}
	one := func(t *Tensor) (turned, ok bool) {
		side, rows := 1, 0
		if t.strides[1] != 1 {
			turned, side, rows = true, 0, 1
		}
		return turned, t.dtype != Float32 && t.address()%16 == 0 && t.strides[side] == 1 && t.shape[side]%8 == 0 && t.strides[rows]%8 == 0
	}
	var oka, okb bool
	l.a, oka = one(a)
	l.b, okb = one(b)
	return l, oka && okb
}
