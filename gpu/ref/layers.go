package ref

import "math"

// Map is an elementwise layer and its derivative, both as functions of the argument.
type Map struct{ F, Slope func(x float64) float64 }

// Maps are the elementwise layers by name; gelu is the tanh form (Hendrycks and Gimpel
// 2016), silu is x sigmoid(x) (Elfwing et al. 2018).
func Maps() map[string]Map {
	root, cube := math.Sqrt(2/math.Pi), 0.044715
	return map[string]Map{
		"relu": {func(x float64) float64 { return math.Max(x, 0) }, func(x float64) float64 {
			if x > 0 {
				return 1
			}
			return 0
		}},
		"gelu": {func(x float64) float64 { return x / 2 * (1 + math.Tanh(root*(x+cube*x*x*x))) }, func(x float64) float64 {
			t := math.Tanh(root * (x + cube*x*x*x))
			return (1+t)/2 + x/2*(1-t*t)*root*(1+3*cube*x*x)
		}},
		"silu": {func(x float64) float64 { return x * Sigmoid(x) }, func(x float64) float64 {
			return Sigmoid(x) + x*Sigmoid(x)*(1-Sigmoid(x))
		}},
		"tanh":    {math.Tanh, func(x float64) float64 { return 1 - math.Tanh(x)*math.Tanh(x) }},
		"sigmoid": {Sigmoid, func(x float64) float64 { return Sigmoid(x) * (1 - Sigmoid(x)) }},
	}
}

// Sigmoid is 1 / (1 + e^-x).
func Sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// SumAxis is the sum of x (outer, middle, inner) along the middle axis.
func SumAxis(x []float64, outer, middle, inner int) []float64 {
	s := make([]float64, outer*inner)
	for i, v := range x {
		s[i/(middle*inner)*inner+i%inner] += v
	}
	return s
}

// LayerNorm is layer normalisation along rows of n (Ba et al. 2016), n being gain's length,
// or with rms RMSNorm (Zhang and Sennrich 2019), whose mean is taken for 0.
func LayerNorm(x, gain, bias []float64, eps float64, rms bool) []float64 {
	n := len(gain)
	y := make([]float64, len(x))
	for r := 0; r < len(x); r += n {
		mean, square := 0.0, 0.0
		for _, v := range x[r : r+n] {
			if !rms {
				mean += v / float64(n)
			}
		}
		for _, v := range x[r : r+n] {
			square += (v - mean) * (v - mean) / float64(n)
		}
		for j, v := range x[r : r+n] {
			y[r+j] = (v - mean) / math.Sqrt(square+eps) * gain[j]
			if bias != nil {
				y[r+j] += bias[j]
			}
		}
	}
	return y
}

// LayerNormGrad is the gradient of sum(dy LayerNorm(x)) by x, gain and bias. With xhat the
// normalised row and d = dy gain, a row's gradient is rstd (d - mean(d) - xhat
// mean(d xhat)), without mean(d) for rms.
func LayerNormGrad(x, gain, dy []float64, eps float64, rms bool) (dx, dGain, dBias []float64) {
	n := len(gain)
	ones := make([]float64, n)
	for j := range ones {
		ones[j] = 1
	}
	hat := LayerNorm(x, ones, nil, eps, rms)
	dx, dGain, dBias = make([]float64, len(x)), make([]float64, n), make([]float64, n)
	for r := 0; r < len(x); r += n {
		mean, square, s, t := 0.0, 0.0, 0.0, 0.0
		for _, v := range x[r : r+n] {
			mean += v / float64(n)
			square += v * v / float64(n)
		}
		if !rms {
			square -= mean * mean
		}
		for j := range n {
			d := dy[r+j] * gain[j]
			s += d / float64(n)
			t += d * hat[r+j] / float64(n)
			dGain[j] += dy[r+j] * hat[r+j]
			dBias[j] += dy[r+j]
		}
		if rms {
			s = 0
		}
		for j := range n {
			dx[r+j] = (dy[r+j]*gain[j] - s - hat[r+j]*t) / math.Sqrt(square+eps)
		}
	}
	return dx, dGain, dBias
}

// LayerDropped says whether dropout of drop/65536 takes element i of an example away.
// The counter is (i/8, example, op, example/2^32 * 2 + 1), whose last word attention's
// counters do not have; its four words are eight numbers of 16 bits, the low half of a
// word first.
func LayerDropped(seed uint64, op uint32, example uint64, i, drop int) bool {
	c := [4]uint32{uint32(i / 8), uint32(example), op, uint32(example>>32)<<1 | 1}
	w := Philox(c, [2]uint32{uint32(seed), uint32(seed >> 32)})
	return int(w[i%8/2]>>(i%2*16)&0xffff) < drop
}

// LogSumExp is the logarithm of the sum of exponentials of each row of n.
func LogSumExp(x []float64, n int) []float64 {
	out := make([]float64, len(x)/n)
	for r := range out {
		top, sum := math.Inf(-1), 0.0
		for _, v := range x[r*n : (r+1)*n] {
			top = math.Max(top, v)
		}
		for _, v := range x[r*n : (r+1)*n] {
			sum += math.Exp(v - top)
		}
		out[r] = top + math.Log(sum)
	}
	return out
}

// LogSoftmax is x - log(sum(exp(x))) along rows of n.
func LogSoftmax(x []float64, n int) []float64 {
	y, lse := make([]float64, len(x)), LogSumExp(x, n)
	for i, v := range x {
		y[i] = v - lse[i/n]
	}
	return y
}

// SoftmaxGrad is the gradient of sum(dy softmax(x)), or with log of sum(dy
// LogSoftmax(x)), by x.
func SoftmaxGrad(x, dy []float64, n int, log bool) []float64 {
	dx, y := make([]float64, len(x)), LogSoftmax(x, n)
	for r := 0; r < len(x); r += n {
		sum := 0.0
		for j := r; j < r+n; j++ {
			if log {
				sum += dy[j]
			} else {
				sum += dy[j] * math.Exp(y[j])
			}
		}
		for j := r; j < r+n; j++ {
			if dx[j] = math.Exp(y[j]) * (dy[j] - sum); log {
				dx[j] = dy[j] - math.Exp(y[j])*sum
			}
		}
	}
	return dx
}

// CrossEntropy is, for each row of n, -sum(target log softmax(x)), and its gradient by x.
func CrossEntropy(x, targets []float64, n int) (loss, dx []float64) {
	y := LogSoftmax(x, n)
	loss, dx = make([]float64, len(x)/n), make([]float64, len(x))
	for r := range loss {
		total := 0.0
		for j := r * n; j < (r+1)*n; j++ {
			loss[r] -= targets[j] * y[j]
			total += targets[j]
		}
		for j := r * n; j < (r+1)*n; j++ {
			dx[j] = math.Exp(y[j])*total - targets[j]
		}
	}
	return loss, dx
}

// Loss is a loss of a value and its target by name, and its derivative by the value:
// "mse" the square of the difference, "bce" the cross-entropy of sigmoid(x) and t,
// "huber" Huber's (1964).
func Loss(name string, x, t, delta float64) (value, slope float64) {
	d := x - t
	switch {
	case name == "bce":
		return math.Max(x, 0) - x*t + math.Log1p(math.Exp(-math.Abs(x))), Sigmoid(x) - t
	case name == "huber" && math.Abs(d) > delta:
		return delta * (math.Abs(d) - delta/2), math.Copysign(delta, d)
	case name == "huber":
		return d * d / 2, d
	}
	return d * d, 2 * d
}
