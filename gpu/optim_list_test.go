package gpu

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"attune/gpu/mem"
)

// listRun is a training whose list of tensors is kept from step to step, or not.
type listRun struct {
	t             *testing.T
	dev           *Device
	opt           Optimizer
	o             *Training
	params, grads []*Tensor
	keeps         bool
	rng           *rand.Rand
}

func newListRun(t *testing.T, dev *Device, opt Optimizer, keeps bool) *listRun {
	r := &listRun{t: t, dev: dev, opt: opt, o: opt.(interface{ Common() *Training }).Common(), keeps: keeps, rng: rand.New(rand.NewPCG(3, 4))}
	for i, shape := range [][]int{{8}, {4, 6}, {0, 3}, {6, 6}, {5}} {
		p := r.tensor(mem.Parameters, shape...)
		if i == 4 {
			p = must(p.As(BFloat16))(t)
		}
		r.params, r.grads = append(r.params, p), append(r.grads, r.tensor(mem.Gradients, shape...))
	}
	return r
}

func (r *listRun) tensor(cat mem.Category, shape ...int) *Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return must(r.dev.FromFloat32s(normal(r.rng, n), cat, shape...))(r.t)
}

func (r *listRun) try() error {
	if !r.keeps {
		r.o.line = nil
	}
	return r.opt.Step(r.params, r.grads)
}

func (r *listRun) step() {
	r.t.Helper()
	if err := r.try(); err != nil {
		r.t.Fatal(err)
	}
}

// outcome is parameters and state to the bit.
func (r *listRun) outcome() string {
	var file bytes.Buffer
	if err := r.opt.Save(&file, r.params); err != nil {
		r.t.Fatal(err)
	}
	for _, p := range r.params {
		fmt.Fprint(&file, p, read(r.t, p))
	}
	fmt.Fprint(&file, r.opt.Steps(), r.o.Skipped(), r.o.Norm())
	return file.String()
}

// listChanges are what may happen between two steps. All but those that say so have the
// next step list its tensors anew.
var listChanges = []struct {
	name string
	same bool
	do   func(r *listRun)
}{
	{"nothing", true, func(r *listRun) {}},
	{"other values of a gradient", true, func(r *listRun) { r.check(r.grads[1].CopyFrom(normal(r.rng, 24))) }},
	{"another learning rate", true, func(r *listRun) { r.o.LR *= 2 }},
	{"a factor that it has", true, func(r *listRun) { r.o.SetFactor(r.params[0], 1) }},
	{"another gradient", false, func(r *listRun) { r.grads[1] = r.tensor(mem.Gradients, 4, 6) }},
	{"a gradient freed and made again", false, func(r *listRun) {
		r.check(r.grads[1].Free())
		r.grads[1] = r.tensor(mem.Gradients, 4, 6)
	}},
	{"a gradient in half precision", false, func(r *listRun) { r.grads[1] = must(r.grads[1].As(BFloat16))(r.t) }},
	{"a gradient at the other end of its storage", false, func(r *listRun) {
		all := r.tensor(mem.Gradients, 2, 4, 6)
		r.grads[1] = must(all.Index(0, 0))(r.t)
		r.step()
		r.grads[1] = must(all.Index(0, 1))(r.t)
	}},
	{"a gradient assigned to", false, func(r *listRun) { *r.grads[1] = *r.tensor(mem.Gradients, 4, 6) }},
	{"a parameter assigned to", false, func(r *listRun) { *r.params[1] = *r.tensor(mem.Parameters, 4, 6) }},
	{"a parameter in half precision", false, func(r *listRun) {
		half := must(r.params[1].As(BFloat16))(r.t)
		r.check(r.opt.Move(r.params[1], half))
		r.params[1] = half
	}},
	{"a parameter cut", false, func(r *listRun) {
		rows := [][]int{{0, 2}, nil}
		cut := must(r.params[1].Select(rows...))(r.t)
		r.check(r.opt.Move(r.params[1], cut, rows...))
		r.params[1], r.grads[1] = cut, r.tensor(mem.Gradients, 2, 6)
	}},
	{"two changed places", false, func(r *listRun) {
		r.params[0], r.params[3] = r.params[3], r.params[0]
		r.grads[0], r.grads[3] = r.grads[3], r.grads[0]
	}},
	{"one rests a step", false, func(r *listRun) {
		g := r.grads[3]
		r.grads[3] = nil
		r.step()
		r.grads[3] = g
	}},
	{"a resting one comes back", false, func(r *listRun) {
		g := r.grads[0]
		r.grads[0] = nil
		r.step()
		r.step()
		r.grads[0] = g
	}},
	{"one joins", false, func(r *listRun) {
		r.params, r.grads = append(r.params, r.tensor(mem.Parameters, 7)), append(r.grads, r.tensor(mem.Gradients, 7))
	}},
	{"one leaves", false, func(r *listRun) { r.params, r.grads = r.params[1:], r.grads[1:] }},
	{"a rate of its own", false, func(r *listRun) { r.o.SetFactor(r.params[1], 0.25) }},
	{"its own rate taken away", false, func(r *listRun) {
		r.o.SetFactor(r.params[1], 0.25)
		r.step()
		r.o.SetFactor(r.params[1], 1)
	}},
	{"state forgotten", false, func(r *listRun) { r.check(r.o.Forget(r.params[1])) }},
	{"state given back", false, func(r *listRun) { r.check(r.opt.Free()) }},
	{"state loaded", false, func(r *listRun) {
		var file bytes.Buffer
		r.check(r.opt.Save(&file, r.params))
		r.step()
		r.check(r.opt.Load(&file, r.params))
	}},
	{"state loaded after other steps", false, func(r *listRun) {
		var file bytes.Buffer
		r.check(r.opt.Save(&file, r.params))
		r.check(r.opt.Load(bytes.NewReader(bytes.Replace(file.Bytes(), []byte(`\"steps\":3`), []byte(`\"steps\":7`), 1)), r.params))
	}},
	{"another kind of step", false, func(r *listRun) {
		switch o := r.opt.(type) {
		case *SGD:
			o.Momentum = 0.5
		case *RMSprop:
			o.Centered = true
		default:
			r.params[0], r.grads[0] = r.tensor(mem.Parameters, 8), r.tensor(mem.Gradients, 8)
		}
	}},
	{"clipping", true, func(r *listRun) { r.o.Clip = 0.5 }},
	{"clipping and a loss scale for a while", true, func(r *listRun) {
		r.o.Clip, r.o.Scale = 0.5, &LossScale{Initial: 4, Growth: 2, Backoff: 0.5, Interval: 2}
		r.step()
		r.step()
		r.o.Clip, r.o.Scale = 0, nil
	}},
}

