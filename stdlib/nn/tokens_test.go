package nn

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestTakeAndMerge(t *testing.T) {
	net := NewNet(open(t), 1)
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} // (2, 3, 2)
	got, err := net.Eval(func(t *Tape) *Value { return t.Take(t.Input(x, 2, 3, 2), [][]int{{2, 0}, {1, 1}}) })
	if want := []float32{5, 6, 1, 2, 9, 10, 9, 10}; err != nil || !slices.Equal(got, want) {
		t.Errorf("took %v, want %v: %v", got, want, err)
	}
	got, err = net.Eval(func(t *Tape) *Value {
		return t.Merge(t.Input(x, 2, 3, 2), [][]int{{0, 1, 0}, {1, 1, 0}}, [][]float32{{.5, 1, .5}, {.25, .75, 2}}, 2)
	})
	if want := []float32{3, 4, 3, 4, 22, 24, 8.5, 9.5}; err != nil || !slices.Equal(got, want) {
		t.Errorf("merged to %v, want %v: %v", got, want, err)
	}
	for _, f := range []func(t *Tape) *Value{
		func(t *Tape) *Value { return t.Take(t.Input(x, 2, 3, 2), [][]int{{3}, {0}}) },
		func(t *Tape) *Value { return t.Take(t.Input(x, 2, 3, 2), [][]int{{1}, {0, 1}}) },
		func(t *Tape) *Value { return t.Take(t.Input(x, 6, 2), [][]int{{1}}) },
		func(t *Tape) *Value {
			return t.Merge(t.Input(x, 2, 3, 2), [][]int{{0, 0}, {0, 0}}, [][]float32{{1, 1}, {1, 1}}, 1)
		},
		func(t *Tape) *Value {
			return t.Merge(t.Input(x, 2, 3, 2), [][]int{{0, 0, 0}, {0, 0, 0}}, [][]float32{{1, 1, 1}}, 1)
		},
	} {
		if _, err := net.Eval(f); err == nil || !strings.Contains(err.Error(), "tokens") {
			t.Errorf("got %v", err)
		}
	}
}

func TestTokenGradients(t *testing.T) {
	net := NewNet(open(t), 3)
	p := net.Param("x", net.Normal(1), 2*4*3)
	mix := total(net)
	x := func(t *Tape) *Value { return t.Reshape(t.Param(p), 2, 4, 3) }
	checkGradients(t, net, func(t *Tape) *Value { return mix(t, t.Take(x(t), [][]int{{3, 1, 1}, {0, 2, 3}})) })
	net = NewNet(open(t), 4)
	p, mix = net.Param("x", net.Normal(1), 2*4*3), total(net)
	checkGradients(t, net, func(t *Tape) *Value {
		return mix(t, t.Merge(x(t), [][]int{{1, 0, 1, 0}, {0, 0, 0, 1}}, [][]float32{{.5, 1, .5, 2}, {.3, .3, .4, 1}}, 2))
	})
}

// TestReducedBlockIsABlock: with nothing to drop it computes what the block does;
// what it drops or merges is what it says, and gradients go through.
func TestReducedBlockIsABlock(t *testing.T) {
	net := NewNet(open(t), 5)
	const batch, tokens, d = 2, 9, 8
	block := net.Block("block", d, 2, 16)
	values := make([]float32, batch*tokens*d)
	normal := net.Normal(1)
	for i := range values {
		values[i] = normal()
	}
	input := func(t *Tape) *Value { return t.Input(values, batch, tokens, d) }
	want, err := net.Eval(func(t *Tape) *Value { return block.Apply(t, input(t)) })
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []Reduction{PruneTokens, MergeTokens} {
		same := &ReducedBlock{Block: block, How: how}
		got, err := net.Eval(func(t *Tape) *Value { return same.Apply(t, input(t)) })
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s of nothing: %v, %v want %v", how, err, got[:3], want[:3])
		}
		for drop := 1; drop < tokens; drop++ {
			few := &ReducedBlock{Block: block, How: how, Drop: drop, Class: true}
			k := tokens - drop
			if how == MergeTokens {
				k = max(k, (tokens+1)/2)
			}
			if few.Left(tokens) != k {
				t.Errorf("%s of %d leaves %d, says %d", how, drop, k, few.Left(tokens))
			}
			tape := NewEvalTape(net.Device())
			y := few.Apply(tape, input(tape))
			if tape.Err() != nil {
				t.Fatal(tape.Err())
			}
			if s := y.Tensor().Shape(); !slices.Equal(s, []int{batch, k, d}) {
				t.Errorf("%s of %d gives %v", how, drop, s)
			}
			out, _ := y.Float32s()
			for b := range batch {
				for i := range d {
					if g, w := out[b*k*d+i], want[b*tokens*d+i]; math.Abs(float64(g-w)) > 1e-5 {
						t.Fatalf("%s of %d: the class token is %v, want %v", how, drop, g, w)
					}
				}
			}
			if err := tape.Free(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestMergedTokensKeepTheirWeight: of four tokens three are equal, so merging two of
// them changes nothing, but only if the next block counts the merged one twice.
func TestMergedTokensKeepTheirWeight(t *testing.T) {
	net := NewNet(open(t), 6)
	const d = 4
	one, two := net.Block("one", d, 1, 8), net.Block("two", d, 1, 8)
	values := []float32{1, 2, -1, .5, 1, 2, -1, .5, 1, 2, -1, .5, -2, 1, 0, 3}
	want, err := net.Eval(func(t *Tape) *Value { return two.Apply(t, one.Apply(t, t.Input(values, 1, 4, d))) })
	if err != nil {
		t.Fatal(err)
	}
	for _, drop := range []int{0, 1} {
		got, err := net.Eval(func(t *Tape) *Value {
			x := (&ReducedBlock{Block: one, How: MergeTokens, Drop: 1}).Apply(t, t.Input(values, 1, 4, d))
			return (&ReducedBlock{Block: two, How: MergeTokens, Drop: drop}).Apply(t, x)
		})
		if err != nil || len(got) != (3-drop)*d {
			t.Fatal(got, err)
		}
		for i := range got[:d] {
			a, b := float64(got[i]-want[i]), float64(got[len(got)-d+i]-want[3*d+i])
			if drop == 0 && (math.Abs(a) > 1e-5 || math.Abs(b) > 1e-5) {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
	}
}

// TestMeanMergedIsTheMeanOfAll: of tokens that were only merged, and of one example
// by hand.
func TestMeanMergedIsTheMeanOfAll(t *testing.T) {
	net := NewNet(open(t), 7)
	x := []float32{1, 2, 4}
	got, err := net.Eval(func(t *Tape) *Value {
		v := t.Input(x, 1, 3, 1)
		v.sizes = []float32{1, 2, 5}
		return t.MeanMerged(v)
	})
	if err != nil || len(got) != 1 || math.Abs(float64(got[0])-25.0/8) > 1e-6 {
		t.Errorf("got %v: %v", got, err)
	}
	block := net.Block("block", 4, 2, 8)
	// 12 D² and 4 T² D operations a token twice over: 2·3·(4·12 + 4·4 + 4·8 + 8·4) + 4·9·4.
	if got := (&ReducedBlock{Block: block}).FLOPs(3); got != 2*3*(48+16+32+32)+4*9*4 {
		t.Errorf("%d operations", got)
	}
	if got := (&ReducedBlock{Block: block, Drop: 1}).FLOPs(3); got != 2*3*(48+16)+2*2*(32+32)+4*9*4+2*9 {
		t.Errorf("%d operations with one token less", got)
	}
}
