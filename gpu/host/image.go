package host

import "fmt"

// Pool is the shape of a pooling of images: x (N, C, H, W), y (N, C, OutH(), OutW()).
type Pool struct {
	N, C, H, W          int
	Kernel, Stride, Pad int
}

// OutH is the height of what comes out, 0 where the window does not fit.
func (p Pool) OutH() int { return outSide(p.H, p.Kernel, p.Stride, p.Pad, 1) }

// OutW is the width.
func (p Pool) OutW() int { return outSide(p.W, p.Kernel, p.Stride, p.Pad, 1) }

// Check says what is wrong with the numbers.
func (p Pool) Check() error {
	if min(p.N, p.C, p.H, p.W, p.Kernel, p.Stride) < 1 || p.Pad < 0 || 2*p.Pad > p.Kernel {
		return fmt.Errorf("pooling of %d images (%d, %d, %d) by windows of %d, stride %d, padding %d: want all at least 1, padding at most half the window",
			p.N, p.C, p.H, p.W, p.Kernel, p.Stride, p.Pad)
	}
	if p.OutH() < 1 || p.OutW() < 1 {
		return fmt.Errorf("a window of %d does not fit an image of (%d, %d) with padding %d", p.Kernel, p.H, p.W, p.Pad)
	}
	return nil
}

// large and small are operands of the size of x and of y.
func (p Pool) large(x Floats, out bool) arg {
	return arg{Floats: x, per: p.H * p.W, in: true, out: out}
}

func (p Pool) small(y Floats, out bool) arg {
	return arg{Floats: y, per: p.OutH() * p.OutW(), in: true, out: out}
}

// pool runs f on the operands of some channels at a time.
func (e *Engine) pool(p Pool, args []arg, f func(planes int, x [][]float32)) error {
	if err := p.Check(); err != nil {
		return err
	}
	for _, a := range args {
		if a.Len() != p.N*p.C*a.per {
			return fmt.Errorf("pooling: %d values, want %d", a.Len(), p.N*p.C*a.per)
		}
	}
	return e.rowwise(p.N*p.C, p.N*p.C*p.H*p.W/4, args, func(lo, hi int, x [][]float32) { f(hi-lo, x) })
}

// MaxPool does y = the largest of each window, NaN taken for the largest; what lies
// outside the image does not count.
func (e *Engine) MaxPool(p Pool, y, x Floats) error {
	return e.pool(p, []arg{p.small(y, true), p.large(x, false)}, func(planes int, x [][]float32) { e.run.maxPool(&p, planes, x[0], x[1]) })
}

// MaxPoolGrad does dx += dy at the first place of the largest of each window.
func (e *Engine) MaxPoolGrad(p Pool, dx, x, dy Floats) error {
	args := []arg{p.large(dx, true), p.large(x, false), p.small(dy, false)}
	return e.pool(p, args, func(planes int, x [][]float32) { e.run.maxPoolGrad(&p, planes, x[0], x[1], x[2]) })
}

// AveragePool does y = the sum of each window over its area, what lies outside the image
// being 0.
func (e *Engine) AveragePool(p Pool, y, x Floats) error {
	return e.pool(p, []arg{p.small(y, true), p.large(x, false)}, func(planes int, x [][]float32) { e.run.averagePool(&p, planes, x[0], x[1]) })
}

// AveragePoolGrad does dx += AveragePool's gradient.
func (e *Engine) AveragePoolGrad(p Pool, dx, dy Floats) error {
	return e.pool(p, []arg{p.large(dx, true), p.small(dy, false)}, func(planes int, x [][]float32) { e.run.averagePoolGrad(&p, planes, x[0], x[1]) })
}

// BatchNorm is the shape and the numbers of a batch normalisation of x (N, C, Inner):
// with Train by the statistics of the batch, which move the running ones by Momentum.
type BatchNorm struct {
	N, C, Inner   int
	Train         bool
	Eps, Momentum float32
}

func (b BatchNorm) check(act string, xs ...Floats) error {
	for _, x := range xs {
		if x.Data != nil && x.Len() != b.N*b.C*b.Inner || b.C < 1 {
			return fmt.Errorf("%s: %d values, want (%d, %d, %d)", act, x.Len(), b.N, b.C, b.Inner)
		}
	}
	return nil
}

