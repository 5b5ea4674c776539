package nn

import (
	"errors"
	"math"
	"strings"
	"testing"

	"attune/gpu"
)

// checkTrainingGradients is checkGradients with the loss of a training pass, of which
// BatchNorm's statistics are a part.
func checkTrainingGradients(t *testing.T, net *Net, forward func(t *Tape) *Value) {
	t.Helper()
	pass := func(backward bool) float64 {
		tape := NewTape(net.Device())
		y := forward(tape)
		out, err := y.Float32s()
		if backward {
			err = errors.Join(err, net.ZeroGrad(), tape.Backward(y))
		}
		if err = errors.Join(err, tape.Free()); err != nil {
			t.Fatal(err)
		}
		return float64(out[0])
	}
	pass(true)
	for _, p := range net.Params() {
		grad, _ := p.Grad.Float32s()
		values, _ := p.Value.Float32s()
		for i, old := range values {
			const h = 1e-2
			var side [2]float64
			for s, x := range []float32{old + h, old - h} {
				values[i] = x
				if err := p.Value.CopyFrom(values); err != nil {
					t.Fatal(err)
				}
				side[s] = pass(false)
			}
			values[i] = old
			if err := p.Value.CopyFrom(values); err != nil {
				t.Fatal(err)
			}
			want := (side[0] - side[1]) / (2 * h)
			if math.Abs(want-float64(grad[i])) > 3e-3*(1+math.Abs(want)) {
				t.Fatalf("gradient of %s[%d] = %g, numeric %g", p.Name, i, grad[i], want)
			}
		}
	}
}

func TestImageGradients(t *testing.T) {
	for name, build := range map[string]func(net *Net) func(t *Tape, x *Value) *Value{
		"convolution": func(net *Net) func(t *Tape, x *Value) *Value {
			w, b := net.Param("w", net.Normal(.5), 6, 2, 3, 3), net.Param("b", net.Normal(.5), 6)
			return func(t *Tape, x *Value) *Value {
				return t.Conv2D(x, t.Param(w), t.Param(b), gpu.ConvOptions{Stride: 2, Padding: 1, Groups: 2})
			}
		},
		"convolution without bias": func(net *Net) func(t *Tape, x *Value) *Value {
			w := net.Param("w", net.Normal(.5), 2, 4, 2, 2)
			return func(t *Tape, x *Value) *Value { return t.Conv2D(x, t.Param(w), nil, gpu.ConvOptions{Dilation: 2}) }
		},
		"average pool": func(*Net) func(t *Tape, x *Value) *Value {
			return func(t *Tape, x *Value) *Value { return t.AvgPool2D(x, gpu.PoolOptions{Kernel: 2, Padding: 1}) }
		},
		"batch norm": func(net *Net) func(t *Tape, x *Value) *Value {
			gain, bias := net.Param("gain", net.Normal(1), 4), net.Param("bias", net.Normal(1), 4)
			mean, variance := net.Param("mean", Constant(0), 4), net.Param("variance", Constant(1), 4)
			return func(t *Tape, x *Value) *Value {
				return t.BatchNorm(x, t.Param(gain), t.Param(bias), mean, variance, 0)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			net := NewNet(open(t), 7)
			x := net.Param("x", net.Normal(1), 2, 4, 4, 5)
			f, sum := build(net), total(net)
			if _, err := net.Eval(func(t *Tape) *Value { return sum(t, f(t, t.Param(x))) }); err != nil {
				t.Fatal(err)
			}
			checkTrainingGradients(t, net, func(t *Tape) *Value { return sum(t, f(t, t.Param(x))) })
		})
	}
}

// The largest of a window takes all of its gradient; the values are far apart, so that
// the steps of the numeric gradient change no window's largest.
func TestMaxPoolGradient(t *testing.T) {
	net := NewNet(open(t), 7)
	k := 0
	x := net.Param("x", func() float32 { k += 7; return float32(k%24) / 4 }, 1, 1, 4, 6)
	sum := total(net)
	checkGradients(t, net, func(t *Tape) *Value { return sum(t, t.MaxPool2D(t.Param(x), gpu.PoolOptions{Kernel: 2})) })
}

func TestImagesAreExplained(t *testing.T) {
	net := NewNet(open(t), 1)
	w := net.Param("w", net.Normal(1), 8, 3, 3, 3)
	for want, f := range map[string]func(t *Tape) *Value{
		"has 4 channels and the weights (8, 3, 3, 3) take 3": func(t *Tape) *Value {
			return t.Conv2D(t.Input(make([]float32, 4*36), 1, 4, 6, 6), t.Param(w), nil, gpu.ConvOptions{})
		},
		"want images (N, channels, height, width)": func(t *Tape) *Value {
			return t.Conv2D(t.Input(make([]float32, 12), 4, 3), t.Param(w), nil, gpu.ConvOptions{})
		},
	} {
		if _, err := net.Eval(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}
