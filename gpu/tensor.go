package gpu

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// Tensor is a view of device memory: a shape, strides in elements, and storage
// that it may share with other views.
type Tensor struct {
	store   *storage
	serial  uint64 // no other one of the device has had it
	dtype   DType
	shape   []int
	strides []int
	offset  int
}

// storage is the memory of one tensor and all its views. When the garbage
// collector finds it unreached, its block is freed.
type storage struct {
	dev   *Device
	block *mem.Block
	leash *leash
	freed atomic.Bool
	known atomic.Pointer[bounds]
}

// leash is what the collector finds unreached with a storage: it then frees the block in
// held. One whose storage was freed serves the next one, because it takes longer to have
// the collector look for something than to make a tensor.
type leash struct{ held *atomic.Pointer[mem.Block] }

// tie returns a leash for a block.
func (d *Device) tie(block *mem.Block) *leash {
	l, ok := d.leashes.Get().(*leash)
	if !ok {
		l = &leash{held: new(atomic.Pointer[mem.Block])}
		runtime.AddCleanup(l, func(held *atomic.Pointer[mem.Block]) {
			if b := held.Load(); b != nil {
				_ = b.Free()
			}
		}, l.held)
	}
	l.held.Store(block)
	return l
}

// untie gives a leash back whose block was freed.
func (d *Device) untie(l *leash) {
	l.held.Store(nil)
	d.leashes.Put(l)
}

// Empty returns a dense, row-major tensor of that shape whose elements are undefined, its
// bytes counted as cat. The shape of a scalar is none. The error names the shape and the
// dtype, and wraps a *mem.OutOfMemoryError where memory is short.
func (d *Device) Empty(dtype DType, cat mem.Category, shape ...int) (*Tensor, error) {
	if d == nil || dtype > Int32 {
		return nil, fmt.Errorf("make %s tensor %s: %s", dtype, dims(shape), d.unfit(dtype))
	}
	n := 1
	for _, s := range shape {
		if s < 0 || s > 0 && n > maxElements/s {
			return nil, fmt.Errorf("make %s tensor %s on %s: impossible shape: no axis is negative, and elements are at most %d", dtype, dims(shape), d.name, maxElements)
		}
		n *= s
	}
	block, err := d.memory.Alloc(int64(n)*int64(dtype.Size()), cat)
	if err != nil {
		return nil, fmt.Errorf("make %s tensor %s: %w", dtype, dims(shape), err)
	}
	return d.over(block, dtype, shape), nil
}

// maxElements keeps a size in bytes from running over.
const maxElements = 1 << 46

// unfit says why no tensor of that type can be made on d.
func (d *Device) unfit(dtype DType) string {
	if d == nil {
		return "nil device: the call of gpu.Open may have failed"
	}
	return "no such dtype: there are " + oneOf([]DType{Float32, Float16, BFloat16, Int32})
}

// over is the dense tensor whose memory is block.
func (d *Device) over(block *mem.Block, dtype DType, shape []int) *Tensor {
	// In one piece, which is made in a fraction of the time.
	all := &struct {
		t    Tensor
		s    storage
		axes [8]int
	}{s: storage{dev: d, block: block, leash: d.tie(block)}}
	all.t = all.s.view(dtype, 0)
	all.t.lay(shape, all.axes[:])
	return &all.t
}

// dense is a dense view from an element on.
func (s *storage) dense(dtype DType, shape []int, offset int) *Tensor {
	t := s.view(dtype, offset)
	t.lay(shape, nil)
	return &t
}

// view is a tensor from an element on that has no shape yet.
func (s *storage) view(dtype DType, offset int) Tensor {
	return Tensor{store: s, serial: s.dev.serials.Add(1), dtype: dtype, offset: offset}
}

// lay gives a dense tensor its shape and strides, in room if they fit.
func (t *Tensor) lay(shape, room []int) {
	axes := len(shape)
	if len(room) < 2*axes {
		room = make([]int, 2*axes)
	}
	t.shape, t.strides = room[:axes:axes], room[axes:2*axes:2*axes]
	n := 1
	for i := axes - 1; i >= 0; i-- {
		t.shape[i], t.strides[i] = shape[i], n
		n *= shape[i]
	}
}

// dims writes a shape as the papers do: (2, 8, 128, 64).
func dims(shape []int) string {
	parts := make([]string, len(shape))
	for i, s := range shape {
		parts[i] = fmt.Sprint(s)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// Shape is a copy of the tensor's shape.
func (t *Tensor) Shape() []int { return slices.Clone(t.shape) }

// Dim is the length along axis i.
func (t *Tensor) Dim(i int) int { return t.shape[i] }

// Strides is a copy of the tensor's strides, in elements.
func (t *Tensor) Strides() []int { return slices.Clone(t.strides) }

// DType is the element type.
func (t *Tensor) DType() DType { return t.dtype }

// Device is where the tensor lives.
func (t *Tensor) Device() *Device { return t.store.dev }

// Category is what the tensor's memory is counted as.
func (t *Tensor) Category() mem.Category { return t.store.block.Category() }

// Len is the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, s := range t.shape {
		n *= s
	}
	return n
}

