package balance

import (
	"errors"
	"math"

	"attune/stdlib/data"
)

// follow has the task trained as the trainer's plan says, and returns the way back: it
// takes cuts and precision away, and leaves what is frozen and pruned. What a plan changes is
// logged the first time.
func (r *Trainer) follow() (undo func(), err error) {
	undo = func() {}
	p := r.Plan
	if p == nil {
		return undo, nil
	}
	precision, err := p.precision(r.Task)
	if err != nil {
		return undo, err
	}
	computed := r.Net.Precision
	undo = func() { r.Net.Precision = computed }
	r.Net.Precision = precision
	if p.Cuts != nil {
		if r.Model == nil {
			return undo, errors.New("the plan cuts the model, and Task.Model is not set")
		}
		had := r.Model.Cuts
		undo = func() { r.Net.Precision, r.Model.Cuts = computed, had }
		r.Model.Cuts = p.Cuts
	}
	frozen, err := p.freeze(r.Task)
	if err != nil {
		return undo, err
	}
	pruned, err := p.prune(r.Task)
	if err != nil {
		return undo, err
	}
	if pruned.Counted > 0 { // the best weights so far are those of another model
		r.state.best, r.state.Bad, r.state.Best = nil, 0, math.Inf(1)
	}
	if r.followed != p {
		r.followed = p
		r.planned(map[change]given{changesFreeze: frozen, changesPrune: pruned})
	}
	return undo, nil
}

// planned logs what the plan changes from here on. How a batch is cut into parts is
// logged where it happens.
func (r *Trainer) planned(gave map[change]given) {
	layer := func(i int) string {
		if i >= len(r.Model.Layers) {
			return "what follows " + r.Model.Name
		}
		return r.Model.LayerName(i)
	}
	from := len(r.Log.Actions)
	for c := changesCuts; c < changes; c++ {
		action, cause, is := r.Plan.says(c, r.dealt, layer)
		if !is {
			continue
		}
		a := Action{Step: r.state.Step + 1, What: action, Cause: "the plan: " + cause, Frees: gave[c].Predicted, Freed: gave[c].Counted}
		for _, d := range r.Plan.Why {
			if d.Action == action {
				a.PeakBefore, a.Predicted = d.Before, d.After
			}
		}
		r.took(a)
	}
	r.state.Planned = awaited{from, len(r.Log.Actions), r.state.Step + 1}
}

// awaited are the actions, From to To-1, whose effect shows once Step steps are done:
// the first one makes the optimizer's state and is not like the others.
type awaited struct{ From, To, Step int }

// settled completes the plan's actions by a step that was done.
func (r *Trainer) settled(b *data.Batch) {
	a := &r.state.Planned
	if a.To <= a.From || r.state.Step < a.Step || b.Len() < r.watch.batch || a.To > len(r.Log.Actions) {
		return
	}
	last := &r.Log.Actions[a.To-1]
	if last.Predicted == 0 {
		last.Predicted = r.watch.predicted
	}
	last.Peak, last.Time = r.watch.last, r.watch.time
	*a = awaited{}
}
