package nn

import (
	"slices"
	"strings"
	"testing"

	"attune/gpu"
	"attune/gpu/mem"
)

func TestMultiHeadGradients(t *testing.T) {
	for name, o := range map[string]gpu.AttentionOptions{
		"plain": {}, "causal": {Causal: true}, "ragged": {KeyLengths: []int{3, 1}}, "dropout": {Dropout: 0.3},
	} {
		for _, keyHeads := range []int{1, 2, 4} {
			t.Run(name, func(t *testing.T) {
				net := NewNet(open(t), 7)
				x := net.Param("x", net.Normal(1), 2, 3, 8)
				m, sum := net.MultiHead("m", 8, 4, keyHeads), total(net)
				m.Options = o
				forward := func(t *Tape) *Value { return sum(t, m.Apply(t, t.Param(x))) }
				if _, err := net.Eval(forward); err != nil {
					t.Fatal(err)
				}
				checkTrainingGradients(t, net, forward)
			})
		}
	}
}

// Memory that is used again does not shine through where nobody looks.
func TestAttentionOfRaggedLengthsGradient(t *testing.T) {
	net := NewNet(open(t), 7)
	x, qkv := net.Param("x", net.Normal(1), 2, 3, 8), net.Linear("qkv", 8, 24)
	sum := total(net)
	forward := func(t *Tape) *Value {
		y := sum(t, t.Attention(qkv.Apply(t, t.Param(x)), 4, gpu.AttentionOptions{KeyLengths: []int{3, 1}}))
		for range 2 {
			used, err := t.Device().Empty(gpu.Float32, mem.Gradients, 2, 3, 24)
			if err == nil {
				defer func() { _ = used.Free() }()
				err = gpu.Fill(used, 9)
			}
			if err != nil {
				return t.fail("use memory", err)
			}
		}
		return y
	}
	if _, err := net.Eval(forward); err != nil {
		t.Fatal(err)
	}
	checkTrainingGradients(t, net, forward)
}

// What lies behind an example's length changes nothing of what comes before.
func TestMultiHeadHidesPadding(t *testing.T) {
	net := NewNet(open(t), 7)
	m := net.MultiHead("m", 4, 2, 1)
	m.Options.KeyLengths = []int{2}
	run := func(pad float32) []float32 {
		y, err := net.Eval(func(t *Tape) *Value {
			return m.Apply(t, t.Input([]float32{1, 2, 3, 4, 5, 6, 7, 8, pad, pad, pad, pad}, 1, 3, 4))
		})
		if err != nil {
			t.Fatal(err)
		}
		return y[:8]
	}
	if a, b := run(0), run(99); !slices.Equal(a, b) {
		t.Errorf("padding shows: %v and %v", a, b)
	}
	if bad := NewNet(net.Device(), 1); bad.MultiHead("m", 8, 4, 3) == nil || bad.Err() == nil || !strings.Contains(bad.Err().Error(), "4 heads, 3 of them") {
		t.Error("three key heads for four:", bad.Err())
	}
}
