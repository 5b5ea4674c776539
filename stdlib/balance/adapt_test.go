package balance

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"attune/gpu"
	"attune/gpu/mem"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// TestNoiseScale measures gradients whose noise is known: mean (1, 0, …), each
// example's deviation 2 in each of 50 dimensions, so B = 50·4/1.
func TestNoiseScale(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const dims, n, b, want = 50, 64, 16, 200.0
	var e noise
	square := func(x []float64, over int) float64 {
		s := 0.0
		for _, v := range x {
			s += v * v / float64(over) / float64(over)
		}
		return s
	}
	mean := 0.0
	for range 3000 {
		sum, part := make([]float64, dims), 0.0
		for i := range n {
			for d := range sum {
				sum[d] += 2 * rng.NormFloat64()
			}
			sum[0]++
			if i == b-1 {
				part = square(sum, b)
			}
		}
		e.add(b, n, part, square(sum, n))
		if s := e.scale(); s > 0 {
			mean += (e.S/e.G2 - mean) / 100
		}
	}
	if s := e.scale(); e.N != 3000 || s < want/4 || s > want*4 || mean < want/2 || mean > want*2 {
		t.Errorf("noise scale %g, lately %g, want %g", s, mean, want)
	}
	if got := (Noise{Scale: 100}).Useful(100); got != 0.5 {
		t.Errorf("useful share %g at the noise scale, want a half", got)
	}
	var none noise
	none.add(4, 4, 1, 1)
	none.add(2, 4, math.NaN(), 1)
	if none.N != 0 || none.scale() != 0 {
		t.Error("whole batches and NaN were measured")
	}
}

func TestNoiseIsMeasuredWhileTraining(t *testing.T) {
	r, _ := plain(t, 6, 16)
	r.NoiseEvery = 2
	fit(t, r, loader(320, 6, 32), nil, 2)
	if n := r.Noise(); n.Steps != 10 || n.Scale <= 0 || !strings.Contains(n.String(), "useful batch") {
		t.Errorf("%+v: %s", n, n)
	}
}

func TestRules(t *testing.T) {
	for rule, want := range map[Rule]float64{KeepRate: 1, Linear: 4, SquareRoot: 2} {
		if got := rule.Factor(16, 64); got != want {
			t.Errorf("%s: %g, want %g", rule, got, want)
		}
	}
	// SGD by the linear rule: the step is as if the rate was set by hand.
	step := func(r *Trainer) []uint32 {
		fit(t, r, loader(64, 6, 32), nil, 1)
		return bits(t, r)
	}
	byRule, _ := plain(t, 6, 16)
	byRule.Optimizer, byRule.RateBatch, byRule.Rule = gpu.NewSGD(0.125), 8, Linear
	byHand, _ := plain(t, 6, 16)
	byHand.Optimizer = gpu.NewSGD(0.5)
	if !slices.Equal(step(byRule), step(byHand)) || byRule.common().LR != 0.125 {
		t.Error("the rule's step is not the step of the larger rate")
	}
}

func TestFindRate(t *testing.T) {
	r, _ := plain(t, 6, 16)
	train := loader(96, 6, 32)
	fit(t, r, train, nil, 1)
	before, at, steps := bits(t, r), train.State(), r.Steps()
	found, err := r.FindRate(train, 1e-5, 1e3, 80)
	if err != nil {
		t.Fatal(err)
	}
	if found.Suggested < 1e-4 || found.Suggested > 0.5 || len(found.Rates) >= 80 {
		t.Errorf("%s", found)
	}
	if !slices.Equal(before, bits(t, r)) || train.State() != at || r.Steps() != steps || r.common().LR != 1e-2 {
		t.Error("the search changed the training")
	}
}

func TestReplayMeasuresAnAction(t *testing.T) {
	r, _ := plain(t, 24, 200)
	train := loader(480, 24, 48)
	r.Budget.Bytes = between(t, 24, 200, 48)
	fit(t, r, train, nil, 1)
	a := r.Log.Actions[len(r.Log.Actions)-1]
	r.Budget = Budget{}
	before, at := bits(t, r), train.State()
	a.From = 1
	e, err := r.Replay(a, train, 15)
	if err != nil {
		t.Fatal(err)
	}
	if e.Steps != 15 || !e.Peak.Sure() || e.Peak.Mean >= 0 || e.Peak.Low > e.Peak.Mean || e.Peak.High < e.Peak.Mean || e.Weights > 1e-3 || math.Abs(e.Loss.Mean) > 1e-5 {
		t.Errorf("%s", e)
	}
	if !slices.Equal(before, bits(t, r)) || train.State() != at {
		t.Error("the replay changed the training")
	}
}

