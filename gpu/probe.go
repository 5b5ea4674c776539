package gpu

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"attune/gpu/driver"
	"attune/gpu/host"
	"attune/gpu/kernels"
)

// Probe is a CUDA device whose kernels are to be looked at: which of them do the work,
// how long they take by the device's own clock, and what other choices would do. It
// is for programs that check and measure a device, as gpucheck is.
type Probe struct {
	// Device computes by kernels untried, as the probe is set. It has the memory and the
	// context of the device that the probe was made of.
	Device *Device

	from *Device
	c    *cuda
	ctx  *driver.Context

	mu       sync.Mutex
	launched map[string]bool
	pools    map[DType][]byte
}

// NewProbe makes one; an error unless dev is a CUDA device. Launches of dev itself are
// seen as well, and one context has one probe.
func NewProbe(dev *Device) (*Probe, error) {
	c, ok := dev.back.(*cuda)
	if !ok {
		return nil, fmt.Errorf("look at the kernels of %s: want a CUDA device", dev.name)
	}
	ctx, ok := c.ctx.(*driver.Context)
	if !ok {
		return nil, fmt.Errorf("look at the kernels of %s: it has no driver", dev.name)
	}
	p := &Probe{from: dev, c: c.unproven(dev.memory), ctx: ctx, launched: map[string]bool{}, pools: map[DType][]byte{}}
	p.c.fewest = hopperBlocks
	p.Device = newDevice(dev.name, dev.detail, dev.memory, p.c)
	ctx.Watch(p.saw)
	return p, nil
}

func (p *Probe) saw(kernel string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.launched[kernel] = true
}

// Unseen does f while launches are not looked at, so that they cost what they cost users.
func (p *Probe) Unseen(f func() error) error {
	p.ctx.Watch(nil)
	defer p.ctx.Watch(p.saw)
	return f()
}

// Limit keeps the device from what only architectures newer than arch have (75, 80,
// 90); 0 lifts it.
func (p *Probe) Limit(arch int) { p.c.newest = arch }

// HopperFrom is the blocks of its tiles that a product goes through the kernel for
// Hopper from; 0 is the choice of the code.
func (p *Probe) HopperFrom(blocks int) {
	if p.c.fewest = blocks; blocks == 0 {
		p.c.fewest = hopperBlocks
	}
}

// Splits is in how many parts decoding cuts the keys; 0 is the choice of the code.
func (p *Probe) Splits(n int) { p.c.splits = n }

// Variant has the device use another text in place of an image of package kernels; an empty
// one takes back all that came before.
func (p *Probe) Variant(image string, text []byte) error {
	c := p.c.unproven(p.c.memory)
	c.newest, c.fewest, c.splits, c.loaded = p.c.newest, p.c.fewest, p.c.splits, p.from.back.(*cuda).loaded
	if len(text) > 0 {
		m, err := p.ctx.Load(text)
		if err != nil {
			return fmt.Errorf("load a variant of %s: %w", image, err)
		}
		c.loaded = &loaded{modules: map[string]*driver.Module{image: m}, functions: map[string]*driver.Function{}}
	}
	p.c, p.Device.back = c, c
	return nil
}

// Arch is the device's compute capability, major*10 + minor.
func (p *Probe) Arch() int { return p.ctx.Info().Capability }

// Traits are the device's processors, and the bytes of its second level cache.
func (p *Probe) Traits() (processors int, l2 int64, err error) {
	t, err := p.ctx.Traits()
	return t.Processors, t.L2, err
}

// Driver is the version of the driver.
func (p *Probe) Driver() string { return driverVersion(p.c.lib) }

// Launched are the kernels that were launched since it was last asked, sorted.
func (p *Probe) Launched() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var names []string
	for name := range p.launched {
		names = append(names, name)
	}
	clear(p.launched)
	slices.Sort(names)
	return names
}

// Times runs it n times and returns what each took, by the device's clock: from the end
// of the run before to its own. Where it asks for less work than it takes to ask, that is
// the time of the asking.
func (p *Probe) Times(n int, run func(i int) error) (took []time.Duration, err error) {
	marks, err := p.ctx.Marks(n + 1)
	if err != nil {
		return nil, err
	}
	defer marks.Close()
	err = marks.Set(0)
	for i := 0; i < n && err == nil; i++ {
		if err = run(i); err == nil {
			err = marks.Set(i + 1)
		}
	}
	if err = errors.Join(err, p.ctx.Synchronize()); err != nil {
		return nil, err
	}
	for i := range n {
		t, err := marks.Between(i, i+1)
		if err != nil {
			return nil, err
		}
		took = append(took, t)
	}
	return took, nil
}

// Load compiles an image of package kernels, or finds it in the driver's cache, with all
// its kernels, and tells how long that took.
func (p *Probe) Load(image string) (time.Duration, error) {
	text, err := kernels.PTX(image)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	m, err := p.ctx.Load(text)
	if err != nil {
		return time.Since(begin), fmt.Errorf("load kernels %s: %w", image, err)
	}
	for _, name := range kernels.Entries(text) { // a driver may load them one by one
		if _, err := m.Function(name); err != nil {
			return time.Since(begin), errors.Join(fmt.Errorf("load kernels %s: %w", image, err), m.Unload())
		}
	}
	return time.Since(begin), m.Unload()
}

// CallCosts is what one launch of the smallest kernel takes the calling thread: by the
// driver itself, in a loop of C, and by the binding, each in a batch of n. The device
// is waited for before and after.
func (p *Probe) CallCosts(n int) (raw, binding time.Duration, err error) {
	f, err := p.c.function("optim", "update_0", 0)
	if err != nil {
		return 0, 0, err
	}
	args := make([]uint64, updateWords+slotWords*launchTensors) // of no tensors
	if err := errors.Join(f.Launch(1, optimThreads, args), p.ctx.Synchronize()); err != nil {
		return 0, 0, err
	}
	if raw, err = f.Launches(n, 1, optimThreads, args); err != nil {
		return 0, 0, err
	}
	if err := p.ctx.Synchronize(); err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	for range n {
		if err := f.Launch(1, optimThreads, args); err != nil {
			return 0, 0, err
		}
	}
	binding = time.Since(begin)
	return raw / time.Duration(n), binding / time.Duration(n), p.ctx.Synchronize()
}

// poolSize is how many values Fill draws before it repeats them.
const poolSize = 1 << 21

// Fill gives a floating point tensor normal values, without a kernel. From one piece of
// poolSize values to the next they repeat.
func (p *Probe) Fill(t *Tensor) error {
	pool := p.pools[t.dtype]
	if have := len(pool) / t.dtype.Size(); have < min(poolSize, t.Len()) {
		cpu, err := unlistedCPU(host.Best(), "", 1)
		if err != nil {
			return fmt.Errorf("fill %s: %w", t, err)
		}
		values, err := checkTensor(cpu, t.dtype, 1, min(poolSize, t.Len()))
		if err != nil {
			return fmt.Errorf("fill %s: %w", t, err)
		}
		pool = slices.Clone(values.raw())
		p.pools[t.dtype] = pool
		if err := values.Free(); err != nil {
			return fmt.Errorf("fill %s: %w", t, err)
		}
	}
	all := int64(t.Len()) * int64(t.dtype.Size())
	for at := int64(0); at < all; at += int64(len(pool)) {
		if err := p.ctx.Upload(t.address()+uint64(at), pool[:min(int64(len(pool)), all-at)]); err != nil {
			return fmt.Errorf("fill %s: %w", t, err)
		}
	}
	return nil
}
