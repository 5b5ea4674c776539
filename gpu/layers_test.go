package gpu

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"attune/gpu/mem"
	"attune/gpu/ref"
)

// layerTest draws operands of the layers and compares results with the reference.
type layerTest struct {
	t     *testing.T
	dev   *Device
	rng   *rand.Rand
	dtype DType
	what  string
}

// layerTests runs a test on every device, for each element type and a few shapes (a,
// b, c).
func layerTests(t *testing.T, test func(l *layerTest, a, b, c int)) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(31, 32))
		for _, dtype := range []DType{Float32, Float16, BFloat16} {
			shapes := [][3]int{{1, 1, 1}, {2, 3, 7}, {3, 2, 16}, {2, 35, 33}, {3, 1, 300}, {5, 11, 64}, {300, 1, 5}, {2, 700, 2}}
			if dev.Name() == "cpu" { // enough for several threads
				shapes = append(shapes, [3]int{4, 60, 257})
			}
			for _, s := range shapes {
				test(&layerTest{t, dev, rng, dtype, fmt.Sprintf("%s %v", dtype, s)}, s[0], s[1], s[2])
			}
		}
	})
}

// in is a tensor of normal values and these values.
func (l *layerTest) in(shape ...int) (*Tensor, []float64) { return l.typed(l.dtype, shape...) }

func (l *layerTest) typed(dtype DType, shape ...int) (*Tensor, []float64) {
	l.t.Helper()
	n := 1
	for _, s := range shape {
		n *= s
	}
	return l.of(dtype, normal(l.rng, n), shape...)
}

func (l *layerTest) of(dtype DType, values []float32, shape ...int) (*Tensor, []float64) {
	l.t.Helper()
	x := must(must(l.dev.FromFloat32s(values, mem.Data, shape...))(l.t).As(dtype))(l.t)
	return x, wide(must(x.Float32s())(l.t))
}

func (l *layerTest) ints(values []int32) *Tensor {
	l.t.Helper()
	return must(l.dev.FromInt32s(values, mem.Data, len(values)))(l.t)
}

// ok fails on an error.
func (l *layerTest) ok(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(l.what, err)
	}
}

// near compares; units is how many roundings of the element type may be between, for
// f32 of sums.
func (l *layerTest) near(what string, got *Tensor, want []float64) {
	l.t.Helper()
	near(l.t, l.what+" "+what, got, want, map[DType]float64{Float32: 2e-5, Float16: 1e-3, BFloat16: 8e-3}[got.dtype])
}

func apply(f func(i int) float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = f(i)
	}
	return out
}

func TestElementwiseMatchesReference(t *testing.T) {
	layerTests(t, func(l *layerTest, a, b, c int) {
		n := a * b * c
		x, xv := l.in(a, b, c)
		y, yv := l.in(a, b, c)
		out, _ := l.in(a, b, c)
		maps := ref.Maps()
		for name, f := range map[string]func(y, x *Tensor) error{"relu": ReLU, "gelu": GELU, "silu": SiLU, "tanh": Tanh, "sigmoid": Sigmoid} {
			l.ok(f(out, x))
			l.near(name, out, apply(func(i int) float64 { return maps[name].F(xv[i]) }, n))
		}
		for name, f := range map[string]func(dx, x, dy *Tensor) error{"relu": ReLUGrad, "gelu": GELUGrad, "silu": SiLUGrad, "tanh": TanhGrad, "sigmoid": SigmoidGrad} {
			dx, start := l.in(a, b, c)
			arg := x
			if name == "tanh" || name == "sigmoid" { // these take the result
				m := maps[name]
				arg, _ = l.of(Float32, narrowed(apply(func(i int) float64 { return m.F(xv[i]) }, n)), a, b, c)
			}
			l.ok(f(dx, arg, y))
			l.near(name+" gradient", dx, apply(func(i int) float64 { return start[i] + yv[i]*maps[name].Slope(xv[i]) }, n))
		}
		l.ok(Mul(out, x, y))
		l.near("mul", out, apply(func(i int) float64 { return xv[i] * yv[i] }, n))
		l.ok(Scale(out, x, -2.5))
		l.near("scale", out, apply(func(i int) float64 { return -2.5 * xv[i] }, n))
		dx, start := l.in(a, b, c)
		l.ok(AddMul(dx, x, y))
		l.near("add mul", dx, apply(func(i int) float64 { return start[i] + xv[i]*yv[i] }, n))
		dx, start = l.in(a, b, c)
		l.ok(AddScaled(dx, x, 0.5))
		l.near("add scaled", dx, apply(func(i int) float64 { return start[i] + 0.5*xv[i] }, n))
		l.ok(Fill(out, 3))
		l.near("fill", out, apply(func(int) float64 { return 3 }, n))
		l.ok(Add(out, out))
		l.near("add to itself", out, apply(func(int) float64 { return 6 }, n))
	})
}

