package nn

import (
	"math"
	"strings"
	"testing"

	"attune/gpu"
	"attune/gpu/mem"
)

// speaker is a small causal model of text: (B, T) tokens to (B, T, 7) scores.
func speaker(net *Net, layer func(name string) Layer) *Sequential {
	return net.Sequential("speaker", net.Embedding("embed", 7, 8), net.Position("place", 6, 8),
		layer("a"), layer("b"), net.LayerNorm("norm", 8), net.Linear("head", 8, 7))
}

func causalBlock(net *Net) func(name string) Layer {
	return func(name string) Layer {
		b := net.Block(name, 8, 2, 16)
		b.Attention.Causal = true
		return b
	}
}

// Token by token, or some at a time, a cache gives what the whole text gives. In half
// precision, which caches take too, the two round in other places.
func TestContinueIsTheWholePass(t *testing.T) {
	for precision, limit := range map[gpu.DType]float64{gpu.Float32: 1e-5, gpu.Float16: 8e-3, gpu.BFloat16: 6e-2} {
		t.Run(precision.String(), func(t *testing.T) { continueIn(t, precision, limit) })
	}
}

func continueIn(t *testing.T, precision gpu.DType, limit float64) {
	for name, layer := range map[string]func(net *Net) func(name string) Layer{
		"blocks": causalBlock,
		"multihead": func(net *Net) func(name string) Layer {
			return func(name string) Layer {
				m := net.MultiHead(name, 8, 4, 2)
				m.Options.Causal = true
				return Residual(m)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			net := NewNet(open(t), 3)
			net.Precision = precision
			model := speaker(net, layer(net))
			text := [][]int32{{1, 5, 2, 2, 0, 6}, {3, 3, 4, 0, 1, 1}}
			pass := func(c *Cache, lo, hi int) []float32 {
				var ids []int32
				for _, line := range text {
					ids = append(ids, line[lo:hi]...)
				}
				out, err := net.Continue(c, func(t *Tape) *Value { return model.Apply(t, t.Tokens(ids, len(text), hi-lo)) })
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			whole := pass(NewCache(6), 0, 6)
			for _, cuts := range [][]int{{0, 1, 2, 3, 4, 5, 6}, {0, 4, 5, 6}, {0, 2, 6}} {
				c := NewCache(6)
				for i := range len(cuts) - 1 {
					lo, hi := cuts[i], cuts[i+1]
					got := pass(c, lo, hi)
					if c.Len() != hi {
						t.Fatalf("%d tokens known after %d", c.Len(), hi)
					}
					for line := range text {
						for at := lo; at < hi; at++ {
							for k := range 7 {
								g, w := got[(line*(hi-lo)+at-lo)*7+k], whole[(line*6+at)*7+k]
								if math.Abs(float64(g-w)) > limit {
									t.Fatalf("cuts %v, line %d, token %d: %v, whole text %v", cuts, line, at, g, w)
								}
							}
						}
					}
				}
				if err := c.Free(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// What went wrong is said, and the cache goes on from where it was.
func TestContinueRefuses(t *testing.T) {
	net := NewNet(open(t), 3)
	model := speaker(net, causalBlock(net))
	say := func(c *Cache, ids ...int32) error {
		_, err := net.Continue(c, func(t *Tape) *Value { return model.Apply(t, t.Tokens(ids, 1, len(ids))) })
		return err
	}
	before := net.Device().Memory().ByCategory[mem.Activations].Live
	c := NewCache(4)
	if err := say(c, 1, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := say(c, 1, 2); err == nil || !strings.Contains(err.Error(), "it holds 3") {
		t.Fatalf("above the capacity: %v", err)
	}
	late := func(t *Tape) *Value { return t.CrossEntropy(model.Apply(t, t.Tokens([]int32{4}, 1, 1)), []int{7}) }
	if _, err := net.Continue(c, late); err == nil || c.Len() != 3 {
		t.Fatalf("an error behind the attentions: %v, %d known", err, c.Len())
	}
	if err := say(c, 4); err != nil || c.Len() != 4 {
		t.Fatalf("after errors: %v, %d known", err, c.Len())
	}
	if err := c.Truncate(1); err != nil || c.Len() != 1 {
		t.Fatalf("truncate: %v, %d known", err, c.Len())
	}
	if err := c.Free(); err != nil {
		t.Fatal(err)
	}
	c = NewCache(8)
	if err := say(c, 1, 2, 3, 4, 5, 6, 1); err == nil || !strings.Contains(err.Error(), "the model has 6 positions") {
		t.Fatalf("more tokens than positions: %v", err)
	}
	model.Layers[2].(*Block).Attention.Causal = false
	if err := say(c, 1); err == nil || !strings.Contains(err.Error(), "set Causal") {
		t.Fatalf("attention that is not causal: %v", err)
	}
	if err := c.Free(); err != nil {
		t.Fatal(err)
	}
	if after := net.Device().Memory().ByCategory[mem.Activations].Live; after != before {
		t.Fatalf("%d bytes stay", after-before)
	}
}
