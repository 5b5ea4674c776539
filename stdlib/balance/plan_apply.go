package balance

import (
	"fmt"

	"attune/gpu"
)

// Apply makes the task as the plan wants it: cuts, precision, frozen parameters without gradient
// and optimizer state, and pruned layers. A layer that has as many parts as the plan
// keeps is left as it is, so that a plan may be applied twice. A Trainer applies its
// Plan itself; this is for steps of your own. Batch, Micro and the learning rate are
// then yours to keep to.
func (p *Plan) Apply(task Task) error {
	precision, err := p.precision(task)
	if err != nil {
		return fmt.Errorf("apply the plan: %w", err)
	}
	task.Net.Precision = precision
	task.Net.LossScale(task.Optimizer)
	if task.Model != nil && p.Cuts != nil {
		task.Model.Cuts = p.Cuts
	}
	if _, err := p.freeze(task); err != nil {
		return fmt.Errorf("apply the plan: %w", err)
	}
	if _, err := p.prune(task); err != nil {
		return fmt.Errorf("apply the plan: %w", err)
	}
	return nil
}

// precision is what the task's net computes in under the plan.
func (p *Plan) precision(task Task) (gpu.DType, error) {
	switch p.Precision {
	case gpu.Float32:
		return task.Net.Precision, nil
	case gpu.Float16, gpu.BFloat16:
		return p.Precision, nil
	}
	return 0, fmt.Errorf("the plan computes in %s: want f16 or bf16", p.Precision)
}

// given is the bytes that a change gave back for good, as predicted and as counted.
type given struct{ Predicted, Counted int64 }

// counted completes what f gives back on the task's device.
func (task Task) counted(predicted int64, f func() error) (given, error) {
	live := task.Net.Device().Memory().Total.Live
	err := f()
	return given{predicted, live - task.Net.Device().Memory().Total.Live}, err
}

// forgetter gives the state of parameters back; gpu's optimizers do.
type forgetter interface {
	Forget(params ...*gpu.Tensor) error
}

// freeze takes parameters out of training that still are in it.
func (p *Plan) freeze(task Task) (given, error) {
	if len(p.Freeze) == 0 {
		return given{}, nil
	}
	predicted, values := int64(0), []*gpu.Tensor(nil)
	seen := map[*gpu.Tensor]bool{}
	for _, pattern := range p.Freeze {
		for _, q := range task.Net.Group(pattern) {
			if seen[q.Value] {
				continue
			}
			seen[q.Value] = true
			values = append(values, q.Value)
			if q.Grad != nil {
				predicted += q.Grad.Bytes()
			}
			if o, ok := task.Optimizer.(stater); ok {
				for _, t := range o.State(q.Value) {
					predicted += t.Bytes()
				}
			}
		}
	}
	return task.counted(predicted, func() error {
		if _, err := task.Net.Freeze(p.Freeze...); err != nil {
			return err
		}
		if o, ok := task.Optimizer.(forgetter); ok {
			return o.Forget(values...)
		}
		return nil
	})
}

// prune takes parts out that are still there.
func (p *Plan) prune(task Task) (sum given, err error) {
	for _, cut := range p.Prune {
		site, err := siteOf(task.Model, cut)
		if err != nil {
			return sum, err
		}
		if site.Of == len(cut.Keep) { // done before
			continue
		}
		frees, err := site.Frees(task.Optimizer, cut.Keep)
		if err != nil {
			return sum, err
		}
		one, err := task.counted(frees, func() error { return site.Prune(task.Optimizer, cut.Keep) })
		if err != nil {
			return sum, err
		}
		sum.Predicted, sum.Counted = sum.Predicted+one.Predicted, sum.Counted+one.Counted
	}
	return sum, nil
}
