package gpu

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// script is a random sequence of calls on one device: the same seed, the same calls.
type script struct {
	dev  *Device
	rng  *rand.Rand
	err  error
	made []*Tensor
}

// tensor makes one of small values of that type and shape.
func (s *script) tensor(dtype DType, shape ...int) *Tensor {
	cats := mem.Categories()
	t, err := s.dev.Empty(dtype, cats[s.rng.IntN(len(cats))], shape...)
	if s.note(err); err != nil {
		return nil
	}
	s.made = append(s.made, t)
	values := make([]float32, t.Len())
	for i := range values {
		values[i] = float32(s.rng.NormFloat64())
	}
	s.note(t.CopyFrom(values))
	return t
}

func (s *script) like(t *Tensor) *Tensor { return s.tensor(t.dtype, t.shape...) }

func (s *script) ids(n, below int) *Tensor {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(s.rng.IntN(below))
	}
	t, err := s.dev.FromInt32s(ids, mem.Data, n)
	s.note(err)
	s.made = append(s.made, t)
	return t
}

func (s *script) note(errs ...error) { s.err = errors.Join(append(errs, s.err)...) }

// size is small where a fake driver does the work.
func (s *script) size(most int) int {
	if s.dev.name != "cpu" {
		most = min(most, 9)
	}
	return 1 + s.rng.IntN(most)
}

func (s *script) float() DType { return []DType{Float32, Float16, BFloat16}[s.rng.IntN(3)] }

// free gives back what was made, in another order.
func (s *script) free() {
	s.rng.Shuffle(len(s.made), func(i, j int) { s.made[i], s.made[j] = s.made[j], s.made[i] })
	for _, t := range s.made {
		s.note(t.Free())
	}
	s.made = nil
}

// attend runs attention forward and backward with some of its options.
func (s *script) attend() {
	b, kv, d := s.size(2), s.size(2), 8*s.size(4)
	h, tq, tk := kv*s.size(2), s.size(40), s.size(40)
	dtype := s.float()
	if s.rng.IntN(8) == 0 {
		b, tq, tk, d = 1, s.size(4), 500+s.size(100), 8 // few queries, split keys
	}
	var o AttentionOptions
	if s.rng.IntN(5) == 0 && s.dev.name == "cpu" {
		tk, tq = 1025+s.size(100), 20 // keys in pieces
	}
	o.Causal, o.Uniform = s.rng.IntN(2) == 0, s.rng.IntN(8) == 0
	if s.rng.IntN(3) == 0 {
		o.Window = s.size(20)
	}
	if s.rng.IntN(3) == 0 {
		o.Dropout, o.Seed = 0.2, s.rng.Uint64()
	}
	if s.rng.IntN(3) == 0 {
		o.ALiBi = ALiBiSlopes(h)
	}
	if s.rng.IntN(3) == 0 {
		o.Bias = s.tensor(Float32, 1, h, 1, tk)
	}
	if s.rng.IntN(3) == 0 {
		o.KeyLengths = make([]int, b)
		for i := range o.KeyLengths {
			o.KeyLengths[i] = s.size(tk)
		}
	}
	q, k, v := s.tensor(dtype, b, h, tq, d), s.tensor(dtype, b, kv, tk, d), s.tensor(dtype, b, kv, tk, d)
	r, err := Attention(q, k, v, o)
	if s.note(err); err != nil {
		return
	}
	dq, dk, dv, err := r.Backward(s.like(r.Output))
	s.made = append(s.made, dq, dk, dv)
	w, err2 := r.WeightsAt(0, tq-1)
	s.made = append(s.made, w)
	s.note(err, err2, r.Free())
}

func (s *script) multiply() {
	m, n, k, dtype := s.size(70), s.size(70), s.size(70), s.float()
	a, b := s.tensor(dtype, m, k), s.tensor(dtype, k, n)
	if s.rng.IntN(2) == 0 {
		var err error
		b, err = s.tensor(dtype, n, k).Permute(1, 0)
		s.note(err)
	}
	to := dtype
	if s.rng.IntN(2) == 0 {
		to = Float32
	}
	c := s.tensor(to, m, n)
	if s.rng.IntN(2) == 0 {
		s.note(MatMul(c, a, b, s.rng.IntN(2) == 0))
	} else {
		s.note(MatMulBias(c, a, b, s.tensor(to, n)))
	}
}

