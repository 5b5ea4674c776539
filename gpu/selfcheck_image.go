package gpu

import (
	"errors"
	"math"
)

func checkConvolution(b *bench) error {
	x, w, bias := b.like(b.dtype, 3, 4, 13, 11), b.like(b.dtype, 70, 2, 3, 3), b.like(b.dtype, 70)
	o := ConvOptions{Stride: 2, Padding: 2, Dilation: 2, Groups: 2}
	y := b.like(b.dtype, 3, 70, 7, 6)
	plain := b.like(b.dtype, 8, 4, 3, 2)
	wide := b.like(b.dtype, 3, 8, 13, 12)
	return errors.Join(
		Conv2D(y, x, w, bias, o), Conv2DGrad(b.like(b.dtype, 3, 4, 13, 11), b.like(Float32, 70, 2, 3, 3), b.like(Float32, 70), x, w, y, o),
		Conv2D(wide, x, plain, nil, ConvOptions{Padding: 1}),
		Conv2DGrad(b.like(b.dtype, 3, 4, 13, 11), b.like(Float32, 8, 4, 3, 2), nil, x, plain, wide, ConvOptions{Padding: 1}))
}

func checkPools(b *bench) error {
	x := b.like(b.dtype, 2, 3, 9, 14)
	at := 0
	errs := []error{x.change(func(v float32) float32 {
		if at++; at == 60 {
			return float32(math.NaN())
		}
		return v
	})}
	for _, o := range []PoolOptions{{Kernel: 2}, {Kernel: 3, Stride: 2, Padding: 1}} {
		out, err := o.Out(x.shape)
		if err != nil {
			return err
		}
		dy := b.like(b.dtype, out...)
		errs = append(errs, MaxPool2D(b.like(b.dtype, out...), x, o), MaxPool2DGrad(b.like(b.dtype, x.shape...), x, dy, o),
			AvgPool2D(b.like(b.dtype, out...), x, o), AvgPool2DGrad(b.like(b.dtype, x.shape...), dy, o))
	}
	return errors.Join(errs...)
}

func checkBatchNorm(b *bench) error {
	const channels = 5
	x, dy := b.like(b.dtype, 6, channels, 7, 9), b.like(b.dtype, 6, channels, 7, 9)
	gain, bias := b.like(b.dtype, channels), b.like(b.dtype, channels)
	of := func() *Tensor { return b.like(Float32, channels) }
	mean, rstd, runMean, runVar := of(), of(), of(), of()
	errs := []error{Fill(runVar, 0.5)}
	for _, train := range []bool{true, false} {
		o := BatchNormOptions{Train: train, Momentum: 0.1, Eps: 1e-3}
		errs = append(errs, BatchNorm(b.like(b.dtype, x.shape...), mean, rstd, x, gain, bias, runMean, runVar, o),
			BatchNormGrad(b.like(b.dtype, x.shape...), of(), of(), x, dy, gain, mean, rstd, o))
	}
	return errors.Join(errs...)
}
