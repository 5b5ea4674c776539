package gpu

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"attune/gpu/driver"
	"attune/gpu/host"
	"attune/gpu/kernels"
	"attune/gpu/mem"
)

// ErrBrokenKernel says that a kernel gave wrong values when it was tried on this
// device, or could not be run there, so that it is not used.
var ErrBrokenKernel = errors.New("the kernel is not used on this device")

// brokenKernel is the account of one.
type brokenKernel struct {
	kernel, device string
	// why ends the sentence "it …".
	why   string
	cause error
}

func (b *brokenKernel) Error() string {
	return fmt.Sprintf("kernel %s: %s on %s: it %s; open the CPU with gpu.Open(%q)", b.kernel, ErrBrokenKernel, b.device, b.why, "cpu")
}

func (b *brokenKernel) Unwrap() []error { return []error{ErrBrokenKernel, b.cause} }

// trials stand between a device's kernels and their use: each kernel is tried once
// on a small problem whose values the CPU knows, before anything of the user's goes
// through it. What came out is remembered in a file.
type trials struct {
	device string
	record *trialRecord
	tell   func(string) // once for each kernel that fails

	mu    sync.Mutex
	ready map[string]*driver.Function
	of    map[string]*trial
	done  int // problems that ran
}

// count is how many problems ran on the device.
func (t *trials) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done
}

// trial is that of one kernel. It is over unless it could not be done, as for want
// of memory.
type trial struct {
	mu   sync.Mutex
	over bool
	err  error
}

func newTrials(device string, record *trialRecord, tell func(string)) *trials {
	return &trials{device: device, record: record, tell: tell, ready: map[string]*driver.Function{}, of: map[string]*trial{}}
}

// kernel is c.function for a kernel that has passed its trial, which is now if it
// was not yet.
func (t *trials) kernel(c *cuda, file, name string, shared int) (*driver.Function, error) {
	t.mu.Lock()
	f, one := t.ready[name], t.of[name]
	if f == nil && one == nil {
		one = new(trial)
		t.of[name] = one
	}
	t.mu.Unlock()
	if f != nil {
		return f, nil
	}
	if err := one.run(func() (over bool, err error) { return t.try(c, file, name) }); err != nil {
		return nil, err
	}
	f, err := c.function(file, name, shared)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready[name] = f
	return f, nil
}

// verdict is why the kernel may not be used where its trial has shown that so far.
func (t *trials) verdict(name string) error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	one := t.of[name]
	t.mu.Unlock()
	if one == nil {
		return nil
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.over {
		return one.err
	}
	return nil
}

// run lets one goroutine try; the others wait for what comes out.
func (o *trial) run(try func() (over bool, err error)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.over {
		o.over, o.err = try()
	}
	return o.err
}

// try tries a kernel unless that was done before; over says that it need not be done
// again.
func (t *trials) try(c *cuda, file, name string) (over bool, err error) {
	p, ok := problemOf(name)
	if !ok {
		return true, nil
	}
	broken := &brokenKernel{kernel: name, device: t.device}
	key := trialKey(t.device, kernels.Hash(file), name)
	if sound, known := t.record.verdict(key); known && sound {
		return true, nil
	} else if known {
		broken.why = fmt.Sprintf("failed its trial in an earlier session, as %s says (delete that file to try it again)", t.record.path)
		t.tell(broken.account())
		return true, broken
	}
	t.mu.Lock()
	t.done++
	t.mu.Unlock()
	worst, limit, err := p.try(c)
	var e *driver.Error
	var oom *mem.OutOfMemoryError
	switch {
	case errors.As(err, &oom):
		return false, fmt.Errorf("try kernel %s: %w", name, err)
	case errors.As(err, &e) && e.Sticky():
		broken.why, broken.cause = "ended the device's context when it was tried: "+err.Error(), err
		t.record.add(key, name, false)
	case err != nil: // the driver's compiler, as a rule; another driver may do better
		broken.why, broken.cause = "could not be tried: "+err.Error(), err
	case worst > limit:
		broken.why = fmt.Sprintf("was off by %.2g where %.2g is allowed, beside the CPU", worst, limit)
		t.record.add(key, name, false)
	default:
		t.record.add(key, name, true)
		return true, nil
	}
	t.tell(broken.account())
	return true, broken
}

