package gpu

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"attune/gpu/driver"
	"attune/gpu/kernels"
	"attune/gpu/mem"
)

// cuda is the backend over gpu/driver and the kernels of gpu/kernels.
type cuda struct {
	lib    *driver.Library
	ctx    cudaContext
	memory *mem.Allocator
	*loaded
	// trials are nil where kernels are used untried: in a trial, and in tests.
	trials *trials
	// launched, if not nil, counts how often each kernel was launched.
	launched map[string]int
	// handles are the kernels that calls have found so far.
	handles handles
	maps    tensorMaps
	// blas is nil where products are computed by our own kernels only.
	blas *blas
	// newest, if not 0, keeps from what only newer architectures have.
	newest int
	// fewest is the blocks that Hopper's product is worth its large tiles from.
	fewest int
	// splits, if not 0, is in how many parts decoding cuts the keys.
	splits int
	// processors, if not 0, is how many blocks go from work to work, whatever the device has.
	processors int
	// dry launches nothing; see OpenMeta.
	dry bool
	// aside leaves the context to another device; see Aside.
	aside bool
}

// cudaContext is what the backend needs of a *driver.Context.
type cudaContext interface {
	Info() driver.Info
	Lost() error
	Alloc(size int64) (uint64, error)
	Free(at uint64) error
	MemInfo() (free, total int64, err error)
	Upload(to uint64, src []byte) error
	Download(dst []byte, from uint64) error
	Clear(at uint64, size int64) error
	MapsTensors() bool
	MapTensor(m driver.TensorMap) ([driver.TensorMapWords]uint64, error)
	Load(ptx []byte) (*driver.Module, error)
	Synchronize() error
	Close() error
}

// hasTensorCores says whether the kernels on tensor cores may be used.
func (c *cuda) hasTensorCores() bool {
	return c.ctx.Info().Capability >= tensorCapability && (c.newest == 0 || c.newest >= tensorCapability)
}

// loaded are the kernels of a context, and what it takes beside the allocators.
type loaded struct {
	outside   outside
	mu        sync.Mutex
	modules   map[string]*driver.Module
	functions map[string]*driver.Function
}

// openCUDA opens a device whose kernels are tried before they are used.
func openCUDA(index int) (*Device, error) {
	for _, d := range Devices() {
		if err := d.Lost(); err != nil && d.name == fmt.Sprintf("cuda:%d", index) {
			return nil, fmt.Errorf("an earlier error ended this process's context on it: %w", err)
		}
	}
	return tryingCUDA(driver.DefaultLibrary, index, userRecord(), func(account string) { fmt.Fprintln(os.Stderr, account) })
}

// tryingCUDA is newCUDA with kernels that are tried before they are used; those that
// fail are told of.
func tryingCUDA(path string, index int, record *trialRecord, tell func(string)) (*Device, error) {
	dev, err := newCUDA(path, index)
	if err != nil {
		return nil, err
	}
	c := dev.back.(*cuda)
	info := c.ctx.Info()
	c.blas = newBLAS(driver.BLASLibraries(), blasLeast)
	c.trials = newTrials(fmt.Sprintf("%s (sm_%d, driver %s)", info.Name, info.Capability, driverVersion(c.lib)), record, tell)
	return dev, nil
}

// newCUDA opens a device of the driver's library at path. Its kernels are used
// untried.
func newCUDA(path string, index int) (*Device, error) {
	lib, err := driver.Load(path)
	if err != nil {
		return nil, err
	}
	ctx, err := lib.Open(index, kernels.MinDriver)
	if err != nil {
		lib.Close()
		return nil, err
	}
	info := ctx.Info()
	if info.Capability < kernels.MinCapability {
		err := fmt.Errorf("%s has compute capability %d.%d, %d.%d (Turing) is needed",
			info.Name, info.Capability/10, info.Capability%10, kernels.MinCapability/10, kernels.MinCapability%10)
		return nil, errors.Join(err, (&cuda{lib: lib, ctx: ctx}).close())
	}
	name := fmt.Sprintf("cuda:%d", index)
	c := &cuda{
		lib: lib, ctx: ctx, fewest: hopperBlocks,
		loaded: &loaded{modules: map[string]*driver.Module{}, functions: map[string]*driver.Function{}},
	}
	c.memory = mem.New(name, deviceMemory{ctx, &c.outside}, reclaim)
	c.outside.grew(ctx, 0)
	detail := fmt.Sprintf("%s, sm_%d, %.1f GiB", info.Name, info.Capability, float64(info.Memory)/(1<<30))
	return register(newDevice(name, detail, c.memory, c)), nil
}

func (c *cuda) upload(dst *Tensor, src []byte) error   { return c.ctx.Upload(dst.address(), src) }
func (c *cuda) download(dst []byte, src *Tensor) error { return c.ctx.Download(dst, src.address()) }