func (s *script) rows() {
	rows, n := s.size(300), s.size(70)
	x, y, dx := s.tensor(s.float(), rows, n), s.tensor(s.float(), rows, n), s.tensor(s.float(), rows, n)
	gain, bias := s.tensor(s.float(), n), s.tensor(s.float(), n)
	mean, rstd := s.tensor(Float32, rows), s.tensor(Float32, rows)
	labels := s.ids(rows, n)
	switch s.rng.IntN(6) {
	case 0:
		s.note(LayerNorm(y, mean, rstd, x, gain, bias, 1e-5))
		s.note(LayerNormGrad(dx, s.like(gain), s.like(bias), x, y, gain, mean, rstd))
	case 1:
		s.note(RMSNorm(y, rstd, x, gain, 1e-5), RMSNormGrad(dx, s.like(gain), x, y, gain, rstd))
	case 2:
		s.note(CrossEntropy(mean, rstd, x, labels), CrossEntropyGrad(dx, x, labels, rstd, nil, 1))
	case 3:
		s.note(Softmax(y, x), SoftmaxGrad(dx, y, s.like(y)), Argmax(labels, x))
	case 4:
		s.note(MSE(mean, x, y), MSEGrad(dx, x, y, nil, rows, 1), Huber(mean, x, y, 1), BCEGrad(dx, x, y, mean, rows, 1))
	case 5:
		table := s.tensor(x.dtype, n, n)
		s.note(Embedding(s.tensor(x.dtype, rows, n), table, labels), EmbeddingGrad(s.tensor(s.float(), n, n), y, labels))
	}
}

func (s *script) pointwise() {
	rows, n := s.size(300), s.size(70)
	x, y, dx := s.tensor(s.float(), rows, n), s.tensor(s.float(), rows, n), s.tensor(s.float(), rows, n)
	switch s.rng.IntN(4) {
	case 0:
		s.note(GELU(y, x), GELUGrad(dx, x, y), ReLUGrad(dx, x, y), Add(y, x))
	case 1:
		s.note(AddBias(y, x, s.tensor(s.float(), n)), SumRows(s.tensor(s.float(), n), x, 1))
	case 2:
		s.note(SumAxis(s.tensor(s.float(), rows), x, 1, 0.5), Spread(x, s.tensor(s.float(), n), 0, 1))
	case 3:
		m := DropMask{P: 0.3, Seed: s.rng.Uint64()}
		s.note(Dropout(y, x, m), DropoutGrad(dx, y, m))
	}
}

func (s *script) copies() {
	x := s.tensor(s.float(), s.size(20), s.size(20), s.size(20))
	v, err := x.Permute(2, 0, 1)
	s.note(err)
	for _, dtype := range []DType{s.float(), Int32} {
		c, err := v.As(dtype)
		s.note(err)
		s.made = append(s.made, c)
	}
	_, err = v.Float32s()
	s.note(err, v.Clear(), x.Clear())
	c, err := x.Select(nil, []int{0})
	s.note(err)
	s.made = append(s.made, c)
}

// optimize does three steps of a random optimizer.
func (s *script) optimize() {
	all := pairings()
	opt := all[s.rng.IntN(len(all))].make()
	var params, grads []*Tensor
	for range s.size(4) {
		p := s.tensor(s.float(), s.size(50), s.size(50))
		params, grads = append(params, p), append(grads, s.tensor(p.dtype, p.shape...))
	}
	if s.rng.IntN(3) == 0 {
		grads[0] = nil
	}
	for range 3 {
		s.note(opt.Step(params, grads))
	}
	s.note(opt.Free())
}

// play runs steps random calls and returns what the allocator did.
func play(dev *Device, seed uint64, steps int) ([]mem.Event, error) {
	var events []mem.Event
	cancel := dev.Subscribe(func(e mem.Event) { events = append(events, e) })
	defer cancel()
	s := &script{dev: dev, rng: rand.New(rand.NewPCG(seed, 5))}
	calls := []func(){s.attend, s.multiply, s.rows, s.pointwise, s.copies, s.optimize, s.images}
	for range steps {
		calls[s.rng.IntN(len(calls))]()
		if s.rng.IntN(2) == 0 {
			s.free()
		}
	}
	s.free()
	return events, s.err
}

