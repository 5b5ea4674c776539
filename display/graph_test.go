package display

import (
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/graph/simple"

	"attune/display/mime"
)

func classifier() Graph {
	return Graph{Title: "A classifier that attends",
		Nodes: []Node{{"input", "(B, 64, 8)", 5}, {"embed", "288 parameters", 0}, {"query, key, value", "3,168 parameters", 0}, {"attention", "4 heads", 2},
			{"add", "(B, 64, 32)", 1}, {"mean", "over tokens", 1}, {"head", "330 parameters", 0}, {"cross-entropy", "", 3}, {"labels", "(B)", 5}},
		Edges: []Edge{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {1, 4}, {4, 5}, {5, 6}, {6, 7}, {8, 7}}}
}

func TestGoldenGraph(t *testing.T) { golden(t, "graph", classifier().Bundle()) }

func TestGraphsSayTheirEdges(t *testing.T) {
	got := classifier().Bundle().Data[mime.Text]
	if !strings.HasPrefix(got, "graph, 9 nodes and 9 edges: A classifier that attends\ninput → embed\n") {
		t.Errorf("text %q", got)
	}
	if got := (Graph{Nodes: []Node{{}}, Edges: []Edge{{0, 1}}}).Bundle().Data[mime.Text]; !strings.Contains(got, "edge from 0 to 1 among 1 node") {
		t.Errorf("text %q", got)
	}
	g := simple.NewDirectedGraph()
	g.SetEdge(g.NewEdge(simple.Node(3), simple.Node(1)))
	if b := Render(g); b.Data[mime.SVG] == "" || !strings.HasSuffix(b.Data[mime.Text], "\n3 → 1") {
		t.Errorf("gonum's graph: %q", b.Data[mime.Text])
	}
}

// Whatever the graph, no two boxes touch and edges lead down, circles apart.
func TestLayoutsKeepBoxesApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		n := 1 + rng.IntN(30)
		var g Graph
		for range n {
			g.Nodes = append(g.Nodes, Node{Label: strings.Repeat("m", rng.IntN(9))})
		}
		for range rng.IntN(3 * n) {
			e := Edge{rng.IntN(n), rng.IntN(n)}
			if round%2 == 0 && e.From > e.To {
				e.From, e.To = e.To, e.From
			}
			g.Edges = append(g.Edges, e)
		}
		l := newLayout(g)
		for i, a := range l.spots[:n] {
			for _, b := range l.spots[:i] {
				if a.layer == b.layer && max(a.x, b.x)-min(a.x, b.x) < (a.w+b.w)/2+boxGap-1e-6 {
					t.Fatalf("round %d: boxes at %v and %v touch", round, a, b)
				}
			}
			if a.x-a.w/2 < -1e-6 || a.x+a.w/2 > l.width+1e-6 || a.y+a.h > l.height+1e-6 {
				t.Fatalf("round %d: %+v lies outside", round, a)
			}
		}
		for _, e := range g.Edges {
			if round%2 == 0 && e.From != e.To && l.spots[e.From].layer >= l.spots[e.To].layer {
				t.Fatalf("round %d: edge %v leads up", round, e)
			}
		}
	}
}

// The largest that is drawn, deep and wide, is a picture that scrolls.
func TestHugeGraphsAreDrawnAndScroll(t *testing.T) {
	deep, wide := Graph{Nodes: make([]Node, mostNodes)}, Graph{Nodes: make([]Node, mostNodes)}
	for i := 1; i < mostNodes; i++ {
		deep.Edges = append(deep.Edges, Edge{i - 1, i})
		wide.Edges = append(wide.Edges, Edge{(i - 1) / 8, i})
	}
	for name, g := range map[string]Graph{"deep": deep, "wide": wide} {
		b := g.Bundle()
		if h := b.Data[mime.HTML]; b.Data[mime.PNG] == "" || !strings.Contains(h, "overflow:auto") || !strings.Contains(h, "max-width:none") {
			t.Errorf("%s: %s, %.200s", name, b.Data[mime.Text], h)
		}
	}
	if b := (Graph{Nodes: make([]Node, mostNodes+1)}).Bundle(); !strings.Contains(b.Data[mime.Text], "more than the 600 that are drawn") {
		t.Error(b.Data[mime.Text])
	}
}
