package balance

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"attune/gpu"
	"attune/stdlib/balance/search"
)

// fakeWorld is a made-up task: a chain of layers, parameters, and a trace that is
// off by up to a tenth.
type fakeWorld struct {
	layers  []search.Layer // of one example
	params  int64
	norm    bool
	wrong   float64
	batch   int
	prices  int
	atWork  int64 // workspace that jumps with the micro-batch
	perPass float64
}

func (w *fakeWorld) truth(p *Plan, micro int, wrong float64) search.Chain {
	c := search.Chain{Base: 4 * w.params}
	if p.Freeze != nil {
		c.Base = 2 * w.params
	}
	if p.Prune != nil {
		c.Base /= 2
	}
	if p.Precision == gpu.BFloat16 {
		c.Base += w.params / 2
	}
	for i, l := range w.layers {
		f := float64(micro) * (1 + wrong*float64(i%3-1))
		if p.Precision == gpu.BFloat16 {
			f /= 2
		}
		if p.Prune != nil {
			f *= 0.75
		}
		c.Layers = append(c.Layers, search.Layer{Out: int64(f * float64(l.Out)), Inside: int64(f * float64(l.Inside)), Work: int64(f * float64(l.Work)), Time: f * l.Time})
	}
	return c
}

func (w *fakeWorld) segments(p *Plan) []search.Segment {
	if p.Cuts == nil {
		return []search.Segment{{To: len(w.layers)}}
	}
	var out []search.Segment
	from := 0
	for _, k := range append(slices.Clone(p.Cuts), len(w.layers)) {
		out = append(out, search.Segment{From: from, To: k, Recompute: k < len(w.layers) || len(p.Cuts) == 0})
		from = k
	}
	return out
}

func (w *fakeWorld) price(p *Plan) (search.Price, error) {
	w.prices++
	c := w.truth(p, p.Micro, 0)
	peak, again := c.Peak(w.segments(p))
	_, whole := c.Peak([]search.Segment{{To: len(w.layers), Recompute: true}})
	return search.Price{Peak: peak + int64(p.Micro/8%3)*w.atWork, Time: float64(p.Accumulation(p.Batch)) * (w.perPass + 3*whole + again)}, nil
}

func (w *fakeWorld) chain(p *Plan, micro int) (*search.Chain, error) {
	c := w.truth(p, micro, w.wrong)
	return &c, nil
}

func (w *fakeWorld) layer(i int) string { return string(rune('a' + i)) }

func (w *fakeWorld) cuts(segs []search.Segment) []int {
	out := []int{}
	for _, s := range segs[1:] {
		out = append(out, s.From)
	}
	return out
}

func (w *fakeWorld) timed() bool                { return true }
func (w *fakeWorld) halves() bool               { return true }
func (w *fakeWorld) normalised() bool           { return w.norm }
func (w *fakeWorld) scale(now, was int) float64 { return float64(now) / float64(was) }

func newFakeWorld(r *rand.Rand) *fakeWorld {
	w := &fakeWorld{params: r.Int64N(2000), norm: r.IntN(4) == 0, wrong: 0.1 * r.Float64(), batch: 1 + r.IntN(40), atWork: r.Int64N(60), perPass: float64(r.IntN(30))}
	for range 1 + r.IntN(6) {
		w.layers = append(w.layers, search.Layer{Out: 1 + r.Int64N(60), Inside: r.Int64N(150), Work: r.Int64N(90), Time: 1 + float64(r.IntN(9))})
	}
	return w
}

// feasible looks at everything that is allowed.
func (w *fakeWorld) feasible(bytes int64, al Allowed) bool {
	precisions := append([]gpu.DType{gpu.Float32}, al.Precision...)
	freezes, prunes := append([][]string{nil}, al.Freeze...), append([][]Prune{nil}, al.Prune...)
	batches := []int{w.batch}
	if al.SmallerBatch {
		batches = append(batches, 1)
	}
	for _, p := range precisions {
		for _, f := range freezes {
			for _, pr := range prunes {
				for _, b := range batches {
					for m := 1; m <= b; m++ {
						if m < b && (al.NoAccumulate || w.norm && !al.BatchNorm) {
							continue
						}
						n := len(w.layers)
						for set := range 1 << (n - 1) {
							q := &Plan{Batch: b, Micro: m, Precision: p, Freeze: f, Prune: pr, Cuts: []int{}}
							for k := 1; k < n; k++ {
								if set>>(k-1)&1 == 1 {
									q.Cuts = append(q.Cuts, k)
								}
							}
							if al.NoRecompute {
								q.Cuts = nil
							}
							if got, _ := w.price(q); got.Peak <= bytes {
								return true
							}
						}
					}
				}
			}
		}
	}
	return false
}

