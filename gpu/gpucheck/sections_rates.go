package main

import (
	"fmt"
	"slices"
	"strings"

	"attune/gpu"
	"attune/gpu/mem"
)

// archs are the architectures whose kernels are measured apart, from the newest on.
func (b *bench) archs() []int {
	var out []int
	for _, a := range []int{90, 80, 75} {
		if a == 90 && b.probe.Arch() == 90 || a < 90 && b.probe.Arch() >= a {
			out = append(out, a)
		}
	}
	return out
}

func formOf(arch int) string {
	if arch == 90 {
		return "sm_90a"
	}
	return fmt.Sprintf("sm_%d", arch)
}

// byForms makes an item of each form that does the work with kernels of its own: one
// that falls back to an older form's is not shown. The oldest form is only worth a few.
func (b *bench) byForms(name string, oldest bool, make func(arch int) row) []item {
	var out []item
	for _, arch := range b.archs() {
		if arch < 80 && b.probe.Arch() >= 80 && !oldest {
			continue
		}
		out = append(out, item{name, formOf(arch), func() row {
			b.probe.Limit(arch)
			defer b.probe.Limit(0)
			r := make(arch)
			if len(r.Kernels) == 0 {
				r.Kernels = b.probe.Launched()
			}
			if form := newest(b.forms, r.Kernels); form != "" && form != formOf(arch) {
				return row{Skip: true}
			}
			return r
		}})
	}
	return out
}

// attentionShape is one size of the FlashAttention papers (Dao 2023, section 4.1): 16384
// tokens in all, 2048 columns.
type attentionShape struct {
	b, h, t, d int
	causal     bool
}

func (s attentionShape) String() string {
	causal := ""
	if s.causal {
		causal = ", causal"
	}
	return fmt.Sprintf("bf16 (%d, %d, %d, %d)%s", s.b, s.h, s.t, s.d, causal)
}

// flop is two products of 2 T T D each a head, half of it where causal.
func (s attentionShape) flop() float64 {
	f := 4 * float64(s.b*s.h) * float64(s.t) * float64(s.t) * float64(s.d)
	if s.causal {
		f /= 2
	}
	return f
}

func (s attentionShape) rival(backward bool, arch int) *rivalCase {
	goals := map[int]map[string]float64{80: {"flash": 0.85}, 90: {"best": 1}}[arch]
	return &rivalCase{What: "attention", B: s.b, H: s.h, KV: s.h, T: s.t, D: s.d, Causal: s.causal, Backward: backward, DType: "bf16", Goals: goals}
}

// attentionShapes lists them, those first that the goals are about.
func (b *bench) attentionShapes() []attentionShape {
	var out []attentionShape
	tokens, columns, lengths := 16384, 2048, []int{2048, 8192, 512, 16384, 1024, 4096}
	if b.o.tiny {
		tokens, columns, lengths = 64, 128, []int{64}
	}
	for _, d := range []int{128, 64} {
		for _, t := range lengths {
			for _, causal := range []bool{false, true} {
				out = append(out, attentionShape{tokens / t, columns / d, t, d, causal})
			}
		}
	}
	return out
}

func forwardItems(b *bench) ([]item, error) {
	var out []item
	for _, s := range b.attentionShapes() {
		out = append(out, b.byForms("forward "+s.String(), s.t <= 2048 && s.d == 128, func(arch int) row {
			shape := []int{s.b, s.h, s.t, s.d}
			sets := b.sets(3 * 2 * s.b * s.h * s.t * s.d)
			in, free, err := b.inputs(sets, gpu.BFloat16, shape, shape, shape)
			if err != nil {
				return row{Fail: err.Error()}
			}
			r := b.measured(row{FLOP: s.flop(), Rival: s.rival(false, arch)}, sets, func(set int) error {
				r, err := gpu.Attention(in[set][0], in[set][1], in[set][2], gpu.AttentionOptions{Causal: s.causal})
				if err != nil {
					return err
				}
				return r.Free()
			})
			return end(r, free())
		})...)
	}
	return out, nil
}

func backwardItems(b *bench) ([]item, error) {
	var out []item
	for _, s := range b.attentionShapes() {
		out = append(out, b.byForms("backward "+s.String(), s.t <= 1024 && s.d == 128, func(arch int) row { return b.backward(s, arch) })...)
	}
	return out, nil
}

// backward is five products where forward has two.
func (b *bench) backward(s attentionShape, arch int) row {
	shape := []int{s.b, s.h, s.t, s.d}
	in, free, err := b.inputs(2, gpu.BFloat16, shape, shape, shape, shape, shape, shape, shape)
	if err != nil {
		return row{Fail: err.Error()}
	}
	var first []*gpu.AttentionResult
	for _, set := range in {
		r, err := gpu.Attention(set[0], set[1], set[2], gpu.AttentionOptions{Causal: s.causal})
		if err != nil {
			return end(row{Fail: err.Error()}, free())
		}
		first = append(first, r)
	}
	b.probe.Launched()
	r := b.measured(row{FLOP: 2.5 * s.flop(), Rival: s.rival(true, arch)}, len(in), func(set int) error {
		return first[set].BackwardInto(in[set][3], in[set][4], in[set][5], in[set][6])
	})
	for _, f := range first {
		r = end(r, f.Free())
	}
	return end(r, free())
}

