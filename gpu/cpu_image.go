package gpu

import "attune/gpu/host"

func (c cpu) conv2D(s host.Conv, y, x, w, bias *Tensor) error {
	return c.engine.Conv2D(s, floats(y), floats(x), floats(w), floats(bias))
}

func (c cpu) conv2DGrad(s host.Conv, dx, dw, dBias, x, w, dy *Tensor) error {
	return c.engine.Conv2DGrad(s, floats(dx), floats(dw), floats(dBias), floats(x), floats(w), floats(dy))
}

func (c cpu) maxPool(p host.Pool, y, x *Tensor) error {
	return c.engine.MaxPool(p, floats(y), floats(x))
}

func (c cpu) maxPoolGrad(p host.Pool, dx, x, dy *Tensor) error {
	return c.engine.MaxPoolGrad(p, floats(dx), floats(x), floats(dy))
}

func (c cpu) averagePool(p host.Pool, y, x *Tensor) error {
	return c.engine.AveragePool(p, floats(y), floats(x))
}

func (c cpu) averagePoolGrad(p host.Pool, dx, dy *Tensor) error {
	return c.engine.AveragePoolGrad(p, floats(dx), floats(dy))
}

func (c cpu) batchNorm(b host.BatchNorm, y, mean, rstd, x, gain, bias, runMean, runVar *Tensor) error {
	return c.engine.BatchNorm(b, floats(y), dense(mean), dense(rstd), floats(x), floats(gain), floats(bias), dense(runMean), dense(runVar))
}

func (c cpu) batchNormGrad(b host.BatchNorm, dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor) error {
	return c.engine.BatchNormGrad(b, floats(dx), floats(dGain), floats(dBias), floats(x), floats(dy), floats(gain), dense(mean), dense(rstd))
}
