package gpu

import (
	"fmt"
	"math"

	"attune/gpu/host"
)

// each checks tensors of one length and runs an elementwise kernel.
func each(act string, op host.Op, s float32, ts ...*Tensor) error {
	return layer(call{act: act, need: ts, float: ts, like: ts, run: func(d backend) error {
		var x [3]*Tensor
		copy(x[:], ts)
		return d.each(op, x[0], x[1], x[2], s)
	}})
}

// Fill does y = value.
func Fill(y *Tensor, value float32) error { return each("fill", host.OpFill, value, y) }

// Scale does y = s x; y may be x.
func Scale(y, x *Tensor, s float32) error { return each("scale", host.OpScale, s, y, x) }

// Add does y += x.
func Add(y, x *Tensor) error { return each("add", host.OpAddScaled, 1, y, x) }

// AddScaled does y += s x: also the gradient of Scale.
func AddScaled(y, x *Tensor, s float32) error {
	return each("add scaled", host.OpAddScaled, s, y, x)
}

// Mul does y = a b, element by element; y may be a or b.
func Mul(y, a, b *Tensor) error { return each("multiply elements", host.OpMul, 0, y, a, b) }

// AddMul does y += a b, element by element: also the gradients of Mul.
func AddMul(y, a, b *Tensor) error { return each("add elements' product", host.OpAddMul, 0, y, a, b) }

// ReLU does y = max(x, 0); y may be x.
func ReLU(y, x *Tensor) error { return each("relu", host.OpReLU, 0, y, x) }

// ReLUGrad does dx += dy where x > 0; what ReLU gave serves as x too.
func ReLUGrad(dx, x, dy *Tensor) error { return each("relu gradient", host.OpReLUGrad, 0, dx, x, dy) }

// GELU does y = gelu(x) in the tanh form (Hendrycks and Gimpel 2016).
func GELU(y, x *Tensor) error { return each("gelu", host.OpGELU, 0, y, x) }

// GELUGrad does dx += dy gelu'(x).
func GELUGrad(dx, x, dy *Tensor) error { return each("gelu gradient", host.OpGELUGrad, 0, dx, x, dy) }

// SiLU does y = x sigmoid(x) (Elfwing et al. 2018).
func SiLU(y, x *Tensor) error { return each("silu", host.OpSiLU, 0, y, x) }

// SiLUGrad does dx += dy silu'(x).
func SiLUGrad(dx, x, dy *Tensor) error { return each("silu gradient", host.OpSiLUGrad, 0, dx, x, dy) }

// Tanh does y = tanh(x); y may be x.
func Tanh(y, x *Tensor) error { return each("tanh", host.OpTanh, 0, y, x) }

// TanhGrad does dx += dy (1 - y²), y being what Tanh gave, not its argument.
func TanhGrad(dx, y, dy *Tensor) error { return each("tanh gradient", host.OpTanhGrad, 0, dx, y, dy) }

// Sigmoid does y = 1 / (1 + e^-x); y may be x.
func Sigmoid(y, x *Tensor) error { return each("sigmoid", host.OpSigmoid, 0, y, x) }

// SigmoidGrad does dx += dy y (1 - y), y being what Sigmoid gave, not its argument.
func SigmoidGrad(dx, y, dy *Tensor) error {
	return each("sigmoid gradient", host.OpSigmoidGrad, 0, dx, y, dy)
}

// AddBias does y (rows, n) = x (rows, n) + b (n), any shapes of so many elements;
// y may be x.
func AddBias(y, x, b *Tensor) error {
	ts := []*Tensor{y, x, b}
	return layer(call{act: "add bias", need: ts, float: ts, like: ts[:2], bad: func() string { return rowsFit(b.Len(), -1, y) },
		run: func(d backend) error { return d.addBias(y, x, b) }})
}