func (r *listRun) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestKeptList: a step that lists its tensors anew and one that keeps the list of the step
// before leave the same bits, whatever happened between the two.
func TestKeptList(t *testing.T) {
	makers := map[string]func() Optimizer{
		"sgd": func() Optimizer { return NewSGD(0.1) }, "adam": func() Optimizer { return NewAdam(0.1) },
		"rmsprop": func() Optimizer { return NewRMSprop(0.01) }, "lars": func() Optimizer { return NewLARS(1) }, "lamb": func() Optimizer { return NewLAMB(0.01) },
		"clipped adam": func() Optimizer {
			o := NewAdam(0.1)
			o.Clip = 1
			return o
		},
		"scaled lars": func() Optimizer {
			o := NewLARS(1)
			o.Scale = &LossScale{Initial: 8, Growth: 2, Backoff: 0.5, Interval: 3}
			return o
		},
	}
	listDevices(t, func(t *testing.T, dev *Device) {
		for name, maker := range makers {
			if _, cuda := dev.back.(*cuda); cuda && (testing.Short() || name == "adam" || name == "rmsprop" || name == "lars") && name != "clipped adam" {
				continue
			}
			for _, change := range listChanges {
				var want string
				for _, keeps := range []bool{false, true} {
					r := newListRun(t, dev, maker(), keeps)
					for range 3 {
						r.step()
					}
					if change.do(r); keeps {
						before := r.o.line
						r.step()
						if same := before != nil && r.o.line == before; same != change.same {
							t.Errorf("%s, %s: the list was kept: %t", name, change.name, same)
						}
					} else {
						r.step()
					}
					r.step()
					if got := r.outcome(); !keeps {
						want = got
					} else if got != want {
						t.Errorf("%s, %s: a kept list gives other bits", name, change.name)
					}
				}
			}
		}
	})
}

// listDevices are one of each kind of backend.
func listDevices(t *testing.T, test func(t *testing.T, dev *Device)) {
	t.Run("cpu", func(t *testing.T) { test(t, must(OpenCPU(1))(t)) })
	t.Run("cuda behind the fake driver", func(t *testing.T) { test(t, fakeDevice(t, nil)) })
}

