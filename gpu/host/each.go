package host

import "fmt"

// Op names an elementwise kernel: what it does to y with a, b, s and t. Those of
// gradients and the other sums add to y. The numbers stand in each.h and in
// each.cu as well.
type Op int

// The elementwise kernels.
const (
	OpFill        Op = iota // y = s
	OpScale                 // y = s a
	OpAddScaled             // y += s a
	OpMul                   // y = a b
	OpAddMul                // y += a b
	OpReLU                  // y = max(a, 0)
	OpReLUGrad              // y += b where a > 0
	OpGELU                  // y = gelu(a), the tanh form (Hendrycks and Gimpel 2016)
	OpGELUGrad              // y += b gelu'(a)
	OpSiLU                  // y = a sigmoid(a) (Elfwing et al. 2018)
	OpSiLUGrad              // y += b silu'(a)
	OpTanh                  // y = tanh(a)
	OpTanhGrad              // y += b (1 - a^2), a being the tanh
	OpSigmoid               // y = 1 / (1 + e^-a)
	OpSigmoidGrad           // y += b a (1 - a), a being the sigmoid
	ops
)

// reads says whether the kernel reads a and b.
func (o Op) reads() (a, b bool) {
	switch o {
	case OpFill:
		return false, false
	case OpMul, OpAddMul, OpReLUGrad, OpGELUGrad, OpSiLUGrad, OpTanhGrad, OpSigmoidGrad:
		return true, true
	}
	return true, false
}

// adds says whether the kernel adds to y.
func (o Op) adds() bool {
	_, b := o.reads()
	return b && o != OpMul || o == OpAddScaled
}

// Len is the number of values.
func (f Floats) Len() int { return len(f.Data) / f.DType.Size() }

// FloatsOf is a slice as Floats.
func FloatsOf(x []float32) Floats { return Floats{Data: Bytes(x)} }

// Each runs an elementwise kernel; what it does not read may be nil. y may be a or
// b where the kernel does not add.
func (e *Engine) Each(op Op, y, a, b Floats, s float32) error {
	if op < 0 || op >= ops {
		return fmt.Errorf("elementwise kernel %d: there is none", op)
	}
	n := y.Len()
	args := []arg{{Floats: y, per: 1, out: true, in: op.adds()}}
	readsA, readsB := op.reads()
	for _, x := range []struct {
		f    Floats
		read bool
	}{{a, readsA}, {b, readsB}} {
		if x.read && x.f.Len() != n {
			return fmt.Errorf("elementwise: lengths %d and %d", n, x.f.Len())
		}
		if !x.read {
			x.f = Floats{}
		}
		args = append(args, arg{Floats: x.f, per: 1, in: true})
	}
	work := n / 4
	if op >= OpGELU {
		work = n
	}
	return e.rowwise(n, work, args, func(_, _ int, x [][]float32) { e.run.each(op, x[0], x[1], x[2], s) })
}

// arg is an operand of a kernel that works row by row: per values for each row, or
// with per 0 as it is for all rows (float32 then). Nil operands stay nil.
type arg struct {
	Floats
	per     int
	in, out bool
}

// rowBlock is about how many values of a row-wise operand in half precision are
// widened at once.
const rowBlock = 2048

// rowwise runs f over pieces of the rows, with the operands of that piece in
// float32. Values in half precision are widened before and rounded after.
func (e *Engine) rowwise(rows, work int, args []arg, f func(lo, hi int, x [][]float32)) error {
	space, widest := 0, 1
	for _, a := range args {
		widest = max(widest, a.per)
		if a.DType != F32 {
			space += a.per
		}
	}
	if space == 0 {
		align := 1
		if widest == 1 {
			align = 1024
		}
		return e.split(rows, align, work, func(lo, hi int) {
			x := make([][]float32, len(args))
			for i, a := range args {
				if x[i] = As[float32](a.Data); a.per > 0 && a.Data != nil {
					x[i] = x[i][lo*a.per : hi*a.per]
				}
			}
			f(lo, hi, x)
		})
	}
	block := max(1, rowBlock/widest)
	return e.tasks((rows+block-1)/block, 2*work, space*block, func(i int, ws []float32) {
		lo, hi := i*block, min(rows, (i+1)*block)
		x := make([][]float32, len(args))
		for i, a := range args {
			x[i], ws = e.widen(a, lo, hi, ws)
		}
		f(lo, hi, x)
		for i, a := range args {
			if a.out && a.DType != F32 && a.Data != nil {
				e.run.cast(a.Data[lo*a.per*2:], a.DType, Bytes(x[i]), F32, len(x[i]))
			}
		}
	})
}

// widen gives rows lo … hi-1 of an operand in float32, in ws where it is not, and
// what is left of ws.
func (e *Engine) widen(a arg, lo, hi int, ws []float32) (x, rest []float32) {
	switch {
	case a.Data == nil:
		return nil, ws
	case a.DType != F32:
		x, ws = ws[:(hi-lo)*a.per], ws[(hi-lo)*a.per:]
		if a.in {
			e.run.cast(Bytes(x), F32, a.Data[lo*a.per*2:], a.DType, len(x))
		}
	case a.per == 0:
		x = As[float32](a.Data)
	default:
		x = As[float32](a.Data)[lo*a.per : hi*a.per]
	}
	return x, ws
}

// whole lends an operand that all rows share in float32. Release writes it back
// where out is set.
func (e *Engine) whole(f Floats, out bool) (x Floats, release func(), err error) {
	if f.DType == F32 || f.Data == nil {
		return f, func() {}, nil
	}
	ws, done, err := e.workspace(f.Len())
	if err != nil {
		return Floats{}, nil, err
	}
	if !e.dry {
		e.run.cast(Bytes(ws), F32, f.Data, f.DType, len(ws))
	}
	return FloatsOf(ws), func() {
		if out && !e.dry {
			e.run.cast(f.Data, f.DType, Bytes(ws), F32, len(ws))
		}
		done()
	}, nil
}

// wholes lends several; see whole.
func (e *Engine) wholes(out bool, fs ...*Floats) (release func(), err error) {
	var all []func()
	release = func() {
		for _, r := range all {
			r()
		}
	}
	for _, f := range fs {
		x, r, err := e.whole(*f, out)
		if err != nil {
			release()
			return nil, err
		}
		*f, all = x, append(all, r)
	}
	return release, nil
}
