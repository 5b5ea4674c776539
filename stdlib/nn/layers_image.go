package nn

import (
	"fmt"

	"attune/gpu"
)

// Conv2D is a convolution: W (out, in/groups, kernel, kernel) and B (out).
type Conv2D struct {
	W, B    *Param
	Options gpu.ConvOptions
}

// Conv2D makes a convolution of images with in channels to out channels by windows of
// kernel by kernel. It starts as He et al. (2015) say for layers before a ReLU, with
// zero bias. Without options it has stride 1 and no padding: an image loses kernel-1 of
// each side.
func (n *Net) Conv2D(name string, in, out, kernel int, o ...gpu.ConvOptions) *Conv2D {
	c := &Conv2D{}
	if len(o) > 0 {
		c.Options = o[0]
	}
	per := in / max(1, c.Options.Groups)
	if n.err == nil && (per < 1 || out < 1 || kernel < 1) {
		n.err = fmt.Errorf("make convolution %s: %d channels in %d groups to %d by windows of %d: want at least 1 of each", name, in, max(1, c.Options.Groups), out, kernel)
	}
	c.W = n.Param(name+".w", n.He(per*kernel*kernel), out, per, kernel, kernel)
	c.B = n.Param(name+".b", Constant(0), out)
	return c
}

// Apply is the convolution of x (N, in, H, W): (N, out, OH, OW), see Tape.Conv2D.
func (c *Conv2D) Apply(t *Tape, x *Value) *Value {
	return t.Within(c.layerName(), func() *Value { return t.Conv2D(x, t.Param(c.W), t.Param(c.B), c.Options) })
}

func (c *Conv2D) layerName() string { return c.W.layer() }

// String says the layer's parameters.
func (c *Conv2D) String() string { return "convolution: " + c.W.String() + ", " + c.B.String() }

// MaxPool2D halves an image for k = 2: the largest of each window of k by k, which do
// not overlap. Other strides are for Func and Tape.MaxPool2D.
func MaxPool2D(k int) Layer {
	return Func(fmt.Sprintf("max pool %d", k), func(t *Tape, x *Value) *Value { return t.MaxPool2D(x, gpu.PoolOptions{Kernel: k}) })
}

// AvgPool2D is the mean of each window of k by k, which do not overlap.
func AvgPool2D(k int) Layer {
	return Func(fmt.Sprintf("average pool %d", k), func(t *Tape, x *Value) *Value { return t.AvgPool2D(x, gpu.PoolOptions{Kernel: k}) })
}

// BatchNorm normalises each channel over the batch: Gain and Bias (C), and what it saw
// while training, Mean and Variance (C), with which it works afterwards.
type BatchNorm struct {
	Gain, Bias     *Param
	Mean, Variance *Param // buffers of the net
	// Momentum is how far a training pass moves Mean and Variance.
	Momentum float64
}

// BatchNorm makes a normalisation of channels with gain 1, bias 0 and momentum 0.1, as
// in PyTorch.
func (n *Net) BatchNorm(name string, channels int) *BatchNorm {
	return &BatchNorm{
		Gain: n.Param(name+".gain", Constant(1), channels), Bias: n.Param(name+".bias", Constant(0), channels),
		Mean: n.Buffer(name+".mean", Constant(0), channels), Variance: n.Buffer(name+".variance", Constant(1), channels),
		Momentum: 0.1,
	}
}

// Apply normalises x (N, C, …), see Tape.BatchNorm.
func (b *BatchNorm) Apply(t *Tape, x *Value) *Value {
	return t.Within(b.layerName(), func() *Value {
		return t.BatchNorm(x, t.Param(b.Gain), t.Param(b.Bias), b.Mean, b.Variance, b.Momentum)
	})
}

func (b *BatchNorm) layerName() string { return b.Gain.layer() }

// String says the layer's parameters.
func (b *BatchNorm) String() string { return "batch norm: " + b.Gain.String() + ", " + b.Bias.String() }