// peakItems are what the others are measured by: a copy, and a large product.
func peakItems(b *bench) ([]item, error) {
	n, side := 1<<28, 8192
	if b.o.tiny {
		n, side = 5000, 64
	}
	copyItem := item{fmt.Sprintf("copy f32 (%d)", n), "", func() row {
		in, free, err := b.inputs(1, gpu.Float32, []int{n}, []int{n})
		if err != nil {
			return row{Fail: err.Error()}
		}
		r := b.measured(row{Bytes: 8 * float64(n), Peak: "copy", Rival: &rivalCase{What: "copy", N: n}}, 1, func(int) error {
			return gpu.Copy(in[0][1], in[0][0])
		})
		return end(r, free())
	}}
	products := b.byForms(fmt.Sprintf("product bf16 %d³", side), false, func(int) row {
		r := b.product(gpu.BFloat16, side, side, side)
		r.Peak = "product"
		return r
	})
	return append([]item{copyItem}, products...), nil
}

// product is c (m, n) = a (m, k) b (k, n).
func (b *bench) product(dtype gpu.DType, m, k, n int) row {
	return b.productOn(b.probe.Device, dtype, m, k, n)
}

// productOn is product on a device of the probe's context. Where no kernel of attune's
// ran, it was cuBLASLt's.
func (b *bench) productOn(dev *gpu.Device, dtype gpu.DType, m, k, n int) row {
	sets := b.sets((m*k + k*n + m*n) * dtype.Size())
	in, free, err := b.inputsOn(dev, sets, dtype, []int{m, k}, []int{k, n}, []int{m, n})
	if err != nil {
		return row{Fail: err.Error()}
	}
	flop := 2 * float64(m) * float64(n) * float64(k)
	rival := &rivalCase{What: "product", M: m, N: n, K: k, DType: dtype.String()}
	r := b.measured(row{FLOP: flop, Rival: rival}, sets, func(set int) error { return gpu.MatMul(in[set][2], in[set][0], in[set][1], false) })
	if r.Kernels = b.probe.Launched(); len(r.Kernels) == 0 {
		r.Kernels = []string{"cuBLASLt"}
	}
	if newest(b.forms, r.Kernels) >= formOf(80) || r.Kernels[0] == "cuBLASLt" {
		rival.Goals = map[string]float64{"cuBLAS": 0.85}
	}
	return end(r, free())
}

func restItems(b *bench) ([]item, error) {
	batch, context, params, side := 16, 8192, 124_000_000, []int{4096, 2048, 1024}
	if b.o.tiny {
		batch, context, params, side = 2, 200, 5000, []int{64}
	}
	out := []item{b.decode(batch, 32, 8, context, 128), b.decode(1, 32, 8, 4*context, 128), b.decode(batch, 32, 32, context, 64)}
	adamw := func() gpu.Optimizer { return gpu.NewAdamW(1e-3, 0.1) }
	out = append(out, b.optimizer("adamw", params, 28, adamw, &rivalCase{What: "adamw", N: params}, 0.9),
		b.optimizer("adamw, clipped", params, 32, func() gpu.Optimizer {
			o := gpu.NewAdamW(1e-3, 0.1)
			o.Clip = 1
			return o
		}, nil, 0),
		b.optimizer("lamb", params, 52, func() gpu.Optimizer { return gpu.NewLAMB(1e-3) }, nil, 0))
	for _, n := range side {
		out = append(out, b.byForms(fmt.Sprintf("product bf16 %d³", n), n <= 2048, func(int) row { return b.product(gpu.BFloat16, n, n, n) })...)
	}
	out = append(out, item{fmt.Sprintf("product f32 %d³", side[len(side)-1]), "", func() row {
		return b.product(gpu.Float32, side[len(side)-1], side[len(side)-1], side[len(side)-1])
	}})
	out = append(out, item{fmt.Sprintf("product bf16 %d³, as users have it", side[0]), "", func() row {
		return b.productOn(b.dev, gpu.BFloat16, side[0], side[0], side[0])
	}})
	return append(append(out, b.rowItems()...), b.fullItems()...), nil
}

