package balance

import (
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"attune/gpu"
	"attune/stdlib/balance/control"
)

// machine is a made-up one: a step takes fixed + each·B seconds, a little more at times.
type machine struct{ fixed, each float64 }

func (m machine) step(size int, rng *rand.Rand) float64 {
	t := m.fixed + m.each*float64(size)
	return t * (1 + 0.5*rng.ExpFloat64())
}

// drive has a training's sizes follow a noise scale for so many steps, and returns what
// they came to.
func drive(m machine, noise func(step int) float64, from, least, most, steps int, rng *rand.Rand) (sizes []int) {
	f := following{Size: from, Times: map[int]float64{}, Seen: map[int]int{}, Hold: followHold}
	bound := func(size int) int { return max(least, min(size, most)) }
	for t := range steps {
		sizes = append(sizes, f.Size)
		f.Since++
		f.timed(f.Size, m.step(f.Size, rng))
		f.move(noise(t), bound)
	}
	return sizes
}

// TestBatchFollowsTheNoise: from wherever it begins it comes to a batch that takes little
// more time than the best, though it sees no step's time but with noise, and rests there.
func TestBatchFollowsTheNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	worst, sum := 0.0, 0.0
	for round := range 300 {
		m := machine{fixed: 1e-5 * math.Exp2(10*rng.Float64()), each: 1e-7 * math.Exp2(10*rng.Float64())}
		noise := 10 * math.Exp2(10*rng.Float64())
		cost := func(size int) float64 { return (1 + noise/float64(size)) * (m.fixed + m.each*float64(size)) }
		sizes := drive(m, func(int) float64 { return noise }, 8<<rng.IntN(8), 8, 1024, 4000, rng)
		least := math.Inf(1)
		for size := 8; size <= 1024; size *= 2 {
			least = min(least, cost(size))
		}
		over := cost(sizes[len(sizes)-1]) / least
		worst, sum = max(worst, over), sum+over/300
		turns := 0
		for i := 2000; i < len(sizes); i++ {
			if sizes[i] != sizes[i-1] {
				turns++
			}
		}
		if turns > 0 {
			t.Errorf("round %d: %d changes after 2,000 steps of the same", round, turns)
		}
	}
	t.Logf("the time is %.3f of the least in the mean, %.2f at worst", sum, worst)
	if sum > 1.03 || worst > 1.4 {
		t.Error("too far from the best batch")
	}
}

// TestBatchDoesNotChatter: an estimate of the noise that jumps about by a factor of two
// and more turns the size once for each doubling of the time that it then waits.
func TestBatchDoesNotChatter(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 2))
		log := math.Log(300)
		sizes := drive(machine{50e-6, 2e-6}, func(int) float64 {
			log += 0.05*(math.Log(300)-log) + 0.2*rng.NormFloat64()
			return math.Exp(log)
		}, 32, 8, 1024, 10000, rng)
		if n := control.Reversals(sizes); float64(n) > 1+math.Log2(10000/followHold) {
			t.Errorf("seed %d: %d reversals in 10,000 steps", seed, n)
		}
	}
}

// TestNoiseDrowns: where a mean gradient cannot be told from none, the scale is taken for
// several batches, not for unknown.
func TestNoiseDrowns(t *testing.T) {
	e := noise{S: 100, G2: -1, N: 100}
	if e.scale() != 0 || e.least(32) != 256 {
		t.Errorf("%g, at least %g", e.scale(), e.least(32))
	}
	if e.G2 = 0.1; e.least(32) != 256 || e.least(1000) != 1000 {
		t.Errorf("at least %g and %g", e.least(32), e.least(1000))
	}
}

func TestFitFollowsTheNoise(t *testing.T) {
	follow := func() *Trainer {
		r, _ := plain(t, 6, 16)
		r.Optimizer, r.RateBatch, r.Rule, r.MinBatch, r.MaxBatch, r.Every = gpu.NewAdam(1e-2), 16, SquareRoot, 4, 64, 1
		return r
	}
	r := follow()
	r.Checkpoint = filepath.Join(t.TempDir(), "training.safetensors")
	seen, changed, end := map[int]int{}, 0, errors.New("end")
	err := r.Fit(loader(6400, 6, 64), nil, 3, func(e Event) error {
		if e.Done == nil {
			seen[e.Batch.Len()]++
		}
		if changed = len(r.Log.Actions); e.Step == 200 {
			return end
		}
		return nil
	})
	if !errors.Is(err, end) || changed == 0 || seen[16] < followHold || seen[32] < followHold {
		t.Fatalf("%v; updates of %v\n%s", err, seen, r.Log)
	}
	first := r.Log.Actions[0]
	if first.What != "32 examples an update in place of 16, rate 0.0141" || first.Cause == "" || first.Time == 0 || first.Peak == 0 {
		t.Errorf("%+v", first)
	}
	for size := range seen {
		if size > 64 || size < 4 {
			t.Errorf("an update of %d examples", size)
		}
	}
	again := follow()
	again.Checkpoint = r.Checkpoint
	if ok, err := again.Resume(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if a, b := r.state.Following, again.state.Following; a.Size != b.Size || a.Since != b.Since || len(a.Times) != len(b.Times) || a.Hold != b.Hold {
		t.Errorf("resumed with %+v, was %+v", b, a)
	}
	examples := 0
	fit(t, again, loader(6400, 6, 64), nil, 3, func(e Event) error {
		if e.Done == nil {
			examples += e.Batch.Len()
		}
		return nil
	})
	done := 0
	for size, n := range seen {
		done += size * n
	}
	if done+examples != 3*6400 {
		t.Errorf("%d examples before and %d after, want %d", done, examples, 3*6400)
	}
	if !strings.Contains(again.Noise().String(), "useful batch") && again.Noise().Scale != 0 {
		t.Error(again.Noise())
	}
}
