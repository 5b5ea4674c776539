package gpu

import (
	"fmt"
	"strings"
)

// String says in one line what the optimizer is and has done, not what its state
// holds: "adam, rate 0.001, step 30, state of 4 tensors, 0.25 MiB".
func (o *Training) String() string {
	o.look()
	name := "optimizer without a rule"
	if o.rule != nil {
		name = o.rule.name()
	}
	parts := []string{name, fmt.Sprintf("rate %.6g", o.Rate()), fmt.Sprintf("step %d", o.steps)}
	if o.skipped > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", o.skipped))
	}
	if o.Clip > 0 {
		parts = append(parts, fmt.Sprintf("clipped at %g", o.Clip))
	}
	bytes, tensors := int64(0), o.Tensors()
	for _, t := range tensors {
		bytes += t.Bytes()
	}
	if len(tensors) > 0 {
		parts = append(parts, fmt.Sprintf("state of %d tensors, %.2f MiB", len(tensors), float64(bytes)/(1<<20)))
	}
	return strings.Join(parts, ", ")
}