// TestReplayOfAWholeStepIsWhole: steps that are measured as one part are one, though the
// training splits some to measure the noise.
func TestReplayOfAWholeStepIsWhole(t *testing.T) {
	r, _ := plain(t, 24, 200)
	r.NoiseEvery = 1
	train := loader(480, 24, 48)
	fit(t, r, train, nil, 1)
	var sizes []int
	loss := r.Loss
	r.Loss = func(t *nn.Tape, b *data.Batch) *nn.Value {
		if !t.Device().Meta() {
			sizes = append(sizes, b.Len())
		}
		return loss(t, b)
	}
	if _, err := r.Replay(Action{From: 1, To: 2}, train, 4); err != nil {
		t.Fatal(err)
	}
	if want := []int{48, 24, 24, 24, 24, 48, 48, 24, 24, 24, 24, 48}; !slices.Equal(sizes, want) {
		t.Errorf("passes of %v examples, want %v", sizes, want)
	}
	sizes = nil
	fit(t, r, train, nil, 1)
	if !slices.Contains(sizes, 12) {
		t.Errorf("after it no step is split any more: %v", sizes)
	}
}

// TestBootstrapCovers: the interval holds the true mean about as often as it says.
func TestBootstrapCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	held := 0
	for range 300 {
		x := make([]float64, 40)
		for i := range x {
			x[i] = 3 + rng.NormFloat64()
		}
		if i := bootstrap(rng, x); i.Low <= 3 && 3 <= i.High {
			held++
		}
	}
	if held < 270 || held > 297 {
		t.Errorf("95 %% intervals held the mean in %d of 300", held)
	}
}

func TestSlowDeviceIsNoted(t *testing.T) {
	r, _ := plain(t, 6, 16)
	w := newWatch(r.Net.Device(), r.Room)
	r.watch = w
	for i := range 200 {
		took := 50 * time.Millisecond
		if i >= 100 {
			took = 250 * time.Millisecond
		}
		w.pace(r, 1, took)
		if i == 103 && len(r.Log.Actions) > 0 {
			t.Errorf("noted after four steps:\n%s", r.Log)
		}
	}
	for i := range 200 { // so short that whatever else runs holds some of them up
		took := time.Millisecond
		if i%20 > 10 {
			took = 5 * time.Millisecond
		}
		w.pace(r, 2, took)
	}
	if len(r.Log.Actions) != 1 || r.Log.Actions[0].What != "note a slow device" {
		t.Errorf("log:\n%s", r.Log)
	}
}

// child is the environment variable that makes the test binary a training to be
// killed.
const child = "ATTUNE_TEST_TRAINING"

func TestMain(m *testing.M) {
	if dir := os.Getenv(child); dir != "" {
		if err := trainForKill(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// trainForKill trains from dir's checkpoint on to the end, and then leaves the weights
// in a file.
func trainForKill(dir string) error {
	dev, err := gpu.OpenCPU(1)
	if err != nil {
		return err
	}
	r := trainerOn(dev, 6, 400)
	r.Seed, r.Patience, r.Every, r.Checkpoint = 5, 50, 1, filepath.Join(dir, "training.safetensors")
	r.Budget.Bytes = killBudget
	if _, err := r.Resume(); err != nil {
		return err
	}
	if err := r.Fit(loader(200, 6, 40), loader(30, 6, 16), 12, func(Event) error {
		time.Sleep(2 * time.Millisecond)
		return nil
	}); err != nil {
		return err
	}
	return r.Save(filepath.Join(dir, "end.safetensors"))
}

// killBudget makes the batches of trainForKill go in parts.
const killBudget = 1_050_000

// TestKillAndResumeToTheBit kills a training at random moments until it comes to its
// end, and compares what it ends with to one that nobody killed.
func TestKillAndResumeToTheBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	run := func(dir string, kill bool) int {
		for kills := 0; ; kills++ {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), child+"="+dir)
			var said strings.Builder
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			var after <-chan time.Time
			if kill && kills < 40 {
				after = time.After(time.Duration(20+rng.IntN(150)) * time.Millisecond)
			}
			select {
			case err := <-ended:
				if err != nil {
					t.Fatalf("after %d kills: %v: %s", kills, err, said.String())
				}
				return kills
			case <-after:
				if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Fatal(err)
				}
				<-ended
			}
		}
	}
	calm, rough := t.TempDir(), t.TempDir()
	run(calm, false)
	kills := run(rough, true)
	if kills < 2 {
		t.Errorf("only %d kills", kills)
	}
	t.Logf("%d kills", kills)
	weights := func(dir string) []uint32 {
		r, _ := plain(t, 6, 400)
		r.Checkpoint = filepath.Join(dir, "end.safetensors")
		if ok, err := r.Resume(); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if r.Steps() != 60 || len(r.Log.Actions) == 0 {
			t.Errorf("%d steps, %d actions", r.Steps(), len(r.Log.Actions))
		}
		return bits(t, r)
	}
	if !slices.Equal(weights(calm), weights(rough)) {
		t.Errorf("other weights after %d kills", kills)
	}
}

// ragged are examples of made-up lengths: batches of one length each.
type ragged struct{ n, batch int }

func (g ragged) Len() int { return g.n }

