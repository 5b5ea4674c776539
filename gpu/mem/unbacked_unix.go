//go:build unix

package mem

import (
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

// Unbacked is the Source of address ranges with nothing behind them, for a device
// whose tensors have shapes and no values. They count as any other memory, cost none,
// and reading or writing them is a fault.
type Unbacked struct{ open *ranges }

// ranges are those that were not released yet.
type ranges struct {
	mu  sync.Mutex
	all map[*byte][]byte
}

// NewUnbacked returns a source. What was not released goes back when nobody reaches
// the source any more.
func NewUnbacked() *Unbacked {
	u := &Unbacked{open: &ranges{all: map[*byte][]byte{}}}
	runtime.AddCleanup(u, func(r *ranges) { r.close() }, u.open)
	return u
}

// Reserve returns a range of addresses at a page's boundary. It refuses what the
// address space does not hold.
func (u *Unbacked) Reserve(size int64) (Region, error) {
	if size > maxSlice {
		return Region{}, fmt.Errorf("reserve %d addresses: above the limit of %d", size, maxSlice)
	}
	b, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return Region{}, fmt.Errorf("reserve %d addresses: %w", size, err)
	}
	u.open.mu.Lock()
	defer u.open.mu.Unlock()
	u.open.all[unsafe.SliceData(b)] = b
	return Region{Host: b}, nil
}

// Release gives a range back.
func (u *Unbacked) Release(r Region, _ int64) error {
	u.open.mu.Lock()
	defer u.open.mu.Unlock()
	delete(u.open.all, unsafe.SliceData(r.Host))
	return syscall.Munmap(r.Host)
}

func (r *ranges) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at, b := range r.all {
		_ = syscall.Munmap(b)
		delete(r.all, at)
	}
}
