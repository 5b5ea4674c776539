package display

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"attune/display/mime"
	"attune/display/palette"
)

// Graph is a drawing of what follows from what: a model's computation, a pipeline.
// Arrows lead down as far as there is no circle. Layout keeps to the layered method
// (Sugiyama, Tagawa and Toda 1981).
type Graph struct {
	Title string
	Nodes []Node
	// Edges lead from one node to another, by their index.
	Edges []Edge
}

// Node is a box of a Graph.
type Node struct {
	Label string
	// Detail stands below the label: a shape, a number of parameters.
	Detail string
	// Kind chooses the box's colour: nodes that do alike have one kind.
	Kind int
}

// Edge is an arrow of a Graph.
type Edge struct{ From, To int }

// mostNodes bounds what is drawn: larger graphs are a grey wall.
const mostNodes = 600

// tallest is the height, and the width, of a graph that is shown whole.
const tallest vg.Length = 720

// GraphOf is a gonum graph, of which gorgonia's ExprGraph is one (its arrows lead
// from a result to its operands). A node's label is its String, or its number.
func GraphOf(g graph.Directed) Graph {
	var out Graph
	index := map[int64]int{}
	nodes := graph.NodesOf(g.Nodes())
	slices.SortFunc(nodes, func(a, b graph.Node) int { return int(a.ID() - b.ID()) })
	for i, n := range nodes {
		index[n.ID()] = i
		label := fmt.Sprint(n.ID())
		if s, ok := n.(fmt.Stringer); ok {
			label = s.String()
		}
		out.Nodes = append(out.Nodes, Node{Label: label})
	}
	for i, n := range nodes {
		for _, to := range graph.NodesOf(g.From(n.ID())) {
			out.Edges = append(out.Edges, Edge{i, index[to.ID()]})
		}
	}
	slices.SortFunc(out.Edges, func(a, b Edge) int { return (a.From-b.From)*len(nodes) + a.To - b.To })
	return out
}

// Bundle implements Bundler: PNG and SVG, and the edges as text.
func (g Graph) Bundle() mime.Bundle {
	said := fmt.Sprintf("graph, %s and %s", plural(len(g.Nodes), "node"), plural(len(g.Edges), "edge"))
	if g.Title != "" {
		said += ": " + g.Title
	}
	for _, e := range g.Edges {
		if min(e.From, e.To) < 0 || max(e.From, e.To) >= len(g.Nodes) {
			return errorBundle(fmt.Errorf("draw graph: edge from %d to %d among %s", e.From, e.To, plural(len(g.Nodes), "node")))
		}
	}
	switch {
	case len(g.Nodes) == 0:
		return mime.Plain(said)
	case len(g.Nodes) > mostNodes:
		return mime.Plain(said + fmt.Sprintf(", more than the %d that are drawn", mostNodes))
	}
	l := newLayout(g)
	v := graphView{g, l, vg.Points(max(l.width+2*margin, 120)), vg.Points(l.height + 2*margin)}
	if g.Title != "" {
		v.height += vg.Points(22)
		v.width = max(v.width, TextStyle(11, font.Font{Weight: xfont.WeightBold}, text.XCenter, text.YTop).Width(g.Title)+vg.Points(2*margin))
	}
	b := Draw(v.width, v.height, said, v.draw)
	if h := b.Data[mime.HTML]; h != "" && (v.height > tallest || v.width > tallest) {
		// What is larger than a page scrolls on its own, by keys too, and does not shrink.
		b.Data[mime.HTML] = `<div tabindex="0" style="max-height:720px;overflow:auto">` + strings.Replace(h, "max-width:100%", "max-width:none", 1) + `</div>`
	}
	if len(g.Edges) <= 60 {
		var lines strings.Builder
		for _, e := range g.Edges {
			fmt.Fprintf(&lines, "\n%s → %s", g.Nodes[e.From].Label, g.Nodes[e.To].Label)
		}
		b.Data[mime.Text] += lines.String()
	}
	return b
}

// graphView is a graph that is laid out, on its way to a canvas.
type graphView struct {
	Graph
	*layout
	width, height vg.Length
}

func labelStyle(ink color.NRGBA) text.Style {
	s := TextStyle(9, font.Font{Weight: xfont.WeightBold}, text.XCenter, text.YCenter)
	s.Color = ink
	return s
}

func detailStyle(ink color.NRGBA) text.Style {
	s := TextStyle(8, font.Font{}, text.XCenter, text.YCenter)
	s.Color = ink
	return s
}

func (v graphView) draw(c draw.Canvas) {
	top := v.height.Points() - margin
	if v.Title != "" {
		c.FillText(TextStyle(11, font.Font{Weight: xfont.WeightBold}, text.XCenter, text.YTop), vg.Point{X: v.width / 2, Y: v.height - vg.Points(margin)}, v.Title)
		top -= 22
	}
	left := (v.width.Points() - v.layout.width) / 2
	place := func(x, y float64) vg.Point { return at(left+x, top-y) }
	for _, path := range v.paths {
		v.drawEdge(c, path, place)
	}
	kinds := palette.Kinds()
	for i, n := range v.Nodes {
		b := v.spots[i]
		fill := kinds[max(n.Kind, 0)%len(kinds)]
		ink := inkOn(fill)
		corners := []vg.Point{place(b.x-b.w/2, b.y), place(b.x+b.w/2, b.y), place(b.x+b.w/2, b.y+b.h), place(b.x-b.w/2, b.y+b.h)}
		c.FillPolygon(fill, corners)
		y := b.y + b.h/2
		if n.Detail != "" {
			c.FillText(detailStyle(ink), place(b.x, y+6), shortened(n.Detail))
			y -= 6
		}
		c.FillText(labelStyle(ink), place(b.x, y), shortened(n.Label))
	}
}

// drawEdge draws a path of points as a smooth line with an arrow's head at its end.
func (v graphView) drawEdge(c draw.Canvas, path edgePath, place func(x, y float64) vg.Point) {
	var p vg.Path
	pts := path.points
	p.Move(place(pts[0][0], pts[0][1]))
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		mid := (a[1] + b[1]) / 2
		p.CubeTo(place(a[0], mid), place(b[0], mid), place(b[0], b[1]))
	}
	ink := palette.Ink()
	c.SetLineStyle(draw.LineStyle{Color: ink, Width: vg.Points(0.9)})
	c.Stroke(p)
	end, tip := pts[len(pts)-1], 5.0
	if path.back {
		end, tip = pts[0], -5.0
	}
	c.FillPolygon(ink, []vg.Point{place(end[0], end[1]), place(end[0]-2.6, end[1]-tip), place(end[0]+2.6, end[1]-tip)})
}

func shortened(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}

// boxSize is a node's size in points.
func boxSize(n Node) (w, h float64) {
	w = labelStyle(palette.Ink()).Width(shortened(n.Label)).Points()
	h = 20
	if n.Detail != "" {
		w = math.Max(w, detailStyle(palette.Ink()).Width(shortened(n.Detail)).Points())
		h = 30
	}
	return math.Max(w+16, 36), h
}
