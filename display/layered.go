package display

import (
	"cmp"
	"slices"
)

// Distances of a drawn graph in points.
const (
	layerGap = 26.0
	boxGap   = 14.0
	bendRoom = 6.0
)

// layout is where a graph's boxes and lines lie, y growing downwards.
type layout struct {
	width, height float64
	spots         []spot // of the nodes, then of the bends that long edges make
	paths         []edgePath
	layers        [][]int
	above, below  [][]int // neighbours of a spot in the layers beside its own
}

// spot is a box's or bend's place: x of its middle, y of its upper edge.
type spot struct {
	x, y, w, h float64
	layer      int
}

// edgePath is the points of an edge; back has its head at the first.
type edgePath struct {
	points [][2]float64
	back   bool
}

func newLayout(g Graph) *layout {
	l := &layout{}
	for _, n := range g.Nodes {
		w, h := boxSize(n)
		l.spots = append(l.spots, spot{w: w, h: h})
	}
	edges, back := acyclic(len(g.Nodes), g.Edges)
	l.rank(len(g.Nodes), edges)
	chains := l.bend(edges)
	l.order()
	l.place()
	for i, chain := range chains {
		l.paths = append(l.paths, edgePath{l.trace(chain), back[i]})
	}
	return l
}

// acyclic is the edges without those that lead to their own start, with those turned
// that lead back on a walk in depth, and which those are.
func acyclic(n int, all []Edge) (edges []Edge, back []bool) {
	out := make([][]int, n)
	for i, e := range all {
		out[e.From] = append(out[e.From], i)
	}
	state := make([]int, n) // 1 on the way, 2 done
	turned := make([]bool, len(all))
	type step struct{ node, next int }
	for start := range n {
		if state[start] != 0 {
			continue
		}
		state[start] = 1
		for stack := []step{{start, 0}}; len(stack) > 0; {
			top := &stack[len(stack)-1]
			if top.next == len(out[top.node]) {
				state[top.node] = 2
				stack = stack[:len(stack)-1]
				continue
			}
			i := out[top.node][top.next]
			top.next++
			switch to := all[i].To; state[to] {
			case 0:
				state[to] = 1
				stack = append(stack, step{to, 0})
			case 1:
				turned[i] = true
			}
		}
	}
	for i, e := range all {
		if e.From == e.To {
			continue
		}
		if turned[i] {
			e.From, e.To = e.To, e.From
		}
		edges, back = append(edges, e), append(back, turned[i])
	}
	return edges, back
}

