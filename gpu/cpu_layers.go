package gpu

import "attune/gpu/host"

// floats is a dense tensor as the engine takes it; nil stays nil.
func floats(t *Tensor) host.Floats {
	if t == nil {
		return host.Floats{}
	}
	return host.Floats{Data: denseRaw(t), DType: host.DType(t.dtype)}
}

// ints are a dense int32 tensor's values.
func ints(t *Tensor) []int32 {
	if t == nil {
		return nil
	}
	return host.As[int32](denseRaw(t))
}

func (c cpu) each(op host.Op, y, a, b *Tensor, s float32) error {
	return c.engine.Each(op, floats(y), floats(a), floats(b), s)
}

func (c cpu) addBias(y, x, b *Tensor) error {
	return c.engine.AddBias(floats(y), floats(x), floats(b))
}

func (c cpu) sumAxis(s, x *Tensor, outer, middle, inner int, scale float32) error {
	return c.engine.SumAxis(floats(s), floats(x), outer, middle, inner, scale)
}

func (c cpu) spread(x, s *Tensor, outer, middle, inner int, scale float32) error {
	return c.engine.Spread(floats(x), floats(s), outer, middle, inner, scale)
}

func (c cpu) norm(y, mean, rstd, x, gain, bias *Tensor, eps float32) error {
	return c.engine.Norm(floats(y), dense(mean), dense(rstd), floats(x), floats(gain), floats(bias), eps)
}

func (c cpu) normGrad(dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor) error {
	return c.engine.NormGrad(floats(dx), floats(dGain), floats(dBias), floats(x), floats(dy), floats(gain), dense(mean), dense(rstd))
}

func (c cpu) gather(y, table, ids *Tensor) error {
	return c.engine.Gather(floats(y), floats(table), ints(ids), table.shape[1])
}

func (c cpu) scatter(table, y, ids *Tensor) error {
	return c.engine.Scatter(floats(table), floats(y), ints(ids), table.shape[1])
}

func (c cpu) dropout(y, x *Tensor, add bool, m host.Mask) error {
	return c.engine.Dropout(floats(y), floats(x), add, m, x.shape[0])
}

func (c cpu) softmax(y, x *Tensor, log bool) error {
	return c.engine.Softmax(floats(y), floats(x), last(x), log)
}

func (c cpu) softmaxGrad(dx, y, dy *Tensor, log bool) error {
	return c.engine.SoftmaxGrad(floats(dx), floats(y), floats(dy), last(y), log)
}

func (c cpu) crossEntropy(loss, lse, x, labels, targets *Tensor) error {
	return c.engine.CrossEntropy(dense(loss), dense(lse), floats(x), ints(labels), floats(targets))
}

func (c cpu) crossEntropyGrad(dx, x, labels, targets, lse, dLoss *Tensor, scale float32) error {
	return c.engine.CrossEntropyGrad(floats(dx), floats(x), ints(labels), floats(targets), dense(lse), dense(dLoss), scale)
}

func (c cpu) loss(kind host.LossKind, loss, x, t *Tensor, delta float32) error {
	return c.engine.Loss(kind, dense(loss), floats(x), floats(t), delta)
}

func (c cpu) lossGrad(kind host.LossKind, dx, x, t *Tensor, rows int, dLoss *Tensor, scale, delta float32) error {
	return c.engine.LossGrad(kind, floats(dx), floats(x), floats(t), rows, dense(dLoss), scale, delta)
}

func (c cpu) argmax(y, x *Tensor) error { return c.engine.Argmax(ints(y), floats(x)) }
