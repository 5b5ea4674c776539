package mem

import (
	"fmt"
	"math"
	"runtime/debug"
	"unsafe"
)

// alignment is the host blocks' alignment in bytes: a cache line and an AVX-512
// register.
const alignment = 64

// Heap is the Source of host memory. It takes from Go's heap: a slice that a
// user keeps is then always valid memory, C code may read it during a call
// without pinning (it holds no pointers), and the garbage collector's pacing
// sees these bytes. Steady training makes no garbage, because the allocator's
// free lists sit in between.
type Heap struct{}

// Reserve returns size bytes of Go memory at a 64-byte boundary. It refuses what
// Go's memory limit (GOMEMLIMIT) or the address space could never hold, where
// the runtime would end the process.
func (Heap) Reserve(size int64) (Region, error) {
	limit := debug.SetMemoryLimit(-1)
	if size > limit || size > math.MaxInt64/2 || size > maxSlice {
		return Region{}, fmt.Errorf("reserve %d bytes of host memory: above the limit of %d", size, min(limit, maxSlice))
	}
	raw := make([]byte, size+alignment-1)
	off := -int(uintptr(unsafe.Pointer(&raw[0]))) & (alignment - 1)
	return Region{Host: raw[off : off+int(size) : off+int(size)]}, nil
}

// maxSlice keeps make from panicking: no machine that attune knows has more.
const maxSlice = 1 << 46

// Release leaves the bytes to the garbage collector.
func (Heap) Release(Region, int64) error { return nil }
