package gpu

import (
	"errors"
	"fmt"
	"time"

	"attune/gpu/kernels"
)

// kernelChecks are the trials of all kernels that a CUDA device can run.
func kernelChecks(dev *Device) ([]CheckCase, error) {
	c, ok := dev.back.(*cuda)
	if !ok {
		return nil, nil
	}
	var all []CheckCase
	for _, i := range kernels.Images() {
		if !i.RunsOn(c.ctx.Info().Capability) {
			continue
		}
		image, err := kernels.PTX(i.Name)
		if err != nil {
			return nil, err
		}
		for _, name := range kernels.Entries(image) {
			all = append(all, CheckCase{"kernel", "kernel " + name, func() (check Check) {
				begin := time.Now()
				if p, ok := problemOf(name); ok {
					check.Error, check.Limit, check.Err = p.try(c)
				} else {
					check.Err = errors.New("nobody wrote a problem for it")
				}
				check.Took = time.Since(begin)
				return check
			}})
		}
	}
	return all, nil
}

// attentionForm is a way to ask for attention that the shapes alone do not cover.
type attentionForm struct {
	name string
	run  func(dev *Device, dtype DType) ([]*Tensor, error)
}

func attentionForms() []attentionForm {
	with := func(o AttentionOptions, b, t int) func(dev *Device, dtype DType) ([]*Tensor, error) {
		return func(dev *Device, dtype DType) ([]*Tensor, error) { return checkForm(dev, dtype, o, b, t, false) }
	}
	return []attentionForm{
		{"packed sequences of 30, 1, 0 and 69 tokens", with(AttentionOptions{Causal: true, CuSeqlensQ: []int{0, 30, 31, 31, 100}}, 1, 100)},
		{"key padding to 90, 0 and 17", with(AttentionOptions{KeyLengths: []int{90, 0, 17}}, 3, 90)},
		{"last queries at the ends of 90, 40 and 64 keys", with(AttentionOptions{Causal: true, AtEnd: true, KeyLengths: []int{90, 40, 64}}, 3, 90)},
		{"a bias for all heads", func(dev *Device, dtype DType) ([]*Tensor, error) {
			return checkForm(dev, dtype, AttentionOptions{Causal: true, Dropout: 0.1, Seed: 5}, 2, 80, true)
		}},
		{"ALiBi", with(AttentionOptions{Causal: true, ALiBi: ALiBiSlopes(4)}, 2, 80)},
		{"scale 0", with(AttentionOptions{Uniform: true}, 1, 80)},
		{"views of the weights", checkWeights},
		{"decoding from a cache", checkCache},
	}
}

// draws makes tensors of normal values, one after the other.
type draws struct {
	dev *Device
	all []*Tensor
	err error
}

func (d *draws) tensor(dtype DType, shape ...int) *Tensor {
	if d.err != nil {
		return nil
	}
	t, err := checkTensor(d.dev, dtype, uint64(100+len(d.all)), shape...)
	d.err = err
	if err == nil {
		d.all = append(d.all, t)
	}
	return t
}

// checkForm does attention of (b, 4/2, t, 48) and its gradients.
func checkForm(dev *Device, dtype DType, o AttentionOptions, b, t int, bias bool) ([]*Tensor, error) {
	d := &draws{dev: dev}
	q, k, v, dOut := d.tensor(dtype, b, 4, t, 48), d.tensor(dtype, b, 2, t, 48), d.tensor(dtype, b, 2, t, 48), d.tensor(dtype, b, 4, t, 48)
	if bias {
		o.Bias = d.tensor(Float32, 1, 4, t, t)
	}
	if d.err != nil {
		return d.all, d.err
	}
	r, err := Attention(q, k, v, o)
	if err != nil {
		return d.all, err
	}
	dq, dk, dv, err := r.Backward(dOut)
	return append(d.all, r.Output, dq, dk, dv), errors.Join(err, r.LSE.Free())
}