// account is what the user reads, once.
func (b *brokenKernel) account() string {
	return fmt.Sprintf("gpu: kernel %s is not used on %s: it %s. A slower kernel does its work where there is one, "+
		"else the call is an error; the CPU does it all: gpu.Open(%q).", b.kernel, b.device, b.why, "cpu")
}

// unproven is the backend without trials, with memory of its own that nobody counts.
func (c *cuda) unproven(memory *mem.Allocator) *cuda {
	return &cuda{lib: c.lib, ctx: c.ctx, memory: memory, loaded: c.loaded, launched: map[string]int{}}
}

// problem is a small computation that one kernel has a part in.
type problem struct {
	kernel string
	limit  func(DType) float64 // of a result of that type
	run    func(r *trialRun) ([]*Tensor, error)
}

// trialRun is one run of a problem: on the device or on the CPU, where results are
// made that the device's part begins with.
type trialRun struct{ dev, cpu *Device }

// try runs the problem on c's device and on the CPU, and returns how far off the
// worst value is, and how far it may be.
func (p problem) try(c *cuda) (worst, limit float64, err error) {
	cpu, err := unlistedCPU(host.Best(), "", 1)
	if err != nil {
		return 0, 0, err
	}
	memory := mem.New("trial of "+p.kernel, deviceMemory{c.ctx, &c.outside}, func() {})
	defer func() { err = errors.Join(err, memory.Trim()) }()
	own := c.unproven(memory)
	own.newest, own.fewest = kernelLevel(p.kernel), 1
	own.processors = 3 // so that a small problem has some go on to more work
	got, err := p.results(&trialRun{dev: newDevice("cuda", "", memory, own), cpu: cpu})
	if err != nil {
		return 0, 0, err
	}
	if own.launched[p.kernel] == 0 {
		return 0, 0, fmt.Errorf("the problem did not run it")
	}
	want, err := p.results(&trialRun{dev: cpu, cpu: cpu})
	if err != nil {
		return 0, 0, err
	}
	// The value that is furthest beyond its own limit.
	ratio := -1.0
	for i, w := range want {
		for j, x := range w.values {
			e := difference(got[i].values[j], x)
			if r := e / max(w.limit, math.SmallestNonzeroFloat64); r > ratio {
				ratio, worst, limit = r, e, w.limit
			}
		}
	}
	return worst, limit, nil
}

// kernelLevel is the architecture whose ways lead to a kernel.
func kernelLevel(kernel string) int {
	switch {
	case strings.Contains(kernel, "_wgmma"):
		return hopperCapability
	case strings.Contains(kernel, "_mma"):
		return tensorCapability
	}
	return kernels.MinCapability
}

// result is one tensor that a problem gave.
type result struct {
	values []float32
	limit  float64
}

func (p problem) results(r *trialRun) ([]result, error) {
	all, err := p.run(r)
	var out []result
	for _, t := range all {
		if err == nil {
			var values []float32
			if values, err = t.numbers(); err == nil {
				out = append(out, result{values, p.limit(t.dtype)})
			}
		}
		err = errors.Join(err, t.Free())
	}
	return out, err
}

// numbers are the values of a tensor of any type.
func (t *Tensor) numbers() ([]float32, error) {
	if t.dtype != Int32 {
		return t.Float32s()
	}
	ints, err := t.Int32s()
	out := make([]float32, len(ints))
	for i, x := range ints {
		out[i] = float32(x)
	}
	return out, err
}

// difference is |got - want| / (1 + |want|), infinite where only one is a number.
func difference(got, want float32) float64 {
	if got == want || got != got && want != want {
		return 0
	}
	e := math.Abs(float64(got)-float64(want)) / (1 + math.Abs(float64(want)))
	if e != e {
		return math.Inf(1)
	}
	return e
}
