package gpu

import (
	"io"
	"math"
	"strings"
	"testing"

	"attune/gpu/mem"
)

// TestErrorsSayWhatToDo: each mistake that a notebook meets is an error that names the
// tensor at fault, what it is and what was wanted.
func TestErrorsSayWhatToDo(t *testing.T) {
	dev, other := must(OpenCPU(1))(t), must(OpenCPU(1))(t)
	x, y := must(dev.Zeros(mem.Data, 2, 3))(t), must(dev.Zeros(mem.Data, 3, 4))(t)
	far, square := must(other.Zeros(mem.Data, 2, 3))(t), must(dev.Zeros(mem.Data, 3, 3))(t)
	half, ints := must(y.As(Float16))(t), must(x.As(Int32))(t)
	turned := must(square.Permute(1, 0))(t)
	var none *Device
	for want, err := range map[string]error{
		"make f32 tensor (2): nil device: the call of gpu.Open may have failed":                                                 second(none.Zeros(mem.Data, 2)),
		"wrap 1 float32 values as a tensor (1): nil device":                                                                     second(none.Wrap([]float32{1}, mem.Data, 1)),
		"make key/value cache: make f32 tensor (1, 1, 4, 8): nil device":                                                        second(NewKVCache(none, Float32, 1, 1, 4, 8)),
		"make dtype(9) tensor (2): no such dtype: there are f32, f16, bf16 or i32":                                              second(dev.Empty(DType(9), mem.Data, 2)),
		"impossible shape: no axis is negative, and elements are at most 70368744177664":                                        second(dev.Zeros(mem.Data, 1<<50)),
		"open the CPU with -1 threads: want at least 1, or 0 for all processors":                                                second(OpenCPU(-1)),
		"i32 (2, 3) on cpu: want f32, f16 or bf16; As converts":                                                                 second(ints.Float32s()),
		"f32 (2, 3) on cpu: want i32; As converts":                                                                              second(x.Int32s()),
		"not dense, strides (1, 3); Float32s copies":                                                                            second(turned.Data()),
		"not dense, strides (1, 3); Clone makes a dense copy":                                                                   second(turned.Reshape(9)),
		"two devices of one name: each call of Open makes one":                                                                  Add(far, x),
		"two views of the same elements":                                                                                        Copy(square, turned),
		"multiply f32 (2, 3) by f32 (2, 3) into f32 (2, 3): the shapes do not fit: a (2, 3) has 3 columns, b (2, 3) has 2 rows": MatMul(x, x, x, false),
		"the shapes do not fit: c is (3, 4), a b is (2, 4)":                                                                     MatMul(y, x, y, false),
		"a is f32, b f16 and c f32: want a and b of one type, c of that or f32":                                                 MatMul(must(dev.Zeros(mem.Data, 2, 4))(t), x, half, false),
		"the result lies on an operand: want a tensor of its own":                                                               MatMul(square, square, square, false),
		"sum squares of tensor 1: i32 (2, 3) on cpu with strides (3, 1): want f32, f16 or bf16":                                 second(SumSquares(x, ints)),
		"multiply elements of f32 (2, 3), f32 (2, 3), nil: nil tensor: the call that was to make it may have failed":            Mul(x, x, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if s := other.String() + ", " + far.String(); s != "cpu (closed), f32 (2, 3) on cpu, which is closed" {
		t.Error(s)
	}
}

func TestAttentionErrorsSayWhatToDo(t *testing.T) {
	dev := must(OpenCPU(1))(t)
	zeros := func(dtype DType, shape ...int) *Tensor { return must(dev.ZerosOf(dtype, mem.Data, shape...))(t) }
	call := func(q, k, v *Tensor, o AttentionOptions) error { return second(Attention(q, k, v, o)) }
	q, k := zeros(Float32, 2, 4, 3, 8), zeros(Float32, 2, 2, 5, 8)
	one := zeros(Float32, 1, 1, 6, 8)
	turned := must(q.Permute(0, 1, 3, 2))(t)
	plain, biased := must(Attention(q, k, k, AttentionOptions{}))(t), must(Attention(q, k, k, AttentionOptions{Bias: zeros(Float32, 1, 1, 3, 5)}))(t)
	freed := must(Attention(zeros(Float32, 1, 1, 2, 8), one, one, AttentionOptions{}))(t)
	if err := freed.call.q.Free(); err != nil {
		t.Fatal(err)
	}
	var none *AttentionResult
	o := AttentionOptions{}
	for want, err := range map[string]error{
		"compute attention: the value is a nil tensor: the call that was to make it may have failed":    call(q, k, nil, o),
		"the query f32 (3, 8) on cpu has 2 axes: want 4, (B, H, T, D): batch, heads, tokens, head size": call(zeros(Float32, 3, 8), k, k, o),
		"the key f32 (2, 4, 8, 3) on cpu has strides (96, 24, 1, 8): want the last to be 1; Clone":      call(q, turned, turned, o),
		"the value i32 (2, 2, 5, 8) on cpu: want f32, f16 or bf16":                                      call(q, k, zeros(Int32, 2, 2, 5, 8), o),
		"want one type; As converts":                                                                        call(q, k, zeros(Float16, 2, 2, 5, 8), o),
		"want a key of (2, Kv, Tk, 8), with the query's batch and head size":                                call(q, one, one, o),
		"key f32 (2, 2, 5, 8) on cpu, value f32 (2, 4, 3, 8) on cpu do not fit":                             call(q, k, q, o),
		"window -1: want at least 0":                                                                        call(q, k, k, AttentionOptions{Window: -1}),
		"3 ALiBi slopes for 4 heads: want one for each; ALiBiSlopes(4)":                                     call(q, k, k, AttentionOptions{ALiBi: make([]float32, 3)}),
		"1 key length for a batch of 2: want one for each":                                                  call(q, k, k, AttentionOptions{KeyLengths: []int{1}}),
		"key length 6 of 5 keys: want 0 to 5":                                                               call(q, k, k, AttentionOptions{KeyLengths: []int{1, 6}}),
		"CuSeqlensK without CuSeqlensQ":                                                                     call(one, one, one, AttentionOptions{CuSeqlensK: []int{0, 6}}),
		"CuSeqlensK [0 7]: want it to rise, from 0 or more to at most 6":                                    call(one, one, one, AttentionOptions{CuSeqlensQ: []int{0, 6}, CuSeqlensK: []int{0, 7}}),
		"the gradient by the output is f32 (2, 2, 5, 8) on cpu: want it like the output, f32 (2, 4, 3, 8)":  backward(plain, k),
		"the gradient by the output is a nil tensor":                                                        backward(plain, nil),
		"Attention was called without Bias":                                                                 second(plain.BackwardBias(q)),
		"Attention was called without ALiBi":                                                                second(biased.BackwardALiBi(q)),
		"compute attention weights of f32 (1, 1, 2, 8) on cpu, freed: the forward pass's query: ":           second(freed.Weights()),
		"compute attention gradients: the forward pass's query: ":                                           backward(freed, freed.Output),
		"compute attention gradients: no result of attention: the call that was to make it may have failed": backward(none, q),
		"compute attention weights: no result of attention":                                                 second(none.Weights()),
		"find the top attention weights: no result of attention":                                            third(none.WeightsTop(1)),
		"query 3 of 3: want 0 to 2":                                                                         second(plain.WeightsAt(3)),
		"want 1 to 3 rows, as there are queries, and 1 to 5 columns":                                        second(plain.WeightsPooled(4, 4)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if err := none.Free(); err != nil || ALiBiSlopes(-1) != nil {
		t.Errorf("nothing freed: %v; slopes of no heads: %v", err, ALiBiSlopes(-1))
	}
}

func backward(r *AttentionResult, dOut *Tensor) error {
	_, _, _, err := r.Backward(dOut)
	return err
}

func third[A, B any](_ A, _ B, err error) error { return err }

func TestCacheSaysHowFullItIs(t *testing.T) {
	dev := must(OpenCPU(1))(t)
	zeros := func(dtype DType, shape ...int) *Tensor { return must(dev.ZerosOf(dtype, mem.Data, shape...))(t) }
	c := must(NewKVCache(dev, Float32, 1, 2, 8, 16))(t)
	q, k := zeros(Float32, 1, 4, 1, 16), zeros(Float32, 1, 2, 3, 16)
	for want, err := range map[string]error{
		"attend to cache f32 (1, 2, 8, 16) on cpu: it holds no token yet; Append puts them in": second(c.Attend(q, AttentionOptions{})),
		"it holds no token yet; Append puts them in":                                           c.AttendInto(new(AttentionResult), q, AttentionOptions{}),
		"make key/value cache of i32 (1, 2, 8, 16)":                                            second(NewKVCache(dev, Int32, 1, 2, 8, 16)),
		"make key/value cache of f32 (0, 2, 8, 16)":                                            second(NewKVCache(dev, Float32, 0, 2, 8, 16)),
		"want both f32 (1, 2, T, 16)":                                                          c.Append(q, q),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	for range 2 {
		if err := c.Append(k, k); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.String(); s != "key/value cache: 6 of 8 tokens, keys and values f32 (1, 2, 8, 16) on cpu" {
		t.Error(s)
	}
	for want, err := range map[string]error{
		"append 3 tokens to cache f32 (1, 2, 8, 16) on cpu: it holds 6 of at most 8": c.Append(k, k),
		"truncate key/value cache of 6 tokens to 7: want 0 to 6":                     c.Truncate(7),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// TestOptimizersRefuseConstants: what would make parameters NaN, or climb, changes nothing.
func TestOptimizersRefuseConstants(t *testing.T) {
	dev := must(OpenCPU(1))(t)
	p, g := must(dev.FromFloat32s([]float32{1, 2}, mem.Parameters, 2))(t), must(dev.FromFloat32s([]float32{1, 2}, mem.Gradients, 2))(t)
	adam, clipped, factor := NewAdam(1), NewSGD(1), NewSGD(1)
	adam.Beta2, clipped.Clip = 1, math.NaN()
	factor.SetFactor(p, -1)
	for want, o := range map[string]Optimizer{
		"adam step: LR is NaN: want a number of at least 0":              NewAdam(math.NaN()),
		"sgd step: LR is -1: ":                                           NewSGD(-1),
		"lamb step: LR is +Inf: ":                                        NewLAMB(math.Inf(1)),
		"adam step: Beta2 is 1: want a number of at least 0 and below 1": adam,
		"sgd step: Clip is NaN":                                          clipped,
		"parameter 1, f32 (2) on cpu: the factor of its rate is -1":      factor,
		"rmsprop step: Alpha is NaN":                                     with(&RMSprop{Training: Training{LR: 1}, Alpha: math.NaN()}),
		"lars step: Trust is -1":                                         with(&LARS{Training: Training{LR: 1}, Trust: -1}),
		"adagrad step: Decay is -1":                                      with(&Adagrad{Training: Training{LR: 1}, Decay: -1}),
	} {
		if err := o.Step([]*Tensor{nil, p}, []*Tensor{nil, g}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if got := must(p.Float32s())(t); got[0] != 1 || got[1] != 2 {
		t.Errorf("the parameter became %v", got)
	}
	square := must(dev.Zeros(mem.Data, 2, 2))(t)
	turned := must(square.Permute(1, 0))(t)
	for want, err := range map[string]error{
		"save the state of sgd: parameter 1 is a nil tensor":                                                 NewSGD(1).Save(io.Discard, []*Tensor{p, nil}),
		"save the state of sgd: nil writer":                                                                  NewSGD(1).Save(nil, nil),
		"load the state of sgd: read safetensors: nil reader":                                                NewSGD(1).Load(nil, nil),
		"sgd step: 1 parameter, 0 gradients: want a gradient, or nil, for each parameter":                    NewSGD(1).Step([]*Tensor{p}, nil),
		"f32 (2, 2) on cpu with strides (2, 1), gradient with strides (1, 2): want two dense tensors; Clone": NewSGD(1).Step([]*Tensor{square}, []*Tensor{turned}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestOptimizersSayWhatTheyAre(t *testing.T) {
	dev := must(OpenCPU(1))(t)
	p, g := must(dev.Zeros(mem.Parameters, 1<<17))(t), must(dev.Zeros(mem.Gradients, 1<<17))(t)
	o, plateau := NewAdamW(0.5, 0.01), NewPlateau()
	o.Scale = NewLossScale()
	if err := o.Step([]*Tensor{p}, []*Tensor{g}); err != nil {
		t.Fatal(err)
	}
	plateau.Observe(2)
	plateau.Observe(3)
	for want, have := range map[string]string{
		"adamw, decay 0.01, rate 0.5, step 1, scale 65536, state of 2 tensors, 1048576 bytes (1.0 MiB)":                  o.String(),
		"loss scale 65536, times 2 after 2000 steps without Inf and NaN (1 so far), times 0.5 after a step that had one": o.Scale.String(),
		"loss scale 1": SkipBad().String(),
		"plateau: factor 1, times 0.1 after more than 10 losses in a row that are not better by 0.0001; best 2, 1 since": plateau.String(),
	} {
		if have != want {
			t.Errorf("%q, want %q", have, want)
		}
	}
}
