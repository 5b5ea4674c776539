package gpu

import "fmt"

// Fresh returns an optimizer with o's settings and no state, as o was before its first
// step: to see what a step will do without doing it.
func Fresh(o Optimizer) (Optimizer, error) {
	switch o := o.(type) {
	case *SGD:
		c := *o
		return fresh(&c), nil
	case *Adam:
		c := *o
		return fresh(&c), nil
	case *Adagrad:
		c := *o
		return fresh(&c), nil
	case *RMSprop:
		c := *o
		return fresh(&c), nil
	case *LARS:
		c := *o
		return fresh(&c), nil
	case *LAMB:
		c := *o
		return fresh(&c), nil
	}
	return nil, fmt.Errorf("copy the settings of a %T: it is none of attune's optimizers", o)
}

func fresh[T interface {
	rule
	training() *Training
}](o T) T {
	t := o.training() // a copy: the record is the other's
	t.flight, t.late, t.line = flight{}, nil, nil
	t.steps, t.skipped, t.norm, t.state, t.factors = 0, 0, 0, nil, nil
	if t.Scale != nil {
		t.Scale.Value() // brings it here from a device that another optimizer may have it on
		scale := *t.Scale
		scale.held = nil
		t.Scale = &scale
	}
	return with(o)
}
