package nn

import (
	"fmt"
	"math"
)

// CrossEntropy is the mean over the batch of -log softmax(logits)[label]: logits
// (B, C), labels B integers in 0..C-1. The result is one number.
func (t *Tape) CrossEntropy(logits *Value, labels []int) *Value {
	const act = "cross-entropy"
	if !t.usable(act, logits) {
		return nil
	}
	s := logits.tensor.Shape()
	if len(s) != 2 || s[0] != len(labels) || s[0] == 0 {
		return t.fail(act, fmt.Errorf("logits %s for %d labels", logits.tensor, len(labels)))
	}
	for i, label := range labels {
		if label < 0 || label >= s[1] {
			return t.fail(act, fmt.Errorf("label %d of example %d is not in 0..%d", label, i, s[1]-1))
		}
	}
	p, err := logits.tensor.Float32s()
	if err != nil {
		return t.fail(act, err)
	}
	loss := 0.0
	for i, label := range labels {
		loss -= softmax(p[i*s[1]:(i+1)*s[1]], label)
	}
	y, err := t.make([]int{1}, logits)
	if err == nil {
		err = y.tensor.CopyFrom([]float32{float32(loss / float64(s[0]))})
	}
	if err != nil {
		return t.fail(act, err)
	}
	return t.record(y, func() error { return crossEntropyGrad(y, logits, p, labels) })
}

// softmax turns a row of scores into probabilities and returns the log of the
// one at index at.
func softmax(row []float32, at int) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, x := range row {
		top = math.Max(top, float64(x))
	}
	for _, x := range row {
		sum += math.Exp(float64(x) - top)
	}
	log := float64(row[at]) - top - math.Log(sum)
	for j, x := range row {
		row[j] = float32(math.Exp(float64(x)-top) / sum)
	}
	return log
}

// crossEntropyGrad adds (softmax - one hot) / B times the loss's own gradient. p
// holds the softmax and is used up.
func crossEntropyGrad(y, logits *Value, p []float32, labels []int) error {
	scale := make([]float32, 1)
	g, err := gradients(y, logits)
	if err != nil {
		return err
	}
	if err := g[0].CopyTo(scale); err != nil {
		return err
	}
	old, err := g[1].Float32s()
	if err != nil {
		return err
	}
	classes := len(p) / len(labels)
	f := scale[0] / float32(len(labels))
	for i, label := range labels {
		p[i*classes+label]--
	}
	for i, d := range p {
		old[i] += f * d
	}
	return g[1].CopyFrom(old)
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
