package host

import "fmt"

// Kind is a form of an optimizer's step. With d = Scale g + Decay x, elementwise,
// and s0, s1, s2 the states, a step is
//
//	SGDPlain                  x -= Rate d
//	SGDMomentum               s0 = Momentum s0 + d, x -= Rate s0
//	SGDNesterov               s0 = Momentum s0 + d, x -= Rate (d + Momentum s0)
//	Adam                      s0 += Mean (d - s0), s1 += Square (d d - s1),
//	                          x -= Shrink x + Rate s0 / (sqrt(Correct2 s1) + Eps)
//	Adagrad                   s0 += d d, x -= Rate d / (sqrt(s0) + Eps)
//	RMSprop                   s0 += Square (d d - s0), x -= Rate d / (sqrt(s0) + Eps)
//	RMSpropMomentum           s1 = Momentum s1 + d / (sqrt(s0) + Eps), x -= Rate s1
//	RMSpropCentered           s2 += Square (d - s2), and s0 - s2 s2 under the root
//	RMSpropCenteredMomentum   both
//	LARS                      s0 = Momentum s0 + Rate d, x -= s0
//	LAMBMoments               s0 and s1 as Adam; sums x x and u u where
//	                          u = Correct1 s0 / (sqrt(Correct2 s1) + Eps) + Shrink x
//	LAMBApply                 x -= Rate u
//
// Running means move by a share of the difference, not by beta and 1-beta: in
// float32 these two do not add up to 1. For the same reason Shrink is taken off x
// together with the step and does not become a factor near 1.
type Kind uint8

// The kinds of steps, numbered as in stream.h and in optim.cu.
const (
	SGDPlain Kind = iota
	SGDMomentum
	SGDNesterov
	Adam
	Adagrad
	RMSprop
	RMSpropMomentum
	RMSpropCentered
	RMSpropCenteredMomentum
	LARS
	LAMBMoments
	LAMBApply
	// NumKinds is the number of kinds, not one of them.
	NumKinds
)

// States is how many state tensors the kind uses, s0 first.
func (k Kind) States() int {
	return [NumKinds]int{0, 1, 1, 2, 1, 1, 2, 3, 3, 1, 2, 2}[k]
}

// Factors are the constants of a step; see Kind for what each does.
type Factors struct {
	Scale, Decay, Shrink, Rate, Momentum, Mean, Square, Correct1, Correct2, Eps float32
}

// Trust makes the rate of a layer from the norm of its weights and that of what is
// compared with them: of LARS the gradient (You et al. 2017, eq. 6), of LAMB the update
// (You et al. 2020, algorithm 2), where Trust is 1 and Decay 0.
type Trust struct{ Trust, Decay float64 }

// Ratio is 1 where a norm is 0.
func (t Trust) Ratio(weights, other float64) float64 {
	if weights == 0 || other == 0 {
		return 1
	}
	return t.Trust * weights / (other + t.Decay*weights)
}

// Update is what a step does to one tensor. All of X, G, Half and S are of one
// length.
type Update struct {
	// X are the parameters, or the float32 master of parameters in half precision.
	X []float32
	// Half, if not nil, are the parameters themselves, of type HalfType: X rounded.
	Half     []byte
	HalfType DType
	// G are the gradients, of type GType.
	G     []byte
	GType DType
	// S are the states.
	S [3][]float32
	// Rate is multiplied with Factors.Rate; the layerwise optimizers give each tensor
	// its own.
	Rate float32
}

func (u *Update) check(k Kind) error {
	n := len(u.X)
	if k >= NumKinds || u.GType > BF16 || u.HalfType > BF16 {
		return fmt.Errorf("kind %d, gradients %s, parameters %s: no such step", k, u.GType, u.HalfType)
	}
	if len(u.G) != n*u.GType.Size() || u.Half != nil && len(u.Half) != n*u.HalfType.Size() {
		return fmt.Errorf("%d parameters, %d bytes of %s gradients, %d bytes in half precision", n, len(u.G), u.GType, len(u.Half))
	}
	for i, s := range u.S[:k.States()] {
		if len(s) != n {
			return fmt.Errorf("%d parameters, %d values of state %d", n, len(s), i)
		}
	}
	return nil
}

