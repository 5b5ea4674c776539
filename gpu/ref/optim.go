package ref

import "math"

// The optimizers below change the parameters x of one tensor by their gradients g
// at step t, from 1. State slices have x's length and begin as zeros. Decay is L2
// regularisation, Decay times x added to the gradient, where nothing else is said.

// SGD is gradient descent with momentum (Sutskever et al. 2013, section 2; in the
// form that the learning rate multiplies the whole velocity).
type SGD struct {
	LR, Momentum, Decay float64
	Nesterov            bool
}

// Step needs one state, the velocity.
func (o SGD) Step(_ int, x, g, velocity []float64) {
	for i := range x {
		d := g[i] + o.Decay*x[i]
		velocity[i] = o.Momentum*velocity[i] + d
		if o.Nesterov {
			d += o.Momentum * velocity[i]
		} else {
			d = velocity[i]
		}
		x[i] -= o.LR * d
	}
}

// Adam is Kingma and Ba 2015, algorithm 1. With Decoupled, Decay is taken off the
// parameter itself: AdamW (Loshchilov and Hutter 2019, algorithm 2).
type Adam struct {
	LR, Beta1, Beta2, Eps, Decay float64
	Decoupled                    bool
}

// Step needs two states: the running means of g and of its square.
func (o Adam) Step(t int, x, g, m, v []float64) {
	c1 := 1 - math.Pow(o.Beta1, float64(t))
	c2 := 1 - math.Pow(o.Beta2, float64(t))
	for i := range x {
		d := g[i]
		if o.Decoupled {
			x[i] -= o.LR * o.Decay * x[i]
		} else {
			d += o.Decay * x[i]
		}
		m[i] = o.Beta1*m[i] + (1-o.Beta1)*d
		v[i] = o.Beta2*v[i] + (1-o.Beta2)*d*d
		x[i] -= o.LR * (m[i] / c1) / (math.Sqrt(v[i]/c2) + o.Eps)
	}
}

// Adagrad is Duchi et al. 2011, figure 1, diagonal. LRDecay divides the learning
// rate by 1 + (t-1) LRDecay.
type Adagrad struct{ LR, LRDecay, Eps, Decay float64 }

// Step needs one state, the sum of the squares.
func (o Adagrad) Step(t int, x, g, sum []float64) {
	lr := o.LR / (1 + float64(t-1)*o.LRDecay)
	for i := range x {
		d := g[i] + o.Decay*x[i]
		sum[i] += d * d
		x[i] -= lr * d / (math.Sqrt(sum[i]) + o.Eps)
	}
}

// RMSprop is Tieleman and Hinton 2012 (lecture 6.5); Centered divides by the
// deviation, not the root mean square (Graves 2013, section 4.2).
type RMSprop struct {
	LR, Alpha, Eps, Decay, Momentum float64
	Centered                        bool
}

// Step needs three states: the running mean of the square, the velocity, and the
// running mean of g.
func (o RMSprop) Step(_ int, x, g, square, velocity, mean []float64) {
	for i := range x {
		d := g[i] + o.Decay*x[i]
		square[i] = o.Alpha*square[i] + (1-o.Alpha)*d*d
		variance := square[i]
		if o.Centered {
			mean[i] = o.Alpha*mean[i] + (1-o.Alpha)*d
			variance -= mean[i] * mean[i]
		}
		velocity[i] = o.Momentum*velocity[i] + d/(math.Sqrt(variance)+o.Eps)
		x[i] -= o.LR * velocity[i]
	}
}

// LARS is You, Gitman and Ginsburg 2017 (arXiv 1708.03888), algorithm 1, with
// their names: gamma is LR, eta Trust, beta Decay, m Momentum. The paper leaves
// open what happens to a tensor of zeros or with a gradient of zeros: its local
// rate is 1 then.
type LARS struct{ LR, Trust, Momentum, Decay float64 }

// Step needs one state, v of the paper.
func (o LARS) Step(_ int, w, g, v []float64) {
	normW, normG := Norm(w), Norm(g)
	local := 1.0
	if normW > 0 && normG > 0 {
		local = o.Trust * normW / (normG + o.Decay*normW)
	}
	for i := range w {
		v[i] = o.Momentum*v[i] + o.LR*local*(g[i]+o.Decay*w[i])
		w[i] -= v[i]
	}
}

// LAMB is You et al. 2020 (arXiv 1904.00962), algorithm 2, phi being the
// identity; lambda is Decay. As above the ratio is 1 where a norm is 0.
type LAMB struct{ LR, Beta1, Beta2, Eps, Decay float64 }

// Step needs two states: the running means of g and of its square.
func (o LAMB) Step(t int, x, g, m, v []float64) {
	c1 := 1 - math.Pow(o.Beta1, float64(t))
	c2 := 1 - math.Pow(o.Beta2, float64(t))
	update := make([]float64, len(x)) // r_t + lambda x_t
	for i := range x {
		m[i] = o.Beta1*m[i] + (1-o.Beta1)*g[i]
		v[i] = o.Beta2*v[i] + (1-o.Beta2)*g[i]*g[i]
		update[i] = (m[i]/c1)/(math.Sqrt(v[i]/c2)+o.Eps) + o.Decay*x[i]
	}
	ratio := 1.0
	if normX, normU := Norm(x), Norm(update); normX > 0 && normU > 0 {
		ratio = normX / normU
	}
	for i := range x {
		x[i] -= o.LR * ratio * update[i]
	}
}

// Norm is the Euclidean norm.
func Norm(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v * v
	}
	return math.Sqrt(s)
}

// ClipFactor is what all gradients are multiplied with so that their global norm
// is at most limit (Pascanu et al. 2013, algorithm 1; the 1e-6 is PyTorch's).
func ClipFactor(limit, norm float64) float64 { return math.Min(1, limit/(norm+1e-6)) }
