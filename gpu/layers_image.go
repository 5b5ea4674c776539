package gpu

import (
	"fmt"
	"slices"

	"attune/gpu/host"
)

// imageLayers is what a device does for the layers of images; see layers.
type imageLayers interface {
	conv2D(c host.Conv, y, x, w, bias *Tensor) error
	conv2DGrad(c host.Conv, dx, dw, dBias, x, w, dy *Tensor) error
	maxPool(p host.Pool, y, x *Tensor) error
	maxPoolGrad(p host.Pool, dx, x, dy *Tensor) error
	averagePool(p host.Pool, y, x *Tensor) error
	averagePoolGrad(p host.Pool, dx, dy *Tensor) error
	batchNorm(b host.BatchNorm, y, mean, rstd, x, gain, bias, runMean, runVar *Tensor) error
	batchNormGrad(b host.BatchNorm, dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor) error
}

// ConvOptions are a convolution's numbers, the same along both axes of the image. Zero
// means 1, for Padding none.
type ConvOptions struct {
	Stride, Padding, Dilation, Groups int
}

// shape is the convolution of x by w; sides that are not there are 0.
func (o ConvOptions) shape(x, w []int) host.Conv {
	one := func(n int) int {
		if n == 0 {
			return 1
		}
		return n
	}
	c := host.Conv{Stride: one(o.Stride), Pad: o.Padding, Dilation: one(o.Dilation), Groups: one(o.Groups)}
	if len(x) == 4 && len(w) == 4 {
		c.N, c.In, c.H, c.W, c.Out, c.KH, c.KW = x[0], x[1], x[2], x[3], w[0], w[2], w[3]
	}
	return c
}

