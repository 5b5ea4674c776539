package balance

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"attune/display/mime"
)

// Score says of each part of a model how much it is thought to matter; more is
// more.
type Score struct {
	Name   string
	Values []float64
	// each has the scores of each batch's examples, where they differ by example;
	// Values is then their mean.
	each [][][]float64
}

// Tested is a score held against what parts turned out to matter.
type Tested struct {
	Score
	// Rank is Spearman's correlation of the score with what each part's absence
	// costs: 1 is the same order, 0 none, -1 the opposite.
	Rank float64
	// Cost is how much the loss rises with the parts of the lowest score gone, all at
	// once: as many as Report.Cut.
	Cost float64
	// Better is the share of random choices of as many parts that cost more.
	Better float64
}

// Trusted says whether the score may choose what to cut: its choice must cost less
// than nineteen in twenty random ones.
func (t Tested) Trusted() bool { return t.Better >= 0.95 }

// Report is what the parts of a model cost when they are gone, and how well scores
// foretold it.
type Report struct {
	// Part is what was taken out: "head", "token".
	Part  string
	Names []string
	// Loss is that of the whole model, Without how much it rises with one part gone.
	Loss    float64
	Without []float64
	Scores  []Tested
	// Cut is how many parts were taken out at once. Random is how much the loss rose
	// for each of the random choices.
	Cut    int
	Random []float64
}

// Trusted is the score that may choose what to cut and costs least, or nil where
// none does better than chance.
func (r *Report) Trusted() *Tested {
	var best *Tested
	for i := range r.Scores {
		if s := &r.Scores[i]; s.Trusted() && (best == nil || s.Cost < best.Cost) {
			best = s
		}
	}
	return best
}

// Lowest is the n parts of the lowest score, ascending by index.
func (s Score) Lowest(n int) []int {
	order := make([]int, len(s.Values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.Values[a], s.Values[b]) })
	out := order[:min(n, len(order))]
	slices.Sort(out)
	return out
}

// draws is the number of random choices that a score must beat.
const draws = 20

// pick says which parts are gone in an example of a batch.
type pick func(batch, example int) []int

// fixed is the same parts for all examples.
func fixed(gone []int) pick { return func(int, int) []int { return gone } }

// lowest picks the n parts of the lowest score, of each example where they differ.
func (s Score) lowest(n int) pick {
	if s.each == nil {
		return fixed(s.Lowest(n))
	}
	return func(batch, example int) []int { return Score{Values: s.each[batch][example]}.Lowest(n) }
}

// trial takes out each part alone, then as many as cut at once: those of each
// score's lowest, and random ones. loss is the model's with these parts gone. Where
// a score differs by example, so do random choices.
func trial(part string, names []string, scores []Score, cut int, seed uint64, loss func(of pick) (float64, error)) (*Report, error) {
	if cut < 1 || cut >= len(names) {
		return nil, fmt.Errorf("test scores by taking out %d of %d %ss: want at least one out and one left", cut, len(names), part)
	}
	for _, s := range scores {
		if len(s.Values) != len(names) {
			return nil, fmt.Errorf("score %s has %d values for %d %ss", s.Name, len(s.Values), len(names), part)
		}
	}
	r := &Report{Part: part, Names: names, Cut: cut}
	var err error
	if r.Loss, err = loss(fixed(nil)); err != nil {
		return nil, err
	}
	rise := func(of pick) (float64, error) {
		l, err := loss(of)
		if err != nil {
			return 0, fmt.Errorf("loss without some %ss: %w", part, err)
		}
		return l - r.Loss, nil
	}
	for i := range names {
		d, err := rise(fixed([]int{i}))
		if err != nil {
			return nil, err
		}
		r.Without = append(r.Without, d)
	}
	rng := rand.New(rand.NewPCG(seed, 0x617474656e64))
	byExample := slices.ContainsFunc(scores, func(s Score) bool { return s.each != nil })
	for range draws {
		d, err := rise(atRandom(rng, len(names), cut, byExample))
		if err != nil {
			return nil, err
		}
		r.Random = append(r.Random, d)
	}
	// What each part costs alone is a score too: the best that looking at single
	// parts can do, at the price of a pass for each.
	for _, s := range append(slices.Clone(scores), Score{Name: "ablation", Values: r.Without}) {
		t := Tested{Score: s, Rank: spearman(s.Values, r.Without)}
		if t.Cost, err = rise(s.lowest(cut)); err != nil {
			return nil, err
		}
		worse := 0
		for _, d := range r.Random {
			if d > t.Cost {
				worse++
			}
		}
		t.Better = float64(worse) / float64(len(r.Random))
		r.Scores = append(r.Scores, t)
	}
	return r, nil
}