func (c *cuda) clear(t *Tensor) error {
	return c.ctx.Clear(t.address(), int64(t.Len())*int64(t.dtype.Size()))
}

func (c *cuda) close() error {
	if c.dry || c.aside {
		return nil
	}
	var errs []error
	c.blas.close()
	for _, m := range c.modules {
		errs = append(errs, m.Unload())
	}
	errs = append(errs, c.ctx.Close())
	c.lib.Close()
	return errors.Join(errs...)
}

// driverVersion names the driver: the version of CUDA that it knows, and where the
// kernel's module says it, its own (/proc/driver/nvidia/version, "Kernel Module …").
func driverVersion(lib *driver.Library) string {
	v, err := lib.Version()
	if err != nil {
		return "unknown"
	}
	version := fmt.Sprintf("CUDA %d.%d", v/1000, v%1000/10)
	text, err := os.ReadFile("/proc/driver/nvidia/version")
	if err == nil {
		version += " " + regexp.MustCompile(`\d+(\.\d+)+`).FindString(string(text))
	}
	return strings.TrimSpace(version)
}

// kernel finds a kernel that has passed its trial; see function.
func (c *cuda) kernel(file, name string, shared int) (*driver.Function, error) {
	if c.trials != nil {
		return c.trials.kernel(c, file, name, shared)
	}
	return c.function(file, name, shared)
}

// function finds a kernel of a file, compiling the file's PTX at first use. Its
// launches get shared bytes of memory beside what it declares.
func (c *cuda) function(file, name string, shared int) (*driver.Function, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.functions[name]; ok {
		return f, nil
	}
	m, ok := c.modules[file]
	if !ok {
		image, err := kernels.PTX(file)
		if err != nil {
			return nil, err
		}
		if m, err = c.ctx.Load(image); err != nil {
			return nil, fmt.Errorf("load kernels %s: %w", file, err)
		}
		c.modules[file] = m
		c.outside.grew(c.ctx, 0)
	}
	f, err := m.Function(name)
	if err != nil {
		return nil, err
	}
	if shared > 0 {
		if err := f.Share(shared); err != nil {
			return nil, err
		}
	}
	c.functions[name] = f
	return f, nil
}

// launch runs a kernel on a number of one-dimensional blocks.
func (c *cuda) launch(file, name string, blocks, threads int, args []uint64) error {
	return c.launchNamed(kernelName{file: file, name: name}, blocks, threads, 0, args)
}

// kernelName names a kernel and its file by patterns, whose arguments are the types and
// the number.
type kernelName struct {
	file, name string
	one, two   DType
	number     int
}

// names are the file and the kernel's name.
func (k kernelName) names() (file, name string) {
	full := func(s string) string {
		if !strings.Contains(s, "%") {
			return s
		}
		return fmt.Sprintf(s, k.one, k.two, k.number)
	}
	return full(k.file), full(k.name)
}

// handles remembers kernels by their patterns: to write their names out takes longer than
// a launch.
type handles struct {
	mu sync.Mutex // of those who add
	of atomic.Pointer[map[handle]*driver.Function]
}

// handle is a kernelName without its file, which follows from the rest.
type handle struct {
	name     string
	one, two DType
	number   int32
}

func (k *kernelName) handle() handle { return handle{k.name, k.one, k.two, int32(k.number)} }

func (h *handles) get(k *kernelName) *driver.Function {
	of := h.of.Load()
	if of == nil {
		return nil
	}
	return (*of)[k.handle()]
}

func (h *handles) put(k *kernelName, f *driver.Function) {
	h.mu.Lock()
	defer h.mu.Unlock()
	more := map[handle]*driver.Function{}
	if of := h.of.Load(); of != nil {
		maps.Copy(more, *of)
	}
	more[k.handle()] = f
	h.of.Store(&more)
}

func (c *cuda) launchNamed(k kernelName, blocks, threads, shared int, args []uint64) error {
	if blocks > math.MaxInt32 {
		_, name := k.names()
		return fmt.Errorf("launch %s: %d blocks are more than a grid holds", name, blocks)
	}
	f, err := c.find(k, shared)
	if f == nil || err != nil {
		return err
	}
	if c.launched != nil {
		_, name := k.names()
		c.launched[name]++
	}
	return f.Launch(blocks, threads, args)
}

// find makes a kernel ready for its launch; on a device of shapes there is none.
func (c *cuda) find(k kernelName, shared int) (*driver.Function, error) {
	if f := c.handles.get(&k); f != nil {
		return f, nil
	}
	file, name := k.names()
	if c.dry {
		return nil, c.trials.verdict(name)
	}
	f, err := c.kernel(file, name, shared)
	if err == nil && c.launched == nil {
		c.handles.put(&k, f)
	}
	return f, err
}

func tiles(n, rows int) int { return (n + rows - 1) / rows }
