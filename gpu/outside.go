package gpu

import (
	"sync"

	"attune/gpu/mem"
)

// Outside is the memory of a CUDA device that is in use and that attune's allocators did
// not reserve: the context, the code of kernels, what the driver rounds up, and other
// programs. It is the driver's figure, asked for after the context was made, each time
// an allocator grew and each time kernels were loaded, which is when it changes: a peak
// of attune's own doing is therefore seen. What other programs do in between is not.
type Outside struct {
	// First is at the context's beginning, Now at the last look, Most of all looks.
	First, Now, Most int64
	// Looks is how often the driver was asked.
	Looks int
}

// Outside tells it. It is not known (false) of other devices, and not where the driver
// does not tell.
func (d *Device) Outside() (o Outside, known bool) {
	c, ok := d.back.(*cuda)
	if !ok || c.loaded == nil {
		return o, false
	}
	c.outside.mu.Lock()
	defer c.outside.mu.Unlock()
	return c.outside.seen, c.outside.seen.Looks > 0
}

// outside counts what the allocators of one context reserved.
type outside struct {
	mu       sync.Mutex
	reserved int64
	seen     Outside
}

// grew takes in that so many bytes more are reserved (less, where negative), and asks the
// driver what is in use besides.
func (o *outside) grew(ctx cudaContext, bytes int64) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reserved += bytes; bytes < 0 {
		return
	}
	free, total, err := ctx.MemInfo()
	if err != nil {
		return
	}
	s := &o.seen
	s.Now = max(0, total-free-o.reserved)
	if s.Looks == 0 {
		s.First = s.Now
	}
	s.Most = max(s.Most, s.Now)
	s.Looks++
}

// deviceMemory is the source of a device's memory. Blocks that are freed while a
// kernel still reads them are safe to hand out again: all work of a context runs
// in the order of the calls.
type deviceMemory struct {
	ctx     cudaContext
	outside *outside // nil: nobody asks
}

func (d deviceMemory) Reserve(size int64) (mem.Region, error) {
	at, err := d.ctx.Alloc(size)
	if err == nil {
		d.outside.grew(d.ctx, size)
	}
	return mem.Region{Addr: at}, err
}

func (d deviceMemory) Release(r mem.Region, size int64) error {
	d.outside.grew(d.ctx, -size)
	return d.ctx.Free(r.Addr)
}
