//go:build cgo

package driver

/*
#cgo LDFLAGS: -ldl
#include "shim.h"
#include <stdlib.h>

#cgo noescape attune_cuda_sync
#cgo nocallback attune_cuda_sync
#cgo noescape attune_cuda_alloc
#cgo nocallback attune_cuda_alloc
#cgo noescape attune_cuda_free
#cgo nocallback attune_cuda_free
#cgo noescape attune_cuda_info
#cgo nocallback attune_cuda_info
#cgo noescape attune_cuda_upload
#cgo nocallback attune_cuda_upload
#cgo noescape attune_cuda_download
#cgo nocallback attune_cuda_download
#cgo noescape attune_cuda_clear
#cgo nocallback attune_cuda_clear
#cgo noescape attune_cuda_launch
#cgo nocallback attune_cuda_launch
#cgo noescape attune_cuda_map
#cgo nocallback attune_cuda_map
*/
import "C"

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"unsafe"
)

// Library is the driver's library, opened. Its functions lie in memory of C.
type Library struct{ c *C.attune_cuda }

// Load opens the driver's library and starts it. Path "" means DefaultLibrary.
// The error wraps ErrNoLibrary, ErrNoSymbol or ErrNoDevice where one of these is
// the reason.
func Load(path string) (*Library, error) {
	if path == "" {
		path = DefaultLibrary
	}
	c := (*C.attune_cuda)(C.calloc(1, C.sizeof_attune_cuda))
	if c == nil {
		return nil, fmt.Errorf("load %s: no memory", path)
	}
	l := &Library{c}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var why [512]byte
	switch C.attune_cuda_open(l.c, name, (*C.char)(unsafe.Pointer(&why[0])), C.size_t(len(why))) {
	case 1:
		C.free(unsafe.Pointer(c))
		return nil, fmt.Errorf("load %s: %w: %s", path, ErrNoLibrary, text(why[:]))
	case 2:
		C.free(unsafe.Pointer(c))
		return nil, fmt.Errorf("load %s: %w: %s", path, ErrNoSymbol, text(why[:]))
	}
	if err := l.check("start the NVIDIA driver", C.attune_cuda_init(l.c)); err != nil {
		l.Close()
		if err.Code == codeNoDevice {
			return nil, fmt.Errorf("%w: %w", ErrNoDevice, err)
		}
		return nil, err
	}
	return l, nil
}

// Close unloads the library. Contexts of it must be closed before.
func (l *Library) Close() {
	if l.c == nil {
		return
	}
	C.attune_cuda_close(l.c)
	C.free(unsafe.Pointer(l.c))
	l.c = nil
}

// address is where the library's functions lie, as a number.
func (l *Library) address() C.uintptr_t { return C.uintptr_t(uintptr(unsafe.Pointer(l.c))) }

