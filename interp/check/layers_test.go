package check

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// TestLayers does the same at random to layers and to maps, in copies of copies, and
// none may see what is done to another.
func TestLayers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	type pair struct {
		l layers[int, int]
		m map[int]int
	}
	all := []*pair{{m: map[int]int{}}}
	for step := range 20000 {
		p := all[rnd.IntN(len(all))]
		k := rnd.IntN(200)
		switch rnd.IntN(10) {
		case 0:
			c := &pair{p.l.clone(), maps.Clone(p.m)}
			if all = append(all, c); len(all) > 8 {
				all = all[1:]
			}
		case 1:
			p.l.settle()
		case 2, 3:
			p.l.Delete(k)
			delete(p.m, k)
		default:
			p.l.Set(k, step)
			p.m[k] = step
		}
		if step%100 > 0 {
			continue
		}
		for _, p := range all {
			if got := maps.Collect(p.l.All()); !maps.Equal(got, p.m) {
				t.Fatalf("step %d: %v, want %v", step, got, p.m)
			}
			for k := range 200 {
				if v, ok := p.l.lookup(k); v != p.m[k] || ok != has(p.m, k) {
					t.Fatalf("step %d: %d has %d, %t, want %d", step, k, v, ok, p.m[k])
				}
			}
		}
	}
}

func has(m map[int]int, k int) bool {
	_, ok := m[k]
	return ok
}
