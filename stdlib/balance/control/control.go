// Package control owns the rules by which a running training is adapted to the
// memory that it has: policies, pure functions of what a monitor saw, in steps
// instead of seconds. It imports the standard library only, so that a rule can be
// tried on ten thousand simulated steps before it steers one real one.
//
// What a policy chooses is the number of parts that a batch is cut into: the
// gradients of the parts are added up, so the step stays the same and only its
// memory and its time change.
package control

import (
	"encoding/json"
	"fmt"
)

// Signal is what the monitor saw before a step. All memory is in bytes.
type Signal struct {
	// Batch is the number of examples of the coming step, Parts into how many parts
	// the step before was cut; 0 before the first.
	Batch, Parts int
	// Budget is the most that the step may hold at its peak. The training's own memory
	// is part of it, so it does not move with what the policy chooses.
	Budget int64
	// Used is the peak of the step before; 0 before the first.
	Used int64
	// Failed says that the step before ran out of memory and is to be done again.
	Failed bool
	// Peak is the predicted peak of the coming step in micro-batches of so many
	// examples; nil where nothing predicts.
	Peak func(micro int) int64
}

// Micro is the size of the largest of so many even parts of the batch.
func (s Signal) Micro(parts int) int { return (s.Batch + parts - 1) / max(parts, 1) }

// peak is the predicted peak in so many parts; 0 where nothing predicts.
func (s Signal) peak(parts int) int64 {
	if s.Peak == nil {
		return 0
	}
	return s.Peak(s.Micro(parts))
}

// Choice is what a policy wants: the number of parts, in 1..Batch, and why.
type Choice struct {
	Parts int
	// Cause is empty where nothing changes.
	Cause string
	// Predicted is the peak of the coming step, 0 where nothing predicts.
	Predicted int64
	// Infeasible says that not even single examples fit the budget.
	Infeasible bool
}

// Policy decides before each step. It may remember, and serves one training.
type Policy interface {
	Name() string
	Decide(s Signal) Choice
}

// choose completes a choice: bounds it and asks for its peak.
func choose(s Signal, parts int, cause string) Choice {
	parts = min(max(parts, 1), max(s.Batch, 1))
	if parts == s.Parts && !s.Failed {
		cause = ""
	}
	return Choice{Parts: parts, Cause: cause, Predicted: s.peak(parts)}
}

// Threshold is the seed document's own rule: cut the batch when the share of memory
// in use passes a threshold. Its text has no way back up; here the parts are halved
// again below the threshold, the plain reading of "adjusts dynamically". With
// neither hysteresis nor cooldown it chatters, and that is what it is here to show.
type Threshold struct {
	// Share is the threshold, 0.8 when 0.
	Share float64
}

// Name is "threshold".
func (*Threshold) Name() string { return "threshold" }

// Decide doubles the parts above the threshold and halves them below it.
func (p *Threshold) Decide(s Signal) Choice {
	share := p.Share
	if share == 0 {
		share = 0.8
	}
	limit := int64(share * float64(s.Budget))
	switch {
	case s.Parts == 0:
		return choose(s, 1, "first step")
	case s.Failed:
		return choose(s, 2*s.Parts, "out of memory")
	case s.Used > limit:
		return choose(s, 2*s.Parts, fmt.Sprintf("%.0f %% of the budget in use", percent(s.Used, s.Budget)))
	}
	return choose(s, (s.Parts+1)/2, fmt.Sprintf("%.0f %% of the budget in use", percent(s.Used, s.Budget)))
}

func percent(part, whole int64) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

// AIMD adds and divides (additive increase, multiplicative decrease; Chiu and Jain
// 1989), as Clipper does with batches: after Every good steps the micro-batch grows by
// one example, and when memory runs short it is halved. It needs no prediction and
// finds the limit by running into it again and again.
type AIMD struct {
	// Every is the number of good steps before an increase, 8 when 0.
	Every int

	saw
}

// saw is what the rule remembers. It is exported to JSON alone.
type saw struct{ Micro, Good int }

// MarshalJSON is what the policy remembers, for a training that is saved.
func (p *AIMD) MarshalJSON() ([]byte, error) { return json.Marshal(p.saw) }

// UnmarshalJSON takes it up again.
func (p *AIMD) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &p.saw) }

// Name is "AIMD".
func (*AIMD) Name() string { return "AIMD" }

// Decide is one step of the rule.
func (p *AIMD) Decide(s Signal) Choice {
	every := p.Every
	if every == 0 {
		every = 8
	}
	cause := ""
	switch {
	case s.Parts == 0:
		p.Micro, cause = s.Batch, "first step"
	case s.Failed || s.Used > s.Budget:
		p.Micro, p.Good, cause = max(p.Micro/2, 1), 0, "out of memory"
	default:
		if p.Good++; p.Good >= every && p.Micro < s.Batch {
			p.Micro, p.Good, cause = p.Micro+1, 0, fmt.Sprintf("%d good steps", every)
		}
	}
	return choose(s, (s.Batch+p.Micro-1)/max(p.Micro, 1), cause)
}
