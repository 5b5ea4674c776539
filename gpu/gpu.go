// Package gpu owns device tensors and the primitives over them: scaled
// dot-product attention, optimizers, and the layers that stdlib/nn is made of, on
// the CPU or on an NVIDIA GPU. It imports gpu/mem, gpu/host, gpu/driver,
// gpu/kernels and gpu/safetensors, and nothing else of attune.
//
// A call takes tensors of one device and gives tensors of that device; nothing is
// copied behind the caller's back. Every error names the act, the shapes and the
// dtypes. Memory is freed by Tensor.Free, or after the last use by the garbage
// collector; every byte is counted by category (Device.Memory).
package gpu

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// Device is where tensors live and kernels run. Its methods, and the functions
// of this package, may be called from any goroutine; two calls that write one
// tensor must not overlap.
type Device struct {
	name   string
	detail string
	why    string
	memory *mem.Allocator
	back   backend
	shut   *closing
	// serials numbers the tensors, views too.
	serials atomic.Uint64
	// leashes are those that hold nothing now. A pool that was used lives until the second
	// collection after: one within the device would keep all of it.
	leashes *sync.Pool
}

func newDevice(name, detail string, memory *mem.Allocator, back backend) *Device {
	return &Device{name: name, detail: detail, memory: memory, back: back, leashes: new(sync.Pool)}
}

// backend is what differs between devices. Arguments are checked before.
type backend interface {
	layers
	upload(dst *Tensor, src []byte) error
	download(dst []byte, src *Tensor) error
	clear(t *Tensor) error
	copy(dst, src *Tensor) error // one shape, not empty
	attention(a *attention) error
	attentionGrad(a *attentionGrad) error
	attentionScoreGrad(a *scoreGrad) error
	// attentionWeights fills w (B, H, len(queries), Tk), which is dense and not empty.
	attentionWeights(a *attention, queries []int, w *Tensor) error
	// matmul does c = or += a b, then + bias where not nil; see MatMul.
	matmul(c, a, b, bias *Tensor, add bool) error
	// update does one step of an optimizer; for host.LAMBMoments it returns the sums
	// of each tensor.
	update(k host.Kind, c host.Factors, us []update) ([][2]float64, error)
	// updateLayers is update for host.LARS and host.LAMBApply, with each tensor's rate
	// by its norms.
	updateLayers(k host.Kind, c host.Factors, t host.Trust, us []update) error
	sumSquares(ts []*Tensor) ([]float64, error)
	close() error
}

// Open returns the device of that name: "cpu", "cuda:0" (or another index), or
// "auto", which is the first CUDA device that works and else the CPU. Device.Why
// then says why. Each call makes a device with memory of its own, and tensors of two do
// not mix; Default is the one that a session shares.
func Open(name string) (*Device, error) {
	switch {
	case name == "cpu":
		return openCPU("", 0)
	case name == "auto":
		dev, err := openCUDA(0)
		if err == nil {
			return dev, nil
		}
		return openCPU("no CUDA device: "+err.Error(), 0)
	case strings.HasPrefix(name, "cuda:"):
		var index int
		if _, err := fmt.Sscanf(name, "cuda:%d", &index); err != nil || fmt.Sprintf("cuda:%d", index) != name || index < 0 {
			return nil, fmt.Errorf("open device %q: want cuda: and an index", name)
		}
		dev, err := openCUDA(index)
		if err != nil {
			return nil, fmt.Errorf("open device %s: %w", name, err)
		}
		return dev, nil
	}
	return nil, fmt.Errorf("open device %q: want cpu, auto or cuda:0", name)
}

// OpenCPU is Open("cpu") with a number of threads; 0 means all processors.
func OpenCPU(threads int) (*Device, error) {
	if threads < 0 {
		return nil, fmt.Errorf("open the CPU with %d threads: want at least 1, or 0 for all processors", threads)
	}
	return openCPU("", threads)
}

// Default is the session's device, opened at the first call: the one that
// ATTUNE_DEVICE names, else the CPU. It is not "auto", because the CUDA kernels
// of convolution, pooling and BatchNorm are simple ones that no GPU has run yet.
func Default() (*Device, error) { return defaultDevice() }

var defaultDevice = sync.OnceValues(func() (*Device, error) {
	name := os.Getenv("ATTUNE_DEVICE")
	if name == "" {
		name = "cpu"
	}
	dev, err := Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the default device: %w", err)
	}
	return dev, nil
})

// Name is what Open takes: "cpu", "cuda:0".
func (d *Device) Name() string { return d.name }

// Detail says in one line what the device is, for people.
func (d *Device) Detail() string { return d.detail }

// Why says why Open("auto") gave the CPU; empty for any other device.
func (d *Device) Why() string { return d.why }

// String says which device it is and how it computes.
func (d *Device) String() string {
	if d.shut.closed() {
		return d.name + " (closed)"
	}
	return d.name + " (" + d.detail + ")"
}

// Memory returns the counters of this moment, in bytes by category.
func (d *Device) Memory() mem.Snapshot { return d.memory.Snapshot() }

// ResetPeak sets every peak to the present value.
func (d *Device) ResetPeak() { d.memory.ResetPeak() }

// SetCap limits the live bytes; 0 lifts the limit. An allocation above it is a
// *mem.OutOfMemoryError.
func (d *Device) SetCap(bytes int64) { d.memory.SetCap(bytes) }

// Subscribe calls f after every allocation and free until cancel is called.
func (d *Device) Subscribe(f func(mem.Event)) (cancel func()) { return d.memory.Subscribe(f) }

// Events returns the remembered allocations and frees after sequence number seq.
func (d *Device) Events(seq uint64) []mem.Event { return d.memory.Events(seq) }

// Holdings lists the live blocks, largest first.
func (d *Device) Holdings() []mem.Holding { return d.memory.Holdings() }

// Trim collects what tensors nobody reaches any more hold, and gives all cached
// memory back.
func (d *Device) Trim() error {
	reclaim()
	return d.memory.Trim()
}

// Lost is the error that ended the device's context, or nil: an access to memory that
// is not there, or a kernel that failed. All that was on the device is gone, calls
// about it are errors, and CUDA wants a fresh process; in a notebook %gpu restart
// starts one.
func (d *Device) Lost() error {
	if c, ok := d.back.(*cuda); ok {
		return c.ctx.Lost()
	}
	return nil
}

// Close frees the device's memory, that of its tensors too, and its context.
// Afterwards its tensors can be freed and nothing else: all other calls are errors.
// A device that nobody reaches is closed by itself.
func (d *Device) Close() error {
	if err := d.shut.run(); err != nil {
		return fmt.Errorf("close %s: %w", d.name, err)
	}
	return nil
}