func (g ragged) Batch(index []int) (*data.Batch, error) {
	rows := 1 + (index[0]*7919)%9
	b := &data.Batch{Shape: []int{len(index), rows, 4}}
	for _, i := range index {
		for k := range 4 * rows {
			b.X = append(b.X, float32((i+k)%5)-2)
		}
		b.Labels = append(b.Labels, i%3)
		b.Targets = append(b.Targets, float32(i))
	}
	return b, nil
}

// fuzzRun trains under a cap that moves, with a neighbour on the same device that
// grabs and gives back, ragged lengths and faults. It returns how often a step failed
// and was done again.
func fuzzRun(t *testing.T, seed uint64) (replays int) {
	rng := rand.New(rand.NewPCG(seed, 99))
	dev, err := gpu.OpenCPU(1)
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	if seed%10 > 0 { // nine in ten compute nothing, on the same allocator
		if dev, err = gpu.OpenMeta(dev); err != nil {
			t.Fatal(err)
		}
		defer dev.Close()
	}
	net := nn.NewNet(dev, seed)
	up := net.Linear("up", 4, 8+rng.IntN(24))
	down := net.Linear("down", up.W.Value.Dim(1), 3)
	fault := 0
	r := &Trainer{Quiet: true, Room: func() (int64, int64) { return 0, 0 }, Seed: seed, Task: Task{
		Net: net, Optimizer: []gpu.Optimizer{gpu.NewAdam(1e-2), gpu.NewSGD(1e-2), gpu.NewLAMB(1e-2)}[rng.IntN(3)],
		Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
			y := down.Apply(t, t.MeanTokens(t.ReLU(up.Apply(t, t.Input(b.X, b.Shape...)))))
			if fault > 0 && t.Device() == dev {
				fault--
				dev.SetCap(1) // whatever the step wants next is refused
			}
			return t.CrossEntropy(y, b.Labels)
		},
	}}
	n, size := 20+rng.IntN(40), 1+rng.IntN(24)
	train := &data.Loader{Data: ragged{n, size}, Size: size, Shuffle: true, Seed: seed, Ahead: -1}
	var got, want []float32
	for epoch := range 3 {
		at := train.State()
		at.Epoch, at.Batch = epoch, 0
		other := &data.Loader{Data: ragged{n, size}, Size: size, Shuffle: true, Seed: seed, Ahead: -1}
		if err := other.Restore(at); err != nil {
			t.Fatal(err)
		}
		for b := range other.Epoch() {
			want = append(want, b.Targets...)
		}
	}
	var neighbour []*gpu.Tensor
	base := int64(1 << 20)
	base += int64(rng.IntN(1 << 15))
	r.Budget.Bytes = base
	disturb := func(e Event) error {
		if e.Done != nil {
			return nil
		}
		got = append(got, e.Batch.Targets...)
		switch rng.IntN(6) {
		case 0:
			r.SetBudget(Budget{Bytes: base - int64(rng.IntN(1<<14))})
		case 1:
			if x, err := dev.Empty(gpu.Float32, mem.Data, 1+rng.IntN(4000)); err == nil {
				neighbour = append(neighbour, x)
			}
		case 2:
			for _, x := range neighbour {
				x.Free()
			}
			neighbour = nil
		case 3:
			fault = 1 + rng.IntN(2)
		}
		return nil
	}
	for tries := 0; ; tries++ {
		err := r.Fit(train, nil, 3, disturb)
		if err == nil {
			break
		}
		var no *NoRoomError
		if !errors.As(err, &no) || tries > 500 {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, x := range neighbour { // the user makes room
			x.Free()
		}
		neighbour, fault = nil, 0
		r.SetBudget(Budget{Bytes: base + 1<<16})
		if live := dev.Memory().Total.Live; live != stays(r) {
			t.Fatalf("seed %d: %d bytes live after a failure, want %d", seed, live, stays(r))
		}
	}
	for _, x := range neighbour {
		x.Free()
	}
	if !slices.Equal(got, want) {
		t.Fatalf("seed %d: applied %d examples, want %d in their order", seed, len(got), len(want))
	}
	if live := dev.Memory().Total.Live; live != stays(r) {
		t.Fatalf("seed %d: %d bytes live at the end, want %d", seed, live, stays(r))
	}
	for _, a := range r.Log.Actions {
		if strings.HasPrefix(a.What, "replay") {
			replays++
		}
	}
	return replays
}

// TestFuzzedRunsLoseNoUpdate is a thousand short trainings under caps, neighbours,
// ragged lengths and faults.
func TestFuzzedRunsLoseNoUpdate(t *testing.T) {
	runs := uint64(1000)
	if testing.Short() {
		runs = 20
	}
	replays := 0
	for seed := range runs {
		replays += fuzzRun(t, seed)
	}
	if replays < int(runs) {
		t.Errorf("%d steps failed in %d runs: too few to show anything", replays, runs)
	}
	t.Logf("%d runs, %d failed steps done again", runs, replays)
}
