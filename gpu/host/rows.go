package host

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// NoRow says that a table has no row for the id at a place.
func NoRow(id int32, place, rows int) error {
	return fmt.Errorf("token %d at place %d: the table has %d rows, from 0 on", id, place, rows)
}

// Gather does y (len(ids), n) = table (vocabulary, n) at ids. An id that the table lacks
// gives bytes 0xff, which are NaN in every type, and the first of them is an error.
func (e *Engine) Gather(y, table Floats, ids []int32, n int) error {
	if n == 0 || y.Len() != len(ids)*n || table.Len()%n != 0 {
		return fmt.Errorf("gather rows: %d values from %d for %d ids in rows of %d", y.Len(), table.Len(), len(ids), n)
	}
	to, from := n*y.DType.Size(), n*table.DType.Size()
	rows := len(table.Data) / from
	first := atomic.Int64{}
	first.Store(int64(len(ids)))
	err := e.split(len(ids), 1, len(y.Data)/16, func(lo, hi int) {
		if bad := slices.IndexFunc(ids[lo:hi], func(id int32) bool { return uint32(id) >= uint32(rows) }); bad >= 0 {
			least(&first, int64(lo+bad))
		}
		if y.DType == table.DType {
			e.run.gather(y.Data[lo*to:hi*to], table.Data, ids[lo:hi], to)
			return
		}
		for i, id := range ids[lo:hi] {
			row := y.Data[(lo+i)*to:][:to]
			if id >= 0 && int(id) < rows {
				e.run.cast(row, y.DType, table.Data[int(id)*from:], table.DType, n)
				continue
			}
			for j := range row {
				row[j] = 0xff
			}
		}
	})
	if at := int(first.Load()); err == nil && at < len(ids) {
		return NoRow(ids[at], at, rows)
	}
	return err
}

// least makes x no more than y, in whatever order its callers come.
func least(x *atomic.Int64, y int64) {
	for {
		now := x.Load()
		if now <= y || x.CompareAndSwap(now, y) {
			return
		}
	}
}

// Scatter does table (vocabulary, n) += y (len(ids), n) at ids, in the order of ids;
// ids that the table lacks are passed over.
func (e *Engine) Scatter(table, y Floats, ids []int32, n int) error {
	if n == 0 || y.Len() != len(ids)*n || table.Len()%n != 0 {
		return fmt.Errorf("scatter rows: %d values to %d for %d ids in rows of %d", y.Len(), table.Len(), len(ids), n)
	}
	release, err := e.wholes(true, &table)
	if err != nil {
		return err
	}
	defer release()
	to := As[float32](table.Data)
	if y.DType == F32 {
		return e.columns(n, y.Len()/2, func(j0, j1 int) { e.run.scatter(n, j0, j1, to, As[float32](y.Data), ids) })
	}
	return e.columnTasks(n, y.Len(), 1, func(j0, j1 int, ws []float32) {
		for i, id := range ids {
			if id < 0 || int(id) >= len(to)/n {
				continue
			}
			e.run.cast(Bytes(ws), F32, y.Data[2*(i*n+j0):], y.DType, j1-j0)
			e.run.each(OpAddScaled, to[int(id)*n+j0:int(id)*n+j1], ws[:j1-j0], nil, 1)
		}
	})
}

// Mask is dropout's: which values it takes is a function of these numbers, the
// example and the element alone; see Dropped in gpu/ref.
type Mask struct {
	Drop  int // of 65536
	Seed  uint64
	Op    uint32 // tells the layers of one model apart
	First uint64 // what the first example is called
}

// Dropout does y = x scaled up where the mask leaves it and 0 where it does not, or
// adds that to y. The values are those of so many examples.
func (e *Engine) Dropout(y, x Floats, add bool, m Mask, examples int) error {
	if examples == 0 || y.Len() != x.Len() || y.Len()%examples != 0 {
		return fmt.Errorf("dropout: %d to %d values in %d examples", x.Len(), y.Len(), examples)
	}
	// Pieces of an example, each a task of its own: they start at multiples of 8.
	n := x.Len() / examples
	const block = 2048
	pieces := (n + block - 1) / block
	space := 0
	for _, f := range []Floats{y, x} {
		if f.DType != F32 {
			space += block
		}
	}
	return e.tasks(examples*pieces, 2*x.Len(), space, func(i int, ws []float32) {
		at := i % pieces * block
		lo, hi := i/pieces*n+at, i/pieces*n+min(n, at+block)
		out := arg{Floats: y, per: 1, in: add, out: true}
		yw, rest := e.widen(out, lo, hi, ws)
		xw, _ := e.widen(arg{Floats: x, per: 1, in: true}, lo, hi, rest)
		e.run.dropout(yw, xw, add, &m, m.First+uint64(i/pieces), at)
		if y.DType != F32 {
			e.run.cast(y.Data[2*lo:], y.DType, Bytes(yw), F32, hi-lo)
		}
	})
}

// Softmax does y = softmax(x), or its logarithm, along rows of n.
func (e *Engine) Softmax(y, x Floats, n int, log bool) error {
	rows, err := rowsOf("softmax", n, y, x)
	if err != nil {
		return err
	}
	args := []arg{{Floats: y, per: n, out: true}, {Floats: x, per: n, in: true}}
	return e.rowwise(rows, x.Len(), args, func(lo, hi int, x [][]float32) { e.run.softmax(hi-lo, n, x[0], x[1], log) })
}

