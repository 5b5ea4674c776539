// Package mem owns the bytes that tensors live in: one accounting, caching
// allocator for host and device memory alike. It counts exactly what was asked
// for, by category, so that a prediction of a run's memory can be checked to the
// byte. It imports the standard library only; where the memory comes from is a
// Source handed in.
package mem

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"time"
)

// Region is raw memory as a Source hands it out. Host memory has Host; device
// memory has Addr, an address that only the device understands.
type Region struct {
	Addr uint64
	Host []byte
}

// Source is where raw memory comes from. Its methods are called one at a time.
type Source interface {
	// Reserve returns at least size bytes, aligned to 64 bytes.
	Reserve(size int64) (Region, error)
	// Release gives a region of that size back.
	Release(r Region, size int64) error
}

// Counters are bytes and the number of live blocks. Live is exactly what was
// asked for, Peak its highest value, Reserved is Live with every block rounded up
// to its size class.
type Counters struct {
	Live, Peak, Reserved int64
	Blocks               int
}

// Snapshot is an allocator's state at one moment. All figures are bytes.
type Snapshot struct {
	// Name is the device's name: "cpu", "cuda:0".
	Name string
	// Total counts requested bytes over all categories. Its Peak is the peak of the
	// sum, which is at most the sum of the categories' peaks.
	Total      Counters
	ByCategory [NumCategories]Counters
	// Reserved is what the Source has handed out: Total.Reserved and Cached.
	Reserved, ReservedPeak int64
	// Cached is the part of Reserved that no block uses.
	Cached int64
	// Cap is the limit on Total.Live; 0 means none.
	Cap int64
}

// Allocator hands out blocks. All methods may be called from any goroutine.
type Allocator struct {
	mu     sync.Mutex
	source Source
	state  Snapshot
	free   [numClasses]freeList
	newest *Block // of those that are live, see Block.older
	spare  *Block // of those that were returned, by older
	log    ring
	start  time.Time // which events are counted from: half as long to read as the time of day
	subs   map[int]func(Event)
	nextID int
	blocks uint64
	closed bool
	// reclaim runs without the lock when memory is short, before giving up.
	reclaim func()
}

// Block is a piece of memory in use. It must be freed once; later calls of Free
// do nothing.
type Block struct {
	owner  *Allocator
	id     uint64
	region Region
	size   int64
	class  int64
	cat    Category
	born   time.Duration // since the allocator's start
	freed  bool
	shared bool
	// older and newer are its neighbours among the live.
	older, newer *Block
}

// New returns an allocator over source. The name stands in errors and snapshots.
// Reclaim, if not nil, is called (with no lock held) when the cap or the source
// refuses; it may free blocks, after which the allocation is tried once more.
func New(name string, source Source, reclaim func()) *Allocator {
	return &Allocator{
		source:  source,
		state:   Snapshot{Name: name},
		start:   time.Now(),
		log:     ring{events: make([]event, 0, logSize)},
		subs:    map[int]func(Event){},
		reclaim: reclaim,
	}
}

// Alloc returns a block of size bytes (zero is allowed) for cat. The memory is
// aligned to 64 bytes and not cleared. The error is an *OutOfMemoryError when
// the cap or the source refuses, or wraps ErrClosed.
func (a *Allocator) Alloc(size int64, cat Category) (*Block, error) {
	if size < 0 || cat >= NumCategories {
		return nil, fmt.Errorf("allocate %d bytes of category %d on %s: no such size or category", size, cat, a.state.Name)
	}
	b, err := a.try(size, cat)
	if err != nil && a.reclaim != nil && !errors.Is(err, ErrClosed) {
		a.reclaim()
		b, err = a.try(size, cat)
	}
	if err != nil && !errors.Is(err, ErrClosed) {
		a.mu.Lock()
		a.emit(OutOfMemory, cat, size, a.now())
	}
	return b, err
}

// Adopt makes a block of host memory that the caller keeps: it counts as live, and
// its region does not count as reserved. Freeing it leaves the memory alone. The
// error is an *OutOfMemoryError where the cap refuses, or wraps ErrClosed.
func (a *Allocator) Adopt(memory []byte, cat Category) (*Block, error) {
	size := int64(len(memory))
	if cat >= NumCategories {
		return nil, fmt.Errorf("adopt %d bytes of category %d on %s: no such category", size, cat, a.state.Name)
	}
	a.mu.Lock()
	s := &a.state
	if a.closed {
		a.mu.Unlock()
		return nil, fmt.Errorf("adopt %d bytes on %s: %w", size, s.Name, ErrClosed)
	}
	if s.Cap > 0 && s.Total.Live+size > s.Cap {
		err := a.outOfMemory(size, cat, nil)
		a.emit(OutOfMemory, cat, size, a.now())
		return nil, err
	}
	return a.enlist(Region{Host: memory}, size, 0, cat), nil
}

