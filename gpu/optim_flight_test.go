package gpu

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"testing"

	"attune/gpu/mem"
)

// guardedRun is a training whose norms decide about its steps: what there is of
// parameters, gradients and settings comes from a seed.
type guardedRun struct {
	o             *Training
	opt           Optimizer
	params, grads []*Tensor
	rng           *rand.Rand
	bad           float64 // share of steps with a gradient that is not finite
}

func newGuarded(t *testing.T, dev *Device, make func() Optimizer, seed uint64) *guardedRun {
	t.Helper()
	r := &guardedRun{opt: make(), rng: rand.New(rand.NewPCG(seed, 9)), bad: 0.2}
	r.o = r.opt.(interface{ Common() *Training }).Common()
	r.o.Schedule = Cosine{Steps: 60, Floor: 0.1}
	r.o.Scale = &LossScale{Initial: 256, Growth: 2, Backoff: 0.5, Interval: 2 + int(seed%3)}
	if seed%2 == 0 {
		r.o.Clip = 1.5
	}
	for _, n := range []int{3, 1 + r.rng.IntN(700), 17000} {
		p := must(dev.FromFloat32s(normal(r.rng, n), mem.Parameters, n))(t)
		if n < 100 {
			p = must(p.As(BFloat16))(t)
		}
		r.params, r.grads = append(r.params, p), append(r.grads, must(dev.ZerosOf(p.dtype, mem.Gradients, n))(t))
	}
	return r
}

// deal makes the gradients of a step.
func (r *guardedRun) deal(t *testing.T) {
	t.Helper()
	bad := r.rng.Float64() < r.bad
	for i, g := range r.grads {
		x := normal(r.rng, g.Len())
		for j := range x {
			x[j] *= 64
		}
		if bad && i == 2 {
			x[r.rng.IntN(len(x))] = []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}[r.rng.IntN(3)]
		}
		if err := g.CopyFrom(x); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *guardedRun) step(t *testing.T, count int) {
	t.Helper()
	if err := r.opt.Step(r.params[:count], r.grads[:count]); err != nil {
		t.Fatal(err)
	}
}

// outcome is all that there is to know of a run, to the bit.
func (r *guardedRun) outcome(t *testing.T) string {
	t.Helper()
	var file bytes.Buffer
	if err := r.opt.Save(&file, r.params); err != nil {
		t.Fatal(err)
	}
	for _, p := range r.params {
		fmt.Fprint(&file, read(t, p))
	}
	fmt.Fprint(&file, r.o.Steps(), r.o.Skipped(), r.o.Norm(), r.o.Rate())
	if r.o.Scale != nil {
		fmt.Fprint(&file, r.o.Scale.Value())
	}
	return file.String()
}

// TestLookingChangesNothing: whether somebody asks after each step, now and then or at the
// end only, no bit of parameters, state, counters, scale and schedule differs. There are
// more steps than the host foresees, and a parameter that joins late.
func TestLookingChangesNothing(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		if testing.Short() && dev.name == "cpu" {
			t.Skip("the CPU decides on the host")
		}
		for k, c := range pairings() {
			var want string
			for _, often := range []int{1, 7, 1000} {
				r := newGuarded(t, dev, c.make, uint64(k))
				for step := range 2*ahead + 3 {
					if c.name != "adam" && step == 12 {
						break
					}
					r.deal(t)
					count := 3
					if step < 5 {
						count = 2 // the third joins at the sixth step
					}
					r.step(t, count)
					if (step+1)%often == 0 {
						_ = []any{r.o.Steps(), r.o.Norm(), r.o.Scale.Value(), r.o.Rate()}
					}
				}
				if got := r.outcome(t); want == "" {
					want = got
				} else if got != want {
					t.Errorf("%s: asking every %d steps gives other values", c.name, often)
				}
			}
		}
	})
}

