package ref

import "math"

// Conv is the shape of a convolution of x (N, In, H, W) by w (Out, In/Groups, KH, KW).
type Conv struct{ N, In, H, W, Out, KH, KW, OH, OW, Stride, Pad, Dilation, Groups int }

// products calls f for each product of a value of x and a weight in a value of y, with
// their places.
func (c Conv) products(f func(y, x, w int)) {
	in, out := c.In/c.Groups, c.Out/c.Groups
	for y := range c.N * c.Out * c.OH * c.OW {
		j, i, o, n := y%c.OW, y/c.OW%c.OH, y/(c.OW*c.OH)%c.Out, y/(c.OW*c.OH*c.Out)
		for k := range in * c.KH * c.KW {
			h, w := i*c.Stride-c.Pad+k/c.KW%c.KH*c.Dilation, j*c.Stride-c.Pad+k%c.KW*c.Dilation
			if h >= 0 && h < c.H && w >= 0 && w < c.W {
				channel := o/out*in + k/(c.KH*c.KW)
				f(y, ((n*c.In+channel)*c.H+h)*c.W+w, o*in*c.KH*c.KW+k)
			}
		}
	}
}

// Conv2D is y (N, Out, OH, OW), a cross-correlation plus bias (Out).
func (c Conv) Conv2D(x, w, bias []float64) []float64 {
	y := make([]float64, c.N*c.Out*c.OH*c.OW)
	for i := range y {
		y[i] = bias[i/(c.OH*c.OW)%c.Out]
	}
	c.products(func(i, j, k int) { y[i] += x[j] * w[k] })
	return y
}

// Grad is the gradient of sum(dy Conv2D(x)).
func (c Conv) Grad(x, w, dy []float64) (dx, dw, dBias []float64) {
	dx, dw, dBias = make([]float64, len(x)), make([]float64, len(w)), make([]float64, c.Out)
	c.products(func(i, j, k int) {
		dx[j] += dy[i] * w[k]
		dw[k] += dy[i] * x[j]
	})
	for i, d := range dy {
		dBias[i/(c.OH*c.OW)%c.Out] += d
	}
	return dx, dw, dBias
}

// Pool is the shape of a pooling of x (planes, H, W).
type Pool struct{ Planes, H, W, OH, OW, Kernel, Stride, Pad int }

// windows calls f for each value of y with the places of x that its window has.
func (p Pool) windows(f func(y int, xs []int)) {
	for y := range p.Planes * p.OH * p.OW {
		var xs []int
		for k := range p.Kernel * p.Kernel {
			h, w := y/p.OW%p.OH*p.Stride-p.Pad+k/p.Kernel, y%p.OW*p.Stride-p.Pad+k%p.Kernel
			if h >= 0 && h < p.H && w >= 0 && w < p.W {
				xs = append(xs, (y/(p.OW*p.OH)*p.H+h)*p.W+w)
			}
		}
		f(y, xs)
	}
}

// Max is the largest of each window, and the gradient of sum(dy Max(x)): the first of
// equals gets it.
func (p Pool) Max(x, dy []float64) (y, dx []float64) {
	y, dx = make([]float64, p.Planes*p.OH*p.OW), make([]float64, len(x))
	p.windows(func(i int, xs []int) {
		best := xs[0]
		for _, j := range xs {
			if x[j] > x[best] {
				best = j
			}
		}
		y[i] = x[best]
		dx[best] += dy[i]
	})
	return y, dx
}

// Average is the sum of each window over its area, and the gradient of sum(dy
// Average(x)).
func (p Pool) Average(x, dy []float64) (y, dx []float64) {
	y, dx = make([]float64, p.Planes*p.OH*p.OW), make([]float64, len(x))
	area := float64(p.Kernel * p.Kernel)
	p.windows(func(i int, xs []int) {
		for _, j := range xs {
			y[i] += x[j] / area
			dx[j] += dy[i] / area
		}
	})
	return y, dx
}

// BatchNorm is batch normalisation of x (n, channels, inner) (Ioffe and Szegedy 2015) with
// the batch's mean and variance, which it gives too.
func BatchNorm(x, gain, bias []float64, n, inner int, eps float64) (y, mean, variance []float64) {
	channels := len(gain)
	mean, variance = make([]float64, channels), make([]float64, channels)
	count := float64(n * inner)
	for i, v := range x {
		mean[i/inner%channels] += v / count
	}
	for i, v := range x {
		c := i / inner % channels
		variance[c] += (v - mean[c]) * (v - mean[c]) / count
	}
	return BatchNormBy(x, gain, bias, mean, variance, inner, eps), mean, variance
}

// BatchNormBy is batch normalisation by given statistics.
func BatchNormBy(x, gain, bias, mean, variance []float64, inner int, eps float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		c := i / inner % len(gain)
		y[i] = (v-mean[c])/math.Sqrt(variance[c]+eps)*gain[c] + bias[c]
	}
	return y
}

// BatchNormGrad is the gradient of sum(dy BatchNorm(x)), with train through the
// statistics too: with xhat the normalised value it is gain rstd (dy - mean(dy) - xhat
// mean(dy xhat)), else gain rstd dy.
func BatchNormGrad(x, gain, mean, variance, dy []float64, n, inner int, eps float64, train bool) (dx, dGain, dBias []float64) {
	channels := len(gain)
	dx, dGain, dBias = make([]float64, len(x)), make([]float64, channels), make([]float64, channels)
	hat := func(i int) float64 {
		c := i / inner % channels
		return (x[i] - mean[c]) / math.Sqrt(variance[c]+eps)
	}
	for i, d := range dy {
		dGain[i/inner%channels] += d * hat(i)
		dBias[i/inner%channels] += d
	}
	count := float64(n * inner)
	for i, d := range dy {
		c := i / inner % channels
		if train {
			d -= dBias[c]/count + hat(i)*dGain[c]/count
		}
		dx[i] = gain[c] / math.Sqrt(variance[c]+eps) * d
	}
	return dx, dGain, dBias
}
