package gpu

import "attune/gpu/host"

// SGD is gradient descent with momentum (Sutskever et al. 2013, section 2), in
// PyTorch's form: the learning rate multiplies the whole velocity. Decay is L2
// regularisation, added to the gradient.
type SGD struct {
	Training
	Momentum, Decay float64
	Nesterov        bool
}

// NewSGD returns plain gradient descent.
func NewSGD(lr float64) *SGD { return with(&SGD{Training: Training{LR: lr}}) }

// Adam is the optimizer of Kingma and Ba (2015, algorithm 1). Decay is decoupled
// weight decay (AdamW, Loshchilov and Hutter 2019, algorithm 2); L2 is Decay of the
// older kind, added to the gradient.
type Adam struct {
	Training
	Beta1, Beta2, Eps, Decay, L2 float64

	moments moments
}

// NewAdam returns Adam with the paper's constants: 0.9, 0.999, 1e-8.
func NewAdam(lr float64) *Adam {
	return with(&Adam{Training: Training{LR: lr}, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8})
}

// NewAdamW returns Adam with decoupled weight decay.
func NewAdamW(lr, decay float64) *Adam {
	o := NewAdam(lr)
	o.Decay = decay
	return o
}

// Adagrad is that of Duchi et al. (2011, figure 1, diagonal). LRDecay divides the
// learning rate of step t by 1 + (t-1) LRDecay; Decay is L2 regularisation.
type Adagrad struct {
	Training
	LRDecay, Eps, Decay float64
}

// NewAdagrad returns Adagrad with PyTorch's epsilon, 1e-10.
func NewAdagrad(lr float64) *Adagrad { return with(&Adagrad{Training: Training{LR: lr}, Eps: 1e-10}) }

// RMSprop is that of Tieleman and Hinton (2012, lecture 6.5), with momentum, and
// Centered as in Graves (2013, section 4.2). Decay is L2 regularisation.
type RMSprop struct {
	Training
	Alpha, Eps, Decay, Momentum float64
	Centered                    bool
}

// NewRMSprop returns RMSprop with PyTorch's constants: 0.99, 1e-8.
func NewRMSprop(lr float64) *RMSprop {
	return with(&RMSprop{Training: Training{LR: lr}, Alpha: 0.99, Eps: 1e-8})
}

// LARS is that of You, Gitman and Ginsburg (2017, arXiv 1708.03888, algorithm 1):
// momentum with a rate of each tensor's own, LR Trust |w| / (|g| + Decay |w|). It
// is LR where a norm is 0.
type LARS struct {
	Training
	Trust, Momentum, Decay float64
}

// NewLARS returns LARS with the paper's trust coefficient and momentum: 0.001, 0.9.
func NewLARS(lr float64) *LARS {
	return with(&LARS{Training: Training{LR: lr}, Trust: 0.001, Momentum: 0.9})
}

// LAMB is that of You et al. (2020, arXiv 1904.00962, algorithm 2), phi being the
// identity: Adam's step and Decay times the parameter, scaled to the parameter's
// norm, unscaled where a norm is 0.
type LAMB struct {
	Training
	Beta1, Beta2, Eps, Decay float64

	moments moments
}

// NewLAMB returns LAMB with the paper's constants: 0.9, 0.999, 1e-6, and 0.01 for
// Decay.
func NewLAMB(lr float64) *LAMB {
	return with(&LAMB{Training: Training{LR: lr}, Beta1: 0.9, Beta2: 0.999, Eps: 1e-6, Decay: 0.01})
}

// with makes an optimizer the rule of its own Training.
func with[T interface {
	rule
	training() *Training
}](o T) T {
	o.training().rule = o
	return o
}

func (o *Training) training() *Training { return o }

func (*SGD) name() string     { return "sgd" }
func (*Adam) name() string    { return "adam" }
func (*Adagrad) name() string { return "adagrad" }
func (*RMSprop) name() string { return "rmsprop" }
func (*LARS) name() string    { return "lars" }
func (*LAMB) name() string    { return "lamb" }

