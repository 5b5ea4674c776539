package balance

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"attune/gpu"
	"attune/gpu/driver/fakecuda"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// randomPace is readings with disturbances.
func randomPace(r *rand.Rand) *pace {
	p := &pace{update: r.Float64()}
	layers := r.IntN(4)
	for size := 1; len(p.at) < 1+r.IntN(7); size += 1 + r.IntN(20) {
		a := reading{size: size, pass: r.Float64() + float64(size)*0.1}
		for range layers {
			a.layers = append(a.layers, r.Float64()*float64(size))
		}
		p.at = append(p.at, a)
	}
	return p
}

// TestTimesObeyTheirLaws: whatever was measured, a larger pass takes no less, computing
// more layers twice takes no less, a measured size takes what was measured but for
// disturbances, and twice the passes of a size take twice the time.
func TestTimesObeyTheirLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(1+math.Abs(b)) }
	for range 2000 {
		p := randomPace(r)
		measured := slices.Clone(p.at)
		p.settle()
		for i, a := range measured {
			least := a.pass
			for _, b := range measured[i:] {
				least = min(least, b.pass)
			}
			if got := p.of(a.size, 0); got != least {
				t.Fatalf("%d examples: %g, measured %g", a.size, got, least)
			}
		}
		before := 0.0
		for size := 1; size < 200; size++ {
			now := 0.0
			for again := 0; again <= p.layers(); again++ {
				got := p.of(size, again)
				if got < now || again == 0 && got < before-1e-12 {
					t.Fatalf("%+v: %d examples, %d layers twice: %g after %g and %g", p.at, size, again, got, now, before)
				}
				if now = got; again == 0 {
					before = got
				}
			}
		}
		micro, k := 1+r.IntN(60), 1+r.IntN(9)
		once, _ := p.step(micro*k, k, 0)
		double, _ := p.step(2*micro*k, 2*k, 0)
		if !near(double-p.update, 2*(once-p.update)) || !near(once-p.update, float64(k)*p.of(micro, 0)) {
			t.Fatalf("%d passes of %d: %g, twice as many: %g, of which the update is %g", k, micro, once, double, p.update)
		}
		if _, err := p.step(10, 1, p.layers()+1); err == nil {
			t.Fatal("a layer that was not measured is computed twice")
		}
	}
}

// timedTask is a small task on the CPU, or the device that ATTUNE_DEVICE names, that
// counts what its loss is asked for where there are numbers.
func timedTask(t *testing.T) (task Task, b *data.Batch, real *int) {
	t.Helper()
	dev, err := gpu.Open(cmp.Or(os.Getenv("ATTUNE_DEVICE"), "cpu"))
	if err != nil {
		t.Fatal(err)
	}
	net := nn.NewNet(dev, 1)
	model := net.Sequential("model", net.Linear("a", 24, 40), nn.ReLU(), net.Linear("b", 40, 5))
	real = new(int)
	task = Task{Net: net, Model: model, Optimizer: gpu.NewAdam(1e-2), Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
		if !t.Device().Meta() {
			*real++
		}
		return t.CrossEntropy(model.Apply(t, t.Input(b.X, b.Shape...)), b.Labels)
	}}
	b = &data.Batch{X: make([]float32, 32*24), Shape: []int{32, 24}, Labels: make([]int, 32)}
	for i := range b.X {
		b.X[i] = float32(i%7) - 3
	}
	return task, b, real
}

