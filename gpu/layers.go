package gpu

import (
	"fmt"

	"attune/gpu/host"
)

// The layers below are what stdlib/nn is made of. They write into tensors that
// the caller made; gradients are added, not written, so that a value used twice
// sums its gradients. All tensors are float32 and, where nothing else is said,
// dense. They run on the CPU only until their CUDA kernels exist: on another
// device the error wraps ErrNoKernel.

// ErrNoKernel says that a device lacks a kernel for the call.
var ErrNoKernel = fmt.Errorf("no kernel on this device, open the CPU with gpu.Open(%q)", "cpu")

// layer checks a layer's tensors and runs f on the CPU engine.
func layer(act string, f func(e *host.Engine) error, all ...*Tensor) error {
	err := sameDevice(all...)
	for _, t := range all {
		if err == nil && !t.Dense() {
			err = fmt.Errorf("%s: not dense, strides %s", t, dims(t.strides))
		}
	}
	if err == nil {
		err = onEngine(all[0].store.dev, f)
	}
	keepAll(all)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", act, list(all), err)
	}
	return nil
}

func onEngine(d *Device, f func(e *host.Engine) error) error {
	c, ok := d.back.(cpu)
	if !ok {
		return ErrNoKernel
	}
	return f(c.engine)
}

// keepAll is keep for a list that may hold nil.
func keepAll(all []*Tensor) {
	for _, t := range all {
		if t != nil {
			keep(t)
		}
	}
}

// list writes tensors' dtypes and shapes for an error.
func list(all []*Tensor) string {
	s := ""
	for i, t := range all {
		if i > 0 {
			s += ", "
		}
		if t == nil {
			s += "nil"
			continue
		}
		s += t.dtype.String() + " " + dims(t.shape)
	}
	return s
}

// Add does y += x.
func Add(y, x *Tensor) error {
	return layer("add", func(e *host.Engine) error { return e.Add(dense(y), dense(x)) }, y, x)
}

// AddBias does y (rows, n) = x (rows, n) + b (n), any shapes of so many elements;
// y may be x.
func AddBias(y, x, b *Tensor) error {
	return layer("add bias", func(e *host.Engine) error { return e.AddBias(dense(y), dense(x), dense(b)) }, y, x, b)
}

// SumRows does s (n) += scale times the sum over rows of x (rows, n).
func SumRows(s, x *Tensor, scale float32) error {
	return layer("sum rows", func(e *host.Engine) error { return e.SumRows(dense(s), dense(x), scale) }, s, x)
}

// ReLU does y = max(x, 0).
func ReLU(y, x *Tensor) error {
	return layer("relu", func(e *host.Engine) error { return e.ReLU(dense(y), dense(x)) }, y, x)
}

// ReLUGrad does dx += dy where x > 0.
func ReLUGrad(dx, x, dy *Tensor) error {
	return layer("relu gradient", func(e *host.Engine) error { return e.ReLUGrad(dense(dx), dense(x), dense(dy)) }, dx, x, dy)
}

// GELU does y = gelu(x) in the tanh form (Hendrycks and Gimpel 2016).
func GELU(y, x *Tensor) error {
	return layer("gelu", func(e *host.Engine) error { return e.GELU(dense(y), dense(x)) }, y, x)
}

// GELUGrad does dx += dy gelu'(x).
func GELUGrad(dx, x, dy *Tensor) error {
	return layer("gelu gradient", func(e *host.Engine) error { return e.GELUGrad(dense(dx), dense(x), dense(dy)) }, dx, x, dy)
}

// LayerNorm does y (rows, n) = (x - mean) rstd gain + bias along rows (Ba et al.
// 2016), gain and bias (n). It fills mean and rstd (rows) for the gradient.
func LayerNorm(y, mean, rstd, x, gain, bias *Tensor, eps float32) error {
	return layer("layer norm", func(e *host.Engine) error {
		return e.LayerNorm(dense(y), dense(mean), dense(rstd), dense(x), dense(gain), dense(bias), eps)
	}, y, mean, rstd, x, gain, bias)
}

// LayerNormGrad adds to dx (rows, n), dGain and dBias (n).
func LayerNormGrad(dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor) error {
	return layer("layer norm gradient", func(e *host.Engine) error {
		return e.LayerNormGrad(dense(dx), dense(dGain), dense(dBias), dense(x), dense(dy), dense(gain), dense(mean), dense(rstd))
	}, dx, dGain, dBias, x, dy, gain, mean, rstd)
}
