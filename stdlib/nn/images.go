package nn

import (
	"fmt"

	"attune/gpu"
)

// Conv2D is the convolution of x (N, In, H, W) with w (Out, In/Groups, KH, KW), plus b
// (Out) or nothing where b is nil: (N, Out, OH, OW), see gpu.ConvOptions.Out (LeCun et
// al. 1989).
func (t *Tape) Conv2D(x, w, b *Value, o gpu.ConvOptions) *Value {
	const act = "convolution"
	inputs := []*Value{x, w}
	if b != nil {
		inputs = append(inputs, b)
	}
	if !t.usable(act, inputs...) {
		return nil
	}
	xs, ws := x.tensor.Shape(), w.tensor.Shape()
	if len(xs) != 4 {
		return t.fail(act, fmt.Errorf("input %s: want images (N, channels, height, width); give Tape.Input or Reshape these four numbers", dims(x.tensor)))
	}
	if len(ws) == 4 && xs[1] != ws[1]*max(1, o.Groups) {
		return t.fail(act, fmt.Errorf("input %s has %d channels and the weights %s take %d: make the layer with %d inputs", dims(x.tensor), xs[1], dims(w.tensor), ws[1]*max(1, o.Groups), xs[1]))
	}
	shape, err := o.Out(xs, ws)
	if err != nil {
		return t.fail(act, err)
	}
	in, err := t.operands(x, w)
	if err != nil {
		return t.fail(act, err)
	}
	y, err := t.makeIn(t.precision, shape, inputs...)
	if err == nil {
		err = gpu.Conv2D(y.tensor, in[0], in[1], tensorOf(b), o)
	}
	if err != nil {
		return t.fail(act, err)
	}
	t.costs(2 * int64(y.tensor.Len()) * int64(ws[1]*ws[2]*ws[3]))
	return t.record(y, func() error {
		d, err := wanted(x, w, b)
		if err != nil {
			return err
		}
		dy, err := y.gradient()
		if err != nil {
			return err
		}
		wt, err := t.later(w, in[1])
		if err != nil {
			return err
		}
		return gpu.Conv2DGrad(d[0], d[1], d[2], in[0], wt, dy, o)
	})
}

func tensorOf(v *Value) *gpu.Tensor {
	if v == nil {
		return nil
	}
	return v.tensor
}

// wanted is the gradients of those values that need one, nil for the others.
func wanted(values ...*Value) ([]*gpu.Tensor, error) {
	out := make([]*gpu.Tensor, len(values))
	for i, v := range values {
		if v == nil || !v.needs {
			continue
		}
		d, err := v.gradient()
		if err != nil {
			return nil, err
		}
		out[i] = d
	}
	return out, nil
}

// MaxPool2D is the largest of each window of x (N, C, H, W): (N, C, OH, OW), see
// gpu.PoolOptions.Out.
func (t *Tape) MaxPool2D(x *Value, o gpu.PoolOptions) *Value {
	return t.pool("max pool", x, o, gpu.MaxPool2D, func(dx, dy *gpu.Tensor) error { return gpu.MaxPool2DGrad(dx, x.tensor, dy, o) })
}

// AvgPool2D is the mean of each window of x (N, C, H, W), 0 counted where the window
// goes over the edge: (N, C, OH, OW), see gpu.PoolOptions.Out.
func (t *Tape) AvgPool2D(x *Value, o gpu.PoolOptions) *Value {
	return t.pool("average pool", x, o, gpu.AvgPool2D, func(dx, dy *gpu.Tensor) error { return gpu.AvgPool2DGrad(dx, dy, o) })
}

func (t *Tape) pool(act string, x *Value, o gpu.PoolOptions, f func(y, x *gpu.Tensor, o gpu.PoolOptions) error, grad func(dx, dy *gpu.Tensor) error) *Value {
	if !t.usable(act, x) {
		return nil
	}
	shape, err := o.Out(x.tensor.Shape())
	if err != nil {
		return t.fail(act, err)
	}
	y, err := t.make(shape, x)
	if err == nil {
		err = f(y.tensor, x.tensor, o)
	}
	if err != nil {
		return t.fail(act, err)
	}
	t.costs(int64(y.tensor.Len()) * int64(o.Kernel*o.Kernel))
	return t.record(y, func() error {
		g, err := gradients(x, y)
		if err != nil {
			return err
		}
		return grad(g[0], g[1])
	})
}

// BatchNorm normalises each channel of x (N, C, …) by the batch's mean and variance
// while training, and by the running ones afterwards (Ioffe and Szegedy 2015), then
// multiplies with gain (C) and adds bias (C). A training pass moves the running mean and
// variance (C) towards the batch's by the share momentum, once, also where its segment
// is computed twice.
func (t *Tape) BatchNorm(x, gain, bias *Value, mean, variance *Param, momentum float64) *Value {
	const act = "batch norm"
	if !t.usable(act, x, gain, bias) {
		return nil
	}
	xs, channels := x.tensor.Shape(), gain.tensor.Len()
	if len(xs) < 2 || xs[1] != channels {
		return t.fail(act, fmt.Errorf("input %s for %d channels: want (N, %d, …)", dims(x.tensor), channels, channels))
	}
	if mean == nil || variance == nil {
		return t.fail(act, fmt.Errorf("no running statistics: see Net.Err"))
	}
	if t.training && x.tensor.Len() <= channels {
		return t.fail(act, fmt.Errorf("input %s has one value a channel, which has no variance: train with batches of 2 or more", dims(x.tensor)))
	}
	y, err := t.makeIn(t.precision, xs, x, gain, bias)
	if err != nil {
		return t.fail(act, err)
	}
	at, err := t.make([]int{channels})
	if err != nil {
		return t.fail(act, err)
	}
	rstd, err := t.make([]int{channels})
	if err != nil {
		return t.fail(act, err)
	}
	o := gpu.BatchNormOptions{Train: t.training, Momentum: float32(momentum), Eps: normEpsilon}
	runMean, runVar := t.running(mean), t.running(variance)
	if err := gpu.BatchNorm(y.tensor, at.tensor, rstd.tensor, x.tensor, gain.tensor, bias.tensor, runMean, runVar, o); err != nil {
		return t.fail(act, err)
	}
	t.costs(8 * int64(x.tensor.Len()))
	return t.record(y, func() error {
		d, err := wanted(x, gain, bias)
		if err != nil {
			return err
		}
		dy, err := y.gradient()
		if err != nil {
			return err
		}
		return gpu.BatchNormGrad(d[0], d[1], d[2], x.tensor, dy, gain.tensor, at.tensor, rstd.tensor, o)
	})
}

// running is a running statistic's tensor on the tape's device, nil where it is not to
// move a second time.
func (t *Tape) running(p *Param) *gpu.Tensor {
	if t.training && t.again {
		return nil
	}
	if s := t.shadows[p]; s != nil {
		p = s
	}
	return p.Value
}
