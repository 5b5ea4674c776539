package mem

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

// refusing is a source of device-like memory with a fixed size.
type refusing struct {
	left int64
	next uint64
	out  map[uint64]int64
}

func (r *refusing) Reserve(size int64) (Region, error) {
	if size > r.left {
		return Region{}, errors.New("device full")
	}
	r.left -= size
	r.next += 1 << 40
	r.out[r.next] = size
	return Region{Addr: r.next}, nil
}

func (r *refusing) Release(g Region, size int64) error {
	if r.out[g.Addr] != size {
		return errors.New("released what was not reserved")
	}
	delete(r.out, g.Addr)
	r.left += size
	return nil
}

func newRefusing(size int64) *refusing { return &refusing{left: size, out: map[uint64]int64{}} }

func TestCountersMatchModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a := New("cpu", Heap{}, nil)
	var live []*Block
	var model [NumCategories]int64
	var total, peak int64
	for range 5000 {
		if len(live) > 0 && rng.IntN(2) == 0 {
			i := rng.IntN(len(live))
			b := live[i]
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
			model[b.Category()] -= b.Size()
			total -= b.Size()
			if err := b.Free(); err != nil {
				t.Fatal(err)
			}
			if err := b.Free(); err != nil {
				t.Fatal("second free:", err)
			}
		} else {
			cat := Category(rng.IntN(int(NumCategories)))
			b, err := a.Alloc(int64(rng.IntN(10000)), cat)
			if err != nil {
				t.Fatal(err)
			}
			if rng.IntN(4) == 0 {
				b.Share()
			}
			live = append(live, b)
			model[cat] += b.Size()
			total += b.Size()
			peak = max(peak, total)
		}
		s := a.Snapshot()
		if s.Total.Live != total || s.Total.Peak != peak || s.Total.Blocks != len(live) {
			t.Fatalf("total %+v, want live %d peak %d blocks %d", s.Total, total, peak, len(live))
		}
		for c, want := range model {
			if s.ByCategory[c].Live != want {
				t.Fatalf("%s: live %d, want %d", Category(c), s.ByCategory[c].Live, want)
			}
		}
		if s.Reserved != s.Cached+s.Total.Reserved || s.Total.Reserved < s.Total.Live {
			t.Fatalf("reserved %d, of it cached %d and live %+v", s.Reserved, s.Cached, s.Total)
		}
	}
	for _, b := range live {
		if err := b.Free(); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Trim(); err != nil {
		t.Fatal(err)
	}
	if s := a.Snapshot(); s.Total.Live != 0 || s.Reserved != 0 || s.Cached != 0 || len(a.Holdings()) != 0 {
		t.Fatalf("after all was freed: %+v", s)
	}
}

func TestHostBlocksAreAlignedAndDistinct(t *testing.T) {
	a := New("cpu", Heap{}, nil)
	for size := int64(1); size < 3000; size += 7 {
		x, err := a.Alloc(size, Data)
		if err != nil {
			t.Fatal(err)
		}
		y, err := a.Alloc(size, Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []*Block{x, y} {
			if int64(len(b.Bytes())) != size || uintptr(unsafe.Pointer(&b.Bytes()[0]))%alignment != 0 {
				t.Fatalf("size %d: len %d at %p", size, len(b.Bytes()), &b.Bytes()[0])
			}
		}
		x.Bytes()[size-1], y.Bytes()[0] = 1, 2
		if size > 1 && x.Bytes()[size-1] != 1 {
			t.Fatal("blocks overlap")
		}
		_ = x.Free()
	}
}

func TestSharedBlockIsNeverReused(t *testing.T) {
	a := New("cpu", Heap{}, nil)
	b, _ := a.Alloc(1000, Data)
	kept := b.Share()
	kept[0] = 7
	_ = b.Free()
	c, _ := a.Alloc(1000, Data)
	c.Bytes()[0] = 9
	if kept[0] != 7 {
		t.Fatal("a kept slice was handed to another block")
	}
	address := &c.Bytes()[0]
	_ = c.Free()
	d, _ := a.Alloc(1000, Data)
	if &d.Bytes()[0] != address {
		t.Fatal("an unshared block was not reused")
	}
}

func TestCap(t *testing.T) {
	var held *Block
	freed := 0
	a := New("cpu", Heap{}, func() {
		if held != nil {
			freed++
			_ = held.Free()
		}
	})
	a.SetCap(1000)
	b, err := a.Alloc(1000, Parameters)
	if err != nil {
		t.Fatal("exactly the cap:", err)
	}
	_, err = a.Alloc(1, Gradients)
	var oom *OutOfMemoryError
	if !errors.As(err, &oom) || oom.Want != 1 || oom.Live != 1000 || oom.Cap != 1000 || oom.Category != Gradients {
		t.Fatalf("one byte above the cap: %v", err)
	}
	held = b
	if _, err = a.Alloc(600, Gradients); err != nil || freed != 1 {
		t.Fatalf("after reclaim: %v, reclaimed %d times", err, freed)
	}
}

func TestSourceRefusesThenCacheYields(t *testing.T) {
	src := newRefusing(4096)
	a := New("cuda:0", src, nil)
	b, err := a.Alloc(2048, Data)
	if err != nil {
		t.Fatal(err)
	}
	_ = b.Free()
	if c, err := a.Alloc(4096, Data); err != nil {
		t.Fatalf("2048 bytes stood in the cache: %v", err)
	} else if c.Addr() == 0 || c.Bytes() != nil {
		t.Fatal("device memory looks like host memory")
	}
	_, err = a.Alloc(64, Data)
	var oom *OutOfMemoryError
	if !errors.As(err, &oom) || oom.Err == nil || oom.Cap != 0 {
		t.Fatalf("full device: %v", err)
	}
}

func TestEventsAreOrderedAndComplete(t *testing.T) {
	a := New("cpu", Heap{}, nil)
	var mu sync.Mutex
	seen := map[uint64]Event{}
	cancel := a.Subscribe(func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		seen[e.Seq] = e
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 700 {
				b, err := a.Alloc(100, Workspace)
				if err != nil {
					t.Error(err)
					return
				}
				_ = b.Free()
			}
		})
	}
	wg.Wait()
	cancel()
	b, _ := a.Alloc(1, Data)
	_ = b.Free()
	if len(seen) != 5600 {
		t.Fatalf("subscriber saw %d events, want 5600", len(seen))
	}
	events := a.Events(0)
	if len(events) != logSize || events[len(events)-1].Seq != 5602 {
		t.Fatalf("log of %d events ends at %d", len(events), events[len(events)-1].Seq)
	}
	for i, e := range events[1:] {
		if e.Seq != events[i].Seq+1 {
			t.Fatalf("event %d follows %d", e.Seq, events[i].Seq)
		}
	}
	if tail := a.Events(5600); len(tail) != 2 || tail[0].Kind != Alloc || tail[1].Kind != Free {
		t.Fatalf("tail %+v", tail)
	}
}

