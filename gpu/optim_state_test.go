package gpu

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"attune/gpu/mem"
	"attune/gpu/ref/vectors"
)

// randomStep does a step with random gradients.
func randomStep(t *testing.T, o Optimizer, rng *rand.Rand, params []*Tensor) {
	t.Helper()
	var grads []*Tensor
	for _, p := range params {
		g := must(p.Device().Empty(p.DType(), mem.Gradients, p.Shape()...))(t)
		if err := g.CopyFrom(normal(rng, p.Len())); err != nil {
			t.Fatal(err)
		}
		grads = append(grads, g)
	}
	if err := o.Step(params, grads); err != nil {
		t.Fatal(err)
	}
}

func clones(t *testing.T, params []*Tensor) []*Tensor {
	t.Helper()
	var out []*Tensor
	for _, p := range params {
		out = append(out, must(p.Clone())(t))
	}
	return out
}

func equal(t *testing.T, a, b []*Tensor) error {
	t.Helper()
	for i := range a {
		if err := same(read(t, a[i]), read(t, b[i])); err != nil {
			return fmt.Errorf("%s: %w", a[i], err)
		}
	}
	return nil
}

// TestStateGoesOnAfterLoading saves in the middle of training and goes on from the
// file: not a bit may differ. A parameter that has not been stepped is among them.
func TestStateGoesOnAfterLoading(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, c := range pairings() {
			params := []*Tensor{
				tensorOf(t, dev, Float32, nil, 0, 4),
				must(dev.FromFloat32s(normal(rng, 30), mem.Parameters, 5, 6))(t),
				must(must(dev.FromFloat32s(normal(rng, 7), mem.Parameters, 7))(t).As(BFloat16))(t),
				must(dev.FromFloat32s(normal(rng, 3), mem.Parameters, 3))(t),
			}
			o := c.make()
			for range 3 {
				randomStep(t, o, rng, params[:3])
			}
			var file bytes.Buffer
			if err := o.Save(&file, params); err != nil {
				t.Fatal(c.name, err)
			}
			loaded, copies := c.make(), clones(t, params)
			if err := loaded.Load(bytes.NewReader(file.Bytes()), copies); err != nil {
				t.Fatal(c.name, err)
			}
			seed := rng.Uint64()
			for range 2 {
				randomStep(t, o, rand.New(rand.NewPCG(seed, 3)), params)
				randomStep(t, loaded, rand.New(rand.NewPCG(seed, 3)), copies)
			}
			if err := equal(t, params, copies); err != nil || loaded.Steps() != 5 {
				t.Fatalf("%s after loading, %d steps: %v", c.name, loaded.Steps(), err)
			}
		}
	})
}