// TestStepsDoNotWait: steps that clip, skip and scale, and the beginning of a pass under
// the scale, do nothing that waits for the device; what is known afterwards is what the
// CPU knows.
func TestStepsDoNotWait(t *testing.T) {
	dev, cpu := fakeDevice(t, nil), must(Open("cpu"))(t)
	for k, c := range pairings() {
		a, b := newGuarded(t, dev, c.make, uint64(k)), newGuarded(t, cpu, c.make, uint64(k))
		loss := [2]*Tensor{must(dev.Zeros(mem.Gradients, 1))(t), must(cpu.Zeros(mem.Gradients, 1))(t)}
		for step := range 12 {
			for i, r := range []*guardedRun{a, b} {
				r.deal(t)
				if step > 0 && i == 0 { // the first makes state and loads kernels
					t.Setenv("FAKECUDA", "no_sync")
				}
				if err := r.o.LossGradient(loss[i], 0.3); err != nil {
					t.Fatal(c.name, err)
				}
				r.step(t, 3)
				t.Setenv("FAKECUDA", "")
			}
			if x, y := read(t, loss[0])[0], read(t, loss[1])[0]; x != y {
				t.Fatalf("%s: the loss's gradient is %g, on the CPU %g", c.name, x, y)
			}
		}
		if a.o.flight.tried != 12 {
			t.Errorf("%s: the host has looked %d steps ago", c.name, a.o.flight.tried)
		}
		if a.o.Steps() != b.o.Steps() || a.o.Skipped() != b.o.Skipped() || a.o.Skipped() == 0 || a.o.Scale.Value() != b.o.Scale.Value() || a.o.Rate() != b.o.Rate() {
			t.Errorf("%s: %s, scale %g; on the CPU %s, scale %g", c.name, a.o, a.o.Scale.Value(), b.o, b.o.Scale.Value())
		}
		if x, y := a.o.Norm(), b.o.Norm(); !(math.Abs(x-y) <= 1e-12*y) && x == x && !math.IsInf(x, 0) {
			t.Errorf("%s: norm %g, on the CPU %g", c.name, x, y)
		}
		for i, p := range a.params {
			want := read(t, b.params[i])
			for j, got := range read(t, p) {
				if err := offBy(p.dtype, got, want[j]); err != nil {
					t.Fatalf("%s: %s: %v", c.name, p, err)
				}
			}
		}
	}
}

// TestTheScaleIsShared: two optimizers have one loss scale, and one that is exchanged, or
// whose optimizer is given back, keeps its value.
func TestTheScaleIsShared(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		a, b := newGuarded(t, dev, func() Optimizer { return NewAdam(0.1) }, 1), newGuarded(t, dev, func() Optimizer { return NewSGD(0.1) }, 1)
		a.bad, b.bad = 1, 1
		s := a.o.Scale
		b.o.Scale = s
		for range 2 {
			for _, r := range []*guardedRun{a, b} {
				r.deal(t)
				r.step(t, 3)
			}
		}
		if c := must(Fresh(a.opt))(t).(*Adam).Scale; c.Value() != 256/16 { // b has it on its device
			t.Errorf("the scale is %g in a fresh optimizer", c.Value())
		}
		if s.Value() != 256/16 || a.o.Skipped() != 2 || b.o.Skipped() != 2 {
			t.Errorf("after four bad steps the scale is %g", s.Value())
		}
		a.deal(t)
		a.step(t, 3)
		a.o.Scale = SkipBad()
		a.step(t, 3)
		if s.Value() != 256/32 || a.o.Scale.Value() != 1 || a.o.Skipped() != 4 {
			t.Errorf("the scale is %g, the other %g after %d skipped", s.Value(), a.o.Scale.Value(), a.o.Skipped())
		}
		b.step(t, 3)
		twin := must(Fresh(b.opt))(t).(*SGD)
		if err := b.o.Free(); err != nil || s.Value() != 256/64 || twin.Scale.Value() != 256/64 || twin.Steps() != 0 {
			t.Errorf("the scale is %g, of a fresh optimizer %g: %v", s.Value(), twin.Scale.Value(), err)
		}
		if err := a.o.Free(); err != nil || dev.Memory().ByCategory[mem.OptimizerState].Live != 0 || dev.Memory().ByCategory[mem.Workspace].Live != 0 {
			t.Errorf("memory is left: %+v, %v", dev.Memory().ByCategory, err)
		}
	})
}