// BatchNorm does y = (x - mean) rstd gain + bias for each channel and fills mean and rstd
// (C), rstd being 1/sqrt(variance + eps). bias is optional; runMean and runVar (C) are
// optional in training, when they are moved, the variance without bias.
func (e *Engine) BatchNorm(b BatchNorm, y Floats, mean, rstd []float32, x, gain, bias Floats, runMean, runVar []float32) error {
	if err := b.check("batch norm", y, x); err != nil {
		return err
	}
	inputs, err := e.wholes(false, &gain, &bias)
	if err != nil {
		return err
	}
	defer inputs()
	g, add := As[float32](gain.Data), As[float32](bias.Data)
	if y.DType == F32 && x.DType == F32 {
		return e.split(b.C, 1, x.Len(), func(lo, hi int) {
			e.run.batchNorm(&b, lo, hi, As[float32](y.Data), mean, rstd, As[float32](x.Data), g, add, runMean, runVar)
		})
	}
	return e.channels(b, 2, x.Len(), func(c int, one *BatchNorm, ws [][]float32) {
		e.takeChannel(b, x, c, ws[0])
		e.run.batchNorm(one, 0, 1, ws[1], part(mean, c, c+1), part(rstd, c, c+1), ws[0], g[c:c+1], part(add, c, c+1), part(runMean, c, c+1), part(runVar, c, c+1))
		e.giveChannel(b, y, c, ws[1])
	})
}

// channels runs f on each channel, with workspaces for so many copies of one in float32
// and the shape of one alone.
func (e *Engine) channels(b BatchNorm, copies, work int, f func(c int, one *BatchNorm, ws [][]float32)) error {
	n := b.N * b.Inner
	return e.tasks(b.C, 2*work, copies*n, func(c int, ws []float32) {
		one := b
		one.C = 1
		list := make([][]float32, copies)
		for i := range list {
			list[i] = ws[i*n : (i+1)*n]
		}
		f(c, &one, list)
	})
}

// takeChannel copies a channel of x (N, C, Inner) to ws (N, Inner), giveChannel back.
func (e *Engine) takeChannel(b BatchNorm, x Floats, c int, ws []float32) {
	e.run.castRows(Bytes(ws), F32, b.Inner, x.Data[c*b.Inner*x.DType.Size():], x.DType, b.C*b.Inner, b.N, b.Inner)
}

func (e *Engine) giveChannel(b BatchNorm, x Floats, c int, ws []float32) {
	e.run.castRows(x.Data[c*b.Inner*x.DType.Size():], x.DType, b.C*b.Inner, Bytes(ws), F32, b.Inner, b.N, b.Inner)
}

// BatchNormGrad adds to dx, dGain and dBias; those that are nil are left out.
func (e *Engine) BatchNormGrad(b BatchNorm, dx, dGain, dBias, x, dy, gain Floats, mean, rstd []float32) error {
	if err := b.check("batch norm gradient", dx, x, dy); err != nil {
		return err
	}
	release, err := e.wholes(true, &dGain, &dBias)
	if err != nil {
		return err
	}
	defer release()
	inputs, err := e.wholes(false, &gain)
	if err != nil {
		return err
	}
	defer inputs()
	g, dg, db := As[float32](gain.Data), As[float32](dGain.Data), As[float32](dBias.Data)
	if dx.DType == F32 && x.DType == F32 && dy.DType == F32 {
		return e.split(b.C, 1, x.Len(), func(lo, hi int) {
			e.run.batchNormGrad(&b, lo, hi, As[float32](dx.Data), dg, db, As[float32](x.Data), As[float32](dy.Data), g, mean, rstd)
		})
	}
	copies := 2
	if dx.Data != nil {
		copies = 3
	}
	return e.channels(b, copies, x.Len(), func(c int, one *BatchNorm, ws [][]float32) {
		e.takeChannel(b, x, c, ws[0])
		e.takeChannel(b, dy, c, ws[1])
		var d []float32
		if dx.Data != nil {
			d = ws[2]
			e.takeChannel(b, dx, c, d)
		}
		e.run.batchNormGrad(one, 0, 1, d, part(dg, c, c+1), part(db, c, c+1), ws[0], ws[1], g[c:c+1], mean[c:c+1], rstd[c:c+1])
		if d != nil {
			e.giveChannel(b, dx, c, d)
		}
	})
}
