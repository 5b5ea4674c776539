package gpu

import (
	"fmt"

	"attune/gpu/driver"
	"attune/gpu/kernels"
	"attune/gpu/mem"
)

// OpenMeta returns a device of shapes: its tensors take no memory and its calls
// compute nothing, but both check their arguments, choose their kernels and count
// their bytes exactly as on like, whose threads it has (cuBLASLt's workspace alone is
// not counted). What a step does to its
// counters (Memory, Subscribe, SetCap) is therefore what the step will do to those of
// like, whose tensors it does not touch. What is read from it is zero. It is not one
// of Devices, and has room for anything unless SetCap bounds it.
func OpenMeta(like *Device) (*Device, error) {
	switch b := like.back.(type) {
	case meta:
		return metaCPU(like.detail, b.cpu), nil
	case cpu:
		return metaCPU("shapes only, as "+like.detail, b), nil
	case *cuda:
		detail := like.detail
		if !like.Meta() {
			detail = "shapes only, as " + detail
		}
		return metaCUDA(like.name, detail, b, &idle{about: b.ctx.Info(), at: idleBase}), nil
	}
	return nil, fmt.Errorf("open a device of shapes like %s: there is none", like.name)
}

// OpenMetaCUDA is OpenMeta like a CUDA device that need not be there: one of that
// compute capability, major*10 + minor, and that many bytes of memory, which an
// allocation may not exceed (0: no limit).
func OpenMetaCUDA(capability int, memory int64) (*Device, error) {
	if capability < kernels.MinCapability || memory < 0 {
		return nil, fmt.Errorf("open a device of shapes like a CUDA device of capability %d with %d bytes: capability %d (Turing) is the least",
			capability, memory, kernels.MinCapability)
	}
	info := driver.Info{Name: "no device", Capability: capability, Memory: memory}
	detail := fmt.Sprintf("shapes only, as sm_%d", capability)
	if memory > 0 {
		detail += fmt.Sprintf(", %.1f GiB", float64(memory)/(1<<30))
	}
	return metaCUDA("cuda:0", detail, &cuda{fewest: hopperBlocks}, &idle{about: info, limit: memory, at: idleBase}), nil
}

// Aside returns a device of the same kind that is not one of Devices, with memory and
// counters of its own: what is tried there shows nowhere here. It lives no longer than d.
func (d *Device) Aside() (*Device, error) {
	switch b := d.back.(type) {
	case meta:
		return OpenMeta(d)
	case cpu:
		dev, err := unlistedCPU(b.engine.ISA(), "", b.engine.Threads())
		if err == nil {
			dev.closes()
		}
		return dev, err
	case *cuda:
		if b.dry {
			return OpenMeta(d)
		}
		c := &cuda{lib: b.lib, ctx: b.ctx, loaded: b.loaded, trials: b.trials, blas: b.blas, newest: b.newest, fewest: b.fewest, aside: true}
		c.memory = mem.New(d.name, deviceMemory{b.ctx, &c.outside}, reclaim)
		dev := newDevice(d.name, d.detail, c.memory, c)
		dev.closes()
		return dev, nil
	}
	return nil, fmt.Errorf("open a device beside %s: there is none", d.name)
}

// Meta says whether the device is one of shapes; see OpenMeta.
func (d *Device) Meta() bool {
	switch b := d.back.(type) {
	case meta:
		return true
	case *cuda:
		return b.dry
	}
	return false
}

// meta is the CPU's backend with an engine that computes nothing, over memory that
// nothing may touch.
type meta struct{ cpu }

func metaCPU(detail string, like cpu) *Device {
	memory := mem.New("cpu", mem.NewUnbacked(), reclaim)
	engine := like.engine.Dry(workspaceOf(memory))
	d := newDevice("cpu", detail, memory, meta{cpu{engine}})
	d.closes()
	return d
}

func (meta) upload(*Tensor, []byte) error { return nil }
func (meta) clear(*Tensor) error          { return nil }

func (meta) download(dst []byte, _ *Tensor) error {
	clear(dst)
	return nil
}

func metaCUDA(name, detail string, like *cuda, ctx *idle) *Device {
	c := &cuda{ctx: ctx, trials: like.trials, newest: like.newest, fewest: like.fewest, dry: true}
	c.memory = mem.New(name, deviceMemory{ctx, nil}, reclaim)
	d := newDevice(name, detail, c.memory, c)
	d.closes()
	return d
}

// idle is a context that has no device: it hands out addresses and does nothing.
type idle struct {
	about        driver.Info
	limit, inUse int64
	at           uint64
	sizes        map[uint64]int64
}

// idleBase is the first address, one that nothing has.
const idleBase = 1 << 56

func (x *idle) Info() driver.Info  { return x.about }
func (x *idle) Lost() error        { return nil }
func (x *idle) Synchronize() error { return nil }
func (x *idle) Close() error       { return nil }

func (x *idle) Alloc(size int64) (uint64, error) {
	if x.limit > 0 && x.inUse+size > x.limit {
		return 0, fmt.Errorf("reserve %d bytes: %d of the device's %d are in use", size, x.inUse, x.limit)
	}
	if x.sizes == nil {
		x.sizes = map[uint64]int64{}
	}
	at := x.at
	x.sizes[at] = size
	x.inUse += size
	x.at += uint64(size+255) &^ 255
	return at, nil
}

func (x *idle) Free(at uint64) error {
	x.inUse -= x.sizes[at]
	delete(x.sizes, at)
	return nil
}

// MemInfo is as if nobody else used the device.
func (x *idle) MemInfo() (free, total int64, err error) {
	return x.about.Memory - x.inUse, x.about.Memory, nil
}

func (x *idle) Upload(uint64, []byte) error { return nil }
func (x *idle) Clear(uint64, int64) error   { return nil }

func (x *idle) Download(dst []byte, _ uint64) error {
	clear(dst)
	return nil
}

// MapsTensors is true: what maps are for is asked of the capability.
func (x *idle) MapsTensors() bool { return true }

func (x *idle) MapTensor(driver.TensorMap) (words [driver.TensorMapWords]uint64, err error) {
	return words, nil
}

func (x *idle) Load([]byte) (*driver.Module, error) {
	return nil, fmt.Errorf("load kernels on a device of shapes")
}
