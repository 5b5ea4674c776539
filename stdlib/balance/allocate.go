package balance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"attune/gpu"
	"attune/stdlib/balance/search"
)

// Budget is what a training run may take.
type Budget struct {
	// Bytes is the peak on the device, everything of attune's counted. Share is the
	// same as a share of what the device has, and holds where Bytes is 0.
	Bytes int64
	Share float64
	// Time is what Steps updates may take together; 0 is any time. Steps of 0 is one.
	// Allocate chooses for it; a Trainer keeps to the bytes alone.
	Time  time.Duration
	Steps int
}

// perStep is the seconds a step may take, or 0 for any.
func (b Budget) perStep() float64 { return b.Time.Seconds() / float64(max(1, b.Steps)) }

// Allowed is what Allocate may change. The zero value allows what leaves the
// optimisation as it is: computing layers twice, and several passes whose gradients
// add up to the whole batch's. The rest is tried only where that is not enough, in
// the order of the fields, and no more of it than needed.
type Allowed struct {
	// NoRecompute and NoAccumulate forbid these two.
	NoRecompute, NoAccumulate bool
	// BatchNorm allows several passes although a batch normalisation then sees the
	// statistics of a part of the batch.
	BatchNorm bool
	// Precision lists types to compute in, best liked first: gpu.BFloat16, gpu.Float16.
	Precision []gpu.DType
	// Freeze lists sets of patterns of parameters not to train, mildest first.
	Freeze [][]string
	// Prune lists sets of parts to take out, mildest first.
	Prune [][]Prune
	// SmallerBatch allows fewer examples an update, with the learning rate scaled.
	SmallerBatch bool
}

// InfeasibleError says that no plan keeps to the budget, before anything was
// allocated.
type InfeasibleError struct {
	Budget Budget
	// Bytes and PerStep are the budget as it was applied.
	Bytes   int64
	PerStep time.Duration
	// Nearest is, of what was allowed, the plan with the smallest peak, or where bytes
	// are not what is missing the fastest one; with a budget of that many it would do.
	Nearest *Plan
	// Otherwise is a plan that keeps to the budget if Allow is allowed too, or nil.
	Otherwise *Plan
	Allow     string
}

// Error says how much is missing, and what would help.
func (e *InfeasibleError) Error() string {
	var b strings.Builder
	if e.Nearest.Peak > e.Bytes {
		fmt.Fprintf(&b, "no plan fits in %s: the nearest needs %s", bytesText(e.Bytes), bytesText(e.Nearest.Peak))
	} else {
		fmt.Fprintf(&b, "no plan is done in %s a step: the nearest takes %s", timeText(e.PerStep), timeText(e.Nearest.Time))
	}
	if n := e.Nearest.Accumulation(e.Nearest.Batch); n > 1 {
		fmt.Fprintf(&b, ", in %d passes of up to %d examples", n, e.Nearest.Micro)
	}
	if e.Nearest.Cuts != nil {
		b.WriteString(", with layers computed twice")
	}
	if e.Otherwise != nil {
		takes := "fits in " + bytesText(e.Otherwise.Peak)
		if e.Nearest.Peak <= e.Bytes {
			takes = "is done in " + timeText(e.Otherwise.Time)
		}
		fmt.Fprintf(&b, "; it %s if you allow %s", takes, e.Allow)
	}
	return b.String()
}

// world is what Allocate asks about a task: EvaluateAt and a trace, or a made-up
// one in a test.
type world interface {
	// price is what a step of the plan takes: the exact peak, and seconds where timed
	// says so, else any figure that orders plans by time.
	price(p *Plan) (search.Price, error)
	timed() bool
	// chain guesses what the layers that can be cut take at a micro-batch; nil where
	// there are none.
	chain(p *Plan, micro int) (*search.Chain, error)
	// layer is the name of a layer that can be cut, cuts are segments as a plan says
	// them.
	layer(i int) string
	cuts(s []search.Segment) []int
	// normalised says whether the model has a batch normalisation.
	normalised() bool
	// halves says whether half precision would be a change.
	halves() bool
	// scale is what the learning rate is multiplied with for a batch of now examples
	// in place of was.
	scale(now, was int) float64
}

