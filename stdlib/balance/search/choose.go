package search

import (
	"fmt"
	"slices"
)

// Candidate is a way to do a step: the micro-batch, and what is computed twice
// (nil: nothing, or there is no chain to cut).
type Candidate struct {
	Micro    int
	Segments []Segment
}

// Price is what a candidate takes: bytes at the worst moment and seconds a step,
// over all passes.
type Price struct {
	Peak int64
	Time float64
}

// Problem is what to choose for: a batch and a budget.
type Problem struct {
	Batch int
	// Budget is the bytes that the peak may have.
	Budget int64
	// Time is the seconds within which the whole batch at once is taken without a look
	// at smaller parts, which the caches may like better; 0 is any.
	Time float64
	// Accumulate allows micro-batches smaller than the batch.
	Accumulate bool
	// Price is exact. It is asked seldom, for it may take milliseconds.
	Price func(Candidate) (Price, error)
	// Chain is a guess of what the layers take at a micro-batch, which finds where
	// to cut; what is found is then priced. It may be nil: nothing to cut.
	Chain func(micro int) (Chain, error)
	// Tail says that only a run of layers at the end may stay stored where others
	// are recomputed.
	Tail bool
}

// Choice is the best candidate and its price. Where none fits it is the one with
// the smallest peak that was seen.
type Choice struct {
	Candidate
	Price
	Fits bool
	// Whole is the price of the whole batch at once with nothing computed twice.
	Whole Price
	// Probes is how many candidates were priced.
	Probes int
}

// attempts bounds how often the cuts at one micro-batch are done again, after the
// price was above what the chain said.
const attempts = 5

// tries bounds the micro-batches at which cuts are looked for.
const tries = 6

// chooser is one search's state.
type chooser struct {
	Problem
	prices map[string]Price
	// excess is how far the price of cut candidates lay from what the chain said,
	// a byte of the chain's; it is learned from each.
	excess float64
	least  Choice
	best   Choice
}

// Best chooses. Of candidates that fit it takes the one with the least time; the
// whole batch with nothing computed twice is taken at once where it fits and Time does
// not ask for less.
func (p Problem) Best() (Choice, error) {
	if p.Batch < 1 {
		return Choice{}, fmt.Errorf("choose a plan for a batch of %d: want at least 1", p.Batch)
	}
	c := &chooser{Problem: p, prices: map[string]Price{}}
	whole, err := c.try(Candidate{Micro: p.Batch})
	if err != nil {
		return Choice{}, err
	}
	switch {
	case !c.best.Fits:
		if err = c.split(); err == nil && p.Chain != nil {
			err = c.cut()
		}
	case p.Time > 0 && whole.Time > p.Time:
		all := c.micros()
		for _, m := range all[1:min(len(all), tries+1)] {
			if _, err = c.try(Candidate{Micro: m}); err != nil {
				break
			}
		}
	}
	if err != nil {
		return Choice{}, err
	}
	out := c.least
	if c.best.Fits {
		out = c.best
	}
	out.Whole, out.Probes = whole, len(c.prices)
	return out, nil
}

// try prices a candidate and remembers it where it is the best so far.
func (c *chooser) try(a Candidate) (Price, error) {
	key := fmt.Sprint(a)
	p, ok := c.prices[key]
	if ok {
		return p, nil
	}
	p, err := c.Price(a)
	if err != nil {
		return p, fmt.Errorf("price micro-batch %d: %w", a.Micro, err)
	}
	c.prices[key] = p
	now := Choice{Candidate: a, Price: p, Fits: p.Peak <= c.Budget}
	if c.least.Micro == 0 || p.Peak < c.least.Peak {
		c.least = now
	}
	if now.Fits && (!c.best.Fits || p.Time < c.best.Time) {
		c.best = now
	}
	return p, nil
}

