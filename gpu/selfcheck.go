package gpu

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"attune/gpu/mem"
)

// Check is one comparison of a device's kernels with the CPU's on the same values.
type Check struct {
	// Kind groups checks: "kernel", "attention", "product", "layers", "optimizer". Name
	// says what was computed, with dtypes and shapes.
	Kind, Name string
	// Error is the largest |difference| / (1 + |CPU's value|), Limit what is allowed.
	Error, Limit float64
	// Took is the device's time, first use and copies included.
	Took time.Duration
	// Err is why there is no comparison, or nil.
	Err error
}

// OK says whether the device's values agree.
func (c Check) OK() bool { return c.Err == nil && c.Error <= c.Limit }

// CheckCase is a comparison that can be made; see Checks.
type CheckCase struct {
	// Kind and Name are those of the Check that Run gives.
	Kind, Name string
	run        func() Check
}

// Run makes the comparison.
func (c CheckCase) Run() Check {
	out := c.run()
	out.Kind, out.Name = c.Kind, c.Name
	return out
}

// Checks lists what there is to compare: each kernel, as at its trial before its first
// use, then attention with all it can be asked for, its gradients, views of its weights
// and decoding, matrix products, layers, and all optimizers, for each element type and
// each head size that there are kernels for. A comparison takes a few milliseconds on
// a GPU, plus the compilation of its kernels at first use.
func Checks(dev *Device) ([]CheckCase, error) {
	cpu, err := OpenCPU(0)
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", dev.name, err)
	}
	tried := dev.untried()
	all, err := kernelChecks(tried)
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", dev.name, err)
	}
	add := func(kind, name string, limit float64, f func(*Device) ([]*Tensor, error)) {
		all = append(all, CheckCase{kind, name, func() Check { return compare(name, limit, tried, cpu, f) }})
	}
	for _, dtype := range []DType{Float32, Float16, BFloat16} {
		limit := map[DType]float64{Float32: 5e-5, Float16: 8e-3, BFloat16: 6e-2}[dtype]
		for _, d := range []int{32, 64, 96, 128, 256} {
			for _, tq := range []int{70, 2} {
				for _, o := range []AttentionOptions{{Causal: true}, {Window: 40, ALiBi: []float32{0.1, 0.2}, Dropout: 0.2, Seed: 7}} {
					name := fmt.Sprintf("attention %s (1, 2/1, %d/70, %d) causal %v, dropout %g", dtype, tq, d, o.Causal, o.Dropout)
					add("attention", name, limit, func(x *Device) ([]*Tensor, error) { return checkAttention(x, dtype, tq, d, o) })
				}
			}
		}
		name := fmt.Sprintf("product %s (136, 72) by (72, 200)", dtype)
		add("product", name, limit, func(x *Device) ([]*Tensor, error) { return checkProduct(x, dtype) })
		for _, c := range layerChecks(dtype) {
			add("layers", c.name, c.limit, c.run)
		}
		for _, c := range attentionForms() {
			add("attention", fmt.Sprintf("%s %s", c.name, dtype), limit, func(x *Device) ([]*Tensor, error) { return c.run(x, dtype) })
		}
		for _, c := range optimizerChecks() {
			add("optimizer", fmt.Sprintf("%s %s, 5 steps", c.name, dtype), limit, func(x *Device) ([]*Tensor, error) { return checkOptimizer(x, dtype, c.make()) })
		}
	}
	for i, c := range all { // the context is dev's
		all[i].run = func() Check { defer runtime.KeepAlive(dev); return c.run() }
	}
	return all, nil
}

// SelfCheck makes all comparisons that Checks lists.
func SelfCheck(dev *Device) ([]Check, error) {
	cases, err := Checks(dev)
	var all []Check
	for _, c := range cases {
		all = append(all, c.Run())
	}
	return all, err
}

// untried is a CUDA device that uses every kernel, whatever came of its trial; any
// other device as it is. It lives no longer than d.
func (d *Device) untried() *Device {
	c, ok := d.back.(*cuda)
	if !ok {
		return d
	}
	own := c.unproven(d.memory)
	own.fewest = 1 // small problems go through Hopper's product too
	return newDevice(d.name, d.detail, d.memory, own)
}

// compare computes on both devices.
func compare(name string, limit float64, dev, cpu *Device, f func(*Device) ([]*Tensor, error)) Check {
	c := Check{Name: name, Limit: limit}
	begin := time.Now()
	got, err := readAll(f(dev))
	c.Took = time.Since(begin)
	want, err2 := readAll(f(cpu))
	if c.Err = errors.Join(err, err2); c.Err != nil {
		return c
	}
	for i, w := range want {
		c.Error = max(c.Error, difference(got[i], w))
	}
	return c
}

// readAll reads tensors' values one after the other, and frees them.
func readAll(all []*Tensor, err error) ([]float32, error) {
	var out []float32
	for _, t := range all {
		if err == nil {
			var values []float32
			values, err = t.Float32s()
			out = append(out, values...)
		}
		err = errors.Join(err, t.Free())
	}
	return out, err
}

// checkTensor makes a tensor of normal values, the same on every device.
func checkTensor(dev *Device, dtype DType, seed uint64, shape ...int) (*Tensor, error) {
	t, err := dev.Empty(dtype, mem.Workspace, shape...)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	values := make([]float32, t.Len())
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	return t, t.CopyFrom(values)
}

func checkAttention(dev *Device, dtype DType, tq, d int, o AttentionOptions) ([]*Tensor, error) {
	var in []*Tensor
	for i, s := range [][2]int{{2, tq}, {1, 70}, {1, 70}, {2, tq}} {
		t, err := checkTensor(dev, dtype, uint64(i), 1, s[0], s[1], d)
		if err != nil {
			return in, err
		}
		in = append(in, t)
	}
	r, err := Attention(in[0], in[1], in[2], o)
	if err != nil {
		return in, err
	}
	dq, dk, dv, err := r.Backward(in[3])
	if err != nil {
		return append(in, r.Output), err
	}
	return append(in, r.Output, dq, dk, dv), nil
}

func checkProduct(dev *Device, dtype DType) ([]*Tensor, error) {
	var in []*Tensor
	for i, s := range [][2]int{{136, 72}, {72, 200}, {136, 200}} {
		t, err := checkTensor(dev, dtype, uint64(i), s[0], s[1])
		if err != nil {
			return in, err
		}
		in = append(in, t)
	}
	return in, MatMul(in[2], in[0], in[1], false)
}
