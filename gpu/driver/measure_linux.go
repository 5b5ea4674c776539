//go:build cgo

package driver

// #include "shim_measure.h"
// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

// functions are the library's.
func (l *Library) functions() *C.attune_cuda { return l.c }

// Traits are what a device has of its processors and caches.
type Traits struct {
	Processors int
	L2         int64 // bytes
}

// Traits asks for them.
func (c *Context) Traits() (Traits, error) {
	var processors, l2 C.int
	// CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT is 16, _L2_CACHE_SIZE 38.
	code := C.attune_cuda_attribute(c.lib.functions(), c.device, 16, &processors)
	if code == 0 {
		code = C.attune_cuda_attribute(c.lib.functions(), c.device, 38, &l2)
	}
	return Traits{int(processors), int64(l2)}, c.result("describe the device", 0, code)
}

// Marks are places in a context's work, by the device's own clock.
type Marks struct {
	ctx *Context
	c   *C.attune_marks
}

// Marks makes n of them. The error wraps ErrNoSymbol where the driver has none.
func (c *Context) Marks(n int) (*Marks, error) {
	m := &Marks{ctx: c, c: (*C.attune_marks)(C.calloc(1, C.sizeof_attune_marks))}
	if m.c == nil {
		return nil, errors.New("make marks in the device's work: no memory")
	}
	code := C.attune_marks_open(c.lib.functions(), c.ctx, m.c, C.int(n))
	if code == 0 {
		return m, nil
	}
	C.free(unsafe.Pointer(m.c))
	if code < 0 {
		return nil, fmt.Errorf("make marks in the device's work: %w: cuEventCreate", ErrNoSymbol)
	}
	return nil, c.result("make marks in the device's work", 0, code)
}

// Close frees the marks.
func (m *Marks) Close() {
	C.attune_marks_close(m.ctx.lib.functions(), m.ctx.ctx, m.c)
	C.free(unsafe.Pointer(m.c))
}

// Set puts mark i behind all that was asked for so far.
func (m *Marks) Set(i int) error {
	return m.ctx.do("mark the device's work", 0, func() C.int { return C.attune_marks_set(m.ctx.lib.functions(), m.ctx.ctx, m.c, C.int(i)) })
}

// Between is the device's time from mark i to mark j. Synchronize comes before it.
func (m *Marks) Between(i, j int) (time.Duration, error) {
	var ms C.float
	err := m.ctx.do("read the device's clock", 0, func() C.int {
		return C.attune_marks_between(m.ctx.lib.functions(), m.ctx.ctx, m.c, C.int(i), C.int(j), &ms)
	})
	return time.Duration(float64(ms) * 1e6), err
}

// Watch lets f know each kernel that is launched in the context; nil ends it. Call it
// before other goroutines use the context.
func (c *Context) Watch(f func(kernel string)) { c.watch = f }

// Launches does Launch n times in C, and tells how long that took.
func (f *Function) Launches(n, blocks, threads int, args []uint64) (time.Duration, error) {
	c := f.ctx
	var seconds C.double
	err := c.do("launch "+f.name, 0, func() C.int {
		return C.attune_cuda_launches(c.lib.functions(), c.ctx, f.handle, C.uint(blocks), C.uint(threads), C.uint(f.shared),
			unsafe.Pointer(&args[0]), C.size_t(8*len(args)), C.int(n), &seconds)
	})
	runtime.KeepAlive(args)
	return time.Duration(float64(seconds) * 1e9), err
}