// micros lists the micro-batches worth a look, largest first: for each number of
// passes the smallest that does with so many, since a larger one would only leave
// a smaller rest.
func (p Problem) micros() []int {
	if !p.Accumulate {
		return []int{p.Batch}
	}
	var out []int
	for passes := 1; passes <= p.Batch; passes++ {
		m := (p.Batch + passes - 1) / passes
		if len(out) == 0 || m < out[len(out)-1] {
			out = append(out, m)
		}
	}
	return out
}

// split finds the largest micro-batch that fits with nothing computed twice. The
// peak grows with the micro-batch but for a kernel's workspace here and there, so
// it halves the interval, and then looks at the next two above.
func (c *chooser) split() error {
	all := c.micros()
	low, high := 0, len(all) // all[low] does not fit; all[high] does or is past the end
	for low+1 < high {
		mid := (low + high) / 2
		p, err := c.try(Candidate{Micro: all[mid]})
		if err != nil {
			return err
		}
		if p.Peak <= c.Budget {
			high = mid
		} else {
			low = mid
		}
	}
	for i := high - 1; i >= max(0, high-3); i-- {
		if _, err := c.try(Candidate{Micro: all[i]}); err != nil {
			return err
		}
	}
	return nil
}

// idea is a candidate of which only the chain's word is known.
type idea struct {
	micro int
	time  float64
}

// cut looks for candidates that compute layers twice and are faster than what
// splitting alone gave, or fit where nothing did.
func (c *chooser) cut() error {
	var ideas []idea
	for _, m := range c.micros() {
		chain, err := c.Chain(m)
		if err != nil {
			return fmt.Errorf("trace the layers at micro-batch %d: %w", m, err)
		}
		passes := float64((c.Batch + m - 1) / m)
		_, again, ok := chain.Cut(c.Budget, c.Tail)
		if !ok {
			again = chain.time(Segment{To: len(chain.Layers)})
		}
		once := chain.time(Segment{To: len(chain.Layers)})
		// A backward pass costs about two forward ones.
		ideas = append(ideas, idea{m, passes * (3*once + again)})
	}
	slices.SortStableFunc(ideas, func(a, b idea) int {
		switch {
		case a.time < b.time:
			return -1
		case a.time > b.time:
			return 1
		}
		return 0
	})
	// The fastest by the chain's word are looked at, then, where nothing fits yet,
	// those that need least.
	for i := 0; i < len(ideas) && i < tries; i++ {
		if err := c.repair(ideas[i].micro); err != nil {
			return err
		}
	}
	if c.best.Fits {
		return nil
	}
	return c.fewest()
}

// repair prices the cuts that the chain finds at a micro-batch, and cuts again to
// a smaller budget while the price is above the real one.
func (c *chooser) repair(micro int) error {
	chain, err := c.Chain(micro)
	if err != nil {
		return err
	}
	budget := c.Budget - int64(c.excess*float64(c.Budget))
	for range attempts {
		segs, _, ok := chain.Cut(budget, c.Tail)
		if !ok {
			segs, _ = chain.Least(c.Tail)
		}
		p, err := c.try(Candidate{micro, segs})
		if err != nil {
			return err
		}
		said, _ := chain.Peak(segs)
		over := p.Peak - said
		if said > 0 {
			c.excess = float64(over) / float64(max(said, p.Peak))
		}
		next := c.Budget - over
		if p.Peak <= c.Budget && next <= budget || !ok || next == budget {
			return nil
		}
		budget = next
	}
	return nil
}

// fewest tries what needs least memory: every micro-batch from the smallest up, as
// long as each needs less than the one before, with the cuts of the smallest peak.
func (c *chooser) fewest() error {
	all := c.micros()
	slices.Reverse(all)
	for i, m := range all {
		chain, err := c.Chain(m)
		if err != nil {
			return err
		}
		segs, _ := chain.Least(c.Tail)
		before := c.least.Peak
		if _, err := c.try(Candidate{m, segs}); err != nil {
			return err
		}
		if err := c.repair(m); err != nil {
			return err
		}
		if i > 0 && c.least.Peak >= before {
			return nil
		}
	}
	return nil
}