// TestKeptListRefuses: what a first step refuses a later one refuses as well, and changes
// nothing.
func TestKeptListRefuses(t *testing.T) {
	for want, spoil := range map[string]func(r *listRun){
		"parameter 1: f32 (4, 6) on %s, freed: used after Free": func(r *listRun) { r.check(r.params[1].Free()) },
		"parameter 3: f32 (6, 6) on %s, freed: used after Free": func(r *listRun) { r.check(r.grads[3].Free()) },
		"the state of f32 (8) on %s: f32 (8) on %[1]s, freed: used after Free": func(r *listRun) {
			r.check(r.o.State(r.params[0])[0].Free())
		},
		"the state of bf16 (5) on %s: f32 (5) on %[1]s, freed: used after Free": func(r *listRun) {
			r.check(r.o.State(r.params[4])[0].Free()) // the master
		},
		"parameter 3: f32 (6, 6) on %s with strides (6, 1), gradient with strides (1, 6): want two dense": func(r *listRun) {
			r.grads[3] = must(r.grads[3].Permute(1, 0))(r.t)
		},
		"parameter 1: f32 (4, 6) on %s with gradient f32 (6, 4) on %[1]s: want two": func(r *listRun) {
			*r.grads[1] = *must(r.grads[1].Reshape(6, 4))(r.t)
		},
		"the state of f32 (2, 2) on %s: it is f32 (4, 6) on": func(r *listRun) {
			*r.params[1], r.grads[1] = *r.tensor(mem.Parameters, 2, 2), r.tensor(mem.Gradients, 2, 2)
		},
		"parameter 3: i32 (6, 6) on %s with gradient": func(r *listRun) {
			*r.params[3] = *must(r.dev.ZerosOf(Int32, mem.Data, 6, 6))(r.t)
		},
		"parameter 3: f32 (6, 6) on %s is there twice": func(r *listRun) { r.params[1], r.grads[1] = r.params[3], r.grads[3] },
		"parameter 1: nil tensor":                      func(r *listRun) { r.params[1] = nil },
		"5 parameters, 4 gradients":                    func(r *listRun) { r.grads = r.grads[:4] },
		"used after its device was closed":             func(r *listRun) { r.check(r.dev.Close()) },
	} {
		for _, name := range []string{"cpu", "cuda"} {
			dev := must(OpenCPU(1))(t)
			if name == "cuda" {
				dev = fakeDevice(t, nil)
			}
			r := newListRun(t, dev, NewAdam(0.1), true)
			r.step()
			r.step()
			good := r.params[0]
			values := read(t, good)
			spoil(r)
			text := want
			if strings.Contains(want, "%") {
				text = fmt.Sprintf(want, dev.name)
			}
			if err := r.try(); err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: error %v, want %q", name, err, text)
			}
			if !dev.shut.closed() && !slices.Equal(values, read(t, good)) {
				t.Errorf("%s, %q: a refused step changed a parameter", name, want)
			}
		}
	}
}

// TestKeptListTellsDevices: tensors of two devices that were made in the same order have
// the same numbers.
func TestKeptListTellsDevices(t *testing.T) {
	one, other := must(OpenCPU(1))(t), must(OpenCPU(1))(t)
	o := NewSGD(1)
	for _, dev := range []*Device{one, other, one} {
		p, g := must(dev.FromFloat32s([]float32{3}, mem.Parameters, 1))(t), must(dev.FromFloat32s([]float32{1}, mem.Gradients, 1))(t)
		if err := o.Step([]*Tensor{p}, []*Tensor{g}); err != nil {
			t.Fatal(err)
		}
		if x := read(t, p)[0]; x != 2 {
			t.Errorf("the parameter is %g, want 2", x)
		}
	}
	p := must(one.FromFloat32s([]float32{3}, mem.Parameters, 1))(t)
	g := []*Tensor{must(one.FromFloat32s([]float32{1}, mem.Gradients, 1))(t), must(other.FromFloat32s([]float32{1}, mem.Gradients, 1))(t)}
	for g[0].serial != g[1].serial {
		old := g[0].serial < g[1].serial
		dev, at := other, 1
		if old {
			dev, at = one, 0
		}
		g[at] = must(dev.FromFloat32s([]float32{1}, mem.Gradients, 1))(t)
	}
	if err := o.Step([]*Tensor{p}, g[:1]); err != nil {
		t.Fatal(err)
	}
	if err := o.Step([]*Tensor{p}, g[1:]); err == nil || !strings.Contains(err.Error(), "on two devices") {
		t.Errorf("a gradient of another device: %v", err)
	}
}

