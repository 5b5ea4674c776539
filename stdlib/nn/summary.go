package nn

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"attune/display"
	"attune/display/mime"
	"attune/display/table"
	"attune/gpu"
)

// Table says what a model is made of: its operations in a training pass, in order. It
// is shown as a table, and Graph draws it.
type Table struct {
	Title string
	Ops   []Op
}

// Summary is the table of a model for inputs of that shape, (N, …). It runs the model's
// own code on a device of shapes (gpu.OpenMeta): nothing is computed and no memory is
// taken. A model that begins with an Embedding is given tokens.
func Summary(net *Net, model Layer, shape ...int) (*Table, error) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return nil, fmt.Errorf("summary: shape %s has a side below 0", shapeText(shape))
		}
		n *= d
	}
	t, err := SummaryOf(net, func(t *Tape) *Value {
		if takesTokens(model) {
			return model.Apply(t, t.Tokens(make([]int32, n), shape...))
		}
		return model.Apply(t, t.Input(make([]float32, n), shape...))
	})
	if err == nil {
		t.Title = nameOf(model, 0) + " of " + shapeText(shape)
	}
	return t, err
}

func takesTokens(l Layer) bool {
	switch l := l.(type) {
	case *Embedding:
		return true
	case *Sequential:
		return len(l.Layers) > 0 && takesTokens(l.Layers[0])
	}
	return false
}

// SummaryOf is Summary of any function of a tape: a model with several inputs, a loss.
func SummaryOf(net *Net, forward func(t *Tape) *Value) (*Table, error) {
	if net.err != nil {
		return nil, net.err
	}
	dev, err := gpu.OpenMeta(net.dev)
	if err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	shadow, err := net.Shadow(dev)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("summary: %w", err), dev.Close())
	}
	t := shadow.Tape()
	forward(t)
	out := &Table{Title: "model", Ops: t.Ops()}
	if err = errors.Join(t.Err(), t.Free(), shadow.Free(), dev.Close()); err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	return out, nil
}

// Row is one operation in a Table: what it learns, what it makes and what it takes.
type Row struct {
	Layer, Operation string
	// Result is the shape of what comes out.
	Result []int
	// Parameters counts floats, Frozen those of them that do not learn. A parameter
	// counts where it is used first.
	Parameters, Frozen int
	// Bytes is the result and what is kept for the gradient, FLOPs the floating-point
	// operations of one pass forward, a multiply-add counted as two. Backward takes
	// about twice as many.
	Bytes, FLOPs int64
}

// Rows lists the operations.
func (t *Table) Rows() []Row {
	seen := map[*Param]bool{}
	out := make([]Row, len(t.Ops))
	for i, op := range t.Ops {
		r := Row{Layer: op.Scope, Operation: op.Kind, Result: op.Shape, Bytes: op.Bytes, FLOPs: op.FLOPs}
		for _, p := range op.Params {
			if seen[p] {
				continue
			}
			seen[p] = true
			r.Parameters += p.Value.Len()
			if p.Grad == nil {
				r.Frozen += p.Value.Len()
			}
		}
		out[i] = r
	}
	return out
}

// Sum is all rows together; its result is the last one's.
func (t *Table) Sum() Row {
	sum := Row{Layer: t.Title}
	for _, r := range t.Rows() {
		sum.Result = r.Result
		sum.Parameters, sum.Frozen = sum.Parameters+r.Parameters, sum.Frozen+r.Frozen
		sum.Bytes, sum.FLOPs = sum.Bytes+r.Bytes, sum.FLOPs+r.FLOPs
	}
	return sum
}

func (t *Table) table() table.Table {
	sum := t.Sum()
	out := table.Table{
		Columns: []table.Column{
			{Name: "layer"}, {Name: "operation"}, {Name: "result"},
			{Name: "parameters", Right: true}, {Name: "made", Note: "KiB", Right: true}, {Name: "forward", Note: "MFLOP", Right: true},
		},
		Caption: fmt.Sprintf("%s: %d parameters (%.1f KiB), %d of them frozen; the pass makes %.1f KiB and takes %.2f MFLOP",
			t.Title, sum.Parameters, float64(sum.Parameters)*4/1024, sum.Frozen, float64(sum.Bytes)/1024, float64(sum.FLOPs)/1e6),
	}
	for _, r := range t.Rows() {
		out.Rows = append(out.Rows, []string{r.Layer, r.Operation, shapeText(r.Result), fmt.Sprint(r.Parameters),
			fmt.Sprintf("%.1f", float64(r.Bytes)/1024), fmt.Sprintf("%.3f", float64(r.FLOPs)/1e6)})
	}
	return out
}

// String is the table as text.
func (t *Table) String() string { return t.table().Text() }

// Bundle implements display.Bundler.
func (t *Table) Bundle() mime.Bundle {
	b := mime.Plain(t.String())
	b.Data[mime.HTML] = t.table().HTML()
	return b
}

// mostDrawn is how many boxes of a graph an eye follows.
const mostDrawn = 100

// Graph draws the operations and what follows from what. Of a model with more than a
// hundred of them those of one layer are one box, of outer layers if need be.
func (t *Table) Graph() display.Graph {
	depth := 0
	for _, op := range t.Ops {
		depth = max(depth, len(scopes(op)))
	}
	boxes, of := t.boxes(depth + 1)
	for ; len(boxes) > mostDrawn && depth > 0; depth-- {
		boxes, of = t.boxes(depth)
	}
	g := display.Graph{Title: t.Title}
	var kinds []string
	for _, b := range boxes {
		sort := ""
		for _, i := range b.ops {
			sort += t.Ops[i].Kind + ";"
		}
		k := slices.Index(kinds, sort)
		if k < 0 {
			k, kinds = len(kinds), append(kinds, sort)
		}
		last := t.Ops[b.ops[len(b.ops)-1]]
		detail := shapeText(last.Shape)
		if len(b.ops) > 1 {
			detail = fmt.Sprintf("%d operations, %s", len(b.ops), detail)
		}
		g.Nodes = append(g.Nodes, display.Node{Label: b.label, Detail: detail, Kind: k})
	}
	for i, op := range t.Ops {
		for _, in := range op.Inputs {
			e := display.Edge{From: of[in], To: of[i]}
			if e.From != e.To && (len(boxes) == len(t.Ops) || !slices.Contains(g.Edges, e)) {
				g.Edges = append(g.Edges, e)
			}
		}
	}
	return g
}

// box is one or more operations that are drawn as one.
type box struct {
	label string
	ops   []int
}

// boxes puts the operations of one scope, down to that depth, into one box, and says
// which box each is in. Those of a shallower scope have one each.
func (t *Table) boxes(depth int) (boxes []box, of []int) {
	known := map[string]int{}
	for i, op := range t.Ops {
		label, parts := op.Kind, scopes(op)
		if len(parts) > 0 {
			if label = parts[len(parts)-1]; label != op.Kind {
				label += ": " + op.Kind
			}
		}
		at := len(boxes)
		if len(parts) >= depth {
			scope := strings.Join(parts[:depth], "/")
			if k, ok := known[scope]; ok {
				at = k
			}
			known[scope], label = at, parts[depth-1]
		}
		if at == len(boxes) {
			boxes = append(boxes, box{label: label})
		}
		boxes[at].ops = append(boxes[at].ops, i)
		of = append(of, at)
	}
	return boxes, of
}

func scopes(op Op) []string {
	if op.Scope == "" {
		return nil
	}
	return strings.Split(op.Scope, "/")
}
