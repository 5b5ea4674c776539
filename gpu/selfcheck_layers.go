package gpu

import (
	"errors"
	"fmt"
	"slices"

	"attune/gpu/mem"
)

// layerCheck is one comparison of layers.
type layerCheck struct {
	name  string
	limit float64
	run   func(dev *Device) ([]*Tensor, error)
}

// checkRows and checkWidth are the shape that the layers are checked with: more rows than
// one chunk of a sum along them.
const checkRows, checkWidth = 300, 70

// bench draws the operands of one check: each new tensor has another seed.
type bench struct {
	dev   *Device
	dtype DType
	seed  uint64
	all   []*Tensor
	err   error
}

func (b *bench) add(t *Tensor, err error) *Tensor {
	b.err = errors.Join(b.err, err)
	if t != nil {
		b.all = append(b.all, t)
	}
	return t
}

// like is a tensor of normal values, the first of one that is one row longer: what is
// written past its end shows.
func (b *bench) like(dtype DType, shape ...int) *Tensor {
	b.seed++
	more := slices.Clone(shape)
	more[0]++
	t := b.add(checkTensor(b.dev, dtype, b.seed, more...))
	if t == nil {
		return nil
	}
	return t.span(0, 0, shape[0])
}

func (b *bench) full() *Tensor { return b.like(b.dtype, checkRows, checkWidth) }
func (b *bench) row() *Tensor  { return b.like(b.dtype, checkWidth) }

// ids are int32 values from -1 to n-1, one a row.
func (b *bench) ids(rows, n int) *Tensor {
	values := make([]int32, rows)
	for i := range values {
		values[i] = int32(i*31%(n+1)) - 1
	}
	return b.add(b.dev.FromInt32s(values, mem.Workspace, rows))
}

// floatsOnly leaves out the ids, which are not compared.
func (b *bench) floatsOnly() ([]*Tensor, error) {
	var out []*Tensor
	for _, t := range b.all {
		if t.dtype.Float() {
			out = append(out, t)
		} else {
			b.err = errors.Join(b.err, t.Free())
		}
	}
	return out, b.err
}

// layerChecks lists the comparisons of the layers with values of that type.
func layerChecks(dtype DType) []layerCheck {
	limit := map[DType]float64{Float32: 5e-5, Float16: 4e-3, BFloat16: 3e-2}[dtype]
	var out []layerCheck
	for _, c := range []struct {
		name string
		run  func(b *bench) error
	}{
		{"elementwise functions", checkElementwise}, {"sums along axes", checkAxes}, {"norms", checkNorms},
		{"embedding and dropout", checkTables}, {"embedding from another type", checkGatherAs}, {"softmax and cross-entropy", checkSoftmax}, {"losses of pairs", checkLosses},
		{"convolution", checkConvolution}, {"pooling", checkPools}, {"batch norm", checkBatchNorm},
	} {
		name := fmt.Sprintf("%s %s (%d, %d)", c.name, dtype, checkRows, checkWidth)
		out = append(out, layerCheck{name, limit, func(dev *Device) ([]*Tensor, error) {
			b := &bench{dev: dev, dtype: dtype}
			if err := c.run(b); err != nil {
				b.err = err
			}
			return b.floatsOnly()
		}})
	}
	return out
}

func checkElementwise(b *bench) error {
	x, dy := b.full(), b.full()
	var errs []error
	for _, f := range []func(y, x *Tensor) error{ReLU, GELU, SiLU, Tanh, Sigmoid} {
		errs = append(errs, f(b.full(), x))
	}
	for _, f := range []func(dx, x, dy *Tensor) error{ReLUGrad, GELUGrad, SiLUGrad, TanhGrad, SigmoidGrad, Mul, AddMul} {
		errs = append(errs, f(b.full(), x, dy))
	}
	return errors.Join(errors.Join(errs...), Scale(b.full(), x, 0.5), AddScaled(b.full(), x, 0.5), Fill(b.full(), 2))
}