// atRandom picks cut of n parts.
func atRandom(rng *rand.Rand, n, cut int, byExample bool) pick {
	draw := func() []int {
		gone := rng.Perm(n)[:cut]
		slices.Sort(gone)
		return gone
	}
	if byExample {
		return func(int, int) []int { return draw() }
	}
	return fixed(draw())
}

// spearman is the correlation of the ranks of a and b; ties share the mean of
// their ranks. It is 0 where one does not vary.
func spearman(a, b []float64) float64 {
	x, y := ranks(a), ranks(b)
	mean := float64(len(x)-1) / 2
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mean) * (y[i] - mean)
		xx += (x[i] - mean) * (x[i] - mean)
		yy += (y[i] - mean) * (y[i] - mean)
	}
	if xx == 0 || yy == 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}

func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(v[a], v[b]) })
	out := make([]float64, len(v))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && v[order[j]] == v[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			out[order[k]] = float64(i+j-1) / 2
		}
		i = j
	}
	return out
}

// shown is how many parts a Report's String lists: those that cost most.
const shown = 12

// String is two tables: the parts that cost most, with their scores, and how well
// each score did.
func (r *Report) String() string { return r.say().String() }

// Bundle is the tables as a front end shows them.
func (r *Report) Bundle() mime.Bundle { return r.say().Bundle() }

func (r *Report) say() say {
	rows := [][]string{{r.Part, "loss without"}}
	for _, s := range r.Scores[:max(0, len(r.Scores)-1)] {
		rows[0] = append(rows[0], s.Name)
	}
	top := Score{Values: r.Without}.Lowest(len(r.Names))
	slices.SortStableFunc(top, func(a, b int) int { return cmp.Compare(r.Without[b], r.Without[a]) })
	for _, i := range top[:min(shown, len(top))] {
		row := []string{r.Names[i], fmt.Sprintf("%+.4f", r.Without[i])}
		for _, s := range r.Scores[:len(r.Scores)-1] {
			row = append(row, fmt.Sprintf("%.4f", s.Values[i]))
		}
		rows = append(rows, row)
	}
	out := say{{text: fmt.Sprintf("%d %ss, loss %.4f with all", len(r.Names), r.Part, r.Loss)}, {rows: rows, left: 1}}
	if n := len(top) - shown; n > 0 {
		out = append(out, passage{text: fmt.Sprintf("… and %d more", n)})
	}
	low, high := slices.Min(r.Random), slices.Max(r.Random)
	rows = [][]string{{"score", "loss", "beats random in", "rank correlation", "trusted"}}
	for _, s := range r.Scores {
		trusted := "no"
		if s.Trusted() {
			trusted = "yes"
		}
		rows = append(rows, []string{s.Name, fmt.Sprintf("%+.4f", s.Cost), fmt.Sprintf("%.0f %%", 100*s.Better), fmt.Sprintf("%.2f", s.Rank), trusted})
	}
	return append(out,
		passage{text: fmt.Sprintf("\nwithout the lowest %d of %d (random choices: %+.4f to %+.4f)", r.Cut, len(r.Names), low, high)},
		passage{rows: rows, left: 1})
}