// Bytes is the size of the tensor's storage, which views share.
func (t *Tensor) Bytes() int64 { return t.store.block.Size() }

// Storage is the number of the tensor's storage on its device, as in
// mem.Holding.ID.
func (t *Tensor) Storage() uint64 { return t.store.block.ID() }

// String says what the tensor is, not what it holds: "f32 (2, 3) on cpu".
func (t *Tensor) String() string {
	s := fmt.Sprintf("%s %s on %s", t.dtype, dims(t.shape), t.store.dev.name)
	if t.store.freed.Load() {
		s += ", freed"
	} else if t.store.dev.shut.closed() {
		s += ", which is closed"
	}
	return s
}

// Free gives the storage back at once, for all views of it. It may be called
// more than once, and on a nil tensor.
func (t *Tensor) Free() error {
	if t == nil || !t.store.freed.CompareAndSwap(false, true) {
		return nil
	}
	s := t.store
	err := s.block.Free()
	s.dev.untie(s.leash)
	s.leash = nil // else this would hold what it serves next
	return err
}

// Dense says whether the elements lie row-major without gaps.
func (t *Tensor) Dense() bool {
	n := 1
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.strides[i] != n {
			return false
		}
		n *= t.shape[i]
	}
	return true
}

// Reshape is a view of a dense tensor with another shape of as many elements.
func (t *Tensor) Reshape(shape ...int) (*Tensor, error) {
	n := 1
	for _, s := range shape {
		n *= s
	}
	if n != t.Len() || slices.ContainsFunc(shape, func(s int) bool { return s < 0 }) {
		return nil, fmt.Errorf("reshape %s to %s: %d and %d elements", t, dims(shape), t.Len(), n)
	}
	if !t.Dense() {
		return nil, fmt.Errorf("reshape %s to %s: not dense, strides %s; Clone makes a dense copy", t, dims(shape), dims(t.strides))
	}
	return t.store.dense(t.dtype, shape, t.offset), nil
}

// begins says whether two tensors have their first element in common.
func (t *Tensor) begins(u *Tensor) bool { return t.store == u.store && t.offset == u.offset }

// steps says whether t lies in memory as u, which has its shape, does.
func (t *Tensor) steps(u *Tensor) bool {
	for i, n := range t.shape {
		if n > 1 && t.strides[i] != u.strides[i] {
			return false
		}
	}
	return true
}

// Permute is a view with the axes in another order: axis i of the view is axis
// order[i] of t.
func (t *Tensor) Permute(order ...int) (*Tensor, error) {
	v := t.store.view(t.dtype, t.offset)
	seen := make([]bool, len(t.shape))
	for _, axis := range order {
		if len(order) != len(t.shape) || axis < 0 || axis >= len(t.shape) || seen[axis] {
			return nil, fmt.Errorf("permute %s by %v: not an order of its axes", t, order)
		}
		seen[axis] = true
		v.shape = append(v.shape, t.shape[axis])
		v.strides = append(v.strides, t.strides[axis])
	}
	if len(order) != len(t.shape) {
		return nil, fmt.Errorf("permute %s by %v: not an order of its axes", t, order)
	}
	return &v, nil
}

// Index is the view with axis fixed at i; it has one axis less.
func (t *Tensor) Index(axis, i int) (*Tensor, error) {
	if axis < 0 || axis >= len(t.shape) || i < 0 || i >= t.shape[axis] {
		return nil, fmt.Errorf("index %d along axis %d of %s: out of range", i, axis, t)
	}
	v := t.store.view(t.dtype, t.offset+i*t.strides[axis])
	v.shape = slices.Delete(slices.Clone(t.shape), axis, axis+1)
	v.strides = slices.Delete(slices.Clone(t.strides), axis, axis+1)
	return &v, nil
}

// Slice is the view of lo … hi-1 along an axis, hi excluded.
func (t *Tensor) Slice(axis, lo, hi int) (*Tensor, error) {
	if axis < 0 || axis >= len(t.shape) || lo < 0 || hi < lo || hi > t.shape[axis] {
		return nil, fmt.Errorf("slice %d to %d along axis %d of %s: out of range", lo, hi, axis, t)
	}
	return t.span(axis, lo, hi), nil
}

// raw is a CPU tensor's memory from its first element on.
func (t *Tensor) raw() []byte { return t.store.block.Bytes()[t.offset*t.dtype.Size():] }

// values are a CPU float32 tensor's elements from its first one on.
func (t *Tensor) values() []float32 { return host.As[float32](t.raw()) }

// address is a CUDA tensor's first element.
func (t *Tensor) address() uint64 {
	return t.store.block.Addr() + uint64(t.offset*t.dtype.Size())
}
