package gpu

import (
	"errors"
	"fmt"

	"attune/gpu/host"
)

// LayerNorm does y (rows, n) = (x - mean) rstd gain + bias along rows (Ba et al.
// 2016), gain and bias (n); bias may be nil. It fills mean and rstd (rows), f32, for
// the gradient.
func LayerNorm(y, mean, rstd, x, gain, bias *Tensor, eps float32) error {
	return norm("layer norm", []*Tensor{y, mean, rstd, x, gain}, y, mean, rstd, x, gain, bias, eps)
}

// RMSNorm does y (rows, n) = x rstd gain along rows (Zhang and Sennrich 2019), gain (n);
// rstd is 1/sqrt(mean of x² + eps). It fills rstd (rows), f32, for the gradient.
func RMSNorm(y, rstd, x, gain *Tensor, eps float32) error {
	return norm("rms norm", []*Tensor{y, rstd, x, gain}, y, nil, rstd, x, gain, nil, eps)
}

func norm(act string, need []*Tensor, y, mean, rstd, x, gain, bias *Tensor, eps float32) error {
	return layer(call{act: act, need: need, opt: []*Tensor{bias},
		float: []*Tensor{y, x, gain, bias}, f32: []*Tensor{mean, rstd}, like: []*Tensor{gain, bias},
		bad: func() string {
			return rowsFit(gain.Len(), rstd.Len(), y, x) + rowsFit(1, rstd.Len(), mean)
		},
		run: func(d backend) error { return d.norm(y, mean, rstd, x, gain, bias, eps) }})
}

// LayerNormGrad adds to dx (rows, n), dGain and dBias (n); those that are nil are left
// out.
func LayerNormGrad(dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor) error {
	return normGrad("layer norm gradient", []*Tensor{x, dy, gain, mean, rstd}, dx, dGain, dBias, x, dy, gain, mean, rstd)
}

// RMSNormGrad adds to dx (rows, n) and dGain (n); one that is nil is left out.
func RMSNormGrad(dx, dGain, x, dy, gain, rstd *Tensor) error {
	return normGrad("rms norm gradient", []*Tensor{x, dy, gain, rstd}, dx, dGain, nil, x, dy, gain, nil, rstd)
}

func normGrad(act string, need []*Tensor, dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor) error {
	return layer(call{act: act, need: need, opt: []*Tensor{dx, dGain, dBias},
		float: []*Tensor{dx, dGain, dBias, x, dy, gain}, f32: []*Tensor{mean, rstd}, like: []*Tensor{gain, dGain, dBias},
		bad: func() string {
			return rowsFit(gain.Len(), rstd.Len(), dx, x, dy) + rowsFit(1, rstd.Len(), mean)
		},
		run: func(d backend) error { return d.normGrad(dx, dGain, dBias, x, dy, gain, mean, rstd) }})
}

// Embedding does y (…, n) = the rows of table (vocabulary, n) that ids (…), i32, name.
// An id that the table lacks is an error; on a CUDA device, where the ids were computed
// there, it gives NaN.
func Embedding(y, table, ids *Tensor) error {
	return embedding("embedding", y, table, ids, func(d backend) error {
		if bad := beyond(ids, table); bad != "" {
			return errors.New(bad)
		}
		return d.gather(y, table, ids)
	})
}

// EmbeddingGrad does dTable += the rows of dy, each where its id says, in the order of
// ids: the result does not depend on threads or timing. Ids that the table lacks are
// passed over.
func EmbeddingGrad(dTable, dy, ids *Tensor) error {
	return embedding("embedding gradient", dy, dTable, ids, func(d backend) error { return d.scatter(dTable, dy, ids) })
}

func embedding(act string, y, table, ids *Tensor, run func(d backend) error) error {
	return layer(call{act: act, need: []*Tensor{y, table, ids}, float: []*Tensor{y, table}, i32: []*Tensor{ids}, bad: func() string {
		if len(table.shape) != 2 || table.Len() == 0 {
			return fmt.Sprintf("%s: want (vocabulary, width)", table)
		}
		return rowsFit(table.shape[1], ids.Len(), y)
	}, run: run})
}

