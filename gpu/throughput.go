package gpu

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"attune/gpu/mem"
)

// Rate is how fast a device did one thing.
type Rate struct {
	// Name says what, with dtypes and shapes.
	Name string
	// Took is the time of one run, of many in a row.
	Took time.Duration
	// FLOP and Bytes are what a run computes, and what it must at least move between
	// the device's memory and its processors; 0 where that says nothing.
	FLOP, Bytes float64
	// Err is why there is no time, or nil.
	Err error
}

// TFLOPS is 10^12 operations a second.
func (r Rate) TFLOPS() float64 { return r.FLOP / r.Took.Seconds() / 1e12 }

// GBs is 10^9 bytes a second.
func (r Rate) GBs() float64 { return r.Bytes / r.Took.Seconds() / 1e9 }

// meter times work on a device.
type meter struct {
	dev *Device
	// least is how long the runs of one measurement take together.
	least time.Duration
	rates []Rate
}

// Throughput measures attention, products, optimizers and copies: with full at sizes
// that fill a data centre's GPU (some 10 GiB of memory, a minute or two), else at tiny
// ones, to see that it works. The form of attention's sizes is that of FlashAttention-2
// (Dao 2023, section 4.1): 16384 tokens in all, 2048 columns.
func Throughput(dev *Device, full bool) []Rate {
	m := &meter{dev: dev, least: 200 * time.Millisecond}
	tokens, lengths, side, params := 16384, []int{512, 2048, 8192, 16384}, []int{2048, 4096, 8192}, 124_000_000
	batch, context := 16, 8192
	if !full {
		m.least, tokens, lengths, side, params, batch, context = time.Microsecond, 64, []int{32, 64}, []int{64}, 5000, 2, 200
	}
	for _, d := range []int{64, 128} {
		for _, t := range lengths {
			for _, causal := range []bool{false, true} {
				m.attention(BFloat16, tokens/t, max(1, min(2048, tokens)/d), t, d, causal)
			}
		}
	}
	m.attention(Float32, 1, 4, lengths[1], 64, false)
	m.decode(batch, 32, 8, context, 128)
	for _, n := range side {
		m.product(BFloat16, n)
	}
	m.product(Float32, side[0])
	m.optimizer("adamw", func() Optimizer { return NewAdamW(1e-3, 0.1) }, params, 28)
	m.optimizer("adamw, clipped", func() Optimizer {
		o := NewAdamW(1e-3, 0.1)
		o.Clip = 1
		return o
	}, params, 32)
	m.optimizer("lamb", func() Optimizer { return NewLAMB(1e-3) }, params, 52)
	m.copies(params)
	runtime.KeepAlive(dev)
	return m.rates
}

// time measures run, after once for what the first use costs, and frees what it worked
// with.
func (m *meter) time(r Rate, inputs []*Tensor, err error, run func() error) {
	repeat := func(n int) (took time.Duration, err error) {
		begin := time.Now()
		for i := 0; i < n && err == nil; i++ {
			err = run()
		}
		err = errors.Join(err, m.dev.Synchronize())
		return time.Since(begin), err
	}
	if err == nil {
		_, err = repeat(1)
	}
	for n := 1; err == nil; n *= 2 {
		var took time.Duration
		took, err = repeat(n)
		if r.Took = took / time.Duration(n); took >= m.least {
			break
		}
	}
	for _, t := range inputs {
		err = errors.Join(err, t.Free())
	}
	r.Err = err
	m.rates = append(m.rates, r)
}

func (m *meter) tensors(dtype DType, shapes ...[]int) (all []*Tensor, err error) {
	for _, s := range shapes {
		t, err := m.dev.ZerosOf(dtype, mem.Data, s...)
		if err != nil {
			return all, err
		}
		all = append(all, t)
	}
	return all, nil
}

// attention measures both ways. Two products of 2 T T D each, five in the backward
// pass; half of it where causal.
func (m *meter) attention(dtype DType, b, h, t, d int, causal bool) {
	o := AttentionOptions{Causal: causal}
	flop := 4 * float64(b*h) * float64(t) * float64(t) * float64(d)
	if causal {
		flop /= 2
	}
	name := fmt.Sprintf("%s (%d, %d, %d, %d), causal %v", dtype, b, h, t, d, causal)
	shape := []int{b, h, t, d}
	in, err := m.tensors(dtype, shape, shape, shape)
	m.time(Rate{Name: "attention forward " + name, FLOP: flop}, in, err, func() error {
		r, err := Attention(in[0], in[1], in[2], o)
		if err != nil {
			return err
		}
		return r.Free()
	})
	in, err = m.tensors(dtype, shape, shape, shape, shape, shape, shape, shape)
	var r *AttentionResult
	if err == nil {
		if r, err = Attention(in[0], in[1], in[2], o); err == nil {
			in = append(in, r.Output, r.LSE)
		}
	}
	m.time(Rate{Name: "attention backward " + name, FLOP: 2.5 * flop}, in, err, func() error {
		return r.BackwardInto(in[3], in[4], in[5], in[6])
	})
}

// decode reads keys and values once.
func (m *meter) decode(b, h, kv, t, d int) {
	in, err := m.tensors(BFloat16, []int{b, h, 1, d}, []int{b, kv, t, d}, []int{b, kv, t, d})
	rate := Rate{Name: fmt.Sprintf("decoding bf16 (%d, %d/%d, 1/%d, %d)", b, h, kv, t, d), Bytes: 4 * float64(b*kv*t*d)}
	m.time(rate, in, err, func() error {
		r, err := Attention(in[0], in[1], in[2], AttentionOptions{})
		if err != nil {
			return err
		}
		return r.Free()
	})
}

func (m *meter) product(dtype DType, n int) {
	in, err := m.tensors(dtype, []int{n, n}, []int{n, n}, []int{n, n})
	rate := Rate{Name: fmt.Sprintf("product %s (%d, %d) by (%d, %d)", dtype, n, n, n, n), FLOP: 2 * float64(n) * float64(n) * float64(n)}
	m.time(rate, in, err, func() error { return MatMul(in[2], in[0], in[1], false) })
}

// optimizer does steps of n parameters, as 50 tensors; bytes is what each must move.
func (m *meter) optimizer(name string, make func() Optimizer, n, bytes int) {
	var shapes [][]int
	for range 100 {
		shapes = append(shapes, []int{n / 50})
	}
	in, err := m.tensors(Float32, shapes...)
	o := make()
	rate := Rate{Name: fmt.Sprintf("%s f32, %d parameters", name, n/50*50), Bytes: float64(bytes) * float64(n/50*50)}
	m.time(rate, in, err, func() error { return o.Step(in[:50], in[50:]) })
	if err := o.Free(); err != nil {
		m.rates[len(m.rates)-1].Err = err
	}
}

func (m *meter) copies(n int) {
	in, err := m.tensors(Float32, []int{n}, []int{n})
	m.time(Rate{Name: fmt.Sprintf("copy f32 (%d)", n), Bytes: 8 * float64(n)}, in, err, func() error { return Copy(in[1], in[0]) })
	in, err = m.tensors(Float32, []int{n})
	half, err2 := m.tensors(BFloat16, []int{n})
	in = append(in, half...)
	m.time(Rate{Name: fmt.Sprintf("cast f32 to bf16 (%d)", n), Bytes: 6 * float64(n)}, in, errors.Join(err, err2), func() error { return Copy(in[1], in[0]) })
}