// enlist makes a live block and tells of it. The lock is held, and let go of.
func (a *Allocator) enlist(r Region, size, class int64, cat Category) *Block {
	a.blocks++
	b := a.spare
	if b == nil {
		b = new(Block)
	} else {
		a.spare = b.older
	}
	*b = Block{owner: a, id: a.blocks, region: r, size: size, class: class, cat: cat, born: a.now()}
	if b.older = a.newest; b.older != nil {
		b.older.newer = b
	}
	a.newest = b
	a.state.Total.add(b)
	a.state.ByCategory[cat].add(b)
	a.emit(Alloc, cat, size, b.born)
	return b
}

func (a *Allocator) try(size int64, cat Category) (*Block, error) {
	a.mu.Lock()
	class := sizeClass(size)
	region, err := a.allowed(size, class, cat)
	if err != nil {
		a.mu.Unlock()
		return nil, err
	}
	return a.enlist(region, size, class, cat), nil
}

// allowed takes a region for a block, if one may be made. The lock is held.
func (a *Allocator) allowed(size, class int64, cat Category) (Region, error) {
	s := &a.state
	if a.closed {
		return Region{}, fmt.Errorf("allocate %d bytes on %s: %w", size, s.Name, ErrClosed)
	}
	if s.Cap > 0 && s.Total.Live+size > s.Cap {
		return Region{}, a.outOfMemory(size, cat, nil)
	}
	region, err := a.take(class)
	if err != nil {
		return Region{}, a.outOfMemory(size, cat, err)
	}
	return region, nil
}

// take finds a region of the class in the free lists, or reserves one. The cache
// yields before the source is asked for more than the cap, and when it refuses.
func (a *Allocator) take(class int64) (Region, error) {
	if class == 0 {
		return Region{}, nil
	}
	s := &a.state
	if list := &a.free[classIndex(class)]; len(list.regions) > 0 {
		last := len(list.regions) - 1
		r := list.regions[last]
		list.regions[last] = Region{}
		list.regions = list.regions[:last]
		s.Cached -= class
		return r, nil
	}
	if s.Cap > 0 && s.Reserved+class > s.Cap {
		if err := a.trim(); err != nil {
			return Region{}, err
		}
	}
	r, err := a.source.Reserve(class)
	if err != nil && s.Cached > 0 {
		if terr := a.trim(); terr != nil {
			return Region{}, terr
		}
		r, err = a.source.Reserve(class)
	}
	if err != nil {
		return Region{}, err
	}
	s.Reserved += class
	s.ReservedPeak = max(s.ReservedPeak, s.Reserved)
	return r, nil
}

// trim releases every cached region. The lock is held.
func (a *Allocator) trim() error {
	var first error
	for i := range a.free {
		list := &a.free[i]
		for _, r := range list.regions {
			if err := a.source.Release(r, list.class); err != nil && first == nil {
				first = fmt.Errorf("release %d cached bytes of %s: %w", list.class, a.state.Name, err)
			}
			a.state.Reserved -= list.class
			a.state.Cached -= list.class
		}
		list.regions = nil
	}
	return first
}

// Trim gives all cached memory back to the source.
func (a *Allocator) Trim() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.trim()
}

// ErrClosed says that an allocator was closed.
var ErrClosed = errors.New("the device is closed")

// Close frees every live block, releases what is cached, and refuses every later
// allocation with ErrClosed. The source is not used afterwards: freeing a block
// does nothing any more.
func (a *Allocator) Close() error {
	a.mu.Lock()
	a.closed = true
	var blocks []*Block
	for b := a.newest; b != nil; b = b.older {
		blocks = append(blocks, b)
	}
	a.mu.Unlock()
	var first error
	for _, b := range blocks {
		first = cmp.Or(first, b.Free())
	}
	return cmp.Or(first, a.Trim())
}

// Snapshot returns the counters of this moment.
func (a *Allocator) Snapshot() Snapshot {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}

// ResetPeak sets every peak to the present value.
func (a *Allocator) ResetPeak() {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &a.state
	s.Total.Peak = s.Total.Live
	for i := range s.ByCategory {
		s.ByCategory[i].Peak = s.ByCategory[i].Live
	}
	s.ReservedPeak = s.Reserved
}