// Softmax does y = exp(x) / sum(exp(x)) along the last axis; y may be x.
func Softmax(y, x *Tensor) error { return softmax("softmax", y, x, false) }

// LogSoftmax does y = x - log(sum(exp(x))) along the last axis; y may be x.
func LogSoftmax(y, x *Tensor) error { return softmax("log softmax", y, x, true) }

func softmax(act string, y, x *Tensor, log bool) error {
	ts := []*Tensor{y, x}
	return layer(call{act: act, need: ts, float: ts, like: ts, bad: func() string { return rowsFit(last(x), -1, y) },
		run: func(d backend) error { return d.softmax(y, x, log) }})
}

// SoftmaxGrad does dx += y (dy - sum(y dy)) along the last axis, y being what Softmax
// gave.
func SoftmaxGrad(dx, y, dy *Tensor) error {
	return softmaxGrad("softmax gradient", dx, y, dy, false)
}

// LogSoftmaxGrad does dx += dy - exp(y) sum(dy) along the last axis, y being what
// LogSoftmax gave.
func LogSoftmaxGrad(dx, y, dy *Tensor) error {
	return softmaxGrad("log softmax gradient", dx, y, dy, true)
}

func softmaxGrad(act string, dx, y, dy *Tensor, log bool) error {
	ts := []*Tensor{dx, y, dy}
	return layer(call{act: act, need: ts, float: ts, like: ts, bad: func() string { return rowsFit(last(y), -1, dx) },
		run: func(d backend) error { return d.softmaxGrad(dx, y, dy, log) }})
}

// Argmax does y = the first place of the largest value along the last axis of x; y is
// i32 and has an element for each row. NaN counts as the largest.
func Argmax(y, x *Tensor) error {
	return layer(call{act: "argmax", need: []*Tensor{y, x}, float: []*Tensor{x}, i32: []*Tensor{y},
		bad: func() string { return rowsFit(last(x), y.Len(), x) },
		run: func(d backend) error { y.overwritten(); return d.argmax(y, x) }})
}

// The losses give one value for each row; what a model is trained on is their mean
// (SumRows by 1/rows). Their gradients add scale dLoss times the gradient by the values:
// dLoss, f32, has an element for each row, or one for all, or is nil for 1.

// CrossEntropy does loss (N) = lse - logits[label] for logits (N, C) and labels (N),
// i32; any shapes with C last. lse (N), the logarithm of each row's sum of
// exponentials, is for the gradient; both are f32. A label below 0 makes its row's loss
// 0, one of C or above NaN.
func CrossEntropy(loss, lse, logits, labels *Tensor) error {
	return crossEntropy("cross-entropy", loss, lse, logits, labels, nil)
}

// CrossEntropyGrad does dLogits += scale dLoss (softmax(logits) - onehot(label)); a row
// whose label is below 0 gets nothing. No probabilities are kept.
func CrossEntropyGrad(dLogits, logits, labels, lse, dLoss *Tensor, scale float32) error {
	return crossEntropyGrad("cross-entropy gradient", dLogits, logits, labels, nil, lse, dLoss, scale)
}

// CrossEntropyDense does loss (N) = the sum over C of target (lse - logits), the
// targets (N, C) being a distribution for each row; the rest is as for CrossEntropy.
func CrossEntropyDense(loss, lse, logits, targets *Tensor) error {
	return crossEntropy("dense cross-entropy", loss, lse, logits, nil, targets)
}

// CrossEntropyDenseGrad does dLogits += scale dLoss (softmax(logits) sum(target) -
// target).
func CrossEntropyDenseGrad(dLogits, logits, targets, lse, dLoss *Tensor, scale float32) error {
	return crossEntropyGrad("dense cross-entropy gradient", dLogits, logits, nil, targets, lse, dLoss, scale)
}

func crossEntropy(act string, loss, lse, x, labels, targets *Tensor) error {
	need := []*Tensor{loss, lse, x, labels}
	if labels == nil {
		need[3] = targets
	}
	return layer(call{act: act, need: need, float: []*Tensor{x, targets}, f32: []*Tensor{loss, lse}, i32: []*Tensor{labels},
		like: []*Tensor{loss, lse, labels},
		bad:  func() string { return rowsFit(last(x), loss.Len(), x, targets) },
		run:  func(d backend) error { return d.crossEntropy(loss, lse, x, labels, targets) }})
}

