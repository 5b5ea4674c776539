package nn

import (
	"fmt"
	"slices"
	"strings"
)

// Layer is a part of a model: what takes one value to another.
type Layer interface {
	Apply(t *Tape, x *Value) *Value
}

// Func makes a layer of a function. The name stands in errors and tables.
func Func(name string, f func(t *Tape, x *Value) *Value) Layer { return &funcLayer{name, f} }

type funcLayer struct {
	name string
	f    func(t *Tape, x *Value) *Value
}

func (l *funcLayer) Apply(t *Tape, x *Value) *Value { return l.f(t, x) }
func (l *funcLayer) String() string                 { return l.name }
func (l *funcLayer) layerName() string              { return l.name }

// ReLU, GELU, SiLU, Tanh and Sigmoid are the operations of Tape as layers, Flatten
// makes (N, …) into (N, all the rest).
func ReLU() Layer    { return Func("relu", (*Tape).ReLU) }
func GELU() Layer    { return Func("gelu", (*Tape).GELU) }
func SiLU() Layer    { return Func("silu", (*Tape).SiLU) }
func Tanh() Layer    { return Func("tanh", (*Tape).Tanh) }
func Sigmoid() Layer { return Func("sigmoid", (*Tape).Sigmoid) }
func Flatten() Layer { return Func("flatten", (*Tape).Flatten) }

// MeanTokens is the mean over the tokens of (B, T, D) as a layer: (B, D).
func MeanTokens() Layer { return Func("mean of tokens", (*Tape).MeanTokens) }

// Residual is x + layer(x), of one shape (He et al. 2016).
func Residual(layer Layer) Layer {
	return Func("residual "+nameOf(layer, 0), func(t *Tape, x *Value) *Value { return t.Add(x, layer.Apply(t, x)) })
}

// Sequential is layers one after the other. Each is a segment of the tape (see
// Tape.Segment) with the layer's name. On a tape without gradients a layer's input is
// freed when the layer is done: one that wants an earlier layer's value goes with it
// into one Func.
type Sequential struct {
	Name   string
	Layers []Layer
	// Cuts, in rising order, are places before layers. What lies before the first, and
	// between each two, keeps only its result between forward and backward and is
	// computed twice; what lies behind the last is computed once. nil: all is.
	Cuts []int
}

// Sequential makes a chain of layers.
func (n *Net) Sequential(name string, layers ...Layer) *Sequential {
	return &Sequential{Name: name, Layers: layers}
}

// Apply runs x through the layers.
func (s *Sequential) Apply(t *Tape, x *Value) *Value {
	return t.Within(s.Name, func() *Value {
		from := 0
		for i, cut := range s.Cuts {
			if cut <= from && cut != 0 || cut > len(s.Layers) {
				return t.fail("use cuts", fmt.Errorf("cut %d of %v for %d layers: want rising places up to their number", i, s.Cuts, len(s.Layers)))
			}
			x = s.recomputed(t, x, from, cut)
			from = cut
		}
		for i := from; i < len(s.Layers); i++ {
			y := t.Segment(s.LayerName(i), x, func(x *Value) *Value { return s.Layers[i].Apply(t, x) })
			if i > 0 {
				t.drop(x, y)
			}
			x = y
		}
		return x
	})
}

// drop frees x, which nobody reads but what gave y, where no gradient will want it.
func (t *Tape) drop(x, y *Value) {
	if t.err != nil || t.grads || x == nil || y == nil || x.frame != t.frame || x.tensor.Storage() == y.tensor.Storage() {
		return
	}
	for i := len(t.owned) - 1; i >= 0; i-- {
		if t.owned[i].tensor.Storage() == x.tensor.Storage() {
			if err := t.owned[i].tensor.Free(); err != nil {
				t.fail("free a layer's input", err)
			}
			t.owned = slices.Delete(t.owned, i, i+1)
			return
		}
	}
}

// recomputed runs x through layers from..to-1, computed twice where gradients are
// wanted.
func (s *Sequential) recomputed(t *Tape, x *Value, from, to int) *Value {
	all := func() *Value {
		y := x
		for i := from; i < to; i++ {
			y = t.Within(s.LayerName(i), func() *Value { return s.Layers[i].Apply(t, y) })
		}
		return y
	}
	switch {
	case t.err != nil || x == nil:
		return nil
	case from == to:
		return x
	case !t.grads:
		outer := t.enter(false)
		return t.leave(outer, all())
	}
	return t.checkpoint(all)
}

// LayerName is the name of layer i: its own, or what it is; with its place where
// several are called so.
func (s *Sequential) LayerName(i int) string {
	name := nameOf(s.Layers[i], i)
	for j, l := range s.Layers {
		if j != i && nameOf(l, j) == name {
			return fmt.Sprintf("%s %d", name, i)
		}
	}
	return name
}

func nameOf(l Layer, i int) string {
	switch l := l.(type) {
	case *Sequential:
		return l.Name
	case interface{ layerName() string }:
		if name := l.layerName(); name != "" {
			return name
		}
	}
	kind := fmt.Sprintf("%T", l)
	return fmt.Sprintf("%s %d", strings.ToLower(kind[strings.LastIndexByte(kind, '.')+1:]), i)
}

// String lists the layers.
func (s *Sequential) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d layers", s.Name, len(s.Layers))
	for i, l := range s.Layers {
		fmt.Fprintf(&b, "\n    %s", strings.ReplaceAll(fmt.Sprint(l), "\n", "\n    "))
		for _, cut := range s.Cuts {
			if cut == i+1 {
				b.WriteString("\n    --- computed twice up to here")
			}
		}
	}
	return b.String()
}
