package gpu

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"attune/gpu/mem"
	"attune/gpu/ref"
)

// imageTests runs a test on every device and for each element type.
func imageTests(t *testing.T, test func(l *layerTest)) {
	devices(t, func(t *testing.T, dev *Device) {
		for _, dtype := range []DType{Float32, Float16, BFloat16} {
			test(&layerTest{t, dev, rand.New(rand.NewPCG(41, 42)), dtype, dtype.String()})
		}
	})
}

func plus(a, b []float64) []float64 {
	return apply(func(i int) float64 { return a[i] + b[i] }, len(a))
}

// convCases are convolutions: of one pixel, of odd sides, with each number, and with more
// channels and columns than a tile, with more rows than a block of them.
func convCases() []ref.Conv {
	return []ref.Conv{
		{N: 1, In: 1, H: 1, W: 1, Out: 1, KH: 1, KW: 1, Stride: 1, Dilation: 1, Groups: 1},
		{N: 2, In: 3, H: 8, W: 9, Out: 5, KH: 3, KW: 3, Stride: 1, Pad: 1, Dilation: 1, Groups: 1},
		{N: 3, In: 2, H: 11, W: 10, Out: 9, KH: 3, KW: 2, Stride: 2, Pad: 1, Dilation: 1, Groups: 1},
		{N: 2, In: 4, H: 12, W: 13, Out: 6, KH: 3, KW: 3, Stride: 1, Pad: 2, Dilation: 2, Groups: 2},
		{N: 2, In: 6, H: 9, W: 7, Out: 6, KH: 5, KW: 3, Stride: 3, Pad: 3, Dilation: 2, Groups: 6},
		{N: 3, In: 3, H: 33, W: 21, Out: 17, KH: 1, KW: 1, Stride: 1, Dilation: 1, Groups: 1},
		{N: 2, In: 45, H: 6, W: 5, Out: 70, KH: 3, KW: 3, Stride: 1, Pad: 1, Dilation: 1, Groups: 1},
		{N: 5, In: 3, H: 32, W: 32, Out: 8, KH: 3, KW: 3, Stride: 1, Pad: 1, Dilation: 1, Groups: 1},
		{N: 1, In: 2, H: 4, W: 4, Out: 3, KH: 7, KW: 7, Stride: 4, Pad: 5, Dilation: 1, Groups: 1},
	}
}

func TestConvolutionMatchesReference(t *testing.T) {
	imageTests(t, func(l *layerTest) {
		for _, c := range convCases() {
			o := ConvOptions{Stride: c.Stride, Padding: c.Pad, Dilation: c.Dilation, Groups: c.Groups}
			l.what = fmt.Sprintf("%s %+v", l.dtype, c)
			x, xv := l.in(c.N, c.In, c.H, c.W)
			w, wv := l.in(c.Out, c.In/c.Groups, c.KH, c.KW)
			bias, bv := l.in(c.Out)
			out := must(o.Out(x.shape, w.shape))(l.t)
			c.OH, c.OW = out[2], out[3]
			y, _ := l.in(out...)
			l.ok(Conv2D(y, x, w, bias, o))
			l.near("convolution", y, c.Conv2D(xv, wv, bv))
			l.ok(Conv2D(y, x, w, nil, o))
			l.near("convolution without bias", y, c.Conv2D(xv, wv, make([]float64, c.Out)))

			dy, dv := l.in(out...)
			wx, ww, wb := c.Grad(xv, wv, dv)
			dx, xs := l.in(x.shape...)
			dw, ws := l.typed(Float32, w.shape...)
			dBias, bs := l.in(c.Out)
			l.ok(Conv2DGrad(dx, dw, dBias, x, w, dy, o))
			l.near("gradient by x", dx, plus(xs, wx))
			near(l.t, l.what+" gradient by the weights", dw, plus(ws, ww), 1e-4)
			l.near("gradient by bias", dBias, plus(bs, wb))
			l.ok(Conv2DGrad(nil, dw, nil, x, w, dy, o))
			l.ok(Conv2DGrad(dx, nil, nil, x, w, dy, o))
			near(l.t, l.what+" gradient by the weights again", dw, plus(plus(ws, ww), ww), 1e-4)
		}
	})
}

