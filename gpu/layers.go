package gpu

import (
	"fmt"
	"slices"

	"attune/gpu/host"
)

// The layers in the layers_*.go files are what stdlib/nn is made of. They write into
// tensors that the caller made; gradients are added, not written, so that a value used
// twice sums its gradients. All tensors are dense. Values, gradients and parameters
// are f32, f16 or bf16, each as it likes; sums are float32. Statistics and losses,
// which say so, are f32 and labels i32. Labels and ids are not looked at before the
// call: what one out of range does stands at each function.

// layers is what a device does for the layers. Tensors are checked before; those that
// a comment calls optional may be nil. The methods do what those of host.Engine with
// the same names do.
type layers interface {
	// each takes as many of a and b as the kernel reads.
	each(op host.Op, y, a, b *Tensor, s float32) error
	addBias(y, x, b *Tensor) error
	sumAxis(s, x *Tensor, outer, middle, inner int, scale float32) error
	spread(x, s *Tensor, outer, middle, inner int, scale float32) error
	// norm: mean and bias are optional; of its gradient mean, dx, dGain and dBias.
	norm(y, mean, rstd, x, gain, bias *Tensor, eps float32) error
	normGrad(dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor) error
	gather(y, table, ids *Tensor) error
	scatter(table, y, ids *Tensor) error
	dropout(y, x *Tensor, add bool, m host.Mask) error
	softmax(y, x *Tensor, log bool) error
	softmaxGrad(dx, y, dy *Tensor, log bool) error
	// crossEntropy: labels or targets are nil; dLoss is optional.
	crossEntropy(loss, lse, x, labels, targets *Tensor) error
	crossEntropyGrad(dx, x, labels, targets, lse, dLoss *Tensor, scale float32) error
	loss(kind host.LossKind, loss, x, t *Tensor, delta float32) error
	lossGrad(kind host.LossKind, dx, x, t *Tensor, rows int, dLoss *Tensor, scale, delta float32) error
	argmax(y, x *Tensor) error
	imageLayers
}

// call is a layer's call before it is checked: what it is called, the tensors in the
// order of the arguments, and what holds for them. Tensors may be in several lists.
type call struct {
	act  string
	need []*Tensor // none may be nil
	opt  []*Tensor // nil where not wanted
	// float, f32 and i32 say the element types; nil tensors are passed over.
	float, f32, i32 []*Tensor
	like            []*Tensor // all of so many elements as the first
	bad             func() string
	run             func(b backend) error
}

// layer checks a layer's tensors and runs it. Nothing is done where the first tensor
// needed is empty.
func layer(c call) error {
	err := c.check()
	if err == nil && c.need[0].Len() > 0 {
		err = c.run(c.need[0].store.dev.back)
	}
	keepAll(c.need)
	keepAll(c.opt)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", c.act, list(slices.Concat(c.need, c.opt)), err)
	}
	return nil
}

func (c *call) check() error {
	if err := live(c.need...); err != nil {
		return err
	}
	for _, t := range c.need {
		if !t.Dense() {
			return fmt.Errorf("%s: not dense, strides %s", t, dims(t.strides))
		}
	}
	for _, t := range c.opt {
		if t == nil {
			continue
		}
		if err := live(c.need[0], t); err != nil {
			return err
		}
		if !t.Dense() {
			return fmt.Errorf("%s: not dense, strides %s", t, dims(t.strides))
		}
	}
	for _, t := range c.float {
		if t != nil && !t.dtype.Float() {
			return fmt.Errorf("%s: want f32, f16 or bf16", t)
		}
	}
	for _, t := range c.f32 {
		if t != nil && t.dtype != Float32 {
			return fmt.Errorf("%s: want f32", t)
		}
	}
	for _, t := range c.i32 {
		if t != nil && t.dtype != Int32 {
			return fmt.Errorf("%s: want i32", t)
		}
	}
	for _, t := range c.like {
		if t != nil && t.Len() != c.like[0].Len() {
			return fmt.Errorf("%s and %s: want as many elements", c.like[0], t)
		}
	}
	if c.bad != nil {
		if why := c.bad(); why != "" {
			return fmt.Errorf("the shapes do not fit: %s", why)
		}
	}
	return nil
}

// rowsFit says why xs are not rows of n values, as many as rows where that is not
// negative; empty if they are.
func rowsFit(n, rows int, xs ...*Tensor) string {
	for _, x := range xs {
		if x == nil {
			continue
		}
		if n == 0 || x.Len()%n != 0 {
			return fmt.Sprintf("%s has no rows of %d", x, n)
		}
		if rows >= 0 && x.Len()/n != rows {
			return fmt.Sprintf("%s has %d rows of %d, want %d", x, x.Len()/n, n, rows)
		}
	}
	return ""
}

// last is the length of a tensor's last axis, 1 of a scalar.
func last(t *Tensor) int {
	if len(t.shape) == 0 {
		return 1
	}
	return t.shape[len(t.shape)-1]
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
