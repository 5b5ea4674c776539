package balance

import (
	"errors"

	"attune/gpu"
)

// foresee rehearses the training on a device of shapes, as it stands now.
func (r *Trainer) foresee() (*rehearsal, error) {
	task := r.Task
	if _, err := gpu.Fresh(task.Optimizer); err != nil { // not attune's: its passes alone
		task.Optimizer = nil
	}
	f, err := onShapes(task, &Plan{}, true)
	if err != nil {
		return nil, err
	}
	if err := f.warm(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// stepped takes in that a step was done: the optimizer has made what state it lacked.
func (p *peaks) stepped() {
	if p.rehearsal == nil || !p.rehearsal.cold {
		return
	}
	clear(p.known)
	if p.rehearsal.cold = false; p.rehearsal.warm() != nil {
		p.rehearsal = nil
	}
}
