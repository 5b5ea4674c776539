package gpu

import (
	"fmt"
	"strings"

	"attune/gpu/mem"
)

// String says in one line what the optimizer is and has done, not what its state
// holds: "adam, rate 0.001, step 30, state of 4 tensors, 262144 bytes".
func (o *Training) String() string {
	_ = o.look()
	name := "optimizer without a rule (its New function makes one that steps)"
	if o.rule != nil {
		name = o.rule.name()
	}
	if a, ok := o.rule.(*Adam); ok && a.Decay > 0 {
		name = fmt.Sprintf("adamw, decay %g", a.Decay)
	}
	parts := []string{name, fmt.Sprintf("rate %.6g", o.Rate()), fmt.Sprintf("step %d", o.steps)}
	if o.skipped > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", o.skipped))
	}
	if o.Clip > 0 {
		parts = append(parts, fmt.Sprintf("clipped at %g", o.Clip))
	}
	if o.Scale != nil {
		parts = append(parts, fmt.Sprintf("scale %g", o.Scale.Value()))
	}
	bytes, tensors := int64(0), o.Tensors()
	for _, t := range tensors {
		bytes += t.Bytes()
	}
	if len(tensors) > 0 {
		parts = append(parts, fmt.Sprintf("state of %s, %s", plural(len(tensors), "tensor", "tensors"), mem.Bytes(bytes)))
	}
	return strings.Join(parts, ", ")
}

// String says in one line what a scale is now and how it changes.
func (s *LossScale) String() string {
	said := fmt.Sprintf("loss scale %g", s.Value())
	if s.Growth > 0 && s.Growth != 1 {
		said += fmt.Sprintf(", times %g after %s without Inf and NaN (%d so far)", s.Growth, plural(s.Interval, "step", "steps"), s.good)
	}
	if s.Backoff > 0 && s.Backoff != 1 {
		said += fmt.Sprintf(", times %g after a step that had one", s.Backoff)
	}
	return said
}

// String says in one line where a plateau stands.
func (p *Plateau) String() string {
	said := fmt.Sprintf("plateau: factor %.6g, times %g after more than %s in a row that are not better by %g", p.At(0), p.Factor,
		plural(p.Patience, "loss", "losses"), p.Threshold)
	if p.best <= 1e308 {
		said += fmt.Sprintf("; best %.6g, %d since", p.best, p.bad)
	}
	return said
}
