package host

import "math"

// The constants of gelu's tanh form.
const (
	geluRoot = 0.7978845608028654 // sqrt(2/pi)
	geluCube = 0.044715
)

func sigmoid(x float32) float32 { return 1 / (1 + exp(-x)) }

// gate is sigmoid(2u), which is (1 + tanh u)/2, u = geluRoot (x + geluCube x^3).
func gate(x float32) float32 { return sigmoid(2 * geluRoot * x * (1 + geluCube*x*x)) }

func geluSlope(x float32) float32 {
	s := gate(x)
	return s + x*s*(1-s)*2*geluRoot*(1+3*geluCube*x*x)
}

func siluSlope(x float32) float32 {
	s := sigmoid(x)
	return s + x*s*(1-s)
}

func (portable) each(op Op, y, a, b []float32, s float32) {
	set := func(f func(a float32) float32) {
		for i, v := range a {
			y[i] = f(v)
		}
	}
	grad := func(slope func(a float32) float32) {
		for i, v := range a {
			y[i] += b[i] * slope(v)
		}
	}
	switch op {
	case OpFill:
		for i := range y {
			y[i] = s
		}
	case OpScale:
		for i, v := range a {
			y[i] = s * v
		}
	case OpAddScaled:
		axpy(y, s, a)
	case OpMul:
		for i, v := range a {
			y[i] = v * b[i]
		}
	case OpAddMul:
		for i, v := range a {
			y[i] += v * b[i]
		}
	case OpReLU:
		set(func(x float32) float32 {
			if x < 0 {
				return 0
			}
			return x
		})
	case OpReLUGrad:
		for i, v := range a {
			if v > 0 {
				y[i] += b[i]
			}
		}
	case OpGELU:
		set(func(x float32) float32 { return x * gate(x) })
	case OpGELUGrad:
		grad(geluSlope)
	case OpSiLU:
		set(func(x float32) float32 { return x * sigmoid(x) })
	case OpSiLUGrad:
		grad(siluSlope)
	case OpTanh:
		set(func(x float32) float32 { return float32(math.Tanh(float64(x))) })
	case OpTanhGrad:
		grad(func(y float32) float32 { return 1 - y*y })
	case OpSigmoid:
		set(sigmoid)
	case OpSigmoidGrad:
		grad(func(y float32) float32 { return y * (1 - y) })
	}
}