func TestPoolsMatchReference(t *testing.T) {
	imageTests(t, func(l *layerTest) {
		for _, p := range []ref.Pool{
			{Planes: 1, H: 1, W: 1, Kernel: 1, Stride: 1}, {Planes: 6, H: 8, W: 12, Kernel: 2, Stride: 2},
			{Planes: 6, H: 32, W: 34, Kernel: 2, Stride: 2}, {Planes: 4, H: 9, W: 7, Kernel: 2, Stride: 2},
			{Planes: 4, H: 9, W: 40, Kernel: 3, Stride: 2, Pad: 1}, {Planes: 2, H: 7, W: 6, Kernel: 3, Stride: 1, Pad: 1},
			{Planes: 2, H: 11, W: 11, Kernel: 2, Stride: 3, Pad: 1}, {Planes: 2, H: 5, W: 5, Kernel: 5, Stride: 5},
		} {
			l.what = fmt.Sprintf("%s %+v", l.dtype, p)
			o := PoolOptions{Kernel: p.Kernel, Stride: p.Stride, Padding: p.Pad}
			values := normal(l.rng, p.Planes*p.H*p.W)
			for i := range values { // some equal
				values[i] = float32(int(2*values[i])) / 2
			}
			x, xv := l.of(l.dtype, values, 2-p.Planes%2, p.Planes/(2-p.Planes%2), p.H, p.W)
			out := must(o.Out(x.shape))(l.t)
			p.OH, p.OW = out[2], out[3]
			y, _ := l.in(out...)
			dy, dv := l.in(out...)
			top, wx := p.Max(xv, dv)
			dx, start := l.in(x.shape...)
			l.ok(MaxPool2D(y, x, o))
			l.near("max pooling", y, top)
			l.ok(MaxPool2DGrad(dx, x, dy, o))
			l.near("max pooling gradient", dx, plus(start, wx))
			mean, wx := p.Average(xv, dv)
			dx, start = l.in(x.shape...)
			l.ok(AvgPool2D(y, x, o))
			l.near("average pooling", y, mean)
			l.ok(AvgPool2DGrad(dx, dy, o))
			l.near("average pooling gradient", dx, plus(start, wx))
		}
	})
}

func TestBatchNormMatchesReference(t *testing.T) {
	const eps = 0.1
	imageTests(t, func(l *layerTest) {
		for _, shape := range [][]int{{1, 1}, {3, 2}, {40, 33}, {2, 3, 4, 5}, {7, 5, 9}, {3, 20, 17, 3}, {300, 2, 2}} {
			l.what = fmt.Sprint(l.dtype, shape)
			x, xv := l.in(shape...)
			channels, n := shape[1], shape[0]
			inner := x.Len() / (n * channels)
			gain, gv := l.in(channels)
			bias, bv := l.in(channels)
			dy, dv := l.in(shape...)
			y, _ := l.in(shape...)
			mean, _ := l.typed(Float32, channels)
			rstd, _ := l.typed(Float32, channels)
			runMean, rm := l.typed(Float32, channels)
			runVar, rv := l.of(Float32, apply32(func(i int) float32 { return float32(1 + i%3) }, channels), channels)
			o := BatchNormOptions{Train: true, Momentum: 0.25, Eps: eps}
			grad := func(mean64, var64 []float64) {
				l.t.Helper()
				wx, wg, wb := ref.BatchNormGrad(xv, gv, mean64, var64, dv, n, inner, eps, o.Train)
				dx, xs := l.in(shape...)
				dGain, gs := l.typed(Float32, channels)
				dBias, bs := l.in(channels)
				l.ok(BatchNormGrad(dx, dGain, dBias, x, dy, gain, mean, rstd, o))
				l.near("gradient by x", dx, plus(xs, wx))
				near(l.t, l.what+" by gain", dGain, plus(gs, wg), 1e-4)
				l.near("gradient by bias", dBias, plus(bs, wb))
				l.ok(BatchNormGrad(nil, nil, dBias, x, dy, gain, mean, rstd, o))
				l.ok(BatchNormGrad(dx, nil, nil, x, dy, gain, mean, rstd, o))
			}
			want, wm, wv := ref.BatchNorm(xv, gv, bv, n, inner, eps)
			l.ok(BatchNorm(y, mean, rstd, x, gain, bias, runMean, runVar, o))
			l.near("batch norm", y, want)
			l.near("mean", mean, wm)
			grad(wm, wv)
			count := float64(n * inner)
			unbiased := count / max(1, count-1)
			rm = apply(func(i int) float64 { return rm[i] + 0.25*(wm[i]-rm[i]) }, channels)
			rv = apply(func(i int) float64 { return rv[i] + 0.25*(wv[i]*unbiased-rv[i]) }, channels)
			l.near("running mean", runMean, rm)
			l.near("running variance", runVar, rv)
			l.ok(BatchNorm(y, mean, rstd, x, gain, nil, nil, nil, o))
			l.near("batch norm without bias", y, ref.BatchNormBy(xv, gv, make([]float64, channels), wm, wv, inner, eps))

			o.Train = false
			l.ok(BatchNorm(y, mean, rstd, x, gain, bias, runMean, runVar, o))
			l.near("batch norm by running statistics", y, ref.BatchNormBy(xv, gv, bv, rm, rv, inner, eps))
			grad(rm, rv)
		}
	})
}

func apply32(f func(i int) float32, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = f(i)
	}
	return out
}

