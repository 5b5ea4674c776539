package gpu

import "attune/gpu/host"

func (c *cuda) each(host.Op, *Tensor, *Tensor, *Tensor, float32) error { return ErrNoKernel }
func (c *cuda) addBias(_, _, _ *Tensor) error                          { return ErrNoKernel }
func (c *cuda) sumAxis(_, _ *Tensor, _, _, _ int, _ float32) error     { return ErrNoKernel }
func (c *cuda) spread(_, _ *Tensor, _, _, _ int, _ float32) error      { return ErrNoKernel }
func (c *cuda) norm(_, _, _, _, _, _ *Tensor, _ float32) error         { return ErrNoKernel }
func (c *cuda) normGrad(_, _, _, _, _, _, _, _ *Tensor) error          { return ErrNoKernel }
func (c *cuda) gather(_, _, _ *Tensor) error                           { return ErrNoKernel }
func (c *cuda) scatter(_, _, _ *Tensor) error                          { return ErrNoKernel }
func (c *cuda) dropout(_, _ *Tensor, _ bool, _ host.Mask) error        { return ErrNoKernel }
func (c *cuda) softmax(_, _ *Tensor, _ bool) error                     { return ErrNoKernel }
func (c *cuda) softmaxGrad(_, _, _ *Tensor, _ bool) error              { return ErrNoKernel }
func (c *cuda) crossEntropy(_, _, _, _, _ *Tensor) error               { return ErrNoKernel }
func (c *cuda) crossEntropyGrad(_, _, _, _, _, _ *Tensor, _ float32) error {
	return ErrNoKernel
}
func (c *cuda) loss(host.LossKind, *Tensor, *Tensor, *Tensor, float32) error { return ErrNoKernel }
func (c *cuda) lossGrad(host.LossKind, *Tensor, *Tensor, *Tensor, int, *Tensor, float32, float32) error {
	return ErrNoKernel
}
func (c *cuda) argmax(_, _ *Tensor) error { return ErrNoKernel }
