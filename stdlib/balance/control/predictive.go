package control

import (
	"encoding/json"
	"fmt"
	"math"
)

// Predictive is the default: it takes the fewest parts whose predicted peak fits the
// budget. Before a step that would not fit it cuts at once. Back up it goes only when
// fewer parts have fitted in each of the last Hold steps, with Band to spare below
// the least budget of that time; the band is at least as wide as what the budget
// moved in that time. So an increase is taken back only when the budget falls by more
// than the band, further than it moved before: by itself, or by noise, it cannot
// cycle. RATIONALE.md has the argument.
type Predictive struct {
	// Margin is the share of the budget that stays free, 0 by default since
	// predictions are exact; Band the least hysteresis as a share of the budget, 0.05
	// when 0; Hold the cooldown in steps, 20 when 0.
	Margin, Band float64
	Hold         int

	past
}

// past is what the policy remembers. It is exported to JSON alone.
type past struct {
	Window  window
	Wait    int  // steps to look back upon now, at least Hold
	Since   int  // steps since the last change
	Grown   bool // the last change was an increase
	Floor   int  // at least so many parts after a failure that was not predicted …
	Penalty int  // … for so many steps more
	Failed  int  // failures so far
}

// MarshalJSON is what the policy remembers, for a training that is saved.
func (p *Predictive) MarshalJSON() ([]byte, error) { return json.Marshal(p.past) }

// UnmarshalJSON takes it up again.
func (p *Predictive) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &p.past) }

// Name is "predictive".
func (*Predictive) Name() string { return "predictive" }

// entry is what one step leaves behind: its budget, and the parts that it would have
// needed at least with the band to spare.
type entry struct {
	Budget int64
	Parts  int
}

// window holds the last entries, newest last.
type window []entry

func (w *window) add(e entry, size int) {
	*w = append(*w, e)
	if n := len(*w) - size; n > 0 {
		*w = append((*w)[:0], (*w)[n:]...)
	}
}

// spread is how far the budget moved within the window, and its least.
func (w window) spread() (moved, least int64) {
	least, most := int64(math.MaxInt64), int64(0)
	for _, e := range w {
		least, most = min(least, e.Budget), max(most, e.Budget)
	}
	return max(most-least, 0), least
}

// parts is the most that any step in the window needed.
func (w window) parts() int {
	most := 1
	for _, e := range w {
		most = max(most, e.Parts)
	}
	return most
}

// maxWait bounds the time without a way back up, in multiples of Hold.
const maxWait = 64

// Decide chooses the parts of the coming step.
func (p *Predictive) Decide(s Signal) Choice {
	hold, band := p.Hold, p.Band
	if hold == 0 {
		hold = 20
	}
	if band == 0 {
		band = 0.05
	}
	p.Wait = max(p.Wait, hold)
	p.fail(s, hold)
	limit := s.Budget - int64(p.Margin*float64(s.Budget))
	need, fits := p.least(s, limit)
	p.Window.add(entry{Budget: limit}, p.Wait)
	moved, low := p.Window.spread()
	easy, _ := p.least(s, low-max(moved, int64(band*float64(limit))))
	p.Window[len(p.Window)-1].Parts = easy
	p.Since++
	c := p.move(s, need, hold)
	c.Infeasible = !fits
	return c
}

// move is the decision itself: need parts at least now.
func (p *Predictive) move(s Signal, need, hold int) Choice {
	now := min(s.Parts, max(s.Batch, 1))
	switch {
	case s.Parts == 0:
		p.Since = 0
		return choose(s, need, "first step")
	case need > now:
		// An increase that did not last makes the next one wait twice as long.
		if p.Grown && p.Since < 2*p.Wait {
			p.Wait = min(2*p.Wait, maxWait*hold)
		}
		p.Since, p.Grown = 0, false
		return choose(s, need, p.cause(s, now))
	case len(p.Window) >= p.Wait && p.Since >= p.Wait && p.Penalty == 0:
		if up := max(p.Window.parts(), need); up < now {
			p.Since, p.Grown = 0, true
			return choose(s, up, fmt.Sprintf("%d steps with room for more", p.Wait))
		}
	}
	return choose(s, now, "")
}

// cause says why a cut is needed.
func (p *Predictive) cause(s Signal, now int) string {
	if s.Failed {
		return "out of memory"
	}
	const mebi = 1 << 20
	return fmt.Sprintf("peak of %.1f MiB in %d parts, budget %.1f MiB", float64(s.peak(now))/mebi, now, float64(s.Budget)/mebi)
}

// fail takes a failure into account that the prediction did not see, such as a
// neighbour who was faster: half the micro-batch, and for a time that doubles with
// each failure no way back.
func (p *Predictive) fail(s Signal, hold int) {
	if p.Penalty > 0 {
		if p.Penalty--; p.Penalty == 0 {
			p.Floor = 0
		}
	}
	if !s.Failed {
		return
	}
	p.Failed++
	p.Floor = min(2*max(s.Parts, 1), max(s.Batch, 1))
	p.Penalty = hold * (1 << min(p.Failed-1, 6))
}

// least is the fewest parts whose predicted peak is within limit, and whether there
// are any. Peaks grow with the micro-batch but for steps of workspaces, so the
// search halves and then looks at what it found.
func (p *Predictive) least(s Signal, limit int64) (parts int, fits bool) {
	most := max(s.Batch, 1)
	lo, hi := max(p.Floor, 1), most
	lo = min(lo, hi)
	if s.Peak == nil {
		return lo, true
	}
	if s.peak(lo) <= limit {
		return lo, true
	}
	if s.peak(hi) > limit {
		return hi, false
	}
	for hi-lo > 1 { // lo does not fit, hi does
		if mid := (lo + hi) / 2; s.peak(mid) <= limit {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi, true
}