func crossEntropyGrad(act string, dx, x, labels, targets, lse, dLoss *Tensor, scale float32) error {
	need := []*Tensor{dx, x, labels, lse}
	if labels == nil {
		need[2] = targets
	}
	return layer(call{act: act, need: need, opt: []*Tensor{dLoss}, float: []*Tensor{dx, x, targets}, f32: []*Tensor{lse, dLoss}, i32: []*Tensor{labels},
		like: []*Tensor{lse, labels},
		bad: func() string {
			return rowsFit(last(x), lse.Len(), dx, x, targets) + lossFits(dLoss, lse.Len())
		},
		run: func(d backend) error { return d.crossEntropyGrad(dx, x, labels, targets, lse, dLoss, scale) }})
}

func lossFits(dLoss *Tensor, rows int) string {
	if dLoss == nil || dLoss.Len() == 1 || dLoss.Len() == rows {
		return ""
	}
	return fmt.Sprintf("%s is the gradient of %d losses", dLoss, rows)
}

// MSE does loss (N), f32, = the mean of (x - target)² over each of N rows.
func MSE(loss, x, target *Tensor) error {
	return pairLoss("mean squared error", host.SquaredLoss, loss, x, target, 0)
}

// MSEGrad adds MSE's gradient to dx; rows is the N of its loss.
func MSEGrad(dx, x, target, dLoss *Tensor, rows int, scale float32) error {
	return pairLossGrad("mean squared error gradient", host.SquaredLoss, dx, x, target, dLoss, rows, scale, 0)
}

// BCE does loss (N), f32, = the mean over each of N rows of the cross-entropy between
// target and sigmoid(x): max(x, 0) - x target + log(1 + e^-|x|).
func BCE(loss, x, target *Tensor) error {
	return pairLoss("binary cross-entropy", host.BinaryLoss, loss, x, target, 0)
}

// BCEGrad adds BCE's gradient to dx; rows is the N of its loss.
func BCEGrad(dx, x, target, dLoss *Tensor, rows int, scale float32) error {
	return pairLossGrad("binary cross-entropy gradient", host.BinaryLoss, dx, x, target, dLoss, rows, scale, 0)
}

// Huber does loss (N), f32, = the mean over each of N rows of d²/2 where d = |x - target|
// is at most delta, and of delta (d - delta/2) beyond (Huber 1964).
func Huber(loss, x, target *Tensor, delta float32) error {
	return pairLoss("huber loss", host.HuberLoss, loss, x, target, delta)
}

// HuberGrad adds Huber's gradient to dx; rows is the N of its loss.
func HuberGrad(dx, x, target, dLoss *Tensor, rows int, scale, delta float32) error {
	return pairLossGrad("huber loss gradient", host.HuberLoss, dx, x, target, dLoss, rows, scale, delta)
}

func pairLoss(act string, kind host.LossKind, loss, x, target *Tensor, delta float32) error {
	return layer(call{act: act, need: []*Tensor{loss, x, target}, float: []*Tensor{x, target}, f32: []*Tensor{loss}, like: []*Tensor{x, target},
		bad: func() string { return rowsFit(max(1, x.Len()/max(1, loss.Len())), loss.Len(), x) },
		run: func(d backend) error { return d.loss(kind, loss, x, target, delta) }})
}

func pairLossGrad(act string, kind host.LossKind, dx, x, target, dLoss *Tensor, rows int, scale, delta float32) error {
	ts := []*Tensor{dx, x, target}
	return layer(call{act: act, need: ts, opt: []*Tensor{dLoss}, float: ts, f32: []*Tensor{dLoss}, like: ts,
		bad: func() string {
			if rows < 1 {
				return fmt.Sprintf("%d rows", rows)
			}
			return rowsFit(max(1, x.Len()/rows), rows, x) + lossFits(dLoss, rows)
		},
		run: func(d backend) error { return d.lossGrad(kind, dx, x, target, rows, dLoss, scale, delta) }})
}