func TestCalibrationIsRememberedAndChangesNothing(t *testing.T) {
	task, b, real := timedTask(t)
	weights := func() (all []float32) {
		for _, p := range task.Net.Params() {
			x, err := p.Value.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, x...)
		}
		return all
	}
	before, memory := weights(), task.Net.Device().Memory().Total
	c, err := Calibrate(task, b)
	if err != nil {
		t.Fatal(err)
	}
	if now := task.Net.Device().Memory().Total; !slices.Equal(before, weights()) || now != memory || task.Optimizer.Steps() != 0 || task.Net.Err() != nil {
		t.Errorf("measuring changed the task: %+v, then %+v", memory, now)
	}
	var sizes []int
	for _, r := range c.known[c.key(b, &Plan{}, true)].at {
		sizes = append(sizes, r.size)
		if r.pass <= 0 || len(r.layers) != 3 {
			t.Errorf("%+v", r)
		}
	}
	if all := []int{1, 2, 3, 4, 6, 8, 12, 16, 24, 32}; len(sizes) < 2 || !slices.Equal(sizes, all[:len(sizes)]) {
		t.Errorf("measured at %v", sizes)
	}
	task.Calibration = c
	ran := *real
	for _, plan := range []Plan{{}, {Micro: 5}, {Micro: 20, Cuts: []int{1, 3}}, {Batch: 7}} {
		took, err := c.Step(b, plan)
		e, err2 := EvaluateAt(task, b, plan, Timed)
		if err != nil || err2 != nil || took <= 0 || e.StepTime != took {
			t.Errorf("%+v: %s, %v, %v", plan, took, err, err2)
		}
	}
	if *real != ran {
		t.Errorf("%d passes were run for what is known", *real-ran)
	}
	if _, err := c.Step(b, Plan{Freeze: []string{"a.*"}}); err != nil || *real == ran {
		t.Errorf("a frozen layer's time came without measuring: %v", err)
	}
	ran = *real
	if _, err := c.Step(b, Plan{Freeze: []string{"a.*"}, Micro: 3}); err != nil || *real != ran {
		t.Errorf("a frozen layer was measured twice: %v", err)
	}
	if s := c.String(); !strings.Contains(s, "without a.*") || !strings.Contains(s, "32") {
		t.Errorf("it says\n%s", s)
	}
	other, _, _ := timedTask(t)
	other.Calibration = c
	if _, err := Evaluate(other, b, Timed); err == nil || !strings.Contains(err.Error(), "another net") {
		t.Errorf("another net's times: %v", err)
	}
}

func TestCalibrationKeepsToItsRoom(t *testing.T) {
	task, b, _ := timedTask(t)
	need := func(n int) int64 {
		e, err := Evaluate(task, b.Slice(0, n))
		if err != nil {
			t.Fatal(err)
		}
		return e.Peak
	}
	c, err := newCalibration(task, need(16))
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.pace(b, &Plan{}, true)
	if err != nil || p.at[len(p.at)-1].size > 16 {
		t.Errorf("%+v, %v", p, err)
	}
	if c, err = newCalibration(task, 1000); err != nil {
		t.Fatal(err)
	}
	if _, err = c.pace(b, &Plan{}, true); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("measured in 1000 bytes: %v", err)
	}
	shapes, err := gpu.OpenMeta(task.Net.Device())
	if err != nil {
		t.Fatal(err)
	}
	task.Net = nn.NewNet(shapes, 1)
	if _, err := Calibrate(task, b); err == nil {
		t.Error("a device of shapes has a speed")
	}
}

// made is a calibration as if passes took these times.
func made(task Task, b *data.Batch, perExample map[string]float64) *Calibration {
	c := &Calibration{task: task, known: map[string]*pace{}, copy: 1e9}
	for pattern, each := range perExample {
		plan := &Plan{}
		if pattern != "" {
			plan.Freeze = []string{pattern}
		}
		// A pass has 1 ms of its own, and an update takes 2.
		p := &pace{update: 2e-3}
		for _, n := range []int{1, b.Len()} {
			layer := each * float64(n) / 9
			p.at = append(p.at, reading{n, 1e-3 + each*float64(n), []float64{layer, layer, layer}})
		}
		for _, plan.Precision = range []gpu.DType{gpu.Float32, gpu.BFloat16} { // halves as fast
			c.known[c.key(b, plan, true)] = p
		}
	}
	return c
}