func TestSizeClassBounds(t *testing.T) {
	for size := int64(1); size < 1<<20; size += 1 + size/37 {
		c := sizeClass(size)
		if c < size || c%minClass != 0 {
			t.Fatalf("class of %d is %d", size, c)
		}
		if size > 4*minClass && float64(c) > 1.25*float64(size) {
			t.Fatalf("class of %d wastes: %d", size, c)
		}
		if sizeClass(c) != c {
			t.Fatalf("class of class %d is %d", c, sizeClass(c))
		}
	}
}

// Every class has a place of its own among the free lists, in order.
func TestClassesAreNumbered(t *testing.T) {
	n := 0
	for size := int64(1); size > 0; n++ {
		c := sizeClass(size)
		if i := classIndex(c); i != n || i >= numClasses {
			t.Fatalf("class %d of %d bytes is number %d, want %d of %d", c, size, i, n, numClasses)
		}
		if c == 1<<62 {
			break
		}
		size = c + 1
	}
	a := New("test", newRefusing(1<<20), nil)
	var oom *OutOfMemoryError
	if _, err := a.Alloc(math.MaxInt64, Data); !errors.As(err, &oom) {
		t.Error(err)
	}
}

// Blocks that are returned come again, and are counted as others are, whoever asks.
func TestReturnedBlocksComeAgain(t *testing.T) {
	a := New("test", Heap{}, nil)
	kept, err := a.Alloc(100, Data)
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Alloc(10, Workspace)
	if err == nil {
		err = b.Return()
	}
	if err != nil {
		t.Fatal(err)
	}
	if again, err := a.Alloc(30, Gradients); err != nil || again != b || again.Size() != 30 || again.Category() != Gradients || again.Return() != nil {
		t.Fatal(again, err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 500 {
				b, err := a.Alloc(int64(1+(n+i)%900), Workspace)
				if err != nil {
					t.Error(err)
					return
				}
				b.Bytes()[0] = byte(n)
				if err := b.Return(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if s := a.Snapshot(); s.Total.Live != 100 || s.Total.Blocks != 1 || len(a.Holdings()) != 1 || a.Holdings()[0].ID != kept.ID() {
		t.Errorf("%+v", s)
	}
}

// A block that no machine can hold is an error, and not the end of the process.
func TestMachineBoundsHostMemory(t *testing.T) {
	a := New("cpu", Heap{}, nil)
	_, err := a.Alloc(1<<45, Data)
	var oom *OutOfMemoryError
	if !errors.As(err, &oom) || !strings.Contains(err.Error(), "wanted 35184372088832 bytes (32.0 TiB) for data") || !strings.Contains(err.Error(), "reserve 35184372088832 bytes (32.0 TiB) of host memory: there are ") {
		t.Errorf("32 TiB: %v", err)
	}
	if n := machine(); n < 1<<28 || n > maxSlice {
		t.Errorf("the machine has %d bytes", n)
	}
	if b, err := a.Alloc(3<<20, Activations); err != nil || a.Snapshot().String() != "cpu: 3145728 bytes (3.0 MiB) live in 1 block, peak 3145728; reserved 3145728, cached 0; activations 3145728" {
		t.Errorf("%v, %v: %v", b, err, a.Snapshot())
	}
}