// allocator is one search.
type allocator struct {
	world
	batch   int
	bytes   int64
	perStep float64
	allowed Allowed
	// known are the prices asked for so far.
	known map[string]search.Price
}

// price is the world's, asked once for each plan.
func (a *allocator) price(p *Plan) (search.Price, error) {
	key := fmt.Sprint(p.Batch, p.Micro, p.Cuts == nil, p.Cuts, p.Precision, p.Freeze, p.Prune)
	if known, ok := a.known[key]; ok {
		return known, nil
	}
	got, err := a.world.price(p)
	if err == nil {
		a.known[key] = got
	}
	return got, err
}

// fits says whether a price is within the budget.
func (a *allocator) fits(p search.Price) bool {
	return p.Peak <= a.bytes && (a.perStep <= 0 || p.Time <= a.perStep)
}

// over is the bytes by which a plan is above the budget.
func (a *allocator) over(p *Plan) int64 { return max(0, p.Peak-a.bytes) }

// with is the best plan for the alterations in p, and whether it fits.
func (a *allocator) with(p Plan) (*Plan, bool, error) {
	first, err := a.chain(&p, a.batchOf(&p))
	if err != nil {
		return nil, false, err
	}
	problem := search.Problem{
		Batch: a.batchOf(&p), Budget: a.bytes, Time: a.perStep,
		Accumulate: !a.allowed.NoAccumulate && (a.allowed.BatchNorm || !a.normalised()),
		Tail:       true,
		Price: func(c search.Candidate) (search.Price, error) {
			q := a.candidate(p, c)
			return a.price(&q)
		},
	}
	if first != nil && !a.allowed.NoRecompute {
		problem.Chain = func(micro int) (search.Chain, error) {
			c, err := a.chain(&p, micro)
			if err != nil {
				return search.Chain{}, err
			}
			return *c, nil
		}
	}
	best, err := problem.Best()
	if err != nil {
		return nil, false, err
	}
	q := a.candidate(p, best.Candidate)
	q.Peak, q.Budget = best.Peak, a.bytes
	if a.timed() {
		q.Time = duration(best.Time)
	}
	return &q, a.fits(best.Price), nil
}

func (a *allocator) batchOf(p *Plan) int {
	if p.Batch > 0 {
		return p.Batch
	}
	return a.batch
}

// candidate is p with a candidate's micro-batch and cuts.
func (a *allocator) candidate(p Plan, c search.Candidate) Plan {
	p.Batch = a.batchOf(&p)
	p.Micro = c.Micro
	p.Cuts = nil
	if slices.ContainsFunc(c.Segments, func(s search.Segment) bool { return s.Recompute }) {
		p.Cuts = a.cuts(c.Segments)
	}
	return p
}

// allocate is Allocate over any world.
func allocate(w world, batch int, bytes int64, budget Budget, allowed Allowed) (*Plan, error) {
	a := &allocator{world: w, batch: batch, bytes: bytes, perStep: budget.perStep(), allowed: allowed, known: map[string]search.Price{}}
	plan, ok, err := a.best()
	if err != nil {
		return nil, err
	}
	if ok {
		return plan, a.explain(plan)
	}
	refusal := &InfeasibleError{Budget: budget, Bytes: bytes, PerStep: duration(a.perStep), Nearest: plan}
	if err := a.explain(plan); err != nil {
		return nil, err
	}
	for _, more := range a.more() {
		b := *a
		b.allowed = more.allowed
		plan, ok, err := b.best()
		if err != nil {
			return nil, err
		}
		if ok {
			refusal.Otherwise, refusal.Allow = plan, more.what
			return nil, errors.Join(refusal, b.explain(plan))
		}
	}
	return nil, refusal
}

// suggestion is something that might be allowed on top.
type suggestion struct {
	what    string
	allowed Allowed
}