// TestTheScaleStaysWithItsHolder: an optimizer that is given back, or loaded, leaves a scale
// that they share with the other one, whose steps are in flight.
func TestTheScaleStaysWithItsHolder(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		for _, loads := range []bool{false, true} {
			a, b := newGuarded(t, dev, func() Optimizer { return NewAdam(0.1) }, 1), newGuarded(t, dev, func() Optimizer { return NewSGD(0.1) }, 1)
			a.bad, b.bad, b.o.Scale = 1, 1, a.o.Scale
			a.deal(t)
			b.deal(t)
			a.step(t, 3)
			var file bytes.Buffer
			if err := a.opt.Save(&file, a.params); err != nil { // with 128
				t.Fatal(err)
			}
			b.step(t, 3)
			want, err := 64.0, error(nil)
			if loads {
				want, err = 128, a.opt.Load(&file, a.params)
			} else {
				err = a.o.Free()
			}
			loss := must(dev.Zeros(mem.Gradients, 1))(t)
			if err := errors.Join(err, b.o.LossGradient(loss, 1)); err != nil {
				t.Fatal(err)
			}
			b.step(t, 3)
			if got := read(t, loss)[0]; got != want || b.o.Scale.Value() != want/2 || b.o.Skipped() != 2 {
				t.Errorf("loads: %v: the loss's gradient is %g, want %g, and the scale then %g", loads, got, want, b.o.Scale.Value())
			}
		}
	})
}

// TestLoadedStateSteps: a step that went wrong and was not told of yet does not keep the
// first one of a state that was loaded since from being done.
func TestLoadedStateSteps(t *testing.T) {
	r := newGuarded(t, fakeDevice(t, nil), func() Optimizer { return NewSGD(0.1) }, 2)
	r.o.Scale = nil
	var file bytes.Buffer
	for _, r.bad = range []float64{0, 1, 0} {
		if r.bad == 1 {
			if err := r.opt.Save(&file, r.params); err != nil {
				t.Fatal(err)
			}
		}
		if file.Len() > 0 && r.bad == 0 {
			if err := r.opt.Load(&file, r.params); err != nil {
				t.Fatal(err)
			}
		}
		r.deal(t)
		r.step(t, 3)
	}
	if n := r.o.Steps(); n != 2 {
		t.Errorf("%d steps are done", n)
	}
}

// TestStateNeedsTheDevice: what only a device knows that does not answer is no state to save
// or move, whatever else was asked before; once it answers again, nothing is lost.
func TestStateNeedsTheDevice(t *testing.T) {
	r := newGuarded(t, fakeDevice(t, nil), func() Optimizer { return NewSGD(0.1) }, 2)
	r.bad = 0
	r.deal(t)
	r.step(t, 3)
	t.Setenv("FAKECUDA", "no_download")
	if n := r.o.Steps(); n != 0 {
		t.Errorf("%d steps are known", n)
	}
	for range 2 {
		var file bytes.Buffer
		err := r.opt.Save(&file, r.params[2:])
		if err == nil || !strings.Contains(err.Error(), "save the state of sgd: read what came of the last 1 steps: ") || file.Len() > 0 {
			t.Errorf("%d bytes are saved: %v", file.Len(), err)
		}
		if err := r.opt.Move(r.params[2], r.params[2]); err == nil || !strings.Contains(err.Error(), "move optimizer state: read what came of") {
			t.Error(err)
		}
	}
	t.Setenv("FAKECUDA", "")
	r.deal(t)
	r.step(t, 3)
	var file bytes.Buffer
	if err := r.opt.Save(&file, r.params); err != nil || r.o.Steps() != 2 || r.o.Scale.Value() != 256 {
		t.Errorf("%d steps, scale %g: %v", r.o.Steps(), r.o.Scale.Value(), err)
	}
	r.deal(t)
	r.step(t, 3)
	t.Setenv("FAKECUDA", "no_download")
	if err := r.o.Free(); err != nil || r.o.Scale.Value() != 256 || r.o.Steps() != 0 {
		t.Errorf("scale %g, %d steps: %v", r.o.Scale.Value(), r.o.Steps(), err)
	}
}

