package gpu

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"attune/gpu/mem"
)

func sameBits(t *testing.T, what string, a, b *Tensor) {
	t.Helper()
	if !slices.Equal(must(a.Float32s())(t), must(b.Float32s())(t)) {
		t.Errorf("%s: other bits", what)
	}
}

// Attention into a result that is there gives what a fresh one has, gradients too, and
// zeros where no sequence lies.
func TestAttentionInto(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		rng := rand.New(rand.NewPCG(7, 8))
		const h, n, d = 2, 21, 16
		heads := func() *Tensor { return must(dev.FromFloat32s(normal(rng, h*n*d), mem.Data, 1, h, n, d))(t) }
		r := must(Attention(heads(), heads(), heads(), AttentionOptions{Causal: true}))(t)
		for _, o := range []AttentionOptions{{}, {CuSeqlensQ: []int{2, 9, 17}}, {Window: 3}} {
			q, k, v, dOut := heads(), heads(), heads(), heads()
			want := must(Attention(q, k, v, o))(t)
			if err := AttentionInto(r, q, k, v, o); err != nil {
				t.Fatal(err)
			}
			sameBits(t, "output", r.Output, want.Output)
			a, b, c, err := r.Backward(dOut)
			if err != nil {
				t.Fatal(err)
			}
			x, y, z, err := want.Backward(dOut)
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range [][2]*Tensor{{a, x}, {b, y}, {c, z}} {
				sameBits(t, fmt.Sprintf("gradient %d", i), p[0], p[1])
			}
		}
		short, long := must(dev.Zeros(mem.Data, 1, h, n-1, d))(t), heads()
		square, other := must(dev.Zeros(mem.Data, 1, 1, n, n))(t), must(dev.Zeros(mem.Data, 1, 1, n, n))(t)
		lse := must(dev.Zeros(mem.Data, 1, h, n))(t)
		turned := must(must(dev.Zeros(mem.Data, 1, h, d, n))(t).Permute(0, 1, 3, 2))(t)
		into := func(out, lse *Tensor) error {
			return AttentionInto(&AttentionResult{Output: out, LSE: lse}, long, r.Output, r.Output, AttentionOptions{})
		}
		for want, err := range map[string]error{
			"want the shape and type of the query": AttentionInto(r, short, long, long, AttentionOptions{}),
			"no result to compute into":            AttentionInto(nil, long, long, long, AttentionOptions{}),
			"window -1":                            AttentionInto(r, long, long, long, AttentionOptions{Window: -1}),
			"the result lies on the query":         into(long, lse),
			"the result lies on the key":           into(r.Output, lse),
			"the result lies on the bias": AttentionInto(&AttentionResult{Output: must(square.Reshape(1, 1, n, n))(t), LSE: must(dev.Zeros(mem.Data, 1, 1, n))(t)},
				other, other, other, AttentionOptions{Bias: square}),
			"the output has strides (672, 336, 1, 21): want the last to be 1": into(turned, lse),
			"the log-sum-exp is f16: want f32":                                into(heads(), must(lse.As(Float16))(t)),
			"the log-sum-exp has strides (42, 1, 2): want a dense one":        into(heads(), must(must(dev.Zeros(mem.Data, 1, n, h))(t).Permute(0, 2, 1))(t)),
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not say %q", err, want)
			}
		}
	})
}