// fullItems are attention with what its fast forms leave out.
func (b *bench) fullItems() []item {
	var out []item
	for _, s := range b.attentionShapes() {
		if s.t > 2048 || s.t < 1024 && !b.o.tiny || !s.causal {
			continue
		}
		for name, o := range map[string]gpu.AttentionOptions{"ALiBi": {Causal: true, ALiBi: gpu.ALiBiSlopes(s.h)}, "dropout": {Causal: true, Dropout: 0.1, Seed: 1}} {
			out = append(out, item{"forward " + s.String() + ", " + name, "", func() row {
				shape := []int{s.b, s.h, s.t, s.d}
				in, free, err := b.inputs(2, gpu.BFloat16, shape, shape, shape)
				if err != nil {
					return row{Fail: err.Error()}
				}
				r := b.measured(row{FLOP: s.flop()}, 2, func(set int) error {
					r, err := gpu.Attention(in[set][0], in[set][1], in[set][2], o)
					if err != nil {
						return err
					}
					return r.Free()
				})
				return end(r, free())
			}})
		}
	}
	slices.SortFunc(out, func(a, b item) int { return strings.Compare(a.name, b.name) })
	return out
}

// decode reads keys and values once.
func (b *bench) decode(batch, h, kv, t, d int) item {
	return item{fmt.Sprintf("decoding bf16 (%d, %d/%d, 1/%d, %d)", batch, h, kv, t, d), "", func() row {
		return b.decoding(batch, h, kv, t, d, func(measure func() row) row { return measure() })
	}}
}

// decoding lets with measure it, as often as it likes.
func (b *bench) decoding(batch, h, kv, t, d int, with func(measure func() row) row) row {
	bytes := 4 * batch * kv * t * d
	sets := b.sets(bytes)
	keys, freeKeys, err := b.inputs(sets, gpu.BFloat16, []int{batch, kv, t, d}, []int{batch, kv, t, d})
	if err != nil {
		return row{Fail: err.Error()}
	}
	queries, freeQueries, err := b.inputs(sets, gpu.BFloat16, []int{batch, h, 1, d})
	if err != nil {
		return end(row{Fail: err.Error()}, freeKeys())
	}
	rival := &rivalCase{What: "decode", B: batch, H: h, KV: kv, T: t, D: d, DType: "bf16", Goals: map[string]float64{"copy": 0.8}}
	r := with(func() row {
		return b.measured(row{Bytes: float64(bytes), Rival: rival}, sets, func(set int) error {
			r, err := gpu.Attention(queries[set][0], keys[set][0], keys[set][1], gpu.AttentionOptions{})
			if err != nil {
				return err
			}
			return r.Free()
		})
	})
	return end(end(r, freeKeys()), freeQueries())
}

// optimizer does steps of n parameters, as 50 tensors; bytes is what each must move.
func (b *bench) optimizer(name string, n, bytes int, make func() gpu.Optimizer, rival *rivalCase, goal float64) item {
	return item{fmt.Sprintf("%s f32, %d parameters", name, n/50*50), "", func() row {
		var shapes [][]int
		for range 100 {
			shapes = append(shapes, []int{n / 50})
		}
		in, free, err := b.inputs(1, gpu.Float32, shapes...)
		if err != nil {
			return row{Fail: err.Error()}
		}
		if rival == nil {
			rival = &rivalCase{}
		}
		if goal > 0 {
			rival.Goals = map[string]float64{"copy": goal}
		}
		o := make()
		r := b.measured(row{Bytes: float64(bytes) * float64(n/50*50), Rival: rival}, 1, func(int) error { return o.Step(in[0][:50], in[0][50:]) })
		return end(end(r, o.Free()), free())
	}}
}

// rowItems are what else a transformer's step moves memory for.
func (b *bench) rowItems() []item {
	rows, width := 16384, 4096
	if b.o.tiny {
		rows, width = 16, 64
	}
	moved := func(name string, shapes [][]int, bytes float64, run func(t []*gpu.Tensor) error) item {
		return item{fmt.Sprintf("%s bf16 (%d, %d)", name, rows, width), "", func() row {
			in, free, err := b.inputs(2, gpu.BFloat16, shapes...)
			if err != nil {
				return row{Fail: err.Error()}
			}
			stats, err := b.probe.Device.Zeros(mem.Data, 2, rows)
			if err != nil {
				return end(row{Fail: err.Error()}, free())
			}
			mean, err := stats.Index(0, 0)
			rstd, err2 := stats.Index(0, 1)
			if err = firstOf(err, err2); err != nil {
				return end(row{Fail: err.Error()}, free())
			}
			r := b.measured(row{Bytes: bytes}, 2, func(set int) error { return run(append(in[set], mean, rstd)) })
			return end(end(r, stats.Free()), free())
		}}
	}
	full, line := []int{rows, width}, []int{width}
	two := 4 * float64(rows*width)
	return []item{
		moved("layer norm", [][]int{full, full, line, line}, two, func(t []*gpu.Tensor) error {
			return gpu.LayerNorm(t[0], t[4], t[5], t[1], t[2], t[3], 1e-5)
		}),
		moved("softmax", [][]int{full, full}, two, func(t []*gpu.Tensor) error { return gpu.Softmax(t[0], t[1]) }),
		moved("gelu", [][]int{full, full}, two, func(t []*gpu.Tensor) error { return gpu.GELU(t[0], t[1]) }),
		moved("sum along rows", [][]int{full, line}, two/2, func(t []*gpu.Tensor) error { return gpu.SumRows(t[1], t[0], 1) }),
	}
}