// samePlay compares what the same calls do to two devices' counters.
func samePlay(t *testing.T, seed uint64, steps int, real, shapes *Device) {
	t.Helper()
	if !shapes.Meta() || real.Meta() {
		t.Fatalf("%s and %s: want the second to be of shapes", real, shapes)
	}
	want, err := play(real, seed, steps)
	if err != nil {
		t.Fatalf("seed %d on %s: %v", seed, real, err)
	}
	got, err := play(shapes, seed, steps)
	if err != nil {
		t.Fatalf("seed %d on %s: %v", seed, shapes, err)
	}
	plain := func(e mem.Event) string { return fmt.Sprintf("%s %s %d, live %d", e.Kind, e.Category, e.Bytes, e.Live) }
	for i := range max(len(want), len(got)) {
		if i >= min(len(want), len(got)) || plain(want[i]) != plain(got[i]) {
			t.Fatalf("seed %d: event %d of %d and %d: on %s %v, on shapes %v", seed, i, len(want), len(got), real,
				want[i:min(i+1, len(want))], got[i:min(i+1, len(got))])
		}
	}
	a, b := real.Memory(), shapes.Memory()
	if a.Total != b.Total || a.ByCategory != b.ByCategory || a.Total.Peak == 0 || a.ReservedPeak != b.ReservedPeak {
		t.Errorf("seed %d: counters %+v and %+v", seed, a, b)
	}
}

func TestMetaCountsAsTheCPU(t *testing.T) {
	for seed := range uint64(40) {
		for _, isa := range []host.ISA{host.Best(), host.Generic} {
			real := must(newCPU(isa, "", 1+int(seed%5)))(t)
			samePlay(t, seed, 12, real, must(OpenMeta(real))(t))
		}
	}
}

func TestMetaCountsAsCUDA(t *testing.T) {
	real := fakeDevice(t, nil)
	capability := real.back.(*cuda).ctx.Info().Capability
	for seed := range uint64(6) {
		real := newDevice(real.name, "", real.memory, real.back)
		shapes := must(OpenMeta(real))(t)
		real.ResetPeak()
		if err := real.memory.Trim(); err != nil {
			t.Fatal(err)
		}
		real.ResetPeak()
		if seed%2 == 1 {
			shapes = must(OpenMetaCUDA(capability, 0))(t)
		}
		samePlay(t, seed, 4, real, shapes)
	}
}

func TestMetaTakesNoMemoryAndGivesZeros(t *testing.T) {
	cpu := must(OpenCPU(2))(t)
	for _, dev := range []*Device{must(OpenMeta(cpu))(t), must(OpenMetaCUDA(80, 0))(t)} {
		if slices.Contains(Devices(), dev) {
			t.Errorf("%s is listed", dev)
		}
		x := must(dev.Zeros(mem.Data, 1<<18, 1<<18))(t) // 256 GiB
		small := must(dev.FromFloat32s([]float32{1, 2}, mem.Data, 2))(t)
		if got := must(small.Float32s())(t); got[0] != 0 || got[1] != 0 {
			t.Errorf("%s gives %v", dev, got)
		}
		if dev.Memory().Total.Live != 1<<38+8 {
			t.Errorf("%s counts %d", dev, dev.Memory().Total.Live)
		}
		if err := errors.Join(ReLU(x, x), x.Free(), small.Free(), dev.Close()); err != nil {
			t.Error(err)
		}
	}
	dev := must(OpenMetaCUDA(90, 1<<20))(t)
	var oom *mem.OutOfMemoryError
	if _, err := dev.Zeros(mem.Data, 1<<19); !errors.As(err, &oom) {
		t.Errorf("2 MiB of 1 MiB: %v", err)
	}
	if _, err := OpenMetaCUDA(70, 0); err == nil {
		t.Error("capability 70 is none that kernels run on")
	}
}
