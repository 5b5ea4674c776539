package gpu

import (
	"fmt"
	"slices"
)

// checkInputs says what is wrong with a query (B, H, Tq, D), keys and values (B, Kv, Tk,
// D) by themselves, with the name of the one that is at fault.
func checkInputs(q, k, v *Tensor) error {
	all, names := [...]*Tensor{q, k, v}, [...]string{"query", "key", "value"}
	for i, t := range all {
		if t == nil {
			return fmt.Errorf("the %s is a %w", names[i], errNil)
		}
	}
	if err := live(q, k, v); err != nil {
		return err
	}
	for i, t := range all {
		switch {
		case len(t.shape) != 4:
			return fmt.Errorf("the %s %s has %s: want 4, (B, H, T, D): batch, heads, tokens, head size", names[i], t, plural(len(t.shape), "axis", "axes"))
		case t.shape[3] > 1 && t.strides[3] != 1:
			return fmt.Errorf("the %s %s has strides %s: want the last to be 1; Clone makes such a copy", names[i], t, dims(t.strides))
		case !t.dtype.Float():
			return fmt.Errorf("the %s %s: want f32, f16 or bf16", names[i], t)
		}
	}
	switch {
	case k.dtype != q.dtype || v.dtype != q.dtype:
		return fmt.Errorf("query %s, key %s, value %s: want one type; As converts", q, k, v)
	case k.shape[0] != q.shape[0] || k.shape[3] != q.shape[3]:
		return fmt.Errorf("query %s, key %s do not fit: want a key of (%d, Kv, Tk, %d), with the query's batch and head size", q, k, q.shape[0], q.shape[3])
	case !slices.Equal(v.shape, k.shape):
		return fmt.Errorf("key %s, value %s do not fit: want one shape", k, v)
	case q.Len() == 0 || k.Len() == 0:
		return fmt.Errorf("query %s, key %s: empty", q, k)
	case q.shape[1]%k.shape[1] != 0:
		return fmt.Errorf("query %s, key %s: the query's %d heads are no multiple of the key's %d", q, k, q.shape[1], k.shape[1])
	}
	return nil
}

// done is an error where there is no result, as after an error of Attention.
func (r *AttentionResult) done() error {
	if r == nil || r.Output == nil {
		return fmt.Errorf("no result of attention: the call that was to make it may have failed")
	}
	return nil
}

// fits says what is wrong with the tensors of r as the results of a call.
func (r *AttentionResult) fits(a *attention) error {
	out, lse := r.Output, r.LSE
	switch {
	case !slices.Equal(out.shape, a.q.shape) || out.dtype != a.q.dtype || !slices.Equal(lse.shape, a.q.shape[:3]):
		return fmt.Errorf("want the shape and type of the query")
	case out.shape[3] > 1 && out.strides[3] != 1:
		return fmt.Errorf("the output has strides %s: want the last to be 1", dims(out.strides))
	case lse.dtype != Float32:
		return fmt.Errorf("the log-sum-exp is %s: want f32", lse.dtype)
	case !lse.Dense():
		return fmt.Errorf("the log-sum-exp has strides %s: want a dense one", dims(lse.strides))
	}
	for i, t := range [...]*Tensor{a.q, a.k, a.v, a.bias} {
		if t != nil && (out.begins(t) || lse.begins(t)) {
			return fmt.Errorf("the result lies on the %s: want tensors of its own", [...]string{"query", "key", "value", "bias"}[i])
		}
	}
	if out.begins(lse) {
		return fmt.Errorf("the output lies on the log-sum-exp: want tensors of their own")
	}
	return nil
}

// alive is an error where a tensor that was an input or a result was freed since.
func (a *attention) alive() error {
	for i, t := range [...]*Tensor{a.q, a.k, a.v, a.out, a.lse, a.bias} {
		if t == nil {
			continue // no bias
		}
		if err := live(a.q, t); err != nil {
			return fmt.Errorf("the forward pass's %s: %w", [...]string{"query", "key", "value", "output", "log-sum-exp", "bias"}[i], err)
		}
	}
	return nil
}

func (g *attentionGrad) check() error {
	if err := g.alive(); err != nil {
		return err
	}
	names := [...]string{"output", "query", "key", "value"}
	for i, p := range [...][2]*Tensor{{g.dOut, g.out}, {g.dq, g.q}, {g.dk, g.k}, {g.dv, g.v}} {
		if p[0] == nil {
			return fmt.Errorf("the gradient by the %s is a %w", names[i], errNil)
		}
		if err := live(g.q, p[0]); err != nil {
			return fmt.Errorf("the gradient by the %s: %w", names[i], err)
		}
		if !slices.Equal(p[0].shape, p[1].shape) || p[0].dtype != p[1].dtype {
			return fmt.Errorf("the gradient by the %s is %s: want it like the %s, %s %s", names[i], p[0], names[i], p[1].dtype, dims(p[1].shape))
		}
		if p[0].shape[3] > 1 && p[0].strides[3] != 1 {
			return fmt.Errorf("the gradient by the %s, %s, has strides %s: want the last to be 1; Clone makes such a copy", names[i], p[0], dims(p[0].strides))
		}
	}
	return nil
}