// TestAllocateKeepsToTheBudget: over random tasks, budgets and permissions, a plan
// never exceeds its budget and changes nothing that is not allowed; what is refused
// has no plan in all but 1 %; decisions go from the plain step to the plan.
func TestAllocateKeepsToTheBudget(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	const rounds = 1500
	plans, refusals, wrongly, most := 0, 0, 0, 0
	for round := range rounds {
		w := newFakeWorld(r)
		whole, _ := w.price(&Plan{Batch: w.batch, Micro: w.batch})
		bytes := 1 + r.Int64N(whole.Peak*11/10)
		var al Allowed
		al.NoRecompute, al.NoAccumulate, al.BatchNorm, al.SmallerBatch = r.IntN(4) == 0, r.IntN(4) == 0, r.IntN(2) == 0, r.IntN(3) == 0
		if r.IntN(2) == 0 {
			al.Precision = []gpu.DType{gpu.BFloat16}
		}
		if r.IntN(2) == 0 {
			al.Freeze = [][]string{{"body.*"}}
		}
		if r.IntN(3) == 0 {
			al.Prune = [][]Prune{{{Layer: "a", Part: Neurons, Keep: []int{0}}}}
		}
		w.prices = 0
		p, err := allocate(w, w.batch, bytes, Budget{Bytes: bytes}, al)
		most = max(most, w.prices)
		var no *InfeasibleError
		switch {
		case errors.As(err, &no):
			refusals++
			if w.feasible(bytes, al) {
				wrongly++
			}
			if no.Nearest.Peak <= bytes || no.Otherwise != nil && no.Otherwise.Peak > bytes {
				t.Fatalf("round %d: %v", round, err)
			}
			checkPlan(t, w, no.Nearest, al)
			continue
		case err != nil:
			t.Fatal(err)
		}
		plans++
		if p.Peak > bytes {
			t.Fatalf("round %d: peak %d of %d", round, p.Peak, bytes)
		}
		checkPlan(t, w, p, al)
		if whole.Peak <= bytes && len(p.Why) != 0 {
			t.Fatalf("round %d: all fits, and yet\n%s", round, p)
		}
	}
	t.Logf("%d plans, %d refusals, %d of them false; at most %d prices", plans, refusals, wrongly, most)
	if plans < rounds/4 || refusals < rounds/10 || wrongly*100 > rounds {
		t.Fail()
	}
}

// checkPlan holds a plan to its word and to what is allowed.
func checkPlan(t *testing.T, w *fakeWorld, p *Plan, al Allowed) {
	t.Helper()
	got, _ := w.price(p)
	if got.Peak != p.Peak {
		t.Fatalf("says %d, takes %d:\n%s", p.Peak, got.Peak, p)
	}
	if n := len(p.Why); n > 0 && p.Why[n-1].After != p.Peak {
		t.Fatalf("the decisions end elsewhere:\n%s", p)
	}
	several := p.Accumulation(p.Batch) > 1
	for what, bad := range map[string]bool{
		"recompute":  al.NoRecompute && p.Cuts != nil,
		"accumulate": several && (al.NoAccumulate || w.norm && !al.BatchNorm),
		"precision":  p.Precision != gpu.Float32 && !slices.Contains(al.Precision, p.Precision),
		"freeze":     p.Freeze != nil && al.Freeze == nil,
		"prune":      p.Prune != nil && al.Prune == nil,
		"batch":      p.Batch != w.batch && !al.SmallerBatch,
	} {
		if bad {
			t.Fatalf("%s is not allowed:\n%s", what, p)
		}
	}
}

func TestAllocateExplainsAndRefusesInWords(t *testing.T) {
	w := &fakeWorld{params: 100, batch: 8, perPass: 1}
	for range 4 {
		w.layers = append(w.layers, search.Layer{Out: 10, Inside: 100, Work: 20, Time: 1})
	}
	p, err := allocate(w, 8, 2500, Budget{Bytes: 2500}, Allowed{NoAccumulate: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Why) != 1 || !strings.HasPrefix(p.Why[0].Action, "compute layers twice: keep only what goes into ") {
		t.Errorf("got\n%s", p)
	}
	_, err = allocate(w, 8, 1000, Budget{Bytes: 1000}, Allowed{NoAccumulate: true})
	if want := "no plan fits in 1000 B: the nearest needs "; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), "if you allow several passes (NoAccumulate: false)") {
		t.Errorf("got %v", err)
	}
	_, err = allocate(w, 8, 10, Budget{Bytes: 10}, Allowed{})
	var no *InfeasibleError
	if !errors.As(err, &no) || no.Otherwise != nil || no.Nearest.Micro != 1 {
		t.Errorf("got %v", err)
	}
	_, err = allocate(w, 8, 1<<20, Budget{Bytes: 1 << 20, Time: time.Second, Steps: 2}, Allowed{})
	if want := "no plan is done in 500 ms a step: the nearest takes 97 s"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
