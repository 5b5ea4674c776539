package balance

import (
	"fmt"
	"math"

	"attune/gpu"
)

// noise is the running estimate of the gradient noise scale from the gradients of
// one part and of the whole of each batch (McCandlish et al. 2018, "An Empirical
// Model of Large-Batch Training", appendix A.1). G2 and S are means over steps, later
// ones counting more; a single step's estimates are unbiased and may be negative.
type noise struct {
	G2, S float64
	N     int
}

// noiseKeep is how much of the estimate each step keeps.
const noiseKeep = 0.95

// add takes in |G|² of a part of b examples and of the whole batch of n.
func (e *noise) add(b, n int, part, whole float64) {
	if b >= n || math.IsNaN(part) || math.IsInf(part, 0) || math.IsNaN(whole) || math.IsInf(whole, 0) {
		return
	}
	small, big := float64(b), float64(n)
	g2 := (big*whole - small*part) / (big - small)
	s := (part - whole) / (1/small - 1/big)
	e.N++
	// A mean over all steps at first, then one over the last ones.
	k := max(1/float64(e.N), 1-noiseKeep)
	e.G2 += k * (g2 - e.G2)
	e.S += k * (s - e.S)
}

// squares is |G|² of the gradients so far, a part of that weight in the batch's.
func (r *Trainer) squares(weight float64) (float64, error) {
	_, grads := r.trained()
	sum, err := gpu.SumSquares(grads...)
	weight *= r.Net.LossScale(r.Optimizer)
	return sum / (weight * weight), err
}

// scale is B_simple = tr(Σ)/|G|² in examples, 0 where there is no estimate yet.
func (e *noise) scale() float64 {
	if e.N < 5 || e.G2 <= 0 || e.S <= 0 {
		return 0
	}
	return e.S / e.G2
}

// least is the scale, or several batches of that many examples where it is so far beyond
// them that the estimate of |G|² drowns; 0 where there is no estimate yet.
func (e *noise) least(batch int) float64 {
	const several = 8
	if e.N < 2*several || e.S <= 0 {
		return e.scale()
	}
	return e.S / max(e.G2, e.S/float64(several*batch))
}

// Noise is the gradient noise scale that training measured.
type Noise struct {
	// Scale is in examples: batches far below it waste nothing, batches far above
	// hardly learn more from each step. 0 where it is not known yet.
	Scale float64
	// Steps is the number of steps it was measured at.
	Steps int
}

// Noise is the gradient noise scale so far. It is measured at each step whose batch
// is cut, and at every NoiseEvery-th other.
func (r *Trainer) Noise() Noise { return Noise{r.noise.scale(), r.noise.N} }

// Useful is the share of a batch's examples that a step learns from, 1/(1+batch/Scale)
// (McCandlish et al. 2018, eq. 2.10 and 2.11: a batch of Scale examples takes twice
// the steps of the least possible, and twice the examples).
func (n Noise) Useful(batch int) float64 {
	if n.Scale <= 0 {
		return 1
	}
	return 1 / (1 + float64(batch)/n.Scale)
}

// String says what the scale means for the batch.
func (n Noise) String() string {
	if n.Scale <= 0 {
		return fmt.Sprintf("gradient noise scale not known after %d measurements", n.Steps)
	}
	return fmt.Sprintf("gradient noise scale %.0f examples (%d measurements): a useful batch is about that large, smaller ones waste nothing, larger ones hardly save steps", n.Scale, n.Steps)
}