// SetCap limits the live bytes from now on; 0 lifts the limit. Blocks that are
// live already stay, even above it.
func (a *Allocator) SetCap(bytes int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state.Cap = max(bytes, 0)
}

// ID numbers the allocator's blocks from 1; see Holding.
func (b *Block) ID() uint64 { return b.id }

// Size is the number of bytes asked for.
func (b *Block) Size() int64 { return b.size }

// Category is what the block is for.
func (b *Block) Category() Category { return b.cat }

// Addr is the device address; 0 for host memory.
func (b *Block) Addr() uint64 { return b.region.Addr }

// Bytes is the block's host memory, Size bytes long; nil for device memory. It
// must not be used after Free.
func (b *Block) Bytes() []byte {
	if b.region.Host == nil {
		return nil
	}
	return b.region.Host[:b.size:b.size]
}

// Share is Bytes for a caller that may keep the slice beyond Free. Such a block
// goes back to the source, never to a free list, so that a slice kept too long
// is stale and not somebody else's memory.
func (b *Block) Share() []byte {
	b.owner.mu.Lock()
	b.shared = true
	b.owner.mu.Unlock()
	return b.Bytes()
}

// Free gives the block back. It may be called more than once.
func (b *Block) Free() error { return b.end(false) }

// Return is Free, once, for a block that nobody else knows: it may come again from Alloc,
// which so makes nothing. No block is nothing to return.
func (b *Block) Return() error {
	if b == nil {
		return nil
	}
	return b.end(true)
}

func (b *Block) end(again bool) error {
	a := b.owner
	a.mu.Lock()
	if b.freed {
		a.mu.Unlock()
		return nil
	}
	b.freed = true
	a.delist(b)
	a.state.Total.sub(b)
	a.state.ByCategory[b.cat].sub(b)
	err := a.giveBack(b)
	cat, size := b.cat, b.size
	if again {
		b.older, a.spare = a.spare, b
	}
	a.emit(Free, cat, size, a.now())
	return err
}

// delist takes a block from the live ones. The lock is held.
func (a *Allocator) delist(b *Block) {
	if b.newer != nil {
		b.newer.older = b.older
	} else {
		a.newest = b.older
	}
	if b.older != nil {
		b.older.newer = b.newer
	}
	b.older, b.newer = nil, nil
}

// giveBack caches the block's region, or releases it when a slice of it may
// still be held. The lock is held.
func (a *Allocator) giveBack(b *Block) error {
	if b.class == 0 {
		return nil
	}
	if !b.shared {
		list := &a.free[classIndex(b.class)]
		list.class, list.regions = b.class, append(list.regions, b.region)
		a.state.Cached += b.class
		b.region = Region{}
		return nil
	}
	a.state.Reserved -= b.class
	if err := a.source.Release(b.region, b.class); err != nil {
		return fmt.Errorf("release %d bytes of %s: %w", b.class, a.state.Name, err)
	}
	b.region = Region{}
	return nil
}

func (c *Counters) add(b *Block) {
	c.Live += b.size
	c.Reserved += b.class
	c.Peak = max(c.Peak, c.Live)
	c.Blocks++
}

func (c *Counters) sub(b *Block) {
	c.Live -= b.size
	c.Reserved -= b.class
	c.Blocks--
}

// freeList are the cached regions of one size class.
type freeList struct {
	class   int64
	regions []Region
}

// minClass is the smallest class: one cache line, one AVX-512 register.
const minClass = 64

// sizeClass rounds size up to one of four classes per power of two, so that at
// most a fifth of a block is slack, and to a multiple of 64 bytes.
func sizeClass(size int64) int64 {
	if size == 0 {
		return 0
	}
	if size > 1<<62 {
		return 1 << 62 // what no source has
	}
	if size <= 4*minClass {
		return (size + minClass - 1) / minClass * minClass
	}
	step := int64(1) << (bits.Len64(uint64(size-1)) - 3)
	return (size + step - 1) / step * step
}

// numClasses is how many classes there are: four up to 4*minClass, then four for each
// power of two.
const numClasses = 4 * (1 + 63 - 8)

// classIndex numbers the classes from 0.
func classIndex(class int64) int {
	if class <= 4*minClass {
		return int(class/minClass) - 1
	}
	power := bits.Len64(uint64(class - 1))
	return 4*(power-8) + int(class>>(power-3)) - 5
}