// Out is the shape of what comes out of x (N, In, H, W) by weights (Out, In/Groups, KH,
// KW): (N, Out, (H + 2 Padding - Dilation (KH-1) - 1)/Stride + 1, the same of W and KW).
func (o ConvOptions) Out(x, w []int) ([]int, error) {
	c := o.shape(x, w)
	switch {
	case len(x) != 4 || len(w) != 4:
		return nil, fmt.Errorf("convolution of %s by %s: want (N, In, H, W) and (Out, In/Groups, KH, KW)", dims(x), dims(w))
	case w[1]*c.Groups != x[1]:
		return nil, fmt.Errorf("convolution of %s by %s: %d groups of %d channels are not %d", dims(x), dims(w), c.Groups, w[1], x[1])
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	return []int{c.N, c.Out, c.OutH(), c.OutW()}, nil
}

// fits says why y is not what comes out; empty if it is.
func fits(y *Tensor, want []int, err error) string {
	if err != nil {
		return err.Error()
	}
	if !slices.Equal(y.shape, want) {
		return fmt.Sprintf("%s is not %s", y, dims(want))
	}
	return ""
}

// Conv2D does y (N, Out, OH, OW) = x (N, In, H, W) * w (Out, In/Groups, KH, KW) + bias
// (Out), or without bias where it is nil: y[n,o,i,j] is the sum over c, h and w of
// w[o,c,h,w] x[n,c,i Stride - Padding + h Dilation, …], outside of x 0 (a
// cross-correlation, as in LeCun et al. 1989).
func Conv2D(y, x, w, bias *Tensor, o ConvOptions) error {
	return layer(call{act: "convolution", need: []*Tensor{y, x, w}, opt: []*Tensor{bias}, float: []*Tensor{y, x, w, bias},
		bad: func() string {
			want, err := o.Out(x.shape, w.shape)
			if why := fits(y, want, err); why != "" {
				return why
			}
			return rowsFit(want[1], 1, bias)
		},
		run: func(d backend) error { return d.conv2D(o.shape(x.shape, w.shape), y, x, w, bias) }})
}

// Conv2DGrad adds to dx, dw and dBias; those that are nil are left out. Without dw, x is
// read for its shape only, without dx so is w.
func Conv2DGrad(dx, dw, dBias, x, w, dy *Tensor, o ConvOptions) error {
	return layer(call{act: "gradient of a convolution", need: []*Tensor{x, w, dy}, opt: []*Tensor{dx, dw, dBias},
		float: []*Tensor{dx, dw, dBias, x, w, dy},
		bad: func() string {
			want, err := o.Out(x.shape, w.shape)
			if why := fits(dy, want, err); why != "" {
				return why
			}
			return sameSize(dx, x) + sameSize(dw, w) + rowsFit(want[1], 1, dBias)
		},
		run: func(d backend) error { return d.conv2DGrad(o.shape(x.shape, w.shape), dx, dw, dBias, x, w, dy) }})
}

func sameSize(dx, x *Tensor) string {
	if dx == nil || dx.Len() == x.Len() {
		return ""
	}
	return fmt.Sprintf("%s is not like %s", dx, x)
}

// PoolOptions are a pooling's numbers, the same along both axes: the window's side, its
// stride (0 means Kernel) and the padding, at most half the window.
type PoolOptions struct {
	Kernel, Stride, Padding int
}

func (o PoolOptions) shape(x []int) host.Pool {
	p := host.Pool{Kernel: o.Kernel, Stride: o.Stride, Pad: o.Padding}
	if p.Stride == 0 {
		p.Stride = p.Kernel
	}
	if len(x) == 4 {
		p.N, p.C, p.H, p.W = x[0], x[1], x[2], x[3]
	}
	return p
}

// Out is the shape of what comes out of x (N, C, H, W): (N, C, (H + 2 Padding -
// Kernel)/Stride + 1, the same of W).
func (o PoolOptions) Out(x []int) ([]int, error) {
	p := o.shape(x)
	if len(x) != 4 {
		return nil, fmt.Errorf("pooling of %s: want (N, C, H, W)", dims(x))
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	return []int{p.N, p.C, p.OutH(), p.OutW()}, nil
}

// pool checks a pooling of x to y; more are like x.
func (o PoolOptions) pool(act string, ts []*Tensor, x, y, more *Tensor, run func(d backend, p host.Pool) error) error {
	return layer(call{act: act, need: ts, float: ts, bad: func() string {
		want, err := o.Out(x.shape)
		if why := fits(y, want, err); why != "" {
			return why
		}
		return sameSize(more, x)
	}, run: func(d backend) error { return run(d, o.shape(x.shape)) }})
}

// MaxPool2D does y (N, C, OH, OW) = the largest of each window of x (N, C, H, W), NaN
// taken for the largest; what lies outside of x does not count.
func MaxPool2D(y, x *Tensor, o PoolOptions) error {
	return o.pool("max pooling", []*Tensor{y, x}, x, y, nil, func(d backend, p host.Pool) error { return d.maxPool(p, y, x) })
}

// MaxPool2DGrad does dx += dy at the place of the largest of each window of x, the first
// of equals.
func MaxPool2DGrad(dx, x, dy *Tensor, o PoolOptions) error {
	return o.pool("max pooling gradient", []*Tensor{dx, x, dy}, x, dy, dx, func(d backend, p host.Pool) error { return d.maxPoolGrad(p, dx, x, dy) })
}

// AvgPool2D does y (N, C, OH, OW) = the sum of each window of x (N, C, H, W) over
// Kernel², what lies outside of x being 0. The mean of whole images is SumAxis over the
// last axis of (N, C, H W) by 1/(H W), its gradient Spread.
func AvgPool2D(y, x *Tensor, o PoolOptions) error {
	return o.pool("average pooling", []*Tensor{y, x}, x, y, nil, func(d backend, p host.Pool) error { return d.averagePool(p, y, x) })
}

// AvgPool2DGrad does dx (N, C, H, W) += AvgPool2D's gradient.
func AvgPool2DGrad(dx, dy *Tensor, o PoolOptions) error {
	return o.pool("average pooling gradient", []*Tensor{dx, dy}, dx, dy, nil, func(d backend, p host.Pool) error { return d.averagePoolGrad(p, dx, dy) })
}

// BatchNormOptions say how a batch is normalised. Train takes the statistics of the
// batch, else the running ones are taken. The running ones move by Momentum towards the
// batch's in training. Eps is added to the variance.
type BatchNormOptions struct {
	Train         bool
	Momentum, Eps float32
}

func (o BatchNormOptions) shape(x []int) host.BatchNorm {
	b := host.BatchNorm{N: x[0], C: x[1], Inner: 1, Train: o.Train, Eps: o.Eps, Momentum: o.Momentum}
	for _, n := range x[2:] {
		b.Inner *= n
	}
	return b
}

// channelsFit says why xs have not a value for each channel of x (N, C, …).
func channelsFit(x *Tensor, xs ...*Tensor) string {
	if len(x.shape) < 2 {
		return fmt.Sprintf("%s: want (N, C, …)", x)
	}
	return rowsFit(x.shape[1], 1, xs...)
}

// BatchNorm does y = (x - mean) rstd gain + bias for each channel of x (N, C, …) (Ioffe
// and Szegedy 2015), gain and bias (C); bias may be nil. It fills mean and rstd (C), f32,
// for the gradient: rstd is 1/sqrt(variance + Eps). In training runMean and runVar (C),
// f32, move by Momentum, the variance over n-1 of n values; both may be nil. Else they
// are what is taken for mean and variance.
func BatchNorm(y, mean, rstd, x, gain, bias, runMean, runVar *Tensor, o BatchNormOptions) error {
	need, opt := []*Tensor{y, mean, rstd, x, gain}, []*Tensor{bias, runMean, runVar}
	if !o.Train {
		need, opt = append(need, runMean, runVar), opt[:1]
	}
	return layer(call{act: "batch norm", need: need, opt: opt,
		float: []*Tensor{y, x, gain, bias}, f32: []*Tensor{mean, rstd, runMean, runVar}, like: []*Tensor{y, x},
		bad: func() string {
			if (runMean == nil) != (runVar == nil) {
				return "a running mean and a running variance go together"
			}
			return channelsFit(x, mean, rstd, gain, bias, runMean, runVar)
		},
		run: func(d backend) error {
			return d.batchNorm(o.shape(x.shape), y, mean, rstd, x, gain, bias, runMean, runVar)
		}})
}

// BatchNormGrad adds to dx (N, C, …), dGain and dBias (C); those that are nil are left
// out. mean and rstd are what BatchNorm filled, o is what it took: with Train the
// gradient goes through the batch's statistics too.
func BatchNormGrad(dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor, o BatchNormOptions) error {
	return layer(call{act: "batch norm gradient", need: []*Tensor{x, dy, gain, mean, rstd}, opt: []*Tensor{dx, dGain, dBias},
		float: []*Tensor{dx, dGain, dBias, x, dy, gain}, f32: []*Tensor{mean, rstd}, like: []*Tensor{x, dy, dx},
		bad: func() string { return channelsFit(x, dGain, dBias, gain, mean, rstd) },
		run: func(d backend) error {
			return d.batchNormGrad(o.shape(x.shape), dx, dGain, dBias, x, dy, gain, mean, rstd)
		}})
}