// piece is how many elements one call of a kernel works on. Sums are made piece by
// piece and then in order, so they do not depend on the number of threads.
const piece = 32 << 10

// pieces calls f for the pieces of tensors with these lengths, in parallel; f gets
// the tensor, the piece's range, and its number.
func (e *Engine) pieces(lengths []int, f func(tensor, lo, hi, number int)) error {
	type part struct{ tensor, lo, hi int }
	var parts []part
	total := 0
	for i, n := range lengths {
		total += n
		for lo := 0; lo < n; lo += piece {
			parts = append(parts, part{i, lo, min(n, lo+piece)})
		}
	}
	return e.tasks(len(parts), total, 0, func(i int, _ []float32) { f(parts[i].tensor, parts[i].lo, parts[i].hi, i) })
}

// Update does one step on all tensors in one pass over memory. For LAMBMoments it
// returns the sums of x x and u u of each tensor.
func (e *Engine) Update(k Kind, c Factors, us []Update) ([][2]float64, error) {
	lengths := make([]int, len(us))
	for i := range us {
		if err := us[i].check(k); err != nil {
			return nil, fmt.Errorf("optimizer step of tensor %d: %w", i, err)
		}
		lengths[i] = len(us[i].X)
	}
	var sums [][2]float64
	var partial [][2]float64
	var owner []int
	if k == LAMBMoments {
		sums = make([][2]float64, len(us))
		for i, n := range lengths {
			for range (n + piece - 1) / piece {
				owner = append(owner, i)
			}
		}
		partial = make([][2]float64, len(owner))
	}
	err := e.pieces(lengths, func(tensor, lo, hi, number int) {
		part := us[tensor].part(k, lo, hi)
		f := c
		f.Rate *= part.Rate
		s := e.run.update(k, &f, &part)
		if k == LAMBMoments {
			partial[number] = s
		}
	})
	for i, p := range partial {
		sums[owner[i]][0] += p[0]
		sums[owner[i]][1] += p[1]
	}
	return sums, err
}

// part is the range of elements lo to hi.
func (u *Update) part(k Kind, lo, hi int) Update {
	p := *u
	p.X, p.G = u.X[lo:hi], u.G[lo*u.GType.Size():hi*u.GType.Size()]
	if u.Half != nil {
		p.Half = u.Half[lo*u.HalfType.Size() : hi*u.HalfType.Size()]
	}
	for i := range k.States() {
		p.S[i] = u.S[i][lo:hi]
	}
	return p
}

// Floats are values of one floating-point type.
type Floats struct {
	Data  []byte
	DType DType
}

// SumSquares returns the sum of the squares of each tensor, summed in float64: it
// is infinite or NaN only where an element is.
func (e *Engine) SumSquares(xs []Floats) ([]float64, error) {
	lengths := make([]int, len(xs))
	var owner []int
	for i, x := range xs {
		if x.DType > BF16 || len(x.Data)%x.DType.Size() != 0 {
			return nil, fmt.Errorf("sum squares of tensor %d: %d bytes of %s", i, len(x.Data), x.DType)
		}
		lengths[i] = len(x.Data) / x.DType.Size()
		for range (lengths[i] + piece - 1) / piece {
			owner = append(owner, i)
		}
	}
	partial, out := make([]float64, len(owner)), make([]float64, len(xs))
	err := e.pieces(lengths, func(tensor, lo, hi, number int) {
		size := xs[tensor].DType.Size()
		partial[number] = e.run.sumSquares(xs[tensor].Data[lo*size:hi*size], xs[tensor].DType)
	})
	for i, p := range partial {
		out[owner[i]] += p
	}
	return out, err
}
