package gpu

import (
	"errors"
	"regexp"
	"strconv"
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
	sums := func(DType) float64 { return typeLimit(Float32) } // of what is not rounded on its way
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
		{`attention_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.forward(m[1], m[2], true, false) }},
		{`attention_mma(_full)?_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.forward(m[2], m[3], m[1] != "", true) }},
		{`attention_split(_group)?_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.decode(m[2], m[3], m[1] != "") }},
		{`attention_join_` + dtype, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.decode(m[1], "32", true) }},
		{`attention_weights_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.weights(m[1], m[2]) }},
		{`attention_grad_(query|key_value)_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) { return r.gradients(m[2], m[3], m[1], true) }},
		{`attention_grad_(query|key_value|key|value)_mma(_full)?_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) {
			return r.gradients(m[3], m[4], m[1], m[2] != "")
		}},
		{`attention_grad_(query|key_value)_wgmma_` + dtype + size, nil, func(r *trialRun, m []string) ([]*Tensor, error) {
			return r.hopperGradients(dtypeNamed(m[2]), number(m[3]), m[1])
		}},
		{`attention_(bias|slopes)_grad(?:_mma)?_` + dtype + size, sums, func(r *trialRun, m []string) ([]*Tensor, error) { return r.scores(m[2], m[3], m[1] == "bias") }},
		{`attention_slopes_join`, typeLimit, func(r *trialRun, _ []string) ([]*Tensor, error) { return r.scores("f32", "32", false) }},
		{`update_(\d+)(h?)`, typeLimit, func(r *trialRun, m []string) ([]*Tensor, error) { return r.update(m[1], m[2] != "") }},
		{`trust_ratio`, typeLimit, func(r *trialRun, _ []string) ([]*Tensor, error) {
			o := NewLARS(0.1)
			o.Decay = 0.5
			lars, err := checkOptimizer(r.dev, Float32, o)
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

// heads makes query, key and value (1, 2, tq, size), (1, 1, tk, size) twice, and the
// options of a problem: causal, or with all that scores can have.
func (r *trialRun) heads(dtype DType, size, tq, tk int, full bool) ([]*Tensor, AttentionOptions, error) {
	o, shapes := headsOf(size, tq, tk, full)
	return drawn(r.dev, o, dtype, shapes)
}

func headsOf(size, tq, tk int, full bool) (AttentionOptions, [][]int) {
	shapes := [][]int{{1, 2, tq, size}, {1, 1, tk, size}, {1, 1, tk, size}}
	if !full {
		return AttentionOptions{Causal: true}, shapes
	}
	return AttentionOptions{Window: 50, ALiBi: []float32{0.1, 0.2}, Dropout: 0.2, Seed: 7}, append(shapes, []int{1, 2, 1, tk})
}

// drawn makes query, key, value and, where there is a fourth shape, the bias on dev.
func drawn(dev *Device, o AttentionOptions, dtype DType, shapes [][]int) ([]*Tensor, AttentionOptions, error) {
	var in []*Tensor
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
	if len(in) > 3 {
		o.Bias = in[3]
	}
	return in, o, nil
}

// forward is attention whose masks hide keys on both sides. Where the sums are rescaled
// only for scores far above those before (online_rows), a second one has such scores.
func (r *trialRun) forward(dtype, size string, full, far bool) ([]*Tensor, error) {
	in, o, err := r.heads(dtypeNamed(dtype), number(size), 100, 150, full)
	if err != nil {
		return in, err
	}
	var sharp []*Tensor
	if far {
		with := o
		with.Scale = 6
		res, err := Attention(in[0], in[1], in[2], with)
		if err != nil {
			return in, err
		}
		sharp = []*Tensor{res.Output, res.LSE}
	}
	out, err := attended(in, o)
	return append(out, sharp...), err
}

// hopperForward has more tiles than the kernel has on their way, and keys whose values
// behind the last are not to be looked at.
func (r *trialRun) hopperForward(dtype DType, size int) ([]*Tensor, error) {
	in, o, err := r.heads(dtype, size, 200, 600, false)
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
	in, o, err := r.heads(dtypeNamed(dtype), number(size), 3, 300, false)
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
// trial and not they.
func (r *trialRun) after(o AttentionOptions, dtype DType, shapes [][]int) (*AttentionResult, []*Tensor, error) {
	in, with, err := drawn(r.cpu, o, dtype, shapes)
	if err != nil {
		return nil, nil, err
	}
	first, err := Attention(in[0], in[1], in[2], with)
	if err != nil || r.dev == r.cpu {
		return first, in, err
	}
	in, o, err = drawn(r.dev, o, dtype, shapes)
	if err != nil {
		return nil, in, err
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

func (r *trialRun) afterHeads(dtype DType, size, tq, tk int, full bool) (*AttentionResult, []*Tensor, error) {
	o, shapes := headsOf(size, tq, tk, full)
	return r.after(o, dtype, shapes)
}

func (r *trialRun) weights(dtype, size string) ([]*Tensor, error) {
	res, in, err := r.afterHeads(dtypeNamed(dtype), number(size), 40, 70, true)
	if err != nil {
		return in, err
	}
	w, err := res.WeightsAt(0, 38, 7)
	return append(in, res.Output, res.LSE, w), err
}

// gradients gives those that the kernel computes.
func (r *trialRun) gradients(dtype, size, of string, full bool) ([]*Tensor, error) {
	res, in, err := r.afterHeads(dtypeNamed(dtype), number(size), 70, 100, full)
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
		_, shapes := headsOf(size, 200, 438, false)
		res, in, err := r.after(o, dtype, shapes) // so that tiles begin where sight does
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

// scores gives the gradients by biases that repeat along any of their axes, or by the
// slopes.
func (r *trialRun) scores(dtype, size string, bias bool) ([]*Tensor, error) {
	shapes := [][]int{{1, 2, 1, 100}, {1, 1, 70, 100}, {2, 1, 1, 100}, {2, 2, 70, 100}}
	if !bias {
		shapes = shapes[:1]
	}
	var all []*Tensor
	for _, shape := range shapes {
		g, err := r.scoreGrad(dtypeNamed(dtype), number(size), shape, bias)
		all = append(all, g...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// scoreGrad gives one of them, after attention that the CPU computed.
func (r *trialRun) scoreGrad(dtype DType, size int, shape []int, bias bool) ([]*Tensor, error) {
	o := AttentionOptions{Window: 50, ALiBi: []float32{0.1, 0.2}, Dropout: 0.2, Seed: 7}
	res, in, err := r.after(o, dtype, [][]int{{2, 2, 70, size}, {2, 1, 100, size}, {2, 1, 100, size}, shape})
	if err != nil {
		return in, err
	}
	dOut, err := checkTensor(r.dev, dtype, 9, res.Output.shape...)
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
