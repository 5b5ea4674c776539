package balance

import (
	"fmt"
	"strings"

	"attune/gpu"
	"attune/stdlib/balance/search"
)

// explain fills p.Why: from the step as the model asks for it, one decision after
// the other, priced each, until the plan is reached. What leaves the optimisation
// as it is comes first.
func (a *allocator) explain(p *Plan) error {
	p.Why = nil
	now := Plan{Batch: a.batch, Micro: a.batch}
	before, err := a.price(&now)
	if err != nil {
		return fmt.Errorf("explain the plan: %w", err)
	}
	step := func(changed bool, change func(), action, cause string) {
		if !changed || err != nil {
			return
		}
		change()
		var after search.Price
		if after, err = a.price(&now); err != nil {
			return
		}
		d := Decision{Action: action, Cause: cause, Before: before.Peak, After: after.Peak}
		if before.Time > 0 {
			d.Slower = after.Time / before.Time
		}
		p.Why = append(p.Why, d)
		before = after
	}
	passes := p.Accumulation(p.Batch)
	why := "their gradients add up to those of the whole batch"
	if a.normalised() {
		why = "allowed, though batch normalisation sees one pass at a time"
	}
	micro := p.Micro
	step(passes > 1, func() { now.Micro = micro }, fmt.Sprintf("%d passes of up to %d examples", passes, micro), why)
	step(p.Cuts != nil, func() { now.Cuts = p.Cuts }, "compute layers twice: "+cutsText(p.Cuts, a.layer), "what they give is computed again when the gradient needs it, and not kept")
	step(p.Precision != gpu.Float32, func() { now.Precision = p.Precision }, "compute in "+p.Precision.String(), "half the bytes a value; rounds more, the master weights stay f32")
	step(p.Freeze != nil, func() { now.Freeze = p.Freeze }, "freeze "+strings.Join(p.Freeze, ", "), "no gradient and no optimizer state for them; they no longer learn")
	step(p.Prune != nil, func() { now.Prune = p.Prune }, "prune "+pruneText(p.Prune), "gone from memory and arithmetic; the model is another one")
	step(p.Batch != a.batch, func() { now.Batch, now.Micro, now.LRScale = p.Batch, micro, p.LRScale }, fmt.Sprintf("%d examples an update in place of %d, learning rate x %.3g", p.Batch, a.batch, p.LRScale), "nothing else fits; updates are noisier")
	if err != nil {
		return fmt.Errorf("explain the plan: %w", err)
	}
	return nil
}

// cutsText names the layers at which what is stored begins: "from conv1, from fc".
func cutsText(cuts []int, names func(layer int) string) string {
	if len(cuts) == 0 {
		return "the whole model"
	}
	var parts []string
	for _, k := range cuts {
		parts = append(parts, names(k))
	}
	return "keep only what goes into " + strings.Join(parts, ", ")
}

func pruneText(all []Prune) string {
	var parts []string
	for _, p := range all {
		parts = append(parts, fmt.Sprintf("%s to %d %s", p.Layer, len(p.Keep), p.Part))
	}
	return strings.Join(parts, ", ")
}