func TestLoadRefuses(t *testing.T) {
	dev := must(Open("cpu"))(t)
	rng := rand.New(rand.NewPCG(3, 4))
	params := []*Tensor{must(dev.Zeros(mem.Parameters, 2, 3))(t), must(dev.ZerosOf(Float16, mem.Parameters, 4))(t)}
	adam := NewAdam(1e-3)
	randomStep(t, adam, rng, params)
	var file bytes.Buffer
	if err := adam.Save(&file, params); err != nil {
		t.Fatal(err)
	}
	single := must(dev.Zeros(mem.Parameters, 4))(t)
	before := dev.Memory().ByCategory[mem.OptimizerState].Live
	for want, err := range map[string]error{
		"load the state of sgd: the file is of adam":                       NewSGD(1).Load(bytes.NewReader(file.Bytes()), params),
		"the file has 2 parameters, want 1":                                adam.Load(bytes.NewReader(file.Bytes()), params[:1]),
		"0.mean is F32 (2, 3), parameter 0 is f16 (4) on cpu":              adam.Load(bytes.NewReader(file.Bytes()), []*Tensor{params[1], params[1]}),
		"1.master is of a parameter in half precision, parameter 1 is f32": adam.Load(bytes.NewReader(file.Bytes()), []*Tensor{params[0], single}),
		"read safetensors":                         adam.Load(bytes.NewReader(file.Bytes()[:file.Len()-1]), params),
		"holds no optimizer's state":               adam.Load(strings.NewReader("\x02\x00\x00\x00\x00\x00\x00\x00{}"), params),
		"make the optimizer with its New function": (&Adam{}).Load(&file, params),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if now := dev.Memory().ByCategory[mem.OptimizerState].Live; now != before || adam.Steps() != 1 {
		t.Errorf("what could not be loaded left %d bytes, %d steps", now-before, adam.Steps())
	}
}

// TestPruning trains a matrix, prunes rows and columns, and goes on: the kept
// elements must end as those of a matrix that was never pruned do, since Adam works
// element by element.
func TestPruning(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(5, 6))
		for _, dtype := range []DType{Float32, BFloat16} {
			whole := must(must(dev.FromFloat32s(normal(rng, 8*9), mem.Parameters, 8, 9))(t).As(dtype))(t)
			rows, cols := []int{7, 0, 3, 4}, []int{1, 2, 5}
			adam, other := NewAdam(1e-2), NewAdam(1e-2)
			seed := rng.Uint64()
			twin := must(whole.Clone())(t)
			randomStep(t, adam, rand.New(rand.NewPCG(seed, 1)), []*Tensor{whole})
			randomStep(t, other, rand.New(rand.NewPCG(seed, 1)), []*Tensor{twin})
			small := must(whole.Select(rows, cols))(t)
			if err := adam.Move(whole, small, rows, cols); err != nil {
				t.Fatal(err)
			}
			states := 2
			if dtype != Float32 {
				states = 3 // and the master
			}
			if got, want := len(adam.Tensors()), states; got != want {
				t.Fatalf("%d tensors of state, want %d", got, want)
			}
			g := must(must(dev.FromFloat32s(normal(rng, 8*9), mem.Gradients, 8, 9))(t).As(dtype))(t)
			if err := errors.Join(other.Step([]*Tensor{twin}, []*Tensor{g}), adam.Step([]*Tensor{small}, []*Tensor{must(g.Select(rows, cols))(t)})); err != nil {
				t.Fatal(err)
			}
			if err := equal(t, []*Tensor{small}, []*Tensor{must(twin.Select(rows, cols))(t)}); err != nil {
				t.Fatalf("%s: %v", dtype, err)
			}
			for want, err := range map[string]error{
				"keeps (2, 3), the new parameter is": adam.Move(small, must(dev.Zeros(mem.Parameters, 3, 3))(t), []int{0, 1}),
				"index 4 along axis 0":               adam.Move(small, small, []int{4}),
				"indices for 3 axes of (4, 3)":       second(small.Select(nil, nil, []int{0})),
				"has a state already":                adam.Move(small, small),
			} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v does not say %q", err, want)
				}
			}
		}
	})
}

func TestBadGradientsAreSkipped(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		p := must(dev.FromFloat32s([]float32{1, 2, 3}, mem.Parameters, 3))(t)
		half := must(dev.ZerosOf(Float16, mem.Parameters, 2))(t)
		adam := NewAdam(0.1)
		adam.Scale = &LossScale{Initial: 1024, Growth: 2, Backoff: 0.5, Interval: 3}
		step := func(x, y float32) {
			t.Helper()
			g := must(dev.FromFloat32s([]float32{x * 1024, 0, 0}, mem.Gradients, 3))(t)
			h := must(must(dev.FromFloat32s([]float32{0, y}, mem.Gradients, 2))(t).As(Float16))(t)
			if err := adam.Step([]*Tensor{p, half}, []*Tensor{g, h}); err != nil {
				t.Fatal(err)
			}
		}
		step(2, 0)
		near(t, "after one step", p, []float64{0.9, 2, 3}, 1e-6) // Adam's first step is the rate
		if adam.Norm() != 2 {
			t.Fatal("the norm is not that of the unscaled gradients:", adam.Norm())
		}
		before := read(t, p)
		step(float32(math.NaN()), 0)
		step(0, 1e6) // infinite in f16
		if err := same(read(t, p), before); err != nil || adam.Steps() != 1 || adam.Skipped() != 2 || adam.Scale.Value() != 256 {
			t.Fatalf("%d steps, %d skipped, scale %g: %v", adam.Steps(), adam.Skipped(), adam.Scale.Value(), err)
		}
		for range 3 {
			step(1, 1)
		}
		if adam.Scale.Value() != 512 || adam.Steps() != 4 {
			t.Fatalf("after three good steps the scale is %g", adam.Scale.Value())
		}
		adam.Scale, adam.Clip = nil, 1
		before = read(t, p)
		g := must(dev.FromFloat32s([]float32{float32(math.Inf(1)), 0, 0}, mem.Gradients, 3))(t)
		err := adam.Step([]*Tensor{p}, []*Tensor{g})
		if dev.name != "cpu" { // which tells it later, and does nothing until then
			ok := must(dev.FromFloat32s([]float32{1, 0, 0}, mem.Gradients, 3))(t)
			if err = errors.Join(err, adam.Step([]*Tensor{p}, []*Tensor{ok})); err != nil || !math.IsInf(adam.Norm(), 1) || adam.Steps() != 4 {
				t.Fatalf("%d steps, norm %g: %v", adam.Steps(), adam.Norm(), err)
			}
			err = adam.Step([]*Tensor{p}, []*Tensor{ok})
		}
		if err == nil || !strings.Contains(err.Error(), "adam step: the gradients' norm is +Inf") {
			t.Errorf("clipped an infinite gradient: %v", err)
		}
		if err := same(read(t, p), before); err != nil {
			t.Error(err)
		}
	})
}

