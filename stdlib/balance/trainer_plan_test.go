package balance

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"attune/gpu"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// examples are a data set of one batch's examples.
type examples struct{ of *data.Batch }

func (e examples) Len() int { return e.of.Len() }

func (e examples) Batch(index []int) (*data.Batch, error) {
	out := &data.Batch{Shape: slices.Clone(e.of.Shape)}
	out.Shape[0] = len(index)
	for _, i := range index {
		one := e.of.Slice(i, i+1)
		out.X, out.Labels = append(out.X, one.X...), append(out.Labels, one.Labels...)
	}
	return out, nil
}

// TestFitFollowsThePlan: over random models and budgets that force all kinds of
// changes, Fit does what the plan says, at its peak to the byte, and logs it once; what
// is frozen and pruned stays, cuts do not.
func TestFitFollowsThePlan(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	kinds := map[string]int{}
	for round := range 40 {
		task, b := realTask(t, rng)
		dev := task.Net.Device()
		if round%2 == 0 { // state that freezing and pruning give back too
			trainFor(t, task, b, &Plan{Batch: b.Len(), Micro: b.Len()}, 1)
		}
		al := Allowed{SmallerBatch: true, NoAccumulate: round%3 == 0}
		for i, l := range task.Model.Layers {
			if _, ok := l.(*nn.Block); ok {
				name := task.Model.LayerName(i)
				al.Prune = [][]Prune{{{Layer: name, Part: Heads, Keep: []int{0}}, {Layer: name, Part: Neurons, Keep: []int{0, 1}}}}
			}
		}
		al.Freeze = [][]string{{"in"}}
		if round%4 > 1 {
			al.Precision = []gpu.DType{gpu.BFloat16}
		}
		free := must(Allocate(task, b, Budget{Bytes: 1 << 40}, Allowed{}))(t)
		live := dev.Memory().Total.Live
		p, err := Allocate(task, b, Budget{Bytes: max(1, live+int64(float64(free.Peak-live)*(rng.Float64()-0.2)))}, al)
		var no *InfeasibleError
		if errors.As(err, &no) {
			p = no.Nearest
		} else if err != nil {
			t.Fatal(err)
		}
		r := &Trainer{Task: task, Plan: p, Quiet: true, Room: func() (int64, int64) { return 0, 0 }}
		train := &data.Loader{Data: examples{b}, Size: b.Len()}
		peaks, sizes, twice := []int64{}, []int{}, 0
		note := func(e Event) error {
			if e.Done == nil {
				peaks, sizes = append(peaks, dev.Memory().Total.Peak), append(sizes, e.Batch.Len())
			}
			if p.Cuts != nil && slices.Equal(task.Model.Cuts, p.Cuts) {
				twice++
			}
			return nil
		}
		fit(t, r, train, nil, 2, note)
		planned := func() (n int) {
			for _, a := range r.Log.Actions {
				if strings.HasPrefix(a.Cause, "the plan: ") {
					n++
				}
			}
			return n
		}
		rows := planned()
		fit(t, r, train, nil, 1, note)
		whole := 1
		if p.Batch < b.Len() {
			kinds["batch"]++
		}
		if p.Batch*2 > b.Len() { // the epoch's second update is smaller
			whole = (b.Len() + p.Batch - 1) / p.Batch
		}
		if peaks[whole] != p.Peak || sizes[0] != p.Batch || planned() != rows {
			t.Fatalf("round %d: peaks %v of %v examples, planned\n%s\n%s", round, peaks, sizes, p, r.Log)
		}
		if p.Cuts != nil && twice != len(peaks)+3 || task.Model.Cuts != nil {
			t.Errorf("round %d: cuts held in %d of %d steps, and afterwards %v", round, twice, len(peaks), task.Model.Cuts)
		}
		for _, a := range r.Log.Actions {
			word, _, _ := strings.Cut(strings.Replace(a.What, "compute in", "halve in", 1), " ")
			kinds[word]++
			if a.Frees != a.Freed || (word == "freeze" || word == "prune") && a.Freed == 0 {
				t.Errorf("round %d: %d bytes expected, %d freed: %s", round, a.Frees, a.Freed, a.What)
			}
		}
		if a := r.Log.Actions; len(p.Why) > 0 && len(a) > 0 && strings.HasPrefix(a[0].Cause, "the plan: ") {
			last := a[0]
			for _, x := range a {
				if strings.HasPrefix(x.Cause, "the plan: ") && !strings.HasPrefix(x.What, "cut") {
					last = x
				}
			}
			if !strings.HasPrefix(last.What, "cut") && (last.Peak != p.Peak || last.Predicted != p.Peak) {
				t.Errorf("round %d: %s\nplanned %d, logged %d and %d:\n%s", round, p, p.Peak, last.Predicted, last.Peak, r.Log)
			}
		}
		if err := errors.Join(task.Net.Free(), task.Optimizer.Free()); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(kinds)
	for _, word := range []string{"freeze", "prune", "compute", "halve", "cut", "batch"} {
		if kinds[word] == 0 {
			t.Errorf("no plan with %q", word)
		}
	}
}

// planned is a training of a small transformer that its plan changes in every way.
func planned(t *testing.T) *Trainer {
	t.Helper()
	task, _ := realTask(t, rand.New(rand.NewPCG(7, 7)))
	net := nn.NewNet(openCPU(t), 5)
	task.Net, task.Optimizer = net, gpu.NewAdam(1e-2)
	task.Model = net.Sequential("model", net.Linear("in", 4, 8), net.Block("block", 8, 4, 12), net.Dropout("drop", 0.3), nn.MeanTokens(), net.Linear("head", 8, 3))
	model := task.Model
	task.Loss = func(t *nn.Tape, b *data.Batch) *nn.Value {
		return t.CrossEntropy(model.Apply(t, t.Input(b.X, b.Shape...)), b.Labels)
	}
	plan := &Plan{Batch: 6, Micro: 4, Cuts: []int{2}, Precision: gpu.Float16, Freeze: []string{"in"}, LRScale: 0.5,
		Prune: []Prune{{"block", Heads, []int{1, 2}}, {"block", Neurons, []int{0, 5, 7}}}}
	return &Trainer{Task: task, Plan: plan, Seed: 3, Patience: 50, Every: 1, Quiet: true, Room: func() (int64, int64) { return 0, 0 }}
}

// TestPlannedTrainingResumes: stopped after any step, a training whose plan changes
// everything goes on in a fresh model to the same bits, pruned shapes and all.
func TestPlannedTrainingResumes(t *testing.T) {
	b := &data.Batch{Shape: []int{20, 5, 4}, Labels: make([]int, 20)}
	rng := rand.New(rand.NewPCG(8, 8))
	for range 20 * 5 * 4 {
		b.X = append(b.X, float32(rng.NormFloat64()))
	}
	for i := range b.Labels {
		b.Labels[i] = i % 3
	}
	train := func() *data.Loader { return &data.Loader{Data: examples{b}, Size: 8, Shuffle: true} }
	valid := func() *data.Loader { return &data.Loader{Data: examples{b}, Size: 20} }
	whole := planned(t)
	var sizes []int
	fit(t, whole, train(), valid(), 2, func(e Event) error {
		if e.Done == nil {
			sizes = append(sizes, e.Batch.Len())
		}
		return nil
	})
	if want := []int{6, 6, 6, 2, 6, 6, 6, 2}; !slices.Equal(sizes, want) || whole.common().LR != 1e-2 {
		t.Errorf("updates of %v examples, want %v", sizes, want)
	}
	for stop := range 8 {
		r := planned(t)
		r.Checkpoint = filepath.Join(t.TempDir(), "training.safetensors")
		end := errors.New("end")
		if err := r.Fit(train(), valid(), 2, func(e Event) error {
			if e.Step == stop+1 && e.Done == nil {
				return end
			}
			return nil
		}); !errors.Is(err, end) {
			t.Fatal(err)
		}
		again := planned(t)
		again.Checkpoint, again.Plan = r.Checkpoint, nil
		if ok, err := again.Resume(); !ok || err != nil {
			t.Fatal(ok, err)
		}
		fit(t, again, train(), valid(), 2)
		if !slices.Equal(bits(t, whole), bits(t, again)) || len(again.Log.Actions) != len(whole.Log.Actions) {
			t.Fatalf("stopped after step %d: other weights, or another log:\n%s\nwant\n%s", stop+1, again.Log, whole.Log)
		}
		if again.Net.Group("in")[0].Grad != nil || again.History[1].Loss != whole.History[1].Loss {
			t.Errorf("stopped after step %d: %+v, want %+v", stop+1, again.History[1], whole.History[1])
		}
	}
}

// TestUpdatesDealEveryExample: whatever the sizes that are asked for on the way, each
// example is dealt once and in order, and any update's state deals what follows.
func TestUpdatesDealEveryExample(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for round := range 200 {
		n := 1 + rng.IntN(60)
		loader := func() *data.Loader {
			l := &data.Loader{Size: 1 + round%13, Shuffle: true, Seed: uint64(round), Ahead: -1}
			if l.Data = (points{n, 2}); round%2 == 0 {
				l.Data = ragged{n, l.Size}
			}
			return l
		}
		deal := func(l *data.Loader, skip int, seed uint64) (all []float32, at []update) {
			size := rand.New(rand.NewPCG(seed, 1))
			r := &Trainer{state: progress{Skip: skip}}
			for u, err := range r.updates(l, func() int { return size.IntN(20) }) {
				if err != nil {
					t.Fatal(err)
				}
				if err := u.batch.Check(); err != nil || u.batch.First != 0 {
					t.Fatal(err, u.batch.First)
				}
				all, at = append(all, u.batch.Targets...), append(at, u)
			}
			return all, at
		}
		var want []float32
		l := loader()
		for b := range l.Epoch() {
			want = append(want, b.Targets...)
		}
		all, at := deal(loader(), 0, 1)
		if !slices.Equal(all, want) {
			t.Fatalf("round %d: dealt %v, want %v", round, all, want)
		}
		batches, done := 0, 0
		for i, u := range at {
			batches, done = batches+u.batches, done+u.batch.Len()
			l := loader()
			if err := l.Restore(u.after); err != nil {
				t.Fatal(err)
			}
			if rest, _ := deal(l, u.skip, uint64(i)); !slices.Equal(rest, want[done:]) && u.after.Batch < l.Batches() {
				t.Fatalf("round %d: after update %d %v, want %v", round, i, rest, want[done:])
			}
			l = loader()
			if err := l.Restore(u.before); err != nil {
				t.Fatal(err)
			}
			if rest, _ := deal(l, u.was, uint64(i)); !slices.Equal(rest, want[done-u.batch.Len():]) {
				t.Fatalf("round %d: update %d again: %v, want %v", round, i, rest, want[done-u.batch.Len():])
			}
		}
		if batches != l.Batches() {
			t.Errorf("round %d: %d batches counted of %d", round, batches, l.Batches())
		}
	}
}
