package gpu

import (
	"fmt"
	"math"
)

// setting is a constant of an optimizer with what it may be: at least 0, and less than
// below, which is 0 where there is no bound.
type setting struct {
	name         string
	value, below float64
}

// settings are those of one optimizer, the last of them without a name.
type settings [5]setting

func (o *SGD) settings() settings {
	return settings{{"Momentum", o.Momentum, 0}, {"Decay", o.Decay, 0}}
}

func (o *Adam) settings() settings {
	return settings{{"Beta1", o.Beta1, 1}, {"Beta2", o.Beta2, 1}, {"Eps", o.Eps, 0}, {"Decay", o.Decay, 0}, {"L2", o.L2, 0}}
}

func (o *Adagrad) settings() settings {
	return settings{{"LRDecay", o.LRDecay, 0}, {"Eps", o.Eps, 0}, {"Decay", o.Decay, 0}}
}

func (o *RMSprop) settings() settings {
	return settings{{"Alpha", o.Alpha, 0}, {"Eps", o.Eps, 0}, {"Decay", o.Decay, 0}, {"Momentum", o.Momentum, 0}}
}

func (o *LARS) settings() settings {
	return settings{{"Trust", o.Trust, 0}, {"Momentum", o.Momentum, 0}, {"Decay", o.Decay, 0}}
}

func (o *LAMB) settings() settings {
	return settings{{"Beta1", o.Beta1, 1}, {"Beta2", o.Beta2, 1}, {"Eps", o.Eps, 0}, {"Decay", o.Decay, 0}}
}

// sound is an error where a constant would make parameters NaN or climb instead of
// descend, as PyTorch's optimizers have it.
func (o *Training) sound() error {
	if err := (setting{"LR", o.LR, 0}).sound(); err != nil {
		return err
	}
	for _, s := range o.rule.settings() {
		if err := s.sound(); err != nil {
			return err
		}
	}
	if math.IsNaN(o.Clip) {
		return fmt.Errorf("%s is NaN: want a norm, or 0 for none", "Clip")
	}
	return nil
}

// soundFactors is an error where the rate of its own of a parameter with a gradient is none.
func (o *Training) soundFactors(params, grads []*Tensor) error {
	for i, p := range params {
		if f := o.Factor(p); grads[i] != nil && (!(f >= 0) || math.IsInf(f, 0)) {
			return fmt.Errorf("parameter %d, %s: the factor of its rate is %g: want a number of at least 0", i, p, f)
		}
	}
	return nil
}

func (s setting) sound() error {
	if s.value >= 0 && !math.IsInf(s.value, 0) && (s.below == 0 || s.value < s.below) {
		return nil
	}
	bound := ""
	if s.below > 0 {
		bound = fmt.Sprintf(" and below %g", s.below)
	}
	return fmt.Errorf("%s is %g: want a number of at least 0%s", s.name, s.value, bound)
}
