package gpu

import (
	"fmt"

	"attune/gpu/host"
)

// DType is a tensor's element type.
type DType uint8

// The element types: IEEE 754 binary32 and binary16, bfloat16, and 32-bit signed
// integers. They are numbered as in package host.
const (
	Float32  = DType(host.F32)
	Float16  = DType(host.F16)
	BFloat16 = DType(host.BF16)
	Int32    = DType(host.I32)
)

// Size is the bytes of one element.
func (t DType) Size() int { return host.DType(t).Size() }

// Float says whether t is a floating-point type.
func (t DType) Float() bool { return t <= BFloat16 }

// String is the short name that errors use: "f32", "f16", "bf16", "i32".
func (t DType) String() string {
	if t > Int32 {
		return fmt.Sprintf("dtype(%d)", uint8(t))
	}
	return host.DType(t).String()
}

// live is an error unless all are tensors of one device whose memory has not been
// freed.
func live(all ...*Tensor) error {
	for _, t := range all {
		switch {
		case t == nil:
			return fmt.Errorf("nil tensor")
		case t.store.freed.Load():
			return fmt.Errorf("%s: used after Free", t)
		case t.store.dev.shut.closed():
			return fmt.Errorf("%s: used after its device was closed", t)
		case t.store.dev != all[0].store.dev:
			return fmt.Errorf("%s and %s: on two devices", all[0], t)
		}
	}
	return nil
}
