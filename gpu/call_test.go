package gpu

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attune/gpu/driver/fakecuda"
	"attune/gpu/mem"
)

// callSize is the head size of the attention calls.
const callSize = 64

// callDevice is a device that calls are measured on.
type callDevice struct {
	name, sm string // no sm for the CPU
	dtype    DType
}

// BenchmarkCall is what each call that launches costs beside its work: on the CPU of few
// elements, on CUDA behind a fake driver whose launches do nothing. "above-ns" is the
// least time of a call without its launches, which the driver's binding does alone in
// "launch". Each turn is a hundred calls.
func BenchmarkCall(b *testing.B) {
	path, err := fakecuda.Build(b.TempDir(), func(_, text string) string {
		return strings.ReplaceAll(text, "#define SIZE(n) 1", fmt.Sprintf("#define SIZE(n) (n == %d)", callSize))
	})
	if err != nil {
		b.Skip(err)
	}
	library, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	for _, d := range []callDevice{{name: "cpu"}, {"sm75", "75", Float32}, {"sm80", "80", BFloat16}, {"sm90", "90", BFloat16}} {
		b.Run(d.name, func(b *testing.B) { benchmarkCalls(b, d, library) })
	}
}

func benchmarkCalls(b *testing.B, d callDevice, library []byte) {
	dev, err := OpenCPU(1)
	if d.sm != "" {
		b.Setenv("FAKECUDA", "no_launch")
		b.Setenv("FAKECUDA_SM", d.sm)
		own := filepath.Join(b.TempDir(), "libcuda.so.1")
		if err = os.WriteFile(own, library, 0o755); err == nil {
			dev, err = newCUDA(own, 0)
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = dev.Close() }()
	c, _ := dev.back.(*cuda)
	launch := 0.0
	if c != nil {
		c.fewest = 1
		f, err := c.function("optim", "update_3", 0)
		if err != nil {
			b.Fatal(err)
		}
		args := make([]uint64, updateWords+slotWords*launchTensors)
		b.Run("launch", func(b *testing.B) {
			launch = leastCall(b, func() error { return f.Launch(1, optimThreads, args) })
		})
	}
	for _, x := range callCases(b, dev, d) {
		b.Run(x.name, func(b *testing.B) {
			launches := 0
			if c != nil {
				for range 2 { // the first may make what later ones find
					c.handles.of.Store(nil)
					c.launched = map[string]int{}
					if err := x.run(); err != nil {
						b.Fatal(err)
					}
				}
				for _, n := range c.launched {
					launches += n
				}
				c.launched = nil
			}
			took := leastCall(b, x.run)
			if c != nil {
				b.ReportMetric(float64(launches), "launches")
				b.ReportMetric(took-float64(launches)*launch, "above-ns")
			}
		})
	}
}

// leastCall is the least time of a call, of all turns, in nanoseconds.
func leastCall(b *testing.B, run func() error) float64 {
	const turn = 100
	least := math.Inf(1)
	for b.Loop() {
		begin := time.Now()
		for range turn {
			if err := run(); err != nil {
				b.Fatal(err)
			}
		}
		least = min(least, float64(time.Since(begin).Nanoseconds())/turn)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(least, "least-ns")
	b.ReportMetric(testing.AllocsPerRun(20, func() { _ = run() }), "allocs")
	return least
}

// callCase is a call that launches, or a step of several.
type callCase struct {
	name string
	run  func() error
}

// tensors makes the tensors of the calls.
type tensors struct {
	b   *testing.B
	dev *Device
}

func (m tensors) of(dtype DType, shape ...int) *Tensor {
	t, err := m.dev.ZerosOf(dtype, mem.Data, shape...)
	if err != nil {
		m.b.Fatal(err)
	}
	return t
}

func callCases(b *testing.B, dev *Device, d callDevice) []callCase {
	m := tensors{b, dev}
	out := append(m.pointwise(d.dtype), m.rows(d.dtype)...)
	out = append(out, m.losses(d.dtype)...)
	out = append(out, m.images(d.dtype)...)
	out = append(out, m.products(d.dtype)...)
	out = append(out, m.optimizers(d.dtype)...)
	out = append(out, m.attentions(d.dtype)...)
	// What no launch fills shall be 0 and not NaN, which an optimizer refuses.
	var zeros []*Tensor
	for range 64 {
		zeros = append(zeros, m.of(Float32, 16))
	}
	for _, t := range zeros {
		if err := t.Free(); err != nil {
			b.Fatal(err)
		}
	}
	return out
}

func (m tensors) pointwise(dtype DType) []callCase {
	x, y, z, bias := m.of(dtype, 4, 8), m.of(dtype, 4, 8), m.of(dtype, 4, 8), m.of(dtype, 8)
	column, turned, tall := m.of(dtype, 4), must2(x.Permute(1, 0)), m.of(dtype, 512, 8)
	out := m.of(dtype, 8, 4)
	return []callCase{
		{"fill", func() error { return Fill(y, 1) }},
		{"relu", func() error { return ReLU(y, x) }},
		{"multiply elements", func() error { return Mul(y, x, z) }},
		{"gelu gradient", func() error { return GELUGrad(y, x, z) }},
		{"add bias", func() error { return AddBias(y, x, bias) }},
		{"sum rows", func() error { return SumRows(bias, x, 1) }},
		{"sum many rows", func() error { return SumRows(bias, tall, 1) }},
		{"sum along an axis", func() error { return SumAxis(column, x, 1, 1) }},
		{"spread", func() error { return Spread(x, column, 1, 1) }},
		{"dropout", func() error { return Dropout(y, x, DropMask{P: 0.5}) }},
		{"copy", func() error { return Copy(y, x) }},
		{"copy turned", func() error { return Copy(out, turned) }},
		{"clear", func() error { return y.Clear() }},
	}
}

func (m tensors) rows(dtype DType) []callCase {
	x, y, dy, dx := m.of(dtype, 4, 8), m.of(dtype, 4, 8), m.of(dtype, 4, 8), m.of(dtype, 4, 8)
	gain, bias, dGain, dBias := m.of(dtype, 8), m.of(dtype, 8), m.of(Float32, 8), m.of(Float32, 8)
	mean, rstd, places := m.of(Float32, 4), m.of(Float32, 4), m.of(Int32, 4)
	return []callCase{
		{"layer norm", func() error { return LayerNorm(y, mean, rstd, x, gain, bias, 1e-5) }},
		{"layer norm gradient", func() error { return LayerNormGrad(dx, dGain, dBias, x, dy, gain, mean, rstd) }},
		{"rms norm", func() error { return RMSNorm(y, rstd, x, gain, 1e-5) }},
		{"rms norm gradient", func() error { return RMSNormGrad(dx, dGain, x, dy, gain, rstd) }},
		{"embedding", func() error { return Embedding(y, x, places) }},
		{"embedding gradient", func() error { return EmbeddingGrad(dx, dy, places) }},
		{"softmax", func() error { return Softmax(y, x) }},
		{"softmax gradient", func() error { return SoftmaxGrad(dx, y, dy) }},
		{"log softmax gradient", func() error { return LogSoftmaxGrad(dx, y, dy) }},
		{"argmax", func() error { return Argmax(places, x) }},
	}
}

func (m tensors) losses(dtype DType) []callCase {
	x, t, dx := m.of(dtype, 4, 8), m.of(dtype, 4, 8), m.of(dtype, 4, 8)
	loss, lse, labels, one := m.of(Float32, 4), m.of(Float32, 4), m.of(Int32, 4), m.of(Float32, 1)
	return []callCase{
		{"cross-entropy", func() error { return CrossEntropy(loss, lse, x, labels) }},
		{"cross-entropy gradient", func() error { return CrossEntropyGrad(dx, x, labels, lse, one, 1) }},
		{"dense cross-entropy", func() error { return CrossEntropyDense(loss, lse, x, t) }},
		{"dense cross-entropy gradient", func() error { return CrossEntropyDenseGrad(dx, x, t, lse, one, 1) }},
		{"mean squared error", func() error { return MSE(loss, x, t) }},
		{"mean squared error gradient", func() error { return MSEGrad(dx, x, t, one, 4, 1) }},
	}
}

func (m tensors) images(dtype DType) []callCase {
	x, w, bias, y := m.of(dtype, 1, 2, 4, 4), m.of(dtype, 2, 2, 3, 3), m.of(dtype, 2), m.of(dtype, 1, 2, 4, 4)
	dx, dw, dBias := m.of(dtype, 1, 2, 4, 4), m.of(Float32, 2, 2, 3, 3), m.of(Float32, 2)
	small, gain, dGain := m.of(dtype, 1, 2, 2, 2), m.of(dtype, 2), m.of(Float32, 2)
	mean, rstd, runMean, runVar := m.of(Float32, 2), m.of(Float32, 2), m.of(Float32, 2), m.of(Float32, 2)
	conv, pool, batch := ConvOptions{Padding: 1}, PoolOptions{Kernel: 2}, BatchNormOptions{Train: true, Momentum: 0.1, Eps: 1e-5}
	return []callCase{
		{"convolution", func() error { return Conv2D(y, x, w, bias, conv) }},
		{"convolution gradient", func() error { return Conv2DGrad(dx, dw, dBias, x, w, y, conv) }},
		{"max pooling", func() error { return MaxPool2D(small, x, pool) }},
		{"max pooling gradient", func() error { return MaxPool2DGrad(dx, x, small, pool) }},
		{"average pooling", func() error { return AvgPool2D(small, x, pool) }},
		{"average pooling gradient", func() error { return AvgPool2DGrad(dx, small, pool) }},
		{"batch norm", func() error { return BatchNorm(y, mean, rstd, x, gain, bias, runMean, runVar, batch) }},
		{"batch norm gradient", func() error { return BatchNormGrad(dx, dGain, dBias, x, y, gain, mean, rstd, batch) }},
	}
}

func (m tensors) products(dtype DType) []callCase {
	x, y, w, bias := m.of(dtype, 8, 8), m.of(dtype, 8, 8), m.of(dtype, 8, 8), m.of(dtype, 8)
	return []callCase{
		{"matrix product", func() error { return MatMul(y, x, w, false) }},
		{"matrix product with bias", func() error { return MatMulBias(y, x, w, bias) }},
	}
}

func (m tensors) optimizers(dtype DType) []callCase {
	params, grads := []*Tensor{m.of(dtype, 8, 8)}, []*Tensor{m.of(dtype, 8, 8)}
	clipped, scaled := NewAdam(1e-3), NewAdam(1e-3)
	clipped.Clip, scaled.Scale = 1, SkipBad()
	for _, o := range []*Adam{clipped, scaled} {
		if err := o.Step(params, grads); err != nil {
			m.b.Fatal(err)
		}
		if r := o.flight.record; r != nil { // no launch computes it: zeros, but a loss scale of 1
			words := make([]float32, r.Len())
			words[3] = math.Float32frombits(uint32(math.Float64bits(1) >> 32))
			if err := r.CopyFrom(words); err != nil {
				m.b.Fatal(err)
			}
		}
	}
	of := func(name string, o Optimizer) callCase {
		return callCase{name, func() error { return o.Step(params, grads) }}
	}
	many, manyGrads := make([]*Tensor, 40), make([]*Tensor, 40)
	for i := range many {
		many[i], manyGrads[i] = m.of(dtype, 8), m.of(dtype, 8)
	}
	forty := NewAdam(1e-3)
	return []callCase{of("sgd", NewSGD(1e-3)), of("adam", NewAdam(1e-3)), of("adam, clipped", clipped), of("adam, scaled", scaled), of("lars", NewLARS(1e-3)), of("lamb", NewLAMB(1e-3)),
		{"adam, 40 tensors", func() error { return forty.Step(many, manyGrads) }}}
}

func (m tensors) attentions(dtype DType) []callCase {
	q, k, v := m.of(dtype, 1, 2, 16, callSize), m.of(dtype, 1, 2, 16, callSize), m.of(dtype, 1, 2, 16, callSize)
	dOut, dq, dk, dv := m.of(dtype, 1, 2, 16, callSize), m.of(dtype, 1, 2, 16, callSize), m.of(dtype, 1, 2, 16, callSize), m.of(dtype, 1, 2, 16, callSize)
	one, bias := m.of(dtype, 1, 2, 1, callSize), m.of(Float32, 1, 2, 16, 16)
	cache, err := NewKVCache(m.dev, dtype, 1, 2, 1024, callSize)
	if err == nil {
		err = cache.Append(m.of(dtype, 1, 2, 512, callSize), m.of(dtype, 1, 2, 512, callSize))
	}
	if err != nil {
		m.b.Fatal(err)
	}
	attend := func(o AttentionOptions) func() error {
		return func() error { return freed(Attention(q, k, v, o)) }
	}
	decoded, err := cache.Attend(one, AttentionOptions{})
	if err != nil {
		m.b.Fatal(err)
	}
	made := func(o AttentionOptions) *AttentionResult {
		r, err := Attention(q, k, v, o)
		if err != nil {
			m.b.Fatal(err)
		}
		return r
	}
	plain, biased := made(AttentionOptions{}), made(AttentionOptions{Bias: bias})
	return []callCase{
		{"decode", func() error { return freed(cache.Attend(one, AttentionOptions{})) }},
		{"decode into a result", func() error { return cache.AttendInto(decoded, one, AttentionOptions{}) }},
		{"append to a cache", func() error {
			if err := cache.Truncate(512); err != nil {
				return err
			}
			return cache.Append(one, one)
		}},
		{"attention", attend(AttentionOptions{})},
		{"attention into a result", func() error { return AttentionInto(plain, q, k, v, AttentionOptions{}) }},
		{"attention, causal", attend(AttentionOptions{Causal: true})},
		{"attention with bias", attend(AttentionOptions{Bias: bias})},
		{"attention of lengths", attend(AttentionOptions{KeyLengths: []int{7}})},
		{"attention gradient", func() error { return plain.BackwardInto(dOut, dq, dk, dv) }},
		{"attention bias gradient", func() error {
			t, err := biased.BackwardBias(dOut)
			if err != nil {
				return err
			}
			return t.Free()
		}},
	}
}

func must2(t *Tensor, _ error) *Tensor { return t }

func freed(r *AttentionResult, err error) error {
	if err != nil {
		return err
	}
	return r.Free()
}
