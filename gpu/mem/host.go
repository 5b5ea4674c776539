package mem

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
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

// Reserve returns size bytes of Go memory at a 64-byte boundary. It refuses what the
// machine, Go's memory limit (GOMEMLIMIT) or the address space could never hold, where
// the runtime would end the process.
func (Heap) Reserve(size int64) (Region, error) {
	limit := min(debug.SetMemoryLimit(-1), maxSlice)
	if size > large {
		limit = min(limit, machine())
	}
	if size > limit {
		return Region{}, fmt.Errorf("reserve %s of host memory: there are %s in all", Bytes(size), Bytes(limit))
	}
	raw := make([]byte, size+alignment-1)
	off := -int(uintptr(unsafe.Pointer(&raw[0]))) & (alignment - 1)
	return Region{Host: raw[off : off+int(size) : off+int(size)]}, nil
}

// maxSlice keeps make from panicking: no machine that attune knows has more.
const maxSlice = 1 << 46

// large is from where on a block is compared with what the machine has.
const large = 1 << 30

// machine is the memory of the machine and what it may swap out, in bytes; more than any
// has where the system does not say.
func machine() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return maxSlice
	}
	total := int64(0)
	for line := range strings.Lines(string(text)) {
		var kib int64
		name, rest, _ := strings.Cut(line, ":")
		if name != "MemTotal" && name != "SwapTotal" {
			continue
		}
		if _, err := fmt.Sscan(rest, &kib); err != nil {
			return maxSlice
		}
		total += kib << 10
	}
	if total == 0 {
		return maxSlice
	}
	return total
}

// Release leaves the bytes to the garbage collector.
func (Heap) Release(Region, int64) error { return nil }
