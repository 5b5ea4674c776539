package nn

import (
	"slices"
	"strings"

	"attune/gpu"
)

// Op is one operation of a pass, in the order in which they ran.
type Op struct {
	// Kind is what was computed: "linear", "attention"; Scope is the names of the
	// layers around it: "encoder/block1".
	Kind, Scope string
	// Inputs are the numbers of the operations whose results it took.
	Inputs []int
	// Shape and DType are the result's.
	Shape []int
	DType gpu.DType
	// Bytes is what it made: the result and what it keeps for the gradient.
	Bytes int64
	// FLOPs is its floating-point operations, a multiply-add counted as two.
	FLOPs int64
	// Params are the parameters that it used.
	Params []*Param
}

// Ops lists the operations so far. Those of a checkpointed segment are listed once.
func (t *Tape) Ops() []Op { return slices.Clip(t.ops) }

// Scope is the names of the layers and segments being computed, joined by "/".
func (t *Tape) Scope() string {
	parts := make([]string, len(t.scope))
	for i, s := range t.scope {
		parts[i] = s.short
	}
	return strings.Join(parts, "/")
}

// Now is what the tape is computing at this moment, "linear" or "gradient of linear",
// and in which scope.
func (t *Tape) Now() (what, scope string) {
	if t.undo.Kind == "" || t.again && t.next.Kind != "" {
		return t.next.Kind, t.Scope()
	}
	return "gradient of " + t.undo.Kind, t.undo.Scope
}

// Within runs f with a name added to the scope: operations and errors say it. A name
// that begins with that of the scope around it and a dot adds what comes behind.
func (t *Tape) Within(name string, f func() *Value) *Value {
	n := len(t.scope)
	if name == "" {
		return f()
	}
	if n > 0 {
		outer := t.scope[n-1]
		if name == outer.full {
			return f()
		}
		t.scope = append(t.scope, scope{name, strings.TrimPrefix(name, outer.full+".")})
	} else {
		t.scope = append(t.scope, scope{name, name})
	}
	v := f()
	t.scope = t.scope[:n]
	return v
}

// scope is a layer's name, whole and beside that of the layer around it.
type scope struct{ full, short string }

// costs says how many floating-point operations the operation takes that is being
// computed; else it is one for each element of its result.
func (t *Tape) costs(flops int64) { t.next.FLOPs = flops }

// note lists the operation that v is the result of and returns its number.
func (t *Tape) note(v *Value) int {
	op := t.next
	t.next = Op{}
	if t.again {
		return -1
	}
	op.Scope, op.Shape, op.DType = t.Scope(), v.tensor.Shape(), v.tensor.DType()
	if op.FLOPs == 0 && op.Kind != "input" && v.parent == nil {
		op.FLOPs = int64(v.tensor.Len())
	}
	t.ops = append(t.ops, op)
	return len(t.ops) - 1
}
