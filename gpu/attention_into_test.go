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
		for want, err := range map[string]error{
			"want the shape and type of the query": AttentionInto(r, short, long, long, AttentionOptions{}),
			"no result to compute into":            AttentionInto(nil, long, long, long, AttentionOptions{}),
			"window -1":                            AttentionInto(r, long, long, long, AttentionOptions{Window: -1}),
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not say %q", err, want)
			}
		}
	})
}