func checkAxes(b *bench) error {
	x := b.full()
	return errors.Join(AddBias(b.full(), x, b.row()), SumRows(b.row(), x, 0.01), SumAxis(b.like(b.dtype, checkRows), x, 1, 0.01),
		Spread(b.full(), b.row(), 0, 0.5), Spread(b.full(), b.like(b.dtype, checkRows), 1, 0.5))
}

func checkNorms(b *bench) error {
	x, dy, gain, bias, mean, rstd := b.full(), b.full(), b.row(), b.row(), b.like(Float32, checkRows), b.like(Float32, checkRows)
	return errors.Join(
		LayerNorm(b.full(), mean, rstd, x, gain, bias, 1e-5), LayerNormGrad(b.full(), b.row(), b.row(), x, dy, gain, mean, rstd),
		RMSNorm(b.full(), rstd, x, gain, 1e-5), RMSNormGrad(b.full(), b.row(), x, dy, gain, rstd))
}

func checkTables(b *bench) error {
	table, ids, m := b.like(b.dtype, 20, checkWidth), b.ids(checkRows, 20), DropMask{P: 0.3, Seed: 9, Op: 2, First: 4}
	y := b.full()
	const many = 2500 // more ids than a block of the gradient looks through at once
	return errors.Join(Fill(y, 0), embedKnown(b, y, table, ids), EmbeddingGrad(b.like(Float32, 20, checkWidth), y, ids),
		EmbeddingGrad(b.like(Float32, 9, 40), b.like(b.dtype, many, 40), b.ids(many, 9)),
		Dropout(b.full(), y, m), DropoutGrad(b.full(), y, m))
}

func checkGatherAs(b *bench) error {
	ids, half, back := b.ids(checkRows, 20), b.full(), b.like(Float32, checkRows, checkWidth)
	return errors.Join(embedKnown(b, half, b.like(Float32, 20, checkWidth), ids),
		embedKnown(b, back, b.like(b.dtype, 20, checkWidth), ids))
}

// embedKnown looks only those ids up that the table has: others give NaN.
func embedKnown(b *bench, y, table, ids *Tensor) error {
	values, err := ids.Int32s()
	if err != nil {
		return err
	}
	for i, v := range values {
		values[i] = max(v, 0)
	}
	known := b.add(b.dev.FromInt32s(values, mem.Workspace, len(values)))
	return Embedding(y, table, known)
}

func checkSoftmax(b *bench) error {
	x, dy, labels, targets := b.full(), b.full(), b.ids(checkRows, checkWidth), b.full()
	p, l, loss, lse := b.full(), b.full(), b.like(Float32, checkRows), b.like(Float32, checkRows)
	best, ones := b.add(b.dev.FromInt32s(make([]int32, checkRows), mem.Workspace, checkRows)), b.full()
	return errors.Join(
		Softmax(p, x), SoftmaxGrad(b.full(), p, dy), LogSoftmax(l, x), LogSoftmaxGrad(b.full(), x, targets),
		CrossEntropyDense(loss, lse, x, targets), CrossEntropyDenseGrad(b.full(), x, targets, lse, loss, 0.1),
		CrossEntropy(loss, lse, x, labels), CrossEntropyGrad(b.full(), x, labels, lse, lse, 0.1),
		Argmax(best, x), CrossEntropyGrad(ones, x, best, lse, nil, 0.1))
}

func checkLosses(b *bench) error {
	x, t, loss := b.full(), b.full(), b.like(Float32, checkRows)
	return errors.Join(
		MSE(loss, x, t), MSEGrad(b.full(), x, t, loss, checkRows, 3), BCE(loss, x, t), BCEGrad(b.full(), x, t, loss, checkRows, 3),
		Huber(loss, x, t, 0.5), HuberGrad(b.full(), x, t, loss, checkRows, 3, 0.5))
}
