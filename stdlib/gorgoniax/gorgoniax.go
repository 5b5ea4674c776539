// Package gorgoniax owns the bridge to gorgonia: attune's optimizers as a gorgonia
// Solver, its attention as an Op with a gradient, and gorgonia.org/tensor's Dense
// in and out of gpu tensors. It imports gpu, gpu/mem, gorgonia and its tensor. It
// lies in stdlib and not in gpu, because gpu stands without a graph library, and
// cells that use none do not wait for it.
//
// Values are float32. On the CPU nothing is copied: a Dense and the tensor made of
// it share memory.
package gorgoniax

import (
	"fmt"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"attune/gpu"
	"attune/gpu/mem"
)

// FromDense is d as a tensor on dev, counted as cat. On the CPU the two share
// memory, where d is dense and row-major; a view or a transposed d is copied, and
// so is every d to another device.
func FromDense(dev *gpu.Device, d *tensor.Dense, cat mem.Category) (*gpu.Tensor, error) {
	t, _, err := fromDense(dev, d, cat)
	return t, err
}

// fromDense also says whether the memory is shared.
func fromDense(dev *gpu.Device, d *tensor.Dense, cat mem.Category) (t *gpu.Tensor, shared bool, err error) {
	if d == nil || dev == nil {
		return nil, false, fmt.Errorf("make a gpu tensor of a Dense: nil %s: the call that was to make it may have failed", map[bool]string{true: "Dense", false: "device"}[d == nil])
	}
	if d.Dtype() != tensor.Float32 {
		return nil, false, fmt.Errorf("make a gpu tensor of a Dense %v of %v: want float32", d.Shape(), d.Dtype())
	}
	shared = dev.Name() == "cpu"
	if d.RequiresIterator() || !d.DataOrder().IsRowMajor() {
		shared = false
		if d, err = rowMajor(d); err != nil {
			return nil, false, err
		}
	}
	if dev.Name() == "cpu" {
		t, err = dev.Wrap(d.Float32s(), cat, d.Shape()...)
	} else {
		t, err = dev.FromFloat32s(d.Float32s(), cat, d.Shape()...)
	}
	if err != nil {
		return nil, false, fmt.Errorf("make a gpu tensor of a Dense %v: %w", d.Shape(), err)
	}
	return t, shared, nil
}

// rowMajor copies a view or transposed d.
func rowMajor(d *tensor.Dense) (*tensor.Dense, error) {
	out := tensor.New(tensor.WithShape(d.Shape().Clone()...), tensor.Of(tensor.Float32))
	to, from := out.Float32s(), d.Float32s()
	it := d.Iterator()
	for i := range to {
		at, err := it.Next()
		if err != nil {
			return nil, fmt.Errorf("copy a Dense %v with strides %v: %w", d.Shape(), d.Strides(), err)
		}
		to[i] = from[at]
	}
	return out, nil
}

// ToDense is t as a Dense. On the CPU the two share memory where t is dense, and
// the Dense stays valid after t is freed; otherwise the values are copied.
func ToDense(t *gpu.Tensor) (*tensor.Dense, error) {
	values, err := t.Data()
	if err != nil {
		values, err = t.Float32s()
	}
	if err != nil {
		return nil, fmt.Errorf("make a Dense: %w", err)
	}
	return tensor.New(tensor.WithShape(t.Shape()...), tensor.WithBacking(values)), nil
}

// dense is a graph's value as a Dense; a scalar is one of shape (1).
func dense(v gorgonia.Value) (*tensor.Dense, error) {
	switch v := v.(type) {
	case *tensor.Dense:
		return v, nil
	case *gorgonia.F32:
		return tensor.New(tensor.WithShape(1), tensor.WithBacking(unsafe.Slice((*float32)(v), 1))), nil
	case nil:
		return nil, fmt.Errorf("no value")
	}
	return nil, fmt.Errorf("a value of type %T: want a float32 *tensor.Dense", v)
}
