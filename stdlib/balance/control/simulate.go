package control

// Run is what a policy did in simulated time.
type Run struct {
	// Parts of each step, and its peak in bytes.
	Parts []int
	Peaks []int64
	// Changes is how often the parts changed, Reversals how often a change went the
	// other way than the one before.
	Changes, Reversals int
	// Over is the number of steps whose peak was above the budget: in a real run each
	// is an out-of-memory.
	Over int
	// OverRun is the longest row of such steps.
	OverRun int
}

// Reversals counts the changes in a row of numbers that go the other way than the one
// before.
func Reversals(row []int) (n int) {
	last := 0
	for i := 1; i < len(row); i++ {
		d := row[i] - row[i-1]
		if d != 0 && last*d < 0 {
			n++
		}
		if d != 0 {
			last = d
		}
	}
	return n
}

// Simulate runs a policy against the budget of each step, for batches of so many
// examples with that peak by micro-batch. With predicts false the policy sees what
// was used and no prediction. A step above its budget fails, and the policy is told
// so before the next.
func Simulate(p Policy, budget []int64, batch int, peak func(micro int) int64, predicts bool) Run {
	var run Run
	s := Signal{Batch: batch}
	if predicts {
		s.Peak = peak
	}
	row := 0
	for _, b := range budget {
		s.Budget = b
		c := p.Decide(s)
		if c.Parts != s.Parts && s.Parts > 0 {
			run.Changes++
		}
		s.Parts = c.Parts
		s.Used = peak(s.Micro(c.Parts))
		s.Failed = s.Used > b
		if row++; !s.Failed {
			row = 0
		} else {
			run.Over++
		}
		run.OverRun = max(run.OverRun, row)
		run.Parts, run.Peaks = append(run.Parts, c.Parts), append(run.Peaks, s.Used)
	}
	run.Reversals = Reversals(run.Parts)
	return run
}