func narrowed(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

func TestAxesMatchReference(t *testing.T) {
	layerTests(t, func(l *layerTest, a, b, c int) {
		x, xv := l.in(a, b, c)
		bias, bv := l.in(b, c)
		y, _ := l.in(a, b, c)
		l.ok(AddBias(y, x, bias))
		l.near("add bias", y, apply(func(i int) float64 { return xv[i] + bv[i%(b*c)] }, a*b*c))
		shape := []int{a, b, c}
		for axis := -1; axis < 3; axis++ {
			outer, middle, inner := 1, a, b*c // SumRows
			switch axis {
			case 1:
				outer, middle, inner = a, b, c
			case 2:
				outer, middle, inner = a*b, c, 1
			}
			s, sv := l.in(outer, inner)
			if axis < 0 {
				l.ok(SumRows(s, x, 0.25))
			} else {
				l.ok(SumAxis(s, x, axis, 0.25))
			}
			sums := ref.SumAxis(xv, outer, middle, inner)
			l.near(fmt.Sprint("sum of axis ", axis), s, apply(func(i int) float64 { return sv[i] + 0.25*sums[i] }, outer*inner))
			if axis >= 0 {
				dx, start := l.in(shape...)
				ds, dv := l.in(outer, inner)
				l.ok(Spread(dx, ds, axis, 0.25))
				l.near("spread", dx, apply(func(i int) float64 { return start[i] + 0.25*dv[i/(middle*inner)*inner+i%inner] }, a*b*c))
			}
		}
	})
}

func TestNormsMatchReference(t *testing.T) {
	layerTests(t, func(l *layerTest, a, b, c int) {
		const eps = 0.1
		rows := a * b
		x, xv := l.in(a, b, c)
		dy, dv := l.in(a, b, c)
		gain, gv := l.in(c)
		bias, bv := l.in(c)
		mean, _ := l.typed(Float32, rows)
		rstd, _ := l.typed(Float32, rows)
		y, _ := l.in(a, b, c)
		dx, start := l.in(a, b, c)
		dGain, dgStart := l.typed(Float32, c)
		dBias, dbStart := l.in(c)
		sum := func(x, y []float64) []float64 { return apply(func(i int) float64 { return x[i] + y[i] }, len(x)) }

		l.ok(LayerNorm(y, mean, rstd, x, gain, bias, eps))
		l.near("layer norm", y, ref.LayerNorm(xv, gv, bv, eps, false))
		l.ok(LayerNormGrad(dx, dGain, dBias, x, dy, gain, mean, rstd))
		wx, wg, wb := ref.LayerNormGrad(xv, gv, dv, eps, false)
		l.near("layer norm gradient by x", dx, sum(start, wx))
		near(l.t, l.what+" by gain", dGain, sum(dgStart, wg), 1e-4)
		l.near("layer norm gradient by bias", dBias, sum(dbStart, wb))
		l.ok(LayerNorm(y, mean, rstd, x, gain, nil, eps))
		l.near("layer norm without bias", y, ref.LayerNorm(xv, gv, nil, eps, false))

		l.ok(RMSNorm(y, rstd, x, gain, eps))
		l.near("rms norm", y, ref.LayerNorm(xv, gv, nil, eps, true))
		l.ok(errors.Join(Fill(dx, 0), Fill(dGain, 0), RMSNormGrad(dx, nil, x, dy, gain, rstd), RMSNormGrad(nil, dGain, x, dy, gain, rstd)))
		wx, wg, _ = ref.LayerNormGrad(xv, gv, dv, eps, true)
		l.near("rms norm gradient by x", dx, wx)
		near(l.t, l.what+" by gain", dGain, wg, 1e-4)
	})
}

func TestEmbeddingMatchesReference(t *testing.T) {
	layerTests(t, func(l *layerTest, a, b, c int) {
		const vocabulary = 5
		table, tv := l.typed([]DType{l.dtype, Float32}[l.rng.IntN(2)], vocabulary, c) // a master
		dy, dv := l.in(a, b, c)
		dTable, want := l.typed(Float32, vocabulary, c)
		ids := make([]int32, a*b)
		for i := range ids {
			ids[i] = int32(l.rng.IntN(vocabulary))
		}
		y, _ := l.in(a, b, c)
		l.ok(Embedding(y, table, l.ints(ids)))
		got := must(y.Float32s())(l.t)
		if len(ids) > 2 { // the gradient passes them over
			ids[1], ids[2] = -1, vocabulary
		}
		l.ok(EmbeddingGrad(dTable, dy, l.ints(ids)))
		for i, id := range ids {
			for j := range c {
				if id < 0 || id >= vocabulary {
					continue
				}
				g := float64(got[i*c+j])
				// A row is rounded to the result's type and nothing else.
				w := map[DType]func(float64) float64{Float32: ref.RoundF32, Float16: ref.RoundF16, BFloat16: ref.RoundBF16}[y.dtype](tv[int(id)*c+j])
				if g != w {
					l.t.Fatalf("%s: row %d of id %d is %g, not %g", l.what, i, id, g, w)
				}
				want[int(id)*c+j] += dv[i*c+j]
			}
		}
		near(l.t, l.what+" embedding gradient", dTable, want, 1e-5)
	})
}

func TestDropoutMatchesReference(t *testing.T) {
	layerTests(t, func(l *layerTest, a, b, c int) {
		x, xv := l.in(a, b, c)
		m := DropMask{P: 0.25, Seed: 1<<40 + 9, Op: 3, First: 7}
		want := apply(func(i int) float64 {
			if ref.LayerDropped(m.Seed, m.Op, uint64(m.First+i/(b*c)), i%(b*c), 16384) {
				return 0
			}
			return xv[i] / 0.75
		}, a*b*c)
		y, _ := l.in(a, b, c)
		l.ok(Dropout(y, x, m))
		l.near("dropout", y, want)
		dx, start := l.in(a, b, c)
		l.ok(DropoutGrad(dx, x, m))
		l.near("dropout gradient", dx, apply(func(i int) float64 { return start[i] + want[i] }, a*b*c))
		// The second example alone has the mask that it has in the batch.
		if a > 1 {
			part := must(x.Index(0, 1))(l.t)
			m.First++
			l.ok(Dropout(y.span(0, 0, 1), must(part.Reshape(1, b, c))(l.t), m))
			l.near("dropout of a part", must(y.Index(0, 0))(l.t), want[b*c:2*b*c])
		}
	})
}

// Dropout leaves -0 where nothing is taken away, and 0 where something is, alone and added
// to what is there.
func TestDropoutKeepsTheSignOfZero(t *testing.T) {
	layerTests(t, func(l *layerTest, a, b, c int) {
		m := DropMask{P: 0.5, Seed: 3}
		zeros := make([]float32, a*b*c)
		for i := range zeros {
			zeros[i] = float32(math.Copysign(0, -1))
		}
		x, _ := l.of(l.dtype, zeros, a, b, c)
		for _, start := range []float32{float32(math.Copysign(0, -1)), 0} {
			y, _ := l.in(a, b, c)
			dx, _ := l.of(l.dtype, slices.Repeat([]float32{start}, a*b*c), a, b, c)
			l.ok(errors.Join(Dropout(y, x, m), DropoutGrad(dx, x, m)))
			sums := read(l.t, dx)
			for i, got := range read(l.t, y) {
				dropped := ref.LayerDropped(m.Seed, m.Op, uint64(i/(b*c)), i%(b*c), 32768)
				if got != 0 || math.Signbit(got) == dropped || sums[i] != 0 || math.Signbit(sums[i]) != (!dropped && math.Signbit(float64(start))) {
					l.t.Fatalf("%s: value %d, dropped: %v, is %g, added to %g %g", l.what, i, dropped, got, start, sums[i])
				}
			}
		}
	})
}

func TestSoftmaxMatchesReference(t *testing.T) {
	layerTests(t, func(l *layerTest, a, b, c int) {
		x, xv := l.in(a, b, c)
		dy, dv := l.in(a, b, c)
		for _, log := range []bool{false, true} {
			want := ref.LogSoftmax(xv, c)
			f, grad := LogSoftmax, LogSoftmaxGrad
			if !log {
				f, grad = Softmax, SoftmaxGrad
				want = apply(func(i int) float64 { return math.Exp(want[i]) }, len(want))
			}
			y, _ := l.typed(Float32, a, b, c)
			l.ok(f(y, x))
			l.near("softmax", y, want)
			dx, start := l.in(a, b, c)
			l.ok(grad(dx, y, dy))
			g := ref.SoftmaxGrad(xv, dv, c, log)
			l.near("softmax gradient", dx, apply(func(i int) float64 { return start[i] + g[i] }, len(g)))
		}
		y := l.ints(make([]int32, a*b))
		l.ok(Argmax(y, x))
		for r, at := range must(y.Int32s())(l.t) {
			for j := range c {
				if best, v := xv[r*c+int(at)], xv[r*c+j]; v > best || v == best && j < int(at) {
					l.t.Fatalf("%s: argmax of row %d is %d, yet %d has %g", l.what, r, at, j, v)
				}
			}
		}
	})
}

func TestCrossEntropyMatchesReference(t *testing.T) {
	layerTests(t, func(l *layerTest, a, b, c int) {
		rows := a * b
		x, xv := l.in(a, b, c)
		labels, onehot := make([]int32, rows), make([]float64, rows*c)
		for r := range labels {
			if labels[r] = int32(l.rng.IntN(c)); r == 1 {
				labels[r] = -1
				continue
			}
			onehot[r*c+int(labels[r])] = 1
		}
		loss, _ := l.typed(Float32, rows)
		lse, _ := l.typed(Float32, rows)
		at := l.ints(labels)
		targets, tv := l.in(a, b, c)
		dLoss, gv := l.typed(Float32, rows)
		one, ov := l.typed(Float32, 1)
		check := func(dense bool) {
			want, dWant := ref.CrossEntropy(xv, map[bool][]float64{true: tv, false: onehot}[dense], c)
			f := func(dx, d *Tensor) error { return CrossEntropyGrad(dx, x, at, lse, d, 0.5) }
			if dense {
				l.ok(CrossEntropyDense(loss, lse, x, targets))
				f = func(dx, d *Tensor) error { return CrossEntropyDenseGrad(dx, x, targets, lse, d, 0.5) }
			} else {
				l.ok(CrossEntropy(loss, lse, x, at))
			}
			l.near(fmt.Sprint("cross-entropy, dense ", dense), loss, want)
			for _, d := range []*Tensor{dLoss, one, nil} {
				dx, start := l.in(a, b, c)
				l.ok(f(dx, d))
				l.near("cross-entropy gradient", dx, apply(func(i int) float64 {
					return start[i] + 0.5*dWant[i]*map[*Tensor]float64{dLoss: gv[i/c], one: ov[0], nil: 1}[d]
				}, len(dWant)))
			}
		}
		check(false)
		check(true)
	})
}

func TestLossesMatchReference(t *testing.T) {
	layerTests(t, func(l *layerTest, a, b, c int) {
		const delta = 0.7
		n := b * c
		x, xv := l.in(a, b, c)
		target, tv := l.in(a, b, c)
		loss, _ := l.typed(Float32, a)
		dLoss, gv := l.typed(Float32, a)
		for name, f := range map[string][2]func(dx *Tensor) error{
			"mse":   {func(*Tensor) error { return MSE(loss, x, target) }, func(dx *Tensor) error { return MSEGrad(dx, x, target, dLoss, a, 2) }},
			"bce":   {func(*Tensor) error { return BCE(loss, x, target) }, func(dx *Tensor) error { return BCEGrad(dx, x, target, dLoss, a, 2) }},
			"huber": {func(*Tensor) error { return Huber(loss, x, target, delta) }, func(dx *Tensor) error { return HuberGrad(dx, x, target, dLoss, a, 2, delta) }},
		} {
			want := make([]float64, a)
			dx, dWant := l.in(a, b, c)
			for i, v := range xv {
				value, slope := ref.Loss(name, v, tv[i], delta)
				want[i/n] += value / float64(n)
				dWant[i] += 2 * gv[i/n] * slope / float64(n)
			}
			l.ok(f[0](nil))
			l.near(name, loss, want)
			l.ok(f[1](dx))
			l.near(name+" gradient", dx, dWant)
		}
	})
}

func TestLayerErrorsNameShapesAndTypes(t *testing.T) {
	dev := must(Open("cpu"))(t)
	x := must(dev.Zeros(mem.Data, 2, 3))(t)
	v := must(dev.Zeros(mem.Data, 4))(t)
	ids := must(dev.FromInt32s([]int32{0, 1}, mem.Data, 2))(t)
	turned := must(x.Permute(1, 0))(t)
	for want, err := range map[string]error{
		"add of f32 (2, 3), f32 (4)":            Add(x, v),
		"i32 (2) on cpu: want f32, f16 or bf16": ReLU(x, ids),
		"want i32":                              Embedding(x, x, x),
		"want as many elements":                 Mul(x, x, v),
		"nil tensor":                            Mul(x, x, nil),
		"no rows of 4":                          AddBias(x, x, v),
		"not dense":                             GELU(turned, turned),
		"no axis 2":                             SumAxis(v, x, 2, 1),
		"without axis 1":                        SumAxis(v, x, 1, 1),
		"has 2 rows of 3, want 4":               LayerNorm(x, v, v, x, must(dev.Zeros(mem.Data, 3))(t), nil, 1),
		"want (vocabulary, width)":              Embedding(x, v, ids),
		"dropout of 1 ":                         Dropout(x, x, DropMask{P: 1}),
		"gradient of 2 losses":                  MSEGrad(x, x, x, v, 2, 1),
		"want 4":                                CrossEntropy(v, v, x, must(dev.FromInt32s(make([]int32, 4), mem.Data, 4))(t)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// Sums are split only where none crosses the split: any number of threads gives the
// same bits.
func TestLayersDoNotDependOnThreads(t *testing.T) {
	var first [][]float32
	for _, threads := range []int{1, 3} {
		dev := must(OpenCPU(threads))(t)
		l := &layerTest{t, dev, rand.New(rand.NewPCG(33, 34)), Float32, fmt.Sprint(threads, " threads")}
		x, _ := l.in(40, 50, 65)
		dy, _ := l.in(40, 50, 65)
		gain, _ := l.in(65)
		mean, _ := l.in(2000)
		rstd, _ := l.in(2000)
		table, _ := l.in(7, 65)
		ids := make([]int32, 2000)
		for i := range ids {
			ids[i] = int32(i % 7)
		}
		dGain, _ := l.in(65)
		dBias, _ := l.in(65)
		l.ok(errors.Join(EmbeddingGrad(table, dy, l.ints(ids)), SumRows(dBias, x, 1), DropoutGrad(dy, x, DropMask{P: 0.5, Seed: 1}),
			LayerNormGrad(dy, dGain, dBias, x, dy, gain, mean, rstd)))
		var got [][]float32
		for _, r := range []*Tensor{table, dy, dGain, dBias} {
			got = append(got, must(r.Float32s())(t))
		}
		if first == nil {
			first = got
			continue
		}
		for i := range got {
			for j, v := range got[i] {
				if v != first[i][j] {
					t.Fatalf("result %d, element %d: %g with one thread, %g with three", i, j, first[i][j], v)
				}
			}
		}
	}
}

// TestEmbeddingRefusesTokens: one that the table lacks is named with the table's size, on
// every device, a device of shapes too, wherever the host knows it. What a CUDA device
// computed by itself gives NaN there and nowhere else.
func TestEmbeddingRefusesTokens(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		shapes := must(OpenMeta(dev))(t)
		for want, ids := range map[string][]int32{
			"token 12 at place 3: the table has 10 rows, from 0 on": {1, 9, 0, 12, 9, 4}, "token -1 at place 1": {1, -1, 0, 2, 3, -1},
			"token 10 at place 5": {1, 1, 0, 2, 3, 10}, "": {9, 0, 9, 0, 9, 0},
		} {
			for _, d := range []*Device{dev, shapes} {
				y, table := must(d.Zeros(mem.Data, 2, 3, 4))(t), must(d.Zeros(mem.Data, 10, 4))(t)
				at := must(d.FromInt32s(ids, mem.Data, 2, 3))(t)
				err := Embedding(y, table, at)
				if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
					t.Errorf("%v on %s: %v", ids, d, err)
				}
				if err := EmbeddingGrad(table, y, at); err != nil {
					t.Error(err)
				}
			}
		}
		if dev.name == "cpu" {
			return
		}
		known := must(dev.FromInt32s([]int32{1, 12, -3, 2}, mem.Data, 4))(t)
		made, table := must(known.Clone())(t), must(dev.Zeros(mem.Data, 10, 1))(t)
		y := must(dev.Zeros(mem.Data, 4, 1))(t)
		if err := Embedding(y, table, made); err != nil {
			t.Fatal(err)
		}
		if got := read(t, y); got[0] != 0 || got[1] == got[1] || got[2] == got[2] || got[3] != 0 {
			t.Error(got)
		}
		if err := Embedding(must(dev.Zeros(mem.Data, 1, 1))(t), table, known.span(0, 3, 4)); err != nil {
			t.Errorf("a part without the tokens that the table lacks: %v", err)
		}
		if err := errors.Join(known.Clear(), Embedding(y, table, known)); err != nil {
			t.Errorf("after the tokens were cleared: %v", err)
		}
	})
}