// rank gives each node the layer below all that lead to it, and pulls nodes without
// such down to what they lead to.
func (l *layout) rank(n int, edges []Edge) {
	in, out := make([]int, n), make([][]int, n)
	for _, e := range edges {
		in[e.To]++
		out[e.From] = append(out[e.From], e.To)
	}
	sources := make([]bool, n)
	var ready []int
	for i := range n {
		if sources[i] = in[i] == 0; sources[i] {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		i := ready[0]
		ready = ready[1:]
		for _, to := range out[i] {
			l.spots[to].layer = max(l.spots[to].layer, l.spots[i].layer+1)
			if in[to]--; in[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	for i := range n {
		if sources[i] && len(out[i]) > 0 {
			nearest := l.spots[out[i][0]].layer
			for _, to := range out[i] {
				nearest = min(nearest, l.spots[to].layer)
			}
			l.spots[i].layer = nearest - 1
		}
	}
}

// bend puts a bend into each layer that an edge crosses, and returns each edge as a
// chain of spots, one a layer.
func (l *layout) bend(edges []Edge) (chains [][]int) {
	for _, e := range edges {
		chain := []int{e.From}
		for k := l.spots[e.From].layer + 1; k < l.spots[e.To].layer; k++ {
			l.spots = append(l.spots, spot{w: bendRoom, layer: k})
			chain = append(chain, len(l.spots)-1)
		}
		chains = append(chains, append(chain, e.To))
	}
	l.above, l.below = make([][]int, len(l.spots)), make([][]int, len(l.spots))
	for _, chain := range chains {
		for i := 1; i < len(chain); i++ {
			l.below[chain[i-1]] = append(l.below[chain[i-1]], chain[i])
			l.above[chain[i]] = append(l.above[chain[i]], chain[i-1])
		}
	}
	for i, s := range l.spots {
		for len(l.layers) <= s.layer {
			l.layers = append(l.layers, nil)
		}
		l.layers[s.layer] = append(l.layers[s.layer], i)
	}
	return chains
}

// order sorts each layer by the mean place of the neighbours in the layer before,
// downwards and upwards in turn, and keeps the order with the fewest crossings.
func (l *layout) order() {
	pos := make([]float64, len(l.spots))
	note := func() {
		for _, layer := range l.layers {
			for i, s := range layer {
				pos[s] = float64(i)
			}
		}
	}
	note()
	best, fewest := l.copied(), l.crossings(pos)
	for sweep := 0; sweep < 16 && fewest > 0; sweep++ {
		for k := range l.layers {
			layer, side := l.layers[k], l.above
			if sweep%2 == 1 {
				layer, side = l.layers[len(l.layers)-1-k], l.below
			}
			mean := map[int]float64{}
			for _, s := range layer {
				mean[s] = pos[s]
				if n := len(side[s]); n > 0 {
					mean[s] = 0
					for _, t := range side[s] {
						mean[s] += pos[t] / float64(n)
					}
				}
			}
			slices.SortStableFunc(layer, func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
			for i, s := range layer {
				pos[s] = float64(i)
			}
		}
		if n := l.crossings(pos); n < fewest {
			best, fewest = l.copied(), n
		}
	}
	l.layers = best
}

func (l *layout) copied() [][]int {
	out := make([][]int, len(l.layers))
	for i, layer := range l.layers {
		out[i] = slices.Clone(layer)
	}
	return out
}

// crossings is how many pairs of lines cross.
func (l *layout) crossings(pos []float64) int {
	n := 0
	for _, layer := range l.layers {
		var lines [][2]float64
		for _, s := range layer {
			for _, t := range l.below[s] {
				lines = append(lines, [2]float64{pos[s], pos[t]})
			}
		}
		for i, a := range lines {
			for _, b := range lines[:i] {
				if (a[0]-b[0])*(a[1]-b[1]) < 0 {
					n++
				}
			}
		}
	}
	return n
}

// place gives every spot its point: layers one below the other; in a layer each as
// near to the middle of its neighbours as the others' room lets it.
func (l *layout) place() {
	y := 0.0
	for _, layer := range l.layers {
		x, tall := 0.0, 0.0
		for _, s := range layer {
			l.spots[s].x, l.spots[s].y = x+l.spots[s].w/2, y
			x += l.spots[s].w + boxGap
			tall = max(tall, l.spots[s].h)
		}
		for _, s := range layer {
			if h := l.spots[s].h; h > 0 {
				l.spots[s].y += (tall - h) / 2
			} else {
				l.spots[s].h = tall // a bend is a line through its layer
			}
		}
		y += tall + layerGap
	}
	l.height = y - layerGap
	for round := range 40 {
		for k := range l.layers {
			if round%2 == 1 {
				k = len(l.layers) - 1 - k
			}
			l.settle(l.layers[k])
		}
	}
	left, right := l.spots[0].x, l.spots[0].x
	for _, s := range l.spots {
		left, right = min(left, s.x-s.w/2), max(right, s.x+s.w/2)
	}
	for i := range l.spots {
		l.spots[i].x -= left
	}
	l.width = right - left
}

// settle moves the spots of a layer towards the mean of their neighbours. Those that
// would overlap move as one block, each block to the mean of what its own wish for
// (the pool-adjacent-violators method for least squares in a fixed order).
func (l *layout) settle(layer []int) {
	type block struct {
		sum float64 // of the wishes for the first spot's x
		n   int
		at  []int
	}
	var blocks []block
	offset := 0.0
	offsets := make([]float64, len(layer))
	for i, s := range layer {
		if i > 0 {
			offset += (l.spots[layer[i-1]].w+l.spots[s].w)/2 + boxGap
		}
		offsets[i] = offset
		wish, n := 0.0, 0
		for _, side := range [][]int{l.above[s], l.below[s]} {
			for _, t := range side {
				wish, n = wish+l.spots[t].x, n+1
			}
		}
		if n == 0 {
			wish, n = l.spots[s].x, 1
		}
		blocks = append(blocks, block{wish/float64(n) - offset, 1, []int{i}})
		for k := len(blocks) - 1; k > 0 && blocks[k-1].sum/float64(blocks[k-1].n) > blocks[k].sum/float64(blocks[k].n); k-- {
			a, b := blocks[k-1], blocks[k]
			blocks = append(blocks[:k-1], block{a.sum + b.sum, a.n + b.n, append(a.at, b.at...)})
		}
	}
	for _, b := range blocks {
		for _, i := range b.at {
			l.spots[layer[i]].x = b.sum/float64(b.n) + offsets[i]
		}
	}
}

// trace is the points that an edge goes through, from box to box.
func (l *layout) trace(chain []int) [][2]float64 {
	first, last := l.spots[chain[0]], l.spots[chain[len(chain)-1]]
	pts := [][2]float64{{first.x, first.y + first.h}}
	for _, i := range chain[1 : len(chain)-1] {
		s := l.spots[i]
		pts = append(pts, [2]float64{s.x, s.y}, [2]float64{s.x, s.y + s.h})
	}
	return append(pts, [2]float64{last.x, last.y})
}
