package search

import (
	"math/rand/v2"
	"testing"
)

// randomChain has n layers of uneven sizes, as a convolutional net has.
func randomChain(r *rand.Rand, n int) Chain {
	c := Chain{Base: r.Int64N(200)}
	for range n {
		c.Layers = append(c.Layers, Layer{
			Out: r.Int64N(100), Inside: r.Int64N(200) * r.Int64N(2), Work: r.Int64N(150), Time: float64(r.IntN(20)),
		})
	}
	return c
}

// partitions calls f with every way to cut n layers into segments, each stored or
// recomputed.
func partitions(n int, f func([]Segment)) {
	var grow func(from int, segs []Segment)
	grow = func(from int, segs []Segment) {
		if from == n {
			f(segs)
			return
		}
		for to := from + 1; to <= n; to++ {
			grow(to, append(segs[:len(segs):len(segs)], Segment{from, to, true}))
			grow(to, append(segs[:len(segs):len(segs)], Segment{from, to, false}))
		}
	}
	grow(0, nil)
}

// tailed says whether at most the last segment is stored.
func tailed(segs []Segment) bool {
	for _, s := range segs[:len(segs)-1] {
		if !s.Recompute {
			return false
		}
	}
	return true
}

// TestCutIsTheOptimum holds Cut and Least against every partition of small chains.
func TestCutIsTheOptimum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found, refused := 0, 0
	for range 600 {
		c := randomChain(r, 1+r.IntN(6))
		tail := r.IntN(2) == 0
		plain, _ := c.Peak(c.Plain())
		budget := c.Base + r.Int64N(plain-c.Base+20)
		best, least, any := 0.0, plain, false
		partitions(len(c.Layers), func(segs []Segment) {
			if tail && !tailed(segs) {
				return
			}
			peak, again := c.Peak(segs)
			least = min(least, peak)
			if peak <= budget && (!any || again < best) {
				best, any = again, true
			}
		})
		segs, again, ok := c.Cut(budget, tail)
		if ok != any || ok && again != best {
			t.Fatalf("%+v budget %d tail %v: got %v %v, want %v %v", c, budget, tail, again, ok, best, any)
		}
		if ok {
			found++
			if peak, spent := c.Peak(segs); peak > budget || spent != again || tail && !tailed(segs) {
				t.Fatalf("%+v: %v has peak %d of %d and spends %v, not %v", c, segs, peak, budget, spent, again)
			}
		} else {
			refused++
		}
		if segs, peak := c.Least(tail); peak != least {
			t.Fatalf("%+v: least %v with peak %d, want %d", c, segs, peak, least)
		}
	}
	if found < 100 || refused < 100 {
		t.Fatalf("%d found and %d refused: too few of one", found, refused)
	}
}

// TestLongChainsNeedTheirRoot: n equal layers fit in about 2 sqrt(n) of them.
func TestLongChainsNeedTheirRoot(t *testing.T) {
	c := Chain{}
	for range 100 {
		c.Layers = append(c.Layers, Layer{Out: 1000, Time: 1})
	}
	segs, peak := c.Least(false)
	if peak > 21_000 || len(segs) < 8 {
		t.Fatalf("%d segments with peak %d", len(segs), peak)
	}
	if _, again, ok := c.Cut(60_000, false); !ok || again > 60 {
		t.Fatalf("with more memory: %v %v", again, ok)
	}
}