// TestLateParameters: one that joins later is at its own first step, and one
// without a gradient is left alone.
// TestForget: the state of what is forgotten is given back, and made anew by a step.
func TestForget(t *testing.T) {
	dev, err := OpenCPU(1)
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	var params, grads []*Tensor
	for range 2 {
		p, perr := dev.Zeros(mem.Parameters, 3)
		g, gerr := dev.Zeros(mem.Gradients, 3)
		if err := errors.Join(perr, gerr); err != nil {
			t.Fatal(err)
		}
		params, grads = append(params, p), append(grads, g)
	}
	adam := NewAdam(0.1)
	for range 2 {
		if err := adam.Step(params, grads); err != nil {
			t.Fatal(err)
		}
		live := dev.Memory().Total.Live
		if err := adam.Forget(params[0]); err != nil || adam.State(params[0]) != nil || len(adam.State(params[1])) != 2 {
			t.Fatalf("left %v and %v: %v", adam.State(params[0]), adam.State(params[1]), err)
		}
		if freed := live - dev.Memory().Total.Live; freed != 2*params[0].Bytes() {
			t.Errorf("%d bytes given back", freed)
		}
	}
}

func TestLateParameters(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		a, b := must(dev.Zeros(mem.Parameters, 2))(t), must(dev.Zeros(mem.Parameters, 2))(t)
		g := must(dev.FromFloat32s([]float32{1, -3}, mem.Gradients, 2))(t)
		adam := NewAdam(0.5)
		for range 3 {
			if err := adam.Step([]*Tensor{a, b}, []*Tensor{g, nil}); err != nil {
				t.Fatal(err)
			}
		}
		near(t, "without a gradient", b, []float64{0, 0}, 0)
		if err := adam.Step([]*Tensor{a, b}, []*Tensor{g, g}); err != nil {
			t.Fatal(err)
		}
		near(t, "the late one's first step", b, []float64{-0.5, 0.5}, 1e-6)
		near(t, "the other's fourth", a, []float64{-2, 2}, 1e-6)
	})
}

func TestSchedulesMatchPyTorch(t *testing.T) {
	v, err := vectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	plateau := &Plateau{Factor: 0.5, Patience: 3, Threshold: 1e-3, Cooldown: 2, Floor: 0.01}
	for name, c := range map[string]struct {
		s     Schedule
		rates []float64
	}{
		"cosine":  {Cosine{Steps: 59, Floor: 0.01}, v.Cosine},
		"warmup":  {Warmup{Steps: 10, Start: 0.1, Then: Cosine{Steps: 49, Floor: 0.05}}, v.Warmup},
		"plateau": {plateau, v.Plateau},
	} {
		if len(c.rates) != 60 {
			t.Fatalf("%s: %d rates on record", name, len(c.rates))
		}
		for step, want := range c.rates {
			if got := c.s.At(step); math.Abs(got-want) > 1e-9 {
				t.Errorf("%s at step %d: %g, want %g", name, step, got, want)
			}
			if name == "plateau" {
				plateau.Observe(v.Losses[step])
			}
		}
	}
	o := NewSGD(2)
	o.Schedule = Warmup{Steps: 4, Start: 0.5}
	if o.Rate() != 1 || (Warmup{Steps: 4}).At(9) != 1 || (Cosine{Steps: 4, Floor: 0.1}).At(9) != 0.1 || (Constant{}).At(3) != 1 {
		t.Error("the ends of the schedules are wrong")
	}
}

func TestPlateauIsSaved(t *testing.T) {
	dev := must(Open("cpu"))(t)
	p := []*Tensor{must(dev.Zeros(mem.Parameters, 2))(t)}
	for _, losses := range [][]float64{nil, {1, 1, 1}, {3, 2, 2, 2, 2}} {
		a, b := NewSGD(1), NewSGD(1)
		a.Schedule, b.Schedule = &Plateau{Factor: 0.5, Patience: 1}, &Plateau{Factor: 0.5, Patience: 1}
		a.Scale, b.Scale = NewLossScale(), SkipBad()
		for _, l := range losses {
			a.Schedule.(*Plateau).Observe(l)
		}
		randomStep(t, a, rand.New(rand.NewPCG(1, 1)), p)
		var file bytes.Buffer
		if err := errors.Join(a.Save(&file, p), b.Load(&file, p)); err != nil {
			t.Fatal(err)
		}
		if x, y := a.Schedule.(*Plateau), b.Schedule.(*Plateau); *x != *y || b.Scale.Value() != 65536 || b.Scale.good != 1 {
			t.Errorf("saved %+v, loaded %+v, scale %+v", x, y, b.Scale)
		}
	}
}

