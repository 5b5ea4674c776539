package gpu

import (
	"errors"
	"fmt"
	"strings"

	"attune/gpu/host"
)

// DType is a tensor's element type.
type DType uint8

// The element types, numbered as in package host.
const (
	// Float32 is IEEE 754's binary32: 4 bytes, 24 bits of precision.
	Float32 = DType(host.F32)
	// Float16 is IEEE 754's binary16: 2 bytes, 11 bits, up to 65504.
	Float16 = DType(host.F16)
	// BFloat16 is the upper half of a Float32: 2 bytes, 8 bits, up to 3.4e38.
	BFloat16 = DType(host.BF16)
	// Int32 is a signed integer of 4 bytes, for labels and ids.
	Int32 = DType(host.I32)
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

// errNil is what a nil tensor is called: mostly an error was not looked at.
var errNil = errors.New("nil tensor: the call that was to make it may have failed")

// live is an error unless all are tensors of one device whose memory has not been
// freed.
func live(all ...*Tensor) error {
	for _, t := range all {
		switch {
		case t == nil:
			return errNil
		case t.store.freed.Load():
			return fmt.Errorf("%s: used after Free", t)
		case t.store.dev.shut.closed():
			return fmt.Errorf("%s: used after its device was closed", t)
		case t.store.dev != all[0].store.dev:
			return fmt.Errorf("%s and %s: %s", all[0], t, apart(all[0].store.dev, t.store.dev))
		}
	}
	return nil
}

// apart says that two tensors that are to be used together are on two devices.
func apart(a, b *Device) string {
	if a.name == b.name {
		return "on two devices of one name: each call of Open makes one with memory of its own; Tensor.On copies from one to the other"
	}
	return "on two devices; Tensor.On copies from one to the other"
}

// oneOf lists types for an error: "f32, f16 or bf16".
func oneOf(types []DType) string {
	var names []string
	for _, t := range types {
		names = append(names, t.String())
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// plural is a number of things in words.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