// TestFailedStepsDoNotCount: a step that the device decided about and whose launch failed is
// none, also where the device cannot be asked at once; no step is done before it is.
func TestFailedStepsDoNotCount(t *testing.T) {
	for _, bad := range []float64{0, 1} {
		for _, inject := range []string{"", "no_download"} {
			r := newGuarded(t, fakeDevice(t, nil), func() Optimizer { return NewSGD(0.1) }, 2)
			r.bad = 0
			r.deal(t)
			r.step(t, 3)
			r.bad = bad
			r.deal(t)
			t.Setenv("FAKECUDA", inject)
			list := r.o.line.groups[0].lists[0]
			blocks := list.blocks
			list.blocks = 0 // what no driver launches
			if err := r.opt.Step(r.params, r.grads); err == nil || !strings.Contains(err.Error(), "launch update") {
				t.Error(err)
			}
			list.blocks = blocks
			if inject != "" {
				if err := r.opt.Step(r.params, r.grads); err == nil || !strings.Contains(err.Error(), "read what came of the last 2 steps") {
					t.Error(err)
				}
			}
			t.Setenv("FAKECUDA", "")
			r.bad = 0
			r.deal(t)
			r.step(t, 3)
			if r.o.Steps() != 2 || r.o.Skipped() != int(bad) || r.o.state[r.params[0]].steps != 2 {
				t.Errorf("bad: %g, %q: %s, step %d of a parameter", bad, inject, r.o, r.o.state[r.params[0]].steps)
			}
		}
	}
}

// TestNoPartOfAStepIsDone: where the kernels or the memory of one group of parameters are
// missing, no group's parameters or state change, with whatever decides about the step.
func TestNoPartOfAStepIsDone(t *testing.T) {
	for i, make := range []func() Optimizer{func() Optimizer { return NewLAMB(0.1) }, func() Optimizer { return NewLARS(0.1) }, func() Optimizer { return NewAdam(0.1) }} {
		for _, decided := range []bool{true, false} {
			dev := fakeDevice(t, nil)
			r := newGuarded(t, dev, make, 1)
			r.bad = 0
			if !decided {
				r.o.Scale, r.o.Clip = nil, 0
			}
			// What sums the norms of this one takes most of the workspace.
			r.params = append(r.params, must(dev.Zeros(mem.Parameters, 300_000))(t))
			r.grads = append(r.grads, must(dev.Zeros(mem.Gradients, 300_000))(t))
			for j, p := range r.params {
				r.o.SetFactor(p, float64(1+j))
			}
			r.deal(t)
			if err := r.o.prepare(r.params); err != nil {
				t.Fatal(err)
			}
			before := r.outcome(t)
			if i < 2 {
				dev.SetCap(dev.Memory().Total.Live + 1024)
			} else {
				c := dev.back.(*cuda)
				c.trials = newTrials("", nil, nil)
				for _, name := range []string{"update_3", "sum_squares", "step_decide", "step_choose"} {
					c.trials.of[name] = &trial{over: true}
				}
				c.trials.of["update_3h"] = &trial{over: true, err: ErrBrokenKernel}
			}
			err := r.opt.Step(r.params, r.grads)
			dev.SetCap(0)
			if got := r.outcome(t); err == nil || got != before {
				t.Errorf("%s, decided: %v: %v; changed: %v", r.o.rule.name(), decided, err, got != before)
			}
		}
	}
}

// TestTheScaleNeverIsZero: a scale that bad steps lower stops above 0 and can rise again, to
// the bit as on the CPU; one that is set to 0, or was saved so, is refused.
func TestTheScaleNeverIsZero(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		r := newGuarded(t, dev, func() Optimizer { return NewSGD(0.1) }, 1)
		r.o.Scale, r.bad = &LossScale{Initial: 4, Growth: 2, Backoff: 0x1p-60, Interval: 1}, 1
		for range 5 {
			r.deal(t)
			r.step(t, 3)
		}
		if s := r.o.Scale.Value(); s != 0x1p-118 {
			t.Errorf("after 5 bad steps the scale is %g", s)
		}
		r.bad = 0
		r.deal(t)
		r.step(t, 3)
		if s := r.o.Scale.Value(); s != 0x1p-117 || r.o.Skipped() != 5 {
			t.Errorf("after a good step the scale is %g, %d skipped", s, r.o.Skipped())
		}
		var file bytes.Buffer
		if err := r.opt.Save(&file, r.params); err != nil {
			t.Fatal(err)
		}
		const value = `\"scale\":{\"value\":6.018531076210112e-36,`
		text := strings.Replace(file.String(), value, `\"scale\":{\"value\":0`+strings.Repeat(" ", len(value)-len(`\"scale\":{\"value\":0,`))+",", 1)
		if err := r.opt.Load(strings.NewReader(text), r.params); err == nil || !strings.Contains(err.Error(), "the loss scale is 0: want a number above 0") {
			t.Errorf("%v: %.200q", err, text)
		}
		for _, s := range []float64{0, -1, math.NaN(), math.Inf(1)} {
			r.o.Scale = &LossScale{Initial: s}
			before := read(t, r.params[2])
			if err := r.opt.Step(r.params, r.grads); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("the loss scale is %g: want a number above 0", s)) || same(read(t, r.params[2]), before) != nil {
				t.Error(err)
			}
		}
	})
}

