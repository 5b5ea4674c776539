// Package nn owns small neural networks for notebooks: an eager tape with
// gradients over the tensors of package gpu, layers, initialisers and a training
// step. It imports gpu and display and the packages below them, and nothing else of
// attune.
//
//	net := nn.NewNet(dev, 1)
//	embed, head := net.Linear("embed", 8, 32), net.Linear("head", 32, 10)
//	adam := gpu.NewAdam(1e-3)
//	loss, err := net.Step(adam, func(t *nn.Tape) *nn.Value {
//		x := t.Input(batch, 64, 8, 8) // (B, T, D)
//		return t.CrossEntropy(head.Apply(t, t.MeanTokens(embed.Apply(t, x))), labels)
//	})
//
// Errors stick: after the first, a Net or Tape does nothing more, and Err, Step
// and Backward return it. Everything is float32, but the integers of Tape.Tokens, and
// what Net.Precision says.
package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"attune/gpu"
	"attune/gpu/mem"
)

// Param is one tensor that training changes, and its gradient; nil where the
// parameter is frozen.
type Param struct {
	Name        string
	Value, Grad *gpu.Tensor
	// Rate is what the learning rate is multiplied with, 0 for what the optimizer has,
	// which is 1 at first. See Net.SetRate.
	Rate float64

	half  *gpu.Tensor // Value as products take it in mixed precision, see Net.Release
	stale bool        // Value may have changed since
}

// layer is the name of the layer that the parameter is of: "head" of "head.w".
func (p *Param) layer() string {
	if p == nil {
		return ""
	}
	return p.Name[:max(0, strings.LastIndexByte(p.Name, '.'))]
}

// Net owns parameters: their memory, their random start and their order. The
// layers that its methods make hold parameters of it.
type Net struct {
	// Precision is what the net computes in: gpu.Float32, or gpu.Float16 or gpu.BFloat16
	// for mixed precision, in which parameters and their gradients stay float32 and what
	// lies between is half as large. It counts for tapes that the net makes afterwards.
	Precision gpu.DType

	dev     *gpu.Device
	rng     *rand.Rand
	seed    uint64
	steps   uint64
	params  []*Param
	buffers []*Param
	// shadows is set in a shadow: what stands for which parameter.
	shadows map[*Param]*Param
	err     error
}

// NewNet returns a net without parameters on dev. The same seed and the same
// calls give the same start.
func NewNet(dev *gpu.Device, seed uint64) *Net {
	return &Net{dev: dev, seed: seed, rng: rand.New(rand.NewPCG(seed, 0x6174746e))}
}

// Err is the first error of any call.
func (n *Net) Err() error { return n.err }

// Device is where the parameters live.
func (n *Net) Device() *gpu.Device { return n.dev }

// Params lists the parameters in the order they were made.
func (n *Net) Params() []*Param { return n.params }

// Size is the number of parameters, counted in floats.
func (n *Net) Size() int {
	total := 0
	for _, p := range n.params {
		total += p.Value.Len()
	}
	return total
}

// Param makes a parameter of that shape whose elements init returns one by one,
// and its gradient of zeros. After an error it returns nil.
func (n *Net) Param(name string, init func() float32, shape ...int) *Param {
	if n.err != nil {
		return nil
	}
	p := n.make(name, init, shape)
	if p != nil {
		n.params = append(n.params, p)
		n.err = p.learn()
	}
	return p
}

// Buffer makes a tensor that is saved with the net and that no gradient changes, as
// the running statistics of BatchNorm are.
func (n *Net) Buffer(name string, init func() float32, shape ...int) *Param {
	if n.err != nil {
		return nil
	}
	p := n.make(name, init, shape)
	if p != nil {
		n.buffers = append(n.buffers, p)
	}
	return p
}

// Buffers lists the buffers in the order they were made.
func (n *Net) Buffers() []*Param { return n.buffers }