// text is a C string in a buffer.
func text(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

// check turns a result code into an error; nil for 0.
func (l *Library) check(act string, code C.int) *Error {
	if code == 0 {
		return nil
	}
	var name, what *C.char
	C.attune_cuda_error(l.c, code, &name, &what)
	return &Error{Act: act, Code: int(code), Name: C.GoString(name), Text: C.GoString(what)}
}

// Version is the newest CUDA version that the driver knows: 12040 is 12.4.
func (l *Library) Version() (int, error) {
	var v C.int
	if err := l.check("ask the driver's version", C.attune_cuda_version(l.c, &v)); err != nil {
		return 0, err
	}
	return int(v), nil
}

// Devices is the number of CUDA devices.
func (l *Library) Devices() (int, error) {
	var n C.int
	if err := l.check("count CUDA devices", C.attune_cuda_count(l.c, &n)); err != nil {
		return 0, err
	}
	return int(n), nil
}

// Context is the primary context of one device. Its methods may be called from
// any goroutine; work is done in the order of the calls.
type Context struct {
	lib    *Library
	device C.int
	ctx    unsafe.Pointer
	info   Info
	// lost is the sticky error that ended the context.
	lost atomic.Pointer[Error]
	// watch, if not nil, is told of launches.
	watch func(kernel string)
}

// Info describes a device. Capability is major*10 + minor, Memory is in bytes,
// Processors run blocks beside each other.
type Info struct {
	Name       string
	Capability int
	Memory     int64
	Processors int
}

// Open makes a context on the device with that index, from 0. It refuses a driver
// older than CUDA version minVersion (12040 is 12.4). The error wraps ErrOldDriver
// or ErrNoDevice where one of these is the reason.
func (l *Library) Open(index, minVersion int) (*Context, error) {
	version, err := l.Version()
	if err != nil {
		return nil, err
	}
	if version < minVersion {
		return nil, fmt.Errorf("%w: it knows CUDA %d.%d, %d.%d is needed", ErrOldDriver,
			version/1000, version%1000/10, minVersion/1000, minVersion%1000/10)
	}
	count, err := l.Devices()
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= count {
		return nil, fmt.Errorf("%w with index %d, there are %d", ErrNoDevice, index, count)
	}
	c := &Context{lib: l}
	if err := l.check("open the device's context", C.attune_cuda_retain(l.c, C.int(index), &c.device, &c.ctx)); err != nil {
		return nil, err
	}
	if err := c.describe(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Context) describe() error {
	var name [256]byte
	var major, minor, processors C.int
	var total C.size_t
	code := C.attune_cuda_describe(c.lib.c, c.device, (*C.char)(unsafe.Pointer(&name[0])), C.int(len(name)), &major, &minor, &processors, &total)
	if err := c.lib.check("describe the device", code); err != nil {
		return err
	}
	c.info = Info{Name: text(name[:]), Capability: int(major)*10 + int(minor), Memory: int64(total), Processors: int(processors)}
	return nil
}

// Info describes the context's device.
func (c *Context) Info() Info { return c.info }

// Lost is the error that ended the context, or nil. A kernel's error shows at a later
// call.
func (c *Context) Lost() error {
	if lost := c.lost.Load(); lost != nil {
		return lost
	}
	return nil
}

// Close releases the context.
func (c *Context) Close() error {
	if err := c.lib.check("release the device's context", C.attune_cuda_release(c.lib.c, c.device)); err != nil {
		return err
	}
	return nil
}

// do runs a call about size bytes (0 where it is about none) unless the context is
// lost, and remembers a sticky error.
func (c *Context) do(act string, size int64, call func() C.int) error {
	if lost := c.lost.Load(); lost != nil {
		return fmt.Errorf("%s: an earlier error ended the context: %w", act, lost)
	}
	return c.result(act, size, call())
}

func (c *Context) result(act string, size int64, code C.int) error {
	if code == 0 {
		return nil
	}
	err := c.lib.check(act, code)
	err.Bytes = size
	if err.Sticky() {
		c.lost.CompareAndSwap(nil, err)
	}
	return err
}

// Synchronize waits for all work and returns its first error.
func (c *Context) Synchronize() error {
	return c.do("wait for the device", 0, func() C.int { return C.attune_cuda_sync(c.lib.c, c.ctx) })
}

// Alloc returns the address of size bytes, aligned to 256.
func (c *Context) Alloc(size int64) (uint64, error) {
	var at C.uint64_t
	err := c.do("allocate device memory", size, func() C.int {
		return C.attune_cuda_alloc(c.lib.c, c.ctx, &at, C.size_t(size))
	})
	return uint64(at), err
}

// Free gives memory of Alloc back.
func (c *Context) Free(at uint64) error {
	return c.do("free device memory", 0, func() C.int { return C.attune_cuda_free(c.lib.c, c.ctx, C.uint64_t(at)) })
}

// MemInfo is the device's free and total memory in bytes, over all processes.
func (c *Context) MemInfo() (free, total int64, err error) {
	var f, t C.size_t
	err = c.do("ask for the device's memory", 0, func() C.int { return C.attune_cuda_info(c.lib.c, c.ctx, &f, &t) })
	return int64(f), int64(t), err
}

// Upload copies src to the device and waits until src may be changed.
func (c *Context) Upload(to uint64, src []byte) error {
	if len(src) == 0 {
		return nil
	}
	return c.do("copy to the device", int64(len(src)), func() C.int {
		return C.attune_cuda_upload(c.lib.c, c.ctx, C.uint64_t(to), unsafe.Pointer(&src[0]), C.size_t(len(src)))
	})
}

// Download waits for earlier work and copies from the device to dst.
func (c *Context) Download(dst []byte, from uint64) error {
	if len(dst) == 0 {
		return nil
	}
	return c.do("copy from the device", int64(len(dst)), func() C.int {
		return C.attune_cuda_download(c.lib.c, c.ctx, unsafe.Pointer(&dst[0]), C.uint64_t(from), C.size_t(len(dst)))
	})
}

// Clear sets size bytes to zero.
func (c *Context) Clear(at uint64, size int64) error {
	if size == 0 {
		return nil
	}
	return c.do("clear device memory", size, func() C.int { return C.attune_cuda_clear(c.lib.c, c.ctx, C.uint64_t(at), C.size_t(size)) })
}

// MapsTensors says whether the driver knows tensor maps.
func (c *Context) MapsTensors() bool { return c.lib.c.tile_map != nil }

// MapTensor describes a tensor to the device: the words of a kernel's argument, where
// they are aligned to 64 bytes.
func (c *Context) MapTensor(m TensorMap) (words [TensorMapWords]uint64, err error) {
	// CU_TENSOR_MAP_DATA_TYPE_FLOAT16 is 6, _BFLOAT16 9.
	dtype := C.int(6)
	if m.BF16 {
		dtype = 9
	}
	code := C.attune_cuda_map(c.lib.c, unsafe.Pointer(&words[0]), dtype, C.uint64_t(m.Addr), (*C.uint64_t)(&m.Size[0]), (*C.uint64_t)(&m.Step[0]), C.uint32_t(m.Rows))
	if code == -1 {
		return words, fmt.Errorf("%w: cuTensorMapEncodeTiled", ErrNoSymbol)
	}
	if code != 0 {
		return words, c.result("describe a tensor to the device", 0, code)
	}
	return words, nil
}

// Module is compiled PTX in a context.
type Module struct {
	ctx    *Context
	handle unsafe.Pointer
}

// Function is a kernel of a module.
type Function struct {
	ctx    *Context
	handle unsafe.Pointer
	name   string
	shared int // bytes that every launch gets
}

// Load compiles PTX for the device. The error holds the compiler's messages.
func (c *Context) Load(ptx []byte) (*Module, error) {
	image := append(bytes.Clone(ptx), 0)
	m := &Module{ctx: c}
	var log [4096]byte
	err := c.do("compile PTX", 0, func() C.int {
		return C.attune_cuda_load(c.lib.c, c.ctx, &m.handle, (*C.char)(unsafe.Pointer(&image[0])), (*C.char)(unsafe.Pointer(&log[0])), C.size_t(len(log)))
	})
	if e, ok := err.(*Error); ok && (e.Code == codeBadPTX || e.Code == codeNewPTX) {
		e.Log = text(log[:])
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Unload frees the module.
func (m *Module) Unload() error {
	return m.ctx.do("unload kernels", 0, func() C.int { return C.attune_cuda_unload(m.ctx.lib.c, m.ctx.ctx, m.handle) })
}

// Function finds a kernel by its name.
func (m *Module) Function(name string) (*Function, error) {
	f := &Function{ctx: m.ctx, name: name}
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	err := m.ctx.do("find kernel "+name, 0, func() C.int {
		return C.attune_cuda_function(m.ctx.lib.c, m.ctx.ctx, &f.handle, m.handle, s)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Share gives every launch of the kernel so many bytes of shared memory beside what
// the kernel declares. Call it before the first launch.
func (f *Function) Share(bytes int) error {
	f.shared = bytes
	return f.ctx.do(fmt.Sprintf("give %s %d bytes of shared memory", f.name, bytes), 0, func() C.int {
		return C.attune_cuda_allow(f.ctx.lib.c, f.ctx.ctx, f.handle, C.int(bytes))
	})
}

// Launch starts the kernel on blocks of threads, both one-dimensional. The
// kernel's one struct argument is args, eight bytes a field. It does not wait:
// errors of the kernel itself come from a later call.
func (f *Function) Launch(blocks, threads int, args []uint64) error {
	c := f.ctx
	if lost := c.lost.Load(); lost != nil {
		return fmt.Errorf("launch %s: an earlier error ended the context: %w", f.name, lost)
	}
	if c.watch != nil {
		c.watch(f.name)
	}
	code := C.attune_cuda_launch(c.lib.address(), C.uintptr_t(uintptr(c.ctx)), C.uintptr_t(uintptr(f.handle)), C.uint(blocks), C.uint(threads), C.uint(f.shared), (*C.uint64_t)(unsafe.Pointer(&args[0])), C.size_t(len(args)))
	if code != 0 {
		return c.result(fmt.Sprintf("launch %s on %d blocks of %d threads", f.name, blocks, threads), 0, code)
	}
	return nil
}
