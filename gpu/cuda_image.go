package gpu

import "attune/gpu/host"

func (c *cuda) conv2D(s host.Conv, y, x, w, bias *Tensor) error { return ErrNoKernel }

func (c *cuda) conv2DGrad(s host.Conv, dx, dw, dBias, x, w, dy *Tensor) error { return ErrNoKernel }

func (c *cuda) maxPool(p host.Pool, y, x *Tensor) error { return ErrNoKernel }

func (c *cuda) maxPoolGrad(p host.Pool, dx, x, dy *Tensor) error { return ErrNoKernel }

func (c *cuda) averagePool(p host.Pool, y, x *Tensor) error { return ErrNoKernel }

func (c *cuda) averagePoolGrad(p host.Pool, dx, dy *Tensor) error { return ErrNoKernel }

func (c *cuda) batchNorm(b host.BatchNorm, y, mean, rstd, x, gain, bias, runMean, runVar *Tensor) error {
	return ErrNoKernel
}

func (c *cuda) batchNormGrad(b host.BatchNorm, dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor) error {
	return ErrNoKernel
}