func (n *Net) make(name string, init func() float32, shape []int) *Param {
	p := &Param{Name: name}
	if p.Value, n.err = n.dev.Zeros(mem.Parameters, shape...); n.err == nil {
		values := make([]float32, p.Value.Len())
		for i := range values {
			values[i] = init()
		}
		n.err = p.Value.CopyFrom(values)
	}
	if n.err != nil {
		n.err = fmt.Errorf("make parameter %s: %w", name, n.err)
		return nil
	}
	return p
}

// learn gives the parameter a gradient of zeros.
func (p *Param) learn() error {
	if p.Grad != nil {
		return nil
	}
	var err error
	if p.Grad, err = p.Value.Device().Zeros(mem.Gradients, p.Value.Shape()...); err != nil {
		return fmt.Errorf("make the gradient of %s: %w", p.Name, err)
	}
	return nil
}

// Constant is an initialiser: all elements are c.
func Constant(c float32) func() float32 { return func() float32 { return c } }

// Normal is an initialiser: normal with that standard deviation.
func (n *Net) Normal(deviation float64) func() float32 {
	return func() float32 { return float32(n.rng.NormFloat64() * deviation) }
}

// Xavier is an initialiser for a matrix (in, out): uniform in ±sqrt(6/(in+out))
// (Glorot and Bengio 2010, eq. 16).
func (n *Net) Xavier(in, out int) func() float32 {
	limit := math.Sqrt(6 / float64(in+out))
	return func() float32 { return float32((2*n.rng.Float64() - 1) * limit) }
}

// Truncated is Normal with what lies beyond two deviations drawn again.
func (n *Net) Truncated(deviation float64) func() float32 {
	return func() float32 {
		for {
			if x := n.rng.NormFloat64(); math.Abs(x) <= 2 {
				return float32(x * deviation)
			}
		}
	}
}

// He is an initialiser for layers before a ReLU: normal with variance 2/in (He et al.
// 2015, eq. 10).
func (n *Net) He(in int) func() float32 { return n.Normal(math.Sqrt(2 / float64(in))) }

// Orthogonal is an initialiser for a matrix (in, out): its shorter sides are orthogonal
// and of length gain, drawn evenly from all that are (Saxe et al. 2014, section 3). It
// returns the elements of as many such matrices as are asked for, row by row.
func (n *Net) Orthogonal(in, out int, gain float64) func() float32 {
	var left []float64
	return func() float32 {
		if len(left) == 0 {
			left = n.orthogonal(in, out)
		}
		x := left[0]
		left = left[1:]
		return float32(gain * x)
	}
}

// orthogonal is one such matrix of gain 1: normal vectors, each made orthogonal to those
// before it, twice against rounding.
func (n *Net) orthogonal(in, out int) []float64 {
	count, size := min(in, out), max(in, out)
	q := make([][]float64, count)
	for i := range q {
		q[i] = make([]float64, size)
		for k := range q[i] {
			q[i][k] = n.rng.NormFloat64()
		}
		for range 2 {
			for _, p := range q[:i] {
				dot := 0.0
				for k := range p {
					dot += p[k] * q[i][k]
				}
				for k := range p {
					q[i][k] -= dot * p[k]
				}
			}
		}
		norm := 0.0
		for _, x := range q[i] {
			norm += x * x
		}
		for k := range q[i] {
			q[i][k] /= math.Sqrt(norm)
		}
	}
	flat := make([]float64, 0, in*out)
	for i := range in {
		for j := range out {
			if in < out {
				flat = append(flat, q[i][j])
			} else {
				flat = append(flat, q[j][i])
			}
		}
	}
	return flat
}

// ZeroGrad sets all gradients to zero.
func (n *Net) ZeroGrad() error {
	for _, p := range n.params {
		p.stale = true
		if p.Grad == nil {
			continue
		}
		if err := p.Grad.Clear(); err != nil {
			return fmt.Errorf("clear gradient of %s: %w", p.Name, err)
		}
	}
	return nil
}

// Free gives the parameters' and gradients' memory back.
func (n *Net) Free() error {
	var first error
	for _, t := range n.Tensors() {
		if err := t.Free(); err != nil && first == nil {
			first = err
		}
	}
	n.params, n.buffers = nil, nil
	return first
}