// TestAllocateKeepsToTheTime gives Allocate a device whose times are known.
func TestAllocateKeepsToTheTime(t *testing.T) {
	task, b, _ := timedTask(t)
	task.Calibration = made(task, b, map[string]float64{"": 1e-3, "a.*": 0.5e-3})
	ask := func(budget Budget, al Allowed) (*Plan, error) { return Allocate(task, b, budget, al) }
	within := func(ms float64) Budget { return Budget{Time: duration(ms / 10), Steps: 100} }

	p, err := ask(within(35.1), Allowed{})
	if err != nil || len(p.Why) != 0 || p.Time != 35*time.Millisecond || p.Micro != 32 {
		t.Fatalf("%v, %v", p, err)
	}
	// In half the memory: passes or layers twice, and how much slower.
	half := Budget{Bytes: p.Peak - 1, Time: time.Hour}
	q, err := ask(half, Allowed{})
	if err != nil || q.Time <= p.Time || len(q.Why) == 0 || math.Abs(q.Why[0].Slower-float64(q.Time)/float64(p.Time)) > 1e-6 {
		t.Fatalf("%v, %v", q, err)
	}
	half.Time = p.Time + time.Microsecond
	var no *InfeasibleError
	if _, err = ask(half, Allowed{}); !errors.As(err, &no) || no.Nearest.Time != q.Time || !strings.Contains(err.Error(), "no plan is done in 35 ms a step: the nearest takes") {
		t.Fatalf("%v", err)
	}
	// Too short for all of it: what is frozen, or a smaller batch, and never unasked.
	if _, err = ask(within(20.5), Allowed{}); !errors.As(err, &no) || no.Otherwise == nil || no.Allow != "a smaller batch (SmallerBatch: true)" ||
		!strings.Contains(err.Error(), "no plan is done in 20.5 ms a step: the nearest takes 35 ms; it is done in 20 ms if you allow a smaller batch") {
		t.Fatalf("%v", err)
	}
	f, err := ask(within(20.5), Allowed{Freeze: [][]string{{"a.*"}}, SmallerBatch: true})
	if err != nil || !slices.Equal(f.Freeze, []string{"a.*"}) || f.Batch != 32 || f.Time != 19*time.Millisecond {
		t.Fatalf("%v, %v", f, err)
	}
	s, err := ask(within(20.5), Allowed{SmallerBatch: true})
	if err != nil || s.Batch != 17 || s.Time != 20*time.Millisecond || s.Freeze != nil {
		t.Fatalf("%v, %v", s, err)
	}
	// Twice the steps in twice the time is the same plan.
	if again, err := ask(Budget{Time: 4100 * time.Millisecond, Steps: 200}, Allowed{SmallerBatch: true}); err != nil || again.Batch != s.Batch || again.Time != s.Time {
		t.Fatalf("%v, %v", again, err)
	}
	if _, err := ask(within(3), Allowed{SmallerBatch: true, Freeze: [][]string{{"a.*"}}}); !errors.As(err, &no) {
		t.Fatalf("less than an update takes: %v", err)
	}
}

// TestAllocateMeasures asks for a time that anything meets, and one that nothing does.
func TestAllocateMeasures(t *testing.T) {
	task, b, real := timedTask(t)
	p, err := Allocate(task, b, Budget{Time: time.Hour}, Allowed{})
	if err != nil || p.Time <= 0 || *real == 0 || len(p.Why) != 0 {
		t.Fatalf("%v, %v", p, err)
	}
	var no *InfeasibleError
	if _, err = Allocate(task, b, Budget{Time: 1}, Allowed{SmallerBatch: true}); !errors.As(err, &no) || no.Nearest.Time <= 0 {
		t.Fatalf("%v", err)
	}
}

// TestFasterInPartsIsFound: where the caches like smaller passes, a short time has them.
func TestFasterInPartsIsFound(t *testing.T) {
	task, b, _ := timedTask(t)
	c := made(task, b, map[string]float64{"": 1e-3})
	p := c.known[c.key(b, &Plan{}, true)]
	p.at = slices.Insert(p.at, 1, reading{16, 9e-3, p.at[1].layers})
	task.Calibration = c
	plan, err := Allocate(task, b, Budget{Time: 21 * time.Millisecond}, Allowed{})
	if err != nil || plan.Micro != 16 || plan.Time != 20*time.Millisecond {
		t.Fatalf("%v, %v", plan, err)
	}
}

// TestBehindTheFakeDriver measures times in a process whose libcuda is the fake one.
func TestBehindTheFakeDriver(t *testing.T) {
	if os.Getenv("ATTUNE_DEVICE") != "" || testing.Short() {
		t.Skip("this is that process, or the tests are to be short")
	}
	dir := t.TempDir()
	if _, err := fakecuda.Build(dir, nil); errors.Is(err, fakecuda.ErrNoCompiler) {
		t.Skip("cannot build the fake driver:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	out, err := fakecuda.Again(dir, t.TempDir(), "Calibration|AllocateMeasures|AllocateKeepsToTheTime")
	if err != nil || !strings.Contains(out, "--- PASS: TestCalibrationIsRemembered") {
		t.Fatalf("%v\n%s", err, out)
	}
}