// TestKeptListKeepsNoGradient: a gradient that nobody frees is the collector's after the
// step.
func TestKeptListKeepsNoGradient(t *testing.T) {
	listDevices(t, func(t *testing.T, dev *Device) {
		o := NewAdam(0.1)
		params := []*Tensor{must(dev.Zeros(mem.Parameters, 3000))(t)}
		step := func() {
			if err := o.Step(params, []*Tensor{must(dev.Zeros(mem.Gradients, 3000))(t)}); err != nil {
				t.Fatal(err)
			}
		}
		step()
		step()
		gone(t, dev, mem.Gradients)
		runtime.KeepAlive(o)
	})
}

// TestKeptListOfSkippedStep: a step that does nothing holds no gradient either.
func TestKeptListOfSkippedStep(t *testing.T) {
	listDevices(t, func(t *testing.T, dev *Device) {
		o := NewAdam(0.1)
		o.Scale = SkipBad()
		params := []*Tensor{must(dev.Zeros(mem.Parameters, 1))(t)}
		g := []*Tensor{must(dev.FromFloat32s([]float32{float32(math.NaN())}, mem.Gradients, 1))(t)}
		if err := o.Step(params, g); err != nil || o.Skipped() != 1 {
			t.Fatal(err, o.Skipped())
		}
		g[0] = nil
		gone(t, dev, mem.Gradients)
		runtime.KeepAlive(o)
	})
}

// TestKeptListWithoutState: where no freed state tells that the list is of before, the
// steps of each parameter do.
func TestKeptListWithoutState(t *testing.T) {
	dev := must(OpenCPU(1))(t)
	one := func() *Tensor { return must(dev.Zeros(mem.Parameters, 1))(t) }
	o, p, other, g := NewSGD(1), one(), one(), one()
	step := func() {
		if err := o.Step([]*Tensor{p}, []*Tensor{g}); err != nil {
			t.Fatal(err)
		}
	}
	save := func() *bytes.Buffer {
		var file bytes.Buffer
		if err := o.Save(&file, []*Tensor{p}); err != nil {
			t.Fatal(err)
		}
		return &file
	}
	step()
	file := save()
	step()
	if err := o.Load(file, []*Tensor{p}); err != nil {
		t.Fatal(err)
	}
	step()
	if got := save().String(); !strings.Contains(got, `\"parameters\":[2]`) {
		t.Errorf("a step after Load: %q", got)
	}
	if err := o.Move(p, other); err != nil {
		t.Fatal(err)
	}
	step()
	if got := save().String(); !strings.Contains(got, `\"parameters\":[1]`) {
		t.Errorf("a step of what was moved away: %q", got)
	}
}

// gone waits for the collector to free what is of a category.
func gone(t *testing.T, dev *Device, cat mem.Category) {
	t.Helper()
	for range 200 {
		runtime.GC()
		if dev.Memory().ByCategory[cat].Live == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d bytes of %s are held", dev.Memory().ByCategory[cat].Live, cat)
}

// TestFreshKeepsNoList: the copy of an optimizer lists its own tensors.
func TestFreshKeepsNoList(t *testing.T) {
	r := newListRun(t, must(OpenCPU(1))(t), NewAdam(0.1), true)
	r.step()
	copied := must(Fresh(r.opt))(t)
	if err := copied.Step(r.params, r.grads); err != nil {
		t.Fatal(err)
	}
	if len(copied.Tensors()) != len(r.opt.Tensors()) || copied.Steps() != 1 || r.opt.Steps() != 1 {
		t.Errorf("the copy has %d tensors after %d steps, the optimizer %d after %d", len(copied.Tensors()), copied.Steps(), len(r.opt.Tensors()), r.opt.Steps())
	}
}

// TestFreedTensorsHoldNoOther: what serves another tensor after Free is not held by the
// freed one.
func TestFreedTensorsHoldNoOther(t *testing.T) {
	dev := must(OpenCPU(1))(t)
	var freed []*Tensor
	for range 16 {
		x := must(dev.Zeros(mem.Data, 1))(t)
		if err := x.Free(); err != nil {
			t.Fatal(err)
		}
		freed = append(freed, x)
		must(dev.Zeros(mem.Gradients, 1))(t)
	}
	gone(t, dev, mem.Gradients)
	runtime.KeepAlive(freed)
}
