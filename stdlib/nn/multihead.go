package nn

import (
	"errors"
	"fmt"

	"attune/gpu"
	"attune/gpu/mem"
)

// Attend is attention of queries q (B, Tq, H D) to keys k and values v (B, Tk, Kv D), in
// H heads of D numbers each: Kv divides H, and each key head serves H/Kv query heads
// (Ainslie et al. 2023). The result is (B, Tq, H D). q, k and v may be one value.
func (t *Tape) Attend(q, k, v *Value, heads, keyHeads int, o gpu.AttentionOptions) *Value {
	const act = "attention"
	if !t.usable(act, q, k, v) {
		return nil
	}
	qs, ks, vs := q.tensor.Shape(), k.tensor.Shape(), v.tensor.Shape()
	if len(qs) != 3 || len(ks) != 3 || shapeText(ks) != shapeText(vs) || qs[0] != ks[0] || heads < 1 || keyHeads < 1 ||
		heads%keyHeads != 0 || qs[2]%heads != 0 || ks[2] != keyHeads*(qs[2]/heads) {
		return t.fail(act, fmt.Errorf("queries %s in %d heads, keys %s and values %s in %d: want (B, Tq, heads D) and twice (B, Tk, key heads D), and the heads a multiple of the key heads",
			shapeText(qs), heads, shapeText(ks), shapeText(vs), keyHeads))
	}
	var parts [3]*gpu.Tensor
	n := [3]int{heads, keyHeads, keyHeads}
	for i, v := range []*Value{q, k, v} {
		x, err := t.operand(v)
		if err == nil {
			parts[i], err = inHeads(x, n[i])
		}
		if err != nil {
			return t.fail(act, err)
		}
	}
	r, out, err := t.attend(parts, o, qs...)
	if err != nil {
		return t.fail(act, err)
	}
	y := t.result(out, q, k, v)
	t.costs(4 * int64(qs[0]) * int64(qs[1]) * int64(ks[1]) * int64(qs[2]))
	return t.record(y, func() error { return attendGrad(r, y, [3]*Value{q, k, v}, n) })
}

// inHeads views (B, T, H D) as (B, H, T, D).
func inHeads(x *gpu.Tensor, heads int) (*gpu.Tensor, error) {
	s := x.Shape()
	four, err := x.Reshape(s[0], s[1], heads, s[2]/heads)
	if err != nil {
		return nil, err
	}
	return four.Permute(0, 2, 1, 3)
}

// attendGrad adds to the gradients of query, key and value by way of a workspace, since
// the primitive overwrites, but not the rows of keys behind an example's length.
func attendGrad(r *gpu.AttentionResult, y *Value, in [3]*Value, heads [3]int) (err error) {
	dy, err := y.gradient()
	if err == nil {
		dy, err = inHeads(dy, heads[0])
	}
	var fresh, parts [3]*gpu.Tensor
	defer func() {
		for _, x := range fresh {
			err = errors.Join(err, x.Free())
		}
	}()
	for i := 0; i < 3 && err == nil; i++ {
		if fresh[i], err = y.tape.dev.ZerosOf(y.tensor.DType(), mem.Workspace, in[i].tensor.Shape()...); err == nil {
			parts[i], err = inHeads(fresh[i], heads[i])
		}
	}
	if err == nil {
		err = r.BackwardInto(dy, parts[0], parts[1], parts[2])
	}
	for i := 0; i < 3 && err == nil; i++ {
		if !in[i].needs {
			continue
		}
		var d *gpu.Tensor
		if d, err = in[i].gradient(); err == nil {
			err = gpu.Add(d, fresh[i])
		}
	}
	return err
}

// MultiHead is attention with projections of its own for query, key and value (Vaswani
// et al. 2017, 3.2.2), with fewer heads of keys than of queries where KeyHeads says so
// (Ainslie et al. 2023).
type MultiHead struct {
	Heads, KeyHeads        int
	Query, Key, Value, Out *Linear
	// Options are Causal, Window, KeyLengths, Dropout and the rest; they may be changed
	// between passes, as for batches of ragged lengths.
	Options gpu.AttentionOptions
	name    string
}

// MultiHead makes attention over vectors of size d in heads, of which keyHeads have keys
// and values.
func (n *Net) MultiHead(name string, d, heads, keyHeads int) *MultiHead {
	if n.err == nil && (heads < 1 || keyHeads < 1 || d%heads != 0 || heads%keyHeads != 0) {
		n.err = fmt.Errorf("make attention %s: size %d, %d heads, %d of them with keys: want the size a multiple of the heads, and the heads of the key heads", name, d, heads, keyHeads)
	}
	if n.err != nil {
		return &MultiHead{Heads: heads, KeyHeads: keyHeads, Query: &Linear{}, Key: &Linear{}, Value: &Linear{}, Out: &Linear{}, name: name}
	}
	small := d / heads * keyHeads
	return &MultiHead{
		Heads: heads, KeyHeads: keyHeads, name: name,
		Query: n.Linear(name+".query", d, d), Key: n.Linear(name+".key", d, small),
		Value: n.Linear(name+".value", d, small), Out: n.Linear(name+".out", d, d),
	}
}

// Apply attends within x (B, T, d).
func (m *MultiHead) Apply(t *Tape, x *Value) *Value { return m.Attend(t, x, x) }

// Attend attends from x (B, Tq, d) to memory (B, Tk, d): cross-attention.
func (m *MultiHead) Attend(t *Tape, x, memory *Value) *Value {
	return t.Within(m.name, func() *Value {
		q, k, v := m.Query.Apply(t, x), m.Key.Apply(t, memory), m.Value.Apply(t, memory)
		return m.Out.Apply(t, t.Attend(q, k, v, m.Heads, m.KeyHeads, m.Options))
	})
}

func (m *MultiHead) layerName() string { return m.name }

// String says the heads and the parameters.
func (m *MultiHead) String() string {
	return fmt.Sprintf("attention of %d heads, %d with keys\n    %s\n    %s\n    %s\n    %s", m.Heads, m.KeyHeads, m.Query, m.Key, m.Value, m.Out)
}