// SumRows does s (n) += scale times the sum over rows of x (rows, n), any shapes of so
// many elements.
func SumRows(s, x *Tensor, scale float32) error {
	ts := []*Tensor{s, x}
	return layer(call{act: "sum rows", need: ts, float: ts, bad: func() string { return rowsFit(s.Len(), -1, x) },
		run: func(d backend) error { return d.sumAxis(s, x, 1, x.Len()/s.Len(), s.Len(), scale) }})
}

// SumAxis does s += scale times the sum of x along an axis; s has as many elements as x
// without that axis. With scale 1/T over axis 1 of (B, T, D) it is the mean of tokens.
func SumAxis(s, x *Tensor, axis int, scale float32) error {
	return alongAxis("sum along an axis", []*Tensor{s, x}, x, s, axis, func(d backend, outer, middle, inner int) error {
		return d.sumAxis(s, x, outer, middle, inner, scale)
	})
}

// Spread does x += scale s along an axis that s lacks: the gradient of SumAxis.
func Spread(x, s *Tensor, axis int, scale float32) error {
	return alongAxis("spread along an axis", []*Tensor{x, s}, x, s, axis, func(d backend, outer, middle, inner int) error {
		return d.spread(x, s, outer, middle, inner, scale)
	})
}

func alongAxis(act string, ts []*Tensor, x, s *Tensor, axis int, run func(d backend, outer, middle, inner int) error) error {
	outer, middle, inner := 1, 0, 1
	return layer(call{act: act, need: ts, float: ts, bad: func() string {
		if axis < 0 || axis >= len(x.shape) {
			return fmt.Sprintf("%s has no axis %d", x, axis)
		}
		for i, n := range x.shape {
			switch {
			case i < axis:
				outer *= n
			case i == axis:
				middle = n
			default:
				inner *= n
			}
		}
		if outer*inner != s.Len() {
			return fmt.Sprintf("%s has not the elements of %s without axis %d", s, x, axis)
		}
		return ""
	}, run: func(d backend) error { return run(d, outer, middle, inner) }})
}

// DropMask says which values dropout takes away (Srivastava et al. 2014): the mask is a
// function of these numbers, the example and the element alone, the same on every
// device, so that nothing of it is kept for the gradient. The source of its random
// numbers is Philox4x32-10 (Salmon et al. 2011).
type DropMask struct {
	// P is the share to take away, in [0, 1), in steps of 1/65536; what is left is
	// scaled up by 1/(1-P).
	P float64
	// Seed chooses the mask; Op tells the dropouts of one model apart.
	Seed uint64
	Op   uint32
	// First is the number of the tensor's first example in the whole batch: parts of
	// a batch have the mask of the whole.
	First int
}

func (m DropMask) mask() (host.Mask, error) {
	if !(m.P >= 0 && m.P < 1) || m.First < 0 {
		return host.Mask{}, fmt.Errorf("dropout of %g from example %d: want a share of at least 0 and less than 1, and no example before 0", m.P, m.First)
	}
	return host.Mask{Drop: min(65535, int(math.Round(m.P*65536))), Seed: m.Seed, Op: m.Op, First: uint64(m.First)}, nil
}

// Dropout does y = x scaled up where the mask leaves it, 0 elsewhere. x is (N, …), N
// being the examples. y may be x.
func Dropout(y, x *Tensor, m DropMask) error { return dropout("dropout", y, x, false, m) }

// DropoutGrad does dx += what Dropout makes of dy.
func DropoutGrad(dx, dy *Tensor, m DropMask) error {
	return dropout("dropout gradient", dx, dy, true, m)
}

func dropout(act string, y, x *Tensor, add bool, m DropMask) error {
	mask, err := m.mask()
	if err != nil {
		return err
	}
	ts := []*Tensor{y, x}
	return layer(call{act: act, need: ts, float: ts, like: ts, bad: func() string {
		if len(x.shape) == 0 {
			return fmt.Sprintf("%s has no axis of examples", x)
		}
		return ""
	}, run: func(d backend) error { return d.dropout(y, x, add, mask) }})
}
