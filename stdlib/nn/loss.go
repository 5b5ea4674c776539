package nn

import (
	"fmt"

	"attune/gpu"
	"attune/gpu/mem"
)

// CrossEntropy is the mean over the batch of -log softmax(logits)[label]: logits
// (B, C) or (B, T, C), labels one integer in 0..C-1 for each row. A label of -1 leaves
// its row out of the sum, not out of the mean. The result is one number.
func (t *Tape) CrossEntropy(logits *Value, labels []int) *Value {
	const act = "cross-entropy"
	if !t.usable(act, logits) {
		return nil
	}
	s := logits.tensor.Shape()
	if len(s) < 2 || len(labels) == 0 || logits.tensor.Len() != len(labels)*s[len(s)-1] {
		return t.fail(act, fmt.Errorf("logits %s for %d labels", logits.tensor, len(labels)))
	}
	classes := s[len(s)-1]
	ids := make([]int32, len(labels))
	for i, label := range labels {
		if label < -1 || label >= classes {
			return t.fail(act, fmt.Errorf("label %d of example %d is not in 0..%d", label, i, classes-1))
		}
		ids[i] = int32(label)
	}
	want, err := t.dev.FromInt32s(ids, mem.Data, len(ids))
	if err != nil {
		return t.fail(act, err)
	}
	t.hold(want)
	return t.entropy(act, logits, len(ids), func(loss, lse *gpu.Tensor) error {
		return gpu.CrossEntropy(loss, lse, logits.tensor, want)
	}, func(d, lse, dLoss *gpu.Tensor) error {
		return gpu.CrossEntropyGrad(d, logits.tensor, want, lse, dLoss, 1)
	})
}

// CrossEntropyDense is the mean over rows of -sum(target log softmax(logits)): logits
// and targets (…, C), the targets shares that sum to 1 in each row.
func (t *Tape) CrossEntropyDense(logits *Value, targets []float32) *Value {
	const act = "cross-entropy of shares"
	if !t.usable(act, logits) {
		return nil
	}
	s := logits.tensor.Shape()
	want, err := t.targets(logits, targets)
	if err != nil {
		return t.fail(act, err)
	}
	return t.entropy(act, logits, want.Len()/s[len(s)-1], func(loss, lse *gpu.Tensor) error {
		return gpu.CrossEntropyDense(loss, lse, logits.tensor, want)
	}, func(d, lse, dLoss *gpu.Tensor) error {
		return gpu.CrossEntropyDenseGrad(d, logits.tensor, want, lse, dLoss, 1)
	})
}

// entropy is the mean of n rows' losses, whose gradient wants the rows' lse.
func (t *Tape) entropy(act string, logits *Value, n int, f func(loss, lse *gpu.Tensor) error, grad func(d, lse, dLoss *gpu.Tensor) error) *Value {
	lse, err := t.dev.Empty(gpu.Float32, mem.Activations, n)
	if err != nil {
		return t.fail(act, err)
	}
	t.hold(lse)
	return t.meanLoss(act, logits, n,
		func(loss *gpu.Tensor) error { return f(loss, lse) },
		func(d, dLoss *gpu.Tensor) error { return grad(d, lse, dLoss) })
}

// targets puts what x should be on the device: as many numbers, not empty.
func (t *Tape) targets(x *Value, values []float32) (*gpu.Tensor, error) {
	if len(values) != x.tensor.Len() || len(values) == 0 || len(x.tensor.Shape()) == 0 {
		return nil, fmt.Errorf("%s for %d targets: want as many, and at least one", x.tensor, len(values))
	}
	want, err := t.dev.FromFloat32s(values, mem.Data, x.tensor.Shape()...)
	return t.hold(want), err
}

// MSE is the mean of (x - target)² over all elements.
func (t *Tape) MSE(x *Value, target []float32) *Value {
	return t.regress("mean squared error", x, target, gpu.MSE, gpu.MSEGrad)
}

// BCE is the mean binary cross-entropy of sigmoid(x) with targets in [0, 1]: x are
// logits, before any sigmoid.
func (t *Tape) BCE(x *Value, target []float32) *Value {
	return t.regress("binary cross-entropy", x, target, gpu.BCE, gpu.BCEGrad)
}

// Huber is the mean of a loss that is quadratic up to delta and linear beyond (Huber
// 1964).
func (t *Tape) Huber(x *Value, target []float32, delta float64) *Value {
	d := float32(delta)
	return t.regress("huber loss", x, target,
		func(loss, x, target *gpu.Tensor) error { return gpu.Huber(loss, x, target, d) },
		func(dx, x, target, dLoss *gpu.Tensor, rows int, scale float32) error {
			return gpu.HuberGrad(dx, x, target, dLoss, rows, scale, d)
		})
}

func (t *Tape) regress(act string, x *Value, target []float32, f func(loss, x, target *gpu.Tensor) error, grad func(dx, x, target, dLoss *gpu.Tensor, rows int, scale float32) error) *Value {
	if !t.usable(act, x) {
		return nil
	}
	want, err := t.targets(x, target)
	if err != nil {
		return t.fail(act, err)
	}
	n := x.tensor.Dim(0)
	return t.meanLoss(act, x, n,
		func(loss *gpu.Tensor) error { return f(loss, x.tensor, want) },
		func(d, dLoss *gpu.Tensor) error { return grad(d, x.tensor, want, dLoss, n, 1) })
}

// meanLoss is the mean of n losses that f computes from x; grad adds to the gradient
// of x from those of the losses.
func (t *Tape) meanLoss(act string, x *Value, n int, f func(loss *gpu.Tensor) error, grad func(d, dLoss *gpu.Tensor) error) *Value {
	share := 1 / float32(n)
	y, err := t.makeIn(gpu.Float32, []int{1}, x)
	if err == nil {
		err = y.tensor.Clear()
	}
	if err == nil {
		err = t.lend(n, func(losses *gpu.Tensor) error {
			if err := f(losses); err != nil {
				return err
			}
			return gpu.SumAxis(y.tensor, losses, 0, share)
		})
	}
	if err != nil {
		return t.fail(act, err)
	}
	t.costs(5 * int64(x.tensor.Len()))
	return t.record(y, func() error {
		return t.lend(n, func(dLoss *gpu.Tensor) error {
			g, err := gradients(x, y)
			if err == nil {
				err = gpu.Fill(dLoss, 0)
			}
			if err == nil {
				err = gpu.Spread(dLoss, g[1], 0, share)
			}
			if err != nil {
				return err
			}
			return grad(g[0], dLoss)
		})
	})
}

// lend lends f a workspace of n numbers.
func (t *Tape) lend(n int, f func(x *gpu.Tensor) error) error {
	x, err := t.dev.Empty(gpu.Float32, mem.Workspace, n)
	if err != nil {
		return err
	}
	err = f(x)
	if ferr := x.Free(); err == nil {
		err = ferr
	}
	return err
}

// Argmax is the index of the largest value in each row of scores (rows, classes).
func Argmax(scores []float32, classes int) []int {
	out := make([]int, len(scores)/classes)
	for i := range out {
		row := scores[i*classes : (i+1)*classes]
		for j, x := range row {
			if x > row[out[i]] {
				out[i] = j
			}
		}
	}
	return out
}
