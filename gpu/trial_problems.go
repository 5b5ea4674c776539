package gpu

import (
	"errors"
	"math"
	"regexp"
	"strconv"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// problemKind makes the problems of kernels whose names fit a pattern, from what the
// pattern's groups matched.
type problemKind struct {
	pattern string
	limit   func(DType) float64 // nil: by the element type in the kernel's name
	run     func(r *trialRun, m []string) ([]*Tensor, error)
}

// problemKinds lists them; each kernel fits one.
func problemKinds() []problemKind {
	const dtype, size = `(f32|f16|bf16)`, `_(\d+)`
	exact := func(DType) float64 { return 0 }
	copies := map[string][]copyProblem{"copy": copyProblems(), "turn": turnProblems()}
	return append(layerProblems(), []problemKind{
		{`(copy|turn)_(f32|f16|bf16|i32)_(f32|f16|bf16|i32)`, exact, func(r *trialRun, m []string) ([]*Tensor, error) {
			return r.copies(copies[m[1]], dtypeNamed(m[2]), dtypeNamed(m[3]))
		}},
		{`(copy|turn)_b(16|32)`, exact, func(r *trialRun, m []string) ([]*Tensor, error) {
			t := map[string]DType{"16": Float16, "32": Float32}[m[2]]
			return r.copies(copies[m[1]], t, t)
		}},
		{`gemm_` + dtype + `(_f32)?`, nil, func(r *trialRun, m []string) ([]*Tensor, error) {
			return r.product(dtypeNamed(m[1]), m[2] != "" || m[1] == "f32", "nn", [3]int{67, 37, 71})
		}},
		{`gemm_mma_(nn|nt|tn|tt)_` + dtype, nil, func(r *trialRun, m []string) ([]*Tensor, error) {
			return r.product(dtypeNamed(m[2]), true, m[1], [3]int{136, 72, 144})
		}},
		{`gemm_wgmma_(nn|nt|tn|tt)_` + dtype, nil, func(r *trialRun, m []string) ([]*Tensor, error) {
			return r.product(dtypeNamed(m[2]), true, m[1], [3]int{136, 456, 328})
		}},
		{`attention_wgmma_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) {
			return r.hopperForward(dtypeNamed(m[1]), number(m[2]))
		}},
		{`attention_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.forward(m[1], m[2], 40, true) }},
		{`attention_mma(_full)?_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.forward(m[2], m[3], 40, m[1] != "") }},
		{`attention_split(_group)?_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.decode(m[2], m[3], m[1] != "") }},
		{`attention_join_` + dtype, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.decode(m[1], "32", true) }},
		{`attention_weights_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.weights(m[1], m[2]) }},
		{`attention_grad_(query|key_value)_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.gradients(m[2], m[3], m[1], true) }},
		{`attention_grad_(query|key_value)_mma(_full)?_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) {
			return r.gradients(m[3], m[4], m[1], m[2] != "")
		}},
		{`attention_grad_(query|key_value)_wgmma_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) {
			return r.hopperGradients(dtypeNamed(m[2]), number(m[3]), m[1])
		}},
		{`attention_(bias|slopes)_grad_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.scores(m[2], m[3], m[1] == "bias") }},
		{`attention_slopes_join`, typeLimit, func(r *trialRun, _ []string) ([]*Tensor, error) { return r.scores("f32", "32", false) }},
		{`update_(\d+)(h?)`, typeLimit, func(r *trialRun, m []string) ([]*Tensor, error) { return r.update(m[1], m[2] != "") }},
		{`trust_ratio`, typeLimit, func(r *trialRun, _ []string) ([]*Tensor, error) {
			lars, err := checkOptimizer(r.dev, Float32, NewLARS(0.1))
			if err != nil {
				return lars, err
			}
			lamb, err := checkOptimizer(r.dev, Float32, NewLAMB(0.01))
			return append(lars, lamb...), err
		}},
		{`step_(decide|choose|seed)`, typeLimit, func(r *trialRun, _ []string) ([]*Tensor, error) { return r.guarded() }},
		{`sum_squares`, typeLimit, func(r *trialRun, _ []string) ([]*Tensor, error) { return r.squares() }},
	}...)
}

// typeLimit is how far a value may be off beside the CPU's that was computed in the
// same precision: rounding, in another order of sums.
func typeLimit(t DType) float64 {
	return map[DType]float64{Float32: 5e-5, Float16: 8e-3, BFloat16: 6e-2}[t]
}

// problemOf is the problem for a kernel's trial, if there is one.
func problemOf(kernel string) (problem, bool) {
	for _, k := range problemKinds() {
		m := regexp.MustCompile(`^(?:` + k.pattern + `)$`).FindStringSubmatch(kernel)
		if m == nil {
			continue
		}
		limit := k.limit
		if limit == nil {
			t := dtypeNamed(regexp.MustCompile(`(bf16|f16|f32)`).FindString(kernel))
			limit = func(DType) float64 { return typeLimit(t) }
		}
		return problem{kernel: kernel, limit: limit, run: func(r *trialRun) ([]*Tensor, error) { return k.run(r, m) }}, true
	}
	return problem{}, false
}

func dtypeNamed(name string) DType {
	for _, t := range []DType{Float32, Float16, BFloat16} {
		if t.String() == name {
			return t
		}
	}
	return Int32
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // the pattern has digits
	return n
}

// product does c (m, n) = a b and adds a b again; layout says how a and b lie.
func (r *trialRun) product(dtype DType, wide bool, layout string, size [3]int) ([]*Tensor, error) {
	m, k, n := size[0], size[1], size[2]
	var in []*Tensor
	for i, s := range [][2]int{{m, k}, {k, n}} {
		if layout[i] == 't' {
			s[0], s[1] = s[1], s[0]
		}
		t, err := checkTensor(r.dev, dtype, uint64(i), s[0], s[1])
		if err == nil && layout[i] == 't' {
			t, err = t.Permute(1, 0)
		}
		if err != nil {
			return in, err
		}
		in = append(in, t)
	}
	out := dtype
	if wide {
		out = Float32
	}
	c, err := checkTensor(r.dev, out, 3, m, n)
	if err == nil {
		err = MatMul(c, in[0], in[1], true)
	}
	return append(in, c), err
}

// heads makes query, key and value (1, 2, tq, size), (1, 1, tk, size) twice on dev,
// and the options of a problem: causal, or with all that scores can have.
func (r *trialRun) heads(dev *Device, dtype DType, size, tq, tk int, full bool) ([]*Tensor, AttentionOptions, error) {
	o := AttentionOptions{Causal: true}
	var in []*Tensor
	shapes := [][]int{{1, 2, tq, size}, {1, 1, tk, size}, {1, 1, tk, size}}
	if full {
		o = AttentionOptions{Window: 50, ALiBi: []float32{0.1, 0.2}, Dropout: 0.2, Seed: 7}
		shapes = append(shapes, []int{1, 2, 1, tk})
	}
	for i, s := range shapes {
		t := dtype
		if i == 3 {
			t = Float32
		}
		x, err := checkTensor(dev, t, uint64(i), s...)
		if err != nil {
			return in, o, err
		}
		in = append(in, x)
	}
	if full {
		o.Bias = in[3]
	}
	return in, o, nil
}

func (r *trialRun) forward(dtype, size string, tq int, full bool) ([]*Tensor, error) {
	in, o, err := r.heads(r.dev, dtypeNamed(dtype), number(size), tq, 150, full)
	if err != nil {
		return in, err
	}
	return attended(in, o)
}

// hopperForward has more tiles than the kernel has on their way, and keys whose values
// behind the last are not to be looked at.
func (r *trialRun) hopperForward(dtype DType, size int) ([]*Tensor, error) {
	in, o, err := r.heads(r.dev, dtype, size, 200, 600, false)
	if err != nil {
		return in, err
	}
	first, err := Attention(in[0], in[1], in[2], o)
	if err != nil {
		return in, err
	}
	out, err := attended(in, AttentionOptions{Window: 170, KeyLengths: []int{430}})
	return append(out, first.Output, first.LSE), err
}

func (r *trialRun) decode(dtype, size string, group bool) ([]*Tensor, error) {
	in, o, err := r.heads(r.dev, dtypeNamed(dtype), number(size), 3, 300, false)
	if err == nil && !group { // one query, one head a key head
		in[0] = in[0].span(1, 0, 1).span(2, 2, 3)
	}
	if err != nil {
		return in, err
	}
	return attended(in, o)
}

// attended gives back query, key and value, whose values are the same anyway, and
// what came of them.
func attended(in []*Tensor, o AttentionOptions) ([]*Tensor, error) {
	res, err := Attention(in[0], in[1], in[2], o)
	if err != nil {
		return in, err
	}
	return append(in[1:], res.Output, res.LSE), nil
}

// after is attention whose results the CPU computed, so that what follows is on
// trial and not they; with other options than the problem's where there are any.
func (r *trialRun) after(dtype DType, size, tq, tk int, full bool, other *AttentionOptions) (*AttentionResult, []*Tensor, error) {
	in, o, err := r.heads(r.cpu, dtype, size, tq, tk, full)
	if err != nil {
		return nil, nil, err
	}
	if other != nil {
		o = *other
	}
	first, err := Attention(in[0], in[1], in[2], o)
	if err != nil || r.dev == r.cpu {
		return first, in, err
	}
	in, own, err := r.heads(r.dev, dtype, size, tq, tk, full)
	if err != nil {
		return nil, in, err
	}
	if other == nil {
		o = own
	}
	res := new(AttentionResult)
	if err := res.call.set(in[0], in[1], in[2], o); err != nil {
		return nil, in, err
	}
	if err := res.allocate(); err != nil {
		return nil, in, err
	}
	for _, p := range [][2]*Tensor{{res.Output, first.Output}, {res.LSE, first.LSE}} {
		if err := Copy(p[0], p[1]); err != nil {
			return nil, in, err
		}
	}
	return res, in, nil
}

func (r *trialRun) weights(dtype, size string) ([]*Tensor, error) {
	res, in, err := r.after(dtypeNamed(dtype), number(size), 40, 70, true, nil)
	if err != nil {
		return in, err
	}
	w, err := res.WeightsAt(0, 38, 7)
	return append(in, res.Output, res.LSE, w), err
}

// gradients gives those that the kernel computes.
func (r *trialRun) gradients(dtype, size, of string, full bool) ([]*Tensor, error) {
	res, in, err := r.after(dtypeNamed(dtype), number(size), 70, 100, full, nil)
	if err != nil {
		return in, err
	}
	out, err := r.graded(res, of)
	return append(append(in, res.Output, res.LSE), out...), err
}

// hopperGradients has more tiles than the kernels have on their way, and queries and keys
// behind a sequence's last that are not to be looked at.
func (r *trialRun) hopperGradients(dtype DType, size int, of string) ([]*Tensor, error) {
	var all []*Tensor
	for _, o := range []AttentionOptions{{Causal: true}, {Window: 173, KeyLengths: []int{300}}} {
		res, in, err := r.after(dtype, size, 200, 438, false, &o) // so that tiles begin where sight does
		all = append(all, in...)
		if err != nil {
			return all, err
		}
		out, err := r.graded(res, of)
		if all = append(append(all, res.Output, res.LSE), out...); err != nil {
			return all, err
		}
	}
	return all, nil
}

// graded gives the gradients by queries, or by keys and values.
func (r *trialRun) graded(res *AttentionResult, of string) ([]*Tensor, error) {
	dOut, err := checkTensor(r.dev, res.Output.dtype, 9, res.Output.shape...)
	if err != nil {
		return nil, err
	}
	dq, dk, dv, err := res.Backward(dOut)
	if err = errors.Join(err, dOut.Free()); err != nil {
		return nil, err
	}
	if of == "query" {
		return []*Tensor{dq}, errors.Join(dk.Free(), dv.Free())
	}
	return []*Tensor{dk, dv}, dq.Free()
}

// scores gives the gradient by the bias, which repeats along queries, or by the slopes.
func (r *trialRun) scores(dtype, size string, bias bool) ([]*Tensor, error) {
	res, in, err := r.after(dtypeNamed(dtype), number(size), 70, 100, true, nil)
	if err != nil {
		return in, err
	}
	dOut, err := checkTensor(r.dev, dtypeNamed(dtype), 9, res.Output.shape...)
	if err != nil {
		return in, err
	}
	grad := res.BackwardALiBi
	if bias {
		grad = res.BackwardBias
	}
	g, err := grad(dOut)
	return append(in, res.Output, res.LSE, g), err
}

// update does one step of a kind on two tensors, with every factor different.
func (r *trialRun) update(kind string, halves bool) ([]*Tensor, error) {
	k := host.Kind(number(kind))
	f := host.Factors{Scale: 0.5, Decay: 0.01, Shrink: 0.001, Rate: 0.02, Momentum: 0.9, Mean: 0.1, Square: 0.05, Correct1: 1.5, Correct2: 1.2, Eps: 1e-3}
	var us []update
	var all []*Tensor
	for i, n := range []int{300, 5000} {
		u := update{rate: 0.5 + float32(i)}
		var err error
		made := func(dtype DType, change func(float32) float32) *Tensor {
			var t *Tensor
			if err == nil {
				t, err = checkTensor(r.dev, dtype, uint64(len(all)), n)
			}
			if err == nil && change != nil {
				err = t.change(change)
			}
			all = append(all, t)
			return t
		}
		u.x = made(Float32, nil)
		half := []DType{Float16, BFloat16}[i]
		switch {
		case halves && k == host.LAMBMoments: // which changes no parameter
			u.g = made(half, nil)
		case halves:
			u.half, u.g = made(half, nil), made(half, nil)
		default:
			u.g = made(Float32, nil)
		}
		// The third state is a mean whose square is below the first.
		changes := [3]func(float32) float32{square, square, func(x float32) float32 { return x / 50 }}
		for j := range k.States() {
			u.s[j] = made(Float32, changes[j])
		}
		if err != nil {
			return all, err
		}
		us = append(us, u)
	}
	sums, err := r.dev.back.update(k, f, us)
	if err != nil {
		return all, err
	}
	all = append(all, r.means(sums)...)
	again, err := r.updateAgain(k, f, us)
	return append(all, r.means(again)...), err
}

// updateAgain is a second update, on a CUDA device with its own word and factors.
func (r *trialRun) updateAgain(k host.Kind, f host.Factors, us []update) ([][2]float64, error) {
	c, ok := r.dev.back.(*cuda)
	if !ok {
		return r.dev.back.update(k, f, us)
	}
	record, err := r.dev.Empty(Float32, mem.Workspace, 2*recordWords)
	if err != nil {
		return nil, err
	}
	gate := record.address()
	work, err := c.reserve(&lineup{kind: k}, true)
	if err == nil {
		err = errors.Join(c.decide(work, gate, nil, decision{begin: true, scaled: true, scale: float64(1 / f.Scale)}), work.Return())
	}
	if err == nil {
		err = c.choose(gate, 0, [][4]float32{{f.Shrink, f.Rate, f.Correct1, f.Correct2}})
	}
	var sums [][2]float64
	if err == nil {
		f.Scale, f.Shrink, f.Rate, f.Correct1, f.Correct2 = 0, 0, 0, 0, 0
		sums, err = c.updateBehind(gate, k, f, pack(k, us))
	}
	return sums, errors.Join(err, record.Free())
}

// guarded does steps whose norms decide, one of them with a gradient that is infinite,
// and begins a pass under the loss scale that they leave.
func (r *trialRun) guarded() ([]*Tensor, error) {
	d := &draws{dev: r.dev}
	for i, make := range []func() Optimizer{func() Optimizer { return NewAdam(0.01) }, func() Optimizer { return NewLARS(0.1) }, func() Optimizer { return NewLAMB(0.01) }} {
		opt := make()
		o := opt.(interface{ Common() *Training }).Common()
		o.Clip, o.Scale, o.Schedule = 0.5, &LossScale{Initial: 4, Growth: 2, Backoff: 0.5, Interval: 2}, Cosine{Steps: 6}
		params := []*Tensor{d.tensor(Float32, 300), d.tensor(Float32, 40000)}
		for step := range 5 {
			grads := []*Tensor{d.tensor(Float32, 300), d.tensor(Float32, 40000)}
			if d.err == nil && step == 1+i {
				d.err = Fill(grads[1], float32(math.Inf(1)))
			}
			if d.err == nil {
				d.err = opt.Step(params, grads)
			}
		}
		if loss := d.tensor(Float32, 1); d.err == nil {
			d.err = o.LossGradient(loss, 0.25)
		}
		if d.err != nil {
			return d.all, d.err
		}
		told := d.tensor(Float32, 5)
		if d.err == nil {
			d.err = told.CopyFrom([]float32{float32(o.Steps()), float32(o.Skipped()), float32(o.Norm()), float32(o.Scale.Value()), float32(o.Rate())})
		}
		d.all = append(d.all, o.stateOf(params)...)
	}
	return d.all, d.err
}

func square(x float32) float32 { return 0.1 + x*x }

// change does so with each of t's values, without a kernel.
func (t *Tensor) change(f func(float32) float32) error {
	values, err := t.Float32s()
	for i, x := range values {
		values[i] = f(x)
	}
	if err != nil {
		return err
	}
	return t.CopyFrom(values)
}

// means turns sums that the backend gave into tensors of the CPU.
func (r *trialRun) means(sums [][2]float64) []*Tensor {
	var out []*Tensor
	for _, s := range sums {
		t, err := r.cpu.FromFloat32s([]float32{float32(math.Sqrt(s[0])), float32(math.Sqrt(s[1]))}, mem.Workspace, 2)
		if err == nil {
			out = append(out, t)
		}
	}
	return out
}

func (r *trialRun) squares() ([]*Tensor, error) {
	var in []*Tensor
	for i, dtype := range []DType{Float32, Float16, BFloat16} {
		t, err := checkTensor(r.dev, dtype, uint64(i), 40000*i+77)
		if err != nil {
			return in, err
		}
		in = append(in, t)
	}
	sums, err := r.dev.back.sumSquares(in)
	if err != nil {
		return in, err
	}
	out := make([][2]float64, len(sums))
	for i, s := range sums {
		out[i] = [2]float64{s, s}
	}
	return append(in, r.means(out)...), nil
}