func (*SGD) stateNames() []string     { return []string{"velocity"} }
func (*Adam) stateNames() []string    { return []string{"mean", "square"} }
func (*Adagrad) stateNames() []string { return []string{"sum"} }
func (*RMSprop) stateNames() []string { return []string{"square", "velocity", "mean"} }
func (*LARS) stateNames() []string    { return []string{"velocity"} }
func (*LAMB) stateNames() []string    { return []string{"mean", "square"} }

func (o *SGD) kind() host.Kind {
	switch {
	case o.Momentum == 0:
		return host.SGDPlain
	case o.Nesterov:
		return host.SGDNesterov
	}
	return host.SGDMomentum
}

func (o *SGD) factors(_ int, lr float64) host.Factors {
	return host.Factors{Decay: float32(o.Decay), Rate: float32(lr), Momentum: float32(o.Momentum)}
}

func (*Adam) kind() host.Kind { return host.Adam }

func (o *Adam) factors(t int, lr float64) host.Factors {
	f, held := o.moments.factors(t, o.Beta1, o.Beta2, o.Eps)
	f.Decay, f.Shrink = float32(o.L2), float32(lr*o.Decay)
	f.Rate = float32(lr / held)
	return f
}

// moments are the powers of Adam's two constants. A step whose gradients decide about it
// asks again for those of the steps before.
type moments struct{ one, two powers }

// factors are those of the running means at step t, and what the first mean holds then of
// the gradients' weights.
func (m *moments) factors(t int, beta1, beta2, eps float64) (f host.Factors, held float64) {
	held = 1 - m.one.power(beta1, t)
	return host.Factors{
		Mean: float32(1 - beta1), Square: float32(1 - beta2), Eps: float32(eps),
		Correct1: float32(1 / held), Correct2: float32(1 / (1 - m.two.power(beta2, t))),
	}, held
}

// powers are those of a number that were asked for last.
type powers struct {
	base float64
	at   [2 * ahead]int
	of   [2 * ahead]float64
}

// power is base to the power of t, which is at least 1. It squares as math.Pow does, which
// takes several times as long, for exponents that are not whole.
func (p *powers) power(base float64, t int) float64 {
	if p.base != base {
		*p = powers{base: base}
	}
	i := t % len(p.at)
	if p.at[i] != t {
		x := 1.0
		for square, n := base, t; n > 0; n >>= 1 {
			if n&1 != 0 {
				x *= square
			}
			square *= square
		}
		p.at[i], p.of[i] = t, x
	}
	return p.of[i]
}

func (*Adagrad) kind() host.Kind { return host.Adagrad }

func (o *Adagrad) factors(t int, lr float64) host.Factors {
	return host.Factors{Decay: float32(o.Decay), Rate: float32(lr / (1 + float64(t-1)*o.LRDecay)), Eps: float32(o.Eps)}
}

func (o *RMSprop) kind() host.Kind {
	switch {
	case o.Centered && o.Momentum != 0:
		return host.RMSpropCenteredMomentum
	case o.Centered:
		return host.RMSpropCentered
	case o.Momentum != 0:
		return host.RMSpropMomentum
	}
	return host.RMSprop
}

func (o *RMSprop) factors(_ int, lr float64) host.Factors {
	return host.Factors{
		Decay: float32(o.Decay), Rate: float32(lr), Momentum: float32(o.Momentum), Square: float32(1 - o.Alpha), Eps: float32(o.Eps),
	}
}

func (*LARS) kind() host.Kind { return host.LARS }

func (o *LARS) factors(_ int, lr float64) host.Factors {
	return host.Factors{Decay: float32(o.Decay), Rate: float32(lr), Momentum: float32(o.Momentum)}
}

func (o *LARS) trust() host.Trust { return host.Trust{Trust: o.Trust, Decay: o.Decay} }

func (*LAMB) kind() host.Kind { return host.LAMBApply }

func (o *LAMB) factors(t int, lr float64) host.Factors {
	f, _ := o.moments.factors(t, o.Beta1, o.Beta2, o.Eps)
	f.Shrink, f.Rate = float32(o.Decay), float32(lr)
	return f
}

func (*LAMB) trust() host.Trust { return host.Trust{Trust: 1} }
