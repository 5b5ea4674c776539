package gpu

import (
	"fmt"
	"runtime"
	"slices"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// Zeros returns a dense float32 tensor of zeros, as dev.Zeros(mem.Data, 2, 3) one of two
// rows and three columns. See Empty for cat, shape and errors.
func (d *Device) Zeros(cat mem.Category, shape ...int) (*Tensor, error) {
	return d.ZerosOf(Float32, cat, shape...)
}

// ZerosOf is Zeros of another element type.
func (d *Device) ZerosOf(dtype DType, cat mem.Category, shape ...int) (*Tensor, error) {
	return d.filled(dtype, cat, shape, (*Tensor).Clear)
}

// FromFloat32s returns a dense float32 tensor of that shape with a copy of data, row-major
// and of as many values as the shape has. See Empty for the rest.
func (d *Device) FromFloat32s(data []float32, cat mem.Category, shape ...int) (*Tensor, error) {
	return d.filled(Float32, cat, shape, func(t *Tensor) error { return t.CopyFrom(data) })
}

// Wrap returns a dense float32 tensor of the CPU whose memory is data itself: what
// one writes the other sees. Its bytes count as live while the tensor lives; Free
// leaves data alone.
func (d *Device) Wrap(data []float32, cat mem.Category, shape ...int) (*Tensor, error) {
	n := 1
	for _, s := range shape {
		n *= s
	}
	if n != len(data) || slices.ContainsFunc(shape, func(s int) bool { return s < 0 }) {
		return nil, fmt.Errorf("wrap %d float32 values as a tensor %s: want %d", len(data), dims(shape), n)
	}
	if d == nil {
		return nil, fmt.Errorf("wrap %d float32 values as a tensor %s: %s", len(data), dims(shape), d.unfit(Float32))
	}
	if d.name != "cpu" {
		return nil, fmt.Errorf("wrap %d float32 values as a tensor %s on %s: it is not the CPU", len(data), dims(shape), d.name)
	}
	block, err := d.memory.Adopt(host.Bytes(data), cat)
	if err != nil {
		return nil, fmt.Errorf("wrap %d float32 values as a tensor %s: %w", len(data), dims(shape), err)
	}
	return d.over(block, Float32, shape), nil
}

// FromInt32s is FromFloat32s for integers.
func (d *Device) FromInt32s(data []int32, cat mem.Category, shape ...int) (*Tensor, error) {
	return d.filled(Int32, cat, shape, func(t *Tensor) error { return t.CopyFromInt32s(data) })
}

// filled makes a tensor and frees it where fill fails.
func (d *Device) filled(dtype DType, cat mem.Category, shape []int, fill func(t *Tensor) error) (*Tensor, error) {
	t, err := d.Empty(dtype, cat, shape...)
	if err != nil {
		return nil, err
	}
	if err := fill(t); err != nil {
		_ = t.Free()
		return nil, err
	}
	return t, nil
}

// As returns a dense copy of t with another element type, of t's category.
// Conversions to floating point round to nearest, ties to even; those to integers
// round towards zero, stop at the ends of the range, and make NaN 0.
func (t *Tensor) As(dtype DType) (*Tensor, error) {
	if err := live(t); err != nil {
		return nil, fmt.Errorf("convert to %s: %w", dtype, err)
	}
	return t.store.dev.filled(dtype, t.Category(), t.shape, func(c *Tensor) error { return Copy(c, t) })
}

// Clone returns a dense copy of t, of t's category.
func (t *Tensor) Clone() (*Tensor, error) { return t.As(t.dtype) }

// On returns a dense copy of t on another device, of t's category.
func (t *Tensor) On(dev *Device) (*Tensor, error) {
	if err := live(t); err != nil {
		return nil, fmt.Errorf("copy to %s: %w", dev.name, err)
	}
	return dev.filled(t.dtype, t.Category(), t.shape, func(c *Tensor) error { return Copy(c, t) })
}

// Copy writes src into dst: one shape, any strides, any element types (see As for
// how they convert), any devices. The two must not overlap.
func Copy(dst, src *Tensor) error {
	if err := copyTensor(dst, src); err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return nil
}

func copyTensor(dst, src *Tensor) error {
	for _, t := range []*Tensor{dst, src} {
		if err := live(t); err != nil {
			return err
		}
	}
	if !slices.Equal(dst.shape, src.shape) {
		return fmt.Errorf("%s to %s: want one shape", src, dst)
	}
	defer keep(dst, src)
	if dst.Len() == 0 {
		return nil
	}
	if dst.begins(src) && !dst.steps(src) {
		return fmt.Errorf("%s to %s: two views of the same elements", src, dst)
	}
	dst.overwritten()
	if dst.store.dev != src.store.dev {
		return across(dst, src)
	}
	if err := dst.store.dev.back.copy(dst, src); err != nil {
		return fmt.Errorf("%s to %s: %w", src, dst, err)
	}
	return nil
}

// across copies between devices by way of host memory: dense, converted on the
// side of dst.
func across(dst, src *Tensor) error {
	bytes := make([]byte, src.Len()*src.dtype.Size())
	if err := src.read(bytes); err != nil {
		return err
	}
	if dst.dtype == src.dtype {
		return dst.write(bytes)
	}
	there, err := dst.store.dev.Empty(src.dtype, mem.Workspace, src.shape...)
	if err != nil {
		return err
	}
	if err = there.write(bytes); err == nil {
		err = copyTensor(dst, there)
	}
	if ferr := there.Free(); err == nil {
		err = ferr
	}
	return err
}

// read copies t's elements out, row-major.
func (t *Tensor) read(dst []byte) error {
	defer keep(t)
	if t.Dense() {
		return t.store.dev.back.download(dst, t)
	}
	return t.through(func(c *Tensor) error {
		if err := copyTensor(c, t); err != nil {
			return err
		}
		return t.store.dev.back.download(dst, c)
	})
}

// write copies elements in, row-major.
func (t *Tensor) write(src []byte) error {
	defer keep(t)
	t.put(src)
	if t.Dense() {
		return t.store.dev.back.upload(t, src)
	}
	return t.through(func(c *Tensor) error {
		if err := t.store.dev.back.upload(c, src); err != nil {
			return err
		}
		return copyTensor(t, c)
	})
}

// through runs f with a dense workspace of t's shape and type.
func (t *Tensor) through(f func(c *Tensor) error) error {
	c, err := t.store.dev.Empty(t.dtype, mem.Workspace, t.shape...)
	if err != nil {
		return err
	}
	err = f(c)
	if ferr := c.Free(); err == nil {
		err = ferr
	}
	return err
}

// CopyFrom copies src into t, row-major; a half-precision t gets the nearest
// values.
func (t *Tensor) CopyFrom(src []float32) error {
	err := t.holds(len(src), Float32, Float16, BFloat16)
	if err == nil {
		bytes := host.Bytes(src)
		if t.dtype != Float32 {
			bytes = make([]byte, 2*len(src))
			err = hostCast(bytes, host.DType(t.dtype), host.Bytes(src), host.F32, len(src))
		}
		if err == nil {
			err = t.write(bytes)
		}
	}
	if err != nil {
		return fmt.Errorf("copy %d float32 values to tensor: %w", len(src), err)
	}
	return nil
}

// CopyTo copies the floating-point tensor t into dst, row-major.
func (t *Tensor) CopyTo(dst []float32) error {
	err := t.holds(len(dst), Float32, Float16, BFloat16)
	if err == nil && t.dtype == Float32 {
		err = t.read(host.Bytes(dst))
	} else if err == nil {
		bytes := make([]byte, 2*len(dst))
		if err = t.read(bytes); err == nil {
			err = hostCast(host.Bytes(dst), host.F32, bytes, host.DType(t.dtype), len(dst))
		}
	}
	if err != nil {
		return fmt.Errorf("copy tensor to %d float32 values: %w", len(dst), err)
	}
	return nil
}

// CopyFromInt32s copies src into the int32 tensor t, row-major.
func (t *Tensor) CopyFromInt32s(src []int32) error {
	err := t.holds(len(src), Int32)
	if err == nil {
		err = t.write(host.Bytes(src))
	}
	if err != nil {
		return fmt.Errorf("copy %d int32 values to tensor: %w", len(src), err)
	}
	return nil
}

// Float32s returns a copy of the floating-point tensor's values, row-major.
func (t *Tensor) Float32s() ([]float32, error) {
	if err := live(t); err != nil {
		return nil, fmt.Errorf("read tensor: %w", err)
	}
	out := make([]float32, t.Len())
	if err := t.CopyTo(out); err != nil {
		return nil, err
	}
	return out, nil
}

// Int32s returns a copy of the int32 tensor's values, row-major.
func (t *Tensor) Int32s() ([]int32, error) {
	if err := live(t); err != nil {
		return nil, fmt.Errorf("read tensor: %w", err)
	}
	out := make([]int32, t.Len())
	err := t.holds(len(out), Int32)
	if err == nil {
		err = t.read(host.Bytes(out))
	}
	if err != nil {
		return nil, fmt.Errorf("read tensor: %w", err)
	}
	return out, nil
}

// Data returns the dense float32 CPU tensor's own values, without a copy: writing
// to the slice writes to the tensor. The slice stays valid memory after Free.
func (t *Tensor) Data() ([]float32, error) {
	if err := t.holds(-1, Float32); err != nil {
		return nil, fmt.Errorf("share tensor: %w", err)
	}
	if !t.Dense() {
		return nil, fmt.Errorf("share tensor: %s: not dense, strides %s; Float32s copies", t, dims(t.strides))
	}
	if t.store.dev.Meta() {
		return make([]float32, t.Len()), nil
	}
	raw := t.store.block.Share()
	if raw == nil && t.Len() > 0 {
		return nil, fmt.Errorf("share tensor: %s is not in host memory", t)
	}
	return host.As[float32](raw)[t.offset:][:t.Len():t.Len()], nil
}

// Clear sets the tensor's elements to zero.
func (t *Tensor) Clear() error {
	if err := live(t); err != nil {
		return fmt.Errorf("clear tensor: %w", err)
	}
	defer runtime.KeepAlive(t.store)
	t.overwritten()
	if !t.Dense() {
		return t.write(make([]byte, t.Len()*t.dtype.Size()))
	}
	return t.store.dev.back.clear(t)
}

// holds is an error unless t is live, of one of the types, and has n elements (any
// number for -1).
func (t *Tensor) holds(n int, types ...DType) error {
	if err := live(t); err != nil {
		return err
	}
	if !slices.Contains(types, t.dtype) {
		return fmt.Errorf("%s: want %s; As converts", t, oneOf(types))
	}
	if n >= 0 && n != t.Len() {
		return fmt.Errorf("%s has %s", t, plural(t.Len(), "element", "elements"))
	}
	return nil
}

// hostCast converts n elements in host memory.
func hostCast(dst []byte, dt host.DType, src []byte, st host.DType, n int) error {
	engine, err := host.New(host.Best(), 0, nil)
	if err != nil {
		return err
	}
	shape, strides := []int{n}, []int{1}
	return engine.Copy(host.View{Data: dst, DType: dt, Shape: shape, Strides: strides}, host.View{Data: src, DType: st, Shape: shape, Strides: strides})
}