func checkWeights(dev *Device, dtype DType) ([]*Tensor, error) {
	d := &draws{dev: dev}
	q, k := d.tensor(dtype, 1, 4, 50, 64), d.tensor(dtype, 1, 2, 60, 64)
	if d.err != nil {
		return d.all, d.err
	}
	r, err := Attention(q, k, k, AttentionOptions{Causal: true})
	if err != nil {
		return d.all, err
	}
	all := append(d.all, r.Output, r.LSE)
	for _, view := range []func() (*Tensor, error){r.Weights, func() (*Tensor, error) { return r.WeightsAt(49, 0) }, func() (*Tensor, error) { return r.WeightsPooled(7, 8) }} {
		w, err := view()
		if err != nil {
			return all, err
		}
		all = append(all, w)
	}
	return all, nil
}

// checkCache decodes twice from a cache of keys and values.
func checkCache(dev *Device, dtype DType) ([]*Tensor, error) {
	d := &draws{dev: dev}
	c, err := NewKVCache(dev, dtype, 2, 2, 400, 64)
	if err != nil {
		return nil, err
	}
	defer c.Free()
	all := d.all
	for _, n := range []int{333, 1} {
		k, v, q := d.tensor(dtype, 2, 2, n, 64), d.tensor(dtype, 2, 2, n, 64), d.tensor(dtype, 2, 8, 1, 64)
		if d.err != nil {
			return d.all, d.err
		}
		if err := c.Append(k, v); err != nil {
			return d.all, err
		}
		r, err := c.Attend(q, AttentionOptions{Causal: true})
		if err != nil {
			return d.all, err
		}
		all = append(all, r.Output, r.LSE)
	}
	return append(all, d.all...), nil
}

// optimizerCheck is a rule, as it is set for a check.
type optimizerCheck struct {
	name string
	make func() Optimizer
}

func optimizerChecks() []optimizerCheck {
	sgd := func() Optimizer {
		o := NewSGD(0.1)
		o.Momentum, o.Nesterov, o.Decay, o.Clip = 0.9, true, 0.01, 1
		return o
	}
	rms := func() Optimizer {
		o := NewRMSprop(0.01)
		o.Momentum, o.Centered = 0.9, true
		return o
	}
	scaled := func() Optimizer {
		o := NewAdam(0.01)
		o.Scale, o.Clip = &LossScale{Initial: 4, Growth: 2, Backoff: 0.5, Interval: 2}, 0.5
		return o
	}
	return []optimizerCheck{
		{"sgd with momentum, clipped", sgd}, {"adam, scaled and clipped", scaled}, {"adamw", func() Optimizer { return NewAdamW(0.01, 0.1) }},
		{"adagrad", func() Optimizer { return NewAdagrad(0.01) }}, {"rmsprop, centered", rms},
		{"lars", func() Optimizer { return NewLARS(0.1) }}, {"lamb", func() Optimizer { return NewLAMB(0.01) }},
	}
}

// checkOptimizer does steps on parameters of several sizes; one has no gradient.
func checkOptimizer(dev *Device, dtype DType, o Optimizer) ([]*Tensor, error) {
	d := &draws{dev: dev}
	var params []*Tensor
	for _, n := range []int{1, 70, 5000, 3} {
		params = append(params, d.tensor(dtype, n))
	}
	for step := range 5 {
		var grads []*Tensor
		for _, p := range params {
			if d.err != nil {
				return d.all, d.err
			}
			grads = append(grads, d.tensor(dtype, p.Len()))
		}
		grads[3] = nil
		if err := o.Step(params, grads); err != nil {
			return d.all, fmt.Errorf("step %d: %w", step, err)
		}
	}
	state := o.(interface {
		stateOf(params []*Tensor) []*Tensor
	})
	return append(d.all, state.stateOf(params)...), d.err
}

// stateOf is the state of params, in their order.
func (o *Training) stateOf(params []*Tensor) []*Tensor {
	var out []*Tensor
	for _, p := range params {
		if s := o.state[p]; s != nil {
			out = append(out, s.tensors()...)
		}
	}
	return out
}
