package balance

import (
	"fmt"
	"strings"

	"attune/gpu"
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
	for c := range changes {
		action, cause, is := p.says(c, a.batch, a.layer)
		if !is {
			continue
		}
		if c == changesMicro && a.normalised() {
			cause = "allowed, though batch normalisation sees one pass at a time"
		}
		now.take(c, p)
		after, err := a.price(&now)
		if err != nil {
			return fmt.Errorf("explain the plan: %w", err)
		}
		d := Decision{Action: action, Cause: cause, Before: before.Peak, After: after.Peak}
		if before.Time > 0 && (c != changesPrecision || a.timed()) { // operations say nothing of halves
			d.Slower = after.Time / before.Time
		}
		p.Why = append(p.Why, d)
		before = after
	}
	return nil
}

// change is one thing that a plan may change, in the order of Plan.Why.
type change int

const (
	changesMicro change = iota
	changesCuts
	changesPrecision
	changesFreeze
	changesPrune
	changesBatch
	changes // their number
)

// take makes one change of a plan p also that of now.
func (now *Plan) take(c change, p *Plan) {
	switch c {
	case changesMicro:
		now.Micro = p.Micro
	case changesCuts:
		now.Cuts = p.Cuts
	case changesPrecision:
		now.Precision = p.Precision
	case changesFreeze:
		now.Freeze = p.Freeze
	case changesPrune:
		now.Prune = p.Prune
	case changesBatch:
		now.Batch, now.Micro, now.LRScale = p.Batch, p.Micro, p.LRScale
	}
}

// says is a change in words, of batches of that many examples and layers of those
// names, and whether the plan makes it.
func (p *Plan) says(c change, batch int, layer func(i int) string) (action, cause string, is bool) {
	switch c {
	case changesMicro:
		size := batch
		if p.Batch > 0 {
			size = p.Batch
		}
		n := p.Accumulation(size)
		return fmt.Sprintf("%d passes of up to %d examples", n, p.Micro), "their gradients add up to those of the whole batch", n > 1
	case changesCuts:
		return "compute layers twice: " + cutsText(p.Cuts, layer), "what they give is computed again when the gradient needs it, and not kept", p.Cuts != nil
	case changesPrecision:
		return "compute in " + p.Precision.String(), p.rounding(), p.Precision != gpu.Float32
	case changesFreeze:
		return "freeze " + strings.Join(p.Freeze, ", "), "no gradient and no optimizer state for them; they no longer learn", p.Freeze != nil
	case changesPrune:
		return "prune " + pruneText(p.Prune), "gone from memory and arithmetic; the model is another one", p.Prune != nil
	case changesBatch:
		rate := ""
		if p.LRScale > 0 {
			rate = fmt.Sprintf(", learning rate x %.3g", p.LRScale)
		}
		why := "nothing else fits; updates are noisier"
		if p.Batch > batch {
			why = "updates are fewer and less noisy"
		}
		return fmt.Sprintf("%d examples an update in place of %d%s", p.Batch, batch, rate), why, p.Batch > 0 && p.Batch != batch
	}
	return "", "", false
}

// rounding is what half precision does, in words.
func (p *Plan) rounding() string {
	cause := "values and their gradients take half the bytes; each is rounded, which changes the optimisation slightly; weights and what they learn from stay f32"
	if p.Precision == gpu.Float16 {
		cause += ", under a loss scale"
	}
	return cause
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