func TestOptimizerRefuses(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		p := must(dev.Zeros(mem.Parameters, 2, 3))(t)
		g := must(dev.Zeros(mem.Gradients, 3, 2))(t)
		turned := must(g.Permute(1, 0))(t)
		ints := must(dev.ZerosOf(Int32, mem.Data, 2, 3))(t)
		far := must(must(OpenCPU(1))(t).Zeros(mem.Gradients, 2, 3))(t)
		ok := must(dev.Zeros(mem.Gradients, 2, 3))(t)
		for want, err := range map[string]error{
			"lamb step: 1 parameter, 2 gradients": NewLAMB(1).Step([]*Tensor{p}, []*Tensor{g, g}),
			"with gradient f32 (3, 2)":            NewSGD(1).Step([]*Tensor{p}, []*Tensor{g}),
			"want two dense tensors":              NewSGD(1).Step([]*Tensor{p}, []*Tensor{turned}),
			"want floating point":                 NewSGD(1).Step([]*Tensor{p}, []*Tensor{ints}),
			"on two devices":                      NewSGD(1).Step([]*Tensor{p}, []*Tensor{far}),
			"parameter 1: f32 (2, 3)":             NewSGD(1).Step([]*Tensor{p, p}, []*Tensor{ok, ok}),
			"New function":                        new(Adam).Step([]*Tensor{p}, []*Tensor{ok}),
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not say %q", err, want)
			}
		}
		// Where the state does not fit, none of it stays and the step can be tried again.
		big := must(dev.Zeros(mem.Parameters, 1000))(t)
		grad := must(dev.Zeros(mem.Gradients, 1000))(t)
		dev.SetCap(dev.Memory().Total.Live + 5000)
		adam := NewAdam(1)
		var oom *mem.OutOfMemoryError
		if err := adam.Step([]*Tensor{p, big}, []*Tensor{ok, grad}); !errors.As(err, &oom) || len(adam.Tensors()) != 0 || adam.Steps() != 0 {
			t.Errorf("%d tensors after %d steps: %v", len(adam.Tensors()), adam.Steps(), err)
		}
		if left := dev.Memory().ByCategory[mem.OptimizerState].Live; left != 0 {
			t.Errorf("%d bytes of state are left", left)
		}
		dev.SetCap(0)
		if err := adam.Step([]*Tensor{p, big}, []*Tensor{ok, grad}); err != nil || adam.Steps() != 1 {
			t.Error(err)
		}
	})
}

func TestCutIntoLaunches(t *testing.T) {
	cuts := func(lengths ...int) (out [][3]int) {
		cut(len(lengths), updateElements, launchTensors, func(i int) int { return lengths[i] }, func(lo, hi, blocks int) {
			out = append(out, [3]int{lo, hi, blocks})
		})
		return out
	}
	lists := cuts(slices.Repeat([]int{2048, 2049}, 50)...)
	if len(lists) != 3 || lists[0] != [3]int{0, 48, 72} || lists[2] != [3]int{96, 100, 6} {
		t.Error(lists)
	}
	// Two tensors that would fill a grid alone do not share one.
	huge := math.MaxInt32 / 2 * updateElements
	if lists := cuts(huge, huge, huge); len(lists) != 2 || lists[0][2] > math.MaxInt32 {
		t.Error(lists)
	}
}

// TestLayerRatesStayOnTheDevice: LARS and LAMB over more tensors than one launch takes
// agree with the CPU, and wait for nothing that the device computes.
func TestLayerRatesStayOnTheDevice(t *testing.T) {
	dev, cpu := fakeDevice(t, nil), must(Open("cpu"))(t)
	for _, make := range []func() Optimizer{func() Optimizer { return NewLARS(0.1) }, func() Optimizer { return NewLAMB(0.01) }} {
		c := compare("", 1e-5, dev, cpu, func(d *Device) ([]*Tensor, error) {
			t.Setenv("FAKECUDA", "no_download")
			defer t.Setenv("FAKECUDA", "")
			var params, grads []*Tensor
			for i := range 2*launchTensors + 3 {
				for _, list := range []*[]*Tensor{&params, &grads} {
					x, err := checkTensor(d, Float32, uint64(len(params)+100*len(grads)), i*i%700)
					if err != nil {
						return nil, err
					}
					*list = append(*list, x)
				}
			}
			if err := params[5].Clear(); err != nil { // a norm of zero
				return nil, err
			}
			return append(params, grads...), make().Step(params, grads)
		})
		if !c.OK() {
			t.Errorf("off by %g: %v", c.Error, c.Err)
		}
	}
}