func TestImageLayersDoNotDependOnThreads(t *testing.T) {
	var first []float32
	for _, threads := range []int{1, 3} {
		dev := must(OpenCPU(threads))(t)
		l := &layerTest{t, dev, rand.New(rand.NewPCG(43, 44)), Float32, fmt.Sprint(threads, " threads")}
		x, _ := l.in(9, 16, 24, 24)
		w, _ := l.in(32, 16, 3, 3)
		y, _ := l.in(9, 32, 24, 24)
		dx, _ := l.in(x.shape...)
		dw, _ := l.in(w.shape...)
		dBias, _ := l.in(32)
		mean, _ := l.in(32)
		rstd, _ := l.in(32)
		l.ok(Conv2D(y, x, w, dBias, ConvOptions{Padding: 1}))
		l.ok(BatchNorm(y, mean, rstd, y, dBias, nil, nil, nil, BatchNormOptions{Train: true}))
		l.ok(Conv2DGrad(dx, dw, dBias, x, w, y, ConvOptions{Padding: 1}))
		got := must(readAll([]*Tensor{y, dx, dw, dBias, mean}, nil))(t)
		if first == nil {
			first = got
		}
		for i, v := range got {
			if v != first[i] {
				t.Fatalf("value %d: %g with one thread, %g with three", i, first[i], v)
			}
		}
	}
}

func TestImageErrorsNameShapesAndTypes(t *testing.T) {
	dev := must(Open("cpu"))(t)
	zeros := func(shape ...int) *Tensor { return must(dev.Zeros(mem.Data, shape...))(t) }
	x, w, y, v := zeros(2, 3, 8, 8), zeros(4, 3, 3, 3), zeros(2, 4, 6, 6), zeros(3)
	labels := must(dev.FromInt32s([]int32{1}, mem.Data, 1))(t)
	for want, err := range map[string]error{
		"convolution of f32 (2, 4, 6, 6), f32 (2, 3, 8, 8)": Conv2D(y, x, w, nil, ConvOptions{Padding: 1}),
		"is not (2, 4, 3, 3)":                               Conv2D(y, x, w, nil, ConvOptions{Stride: 2}),
		"want (N, In, H, W)":                                Conv2D(y, v, w, nil, ConvOptions{}),
		"2 groups of 3 channels are not 3":                  Conv2D(y, x, w, nil, ConvOptions{Groups: 2}),
		"does not fit an image of (8, 8)":                   Conv2D(y, x, w, nil, ConvOptions{Dilation: 4}),
		"stride -1":                                         Conv2D(y, x, w, nil, ConvOptions{Stride: -1}),
		"is not like f32 (2, 3, 8, 8)":                      Conv2DGrad(y, nil, nil, x, w, y, ConvOptions{}),
		"i32 (1) on cpu: want f32":                          Conv2D(y, x, labels, nil, ConvOptions{}),
		"padding at most half the window":                   MaxPool2D(y, x, PoolOptions{Kernel: 2, Padding: 2}),
		"is not (2, 3, 4, 4)":                               AvgPool2D(y, x, PoolOptions{Kernel: 2}),
		"pooling of (3): want (N, C, H, W)":                 MaxPool2D(v, v, PoolOptions{Kernel: 1}),
		"go together":                                       BatchNorm(x, v, v, x, v, nil, v, nil, BatchNormOptions{Train: true}),
		"nil tensor":                                        BatchNorm(x, v, v, x, v, nil, nil, nil, BatchNormOptions{}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// images runs the layers of images with random numbers.
func (s *script) images() {
	o := ConvOptions{Stride: s.size(2), Padding: s.size(2) - 1, Dilation: s.size(2), Groups: s.size(2)}
	n, in, out, side := s.size(4), o.Groups*s.size(4), o.Groups*s.size(20), 5+s.size(20)
	x, w, bias := s.tensor(s.float(), n, in, side, side), s.tensor(s.float(), out, in/o.Groups, 3, 3), s.tensor(s.float(), out)
	shape, err := o.Out(x.shape, w.shape)
	if s.note(err); err != nil {
		return
	}
	y, dy := s.tensor(s.float(), shape...), s.tensor(s.float(), shape...)
	s.note(Conv2D(y, x, w, bias, o), Conv2DGrad(s.like(x), s.like(w), s.like(bias), x, w, dy, o))
	mean, rstd, b := s.tensor(Float32, out), s.tensor(Float32, out), BatchNormOptions{Train: true}
	s.note(BatchNorm(y, mean, rstd, dy, bias, bias, nil, nil, b), BatchNormGrad(dy, s.like(bias), nil, y, y, bias, mean, rstd, b))
	p := PoolOptions{Kernel: 2, Stride: s.size(3)}
	shape, err = p.Out(x.shape)
	s.note(err)
	y = s.tensor(s.float(), shape...)
	s.note(MaxPool2D(y, x, p), MaxPool2DGrad(s.like(x), x, y, p), AvgPool2D(y, x, p), AvgPool2DGrad(x, y, p))
}
