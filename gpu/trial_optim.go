package gpu

import (
	"errors"
	"math"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// update does one step of a kind on three tensors, with every factor different: one of
// whole fours, one of several blocks that ends within four, one at odd addresses.
func (r *trialRun) update(kind string, halves bool) ([]*Tensor, error) {
	k := host.Kind(number(kind))
	f := host.Factors{Scale: 0.5, Decay: 0.01, Shrink: 0.001, Rate: 0.02, Momentum: 0.9, Mean: 0.1, Square: 0.05, Correct1: 1.5, Correct2: 1.2, Eps: 1e-3}
	var us []update
	var all []*Tensor
	for i, n := range []int{300, 5003, 1030} {
		u := update{rate: 0.5 + float32(i)}
		var err error
		made := func(dtype DType, change func(float32) float32) *Tensor {
			var t *Tensor
			if err == nil { // longer: what is written beside it shows
				t, err = checkTensor(r.dev, dtype, uint64(len(all)), n+2)
			}
			if err == nil && change != nil {
				err = t.change(change)
			}
			all = append(all, t)
			if err != nil {
				return nil
			}
			return t.span(0, i/2, i/2+n)
		}
		u.x = made(Float32, nil)
		half := []DType{Float16, BFloat16, Float16}[i]
		switch {
		case halves && k == host.LAMBMoments: // which changes no parameter
			u.g = made(half, nil)
		case halves:
			u.half, u.g = made(half, nil), made(half, nil)
		default:
			u.g = made(Float32, nil)
		}
		// The third state is a mean whose square is below the first.
		changes := [3]func(float32) float32{square, square, func(x float32) float32 { return x / 50 }}
		for j := range k.States() {
			u.s[j] = made(Float32, changes[j])
		}
		if err != nil {
			return all, err
		}
		us = append(us, u)
	}
	sums, err := r.dev.back.update(k, f, us)
	if err != nil {
		return all, err
	}
	all = append(all, r.means(sums)...)
	again, err := r.updateAgain(k, f, us)
	return append(all, r.means(again)...), err
}

// updateAgain is a second update, on a CUDA device with its own word and factors.
func (r *trialRun) updateAgain(k host.Kind, f host.Factors, us []update) ([][2]float64, error) {
	c, ok := r.dev.back.(*cuda)
	if !ok {
		return r.dev.back.update(k, f, us)
	}
	record, err := r.dev.Empty(Float32, mem.Workspace, 2*recordWords)
	if err != nil {
		return nil, err
	}
	gate := record.address()
	work, err := c.reserve(&lineup{kind: k}, true)
	if err == nil {
		err = errors.Join(c.decide(work, gate, nil, decision{begin: true, scaled: true, scale: float64(1 / f.Scale)}), work.Return())
	}
	if err == nil {
		err = c.choose(gate, 0, [][4]float32{{f.Shrink, f.Rate, f.Correct1, f.Correct2}})
	}
	var sums [][2]float64
	if err == nil {
		f.Scale, f.Shrink, f.Rate, f.Correct1, f.Correct2 = 0, 0, 0, 0, 0
		sums, err = c.updateBehind(gate, k, f, pack(k, us))
	}
	return sums, errors.Join(err, record.Free())
}

// guarded does steps whose norms decide, one of them with a gradient that is infinite,
// and begins a pass under the loss scale that they leave.
func (r *trialRun) guarded() ([]*Tensor, error) {
	d := &draws{dev: r.dev}
	for i, make := range []func() Optimizer{func() Optimizer { return NewAdam(0.01) }, func() Optimizer { return NewLARS(0.1) }, func() Optimizer { return NewLAMB(0.01) }} {
		opt := make()
		o := opt.(interface{ Common() *Training }).Common()
		o.Clip, o.Scale, o.Schedule = 0.5, &LossScale{Initial: 4, Growth: 2, Backoff: 0.5, Interval: 2}, Cosine{Steps: 6}
		params := []*Tensor{d.tensor(Float32, 300), d.tensor(Float32, 40000)}
		for step := range 5 {
			grads := []*Tensor{d.tensor(Float32, 300), d.tensor(Float32, 40000)}
			if d.err == nil && step == 1+i {
				d.err = Fill(grads[1], float32(math.Inf(1)))
			}
			if d.err == nil {
				d.err = opt.Step(params, grads)
			}
		}
		if loss := d.tensor(Float32, 1); d.err == nil {
			d.err = o.LossGradient(loss, 0.25)
		}
		if d.err != nil {
			return d.all, d.err
		}
		told := d.tensor(Float32, 5)
		if d.err == nil {
			d.err = told.CopyFrom([]float32{float32(o.Steps()), float32(o.Skipped()), float32(o.Norm()), float32(o.Scale.Value()), float32(o.Rate())})
		}
		d.all = append(d.all, o.stateOf(params)...)
	}
	return d.all, d.err
}

func square(x float32) float32 { return 0.1 + x*x }

// change does so with each of t's values, without a kernel.
func (t *Tensor) change(f func(float32) float32) error {
	values, err := t.Float32s()
	for i, x := range values {
		values[i] = f(x)
	}
	if err != nil {
		return err
	}
	return t.CopyFrom(values)
}

// means turns sums that the backend gave into tensors of the CPU.
func (r *trialRun) means(sums [][2]float64) []*Tensor {
	var out []*Tensor
	for _, s := range sums {
		t, err := r.cpu.FromFloat32s([]float32{float32(math.Sqrt(s[0])), float32(math.Sqrt(s[1]))}, mem.Workspace, 2)
		if err == nil {
			out = append(out, t)
		}
	}
	return out
}

func (r *trialRun) squares() ([]*Tensor, error) {
	var in, parts []*Tensor
	for i, dtype := range []DType{Float32, Float16, BFloat16, Float32, BFloat16} {
		n := []int{40077, 40077, 40077, 78, 20001}[i] // the last two at odd addresses
		t, err := checkTensor(r.dev, dtype, uint64(i), n)
		if err != nil {
			return in, err
		}
		in, parts = append(in, t), append(parts, t.span(0, i/3, n))
	}
	sums, err := r.dev.back.sumSquares(parts)
	if err != nil {
		return in, err
	}
	out := make([][2]float64, len(sums))
	for i, s := range sums {
		out[i] = [2]float64{s, s}
	}
	return append(in, r.means(out)...), nil
}