// SoftmaxGrad adds the gradient by x to dx; y is what Softmax gave.
func (e *Engine) SoftmaxGrad(dx, y, dy Floats, n int, log bool) error {
	rows, err := rowsOf("softmax gradient", n, dx, y, dy)
	if err != nil {
		return err
	}
	args := []arg{{Floats: dx, per: n, in: true, out: true}, {Floats: y, per: n, in: true}, {Floats: dy, per: n, in: true}}
	return e.rowwise(rows, y.Len(), args, func(lo, hi int, x [][]float32) { e.run.softmaxGrad(hi-lo, n, x[0], x[1], x[2], log) })
}

// CrossEntropy does loss (rows) = lse - x[label], lse being the logarithm of the sum
// of exp(x) along a row of x (rows, n). A row whose label is below 0 has loss 0; one
// of n or above gives NaN. With targets (rows, n) in place of labels the loss is the
// sum over n of target (lse - x).
func (e *Engine) CrossEntropy(loss, lse []float32, x Floats, labels []int32, targets Floats) error {
	n, err := classes(len(lse), len(loss), x, labels, targets)
	if err != nil {
		return err
	}
	args := []arg{{Floats: FloatsOf(loss), per: 1}, {Floats: FloatsOf(lse), per: 1}, {Floats: x, per: n, in: true}, {Floats: targets, per: n, in: true}}
	return e.rowwise(len(lse), x.Len(), args, func(lo, hi int, x [][]float32) {
		e.run.crossEntropy(hi-lo, n, x[0], x[1], x[2], part(labels, lo, hi), x[3])
	})
}

// CrossEntropyGrad does dx += scale dLoss (softmax(x) - onehot(label)), or with targets
// scale dLoss (softmax(x) sum(target) - target). dLoss is one value for each row, one
// for all, or none for 1.
func (e *Engine) CrossEntropyGrad(dx, x Floats, labels []int32, targets Floats, lse, dLoss []float32, scale float32) error {
	n, err := classes(len(lse), len(lse), x, labels, targets)
	if err == nil && dx.Len() != x.Len() {
		err = fmt.Errorf("cross-entropy gradient: %d of %d values", dx.Len(), x.Len())
	}
	if err != nil {
		return err
	}
	args := []arg{{Floats: dx, per: n, in: true, out: true}, {Floats: x, per: n, in: true}, {Floats: FloatsOf(lse), per: 1},
		{Floats: targets, per: n, in: true}, lossArg(dLoss)}
	return e.rowwise(len(lse), x.Len(), args, func(lo, hi int, x [][]float32) {
		e.run.crossEntropyGrad(hi-lo, n, x[0], x[1], part(labels, lo, hi), x[3], x[2], x[4], scale)
	})
}

// lossArg is the gradient by a loss: for each row, or one for all.
func lossArg(dLoss []float32) arg {
	a := arg{Floats: FloatsOf(dLoss)}
	if len(dLoss) > 1 {
		a.per = 1
	}
	return a
}

// part is x from lo to hi, nil of nil.
func part[T any](x []T, lo, hi int) []T {
	if x == nil {
		return nil
	}
	return x[lo:hi]
}

func classes(rows, losses int, x Floats, labels []int32, targets Floats) (int, error) {
	if rows == 0 || losses != rows || x.Len()%rows != 0 || labels != nil && len(labels) != rows || targets.Data != nil && targets.Len() != x.Len() {
		return 0, fmt.Errorf("cross-entropy: %d values, %d rows, %d losses, %d labels, %d targets", x.Len(), rows, losses, len(labels), targets.Len())
	}
	return x.Len() / rows, nil
}

// LossKind names a loss between a value and its target.
type LossKind int

// The losses of x and a target t.
const (
	SquaredLoss LossKind = iota // (x - t)^2
	BinaryLoss                  // cross-entropy of sigmoid(x) and t: max(x, 0) - x t + log(1 + e^-|x|)
	HuberLoss                   // half the square within delta, delta (|x - t| - delta/2) beyond (Huber 1964)
)

// Loss does loss (rows) = the mean along rows of x and the targets t.
func (e *Engine) Loss(kind LossKind, loss []float32, x, t Floats, delta float32) error {
	n, err := classes(len(loss), len(loss), x, nil, t)
	if err != nil {
		return err
	}
	args := []arg{{Floats: FloatsOf(loss), per: 1}, {Floats: x, per: n, in: true}, {Floats: t, per: n, in: true}}
	return e.rowwise(len(loss), x.Len(), args, func(lo, hi int, x [][]float32) { e.run.loss(kind, hi-lo, n, x[0], x[1], x[2], delta) })
}

// LossGrad adds to dx the gradient of scale times the sum of the rows' losses, each
// times its dLoss; see CrossEntropyGrad.
func (e *Engine) LossGrad(kind LossKind, dx, x, t Floats, rows int, dLoss []float32, scale, delta float32) error {
	n, err := classes(rows, rows, x, nil, t)
	if err != nil {
		return err
	}
	args := []arg{{Floats: dx, per: n, in: true, out: true}, {Floats: x, per: n, in: true}, {Floats: t, per: n, in: true}, lossArg(dLoss)}
	return e.rowwise(rows, x.Len(), args, func(lo, hi int, x [][]float32) {
		e.run.lossGrad(kind, hi-lo, n, x[0], x[1], x[2], x[3], scale/float32(n), delta)
	})
}

// Argmax does y (rows) = the first place of the largest value along rows of x, NaN
// taken for the largest.
func (e *Engine) Argmax(y []int32, x Floats) error {
	if len(y) == 0 || x.Len()%len(y) != 0 {
		return fmt.Errorf("argmax: %d values in %d rows", x.Len(), len(y))
	}
	n := x.Len() / len(y)
	return e.rowwise(len(y), x.Len(), []arg{{Floats: x, per: n, in: true}}, func(lo, hi int, x [][]float32) { e.run.argmax(n, y[lo:hi], x[0]) })
}
