package nn

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"attune/display"
	"attune/display/mime"
)

// arrows are a graph's edges by label, in order.
func arrows(g display.Graph) (all []string) {
	for _, e := range g.Edges {
		all = append(all, g.Nodes[e.From].Label+" → "+g.Nodes[e.To].Label)
	}
	return all
}

func TestGraphFollowsBranchesAndResiduals(t *testing.T) {
	net := NewNet(open(t), 1)
	inner := Residual(net.Linear("inner", 4, 4))
	s, err := SummaryOf(net, func(t *Tape) *Value {
		x := t.Input(make([]float32, 8), 2, 4)
		y := t.Add(t.ReLU(x), t.GELU(x))
		return inner.Apply(t, y)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"input → relu", "input → gelu", "relu → add", "gelu → add", "add → inner: linear", "inner: linear → add", "add → add"}
	got := arrows(s.Graph())
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestGraphOfALargeModelIsOfItsLayers(t *testing.T) {
	net := NewNet(open(t), 1)
	layers := []Layer{net.Linear("embed", 8, 16)}
	for i := range 48 {
		layers = append(layers, net.Block(fmt.Sprint("block", i), 16, 4, 32))
	}
	s, err := Summary(net, net.Sequential("gpt", append(layers, net.Linear("head", 16, 5))...), 2, 6, 8)
	if err != nil {
		t.Fatal(err)
	}
	g := s.Graph()
	if len(s.Ops) < 400 || len(g.Nodes) < 50 || len(g.Nodes) > mostDrawn {
		t.Fatalf("%d operations are %d boxes", len(s.Ops), len(g.Nodes))
	}
	if got := arrows(g); !slices.Contains(got, "block4 → block5") || slices.Contains(got, "block4 → block4") {
		t.Errorf("%v", got)
	}
	if b := g.Bundle(); b.Data[mime.PNG] == "" || !strings.Contains(g.Nodes[10].Detail, " operations, (2, 6, 16)") {
		t.Errorf("%v, %s", g.Nodes[10], b.Data[mime.Text])
	}
}

// TestSummaryNamesALayerMadeInside: a layer of the function's own is on the net's device
// and not on that of the rehearsal; the error says what to do.
func TestSummaryNamesALayerMadeInside(t *testing.T) {
	net := NewNet(open(t), 1)
	_, err := SummaryOf(net, func(t *Tape) *Value {
		return net.Linear("inside", 4, 2).Apply(t, t.Input(make([]float32, 8), 2, 4))
	})
	if err == nil || !strings.Contains(err.Error(), "use parameter inside.w: it was made inside the function that is looked at: make layers before it, and only use them there") {
		t.Error(err)
	}
	net, other := NewNet(open(t), 1), NewNet(open(t), 2)
	l := other.Linear("elsewhere", 4, 2)
	if _, err = net.Eval(func(t *Tape) *Value { return l.Apply(t, t.Input(make([]float32, 8), 2, 4)) }); err == nil ||
		!strings.Contains(err.Error(), "use parameter elsewhere.w: it is on another cpu device than the tape") {
		t.Error(err)
	}
}