// TestShapesStepAsAlways: on a device of shapes a step is done, and takes the same bytes.
func TestShapesStepAsAlways(t *testing.T) {
	// What nobody gives back is collected at times that differ, and so would the peaks.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	dev := fakeDevice(t, nil)
	shapes := must(OpenMeta(dev))(t)
	var peaks [2]int64
	for i, d := range []*Device{dev, shapes} {
		r := newGuarded(t, d, func() Optimizer { return NewLARS(0.1) }, 2)
		r.bad = 0
		for range 5 {
			r.deal(t)
			r.step(t, 3)
		}
		if r.o.Steps() != 5 || r.o.Scale.Value() != 512 {
			t.Errorf("%s: %s, scale %g", d, r.o, r.o.Scale.Value())
		}
		peaks[i] = d.Memory().Total.Peak
	}
	if peaks[0] != peaks[1] {
		t.Errorf("a peak of %d bytes, of shapes %d", peaks[0], peaks[1])
	}
}

// guardMutations are mistakes in what decides about a step.
var guardMutations = []kernelMutation{
	{"guards", "optim.cu", "if (r.skip) return;", ""},
	{"guards", "optim.cu", "if (r.stopped) return;", ""},
	{"guards", "optim.cu", "if (p.clip > 0 && fits < 1) factor *= fits;", ""},
	{"guards", "optim.cu", "scaled ? 1 / r.scale : 1", "1"},
	{"guards", "optim.cu", "if (scaled && p.backoff > 0 && r.scale * p.backoff >= LEAST_SCALE) r.scale *= p.backoff;", ""},
	{"guards", "optim.cu", "r.good >= p.interval", "r.good > p.interval"},
	{"guards", "optim.cu", "p.to->done - 1 - p.first", "p.to->done - p.first"},
	{"guards", "optim.cu", "p.gate && p.gradients", "p.gate != 0"},
	{"guards", "optim.cu", "n < p.count", "n < p.count - 1"},
	{"guards", "optim.cu", "p.weight * p.from->scale", "p.weight"},
}

// guardsAgree compares a training on dev with one on the CPU, and what a step after one
// that is an error does.
func guardsAgree(t *testing.T, dev *Device) bool {
	t.Helper()
	for seed, make := range []func() Optimizer{
		func() Optimizer { return NewAdam(0.01) }, func() Optimizer { return NewSGD(0.01) }, func() Optimizer { return NewLAMB(0.01) }, func() Optimizer { return NewLARS(0.1) },
	} { // those of an even seed clip
		var all [2][]float64
		for i, d := range []*Device{dev, must(Open("cpu"))(t)} {
			r := newGuarded(t, d, make, uint64(seed))
			r.o.Schedule = Cosine{Steps: 12}
			loss := must(d.Zeros(mem.Gradients, 1))(t)
			for range 9 {
				r.deal(t)
				r.step(t, 3)
			}
			if err := r.o.LossGradient(loss, 0.3); err != nil {
				t.Fatal(err)
			}
			for _, p := range append(r.params, loss) {
				all[i] = append(all[i], read(t, p)...)
			}
			all[i] = append(all[i], float64(r.o.Steps()), float64(r.o.Skipped()), r.o.Scale.Value(), r.o.Norm())
		}
		for j, x := range all[0] {
			if y := all[1][j]; x != y && (x == x || y == y) && !(math.Abs(x-y) <= 1e-2*(1+math.Abs(y))) {
				return false
			}
		}
	}
	r := newGuarded(t, dev, func() Optimizer { return NewSGD(0.1) }, 2)
	r.o.Scale, r.bad = nil, 1
	r.deal(t)
	before := read(t, r.params[2])
	r.step(t, 3)
	r.bad = 0
	r.deal(t)
	r.step(t, 3)
	return same(read(t, r.params[2]), before) == nil && r.o.Steps() == 0
}