// more lists what was not allowed, mildest first, alone and then together. Freezing
// and pruning need to know the model, so they are not among it.
func (a *allocator) more() []suggestion {
	var out []suggestion
	add := func(missing bool, what string, change func(*Allowed)) {
		if missing {
			s := suggestion{what, a.allowed}
			change(&s.allowed)
			out = append(out, s)
		}
	}
	al, halves := a.allowed, a.halves()
	half := func(a *Allowed) { a.Precision = append(slices.Clone(a.Precision), gpu.BFloat16) }
	add(al.NoRecompute, "computing layers twice (NoRecompute: false)", func(a *Allowed) { a.NoRecompute = false })
	add(al.NoAccumulate, "several passes (NoAccumulate: false)", func(a *Allowed) { a.NoAccumulate = false })
	add(!al.BatchNorm && a.normalised(), "several passes under batch normalisation (BatchNorm: true)", func(a *Allowed) { a.BatchNorm = true })
	add(len(al.Precision) == 0 && a.halves(), "half precision (Precision: []gpu.DType{gpu.BFloat16})", half)
	add(!al.SmallerBatch, "a smaller batch (SmallerBatch: true)", func(a *Allowed) { a.SmallerBatch = true })
	add(len(out) > 1, "all of Allowed but freezing and pruning", func(a *Allowed) {
		*a = Allowed{BatchNorm: true, Precision: a.Precision, Freeze: a.Freeze, Prune: a.Prune, SmallerBatch: true}
		if len(a.Precision) == 0 && halves {
			half(a)
		}
	})
	return out
}

// alterations are all ways to change what is optimised that are allowed, mildest
// first: nothing, then precision, then freezing with each precision, then pruning
// with each of both.
func (a *allocator) alterations() []Plan {
	var out []Plan
	for _, prune := range append([][]Prune{nil}, a.allowed.Prune...) {
		for _, freeze := range append([][]string{nil}, a.allowed.Freeze...) {
			for _, precision := range append([]gpu.DType{gpu.Float32}, a.allowed.Precision...) {
				out = append(out, Plan{Precision: precision, Freeze: freeze, Prune: prune})
			}
		}
	}
	return out
}

// best is the mildest plan that fits; where none does, the one with the smallest
// peak.
func (a *allocator) best() (plan *Plan, ok bool, err error) {
	all := a.alterations()
	for _, p := range all {
		q, ok, err := a.with(p)
		if err != nil || ok {
			return q, ok, err
		}
		plan = a.closer(plan, q)
	}
	if !a.allowed.SmallerBatch || a.batch == 1 {
		return plan, false, nil
	}
	for _, p := range all {
		q, ok, err := a.withBatch(p, 1)
		if err != nil {
			return nil, false, err
		}
		if ok {
			q, err = a.smaller(p, q)
			return q, true, err
		}
		plan = a.closer(plan, q)
	}
	return plan, false, nil
}

// closer is the one of two plans, neither of which may fit, that is nearer to the
// budget; p may be nil.
func (a *allocator) closer(p, q *Plan) *Plan {
	if p == nil || a.over(q) < a.over(p) || a.over(q) == 0 && a.over(p) == 0 && q.Time < p.Time {
		return q
	}
	return p
}

// withBatch is with for so many examples an update.
func (a *allocator) withBatch(p Plan, batch int) (*Plan, bool, error) {
	p.Batch, p.LRScale = batch, a.scale(batch, a.batch)
	return a.with(p)
}

// smaller is the plan with the most examples an update that fits; fit is one for
// one example.
func (a *allocator) smaller(p Plan, fit *Plan) (*Plan, error) {
	low, high := 1, a.batch
	for low+1 < high {
		mid := (low + high) / 2
		q, ok, err := a.withBatch(p, mid)
		if err != nil {
			return nil, err
		}
		if !ok {
			high = mid
			continue
		}
		fit, low = q, mid
	}
	return fit, nil
}
